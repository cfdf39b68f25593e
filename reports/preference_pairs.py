"""The preference view's tables of pairs: in every language, over all of them, and every system against the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalsuite.preference.languages import OtherLanguages, WorstLanguage
from evalsuite.preference.measures import Bounds
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.preference.win_rates import WinRate

from ._bars import Bar, bar_of, share_cell
from ._format import Cell, plural
from ._votes import (
    MOST_SYSTEMS,
    Pair,
    chance_text,
    chosen_pairs,
    counts_of,
    headlines,
    interval_text,
    language_detail,
    language_label,
    percent,
    points,
    points_text,
    shown,
)

_MOST_PAIRS = 66


@dataclass(frozen=True)
class RateRow:
    """A line of a pair's table. `cells` are its numbers in the order of the heads; None where one cannot be known."""

    label: str
    detail: str
    is_total: bool
    bar: Bar | None
    cells: tuple[Cell | None, ...]
    p: str
    counts: tuple[str, ...]


@dataclass(frozen=True)
class PairTable:
    """Two systems and all rows of them."""

    system_a: str
    system_b: str
    rows: tuple[RateRow, ...]


@dataclass(frozen=True)
class MatrixCell:
    """How the row's system does against the column's; `mark` tells which one is ahead beyond chance."""

    value: str
    interval: str
    n: str
    mark: str


@dataclass(frozen=True)
class MatrixRow:
    """A system against each of the others; None on the diagonal and where two never met."""

    system: str
    cells: tuple[MatrixCell | None, ...]


@dataclass(frozen=True)
class Pairs:
    """All tables of pairs. `more` stand behind a click, `note` says which pairs of many these are."""

    tie_heads: tuple[str, ...]
    first: tuple[PairTable, ...]
    more: tuple[PairTable, ...]
    note: str
    against_all: tuple[PairTable, ...]
    matrix: tuple[MatrixRow, ...]
    matrix_note: str


def build_pairs(summary: PreferenceSummary) -> Pairs:
    """Of every two systems, or of many those of the strongest."""
    chosen = chosen_pairs(summary, _MOST_PAIRS)
    heads = _tie_heads(summary.rates)
    worst = {(one.system_a, one.system_b): one for one in summary.worst_languages}
    first: list[PairTable] = []
    more: list[PairTable] = []
    is_few = len(chosen.pairs) <= MOST_SYSTEMS or len(summary.languages) == 1
    for pair in chosen.pairs:
        names = pair.system_a, pair.system_b
        (first if is_few or chosen.reference in names else more).append(_pair_table(pair, heads, worst.get(names)))
    num = len(summary.systems)
    return Pairs(
        tie_heads=heads,
        first=tuple(first),
        more=tuple(more),
        note=chosen.note,
        against_all=_against_all(summary, heads),
        matrix=_matrix(summary),
        matrix_note=f"the first {MOST_SYSTEMS} of {num} systems" if num > MOST_SYSTEMS else "",
    )


def _tie_heads(rates: Sequence[WinRate]) -> tuple[str, ...]:
    told = any(rate.tie_good is not None for rate in rates)
    untold = any(rate.tie_good is None for rate in rates)
    both = ("both good", "both bad") if told else ()
    return (*both, *(("tie of either kind" if told else "tie",) if untold else ()))


def _pair_table(pair: Pair, heads: Sequence[str], worst: WorstLanguage | None) -> PairTable:
    rows = [_rate_row(rate, heads) for rate in pair.rates]
    rows += [_others_row(pair.others, heads)] if pair.others else []
    rows += [_worst_row(worst, heads)] if worst else []
    return PairTable(shown(pair.system_a), shown(pair.system_b), tuple(rows))


def _rate_row(rate: WinRate, heads: Sequence[str]) -> RateRow:
    is_language = rate.scope == "language"
    return RateRow(
        label=language_label(rate.language) if is_language else {"macro": "mean", "pooled": "all votes"}[rate.scope],
        detail=language_detail(rate.language) if is_language else _scope_detail(rate),
        is_total=not is_language,
        bar=_rate_bar(rate, heads),
        cells=_rate_cells(rate, heads),
        p=chance_text(rate.p_adjusted),
        counts=counts_of(rate.num_votes, "vote", rate.num_prompts, rate.num_groups, rate.num_annotators),
    )


def _scope_detail(rate: WinRate) -> str:
    return f"of {rate.num_languages} languages alike" if rate.scope == "macro" else "pooled, each alike"


def _rate_cells(rate: WinRate, heads: Sequence[str]) -> tuple[Cell | None, ...]:
    """The win rate, decisive wins, wins less losses, and the ties of `heads`."""
    ties = {
        "both good": (rate.tie_good, "tie_good"),
        "both bad": (rate.tie_bad, "tie_bad"),
        "tie": (rate.tie, "tie"),
        "tie of either kind": (rate.tie if rate.tie_good is None else None, "tie"),
    }
    return (
        share_cell(rate.win_half, rate.low, rate.high),
        _named_cell(rate.win_decisive, rate.intervals.get("win_decisive")),
        _net_cell(rate),
        *(_named_cell(ties[head][0], rate.intervals.get(ties[head][1])) for head in heads),
    )


def _named_cell(value: float | None, bounds: Bounds | None) -> Cell | None:
    if value is None:
        return None
    return share_cell(value, bounds.low if bounds else None, bounds.high if bounds else None)


def _net_cell(rate: WinRate) -> Cell:
    bounds = rate.intervals.get("net")
    low, high = (bounds.low, bounds.high) if bounds else (None, None)
    return Cell(value=points(rate.net, low, high), interval=points_text(low, high))


def _others_row(one: OtherLanguages, heads: Sequence[str]) -> RateRow:
    told = f"{100 * one.tau:.1f} points apart, I² {100 * one.i_squared:.0f} %"
    return RateRow(
        label="other languages",
        detail="as drawn from all there are",
        is_total=True,
        bar=bar_of((), one.value, one.low, one.high, words="the win rate with its interval", has_half=True),
        cells=(share_cell(one.value, one.low, one.high), *[None] * (len(heads) + 2)),
        p="",
        counts=(plural(len(one.languages), "language"), told),
    )


def _worst_row(one: WorstLanguage, heads: Sequence[str]) -> RateRow:
    cell = Cell(value=percent(one.value), n=f"nowhere below {percent(one.low)}")
    return RateRow(
        label="worst language",
        detail=language_label(one.language),
        is_total=True,
        bar=None,
        cells=(cell, *[None] * (len(heads) + 2)),
        p="",
        counts=(plural(len(one.languages), "language"),),
    )


def _rate_bar(rate: WinRate, heads: Sequence[str]) -> Bar:
    parts = [("win", rate.win, "won"), *_tie_parts(rate, heads), ("loss", rate.loss, "lost")]
    words = ", ".join(f"{word} {percent(share)} %" for _, share, word in parts)
    places = [(kind, share, "") for kind, share, _ in parts]
    return bar_of(places, rate.win_half, rate.low, rate.high, words=words, has_half=True)


def _tie_parts(rate: WinRate, heads: Sequence[str]) -> list[tuple[str, float, str]]:
    if rate.tie_good is not None and rate.tie_bad is not None:
        return [("tie", rate.tie_good, "both good"), ("tie-bad", rate.tie_bad, "both bad")]
    return [("tie" if "tie" in heads else "tie-any", rate.tie, "tied")]


def _against_all(summary: PreferenceSummary, heads: Sequence[str]) -> tuple[PairTable, ...]:
    """Of every system, where there are more than two, all that it met: over all languages only."""
    if len(summary.systems) < 3:
        return ()
    found: dict[str, WinRate] = {}
    for rate in summary.rates_against_all:
        if rate.scope == "macro" or rate.system_a not in found:
            found[rate.system_a] = rate
    return tuple(PairTable(shown(name), "", (_rate_row(found[name], heads),)) for name in summary.systems)


# -- the matrix


def _matrix(summary: PreferenceSummary) -> tuple[MatrixRow, ...]:
    """The strongest systems; nothing where there are two, whose table says all."""
    if len(summary.systems) < 3:
        return ()
    systems, found = summary.systems[:MOST_SYSTEMS], headlines(summary)
    return tuple(MatrixRow(shown(a), tuple(_matrix_cell(found, a, b) for b in systems)) for a in systems)


def _matrix_cell(found: Mapping[tuple[str, str], WinRate], a: str, b: str) -> MatrixCell | None:
    rate, is_seen_from_a = found.get((a, b)), True
    if rate is None:
        rate, is_seen_from_a = found.get((b, a)), False
    if rate is None:
        return None
    value, low, high = rate.win_half, rate.low, rate.high
    if not is_seen_from_a:
        value = 1 - value
        low, high = (None if bound is None else 1 - bound for bound in (high, low))
    is_sure = rate.p_adjusted is not None and rate.p_adjusted < 0.05
    mark = ("▲" if value > 0.5 else "▼") if is_sure else ""
    return MatrixCell(percent(value, low, high), interval_text(low, high), f"n {rate.num_votes}", mark)
