"""Numbers computed again from what every sample counts: of a run's directory, or of counts that a page holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import msgspec

from evalsuite.building import PreparedTask
from evalsuite.contracts import Suite, Task
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.outcomes import Numbers, count_endings, count_flags, measure_all, numbers_from, status_of
from evalsuite.prepare import Prepared
from evalsuite.proofs.findings import Finding, result_findings
from evalsuite.proofs.stated_tasks import StatedTask, Wholes, amended, group_of, is_about_all, stated_task
from evalsuite.records import Aggregate, RunResult, SampleRecord, TaskSpec
from evalsuite.stats.estimates import Row

T = TypeVar("T")
Rows = Mapping[str, Sequence[Row]]
"""Samples and outcomes by task."""


def rows_by_task(result: RunResult, records: Sequence[SampleRecord]) -> Rows:
    """Samples and outcomes of stored records, by task in plan order; a task without samples has none."""
    rows: dict[str, list[Row]] = {task.name: [] for task in result.spec.tasks}
    for record in records:
        if record.task in rows:
            rows[record.task].append((record.sample, record.outcome))
    return rows


@dataclass(frozen=True)
class Shape:
    """What of a run's question its means depend on: see `prepare.Prepared`."""

    suites: tuple[Suite, ...]
    num_asked: Mapping[str, int]
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Known:
    """What is known of a run beside its result: tasks as a run prepares them, its shape, which metrics are whole.

    Whatever is missing here is made up of what the result states.
    """

    tasks: Mapping[str, PreparedTask] = field(default_factory=dict)
    shape: Shape | None = None
    wholes: Wholes = None


@dataclass(frozen=True)
class Recount:
    """Numbers computed again, and the run that they follow from; `unknown` says by task what is only as stated."""

    prepared: Prepared
    numbers: Numbers
    unknown: Mapping[str, tuple[str, ...]]


def recount(result: RunResult, rows: Rows, known: Known | None = None) -> Recount:
    """The numbers of `result` computed again from `rows`."""
    known = known or Known()
    stated = {
        task.name: stated_task(result, task.name, rows[task.name], known.wholes)
        for task in result.spec.tasks
        if task.name not in known.tasks
    }
    prepared = _prepared(result, rows, known, stated)
    told = {(one.task, one.metric): one for one in result.estimates}
    measured = []
    for part in measure_all(prepared, rows):
        task, metric = part.estimate.task, part.estimate.metric
        if task in stated:
            estimate = amended(part.estimate, told[task, metric], rows[task], known.wholes)
            part = replace(part, estimate=estimate)
        measured.append(part)
    numbers = numbers_from(prepared, rows, measured)
    uncounted = {(name, metric) for name, one in stated.items() for metric in one.uncounted}
    return Recount(
        prepared,
        _with_uncounted(result, numbers, uncounted),
        {name: one.unknown for name, one in stated.items() if one.unknown},
    )


def _prepared(result: RunResult, rows: Rows, known: Known, stated: Mapping[str, StatedTask]) -> Prepared:
    entries = tuple(
        known.tasks[spec.name] if spec.name in known.tasks else _entry(spec, stated[spec.name].task, rows[spec.name])
        for spec in result.spec.tasks
    )
    shape = known.shape or stated_shape(result)
    return Prepared(
        result.spec,
        entries,
        ScriptedEngine(plausible),  # nothing is asked of it
        suites=shape.suites,
        num_asked=shape.num_asked,
        left_out=shape.left_out,
    )


def _entry(spec: TaskSpec, task: Task, rows: Sequence[Row]) -> PreparedTask:
    return PreparedTask(
        task,
        tuple(sample for sample, _ in rows),
        spec.num_available,
        spec.datasets,
        spec.chat,
        num_shortened=spec.num_shortened,
        repeats=spec.repeats,
    )


def stated_shape(result: RunResult) -> Shape:
    """The shape of a run as far as its means tell."""
    families = [task.family for task in result.spec.tasks]
    averaged = [mean for mean in result.aggregates if mean.kind != "suite"]
    measured = {(estimate.task, estimate.metric) for estimate in result.estimates}
    left_out = {}
    for family in dict.fromkeys(families):
        of_family = [mean for mean in averaged if mean.family == family and not group_of(mean)]
        if of_family and (missing := _num_left_out(result, of_family[0], measured)):
            left_out[family] = missing
    means = {mean.family for mean in averaged}
    return Shape(
        suites=tuple(
            Suite(mean.name, "", mean.protocol.partition("+")[0], mean.parts, mean.name)
            for mean in result.aggregates
            if mean.kind == "suite"
        ),
        num_asked={family: max(families.count(family), 2 if family in means else 1) for family in families},
        left_out=left_out,
    )


def _num_left_out(result: RunResult, mean: Aggregate, measured: set[tuple[str, str]]) -> int:
    """How many tasks of a family a random sample took no row of, by what a mean says of their number."""
    category = mean.members[0].partition(":")[2]
    there = [task for task in result.spec.tasks if task.family == mean.family]
    lost = [
        task for task in there if task.name.partition(":")[2] == category and (task.name, mean.metric) not in measured
    ]
    return mean.num_tasks - len(mean.members) - len(lost)


def wholes_of(result: RunResult, rows: Rows) -> tuple[tuple[str, str], ...]:
    """The metrics of a sealed run that are about all samples of their task: what `recheck` needs beside counts."""
    return tuple((one.task, one.metric) for one in result.estimates if is_about_all(one, rows[one.task], None))


@dataclass(frozen=True)
class Recheck:
    """What a result's numbers are found to be: where they differ, and by task what could only be taken as stated."""

    findings: tuple[Finding, ...]
    unknown: Mapping[str, tuple[str, ...]]


def recheck(result: RunResult, rows: Rows, wholes: Wholes, file: str) -> Recheck:
    """Estimates, means, counts and flags of `result` computed again without its tasks; findings name `file`.

    `wholes` are its metrics that are about all samples of their task.

    Gaps to English, levels of chance and tokens need texts: they stay as they are stated.
    """
    found = recount(result, rows, Known(wholes=wholes))
    endings = {name: [outcome for _, outcome in of_task] for name, of_task in rows.items()}
    counts = count_endings(outcome for of_task in endings.values() for outcome in of_task)
    recomputed = msgspec.structs.replace(
        result,
        run_id=result.spec.run_id,
        status=status_of(counts),
        counts=counts,
        estimates=found.numbers.estimates,
        aggregates=found.numbers.aggregates,
        tasks=tuple(
            msgspec.structs.replace(
                task, counts=count_endings(endings[task.task]), flags=count_flags(endings[task.task])
            )
            for task in result.tasks
        ),
    )
    return Recheck(tuple(result_findings(result, recomputed, file)), found.unknown)


# -- what cannot be counted here stays as it is stated


def _with_uncounted(result: RunResult, numbers: Numbers, uncounted: set[tuple[str, str]]) -> Numbers:
    if not uncounted:
        return numbers
    headlines = {one.task for one in result.estimates if one.is_primary and (one.task, one.metric) in uncounted}
    return Numbers(
        estimates=_filled(result.estimates, numbers.estimates, lambda one: (one.task, one.metric) in uncounted),
        aggregates=_filled(result.aggregates, numbers.aggregates, lambda one: _is_uncounted(one, uncounted, headlines)),
        parities=_filled(result.parities, numbers.parities, lambda one: (one.task, one.metric) in uncounted),
    )


def _is_uncounted(mean: Aggregate, uncounted: set[tuple[str, str]], headlines: set[str]) -> bool:
    if mean.kind == "suite":
        return any(task in headlines for task in mean.members)
    return any((task, mean.metric) in uncounted for task in mean.members)


def _filled(stated: Sequence[T], found: Sequence[T], is_only_stated: Callable[[T], bool]) -> tuple[T, ...]:
    """`found` with the numbers that are only stated, at their places among the stated ones."""
    rest = iter(found)
    known = [one if is_only_stated(one) else next(rest, None) for one in stated]
    return (*(one for one in known if one is not None), *rest)
