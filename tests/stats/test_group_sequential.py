"""Alpha spent look by look: published boundaries, and the errors that all looks make together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from evalsuite.stats.group_sequential import nominal_levels


def boundaries(sizes: list[int], alpha: float) -> list[float]:
    return [-float(ndtri(level)) for level in nominal_levels(sizes, alpha)]


def test_the_published_boundaries_of_five_looks() -> None:
    # Lan and DeMets's function after O'Brien and Fleming, one-sided .025: tables of Jennison and Turnbull 2000
    assert boundaries([1, 2, 3, 4, 5], 0.025) == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=1e-3)
    assert boundaries([1, 2], 0.025) == pytest.approx([2.963, 1.969], abs=1e-3)


def test_one_look_is_the_whole_of_alpha() -> None:
    assert nominal_levels([100], 0.05) == pytest.approx((0.05,))


@pytest.mark.parametrize("sizes", [[250, 500, 1000], [10, 90, 100], [100, 200, 300, 400]])
def test_all_looks_together_err_with_alpha(sizes: list[int]) -> None:
    random = np.random.default_rng(7)
    steps = random.normal(size=(40_000, len(sizes))) * np.sqrt(np.diff([0, *sizes]))
    scores = steps.cumsum(axis=1) / np.sqrt(sizes)
    crossed = (scores > boundaries(sizes, 0.05)).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.004)
    naive = (scores > -ndtri(0.05)).any(axis=1).mean()
    assert naive > 0.06


@pytest.mark.parametrize("sizes", [[50, 1000], [5, 5000], [1, 2, 100_000]])
def test_a_look_at_next_to_nothing_spends_next_to_nothing(sizes: list[int]) -> None:
    levels = nominal_levels(sizes, 0.05)
    assert levels[0] < 1e-12
    assert levels[-1] == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("sizes", [[], [0, 5], [5, 5], [9, 3]])
def test_looks_that_do_not_grow_are_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="do not grow"):
        nominal_levels(sizes, 0.05)
