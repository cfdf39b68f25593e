"""The built-in real model: where it comes from, what it says, and that company never changes a score."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest

from evalsuite import models
from evalsuite.config import RunConfig
from evalsuite.engines.base import Batch, EngineOptions
from evalsuite.engines.model_arguments import open_engine
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.prepare import prepare
from evalsuite.types import Completion, GenerateRequest, Item, Loglikelihood, Message, Response

pytestmark = pytest.mark.model
BATCH_SIZES = (1, 2, 3, 8, 17)
MAX_DIFFERENCE_NATS = 1e-4


@cache
def smollm2() -> TransformersEngine:
    return open_engine(EngineOptions("smollm2-135m", {"dtype": "float32"}, device="cpu", batch_size=4))


def with_batch_size(size: int) -> TransformersEngine:
    """An engine of another batch size around the same loaded weights."""
    return TransformersEngine(smollm2().model, size)


def run_all(engine: TransformersEngine, items: list[Item]) -> dict[str, Response]:
    return dict(engine.run(engine.plan(items)))


def choice_items() -> list[Item]:
    """Every choice of a stratified dozen of the built-in questions in six languages."""
    prepared = prepare(RunConfig(model="scripted", tasks=("mini_choice",), limit=12))
    return [
        Item(id=f"{sample.id}#1.{index}", sample_id=sample.id, wave=1, request=request)
        for entry in prepared.tasks
        for sample in entry.samples
        for index, request in enumerate(entry.task.next_requests(sample, ()))
    ]


def generation_items() -> list[Item]:
    prepared = prepare(RunConfig(model="scripted", tasks=("mini_math",), limit=7, gen_kwargs={"max_tokens": 16}))
    return [
        Item(
            id=sample.id,
            sample_id=sample.id,
            wave=1,
            request=GenerateRequest(prompt=request.prompt, max_tokens=16, stop=request.stop),
        )
        for entry in prepared.tasks
        for sample in entry.samples
        for request in entry.task.next_requests(sample, ())
        if isinstance(request, GenerateRequest)
    ]


def predictions(responses: dict[str, Response]) -> dict[str, str]:
    """The choice of each sample with the highest log-likelihood per character."""
    best: dict[str, tuple[float, str]] = {}
    for item_id, response in responses.items():
        assert isinstance(response, Loglikelihood)
        sample_id = item_id.partition("#")[0]
        best[sample_id] = max(best.get(sample_id, (-1e9, "")), (response.sum_nats / response.num_chars, item_id))
    return {sample_id: choice for sample_id, (_, choice) in best.items()}


def test_it_knows_the_capital_of_france_through_its_chat_template() -> None:
    prompt = (Message(role="user", content="What is the capital of France?"),)
    item = Item(id="x", sample_id="x", wave=1, request=GenerateRequest(prompt=prompt, max_tokens=20))
    answer = run_all(smollm2(), [item])["x"]
    assert isinstance(answer, Completion)
    assert "Paris" in answer.text
    assert answer.stop_reason == "end"
    assert smollm2().render(item.request).startswith("<|im_start|>system\n")


def test_it_comes_from_the_installed_distribution_and_is_converted_once() -> None:
    folder = models.locate("smollm2-135m")
    pin = models.BUILT_IN["smollm2-135m"]
    assert folder.digest == f"gguf-sha256:{pin.gguf_sha256}"
    assert folder.path.name == pin.gguf_sha256
    assert {path.name for path in folder.path.iterdir()} >= {"config.json", "model.safetensors", "tokenizer.json"}
    before = (folder.path / "model.safetensors").stat().st_mtime_ns
    assert models.locate("smollm2-135m").path == folder.path
    assert (folder.path / "model.safetensors").stat().st_mtime_ns == before


def test_a_template_file_takes_the_place_of_the_models_own(tmp_path: Path) -> None:
    """BLOOMChat's form: ``<human>: ... <bot>:`` without a trailing space."""
    template = tmp_path / "bloomchat.jinja"
    template.write_text(
        "{% for m in messages %}{{ '<human>: ' if m.role == 'user' else '<bot>: ' }}{{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}<bot>:{% endif %}",
        encoding="utf-8",
    )
    engine = open_engine(EngineOptions("smollm2-135m", {}, device="cpu", chat_template=str(template)))
    turns = (
        Message(role="user", content="مرحبا"),
        Message(role="assistant", content="أهلا"),
        Message(role="user", content="كيف حالك؟"),
    )
    text = engine.render(GenerateRequest(prompt=turns, max_tokens=4))
    assert text == "<human>: مرحبا\n<bot>: أهلا\n<human>: كيف حالك؟\n<bot>:"
    assert engine.identity()["chat_template_sha256"] != smollm2().identity()["chat_template_sha256"]


def test_scores_do_not_depend_on_batch_size() -> None:
    items = choice_items()
    reference = run_all(with_batch_size(1), items)
    for size in BATCH_SIZES[1:]:
        assert_same_scores(reference, run_all(with_batch_size(size), items))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scores_do_not_depend_on_order(seed: int) -> None:
    items = choice_items()
    shuffled = random.Random(seed).sample(items, len(items))
    reference = run_all(with_batch_size(8), items)
    assert_same_scores(reference, run_all(with_batch_size(8), shuffled))
    in_that_order = [Batch(index, (item,), 0) for index, item in enumerate(shuffled[:12])]
    alone = dict(with_batch_size(1).run(in_that_order))
    assert_same_scores({key: reference[key] for key in alone}, alone)


def assert_same_scores(reference: dict[str, Response], other: dict[str, Response]) -> None:
    assert reference.keys() == other.keys()
    for item_id, expected in reference.items():
        found = other[item_id]
        assert isinstance(expected, Loglikelihood)
        assert isinstance(found, Loglikelihood)
        assert abs(expected.sum_nats - found.sum_nats) <= MAX_DIFFERENCE_NATS
        assert expected.is_greedy == found.is_greedy
    assert predictions(reference) == predictions(other)


def test_greedy_texts_do_not_depend_on_batch_size() -> None:
    items = generation_items()
    reference = run_all(with_batch_size(1), items)
    for size in BATCH_SIZES[1:]:
        assert run_all(with_batch_size(size), items) == reference


def test_sampled_texts_depend_on_nothing_but_their_seed() -> None:
    requests = [
        GenerateRequest(prompt="Once upon a time", max_tokens=12, temperature=0.8, top_p=0.9, seed=seed)
        for seed in (1, 2, 1)
    ]
    items = [Item(id=str(n), sample_id=str(n), wave=1, request=request) for n, request in enumerate(requests)]
    together = run_all(with_batch_size(8), items)
    assert together["0"] == together["2"]
    assert together["0"] != together["1"]
    assert run_all(with_batch_size(8), items[1:2])["1"] == together["1"]
