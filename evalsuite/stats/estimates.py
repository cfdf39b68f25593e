"""From outcomes to estimates: value, error, interval, n, and what stayed unscored."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from evalsuite.contracts import Metric, Task
from evalsuite.records import Estimate
from evalsuite.stats import intervals
from evalsuite.types import Outcome, Sample, Scored, Unscored

Row = tuple[Sample, Outcome]

_NO_SPREAD = 1e-12
"""Below this a standard error is rounding: all clusters are alike."""


class _Range(TypedDict, total=False):
    bounds: tuple[float, float]
    least: float


@dataclass(frozen=True)
class Measured:
    """An estimate with what an aggregate needs of it: each cluster's summed vector, and what its absence changes."""

    estimate: Estimate
    metric: Metric
    clusters: tuple[str, ...]
    totals: NDArray[np.float64]
    deltas: NDArray[np.float64]


def measure(task: Task, model: str, metric: Metric, rows: Sequence[Row]) -> Measured | None:
    """`metric` over `rows`, or None when no row has a score for it or nothing could be judged."""
    if metric.applies is not None:
        rows = [row for row in rows if metric.applies(row[0])]
    vectors, clusters = _vectors(metric, rows)
    if not vectors:
        return None
    names, totals = intervals.cluster_totals(vectors, clusters)
    value = metric.reduce(intervals.column_sums(totals))
    if value is None:
        return None
    if metric.bounds is not None:  # sums of floats may step over a bound by the last bit
        value = min(max(value, metric.bounds[0]), metric.bounds[1])
    deltas = intervals.jackknife_deltas(totals, metric.reduce, value)
    stderr = intervals.jackknife_stderr(deltas)
    stderr, low, high, method = interval_of(metric, value, stderr, len(vectors), len(names))
    unscored = Counter(
        str(outcome.cause)
        for _, outcome in rows
        if isinstance(outcome, Unscored) and not any(score.name == metric.name for score in outcome.scores)
    )
    best, worst = _bounds(metric, totals, sum(unscored.values()))
    estimate = Estimate(
        task=task.name,
        family=task.family,
        model=model,
        language=task.language,
        metric=metric.name,
        protocol=task.protocol,
        signature=metric.signature(),
        value=value,
        stderr=stderr,
        low=low,
        high=high,
        n=len(vectors),
        num_clusters=len(names),
        interval=method,
        num_not_judged=sum(isinstance(outcome, Scored | Unscored) for _, outcome in rows)
        - sum(unscored.values())
        - len(vectors),
        num_unscored=sum(unscored.values()),
        unscored=dict(sorted(unscored.items())),
        best_case=best,
        worst_case=worst,
        higher_is_better=metric.higher_is_better,
        scale=metric.scale,
        is_primary=metric is task.metrics[0],
        chance=_chance(metric, rows),
        alias=metric.alias,
        formula=metric.formula,
        **_range(metric),
    )
    return Measured(estimate, metric, tuple(names), totals, deltas)


def _range(metric: Metric) -> _Range:
    """The metric's range as it is stored, where an infinity cannot stand."""
    ends = metric.bounds or (-math.inf, math.inf)
    if all(map(math.isfinite, ends)):
        return {"bounds": ends}
    return {"least": ends[0]} if math.isfinite(ends[0]) else {}


def _chance(metric: Metric, rows: Sequence[Row]) -> float | None:
    """What guessing would score on the samples that are scored."""
    if metric.chance is None:
        return None
    levels = [metric.chance(sample) for sample, outcome in rows if isinstance(outcome, Scored)]
    return math.fsum(levels) / len(levels) if levels else None


def _vectors(metric: Metric, rows: Sequence[Row]) -> tuple[list[tuple[float, ...]], list[str]]:
    """Vectors and clusters of the rows that have something to count; a vector of zeros adds nothing and is no row."""
    vectors, clusters = [], []
    for sample, outcome in rows:
        if isinstance(outcome, Scored | Unscored):
            for score in outcome.scores:
                if score.name == metric.name and any(score.counts):
                    vectors.append(score.counts)
                    clusters.append(sample.cluster_id)
    return vectors, clusters


def interval_of(
    metric: Metric, value: float, stderr: float | None, n: float, num_clusters: float, *, is_pooled: bool = True
) -> tuple[float | None, float | None, float | None, str]:
    """Standard error, low, high, and the method's name.

    `is_pooled` False is for means of unlike parts, whose error is not that of one proportion over all their rows.
    """
    method = _method(metric, stderr, is_plain=is_pooled and math.isclose(n, num_clusters))
    bounds = _bounds_by(method, value, stderr, n, num_clusters, metric.bounds, intervals.CONFIDENCE)
    if bounds is None:
        return None, None, None, "none"
    if metric.proportion:
        stderr = intervals.proportion_stderr(value, stderr, bounds)
    elif method == "wilson-no-spread":
        stderr = intervals.normal_stderr(bounds)
    return stderr, *bounds, method


def bounds_at(estimate: Estimate, confidence: float) -> tuple[float, float] | None:
    """The two-sided interval of an estimate's value at another `confidence` than 95 %, by the same method.

    None where the estimate has no interval.
    """
    if estimate.low is None or estimate.high is None:
        return None
    if confidence == intervals.CONFIDENCE:
        return estimate.low, estimate.high
    return _bounds_by(
        estimate.interval, estimate.value, estimate.stderr, estimate.n, estimate.num_clusters, estimate.bounds,
        confidence,
    )  # fmt: skip


def _method(metric: Metric, stderr: float | None, *, is_plain: bool) -> str:
    """The name of the interval that fits; `is_plain` where every row is a cluster of its own."""
    if metric.proportion:
        return "wilson" if is_plain else "wilson-clustered"
    if (stderr or 0.0) < _NO_SPREAD:
        # ratings or lengths all alike, BLEU of 0 everywhere: certain of nothing
        return "none" if metric.bounds != (0.0, 1.0) or stderr is None else "wilson-no-spread"
    return "t-and-wilson" if metric.bounds == (0.0, 1.0) else "jackknife-t"


def _bounds_by(
    method: str, value: float, stderr: float | None, n: float, num_clusters: float, ends: tuple[float, float] | None,
    confidence: float,
) -> tuple[float, float] | None:  # fmt: skip
    """The interval by a method of `_method`; `ends` are those of the metric's scale."""
    match method:
        case "wilson":
            return intervals.wilson(value, n, confidence)
        case "wilson-clustered":
            trials = intervals.num_effective(value, stderr, n, num_clusters, confidence)
            return intervals.wilson(value, trials, confidence)
        case "wilson-no-spread":
            # no mean of numbers between 0 and 1 varies more than a proportion does, so that this is too wide at most
            return intervals.wilson(value, num_clusters, confidence)
        case "t-and-wilson" | "jackknife-t":
            interval = intervals.t_interval(value, stderr, num_clusters, ends, confidence)
            if interval is None or method == "jackknife-t":
                return interval
            # near 0 and 1 Student's, symmetric about the value, is too short on the far side; for few rows Wilson's is
            trials = intervals.num_as_precise(value, stderr, num_clusters, confidence)
            far = intervals.wilson(value, trials, confidence)
            return min(interval[0], far[0]), max(interval[1], far[1])
        case _:
            return None


def _bounds(metric: Metric, totals: NDArray[np.float64], num_unscored: int) -> tuple[float | None, float | None]:
    if not num_unscored or metric.best is None or metric.worst is None:
        return None, None
    whole = intervals.column_sums(totals)
    best = metric.reduce(tuple(a + num_unscored * b for a, b in zip(whole, metric.best, strict=True)))
    worst = metric.reduce(tuple(a + num_unscored * b for a, b in zip(whole, metric.worst, strict=True)))
    return best, worst
