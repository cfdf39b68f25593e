"""Plans cut for many workers: every request once, no part too large, and all workers done at about the same time."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharding_model import Driver, generation_size, simulate
from test_forest import row_sets
from tiny_models import characters, save_llama

from evalsuite.engines import sharding
from evalsuite.engines.base import Batch, BatchFeed
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.planner import num_forest_tokens
from evalsuite.engines.sharding import ALIKE_UP_TO, Strip, Yardstick, finer, longest_first, planned_for
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.types import GenerateRequest, Item, LoglikelihoodRequest, Request

YARDSTICK = Yardstick(step_tokens=192, row_share=0.02, num_rows=64, num_held=10**5)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    """A tokenizer of a token a character; nothing is computed with it."""
    folder = tmp_path_factory.mktemp("model")
    save_llama(folder, characters())
    return TransformersEngine(LocalModel(ModelSettings(str(folder), None, "auto", "cpu", 2048, None)))


def item(place: int, request: Request) -> Item:
    return Item(id=f"t:{place:04}", sample_id=f"t:{place:04}", wave=1, request=request)


letters = st.text("ab", max_size=30)
documents = st.lists(st.tuples(letters, st.lists(letters.filter(bool), min_size=1, max_size=3)), max_size=12)
generations = st.lists(st.tuples(letters.filter(bool), st.integers(1, 40)), max_size=12)


@settings(deadline=None, max_examples=60)
@given(documents, generations, st.integers(1, 600), st.integers(1, 60))
def test_every_request_stands_once_in_a_part_of_its_own_batch(
    engine: TransformersEngine, scored: list[Any], generated: list[Any], num_workers: int, least: int
) -> None:
    requests: list[Request] = [
        LoglikelihoodRequest(context=context, continuation=end) for context, ends in scored for end in ends
    ]
    requests += [GenerateRequest(prompt=prompt, max_tokens=cap) for prompt, cap in generated]
    plan = engine.plan([item(place, request) for place, request in enumerate(requests)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharding, "LEAST_TOKENS", least)
        found = finer(plan, num_workers, engine.requests, YARDSTICK)
        assert found == finer(plan, num_workers, engine.requests, YARDSTICK)
    if num_workers <= ALIKE_UP_TO:
        assert found == plan
    assert [batch.index for batch in found] == list(range(len(found)))
    whole_of = {one.id: batch for batch in plan for one in batch.items}
    assert sorted(one.id for batch in found for one in batch.items) == sorted(whole_of)
    for batch in found:
        (whole,) = {whole_of[one.id].index: whole_of[one.id] for one in batch.items}.values()
        assert batch.num_tokens == engine.count_tokens([one.request for one in batch.items])
        assert 0 < len(batch.items) <= len(whole.items)
        assert batch.num_tokens <= whole.num_tokens


@given(row_sets(), st.integers(1, 40), st.floats(0, 0.2))
def test_runs_of_a_strip_read_what_their_forest_has(rows: list[Any], most: int, row_share: float) -> None:
    """`num_tokens` is the forest's, and no run is longer than asked unless a cut would have repeated too much."""
    rows.sort(key=sharding.sort_key)
    shared = [0, *(sharding.common_length(a, b) for a, b in pairwise(rows))]
    lengths = np.array([len(row) for row in rows])
    items = tuple(item(place, GenerateRequest(prompt="", max_tokens=1)) for place in range(len(rows)))
    strip = Strip(items, np.array(shared), lengths - np.array(shared), row_share * lengths)
    borders = strip.borders(most)
    assert borders[0] == 0
    assert borders[-1] == len(rows)
    assert borders == sorted(set(borders))
    for start, end in pairwise(borders):
        assert strip.num_tokens(start, end) == num_forest_tokens(rows[start:end])
        work = strip.num_tokens(start, end) + strip.costs[start:end].sum()
        earlier = strip.shared[start + 1 : end]
        assert work <= most or not earlier.size or earlier[-1] > most / 2 or work - strip.added[end - 1] <= 2 * most
    assert strip.glue() >= 0


def test_a_cut_goes_between_documents(engine: TransformersEngine) -> None:
    """Two documents of a hundred tokens with four answers each, a limit that one and a half would fill."""
    contexts = ["a" * 100, "b" * 100]
    requests = [LoglikelihoodRequest(context=c, continuation=end * 5) for c in contexts for end in "abab"]
    batch = Batch(0, tuple(item(place, request) for place, request in enumerate(requests)), 0)
    strip = sharding.strip_of(batch, engine.requests)
    assert strip.borders(160) == [0, 4, 8]
    assert strip.borders(10**6) == [0, 8]


def test_a_tree_whose_cut_would_repeat_too_much_is_left_whole(engine: TransformersEngine) -> None:
    requests = [LoglikelihoodRequest(context="a" * 100, continuation=end * 9) for end in "abcdefgh"]
    batch = Batch(0, tuple(item(place, request) for place, request in enumerate(requests)), 0)
    strip = sharding.strip_of(batch, engine.requests)
    assert strip.borders(110) == [0, 8]
    assert len(strip.borders(110, dearest=1)) > 2
    assert strip.glue() == 0  # smaller than anything that is cut


def test_few_lost_workers_do_not_change_the_plan() -> None:
    found = {num: planned_for(num) for num in (1, 8, 9, 16, 17, 60, 64, 65, 512)}
    assert found == {1: 1, 8: 1, 9: 16, 16: 16, 17: 32, 60: 64, 64: 64, 65: 128, 512: 512}
    assert sharding.identity(8) == {}
    assert sharding.identity(500) == sharding.identity(512) == {"planned_for_workers": 512}


def test_the_longest_go_first_and_stopping_is_heard() -> None:
    batches = [Batch(index, (), size) for index, size in enumerate([3, 9, 5, 9, 1])]
    assert [batch.index for batch in longest_first(batches, lambda batch: batch.num_tokens)] == [1, 3, 2, 0, 4]
    is_over = False
    feed = BatchFeed(batches, lambda: is_over)
    found = longest_first(feed, lambda batch: batch.num_tokens)
    assert [next(found).index, next(found).index] == [1, 3]
    assert feed.taken == [0, 1, 2, 3, 4]
    is_over = True
    assert list(found) == []


def test_generation_is_parted_as_the_price_of_its_steps_says(engine: TransformersEngine) -> None:
    """With many workers in small parts, but not one by one: each part takes the steps of its longest answer."""
    items = tuple(item(place, GenerateRequest(prompt="a" * 100, max_tokens=256)) for place in range(512))
    plan = (Batch(0, items, 512 * 356),)

    def largest(num_workers: int) -> int:
        return max(len(batch.items) for batch in finer(plan, num_workers, engine.requests, YARDSTICK))

    assert largest(8) == 512
    assert 1 < largest(256) < largest(64) < largest(16) < 512


@cache
def lengths(count: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng(3).integers(20, 256, count).tolist())


@pytest.mark.parametrize(("num_workers", "most"), [(16, 0.03), (64, 0.15)])
def test_simulated_workers_end_together(
    engine: TransformersEngine, num_workers: int, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small run, SIMULATED: rows to score and answers of lengths that the plan does not know, in tokens for seconds.

    In plan order the answers, which stand last, would keep a few workers busy long after the others.
    """
    monkeypatch.setattr(sharding, "LEAST_TOKENS", 512)
    scored = [
        LoglikelihoodRequest(context=f"{'ab' * 50}{place:05}{'xyz' * 40}", continuation=end)
        for place in range(1200)
        for end in ("yes", "no!")
    ]
    answered = [GenerateRequest(prompt=f"{place:03}" + "q" * 500, max_tokens=256) for place in range(160)]
    parts: list[Batch] = []
    for kind, size in ((scored, 160), (answered, 64)):
        items = [item(place + len(scored) * (kind is answered), request) for place, request in enumerate(kind)]
        for start in range(0, len(items), size):
            group = tuple(items[start : start + size])
            parts.append(Batch(len(parts), group, engine.count_tokens([one.request for one in group])))
    answer_of = dict(zip((one.id for one in items), lengths(len(answered)), strict=True))

    def seconds(batch: Batch) -> float:
        if not isinstance(batch.items[0].request, GenerateRequest):
            return yardstick.work(batch, engine.requests)
        size = generation_size([503] * len(batch.items), [answer_of[one.id] for one in batch.items], 64)
        return size.tokens + size.steps * 32

    yardstick = Yardstick(step_tokens=32, row_share=0.02, num_rows=64, num_held=10**6)

    def imbalance(batches: Any) -> float:
        found = [(seconds(batch), len(batch.items)) for batch in batches]
        return simulate(found, num_workers, Driver()).imbalance

    ours = finer(parts, num_workers, engine.requests, yardstick)
    found = imbalance(longest_first(ours, lambda batch: yardstick.work(batch, engine.requests)))
    assert found < most
    assert imbalance(parts) > 5 * most
    assert sum(batch.num_tokens for batch in ours) < 1.15 * sum(batch.num_tokens for batch in parts)


def test_the_simulation_counts_what_it_says() -> None:
    """Three rows, two at a time: steps by hand; two workers and a driver that takes a second for everything."""
    size = generation_size([10, 10, 5], [3, 2, 4], 2)
    # both prompts, their first tokens; one step ends the second row; the third joins; two more steps end the first
    # and all but one token of the third's four
    assert (size.items, size.tokens, size.forwards, size.steps) == (3, 25 + 9, 2, 4)
    outcome = simulate([(5.0, 1), (3.0, 2), (1.0, 1)], 2, Driver(hand_out_s=1.0, commit_s=1.0, item_s=0.5))
    assert sorted(outcome.busy) == [4.0, 5.0]
    assert outcome.end == pytest.approx(11.0)
