"""What a leaderboard says of each task: its rules and data, how every run went, and scores by category."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from evalsuite.boards.cells import Cell, Column, Rate
from evalsuite.boards.columns import cell_of, column_id, column_of, key_of, task_rank
from evalsuite.boards.loading import LoadedRun, answers_first
from evalsuite.boards.sample_views import lengths_of
from evalsuite.boards.task_records import CategoryCell, Task, TaskRun
from evalsuite.comparing.sides import TaskSide
from evalsuite.contracts import Metric
from evalsuite.metrics import reduce_of
from evalsuite.records import Estimate, SampleRecord, TaskSummary
from evalsuite.stats import intervals
from evalsuite.stats.estimates import interval_of
from evalsuite.store.results import sample_record

MAX_CATEGORIES = 100
"""Of more categories than these a task's page shows none: they are no categories but names of items."""


def tasks_of(runs: Sequence[LoadedRun]) -> tuple[Task, ...]:
    """Every task of `runs`, by family and language; what is judged is called as it was asked, not as it was judged."""
    found: dict[str, TaskSummary] = {}
    for run in answers_first(runs):
        for summary in run.result.tasks:
            found.setdefault(summary.task, summary)
    ordered = sorted(
        found.values(), key=lambda one: (one.family, task_rank(one.task, one.family, one.language), one.task)
    )
    return tuple(_task(summary, runs) for summary in ordered)


def _task(summary: TaskSummary, runs: Sequence[LoadedRun]) -> Task:
    asked = [(place, run) for place, run in enumerate(runs) if summary.task in run.summaries]
    return Task(
        name=summary.task,
        family=summary.family,
        title=summary.title,
        language=summary.language,
        provenance=summary.language_provenance,
        source=summary.source,
        licence=summary.licence,
        is_shown=getattr(summary, "show_in_report", True),
        metrics=_metrics(summary, runs),
        runs=tuple(_task_run(place, run, run.summaries[summary.task]) for place, run in asked),
        categories=tuple(cell for place, run in asked for cell in _categories(place, run, summary.task)),
    )


def _metrics(summary: TaskSummary, runs: Sequence[LoadedRun]) -> tuple[Column, ...]:
    found: dict[str, list[Estimate]] = {}
    keys = {}
    for run in runs:
        for estimate in run.estimates.get(summary.task, ()):
            key = key_of(run, estimate)
            found.setdefault(repr(key), []).append(estimate)
            keys[repr(key)] = key
    return tuple(column_of(keys[name], found[name], summary) for name in sorted(found))


def _task_run(place: int, run: LoadedRun, summary: TaskSummary) -> TaskRun:
    counts = summary.counts
    return TaskRun(
        run=place,
        spec=run.specs[summary.task],
        counts=counts,
        flags={name: _rate(count, counts.scored) for name, count in sorted(summary.flags.items())},
        unraised=_rate(0, counts.scored),
        unscored=_rate(counts.unscored, counts.requested) if counts.unscored else None,
        num_prompt_tokens=summary.num_prompt_tokens,
        num_generated_tokens=summary.num_generated_tokens,
        num_truncated=summary.num_truncated,
        lengths=lengths_of(_records(run.side.tasks[summary.task])) if summary.num_generated_tokens else (),
    )


def _records(side: TaskSide) -> Iterator[SampleRecord]:
    for text in side.records or ():
        yield sample_record(text)


def _rate(count: int, n: int) -> Rate:
    low, high = intervals.wilson(count / n, n) if n else (None, None)
    return Rate(count=count, n=n, low=low, high=high)


# -- categories


def _categories(place: int, run: LoadedRun, task: str) -> Iterator[CategoryCell]:
    """The headline of every category, where there are several and its formula can be had from the record."""
    headline = run.headline(task)
    side = run.side.tasks[task]
    names = np.array(side.categories or ())
    known = sorted({name for name in names.tolist() if name})
    if headline is None or not 2 <= len(known) <= MAX_CATEGORIES:
        return
    column = column_id(key_of(run, headline))
    for category in known:
        cell = _category_cell(run, headline, side, names == category)
        if cell is not None:
            yield CategoryCell(category=category, column=column, run=place, cell=cell)


def _category_cell(run: LoadedRun, headline: Estimate, side: TaskSide, is_in: np.ndarray) -> Cell | None:
    column = side.columns[headline.metric]
    rows = is_in & column.has
    try:
        reduce = reduce_of(headline.formula, headline.metric, headline.language, headline.signature)
    except KeyError:
        return None
    unscored = int((is_in & side.is_unscored).sum())
    if not rows.any():
        return Cell(value=None, low=None, high=None, n=0, num_clusters=0, num_unscored=unscored)
    clusters = [name for name, kept in zip(side.clusters, rows, strict=True) if kept]
    names, totals = intervals.cluster_totals([tuple(row) for row in column.counts[rows].tolist()], clusters)
    value = reduce(intervals.column_sums(totals))
    if value is None:
        return None
    stderr = intervals.jackknife_stderr(intervals.jackknife_deltas(totals, reduce, value))
    metric = Metric(headline.metric, reduce, proportion=headline.interval in _PROPORTIONS, bounds=headline.bounds)
    n = int(rows.sum())
    _, low, high, _ = interval_of(metric, value, stderr, n, len(names))
    return msgspec.structs.replace(
        cell_of(run, headline), value=value, low=low, high=high, n=n, num_clusters=len(names), num_unscored=unscored,
        worst=None, best=None, chance=None, notes=(),
    )  # fmt: skip


_PROPORTIONS = ("wilson", "wilson-clustered")
"""The intervals of estimates that are shares of right answers."""


def places_of(tasks: Sequence[Task]) -> Mapping[str, int]:
    """The places of tasks by name."""
    return {task.name: place for place, task in enumerate(tasks)}
