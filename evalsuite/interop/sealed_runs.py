"""A run as it leaves this tool: read from its directory, and refused unless all of it still says the same.

Results follow from the samples, and the samples' answers from the journal. So a number that was changed by hand does
not leave under the run's id: values, errors, intervals and counts are computed again, wherever their formula is known.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evalsuite.canonical import content_hash
from evalsuite.contracts import Metric, Task
from evalsuite.errors import CorruptStore
from evalsuite.metrics import reduce_of
from evalsuite.records import Aggregate, Counts, Estimate, RunResult, SampleRecord, TaskSpec, TaskSummary
from evalsuite.stats.aggregates import mean_of_families, mean_of_tasks
from evalsuite.stats.estimates import Measured, Row, measure
from evalsuite.store.results import RESULTS, SAMPLES, read_results, read_samples
from evalsuite.store.run_directory import SPEC, RunDirectory, read_opened_at
from evalsuite.types import Cause, Outcome, Unscored

EVALUATED_AT = "evaluated_at"
"""In the identity of an imported run's model: when another tool evaluated it, in seconds of Unix time."""


@dataclass(frozen=True)
class SealedRun:
    """A sealed run that is what was written: its samples by task, and when it began where that is known."""

    path: Path
    result: RunResult
    records: Mapping[str, tuple[SampleRecord, ...]]
    began: datetime | None

    @property
    def model(self) -> str:
        """The model that the numbers are about."""
        return self.result.spec.subject

    def spec_of(self, task: str) -> TaskSpec:
        """The spec of a task."""
        return next(spec for spec in self.result.spec.tasks if spec.name == task)

    def summary_of(self, task: str) -> TaskSummary:
        """How a task's samples ended."""
        return next(summary for summary in self.result.tasks if summary.task == task)

    def estimates_of(self, task: str) -> tuple[Estimate, ...]:
        """A task's metrics, the headline first."""
        return tuple(one for one in self.result.estimates if one.task == task)


def read_sealed(path: Path) -> SealedRun:
    """The sealed run at `path`. Raises SpecMismatch where there is none, CorruptStore for one that was changed."""
    result = read_results(path)
    directory = RunDirectory.open_existing(path)
    if directory.spec != result.spec or result.run_id != directory.spec.run_id:
        raise _changed(path / RESULTS, f"its spec is not that of {SPEC}")
    records = _by_task(path, result)
    _check_answers(directory, records)
    _check_counts(path, result, records)
    measured = {(one.task, one.metric): found for one in result.estimates if (found := _again(one, records[one.task]))}
    for one in result.estimates:
        if (again := measured.get((one.task, one.metric))) is not None:
            _check_estimate(path, one, again.estimate)
    _check_means(path, result, measured)
    return SealedRun(path, result, records, _began(path, result))


def _changed(path: Path, reason: str) -> CorruptStore:
    return CorruptStore(f"{path} was changed after it was written ({reason}); the run cannot be trusted.")


def _began(path: Path, result: RunResult) -> datetime | None:
    at = result.spec.model.identity.get(EVALUATED_AT, read_opened_at(path))
    return datetime.fromtimestamp(float(at), UTC) if isinstance(at, int | float) else None


def _by_task(path: Path, result: RunResult) -> dict[str, tuple[SampleRecord, ...]]:
    found: dict[str, list[SampleRecord]] = {spec.name: [] for spec in result.spec.tasks}
    for record in read_samples(path):
        if record.task not in found:
            raise _changed(path / SAMPLES, f"it has a task {record.task!r}, which the spec has not")
        found[record.task].append(record)
    for spec in result.spec.tasks:
        if content_hash([record.sample.id for record in found[spec.name]]) != spec.sample_ids_hash:
            raise _changed(path / SAMPLES, f"the samples of {spec.name} are not those of the spec")
    return {name: tuple(records) for name, records in found.items()}


def _check_answers(directory: RunDirectory, records: Mapping[str, Sequence[SampleRecord]]) -> None:
    """Answers are those of the journal, where the run has one: juries and imported runs have none."""
    known = directory.read_journal().responses
    if not known:
        return
    for record in (record for found in records.values() for record in found):
        for item, response in zip(record.items, record.responses, strict=False):
            if known.get(item.id) != response:
                raise _changed(directory.path / SAMPLES, f"the answer to {item.id} is not the journal's")


def _check_counts(path: Path, result: RunResult, records: Mapping[str, Sequence[SampleRecord]]) -> None:
    for summary in result.tasks:
        if _counts(record.outcome for record in records[summary.task]) != _plain(summary.counts):
            raise _changed(path / RESULTS, f"the counts of {summary.task} are not those of its samples")
    every = _counts(record.outcome for found in records.values() for record in found)
    status = "complete" if every["scored"] == every["requested"] else "incomplete"
    if every != _plain(result.counts) or result.status != status:
        raise _changed(path / RESULTS, "its counts or its status are not those of the samples")


def _counts(outcomes: Iterator[Outcome]) -> Counter[str]:
    found: Counter[str] = Counter()
    for outcome in outcomes:
        found["requested"] += 1
        found[type(outcome).__name__.lower()] += 1
        if isinstance(outcome, Unscored):
            found[str(outcome.cause)] += 1
    return found


def _plain(counts: Counts) -> Counter[str]:
    return +Counter(
        {"requested": counts.requested, "scored": counts.scored, "unscored": counts.unscored,
         "cancelled": counts.cancelled, "notrun": counts.not_run, **counts.unscored_by_cause}
    )  # fmt: skip


# -- numbers, computed again


def _again(estimate: Estimate, records: Sequence[SampleRecord]) -> Measured | None:
    """The estimate from its samples; None where its formula has no name that is stored."""
    metric = _metric_of(estimate)
    if metric is None:
        return None
    rows: list[Row] = [(record.sample, record.outcome) for record in records]
    return measure(_task_of(estimate, metric), estimate.model, metric, rows)


def _metric_of(estimate: Estimate) -> Metric | None:
    try:
        reduce = reduce_of(estimate.formula, estimate.metric, estimate.language, estimate.signature)
    except KeyError:
        return None
    return Metric(
        estimate.metric,
        reduce,
        proportion=estimate.interval in ("wilson", "wilson-clustered"),
        bounds=estimate.bounds,
        signature=lambda: estimate.signature,
        scale=estimate.scale,
    )


def _task_of(estimate: Estimate, metric: Metric) -> Task:
    """As much of the estimate's task as measuring looks at."""
    return Task(
        name=estimate.task,
        family=estimate.family,
        version=0,
        language=estimate.language,
        protocol=estimate.protocol,
        num_fewshot=0,
        kind="",
        datasets=(),
        samples=lambda _: (),
        next_requests=lambda sample, replies: (),
        score=lambda sample, replies: Unscored(cause=Cause.TASK_ERROR),
        metrics=(metric,),
    )


def _check_estimate(path: Path, stored: Estimate, again: Estimate) -> None:
    """Limits of metrics without end (TER) are not stored, and so neither are those of their intervals checked."""
    names = ["value", "stderr", "n", "num_clusters", *(("low", "high", "interval") if stored.bounds else ())]
    for name in names:
        if not _is_same(getattr(stored, name), getattr(again, name)):
            what = f"{name} of {stored.metric} of {stored.task} is {getattr(stored, name)}"
            raise _changed(path / RESULTS, f"{what}, its samples give {getattr(again, name)}")


def _is_same(stored: object, again: object) -> bool:
    if isinstance(stored, int | float) and isinstance(again, int | float):
        return math.isclose(stored, again, rel_tol=1e-9, abs_tol=1e-9)
    return stored == again


def _check_means(path: Path, result: RunResult, measured: Mapping[tuple[str, str], Measured]) -> None:
    for mean in result.aggregates:
        again = list(_means_again(mean, result, measured))
        if again and not any(_is_same_mean(mean, one) for one in again):
            raise _changed(path / RESULTS, f"{mean.name} is {mean.value}, its parts give {again[0].value}")


def _is_same_mean(stored: Aggregate, again: Aggregate) -> bool:
    return all(
        _is_same(getattr(stored, name), getattr(again, name)) for name in ("value", "stderr", "low", "high", "n")
    )


def _means_again(
    mean: Aggregate, result: RunResult, measured: Mapping[tuple[str, str], Measured]
) -> Iterator[Aggregate]:
    """What the parts of `mean` give: in a random sample either way that such a mean may be taken."""
    if mean.kind == "suite":
        headlines: dict[str, Estimate | Aggregate] = {one.family: one for one in result.estimates if one.is_primary}
        headlines |= {one.family: one for one in result.aggregates if one.is_primary and one.kind != "suite"}
        if all(family in headlines for family in mean.parts):
            yield mean_of_families(mean.name, [headlines[name] for name in mean.parts], mean.parts, mean.protocol)
        return
    parts = [measured.get((task, mean.metric)) for task in mean.members]
    known = [part for part in parts if part is not None and part.estimate.bounds is not None]
    if len(known) == len(parts):
        yield mean_of_tasks(mean.kind, known)
        yield mean_of_tasks(mean.kind, known, {spec.name: spec.num_available for spec in result.spec.tasks})
