"""Verdicts of three values, and how many items each takes; figures of papers, and of simulations with the product's own
code."""

from __future__ import annotations

import gate_errors
import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.power import NormalIndPower

from evalsuite.stats.differences import difference_of
from evalsuite.stats.gate_rules import (
    items_of_means,
    items_to_fail,
    items_to_pass,
    mcnemar_items,
    power_to_fail,
    power_to_pass,
    right_or_wrong_to_pass,
    smallest_drop,
    smallest_margin,
    verdict_of,
    verdict_of_bounds,
)
from evalsuite.stats.paired_tests import tango


def run(n: int, gained: int, lost: int):
    return gate_errors.Independent(n, 0.1, 0.1)._difference(gained, lost)


def test_a_run_against_itself_passes_only_with_enough_items() -> None:
    assert verdict_of(run(20, 0, 0), 0.02, 1.0, 0.05) == "inconclusive"
    assert verdict_of(run(148, 0, 0), 0.02, 1.0, 0.05) == "inconclusive"
    assert verdict_of(run(149, 0, 0), 0.02, 1.0, 0.05) == "pass"


def test_a_loss_fails_only_if_it_is_both_real_and_large() -> None:
    real_but_small = run(5000, 10, 60)
    assert real_but_small.p_worse < 1e-6
    assert verdict_of(real_but_small, 0.02, real_but_small.p_worse, 0.05) == "pass"
    large_but_doubtful = run(40, 1, 4)
    assert verdict_of(large_but_doubtful, 0.02, large_but_doubtful.p_worse, 0.05) == "inconclusive"
    both = run(400, 5, 40)
    assert verdict_of(both, 0.02, both.p_worse, 0.05) == "fail"
    assert verdict_of(both, 0.02, 0.06, 0.05) == "inconclusive"  # among other gates it may be luck


def test_a_gain_is_never_a_failure() -> None:
    assert verdict_of(run(400, 40, 5), 0.02, 1.0, 0.05) == "pass"


def test_few_clusters_of_anything_but_right_and_wrong_say_nothing() -> None:
    rated = gate_errors.paired(np.full(9, 7.0) + np.arange(9) / 100, np.full(9, 3.0), list("abcdefghi"))
    difference = difference_of(rated)
    assert difference is not None
    assert difference.interval == "t-and-tango"
    assert verdict_of(difference, 0.5, 0.0, 0.05) == "inconclusive"


@pytest.mark.parametrize(
    ("low", "high", "floor", "ceiling", "verdict"),
    [
        (0.96, 0.99, 0.95, None, "pass"),
        (0.94, 0.99, 0.95, None, "inconclusive"),
        (0.90, 0.94, 0.95, None, "fail"),
        (0.01, 0.03, None, 0.02, "inconclusive"),
        (0.03, 0.05, None, 0.02, "fail"),
        (0.0, 0.02, None, 0.02, "pass"),
        (None, None, 0.5, None, "inconclusive"),
    ],
)
def test_floors_and_ceilings(
    low: float | None, high: float | None, floor: float | None, ceiling: float | None, verdict: str
) -> None:
    assert verdict_of_bounds(low, high, floor, ceiling) == verdict


def test_millers_example_is_969() -> None:
    assert items_of_means(1 / 9, 0.03) == 969
    # the same by statsmodels: an effect of delta / omega, two-sided
    theirs = NormalIndPower(ddof=0).solve_power(0.03 * 3, power=0.8, alpha=0.05, ratio=0)
    assert 968 < theirs <= 969


def test_asking_again_cannot_go_below_what_questions_vary() -> None:
    once = items_of_means(1 / 9, 0.03, noise=(1 / 6, 1 / 6))
    often = items_of_means(1 / 9, 0.03, noise=(1 / 6, 1 / 6), answers=(10, 10))
    assert once > often > items_of_means(1 / 9, 0.03)
    assert items_of_means(1 / 9, 0.03, design_effect=2.0) == 1938


def test_mcnemars_sizes_are_the_textbooks() -> None:
    assert mcnemar_items(0.10, 0.02, alpha=0.025) == 1960
    assert mcnemar_items(0.20, 0.02, alpha=0.025) == 3923


@pytest.mark.parametrize(("margin", "n"), [(0.01, 6183), (0.02, 1546), (0.05, 248)])
def test_sizes_that_pass_without_a_change(margin: float, n: int) -> None:
    assert items_to_pass(0.10, margin) == n
    assert smallest_margin(0.10, n) == pytest.approx(margin, rel=2e-3)


@pytest.mark.parametrize(
    ("discordance", "margin", "power"), [(0.02, 0.02, 0.672), (0.04, 0.05, 0.631), (0.1, 0.05, 0.774)]
)
def test_where_few_differ_the_textbook_number_is_too_small(discordance: float, margin: float, power: float) -> None:
    # the powers were enumerated by an independent statistician
    textbook = items_to_pass(discordance, margin)
    assert textbook is not None
    assert power_to_pass(textbook, discordance, margin) == pytest.approx(power, abs=0.003)
    enough = right_or_wrong_to_pass(discordance, margin)
    assert power_to_pass(enough, discordance, margin) >= 0.8
    assert enough > textbook


def test_the_power_to_pass_is_counted_out() -> None:
    n, discordance, margin = 60, 0.1, 0.1
    total = 0.0
    for differing in range(n + 1):
        for lost in range(differing + 1):
            if tango(differing - lost, lost, n, 0.9)[0] > -margin:
                total += binom.pmf(differing, n, discordance) * binom.pmf(lost, differing, 0.5)
    assert power_to_pass(n, discordance, margin) == pytest.approx(total, abs=1e-7)


@pytest.mark.parametrize(("n", "points"), [(200, 5.6), (500, 3.5), (1000, 2.5), (2000, 1.8), (5000, 1.1)])
def test_the_smallest_drop_that_is_seen(n: int, points: float) -> None:
    assert 100 * smallest_drop(0.10, n) == pytest.approx(points, abs=0.25)


def test_no_number_of_items_shows_what_the_margin_allows() -> None:
    assert items_to_fail(0.1, 0.02, 0.02) is None
    assert items_to_fail(0.1, 0.2, 0.02) is None
    assert items_to_pass(0.1, 0.02, true_gain=-0.02) is None


def test_nothing_differing_still_needs_items() -> None:
    assert items_to_pass(0.0, 0.02) == 149
    assert items_to_pass(0.0, 0.8, span=100.0) == 373


def test_the_power_to_fail_is_counted_out() -> None:
    n, discordance, drop, margin, alpha = 60, 0.3, 0.15, 0.05, 0.05
    total = 0.0
    for differing in range(n + 1):
        for lost in range(differing + 1):
            is_real = binom.sf(lost - 1, differing, 0.5) < alpha
            if is_real and 2 * lost - differing >= n * margin:
                weight = binom.pmf(differing, n, discordance)
                total += weight * binom.pmf(lost, differing, (discordance + drop) / 2 / discordance)
    assert power_to_fail(n, discordance, drop, margin, alpha=alpha) == pytest.approx(total)


@pytest.fixture(scope="module")
def random() -> np.random.Generator:
    return np.random.default_rng(20)


def test_error_rates_of_one_gate(random: np.random.Generator) -> None:
    draws = 2000
    n = items_to_pass(0.10, 0.02)
    assert n is not None
    unchanged = gate_errors.verdicts(gate_errors.Independent(n, 0.05, 0.05).draw(random, draws), 0.02)
    assert unchanged["fail"] <= 0.05
    assert unchanged["pass"] == pytest.approx(0.80, abs=0.04)
    at_margin = gate_errors.verdicts(gate_errors.Independent(n, 0.04, 0.06).draw(random, draws), 0.02)
    assert at_margin["pass"] <= 0.07
    planned = items_to_fail(0.10, 0.05, 0.02)
    assert planned is not None
    dropped = gate_errors.verdicts(gate_errors.Independent(planned, 0.025, 0.075).draw(random, draws), 0.02)
    assert dropped["fail"] == pytest.approx(0.80, abs=0.04)


def test_sixty_gates_with_holm_fail_no_oftener_than_one() -> None:
    gates = [gate_errors.Independent(500, 0.05, 0.05)] * 60
    assert gate_errors.many_gates(gates, 0.001, 400, 3)["any_fails"] <= 0.085


@pytest.mark.parametrize(
    "model",
    [
        gate_errors.Independent(300, 0.05, 0.08),
        gate_errors.Clustered(40, 3, 0.05),
        gate_errors.Ratings(80, 0.3),
        gate_errors.Macro(50),
    ],
    ids=lambda model: type(model).__name__,
)
def test_coverage(model: gate_errors.Independent, random: np.random.Generator) -> None:
    found = gate_errors.coverage(model.draw(random, 600), model.truth)
    assert found["interval"] == pytest.approx(0.95, abs=0.03)
    assert found["one_sided"] == pytest.approx(0.95, abs=0.03)
