"""GSM8K: what is read out of an answer, on hand-made answers with every trap, and what that scores."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.engines.completion import first_stop
from evalsuite.errors import UnknownName
from evalsuite.plugins import family
from evalsuite.types import Completion, Flag, GenerateRequest, Sample, Scored

LINES = (Path(__file__).parent / "golden" / "gsm8k_answers.jsonl").read_text(encoding="utf-8").splitlines()
ANSWERS: list[dict[str, Any]] = [json.loads(line) for line in LINES]
NO_NUMBER = ("no_number", "empty", "whitespace_only", "spelt_out")


def gsm8k(protocol: str) -> Task:
    return family("gsm8k").build("gsm8k", TaskOptions(protocol=protocol))


def rows(*answers: str) -> Rows:
    return tuple({"question": f"How many are {place}?", "answer": answer} for place, answer in enumerate(answers))


def score(protocol: str, text: str, gold: str) -> Scored:
    """The outcome of an answer that the engine cuts at the protocol's stops."""
    task = gsm8k(protocol)
    sample = Sample(id="gsm8k:test:0", input="Question: ?\nAnswer:", language="en", target=gold)
    (request,) = task.next_requests(sample, ())
    assert isinstance(request, GenerateRequest)
    stop = first_stop(text, request.stop)
    cut = Completion(text=text[:stop], stop_reason="end", num_prompt_tokens=1, num_tokens=1)
    return task.score(sample, ((cut,),))


def is_right(outcome: Scored, metric: str) -> bool:
    (counts,) = (found.counts for found in outcome.scores if found.name == f"exact_match_{metric}")
    assert counts[1] == 1.0
    return counts[0] == 1.0


def test_there_are_enough_answers_of_every_kind() -> None:
    traps = Counter(answer["trap"] for answer in ANSWERS)
    assert len(ANSWERS) >= 200
    assert len(traps) >= 40
    for key in ("strict", "flexible", "openllm_v1"):
        assert Counter(bool(answer[key]) for answer in ANSWERS).most_common()[-1][1] >= 50


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["trap"])
def test_extraction_is_lm_evals(answer: dict[str, Any]) -> None:
    outcome = score("lm-eval-0.4", answer["text"], answer["gold"])
    assert is_right(outcome, "strict") == answer["strict"]
    assert is_right(outcome, "flexible") == answer["flexible"]
    assert (Flag.UNPARSED in outcome.flags) == (answer["strict_found"] is None)
    shown = answer["strict_found"] if answer["strict_found"] is not None else answer["flexible_found"]
    assert outcome.answer == (shown or "")


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["trap"])
def test_extraction_of_the_leaderboard(answer: dict[str, Any]) -> None:
    outcome = score("openllm-v1", answer["text"], answer["gold"])
    assert is_right(outcome, "strict") == answer["openllm_v1"]
    assert (Flag.UNPARSED in outcome.flags) == (answer["openllm_v1_found"] is None)


@pytest.mark.parametrize("protocol", family("gsm8k").protocols)
def test_no_number_scores_nothing_and_is_unparsed(protocol: str) -> None:
    wordy = [answer["text"] for answer in ANSWERS if answer["trap"] in NO_NUMBER]
    texts = [text for text in wordy if not any(map(str.isdigit, text))]
    assert len(texts) >= 15
    for text in texts:
        outcome = score(protocol, text, "It is so.\n#### 18")
        assert Flag.UNPARSED in outcome.flags
        assert not is_right(outcome, "strict")
        assert not is_right(outcome, "flexible")


def test_the_gold_answer_itself_is_right_under_every_protocol() -> None:
    for protocol in family("gsm8k").protocols:
        outcome = score(protocol, " We take 1,000 and add 234.\n#### 1,234", "Count them.\n#### 1,234")
        assert is_right(outcome, "strict")
        assert is_right(outcome, "flexible")
        assert outcome.flags == ()


def test_the_protocols_differ_where_they_should() -> None:
    """A colon ends an answer on the leaderboard; a full stop after the number makes it wrong there."""
    assert is_right(score("lm-eval-0.4", " Total: 18\n#### 18", "#### 18"), "strict")
    assert not is_right(score("openllm-v1", " Total: 18\n#### 18", "#### 18"), "strict")
    assert is_right(score("openllm-fixed", " So\n#### 18.", "#### 18"), "strict")
    assert not is_right(score("openllm-v1", " So\n#### 18.", "#### 18"), "strict")


def test_flags_of_the_answer_itself() -> None:
    task = gsm8k("lm-eval-0.4")
    sample = Sample(id="gsm8k:test:0", input="Question: ?\nAnswer:", language="en", target="#### 3")
    capped = Completion(text=" ", stop_reason="length", num_prompt_tokens=1, num_tokens=256)
    outcome = task.score(sample, ((capped,),))
    assert set(outcome.flags) == {Flag.UNPARSED, Flag.CAPPED, Flag.EMPTY}


@pytest.mark.parametrize(
    ("protocol", "stop"),
    [
        ("lm-eval-0.4", ("Question:", "</s>", "<|im_end|>")),
        ("openllm-v1", (":", "Question:", "Question")),
        ("openllm-fixed", ("Question:", "</s>", "<|im_end|>")),
    ],
)
def test_what_is_asked(protocol: str, stop: tuple[str, ...]) -> None:
    task = gsm8k(protocol)
    train = rows(*(f"One by one.\n#### {number}" for number in range(9)))
    for sample in task.samples((rows("Two.\n#### 2"), train)):
        (request,) = task.next_requests(sample, ())
        assert isinstance(request, GenerateRequest)
        shots = [f"{shot.input} {shot.target}" for shot in sample.shots]
        assert len(set(shots)) == 5
        assert request.prompt == "\n\n".join([*shots, "Question: How many are 0?\nAnswer:"])
        assert (request.stop, request.max_tokens, request.temperature) == (stop, 256, 0.0)
        assert task.next_requests(sample, ((),)) == ()


def test_guessing_a_number_scores_nothing() -> None:
    sample = Sample(id="gsm8k:test:0", input="Question: ?\nAnswer:", language="en", target="#### 3")
    chances = [metric.chance for metric in gsm8k("lm-eval-0.4").metrics]
    assert [chance and chance(sample) for chance in chances] == [0.0, 0.0, None, None]


def test_another_protocol_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'openllm-v1'\? gsm8k has: lm-eval-0.4, openllm-v1"):
        gsm8k("openllm-v2")
