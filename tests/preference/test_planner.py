"""Plans: the published figures, and the closed form against simulated studies, each testing the other."""

from __future__ import annotations

import pytest

from evalsuite.errors import UsageError
from evalsuite.preference.planner import Assumptions, plan, prompts_needed, simulated_power, study_of, variance_of

USUAL = Assumptions()


@pytest.mark.parametrize(("votes", "prompts"), [(1, 589), (3, 250), (5, 183), (10, 132), (10**9, 81)])
def test_five_points_need_so_many_prompts(votes: int, prompts: int) -> None:
    assert prompts_needed(USUAL, 0.05, votes) == prompts


def test_twice_the_difference_needs_a_quarter() -> None:
    assert prompts_needed(USUAL, 0.10, 1) == pytest.approx(589 / 4, abs=1)
    assert prompts_needed(USUAL, 0.025, 3) == pytest.approx(4 * 250, abs=4)


def test_what_bloomchats_prompts_could_tell() -> None:
    found = plan(USUAL, 22, 10)
    assert found.detectable == pytest.approx(0.12, abs=0.003)
    assert found.detectable_t == pytest.approx(0.128, abs=0.003)
    assert (found.num_votes, found.votes_each) == (220, 220)


def test_more_votes_do_not_make_up_for_prompts() -> None:
    few, many = plan(USUAL, 22, 3), plan(USUAL, 22, 300)
    assert many.detectable > 0.55 * few.detectable
    assert plan(USUAL, 88, 3).detectable == pytest.approx(few.detectable / 2)


def test_languages_that_share_prompts_are_no_new_prompts() -> None:
    alike, apart = Assumptions(shared=1.0), Assumptions(shared=0.0)
    assert variance_of(alike, 22, 10**9, num_languages=6) == pytest.approx(variance_of(alike, 22, 10**9))
    assert variance_of(apart, 22, 3, num_languages=6) == pytest.approx(variance_of(apart, 22, 3) / 6)


def test_annotators_vary_too() -> None:
    assumptions = Assumptions(annotator_sd=0.1)
    assert variance_of(assumptions, 10**9, 1, num_annotators=10) == pytest.approx(0.001, rel=1e-3)
    found = plan(assumptions, 100, 3, num_annotators=10)
    assert found.votes_each == 30
    assert found.detectable_t is not None
    assert found.detectable_t > 1.1 * found.detectable


def test_too_few_prompts_find_nothing() -> None:
    found = plan(USUAL, 5, 3)
    assert (found.detectable_t, found.half_width) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Assumptions(ties=1.0),
        lambda: Assumptions(prompt_sd=0.6),
        lambda: Assumptions(power=1.0),
        lambda: prompts_needed(USUAL, 0.0, 3),
        lambda: prompts_needed(USUAL, 0.6, 3),
        lambda: plan(USUAL, 0, 3),
        lambda: plan(USUAL, 9, 3, num_annotators=2),
        lambda: study_of(Assumptions(prompt_sd=0.4, ties=0.3), 0.05, 20, 3),
    ],
)
def test_what_cannot_be_is_refused(wrong: object) -> None:
    with pytest.raises(UsageError):
        wrong()  # type: ignore[operator]


def test_a_simulated_study_is_what_was_assumed() -> None:
    study = study_of(USUAL, 0.05, 40, 3)
    assert study.truth("en") == pytest.approx(0.55)
    assert study.spread_of_prompts("en") == pytest.approx(0.16)
    assert study.tie_share("en") == pytest.approx(0.25)


@pytest.mark.parametrize(("difference", "votes"), [(0.10, 3), (0.07, 10)])
def test_the_closed_form_and_the_simulator_agree(difference: float, votes: int) -> None:
    """Planned for a power of 80 %."""
    prompts = prompts_needed(USUAL, difference, votes)
    found = simulated_power(study_of(USUAL, difference, prompts, votes), 300, seed=1)
    assert found == pytest.approx(0.8, abs=0.07)


def test_the_simulator_agrees_over_languages() -> None:
    languages = ("en", "zh", "fr", "ar", "es", "hi")
    prompts = prompts_needed(USUAL, 0.07, 3, num_languages=6)
    study = study_of(USUAL, 0.07, prompts, 3, languages=languages)
    assert simulated_power(study, 200, seed=1) == pytest.approx(0.8, abs=0.08)


def test_without_a_difference_one_in_twenty_is_found() -> None:
    assert simulated_power(study_of(USUAL, 1e-9, 60, 3), 400, seed=2) == pytest.approx(0.05, abs=0.03)
