"""Standard errors and intervals for a statistic of summed vectors, with clusters.

Conventions: 95 % two-sided intervals; a cluster is a set of rows that may be correlated (translations of one prompt,
questions on one passage); a row without one is its own cluster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_NO_SPREAD = 1e-9
"""A proportion's standard error below this is rounding."""

Reduce = Callable[[tuple[float, ...]], float | None]


def cluster_totals(
    vectors: Sequence[tuple[float, ...]], clusters: Sequence[str]
) -> tuple[list[str], NDArray[np.float64]]:
    """Cluster names in order of first appearance, and their summed vectors, shape (clusters, width).

    Sums use `math.fsum`, so they do not depend on the order of the rows.
    """
    groups: dict[str, list[tuple[float, ...]]] = {}
    for cluster, vector in zip(clusters, vectors, strict=True):
        groups.setdefault(cluster, []).append(vector)
    totals = [[math.fsum(column) for column in zip(*rows, strict=True)] for rows in groups.values()]
    return list(groups), np.array(totals, dtype=np.float64)


def column_sums(totals: NDArray[np.float64]) -> tuple[float, ...]:
    """The summed vector of all clusters, by `math.fsum`."""
    return tuple(math.fsum(column) for column in totals.T)


def jackknife_deltas(totals: NDArray[np.float64], reduce: Reduce, value: float) -> NDArray[np.float64]:
    """Change of the statistic when each cluster is left out, shape (clusters,).

    NaN for a cluster without which there is no statistic: what depends on it alone has no error that could be known.
    """
    whole = column_sums(totals)
    deltas = np.zeros(len(totals))
    if len(totals) < 2:
        return deltas
    for index, total in enumerate(totals):
        left = reduce(tuple(a - b for a, b in zip(whole, total, strict=True)))
        deltas[index] = math.nan if left is None else left - value
    return deltas


def jackknife_stderr(deltas: NDArray[np.float64]) -> float | None:
    """Delete-one-cluster jackknife standard error (Efron and Tibshirani 1993, 11.5).

    None below two clusters, and where the statistic cannot do without one of them.

    For a mean over single-row clusters it equals the usual s / sqrt(n).
    """
    num_clusters = len(deltas)
    if num_clusters < 2 or np.isnan(deltas).any():
        return None
    spread = math.fsum((deltas - deltas.mean()) ** 2)
    return math.sqrt((num_clusters - 1) / num_clusters * spread)


def cluster_influence(residuals: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """What each cluster adds to a mean, (clusters,) or (clusters, means), so that squares sum to the squared error.

    `residuals` are clusters' summed differences from the mean, over the weight of all rows; `shares` their weights,
    which sum to 1. It is the jackknife of the mean in closed form: without a large cluster the mean moves by more than
    that cluster's residual says. None for a single cluster.
    """
    num_clusters = len(shares)
    if num_clusters < 2:
        return None
    moved = (residuals.T / (1.0 - shares)).T
    found: NDArray[np.float64] = (moved - moved.mean(axis=0)) * math.sqrt((num_clusters - 1) / num_clusters)
    return found


def num_even(sizes: NDArray[np.float64]) -> float:
    """How many clusters of one size vary as much as clusters of these sizes (Kish's effective number)."""
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def lowest(share: float, stderr: float | None, num_clusters: float) -> float:
    """One-sided 95 % lower bound of a mean of values in [0, 1]: Student's or Wilson's, whichever is lower."""
    both_sides = 2 * CONFIDENCE - 1
    variance = share * (1 - share)
    if stderr is None or stderr < _NO_SPREAD or not variance:
        return wilson(share, num_clusters, both_sides)[0]
    widened = stderr * _t_quantile(num_clusters - 1, both_sides)
    precise = variance * (_normal_quantile(both_sides) / widened) ** 2
    return max(0.0, min(share - widened, wilson(share, precise, both_sides)[0]))


def wilson(share: float, num_effective: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson score interval of a proportion out of `num_effective` trials, which need not be whole (Wilson 1927)."""
    z = _normal_quantile(confidence)
    z2_n = z * z / num_effective
    centre = (share + z2_n / 2) / (1 + z2_n)
    half = z / (1 + z2_n) * math.sqrt(share * (1 - share) / num_effective + z2_n / (4 * num_effective))
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))  # rounding must not leave it out


def num_effective(
    share: float, stderr: float | None, n: float, num_clusters: float, confidence: float = CONFIDENCE
) -> float:
    """The number of independent trials a proportion with clusters is worth: n over the design effect.

    The error is widened by t over z, since few clusters tell little about their own spread. At 0 or 1 the spread says
    nothing; then every cluster counts as one trial. It is never above n.
    """
    return min(n, num_as_precise(share, stderr, num_clusters, confidence))


def num_as_precise(share: float, stderr: float | None, num_clusters: float, confidence: float = CONFIDENCE) -> float:
    """The number of independent trials whose proportion would be as precise as this mean of values in [0, 1].

    It may be above the number of rows: partial credit varies less than right and wrong.
    """
    variance = share * (1 - share)
    if stderr is None or stderr < _NO_SPREAD or not variance:
        return num_clusters
    return num_items_as_precise(variance, stderr, num_clusters, confidence)


def num_items_as_precise(variance: float, stderr: float, num_clusters: float, confidence: float = CONFIDENCE) -> float:
    """The number of independent items of this `variance` whose mean would have `stderr`, widened by t over z."""
    widened = stderr * _t_quantile(num_clusters - 1, confidence) / _normal_quantile(confidence)
    return variance / widened**2


def num_in_mean(sizes: Sequence[float], weights: Sequence[float]) -> float:
    """What the mean of independent parts of these sizes is worth in trials; `weights` sum to 1.

    The variance of sum(w_i p_i), proportions over n_i trials, is that of 1 / sum(w_i^2 / n_i) trials.
    """
    return 1.0 / math.fsum(weight**2 / size for weight, size in zip(weights, sizes, strict=True))


def proportion_stderr(share: float, stderr: float | None, interval: tuple[float, float]) -> float | None:
    """`stderr`, or where it would claim certainty (at 0 and 1, and of rows all alike) one as wide as the interval."""
    is_certain = not 0.0 < share < 1.0 or (stderr is not None and stderr < _NO_SPREAD)
    return normal_stderr(interval) if is_certain else stderr


def paired_proportions(gained: float, lost: float, n: int) -> tuple[float, float]:
    """Adjusted Wald interval of the difference of two proportions over the same `n` items (Bonett and Price 2012).

    `gained` items are right in the first alone, `lost` in the second alone, of clusters as a share of them. It has
    width also where none differ.
    """
    more, less = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = _normal_quantile() * math.sqrt((more + less - (more - less) ** 2) / (n + 2))
    value = (gained - lost) / n
    return max(-1.0, min(value, more - less - half)), min(1.0, max(value, more - less + half))


def normal_stderr(interval: tuple[float, float]) -> float:
    """The standard error whose normal 95 % interval is as wide as `interval`."""
    return (interval[1] - interval[0]) / (2 * _normal_quantile())


def t_interval(
    value: float,
    stderr: float | None,
    num_clusters: float,
    bounds: tuple[float, float] | None,
    confidence: float = CONFIDENCE,
) -> tuple[float, float] | None:
    """Student's t interval with one degree of freedom less than clusters, kept within `bounds`; None without stderr."""
    if stderr is None:
        return None
    half = _t_quantile(num_clusters - 1, confidence) * stderr
    low, high = value - half, value + half
    if bounds is None:
        return low, high
    return max(bounds[0], low), min(bounds[1], high)


def _normal_quantile(confidence: float = CONFIDENCE) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + confidence / 2)


def _t_quantile(degrees: float, confidence: float = CONFIDENCE) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + confidence / 2))
