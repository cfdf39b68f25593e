"""``lm_eval --model evalsuite``: lm-eval's own run over an engine of ours, and its cache that must not be used."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from commands import run_apart
from lm_eval_runs import write_tasks

from evalsuite.errors import EXIT_USAGE, UsageError
from evalsuite.interop import lm_eval_model
from evalsuite.interop.lm_eval_answers import Answerer
from evalsuite.interop.lm_eval_requests_out import Conversation
from evalsuite.store.response_cache import _digest
from evalsuite.types import Completion, Message

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("within") / "tasks")


def scripted(**arguments: Any) -> Answerer:
    return Answerer({"engine": "scripted", **arguments})


def test_lm_evals_cache_is_refused(tmp_path: Path, folder: Path) -> None:
    """It would give one model the answers of another: its key is the prompt alone."""
    from lm_eval.api.model import CachingLM, hash_args

    assert hash_args("generate_until", ("a prompt", {})) == hash_args("generate_until", ("a prompt", {}))
    with pytest.raises(UsageError, match="does not know which model answered"):
        CachingLM(lm_eval_model.EvalsuiteLM(engine="scripted"), str(tmp_path / "cache.db"))
    ran = run_apart(
        "lm-eval", "run", "--model", "evalsuite", "--model_args", "engine=scripted", "--include_path", str(folder),
        "--tasks", "tiny_text", "--limit", "2", "--use_cache", str(tmp_path / "other"),
    )  # fmt: skip
    assert ran.code == EXIT_USAGE
    assert "use_cache=DIRECTORY" in ran.err


def test_seed_0_is_a_seed() -> None:
    assert (scripted(seed=0).seed, scripted(seed=5).seed, scripted().seed) == (0, 5, 1234)


@pytest.mark.model
def test_one_models_answers_are_never_anothers(tmp_path: Path) -> None:
    """Two models of the same name, in another precision, through lm-eval's own request and one folder of answers."""
    asked = [("task:0:0", ("The capital of France is", {"until": ["."], "max_gen_toks": 4}))]

    def opened(dtype: str) -> Answerer:
        return Answerer({"pretrained": "smollm2-135m", "dtype": dtype, "use_cache": str(tmp_path)})

    (first,) = opened("float32").answer("generate_until", asked)
    (file,) = tmp_path.rglob("*.json")
    kept = json.loads(file.read_bytes())
    kept["answer"]["text"] = "a planted answer"
    kept["sha256"] = _digest(msgspec.convert(kept["answer"], Completion))
    file.write_text(json.dumps(kept), encoding="utf-8")
    (again,) = opened("float32").answer("generate_until", asked)
    (other,) = opened("bfloat16").answer("generate_until", asked)
    assert isinstance(first, Completion)
    assert isinstance(again, Completion)
    assert isinstance(other, Completion)
    assert again.text == "a planted answer"
    assert other.text != again.text
    assert len(list(tmp_path.rglob("*.json"))) == 2


def test_lm_evals_request_cache_goes_by_the_model() -> None:
    """Its key holds the tokenizer's name, and rendered prompts stand in it."""
    assert scripted().fingerprint == scripted().fingerprint
    model = lm_eval_model.EvalsuiteLM(engine="scripted")
    assert model.tokenizer_name == scripted().fingerprint


def test_a_run_from_lm_evals_side(tmp_path: Path, folder: Path) -> None:
    ran = run_apart(
        "lm-eval", "run", "--model", "evalsuite", "--model_args", "engine=scripted", "--include_path", str(folder),
        "--tasks", "tiny_group", "tiny_math", "tiny_text", "--limit", "3", "--output_path", str(tmp_path),
        "--log_samples",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    (results,) = tmp_path.rglob("results_*.json")
    found = json.loads(results.read_bytes())
    assert {"tiny_group", "tiny_first", "tiny_second", "tiny_math", "tiny_text"} <= found["results"].keys()
    assert found["config"]["engine"] == "scripted"
    assert len(list(tmp_path.rglob("samples_*.jsonl"))) == 4


def test_lm_evals_own_models_stay() -> None:
    """A model registered before lm-eval's own would hide these."""
    lm_eval_model.register()
    lm_eval_model.register()
    from lm_eval.api.registry import model_registry

    assert {"evalsuite", "hf", "vllm"} <= set(model_registry)


def test_a_model_must_be_named() -> None:
    with pytest.raises(UsageError, match="pretrained=smollm2-135m"):
        Answerer({})


def test_a_conversation_survives_copies() -> None:
    made = Conversation("text", (Message(role="user", content="a"),))
    copied = copy.deepcopy(made)
    assert (copied, copied.messages) == (made, made.messages)
