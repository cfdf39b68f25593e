"""How the official judges' ratings become totals: plain means, and weighted means of the means of groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from evalsuite.contracts import Metric
from evalsuite.types import Score


def mean_rating(name: str, scale: tuple[float, float], *, of_all: bool = False, alias: str = "") -> Metric:
    """The mean of the ratings that count for `name`; counts are (rating, 1).

    `of_all`: every case counts for it, so that what stayed unscored bounds it.
    """
    low, high = scale
    best, worst = ((high, 1.0), (low, 1.0)) if of_all else (None, None)
    return Metric(name, _mean, bounds=scale, best=best, worst=worst, alias=alias)


def rated(name: str, value: float) -> Score:
    """One case's counts for `mean_rating`."""
    return Score(name=name, counts=(value, 1.0))


def _mean(counts: tuple[float, ...]) -> float | None:
    total, n = counts
    return total / n if n else None


@dataclass(frozen=True)
class MeanOfGroups:
    """The mean of the means of groups, weighted by `weights`; None while any of these groups is empty.

    Its vector holds a sum and a count for every group, in the order of `weights`.
    """

    name: str
    weights: Mapping[str, int]
    scale: tuple[float, float]
    alias: str = ""

    @property
    def metric(self) -> Metric:
        """The metric itself."""
        reduce = partial(_mean_of_means, tuple(self.weights.values()))
        return Metric(self.name, reduce, bounds=self.scale, alias=self.alias)

    def score(self, group: str, value: float) -> tuple[Score, ...]:
        """One case's counts; none where the case's group is not among those averaged."""
        if group not in self.weights:
            return ()
        counts = [count for name in self.weights for count in ((value, 1.0) if name == group else (0.0, 0.0))]
        return (Score(name=self.name, counts=tuple(counts)),)


def _mean_of_means(weights: tuple[int, ...], counts: tuple[float, ...]) -> float | None:
    sums, sizes = counts[::2], counts[1::2]
    if not all(sizes):
        return None
    terms = (weight * total / size for weight, total, size in zip(weights, sums, sizes, strict=True))
    return math.fsum(terms) / sum(weights)
