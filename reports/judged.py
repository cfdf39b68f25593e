"""The judged view: what judges say of one benchmark's answers, a metric a row and a run a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.records import Estimate
from evalsuite.types import Cause

from ._format import Cell, axis_of, axis_text, cell_of, direction_text, visible
from ._runs import Run


@dataclass(frozen=True)
class MetricRow:
    """One metric of every run; None where a run has no number for it."""

    name: str
    detail: str
    is_primary: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class JudgedTable:
    """The runs of one benchmark under one judge. `unparsed` says of each how many replies held no verdict."""

    title: str
    rules: str
    runs: tuple[Run, ...]
    unparsed: tuple[str, ...]
    rows: tuple[MetricRow, ...]


def is_judged_alone(run: Run, family: str) -> bool:
    """Whether a run judges one task of `family` only, so that its metrics stand in the judged view."""
    return run.result.spec.judged is not None and sum(task.family == family for task in run.result.tasks) == 1


def build_judged(runs: Sequence[Run]) -> tuple[JudgedTable, ...]:
    """A table for every benchmark and judge, in order of their names."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        for summary in run.result.tasks:
            if is_judged_alone(run, summary.family):
                groups.setdefault((summary.task, summary.protocol), []).append(run)
    return tuple(_table(task, protocol, groups[task, protocol]) for task, protocol in sorted(groups))


def _table(task: str, protocol: str, runs: Sequence[Run]) -> JudgedTable:
    found = [{part.metric: part for part in run.result.estimates if part.task == task} for run in runs]
    names = list(dict.fromkeys(name for row in found for name in row))
    return JudgedTable(
        title=visible(task),
        rules=visible(protocol),
        runs=tuple(runs),
        unparsed=tuple(_unparsed(run, task) for run in runs),
        rows=tuple(_row(name, [row.get(name) for row in found], runs) for name in names),
    )


def _row(name: str, estimates: Sequence[Estimate | None], runs: Sequence[Run]) -> MetricRow:
    known = [estimate for estimate in estimates if estimate is not None]
    axis = axis_of(known)
    return MetricRow(
        name=visible(name),
        detail=f"{direction_text(known[0])}, axis {axis_text(axis)}",
        is_primary=known[0].is_primary,
        cells=tuple(
            None if estimate is None else cell_of(estimate, axis, (), run.alarms.get(estimate.family, ()))
            for estimate, run in zip(estimates, runs, strict=True)
        ),
    )


def _unparsed(run: Run, task: str) -> str:
    """``13 of 40 (32.5 %)``: cases whose reply holds no verdict, of those that were judged at all."""
    counts = run.summaries[task].counts
    unparsed = counts.unscored_by_cause.get(Cause.JUDGE_UNPARSED, 0)
    judged = counts.scored + unparsed
    return f"{unparsed} of {judged} ({100 * unparsed / judged:.1f} %)" if judged else "nothing was judged"
