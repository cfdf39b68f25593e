"""The gap to English: a table of runs by language, over the items that both have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.records import Parity
from evalsuite.text.language_names import LANGUAGES

from ._format import language_rank, number, plural, visible
from ._runs import Run


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
    """The gaps of one family's headline metric."""

    metric: str
    languages: tuple[tuple[str, str], ...]
    rows: tuple[ParityRow, ...]


def parity_table(family: str, runs: Sequence[Run]) -> ParityTable | None:
    """The gaps of `family` in `runs`, or None where there are none."""
    found = {
        (run.result.run_id, parity.language): parity
        for run in runs
        for parity in run.result.parities
        if parity.family == family
    }
    if not found:
        return None
    codes = sorted({language for _, language in found}, key=language_rank)
    present = {run_id for run_id, _ in found}

    def cell(run: Run, code: str) -> ParityCell | None:
        parity = found.get((run.result.run_id, code))
        return _cell(parity) if parity else None

    return ParityTable(
        metric=visible(next(iter(found.values())).metric),
        languages=tuple((visible(code), LANGUAGES.get(code, "")) for code in codes),
        rows=tuple(
            ParityRow(run, tuple(cell(run, code) for code in codes)) for run in runs if run.result.run_id in present
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
