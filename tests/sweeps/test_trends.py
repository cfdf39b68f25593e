"""Trends against statsmodels, scipy and by hand; the intervals of trends over items hold what they promise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalsuite.metrics import mean
from evalsuite.stats.fronts import front
from evalsuite.stats.joint_values import Joint, SharedRows, joint_of, mean_of_joints, reach
from evalsuite.stats.setting_spread import setting_spread
from evalsuite.stats.trends import is_wide, item_trend, line_fit, on_axis, order_test


def rows_of(scores: np.ndarray, clusters: list[str] | None = None, task: str = "one") -> SharedRows:
    """`scores`, (settings, rows), as counts of a mean."""
    num_rows = scores.shape[1]
    names = tuple(f"{task}:{row}" for row in range(num_rows))
    return SharedRows(
        task=task, names=names, clusters=tuple(clusters) if clusters else names,
        counts=np.stack([scores, np.ones_like(scores)], axis=2), reduce=mean, is_mean=True,
    )  # fmt: skip


def joint(scores: np.ndarray, clusters: list[str] | None = None) -> Joint:
    found = joint_of([rows_of(scores, clusters)])
    assert found is not None
    return found


def drawn(random: np.random.Generator, x: np.ndarray, slope: float, num_clusters: int, size: int) -> np.ndarray:
    """Right or wrong, (settings, rows): items hard or easy for all settings, clusters with slopes of their own."""
    hard = np.repeat(random.normal(0, 0.25, num_clusters), size) + random.normal(0, 0.15, num_clusters * size)
    own = np.repeat(random.normal(slope, 0.1, num_clusters), size)
    chance = np.clip(0.5 + hard[None] + own[None] * (x - x.mean())[:, None], 0, 1)
    return (random.random(chance.shape) < chance).astype(float)


def test_item_trend_is_the_mean_of_items_own_slopes_with_clustered_error() -> None:
    import statsmodels.api as sm

    random = np.random.default_rng(1)
    x = np.log10([0.6e6, 2e6, 4e6, 8e6])
    scores = drawn(random, x, 0.1, 12, 4)
    clusters = [f"c{row // 4}" for row in range(48)]
    slopes = np.array([np.polyfit(x, column, 1)[0] for column in scores.T])
    fit = sm.OLS(slopes, np.ones(48)).fit(cov_type="cluster", cov_kwds={"groups": np.arange(48) // 4})
    found = item_trend(joint(scores, clusters), x)
    assert found is not None
    assert found.value == pytest.approx(slopes.mean(), abs=1e-12)
    assert found.stderr == pytest.approx(fit.bse[0], rel=1e-9)
    assert found.degrees == 11
    half = stats.t.ppf(0.975, 11) * fit.bse[0]
    assert found.low == pytest.approx(slopes.mean() - half)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(slopes.mean() / fit.bse[0]), 11))


def test_item_trend_by_hand() -> None:
    """Two items over x = 0, 1, 2: one rises by 1/2 a step, the other stays; the mean slope is 1/4, its error 1/4."""
    found = item_trend(joint(np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 1.0]])), np.array([0.0, 1.0, 2.0]))
    assert found is not None
    assert (found.value, found.stderr, found.degrees) == (pytest.approx(0.25), pytest.approx(0.25), 1)


def test_item_trend_cancels_what_items_have_alike() -> None:
    random = np.random.default_rng(2)
    x = np.array([0.0, 1.0, 2.0])
    hard = random.random(300) < 0.5
    scores = np.array([np.where(random.random(300) < 0.04 * place, ~hard, hard) for place in range(3)]).astype(float)
    found = item_trend(joint(scores), x)
    errors = [math.sqrt(p * (1 - p) / 300) for p in scores.mean(axis=1)]
    apart = line_fit(x, scores.mean(axis=1).tolist(), list(errors))
    assert found is not None
    assert found.stderr is not None
    assert apart.stderr is not None
    assert found.stderr < 0.4 * apart.stderr


@pytest.mark.parametrize("slope", [0.0, 0.15])
def test_item_trends_interval_holds_the_slope(slope: float) -> None:
    random = np.random.default_rng(3)
    x = np.log10([1e6, 2e6, 4e6])
    clusters = [f"c{row // 3}" for row in range(120)]
    held = []
    for _ in range(600):
        scores = drawn(random, x, slope, 40, 3)
        found = item_trend(joint(scores, clusters), x)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held.append(found.low <= slope * 0.985 <= found.high if slope else found.low <= 0 <= found.high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_a_quotient_goes_by_the_jackknife_and_agrees_where_it_is_a_mean() -> None:
    random = np.random.default_rng(4)
    scores = random.random((3, 30))
    clusters = [f"c{row // 2}" for row in range(30)]
    plain = rows_of(scores, clusters)
    other = SharedRows(
        task="one", names=plain.names, clusters=plain.clusters, counts=plain.counts * 2.0, reduce=mean, is_mean=True
    )
    assert plain.is_linear
    assert not other.is_linear
    first, second = joint_of([plain]), joint_of([other])
    assert first is not None
    assert second is not None
    assert second.values == pytest.approx(first.values)
    assert second.covariance == pytest.approx(first.covariance)


def test_clusters_that_tasks_share_enter_once() -> None:
    random = np.random.default_rng(5)
    scores = random.random((2, 20))
    clusters = [f"c{row}" for row in range(20)]
    alone = joint(scores, clusters)
    twice = joint_of([rows_of(scores, clusters, "one"), rows_of(scores, clusters, "two")])
    apart = joint_of([rows_of(scores, clusters, "one"), rows_of(scores, [f"d{row}" for row in range(20)], "two")])
    assert twice is not None
    assert apart is not None
    assert twice.covariance == pytest.approx(alone.covariance)
    assert apart.covariance == pytest.approx(alone.covariance / 2)


def test_a_mean_of_parts_that_share_nothing_adds_their_variances() -> None:
    random = np.random.default_rng(8)
    parts = [joint(random.random((3, size))) for size in (10, 40)]
    found = mean_of_joints(parts)
    assert found.values == pytest.approx((parts[0].values + parts[1].values) / 2)
    assert parts[0].covariance is not None
    assert parts[1].covariance is not None
    assert found.covariance == pytest.approx((parts[0].covariance + parts[1].covariance) / 4)
    assert found.contrast([1, 0, -1]).degrees == 9
    alone = mean_of_joints([parts[0], joint(np.array([[0.0], [1.0], [1.0]]))])
    assert (alone.influence, alone.contrast([1, 0, 0]).low) == (None, None)


def test_one_cluster_has_no_error() -> None:
    found = item_trend(joint(np.array([[0.0, 1.0], [1.0, 1.0]]), ["c", "c"]), np.array([0.0, 1.0]))
    assert found is not None
    assert (found.value, found.stderr, found.low, found.p_value) == (pytest.approx(0.5), None, None, None)


def test_settings_all_alike_in_x_have_no_slope() -> None:
    assert item_trend(joint(np.ones((2, 3))), np.array([1.0, 1.0])) is None
    assert line_fit(np.array([1.0, 1.0]), [0.1, 0.2], [0.1, 0.1]).fit == "none"


def test_weighted_line_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    x, y, errors = np.array([0.0, 1.0, 2.5, 4.0]), [0.30, 0.42, 0.40, 0.61], [0.05, 0.04, 0.06, 0.05]
    fit = sm.WLS(y, sm.add_constant(x), weights=1 / np.square(errors)).fit()
    found = line_fit(x, y, errors)
    assert found.fit == "weighted"
    assert found.slope == pytest.approx(fit.params[1])
    stderr = math.sqrt(fit.normalized_cov_params[1, 1])
    assert found.stderr == pytest.approx(stderr)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(fit.params[1]) / stderr))
    assert found.p_misfit == pytest.approx(stats.chi2.sf(np.sum((fit.resid / errors) ** 2), 2))


def test_a_missing_error_makes_it_least_squares_as_scipys() -> None:
    x, y = np.array([0.0, 1.0, 2.0, 5.0]), [0.3, 0.5, 0.4, 0.8]
    reference = stats.linregress(x, y)
    found = line_fit(x, y, [0.1, None, 0.1, 0.1])
    assert (found.fit, found.p_misfit) == ("least-squares", None)
    assert (found.slope, found.stderr) == (pytest.approx(reference.slope), pytest.approx(reference.stderr))
    assert found.p_value == pytest.approx(reference.pvalue)


def test_two_points_have_a_slope_and_no_chance() -> None:
    found = line_fit(np.array([0.0, 2.0]), [0.3, 0.5], [None, None])
    assert (found.slope, found.p_value, found.low) == (pytest.approx(0.1), None, None)


@pytest.mark.parametrize("n", [3, 5, 7])
def test_order_test_is_scipys_exact_one(n: int) -> None:
    random = np.random.default_rng(n)
    for _ in range(20):
        x, y = random.permutation(n).astype(float), random.permutation(n).astype(float)
        reference = stats.kendalltau(x, y, method="exact")
        found = order_test([(x.tolist(), y.tolist())])
        assert found is not None
        assert found.is_exact
        assert found.tau == pytest.approx(reference.statistic)
        assert found.p_value == pytest.approx(reference.pvalue)
        assert found.least_p == pytest.approx(2 / math.factorial(n))


def test_many_points_with_ties_are_scipys_approximation() -> None:
    random = np.random.default_rng(0)
    x, y = random.integers(0, 8, 25).astype(float), random.integers(0, 8, 25).astype(float)
    reference = stats.kendalltau(x, y, method="asymptotic")
    found = order_test([(x.tolist(), y.tolist())])
    assert found is not None
    assert not found.is_exact
    assert found.tau == pytest.approx(reference.statistic)
    assert found.p_value == pytest.approx(reference.pvalue)


def test_blocks_are_permuted_within_themselves() -> None:
    """BELLE's two series of the total: 0.6, 2 and 4 million, and 0.6 and 2 million; six by two orders."""
    series = [([0.6, 2.0, 4.0], [0.589, 0.610, 0.624]), ([0.6, 2.0], [0.686, 0.710])]
    found = order_test(series)
    assert found is not None
    seen = brute = 0

    def concordance(x: list[float], y: tuple[float, ...]) -> int:
        return sum(int(np.sign((x[j] - x[i]) * (y[j] - y[i]))) for i, j in itertools.combinations(range(len(x)), 2))

    for first in itertools.permutations(series[0][1]):
        for second in itertools.permutations(series[1][1]):
            brute += 1
            seen += abs(concordance(series[0][0], first) + concordance(series[1][0], second)) >= 4
    assert found.p_value == pytest.approx(seen / brute) == pytest.approx(1 / 6)
    assert found.tau == 1.0


def test_what_cannot_be_ordered_has_no_order_test() -> None:
    assert order_test([([1.0], [2.0])]) is None
    assert order_test([([1.0, 1.0], [2.0, 3.0])]) is None
    assert order_test([]) is None


def test_axes() -> None:
    assert is_wide([0.6e6, 4e6])
    assert not is_wide([0.0, 1.0, 25.0])
    assert not is_wide([7.0, 13.0])
    assert on_axis([10.0, 1000.0], is_log=True) == pytest.approx([1.0, 3.0])


# -- fronts


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    values = [(float(a), float(b)) for a, b in points]
    expected = tuple(
        place
        for place, (a, b) in enumerate(values)
        if not any(c >= a and d >= b and (c > a or d > b) for c, d in values)
    )
    assert front(values) == expected


# -- spreads


def test_alike_settings_spread_as_their_items_say() -> None:
    """Of settings all alike in the long run, items explain the variance, and a range as wide is no rarity."""
    random = np.random.default_rng(6)
    variances, parts, chances = [], [], []
    for _ in range(300):
        hard = random.uniform(0.1, 0.9, 60)
        found = setting_spread(joint((random.random((4, 60)) < hard).astype(float)), num_draws=400)
        assert found.sd_sampling is not None
        assert found.p_alike is not None
        variances.append(found.sd**2)
        parts.append(found.sd_sampling**2)
        chances.append(found.p_alike)
    assert np.mean(parts) == pytest.approx(np.mean(variances), rel=0.1)
    assert np.mean(np.array(chances) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_settings_that_differ_are_told_apart_and_the_range_is_held() -> None:
    random = np.random.default_rng(7)
    levels = np.array([0.4, 0.5, 0.7])
    held, left = [], []
    for _ in range(200):
        hard = random.normal(0, 0.1, 200)
        chance = np.clip(levels[:, None] + hard, 0, 1)
        found = setting_spread(joint((random.random(chance.shape) < chance).astype(float)), num_draws=400)
        assert found.range_low is not None
        assert found.range_high is not None
        assert found.sd_settings is not None
        held.append(found.range_low <= 0.3 <= found.range_high)
        left.append(found.sd_settings**2)
    assert np.mean(held) >= 0.93
    assert math.sqrt(np.mean(left)) == pytest.approx(levels.std(ddof=1), rel=0.05)


def test_a_spread_of_one_cluster_is_only_seen() -> None:
    found = setting_spread(joint(np.array([[0.0, 1.0], [1.0, 1.0]]), ["c", "c"]))
    assert (found.range, found.mean) == (0.5, 0.75)
    assert (found.sd_sampling, found.range_low, found.p_alike) == (None, None, None)


# -- what values can be


@given(
    st.lists(st.floats(-3, 3), min_size=2, max_size=6),
    st.lists(st.lists(st.floats(0.5, 10.0), min_size=6, max_size=6), min_size=1, max_size=20),
)
def test_a_reach_is_what_weighted_sums_can_be(weights: list[float], drawn_values: list[list[float]]) -> None:
    coefficients = np.array(weights)
    least, most = reach(coefficients, (0.5, 10.0))
    sums = [float(coefficients @ np.array(row[: len(weights)])) for row in drawn_values]
    assert all(least - 1e-9 <= one <= most + 1e-9 for one in sums)
    ends = [np.where(coefficients > 0, *pair) for pair in ((0.5, 10.0), (10.0, 0.5))]
    assert [float(coefficients @ end) for end in ends] == pytest.approx([least, most], abs=1e-9)


def test_slopes_and_ranges_end_where_values_do() -> None:
    scores = np.array([[0.0] * 7 + [1.0], [1.0] * 7 + [0.0]])
    x = np.array([1.0, 3.0])
    free, kept = (item_trend(joint(scores), x, ends) for ends in (None, (0.0, 1.0)))
    assert free is not None
    assert kept is not None
    assert free.high is not None
    assert free.high > 0.5 == kept.high
    assert (free.low, free.value, free.p_value) == (kept.low, kept.value, kept.p_value)
    for errors in ([0.3, 0.3], [None, None]):
        line = line_fit(x, [0.1, 0.9], errors, (0.0, 1.0))
        assert line.slope == pytest.approx(0.4)
        assert line.high in (None, 0.5)
    three = line_fit(np.array([0.0, 1.0, 2.0]), [0.1, 0.9, 0.8], [None] * 3, (0.0, 1.0))
    assert (three.low, three.high) == (-0.5, 0.5)
    assert setting_spread(joint(scores), (0.0, 1.0)).range_high == 1.0
    ratings = setting_spread(joint(1 + 9 * scores), (1.0, 10.0))
    assert ratings.range_high == 9.0
    unbounded = setting_spread(joint(scores)).range_high
    assert unbounded is not None
    assert unbounded > 1.0
