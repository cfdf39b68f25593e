"""Generation by rows that come and go: the text of each is its own, whatever is beside it and however memory ends."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import byte_level_with_bos, save_llama

from evalsuite.engines import decoding, static_generation
from evalsuite.engines.base import Event
from evalsuite.engines.decoding import Decoder
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.packed_pass import PassPlan
from evalsuite.engines.row_memory import RowMemory
from evalsuite.engines.rows import Row
from evalsuite.engines.slots import Slots
from evalsuite.types import Cause, Completion, Failure, GenerateRequest, Response

pytestmark = pytest.mark.usefixtures("one_thread")

MANY = 10**9
TEXTS = (
    "a",
    "what is it",
    "the the the",
    "once upon a time there was",
    "x" * 40,
    "1, 2, 3",
    "abc",
    "tell me of the sea",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = save_llama(tmp_path_factory.mktemp("model"), byte_level_with_bos(), max_length=256)
    return LocalModel(ModelSettings(str(folder), None, "float32", "cpu", None, None))


def rows_of(model: LocalModel, requests: list[GenerateRequest]) -> list[Row]:
    return [
        Row(str(place), request, model.encoder.encode_prompt(request, model.max_length))
        for place, request in enumerate(requests)
    ]


def decoded(
    model: LocalModel, requests: list[GenerateRequest], num_rows: int, num_tokens: int = MANY
) -> list[Response]:
    """The answers in the order of `requests`."""
    found = dict(Decoder(model, num_rows, num_tokens, [RowMemory(0)]).run(rows_of(model, requests)))
    return [found[str(place)] for place in range(len(requests))]


def alone(model: LocalModel, request: GenerateRequest) -> Response:
    """By transformers' own `generate`, one prompt by itself."""
    (row,) = rows_of(model, [request])
    return static_generation.generate(model, [request], [row.prompt])[0]


def request(text: str, max_tokens: int, **changes: Any) -> GenerateRequest:
    return GenerateRequest(prompt=text, max_tokens=max_tokens, **changes)


requests_of = st.lists(
    st.builds(
        request,
        st.sampled_from(TEXTS) | st.text("abc \n", max_size=30),
        st.integers(1, 24),
        temperature=st.sampled_from([0.0, 0.0, 0.7, 2.0]),
        top_p=st.sampled_from([1.0, 0.8, 0.1]),
        seed=st.integers(0, 3),
        stop=st.sampled_from([(), ("a",), ("\n", "the"), ("  ",)]),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=40, deadline=None)
@given(requests=requests_of, num_rows=st.integers(1, 6), num_tokens=st.sampled_from([1, 60, MANY]))
def test_each_row_is_what_it_is_alone(
    model: LocalModel, requests: list[GenerateRequest], num_rows: int, num_tokens: int
) -> None:
    expected = [alone(model, request) for request in requests]
    assert decoded(model, requests, num_rows, num_tokens) == expected
    prompts = [row.prompt for row in rows_of(model, requests)]
    assert static_generation.generate(model, requests, prompts) == expected


def test_sampling_draws_by_the_requests_own_seed(model: LocalModel) -> None:
    drawn = [request("once", 16, temperature=1.5, seed=seed) for seed in (1, 1, 2, 3)]
    texts = [answer.text for answer in decoded(model, drawn, 4) if isinstance(answer, Completion)]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3
    (cold,) = decoded(model, [request("once", 16, temperature=1e-6, seed=5)], 1)
    (narrow,) = decoded(model, [request("once", 16, temperature=1.5, top_p=1e-9, seed=5)], 1)
    assert cold == narrow == alone(model, request("once", 16))


def test_sampled_tokens_have_the_models_frequencies() -> None:
    """Five tokens, 20 000 draws: within four standard errors of the softmax, and of its nucleus."""
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0, float("-inf")])
    for temperature, top_p in ((1.0, 1.0), (0.5, 1.0), (1.0, 0.7)):
        sampler = decoding.Sampler(request("", 1, temperature=temperature, top_p=top_p, seed=4))
        draws = torch.tensor([sampler.pick(logits, 2) for _ in range(20_000)])
        weights = (logits / temperature).softmax(-1)
        if top_p < 1:
            weights[[0, 3]] = 0  # 0.64, and 0.88 with the second, which crosses the border
        expected = weights / weights.sum()
        found = torch.bincount(draws, minlength=5) / len(draws)
        errors = 4 * (expected * (1 - expected) / len(draws)).sqrt() + 1e-9
        assert ((found - expected).abs() <= errors).all(), (temperature, top_p, found, expected)


@pytest.mark.parametrize("temperature", [1e-300, 1e-38, 1e-6, 1e6, 1e39])
def test_extreme_temperatures_draw_what_is_possible(temperature: float) -> None:
    """Neither do cold logits overflow and tie, nor hot ones make the impossible possible."""
    logits = torch.tensor([5.0, 10.0, -3.0, float("-inf")])
    sampler = decoding.Sampler(request("", 1, temperature=temperature, seed=4))
    draws = {sampler.pick(logits, 1) for _ in range(200)}
    assert draws == ({1} if temperature < 1 else {0, 1, 2})


def test_a_second_turn_computes_only_what_is_new(model: LocalModel) -> None:
    """Also where the rows that it goes on from were many."""
    firsts = [request(text * 4, 12) for text in TEXTS]
    memory = RowMemory(MANY)
    answers = dict(Decoder(model, 4, MANY, [memory]).run(rows_of(model, firsts)))
    seconds = [
        msgspec.structs.replace(first, prompt=str(first.prompt) + answers[str(place)].text + " and then?")  # type: ignore[union-attr]
        for place, first in enumerate(firsts)
    ]
    rows = rows_of(model, seconds)
    with_memory, read = counted(model, Decoder(model, 4, MANY, [memory]), rows)
    without, read_all = counted(model, Decoder(model, 4, MANY, [RowMemory(0)]), rows)
    assert with_memory == without
    shared = read_all - read
    assert shared > 0.5 * sum(len(row.prompt.ids) for row in rows)


def counted(model: LocalModel, decoder: Decoder, rows: list[Row]) -> tuple[dict[str, Response], int]:
    """The answers, and the tokens that went through the model."""
    sizes: list[int] = []
    hook = model.model.register_forward_pre_hook(
        lambda _, __, inputs: sizes.append(inputs["input_ids"].numel()), with_kwargs=True
    )
    try:
        return dict(decoder.run(iter(rows))), sum(sizes)
    finally:
        hook.remove()


def test_memory_keeps_what_fits(model: LocalModel) -> None:
    row_bytes = 2 * 2 * 32 * 4 // 2  # layers, keys and values, width of the shared heads, float32: of one token
    memory = RowMemory(200 * row_bytes)
    list(Decoder(model, 2, MANY, [memory]).run(rows_of(model, [request(text * 4, 12) for text in TEXTS])))
    kept = list(memory._rows.values())
    assert 0 < sum(row.num_bytes for row in kept) <= memory.num_bytes
    assert sum(row.num_bytes for row in kept) == sum(len(row.tokens) for row in kept) * row_bytes


@pytest.mark.parametrize("most", [1, 2, 3, 5])
@pytest.mark.parametrize("where", ["run_pass", "_step"])
@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError, RuntimeError])
def test_too_little_memory_halves_the_rows(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, most: int, where: str, error: type[Exception]
) -> None:
    """Whether prompts or steps do not fit, every row is answered as it is alone, and what happened is noted."""
    requests = [request(text, 8) for text in TEXTS]
    expected = [alone(model, one) for one in requests]
    refuse_more_than(most, monkeypatch, where, error)
    events: list[Event] = []
    decoder = Decoder(model, 6, MANY, [RowMemory(0)], events)
    found = dict(decoder.run(rows_of(model, requests)))
    assert [found[str(place)] for place in range(len(requests))] == expected
    assert events
    assert {event.name for event in events} == {"halved"}
    assert decoder.num_rows <= most


def test_a_row_that_cannot_be_remembered_is_answered(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [request(text, 8) for text in TEXTS]
    expected = [alone(model, one) for one in requests]

    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Slots, "kept", full)
    assert decoded(model, requests, 3) == expected


@pytest.mark.parametrize("num_tokens", [30, 60, 100])
def test_slots_hold_no_more_tokens_than_allowed(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, num_tokens: int
) -> None:
    """All slots are as long as the longest row; a row that exceeds the limit is generated by itself."""
    requests = [request(text, size) for text, size in zip(TEXTS, (8, 20, 3, 40, 8, 12, 5, 30), strict=True)]
    expected = [alone(model, one) for one in requests]
    sizes: list[tuple[int, int]] = []
    original = Slots.resize

    def noted(slots: Slots, num_slots: int, num: int) -> None:
        sizes.append((num_slots, num))
        original(slots, num_slots, num)

    monkeypatch.setattr(Slots, "resize", noted)
    assert decoded(model, requests, 6, num_tokens) == expected
    assert max(slots for slots, _ in sizes) > 1
    assert all(slots * size <= num_tokens or slots == 1 for slots, size in sizes)


def refuse_more_than(most: int, monkeypatch: pytest.MonkeyPatch, where: str, error: type[Exception]) -> None:
    original = getattr(decoding, where)

    def limited(model: LocalModel, first: Any, second: Any, *rest: Any, **named: Any) -> Any:
        if len(first.lengths if where == "run_pass" else second) > most:
            raise error("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return original(model, first, second, *rest, **named)

    monkeypatch.setattr(decoding, where, limited)


def test_a_row_that_fits_nowhere_fails_by_itself(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [request(text, 8) for text in TEXTS]
    expected = [alone(model, one) for one in requests]
    original = decoding.run_pass

    def limited(model: LocalModel, plan: PassPlan, *rest: Any, **named: Any) -> Any:
        if max(plan.lengths) > 35:
            raise torch.OutOfMemoryError
        return original(model, plan, *rest, **named)

    monkeypatch.setattr(decoding, "run_pass", limited)
    found = decoded(model, requests, 4)
    for text, answer, own in zip(TEXTS, found, expected, strict=True):
        if text == "x" * 40:
            assert answer == Failure(cause=Cause.OUT_OF_MEMORY, detail="alone in its batch")
        else:
            assert answer == own


def test_other_errors_are_not_swallowed(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(decoding, "run_pass", broken)
    with pytest.raises(RuntimeError, match="mat1"):
        decoded(model, [request("a", 3)], 2)
