"""The test for few prompts: the same as going through all ways by hand, as scipy's, and as the sign test."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

from evalsuite.preference.few_prompts import FEW_GROUPS, group_means, half_test
from evalsuite.preference.simulation import Study
from evalsuite.preference.table import table_of
from evalsuite.stats.paired_tests import MOST_EXACT
from evalsuite.verdicts import Comparison, Winner

A, B, TIE = Winner.A, Winner.B, Winner.TIE


def chance(*means: float, seed: int = 1, num_draws: int = 19_999) -> float:
    return half_test(np.array(means, dtype=np.float64), seed=seed, num_draws=num_draws).p_value


def vote(item: str, winner: Winner, rater: str = "r", *, group: str = "", language: str = "en") -> Comparison:
    return Comparison(
        item=item, group=group or item, language=language, system_a="x", system_b="y", winner=winner, rater=rater
    )


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ((1.0,), 1.0),
        ((1.0, 1.0, 1.0), 2 / 8),
        ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 2 / 64),
        ((1.0, 0.5, 0.5), 1.0),
        ((1.0, 0.75, 0.5, 0.25), 6 / 8),
        ((0.5, 0.5), 1.0),
        ((1.0, 0.0), 1.0),
    ],
)
def test_by_hand(means: tuple[float, ...], expected: float) -> None:
    assert chance(*means) == pytest.approx(expected)


def test_what_is_told() -> None:
    found = half_test(np.array([1.0, 0.75, 0.5]), seed=1)
    assert (found.difference, found.method, found.num_groups) == (pytest.approx(0.25), "exact", 3)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=2, max_size=8))
def test_it_is_scipys(means: list[float]) -> None:
    found = permutation_test(
        (np.array(means) - 0.5,), np.mean, permutation_type="samples", alternative="two-sided", n_resamples=np.inf
    )
    assert chance(*means) == pytest.approx(float(found.pvalue))


@given(st.lists(st.sampled_from([0.0, 1 / 3, 0.5, 2 / 3, 1.0]), min_size=1, max_size=8))
def test_it_goes_through_all_ways_also_in_thirds(means: list[float]) -> None:
    """Counted in whole sixths, which have no rounding."""
    sixths = [round(6 * mean) - 3 for mean in means]
    ways = [
        abs(sum(sign * one for sign, one in zip(signs, sixths, strict=True)))
        for signs in product((1, -1), repeat=len(means))
    ]
    assert chance(*means) == pytest.approx(np.mean([way >= abs(sum(sixths)) for way in ways]))


def test_of_wins_and_losses_it_is_the_sign_test() -> None:
    """Exact up to twenty groups, half a million ways; drawn beyond."""
    assert chance(*[1.0] * 15, *[0.0] * 5) == pytest.approx(binomtest(15, 20).pvalue)
    assert half_test(np.ones(MOST_EXACT), seed=1).method == "exact"
    assert half_test(np.ones(MOST_EXACT + 1), seed=1).method == "monte-carlo"
    assert FEW_GROUPS <= MOST_EXACT
    many = [1.0] * 28, [0.0] * 12
    assert chance(*many[0], *many[1]) == pytest.approx(binomtest(28, 40).pvalue, abs=0.003)


def test_no_draw_as_far_is_no_certainty() -> None:
    assert chance(*[1.0] * 60, num_draws=99) == pytest.approx(1 / 100)


def test_the_seed_alone_decides_what_is_drawn() -> None:
    means = [0.9, 0.3] * 20 + [0.8] * 5
    assert chance(*means, seed=3) == chance(*means, seed=3)
    assert len({chance(*means, seed=seed) for seed in range(5)}) > 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10), st.randoms())
def test_sides_and_order_say_nothing(means: list[float], random: object) -> None:
    rounded = [round(mean, 3) for mean in means]
    shuffled = list(rounded)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    here = half_test(np.array(rounded), seed=1)
    there = half_test(1.0 - np.array(shuffled), seed=1)
    assert here.p_value == pytest.approx(there.p_value)
    assert here.difference == pytest.approx(-there.difference)


@pytest.mark.parametrize("means", [[], [0.5, 1.1], [-0.1], [float("nan")]])
def test_what_makes_no_sense_is_refused(means: list[float]) -> None:
    with pytest.raises(ValueError, match="no prompt groups" if not means else "not between 0 and 1"):
        half_test(np.array(means), seed=1)


def test_groups_are_means_of_prompts_not_of_votes() -> None:
    votes = [vote("1", A, f"r{n}") for n in range(8)] + [vote("1", B, language="hi")]
    votes += [vote("2a", TIE, group="2"), vote("2b", A, group="2"), vote("3", B, "p"), vote("3", TIE, "q")]
    assert group_means(table_of(votes)).tolist() == pytest.approx([0.5, 0.75, 0.25])


def test_without_a_preference_one_in_twenty_is_found() -> None:
    """No more, and somewhat fewer, since many ways lie as far; and what there is to find is found."""
    level, random = Study(num_prompts=12, annotator_sd=0.0), np.random.default_rng(4)
    strong = replace(level, advantage=1.5)
    by_chance = [chance(*group_means(level.votes(random))) <= 0.05 for _ in range(1000)]
    found = [chance(*group_means(strong.votes(random))) <= 0.05 for _ in range(200)]
    assert 0.02 <= np.mean(by_chance) <= 0.06
    assert np.mean(found) > 0.8
