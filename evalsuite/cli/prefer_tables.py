"""What ``evalsuite prefer`` prints: tables of win rates, quality, ranks, agreement and annotators, and plans."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.cli.output import print_table, say
from evalsuite.preference.agreement import Agreement, Alpha
from evalsuite.preference.attentiveness import AttentivenessScreen
from evalsuite.preference.languages import OtherLanguages, WorstLanguage
from evalsuite.preference.planner import Plan
from evalsuite.preference.prediction_powered import Admissibility
from evalsuite.preference.screens import AnnotatorScreen
from evalsuite.preference.summary import Number, PoweredFinding, PreferenceSummary, QualityFindings, Ranking
from evalsuite.preference.win_rates import WinRate
from evalsuite.text.number_texts import chance_text, interval_text, number

_MOST_PAIRS = 12
_TOO_FEW = "too few prompts"
"""Stands where there is no interval."""


def percent(share: float | None) -> str:
    """One decimal; nothing for what nobody knows."""
    return "" if share is None else number(100 * share, 1)


def interval(low: float | None, high: float | None) -> str:
    """Of a share."""
    return _TOO_FEW if low is None or high is None else interval_text(low, high, 100.0, decimals=1)


def _chance(value: float | None) -> str:
    return "" if value is None else chance_text(value)


def _points(share: float) -> str:
    """A difference of shares."""
    return number(100 * share, 1, is_signed=True)


# -- win rates


def print_rates(rates: Sequence[WinRate], correction: str) -> None:
    """All four numbers of every rate."""
    print_table([_HEAD, *map(_rate_row, rates)])
    say("\nTies count half in win_half. Intervals are 95 %, over prompts and annotators; p is adjusted "
        f"({correction}).")  # fmt: skip
    if any(rate.interval == "prompt-t" for rate in rates):
        say("Where one person voted, or one in every language, intervals are over prompts, and of these people only.")


_HEAD = (
    *("a", "b", "language", "win_half", "95 % interval", "decisive", "tie", "good", "bad"),
    *("votes", "prompts", "people", "p"),
)


def _rate_row(rate: WinRate) -> tuple[str, ...]:
    return (
        rate.system_a,
        rate.system_b or "all",
        rate.language or rate.scope,
        percent(rate.win_half),
        interval(rate.low, rate.high),
        percent(rate.win_decisive),
        percent(rate.tie),
        percent(rate.tie_good),
        percent(rate.tie_bad),
        str(rate.num_votes),
        str(rate.num_prompts),
        str(rate.num_annotators),
        _chance(rate.p_adjusted),
    )


def print_headlines(summary: PreferenceSummary) -> None:
    """Of every pair what it comes to over its languages, of many pairs the first."""
    found: dict[tuple[str, str], WinRate] = {}
    for rate in summary.rates:
        if rate.scope == "macro" or (rate.system_a, rate.system_b) not in found:
            found[rate.system_a, rate.system_b] = rate
    print_rates(list(found.values())[:_MOST_PAIRS], summary.correction)
    if len(found) > _MOST_PAIRS:
        say(f"{len(found) - _MOST_PAIRS} more pairs are in the files.")
    if not summary.ranking:
        say(f"no ranking: {summary.no_ranking}")


def print_languages(others: Sequence[OtherLanguages], worst: Sequence[WorstLanguage]) -> None:
    """What languages that were not asked would say, and the worst of those that were."""
    for one in others:
        say(f"{one.system_a} against {one.system_b} in other languages: {percent(one.value)} "
            f"({percent(one.low)} to {percent(one.high)}), languages {100 * one.tau:.1f} points apart")  # fmt: skip
    for low in worst:
        say(f"{low.system_a} against {low.system_b} is worst in {low.language}: {percent(low.value)}, "
            f"in no language below {percent(low.low)}")  # fmt: skip


def print_powered(found: Sequence[PoweredFinding]) -> None:
    """What people's votes and a judge's verdicts say together, and whether the judge may be used."""
    say("\nwith a judge's verdicts on prompts that people did not vote on (PPI++):")
    print_table([
        ("judge", "a", "b", "language", "win_half", "95 % interval", "people", "judge", "error", "prompts",
         "the judge is"),
        *((one.judge, one.rate.system_a, one.rate.system_b, one.rate.language, percent(one.rate.value),
           interval(one.rate.low, one.rate.high), percent(one.rate.people_only), percent(one.rate.judge_only),
           "" if one.rate.stderr_ratio is None else f"x {one.rate.stderr_ratio:.2f}",
           f"{one.rate.num_prompts_people} + {one.rate.num_prompts_judge}",
           one.admission.verdict if one.admission else "undecided") for one in found),
    ])  # fmt: skip


def print_quality(found: QualityFindings) -> None:
    """The share acceptable and the levels of every system, and how far systems lie apart."""
    levels = found.scale.levels
    heads = ("system", "language", "acceptable", "95 % interval", *levels, "ratings", "prompts", "people")
    rows = [
        (
            one.system,
            one.scope if one.scope == "macro" else one.languages[0],
            percent(one.share_acceptable),
            interval(one.low, one.high),
            *(percent(one.levels[level]) for level in levels),
            *map(str, (one.num_ratings, one.num_prompts, one.num_annotators)),
        )
        for one in found.qualities
    ]
    say(f"\nquality on the scale {found.scale.name}; acceptable is {found.scale.acceptable} or better")
    print_table([heads, *rows])
    differences = [
        (
            one.system_a,
            one.system_b,
            one.scope if one.scope == "macro" else one.languages[0],
            _points(one.difference),
            interval(one.low, one.high),
            *map(str, (one.num_ratings, one.num_prompts, one.num_annotators)),
            _chance(one.p_adjusted),
        )
        for one in found.differences
    ]
    if differences:
        say("\nshare acceptable, a less b, in points")
        heads = ("a", "b", "language", "difference", "95 % interval", "ratings", "prompts", "people", "p")
        print_table([heads, *differences])


# -- ranks


def print_ranking(found: Ranking) -> None:
    """Systems, what raters do whatever the systems, and what the order hangs on."""
    rows = [
        (
            row.system,
            number(row.strength, 2, is_signed=True),
            "" if row.low is None else interval_text(row.low, row.high, decimals=2, is_signed=True),
            _TOO_FEW if row.rank_low is None else f"{row.rank_low}–{row.rank_high}",
            *(str(rank) for rank in row.ranks.values()),
            str(row.num_votes),
        )
        for row in found.systems
    ]
    ways = (f"ties {name}" for name in found.systems[0].ranks)
    print_table([("system", "strength", "95 % interval", "ranks", *ways, "votes"), *rows])
    say("\nStrengths are log-odds with mean zero; `ranks` are those that the votes leave open, all pairs together.")
    for language in sorted(found.left.keys() | found.tie_weights.keys()):
        left, ties = found.left.get(language), found.tie_weights.get(language)
        told = [f"being on the left {left.value:+.2f}"] if left else []
        told += [f"tie weight {ties.value:.2f}"] if ties else []
        say(f"{language}: {'; '.join(told)}")
    for feature, worth in found.style.items():
        say(f"one standard deviation more {feature}: {_difference(worth)}")
    for name, gap in found.controlled.items():
        say(f"{name} from {found.leader}: {_difference(found.plain[name])}; if answers looked alike {_difference(gap)}")
    frail = found.fragility
    if frail.num_votes is None:
        say("no small number of votes decides who leads")
    else:
        say(f"without {frail.num_votes} of {frail.total} votes another would lead")
    say(f"annotators without whom another would lead: {', '.join(frail.without_annotator) or 'none'}")


def _difference(found: Number) -> str:
    bounds = _TOO_FEW if found.low is None else interval_text(
        found.low, found.high, decimals=2, is_signed=True, between=" to ")  # fmt: skip
    return f"{number(found.value, 2, is_signed=True)} ({bounds})"


# -- agreement


def print_agreement(shares: Sequence[Agreement], chances: Sequence[Alpha]) -> None:
    """How often votes say the same, and how much more than by chance."""
    print_table([("raters", "setup", "language", "agree", "of", "share", "95 % interval"), *map(_share_row, shares)])
    if not shares:
        say("no comparison has two votes")
    say()
    print_table([("raters", "measure", "setup", "language", "value", "95 % interval", "comparisons"),
                 *map(_alpha_row, chances)])  # fmt: skip


def _share_row(one: Agreement) -> tuple[str, ...]:
    bounds = "" if one.low is None else interval(one.low, one.high)
    counts = str(one.num_agree), str(one.num_pairs)
    return one.raters, one.setup, one.language, *counts, percent(one.value), bounds


def _alpha_row(one: Alpha) -> tuple[str, ...]:
    bounds = "" if one.low is None else interval_text(one.low, one.high, decimals=3)
    return one.raters, one.measure, one.setup, one.language, number(one.value, 3), bounds, str(one.num_units)


def print_admissibility(one: Admissibility) -> None:
    """Whether the judge agrees with a person as another person does."""
    judge, people = percent(one.judge_agreement), percent(one.people_agreement)
    say(f"\nthe judge in {one.language}: {one.verdict}")
    say(f"on {one.num_units} comparisons it agrees with a person {judge} % of the time, another person {people} %")
    if one.low is not None and one.high is not None:
        say(f"difference {_points(one.difference)} points, {_points(one.low)} to {_points(one.high)}")


def print_screens(screened: Sequence[AnnotatorScreen]) -> None:
    """Those with a flag."""
    if flagged := [one for one in screened if one.flags]:
        say("\nworth a second look, and left in:")
        print_table([("annotator", "why", "votes", "agrees", "left"), *map(_screen_row, flagged)])


def _screen_row(one: AnnotatorScreen) -> tuple[str, ...]:
    return one.annotator, ", ".join(one.flags), str(one.num_votes), percent(one.agreement), percent(one.left_share)


def print_attentiveness(screened: Sequence[AttentivenessScreen]) -> None:
    """Everybody's known answers and repeats, and the flags of whole votes."""
    if screened:
        say("\nattentiveness, of whole votes:")
        print_table([_ATTENTIVENESS, *map(_attentiveness_row, screened)])


_ATTENTIVENESS = (
    *("annotator", "why", "votes", "skipped"),
    *("known right", "95 % interval", "same again", "kappa", "a character", "longest run"),
)


def _attentiveness_row(one: AttentivenessScreen) -> tuple[str, ...]:
    gold, retest = one.gold, one.retest
    return (
        one.annotator,
        ", ".join(one.flags),
        str(one.num_votes),
        str(one.num_skipped),
        f"{gold.num_right} of {gold.num_votes}" if gold else "",
        interval(gold.low, gold.high) if gold else "",
        f"{percent(retest.agreement)} of {retest.num_repeats}" if retest else "",
        "" if retest is None or retest.kappa is None else f"{retest.kappa:.2f}",
        ", ".join(f"{pace.language} {pace.seconds_per_grapheme:.3f} s ({pace.num_votes})" for pace in one.paces),
        str(one.longest_run),
    )


# -- plans


def print_plan(found: Plan) -> None:
    """What a study could find."""
    say(f"{found.num_prompts} prompts, {found.votes_per_prompt} votes on each, in "
        f"{found.num_languages} language{'s' if found.num_languages > 1 else ''}: "
        f"{found.num_votes} votes, {found.votes_each} for each annotator")  # fmt: skip
    detectable = found.detectable_t or found.detectable
    say(f"standard error {100 * found.stderr:.1f} points; found with the power asked for: "
        f"{50 + 100 * detectable:.1f} to {50 - 100 * detectable:.1f} % or more")  # fmt: skip
    if found.half_width is None:
        say("too few prompts for an interval")
