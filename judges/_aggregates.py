"""How the official judges' ratings become totals: plain means, and weighted means of the means of groups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

from evalsuite.contracts import Metric
from evalsuite.metrics import MEAN, mean, mean_of_means, means_formula
from evalsuite.types import Sample, Score
from evalsuite.verdicts import Rated


def mean_rating(
    name: str, scale: tuple[float, float], applies: Callable[[Sample], bool] | None = None, *, alias: str = ""
) -> Metric:
    """The mean of the ratings that count for `name`; counts are (rating, 1).

    `applies` says which cases do, where not all; of those, what stayed unscored bounds the mean.
    """
    low, high = scale
    return Metric(
        name, mean, bounds=scale, best=(high, 1.0), worst=(low, 1.0), alias=alias, applies=applies, formula=MEAN
    )


def in_category(names: Collection[str]) -> Callable[[Sample], bool]:
    """Whether a case is of one of the categories `names`."""
    return partial(_is_in, frozenset(names))


def _is_in(names: frozenset[str], case: Sample) -> bool:
    return case.category in names


def rated(name: str, value: float) -> Score:
    """One case's counts for `mean_rating`."""
    return Score(name=name, counts=(value, 1.0))


WEIGHTED = "weighted"
"""Name of a verdict's part that is the expectation of its rating over token probabilities."""


def weighted_ratings(name: str, scale: tuple[float, float]) -> tuple[Metric, Metric]:
    """The mean expectation over the cases that have one, and the mean of the ratings written in those very cases.

    Cases without an expectation are no random part: where digits are tokens of their own, 10 may hide behind a 1 in
    good answers. So the expectation is held against the second of the two, never against the mean of all.
    """
    return mean_rating(f"{name}_weighted", scale), mean_rating(f"{name}_where_weighted", scale)


def score_weighted(metrics: tuple[Metric, Metric], verdict: Rated) -> tuple[Score, ...]:
    """One case's counts for `weighted_ratings`; none without an expectation."""
    expected, written = metrics
    return tuple(
        score
        for name, value in verdict.parts
        if name == WEIGHTED
        for score in (rated(expected.name, value), rated(written.name, verdict.value))
    )


@dataclass(frozen=True)
class MeanOfGroups:
    """The mean of the means of groups, weighted by `weights`; None while any of these groups is empty.

    Its vector holds a sum and a count for every group, in the order of `weights`.
    """

    name: str
    weights: Mapping[str, int]
    scale: tuple[float, float]
    alias: str = ""
    applies: Callable[[Sample], bool] | None = None

    @property
    def metric(self) -> Metric:
        """The metric itself."""
        weights = tuple(self.weights.values())
        return Metric(
            self.name,
            partial(mean_of_means, weights),
            bounds=self.scale,
            alias=self.alias,
            applies=self.applies,
            formula=means_formula(weights),
        )

    def score(self, group: str, value: float) -> tuple[Score, ...]:
        """One case's counts; none where the case's group is not among those averaged."""
        if group not in self.weights:
            return ()
        counts = [count for name in self.weights for count in ((value, 1.0) if name == group else (0.0, 0.0))]
        return (Score(name=self.name, counts=tuple(counts)),)
