"""What every sample counts, packed small enough for a page, and the page's numbers computed again from it. Pure.

A page that embeds the `RunVectors` of its runs can be checked without their directories, their tasks or any text: by
`recheck`. What follows from texts alone (gaps to English, levels of chance, flags) stays as it is stated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from evalsuite.comparing.packing import Packed, pack, unpack
from evalsuite.errors import CorruptStore
from evalsuite.outcomes import count_endings, status_of
from evalsuite.proofs.findings import Finding, result_findings
from evalsuite.proofs.recounting import Known, Rows, recount
from evalsuite.proofs.stated_tasks import is_about_all
from evalsuite.records import Estimate, RunResult
from evalsuite.stats.estimates import Row
from evalsuite.types import Cause, NotRun, Outcome, Record, Sample, Score, Scored, Unscored

VECTORS_SCHEMA = 1
Places = Mapping[str, tuple[int, int]]
"""Number and size of each cluster of a run."""

_SCORED, _NOT_RUN = 0.0, 1.0
_FIRST_CAUSE = 2


class MetricVectors(Record, frozen=True, kw_only=True):
    """One metric of a task: `has` marks the samples that have counts of it, `counts` are theirs in order.

    `is_about_all` False is for a metric of one category, say, which leaves samples without a score out.
    """

    metric: str
    is_about_all: bool
    has: Packed
    counts: Packed


class TaskVectors(Record, frozen=True, kw_only=True):
    """One task's samples in plan order: how each ended, and its cluster as a number that tasks of the run share.

    `clusters` are None where every sample is its own. `endings` are 0 for a score, 1 for a sample that was not run, and
    from 2 on places in `causes`.
    """

    task: str
    endings: Packed
    causes: tuple[str, ...]
    clusters: Packed | None
    metrics: tuple[MetricVectors, ...]


class RunVectors(Record, frozen=True, kw_only=True):
    """A sealed run's result with what every sample counts."""

    schema: int
    result: RunResult
    tasks: tuple[TaskVectors, ...]


def run_vectors(result: RunResult, rows: Rows) -> RunVectors:
    """The vectors of a run whose samples ended as `rows` say, by task in plan order."""
    sizes = Counter(sample.cluster_id for task in result.spec.tasks for sample, _ in rows[task.name])
    places = {cluster: (number, size) for number, (cluster, size) in enumerate(sizes.items())}
    return RunVectors(
        schema=VECTORS_SCHEMA,
        result=result,
        tasks=tuple(_of_task(result, task.name, rows[task.name], places) for task in result.spec.tasks),
    )


def _of_task(result: RunResult, name: str, rows: Sequence[Row], places: Places) -> TaskVectors:
    outcomes = [outcome for _, outcome in rows]
    causes = sorted({str(outcome.cause) for outcome in outcomes if isinstance(outcome, Unscored)})
    return TaskVectors(
        task=name,
        endings=_column([_ending(outcome, causes) for outcome in outcomes]),
        causes=tuple(causes),
        clusters=_clusters([places[sample.cluster_id] for sample, _ in rows]),
        metrics=tuple(_of_metric(one, rows) for one in result.estimates if one.task == name),
    )


def _clusters(places: Sequence[tuple[int, int]]) -> Packed | None:
    """The clusters' numbers; None where each is of a size of 1."""
    return None if all(size == 1 for _, size in places) else _column([float(number) for number, _ in places])


def _ending(outcome: Outcome, causes: Sequence[str]) -> float:
    if isinstance(outcome, Unscored):
        return float(_FIRST_CAUSE + causes.index(str(outcome.cause)))
    return _SCORED if isinstance(outcome, Scored) else _NOT_RUN


def _of_metric(estimate: Estimate, rows: Sequence[Row]) -> MetricVectors:
    found = [_counts(estimate.metric, outcome) for _, outcome in rows]
    kept = [counts for counts in found if counts is not None]
    width = max(map(len, kept), default=0)
    return MetricVectors(
        metric=estimate.metric,
        is_about_all=is_about_all(estimate, rows, None),
        has=_column([float(counts is not None) for counts in found]),
        counts=pack(np.array(kept, dtype=np.float64).reshape(len(kept), width)),
    )


def _counts(metric: str, outcome: Outcome) -> tuple[float, ...] | None:
    scores = outcome.scores if isinstance(outcome, Scored | Unscored) else ()
    return next((score.counts for score in scores if score.name == metric), None)


def _column(values: Sequence[float]) -> Packed:
    return pack(np.array(values, dtype=np.float64).reshape(-1, 1))


# -- back again


@dataclass(frozen=True)
class Recheck:
    """What a page's numbers are found to be: where they differ, and by task what could only be taken as stated."""

    findings: tuple[Finding, ...]
    unknown: Mapping[str, tuple[str, ...]]


def recheck(vectors: RunVectors, file: str) -> Recheck:
    """Estimates, means and counts of the vectors' result computed again; findings name `file` as their place.

    Raises CorruptStore for vectors that are not of the result's samples.
    """
    result, rows = vectors.result, rows_of(vectors)
    wholes = {(task.task, one.metric) for task in vectors.tasks for one in task.metrics if one.is_about_all}
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
        tasks=tuple(msgspec.structs.replace(task, counts=count_endings(endings[task.task])) for task in result.tasks),
    )
    return Recheck(tuple(result_findings(result, recomputed, file)), found.unknown)


def rows_of(vectors: RunVectors) -> dict[str, list[Row]]:
    """Samples without texts, and their outcomes, by task. Raises CorruptStore."""
    by_task = {task.task: task for task in vectors.tasks}
    found = {}
    for spec in vectors.result.spec.tasks:
        if spec.name not in by_task:
            raise CorruptStore(f"run {vectors.result.run_id}: there are no counts of {spec.name}.")
        try:
            found[spec.name] = list(_rows(by_task[spec.name], spec.num_samples * spec.repeats))
        except ValueError as error:
            raise CorruptStore(
                f"run {vectors.result.run_id}: the counts of {spec.name} were changed: {error}"
            ) from error
    return found


def _rows(task: TaskVectors, size: int) -> Iterator[Row]:
    endings = _numbers(task.endings, size)
    clusters = [""] * size if task.clusters is None else [f"#{number:.0f}" for number in _numbers(task.clusters, size)]
    scores: list[list[Score]] = [[] for _ in range(size)]
    for metric in task.metrics:
        counts = iter(unpack(metric.counts).tolist())
        for own, has in zip(scores, _numbers(metric.has, size), strict=True):
            if has:
                own.append(Score(name=metric.metric, counts=tuple(next(counts))))
    for index, (ending, cluster, own) in enumerate(zip(endings, clusters, scores, strict=True)):
        sample = Sample(id=f"{task.task}:{index}", input="", language="", cluster=cluster)
        yield sample, _outcome(int(ending), task.causes, tuple(own))


def _outcome(ending: int, causes: Sequence[str], scores: tuple[Score, ...]) -> Outcome:
    if ending == _NOT_RUN:
        return NotRun(reason="")
    if ending == _SCORED:
        return Scored(scores=scores)
    if not _FIRST_CAUSE <= ending < _FIRST_CAUSE + len(causes):
        raise ValueError(f"an ending {ending} of {_FIRST_CAUSE + len(causes)}")
    return Unscored(cause=Cause(causes[ending - _FIRST_CAUSE]), scores=scores)


def _numbers(column: Packed, size: int) -> list[float]:
    found = unpack(column)
    if found.shape != (size, 1):
        raise ValueError(f"{len(found)} rows of {size}")
    values: list[float] = found[:, 0].tolist()
    return values
