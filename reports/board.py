"""The leaderboard: runs down, headline metrics of task families across. No ranks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from evalsuite.comparability import data_hash
from evalsuite.records import Aggregate, Estimate

from ._format import (
    PLAIN_SIGNATURE,
    Bounds,
    Cell,
    Measure,
    axis_of,
    axis_text,
    causes_text,
    cell_of,
    chance_text,
    direction_text,
    language_rank,
    task_label,
    task_rank,
    visible,
)
from ._runs import Run

_USUAL_SEED = 1234


@dataclass(frozen=True)
class Column:
    """What must be equal for two numbers to stand in one column."""

    family: str
    kind: str
    metric: str
    tasks: tuple[str, ...]
    protocol: str
    signature: str
    shots: str
    seed: str
    version: str
    data: str


@dataclass(frozen=True)
class Head:
    """A column's head in words."""

    title: str
    metric: str
    alias: str
    scope: str
    members: str
    rules: str
    signature: str
    direction: str
    chance: str
    axis: str


@dataclass(frozen=True)
class Row:
    """A run and its cells; None where it has no number."""

    run: Run
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Board:
    """The whole table."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]


def build_board(runs: Sequence[Run]) -> Board:
    """The leaderboard of `runs`, which are in the order of its rows."""
    found = [{column_of(run, measure): measure for measure in headlines(run)} for run in runs]
    ranks = {column: _rank(run, column) for run, row in zip(runs, found, strict=True) for column in row}
    columns = sorted(ranks, key=lambda column: ranks[column])
    measures = {column: [row[column] for row in found if column in row] for column in columns}
    axes = {column: axis_of(measures[column]) for column in columns}
    return Board(
        tuple(_head(column, columns, measures[column], axes[column]) for column in columns),
        tuple(
            Row(run, tuple(_cell(run, column, row.get(column), axes[column]) for column in columns))
            for run, row in zip(runs, found, strict=True)
        ),
    )


def headlines(run: Run) -> Iterator[Measure]:
    """A family's mean over its tasks where there is one, else the headline estimate of every task."""
    means = [mean for mean in run.result.aggregates if mean.is_primary]
    yield from means
    covered = {(mean.family, mean.metric) for mean in means}
    for estimate in run.result.estimates:
        if estimate.is_primary and (estimate.family, estimate.metric) not in covered:
            yield estimate


def column_of(run: Run, measure: Measure) -> Column:
    """The column `measure` belongs in."""
    tasks = tasks_of(measure)
    specs = [run.specs[task] for task in tasks]
    return Column(
        family=measure.family,
        kind=measure.kind if isinstance(measure, Aggregate) else "",
        metric=measure.metric,
        tasks=tasks,
        protocol=measure.protocol,
        signature=measure.signature,
        shots=_each(spec.num_fewshot for spec in specs) + "-shot",
        seed=", ".join(sorted({f"seed {spec.seed}" for spec in specs if spec.seed not in (None, _USUAL_SEED)})),
        version=_each(spec.version for spec in specs),
        data=data_hash(specs),
    )


def rules_of(column: Column, others: Iterable[Column]) -> tuple[str, ...]:
    """Protocol, exemplars, and what else sets a column apart: a later version, or other data than its like's."""
    like = {other.data for other in others if replace(other, data="") == replace(column, data="")}
    seed = (column.seed,) if column.seed else ()
    version = () if column.version == "1" else (f"version {column.version}",)
    data = (f"data {column.data}",) if len(like) > 1 else ()
    return visible(column.protocol), column.shots, *seed, *version, *data


def tasks_of(measure: Measure) -> tuple[str, ...]:
    """The tasks behind a number, in one order whatever the order they were asked for."""
    return tuple(sorted(measure.members)) if isinstance(measure, Aggregate) else (measure.task,)


def empty_cell(run: Run, task: str) -> Cell | None:
    """None for a task that was not run; for one that was and has no score at all, a cell that says so."""
    summary = run.summaries.get(task)
    if summary is None:
        return None
    counts = summary.counts
    if counts.scored:
        return Cell(warnings=("no value: nothing could be judged",))
    return Cell(warnings=(f"no value: {counts.unscored} unscored ({causes_text(counts.unscored_by_cause)})",))


def _cell(run: Run, column: Column, measure: Measure | None, axis: Bounds) -> Cell | None:
    if measure is None and column.kind:
        return _empty_mean(run, column)
    if measure is None:
        return empty_cell(run, column.tasks[0]) if _is_same_task(run, column) else None
    return cell_of(measure, axis, run.chat_note(column.tasks), (*_left_out(run, measure), *_alarms(run, measure)))


def _empty_mean(run: Run, column: Column) -> Cell | None:
    """None where the tasks behind a mean were not run by its rules; else a cell that says why there is no number."""
    specs = [run.specs.get(task) for task in column.tasks]
    base = column.protocol.partition("+")[0]
    if any(spec is None or spec.protocol.partition("+")[0] != base for spec in specs):
        return None
    unscored = sum(run.summaries[task].counts.unscored for task in column.tasks)
    return Cell(warnings=(f"no value: {unscored} unscored",)) if unscored else None


def _is_same_task(run: Run, column: Column) -> bool:
    """Whether a run asked just this column's task under its rules, and so has a hole there rather than nothing."""
    spec = run.specs.get(column.tasks[0])
    if spec is None or len(column.tasks) > 1:
        return False
    has_number = any(part.task == spec.name and part.is_primary for part in run.result.estimates)
    asked = (spec.protocol, f"{spec.num_fewshot}-shot", str(spec.version), data_hash([spec]))
    return not has_number and asked == (column.protocol, column.shots, column.version, column.data)


def _left_out(run: Run, measure: Measure) -> tuple[str, ...]:
    """A mean over fewer tasks than were asked is not the family's; say which are missing."""
    if isinstance(measure, Estimate) or measure.kind == "suite":
        return ()
    asked = [task for task in run.result.tasks if task.family == measure.family]
    missing = [task for task in asked if task.task not in measure.members]
    if not missing:
        return ()
    names = ", ".join(task_label(task.task, task.family, task.language) for task in missing)
    return (f"without {names}: no score there",)


def _alarms(run: Run, measure: Measure) -> tuple[str, ...]:
    """What makes a number doubtful; for the mean of several families with the family's name before it."""
    if not isinstance(measure, Aggregate) or measure.kind != "suite":
        return run.alarms.get(measure.family, ())
    return tuple(f"{visible(family)}: {text}" for family in measure.parts for text in run.alarms.get(family, ()))


def _rank(run: Run, column: Column) -> tuple[object, ...]:
    """Averages of suites, then families by name, means before single tasks, tasks by language."""
    first = run.summaries[column.tasks[0]]
    order = task_rank(first.task, first.family, first.language)
    return (
        column.kind != "suite",
        column.family,
        -len(column.tasks),
        order,
        column.metric,
        column.protocol,
        column.shots,
        *_tail(column),
    )


def _tail(column: Column) -> tuple[object, ...]:
    return column.seed, column.version, column.data, column.signature, column.tasks


def _head(column: Column, columns: Sequence[Column], measures: Sequence[Measure], axis: Bounds) -> Head:
    first = measures[0]
    return Head(
        title=visible(column.family if column.kind else column.tasks[0]),
        metric=visible(column.metric),
        alias=visible(first.alias) if isinstance(first, Estimate) else "",
        scope=scope_text(first),
        members=_members(column, first),
        rules=", ".join(rules_of(column, columns)),
        signature="" if column.signature == PLAIN_SIGNATURE else visible(column.signature),
        direction=direction_text(first),
        chance=chance_text(measures),
        axis=axis_text(axis),
    )


def scope_text(measure: Measure) -> str:
    """``macro mean of 6 tasks``, and of how many there are samples; empty for a single task."""
    if isinstance(measure, Estimate):
        return ""
    if measure.kind == "suite":
        return f"mean of {len(measure.parts)} families"
    sampled = f", {len(measure.members)} sampled" if measure.num_tasks > len(measure.members) else ""
    return f"{measure.kind} mean of {measure.num_tasks} tasks{sampled}"


def _members(column: Column, measure: Measure) -> str:
    if isinstance(measure, Estimate):
        return ""
    if measure.kind == "suite":
        return visible(", ".join(measure.parts))
    suffixes = [task.removeprefix(column.family).lstrip("_:") for task in column.tasks]
    ordered = sorted(suffixes, key=lambda suffix: tuple(language_rank(part) for part in suffix.split("-")))
    return visible(", ".join(ordered))


def _each(values: Iterator[int]) -> str:
    return "/".join(str(value) for value in sorted(set(values)))
