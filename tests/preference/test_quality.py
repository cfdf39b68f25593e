"""Shares of quality: prompts count once, levels add up, intervals hold, differences are of the same prompts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from evalsuite.preference.families import adjusted
from evalsuite.preference.quality import Quality, qualities
from evalsuite.preference.quality_differences import QualityDifference, quality_differences
from evalsuite.preference.table import table_of
from evalsuite.preference.win_rates import rates_of_pair
from evalsuite.stats.intervals import paired_proportions, t_interval, wilson
from evalsuite.verdicts import Comparison, Winner
from evalsuite.votes import ACCEPTABILITY, QualityRating, Scale

UNUSABLE, FLAWED, OK, GOOD = ACCEPTABILITY.levels


def rating(item: str, level: str, rater: str = "r", *, system: str = "x", language: str = "en") -> QualityRating:
    return QualityRating(item=item, group=item, language=language, system=system, rater=rater, level=level)


def only(ratings: Sequence[QualityRating]) -> Quality:
    (found,) = qualities(ratings, ACCEPTABILITY)
    return found


def differences(ratings: Sequence[QualityRating], num_draws: int = 500) -> tuple[QualityDifference, ...]:
    return quality_differences(ratings, ACCEPTABILITY, seed=1, num_draws=num_draws)


# -- one system


def test_a_prompt_with_many_ratings_weighs_no_more() -> None:
    many = [rating("1", GOOD, f"r{n}") for n in range(9)]
    found = only([*many, rating("2", FLAWED), rating("3", OK, "p"), rating("3", UNUSABLE, "q")])
    assert found.share_acceptable == pytest.approx(1.5 / 3)
    assert list(found.levels) == [UNUSABLE, FLAWED, OK, GOOD]
    assert list(found.levels.values()) == pytest.approx([1 / 6, 1 / 3, 1 / 6, 1 / 3])
    assert (found.num_ratings, found.num_prompts, found.num_groups, found.num_annotators) == (12, 3, 3, 12)
    assert (found.scope, found.languages) == ("language", ("en",))


def test_by_hand_the_interval_of_one_rater() -> None:
    """Five of eight prompts: the sample's error, and t of seven degrees, over the eight."""
    levels = [GOOD, OK, OK, GOOD, OK, FLAWED, FLAWED, UNUSABLE]
    found = only([rating(str(n), level) for n, level in enumerate(levels)])
    stderr = math.sqrt(5 / 8 * 3 / 8 / 7)
    assert found.stderr == pytest.approx(stderr)
    assert (found.interval, found.degrees, found.num_annotators) == ("prompt-t", 7, 1)
    assert (found.low, found.high) == pytest.approx((5 / 8 - 2.364624 * stderr, 1.0))
    assert set(found.intervals) == set(ACCEPTABILITY.levels)
    by_t = t_interval(3 / 8, math.sqrt(3 / 8 * 5 / 8 / 7), 8, (0.0, 1.0))
    assert (found.intervals[OK].low, found.intervals[OK].high) == pytest.approx(by_t)


@pytest.mark.parametrize("num", [1, 5])
def test_too_few_prompts_have_no_interval(num: int) -> None:
    found = only([rating(str(n), GOOD if n % 2 else FLAWED, f"r{n}") for n in range(num)])
    assert (found.low, found.high, found.interval, found.intervals) == (None, None, "", {})


def test_ratings_all_alike_are_not_certain() -> None:
    found = only([rating(str(n % 8), OK, f"r{n}") for n in range(80)])
    assert (found.share_acceptable, found.interval) == (1.0, "wilson")
    assert (found.low, found.high) == pytest.approx(wilson(1.0, 8))
    assert (found.intervals[GOOD].low, found.intervals[GOOD].high) == pytest.approx(wilson(0.0, 8))


def test_no_ratings_no_systems() -> None:
    assert qualities([], ACCEPTABILITY) == ()
    assert quality_differences([], ACCEPTABILITY, seed=1) == ()


def test_languages_weigh_the_same_and_only_those_a_system_has() -> None:
    ratings = [rating(str(n), GOOD) for n in range(9)] + [rating("1", FLAWED, language="hi")]
    ratings += [rating("1", GOOD, system="y", language="hi")]
    english, hindi, macro, other = qualities(ratings, ACCEPTABILITY)
    assert (english.share_acceptable, hindi.share_acceptable, macro.share_acceptable) == (1.0, 0.0, 0.5)
    assert (macro.scope, macro.languages, macro.num_prompts, macro.num_groups) == ("macro", ("en", "hi"), 10, 9)
    assert (other.system, other.scope, other.languages) == ("y", "language", ("hi",))


def test_one_prompt_in_every_language_is_one_prompt() -> None:
    levels = [GOOD, FLAWED, OK, OK, UNUSABLE, GOOD, OK]
    ratings = [rating(str(n), levels[n], name, language=name) for name in ("en", "hi", "zh") for n in range(7)]
    found = {one.languages: one for one in qualities(ratings, ACCEPTABILITY)}
    assert found["en", "hi", "zh"].stderr == pytest.approx(found["en",].stderr)
    assert (found["en", "hi", "zh"].num_prompts, found["en", "hi", "zh"].num_groups) == (21, 7)


def test_levels_off_the_scale_are_named() -> None:
    with pytest.raises(ValueError, match=r"'acceptability-4': '', 'great'; expected one of unusable, flawed"):
        qualities([rating("1", "great"), rating("2", ""), rating("3", GOOD)], ACCEPTABILITY)
    with pytest.raises(ValueError, match="'great'"):
        quality_differences([rating("1", "great")], ACCEPTABILITY, seed=1)
    with pytest.raises(ValueError, match="'fine' is not among"):
        qualities([], Scale(name="two", levels=("no", "yes"), acceptable="fine"))


def rows(num: int = 60) -> st.SearchStrategy[list[QualityRating]]:
    row = st.builds(
        rating,
        st.sampled_from([str(n) for n in range(9)]),
        st.sampled_from(ACCEPTABILITY.levels),
        st.sampled_from(["p", "q", "r", "s"]),
        system=st.sampled_from(["x", "y"]),
        language=st.sampled_from(["en", "hi"]),
    )
    return st.lists(row, min_size=1, max_size=num)


@given(rows())
def test_the_share_is_a_win_rate_against_a_bar(ratings: list[QualityRating]) -> None:
    """The same numbers by the other module: an answer that is acceptable wins, one that is not loses."""
    for system in {row.system for row in ratings}:
        own = [row for row in ratings if row.system == system]
        votes = [
            Comparison(
                item=row.item, group=row.group, language=row.language, system_a=system, system_b="zz", rater=row.rater,
                winner=Winner.A if row.level in {OK, GOOD} else Winner.B,
            )
            for row in own
        ]  # fmt: skip
        rates = [rate for rate in rates_of_pair(table_of(votes), system, "zz") if rate.scope != "pooled"]
        for found, rate in zip(qualities(own, ACCEPTABILITY), rates, strict=True):
            assert found.scope == rate.scope
            assert found.share_acceptable == pytest.approx(rate.win_half)
            assert (found.low, found.high) == pytest.approx((rate.low, rate.high))
            assert found.stderr == pytest.approx(rate.stderr)
            assert (found.interval, found.degrees, found.num_prompts) == (rate.interval, rate.degrees, rate.num_prompts)


@given(rows())
def test_levels_add_up(ratings: list[QualityRating]) -> None:
    for found in qualities(ratings, ACCEPTABILITY):
        assert sum(found.levels.values()) == pytest.approx(1.0)
        assert found.levels[OK] + found.levels[GOOD] == pytest.approx(found.share_acceptable)


@given(rows(30), st.randoms())
def test_the_order_of_ratings_says_nothing(ratings: list[QualityRating], random: object) -> None:
    shuffled = list(ratings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for here, there in zip(qualities(ratings, ACCEPTABILITY), qualities(shuffled, ACCEPTABILITY), strict=True):
        assert (here.share_acceptable, here.low, here.high) == pytest.approx(
            (there.share_acceptable, there.low, there.high)
        )
    for one, other in zip(differences(ratings, 50), differences(shuffled, 50), strict=True):
        assert (one.difference, one.low, one.high) == pytest.approx((other.difference, other.low, other.high))


# -- two systems


def test_a_difference_is_of_prompts_that_both_have() -> None:
    ratings = [rating("1", GOOD), rating("2", GOOD), rating("2", FLAWED, "q"), rating("3", UNUSABLE)]
    ratings += [rating("2", FLAWED, system="y"), rating("3", UNUSABLE, system="y"), rating("4", GOOD, system="y")]
    (found,) = differences(ratings)
    assert (found.system_a, found.system_b) == ("x", "y")
    assert (found.share_a, found.share_b, found.difference) == pytest.approx((1 / 4, 0.0, 1 / 4))
    assert (found.num_ratings, found.num_prompts, found.num_annotators) == (5, 2, 2)
    assert (found.low, found.high, found.interval, found.p_value) == (None, None, "", None)


def test_systems_without_a_prompt_in_common_have_none() -> None:
    assert differences([rating("1", GOOD), rating("2", GOOD, system="y")]) == ()
    assert differences([rating("1", GOOD), rating("1", GOOD, system="y", language="hi")]) == ()


def test_every_pair_in_every_language_both_have() -> None:
    systems = {"x": ("en", "hi", "zh"), "y": ("en", "hi"), "z": ("hi",)}
    ratings = [rating("1", GOOD, system=name, language=one) for name, those in systems.items() for one in those]
    asked = [(found.system_a + found.system_b, found.languages) for found in differences(ratings)]
    assert asked == [
        ("xy", ("en",)), ("xy", ("hi",)), ("xy", ("en", "hi")), ("xz", ("hi",)), ("yz", ("hi",)),
    ]  # fmt: skip


def test_a_strict_rater_is_strict_with_both() -> None:
    """Every answer of one is acceptable and of the other not, but who rates both changes nothing of the difference."""
    ratings = []
    for number in range(12):
        lenient = number % 2 == 0
        rater = "lenient" if lenient else "strict"
        for system in ("x", "y"):
            is_better = system == "x" and number < 4
            ratings.append(rating(str(number), GOOD if lenient or is_better else FLAWED, rater, system=system))
    (found,) = differences(ratings)
    alone = qualities([row for row in ratings if row.system == "y"], ACCEPTABILITY)[0]
    assert found.difference == pytest.approx(2 / 12)
    assert alone.stderr is not None
    assert found.stderr is not None
    assert found.stderr < 0.75 * alone.stderr


def test_the_same_in_every_language_is_as_uncertain_as_in_one() -> None:
    """Two prompts of thirty make all the difference, so that the draws set the upper end."""
    ratings = [
        rating(str(n), FLAWED if system == "y" and n < 2 else GOOD, system=system, language=name)
        for name in ("en", "hi", "zh")
        for system in "xy"
        for n in range(30)
    ]
    found = {one.languages: one for one in differences(ratings, 4000)}
    alone, all_three = found["en",], found["en", "hi", "zh"]
    assert (all_three.difference, all_three.stderr) == pytest.approx((alone.difference, alone.stderr))
    assert all_three.high == pytest.approx(alone.high)


def test_systems_always_alike_are_not_certain() -> None:
    ratings = [rating(str(n), GOOD if n % 3 else FLAWED, system=system) for n in range(9) for system in "xy"]
    (found,) = differences(ratings)
    assert (found.difference, found.interval, found.p_value) == (0.0, "bonett-price", None)
    assert (found.low, found.high) == pytest.approx(paired_proportions(0, 0, 9))


def test_one_always_better_is_not_certain() -> None:
    ratings = [rating(str(n), level, system=name) for n in range(9) for name, level in (("x", GOOD), ("y", FLAWED))]
    (found,) = differences(ratings)
    assert (found.low, found.high) == pytest.approx(paired_proportions(9, 0, 9))


@given(rows(40))
def test_seen_from_the_other_side_it_is_mirrored(ratings: list[QualityRating]) -> None:
    other = {"x": "y", "y": "x"}
    renamed = [
        rating(row.item, row.level, row.rater, system=other[row.system], language=row.language) for row in ratings
    ]
    for here, there in zip(differences(ratings, 50), differences(renamed, 50), strict=True):
        mirrored = None if there.low is None or there.high is None else (-there.high, -there.low)
        assert here.difference == pytest.approx(-there.difference)
        assert (here.low, here.high) == pytest.approx(mirrored or (None, None))
        assert here.p_value == pytest.approx(there.p_value)


def test_chances_are_adjusted_by_scope() -> None:
    """Holm by hand: three pairs in one language, the smallest chance thrice, the next twice, none below the last."""
    random = np.random.default_rng(2)
    levels = {"x": 0.9, "y": 0.5, "z": 0.55}
    ratings = [
        rating(str(n), GOOD if random.random() < share else FLAWED, system=name)
        for n in range(40)
        for name, share in levels.items()
    ]
    found = differences(ratings)
    chances = sorted(one.p_value for one in found if one.p_value is not None)
    expected = [3 * chances[0], max(3 * chances[0], 2 * chances[1]), max(2 * chances[1], chances[2])]
    assert [one.p_adjusted for one in found] == [None] * 3
    after = sorted(one.p_adjusted for one in adjusted(found, "holm") if one.p_adjusted is not None)
    assert after == pytest.approx(expected)


# -- intervals hold

ERROR_SDS = {"prompt": 0.5, "system": 0.4, "language": 0.4, "rater": 0.4, "rest": 1.0}
TOTAL_SD = math.sqrt(sum(sd**2 for sd in ERROR_SDS.values()))
MEANS = {"x": 0.6, "y": 0.3}


def truth(system: str) -> float:
    """The share above nought of what is normal."""
    return float(ndtr(MEANS[system] / TOTAL_SD))


def study(random: np.random.Generator, languages: Sequence[str], num_prompts: int = 30) -> list[QualityRating]:
    """Three of ten raters on each prompt; the same three rate both systems."""
    prompt = random.normal(0, ERROR_SDS["prompt"], num_prompts)
    of_system = {system: random.normal(0, ERROR_SDS["system"], num_prompts) for system in MEANS}
    found = []
    for language in languages:
        strictness = random.normal(0, ERROR_SDS["rater"], 10)
        chosen = random.permuted(np.tile(np.arange(10), (num_prompts, 1)), axis=1)[:, :3]
        for system, mean in MEANS.items():
            own = prompt + of_system[system] + random.normal(0, ERROR_SDS["language"], num_prompts)
            score = mean + own[:, None] + strictness[chosen] + random.normal(0, ERROR_SDS["rest"], chosen.shape)
            places = np.searchsorted([-0.8, 0.0, 0.9], score)
            found += [
                rating(
                    str(n),
                    ACCEPTABILITY.levels[places[n, k]],
                    f"{language}{chosen[n, k]}",
                    system=system,
                    language=language,
                )
                for n in range(num_prompts)
                for k in range(3)
            ]
    return found


def covers(low: float | None, high: float | None, value: float) -> bool:
    assert low is not None
    assert high is not None
    return low <= value <= high


def coverage_of_shares(languages: Sequence[str], num_draws: int) -> tuple[float, float]:
    """Of ours and of that of independent ratings."""
    random, ours, naive = np.random.default_rng(11), [], []
    for _ in range(num_draws):
        found = qualities([row for row in study(random, languages) if row.system == "x"], ACCEPTABILITY)[-1]
        assert found.stderr is not None
        assert found.design_effect is not None
        ours.append(covers(found.low, found.high, truth("x")))
        independent = 1.96 * found.stderr / math.sqrt(found.design_effect)
        naive.append(abs(found.share_acceptable - truth("x")) <= independent)
    return float(np.mean(ours)), float(np.mean(naive))


def test_the_interval_of_a_share_holds() -> None:
    ours, naive = coverage_of_shares(("en",), 1000)
    assert 0.93 <= ours <= 0.97
    assert naive < 0.90


@pytest.mark.full
def test_the_interval_of_a_macro_share_holds() -> None:
    ours, naive = coverage_of_shares(("en", "hi", "zh"), 2000)
    assert 0.93 <= ours <= 0.97
    assert naive < 0.88


@pytest.mark.parametrize("languages", [("en",), ("en", "hi", "zh")])
def test_the_interval_of_a_difference_holds(languages: tuple[str, ...]) -> None:
    """It is the farther of two at each end, so it may hold a little too often."""
    random, hits, finds = np.random.default_rng(12), [], []
    for draw in range(300):
        found = quality_differences(study(random, languages), ACCEPTABILITY, seed=draw, num_draws=400)[-1]
        hits.append(covers(found.low, found.high, truth("x") - truth("y")))
        finds.append(not covers(found.low, found.high, 0.0))
    assert 0.93 <= np.mean(hits) <= 0.985
    assert np.mean(finds) > 0.1


def test_draws_follow_ratings_that_are_skewed() -> None:
    """Two prompts of thirty make all the difference: t alone would go as far below as above."""
    ratings = [rating(str(n), GOOD, system="x") for n in range(30)]
    ratings += [rating(str(n), FLAWED if n < 2 else GOOD, system="y") for n in range(30)]
    (found,) = differences(ratings, 4000)
    by_t = t_interval(found.difference, found.stderr, 30, (-1.0, 1.0))
    assert by_t is not None
    assert found.high is not None
    assert found.interval == "bootstrap-and-t"
    assert found.low == pytest.approx(by_t[0])
    assert found.high == pytest.approx(5 / 30)
    assert found.high > by_t[1]
