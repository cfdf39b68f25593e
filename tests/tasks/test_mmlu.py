"""MMLU: prompts byte for byte, exemplars in their own order, the order of evaluation, and which mean comes first."""

from __future__ import annotations

import random
from typing import Any

import pytest
from evalsuite.tasks.mmlu import SUBJECTS

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.engines.scripted import loglikelihood
from evalsuite.errors import UnknownName, UsageError
from evalsuite.plugins import choose_tasks, family
from evalsuite.types import LoglikelihoodRequest, Message, Sample, Scored

DESCRIPTION = "The following are multiple choice questions (with answers) about high school tea tasting.\n\n"
PROTOCOLS = ("lm-eval-0.4", "openllm-v1", "openllm-fixed")


def row(question: str, choices: tuple[str, str, str, str], answer: int) -> dict[str, Any]:
    """A row as the hub has it."""
    return {"question": question, "subject": "tea", "choices": list(choices), "answer": answer}


TEST_ROWS: Rows = (
    row("  Which cup is hot?\n", ("the blue one", " the red one ", "both\n", ""), 2),
    row("Wie heißt 茶 ?", ("tea", "茶", "شاي", "thé"), 1),
)
DEV_ROWS: Rows = tuple(row(f" Is {number} odd? ", ("no", "yes", "never", "x"), number % 2) for number in range(7))


def task(name: str = "mmlu_anatomy", **options: Any) -> Task:
    return family("mmlu").build(name, TaskOptions(**options))


def samples(num_fewshot: int = 0, rows: Rows = TEST_ROWS, dev: Rows = DEV_ROWS, **options: Any) -> tuple[Sample, ...]:
    """The samples of hand-made rows."""
    return task(num_fewshot=num_fewshot, **options).samples((rows, dev) if num_fewshot else (rows,))


def requests(sample: Sample, name: str = "mmlu_anatomy", **options: Any) -> list[LoglikelihoodRequest]:
    asked = task(name, **options).next_requests(sample, ())
    return [request for request in asked if isinstance(request, LoglikelihoodRequest)]


def numbered(count: int) -> Rows:
    return tuple(row(f"Question {number}", ("a", "b", "c", "d"), number % 4) for number in range(count))


# -- prompts


@pytest.mark.parametrize(
    ("index", "question"),
    [
        (0, "Which cup is hot?\nA. the blue one\nB.  the red one \nC. both\n\nD. \nAnswer:"),
        (1, "Wie heißt 茶 ?\nA. tea\nB. 茶\nC. شاي\nD. thé\nAnswer:"),
    ],
)
def test_prompts_are_lm_evals_byte_for_byte(index: int, question: str) -> None:
    """The question is stripped, the choices are not, and the letters are what is scored."""
    asked = requests(samples()[index])
    description = "The following are multiple choice questions (with answers) about anatomy.\n\n"
    assert {request.context for request in asked} == {description + question}
    assert [request.continuation for request in asked] == [" A", " B", " C", " D"]


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("anatomy", "anatomy"),
        ("high_school_us_history", "high school us history"),
        ("us_foreign_policy", "us foreign policy"),
    ],
)
def test_the_description_names_the_subject_in_words(subject: str, words: str) -> None:
    (first, *_) = requests(samples()[1], f"mmlu_{subject}")
    assert isinstance(first.context, str)
    start = f"The following are multiple choice questions (with answers) about {words}.\n\nWie"
    assert first.context.startswith(start)


def test_exemplars_are_the_first_of_dev_in_order() -> None:
    expected = "".join(
        f"Is {number} odd?\nA. no\nB. yes\nC. never\nD. x\nAnswer: {'AB'[number % 2]}\n\n" for number in range(3)
    )
    for seed in (1234, 7):
        found = samples(3, seed=seed)
        for sample, end in zip(found, ("D. \nAnswer:", "D. thé\nAnswer:"), strict=True):
            (context,) = {request.context for request in requests(sample, num_fewshot=3, seed=seed)}
            assert isinstance(context, str)
            assert context.startswith(
                f"The following are multiple choice questions (with answers) about anatomy.\n\n{expected}W"
            )
            assert context.endswith(end)


def test_the_users_instruction_comes_before_the_description() -> None:
    (first, *_) = requests(samples(rows=numbered(1))[0], system_instruction="Be brief.")
    assert first.context == (
        "Be brief.\n\nThe following are multiple choice questions (with answers) about anatomy.\n\n"
        "Question 0\nA. a\nB. b\nC. c\nD. d\nAnswer:"
    )


@pytest.mark.parametrize("multiturn", [True, False])
def test_chat_describes_in_the_system_turn_and_has_no_space_before_the_letter(multiturn: bool) -> None:
    options = {"num_fewshot": 1, "chat": True, "multiturn_shots": multiturn}
    asked = requests(samples(1)[1], "mmlu_us_foreign_policy", **options)
    question, answer = "Is 0 odd?\nA. no\nB. yes\nC. never\nD. x\nAnswer:", "A"
    last = "Wie heißt 茶 ?\nA. tea\nB. 茶\nC. شاي\nD. thé\nAnswer:"
    description = "The following are multiple choice questions (with answers) about us foreign policy.\n\n"
    turns = [question, answer, last] if multiturn else [f"{question} {answer}\n\n{last}"]
    roles = ("user", "assistant", "user")
    assert asked[0].context == (
        Message(role="system", content=description),
        *(Message(role=role, content=turn) for role, turn in zip(roles, turns, strict=False)),  # type: ignore[arg-type]
    )
    assert [request.continuation for request in asked] == ["A", "B", "C", "D"]


def test_a_sample_is_asked_once() -> None:
    assert task().next_requests(samples()[0], ((),)) == ()


# -- answers


def test_the_answer_is_the_letter() -> None:
    first, second = samples()
    assert (first.choices, first.target, first.gold) == (("A", "B", "C", "D"), "C", 2)
    assert (second.choices, second.target, second.gold) == (("A", "B", "C", "D"), "B", 1)
    for best in range(4):
        found = tuple(loglikelihood(" X", -1.0 if place == best else -2.0 - place) for place in range(4))
        outcome = task().score(first, (found,))
        assert isinstance(outcome, Scored)
        assert [(score.name, score.counts) for score in outcome.scores] == [("acc", (float(best == 2), 1.0))]
        assert outcome.answer == "ABCD"[best]


def test_a_row_without_four_choices_is_no_row_of_mmlu() -> None:
    with pytest.raises(ValueError, match=r"zip\(\) argument"):
        samples(rows=({"question": "?", "choices": ["a", "b", "c"], "answer": 0},))


# -- protocols


def test_there_are_57_subjects() -> None:
    members = family("mmlu").members
    assert len(members) == len({info.name for info in members}) == len(SUBJECTS) == 57
    assert {choice.name for choice in choose_tasks(["mmlu"])} == {f"mmlu_{subject}" for subject in SUBJECTS}
    data = {
        (one.config, one.split): one.fingerprint for info in members for one in task(info.name, num_fewshot=1).datasets
    }
    assert len(data) == len(set(data.values())) == 114
    assert {f"mmlu_{config}" for config, _ in data} == {info.name for info in members}


@pytest.mark.parametrize("name", ["mmlu_anatomy", "mmlu_virology"])
@pytest.mark.parametrize("seed", [1234, 7])
def test_the_leaderboard_shuffles_each_subject_by_itself_and_exemplars_not_at_all(name: str, seed: int) -> None:
    built = task(name, protocol="openllm-v1", seed=seed)
    found = built.samples((numbered(40), DEV_ROWS))
    order = list(range(40))
    random.Random(42).shuffle(order)
    assert [sample.row for sample in found] == order
    assert [sample.input.partition("\n")[0] for sample in found] == [f"Question {number}" for number in order]
    assert [sample.gold for sample in found] == [number % 4 for number in order]
    for sample in found:
        assert sample.id == f"{name}:test:{sample.row}"
        assert [shot.input[:5] for shot in sample.shots] == [f"Is {number} " for number in range(5)]


@pytest.mark.parametrize("protocol", ["lm-eval-0.4", "openllm-fixed"])
def test_the_other_protocols_keep_the_order_of_the_rows(protocol: str) -> None:
    found = task(protocol=protocol, num_fewshot=5).samples((numbered(40), DEV_ROWS))
    assert [sample.row for sample in found] == list(range(40))


@pytest.mark.parametrize(
    ("protocol", "means", "num_fewshot"),
    [
        ("lm-eval-0.4", ("micro", "macro"), 0),
        ("openllm-v1", ("macro", "micro"), 5),
        ("openllm-fixed", ("macro", "micro"), 5),
    ],
)
def test_both_means_are_given_and_the_protocols_own_comes_first(
    protocol: str, means: tuple[str, ...], num_fewshot: int
) -> None:
    built = task(protocol=protocol)
    assert built.means == means
    assert built.num_fewshot == num_fewshot
    assert [one.split for one in built.datasets] == (["test", "dev"] if num_fewshot else ["test"])
    assert built.is_sealed == (protocol != "lm-eval-0.4")


def test_every_protocol_is_named_and_others_are_refused() -> None:
    assert family("mmlu").protocols == PROTOCOLS
    with pytest.raises(UnknownName, match=r"mmlu_anatomy has: lm-eval-0\.4, openllm-v1, openllm-fixed"):
        task(protocol="openllm-v1+derived-shots")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_more_exemplars_than_dev_has_are_refused(protocol: str) -> None:
    with pytest.raises(UsageError, match="--num_fewshot 5: mmlu_anatomy has 4 exemplars"):
        samples(5, dev=DEV_ROWS[:4], protocol=protocol)
    assert len(samples(5, dev=DEV_ROWS[:5], protocol=protocol)[0].shots) == 5
