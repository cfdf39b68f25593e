"""Chances and bounds of paired differences, held against scipy and statsmodels and counted by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from evalsuite.stats.paired_tests import MOST_EXACT, holm, mcnemar, sign_flips, tango

TABLES = [(3, 12), (12, 3), (1, 0), (0, 5), (25, 25), (40, 61)]


@pytest.mark.parametrize(("gained", "lost"), TABLES)
def test_mcnemar_is_that_of_statsmodels_and_scipy(gained: int, lost: int) -> None:
    worse, either = mcnemar(gained, lost)
    table = [[100, lost], [gained, 50]]
    assert either == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    assert worse == pytest.approx(binomtest(gained, gained + lost, alternative="less").pvalue)


def test_the_published_example_of_mcnemar() -> None:
    # the design's fixed table: 3 and 12 that differ
    assert round(mcnemar(3, 12)[1], 4) == 0.0352


def test_no_item_that_differs_is_no_evidence() -> None:
    assert mcnemar(0, 0) == (1.0, 1.0)
    assert sign_flips(np.zeros(7)) == (1.0, 1.0)


@pytest.mark.parametrize("sums", [[0.3, -0.1, 0.2, 0.5, -0.4], [1.0, 1.0, 1.0], [-2.0, -1.0, 0.5, -0.25, -3.0, 0.0]])
def test_sign_flips_are_scipys_permutations(sums: list[float]) -> None:
    def mean_of(values: np.ndarray, axis: int) -> np.ndarray:
        return np.mean(values, axis=axis)

    worse, either = sign_flips(np.array(sums))
    for alternative, found in (("less", worse), ("two-sided", either)):
        theirs = permutation_test(
            (sums,), mean_of, permutation_type="samples", vectorized=True, n_resamples=np.inf, alternative=alternative
        )
        assert found == pytest.approx(theirs.pvalue)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
def test_sign_flips_are_counted_by_hand(sums: list[int]) -> None:
    ways = [sum(sign * value for sign, value in zip(signs, sums, strict=True))
            for signs in product((1, -1), repeat=len(sums))]  # fmt: skip
    worse, either = sign_flips(np.array(sums, dtype=float))
    assert worse == pytest.approx(sum(way <= sum(sums) for way in ways) / len(ways))
    assert either == pytest.approx(sum(abs(way) >= abs(sum(sums)) for way in ways) / len(ways))


def test_drawn_sign_flips_are_near_the_exact_ones_of_signs() -> None:
    sums = np.array([-1.0] * 28 + [1.0] * 14)
    assert len(sums) > MOST_EXACT
    worse, either = sign_flips(sums)
    assert worse == pytest.approx(binomtest(28, 42, alternative="greater").pvalue, abs=0.006)
    assert either == pytest.approx(binomtest(28, 42).pvalue, abs=0.01)
    assert sign_flips(sums) == (worse, either)  # drawn alike every time


def score_statistic(gained: int, lost: int, n: int, difference: float) -> float:
    """Tango's statistic with the nuisance share found by maximising the likelihood on a grid, not by his formula."""
    shares = np.linspace(max(0.0, -difference) + 1e-9, (1 - abs(difference)) / 2 + max(0.0, -difference), 200_001)
    others = shares + difference
    same = 1 - shares - others
    valid = (same > 1e-12) & (others > 0)
    shares, others, same = shares[valid], others[valid], same[valid]
    likelihood = lost * np.log(shares) + gained * np.log(others) + (n - gained - lost) * np.log(same)
    best = shares[np.argmax(likelihood)]
    variance = n * (2 * best + difference - difference**2)
    return float((gained - lost - n * difference) / np.sqrt(variance))


@pytest.mark.parametrize(("gained", "lost", "n"), [(3, 12, 100), (20, 25, 200), (1, 4, 50), (9, 5, 60)])
def test_tangos_limits_are_where_the_score_is_the_quantile(gained: int, lost: int, n: int) -> None:
    low, high = tango(gained, lost, n, 0.95)
    assert low < (gained - lost) / n < high
    assert score_statistic(gained, lost, n, low) == pytest.approx(1.959964, abs=2e-3)
    assert score_statistic(gained, lost, n, high) == pytest.approx(-1.959964, abs=2e-3)


def test_tango_is_a_mirror() -> None:
    low, high = tango(4, 11, 90, 0.9)
    assert tango(11, 4, 90, 0.9) == pytest.approx((-high, -low))


@pytest.mark.parametrize("n", [1, 20, 59, 1000])
def test_the_bound_without_a_difference_is_exact(n: int) -> None:
    low, high = tango(0, 0, n, 0.9)
    assert high == -low == pytest.approx(1 - 0.05 ** (1 / n))
    assert (1 - high) ** n == pytest.approx(0.05)  # a larger share would have shown itself


def test_bounds_only_widen_when_more_is_lost() -> None:
    lows = [tango(0, lost, 200, 0.9)[0] for lost in range(12)]
    assert lows == sorted(lows, reverse=True)
    assert len(set(lows)) == len(lows)
    assert tango(0, 200, 200, 0.9)[0] == -1.0


def test_holm_on_a_fixed_table() -> None:
    # sorted .01 .03 .04: times 3, 2, 1, never below the one before
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert holm([]) == ()


def test_holm_is_that_of_statsmodels() -> None:
    random = np.random.default_rng(3)
    for size in (1, 2, 7, 60, 500):
        chances = np.round(random.uniform(0, 0.3, size) ** 2, 3)  # ties among them
        assert holm(chances.tolist()) == pytest.approx(multipletests(chances, method="holm")[1], abs=1e-15)
