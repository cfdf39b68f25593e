"""Continuous batching answers as `generate` does one prompt at a time, stops where we stop, and never hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import test_architectures as architectures
import torch
from tiny_models import SaidToBeOnCuda, characters, save_llama

from evalsuite.engines import continuous, static_generation
from evalsuite.engines.base import EngineOptions
from evalsuite.engines.continuous import ContinuousDecoder
from evalsuite.engines.local_model import GenerationChoice, LocalModel, ModelSettings
from evalsuite.engines.model_arguments import open_engine
from evalsuite.engines.rows import Row
from evalsuite.engines.scores import NONFINITE, OUT_OF_MEMORY
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.errors import UsageError
from evalsuite.types import Cause, Completion, Failure, GenerateRequest, Item, Response

TEXTS = ["a", "what is it", "abc " * 9, "what is it, and where", "abc " * 9 + "d", "zz"]
"""Of many lengths; two begin alike for longer than a page."""


@pytest.fixture
def model(tmp_path: Path) -> LocalModel:
    """A Llama with random weights."""
    return LocalModel(ModelSettings(str(save_llama(tmp_path, characters())), None, "float32", "cpu", None, None))


@pytest.fixture
def threads() -> Iterator[set[threading.Thread]]:
    """Those that were there before, and must be all that are there afterwards."""
    before = running()
    yield before
    assert running() <= before


def running() -> set[threading.Thread]:
    """All threads but the one that progress bars leave behind."""
    return {thread for thread in threading.enumerate() if thread.name != "tqdm_monitor"}


def rows_of(model: LocalModel, requests: list[GenerateRequest]) -> list[Row]:
    return [
        Row(str(place), request, model.encoder.encode_prompt(request, model.max_length))
        for place, request in enumerate(requests)
    ]


def asked(**settings: Any) -> list[GenerateRequest]:
    """A request for each of `TEXTS`, each with a cap of its own."""
    caps = range(4, 40, 5)
    return [
        GenerateRequest(**{"prompt": text, "max_tokens": cap, **settings})
        for text, cap in zip(TEXTS, caps, strict=False)
    ]


def answers(model: LocalModel, requests: list[GenerateRequest], num_rows: int = 2, num_tokens: int = 500) -> list[Any]:
    found = dict(ContinuousDecoder(model, num_rows, num_tokens).run(iter(rows_of(model, requests))))
    assert len(found) == len(requests)
    return [found[str(place)] for place in range(len(requests))]


def one_at_a_time(model: LocalModel, requests: list[GenerateRequest]) -> list[Response]:
    return [static_generation.generate(model, [row.request], [row.prompt])[0] for row in rows_of(model, requests)]


@pytest.mark.parametrize("name", ["Llama", "Qwen3", "Phi3", "Mistral", "Gemma3Text", "GptOss", "Mixtral"])
@pytest.mark.filterwarnings("ignore")
def test_texts_are_those_of_generate(tmp_path: Path, threads: set[threading.Thread], name: str) -> None:
    """More rows than slots, caps that differ; windows, sinks and experts."""
    model = architectures.saved(tmp_path, name, architectures.FOREST[name])
    usual = model.model.config._attn_implementation
    requests = asked()
    for request, answer in zip(requests, answers(model, requests), strict=True):
        assert isinstance(answer, Completion)
        assert answer.text == architectures.greedy(model, request)
    assert model.model.config._attn_implementation == usual


def test_stop_strings_end_an_answer(model: LocalModel) -> None:
    whole = [answer.text for answer in answers(model, asked(max_tokens=40))]
    requests = [
        GenerateRequest(prompt=prompt, max_tokens=40, stop=("never", text[7:9]))
        for text, prompt in zip(whole, TEXTS, strict=True)
    ]
    found = answers(model, requests)
    assert found == one_at_a_time(model, requests)
    assert all(answer.stop_reason == "stop" and answer.num_tokens < 40 for answer in found)


def test_end_tokens_end_an_answer(model: LocalModel) -> None:
    """Whatever letter the model would write fifth ends it."""
    (whole,) = answers(model, [GenerateRequest(prompt="what is it", max_tokens=20)])
    model.__dict__["end_tokens"] = [model.encoder.tokenizer(whole.text[5]).input_ids[0]]
    (found,) = answers(model, [GenerateRequest(prompt="what is it", max_tokens=20)])
    assert whole.text.startswith(found.text)
    assert (len(found.text) <= 5, found.stop_reason) == (True, "end")


def test_rows_are_taken_as_there_is_room(model: LocalModel, threads: set[threading.Thread]) -> None:
    taken: list[str] = []

    def rows() -> Iterator[Row]:
        for row in rows_of(model, asked(prompt="ab", max_tokens=6) * 5):
            taken.append(row.id)
            yield row

    for num_done, _ in enumerate(ContinuousDecoder(model, 3, 500).run(rows())):
        assert len(taken) <= num_done + 4
    assert len(taken) == num_done + 1 == 30


def test_rows_longer_than_the_memory_are_answered(model: LocalModel) -> None:
    requests = asked()
    assert answers(model, requests, num_rows=4, num_tokens=16) == one_at_a_time(model, requests)


def test_closed_early_it_leaves_no_thread(model: LocalModel, threads: set[threading.Thread]) -> None:
    run = ContinuousDecoder(model, 2, 500).run(iter(rows_of(model, asked(max_tokens=200))))
    next(run)
    (own,) = running() - threads
    assert own.daemon  # nor would one that is never closed keep Python up
    run.close()  # type: ignore[attr-defined]
    assert not own.is_alive()
    assert model.model.config._attn_implementation == "sdpa"


def test_an_error_of_the_rows_leaves_no_thread(model: LocalModel, threads: set[threading.Thread]) -> None:
    def rows() -> Iterator[Row]:
        yield from rows_of(model, asked())[:1]
        raise KeyError("the rows broke off")

    with pytest.raises(KeyError, match="the rows broke off"):
        list(ContinuousDecoder(model, 2, 500).run(rows()))
    assert model.model.config._attn_implementation == "sdpa"


def test_sampled_rows_are_refused(model: LocalModel, threads: set[threading.Thread]) -> None:
    with pytest.raises(ValueError, match=r"greedy; temperature 0\.5"):
        answers(model, asked(temperature=0.5))


def failing(model: LocalModel, monkeypatch: pytest.MonkeyPatch, error: Exception, calls: range) -> None:
    """Make the model raise `error` in the forward passes counted by `calls`."""
    forward = model.model.forward
    num_calls = iter(range(10**6))

    def broken(*positional: Any, **named: Any) -> Any:
        if next(num_calls) in calls:
            raise error
        return forward(*positional, **named)

    monkeypatch.setattr(model.model, "forward", broken)


def test_a_failing_model_gives_failures(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, threads: set[threading.Thread]
) -> None:
    failing(model, monkeypatch, RuntimeError("the wires are crossed\nlong story"), range(10**6))
    expected = Failure(cause=Cause.ENGINE_ERROR, detail="continuous batching: RuntimeError: the wires are crossed")
    assert answers(model, asked()) == [expected] * len(TEXTS)


def test_rows_after_a_failure_are_answered(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = asked(max_tokens=5)
    expected = one_at_a_time(model, requests)
    failing(model, monkeypatch, RuntimeError("the wires are crossed"), range(2, 3))
    found = answers(model, requests)
    assert [isinstance(answer, Failure) for answer in found] == [True, True, False, False, False, False]
    assert found[2:] == expected[2:]


def test_a_thread_that_ends_without_a_word_is_noticed(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, threads: set[threading.Thread]
) -> None:
    from transformers.generation.continuous_batching import continuous_api

    monkeypatch.setattr(continuous_api.ContinuousBatchingManager, "_run_generation_loop", lambda manager: None)
    expected = Failure(cause=Cause.ENGINE_ERROR, detail="continuous batching: its thread has ended")
    assert answers(model, asked()[:2]) == [expected] * 2


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("no room"), MemoryError("no room")])
def test_out_of_memory_begins_again_with_fewer_rows(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    requests = asked()
    expected = one_at_a_time(model, requests)
    failing(model, monkeypatch, error, range(2, 4))
    decoder = ContinuousDecoder(model, 4, 500)
    found = dict(decoder.run(iter(rows_of(model, requests))))
    assert [found[str(place)] for place in range(len(requests))] == expected
    assert (decoder.num_rows, decoder.num_tokens) == (1, 125)


def test_a_row_that_does_not_fit_by_itself_has_failed(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, threads: set[threading.Thread]
) -> None:
    failing(model, monkeypatch, torch.OutOfMemoryError("no room"), range(10**6))
    assert answers(model, asked()) == [OUT_OF_MEMORY] * len(TEXTS)


@pytest.mark.parametrize("stop", [(), ("never",)])
def test_logits_that_are_not_finite_fail_their_own_row_only(model: LocalModel, stop: tuple[str, ...]) -> None:
    """The letter Q is NaN, which spoils the sums of all rows that go through the model with it."""
    (letter,) = model.encoder.tokenizer("Q").input_ids
    with torch.no_grad():
        model.model.get_input_embeddings().weight[letter] = torch.nan
    requests = [GenerateRequest(prompt=text, max_tokens=6, stop=stop) for text in ("a", "b", "cQ", "d", "e", "fQ")]
    found = answers(model, requests, num_rows=3)
    assert found == one_at_a_time(model, requests)
    assert [answer == NONFINITE for answer in found] == [False, False, True, False, False, True]


def engine_of(model: LocalModel, generation: GenerationChoice) -> TransformersEngine:
    return TransformersEngine(LocalModel(replace(model.settings, generation=generation)), 4)


def run_with(engine: TransformersEngine, requests: list[GenerateRequest]) -> dict[str, Response]:
    items = [Item(id=f"{place}", sample_id="", wave=1, request=request) for place, request in enumerate(requests)]
    return dict(engine.run(engine.plan(items)))


def test_the_engine_answers_the_same_whichever_way_is_asked_for(model: LocalModel) -> None:
    requests = [*asked(stop=("e",)), *asked(temperature=0.7, seed=3)]
    choices: list[GenerationChoice] = ["auto", "rows", "static", "continuous"]
    engines = {choice: engine_of(model, choice) for choice in choices}
    expected = run_with(engines["rows"], requests)
    for choice, engine in engines.items():
        assert run_with(engine, requests) == expected
        assert engine.stack()["generation"] == ("rows" if choice == "auto" else choice)
        assert engine.identity().get("generation", "auto") == choice
        assert "slower_because" not in engine.stack()


def test_sampled_answers_are_by_rows(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Continuous batching would refuse them."""
    engine = engine_of(model, "continuous")
    found = run_with(engine, asked(temperature=0.7))
    assert all(isinstance(answer, Completion) for answer in found.values())
    assert engine.model.verdict.is_continuous


@pytest.mark.parametrize(
    ("name", "otherwise", "reason"),
    [
        ("Gemma2", "rows", "scores differ by"),  # its cap on attention scores is not known there
        ("Bloom", "static", "scores differ by"),
        ("Mamba2", "static", "linear_attention"),
        ("T5", "static", ""),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_model_on_which_it_is_wrong_is_generated_otherwise(
    tmp_path: Path, threads: set[threading.Thread], name: str, otherwise: str, reason: str
) -> None:
    every = {name: settings for names in architectures.ALL.values() for name, settings in names.items()}
    engine = engine_of(architectures.saved(tmp_path, name, every[name]), "continuous")
    found = run_with(engine, asked()[:2])
    assert all(isinstance(answer, Completion) for answer in found.values())
    assert engine.stack()["generation"] == otherwise
    reasons = str(engine.stack().get("slower_because", "")).partition("continuous batching: ")[2]
    assert reason in reasons


@pytest.mark.parametrize("version", [None, 2, 3])
def test_on_cuda_it_is_the_choice_where_flash_attention_is(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, version: int | None
) -> None:
    monkeypatch.setattr(continuous, "_flash_version", lambda model: version)
    engine = TransformersEngine(SaidToBeOnCuda(model.settings), 4)
    verdict = engine.model.verdict
    assert (verdict.is_continuous, verdict.generation) == (version is not None, "rows")
    assert ("FlashAttention is not installed" in " ".join(verdict.reasons)) is (version is None)
    expected = dict(zip("012345", one_at_a_time(model, asked()), strict=True))
    assert run_with(engine, asked()) == expected


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        open_engine(EngineOptions("smollm2-135m", {"generation": "paged"}))
    message = str(caught.value)
    assert all(word in message for word in ("generation=paged", "rows", "continuous", "static", "auto", "CUDA"))
