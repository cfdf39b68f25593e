"""How much a value moves with a setting that should not matter, and how much of that is the luck of items. Pure."""

from __future__ import annotations

import math

import numpy as np

from evalsuite.stats.joint_values import Bounds, Floats, Joint
from evalsuite.types import Record

NUM_DRAWS = 2000
FEWEST_CLUSTERS = 6
"""With fewer clusters, counted as even ones, drawing them anew says nothing."""

_SEED = 1234


class SettingSpread(Record, frozen=True, kw_only=True):
    """The spread of one value over settings that answered the same items.

    `sd` is the settings' own standard deviation as seen; `sd_sampling` what their answers to this sample of items would
    give it were all settings alike in the long run; `sd_settings` what is left, 0 where the items explain all of it.
    `range` is the highest value less the lowest, its 95 % interval from drawing clusters of items anew (conservative:
    it holds for all pairs of settings at once), `p_alike` the chance of a range as wide were all settings alike. None
    where there are fewer than `FEWEST_CLUSTERS` clusters, the sampling part where there is one.
    """

    mean: float
    lowest: float
    highest: float
    sd: float
    sd_sampling: float | None
    sd_settings: float | None
    range: float
    range_low: float | None
    range_high: float | None
    p_alike: float | None


def setting_spread(
    joint: Joint, bounds: Bounds | None = None, *, num_draws: int = NUM_DRAWS, seed: int = _SEED
) -> SettingSpread:
    """The spread of the values of `joint`, of two settings or more, which lie within `bounds` where these are known."""
    values = joint.values
    seen = float(values.max() - values.min())
    variance = float(values.var(ddof=1))
    part = _sampling_variance(joint)
    is_enough = joint.influence is not None and joint.num_clusters >= FEWEST_CLUSTERS
    ranges = None if joint.influence is None or not is_enough else _drawn_ranges(joint.influence, num_draws, seed)
    span = math.inf if bounds is None else bounds[1] - bounds[0]
    widest = None if ranges is None else float(np.quantile(ranges, 0.95))
    return SettingSpread(
        mean=float(values.mean()),
        lowest=float(values.min()),
        highest=float(values.max()),
        sd=math.sqrt(variance),
        sd_sampling=None if part is None else math.sqrt(part),
        sd_settings=None if part is None else math.sqrt(max(0.0, variance - part)),
        range=seen,
        range_low=None if widest is None else max(0.0, seen - widest),
        range_high=None if widest is None else min(span, seen + widest),
        p_alike=None if ranges is None else (1 + int((ranges >= seen - 1e-12).sum())) / (1 + len(ranges)),
    )


def _sampling_variance(joint: Joint) -> float | None:
    """The part of the settings' variance that their error gives it: trace of the centred covariance by m - 1."""
    if joint.covariance is None:
        return None
    covariance = joint.covariance
    m = len(covariance)
    return max(0.0, float((np.trace(covariance) - covariance.sum() / m) / (m - 1)))


def _drawn_ranges(influence: Floats, num_draws: int, seed: int) -> Floats:
    """Ranges of the values' deviations from themselves when clusters are drawn anew: that of settings all alike."""
    random = np.random.default_rng(seed)
    num_clusters = len(influence)
    times = random.multinomial(num_clusters, np.full(num_clusters, 1.0 / num_clusters), size=num_draws)
    moved = (times - 1) @ influence  # influence sums to nothing, so that draws vary exactly as the values do
    found: Floats = moved.max(axis=1) - moved.min(axis=1)
    return found
