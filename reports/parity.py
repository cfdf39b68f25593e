"""The gap to English: a table of runs by language, over the items that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalsuite.records import Parity
from evalsuite.text.language_names import LANGUAGES

from ._format import language_rank, number, plural, visible
from ._runs import Run
from .board import column_of, rules_of


@dataclass(frozen=True)
class ParityCell:
    """A gap with its interval, and how often the answers are the same."""

    gap: str
    interval: str
    n: str
    same: str


@dataclass(frozen=True)
class ParityRow:
    """A run and its gaps; None where it has none."""

    run: Run
    cells: tuple[ParityCell | None, ...]


@dataclass(frozen=True)
class ParityTable:
    """The gaps of one family's headline metric under one set of rules; `languages` are codes with names and data."""

    metric: str
    rules: str
    languages: tuple[tuple[str, str], ...]
    rows: tuple[ParityRow, ...]


Place = tuple[str, str]
"""A language and the hash of the data that a gap is over."""


def parity_tables(family: str, runs: Sequence[Run]) -> tuple[ParityTable, ...]:
    """The gaps of `family` in `runs`, a table for each protocol and number of exemplars."""
    groups: dict[tuple[str, ...], dict[tuple[str, Place], Parity]] = {}
    for run in runs:
        for parity in run.result.parities:
            if parity.family == family:
                rules, data = _rules(run, parity)
                groups.setdefault(rules, {})[run.result.run_id, (parity.language, data)] = parity
    return tuple(_table(rules, groups[rules], runs) for rules in sorted(groups))


def _rules(run: Run, parity: Parity) -> tuple[tuple[str, ...], str]:
    """What must be equal for two gaps to share a table, metric first, and the hash of the data that this one is over.

    A task that has lost its estimate goes by the rules of English.
    """
    known = {estimate.task: estimate for estimate in run.result.estimates if estimate.metric == parity.metric}
    for task in (parity.task, parity.reference):
        if task in known:
            column = column_of(run, known[task])
            rules = (parity.metric, parity.protocol, *rules_of(column, [column])[1:])
            return rules, column.data if task == parity.task else ""
    return (parity.metric, parity.protocol), ""


def _table(rules: tuple[str, ...], found: Mapping[tuple[str, Place], Parity], runs: Sequence[Run]) -> ParityTable:
    places = sorted({place for _, place in found}, key=lambda place: (language_rank(place[0]), place[1]))
    codes = [code for code, _ in places]
    present = {run_id for run_id, _ in found}

    def cell(run: Run, place: Place) -> ParityCell | None:
        parity = found.get((run.result.run_id, place))
        return _cell(parity) if parity else None

    def name(code: str, data: str) -> str:
        return ", ".join(filter(None, (LANGUAGES.get(code, ""), f"data {data}" if codes.count(code) > 1 else "")))

    return ParityTable(
        metric=visible(rules[0]),
        rules=visible(", ".join(rules[1:])),
        languages=tuple((visible(code), name(code, data)) for code, data in places),
        rows=tuple(
            ParityRow(run, tuple(cell(run, place) for place in places)) for run in runs if run.result.run_id in present
        ),
    )


def _cell(parity: Parity) -> ParityCell:
    clusters = f" in {plural(parity.num_clusters, 'cluster')}" if parity.num_clusters != parity.n else ""
    return ParityCell(
        gap=_signed(parity.gap * parity.scale),
        interval="no interval"
        if parity.low is None or parity.high is None
        else f"{_signed(parity.low * parity.scale)} – {_signed(parity.high * parity.scale)}",
        n=f"n {parity.n}{clusters}",
        same=_same(parity),
    )


def _same(parity: Parity) -> str:
    """``same answer 64.0 % (49.8 – 76.2)``; empty where answers are texts."""
    if parity.same_answer is None or parity.same_low is None or parity.same_high is None:
        return ""
    share, low, high = (number(100 * value, 1) for value in (parity.same_answer, parity.same_low, parity.same_high))
    of = "" if parity.num_answered == parity.n else f" of {parity.num_answered}"
    return f"same answer {share} %{of} ({low} – {high})"


def _signed(value: float) -> str:
    """With a plus sign before what is above zero."""
    text = number(value, 1)
    return text if value <= 0 or float(text.replace("\N{MINUS SIGN}", "-")) == 0 else f"+{text}"
