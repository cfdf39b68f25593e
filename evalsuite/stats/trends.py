"""Whether a value goes up or down with a numeric setting: over points alone, and over the items points share. Pure.

Nothing here takes the course to be monotone or straight: a trend is the part of it that a straight line, or the order
of the points, shows.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from evalsuite.stats.joint_values import Bounds, Contrast, Floats, Joint, reach
from evalsuite.types import Record

MOST_EXACT = 8
"""Up to so many points all their orders are gone through (8! are 40 320); beyond, the normal approximation holds."""

_SPREAD_FOR_LOG = 4.0
_FEWEST_FOR_SPREAD = 3

Fit = Literal["weighted", "least-squares", "none"]


class LineFit(Record, frozen=True, kw_only=True):
    """A straight line through points: change of the value for one unit of x, or tenfold x on a log axis.

    `weighted` takes each point's error as known and points as independent (normal interval); `least-squares` has no
    errors and takes them from the points' distance to the line (Student's t, one point in three is left to do so).
    `p_misfit` is the chance of points as far from the line as these were it true and errors right (Cochran's Q); None
    without errors or with two points.
    """

    fit: Fit
    slope: float | None
    stderr: float | None
    low: float | None
    high: float | None
    p_value: float | None
    p_misfit: float | None


class OrderTest(Record, frozen=True, kw_only=True):
    """Kendall's test: do the values rise with x? `tau` is tau-b, None where all x or all values are alike.

    `p_value` is two-sided, by all orders of the values (`is_exact`) or the normal approximation; `least_p` the smallest
    that so many points can have at all. Several series are blocks (Hirsch and Slack 1984): compared within, counted
    together.
    """

    tau: float | None
    p_value: float
    least_p: float
    is_exact: bool
    num_points: int


def is_wide(x: Sequence[float]) -> bool:
    """Whether `x` belong on a log axis: all above 0, and the largest at least four times the smallest."""
    return bool(x) and min(x) > 0 and max(x) >= _SPREAD_FOR_LOG * min(x)


def on_axis(x: Sequence[float], *, is_log: bool) -> Floats:
    """`x` as the line is fitted: their decimal logarithms on a log axis."""
    found: Floats = np.asarray(x, dtype=np.float64)
    return np.log10(found) if is_log else found


def slope_weights(x: Floats) -> Floats | None:
    """Coefficients whose product with values is the least-squares slope over `x`; None where all x are alike."""
    centred = x - x.mean()
    square = float(centred @ centred)
    found: Floats | None = centred / square if square > 0 else None
    return found


def item_trend(joint: Joint, x: Floats, bounds: Bounds | None = None) -> Contrast | None:
    """The slope over `x` of each item's own scores, averaged over items, with the error of clusters of items.

    The mean of the items' slopes is the slope of the means; what differs from a regression on these is the error: items
    are hard or easy under every setting, and that part of their spread cancels. The interval holds no slope that values
    within `bounds` cannot have. None where all x are alike.
    """
    weights = slope_weights(x)
    return None if weights is None else joint.contrast(weights, bounds)


def line_fit(
    x: Floats, values: Sequence[float], stderrs: Sequence[float | None], bounds: Bounds | None = None
) -> LineFit:
    """A line through the points, weighted by their errors where all have one.

    The interval holds no slope that values within `bounds` cannot have.
    """
    y = np.asarray(values, dtype=np.float64)
    known = [error for error in stderrs if error is not None and error > 0]
    if len(set(x.tolist())) < 2:
        return _no_line()
    return _weighted(x, y, np.array(known), bounds) if len(known) == len(y) else _least_squares(x, y, bounds)


def _no_line() -> LineFit:
    return LineFit(fit="none", slope=None, stderr=None, low=None, high=None, p_value=None, p_misfit=None)


def _weighted(x: Floats, y: Floats, errors: Floats, bounds: Bounds | None) -> LineFit:
    from scipy.special import chdtrc, ndtr, ndtri

    weights = errors**-2.0
    centre = float(weights @ x / weights.sum())
    square = float(weights @ (x - centre) ** 2)
    slope = float(weights @ ((x - centre) * y)) / square
    stderr = square**-0.5
    level = float(weights @ y / weights.sum())
    misfit = float(weights @ (y - level - slope * (x - centre)) ** 2)
    low, high = _around(slope, float(ndtri(0.975)) * stderr, weights * (x - centre) / square, bounds)
    return LineFit(
        fit="weighted",
        slope=slope,
        stderr=stderr,
        low=low,
        high=high,
        p_value=min(1.0, 2.0 * float(ndtr(-abs(slope) / stderr))),
        p_misfit=float(chdtrc(len(x) - 2, misfit)) if len(x) > 2 else None,
    )


def _around(slope: float, half: float, weights: Floats, bounds: Bounds | None) -> Bounds:
    """The interval so wide on either side; the slope is the sum of the values times `weights`."""
    least, most = (-math.inf, math.inf) if bounds is None else reach(weights, bounds)
    return max(least, slope - half), min(most, slope + half)


def _least_squares(x: Floats, y: Floats, bounds: Bounds | None) -> LineFit:
    from scipy.special import stdtr, stdtrit

    weights = slope_weights(x)
    assert weights is not None
    slope = float(weights @ y)
    degrees = len(x) - 2
    residuals = y - y.mean() - slope * (x - x.mean())
    square = float(residuals @ residuals)
    if len(x) < _FEWEST_FOR_SPREAD or square <= 1e-24 * max(1.0, float(y @ y)):
        return LineFit(fit="least-squares", slope=slope, stderr=None, low=None, high=None, p_value=None, p_misfit=None)
    stderr = math.sqrt(square / degrees * float(weights @ weights))
    low, high = _around(slope, float(stdtrit(degrees, 0.975)) * stderr, weights, bounds)
    chance = min(1.0, 2.0 * float(stdtr(degrees, -abs(slope) / stderr)))
    return LineFit(
        fit="least-squares", slope=slope, stderr=stderr, low=low, high=high, p_value=chance,
        p_misfit=None,
    )  # fmt: skip


def order_test(series: Iterable[tuple[Sequence[float], Sequence[float]]]) -> OrderTest | None:
    """Kendall's test over one series of (x, values), or over several as blocks; None where nothing can be ordered."""
    blocks = [_Block(x, y) for x, y in series if len(x) > 1]
    comparable = [block for block in blocks if block.most > 0]
    if not comparable:
        return None
    seen = sum(block.concordance for block in comparable)
    is_exact = all(len(block.x) <= MOST_EXACT for block in comparable)
    p_value, least = _exact(comparable, seen) if is_exact else _normal(comparable, seen)
    return OrderTest(
        tau=seen / sum(block.most for block in comparable),
        p_value=p_value,
        least_p=least,
        is_exact=is_exact,
        num_points=sum(len(block.x) for block in comparable),
    )


class _Block:
    """Points that are compared with one another."""

    def __init__(self, x: Sequence[float], y: Sequence[float]) -> None:
        self.x = np.asarray(x, dtype=np.float64)
        self.y = np.asarray(y, dtype=np.float64)
        self.concordance = _concordance(self.x, self.y)
        num_pairs = len(self.x) * (len(self.x) - 1) / 2
        self.most = math.sqrt((num_pairs - _tied_pairs(self.x)) * (num_pairs - _tied_pairs(self.y)))

    def totals(self) -> dict[int, float]:
        """The chance of each concordance were the order of the values an accident."""
        orders = np.array(list(itertools.permutations(range(len(self.y)))))
        rows, columns = np.triu_indices(len(self.x), 1)
        signs_x = np.sign(self.x[columns] - self.x[rows])
        drawn = self.y[orders]
        found = (np.sign(drawn[:, columns] - drawn[:, rows]) @ signs_x).round().astype(int)
        values, counts = np.unique(found, return_counts=True)
        return dict(zip(values.tolist(), (counts / len(orders)).tolist(), strict=True))

    @property
    def variance(self) -> float:
        """Of the concordance, ties allowed for (Kendall 1970, 4.9)."""
        n = len(self.x)
        ties_x, ties_y = _tie_sizes(self.x), _tie_sizes(self.y)

        def total(sizes: list[int], of: int) -> float:
            return float(sum(math.prod(size - step for step in range(of)) for size in sizes))

        def weighed(sizes: list[int]) -> float:
            return float(sum(size * (size - 1) * (2 * size + 5) for size in sizes))

        variance = (n * (n - 1) * (2 * n + 5) - weighed(ties_x) - weighed(ties_y)) / 18
        variance += total(ties_x, 2) * total(ties_y, 2) / (2 * n * (n - 1))
        if n > 2:
            variance += total(ties_x, 3) * total(ties_y, 3) / (9 * n * (n - 1) * (n - 2))
        return variance


def _concordance(x: Floats, y: Floats) -> int:
    rows, columns = np.triu_indices(len(x), 1)
    return int(np.sign(x[columns] - x[rows]) @ np.sign(y[columns] - y[rows]))


def _tie_sizes(values: Floats) -> list[int]:
    return [int(size) for size in np.unique(values, return_counts=True)[1]]


def _tied_pairs(values: Floats) -> float:
    return sum(size * (size - 1) / 2 for size in _tie_sizes(values))


def _exact(blocks: Sequence[_Block], seen: int) -> tuple[float, float]:
    """The two-sided chance, and the smallest there can be."""
    chances = {0: 1.0}
    for block in blocks:
        merged: dict[int, float] = {}
        totals = block.totals()
        for (so_far, first), (total, second) in itertools.product(chances.items(), totals.items()):
            merged[so_far + total] = merged.get(so_far + total, 0.0) + first * second
        chances = merged
    furthest = max(map(abs, chances))

    def beyond(least: int) -> float:
        return min(1.0, math.fsum(chance for total, chance in chances.items() if abs(total) >= least))

    return beyond(abs(seen)), beyond(furthest)


def _normal(blocks: Sequence[_Block], seen: int) -> tuple[float, float]:
    from scipy.special import ndtr

    stderr = math.sqrt(sum(block.variance for block in blocks))
    most = sum(block.most for block in blocks)
    return min(1.0, 2 * float(ndtr(-abs(seen) / stderr))), min(1.0, 2 * float(ndtr(-most / stderr)))
