"""Differences of paired rows: the same numbers as the estimates they are of, errors as others compute them."""

from __future__ import annotations

from dataclasses import replace

import gate_errors
import msgspec
import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.sandwich_covariance import cov_cluster

from evalsuite.metrics import CORPUS, corpus_metric, corpus_score, share
from evalsuite.stats import intervals
from evalsuite.stats.differences import difference_of, mean_difference, mean_of_groups
from evalsuite.stats.paired_rows import PairedGroup, PairedRows

RANDOM = np.random.default_rng(5)
CLUSTERS = [f"c{index // 3}" for index in range(90)]


def ratings(drop: float = 0.3, task: str = "task", clusters: list[str] | None = None) -> PairedRows:
    shared = RANDOM.normal(6, 1.5, 90)
    before, after = shared + RANDOM.normal(0, 1, 90), shared - drop + RANDOM.normal(0, 1, 90)
    return gate_errors.paired(before, after, clusters or CLUSTERS, task, bounds=None)


def test_a_mean_of_paired_differences() -> None:
    rows = ratings(clusters=list(map(str, range(90))))
    found = difference_of(rows)
    assert found is not None
    gains = rows.candidate[:, 0] - rows.baseline[:, 0]
    assert found.difference == pytest.approx(gains.mean())
    assert found.stderr == pytest.approx(gains.std(ddof=1) / np.sqrt(90))
    interval = sm.stats.DescrStatsW(gains).tconfint_mean()
    assert (found.low, found.high) == pytest.approx(interval)
    assert found.variance == pytest.approx(gains.var(ddof=1))


def test_the_clustered_error_is_that_of_statsmodels() -> None:
    rows = ratings()
    found = difference_of(rows)
    assert found is not None
    gains = rows.candidate[:, 0] - rows.baseline[:, 0]
    fitted = sm.OLS(gains, np.ones(90)).fit()
    groups = np.array([int(name[1:]) for name in CLUSTERS])
    num_clusters = 30
    plain = cov_cluster(fitted, groups, use_correction=False)[0, 0]
    assert found.stderr == pytest.approx(np.sqrt(plain * num_clusters / (num_clusters - 1)))
    assert found.num_clusters == 30


def test_it_is_the_jackknife_that_estimates_have() -> None:
    rows = ratings()
    linear = difference_of(rows)
    as_any = difference_of(replace(rows, estimate=msgspec.structs.replace(rows.estimate, formula="of its own")))
    assert linear is not None
    assert as_any is not None
    assert linear.test == "sign-flips"
    assert as_any.test == "jackknife-t"
    assert as_any.stderr == pytest.approx(linear.stderr)
    assert (as_any.low, as_any.high) == pytest.approx((linear.low, linear.high))


def test_where_lower_is_better_gains_turn_round() -> None:
    rows = ratings()
    worse = replace(rows, estimate=msgspec.structs.replace(rows.estimate, higher_is_better=False))
    first, second = difference_of(rows), difference_of(worse)
    assert first is not None
    assert second is not None
    assert second.difference == first.difference
    assert second.gain == -first.gain
    assert (second.low, second.high) == pytest.approx((first.low, first.high))
    assert second.least_gain == pytest.approx(-first.most_gain)
    assert second.p_value == pytest.approx(first.p_value, abs=1e-3)
    assert first.p_worse < 0.5 < second.p_worse


def test_sides_turned_round_give_the_mirror() -> None:
    rows = gate_errors.paired(RANDOM.integers(0, 2, 60).astype(float), RANDOM.integers(0, 2, 60).astype(float),
                              list(map(str, range(60))))  # fmt: skip
    back = replace(rows, baseline=rows.candidate, candidate=rows.baseline)
    first, second = difference_of(rows), difference_of(back)
    assert first is not None
    assert second is not None
    assert (second.low, second.high) == pytest.approx((-first.high, -first.low))
    assert (second.num_gained, second.num_lost) == (first.num_lost, first.num_gained)
    assert second.p_value == pytest.approx(first.p_value)


def test_clusters_all_alike_are_as_many_facts_as_there_are_clusters() -> None:
    before, after = np.repeat([1.0, 0.0, 1.0, 1.0], 25), np.repeat([0.0, 0.0, 1.0, 1.0], 25)
    clusters = [str(index // 25) for index in range(100)]
    found = difference_of(gate_errors.paired(before, after, clusters))
    alone = difference_of(gate_errors.paired(before[::25], after[::25], ["0", "1", "2", "3"]))
    assert found is not None
    assert alone is not None
    assert found.difference == alone.difference
    assert found.low < alone.low + 0.35
    assert found.high - found.low > 0.8


def test_the_mean_over_tasks_counts_a_shared_cluster_once() -> None:
    names = [f"item{index}" for index in range(90)]
    first = ratings(task="one", clusters=names)
    same = replace(first, estimate=msgspec.structs.replace(first.estimate, task="two"))
    alone, both = difference_of(first), mean_difference(PairedGroup("both", "macro", (first, same)))
    assert alone is not None
    assert both is not None
    assert both.difference == pytest.approx(alone.difference)
    assert both.stderr == pytest.approx(alone.stderr)  # nothing was learnt
    apart = replace(same, clusters=tuple(f"other {name}" for name in names))
    independent = mean_difference(PairedGroup("both", "macro", (first, apart)))
    assert independent is not None
    assert independent.stderr == pytest.approx(alone.stderr / np.sqrt(2))


def test_macro_and_micro_weigh_as_their_names_say() -> None:
    small = gate_errors.paired(np.ones(10), np.r_[np.zeros(5), np.ones(5)], list("abcdefghij"), "small")
    large = gate_errors.paired(np.ones(90), np.ones(90), list(map(str, range(90))), "large")
    macro = mean_difference(PairedGroup("m", "macro", (small, large)))
    micro = mean_difference(PairedGroup("m", "micro", (small, large)))
    rows = mean_difference(PairedGroup("m", "macro", (small, large), {"small": 1 / 20, "large": 1 / 180}))
    assert macro is not None
    assert micro is not None
    assert rows is not None
    assert macro.difference == pytest.approx(-0.25)
    assert micro.difference == pytest.approx(-0.05)
    assert rows.difference == pytest.approx(-0.25)  # half of each task drawn: macro again
    assert macro.num_lost == micro.num_lost == 5
    assert mean_of_groups("all", [PairedGroup("s", "macro", (small,)), PairedGroup("l", "macro", (large,))]) is not None


def test_a_corpus_score_differs_as_sacrebleu_says() -> None:
    import sacrebleu

    references = ["the cat sat on the mat", "dogs bark at night", "rain falls on the plain", "a b c d e f g"] * 3
    before = ["the cat sat on a mat", "dogs bark by night", "rain falls in the plain", "a b c d e f g"] * 3
    after = ["a cat is on a mat", "dogs bark by night", "it rains in the plain", "a b c d x y z"] * 3
    metric = corpus_metric("bleu", "en")
    estimate = msgspec.structs.replace(
        gate_errors.paired(np.ones(1), np.ones(1), ["a"]).estimate, metric="bleu", formula=CORPUS, scale=1.0,
        bounds=(0.0, 100.0), signature=metric.signature(),
    )  # fmt: skip
    counts = [[corpus_score("bleu", "en", text, [ref]).counts for text, ref in zip(texts, references, strict=True)]
              for texts in (before, after)]  # fmt: skip
    rows = PairedRows(estimate, metric.reduce, tuple(map(str, range(12))), tuple(map(str, range(12))),
                      np.array(counts[0]), np.array(counts[1]), 0, 12)  # fmt: skip
    found = difference_of(rows)
    assert found is not None
    theirs = [sacrebleu.corpus_bleu(texts, [references]).score for texts in (before, after)]
    assert (found.baseline, found.candidate) == pytest.approx(tuple(theirs))
    assert found.test == "jackknife-t"
    assert -100 <= found.low < found.difference < found.high <= 100


def test_a_share_of_parts_is_no_mean_of_rows() -> None:
    estimate = msgspec.structs.replace(ratings().estimate, metric="share")
    before, after = np.array([[1.0, 2.0], [3.0, 3.0], [0.0, 1.0]]), np.array([[2.0, 2.0], [1.0, 4.0], [0.0, 1.0]])
    rows = PairedRows(estimate, share("share").reduce, ("a", "b", "c"), ("a", "b", "c"), before, after, 0, 3)
    assert not rows.is_linear
    found = difference_of(rows)
    assert found is not None
    assert found.difference == pytest.approx(3 / 7 - 4 / 6)
    assert found.num_lost is None


def test_what_has_no_rows_or_no_value_has_no_difference() -> None:
    empty = gate_errors.paired(np.ones(0), np.ones(0), [])
    assert difference_of(empty) is None
    assert mean_difference(PairedGroup("m", "macro", (empty, ratings()))) is None


def test_nothing_differing_without_a_known_range_has_no_bound() -> None:
    values = np.full(50, 3.0)
    rows = gate_errors.paired(values, values, list(map(str, range(50))))
    endless = replace(rows, estimate=msgspec.structs.replace(rows.estimate, bounds=None))
    found = difference_of(endless)
    assert found is not None
    assert (found.low, found.least_gain, found.interval) == (None, None, "none")
    bounded = difference_of(replace(rows, estimate=msgspec.structs.replace(rows.estimate, bounds=(1.0, 10.0))))
    assert bounded is not None
    assert bounded.interval == "no-spread"
    assert bounded.least_gain == pytest.approx(-9 * (1 - 0.05 ** (1 / 50)))


@pytest.mark.parametrize("n", [1, 4, 20, 120])
def test_a_collapse_of_everything_is_no_pass_and_not_certain(n: int) -> None:
    names = list(map(str, range(n)))
    lost = difference_of(gate_errors.paired(np.ones(n), np.zeros(n), names))
    won = difference_of(gate_errors.paired(np.zeros(n), np.ones(n), names))
    assert lost is not None
    assert won is not None
    assert (lost.low, won.high) == (-1.0, 1.0)
    assert won.least_gain == pytest.approx(-lost.most_gain)
    z2 = 1.6448536**2
    assert won.least_gain == pytest.approx((n - z2) / (n + z2), abs=1e-5)  # the root of the score, by hand


def test_all_moving_alike_is_bounded_around_what_was_seen() -> None:
    rows = replace(ratings(), baseline=np.column_stack([np.full(90, 9.0), np.ones(90)]),
                   candidate=np.column_stack([np.full(90, 8.0), np.ones(90)]))  # fmt: skip
    rows = replace(rows, estimate=msgspec.structs.replace(rows.estimate, bounds=(1.0, 10.0)))
    found = difference_of(rows)
    assert found is not None
    assert found.interval == "no-spread"
    width = 9 * (1 - 0.025 ** (1 / 30))
    assert (found.low, found.high) == pytest.approx((-1 - width, -1 + width))
    assert found.p_worse == pytest.approx(0.5**30, abs=1e-5)
    as_any = difference_of(replace(rows, estimate=msgspec.structs.replace(rows.estimate, formula="of its own")))
    assert as_any is not None
    assert as_any.p_worse == 0.5**30
    assert as_any.low == found.low


def test_a_large_cluster_is_not_one_of_many() -> None:
    clusters = ["large"] * 60 + [f"small {index // 2}" for index in range(40)]
    values = np.r_[np.zeros(60), RANDOM.normal(0, 0.2, 40)] + 5
    found = difference_of(gate_errors.paired(np.full(100, 5.0), values, clusters, bounds=None))
    assert found is not None
    assert found.num_clusters == 21
    assert found.num_even_clusters == pytest.approx(100**2 / (60**2 + 20 * 2**2))
    means = []  # the jackknife, by leaving clusters out one by one
    for name in dict.fromkeys(clusters):
        kept = [value - 5 for value, cluster in zip(values, clusters, strict=True) if cluster != name]
        means.append(np.mean(kept))
    assert found.stderr == pytest.approx(np.sqrt(20 / 21 * np.sum((np.array(means) - np.mean(means)) ** 2)))


def test_a_tiny_task_that_did_not_change_is_not_known_exactly() -> None:
    large = [gate_errors.paired(*(RANDOM.integers(0, 2, 300).astype(float) for _ in range(2)),
                                [f"{task}{row}" for row in range(300)], task) for task in "abc"]  # fmt: skip
    tiny = gate_errors.paired(np.ones(4), np.ones(4), list("wxyz"), "tiny")
    found = mean_difference(PairedGroup("m", "macro", (*large, tiny)))
    assert found is not None
    # (1 + 1) / 6 of either way in the tiny task, over (4 + 2) items, weighs a sixteenth
    assert found.stderr**2 > 2 / 6 / 6 / 16


def test_ratings_at_the_ceiling_are_wider_than_students_interval() -> None:
    before, after = np.ones(60), np.r_[np.ones(57), np.full(3, 0.1)]
    found = difference_of(gate_errors.paired(before, after, list(map(str, range(60)))))
    assert found is not None
    assert found.interval == "t-and-tango"
    gains = after - before
    assert found.low < sm.stats.DescrStatsW(gains).tconfint_mean()[0]


def test_the_bound_follows_the_confidence_asked_for() -> None:
    rows = ratings()
    usual, strict = difference_of(rows), difference_of(rows, 0.999)
    assert usual is not None
    assert strict is not None
    assert strict.least_gain < usual.least_gain
    assert (strict.low, strict.high) == (usual.low, usual.high)
    assert intervals.CONFIDENCE == 0.95


def test_a_random_sample_of_a_family_with_no_item_in_common_has_no_difference() -> None:
    none = replace(
        ratings(), names=(), clusters=(), baseline=np.zeros((0, 2)), candidate=np.zeros((0, 2))
    )  # two samples of one family may have drawn other rows of every task
    other = replace(none, estimate=msgspec.structs.replace(none.estimate, task="other"))
    group = PairedGroup("mean", "macro", (none, other), by_row={"task": 0.1, "other": 0.2})
    assert mean_difference(group) is None
    assert mean_of_groups("means", [group]) is None
