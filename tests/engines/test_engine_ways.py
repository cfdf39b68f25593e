"""The in-process engine as a whole: what it forecasts, what it notes, and what is the same again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import test_architectures as architectures
import torch
from tiny_models import SaidToBeOnCuda, byte_level_with_bos, save_llama
from transformers import Gemma3Config

from evalsuite.cli.main import main
from evalsuite.config import RunConfig
from evalsuite.engines import forecast, forest_scorer, noise
from evalsuite.engines.forecast import Rates, Work
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.scores import NO_TOKENS
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.prepare import Prepared, first_items, prepare
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_samples
from evalsuite.types import Cause, Completion, Failure, GenerateRequest, Item, LoglikelihoodRequest, Request, Response

pytestmark = pytest.mark.usefixtures("one_thread")

FLOAT32 = {"dtype": "float32"}
TASKS = ("mini_choice_en", "mini_math_en")
RWKV = {"attention_hidden_size": 32, "context_length": 256}
LLAMA_4 = {
    "floor_scale": 16, "attn_scale": 0.5, "attn_temperature_tuning": True, "no_rope_layers": [0, 1],
    "attention_chunk_size": 64, "intermediate_size_mlp": 64, "num_local_experts": 2,
}  # fmt: skip
LONGROPE = {
    "original_max_position_embeddings": 40,
    "rope_parameters": {
        "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 40,
        "short_factor": [1.0] * 4, "long_factor": [3.0] * 4,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llama(tmp_path_factory.mktemp("model"), byte_level_with_bos(), max_length=2048)


def prepared_for(folder: Path, **changes: Any) -> Prepared:
    settings: dict[str, Any] = {"model_args": FLOAT32, "limit": 8.0, "gen_kwargs": {"max_tokens": 12}, **changes}
    return prepare(RunConfig(model=str(folder), tasks=TASKS, **settings))


def items_of(prepared: Prepared) -> list[Item]:
    return [item for entry in prepared.tasks for item in first_items(prepared, entry)]


def test_a_forecast_follows_its_formula(folder: Path) -> None:
    """Two products a parameter and token read; a step reads all weights or computes all rows, whatever takes longer."""
    model = LocalModel(ModelSettings(str(folder), None, "float32", "cpu", None, None))
    assert model.num_parameters == sum(part.numel() for part in model.model.parameters())
    rates = Rates(flops=1e9, bandwidth=1e6)
    read = forecast.cost_of(model, Work(num_read=1000, num_generated=0, mean_length=0, largest=10, num_rows=1), rates)
    assert read.seconds == pytest.approx(2 * model.num_parameters * 1000 / (0.6 * 1e9))
    steps = forecast.cost_of(model, Work(num_read=0, num_generated=40, mean_length=0, largest=10, num_rows=4), rates)
    assert steps.seconds == pytest.approx(10 * 4 * model.num_parameters / 1e6)
    assert steps.num_bytes == read.num_bytes > 4 * model.num_parameters
    measured = forecast.measure("cpu", torch.float32)
    assert measured.flops > 1e8
    assert measured.bandwidth > 1e8


def test_the_dry_run_plans_what_the_run_computes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "--model", str(folder), "--model_args", "dtype=float32", "--tasks", *TASKS, "--limit", "8"]
    assert main([*arguments, "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["tasks"]
    prepared = prepared_for(folder, gen_kwargs={})
    for row, entry in zip(said, prepared.tasks, strict=True):
        batches = prepared.engine.plan(first_items(prepared, entry))
        assert row["task"] == entry.task.name
        assert row["num_tokens_planned"] == sum(batch.num_tokens for batch in batches)
        assert row["num_tokens_planned"] <= row["num_tokens_naive"]
        assert row["seconds"] >= 0
        assert row["num_bytes"] > 0


def test_repeated_prefixes_of_micro_batches_are_planned(folder: Path) -> None:
    """A budget of few tokens repeats what micro-batches share."""
    prepared = prepared_for(folder)
    items = items_of(prepared)
    whole = sum(batch.num_tokens for batch in prepared.engine.plan(items))
    narrow = prepared_for(folder, batch_size=1)
    assert sum(batch.num_tokens for batch in narrow.engine.plan(items_of(narrow))) > whole


def test_a_micro_batch_that_does_not_fit_is_halved_and_noted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scores are the same, and the telemetry says what happened."""
    whole = execute(prepared_for(folder), tmp_path / "whole", Quiet())
    original = forest_scorer.score

    def limited(model: LocalModel, pairs: Any) -> Any:
        if len(pairs) > 9:
            raise torch.OutOfMemoryError
        return original(model, pairs)

    from evalsuite.engines import self_test

    prepared = prepared_for(folder)
    assert isinstance(prepared.engine, TransformersEngine)
    assert prepared.engine.model.verdict.scoring == "forest"
    monkeypatch.setitem(self_test.SCORERS, "forest", limited)  # type: ignore[arg-type]
    halved = execute(prepared, tmp_path / "halved", Quiet())
    assert halved.result is not None
    assert whole.result is not None
    assert halved.result.estimates == whole.result.estimates
    events = [json.loads(line) for line in (tmp_path / "halved" / "telemetry.jsonl").read_text().splitlines()]
    assert [event["items"] for event in events if event["event"] == "halved"][:2] == [32, 16]


def test_a_resumed_deterministic_run_has_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Stopped after every few batches, with sampled answers."""
    settings = {"deterministic": True, "batch_size": 3, "gen_kwargs": {"max_tokens": 9, "temperature": 0.8}}
    try:
        whole = execute(prepared_for(folder, **settings), tmp_path / "whole", Quiet())
        assert whole.result is not None
        for patience in (2, 5, 9, 10**6):
            stopped = execute(prepared_for(folder, **settings), tmp_path / "parts", Quiet(), after(patience))
    finally:
        torch.use_deterministic_algorithms(False)
    assert stopped.result == whole.result
    assert list(read_samples(tmp_path / "parts")) == list(read_samples(tmp_path / "whole"))
    identity = whole.result.spec.model.identity
    assert identity["deterministic"] is True


def after(number: int) -> Callable[[], bool]:
    """Says stop when it was asked `number` times."""
    left = iter(range(number))
    return lambda: next(left, None) is None


def test_passes_planned_ahead_give_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: in another thread, for forests only, halved where memory does not suffice."""
    prepared = prepared_for(folder, batch_size=8)
    items = items_of(prepared)
    batches = prepared.engine.plan(items)
    expected = dict(prepared.engine.run(batches))
    settings = ModelSettings(str(folder), None, "float32", "cpu", None, None, generation="rows")
    engine = TransformersEngine(SaidToBeOnCuda(settings), 8)
    engine.plan(items)
    planned: list[str] = []
    original = forest_scorer.plan

    def noted(pairs: Any) -> Any:
        planned.append(threading.current_thread().name)
        return original(pairs)

    monkeypatch.setattr(forest_scorer, "plan", noted)
    monkeypatch.setattr(engine.model, "flex", None)
    assert engine.model.verdict.scoring == "forest"
    planned.clear()
    found = dict(engine.run(batches))
    assert found == expected
    num_scored = sum(isinstance(batch.items[0].request, LoglikelihoodRequest) for batch in batches)
    assert num_scored > 1
    assert [name.startswith("lookahead") for name in planned] == [True] * num_scored


def test_noise_is_found_where_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None to speak of in float32; all of it when scores depend on company."""
    prepared = prepared_for(folder)
    engine = prepared.engine
    assert isinstance(engine, TransformersEngine)
    calm = list(noise.measure(engine, items_of(prepared)))
    assert [row.way for row in calm] == ["as planned", "in other company", "with 2 threads"]
    assert all(row.max_nats < 1e-3 and not row.num_flipped and not row.num_other_texts for row in calm)
    assert [(row.num_choices, row.num_texts) for row in calm] == [(8, 8), (4, 4), (8, 8)]
    original = TransformersEngine._score

    def in_company(engine: TransformersEngine, pairs: Any, planned: Any) -> Any:
        scores = original(engine, pairs, planned)
        last = len(scores) - 1
        return [msgspec.structs.replace(s, sum_nats=s.sum_nats - 50.0 * (last - n)) for n, s in enumerate(scores)]

    monkeypatch.setattr(TransformersEngine, "_score", in_company)
    loud = next(iter(noise.measure(engine, items_of(prepared))))
    assert loud.max_nats > 100
    assert loud.num_flipped > 0


def test_the_noise_of_a_model_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--noise", str(folder), "--model_args", "dtype=float32", "--json"]) == 0
    out = capsys.readouterr().out
    assert "float32, against one request at a time:" in out
    found = json.loads(out.splitlines()[-1])
    assert [row["way"] for row in found["noise"]] == ["as planned", "in other company", "with 2 threads"]
    assert all(row["max_nats"] < 1e-3 and row["num_choices"] and row["num_texts"] for row in found["noise"])


def run_all(engine: TransformersEngine, requests: Sequence[Request]) -> list[Response]:
    items = [Item(id=f"{place:03}", sample_id="", wave=1, request=request) for place, request in enumerate(requests)]
    found = dict(engine.run(engine.plan(items)))
    return [found[item.id] for item in items]


def engine_of(model: LocalModel, **settings: Any) -> TransformersEngine:
    return TransformersEngine(LocalModel(replace(model.settings, **settings)), 2)


@pytest.mark.parametrize(("name", "mode"), [("Llama", "forest"), ("Bloom", "cached"), ("Jamba", "plain"), ("T5", "")])
@pytest.mark.filterwarnings("ignore")
def test_a_continuation_without_tokens_has_no_score_and_harms_no_other(tmp_path: Path, name: str, mode: str) -> None:
    settings = {name: settings for names in architectures.ALL.values() for name, settings in names.items()}[name]
    engine = TransformersEngine(architectures.saved(tmp_path, name, settings))
    nothing = LoglikelihoodRequest(context="what", continuation="")
    assert run_all(engine, [nothing, nothing]) == [NO_TOKENS, NO_TOKENS]
    some = LoglikelihoodRequest(context="what", continuation=" it")
    assert run_all(engine, [nothing, some, nothing]) == [NO_TOKENS, *run_all(engine, [some]), NO_TOKENS]
    assert engine.model.verdict.scoring == (mode or "encoder-decoder")


@pytest.mark.filterwarnings("ignore")
def test_static_batches_hold_no_more_rows_than_asked_for(tmp_path: Path) -> None:
    model = architectures.saved(tmp_path, "Llama", {})
    engine = engine_of(model, generation="static")
    assert engine.model.verdict.batches
    widths: list[int] = []
    engine.model.model.register_forward_pre_hook(
        lambda _, __, named: widths.append(len(named["input_ids"])), with_kwargs=True
    )
    run_all(engine, [GenerateRequest(prompt="a" * size, max_tokens=4) for size in (3, 9, 1, 7, 5)])
    assert max(widths) == 2


@pytest.mark.filterwarnings("ignore")
def test_prompts_go_alone_where_company_changes_answers(tmp_path: Path) -> None:
    """A recurrent model that takes no mask and mixes up states."""
    model = architectures.saved(tmp_path, "Rwkv", RWKV)
    engine = engine_of(model)
    requests = [GenerateRequest(prompt=text, max_tokens=6) for text in ("abc", "what is it", "xyz", "a", "tell me of")]
    found = run_all(engine, requests)
    assert not engine.model.verdict.batches
    assert "static batches: answers are not those of prompts alone" in engine.model.verdict.reasons
    for request, answer in zip(requests, found, strict=True):
        assert isinstance(answer, Completion)
        assert answer.text == architectures.greedy(model, request)


@pytest.mark.filterwarnings("ignore")
def test_an_encoder_and_a_decoder_have_a_window_each(tmp_path: Path) -> None:
    engine = TransformersEngine(architectures.saved(tmp_path, "T5", architectures.ENCODER_DECODER["T5"]))
    room = engine.model.max_length
    long, longer = "a" * (room - 1), "a" * (room + 5)
    fits = [GenerateRequest(prompt=long, max_tokens=4), LoglikelihoodRequest(context=long, continuation="b" * 20)]
    assert not any(isinstance(answer, Failure) for answer in run_all(engine, fits))
    exceeds = [GenerateRequest(prompt=longer, max_tokens=4), LoglikelihoodRequest(context=longer, continuation="b")]
    assert [answer.cause for answer in run_all(engine, exceeds) if isinstance(answer, Failure)] == [
        Cause.CONTEXT_TOO_LONG
    ] * 2


@pytest.mark.filterwarnings("ignore")
def test_a_packed_row_does_not_scale_attention_by_its_places(tmp_path: Path) -> None:
    """Llama 4 does, from a place on that no test reaches."""
    model = architectures.saved(tmp_path, "Llama4Text", LLAMA_4)
    assert model.verdict.scoring != "forest"
    assert "attn_temperature_tuning" in model.verdict.reasons[0]


@pytest.mark.filterwarnings("ignore")
def test_rows_that_rotate_others_differently_go_alone(tmp_path: Path) -> None:
    """Phi-3 with many tokens: beyond a limit all of a pass is rotated by other factors."""
    model = architectures.saved(tmp_path, "Phi3", LONGROPE)
    assert model.rotation_limit == 40
    texts = ("ab" * 10, "what is it", "cd" * 30, "x")
    requests: list[Request] = [LoglikelihoodRequest(context=text, continuation=" so") for text in texts]
    requests += [GenerateRequest(prompt=text, max_tokens=8) for text in ("ab" * 10, "what is it", "z" * 36, "y" * 50)]
    engine = TransformersEngine(model)
    assert run_all(engine, requests) == [run_all(engine, [request])[0] for request in requests]


def test_the_context_of_a_model_that_sees_is_its_texts(folder: Path) -> None:
    model = LocalModel(ModelSettings(str(folder), None, "float32", "cpu", None, None))
    model.__dict__["config"] = Gemma3Config(text_config={"max_position_embeddings": 4321})
    assert model.max_length == 4321
