"""When a difference is a regression, when it is none, and when the items are too few to say; and how many would do.

The margin M is the loss that nobody minds. A gate fails where the loss is both real (its one-sided chance, adjusted for
all gates, is below alpha) and at least M; it passes where a loss of M or more can be ruled out (non-inferiority); else
it is inconclusive. Not significant is never a pass, and significant but small is never a failure.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import numpy as np

from evalsuite.stats.differences import Difference
from evalsuite.stats.paired_tests import tango

Verdict = Literal["pass", "fail", "inconclusive", "error"]

POWER = 0.8
FEWEST_CLUSTERS = 20
"""Below it an error that is taken from clusters themselves is not to be trusted with a verdict."""

_ROUNDING = 1e-12
_HALVINGS = 20
_NEVER = 1e-9
_MANY = 20_000
"""From so many items on the textbook's number is as good as the exact one, which takes long to count."""


def verdict_of(difference: Difference, margin: float, p_adjusted: float, alpha: float) -> Verdict:
    """The verdict on a difference with a `margin`, in the metric's own unit and positive.

    `difference.least_gain` must be a bound of confidence 1 - alpha. Where items are not
    independent right/wrong ones, fewer than `FEWEST_CLUSTERS` clusters, counted as even ones, say nothing.
    """
    if difference.interval != "tango" and difference.num_even_clusters < FEWEST_CLUSTERS:
        return "inconclusive"
    if p_adjusted < alpha and difference.gain <= -margin + _ROUNDING:
        return "fail"
    if difference.least_gain is not None and difference.least_gain > -margin:
        return "pass"
    return "inconclusive"


def verdict_of_bounds(low: float | None, high: float | None, at_least: float | None, at_most: float | None) -> Verdict:
    """Whether a value whose interval is known keeps to a floor or a ceiling."""
    if low is None or high is None:
        return "inconclusive"
    if (at_least is not None and high < at_least) or (at_most is not None and low > at_most):
        return "fail"
    kept = (at_least is None or low >= at_least) and (at_most is None or high <= at_most)
    return "pass" if kept else "inconclusive"


def items_to_pass(
    variance: float,
    margin: float,
    *,
    alpha: float = 0.05,
    power: float = POWER,
    true_gain: float = 0.0,
    span: float = 1.0,
    design: float = 1.0,
) -> int | None:
    """How many items rule out a loss of `margin` with the power, were the gain truly `true_gain`.

    (z_alpha + z_power)^2 variance / (margin + gain)^2, at least what is needed were nothing to differ at all. None
    where the true loss is the margin or more. `variance` is that of one item's difference, clusters counted in; `span`
    the most that one item can lose, `design` how many items there are to a cluster.
    """
    room = margin + true_gain
    if room <= 0 or margin <= 0:
        return None
    least = math.log(alpha) / math.log1p(-margin / span) if margin < span else 1.0
    return max(_whole((_quantile(1 - alpha) + _quantile(power)) ** 2 * variance / room**2), _whole(least * design))


@lru_cache(maxsize=256)
def right_or_wrong_to_pass(discordance: float, margin: float, *, alpha: float = 0.05, power: float = POWER) -> int:
    """How many independent right/wrong items rule out a loss of `margin` with the power when nothing has changed.

    By `power_to_pass`, which is exact; where few items differ it takes up to twice what `items_to_pass` says.
    """
    n = items_to_pass(discordance, margin, alpha=alpha, power=power)
    assert n is not None
    while n < _MANY and power_to_pass(n, discordance, margin, alpha=alpha) < power:
        n += max(1, n // 100)
    return n


def power_to_pass(n: int, discordance: float, margin: float, *, alpha: float = 0.05) -> float:
    """The chance that `n` right/wrong items, of which a share differs either way alike, rule out a loss of `margin`."""
    from scipy.stats import binom

    total, most_lost = 0.0, 0
    for differing in range(int(binom.ppf(_NEVER, n, discordance)), int(binom.isf(_NEVER, n, discordance)) + 1):
        while most_lost < differing and _passes(n, differing, most_lost + 1, margin, alpha):
            most_lost += 1
        while most_lost >= 0 and not _passes(n, differing, most_lost, margin, alpha):
            most_lost -= 1
        total += float(binom.pmf(differing, n, discordance) * binom.cdf(most_lost, differing, 0.5))
        most_lost = max(0, most_lost)
    return total


def _passes(n: int, differing: int, lost: int, margin: float, alpha: float) -> bool:
    return tango(differing - lost, lost, n, 1 - 2 * alpha)[0] > -margin


def items_to_fail(
    discordance: float, drop: float, margin: float, *, alpha: float = 0.05, power: float = POWER
) -> int | None:
    """How many right/wrong items turn a true `drop` into a failure with the power; None for a drop within the margin.

    Both that the loss is real and that it is seen to be at least the margin, by `power_to_fail`, which is exact.
    `discordance` is the share of items that differ.
    """
    if drop <= margin or drop > discordance:
        return None
    seen = _quantile(power) ** 2 * (discordance - drop**2) / (drop - margin) ** 2
    n = max(mcnemar_items(discordance, drop, alpha=alpha, power=power), _whole(seen))
    while power_to_fail(n, discordance, drop, margin, alpha=alpha) < power:
        n += max(1, n // 200)
    return n


def power_to_fail(n: int, discordance: float, drop: float, margin: float, *, alpha: float = 0.05) -> float:
    """The chance that `n` right/wrong items fail a gate: McNemar's exact test below alpha, and the margin lost."""
    from scipy.stats import binom

    differing = np.arange(n + 1)
    enough = np.maximum(binom.isf(alpha, differing, 0.5) + 1, np.ceil((differing + n * margin) / 2 - _ROUNDING))
    lost = (discordance + drop) / 2 / discordance
    return float(binom.pmf(differing, n, discordance) @ binom.sf(enough - 1, differing, lost))


def mcnemar_items(discordance: float, drop: float, *, alpha: float = 0.05, power: float = POWER) -> int:
    """How many items show a true `drop` to be real, one-sided. Raises ValueError where fewer differ than that."""
    if not 0 < drop <= discordance <= 1:
        raise ValueError(f"a drop of {drop} among {discordance} that differ")
    root = _quantile(1 - alpha) * math.sqrt(discordance) + _quantile(power) * math.sqrt(discordance - drop**2)
    return _whole(root**2 / drop**2)


def items_of_means(
    variance: float, difference: float, *, alpha: float = 0.05, power: float = POWER,
    noise: tuple[float, float] = (0.0, 0.0), answers: tuple[int, int] = (1, 1), design_effect: float = 1.0,
) -> int:  # fmt: skip
    """How many questions find a paired `difference` of means, two-sided (Miller 2024, "Adding Error Bars to Evals").

    (z + z)^2 (omega^2 + s2_A / K_A + s2_B / K_B) / delta^2 times the design effect: `variance` is omega^2, of the
    questions' own differences, `noise` are the variances of one answer to one question, `answers` how often each is
    asked. omega^2 = 1/9, delta = .03 gives 969.
    """
    total = variance + sum(one / number for one, number in zip(noise, answers, strict=True))
    return _whole((_quantile(1 - alpha / 2) + _quantile(power)) ** 2 * total * design_effect / difference**2)


def smallest_margin(
    variance: float, n: int, *, alpha: float = 0.05, power: float = POWER, span: float = 1.0, design: float = 1.0
) -> float | None:
    """The smallest margin that `n` items, `design` to a cluster, pass with the power when nothing has changed.

    None where that is all there is to lose.
    """
    by_spread = (_quantile(1 - alpha) + _quantile(power)) * math.sqrt(variance / n)
    exact: float = span * (1.0 - alpha ** (design / n))
    found = max(by_spread, exact)
    return found if found < span else None


def smallest_drop(
    discordance: float, n: int, margin: float = 0.0, *, alpha: float = 0.05, power: float = POWER
) -> float | None:
    """The smallest true drop that `n` items fail with the power; None where even losing all that differs is missed."""
    low, high = margin, discordance
    if margin >= discordance or power_to_fail(n, discordance, discordance, margin, alpha=alpha) < power:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_seen = power_to_fail(n, discordance, middle, margin, alpha=alpha) >= power
        low, high = (low, middle) if is_seen else (middle, high)
    return high


def _whole(number: float) -> int:
    return max(1, math.ceil(number - 1e-9))


def _quantile(level: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(level)
