"""A baseline: what a run found item by item, in one sorted JSON file that lives in git and is approved by review."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

import evalsuite
from evalsuite.comparability import judge_disagreements
from evalsuite.comparing.packing import Packed, pack, unpack
from evalsuite.comparing.sides import Column, Side, TaskSide
from evalsuite.errors import CorruptStore, DataError
from evalsuite.metrics import reduce_of
from evalsuite.records import Aggregate, Estimate, RunSpec, TaskSummary
from evalsuite.stats.paired_tests import Floats
from evalsuite.store.files import write_atomic
from evalsuite.store.results import written_form
from evalsuite.types import Record, Scalar

BASELINE_SCHEMA = 1


class MetricBaseline(Record, frozen=True, kw_only=True):
    """One metric: its estimate and every item's counts.

    `counts` are of the items that `has` marks, all where that is None; a last column of ones is left out where
    `is_mean`.
    """

    estimate: Estimate
    counts: Packed
    has: Packed | None = None
    is_mean: bool = False


class TaskBaseline(Record, frozen=True, kw_only=True):
    """One task: how its samples ended, and its metrics. `unscored` marks samples without a score, if there are any.

    `clusters` are numbers, one a sample, the same for the same cluster in all tasks; None where each sample is its own.
    """

    summary: TaskSummary
    metrics: Mapping[str, MetricBaseline]
    unscored: Packed | None = None
    clusters: Packed | None = None


class NoiseFloor(Record, frozen=True, kw_only=True):
    """What a second run of the same model, by another seed or on another day, differed by: the bound to stay above.

    `floors` by metric and tasks (`gates.measuring.floor_name`) are the 95 % bounds of how far either run lies from the
    other, in the metric's own unit.
    """

    run_id: str
    floors: Mapping[str, float]


class Origin(Record, frozen=True, kw_only=True):
    """The run that a task was updated from, and why."""

    run_id: str
    reason: str


class Baseline(Record, frozen=True, kw_only=True):
    """The file: which run, why it was approved, all its fingerprints (in `spec`) and its outcomes by task.

    `origins` name the tasks that came later, of other runs; means that mix runs are left out.
    """

    schema: int
    written_by: str
    reason: str
    run_id: str
    label: str
    status: str
    spec: RunSpec
    packages: Mapping[str, str]
    stacks: tuple[Mapping[str, Scalar], ...]
    aggregates: tuple[Aggregate, ...]
    tasks: Mapping[str, TaskBaseline]
    noise: NoiseFloor | None = None
    telemetry: Mapping[str, float] = {}
    origins: Mapping[str, Origin] = {}


def updated(baseline: Baseline, side: Side, names: Sequence[str], reason: str) -> Baseline:
    """`baseline` with the tasks `names` as `side` has them; its noise floors, of another run, are let go.

    Clusters that old and new tasks share are taken for different ones. Raises DataError for a run that did not
    complete, that is another model's or judged otherwise, or tasks that it does not have.
    """
    apart = judge_disagreements(baseline.spec, side.spec)
    if baseline.spec.subject != side.spec.subject or apart:
        why = "; ".join(apart) or f"model: {baseline.spec.subject}, {side.spec.subject}"
        raise DataError(f"run {side.run_id} cannot join the baseline ({why}); set a new one.")
    if side.status != "complete":
        raise DataError(f"run {side.run_id} is {side.status}; a baseline is made of a complete run.")
    if absent := [name for name in names if name not in side.tasks]:
        raise DataError(f"run {side.run_id} has no {absent[0]}.")
    specs = {spec.name: spec for spec in baseline.spec.tasks} | {name: side.tasks[name].spec for name in names}
    changed = set(names)
    return msgspec.structs.replace(
        baseline,
        written_by=f"evalsuite {evalsuite.__version__}",
        spec=msgspec.structs.replace(baseline.spec, tasks=tuple(specs.values())),
        tasks={**baseline.tasks, **_tasks(side, names, _next_cluster(baseline))},
        aggregates=(
            *(mean for mean in baseline.aggregates if not changed & set(mean.members)),
            *(mean for mean in side.aggregates if set(mean.members) <= changed),
        ),
        origins={**baseline.origins, **{name: Origin(run_id=side.run_id, reason=reason) for name in names}},
        noise=None,
    )


def baseline_of(side: Side, reason: str, noise: NoiseFloor | None = None) -> Baseline:
    """The baseline that a run makes. Raises DataError for one that did not complete."""
    if side.status != "complete":
        raise DataError(f"run {side.run_id} is {side.status}; a baseline is made of a complete run.")
    return Baseline(
        schema=BASELINE_SCHEMA,
        written_by=f"evalsuite {evalsuite.__version__}",
        reason=reason,
        run_id=side.run_id,
        label=side.label,
        status=side.status,
        spec=side.spec,
        packages=side.packages,
        stacks=side.stacks,
        aggregates=side.aggregates,
        tasks=_tasks(side, side.tasks, 0),
        noise=noise,
        telemetry=side.rates,
    )


def _next_cluster(baseline: Baseline) -> int:
    known = [unpack(task.clusters).max(initial=0) for task in baseline.tasks.values() if task.clusters is not None]
    return int(max(known, default=-1)) + 1


def _tasks(side: Side, names: Iterable[str], first_cluster: int) -> dict[str, TaskBaseline]:
    """Tasks of a run in the form of the file, clusters numbered from `first_cluster`."""
    numbers: dict[str, int] = {}
    for task in side.tasks.values():
        for cluster in task.clusters:
            numbers.setdefault(cluster, first_cluster + len(numbers))
    return {name: _task(side.tasks[name], numbers) for name in names}


def _task(task: TaskSide, numbers: Mapping[str, int]) -> TaskBaseline:
    is_own = len(set(task.clusters)) == len(task.clusters) and task.clusters == task.ids
    places = np.array([numbers[cluster] for cluster in task.clusters], dtype=np.float64).reshape(-1, 1)
    return TaskBaseline(
        summary=task.summary,
        metrics={name: _metric(column) for name, column in task.columns.items()},
        unscored=_marks(task.is_unscored, is_usual=not task.is_unscored.any()),
        clusters=None if is_own else pack(places),
    )


def _metric(column: Column) -> MetricBaseline:
    counts = column.counts[column.has]
    is_mean = counts.shape[1] == 2 and bool((counts[:, 1] == 1.0).all())
    return MetricBaseline(
        estimate=column.estimate,
        counts=pack(counts[:, :1] if is_mean else counts),
        has=_marks(column.has, is_usual=bool(column.has.all())),
        is_mean=is_mean,
    )


def _marks(marks: np.ndarray[tuple[int], np.dtype[np.bool_]], *, is_usual: bool) -> Packed | None:
    return None if is_usual else pack(marks.astype(np.float64).reshape(-1, 1))


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Store the file, sorted and indented so that a review shows what changed. Raises SaveFailed."""
    write_atomic(path, written_form(baseline))


def read_baseline(path: Path) -> Baseline:
    """The file at `path`. Raises DataError where it is missing or of another schema, CorruptStore where unreadable."""
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CorruptStore(f"{path} is no baseline: {error}") from error
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema != BASELINE_SCHEMA:
        raise DataError(f"{path} is no baseline of schema {BASELINE_SCHEMA}, but of {schema!r}; write it anew.")
    try:
        return msgspec.convert(value, Baseline)
    except msgspec.ValidationError as error:
        raise CorruptStore(f"{path} was changed after it was written: {error}") from error


def side_of(baseline: Baseline, path: Path) -> Side:
    """The file as a side of a comparison. Raises CorruptStore for outcomes that cannot be read."""
    if not baseline.origins and baseline.spec.run_id != baseline.run_id:
        raise CorruptStore(f"{path}: its spec was changed: it is not that of run {baseline.run_id}.")
    tasks = {}
    for spec in baseline.spec.tasks:
        if spec.name not in baseline.tasks:
            raise CorruptStore(f"{path}: its run has {spec.name}, of which it holds no outcomes.")
        stored = baseline.tasks[spec.name]
        size = spec.num_samples * spec.repeats
        try:
            tasks[spec.name] = TaskSide(
                spec=spec,
                summary=stored.summary,
                columns={name: _column(one, size) for name, one in stored.metrics.items()},
                is_unscored=_marked(stored.unscored, size, otherwise=False),
                ids=None,
                clusters=_clusters(stored.clusters, spec.name, size),
                categories=None,
                records=None,
            )
        except ValueError as error:
            raise CorruptStore(f"{path}: the outcomes of {spec.name} were changed: {error}") from error
    return Side(
        label=baseline.label,
        run_id=baseline.run_id,
        spec=baseline.spec,
        status=baseline.status,
        tasks=tasks,
        aggregates=baseline.aggregates,
        stacks=baseline.stacks,
        packages=baseline.packages,
        rates=baseline.telemetry,
    )


def _column(stored: MetricBaseline, size: int) -> Column:
    has = _marked(stored.has, size, otherwise=True)
    kept = unpack(stored.counts)
    if len(kept) != int(has.sum()):
        raise ValueError(f"{len(kept)} counts of {int(has.sum())} items")
    if stored.is_mean:
        kept = np.column_stack([kept, np.ones(len(kept))])
    counts = np.zeros((size, kept.shape[1]))
    counts[has] = kept
    _check_value(stored.estimate, kept)
    return Column(stored.estimate, counts, has)


def _check_value(estimate: Estimate, counts: Floats) -> None:
    """Refuse outcomes that do not give the value that stands beside them, where its formula is known."""
    try:
        reduce = reduce_of(estimate.formula, estimate.metric, estimate.language, estimate.signature)
    except KeyError:
        return
    found = reduce(tuple(math.fsum(column) for column in counts.T))
    if found is None or not math.isclose(found, estimate.value, rel_tol=1e-9, abs_tol=1e-9):
        raise ValueError(f"the outcomes give {found}, and the value is {estimate.value}")


def _clusters(packed: Packed | None, task: str, size: int) -> tuple[str, ...]:
    if packed is None:
        return tuple(f"{task}#{index}" for index in range(size))
    found = unpack(packed)
    if found.shape != (size, 1):
        raise ValueError(f"{len(found)} clusters of {size} items")
    return tuple(f"#{number:.0f}" for number in found[:, 0])


def _marked(packed: Packed | None, size: int, *, otherwise: bool) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if packed is None:
        return np.full(size, otherwise)
    found = unpack(packed)
    if found.shape != (size, 1):
        raise ValueError(f"{len(found)} marks of {size} items")
    return found[:, 0].astype(bool)
