"""Forward passes of a tiny random model against the plainest code there is: one row at a time, all logits, float32."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import CHARACTERS, EOS, PAD, SPECIAL, byte_level_with_bos, characters, save_llama

from evalsuite.engines import plain_scorer, static_generation
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.types import (
    Cause,
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Request,
    Response,
    RollingRequest,
)

pytestmark = pytest.mark.usefixtures("one_thread")

BATCH_SIZES = (1, 2, 3, 8, 17)
MAX_DIFFERENCE_NATS = 1e-4
PROMPTS = (
    "Question: what is 3 + 4?\nAnswer:",
    "The capital of France",
    "x",
    "",
    "Once upon a time there was a small town by the sea, and in it",
    "1, 2, 3, 4,",
    "def main(",
    "Dear neighbours,\nI will be",
)
CHOICES = (
    (" seven", " eight", " it is nine", " 10"),
    (" is Paris", " is Lyon.", ""),
    ("A", "B", "C", "D"),
    ("a text of its own", "b"),
    ("!", "?", " lived an old woman who kept bees"),
    (" 5", " 6"),
    ("self)", ")"),
    (" थाली", " 你好", " السلام"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads and writes characters."""
    return save_llama(tmp_path_factory.mktemp("characters") / "model", characters())


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalModel:
    return open_model(folder)


def open_model(folder: Path) -> LocalModel:
    return LocalModel(ModelSettings(str(folder), None, "float32", "cpu", None, None))


def changed(folder: Path, to: Path, *, generation: dict[str, object]) -> LocalModel:
    """The model with other entries in its generation_config.json."""
    shutil.copytree(folder, to)
    path = to / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | generation), encoding="utf-8")
    return open_model(to)


def items_of(requests: Sequence[Request]) -> list[Item]:
    return [Item(id=f"item {index}", sample_id="", wave=1, request=request) for index, request in enumerate(requests)]


def answer(model: LocalModel, items: Sequence[Item], batch_size: int | None) -> dict[str, Response]:
    """What an engine of that batch size says to every item."""
    engine = TransformersEngine(model, batch_size)
    batches = engine.plan(items)
    assert sorted(item.id for batch in batches for item in batch.items) == sorted(item.id for item in items)
    return dict(engine.run(batches))


def orders(items: list[Item]) -> list[list[Item]]:
    return [items, items[::-1], random.Random(5).sample(items, len(items))]


# -- log-likelihoods


def choice_items() -> list[Item]:
    return items_of(
        [
            LoglikelihoodRequest(context=prompt, continuation=choice)
            for prompt, choices in zip(PROMPTS, CHOICES, strict=True)
            for choice in choices
            if choice
        ]
    )


@torch.inference_mode()
def reference(model: LocalModel, pair: EncodedPair) -> tuple[float, bool]:
    """Sum of log-probabilities and whether each token is the likeliest, from all logits of this one row."""
    ids = torch.tensor([[*pair.context, *pair.continuation]])
    logprobs = model.model(input_ids=ids).logits[0].float().log_softmax(dim=-1)
    places = range(len(pair.context) - 1, ids.shape[1] - 1)
    total = sum(float(logprobs[place, ids[0, place + 1]]) for place in places)
    return total, all(int(logprobs[place].argmax()) == int(ids[0, place + 1]) for place in places)


References = dict[str, tuple[float, bool]]


def references_of(model: LocalModel) -> References:
    """What each choice must get, by item."""
    return {
        item.id: reference(model, model.encoder.encode_pair(item.request))
        for item in choice_items()
        if isinstance(item.request, LoglikelihoodRequest)
    }


@pytest.fixture(scope="module")
def references(model: LocalModel) -> References:
    return references_of(model)


def assert_agrees(references: References, items: Sequence[Item], answers: dict[str, Response]) -> None:
    for item in items:
        assert isinstance(item.request, LoglikelihoodRequest)
        expected, is_greedy = references[item.id]
        found = answers[item.id]
        assert isinstance(found, Loglikelihood)
        assert found.sum_nats == pytest.approx(expected, abs=MAX_DIFFERENCE_NATS)
        assert found.is_greedy == is_greedy
        assert found.num_chars == len(item.request.continuation)
        assert found.num_bytes == len(item.request.continuation.encode())


@pytest.mark.parametrize("batch_size", [*BATCH_SIZES, None])
def test_loglikelihoods_do_not_depend_on_company(
    model: LocalModel, references: References, batch_size: int | None
) -> None:
    for items in orders(choice_items()):
        assert_agrees(references, items, answer(model, items, batch_size))


def test_loglikelihoods_of_bytes_with_a_bos(tmp_path: Path) -> None:
    """Multi-byte text and merges across the boundary of context and continuation."""
    model = open_model(save_llama(tmp_path / "bytes", byte_level_with_bos()))
    items = choice_items()
    for batch_size in (1, 8):
        assert_agrees(references_of(model), items, answer(model, items, batch_size))


def test_is_greedy_is_about_every_token(model: LocalModel) -> None:
    context = model.encoder.encode_prompt(GenerateRequest(prompt=PROMPTS[0], max_tokens=1), 2048).ids
    request = GenerateRequest(prompt=PROMPTS[0], max_tokens=6)
    (completion,) = static_generation.generate(model, [request], [model.encoder.encode_prompt(request, 2048)])
    assert isinstance(completion, Completion)
    likeliest = tuple(model.encoder.tokenizer(completion.text).input_ids)
    other = (*likeliest[:-1], (likeliest[-1] + 1) % len(CHARACTERS))
    found = plain_scorer.score(model, [EncodedPair(context, likeliest, ""), EncodedPair(context, other, "")])
    assert [one.is_greedy for one in found if isinstance(one, Loglikelihood)] == [True, False]


def test_one_token_continuations_share_a_row(model: LocalModel) -> None:
    """Four letters after one question: one row through the model, at the price of one."""
    requests = [LoglikelihoodRequest(context=PROMPTS[0], continuation=letter) for letter in "ABCD"]
    rows: list[int] = []
    assert model.verdict.scoring == "forest"  # its passes through the model are not the test's
    hook = model.model.register_forward_pre_hook(
        lambda _, __, inputs: rows.append(inputs["input_ids"].shape[0]), with_kwargs=True
    )
    try:
        answers = answer(model, items_of(requests), 1)
    finally:
        hook.remove()
    assert rows == [1]
    assert len({answers[f"item {index}"] for index in range(4)}) == 4
    engine = TransformersEngine(model)
    assert engine.count_naive_tokens(requests) == 4 * len(PROMPTS[0])
    assert engine.count_tokens(requests) == len(PROMPTS[0])


def test_a_whole_text_is_scored_from_its_start(model: LocalModel) -> None:
    found = answer(model, items_of([RollingRequest(text="a text of its own")]), None)["item 0"]
    expected, _ = reference(model, EncodedPair((2,), tuple(model.encoder.tokenizer("a text of its own").input_ids), ""))
    assert isinstance(found, Loglikelihood)
    assert found.sum_nats == pytest.approx(expected, abs=MAX_DIFFERENCE_NATS)
    assert found.num_tokens == len("a text of its own")


def test_a_plan_is_a_function_of_its_items_not_of_their_order(model: LocalModel) -> None:
    plans = [
        [[item.id for item in batch.items] for batch in TransformersEngine(model, 3).plan(items)]
        for items in orders(choice_items())
    ]
    assert plans[0] == plans[1] == plans[2]


# -- generation


def generation_items(max_tokens: int = 24) -> list[Item]:
    return items_of([GenerateRequest(prompt=prompt, max_tokens=max_tokens) for prompt in PROMPTS if prompt])


@torch.inference_mode()
def plainly_generated(model: LocalModel, prompt: str, max_tokens: int) -> list[int]:
    """Greedy tokens by transformers' own loop, alone and without any setting of ours."""
    ids = torch.tensor([model.encoder.tokenizer(prompt).input_ids])
    output = model.model.generate(
        input_ids=ids, do_sample=False, max_new_tokens=max_tokens, eos_token_id=EOS, pad_token_id=PAD
    )
    return output[0, ids.shape[1] :].tolist()


@pytest.fixture(scope="module")
def alone(model: LocalModel) -> dict[str, list[int]]:
    """What the model goes on with after each prompt: 24 tokens."""
    return {prompt: plainly_generated(model, prompt, 24) for prompt in PROMPTS if prompt}


def decoded(model: LocalModel, tokens: Sequence[int]) -> str:
    return str(model.encoder.tokenizer.decode(tokens, skip_special_tokens=True))


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_greedy_generation_does_not_depend_on_company(
    model: LocalModel, alone: dict[str, list[int]], batch_size: int
) -> None:
    for items in orders(generation_items()):
        answers = answer(model, items, batch_size)
        for item in items:
            assert isinstance(item.request, GenerateRequest)
            tokens = alone[str(item.request.prompt)]
            kept = tokens[: tokens.index(EOS)] if EOS in tokens else tokens
            assert answers[item.id] == Completion(
                text=decoded(model, kept),
                stop_reason="end" if EOS in tokens else "length",
                num_prompt_tokens=len(str(item.request.prompt)),
                num_tokens=len(kept),
            )


@pytest.mark.parametrize("pad_token", ["<eos>", None])
def test_what_fills_a_batch_up_is_neither_read_nor_counted(
    model: LocalModel, alone: dict[str, list[int]], tmp_path: Path, pad_token: str | None
) -> None:
    """Most models pad with the end token or name no padding at all."""
    other = open_model(save_llama(tmp_path / "padded", characters(pad_token=pad_token)))
    requests = [*own_stops(model, alone), *(item.request for item in generation_items())]
    assert answer(other, items_of(requests), 8) == answer(other, items_of(requests), 1)


def own_stops(model: LocalModel, alone: dict[str, list[int]]) -> list[GenerateRequest]:
    """A stop string for each prompt, taken from what the model goes on with, the later the longer the prompt."""
    requests = []
    for place, (prompt, tokens) in enumerate(alone.items()):
        text = decoded(model, tokens)
        requests.append(GenerateRequest(prompt=prompt, max_tokens=24, stop=("\x00", text[place + 3 : place + 5])))
    return requests


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_each_row_stops_at_its_own_string(model: LocalModel, alone: dict[str, list[int]], batch_size: int) -> None:
    requests = own_stops(model, alone)
    answers = answer(model, items_of(requests), batch_size)
    for index, request in enumerate(requests):
        tokens = alone[str(request.prompt)]
        num_tokens = next(n for n in range(25) if request.stop[1] in decoded(model, tokens[:n]))
        assert answers[f"item {index}"] == Completion(
            text=decoded(model, tokens).partition(request.stop[1])[0],
            stop_reason="stop",
            num_prompt_tokens=len(str(request.prompt)),
            num_tokens=num_tokens,
        )


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_each_row_is_capped_at_its_own_number(model: LocalModel, alone: dict[str, list[int]], batch_size: int) -> None:
    requests = [GenerateRequest(prompt=prompt, max_tokens=cap) for cap, prompt in enumerate(PROMPTS, 1) if prompt]
    answers = answer(model, items_of(requests), batch_size)
    for index, request in enumerate(requests):
        found = answers[f"item {index}"]
        expected = alone[str(request.prompt)][: request.max_tokens]
        assert isinstance(found, Completion)
        assert (found.text, found.num_tokens) == (decoded(model, expected), request.max_tokens)
        assert found.stop_reason == "length"


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_each_row_ends_at_the_models_end_token(
    folder: Path, model: LocalModel, alone: dict[str, list[int]], tmp_path: Path, batch_size: int
) -> None:
    """The end token of generation_config.json, which may be another than the tokenizer's."""
    end = alone[PROMPTS[0]][5]
    ending = changed(folder, tmp_path / "ending", generation={"eos_token_id": [EOS, end]})
    assert ending.end_tokens == [EOS, end]
    answers = answer(ending, generation_items(), batch_size)
    for item, row in zip(generation_items(), alone.values(), strict=True):
        found = answers[item.id]
        kept = row[: row.index(end)] if end in row else row
        assert isinstance(found, Completion)
        assert (found.text, found.num_tokens) == (decoded(model, kept), len(kept))
        assert found.stop_reason == ("end" if end in row else "length")


def test_settings_of_the_models_author_do_not_change_an_answer(folder: Path, model: LocalModel, tmp_path: Path) -> None:
    taste = {"repetition_penalty": 5.0, "no_repeat_ngram_size": 2, "min_new_tokens": 20, "do_sample": True, "top_k": 3}
    opinionated = changed(folder, tmp_path / "opinionated", generation=taste)
    assert answer(opinionated, generation_items(), 3) == answer(model, generation_items(), 3)


def test_sampling_is_repeated_by_its_seed_whatever_the_company(model: LocalModel) -> None:
    ask = partial(GenerateRequest, prompt=PROMPTS[1], max_tokens=24, temperature=1.5, top_p=0.95)
    requests = [ask(seed=1), ask(seed=2), ask(seed=1), GenerateRequest(prompt=PROMPTS[0], max_tokens=24)]
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    answers = answer(model, items_of(requests), 8)
    assert answers["item 0"] == answers["item 2"] != answers["item 1"]
    assert answer(model, items_of(requests[1:2]), 1)["item 0"] == answers["item 1"]
    assert torch.equal(torch.random.get_rng_state(), state)


# -- what cannot be scored


def with_nan(folder: Path, to: Path, tensor: str, row: int | None = None) -> LocalModel:
    """The model with NaN in a tensor, or in one row of it."""
    shutil.copytree(folder, to)
    weights = load_file(to / "model.safetensors")
    weights[tensor][slice(None) if row is None else row] = float("nan")
    save_file(weights, to / "model.safetensors", metadata={"format": "pt"})
    return open_model(to)


def is_nonfinite(response: Response) -> bool:
    return isinstance(response, Failure) and response.cause is Cause.NONFINITE_LOGITS


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_nan_is_never_scored(folder: Path, tmp_path: Path, batch_size: int, temperature: float) -> None:
    broken = with_nan(folder, tmp_path / "nan", "lm_head.weight")
    to_generate = [GenerateRequest(prompt=prompt, max_tokens=4, temperature=temperature) for prompt in PROMPTS]
    for items in (choice_items(), items_of(to_generate)):
        assert all(map(is_nonfinite, answer(broken, items, batch_size).values()))


@pytest.mark.parametrize("batch_size", [1, 8])
def test_only_the_rows_that_turn_nan_are_lost(folder: Path, model: LocalModel, tmp_path: Path, batch_size: int) -> None:
    """NaN in what stands for `Q`: whoever reads one has no score, and all others keep theirs."""
    letter = len(SPECIAL) + CHARACTERS.index("Q")
    broken = with_nan(folder, tmp_path / "nan", "model.embed_tokens.weight", letter)
    for items in (choice_items(), generation_items()):
        whole, damaged = answer(model, items, 1), answer(broken, items, batch_size)
        for item in items:
            prompt = item.request.prompt if isinstance(item.request, GenerateRequest) else item.request.context
            written = whole[item.id].text if isinstance(whole[item.id], Completion) else ""
            if "Q" in prompt + written:
                assert is_nonfinite(damaged[item.id])
            elif isinstance(damaged[item.id], Loglikelihood):
                assert damaged[item.id].sum_nats == pytest.approx(whole[item.id].sum_nats, abs=MAX_DIFFERENCE_NATS)
            else:
                assert damaged[item.id] == whole[item.id]


def test_infinite_logits_are_not_scored(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "infinite")
    weights = load_file(tmp_path / "infinite" / "model.safetensors")
    weights["lm_head.weight"] *= 1e38
    save_file(weights, tmp_path / "infinite" / "model.safetensors", metadata={"format": "pt"})
    broken = open_model(tmp_path / "infinite")
    for items in (choice_items(), generation_items(4)):
        assert all(map(is_nonfinite, answer(broken, items, 3).values()))


def test_what_does_not_fit_is_said_and_the_rest_answered(folder: Path) -> None:
    short = LocalModel(ModelSettings(str(folder), None, "float32", "cpu", 30, None))
    requests: list[Request] = [
        LoglikelihoodRequest(context="x" * 20, continuation="y" * 11),
        LoglikelihoodRequest(context="x" * 20, continuation="y" * 12),
        GenerateRequest(prompt="x" * 20, max_tokens=10),
        GenerateRequest(prompt="x" * 20, max_tokens=11),
    ]
    answers = answer(short, items_of(requests), 8)
    assert isinstance(answers["item 0"], Loglikelihood)
    assert isinstance(answers["item 2"], Completion)
    for index, said in ((1, "prompt: 31 tokens"), (3, "prompt and 11 new tokens: 31 tokens")):
        failure = answers[f"item {index}"]
        assert isinstance(failure, Failure)
        assert failure.cause is Cause.CONTEXT_TOO_LONG
        assert failure.detail == f"{said}; the model takes 30"
