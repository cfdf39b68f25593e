"""What is redacted: every text of a sample, with no word of its length, so that it can be held against the original."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealed_runs import Part, choice_record, text_record, write_run

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.evidence import page_data
from evalsuite.boards.redacting import MARK, is_redaction, matches_left, num_marks, redacted, redacted_text
from evalsuite.boards.sample_records import Answer, Reply, SampleFacts, TaskSamples
from evalsuite.canonical import canonical_json

SECRET = "Sesame"


def compiled(*expressions: str) -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, expressions))


@pytest.mark.parametrize(
    ("expressions", "text", "left"),
    [
        (["Ann"], "Ann met Anna.", f"{MARK} met {MARK}a."),
        (["Ann", "Ann Smith"], "Ask Ann Smith!", f"Ask {MARK}!"),
        (["Ann Smith", "Ann"], "Ask Ann Smith!", f"Ask {MARK}!"),
        (["Ann ", "Smith"], "Ask Ann Smith!", f"Ask {MARK}!"),
        ([r"\d"], "on 2026-11-22", f"on {MARK}-{MARK}-{MARK}"),
        ([r"."], "all of it", MARK),
        ([r"x*"], "xx yy", f"{MARK} yy"),
        ([r"(?i)ann"], "ANN, ann", f"{MARK}, {MARK}"),
        ([r"(?s)a.b"], "a\nb", MARK),
        (["z"], "nothing here", "nothing here"),
        (["^", "$", r"\b"], "a b", "a b"),
        (["नमस्ते"], "नमस्ते!", f"{MARK}!"),
    ],
)
def test_stretches_are_marks_of_one_length(expressions: list[str], text: str, left: str) -> None:
    assert redacted_text(text, compiled(*expressions)) == left


@given(st.text("ab▇ "), st.lists(st.sampled_from(["a", "b", "ab", "a+", "b*", "▇", " a"]), max_size=3))
def test_a_redacted_text_is_one_of_the_original(text: str, expressions: list[str]) -> None:
    found = redacted_text(text, compiled(*expressions))
    assert found == text or is_redaction(found, text)
    assert found == redacted_text(text, compiled(*reversed(expressions)))


@pytest.mark.parametrize(
    ("stated", "found", "is_so"),
    [
        (f"a{MARK}c", "abc", True),
        (f"a{MARK}c", "ac", True),
        (f"a{MARK}c", "abd", False),
        (f"a{MARK}c", "bac", False),
        (f"{MARK}a{MARK}a", "xaya", True),
        (f"{MARK}a{MARK}a", "xay", False),
        (f"ab{MARK}b", "ab", False),
        (f"{MARK}b{MARK}a{MARK}", "ab", False),
        ("abc", "abc", False),
        (MARK, "", True),
    ],
)
def test_what_stands_between_marks_must_stand_in_the_original(stated: str, found: str, is_so: bool) -> None:
    assert is_redaction(stated, found) is is_so


def told(word: str) -> TaskSamples:
    """Samples in which every text says `word`."""
    reply = Reply(
        prompt=0, kind="choices", text=word, stop=(word,), choices=(word, word), detail=word, sums=(-1.0, None),
        num_chars=(6, 6), settings={"max_tokens": 9},
    )  # fmt: skip
    answer = Answer(
        status="right", answer=word, explanation=word, detail=word, replies=(reply,), counts={"acc": (1.0, 1.0)},
        flags=("truncated",),
    )  # fmt: skip
    facts = SampleFacts(
        id="s:0", language="en", input=word, target=word, choices=(word,), gold=0, metadata={"source": word}
    )
    return TaskSamples(
        task="t", headline="acc", prompts=(word, (("user", word), ("assistant", word))), samples=(facts,), runs=(0, 1),
        answers=((answer,), (None,)),
    )  # fmt: skip


def test_every_text_is_redacted_and_no_count() -> None:
    samples = (told(f"Open {SECRET}!"),)
    found, count = redacted(samples, compiled(SECRET))
    assert SECRET not in canonical_json(found)
    assert found == (told(f"Open {MARK}!"),)
    assert count == num_marks(found) == len(re.findall(SECRET, canonical_json(samples)))
    strings = {field.name for field in msgspec.structs.fields(Answer) if field.type is str}
    assert strings == {"cause", "detail", "answer", "explanation"}, "a new text: is it to be redacted?"
    assert {field.name for field in msgspec.structs.fields(Reply) if field.type is str} == {
        *("text", "stop_reason", "cause", "detail")
    }
    assert {field.name for field in msgspec.structs.fields(SampleFacts) if field.type is str} == {
        *("id", "language", "prompt_language", "category", "cluster", "input", "target")
    }


def test_where_nothing_matches_nothing_is_said_to_be_redacted() -> None:
    samples = (told(f"It was {MARK} before."),)
    assert redacted(samples, compiled("absent")) == (samples, 0)
    assert redacted(samples, ()) == (samples, 0)


def test_the_numbers_of_a_redacted_board_are_those_of_the_board(tmp_path: Path) -> None:
    records = [
        choice_record("qa_en:test:0", "en", f"Who is {SECRET}?", ("one", SECRET)),
        text_record("qa_en:test:1", "en", f"Call {SECRET}.", [f"{SECRET} speaking"], target=SECRET),
    ]
    run = write_run(tmp_path, "m", [Part("qa_en", "qa", "en", n=2)], records)
    whole = page_data([run], BoardOptions())
    found = page_data([run], BoardOptions(redact=compiled(SECRET)))
    assert whole.board.redactions == 0
    assert found.board.redactions == num_marks(found.samples) > 0
    assert msgspec.structs.replace(found.board, redactions=0) == whole.board
    assert found.evidence == whole.evidence
    assert SECRET in canonical_json(whole.samples)
    assert SECRET not in canonical_json(found.samples)


def test_matches_that_stay_are_told_by_field(tmp_path: Path) -> None:
    records = [text_record(f"qa_en:{SECRET}:1", "en", "Hello", ["there"])]
    run = write_run(tmp_path, f"{SECRET}-7b", [Part("qa_en", "qa", "en", n=1)], records)
    data = page_data([run], BoardOptions(title="T"))
    left = matches_left(data.board, data.samples, compiled(SECRET))
    assert left["samples"] == 1
    assert left["runs"] >= 1
    assert "title" not in left
    assert matches_left(data.board, data.samples, compiled("absent", "x*")) == {}
