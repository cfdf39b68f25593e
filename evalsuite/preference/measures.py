"""Numbers that are weighted means, with the influence of every row on them and the interval that follows.

Win rates and shares of quality are made of these: rows are averaged within prompts, then prompts, then languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from evalsuite.stats.intervals import num_as_precise, t_interval, wilson
from evalsuite.types import Record

from .clustering import Spread
from .table import Floats, Ints

IntervalKind: TypeAlias = Literal["two-way-t", "prompt-t", "annotator-t", "wilson", "meta-t", ""]

FEWEST_PROMPTS = 6
"""With fewer prompts no interval is given: their spread says next to nothing about other prompts."""

NO_SPREAD = 1e-9
_ENOUGH_OF_EITHER = 10.0
"""Of as many trials as a share is worth, so many of either kind make it near enough to normal."""
"""An error below this is rounding."""


class Bounds(Record, frozen=True, kw_only=True):
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Measure:
    """A number and the influence of every row on it, (rows,)."""

    value: float
    influences: Floats


def prompt_weights(items: Ints) -> Floats:
    """The weights of rows, (rows,), of which each item gets the same in all, whatever its rows; they add up to one."""
    _, place, counts = np.unique(items, return_inverse=True, return_counts=True)
    weights: Floats = 1.0 / (len(counts) * counts[place])
    return weights


def mean_of(weights: Floats, values: Floats) -> Measure:
    """The mean of `values` by `weights` that add up to one, all (rows,)."""
    value = float(weights @ values) / float(weights @ np.ones_like(weights))  # whose rounding is the same
    return Measure(value, weights * (values - value))


def macro_of(measures: Sequence[Measure]) -> Measure:
    """The mean over languages, each of the same weight; rows stand in the order of the languages."""
    value = float(np.mean([measure.value for measure in measures]))
    return Measure(value, np.concatenate([measure.influences for measure in measures]) / len(measures))


def bounds_of(value: float, spread: Spread) -> Bounds | None:
    """Of a share; None with too few prompts; where rows are all alike, each prompt counts as one trial."""
    if spread.fewest_groups < FEWEST_PROMPTS or spread.stderr is None:
        return None
    if spread.stderr < NO_SPREAD:
        low, high = wilson(value, spread.num_groups)
        return Bounds(low=low, high=high)
    found = t_interval(value, spread.stderr, spread.degrees + 1, (0.0, 1.0))
    assert found is not None
    num_trials = num_as_precise(value, spread.stderr, spread.degrees + 1)
    if num_trials * min(value, 1 - value) >= _ENOUGH_OF_EITHER:
        return Bounds(low=found[0], high=found[1])
    far = wilson(value, num_trials)  # Student's, symmetric about a value near 0 or 1, is too short on the far side
    return Bounds(low=min(found[0], far[0]), high=max(found[1], far[1]))


def kind_of(spread: Spread) -> IntervalKind:
    """How an interval of this error is made, where there are prompts enough for one."""
    if spread.stderr is not None and spread.stderr < NO_SPREAD:
        return "wilson"
    if spread.by_rater is None:
        return "prompt-t"
    return "annotator-t" if spread.by_group is None else "two-way-t"


def chance_of(difference: float, spread: Spread) -> float | None:
    """Of so large a difference where there is none: two-sided, by the same t; None where rows are all alike."""
    if spread.stderr is None or spread.stderr < NO_SPREAD:
        return None
    from scipy.special import stdtr

    return float(2 * stdtr(spread.degrees, -abs(difference) / spread.stderr))
