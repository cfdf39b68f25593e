"""``evalsuite prefer``: what votes between two answers say, and how many of them a study needs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evalsuite.cli.main import printable
from evalsuite.cli.output import print_json, print_table
from evalsuite.errors import EXIT_OK, NothingSelected, UsageError
from evalsuite.preference.agreement import (
    SETUPS,
    Agreement,
    Alpha,
    alpha_of,
    between_people,
    kappa_with_judge,
    with_judge,
)
from evalsuite.preference.families import CORRECTIONS, adjusted
from evalsuite.preference.influence import fragility
from evalsuite.preference.languages import other_languages, worst_language
from evalsuite.preference.planner import Assumptions, Plan, plan, prompts_needed
from evalsuite.preference.prediction_powered import Admissibility, admissibility
from evalsuite.preference.rankings import rankings, tie_weight
from evalsuite.preference.screens import AnnotatorScreen, screen
from evalsuite.preference.strength_model import fit, rank_ranges
from evalsuite.preference.table import VoteTable, table_of
from evalsuite.preference.win_rates import WinRate, pairs_of, rates_of_systems, win_rates
from evalsuite.vote_files.formats import FORMATS, read_votes

_SEED = 1234
_DIFFERENCES = (0.02, 0.05, 0.1)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``prefer``."""
    add = parser.add_argument
    add("action", choices=tuple(_ACTIONS), help="win-rates by pair and language, rank of all systems, agreement of "
        "raters, or plan: what a study of some size could tell")  # fmt: skip
    add("files", nargs="*", type=Path, metavar="FILE", help="votes")
    add("--format", choices=tuple(FORMATS), default="arena", help="of the files (default %(default)s)")
    add("--lang", metavar="CODES", help="only these languages, as en,hi")
    add("--judge", metavar="NAMES", help="raters that are no people, as gpt4_pair; only agree uses their votes")
    add("--against", choices=("each", "all"), default="each", help="win rates of every pair, or of every system "
        "against all that it met")  # fmt: skip
    add("--correction", choices=CORRECTIONS, default="holm", help="of chances asked about together: holm for claims, "
        "fdr for looking around (default %(default)s)")  # fmt: skip
    add("--draws", type=int, default=300, metavar="N", help="prompts drawn anew for intervals (default %(default)s)")
    add("--seed", type=int, default=_SEED, metavar="N", help="of draws (default %(default)s)")
    planned = parser.add_argument_group("plan")
    add = planned.add_argument
    add("--prompts", type=int, default=22, metavar="N", help="in every language (default %(default)s)")
    add("--votes", type=int, default=3, metavar="N", help="on each prompt in each language (default %(default)s)")
    add("--languages", type=int, default=1, metavar="N", help="that share their prompts (default %(default)s)")
    add("--annotators", type=int, default=0, metavar="N", help="of each language; without them they are taken as alike")
    add("--ties", type=float, default=0.25, metavar="SHARE", help="of votes (default %(default)s)")
    add("--prompt_sd", type=float, default=0.16, metavar="SD", help="how far prompts' true win rates lie apart "
        "(default %(default)s, as of LLMFAO's and MT-Bench's votes)")  # fmt: skip
    add("--annotator_sd", type=float, default=0.0, metavar="SD", help="how far annotators' lie apart")
    add("--shared", type=float, default=0.7, metavar="SHARE", help="of prompts' variance that languages have alike "
        "(default %(default)s)")  # fmt: skip
    add("--power", type=float, default=0.8, metavar="SHARE", help="of finding a difference (default %(default)s)")


def _say(text: str = "", **options: Any) -> None:
    """Print what may hold others' names."""
    print(printable(text), **options)


def execute(options: argparse.Namespace) -> int:
    """Read, compute, print. Exit code 0, 2 for votes that make no sense, 6 where none is left."""
    for name in ("draws", "seed"):
        if getattr(options, name) < 0:
            raise UsageError(f"--{name} {getattr(options, name)}: expected 0 or more.")
    found = _ACTIONS[options.action](options)
    if options.json:
        print_json(found)
    return EXIT_OK


# -- votes


def _votes(options: argparse.Namespace) -> tuple[VoteTable, VoteTable]:
    """People's votes and judges', under the same names. Raises NothingSelected where people cast none."""
    if not options.files:
        raise UsageError(f"prefer {options.action} needs files of votes.")
    imported = read_votes(options.files, options.format)
    for reason, count in sorted(imported.dropped.items()):
        _say(f"evalsuite: {count} of {imported.num_rows} rows are left out: {reason}.", file=sys.stderr)
    try:
        table = table_of(imported.comparisons)
    except ValueError as error:
        raise UsageError(f"{', '.join(map(str, options.files))}: {error}.") from error
    if options.lang:
        wanted = options.lang.split(",")
        if unknown := sorted(set(wanted) - set(table.languages)):
            raise UsageError(f"--lang {options.lang}: there are no votes in {', '.join(unknown)}; there are in "
                             f"{', '.join(table.languages)}.")  # fmt: skip
        table = table.where(np.isin([table.languages[place] for place in table.language], wanted))
    judges = [name for name in (options.judge or "").split(",") if name]
    if unknown := sorted(set(judges) - set(table.raters)):
        raise UsageError(f"--judge {options.judge}: no rater is called {', '.join(unknown)}.")
    is_judge = np.isin([table.raters[place] for place in table.rater], judges)
    people = table.where(~is_judge)
    if not len(people):
        raise NothingSelected("there are no votes of people.")
    return people, table.where(is_judge)


def _languages(table: VoteTable) -> list[str]:
    return [name for name in table.languages if len(table.in_language(name))]


# -- win rates


def _win_rates(options: argparse.Namespace) -> dict[str, Any]:
    people, _ = _votes(options)
    rates = rates_of_systems(people) if options.against == "all" else win_rates(people)
    rates = adjusted(rates, options.correction)
    several = len(_languages(people)) > 1
    pairs = pairs_of(people) if several and options.against == "each" else []
    others = [
        found
        for a, b in pairs
        if (found := other_languages([rate for rate in rates if (rate.system_a, rate.system_b) == (a, b)]))
    ]
    worst = [low for a, b in pairs if (low := worst_language(people, a, b, seed=options.seed))]
    print_table([_HEAD, *map(_rate_row, rates)])
    _say("\nTies count half in win_half. Intervals are 95 %, over prompts and annotators; p is adjusted "
          f"({options.correction}).")  # fmt: skip
    for one in others:
        _say(f"{one.system_a} against {one.system_b} in other languages: {_percent(one.value)} "
              f"({_percent(one.low)} to {_percent(one.high)}), languages {100 * one.tau:.1f} points apart")  # fmt: skip
    for low in worst:
        _say(f"{low.system_a} against {low.system_b} is worst in {low.language}: {_percent(low.value)}, "
              f"in no language below {_percent(low.low)}")  # fmt: skip
    return {
        "results": [msgspec.to_builtins(rate) for rate in rates],
        "other_languages": [msgspec.to_builtins(one) for one in others],
        "worst_languages": [msgspec.to_builtins(one) for one in worst],
    }


_HEAD = (
    *("a", "b", "language", "win_half", "95 % interval", "decisive", "tie", "good", "bad"),
    *("votes", "prompts", "people", "p"),
)


def _rate_row(rate: WinRate) -> tuple[str, ...]:
    interval = "too few prompts" if rate.low is None else f"{_percent(rate.low)} – {_percent(rate.high)}"
    return (
        rate.system_a,
        rate.system_b or "all",
        rate.language or rate.scope,
        _percent(rate.win_half),
        interval,
        _percent(rate.win_decisive),
        _percent(rate.tie),
        _percent(rate.tie_good),
        _percent(rate.tie_bad),
        str(rate.num_votes),
        str(rate.num_prompts),
        str(rate.num_annotators),
        "" if rate.p_adjusted is None else f"{rate.p_adjusted:.2g}",
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


# -- ranks


def _rank(options: argparse.Namespace) -> dict[str, Any]:
    people, _ = _votes(options)
    found = rankings(people, num_draws=options.draws, seed=options.seed)
    model = fit(people)
    ranges = rank_ranges(model)
    rows = [
        (
            row.system,
            f"{row.strength:+.2f}",
            "" if row.low is None or row.high is None else f"{row.low:+.2f} – {row.high:+.2f}",
            "{}–{}".format(*ranges[row.system]),
            *(str(rank) for rank in row.ranks.values()),
            str(row.num_votes),
        )
        for row in found
    ]
    heads = ("system", "strength", "95 % interval", "ranks", *(f"ties {name}" for name in found[0].ranks), "votes")
    print_table([heads, *rows])
    _say("\nStrengths are log-odds with mean zero; `ranks` are those that the votes leave open, all pairs together.")
    for language, worth in model.left.items():
        _say(f"being on the left, {language}: {worth:+.2f}; tie weight {model.tie_weights[language]:.2f}")
    frail = fragility(people)
    fewest = "no few votes" if frail.num_votes is None else f"{frail.num_votes} of {frail.total} votes"
    _say(f"without {fewest} another would lead; alone decide: {', '.join(frail.without_annotator) or 'nobody'}")
    return {
        "fragility": msgspec.to_builtins(frail),
        "results": [
            {**msgspec.to_builtins(row), "rank_low": ranges[row.system][0], "rank_high": ranges[row.system][1]}
            for row in found
        ],
        "left": dict(model.left),
        "tie_weights": dict(model.tie_weights),
        "pooling": model.pooling,
        "davidson_nu": tie_weight(people),
    }


# -- agreement


def _agree(options: argparse.Namespace) -> dict[str, Any]:
    people, judge = _votes(options)
    shares: list[Agreement] = []
    chances: list[Alpha] = []
    admitted: list[Admissibility] = []
    for language in _languages(people):
        own, verdicts = people.in_language(language), judge.in_language(language)
        shares += between_people(own, language=language)
        chances += _known(alpha_of(own, seed=options.seed, language=language))
        if len(verdicts):
            shares += with_judge(own, verdicts, language=language)
            for setup in SETUPS:
                chances += _known(kappa_with_judge(own, verdicts, setup=setup, seed=options.seed, language=language))
            admitted += _known(admissibility(own, verdicts, language=language))
    print_table([("raters", "setup", "language", "agree", "of", "share", "95 % interval"), *map(_share_row, shares)])
    if not shares:
        _say("no comparison has two votes")
    _say()
    print_table([("raters", "measure", "setup", "language", "value", "95 % interval", "comparisons"),
                 *map(_alpha_row, chances)])  # fmt: skip
    for one in admitted:
        _print_admissibility(one)
    screened = screen(people)
    if flagged := [one for one in screened if one.flags]:
        _say("\nworth a second look, and left in:")
        print_table([("annotator", "why", "votes", "agrees", "left"), *map(_screen_row, flagged)])
    return {
        "annotators": [msgspec.to_builtins(one) for one in screened],
        "agreement": [msgspec.to_builtins(one) for one in shares],
        "beyond_chance": [msgspec.to_builtins(one) for one in chances],
        "admissibility": [msgspec.to_builtins(one) for one in admitted],
    }


def _print_admissibility(one: Admissibility) -> None:
    judge, people = _percent(one.judge_agreement), _percent(one.people_agreement)
    _say(f"\nthe judge in {one.language}: {one.verdict}")
    _say(f"on {one.num_units} comparisons it agrees with a person {judge} % of the time, another person {people} %")
    if one.low is not None and one.high is not None:
        _say(f"difference {100 * one.difference:+.1f} points, {100 * one.low:+.1f} to {100 * one.high:+.1f}")


def _screen_row(one: AnnotatorScreen) -> tuple[str, ...]:
    return one.annotator, ", ".join(one.flags), str(one.num_votes), _percent(one.agreement), _percent(one.left_share)


def _known(found: Any) -> list[Any]:
    return [] if found is None else [found]


def _share_row(one: Agreement) -> tuple[str, ...]:
    interval = "" if one.low is None else f"{_percent(one.low)} – {_percent(one.high)}"
    counts = str(one.num_agree), str(one.num_pairs)
    return one.raters, one.setup, one.language, *counts, _percent(one.value), interval


def _alpha_row(one: Alpha) -> tuple[str, ...]:
    interval = "" if one.low is None or one.high is None else f"{one.low:.3f} – {one.high:.3f}"
    return one.raters, one.measure, one.setup, one.language, f"{one.value:.3f}", interval, str(one.num_units)


# -- plans


def _plan(options: argparse.Namespace) -> dict[str, Any]:
    if options.files:
        raise UsageError("prefer plan reads no votes; leave the files out.")
    assumptions = Assumptions(
        prompt_sd=options.prompt_sd, ties=options.ties, shared=options.shared, annotator_sd=options.annotator_sd,
        power=options.power,
    )  # fmt: skip
    found = plan(assumptions, options.prompts, options.votes, num_languages=options.languages,
                 num_annotators=options.annotators)  # fmt: skip
    _print_plan(found)
    needed = {
        difference: prompts_needed(assumptions, difference, options.votes, num_languages=options.languages)
        for difference in _DIFFERENCES
    }
    for difference, prompts in needed.items():
        _say(f"to find {50 + 100 * difference:.0f} to {50 - 100 * difference:.0f} %: {prompts} prompts with "
              f"{options.votes} votes in each language")  # fmt: skip
    return {
        "plan": msgspec.to_builtins(found),
        "prompts_needed": {f"{difference:g}": prompts for difference, prompts in needed.items()},
    }


def _print_plan(found: Plan) -> None:
    _say(f"{found.num_prompts} prompts, {found.votes_per_prompt} votes on each, in "
          f"{found.num_languages} language{'s' if found.num_languages > 1 else ''}: "
          f"{found.num_votes} votes, {found.votes_each} for each annotator")  # fmt: skip
    detectable = found.detectable_t or found.detectable
    _say(f"standard error {100 * found.stderr:.1f} points; found with the power asked for: "
          f"{50 + 100 * detectable:.1f} to {50 - 100 * detectable:.1f} % or more")  # fmt: skip
    if found.half_width is None:
        _say("too few prompts for an interval")


_ACTIONS = {"win-rates": _win_rates, "rank": _rank, "agree": _agree, "plan": _plan}
