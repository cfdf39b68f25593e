"""MT-Bench: what is asked, against the raw file read here without evalsuite, and what a run makes of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from chat_tasks import answer, asked, conversation, digest, raw_rows, replies, samples, task

from evalsuite.config import make_config
from evalsuite.contracts import Task
from evalsuite.errors import UnknownName, UsageError
from evalsuite.plugins import family
from evalsuite.prepare import prepare
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_samples
from evalsuite.types import Flag, GenerateRequest, Sample, Scored

NAME = "mt_bench"
CATEGORIES = ("writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem", "humanities")
TEMPERATURES = {"writing": 0.7, "roleplay": 0.7, "stem": 0.1, "humanities": 0.1}
FIRST_TURNS = "145e4278e714d790b94adf04a1af92b4640594b72f2e27a4e0268b38e76c8dfc"
QUESTION = Sample(
    id="mt_bench:test:0",
    input="Name a fruit.",
    language="en",
    turns=("Name a fruit.", "Another one."),
    category="writing",
)


@pytest.fixture
def questions(mirror: Path) -> list[dict[str, Any]]:
    return raw_rows(mirror / "lm-sys__mt_bench" / "question.jsonl")


# -- what is asked


@pytest.mark.data
def test_samples_are_the_questions_in_order(mirror: Path, questions: list[dict[str, Any]]) -> None:
    found = samples(mirror, NAME)
    assert [sample.id for sample in found] == [f"mt_bench:test:{row}" for row in range(80)]
    assert [sample.metadata["question_id"] for sample in found] == [str(number) for number in range(81, 161)]
    assert [sample.turns for sample in found] == [tuple(row["turns"]) for row in questions]
    assert Counter(sample.category for sample in found) == dict.fromkeys(CATEGORIES, 10)
    assert len({sample.cluster_id for sample in found}) == 80


@pytest.mark.data
def test_references_are_gpt_4s_to_thirty_questions(mirror: Path) -> None:
    rows = raw_rows(mirror / "lm-sys__mt_bench" / "reference_answer" / "gpt-4.jsonl")
    expected = {str(row["question_id"]): row["choices"][0]["turns"] for row in rows}
    found = {
        sample.metadata["question_id"]: [sample.metadata["reference_1"], sample.metadata["reference_2"]]
        for sample in samples(mirror, NAME)
        if "reference_1" in sample.metadata
    }
    assert found == expected
    assert list(found) == [str(number) for number in range(101, 131)]
    with_reference = {sample.category for sample in samples(mirror, NAME) if "reference_2" in sample.metadata}
    assert with_reference == {"reasoning", "math", "coding"}
    assert all(isinstance(value, str) for sample in samples(mirror, NAME) for value in sample.metadata.values())


@pytest.mark.data
def test_conversations_are_those_of_the_raw_file(mirror: Path, questions: list[dict[str, Any]]) -> None:
    """Two waves; in the second the model's own answer stands between the turns, without white space around it."""
    built = task(NAME, chat=True)
    for sample, row in zip(samples(mirror, NAME), questions, strict=True):
        first, second = row["turns"]
        own = f" Answer to {row['question_id']}.\n"
        assert conversation(asked(built, sample)) == [("user", first)]
        expected = [("user", first), ("assistant", own.strip()), ("user", second)]
        assert digest([conversation(asked(built, sample, own))]) == digest([expected])
        assert built.next_requests(sample, replies(own, "Second.")) == ()


@pytest.mark.data
def test_transcripts_are_those_of_the_raw_file(mirror: Path, questions: list[dict[str, Any]]) -> None:
    built = task(NAME)
    for sample, row in zip(samples(mirror, NAME), questions, strict=True):
        first, second = row["turns"]
        assert asked(built, sample).prompt == f"User: {first}\nAssistant:"
        request = asked(built, sample, " My answer.\n")
        assert request.prompt == f"User: {first}\nAssistant: My answer.\nUser: {second}\nAssistant:"
        assert request.stop == ("\nUser:",)


@pytest.mark.data
def test_all_conversations_have_one_known_hash(mirror: Path) -> None:
    built = task(NAME, chat=True)
    assert digest(conversation(asked(built, sample)) for sample in samples(mirror, NAME)) == FIRST_TURNS


@pytest.mark.data
@pytest.mark.parametrize(("protocol", "max_tokens"), [("mt-bench", 1024), ("mt-bench-256", 256)])
def test_answers_are_sampled_as_their_category_wants(mirror: Path, protocol: str, max_tokens: int) -> None:
    built = task(NAME, chat=True, protocol=protocol)
    for sample in samples(mirror, NAME):
        for request in (asked(built, sample), asked(built, sample, "First.")):
            assert request.temperature == TEMPERATURES.get(sample.category, 0.0)
            assert (request.max_tokens, request.top_p, request.stop) == (max_tokens, 1.0, ())


# -- protocols


def test_the_official_protocol_is_the_default_and_sealed() -> None:
    assert family(NAME).protocols == ("mt-bench", "mt-bench-256")
    built = [task(NAME), task(NAME, protocol="mt-bench-256")]
    assert [(one.protocol, one.is_sealed) for one in built] == [("mt-bench", True), ("mt-bench-256", False)]


def test_a_sealed_protocol_takes_no_instruction() -> None:
    with pytest.raises(UsageError, match=r"--system_instruction: the protocol mt-bench of mt_bench fixes it"):
        task(NAME, system_instruction="Be brief.")
    free = task(NAME, protocol="mt-bench-256", system_instruction="Be brief.", chat=True)
    assert conversation(asked(free, QUESTION))[0] == ("system", "Be brief.")
    plain = task(NAME, protocol="mt-bench-256", system_instruction="Be brief.")
    assert asked(plain, QUESTION).prompt == "Be brief.\nUser: Name a fruit.\nAssistant:"


def test_other_protocols_and_exemplars_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'mt-bench-256'\? mt_bench has: mt-bench, mt-bench-256"):
        task(NAME, protocol="mt-bench-25")
    with pytest.raises(UsageError, match="mt_bench is asked without exemplars"):
        task(NAME, num_fewshot=1)
    assert task(NAME, num_fewshot=0).num_fewshot == 0


@pytest.mark.data
def test_generation_settings_of_a_sealed_protocol_are_refused(mirror: Path) -> None:
    changes = {"model": "scripted", "tasks": (NAME,), "gen_kwargs": {"max_tokens": 8}, "data_dir": str(mirror)}
    with pytest.raises(UsageError, match="--gen_kwargs: the protocol mt-bench of mt_bench fixes it"):
        prepare(make_config({}, changes))


# -- what is scored


def score(built: Task, *texts: str) -> Scored:
    outcome = built.score(QUESTION, replies(*texts))
    assert isinstance(outcome, Scored)
    return outcome


def test_an_answer_has_a_language_and_a_length() -> None:
    outcome = score(task(NAME), "An apple is a fruit that many people like.", "Birnen sind auch eine Frucht, sagt man.")
    assert {found.name: found.counts for found in outcome.scores} == {
        "language_fidelity": (1.0, 2.0),
        "sentence_fidelity": (1.0, 2.0),
        "answer_chars": ((42 + 39) / 2, 1.0),
    }
    assert (outcome.answer, outcome.flags) == ("Birnen sind auch eine Frucht, sagt man.", (Flag.WRONG_LANGUAGE,))


def test_thinking_is_no_part_of_the_answer() -> None:
    thought = "<think>\n" + "苹果是一种水果。" * 60 + "\n</think>\n\n"
    plain = ("An apple is a fruit that many people like.", "A pear is another one of that sort.")
    outcome = score(task(NAME), *(thought + text for text in plain))
    assert outcome.scores == score(task(NAME), *plain).scores
    assert outcome.flags == ()
    assert outcome.answer == thought + plain[1]


def test_facts_about_answers_are_flags() -> None:
    loop = "And then she went home again to see her mother. " * 9
    outcome = score(task(NAME), "I'm sorry, but I can't help with that.", loop)
    assert outcome.flags == (Flag.REFUSED, Flag.REPETITIVE)
    built = task(NAME)
    capped = ((answer("", "length"),), (answer("A pear, since it is sweet and soft.", "refusal"),))
    outcome_of_capped = built.score(QUESTION, capped)
    assert isinstance(outcome_of_capped, Scored)
    assert outcome_of_capped.flags == (Flag.CAPPED, Flag.EMPTY, Flag.REFUSED)


# -- in a run


@pytest.mark.data
def test_a_run_asks_two_waves(mirror: Path, tmp_path: Path) -> None:
    asked_for = {"model": "scripted", "tasks": (NAME,), "limit": 16.0, "data_dir": str(mirror)}
    prepared = prepare(make_config({}, asked_for))
    finished = execute(prepared, tmp_path / "run", Quiet())
    assert finished.result is not None
    assert (finished.result.counts.requested, finished.result.counts.scored) == (16, 16)
    records = list(read_samples(tmp_path / "run"))
    assert [[item.wave for item in record.items] for record in records] == [[1, 2]] * 16
    for record in records:
        first, second = (item.request for item in record.items)
        assert isinstance(first, GenerateRequest)
        assert isinstance(second, GenerateRequest)
        (text, _) = (response.text for response in record.responses)  # type: ignore[union-attr]
        assert conversation(second) == [
            ("user", record.sample.turns[0]),
            ("assistant", text.strip()),
            ("user", record.sample.turns[1]),
        ]
        assert (first.seed != second.seed) == (record.sample.category in TEMPERATURES)
