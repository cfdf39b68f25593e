"""Prompts of openllm-v1 against hashes that others made: an independent reading, and the leaderboard's own code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from openllm_tasks import V1, protocol_of, samples, task, texts

from evalsuite.plugins import family
from evalsuite.types import GenerateRequest, Sample

pytestmark = pytest.mark.data

GOLDEN = json.loads((Path(__file__).parent / "golden" / "openllm_v1_prompts.json").read_text(encoding="utf-8"))
SIX = ("arc_challenge", "hellaswag", "truthfulqa", "winogrande", "gsm8k")
SUBJECTS = tuple(info.name for info in family("mmlu").members)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def reference_name(name: str) -> str:
    """What the leaderboard's harness called a task."""
    if name == "truthfulqa":
        return "truthfulqa_mc"
    return "hendrycksTest-" + name.removeprefix("mmlu_") if name.startswith("mmlu_") else name


def test_the_golden_file_covers_every_task() -> None:
    counts = {name: len(documents) for name, documents in GOLDEN.items()}
    assert set(counts) == {*SIX, *SUBJECTS}
    assert all(counts[name] >= 20 for name in SIX)
    assert sum(counts[name] >= 20 for name in SUBJECTS) >= 6


@pytest.mark.parametrize("name", [*SIX, *SUBJECTS])
def test_prompts_have_the_independently_derived_hashes(mirror: Path, name: str) -> None:
    found = samples(mirror, name, protocol_of(name))
    built = task(name, protocol_of(name))
    for document in GOLDEN[name]:
        sample = found[document["eval_order"]]
        assert sample.row == document["doc_index"]
        hashes = [[sha256(context), rest and sha256(rest)] for context, rest in texts(built, sample)]
        assert hashes == document["requests"], sample.id


@pytest.mark.parametrize("name", [*SIX, *SUBJECTS])
def test_whole_tasks_have_the_leaderboards_own_digests(mirror: Path, reference: Path, name: str) -> None:
    """Every context and every request of the task, as the leaderboard's harness hashed them."""
    expected = json.loads((reference / "openllm_v1_golden.json").read_text())["whole_task"][reference_name(name)]
    found = samples(mirror, name, protocol_of(name))
    built = task(name, protocol_of(name))
    contexts, requests, num_requests = hashlib.sha256(), hashlib.sha256(), 0
    for sample in found:
        asked = list(texts(built, sample))
        contexts.update(_context(sample, asked).encode() + b"\0")
        for context, continuation in asked:
            second = continuation if continuation is not None else _stops(built, sample)
            requests.update(context.encode() + b"\0" + second.encode() + b"\0")
            num_requests += 1
    assert (len(found), num_requests) == (expected["n_docs"], expected["n_requests"])
    assert contexts.hexdigest() == expected["contexts_sha256"]
    assert requests.hexdigest() == expected["requests_sha256"]


def _context(sample: Sample, asked: list[tuple[str, str | None]]) -> str:
    """What the harness called the context: for Winogrande the one with the right option."""
    is_partial = sample.id.startswith("winogrande:")
    return asked[sample.gold if is_partial and sample.gold is not None else 0][0]


def _stops(built: Any, sample: Sample) -> str:
    (request,) = built.next_requests(sample, ())
    assert isinstance(request, GenerateRequest)
    assert request.max_tokens == 256
    return json.dumps({"until": list(request.stop)})


def test_first_documents_have_the_leaderboards_own_prompts(mirror: Path, reference: Path) -> None:
    names = {reference_name(name): name for name in (*SIX, *SUBJECTS)}
    for document in json.loads((reference / "openllm_v1_golden.json").read_text())["first_documents"]:
        name = names[document["task"]]
        sample = samples(mirror, name, protocol_of(name))[document["eval_order"]]
        context = _context(sample, list(texts(task(name, protocol_of(name)), sample)))
        assert sample.row == document["doc_index"]
        assert (sha256(context), len(context)) == (document["sha256"], document["length"])


@pytest.mark.parametrize("name", SIX)
def test_order_and_exemplars_are_the_leaderboards(mirror: Path, reference: Path, name: str) -> None:
    expected = json.loads((reference / "openllm_v1_fewshot_indices.json").read_text())["tasks"][reference_name(name)]
    found = samples(mirror, name, protocol_of(name))
    assert [sample.row for sample in found[:5]] == expected["first_eval_docs"]
    assert (len(found), task(name, protocol_of(name)).num_fewshot) == (expected["n_eval"], expected["k"])
    from evalsuite.tasks._protocols import OPENLLM_V1, draw

    places = draw(name, OPENLLM_V1, 1234, expected["n_eval"], expected["n_train"], expected["k"])
    for place, key in ((0, "first"), (1, "second"), (-1, "last")):
        assert list(places[place].shots) == expected[f"shots_for_{key}_doc"]


def test_the_run_s_seed_changes_nothing_of_a_published_protocol(mirror: Path) -> None:
    from evalsuite.tasks._protocols import LM_EVAL, OPENLLM_V1, draw

    assert draw("t", OPENLLM_V1, 1, 50, 90, 5) == draw("t", OPENLLM_V1, 2, 50, 90, 5)
    assert draw("t", LM_EVAL, 1, 50, 90, 5) != draw("t", LM_EVAL, 2, 50, 90, 5)
    assert OPENLLM_V1.id == V1
