"""Intervals that hold at every look: their misses, their first steps by hand, and what they cost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.preference.confidence_sequences import (
    Method,
    bernstein_bounds,
    betting_bounds,
    log_capitals,
    monitored,
)
from evalsuite.preference.table import Floats
from evalsuite.stats.intervals import t_interval

NUM_PROMPTS = 600
DESIGNS = [(0.375, 0.25, 0.375), (0.325, 0.25, 0.425), (0.2, 0.2, 0.6), (0.05, 0.1, 0.85)]
"""Shares of prompts that are lost, tied and won: true means of .5, .55, .7 and .9."""


def mean_of(shares: tuple[float, float, float]) -> float:
    return 0.5 * shares[1] + shares[2]


def studies(shares: tuple[float, float, float], num: int) -> Floats:
    """Studies of 600 prompts, (num, 600)."""
    return np.random.default_rng(21).choice([0.0, 0.5, 1.0], (num, NUM_PROMPTS), p=shares)


def t_width(means: Floats) -> float:
    bounds = t_interval(float(means.mean()), float(means.std(ddof=1)) / math.sqrt(len(means)), len(means), None)
    assert bounds is not None
    return bounds[1] - bounds[0]


# -- by hand


def test_prompts_all_won_by_hand() -> None:
    """Against a mean of m near a half every bet is the most allowed and wins .5 / m of .5: after t prompts the capital
    is (.5 + .5 / m) ** t, and m is out where that is 40."""
    low, high = betting_bounds(np.ones(12))
    for prompts in (10, 12):
        left = 0.5 / (40 ** (1 / prompts) - 0.5)
        assert low[prompts - 1] == pytest.approx(math.floor(1000 * left) / 1000)
    assert (high == 1.0).all()
    assert monitored(np.ones(12)).half_excluded_at == 10  # 1.5 ** 9 = 38.4, 1.5 ** 10 = 57.7


def test_the_first_prompt_by_hand() -> None:
    """The first bet is sqrt(2 log 40 / (log 2 / 4)), 6.525: against .05 it wins .95 of that, against .5 half of one."""
    above, below = log_capitals(np.array([1.0]), np.array([0.05, 0.5]))
    bet = math.sqrt(8 * math.log(40) / math.log(2))
    assert np.exp(above[0]) == pytest.approx([1 + 0.95 * bet, 1 + 0.5 * 1.0])
    assert np.exp(below[0]) == pytest.approx([1 - 0.95 * 0.5 / 0.95, 1 - 0.5 * 1.0])


def test_bernsteins_second_prompt_by_hand() -> None:
    """Bets of the most allowed, a half; the mean expected of the second prompt is .75."""
    low, high = bernstein_bounds(np.array([1.0, 1.0, 0.0]), alpha=0.9)
    psi = math.log(2) - 0.5
    first = (math.log(2 / 0.9) + 0.25 * psi) / 0.5
    second = math.log(2 / 0.9) + (0.25 + 0.0625) * psi
    assert low[:2] == pytest.approx([max(0.0, 1 - first), max(0.0, 1 - second)])
    assert low[1] > 0
    assert high[:2] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("method", ["betting", "bernstein"])
def test_before_the_first_prompt_it_may_be_anything(method: Method) -> None:
    found = monitored(np.array([]), method=method)
    assert (found.value, found.low, found.high, found.num_prompts, found.half_excluded_at) == (None, 0, 1, 0, None)


def test_one_prompt_says_little() -> None:
    found = monitored(np.array([1.0]))
    assert (found.value, found.num_prompts, found.half_excluded_at) == (1.0, 1, None)
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("function", [betting_bounds, bernstein_bounds])
def test_prompts_all_tied_close_in_on_a_half(function) -> None:  # type: ignore[no-untyped-def]
    low, high = function(np.full(2000, 0.5))
    assert low[-1] == pytest.approx(1 - high[-1])
    assert 0.48 < low[-1] < 0.5
    assert monitored(np.full(2000, 0.5)).half_excluded_at is None


@pytest.mark.parametrize("wrong", [[0.5, 1.1], [-0.1], [float("nan")]])
def test_what_is_no_share_is_refused(wrong: list[float]) -> None:
    for method in ("betting", "bernstein"):
        with pytest.raises(ValueError, match="not between 0 and 1"):
            monitored(np.array(wrong), method=method)  # type: ignore[arg-type]


def test_prompts_that_change_midway_fit_no_mean() -> None:
    found = monitored(np.r_[np.ones(200), np.zeros(400)])
    assert found.low > found.high


# -- at every look


@given(st.lists(st.floats(0, 1), min_size=1, max_size=80))
def test_it_only_narrows_and_later_prompts_change_nothing_before(means: list[float]) -> None:
    values = np.array(means)
    for function in (betting_bounds, bernstein_bounds):
        low, high = function(values)
        assert (np.diff(low) >= 0).all()
        assert (np.diff(high) <= 0).all()
        before = function(values[:-1])
        assert low[:-1] == pytest.approx(before[0])
        assert high[:-1] == pytest.approx(before[1])


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=80))
def test_seen_from_the_other_side_it_is_mirrored(means: list[float]) -> None:
    """To within one candidate, at whose very edge rounding may fall either way."""
    values = np.array(means)
    low, high = betting_bounds(values)
    other_low, other_high = betting_bounds(1 - values)
    assert low == pytest.approx(1 - other_high, abs=1.001e-3)
    assert high == pytest.approx(1 - other_low, abs=1.001e-3)
    low, high = bernstein_bounds(values)
    other_low, other_high = bernstein_bounds(1 - values)
    assert low == pytest.approx(1 - other_high)
    assert high == pytest.approx(1 - other_low)


@pytest.mark.parametrize("shares", DESIGNS, ids=lambda shares: f"{mean_of(shares):.2f}")
def test_it_misses_the_truth_at_any_time_at_most_once_in_twenty(shares: tuple[float, float, float]) -> None:
    """The truth is a candidate: the grid makes nothing easier. A t interval looked at as often misses far more."""
    truth, found, by_t = mean_of(shares), [], []
    for means in studies(shares, 2000):
        low, high = betting_bounds(means, num_candidates=19)
        found.append(bool(((low > truth - 1e-9) | (high < truth + 1e-9)).any()))
        count = np.arange(1, NUM_PROMPTS + 1)
        running = np.cumsum(means) / count
        error = np.sqrt(np.maximum(np.cumsum(means**2) / count - running**2, 1e-12) / count)
        by_t.append(bool((np.abs(running - truth) > 1.96 * error)[30:].any()))
    assert 0.005 < np.mean(found) <= 0.05
    assert np.mean(by_t) > 0.15


@pytest.mark.parametrize("shares", DESIGNS, ids=lambda shares: f"{mean_of(shares):.2f}")
def test_bernstein_misses_no_more(shares: tuple[float, float, float]) -> None:
    truth, misses = mean_of(shares), []
    for means in studies(shares, 2000):
        low, high = bernstein_bounds(means)
        misses.append(bool((low[-1] > truth) | (high[-1] < truth)))
    assert np.mean(misses) <= 0.05


def test_bounds_are_where_the_capital_is() -> None:
    """The candidates next to the ends: out on this side, in on the other."""
    (means,) = studies(DESIGNS[2], 1)
    low, high = betting_bounds(means)
    for end, inside, out in ((low[-1], 0.001, 0), (high[-1], -0.001, 1)):
        capitals = [
            capital.max(axis=0) >= math.log(40) for capital in log_capitals(means, np.array([end, end + inside]))
        ]
        assert capitals[out].tolist() == [True, False]


def test_it_costs_nearly_twice_the_width() -> None:
    """Of the interval of a study of fixed size, with as many prompts."""
    ratios, bernstein = [], []
    for means in studies(DESIGNS[1], 60):
        found, other = monitored(means), monitored(means, method="bernstein")
        ratios.append((found.high - found.low) / t_width(means))
        bernstein.append((other.high - other.low) / t_width(means))
    assert 1.7 < np.mean(ratios) < 1.95
    assert 1.7 < np.mean(bernstein) < 1.95


def test_near_certainty_betting_is_narrower() -> None:
    widths = []
    for means in studies(DESIGNS[3], 60):
        found, other = monitored(means), monitored(means, method="bernstein")
        widths.append((found.high - found.low) / (other.high - other.low))
    assert np.mean(widths) < 0.97


def test_a_large_lead_ends_a_study_early() -> None:
    stops = [monitored(means).half_excluded_at for means in studies(DESIGNS[2], 60)]
    early = [stop for stop in stops if stop is not None]
    assert len(early) == 60
    assert np.median(early) < 150
    assert [monitored(1 - means).half_excluded_at for means in studies(DESIGNS[2], 60)] == pytest.approx(stops, abs=1)
    low, _ = betting_bounds(studies(DESIGNS[2], 1)[0])
    assert low[early[0] - 2] < 0.5 <= low[early[0] - 1]
