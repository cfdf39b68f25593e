"""Stratified limits as mathematics: nested, spread, independent of what was not asked."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from evalsuite.selection import take_first, take_stratified
from evalsuite.types import Sample


def pool(language: str, categories: list[str]) -> list[Sample]:
    """One sample for each category given, aligned over languages by row."""
    return [
        Sample(id=f"{language}:{row}", input="", language=language, category=category, cluster=f"item {row}")
        for row, category in enumerate(categories)
    ]


categories = st.lists(st.sampled_from("abcd"), min_size=1, max_size=30)
pools = st.lists(categories, min_size=1, max_size=5).map(
    lambda columns: [pool(f"language {index}", column) for index, column in enumerate(columns)]
)
limits = st.one_of(st.integers(0, 200), st.floats(0.01, 0.99))


def stratified(tasks: list[list[Sample]], limit: float, seed: int) -> list[list[Sample]]:
    """`take_stratified` of tasks named by their place."""
    return take_stratified({f"task {index}": samples for index, samples in enumerate(tasks)}, limit, seed)


def ids(taken: list[list[Sample]]) -> list[str]:
    return [sample.id for samples in taken for sample in samples]


@given(pools, st.lists(st.integers(0, 200), min_size=2, max_size=2), st.integers(0, 9))
def test_limits_are_nested_and_exact(tasks: list[list[Sample]], bounds: list[int], seed: int) -> None:
    small, large = (ids(stratified(tasks, limit, seed)) for limit in sorted(bounds))
    total = sum(map(len, tasks))
    assert [len(small), len(large)] == [min(total, limit) for limit in sorted(bounds)]
    assert set(small) <= set(large)


@given(pools, limits, st.integers(0, 9))
def test_every_task_keeps_its_order_and_its_samples(tasks: list[list[Sample]], limit: float, seed: int) -> None:
    for taken in (stratified(tasks, limit, seed), take_first(tasks, limit)):
        assert len(taken) == len(tasks)
        for some, every in zip(taken, tasks, strict=True):
            assert [sample for sample in every if sample in some] == some


@given(st.lists(st.sampled_from("abcd"), min_size=4, max_size=30), st.integers(1, 4), st.integers(1, 30))
def test_aligned_languages_get_equal_shares(column: list[str], num_languages: int, limit: int) -> None:
    tasks = [pool(f"language {index}", column) for index in range(num_languages)]
    taken = stratified(tasks, limit, seed=1)
    assert max(map(len, taken)) - min(map(len, taken)) <= 1
    if limit % num_languages == 0:
        items = [{sample.cluster for sample in samples} for samples in taken]
        assert all(some == items[0] for some in items)


@given(st.integers(1, 8), st.integers(1, 4), st.integers(0, 9))
def test_equal_categories_get_equal_shares(size: int, limit: int, seed: int) -> None:
    (taken,) = stratified([pool("en", [*"abcd"] * size)], 4 * min(limit, size), seed)
    assert set(Counter(sample.category for sample in taken).values()) == {min(limit, size)}


def test_a_share_takes_at_least_one_and_nought_takes_none() -> None:
    tasks = [pool("en", ["a"] * 10), pool("fr", ["a"] * 10)]
    assert len(ids(stratified(tasks, 0.001, 1))) == 1
    assert [len(samples) for samples in take_first(tasks, 0.001)] == [1, 1]
    assert len(ids(stratified(tasks, 0.5, 1))) == 10
    assert ids(stratified(tasks, 0, 1)) == ids(take_first(tasks, 0)) == []


def test_every_small_stratum_has_its_chance() -> None:
    """A category of a twentieth, in limits of eight: taken in 0.4 of them, not never."""
    samples = pool("en", ["common"] * 95 + ["rare"] * 5)
    num_rare = [sum(sample.category == "rare" for sample in stratified([samples], 8, seed)[0]) for seed in range(400)]
    assert 0.3 < sum(num_rare) / len(num_rare) < 0.5
    assert max(num_rare) == 1


def test_the_order_of_tasks_changes_nothing() -> None:
    tasks = {name: pool(name, ["a", "b"] * 5) for name in ("en", "fr", "hi")}
    forward = ids(take_stratified(tasks, 7, seed=3))
    backward = ids(take_stratified(dict(reversed(tasks.items())), 7, seed=3))
    assert set(forward) == set(backward)


def test_sentences_of_one_article_are_taken_one_by_one_and_the_same_in_every_direction() -> None:
    """A limit that took whole articles would know fewer of them; two translations of a sentence are one item."""
    tasks = [
        [
            Sample(
                id=f"{pair}:{row}",
                input="",
                language="hi",
                cluster=f"article {row // 4}",
                metadata={"item": f"row {row}"},
            )
            for row in range(400)
        ]
        for pair in ("en-hi", "fr-hi")
    ]
    taken = stratified(tasks, 80, seed=1)
    rows = [{sample.metadata["item"] for sample in samples} for samples in taken]
    assert len(rows[0]) == len(rows[1]) == 40
    assert len(rows[0] & rows[1]) >= 39
    assert all(len({sample.cluster for sample in samples}) > 30 for samples in taken)
