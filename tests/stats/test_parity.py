"""The gap to English: against formulas written out here and scipy, which items count, and who has none at all."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, multinomial
from scipy.stats import t as student

from evalsuite.contracts import Metric, Task
from evalsuite.metrics import accuracy, corpus_metric, corpus_score, probability
from evalsuite.records import Parity
from evalsuite.stats.estimates import Row
from evalsuite.stats.intervals import paired_proportions
from evalsuite.stats.parity import parities
from evalsuite.types import ITEM, Cause, Outcome, Sample, Score, Scored, Unscored

ACCURACY = accuracy("acc")
RATE = probability("mc2")
Z = 1.959963984540054
"""The normal quantile of 97.5 %, from a table."""


def task_of(language: str, metric: Metric = ACCURACY, **changes: Any) -> Task:
    """A task of one metric in one language; nothing else of it is used."""
    task = Task(
        name=f"toy_{language}",
        family="toy",
        version=1,
        language=language,
        protocol="toy-v1",
        num_fewshot=0,
        kind="multiple_choice",
        datasets=(),
        samples=lambda _: (),
        next_requests=lambda _, __: (),
        score=lambda _, __: Scored(scores=()),
        metrics=(metric,),
    )
    return replace(task, **changes)


def row(item: str, counts: tuple[float, ...], cluster: str = "", picked: int = 0, metric: str = "acc") -> Row:
    """A sample of four letters and its score."""
    sample = Sample(
        id=f"t:test:{item}", input="?", language="en", choices=("A", "B", "C", "D"), gold=0, cluster=cluster,
        metadata={ITEM: item},
    )  # fmt: skip
    return sample, Scored(scores=(Score(name=metric, counts=counts),), answer="ABCD"[picked])


def rows_of(rights: Mapping[str, float], clusters: Mapping[str, str] | None = None, metric: str = "acc") -> list[Row]:
    """Right ones pick A; of wrong ones it is not said here which they pick."""
    return [
        row(item, (value, 1.0), (clusters or {}).get(item, ""), picked=0 if value == 1.0 else 1, metric=metric)
        for item, value in rights.items()
    ]


def gap(ours: Sequence[Row], english: Sequence[Row], metric: Metric = ACCURACY, language: str = "hi") -> Parity | None:
    """The parity of two tasks."""
    found = parities([(task_of("en", metric), english), (task_of(language, metric), ours)], "model")
    assert len(found) <= 1
    return found[0] if found else None


def gap_between(ours: Mapping[str, float], english: Mapping[str, float], **options: Any) -> Parity:
    found = gap(rows_of(ours), rows_of(english), **options)
    assert found is not None
    return found


def draws(seed: int, n: int, shares: tuple[float, float], both: float) -> tuple[dict[str, float], dict[str, float]]:
    """Right and wrong in two languages, alike for a share `both` of the items."""
    generator = random.Random(seed)
    ours, english = {}, {}
    for index in range(n):
        ours[f"i{index}"] = float(generator.random() < shares[0])
        is_alike = generator.random() < both
        english[f"i{index}"] = ours[f"i{index}"] if is_alike else float(generator.random() < shares[1])
    return ours, english


# -- proportions of items that stand alone


def bonett_price(gained: int, lost: int, n: int) -> tuple[float, float]:
    """Bonett and Price 2012: one is added to both discordant counts and two to n, then Wald's interval is taken."""
    share_gained, share_lost = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    variance = (share_gained + share_lost - (share_gained - share_lost) ** 2) / (n + 2)
    return share_gained - share_lost - Z * variance**0.5, share_gained - share_lost + Z * variance**0.5


@pytest.mark.parametrize("both", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.2, 0.7), (0.9, 0.4)])
@pytest.mark.parametrize("n", [2, 7, 40, 300])
def test_gap_error_and_interval_of_proportions(n: int, shares: tuple[float, float], both: float) -> None:
    ours, english = draws(n, n, shares, both)
    found = gap_between(ours, english)
    differences = np.array([ours[item] - english[item] for item in ours])
    assert found.gap == pytest.approx(differences.mean(), abs=1e-12)
    low, high = bonett_price(int((differences > 0).sum()), int((differences < 0).sum()), n)
    assert found.low == pytest.approx(max(-1.0, min(low, differences.mean())))
    assert found.high == pytest.approx(min(1.0, max(high, differences.mean())))
    assert found.low is not None
    assert found.high is not None
    if differences.std():
        assert found.stderr == pytest.approx(differences.std(ddof=1) / math.sqrt(n))
    else:
        assert found.stderr == pytest.approx((found.high - found.low) / (2 * Z))
    assert (found.interval, found.n, found.num_clusters) == ("bonett-price", n, n)


def test_a_gap_by_hand() -> None:
    """Of ten items three are right in both, one in Hindi alone, four in English alone."""
    english = {f"i{n}": float(n < 7) for n in range(10)}
    ours = {f"i{n}": float(n < 3 or n == 9) for n in range(10)}
    found = gap_between(ours, english)
    assert found.gap == pytest.approx(0.4 - 0.7)
    # (2 - 5) / 12 = -0.25, and 1.96 times the root of (7/12 - 1/16) / 12
    half = Z * math.sqrt((7 / 12 - 1 / 16) / 12)
    assert (found.low, found.high) == pytest.approx((-0.25 - half, -0.25 + half))
    assert (found.task, found.reference, found.family, found.model) == ("toy_hi", "toy_en", "toy", "model")
    assert (found.language, found.metric, found.protocol) == ("hi", "acc", "toy-v1")
    assert (found.scale, found.higher_is_better) == (100.0, True)


def test_swapped_languages_have_the_mirrored_gap() -> None:
    ours, english = draws(3, 60, (0.3, 0.6), 0.4)
    one, other = gap_between(ours, english), gap_between(english, ours)
    assert one.low is not None
    assert one.high is not None
    assert (other.gap, other.low, other.high) == pytest.approx((-one.gap, -one.high, -one.low))
    assert other.stderr == pytest.approx(one.stderr)
    assert other.same_answer == one.same_answer


@pytest.mark.parametrize("n", [2, 10, 500])
def test_no_difference_is_not_certainty(n: int) -> None:
    """Identical answers leave an interval as wide as few items leave open, and an error that is not nought."""
    same = {f"i{index}": float(index % 2) for index in range(n)}
    found = gap_between(same, same)
    assert found.gap == 0.0
    half = Z * math.sqrt(2) / (n + 2)
    assert (found.low, found.high) == pytest.approx((-half, half))
    assert found.stderr == pytest.approx(half / Z)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))))
def test_the_interval_holds_the_gap_and_is_kept_within_one(counts: tuple[int, int, int]) -> None:
    n, gained, lost = counts[0], counts[1], min(counts[2], counts[0] - counts[1])
    low, high = paired_proportions(gained, lost, n)
    assert -1.0 <= low <= (gained - lost) / n <= high <= 1.0
    mirrored = paired_proportions(lost, gained, n)
    assert mirrored == pytest.approx((-high, -low))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("n", [100, 400])
def test_against_perfect_english_the_interval_is_near_wilsons(n: int, share: float) -> None:
    """The gap is then the accuracy less one, of which Wilson's interval is known."""
    right = round(share * n)
    found = gap_between(
        {f"i{index}": float(index < right) for index in range(n)}, {f"i{index}": 1.0 for index in range(n)}
    )
    wilson = binomtest(right, n).proportion_ci(method="wilson")
    assert found.gap == pytest.approx(share - 1)
    assert (found.low, found.high) == pytest.approx((wilson.low - 1, wilson.high - 1), abs=0.02)


RATES = (
    (0.0, 0.0),
    (0.02, 0.0),
    (0.05, 0.05),
    (0.1, 0.05),
    (0.2, 0.1),
    (0.25, 0.25),
    (0.3, 0.1),
    (0.5, 0.05),
    (0.4, 0.4),
)
"""How often an item is right in the first language alone, and in the second alone."""


def covers(counts: NDArray[np.int64], n: int, gained: float, lost: float) -> NDArray[np.bool_]:
    """Of each row of counts (gained, lost, rest) whether its interval holds the true gap."""
    pairs, places = np.unique(counts[:, :2], axis=0, return_inverse=True)
    bounds = np.array([paired_proportions(int(more), int(less), n) for more, less in pairs])
    inside = (bounds[:, 0] <= gained - lost) & (gained - lost <= bounds[:, 1])
    found: NDArray[np.bool_] = inside[places.reshape(-1)]
    return found


@pytest.mark.parametrize(("gained", "lost"), RATES)
@pytest.mark.parametrize("n", [20, 50, 200])
def test_simulated_intervals_hold_the_true_gap(n: int, gained: float, lost: float) -> None:
    counts = np.random.default_rng(20).multinomial(n, [gained, lost, 1 - gained - lost], size=2000)
    assert covers(counts, n, gained, lost).mean() >= 0.93


@pytest.mark.parametrize(("gained", "lost"), RATES)
@pytest.mark.parametrize("n", [20, 50, 200])
def test_coverage_without_chance(n: int, gained: float, lost: float) -> None:
    """The same, summed over every outcome that `n` items can have."""
    more, less = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    possible = more + less <= n
    counts = np.stack([more[possible], less[possible], n - more[possible] - less[possible]], axis=1)
    chances = multinomial.pmf(counts, n, [gained, lost, 1 - gained - lost])
    assert chances.sum() == pytest.approx(1.0)
    assert chances[covers(counts, n, gained, lost)].sum() >= 0.94


# -- clusters, and metrics that are no proportions


def jackknife(
    values: Sequence[tuple[float, float]], clusters: Sequence[str], bounds: tuple[float, float] = (-1.0, 1.0)
) -> tuple[float, float, float, float]:
    """Gap of the means, its delete-one-cluster error (Efron and Tibshirani 1993) and Student's interval."""
    pairs, groups = np.array(values), np.array(clusters)

    def statistic(kept: NDArray[np.bool_]) -> float:
        return float(pairs[kept, 0].mean() - pairs[kept, 1].mean())

    whole = statistic(np.ones(len(pairs), dtype=bool))
    left = np.array([statistic(groups != name) for name in dict.fromkeys(clusters)])
    error = math.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())
    half = float(student.ppf(0.975, len(left) - 1)) * error
    return whole, error, max(bounds[0], whole - half), min(bounds[1], whole + half)


@pytest.mark.parametrize("num_clusters", [2, 5, 30])
def test_items_on_one_passage_widen_the_interval_by_the_jackknife(num_clusters: int) -> None:
    generator = random.Random(num_clusters)
    clusters = {f"i{n}": f"p{n % num_clusters if n % 7 else 0}" for n in range(90)}
    ours = {item: float(generator.random() < 0.3 + 0.4 * (cluster == "p0")) for item, cluster in clusters.items()}
    english = {item: float(generator.random() < 0.6) for item in clusters}
    found = gap(rows_of(ours, clusters), rows_of(english, clusters))
    assert found is not None
    expected = jackknife([(ours[item], english[item]) for item in clusters], list(clusters.values()))
    assert (found.gap, found.stderr, found.low, found.high) == pytest.approx(expected)
    assert (found.interval, found.n, found.num_clusters) == ("jackknife-t", 90, num_clusters)


def test_a_mean_of_probabilities_has_students_interval() -> None:
    generator = random.Random(5)
    ours = {f"i{n}": generator.random() for n in range(25)}
    english = {f"i{n}": generator.random() for n in range(25)}
    found = gap(rows_of(ours, metric="mc2"), rows_of(english, metric="mc2"), RATE)
    assert found is not None
    expected = jackknife([(ours[item], english[item]) for item in ours], list(ours))
    assert (found.gap, found.stderr, found.low, found.high) == pytest.approx(expected)
    assert (found.interval, found.metric) == ("jackknife-t", "mc2")


def test_bounds_of_a_gap_are_those_of_its_metric() -> None:
    """A gap of two means in [0, 1] lies in [-1, 1]; one of unbounded means lies anywhere."""
    free = Metric("length", lambda counts: counts[0] / counts[1])
    values = {"a": (1.0, 0.0), "b": (0.9, 0.1), "c": (0.0, 0.9)}
    for metric, bounds in ((RATE, (-1.0, 1.0)), (free, (-math.inf, math.inf))):
        ours = rows_of({item: pair[0] for item, pair in values.items()}, metric=metric.name)
        english = rows_of({item: pair[1] for item, pair in values.items()}, metric=metric.name)
        found = gap(ours, english, metric)
        assert found is not None
        *_, low, high = jackknife(list(values.values()), list(values), bounds)
        assert (found.low, found.high) == pytest.approx((low, high))


def test_clusters_that_are_all_alike_are_as_many_facts_as_clusters() -> None:
    """A single cluster says nothing about others."""
    clusters = {f"i{n}": f"p{n // 2}" for n in range(8)}
    ours, english = dict.fromkeys(clusters, 1.0), dict.fromkeys(clusters, 0.0)
    found = gap(rows_of(ours, clusters), rows_of(english, clusters))
    assert found is not None
    assert (found.gap, found.n, found.num_clusters, found.interval) == (1.0, 8, 4, "bonett-price")
    more = (4 + 1) / (4 + 2)
    less = 1 / (4 + 2)
    half = NormalDist().inv_cdf(0.975) * math.sqrt((more + less - (more - less) ** 2) / (4 + 2))
    assert (found.low, found.high) == pytest.approx((more - less - half, 1.0))
    alone = gap(rows_of(ours, dict.fromkeys(clusters, "p")), rows_of(english, dict.fromkeys(clusters, "p")))
    assert alone is not None
    assert (alone.interval, alone.num_clusters, alone.low) == ("none", 1, None)


def test_the_gap_of_a_corpus_score_is_that_of_the_same_segments() -> None:
    metric = corpus_metric("chrf", "fr")
    texts = {"a": ("un chat noir", "un chat"), "b": ("le thé est chaud", "le thé est froid"), "c": ("oui", "oui")}

    def rows(place: int, items: str) -> list[Row]:
        return [
            (
                Sample(id=f"t:test:{item}", input="?", language="fr", metadata={ITEM: item}),
                Scored(scores=(corpus_score("chrf", "fr", texts[item][place], [texts[item][0]]),)),
            )
            for item in items
        ]

    found = gap(rows(1, "abc"), rows(0, "ab"), metric)
    assert found is not None
    counts = [score.counts for _, outcome in rows(1, "ab") if isinstance(outcome, Scored) for score in outcome.scores]
    ours = metric.reduce(tuple(map(sum, zip(*counts, strict=True))))
    assert ours is not None
    assert found.gap == pytest.approx(ours - 100.0)
    assert (found.n, found.scale) == (2, 1.0)


# -- which items count


def test_items_of_one_language_alone_are_left_out_of_both() -> None:
    shared = {f"i{n}": float(n % 3 == 0) for n in range(12)}
    english = {f"i{n}": float(n % 2 == 0) for n in range(12)}
    plain = gap_between(shared, english)
    more = gap_between({**shared, "h1": 1.0, "h2": 1.0}, {"e1": 1.0, **english, "e2": 0.0, "e3": 1.0})
    assert more == plain
    assert plain.n == 12


def test_the_order_of_rows_changes_nothing() -> None:
    ours, english = draws(8, 30, (0.4, 0.6), 0.3)
    backwards = gap(rows_of(ours)[::-1], rows_of(english))
    assert backwards == gap_between(ours, english)


def test_a_sample_without_score_is_in_neither_value() -> None:
    ours, english = draws(9, 20, (0.4, 0.6), 0.3)
    failed: Outcome = Unscored(cause=Cause.TIMEOUT)
    lacking = [(sample, failed) if sample.metadata[ITEM] == "i3" else (sample, o) for sample, o in rows_of(ours)]
    del ours["i3"]
    assert gap(lacking, rows_of(english)) == gap_between(ours, {i: v for i, v in english.items() if i != "i3"})


def test_repeats_rows_without_items_and_empty_counts_are_left_out() -> None:
    base = {f"i{n}": float(n % 2) for n in range(6)}
    plain = gap_between(base, base)
    nameless = Sample(id="t:test:9", input="?", language="hi")
    scored = Scored(scores=(Score(name="acc", counts=(1.0, 1.0)),))
    twice = [row("double", (1.0, 1.0)), row("double", (0.0, 1.0))]
    blank = [row("blank", (0.0, 0.0))]
    other = [row("other", (1.0, 1.0), metric="another")]
    ours = [*rows_of(base), *twice, *blank, *other, (nameless, scored)]
    english = rows_of({**base, "double": 1.0, "blank": 1.0, "other": 1.0})
    assert gap(ours, english) == plain


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_shared_items_are_no_gap(n: int) -> None:
    ours = {f"i{index}": 1.0 for index in range(n)}
    assert gap(rows_of({**ours, "h": 0.0}), rows_of({**ours, "e": 1.0})) is None


# -- how often the answers are the same


@pytest.mark.parametrize(("num_same", "n"), [(0, 10), (3, 10), (10, 10), (77, 120)])
def test_the_share_of_same_answers_has_wilsons_interval(num_same: int, n: int) -> None:
    english = [row(f"i{index}", (float(index % 2), 1.0), picked=1) for index in range(n)]
    ours = [row(f"i{index}", (0.0, 1.0), picked=1 if index < num_same else 2 + index % 2) for index in range(n)]
    found = gap(ours, english)
    assert found is not None
    wilson = binomtest(num_same, n).proportion_ci(method="wilson")
    assert (found.same_answer, found.num_answered) == pytest.approx((num_same / n, n))
    assert (found.same_low, found.same_high) == pytest.approx((wilson.low, wilson.high), abs=1e-12)


def answered(item: str, language: str, choices: tuple[str, ...], answer: str) -> Row:
    sample = Sample(id=f"t:test:{item}", input="?", language=language, choices=choices, gold=0, metadata={ITEM: item})
    return sample, Scored(scores=(Score(name="acc", counts=(1.0, 1.0)),), answer=answer)


def test_choices_in_two_languages_are_the_same_by_their_place() -> None:
    english = [answered("a", "en", ("ice", "iron"), "ice"), answered("b", "en", ("ice", "iron"), "iron")]
    hindi = [answered("a", "hi", ("बर्फ", "लोहा"), "बर्फ"), answered("b", "hi", ("बर्फ", "लोहा"), "बर्फ")]
    found = gap(hindi, english)
    assert found is not None
    assert (found.same_answer, found.num_answered) == (0.5, 2)


def test_numbers_are_compared_as_they_are_and_missing_ones_are_not() -> None:
    def rows(answers: Mapping[str, str]) -> list[Row]:
        return [answered(item, "en", (), answer) for item, answer in answers.items()]

    tasks = [
        (task_of("en", kind="generate"), rows({"a": "18", "b": "18", "c": "", "d": "7"})),
        (task_of("zh", kind="generate"), rows({"a": "18", "b": "19", "c": "4", "d": ""})),
    ]
    (found,) = parities(tasks, "m")
    assert (found.n, found.num_answered, found.same_answer) == (4, 2, 0.5)
    (silent,) = parities([(replace(task, kind="chat"), rows) for task, rows in tasks], "m")
    assert (silent.num_answered, silent.same_answer, silent.same_low, silent.same_high) == (0, None, None, None)


# -- which tasks have a gap

SOME = rows_of({f"i{n}": float(n % 2) for n in range(6)})


def test_every_language_of_a_family_is_held_against_english() -> None:
    tasks = [(task_of(language), SOME) for language in ("hi", "en", "zh")]
    elsewhere = [(task_of(language, family="other", name=f"other_{language}"), SOME) for language in ("en", "fr")]
    found = parities([*tasks, *elsewhere], "m")
    assert [(parity.task, parity.reference) for parity in found] == [
        ("toy_hi", "toy_en"),
        ("toy_zh", "toy_en"),
        ("other_fr", "other_en"),
    ]


def both(hindi: Mapping[str, Any], english: Mapping[str, Any]) -> tuple[Parity, ...]:
    return parities([(task_of("en", **english), SOME), (task_of("hi", **hindi), SOME)], "m")


def test_no_english_no_gap() -> None:
    assert parities([(task_of("hi"), SOME), (task_of("zh"), SOME)], "m") == ()
    assert parities([(task_of("en"), SOME)], "m") == ()
    assert parities([], "m") == ()
    assert len(both({}, {})) == 1


def test_other_families_english_is_no_reference() -> None:
    assert both({"family": "other"}, {}) == ()


def test_several_tasks_of_one_language_have_a_gap_each_and_of_english_none() -> None:
    """A translation by people and one by a machine are each compared with the one English task."""
    tasks = [(task_of("en"), SOME), (task_of("hi"), SOME), (task_of("hi", name="toy_hi2"), SOME)]
    assert [(gap.task, gap.language) for gap in parities(tasks, "m")] == [("toy_hi", "hi"), ("toy_hi2", "hi")]
    assert parities([(task_of("en", name="toy_en2"), SOME), *tasks[:2]], "m") == ()


def test_translation_pairs_have_no_gap() -> None:
    """A pair into English and one out of it are one task a language, of the same items, and no languages of a task."""
    pairs = [task_of("en", name="toy_hi-en", kind="translate"), task_of("hi", name="toy_en-hi", kind="translate")]
    assert parities([(pair, SOME) for pair in pairs], "m") == ()


def test_samples_that_name_no_item_have_no_gap() -> None:
    rows = [(Sample(id=f"t:test:{n}", input="?", language="en", cluster=f"c{n}"), SOME[n][1]) for n in range(4)]
    assert parities([(task_of("en"), rows), (task_of("hi"), rows)], "m") == ()


@pytest.mark.parametrize(
    "changes", [{"protocol": "toy-v2"}, {"num_fewshot": 5}, {"version": 2}, {"metric": corpus_metric("chrf", "hi")}]
)
def test_tasks_asked_in_other_ways_are_no_gap(changes: Mapping[str, Any]) -> None:
    assert both(changes, {}) == ()
    assert both({}, changes) == ()
    if "metric" not in changes:
        assert len(both(changes, changes)) == 1


def test_the_words_around_the_text_may_differ() -> None:
    """English words around Hindi text, and Hindi words around English text, are one protocol in two forms."""
    for hindi, english in (("toy-v1+prompt-en", "toy-v1"), ("toy-v1", "toy-v1+prompt-hi")):
        (found,) = both({"protocol": hindi}, {"protocol": english})
        assert found.protocol == hindi


def test_what_lowers_is_better_is_said() -> None:
    metric = replace(ACCURACY, higher_is_better=False)
    (found,) = both({"metric": metric}, {"metric": metric})
    assert not found.higher_is_better


@pytest.mark.parametrize("make", [lambda: None, lambda: 0.5])
def test_a_metric_that_says_nothing_has_no_gap(make: Callable[[], float | None]) -> None:
    metric = Metric("acc", lambda _: make())
    assert (both({"metric": metric}, {"metric": metric}) == ()) == (make() is None)
