"""Which of several settings a joint set of values can tell apart, and the ranks that this leaves open. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite.stats.joint_values import Joint, SharedRows
from evalsuite.stats.paired_tests import Floats, holm

ALPHA = 0.05
_NO_SPREAD = 1e-12
"""Below this a standard error is rounding."""


@dataclass(frozen=True)
class Ordering:
    """Settings by place: `rank_low` and `rank_high`, 1 being the highest value, and who is not below the best.

    `num_pairs` chances were adjusted together.
    """

    rank_low: tuple[int, ...]
    rank_high: tuple[int, ...]
    is_band: tuple[bool, ...]
    num_pairs: int


def ordering_of(joint: Joint, more_variance: Floats | None = None, alpha: float = ALPHA) -> Ordering:
    """Ranks from Student's test of every two values, adjusted together (Holm 1979).

    A rank's range counts those that are told apart: at best one below all that are above for sure. `more_variance`,
    (settings, settings), is what the squared error of a difference lacks (see `unseen_variance`).
    """
    values = joint.values
    is_apart = _is_apart(joint, more_variance, alpha)
    above = is_apart & (values[None, :] > values[:, None])
    below = is_apart & (values[None, :] < values[:, None])
    size = len(values)
    is_below = below_best(is_apart, values)
    return Ordering(
        rank_low=tuple(int(1 + count) for count in above.sum(axis=1)),
        rank_high=tuple(int(size - count) for count in below.sum(axis=1)),
        is_band=tuple(not apart for apart in is_below.tolist()),
        num_pairs=size * (size - 1) // 2,
    )


def below_best(is_apart: NDArray[np.bool_], values: Floats) -> NDArray[np.bool_]:
    """Who is told apart from a setting with the best value, of which there may be several."""
    found: NDArray[np.bool_] = is_apart[values == values.max()].any(axis=0)
    return found


def _is_apart(joint: Joint, more_variance: Floats | None, alpha: float) -> NDArray[np.bool_]:
    size = len(joint.values)
    chances = np.ones((size, size))
    covariance = joint.covariance
    degrees = joint.num_clusters - 1
    upper = np.triu_indices(size, 1)
    if covariance is not None and degrees > 0:
        from scipy.special import stdtr

        spread = np.diag(covariance)
        variance = np.maximum(spread[:, None] + spread[None, :] - 2 * covariance, 0.0)
        variance = variance if more_variance is None else variance + more_variance
        gaps = np.abs(joint.values[:, None] - joint.values[None, :])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(variance > _NO_SPREAD**2, gaps / np.sqrt(variance), 0.0)
        chances = 2.0 * stdtr(degrees, -ratio)
    adjusted = np.ones((size, size))
    adjusted[upper] = holm(chances[upper].tolist())
    found: NDArray[np.bool_] = np.minimum(adjusted, adjusted.T) < alpha
    return found


def unseen_variance(parts: Sequence[SharedRows], weights: Sequence[float]) -> Floats:
    """What the squared errors of differences lack of the least that right and wrong leave open, (settings, settings).

    A small task in which two settings happen to differ nowhere is not known exactly, and a mean over tasks must not
    take it so (Agresti and Min 2005; the same as for a pair in `paired_rows`). Parts that are not right or wrong add
    nothing. `weights` are those of the mean.
    """
    size = len(parts[0].counts)
    total: Floats = np.zeros((size, size))
    for part, weight in zip(parts, weights, strict=True):
        if part.is_binary and part.names:
            total += weight**2 * np.maximum(0.0, _least(part) - _plain(part))
    return total


def _least(part: SharedRows) -> Floats:
    gained, rows = _gained(part), len(part.names)
    more, less = (gained * rows + 1) / (rows + 2), (gained.T * rows + 1) / (rows + 2)
    found: Floats = (more + less - (more - less) ** 2) / (rows + 2)
    np.fill_diagonal(found, 0.0)
    return found


def _gained(part: SharedRows) -> Floats:
    """The share of rows right in one setting and wrong in the other, (settings, settings)."""
    scores = part.counts[:, :, 0]
    found: Floats = scores @ (1.0 - scores).T / len(part.names)
    return found


def _plain(part: SharedRows) -> Floats:
    """The squared error of each difference, clusters counted in."""
    from evalsuite.stats.joint_values import joint_of_task

    joint = joint_of_task(part)
    if joint is None or joint.covariance is None:
        return np.full((len(part.counts),) * 2, np.inf)
    spread = np.diag(joint.covariance)
    found: Floats = spread[:, None] + spread[None, :] - 2 * joint.covariance
    return found
