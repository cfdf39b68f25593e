"""A win rate's interval that holds however often one looks, so that a study may be stopped when it has said enough.

Of the means of prompts, from 0 to 1, in the order the prompts were finished. With 95 % confidence the true mean lies in
the interval after every one of them at once; each prompt must be drawn like those before, so votes on one prompt count
once, and a prompt may not be finished sooner for what is said of it. Waudby-Smith and Ramdas 2024, "Estimating means of
bounded random variables by betting". It is nearly twice as wide as the interval of a study of fixed size.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np

from evalsuite.types import Record

from .table import Floats

Method: TypeAlias = Literal["betting", "bernstein"]

ALPHA = 0.05
NUM_CANDIDATES = 999
"""Means that are bet against; the interval's ends lie on them, outwards."""

_TRUNCATION = 0.5
"""The most of its capital that a bet may lose, c in the paper."""


class Monitoring(Record, frozen=True, kw_only=True):
    """What `num_prompts` say so far: their mean, and the interval that holds at every look.

    `half_excluded_at` is the number of prompts after which a half was first excluded, as the ends themselves are; None
    while it is inside. `low` above `high` says that no mean fits all that was seen: the prompts changed on the way.
    """

    method: Method
    value: float | None
    low: float
    high: float
    num_prompts: int
    half_excluded_at: int | None


def monitored(means: Floats, *, method: Method = "betting", alpha: float = ALPHA) -> Monitoring:
    """Where prompts' `means`, (n,), leave the win rate; before the first it may be anything from 0 to 1."""
    low, high = {"betting": betting_bounds, "bernstein": bernstein_bounds}[method](means, alpha=alpha)
    outside = np.flatnonzero((low >= 0.5) | (high <= 0.5))
    return Monitoring(
        method=method,
        value=float(means.mean()) if len(means) else None,
        low=float(low[-1]) if len(means) else 0.0,
        high=float(high[-1]) if len(means) else 1.0,
        num_prompts=len(means),
        half_excluded_at=int(outside[0]) + 1 if len(outside) else None,
    )


def betting_bounds(
    means: Floats, *, alpha: float = ALPHA, num_candidates: int = NUM_CANDIDATES
) -> tuple[Floats, Floats]:
    """The lowest and the highest mean left after each prompt, (n,) each, by bets against every other (theorem 3).

    Raises ValueError for a value that is no share.
    """
    candidates = np.arange(1, num_candidates + 1) / (num_candidates + 1)
    too_low, too_high = (capital >= math.log(2 / alpha) for capital in log_capitals(means, candidates, alpha=alpha))
    low = np.where(too_low, candidates, 0.0).max(axis=1)
    high = np.where(too_high, candidates, 1.0).min(axis=1)
    return np.maximum.accumulate(low), np.minimum.accumulate(high)


def log_capitals(means: Floats, candidates: Floats, *, alpha: float = ALPHA) -> tuple[Floats, Floats]:
    """What bets that the mean is above, and below, each of the candidates have won after each prompt, (n, candidates).

    Logarithms of capital that starts at 1; half of it is in either. `candidates` lie between 0 and 1.
    """
    _, _, bets = _predictions(means, alpha)
    above = np.minimum(bets[:, None], _TRUNCATION / candidates)
    below = np.minimum(bets[:, None], _TRUNCATION / (1 - candidates))
    distances = means[:, None] - candidates
    return np.cumsum(np.log1p(above * distances), axis=0), np.cumsum(np.log1p(-below * distances), axis=0)


def bernstein_bounds(means: Floats, *, alpha: float = ALPHA) -> tuple[Floats, Floats]:
    """The same in closed form, as wide but near 0 and 1: empirical Bernstein with predicted variances (theorem 2)."""
    expected, _, bets = _predictions(means, alpha)
    bets = np.minimum(bets, _TRUNCATION)
    total = np.cumsum(bets)
    centre = np.cumsum(bets * means) / total
    misses = np.cumsum((means - expected) ** 2 * (-np.log1p(-bets) - bets))
    radius = (math.log(2 / alpha) + misses) / total
    low, high = np.maximum(centre - radius, 0.0), np.minimum(centre + radius, 1.0)
    return np.maximum.accumulate(low), np.minimum.accumulate(high)


def _predictions(means: Floats, alpha: float) -> tuple[Floats, Floats, Floats]:
    """The mean and variance expected of each prompt from those before it, and the bet these call for, (n,) each."""
    if not ((means >= 0) & (means <= 1)).all():
        raise ValueError("the mean of a prompt is not between 0 and 1")
    count = np.arange(1, len(means) + 1)
    running = (0.5 + np.cumsum(means)) / (count + 1)
    spread = (0.25 + np.cumsum((means - running) ** 2)) / (count + 1)
    expected, variance = np.r_[0.5, running][:-1], np.r_[0.25, spread][:-1]
    return expected, variance, np.sqrt(2 * math.log(2 / alpha) / (variance * count * np.log1p(count)))
