"""The fused attention of packed forests: its masks against single pairs, its output against the blocks'.

Here torch computes FlexAttention by its own reference, uncompiled; what CUDA devices compile has the same masks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from test_architectures import FOREST, alone, greedy, made_pairs, saved
from torch.nn.attention import flex_attention

from evalsuite.engines import flex_kernel, self_test
from evalsuite.engines.attention import Rules
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.flex_kernel import TILE, FlexKernel, forest_mask
from evalsuite.engines.forest import build_forest
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.packed_attention import PackedLayout, Past, make_layout, make_packing
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.types import Completion, GenerateRequest, Item, Loglikelihood

WIDTH = 8


@pytest.fixture(scope="module", autouse=True)
def traced_nowhere() -> Iterator[None]:
    """Torch traces even the uncompiled call, anew for most shapes; its own switch leaves that out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flex_attention, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # two on tensors this small mostly wait for one another
        yield
        torch.set_num_threads(threads)


def eager() -> FlexKernel:
    """The kernel as CUDA devices have it, also for few queries."""
    return FlexKernel(fewest_queries=1)


@dataclass(frozen=True)
class Case:
    """A forest by the rows it is of, after a past, with a layer's shape and rules."""

    rows: tuple[tuple[int, ...], ...]
    num_past: int
    num_heads: int
    num_shared: int
    rules: Rules

    def layout(self, flex: FlexKernel | None = None) -> PackedLayout:
        torch.manual_seed(1)
        key, value = (torch.randn(1, self.num_shared, self.num_past, WIDTH) for _ in range(2))
        past = Past(self.num_past, lambda _: (key, value)) if self.num_past else None
        forest = build_forest([np.array(row, dtype=np.int32) for row in self.rows])
        return make_layout(make_packing(forest, self.num_past), "cpu", past, flex=flex)

    def attend(self, flex: FlexKernel | None) -> torch.Tensor:
        layout = self.layout(flex)
        torch.manual_seed(2)
        size = len(layout.positions) - self.num_past
        heads = (self.num_heads, self.num_shared, self.num_shared)
        query, key, value = (torch.randn(1, size, number, WIDTH).transpose(1, 2) for number in heads)
        return layout.attend(0, query, key, value, self.rules)


@st.composite
def forests(draw: st.DrawFn) -> tuple[tuple[int, ...], ...]:
    """Rows of which many begin as another does, some longer than a tile of the kernel's or a block."""
    rows: list[tuple[int, ...]] = []
    for number in range(draw(st.integers(1, 7))):
        start = draw(st.sampled_from(rows)) if rows else ()
        kept = start[: draw(st.integers(0, len(start)))]
        length = draw(st.integers(1, 12) | st.integers(100, 300))
        rows.append((*kept, *(number + 7 * place for place in range(length))))
    return tuple(rows)


def ending_at(place: int) -> tuple[tuple[int, ...], ...]:
    """Two rows that share nothing, the first of `place` tokens."""
    return tuple(range(place)), tuple(range(1, 200))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shared = draw(st.sampled_from([1, 2]))
    heads = shared * draw(st.sampled_from([1, 2, 3]))
    rules = Rules(
        scaling=draw(st.sampled_from([None, 0.7])),
        window=draw(st.sampled_from([None, None, 1, 5, 150, 10_000])),
        softcap=draw(st.sampled_from([None, 1.5])),
        sinks=torch.linspace(-1, 3, heads) if draw(st.booleans()) else None,
    )
    return Case(draw(forests()), draw(st.sampled_from([0, 0, 1, 40, 200])), heads, shared, rules)


@given(case=cases())
def test_the_kernel_is_the_blocks(case: Case) -> None:
    flex = eager()
    found = case.attend(flex)
    assert flex.fault == ""
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, case.attend(None), rtol=0, atol=1e-5)


@example(rows=ending_at(2 * TILE - 1), num_past=0, window=None)
@example(rows=ending_at(2 * TILE), num_past=0, window=None)
@example(rows=ending_at(2 * TILE), num_past=0, window=2 * TILE - 1)
@example(rows=ending_at(2 * TILE), num_past=0, window=2 * TILE)
@given(rows=forests(), num_past=st.sampled_from([0, 1, 130]), window=st.sampled_from([None, 1, 5, 150, 10_000]))
def test_tiles_hold_every_pair_that_is_seen(
    rows: tuple[tuple[int, ...], ...], num_past: int, window: int | None
) -> None:
    """No pair that is seen lies in a tile that is passed over, none that is not in one that is taken whole."""
    case = Case(rows, num_past, 1, 1, Rules())
    layout = case.layout()
    mask = forest_mask(layout.positions, layout.subtree_ends, num_past, window)
    shape = (len(layout.positions) - num_past, len(layout.positions))
    seen = flex_attention.create_mask(mask.mask_mod, 1, 1, *shape, device="cpu")[0, 0]
    assert torch.equal(seen, by_segments(case, window))
    assert mask.shape == (1, 1, *shape)
    some = tiles_of(mask.kv_num_blocks, mask.kv_indices)
    every = tiles_of(mask.full_kv_num_blocks, mask.full_kv_indices)
    for (row, column), part in tiles(seen):
        is_whole = part.numel() == TILE * TILE and bool(part.all())
        assert every[row, column] == is_whole
        assert some[row, column] >= (bool(part.any()) and not is_whole)


@given(rows=forests(), num_past=st.sampled_from([0, 1, 130]))
def test_without_a_window_tiles_are_those_that_torch_finds(rows: tuple[tuple[int, ...], ...], num_past: int) -> None:
    layout = Case(rows, num_past, 1, 1, Rules()).layout()
    mask = forest_mask(layout.positions, layout.subtree_ends, num_past)
    shape = (len(layout.positions) - num_past, len(layout.positions))
    expected = flex_attention.create_block_mask(mask.mask_mod, 1, 1, *shape, device="cpu", BLOCK_SIZE=TILE)
    for sort in ("kv_num_blocks", "full_kv_num_blocks"):
        indices = sort.replace("num_blocks", "indices")
        ours, theirs = (tiles_of(getattr(each, sort), getattr(each, indices)) for each in (mask, expected))
        assert torch.equal(ours, theirs)


def by_segments(case: Case, window: int | None) -> torch.Tensor:
    """Which keys each query sees: the past, the segments on the way to its own, and its own up to itself."""
    forest = build_forest([np.array(row, dtype=np.int32) for row in case.rows])
    starts = [0, *itertools.accumulate(segment.num_tokens for segment in forest.segments)]
    seen = torch.zeros(starts[-1], case.num_past + starts[-1], dtype=torch.bool)
    for index, (start, end) in enumerate(itertools.pairwise(starts)):
        own = torch.ones(end - start, end - start, dtype=torch.bool).tril()
        keys = [torch.arange(case.num_past)]
        keys += [case.num_past + torch.arange(starts[part], starts[part + 1]) for part in forest.path(index)]
        way = torch.cat(keys)  # in logical order
        seen[start:end, way] = torch.cat([torch.ones(end - start, len(way) - len(own), dtype=torch.bool), own], dim=1)
        for query, place in enumerate(range(start, end), len(way) - len(own)):
            seen[place, way[: max(0, query + 1 - (window or len(way)))]] = False
    return seen


def tiles_of(counts: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """The tiles that a block mask lists, as booleans."""
    listed = torch.arange(indices.shape[-1]) < counts[0, 0, :, None]
    return torch.zeros(indices.shape[2:], dtype=torch.bool).scatter_(1, indices[0, 0].long(), listed)


def tiles(seen: torch.Tensor) -> Iterator[tuple[tuple[int, int], torch.Tensor]]:
    for row, column in itertools.product(*(range(-(-size // TILE)) for size in seen.shape)):
        yield (row, column), seen[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]


# -- whole models


@pytest.fixture
def with_flex(tmp_path: Path) -> Callable[[str], LocalModel]:
    def make(name: str) -> LocalModel:
        model = saved(tmp_path, name, FOREST[name])
        model.flex = eager()
        return model

    return make


@pytest.mark.parametrize("name", ["Llama", "Mistral", "Gemma2", "GptOss"])
@pytest.mark.filterwarnings("ignore")
def test_models_score_exactly_with_the_kernel(with_flex: Callable[[str], LocalModel], name: str) -> None:
    model = with_flex(name)
    assert model.verdict == self_test.Verdict("forest", "rows")
    pairs = made_pairs(model)
    scored = self_test.SCORERS["forest"](model, pairs)
    for pair, found in zip(pairs, scored, strict=True):
        assert isinstance(found, Loglikelihood)
        assert found.sum_nats == pytest.approx(alone(model, pair), abs=1e-3, rel=1e-5)
    assert model.flex is not None
    assert model.flex.fault == ""


@pytest.mark.filterwarnings("ignore")
def test_prompts_that_go_on_from_others_generate_the_same(with_flex: Callable[[str], LocalModel]) -> None:
    model = with_flex("Mistral")
    engine = TransformersEngine(model, 4)
    for text in ("abc " * 20, "abc " * 25 + "and then"):
        request = GenerateRequest(prompt=text, max_tokens=8)
        (answer,) = dict(engine.run(engine.plan([Item(id="0", sample_id="", wave=1, request=request)]))).values()
        assert isinstance(answer, Completion)
        assert answer.text == greedy(model, request)
    assert {event.name for event in engine.take_events()} <= {"loaded"}


# -- where it does not do


def test_few_queries_are_left_to_the_caller() -> None:
    query = torch.randn(1, 1, TILE, WIDTH)
    assert FlexKernel().attend(query, query, query, never_asked, Rules()) is None


def never_asked(window: int | None) -> Any:
    raise AssertionError(window)


def test_sinks_are_left_to_the_caller_where_torch_returns_no_norms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flex_kernel, "_returns_norms", lambda: False)
    case = Case(((1, 2, 3), (1, 2, 4)), 0, 1, 1, Rules(sinks=torch.ones(1)))
    flex = eager()
    torch.testing.assert_close(case.attend(flex), case.attend(None), rtol=0, atol=0)
    assert flex.fault == ""
    without = replace(case, rules=Rules())
    torch.testing.assert_close(without.attend(flex), without.attend(None), rtol=0, atol=1e-5)


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[int]:
    """FlexAttention raises `error`; the list grows with every call."""
    calls: list[int] = []

    def broken(query: torch.Tensor, *_: Any, **__: Any) -> None:
        calls.append(query.shape[2])
        raise error

    monkeypatch.setattr(flex_attention, "flex_attention", broken)
    monkeypatch.setattr(flex_kernel, "_returns_norms", lambda: True)
    return calls


@pytest.mark.filterwarnings("ignore")
def test_a_kernel_that_does_not_compile_is_given_up_for_good(
    with_flex: Callable[[str], LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores are the blocks', the reason stands in the verdict, and the run's events have it once."""
    calls = failing(monkeypatch, NotImplementedError("embedding dimension must be at least 16\nand more"))
    model = with_flex("Llama")
    fault = "NotImplementedError: embedding dimension must be at least 16"
    assert model.verdict == self_test.Verdict("forest", "rows", (f"fused attention: {fault}",))
    assert len(calls) == 1
    pair = EncodedPair((5, 6, 7), (8, 9), "")
    (found,) = self_test.SCORERS["forest"](model, [pair])
    assert isinstance(found, Loglikelihood)
    assert found.sum_nats == pytest.approx(alone(model, pair), abs=1e-3, rel=1e-5)
    assert len(calls) == 1
    engine = TransformersEngine(model)
    assert [(event.name, event.facts) for event in engine.take_events() if event.name != "loaded"] == [
        ("attention_by_blocks", {"because": fault})
    ]
    assert engine.take_events() == []
    assert engine.stack()["slower_because"] == f"fused attention: {fault}"


@pytest.mark.filterwarnings("ignore")
def test_a_kernel_that_is_wrong_is_given_up(
    with_flex: Callable[[str], LocalModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a miscompiled one would be: every query sees one key less than there is to see."""
    right = flex_kernel._seen

    def wrong(places: torch.Tensor, ends: torch.Tensor) -> Callable[..., Any]:
        return right(places, ends - (ends == ends.max()).to(ends.dtype))

    monkeypatch.setattr(flex_kernel, "_seen", wrong)
    model = with_flex("Llama")
    assert (model.verdict.scoring, model.verdict.generation) == ("forest", "rows")
    (reason,) = model.verdict.reasons
    assert reason.startswith("fused attention: scores differ by ")


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_too_little_memory_is_not_a_fault(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    failing(monkeypatch, error())
    flex = eager()
    with pytest.raises(error):
        Case(((1, 2, 3),), 0, 1, 1, Rules()).attend(flex)
    assert flex.fault == ""
