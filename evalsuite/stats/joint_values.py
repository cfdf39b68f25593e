"""One metric under several settings on the same items: its values, and how they vary together. Pure.

Settings that answered the same items share their luck with them. `Joint.influence` keeps what each cluster of items
adds to each value, so that the error of every contrast of settings follows: a slope, a difference, a spread. For means
of one value a row it is the residual's sum, for other metrics the change when a cluster is left out (see `intervals`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evalsuite.stats import intervals
from evalsuite.types import Record

Floats = NDArray[np.float64]
Bounds = tuple[float, float]
"""The least and the most that a value can be."""

_NO_SPREAD = 1e-12
"""Below this a standard error is rounding."""


@dataclass(frozen=True)
class SharedRows:
    """One metric of one task over the rows that have a count under every setting.

    `counts`, (settings, rows, width), are summed over rows and reduced; `is_mean` where the metric is their quotient.
    `weight` is what one row counts in a mean over a random sample of several tasks (see `aggregates.mean_of_tasks`).
    `num_left_out` rows lack a count under some setting.
    """

    task: str
    names: tuple[str, ...]
    clusters: tuple[str, ...]
    counts: Floats
    reduce: intervals.Reduce
    is_mean: bool
    weight: float = 1.0
    num_left_out: int = 0

    @property
    def is_linear(self) -> bool:
        """Whether the metric is the mean of one value a row."""
        return self.is_mean and bool((self.counts[:, :, 1] == 1.0).all())

    @property
    def is_binary(self) -> bool:
        """Whether each row is right or wrong."""
        values = self.counts[:, :, 0]
        return self.is_linear and bool(((values == 0.0) | (values == 1.0)).all())


class Contrast(Record, frozen=True, kw_only=True):
    """A weighted sum of values: its error from clusters of items, Student's 95 % interval and two-sided chance.

    None where there are fewer than two clusters, or no cluster differs from another.
    """

    value: float
    stderr: float | None
    low: float | None
    high: float | None
    p_value: float | None
    degrees: float


@dataclass(frozen=True)
class Joint:
    """Values of one metric, (settings,), in the order given; `influence`, (clusters, settings), of the clusters named.

    There is no influence of a single cluster, nor where a statistic cannot do without one.

    The product of two columns of `influence`, summed over clusters, is the covariance of their values. `num_clusters`
    is what clusters are worth after weighing tasks; `n` rows are in it, `num_left_out` lack a count somewhere.
    """

    values: Floats
    clusters: tuple[str, ...]
    influence: Floats | None
    num_clusters: float
    n: int
    num_left_out: int

    @cached_property
    def covariance(self) -> Floats | None:
        """Of the values, (settings, settings)."""
        if self.influence is None:
            return None
        found: Floats = self.influence.T @ self.influence
        return found

    def contrast(self, weights: Sequence[float] | Floats, bounds: Bounds | None = None) -> Contrast:
        """The sum of the values, each times its weight; the interval kept within what it can be where values have
        `bounds`.
        """
        coefficients = np.asarray(weights, dtype=np.float64)
        value = math.fsum(coefficients * self.values)
        degrees = self.num_clusters - 1
        if self.influence is None or degrees <= 0:
            return Contrast(value=value, stderr=None, low=None, high=None, p_value=None, degrees=max(0.0, degrees))
        stderr = math.sqrt(math.fsum((self.influence @ coefficients) ** 2))
        if stderr <= _NO_SPREAD:
            return Contrast(value=value, stderr=stderr, low=None, high=None, p_value=None, degrees=degrees)
        from scipy.special import stdtr

        limits = None if bounds is None else reach(coefficients, bounds)
        interval = intervals.t_interval(value, stderr, self.num_clusters, limits)
        assert interval is not None
        chance = min(1.0, 2.0 * float(stdtr(degrees, -abs(value) / stderr)))
        return Contrast(value=value, stderr=stderr, low=interval[0], high=interval[1], p_value=chance, degrees=degrees)


def reach(weights: Floats, bounds: Bounds) -> Bounds:
    """The least and the most that a weighted sum of values can be that all lie within `bounds`."""
    least, most = bounds
    up, down = math.fsum(np.maximum(weights, 0.0)), math.fsum(np.minimum(weights, 0.0))
    return up * least + down * most, up * most + down * least


def joint_of(parts: Sequence[SharedRows], *, by_rows: bool = False, is_pooled: bool = False) -> Joint | None:
    """The mean over tasks under each setting; None where a task has no row, or some setting no value.

    Tasks weigh alike, or by their rows with `by_rows`. `is_pooled` takes all rows as one stratum, each by its task's
    `weight`: the estimator for random samples too thin to be strata, for means of one value a row.
    """
    if not parts or not all(part.names for part in parts):
        return None
    if is_pooled and len(parts) > 1 and all(part.is_linear for part in parts):
        return pooled(parts, [part.weight for part in parts])
    found = [joint_of_task(part) for part in parts]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    sizes = [float(len(part.names)) if by_rows else 1.0 for part in parts]
    return merged(known, [size / math.fsum(sizes) for size in sizes])


def joint_of_task(part: SharedRows) -> Joint | None:
    """One task's values, of which it has at least one row; None where some setting has no value."""
    return _linear([part], np.ones(len(part.names))) if part.is_linear else _jackknifed(part)


def pooled(parts: Sequence[SharedRows], weights: Sequence[float]) -> Joint:
    """All rows of tasks whose metric is linear as one stratum, each row weighed by its task (Hajek's estimator)."""
    return _linear(parts, np.repeat(np.asarray(weights, dtype=np.float64), [len(part.names) for part in parts]))


def mean_of_joints(parts: Sequence[Joint]) -> Joint:
    """The unweighted mean of parts that share no clusters; its degrees of freedom are those of the part with fewest,
    which is on the wide side (Welch and Satterthwaite's differ from contrast to contrast). Raises ValueError for none.
    """
    if not parts:
        raise ValueError("a mean of nothing")
    known = [part.influence for part in parts if part.influence is not None]
    return Joint(
        values=np.mean([part.values for part in parts], axis=0),
        clusters=tuple(name for part in parts for name in part.clusters),
        influence=np.concatenate(known) / len(parts) if len(known) == len(parts) else None,
        num_clusters=min(part.num_clusters for part in parts),
        n=sum(part.n for part in parts),
        num_left_out=sum(part.num_left_out for part in parts),
    )


def merged(parts: Sequence[Joint], weights: Sequence[float]) -> Joint:
    """The mean, by weights whose sum is 1, of parts that are each a stratum; clusters they share enter once."""
    clusters = tuple(dict.fromkeys(name for part in parts for name in part.clusters))
    place = {name: index for index, name in enumerate(clusters)}
    influence = np.zeros((len(clusters), len(parts[0].values)))
    for part, weight in zip(parts, weights, strict=True):
        if part.influence is not None:
            influence[[place[name] for name in part.clusters]] += weight * part.influence
    return Joint(
        values=np.array([math.fsum(weight * value for weight, value in zip(weights, values, strict=True))
                         for values in zip(*(part.values for part in parts), strict=True)]),
        clusters=clusters,
        influence=None if any(part.influence is None for part in parts) else influence,
        num_clusters=min(len(clusters), intervals.num_in_mean([part.num_clusters for part in parts], weights)),
        n=sum(part.n for part in parts),
        num_left_out=sum(part.num_left_out for part in parts),
    )  # fmt: skip


def _linear(parts: Sequence[SharedRows], weights: Floats) -> Joint:
    """The weighted mean of one value a row under each setting; `weights`, (rows,), need not sum to 1."""
    place: dict[str, int] = {}
    places = [place.setdefault(name, len(place)) for part in parts for name in part.clusters]
    scores = np.concatenate([part.counts[:, :, 0] for part in parts], axis=1)
    total = math.fsum(weights)
    values = np.array([math.fsum(weights * row) / total for row in scores])
    sums = np.array(
        [np.bincount(places, weights=weights * (row - value)) for row, value in zip(scores, values, strict=True)]
    )
    sizes: Floats = np.bincount(places, weights=weights).astype(np.float64)
    return Joint(
        values=values,
        clusters=tuple(place),
        influence=intervals.cluster_influence(sums.T / total, sizes / total),
        num_clusters=intervals.num_even(sizes),
        n=len(weights),
        num_left_out=sum(part.num_left_out for part in parts),
    )


def _jackknifed(part: SharedRows) -> Joint | None:
    """Any other statistic of summed vectors: its error by leaving out one cluster at a time."""
    columns = [intervals.cluster_totals([tuple(row) for row in one.tolist()], part.clusters) for one in part.counts]
    names = columns[0][0]
    values, deltas = [], []
    for _, totals in columns:
        value = part.reduce(intervals.column_sums(totals))
        if value is None:
            return None
        values.append(value)
        deltas.append(intervals.jackknife_deltas(totals, part.reduce, value))
    changes = np.array(deltas).T
    influence = None
    if len(names) > 1 and not np.isnan(changes).any():
        influence = (changes.mean(axis=0) - changes) * math.sqrt((len(names) - 1) / len(names))
    sizes = np.unique(part.clusters, return_counts=True)[1].astype(np.float64)
    return Joint(
        values=np.array(values),
        clusters=tuple(names),
        influence=influence,
        num_clusters=intervals.num_even(sizes),
        n=len(part.names),
        num_left_out=part.num_left_out,
    )
