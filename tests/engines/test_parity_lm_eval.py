"""The same prompts and the same numbers as the installed lm-eval, on a few documents; benchmarks/ has the long form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from evalsuite.config import RunConfig
from evalsuite.prepare import Prepared, prepare
from evalsuite.types import GenerateRequest, LoglikelihoodRequest, Request

lm_eval_side = pytest.importorskip("lm_eval_side")

pytestmark = [pytest.mark.data, pytest.mark.model, pytest.mark.filterwarnings("ignore")]

SUBJECTS = ("mmlu_abstract_algebra", "mmlu_moral_scenarios", "mmlu_us_foreign_policy")
THEIRS = ("arc_challenge", "hellaswag", "truthfulqa_mc1", "truthfulqa_mc2", "winogrande", "gsm8k", *SUBJECTS)
NUM_DOCS = 12


@pytest.fixture(scope="module")
def tasks(mirror: Path) -> Iterator[dict[str, Any]]:
    """lm-eval's own tasks on the mirror's rows."""
    with lm_eval_side.reading(mirror):
        yield lm_eval_side.load(THEIRS)


def ours(mirror: Path, name: str, **options: Any) -> Prepared:
    """The first documents as we ask them, by the model whose chat template is used."""
    is_truthfulqa = name.startswith("truthfulqa")
    shots = None if is_truthfulqa else lm_eval_side.num_fewshot(name)
    config = RunConfig(
        model="smollm2-135m", tasks=("truthfulqa" if is_truthfulqa else name,), protocol=None, num_fewshot=shots,
        limit=NUM_DOCS, limit_mode="first", data_dir=str(mirror), **options,
    )  # fmt: skip
    return prepare(config)


def asked(prepared: Prepared, name: str) -> list[tuple[Request, str]]:
    """Requests and what the model reads of them; for TruthfulQA those of mc1 or of mc2."""
    (entry,) = prepared.tasks
    found = []
    for sample in entry.samples:
        requests = entry.task.next_requests(sample, ())
        if name.startswith("truthfulqa"):
            num_mc1 = int(sample.metadata["num_mc1"])
            requests = requests[:num_mc1] if name.endswith("mc1") else requests[num_mc1:]
        found += [(request, prepared.engine.render(request)) for request in requests]
    return found


@pytest.mark.parametrize("name", THEIRS)
def test_plain_prompts_are_lm_evals(mirror: Path, tasks: dict[str, Any], name: str) -> None:
    prepared = ours(mirror, name)
    instances = lm_eval_side.requests(tasks[name], NUM_DOCS)
    requests = asked(prepared, name)
    assert len(requests) == len(instances)
    for (request, text), instance in zip(requests, instances, strict=True):
        if isinstance(request, LoglikelihoodRequest):
            assert (request.context, request.continuation) == instance.args
        else:
            assert isinstance(request, GenerateRequest)
            assert (text, list(request.stop)) == (instance.args[0], instance.args[1]["until"])


@pytest.mark.parametrize("is_multiturn", [False, True], ids=["one turn", "turns"])
@pytest.mark.parametrize("instruction", ["", "Answer with care."], ids=["no instruction", "instruction"])
@pytest.mark.parametrize("name", [name for name in THEIRS if name != "truthfulqa_mc2"])
def test_conversations_are_lm_evals(
    mirror: Path, tasks: dict[str, Any], name: str, instruction: str, is_multiturn: bool
) -> None:
    prepared = ours(
        mirror, name, apply_chat_template=True, fewshot_as_multiturn=is_multiturn, system_instruction=instruction
    )
    instances = lm_eval_side.requests(
        tasks[name], NUM_DOCS, apply_chat_template=True, fewshot_as_multiturn=is_multiturn,
        system_instruction=instruction or None, chat_template=partial(_render, prepared.engine),
    )  # fmt: skip
    for (request, text), instance in zip(asked(prepared, name), instances, strict=True):
        is_scored = isinstance(request, LoglikelihoodRequest)
        assert text == "".join(instance.args) if is_scored else text == instance.args[0]


@pytest.mark.parametrize("name", ["arc_challenge", "mmlu_moral_scenarios", "winogrande"])
def test_a_plain_instruction_is_lm_evals(mirror: Path, tasks: dict[str, Any], name: str) -> None:
    prepared = ours(mirror, name, system_instruction="Answer with care.")
    instances = lm_eval_side.requests(tasks[name], NUM_DOCS, system_instruction="Answer with care.")
    assert [text for _, text in asked(prepared, name)] == ["".join(instance.args) for instance in instances]


def _render(engine: Any, messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
    """What lm-eval's model class does with a conversation."""
    text = engine.model.encoder.tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=add_generation_prompt
    )
    return str(text)


def test_numbers_are_lm_evals(mirror: Path) -> None:
    """One document of each task: prompts, tokens, log-likelihoods, generated text, predictions and metrics."""
    parity = pytest.importorskip("parity_lm_eval")
    rows = list(parity.compare("smollm2-135m", parity.rows_of(1), mirror, 8))
    assert {row.task for row in rows} >= {"arc_challenge", "hellaswag", "winogrande", "gsm8k", "truthfulqa_mc2"}
    for row in rows:
        assert row.is_whole, row
