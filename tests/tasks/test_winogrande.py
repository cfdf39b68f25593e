"""Winogrande: the blank filled in before it is asked, the rest of the sentence scored after each of the two options."""

from __future__ import annotations

import random
from typing import Any

import pytest

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.engines.scripted import loglikelihood
from evalsuite.errors import UnknownName, UsageError
from evalsuite.plugins import family
from evalsuite.types import Flag, LoglikelihoodRequest, Message, Sample, Scored


def row(sentence: str, one: str, two: str, answer: str) -> dict[str, str]:
    """A row as the hub has it."""
    return {"sentence": sentence, "option1": one, "option2": two, "answer": answer}


ROWS: Rows = (
    row("Mila gave Otto the map because _ was lost.", "Mila", "Otto", "2"),
    row("The vase fell off the shelf since the _   was crooked_. ", "vase", "shelf", "1"),
    row("_ schläft, 因为 _ müde ist.", "Jörg", "小明", "2"),
)
TRAIN: Rows = (
    row("The soup was cold, so _   heated it. ", "Ann", "Bea", "1"),
    row('Carl thanked Dan, "_ has helped."', "Carl", "Dan", "2"),
    row("The _ is heavy.", "lead ", "wool", "1"),
)
SENTENCES = {
    "The soup": "The soup was cold, so Ann heated it.",
    "Carl tha": 'Carl thanked Dan, "Dan has helped."',
    "The lead": "The lead  is heavy.",
}


def task(**options: Any) -> Task:
    return family("winogrande").build("winogrande", TaskOptions(**options))


def samples(num_fewshot: int = 0, train: Rows = TRAIN, **options: Any) -> tuple[Sample, ...]:
    """The samples of hand-made rows."""
    return task(num_fewshot=num_fewshot, **options).samples((ROWS, train) if num_fewshot else (ROWS,))


def requests(sample: Sample, **options: Any) -> list[LoglikelihoodRequest]:
    asked = task(**options).next_requests(sample, ())
    return [request for request in asked if isinstance(request, LoglikelihoodRequest)]


# -- prompts


@pytest.mark.parametrize(
    ("index", "contexts", "rest"),
    [
        (
            0,
            ["Mila gave Otto the map because Mila", "Mila gave Otto the map because Otto"],
            " was lost.",
        ),
        (
            1,
            ["The vase fell off the shelf since the vase", "The vase fell off the shelf since the shelf"],
            " was crooked_.",
        ),
        (2, ["Jörg", "小明"], " schläft, 因为 _ müde ist."),
    ],
)
def test_contexts_differ_and_the_continuation_is_one(index: int, contexts: list[str], rest: str) -> None:
    """Only the first blank is filled; what follows it is stripped and stands after one space."""
    asked = requests(samples()[index])
    assert [request.context for request in asked] == contexts
    assert [request.continuation for request in asked] == [rest, rest]


@pytest.mark.parametrize("seed", range(6))
def test_exemplars_are_whole_right_sentences(seed: int) -> None:
    """With one space between the option and the stripped rest, whatever stood there."""
    sample = samples(2, seed=seed)[0]
    written = [SENTENCES[shot.input[:8]] for shot in sample.shots]
    assert len(set(written)) == 2
    asked = requests(sample, num_fewshot=2, seed=seed)
    for request, name in zip(asked, ("Mila", "Otto"), strict=True):
        assert request.context == f"{written[0]}\n\n{written[1]}\n\nMila gave Otto the map because {name}"
        assert request.continuation == " was lost."


def test_each_row_has_its_own_exemplars() -> None:
    """As lm-eval draws where a benchmark has no test split: one more than it keeps."""
    seen = set()
    for seed in range(8):
        generator = random.Random(seed)
        for sample in samples(2, seed=seed):
            expected = generator.sample(list(SENTENCES.values()), 3)[:2]
            assert [f"{shot.input} {shot.target}" for shot in sample.shots] == expected
            seen.add(expected[0])
    assert seen == set(SENTENCES.values())


@pytest.mark.parametrize("multiturn", [True, False])
def test_chat_asks_for_the_rest_without_a_space(multiturn: bool) -> None:
    options = {"num_fewshot": 1, "chat": True, "multiturn_shots": multiturn, "system_instruction": "Go on."}
    sample = samples(1, (TRAIN[1], TRAIN[1]))[0]
    asked = requests(sample, **options)
    for request, name in zip(asked, ("Mila", "Otto"), strict=True):
        start = f"Mila gave Otto the map because {name}"
        turns = (
            Message(role="user", content='Carl thanked Dan, "Dan'),
            Message(role="assistant", content='has helped."'),
            Message(role="user", content=start),
        )
        single = (Message(role="user", content=f'Carl thanked Dan, "Dan has helped."\n\n{start}'),)
        system = Message(role="system", content="Go on.")
        assert request.context == (system, *(turns if multiturn else single))
        assert request.continuation == "was lost."


def test_a_sample_is_asked_once() -> None:
    assert task().next_requests(samples()[0], ((),)) == ()


# -- answers


def test_answers_are_numbered_from_one() -> None:
    found = samples()
    assert [(sample.gold, sample.target) for sample in found] == [(1, "Otto"), (0, "vase"), (1, "小明")]
    assert [sample.id for sample in found] == [f"winogrande:validation:{index}" for index in range(3)]
    assert [sample.choices for sample in found] == [("Mila", "Otto"), ("vase", "shelf"), ("Jörg", "小明")]


@pytest.mark.parametrize(
    ("sums", "is_right", "answer", "flags"),
    [
        ((-5.0, -4.0), True, "Otto", ()),
        ((-4.0, -5.0), False, "Mila", ()),
        ((-4.0, -4.0), False, "Mila", (Flag.TIED,)),
    ],
)
def test_the_option_after_which_the_rest_is_likelier_wins(
    sums: tuple[float, float], is_right: bool, answer: str, flags: tuple[Flag, ...]
) -> None:
    outcome = task().score(samples()[0], (tuple(loglikelihood(" was lost.", value) for value in sums),))
    assert isinstance(outcome, Scored)
    assert [(score.name, score.counts) for score in outcome.scores] == [("acc", (float(is_right), 1.0))]
    assert (outcome.answer, outcome.flags) == (answer, flags)


# -- protocols


@pytest.mark.parametrize(
    ("protocol", "num_fewshot", "splits"),
    [
        ("lm-eval-0.4", 0, ["validation"]),
        ("openllm-v1", 5, ["validation", "train"]),
        ("openllm-fixed", 5, ["validation", "train"]),
    ],
)
def test_what_each_protocol_reads(protocol: str, num_fewshot: int, splits: list[str]) -> None:
    built = task(protocol=protocol)
    assert (built.protocol, built.num_fewshot) == (protocol, num_fewshot)
    assert [dataset.split for dataset in built.datasets] == splits
    assert all(dataset.config == "winogrande_xl" and dataset.fingerprint for dataset in built.datasets)
    assert built.is_sealed == (num_fewshot == 5)
    assert [dataset.split for dataset in task(num_fewshot=2).datasets] == ["validation", "train"]


def test_another_protocol_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'openllm-v1'\? winogrande has: lm-eval-0.4, openllm-v1"):
        task(protocol="openllm-1")


def test_more_exemplars_than_rows_are_refused() -> None:
    with pytest.raises(UsageError, match="--num_fewshot 4: winogrande has 3 exemplars"):
        samples(4)
