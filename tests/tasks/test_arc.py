"""ARC: prompts byte for byte, lm-eval's draw of exemplars, odd labels, and the real rows of the mirror."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from evalsuite.config import RunConfig
from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.errors import UsageError
from evalsuite.plugins import family
from evalsuite.prepare import prepare
from evalsuite.types import GenerateRequest, LoglikelihoodRequest, Message, Sample, Scored

ARC = ("arc_challenge", "arc_easy")


def row(name: str, question: str, texts: tuple[str, ...], answer: str, labels: str = "ABCDE") -> dict[str, Any]:
    """A row as the hub has it."""
    return {
        "id": name,
        "question": question,
        "choices": {"text": list(texts), "label": list(labels[: len(texts)])},
        "answerKey": answer,
    }


TEST_ROWS: Rows = (
    row("t1", "Which of these melts in the sun?", ("granite", "ice", "iron", "glass"), "B"),
    row("t2", "What do roots take up?", ("light", "sound", "water"), "3", labels="1234"),
    row("t3", "Où pousse le thé ?", ("à l’ombre", "山", "جبل", "sea", "moon"), "E"),
)
TRAIN_ROWS: Rows = tuple(
    row(f"s{number}", f"What is {number} plus {number}?", (f"{2 * number}", "nothing"), "A") for number in range(1, 9)
)


def task(name: str = "arc_challenge", **options: Any) -> Task:
    return family(name).build(name, TaskOptions(**options))


def samples(
    num_fewshot: int = 0, test: Rows = TEST_ROWS, train: Rows = TRAIN_ROWS, **options: Any
) -> tuple[Sample, ...]:
    """The samples of hand-made rows."""
    built = task(num_fewshot=num_fewshot, **options)
    return built.samples((test, train) if num_fewshot else (test,))


def requests(sample: Sample, **options: Any) -> list[LoglikelihoodRequest]:
    asked = task(**options).next_requests(sample, ())
    assert not any(isinstance(request, GenerateRequest) for request in asked)
    return [request for request in asked if isinstance(request, LoglikelihoodRequest)]


# -- prompts


@pytest.mark.parametrize(
    ("index", "context", "continuations"),
    [
        (0, "Question: Which of these melts in the sun?\nAnswer:", [" granite", " ice", " iron", " glass"]),
        (1, "Question: What do roots take up?\nAnswer:", [" light", " sound", " water"]),
        (2, "Question: Où pousse le thé ?\nAnswer:", [" à l’ombre", " 山", " جبل", " sea", " moon"]),
    ],
)
def test_prompt_is_lm_evals_byte_for_byte(index: int, context: str, continuations: list[str]) -> None:
    asked = requests(samples()[index])
    assert {request.context for request in asked} == {context}
    assert [request.continuation for request in asked] == continuations


def test_exemplars_come_before_the_question_with_their_answers() -> None:
    sample = samples(2, train=TRAIN_ROWS[:2])[0]
    first, second = sample.shots
    assert requests(sample, num_fewshot=2)[0].context == (
        f"{first.input} {first.target}\n\n{second.input} {second.target}\n\n"
        "Question: Which of these melts in the sun?\nAnswer:"
    )
    assert {(shot.input, shot.target) for shot in sample.shots} == {
        ("Question: What is 1 plus 1?\nAnswer:", "2"),
        ("Question: What is 2 plus 2?\nAnswer:", "4"),
    }


def test_chat_sends_turns_and_no_space_before_the_choice() -> None:
    options = {"num_fewshot": 1, "chat": True, "multiturn_shots": True, "system_instruction": "Be brief."}
    sample = samples(1, train=TRAIN_ROWS[:1])[0]
    first = requests(sample, **options)[0]
    assert first.context == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Question: What is 1 plus 1?\nAnswer:"),
        Message(role="assistant", content="2"),
        Message(role="user", content="Question: Which of these melts in the sun?\nAnswer:"),
    )
    assert first.continuation == "granite"


def test_a_sample_is_asked_once() -> None:
    assert task().next_requests(samples()[0], ((),)) == ()


# -- answers


def test_the_right_choice_is_found_whatever_the_labels() -> None:
    found = samples()
    assert [sample.gold for sample in found] == [1, 2, 4]
    assert [sample.target for sample in found] == ["ice", "water", "moon"]
    assert [sample.metadata["source_id"] for sample in found] == ["t1", "t2", "t3"]


def test_accuracy_is_raw_and_by_characters() -> None:
    """The first choice has the higher sum, the second the higher sum for its length."""
    from evalsuite.engines.scripted import loglikelihood

    sample = samples(test=(row("t", "?", ("ice", "a long choice"), "B"),))[0]
    outcome = task().score(sample, ((loglikelihood(" ice", -3.0), loglikelihood(" a long choice", -6.0)),))
    assert isinstance(outcome, Scored)
    assert {score.name: score.counts[0] for score in outcome.scores} == {
        "acc": 0.0,
        "acc_norm_char": 1.0,
        "acc_norm_byte": 1.0,
        "acc_norm_token": 1.0,
    }
    assert outcome.answer == "a long choice"


# -- the draw of exemplars


@pytest.mark.parametrize("num_fewshot", [1, 5, 8])
@pytest.mark.parametrize("seed", [1234, 7])
def test_exemplars_are_drawn_by_one_generator_row_after_row(num_fewshot: int, seed: int) -> None:
    draw = random.Random(seed)
    for sample in samples(num_fewshot, seed=seed):
        expected = [f"Question: {drawn['question']}\nAnswer:" for drawn in draw.sample(list(TRAIN_ROWS), num_fewshot)]
        assert [shot.input for shot in sample.shots] == expected


def test_more_exemplars_than_rows_are_refused() -> None:
    with pytest.raises(UsageError, match="--num_fewshot 9: arc_challenge has 8 exemplars"):
        samples(9)


# -- the real rows


@pytest.mark.data
@pytest.mark.parametrize(("name", "num_rows", "num_numeric"), [("arc_challenge", 1172, 22), ("arc_easy", 2376, 97)])
def test_the_mirror_holds_the_pinned_rows(mirror: Path, name: str, num_rows: int, num_numeric: int) -> None:
    (dataset,) = task(name).datasets
    rows, pin = load_rows(dataset, DataSource(mirror=mirror, hub=False))
    assert (pin.num_rows, pin.fingerprint) == (num_rows, dataset.fingerprint)
    assert sum(labels["label"][0] == "1" for labels in (row["choices"] for row in rows)) == num_numeric
    found = task(name).samples((rows,))
    for sample, source in zip(found, rows, strict=True):
        assert sample.gold is not None
        assert source["choices"]["label"][sample.gold] == source["answerKey"]
        assert sample.target == sample.choices[sample.gold]


@pytest.mark.data
@pytest.mark.parametrize("name", ARC)
def test_no_row_is_among_its_own_exemplars(mirror: Path, name: str) -> None:
    built = task(name, num_fewshot=25)
    splits = tuple(load_rows(dataset, DataSource(mirror=mirror, hub=False))[0] for dataset in built.datasets)
    for sample in built.samples(splits):
        assert sample.input not in {shot.input for shot in sample.shots}, sample.id


@pytest.mark.data
@pytest.mark.parametrize("limit_mode", ["stratified", "first"])
def test_the_draw_does_not_depend_on_the_limit(mirror: Path, limit_mode: Any) -> None:
    def shots_by_id(limit: float | None) -> dict[str, Any]:
        config = RunConfig(
            model="scripted",
            tasks=("arc_challenge",),
            num_fewshot=3,
            limit=limit,
            limit_mode=limit_mode,
            data_dir=str(mirror),
        )
        (entry,) = prepare(config).tasks
        return {sample.id: sample.shots for sample in entry.samples}

    every, some = shots_by_id(None), shots_by_id(20)
    assert len(some) == 20
    assert some.items() <= every.items()
