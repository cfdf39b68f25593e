"""Means over tasks and over families against textbook formulas, brute force and simulation."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from evalsuite.contracts import Metric, Task
from evalsuite.metrics import accuracy, probability, share
from evalsuite.records import Aggregate, Estimate
from evalsuite.stats.aggregates import mean_of_families, mean_of_tasks
from evalsuite.stats.estimates import Measured, measure
from evalsuite.types import Cause, Outcome, Sample, Score, Scored, Unscored

Rows = Sequence[float] | NDArray[np.float64]
Kind = Literal["macro", "micro"]

ACCURACY = accuracy("acc", lambda _: 0.25)
PROBABILITY = probability("mass")
UNCERTAIN = share("share")
Z = float(stats.norm.ppf(0.975))


def measured(
    name: str,
    values: Rows,
    *,
    metric: Metric = ACCURACY,
    family: str = "quiz",
    clusters: Sequence[str] | None = None,
    num_unscored: int = 0,
) -> Measured:
    """`metric` over rows of these values, and over rows without a score."""
    scored: list[Outcome] = [Scored(scores=(Score(name=metric.name, counts=(float(v), 1.0)),)) for v in values]
    names = [*(clusters or [""] * len(values)), *[""] * num_unscored]
    rows = [
        (Sample(id=f"{name}:test:{row}", input="", language="en", cluster=cluster), outcome)
        for row, (cluster, outcome) in enumerate(
            zip(names, [*scored, *[Unscored(cause=Cause.TIMEOUT)] * num_unscored], strict=True)
        )
    ]
    task = Task(
        name=name,
        family=family,
        version=1,
        language="en",
        protocol="quiz-v1",
        num_fewshot=0,
        kind="multiple_choice",
        datasets=(),
        samples=lambda _: (),
        next_requests=lambda _, __: (),
        score=lambda _, __: Scored(scores=()),
        metrics=(metric,),
    )
    part = measure(task, "model", metric, rows)
    assert part is not None
    return part


def coins(num_right: int, n: int) -> list[float]:
    return [1.0] * num_right + [0.0] * (n - num_right)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's score interval, as its two roots: where a share lies 1.96 of its own standard errors from ours."""
    roots = np.roots([1 + Z**2 / n, -(2 * share + Z**2 / n), share**2])
    return float(min(roots)), float(max(roots))


def by_error(mean: Aggregate, num_clusters: float) -> tuple[float, float]:
    """Wilson's interval for as many trials as the error is worth, Student's allowance for few clusters included."""
    assert mean.stderr is not None
    widened = mean.stderr * float(stats.t.ppf(0.975, num_clusters - 1)) / Z
    return wilson(mean.value, min(mean.n, num_clusters, mean.value * (1 - mean.value) / widened**2))


def interval(mean: Aggregate) -> tuple[float, float]:
    assert mean.low is not None
    assert mean.high is not None
    return mean.low, mean.high


COLUMNS = {"quiz_a": coins(4, 10), "quiz_b": coins(60, 80), "quiz_c": coins(13, 30)}
PARTS = [measured(name, values) for name, values in COLUMNS.items()]
SIZES = np.array([len(values) for values in COLUMNS.values()])
SHARES = np.array([np.mean(values) for values in COLUMNS.values()])
VARIANCES = np.array([np.var(values, ddof=1) / len(values) for values in COLUMNS.values()])


# -- means of whole tasks


@pytest.mark.parametrize(
    ("kind", "weights"), [("macro", np.full(3, 1 / 3)), ("micro", SIZES / SIZES.sum())], ids=["macro", "micro"]
)
def test_tasks_are_strata(kind: Kind, weights: NDArray[np.float64]) -> None:
    """Value and error of a stratified mean (Cochran 1977, 5.2 and 5.6), without its finite-population factor."""
    found = mean_of_tasks(kind, PARTS)
    assert found.value == pytest.approx(float(weights @ SHARES))
    assert found.stderr == pytest.approx(math.sqrt(float(weights**2 @ VARIANCES)))
    num_trials = 1 / float((weights**2 / SIZES).sum())
    assert interval(found) == pytest.approx(by_error(found, num_trials))
    assert found.interval == "wilson-clustered"


def test_macro_weighs_tasks_and_micro_samples() -> None:
    macro, micro = (mean_of_tasks(kind, PARTS) for kind in ("macro", "micro"))
    assert macro.value == pytest.approx((4 / 10 + 60 / 80 + 13 / 30) / 3)
    assert micro.value == pytest.approx(77 / 120)
    pooled = [value for values in COLUMNS.values() for value in values]
    assert micro.value == pytest.approx(measured("quiz", pooled).estimate.value)
    assert interval(micro) == pytest.approx(by_error(micro, 120))
    assert (macro.n, micro.n, macro.num_clusters, micro.num_clusters) == (120, 120, 120, 120)


@pytest.mark.parametrize("kind", ["macro", "micro"])
def test_questions_that_tasks_share_count_once(kind: Kind) -> None:
    """The error is that of each question's mean over the tasks, with Student's allowance for eight questions."""
    ours, theirs = np.array(coins(5, 8)), np.array([1.0, 1, 1, 1, 0, 1, 0, 0])
    names = [f"question {row}" for row in range(8)]
    found = mean_of_tasks(kind, [measured(f"quiz_{n}", x, clusters=names) for n, x in enumerate((ours, theirs))])
    stderr = float(np.std((ours + theirs) / 2, ddof=1)) / math.sqrt(8)
    assert (found.value, found.stderr) == pytest.approx((0.625, stderr))
    assert (found.n, found.num_clusters, found.interval) == (16, 8, "wilson-clustered")
    widened = stderr * float(stats.t.ppf(0.975, 7)) / Z
    assert interval(found) == pytest.approx(wilson(0.625, 0.625 * 0.375 / widened**2))


def test_what_a_mean_is_called() -> None:
    found = mean_of_tasks("macro", PARTS)
    assert (found.name, found.kind, found.family, found.metric) == ("quiz macro acc", "macro", "quiz", "acc")
    assert found.parts == found.members == ("quiz_a", "quiz_b", "quiz_c")
    assert (found.num_tasks, found.protocol, found.signature, found.scale) == (3, "quiz-v1", "v1", 100.0)
    assert not found.is_primary
    some = mean_of_tasks("micro", [measured(f"quiz_{code}:tea", coins(1, 2)) for code in "ab"])
    assert some.name == "quiz:tea micro acc"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["macro", "micro"])
def test_the_mean_of_a_probability_has_the_wider_of_two_intervals(kind: Kind, seed: int) -> None:
    """Student's, one degree of freedom less than the rows it is worth, and Wilson's, widened by t over z."""
    rng = np.random.default_rng(seed)
    columns = [rng.beta(2, 3, size) for size in (6, 20, 45)]
    found = mean_of_tasks(kind, [measured(f"quiz_{n}", column, metric=PROBABILITY) for n, column in enumerate(columns)])
    sizes = np.array([6, 20, 45])
    weights = np.full(3, 1 / 3) if kind == "macro" else sizes / 71
    stderr = math.sqrt(sum(w**2 * np.var(x, ddof=1) / len(x) for w, x in zip(weights, columns, strict=True)))
    assert found.value == pytest.approx(sum(w * x.mean() for w, x in zip(weights, columns, strict=True)))
    assert found.stderr == pytest.approx(stderr)
    worth = 1 / float((weights**2 / sizes).sum())
    z = stats.norm.ppf(0.975)
    trials = found.value * (1 - found.value) / (stderr * stats.t.ppf(0.975, worth - 1) / z) ** 2
    centre = (found.value + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * math.sqrt(found.value * (1 - found.value) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    student = stats.t.interval(0.95, worth - 1, loc=found.value, scale=stderr)
    assert interval(found) == pytest.approx((min(centre - half, student[0]), max(centre + half, student[1])))
    assert found.interval == "t-and-wilson"


def test_an_empty_mean_is_refused() -> None:
    with pytest.raises(ValueError, match="a mean of nothing"):
        mean_of_tasks("micro", [])
    with pytest.raises(ValueError, match="board_average: a mean of nothing"):
        mean_of_families("board_average", [], (), "board-v1")


# -- means of a random sample of a family's rows


def hajek(columns: Sequence[Rows], weights: Sequence[float]) -> float:
    above = sum(w * float(np.sum(column)) for w, column in zip(weights, columns, strict=True))
    return above / sum(w * len(column) for w, column in zip(weights, columns, strict=True))


def test_a_sampled_macro_mean_is_hajeks_ratio_with_the_delete_one_jackknife() -> None:
    """Against brute force: every row left out once, the ratio computed anew."""
    columns = [np.array(coins(1, 2)), np.array(coins(9, 12)), np.array([1.0])]
    available = {"quiz_0": 100, "quiz_1": 1500, "quiz_2": 40}
    parts = [measured(f"quiz_{place}", column) for place, column in enumerate(columns)]
    found = mean_of_tasks("macro", parts, available)
    weights = [1 / 100, 1 / 1500, 1 / 40]
    assert found.value == pytest.approx((1 / 100 + 9 / 1500 + 1 / 40) / (2 / 100 + 12 / 1500 + 1 / 40))
    left = []
    for place, column in enumerate(columns):
        for row in range(len(column)):
            fewer = [np.delete(column, row) if other == place else rest for other, rest in enumerate(columns)]
            left.append(hajek(fewer, weights))
    assert found.stderr == pytest.approx(math.sqrt(14 / 15 * float(np.square(np.array(left) - np.mean(left)).sum())))
    kish = (2 / 100 + 12 / 1500 + 1 / 40) ** 2 / (2 / 100**2 + 12 / 1500**2 + 1 / 40**2)
    assert interval(found) == pytest.approx(by_error(found, kish))
    assert (found.n, found.num_tasks, found.parts) == (15, 3, ("quiz_0", "quiz_1", "quiz_2"))


def test_a_sampled_micro_mean_is_the_pooled_share() -> None:
    available = {"quiz_a": 100, "quiz_b": 1500, "quiz_c": 40}
    found = mean_of_tasks("micro", PARTS, available)
    pooled = np.concatenate([np.array(values) for values in COLUMNS.values()])
    assert found.value == pytest.approx(77 / 120)
    assert found.stderr == pytest.approx(float(np.std(pooled, ddof=1)) / math.sqrt(120))
    assert interval(found) == pytest.approx(by_error(found, 120))


def test_on_a_whole_run_both_forms_are_one_number() -> None:
    available = {name: len(values) for name, values in COLUMNS.items()}
    whole = mean_of_tasks("macro", PARTS)
    found = mean_of_tasks("macro", PARTS, available)
    assert found.value == pytest.approx(whole.value)
    assert interval(found) == pytest.approx(interval(whole), rel=0.02)
    assert whole.stderr is not None
    assert found.stderr is not None
    assert found.stderr > whole.stderr  # one stratum holds what differs between tasks too


def test_rows_that_tasks_share_are_left_out_together() -> None:
    """One question in two tasks: the jackknife drops both copies, and the number of questions bounds what they tell."""
    ours, theirs = np.array(coins(5, 8)), np.array([1.0, 1, 1, 1, 0, 1, 0, 0])
    names = [f"question {row}" for row in range(8)]
    parts = [measured(f"quiz_{place}", column, clusters=names) for place, column in enumerate((ours, theirs))]
    found = mean_of_tasks("macro", parts, {"quiz_0": 100, "quiz_1": 300})
    weights = [1 / 100, 1 / 300]
    left = [hajek([np.delete(ours, row), np.delete(theirs, row)], weights) for row in range(8)]
    stderr = math.sqrt(7 / 8 * float(np.square(np.array(left) - np.mean(left)).sum()))
    assert found.stderr == pytest.approx(stderr)
    widened = stderr * float(stats.t.ppf(0.975, 7)) / Z
    assert interval(found) == pytest.approx(wilson(found.value, found.value * (1 - found.value) / widened**2))
    assert (found.num_clusters, found.interval) == (8, "wilson-clustered")


def test_a_sample_of_one_row_a_task_has_an_error_and_of_one_row_none() -> None:
    parts = [measured(f"quiz_{place}", [float(place % 2)]) for place in range(6)]
    available = {f"quiz_{place}": 50 for place in range(6)}
    assert mean_of_tasks("macro", parts).stderr is None
    found = mean_of_tasks("macro", parts, available)
    assert found.stderr == pytest.approx(math.sqrt(0.25 * 6 / 5 / 6))
    assert mean_of_tasks("macro", parts[:1], available).num_clusters == 1


def test_a_probability_is_not_pooled() -> None:
    """Its interval is Student's, for which strata are needed; so it is the mean of the tasks that were met."""
    parts = [measured(f"quiz_{size}", np.linspace(0.1, 0.6, size), metric=PROBABILITY) for size in (3, 9)]
    assert mean_of_tasks("macro", parts, {"quiz_3": 5, "quiz_9": 500}) == mean_of_tasks("macro", parts)


# -- simulation

FAMILY_SIZES = (100, 100, 110, 120, 150, 200, 240, 300, 400, 800, 1500, 890, 112, 166, 600, 330) * 2


class Population:
    """A family of tasks whose every answer is known, from which samples of rows are drawn."""

    def __init__(self, shares: Sequence[float], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        sizes = FAMILY_SIZES
        columns = [coins(round(share * n), n) for share, n in zip(shares, sizes, strict=True)]
        self.truth = {"macro": float(np.mean([np.mean(column) for column in columns]))}
        self._rows = np.concatenate(columns)
        self.truth["micro"] = float(np.mean(self._rows))
        self._owner = np.repeat(np.arange(len(sizes)), sizes)
        self._available = {f"quiz_{place}": n for place, n in enumerate(sizes)}

    def draws(self, kind: Kind, num_rows: int, num_draws: int) -> list[tuple[Aggregate, Aggregate]]:
        """The sampled mean of each draw, and the mean of the tasks that were met."""
        found = []
        for _ in range(num_draws):
            picked = self._rng.choice(len(self._rows), num_rows, replace=False)
            owners = self._owner[picked]
            met = [int(owner) for owner in np.unique(owners)]
            parts = [measured(f"quiz_{owner}", self._rows[picked][owners == owner]) for owner in met]
            found.append((mean_of_tasks(kind, parts, self._available), mean_of_tasks(kind, parts)))
        return found


def varied(seed: int = 11) -> Population:
    """Tasks of all difficulties, whatever their size."""
    return Population(np.random.default_rng(3).uniform(0.25, 0.9, len(FAMILY_SIZES)).tolist(), seed)


def covered(found: Sequence[Aggregate], truth: float) -> float:
    """The share of intervals that hold the truth."""
    return float(np.mean([low <= truth <= high for low, high in map(interval, found)]))


def test_a_sampled_macro_mean_is_nearly_unbiased_where_the_mean_of_what_was_met_is_not() -> None:
    """Small tasks are easy here and large ones hard; samples of 60 rows often miss the small ones."""
    population = Population([0.9 if size < 250 else 0.45 for size in FAMILY_SIZES], seed=7)
    truth = population.truth["macro"]
    found, met = zip(*population.draws("macro", 60, 400), strict=True)
    values = np.array([mean.value for mean in found])
    assert abs(values.mean() - truth) < 0.012
    assert values.mean() == pytest.approx(truth, abs=3 * values.std() / math.sqrt(400) + 0.004)
    assert np.mean([mean.value for mean in met]) < truth - 0.02
    assert population.truth["micro"] < truth - 0.1


@pytest.mark.parametrize("num_rows", [50, 150])
@pytest.mark.parametrize("kind", ["macro", "micro"])
def test_the_interval_of_a_sampled_mean_holds_the_truth_as_often_as_it_says(kind: Kind, num_rows: int) -> None:
    population = varied()
    found = [sampled for sampled, _ in population.draws(kind, num_rows, 400)]
    assert 0.92 <= covered(found, population.truth[kind]) <= 0.98
    spread = float(np.std([mean.value for mean in found]))
    assert float(np.mean([mean.stderr for mean in found if mean.stderr])) == pytest.approx(spread, rel=0.12)


SURE = [measured(f"quiz_{place}", coins(995, 1000)) for place in range(9)]
TORN = measured("quiz_torn", coins(5, 10))


@pytest.mark.parametrize(
    "available",
    [None, {"quiz_torn": 100} | {part.estimate.task: 10_000 for part in SURE}],
    ids=["a whole run", "a sample"],
)
def test_an_interval_is_as_wide_as_the_error_beside_it(available: dict[str, int] | None) -> None:
    """One small task in doubt among large ones that are not: nearly all of the error comes from its few rows."""
    found = mean_of_tasks("macro", [TORN, *SURE], available)
    assert found.stderr is not None
    low, high = interval(found)
    assert (high - low) / 2 > 0.95 * Z * found.stderr


# -- what stayed unscored, and chance


def test_best_and_worst_case_of_means() -> None:
    """A task without unscored samples is its own best and worst case; micro weighs unscored samples too."""
    parts = [measured("quiz_a", coins(4, 10), num_unscored=10), measured("quiz_b", coins(60, 80))]
    macro, micro = (mean_of_tasks(kind, parts) for kind in ("macro", "micro"))
    assert macro.worst_case == pytest.approx((4 / 20 + 60 / 80) / 2)
    assert macro.best_case == pytest.approx((14 / 20 + 60 / 80) / 2)
    assert micro.worst_case == pytest.approx(64 / 100)
    assert micro.best_case == pytest.approx(74 / 100)
    assert (macro.num_unscored, macro.n) == (10, 90)
    for mean in (macro, micro):
        assert mean.worst_case is not None
        assert mean.best_case is not None
        assert mean.worst_case <= mean.value <= mean.best_case


def test_no_cases_where_nothing_is_unscored_or_none_is_known() -> None:
    whole = mean_of_tasks("macro", PARTS)
    assert (whole.best_case, whole.worst_case, whole.num_unscored) == (None, None, 0)
    parts = [measured(f"quiz_{n}", coins(2, 5), metric=UNCERTAIN, num_unscored=n) for n in range(2)]
    unknown = mean_of_tasks("macro", parts)
    assert (unknown.best_case, unknown.worst_case, unknown.num_unscored) == (None, None, 1)


def test_best_and_worst_case_hold_a_sampled_macro_mean() -> None:
    parts = [measured("quiz_a", [0.0]), measured("quiz_b", coins(3, 3), num_unscored=1)]
    found = mean_of_tasks("macro", parts, {"quiz_a": 100, "quiz_b": 100})
    assert found.worst_case is not None
    assert found.best_case is not None
    assert found.worst_case <= found.value <= found.best_case


def test_chance_of_means() -> None:
    half = accuracy("acc", lambda _: 0.5)
    parts = [measured("quiz_a", coins(1, 3)), measured("quiz_b", coins(1, 9), metric=half)]
    assert mean_of_tasks("macro", parts).chance == pytest.approx((0.25 + 0.5) / 2)
    assert mean_of_tasks("micro", parts).chance == pytest.approx((3 * 0.25 + 9 * 0.5) / 12)
    unknown = [*parts, measured("quiz_c", coins(1, 2), metric=accuracy("acc"))]
    assert mean_of_tasks("macro", unknown).chance is None
    assert mean_of_families("a", [part.estimate for part in unknown], "abc", "p").chance is None
    assert mean_of_families("a", [part.estimate for part in parts], "ab", "p").chance == pytest.approx(0.375)


# -- means of families


def estimate(value: float, stderr: float | None = 0.01, num_clusters: int = 1000, **more: Any) -> Estimate:
    """A family's headline."""
    return Estimate(
        **{
            "task": "quiz", "family": "quiz", "model": "model", "language": "en", "metric": "acc",
            "protocol": "quiz-v1", "signature": "v1", "value": value, "stderr": stderr, "low": None, "high": None,
            "n": num_clusters, "num_clusters": num_clusters, "interval": "wilson", "scale": 100.0, **more,
        }
    )  # fmt: skip


def test_an_average_of_families_adds_their_variances() -> None:
    parts = [estimate(0.5, 0.03, 40), estimate(0.7, 0.01, 400), estimate(0.3, 0.05, 9)]
    found = mean_of_families("board_average", parts, ("a", "b", "c"), "board-v1+variant")
    variances = np.array([0.03, 0.01, 0.05]) ** 2
    assert found.value == pytest.approx(0.5)
    assert found.stderr == pytest.approx(math.sqrt(float(variances.sum())) / 3)
    degrees = variances.sum() ** 2 / float((variances**2 / np.array([39, 399, 8])).sum())
    assert interval(found) == pytest.approx(stats.t.interval(0.95, degrees, loc=0.5, scale=found.stderr))
    assert (found.interval, found.kind, found.is_primary) == ("welch-t", "suite", True)
    assert (found.name, found.family, found.metric) == ("board_average", "board_average", "average")
    assert (found.protocol, found.parts, found.n, found.num_clusters) == ("board-v1+variant", ("a", "b", "c"), 449, 449)
    assert (found.scale, found.model, found.num_tasks) == (100.0, "model", 3)


@pytest.mark.parametrize("seed", range(5))
def test_an_average_of_two_families_is_welchs(seed: int) -> None:
    """The mean of two has the degrees of freedom of Welch's test of their difference, and half its interval."""
    rng = np.random.default_rng(seed)
    few, many = rng.beta(2, 3, 7), rng.beta(20, 30, 60)
    parts = [measured(name, x, metric=PROBABILITY).estimate for name, x in (("few", few), ("many", many))]
    found = mean_of_families("a", parts, ("few", "many"), "p")
    test = stats.ttest_ind(few, many, equal_var=False)
    theirs = test.confidence_interval(0.95)
    low, high = interval(found)
    assert found.value == pytest.approx((few.mean() + many.mean()) / 2)
    assert high - low == pytest.approx((theirs.high - theirs.low) / 2)


def test_one_family_keeps_its_error() -> None:
    found = mean_of_families("a", [estimate(0.5, 0.02, 12)], ("a",), "p")
    assert (found.value, found.stderr) == (0.5, 0.02)
    assert interval(found) == pytest.approx(stats.t.interval(0.95, 11, loc=0.5, scale=0.02))


def test_an_average_stays_between_nought_and_one() -> None:
    high = mean_of_families("a", [estimate(0.99, 0.2, 5), estimate(1.0, 0.01)], ("a", "b"), "p")
    low = mean_of_families("a", [estimate(0.01, 0.2, 5), estimate(0.0, 0.01)], ("a", "b"), "p")
    assert (high.high, low.low) == (1.0, 0.0)
    assert interval(high)[0] > 0.0
    assert interval(low)[1] < 1.0


def test_an_average_of_other_numbers_than_shares_has_no_bounds() -> None:
    parts = [estimate(38.0, 2.0, 50, scale=1.0), estimate(0.5, 2.0, 50, scale=1.0)]
    found = mean_of_families("a", parts, ("a", "b"), "p")
    assert found.value == pytest.approx(19.25)
    assert interval(found) == pytest.approx(stats.t.interval(0.95, 98, loc=19.25, scale=math.sqrt(2)))
    assert found.scale == 1.0


def test_without_the_error_of_one_part_an_average_has_none() -> None:
    found = mean_of_families("a", [estimate(0.5), estimate(0.7, None)], ("a", "b"), "p")
    assert (found.value, found.stderr, found.low, found.high, found.interval) == (0.6, None, None, None, "none")


def test_parts_without_spread_leave_an_average_without() -> None:
    found = mean_of_families("a", [estimate(0.5, 0.0), estimate(0.75, 0.0)], ("a", "b"), "p")
    assert (found.value, found.stderr, found.low, found.high) == (0.625, 0.0, 0.625, 0.625)
    mixed = mean_of_families("a", [estimate(0.5, 0.0, 5), estimate(0.7, 0.02, 5)], ("a", "b"), "p")
    assert interval(mixed) == pytest.approx(stats.t.interval(0.95, 4, loc=0.6, scale=0.01))


def test_an_average_of_means_knows_all_their_tasks() -> None:
    """Families of many tasks weigh as much as those of one."""
    whole = mean_of_tasks("macro", PARTS)
    single = estimate(0.25, 0.05, 50, task="riddle", family="riddle", signature="v2", num_unscored=3)
    found = mean_of_families("a", [whole, single], ("quiz", "riddle"), "p")
    assert found.value == pytest.approx((whole.value + 0.25) / 2)
    assert found.members == ("quiz_a", "quiz_b", "quiz_c", "riddle")
    assert found.parts == ("quiz", "riddle")
    assert (found.num_tasks, found.n, found.num_clusters, found.num_unscored) == (4, 170, 170, 3)
    assert found.signature == "v1 + v2"


def test_best_and_worst_case_of_an_average() -> None:
    parts = [estimate(0.5), estimate(0.7, num_clusters=10, num_unscored=100, best_case=0.8, worst_case=0.6)]
    found = mean_of_families("a", parts, ("a", "b"), "p")
    assert (found.worst_case, found.best_case) == pytest.approx((0.55, 0.65))
    unknown = mean_of_families("a", [estimate(0.5), estimate(0.7, num_unscored=1)], ("a", "b"), "p")
    assert (unknown.worst_case, unknown.best_case) == (None, None)
    whole = mean_of_families("a", [estimate(0.5, best_case=0.9), estimate(0.7)], ("a", "b"), "p")
    assert (whole.worst_case, whole.best_case) == (None, None)


# -- the published leaderboard

CATEGORIES = ("arc_challenge", "hellaswag", "mmlu", "truthfulqa_mc2", "winogrande", "gsm8k")


@pytest.mark.data
def test_the_averages_of_published_rows_are_the_published_averages(mirror: Path) -> None:
    path = mirror.parent / "reference" / "openllm_six_tasks.csv"
    if not path.is_file():
        pytest.skip("the mirror has no reference folder beside it")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    for row in rows:
        parts = [estimate(float(row[name]) / 100, task=name, family=name) for name in CATEGORIES]
        found = mean_of_families("openllm_v1_average", parts, CATEGORIES, "openllm-v1")
        assert found.value * found.scale == pytest.approx(float(row["average"]), abs=0.0051), row["model"]
        assert found.stderr == pytest.approx(0.01 / math.sqrt(6))
