"""Means over tasks: of a family's tasks weighted alike or by size, and of a suite's families.

Tasks are fixed, not drawn, so only what varies within each adds to the error of their mean. Clusters that tasks share
(one prompt in six languages) count once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalsuite.records import Aggregate, AggregateKind, Estimate
from evalsuite.stats import intervals
from evalsuite.stats.estimates import Measured, interval_of

_PERCENT = 100.0
"""The scale of metrics that lie between 0 and 1."""


@dataclass(frozen=True)
class _Mean:
    """A mean with its error, and what it is worth in trials and clusters."""

    value: float
    stderr: float | None
    num_trials: float
    num_clusters: float


def mean_of_tasks(
    kind: AggregateKind, parts: Sequence[Measured], num_available: Mapping[str, int] | None = None
) -> Aggregate:
    """The mean of `parts`, tasks of one family: `macro` weighs tasks alike, `micro` their samples.

    `num_available` is given for a run that took a random sample of the family, each row with the same chance: the
    number of rows each task has. A macro mean then weighs every row by one over its task's rows (Hajek's estimator),
    so that tasks of which few rows were drawn, or none, do not tilt it, and all rows form one stratum (collapsed
    strata; Cochran 1977, 5A.12). Raises ValueError when `parts` is empty.
    """
    if not parts:
        raise ValueError("a mean of nothing")
    first = parts[0]
    estimates = [part.estimate for part in parts]
    asked = [float(estimate.n + estimate.num_unscored) for estimate in estimates]
    if num_available is not None and first.metric.proportion:
        by_row = [1.0 / num_available[estimate.task] if kind == "macro" else 1.0 for estimate in estimates]
        mean = _collapsed(parts, by_row)
        case_weights = [weight * size for weight, size in zip(by_row, asked, strict=True)]
    else:
        sizes = [float(estimate.n) if kind == "micro" else 1.0 for estimate in estimates]
        mean = _stratified(parts, [size / math.fsum(sizes) for size in sizes])
        case_weights = asked if kind == "micro" else sizes
    stderr, low, high, method = interval_of(
        first.metric, mean.value, mean.stderr, mean.num_trials, mean.num_clusters, is_pooled=False
    )
    return Aggregate(
        name=f"{_family(estimates)} {kind} {first.estimate.metric}",
        kind=kind,
        family=first.estimate.family,
        model=first.estimate.model,
        metric=first.estimate.metric,
        protocol=first.estimate.protocol,
        signature=_joined(estimate.signature for estimate in estimates),
        value=mean.value,
        stderr=stderr,
        low=low,
        high=high,
        n=sum(estimate.n for estimate in estimates),
        num_clusters=len({cluster for part in parts for cluster in part.clusters}),
        num_unscored=sum(estimate.num_unscored for estimate in estimates),
        parts=tuple(estimate.task for estimate in estimates),
        members=tuple(estimate.task for estimate in estimates),
        num_tasks=len(estimates),
        interval=method,
        best_case=_mean_case(estimates, "best_case", case_weights),
        worst_case=_mean_case(estimates, "worst_case", case_weights),
        higher_is_better=first.estimate.higher_is_better,
        scale=first.estimate.scale,
        chance=_mean_chance(kind, estimates),
    )


def _stratified(parts: Sequence[Measured], weights: Sequence[float]) -> _Mean:
    """The weighted mean of parts that are each a stratum; no error where one of them is a single cluster."""
    value = math.fsum(weight * part.estimate.value for weight, part in zip(weights, parts, strict=True))
    all_clusters = {cluster for part in parts for cluster in part.clusters}
    num_trials = intervals.num_in_mean([part.estimate.n for part in parts], weights)
    num_clusters = min(len(all_clusters), intervals.num_in_mean([len(part.clusters) for part in parts], weights))
    return _Mean(value, _stratified_stderr(parts, weights), num_trials, num_clusters)


def _stratified_stderr(parts: Sequence[Measured], weights: Sequence[float]) -> float | None:
    """Jackknife error of the weighted mean: each part's deltas centred, scaled by its own number of clusters and its
    weight, then summed by cluster, so that clusters that parts share enter once. Exact for shared and separate ones.
    """
    if any(len(part.clusters) < 2 or np.isnan(part.deltas).any() for part in parts):
        return None
    influence: dict[str, float] = {}
    for part, weight in zip(parts, weights, strict=True):
        size = len(part.clusters)
        centred = (part.deltas - part.deltas.mean()) * math.sqrt((size - 1) / size) * weight
        for cluster, change in zip(part.clusters, centred, strict=True):
            influence[cluster] = influence.get(cluster, 0.0) + float(change)
    return math.sqrt(math.fsum(change**2 for change in influence.values()))


def _collapsed(parts: Sequence[Measured], row_weights: Sequence[float]) -> _Mean:
    """The ratio of weighted sums over all rows as one stratum; jackknife over clusters, Kish's effective size."""
    reduce = parts[0].metric.reduce
    vectors = [tuple(weight * total) for part, weight in zip(parts, row_weights, strict=True) for total in part.totals]
    names, totals = intervals.cluster_totals(vectors, [cluster for part in parts for cluster in part.clusters])
    value = reduce(intervals.column_sums(totals))
    assert value is not None  # every part has something to count
    value = min(max(value, 0.0), 1.0)
    sizes = [part.estimate.n for part in parts]
    total_weight = math.fsum(weight * size for weight, size in zip(row_weights, sizes, strict=True))
    num_trials = total_weight**2 / math.fsum(weight**2 * size for weight, size in zip(row_weights, sizes, strict=True))
    stderr = intervals.jackknife_stderr(intervals.jackknife_deltas(totals, reduce, value))
    return _Mean(value, stderr, num_trials, min(len(names), num_trials))


def mean_of_families(
    name: str, parts: Sequence[Estimate | Aggregate], labels: Sequence[str], protocol: str
) -> Aggregate:
    """The unweighted mean of independent numbers, one a family, called `name`: a suite's average.

    The variance of the mean is that of its parts over their number squared; degrees of freedom by Welch and
    Satterthwaite (Satterthwaite 1946). Raises ValueError when `parts` is empty.
    """
    if not parts:
        raise ValueError(f"{name}: a mean of nothing")
    value = math.fsum(part.value for part in parts) / len(parts)
    errors = [part.stderr for part in parts if part.stderr is not None]
    stderr = math.sqrt(math.fsum(error**2 for error in errors)) / len(parts) if len(errors) == len(parts) else None
    degrees = _degrees_of_freedom(errors, [part.num_clusters for part in parts]) if stderr else math.inf
    interval = intervals.t_interval(value, stderr, degrees + 1, (0.0, 1.0) if parts[0].scale == _PERCENT else None)
    return Aggregate(
        name=name,
        kind="suite",
        family=name,
        model=parts[0].model,
        metric="average",
        protocol=protocol,
        signature=_joined(part.signature for part in parts),
        value=value,
        stderr=stderr,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        n=sum(part.n for part in parts),
        num_clusters=sum(part.num_clusters for part in parts),
        num_unscored=sum(part.num_unscored for part in parts),
        parts=tuple(labels),
        members=tuple(task for part in parts for task in _tasks(part)),
        num_tasks=sum(part.num_tasks if isinstance(part, Aggregate) else 1 for part in parts),
        interval="welch-t" if interval else "none",
        best_case=_mean_case(parts, "best_case", [1.0 for _ in parts]),
        worst_case=_mean_case(parts, "worst_case", [1.0 for _ in parts]),
        scale=parts[0].scale,
        is_primary=True,
        chance=_mean_chance("macro", parts),
    )


def _degrees_of_freedom(errors: Sequence[float], num_clusters: Sequence[int]) -> float:
    variances = [error**2 for error in errors]
    weighted = [v**2 / max(1, count - 1) for v, count in zip(variances, num_clusters, strict=True)]
    return math.fsum(variances) ** 2 / math.fsum(weighted)


def _mean_case(parts: Sequence[Estimate | Aggregate], side: str, weights: Sequence[float]) -> float | None:
    """The mean of the parts' best or worst cases; a part without unscored samples is its own. None where unknown."""
    if not any(part.num_unscored for part in parts):
        return None
    cases: list[float | None] = [getattr(part, side) if part.num_unscored else part.value for part in parts]
    known = [case for case in cases if case is not None]
    return float(np.average(known, weights=weights)) if len(known) == len(parts) else None


def _mean_chance(kind: AggregateKind, parts: Sequence[Estimate | Aggregate]) -> float | None:
    levels = [part.chance for part in parts if part.chance is not None]
    weights = [float(part.n) if kind == "micro" else 1.0 for part in parts]
    return float(np.average(levels, weights=weights)) if len(levels) == len(parts) else None


def _tasks(part: Estimate | Aggregate) -> tuple[str, ...]:
    return part.members if isinstance(part, Aggregate) else (part.task,)


def _family(estimates: Sequence[Estimate]) -> str:
    """The family's name, with the category when all parts are the same category of its tasks."""
    category = estimates[0].task.partition(":")[2]
    return f"{estimates[0].family}:{category}" if category else estimates[0].family


def _joined(signatures: Iterable[str]) -> str:
    return " + ".join(sorted(set(signatures)))
