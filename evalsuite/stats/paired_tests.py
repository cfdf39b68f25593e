"""Chances and bounds of a difference between two systems that answered the same items.

Everything is one-sided towards "worse" unless it says otherwise, for that is what a gate asks; a gain is positive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_EXACT = 20
"""Up to so many clusters that differ all ways of flipping their signs are gone through; beyond, ways are drawn."""

NUM_DRAWS = 9_999
MORE_DRAWS = 90_000
"""Drawn besides where fewer than `_FEW` ways are as low: what many gates share of alpha must be within reach."""

_FEW = 20
_SEED = 1234
_ROUNDING = 1e-9
_BLOCK = 1 << 22


def mcnemar(gained: int, lost: int) -> tuple[float, float]:
    """The exact chance of as many losses among the items that differ, and of a split as uneven either way.

    McNemar 1947 with the binomial in place of its approximation. Nothing differing is no evidence: both are 1.
    """
    if not gained + lost:
        return 1.0, 1.0
    from scipy.stats import binomtest

    worse = binomtest(lost, gained + lost, alternative="greater").pvalue
    return float(worse), float(binomtest(lost, gained + lost).pvalue)


def sign_flips(sums: Floats, *, num_draws: int = NUM_DRAWS) -> tuple[float, float]:
    """The chance of a total as low as that of `sums`, (clusters,), and of one as far from 0, were signs by chance.

    Clusters that do not differ change nothing and are left out. Drawn ways count what was seen as one of them
    (Phipson and Smyth 2010), so that no chance is 0.
    """
    moved = sums[np.abs(sums) > _ROUNDING * max(1.0, float(np.abs(sums).max(initial=0.0)))]
    if not len(moved):
        return 1.0, 1.0
    if len(moved) <= MOST_EXACT:
        totals = all_totals(moved)
        lower, further = as_extreme(totals, moved)
        return lower / len(totals), further / len(totals)
    random = np.random.default_rng(_SEED)
    lower, further = as_extreme(drawn_totals(moved, num_draws, random), moved)
    if min(lower, further) < _FEW:
        more = as_extreme(drawn_totals(moved, MORE_DRAWS, random), moved)
        lower, further, num_draws = lower + more[0], further + more[1], num_draws + MORE_DRAWS
    return (lower + 1) / (num_draws + 1), (further + 1) / (num_draws + 1)


def all_totals(moved: Floats) -> Floats:
    """The totals of `moved`, (clusters,), with every choice of signs, (2 ** clusters,)."""
    totals: Floats = np.zeros(1)
    for one in moved:
        totals = np.concatenate([totals + one, totals - one])
    return totals


def drawn_totals(moved: Floats, num_draws: int, random: np.random.Generator) -> Floats:
    """The totals of `moved`, (clusters,), with signs drawn anew for each, (num_draws,)."""
    rows = max(1, _BLOCK // len(moved))
    parts = []
    for start in range(0, num_draws, rows):
        signs = random.integers(0, 2, (min(rows, num_draws - start), len(moved)), dtype=np.int8)
        parts.append(signs @ (2 * moved) - moved.sum())
    return np.concatenate(parts)


def as_extreme(totals: Floats, moved: Floats) -> tuple[int, int]:
    """How many of `totals` are as low as that of `moved`, (clusters,), as it is, and how many as far from 0."""
    seen, slack = float(moved.sum()), _ROUNDING * float(np.abs(moved).sum())
    return int((totals <= seen + slack).sum()), int((np.abs(totals) >= abs(seen) - slack).sum())


def tango(gained: float, lost: float, n: float, confidence: float) -> tuple[float, float]:
    """Score interval of the difference of two proportions over the same `n` items (Tango 1998), two-sided.

    `gained` and `lost` need not be whole. Where nothing differs the bound is exact: a share of items that differ of
    more than ``1 - ((1 - confidence) / 2) ** (1 / n)`` would have shown itself.
    """
    tail = (1.0 - confidence) / 2.0
    if not gained + lost:
        bound = 1.0 - tail ** (1.0 / n)
        return -bound, bound
    z = _normal_quantile(1.0 - tail)
    return _lower_limit(gained, lost, n, z), -_lower_limit(lost, gained, n, z)


def _lower_limit(gained: float, lost: float, n: float, z: float) -> float:
    from scipy.optimize import brentq

    def excess(difference: float) -> float:
        b = -gained - lost + (2 * n - gained + lost) * difference
        c = -lost * difference * (1 - difference)
        share = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        variance = n * (2 * share + difference * (1 - difference))
        return (gained - lost - n * difference) - z * math.sqrt(max(0.0, variance))

    seen = (gained - lost) / n
    if seen <= -1.0 or excess(-1.0) <= 0:
        return -1.0
    # where all that could be gained was, the score is 0 at the estimate itself too; the limit is the root below it
    return float(brentq(excess, -1.0, seen - _ROUNDING, xtol=1e-12))


def holm(chances: Sequence[float]) -> tuple[float, ...]:
    """`chances` adjusted so that among all no false claim is made more often than by one alone (Holm 1979).

    statsmodels has the same, and collects the interpreter's garbage at every call: a fifth of a second each time.
    """
    order = np.argsort(chances, kind="stable")
    stepped = np.asarray(chances, dtype=np.float64)[order] * np.arange(len(chances), 0, -1)
    adjusted = np.empty(len(chances))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return tuple(adjusted.tolist())


def _normal_quantile(level: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(level)
