"""Looking several times at growing data without more false claims: alpha spent look by look. Pure.

Lan and DeMets 1983, "Discrete sequential boundaries for clinical trials", with the spending function that follows
O'Brien and Fleming: little early, nearly all at the end. Looked at five times at 5 % each, luck alone would claim
something one time in seven.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

_GRID = 4_001
_REACH = 8.5


def nominal_levels(sizes: Sequence[int], alpha: float) -> tuple[float, ...]:
    """The one-sided level to test at in each look, so that all looks together err with `alpha`.

    `sizes` are the items of each look, growing; the last one is all. The test statistics' joint distribution is that
    of a Brownian motion at the shares of information, integrated recursively (Armitage, McPherson and Rowe 1969).
    Raises ValueError for sizes that do not grow.
    """
    if not sizes or any(second <= first for first, second in pairwise(sizes)) or sizes[0] < 1:
        raise ValueError(f"looks of {list(sizes)} items do not grow")
    shares = [size / sizes[-1] for size in sizes]
    spent = [_spent(share, alpha) for share in shares]
    bounds = [min(_REACH, float(-ndtri(spent[0])))]
    # the density of the score S = Z * sqrt(t) among those that went on, on a grid that is cut at the boundary
    grid = np.linspace(-_REACH * math.sqrt(shares[0]), bounds[0] * math.sqrt(shares[0]), _GRID)
    density = np.exp(-(grid**2) / (2 * shares[0])) / math.sqrt(2 * math.pi * shares[0])
    for index in range(1, len(shares)):
        step = shares[index] - shares[index - 1]
        bounds.append(_boundary(grid, density, step, shares[index], spent[index] - spent[index - 1]))
        cut = bounds[-1] * math.sqrt(shares[index])
        after = np.linspace(-_REACH * math.sqrt(shares[index]), cut, _GRID)
        density = _moved(grid, density, after, step)
        grid = after
    return tuple(float(ndtr(-bound)) for bound in bounds)


def _spent(share: float, alpha: float) -> float:
    return float(2.0 * ndtr(-ndtri(1.0 - alpha / 2.0) / math.sqrt(share)))


def _boundary(
    grid: np.ndarray[tuple[int], np.dtype[np.float64]], density: np.ndarray[tuple[int], np.dtype[np.float64]],
    step: float, share: float, to_spend: float,
) -> float:  # fmt: skip
    """Where the chance of first crossing at this look is what it may spend."""
    from scipy.optimize import brentq

    def excess(bound: float) -> float:
        crossing = ndtr((grid - bound * math.sqrt(share)) / math.sqrt(step))
        return float(np.trapezoid(density * crossing, grid)) - to_spend

    return float(brentq(excess, -2.0, _REACH)) if excess(_REACH) < 0 else _REACH


def _moved(
    grid: np.ndarray[tuple[int], np.dtype[np.float64]], density: np.ndarray[tuple[int], np.dtype[np.float64]],
    after: np.ndarray[tuple[int], np.dtype[np.float64]], step: float,
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:  # fmt: skip
    """The density a step later, by Simpson-like sums over the grid before."""
    weights = density * (grid[1] - grid[0])
    weights[[0, -1]] /= 2
    moved: np.ndarray[tuple[int], np.dtype[np.float64]] = np.empty(len(after))
    for start in range(0, len(after), 256):
        block = after[start : start + 256, None]
        kernel = np.exp(-((block - grid[None, :]) ** 2) / (2 * step)) / math.sqrt(2 * math.pi * step)
        moved[start : start + 256] = kernel @ weights
    return moved
