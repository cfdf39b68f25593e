"""BELLE's evaluation set: what is asked, against the raw file read here without evalsuite."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from chat_tasks import asked, conversation, digest, raw_rows, replies, samples, task

from evalsuite.errors import UnknownName, UsageError
from evalsuite.plugins import family
from evalsuite.text.labels import plain_label
from evalsuite.types import Scored

NAME = "belle"
SIZES = {
    "open qa": 285,
    "brainstorming": 179,
    "rewrite": 131,
    "generation": 98,
    "math": 75,
    "classification": 65,
    "closed qa": 52,
    "summarization": 40,
    "code": 38,
    "extract": 37,
}
UNANSWERED = {"brainstorming": 179, "generation": 98, "rewrite": 92}
ALL_PROMPTS = "a21de52139cc1febcf190844e40f21efcbe6243f59b2b7bf55d6be0b573eb461"


@pytest.mark.data
def test_samples_are_the_rows_in_order(mirror: Path) -> None:
    rows = raw_rows(mirror / "BelleGroup__BELLE_eval" / "eval_set.json")
    found = samples(mirror, NAME)
    assert [sample.id for sample in found] == [f"belle:test:{row}" for row in range(1000)]
    assert [(sample.input, sample.target) for sample in found] == [(row["question"], row["std_answer"]) for row in rows]
    assert {sample.language for sample in found} == {"zh"}


@pytest.mark.data
def test_classes_are_counted_under_one_spelling(mirror: Path) -> None:
    found = samples(mirror, NAME)
    assert Counter(sample.category for sample in found) == SIZES
    assert Counter(sample.category for sample in found if not sample.target) == UNANSWERED


@pytest.mark.data
def test_every_class_of_the_judge_prompts_has_its_name(mirror: Path) -> None:
    """The file of prompts spells two classes otherwise, and has one more."""
    prompts = raw_rows(mirror / "BelleGroup__BELLE_eval" / "eval_prompt.json")
    assert {plain_label(row["class"]) for row in prompts} == {*SIZES, "translation"}


@pytest.mark.parametrize("spelling", ["closed qa", "closed\u00a0qa", "closed QA", " Closed\u00a0 QA "])
def test_a_class_has_one_name(spelling: str) -> None:
    assert plain_label(spelling) == "closed qa"


@pytest.mark.data
def test_prompts_are_the_questions_alone(mirror: Path) -> None:
    rows = raw_rows(mirror / "BelleGroup__BELLE_eval" / "eval_set.json")
    chat, plain = task(NAME, chat=True), task(NAME)
    for sample, row in zip(samples(mirror, NAME), rows, strict=True):
        request = asked(chat, sample)
        assert digest([conversation(request)]) == digest([[("user", row["question"])]])
        assert (request.temperature, request.max_tokens, request.stop) == (0.0, 1024, ())
        assert asked(plain, sample).prompt == f"用户：{row['question']}\n助手："
        assert chat.next_requests(sample, replies("好的。")) == ()
        assert chat.next_requests(sample, replies("")) == ()
    assert digest(conversation(asked(chat, sample)) for sample in samples(mirror, NAME)) == ALL_PROMPTS


@pytest.mark.data
def test_an_answer_has_a_language_and_a_length(mirror: Path) -> None:
    outcome = task(NAME).score(samples(mirror, NAME)[0], replies("The answer is written in English, alas."))
    assert isinstance(outcome, Scored)
    assert [found.counts for found in outcome.scores] == [(0.0, 1.0), (0.0, 1.0), (39.0, 1.0)]
    assert [str(flag) for flag in outcome.flags] == ["wrong_language"]


def test_the_protocol_is_sealed() -> None:
    assert family(NAME).protocols == ("belle-1k",)
    assert (task(NAME).protocol, task(NAME).is_sealed) == ("belle-1k", True)
    with pytest.raises(UnknownName, match="belle has: belle-1k"):
        task(NAME, protocol="belle")
    with pytest.raises(UsageError, match="--system_instruction"):
        task(NAME, system_instruction="请简短回答。")
    with pytest.raises(UsageError, match="belle is asked without exemplars"):
        task(NAME, num_fewshot=3)
