"""The vLLM engine where no vLLM is needed: what it refuses, how it plans, what it cannot answer anyway."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from tiny_models import byte_level, save_llama

from evalsuite.engines.base import EngineOptions
from evalsuite.engines.local_model import ModelSettings
from evalsuite.engines.vllm import VllmEngine, open_engine
from evalsuite.engines.vllm_model import VllmModel
from evalsuite.errors import ModelUnreadable, UsageError
from evalsuite.types import (
    Cause,
    Failure,
    GenerateRequest,
    Item,
    LoglikelihoodRequest,
    Message,
    Request,
    RollingRequest,
)

MODEL = "smollm2-135m"


def items_of(requests: Sequence[Request]) -> list[Item]:
    names = [f"{place:03}" for place in range(len(requests))]
    return [Item(id=name, sample_id=name, wave=1, request=one) for name, one in zip(names, requests, strict=True)]


def scoring(context: str, *continuations: str) -> list[Request]:
    return [LoglikelihoodRequest(context=context, continuation=one) for one in continuations]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            {"pretrained": MODEL, "peft": "folder"},
            "--model_args: unknown 'peft'; vllm takes dtype, enforce_eager, gpu_memory_utilization, max_length, "
            "pretrained, revision, tensor_parallel_size.",
        ),
        ({}, "--model vllm needs --model_args pretrained=NAME."),
        (
            {"pretrained": MODEL, "dtype": "int8"},
            "--model_args dtype=int8: expected one of auto, float32, bfloat16, float16.",
        ),
        ({"pretrained": MODEL, "max_length": 0}, "--model_args max_length=0: expected a whole number, 1 or more."),
        (
            {"pretrained": MODEL, "tensor_parallel_size": 1.5},
            "--model_args tensor_parallel_size=1.5: expected a whole number, 1 or more.",
        ),
        (
            {"pretrained": MODEL, "gpu_memory_utilization": 90},
            "--model_args gpu_memory_utilization=90: expected a share above 0, 1 at most.",
        ),
        (
            {"pretrained": MODEL, "gpu_memory_utilization": True},
            "--model_args gpu_memory_utilization=True: expected a share above 0, 1 at most.",
        ),
        ({"pretrained": MODEL, "enforce_eager": 1}, "--model_args enforce_eager=1: expected true or false."),
    ],
)
def test_arguments_that_it_does_not_take_are_refused(args: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        open_engine(EngineOptions("vllm", args))  # type: ignore[arg-type]
    assert str(refusal.value) == message


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed")
def test_where_vllm_is_not_installed_the_extra_is_named() -> None:
    with pytest.raises(UsageError, match=r"not installed; `pip install 'evalsuite\[vllm\]'` brings it"):
        open_engine(EngineOptions("vllm", {"pretrained": MODEL}))


def test_importing_the_engine_does_not_import_vllm() -> None:
    program = "import sys, evalsuite.engines.vllm; print('vllm' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]


@cache
def planning() -> VllmEngine:
    """An engine that plans; its weights are never asked for."""
    return VllmEngine(VllmModel(settings()))


def settings() -> ModelSettings:
    return ModelSettings(MODEL, None, "float32", "cpu", None, None)


MIXED: tuple[Request, ...] = (
    *scoring("Rain falls from the", " sky", " clouds above us", " ground"),
    *scoring("", "Hello there"),
    *scoring("Water boils at   ", "100 degrees"),
    RollingRequest(text="The moon goes round the earth."),
    GenerateRequest(prompt="Once upon a time", max_tokens=9),
    GenerateRequest(prompt=(Message(role="user", content="Hi"),), max_tokens=3),
)


@pytest.mark.model
def test_requests_cost_what_the_model_reads_of_them() -> None:
    """All but the last scored token, and a start token before what has no context; answers at their caps."""
    tokenizer = planning().model.encoder.tokenizer
    chat = planning().render(MIXED[-1])
    assert chat.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    texts = (
        "Rain falls from the sky", "Rain falls from the clouds above us", "Rain falls from the ground", "Hello there",
        "Water boils at   100 degrees", "The moon goes round the earth.", "Once upon a time", chat,
    )  # fmt: skip
    num_tokens = [len(tokenizer(text).input_ids) for text in texts]
    more = (-1, -1, -1, 0, -1, 0, 9, 3)
    sizes = [size + change for size, change in zip(num_tokens, more, strict=True)]
    assert [planning().requests.num_tokens(request) for request in MIXED] == sizes
    assert [planning().render(request) for request in MIXED] == [*texts[:3], "Hello there", *texts[4:]]
    planned, naive = planning().count_tokens(MIXED), planning().count_naive_tokens(MIXED)
    assert naive == sum(sizes)
    rows = [planning().requests.pair(request).row for request in MIXED[:6]]
    beginnings = {row[:size] for row in rows for size in range(1, len(row) + 1)}
    assert planned == len(beginnings) + sum(sizes[6:])
    assert naive - planned >= 2 * len(tokenizer("Rain falls from the").input_ids)


@pytest.mark.model
def test_a_plan_does_not_depend_on_the_order_of_requests() -> None:
    items = items_of(MIXED)
    plan = planning().plan(items)
    assert [batch.index for batch in plan] == list(range(len(plan)))
    for seed in range(3):
        assert planning().plan(random.Random(seed).sample(items, len(items))) == plan


@pytest.mark.model
def test_rows_that_begin_alike_are_planned_together_and_the_longest_answers_first() -> None:
    contexts = ["The cat", "A dog", "The cat sat", "A dog ran"]
    requests = [request for context in contexts for request in scoring(context, " here", " there and away")]
    generated = [GenerateRequest(prompt=context, max_tokens=cap) for context in contexts for cap in (4, 8)]
    scored_batch, generated_batch = planning().plan(items_of([*requests, *generated]))
    rows = [planning().requests.pair(entry.request).row for entry in scored_batch.items]
    assert rows == sorted(rows)
    assert len(rows) == 8
    asked = [entry.request for entry in generated_batch.items if isinstance(entry.request, GenerateRequest)]
    assert [request.max_tokens for request in asked] == [8, 8, 8, 8, 4, 4, 4, 4]
    ids = [planning().requests.prompt(request).ids for request in asked]
    assert ids == [*sorted(ids[:4]), *sorted(ids[4:])]


@pytest.mark.model
def test_batches_hold_so_many_requests_and_so_many_tokens_at_most() -> None:
    many = items_of([GenerateRequest(prompt=f"Number {number}", max_tokens=2000) for number in range(130)])
    assert [len(batch.items) for batch in planning().plan(many)] == [64, 64, 2]
    # " a" is one token: rows of 7,001 tokens and 32,768 tokens a batch make four rows a batch
    long = items_of([request for number in range(9) for request in scoring(f"{number}" + " a" * 7000, " b")])
    assert {planning().requests.num_tokens(entry.request) for entry in long} == {7001}
    plan = planning().plan(long)
    assert [len(batch.items) for batch in plan] == [4, 4, 1]
    assert [batch.num_tokens for batch in plan] == [4 * 7001, 4 * 7001, 7001]


@pytest.mark.model
@pytest.mark.parametrize("temperature", [0.001, 0.0099])
def test_a_temperature_that_vllm_would_raise_is_refused(temperature: float) -> None:
    with pytest.raises(UsageError, match=r"vLLM samples at 0\.01 or above; 0 is greedy"):
        planning().plan(items_of([GenerateRequest(prompt="Hi", max_tokens=2, temperature=temperature)]))


@pytest.mark.model
def test_what_is_too_long_is_answered_without_weights() -> None:
    too_long = " a" * 8193
    requests = [*scoring(too_long, " b"), GenerateRequest(prompt=" a" * 8000, max_tokens=300)]
    assert [planning().overflow(request) for request in requests] == [1, 108]
    assert dict(planning().run(planning().plan(items_of(requests)))) == {
        "000": Failure(cause=Cause.CONTEXT_TOO_LONG, detail="prompt: 8193 tokens; the model takes 8192"),
        "001": Failure(
            cause=Cause.CONTEXT_TOO_LONG, detail="prompt and 300 new tokens: 8300 tokens; the model takes 8192"
        ),
    }
    assert "_loaded" not in planning().model.__dict__


@pytest.mark.model
def test_a_forecast_grows_with_what_is_asked() -> None:
    few, many = (items_of([GenerateRequest(prompt="Hi", max_tokens=cap)]) for cap in (10, 1000))
    short, long = (planning().cost(planning().plan(items)) for items in (few, many))
    assert 0 < short.seconds < long.seconds
    assert short.num_bytes >= 134_515_008 * 4  # SmolLM2-135M's parameters, tied embeddings once, in float32


@pytest.mark.model
def test_end_tokens_are_read_without_weights() -> None:
    tokenizer = planning().model.encoder.tokenizer
    assert planning().model.end_tokens == [tokenizer.convert_tokens_to_ids("<|im_end|>")]


ROTATED = {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}


@pytest.mark.parametrize(
    ("changes", "max_length", "message"),
    [
        (
            ROTATED, None,
            "rows of 1024 tokens and more are rotated otherwise than shorter ones, which vLLM cannot; "
            "give --model_args max_length=1023, or take --model hf.",
        ),
        (ROTATED, 1024, "give --model_args max_length=1023, or take --model hf."),
        (
            {"model_type": "t5", "is_encoder_decoder": True}, None,
            "is an encoder-decoder model; take --model hf for it.",
        ),
    ],
)  # fmt: skip
def test_models_that_vllm_computes_otherwise_are_refused(
    changes: dict[str, object], max_length: int | None, message: str, tmp_path: Path
) -> None:
    folder = changed(save_llama(tmp_path, byte_level()), changes)
    model = VllmModel(ModelSettings(str(folder), None, "float32", "cpu", max_length, None))
    with pytest.raises(ModelUnreadable) as refusal:
        VllmEngine(model).stack()
    assert str(refusal.value).startswith(str(folder))
    assert str(refusal.value).endswith(message)


def test_rows_shorter_than_where_the_rotation_changes_are_not_refused(tmp_path: Path) -> None:
    folder = changed(save_llama(tmp_path, byte_level()), ROTATED)
    VllmModel(ModelSettings(str(folder), None, "float32", "cpu", 1023, None))._check_kind()


def changed(folder: Path, changes: dict[str, object]) -> Path:
    """The model in `folder` with other entries in its configuration."""
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text(encoding="utf-8")), **changes}), encoding="utf-8")
    return folder
