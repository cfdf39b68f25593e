"""The items that several cells of a sweep share, as one metric's counts under every setting.

`comparing.pair` refuses two runs whose prompts differ. Here prompts, exemplars and protocols may differ, for that is
what a sweep varies; rows, task version, metric, judge and how often a sample is asked may not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalsuite.comparability import judge_disagreements
from evalsuite.comparing.opening import find_metric
from evalsuite.comparing.pairing import FindMetric
from evalsuite.comparing.sides import Column, TaskSide
from evalsuite.metrics import MEAN, reduce_of
from evalsuite.records import Aggregate, TaskSpec
from evalsuite.stats.intervals import Reduce
from evalsuite.stats.joint_values import Joint, SharedRows, joint_of, mean_of_joints
from evalsuite.sweeps.reading import CellRun, Headline, values_of


def joint_values(cells: Sequence[CellRun], headline: Headline, find: FindMetric = find_metric) -> Joint | str:
    """The headline under every cell's settings on the items all share, or in words why that cannot be had.

    Raises SpecMismatch or CorruptStore for runs that cannot be read.
    """
    values = [values_of(cell).get(headline) for cell in cells]
    if any(value is None for value in values):
        return "a cell has no value"
    value = values[0]
    if isinstance(value, Aggregate) and value.kind == "suite":
        return _averaged(cells, value, find)
    for other in cells[1:]:
        if reasons := judge_disagreements(cells[0].side.spec, other.side.spec):
            return reasons[0]
    members = value.members if isinstance(value, Aggregate) else (headline.name,)
    parts: list[SharedRows] = []
    is_micro = isinstance(value, Aggregate) and value.kind == "micro"
    for name in members:
        part = _shared(cells, name, headline.metric, find, is_micro=is_micro)
        if isinstance(part, str):
            return f"{name}: {part}"
        parts.append(part)
    return _joined(cells[0], value, parts, is_micro=is_micro) or "a task has no item with a score in every cell"


def _averaged(cells: Sequence[CellRun], average: Aggregate, find: FindMetric) -> Joint | str:
    """A suite's average: the mean of its families' headlines, which share no items with one another."""
    joints: list[Joint] = []
    headlines = values_of(cells[0])
    for family in average.parts:
        means = [one for one, value in headlines.items() if one.is_mean and value.family == family]
        tasks = [one for one, value in headlines.items() if not one.is_mean and value.family == family]
        found = joint_values(cells, (*means, *tasks)[0], find) if means or tasks else "a cell has no score"
        if isinstance(found, str):
            return f"{family}: {found}"
        joints.append(found)
    return mean_of_joints(joints)


def _joined(first: CellRun, value: object, parts: Sequence[SharedRows], *, is_micro: bool) -> Joint | None:
    """Weighed as `averages` weighs: a random sample too thin for its tasks to be strata goes by rows."""
    spec = first.side.spec
    is_sample = spec.limit is not None and spec.limit_mode == "stratified"
    is_thin = any(len(set(part.clusters)) < 2 for part in parts)
    if isinstance(value, Aggregate):
        is_thin = is_thin or value.num_tasks > len(value.members)
    is_pooled = is_sample and is_thin and all(part.is_binary for part in parts)
    return joint_of(parts, by_rows=is_micro, is_pooled=is_pooled)


def _shared(cells: Sequence[CellRun], task: str, metric: str, find: FindMetric, *, is_micro: bool) -> SharedRows | str:
    sides = [cell.side.tasks.get(task) for cell in cells]
    found = [side for side in sides if side is not None and metric in side.columns]
    if len(found) < len(cells):
        return "a cell has no score"
    for other in found[1:]:
        if reason := _disagreement(found[0].spec, other.spec):
            return reason
    columns = [side.columns[metric] for side in found]
    if len({column.estimate.signature for column in columns}) > 1:
        return "the metric's signatures differ"
    reduce = _reduce(cells[0], columns[0], find)
    if reduce is None:
        return "the metric's formula is the task's own, which is not installed here"
    weight = 1.0 if is_micro else 1.0 / found[0].spec.num_available
    return _rows(found, columns, reduce, weight)


def _disagreement(first: TaskSpec, other: TaskSpec) -> str:
    """What keeps the items of two cells apart; empty where nothing does."""
    if first.version != other.version:
        return f"task versions {first.version} and {other.version}"
    if first.repeats != other.repeats:
        return f"asked {first.repeats} and {other.repeats} times"
    rows = [[(pin.config, pin.split, pin.fingerprint) for pin in spec.datasets] for spec in (first, other)]
    return "" if rows[0] == rows[1] else "other rows"


def _reduce(cell: CellRun, column: Column, find: FindMetric) -> Reduce | None:
    estimate = column.estimate
    try:
        return reduce_of(estimate.formula, estimate.metric, estimate.language, estimate.signature)
    except KeyError:
        metric = find(cell.side, estimate)
        return metric.reduce if metric is not None and metric.signature() == estimate.signature else None


def _rows(sides: Sequence[TaskSide], columns: Sequence[Column], reduce: Reduce, weight: float) -> SharedRows:
    """The rows with a count in every cell, in the first cell's order."""
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
