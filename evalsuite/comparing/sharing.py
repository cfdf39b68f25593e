"""The items that several runs share, as one metric's counts in every run.

`pairing` refuses two runs whose prompts differ. Here prompts, exemplars and protocols may differ; rows, task version,
metric, judge and how often a sample is asked may not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalsuite.comparability import judge_disagreements
from evalsuite.comparing.opening import find_metric
from evalsuite.comparing.pairing import FindMetric
from evalsuite.comparing.sides import Column, Side, TaskSide
from evalsuite.metrics import MEAN, reduce_of
from evalsuite.records import Aggregate, Estimate, TaskSpec
from evalsuite.stats.intervals import Reduce
from evalsuite.stats.joint_values import Joint, SharedRows, joint_of


def joint_of_value(sides: Sequence[Side], value: Estimate | Aggregate, find: FindMetric = find_metric) -> Joint | str:
    """A task's metric, or a mean over tasks, in every run on the items all share; in words why it cannot be had."""
    parts = shared_parts(sides, value, find)
    if isinstance(parts, str):
        return parts
    return joint_of_parts(sides[0], value, parts) or "a task has no item with a score in every run"


def shared_parts(
    sides: Sequence[Side], value: Estimate | Aggregate, find: FindMetric = find_metric
) -> list[SharedRows] | str:
    """The shared rows of every task behind `value`, or in words why they cannot be had."""
    for other in sides[1:]:
        if reasons := judge_disagreements(sides[0].spec, other.spec):
            return reasons[0]
    members = value.members if isinstance(value, Aggregate) else (value.task,)
    parts: list[SharedRows] = []
    for name in members:
        part = _shared(sides, name, value.metric, find, is_micro=_is_micro(value))
        if isinstance(part, str):
            return f"{name}: {part}"
        parts.append(part)
    return parts


def joint_of_parts(first: Side, value: Estimate | Aggregate, parts: Sequence[SharedRows]) -> Joint | None:
    """Weighed as `averages` weighs: a random sample too thin for its tasks to be strata goes by rows."""
    spec = first.spec
    is_sample = spec.limit is not None and spec.limit_mode == "stratified"
    is_thin = any(len(set(part.clusters)) < 2 for part in parts)
    if isinstance(value, Aggregate):
        is_thin = is_thin or value.num_tasks > len(value.members)
    is_pooled = is_sample and is_thin and all(part.is_binary for part in parts)
    return joint_of(parts, by_rows=_is_micro(value), is_pooled=is_pooled)


def _is_micro(value: Estimate | Aggregate) -> bool:
    return isinstance(value, Aggregate) and value.kind == "micro"


def _shared(sides: Sequence[Side], task: str, metric: str, find: FindMetric, *, is_micro: bool) -> SharedRows | str:
    found = [side.tasks[task] for side in sides if task in side.tasks and metric in side.tasks[task].columns]
    if len(found) < len(sides):
        return "a run has no score"
    for other in found[1:]:
        if reason := _disagreement(found[0].spec, other.spec):
            return reason
    columns = [side.columns[metric] for side in found]
    if len({column.estimate.signature for column in columns}) > 1:
        return "the metric's signatures differ"
    reduce = _reduce(sides[0], columns[0], find)
    if reduce is None:
        return "the metric's formula is the task's own, which is not installed here"
    weight = 1.0 if is_micro else 1.0 / found[0].spec.num_available
    return _rows(found, columns, reduce, weight)


def _disagreement(first: TaskSpec, other: TaskSpec) -> str:
    """What keeps the items of two runs apart; empty where nothing does."""
    if first.version != other.version:
        return f"task versions {first.version} and {other.version}"
    if first.repeats != other.repeats:
        return f"asked {first.repeats} and {other.repeats} times"
    if not all(pin.fingerprint for spec in (first, other) for pin in spec.datasets):
        return "rows that are not known"
    rows = [[(pin.config, pin.split, pin.fingerprint) for pin in spec.datasets] for spec in (first, other)]
    return "" if rows[0] == rows[1] else "other rows"


def _reduce(side: Side, column: Column, find: FindMetric) -> Reduce | None:
    estimate = column.estimate
    try:
        return reduce_of(estimate.formula, estimate.metric, estimate.language, estimate.signature)
    except KeyError:
        metric = find(side, estimate)
        return metric.reduce if metric is not None and metric.signature() == estimate.signature else None


def _rows(sides: Sequence[TaskSide], columns: Sequence[Column], reduce: Reduce, weight: float) -> SharedRows:
    """The rows with a count in every run, in the first run's order."""
    places = [dict(zip(side.ids or (), range(len(side.ids or ())), strict=True)) for side in sides]
    asked = [name for name in sides[0].ids or () if all(name in place for place in places)]
    kept = [
        name for name in asked if all(column.has[place[name]] for column, place in zip(columns, places, strict=True))
    ]
    orders = [[place[name] for name in kept] for place in places]
    clusters = sides[0].clusters or ()
    width = max(column.counts.shape[1] for column in columns)
    counts = np.zeros((len(columns), len(kept), width))
    for index, (column, order) in enumerate(zip(columns, orders, strict=True)):
        counts[index, :, : column.counts.shape[1]] = column.counts[order]
    unscored = sum(any(side.is_unscored[place[name]] for side, place in zip(sides, places, strict=True))
                   for name in asked) if len(kept) < len(asked) else 0  # fmt: skip
    return SharedRows(
        task=sides[0].spec.name,
        names=tuple(kept),
        clusters=tuple(clusters[index] for index in orders[0]),
        counts=counts,
        reduce=reduce,
        is_mean=columns[0].estimate.formula == MEAN,
        weight=weight,
        num_left_out=unscored,
    )
