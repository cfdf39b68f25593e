"""Estimates against independent ways to the same number: scipy, textbook formulas, the bootstrap, sacrebleu itself."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import t as student

from evalsuite.contracts import Metric, Task
from evalsuite.metrics import accuracy, corpus_metric, corpus_score, mean_length, probability, right, share
from evalsuite.records import Estimate
from evalsuite.stats import intervals
from evalsuite.stats.aggregates import mean_of_tasks
from evalsuite.stats.estimates import Measured, bounds_at, measure
from evalsuite.types import Cancelled, Cause, NotRun, Outcome, Sample, Score, Scored, Unscored

Counts = Sequence[tuple[float, ...]]

ACCURACY = accuracy("acc")
MEAN = Metric("mean", lambda counts: counts[0] / counts[1] if counts[1] else None)
SHARE = share("fidelity")
RATE = probability("win_rate")

_RIGHT = Scored(scores=(right("acc", True),))

numbers = st.floats(-1e6, 1e6, allow_nan=False)


def task_of(metric: Metric, name: str = "toy_en") -> Task:
    """A task of one metric; nothing else of it is used."""
    return Task(
        name=name,
        family="toy",
        version=1,
        language="en",
        protocol="toy-v1",
        num_fewshot=0,
        kind="generate",
        datasets=(),
        samples=lambda _: (),
        next_requests=lambda _, __: (),
        score=lambda _, __: Scored(scores=()),
        metrics=(metric,),
    )


def measured(
    metric: Metric,
    counts: Counts,
    clusters: Sequence[str] | None = None,
    *,
    others: Sequence[Outcome] = (),
    name: str = "toy_en",
) -> Measured:
    """`metric` over one scored row for each vector of `counts`, and over the outcomes `others`."""
    outcomes: list[Outcome] = [Scored(scores=(Score(name=metric.name, counts=vector),)) for vector in counts]
    names = [*(clusters or [f"row {row}" for row in range(len(counts))]), *["" for _ in others]]
    rows = [
        (Sample(id=f"{name}:test:{row}", input="", language="en", cluster=cluster), outcome)
        for row, (cluster, outcome) in enumerate(zip(names, [*outcomes, *others], strict=True))
    ]
    part = measure(task_of(metric, name), "model", metric, rows)
    assert part is not None
    return part


def estimate(metric: Metric, counts: Counts, clusters: Sequence[str] | None = None, **more: Any) -> Estimate:
    """The estimate alone."""
    return measured(metric, counts, clusters, **more).estimate


def values(xs: Sequence[float]) -> Counts:
    """Counts of `MEAN` and, for zeros and ones, of `accuracy`."""
    return [(float(x), 1.0) for x in xs]


def coins(num_right: int, n: int) -> Counts:
    """`n` answers of which `num_right` are right."""
    return values([1.0] * num_right + [0.0] * (n - num_right))


# -- proportions


@pytest.mark.parametrize("n", [1, 2, 3, 10, 40, 1172])
def test_wilson_interval_is_scipys(n: int) -> None:
    for num_right in {0, 1, n // 3, n // 2, n - 1, n}:
        found = estimate(ACCURACY, coins(num_right, n))
        expected = binomtest(num_right, n).proportion_ci(0.95, method="wilson")
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert (found.value, found.n, found.interval) == (num_right / n, n, "wilson")


@given(st.integers(1, 200), st.data())
def test_a_proportions_interval_stays_in_range_and_around_it(n: int, data: st.DataObject) -> None:
    num_right = data.draw(st.integers(0, n))
    sizes = data.draw(st.integers(1, n))
    found = estimate(ACCURACY, coins(num_right, n), [f"cluster {row // sizes}" for row in range(n)])
    assert found.low is not None
    assert found.high is not None
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.low < found.high


@pytest.mark.parametrize("num_right", [0, 40])
@pytest.mark.parametrize("clusters", [None, [f"prompt {row // 4}" for row in range(40)]])
def test_nothing_claims_certainty_at_nought_or_hundred_percent(num_right: int, clusters: list[str] | None) -> None:
    found = estimate(ACCURACY, coins(num_right, 40), clusters)
    parts = [measured(ACCURACY, coins(num_right, 40), clusters, name=f"toy_{code}") for code in ("en", "fr")]
    for one in (found, mean_of_tasks("macro", parts)):
        assert one.stderr is not None
        assert one.stderr > 0.02
        assert (one.low, one.high) != (one.value, one.value)


def test_clusters_at_the_extremes_count_once_each() -> None:
    """Ten prompts in four languages, all right: no more certain than ten rows."""
    clustered = estimate(ACCURACY, coins(40, 40), [f"prompt {row // 4}" for row in range(40)])
    alone = estimate(ACCURACY, coins(10, 10))
    assert (clustered.low, clustered.high) == (alone.low, alone.high)
    assert (clustered.n, clustered.num_clusters, clustered.interval) == (40, 10, "wilson-clustered")


# -- standard errors against formulas


@given(st.lists(numbers, min_size=2, max_size=40))
def test_jackknife_of_a_mean_is_the_usual_standard_error(xs: list[float]) -> None:
    found = estimate(MEAN, values(xs))
    expected = float(np.std(xs, ddof=1)) / math.sqrt(len(xs))
    assert found.value == pytest.approx(float(np.mean(xs)), rel=1e-9, abs=1e-6)
    if expected > 1e-9:  # values all alike tell nothing of their error
        assert found.stderr == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 10**6))
def test_clustered_error_is_the_linearised_formula(num_clusters: int, size: int, seed: int) -> None:
    """Clusters of one size: the jackknife equals sqrt(G / (G - 1) * sum of squared residual totals) / n."""
    xs = np.random.default_rng(seed).normal(np.arange(num_clusters)[:, None], 1.0, size=(num_clusters, size))
    names = [f"cluster {cluster}" for cluster in range(num_clusters) for _ in range(size)]
    residuals = (xs - xs.mean()).sum(axis=1)
    expected = math.sqrt(num_clusters / (num_clusters - 1) * float((residuals**2).sum())) / xs.size
    assert estimate(MEAN, values(xs.ravel().tolist()), names).stderr == pytest.approx(expected, rel=1e-9)


def test_interval_of_a_mean_is_students() -> None:
    xs = [3.0, 1.0, 4.0, 1.0, 5.0]
    found = estimate(MEAN, values(xs))
    assert found.stderr is not None
    expected = student.interval(0.95, df=4, loc=np.mean(xs), scale=found.stderr)
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.interval == "jackknife-t"


def test_a_worse_record_has_no_better_lower_bound() -> None:
    """Ten wins against nine and a tie."""
    best, second = (estimate(RATE, values(points)) for points in ([1.0] * 10, [1.0] * 9 + [0.5]))
    assert best.low is not None
    assert second.low is not None
    assert second.low <= best.low


@pytest.mark.parametrize(("wins", "ties", "n"), [(0.9, 0.05, 50), (0.9, 0.1, 80), (0.95, 0.04, 80), (0.5, 0.2, 20)])
def test_win_rates_near_one_are_covered(wins: float, ties: float, n: int) -> None:
    """Of 1,000 draws at least some 950 intervals hold the truth; Student's around the mean hold 850 to 900 of them."""
    draw = np.random.default_rng(7)
    points = draw.choice([1.0, 0.5, 0.0], p=[wins, ties, max(0.0, 1 - wins - ties)], size=(1000, n))
    found = [estimate(RATE, values(row.tolist())) for row in points]
    held = sum(one.low <= wins + ties / 2 <= one.high for one in found if one.low is not None and one.high is not None)
    assert held >= 930
    assert held <= 985 or wins > 0.8, "in the middle of the scale nothing is to be had by being wide"


def test_rows_of_one_cluster_widen_the_error() -> None:
    xs = [float(row // 4) for row in range(40)]
    alone = estimate(MEAN, values(xs))
    together = estimate(MEAN, values(xs), [f"prompt {row // 4}" for row in range(40)])
    assert together.stderr is not None
    assert alone.stderr is not None
    assert together.stderr == pytest.approx(2 * alone.stderr, rel=0.05)


def test_a_single_cluster_has_no_error() -> None:
    found = estimate(MEAN, values([1.0, 2.0, 3.0]), ["one", "one", "one"])
    assert (found.value, found.stderr, found.low, found.high) == (2.0, None, None, None)
    assert (found.num_clusters, found.interval) == (1, "none")


def test_a_constant_is_certain_of_nothing() -> None:
    found = estimate(MEAN, values([7.25] * 12))
    assert (found.value, found.stderr, found.low, found.high) == (7.25, None, None, None)


# -- against the bootstrap


def bootstrap_stderr(reduce: Callable[[tuple[float, ...]], float | None], counts: Counts, draws: int = 1500) -> float:
    """Standard deviation of the statistic over rows drawn with replacement."""
    rng = np.random.default_rng(20240817)
    table = np.array(counts)
    picks = rng.integers(0, len(table), size=(draws, len(table)))
    statistics = [reduce(tuple(table[pick].sum(axis=0))) for pick in picks]
    return float(np.std([value for value in statistics if value is not None], ddof=1))


def random_means() -> Counts:
    return values(np.random.default_rng(1).gamma(2.0, 10.0, size=60).tolist())


def random_shares() -> Counts:
    """One to four judged parts a row, of which some hold: a ratio whose denominator varies."""
    rng = np.random.default_rng(2)
    judged = rng.integers(1, 5, size=80)
    return [(float(rng.binomial(n, 0.7)), float(n)) for n in judged]


def translations(language: str) -> list[tuple[str, str]]:
    """Pairs of a damaged sentence and its reference, from the built-in parallel sentences."""
    text = (files("evalsuite.tasks") / "mini" / "translation.jsonl").read_text(encoding="utf-8")
    references = [str(json.loads(line)[language]) for line in text.splitlines()]
    return [(_damaged(reference, row), reference) for row, reference in enumerate(references)]


def _damaged(text: str, row: int) -> str:
    """`text` with its middle gone, the more of it the higher `row` is, and sometimes its start doubled."""
    cut = len(text) * (row % 5) // 12
    middle = len(text) // 2
    return text[: middle - cut // 2] + text[middle + cut - cut // 2 :] + (text[:6] if row % 3 == 0 else "")


def segment_counts(metric: str, language: str) -> Counts:
    return [corpus_score(metric, language, said, [wanted]).counts for said, wanted in translations(language)]


@pytest.mark.parametrize(
    ("metric", "counts", "tolerance"),
    [
        pytest.param(MEAN, random_means(), 0.06, id="mean"),
        pytest.param(SHARE, random_shares(), 0.06, id="ratio"),
        pytest.param(corpus_metric("bleu", "en"), segment_counts("bleu", "en"), 0.12, id="corpus BLEU"),
        pytest.param(corpus_metric("chrf", "hi"), segment_counts("chrf", "hi"), 0.12, id="corpus chrF"),
    ],
)
def test_jackknife_agrees_with_the_bootstrap(metric: Metric, counts: Counts, tolerance: float) -> None:
    assert estimate(metric, counts).stderr == pytest.approx(bootstrap_stderr(metric.reduce, counts), rel=tolerance)


# -- sacrebleu


@pytest.mark.parametrize("language", ["en", "zh", "ar", "hi"])
def test_summed_counts_give_sacrebleus_corpus_scores(language: str) -> None:
    from sacrebleu.metrics import BLEU, CHRF

    said, wanted = zip(*translations(language), strict=True)
    bleu, chrf = BLEU(tokenize="zh" if language == "zh" else "13a"), CHRF()
    for metric, theirs in ((corpus_metric("bleu", language), bleu), (corpus_metric("chrf", language), chrf)):
        expected = theirs.corpus_score(said, [wanted])
        found = estimate(metric, segment_counts(metric.name, language))
        assert found.value == pytest.approx(expected.score, rel=1e-12)
        assert 20.0 < found.value < 99.0
        assert found.signature == str(theirs.get_signature())


def test_chinese_bleu_is_never_compared_with_another_tokenizer() -> None:
    assert (
        corpus_metric("bleu", "zh").signature()
        != corpus_metric("bleu", "en").signature()
        == corpus_metric("bleu", "hi").signature()
    )
    assert "tok:zh" in corpus_metric("bleu", "zh").signature()


@pytest.mark.parametrize("text", ["", " ", "42", "ж"])
def test_a_worthless_translation_is_counted(text: str) -> None:
    pairs = translations("en")
    for metric in (corpus_metric("bleu", "en"), corpus_metric("chrf", "en")):
        good = [corpus_score(metric.name, "en", said, [wanted]).counts for said, wanted in pairs]
        bad = corpus_score(metric.name, "en", text, [pairs[0][1]]).counts
        with_bad, without = estimate(metric, [*good, bad]), estimate(metric, good)
        assert with_bad.n == without.n + 1
        assert with_bad.value < without.value


# -- order


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.sampled_from("abcdef")), min_size=2, max_size=30),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_does_not_matter(rows: list[tuple[int, int, str]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    for metric in (MEAN, SHARE):
        before, after = (
            estimate(metric, [(min(holds, 1 + more) / 3, 1.0 + more) for holds, more, _ in some], [c for *_, c in some])
            for some in (rows, shuffled)
        )
        assert (before.value, before.n, before.num_clusters) == (after.value, after.n, after.num_clusters)
        assert (before.stderr is None) == (after.stderr is None)
        for one, other in ((before.stderr, after.stderr), (before.low, after.low), (before.high, after.high)):
            assert one is other or one == pytest.approx(other, rel=1e-9, abs=1e-12)


# -- chance, and which metric is the headline


def test_chance_is_that_of_the_samples_that_are_scored() -> None:
    guessed = accuracy("acc", lambda sample: 1 / len(sample.choices))
    rows: list[tuple[Sample, Outcome]] = [
        (Sample(id=str(n), input="", language="en", choices=("",) * n), outcome)
        for n, outcome in ((2, _RIGHT), (5, Unscored(cause=Cause.TIMEOUT)), (4, _RIGHT), (4, Scored(scores=())))
    ]
    part = measure(task_of(guessed), "model", guessed, rows)
    assert part is not None
    assert part.estimate.chance == pytest.approx((1 / 2 + 1 / 4 + 1 / 4) / 3)
    assert part.estimate.num_not_judged == 1
    assert estimate(ACCURACY, coins(1, 2)).chance is None


def test_the_first_metric_of_a_task_is_its_headline() -> None:
    rows = [(Sample(id="a", input="", language="en"), _RIGHT)]
    for metrics, is_primary in (((ACCURACY, MEAN, SHARE), True), ((MEAN, ACCURACY, SHARE), False)):
        task = replace(task_of(MEAN), metrics=metrics)
        part = measure(task, "model", ACCURACY, rows)
        assert part is not None
        assert part.estimate.is_primary == is_primary


# -- what a metric says of itself


@pytest.mark.parametrize(
    ("metric", "bounds", "scale", "proportion"),
    [
        (accuracy("acc"), (0.0, 1.0), 100.0, True),
        (probability("mass"), (0.0, 1.0), 100.0, False),
        (share("fidelity"), (0.0, 1.0), 100.0, True),
        (mean_length("chars"), (0.0, math.inf), 1.0, False),
        (corpus_metric("bleu", "en"), (0.0, 100.0), 1.0, False),
        (corpus_metric("chrf", "en"), (0.0, 100.0), 1.0, False),
    ],
    ids=lambda each: each.name if isinstance(each, Metric) else None,
)
def test_the_range_and_the_unit_of_each_metric(
    metric: Metric, bounds: tuple[float, float], scale: float, proportion: bool
) -> None:
    assert (metric.bounds, metric.scale, metric.proportion) == (bounds, scale, proportion)


# -- means over languages


def in_languages(columns: Sequence[Counts], *, shared: bool) -> list[Measured]:
    """One part a language, whose rows are the same prompts in each when `shared`."""
    return [
        measured(
            ACCURACY,
            column,
            [f"prompt {row}" if shared else f"{language} {row}" for row in range(len(column))],
            name=f"toy_{language}",
        )
        for language, column in enumerate(columns)
    ]


def test_languages_that_agree_count_once() -> None:
    """Six copies of one column: an error as large as one language's, and sqrt(6) times the independent one."""
    column = coins(25, 40)
    alone = estimate(ACCURACY, column)
    assert alone.stderr is not None
    shared = mean_of_tasks("macro", in_languages([column] * 6, shared=True))
    independent = mean_of_tasks("macro", in_languages([column] * 6, shared=False))
    assert shared.value == independent.value == alone.value
    assert shared.stderr == pytest.approx(alone.stderr)
    assert independent.stderr == pytest.approx(alone.stderr / math.sqrt(6), rel=0.02)
    assert (shared.num_clusters, independent.num_clusters, shared.n) == (40, 240, 240)
    assert shared.low is not None
    assert independent.low is not None
    assert shared.low < independent.low


def test_languages_that_disagree_cancel() -> None:
    """A prompt that is right in one of two languages, whichever: no spread, which is no certainty either."""
    rng = np.random.default_rng(3)
    column = rng.integers(0, 2, size=40)
    opposed = mean_of_tasks("macro", in_languages([values(column), values(1 - column)], shared=True))
    assert opposed.value == 0.5
    assert (opposed.low, opposed.high) == pytest.approx(intervals.wilson(0.5, 40))
    assert opposed.low is not None
    assert opposed.high is not None
    assert opposed.stderr == pytest.approx(intervals.normal_stderr((opposed.low, opposed.high)))


@pytest.mark.parametrize("num_languages", [2, 3, 5, 6, 7])
def test_rounding_in_the_spread_does_not_narrow_the_interval(num_languages: int) -> None:
    """Each prompt right in one language: no spread, up to the last bits, which must not decide what a row is worth."""
    for num_prompts in (2 * num_languages, 3 * num_languages, 5 * num_languages):
        columns = [
            values([float(row % num_languages == language) for row in range(num_prompts)])
            for language in range(num_languages)
        ]
        found = mean_of_tasks("macro", in_languages(columns, shared=True))
        assert (found.low, found.high) == pytest.approx(intervals.wilson(1 / num_languages, num_prompts))


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=3, max_size=30))
def test_a_mean_over_languages_follows_its_parts(rows: list[tuple[bool, bool, bool]]) -> None:
    """The error is that of each prompt's mean over the languages, the textbook way to the same number."""
    columns = list(zip(*rows, strict=True))
    found = mean_of_tasks("macro", in_languages([values(column) for column in columns], shared=True))
    by_prompt = np.array(rows, dtype=float).mean(axis=1)
    assert found.value == pytest.approx(by_prompt.mean())
    assert found.low is not None
    assert found.high is not None
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    if by_prompt.std() > 1e-6:
        assert found.stderr == pytest.approx(by_prompt.std(ddof=1) / math.sqrt(len(rows)), abs=1e-9)
    else:
        assert found.stderr is not None
        assert found.stderr > 0.0


@pytest.mark.parametrize("num_right", [0.6, 1.0])
def test_a_small_part_decides_the_error_of_a_mean(num_right: float) -> None:
    """Five rows beside a thousand: the mean is worth about twenty rows, not a thousand and five."""
    columns = [coins(round(num_right * n), n) for n in (5, 1000)]
    found = mean_of_tasks("macro", in_languages(columns, shared=False))
    low, high = intervals.wilson(num_right, 4 / (1 / 5 + 1 / 1000))
    assert found.low is not None
    assert found.high is not None
    assert high - low <= found.high - found.low < 1.5 * (high - low)
    assert found.n == 1005


def test_a_part_of_one_row_leaves_a_mean_without_error() -> None:
    columns: list[Counts] = [values([3.0]), values([5.0, 9.0, 4.0])]
    parts = [measured(MEAN, column, name=f"toy_{place}") for place, column in enumerate(columns)]
    found = mean_of_tasks("macro", parts)
    assert (found.value, found.stderr, found.low, found.high) == (4.5, None, None, None)


def test_a_mean_of_corpus_scores_stays_in_bounds() -> None:
    """Three sentences, of which one is good: wide, but no chrF is below 0."""
    text = "The ferry ran aground near the harbour."
    counts = [corpus_score("chrf", "en", said, [text]).counts for said in (text, "x", "y")]
    found = mean_of_tasks(
        "macro", [measured(corpus_metric("chrf", "en"), counts, name=f"toy_{place}") for place in range(2)]
    )
    assert found.low == 0.0
    nothing = [corpus_score("bleu", "en", "x", [text]).counts for _ in range(3)]
    worthless = mean_of_tasks(
        "macro", [measured(corpus_metric("bleu", "en"), nothing, name=f"toy_{place}") for place in range(2)]
    )
    assert (worthless.value, worthless.stderr, worthless.low, worthless.high) == (0.0, None, None, None)


def test_a_corpus_score_at_its_bound_has_no_interval() -> None:
    """A BLEU of 0 in every segment: the spread says nothing, which is not certainty."""
    nothing = [corpus_score("bleu", "en", "x", ["The ferry ran aground."]).counts for _ in range(9)]
    found = estimate(corpus_metric("bleu", "en"), nothing)
    assert (found.value, found.stderr, found.low, found.high, found.interval) == (0.0, None, None, None, "none")


def test_a_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a mean of nothing"):
        mean_of_tasks("macro", [])


# -- what stayed unscored


def unscored(**causes: int) -> list[Outcome]:
    return [Unscored(cause=Cause(cause)) for cause, number in causes.items() for _ in range(number)]


def test_unscored_samples_are_counted_by_cause_and_never_as_wrong() -> None:
    others = [*unscored(timeout=2, nonfinite_logits=1), NotRun(reason="stopped"), Cancelled(reason="stopped")]
    found = estimate(ACCURACY, coins(3, 4), others=others)
    assert (found.value, found.n, found.num_unscored) == (0.75, 4, 3)
    assert found.unscored == {"nonfinite_logits": 1, "timeout": 2}


def test_best_and_worst_case_bound_the_unscored() -> None:
    found = estimate(ACCURACY, coins(3, 4), others=unscored(timeout=4))
    assert (found.worst_case, found.best_case) == (3 / 8, 7 / 8)
    whole = estimate(ACCURACY, coins(3, 4))
    assert (whole.worst_case, whole.best_case) == (None, None)


def test_nothing_scored_is_no_number() -> None:
    rows = [(Sample(id="a", input="", language="en"), outcome) for outcome in unscored(timeout=3)]
    assert measure(task_of(ACCURACY), "model", ACCURACY, rows) is None


def test_rows_without_anything_judged_are_left_out() -> None:
    """No answer whose language can be told: neither 0 % nor a row of the denominator."""
    assert estimate(SHARE, [(1.0, 1.0), (0.0, 0.0), (0.0, 1.0)]).n == 2
    rows = [(Sample(id="a", input="", language="en"), Scored(scores=(Score(name="fidelity", counts=(0.0, 0.0)),)))]
    assert measure(task_of(SHARE), "model", SHARE, rows) is None


def test_right_and_wrong_are_counts_of_one_row() -> None:
    assert [right("acc", is_right).counts for is_right in (True, False)] == [(1.0, 1.0), (0.0, 1.0)]


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), st.lists(st.sampled_from("abc"), min_size=30))
def test_cluster_totals_add_up(vectors: list[tuple[float, float]], clusters: list[str]) -> None:
    names, totals = intervals.cluster_totals(vectors, clusters[: len(vectors)])
    assert names == list(dict.fromkeys(clusters[: len(vectors)]))
    assert intervals.column_sums(totals) == pytest.approx(np.sum(vectors, axis=0), rel=1e-9, abs=1e-6)


# -- other confidences

OF_EVERY_METHOD = {
    "wilson": (ACCURACY, coins(30, 40), None),
    "wilson-clustered": (ACCURACY, coins(30, 40), [f"cluster {row // 3}" for row in range(40)]),
    "wilson-no-spread": (RATE, values([0.5] * 40), None),
    "t-and-wilson": (RATE, values([row / 39 for row in range(40)]), None),
    "jackknife-t": (MEAN, values([float(row) for row in range(40)]), None),
}


@pytest.mark.parametrize("method", OF_EVERY_METHOD)
def test_an_interval_of_another_confidence_is_of_the_same_method(method: str) -> None:
    found = estimate(*OF_EVERY_METHOD[method])
    assert found.interval == method
    assert bounds_at(found, 0.95) == (found.low, found.high)
    assert bounds_at(found, 0.95 + 1e-9) == pytest.approx((found.low, found.high), abs=1e-6)
    grown = [bounds_at(found, confidence) for confidence in (0.5, 0.9, 0.95, 0.99, 0.9999, 1 - 2e-12)]
    for inner, outer in itertools.pairwise(grown):
        assert inner is not None
        assert outer is not None
        assert outer[0] <= inner[0] <= found.value <= inner[1] <= outer[1]


def test_another_confidence_of_a_proportion_is_scipys() -> None:
    found = bounds_at(estimate(ACCURACY, coins(30, 40)), 0.999)
    expected = binomtest(30, 40).proportion_ci(0.999, method="wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_what_has_no_interval_has_none_of_another_confidence() -> None:
    assert bounds_at(estimate(MEAN, values([2.0] * 5)), 0.99) is None


@pytest.mark.parametrize(
    ("metric", "bounds", "least"),
    [
        (accuracy("acc"), (0.0, 1.0), None),
        (mean_length("chars"), None, 0.0),
        (corpus_metric("ter", "en"), None, 0.0),
        (replace(mean_length("free"), bounds=None), None, None),
    ],
    ids=lambda each: each.name if isinstance(each, Metric) else None,
)
def test_an_estimate_keeps_what_there_is_of_the_metrics_range(
    metric: Metric, bounds: tuple[float, float] | None, least: float | None
) -> None:
    counts = [(4.0, 9.0)] * 3 if metric.name == "ter" else [(0.0, 1.0), (1.0, 1.0), (1.0, 1.0)]
    found = estimate(metric, counts)
    assert (found.bounds, found.least) == (bounds, least)
