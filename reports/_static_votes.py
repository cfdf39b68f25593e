"""Votes where there are no scripts: plain tables in English, every number with its interval and n."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.preference.agreement import Agreement, Alpha
from evalsuite.preference.quality import Quality
from evalsuite.preference.summary import PreferenceSummary, QualityFindings, Ranking
from evalsuite.preference.win_rates import WinRate

from ._format import number
from ._static import StaticTable
from ._votes import NO_INTERVAL, chosen_pairs, interval_text, language_label, percent, shown, signed

_MOST_PAIRS = 66


def vote_tables(summary: PreferenceSummary | None) -> Iterator[StaticTable]:
    """Win rates, of many pairs those of the strongest systems; ranks, quality and agreement as far as there are any."""
    if summary is None:
        return
    yield _rates(summary)
    if summary.ranking:
        yield _ranks(summary.ranking)
    if summary.quality:
        yield _quality(summary.quality)
    judges = ((shown(one.judge), one.agreement, one.kappas) for one in summary.judges)
    rows = [row for found in (("people", summary.agreement, summary.alphas), *judges) for row in _agreement(*found)]
    if rows:
        yield StaticTable(
            title="Preference: agreement of people, and of judges with people",
            heads=("Raters", "Language", "Measure", "Ties", "Value", "n"),
            rows=tuple(rows),
        )


def _rates(summary: PreferenceSummary) -> StaticTable:
    chosen = chosen_pairs(summary, _MOST_PAIRS)
    note = f" ({chosen.note.removesuffix('.')})" if chosen.note else ""
    return StaticTable(
        title=f"Preference: win rates in percent, ties half{note}",
        heads=("Pair", "Language", "Win rate", "Won", "Tied", "Lost", "Votes", "Prompts", "People"),
        rows=tuple(_rate(rate) for pair in chosen.pairs for rate in pair.rates),
    )


def _rate(rate: WinRate) -> tuple[str, ...]:
    over = {"macro": f"mean of {rate.num_languages} languages", "pooled": "all votes"}
    return (
        f"{shown(rate.system_a)} against {shown(rate.system_b)}",
        over.get(rate.scope, language_label(rate.language)),
        _share(rate.win_half, rate.low, rate.high),
        *map(percent, (rate.win, rate.tie, rate.loss)),
        *map(str, (rate.num_votes, rate.num_prompts, rate.num_annotators)),
    )


def _share(value: float, low: float | None, high: float | None) -> str:
    return f"{percent(value, low, high)} ({interval_text(low, high)})"


def _ranks(ranking: Ranking) -> StaticTable:
    return StaticTable(
        title="Preference: ranks that the votes leave open, and strengths in log-odds",
        heads=("System", "Ranks", "Strength", "Votes"),
        rows=tuple(
            (
                shown(row.system),
                NO_INTERVAL if row.rank_low is None else f"{row.rank_low} – {row.rank_high}",
                f"{signed(row.strength)} ({_ends(row.low, row.high)})",
                str(row.num_votes),
            )
            for row in ranking.systems
        ),
    )


def _ends(low: float | None, high: float | None) -> str:
    return NO_INTERVAL if low is None or high is None else f"{signed(low)} – {signed(high)}"


def _quality(findings: QualityFindings) -> StaticTable:
    levels = findings.scale.levels[::-1]
    return StaticTable(
        title=f"Preference: quality in percent, acceptable being {shown(findings.scale.acceptable)} or better",
        heads=("System", "Language", "Acceptable", *map(shown, levels), "Ratings", "Prompts", "People"),
        rows=tuple(_rated(one, levels) for one in findings.qualities),
    )


def _rated(one: Quality, levels: Sequence[str]) -> tuple[str, ...]:
    is_mean = one.scope == "macro"
    return (
        shown(one.system),
        f"mean of {len(one.languages)} languages" if is_mean else language_label(one.languages[0]),
        _share(one.share_acceptable, one.low, one.high),
        *(percent(one.levels[level]) for level in levels),
        *map(str, (one.num_ratings, one.num_prompts, one.num_annotators)),
    )


def _agreement(raters: str, shares: Sequence[Agreement], chances: Sequence[Alpha]) -> Iterator[tuple[str, ...]]:
    for share in shares:
        counted = f"{share.num_agree} of {share.num_pairs} pairs of votes"
        yield _agreed(raters, share, "same vote, %", _share(share.value, share.low, share.high), counted)
    for one in chances:
        yield _agreed(raters, one, one.measure, _beyond(one), f"{one.num_units} comparisons")


def _agreed(raters: str, one: Agreement | Alpha, measure: str, value: str, n: str) -> tuple[str, ...]:
    ties = "as votes" if one.setup == "with-ties" else "left out"
    return raters, language_label(one.language), measure, ties, value, n


def _beyond(one: Alpha) -> str:
    if one.low is None or one.high is None:
        return f"{number(one.value, 3)} ({NO_INTERVAL})"
    return f"{number(one.value, 3)} ({number(one.low, 3)} – {number(one.high, 3)})"
