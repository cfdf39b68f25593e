"""MMLU: four-choice questions in 57 subjects, from abstract algebra to world religions.

Paper: Hendrycks et al. 2021, "Measuring Massive Multitask Language Understanding" (arXiv 2009.03300).
Data: ``cais/mmlu`` at the pinned revision; MIT. Scored: test (14,042 rows); exemplars: the first of dev, in order.
All protocols score the letters after a space; five exemplars on the leaderboard. ``openllm-v1`` reports the mean over
subjects (macro), ``lm-eval-0.4`` the mean over questions (micro); both are always given, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.errors import UsageError
from evalsuite.types import Encoding, Replies, Request, Sample, Shot

from . import _protocols
from ._choices import ACCURACY, choice_requests, score_accuracy
from ._mmlu_data import FINGERPRINTS
from ._prompts import lm_eval_prompt
from ._protocols import Protocol

LEADERBOARD_SHOTS = 5
LETTERS = ("A", "B", "C", "D")
SUBJECTS = tuple(FINGERPRINTS)
_LICENCE = "MIT"
_REVISION = "c30699e8356da336a370243923dbaf21066bb9fe"


def dataset(subject: str, split: str) -> Dataset:
    """The rows of a subject's test, validation or dev split."""
    return Dataset("cais/mmlu", subject, split, _REVISION, FINGERPRINTS[subject][split])


def build(name: str, options: TaskOptions) -> Task:
    """The task of one subject, ``mmlu_<subject>``. Raises UnknownName for another protocol."""
    protocol = _protocols.choose(name, options)
    subject = name.removeprefix("mmlu_")
    num_fewshot = _protocols.num_shots(name, protocol, options, LEADERBOARD_SHOTS)
    splits = ("test", "dev") if num_fewshot else ("test",)
    return Task(
        name=name,
        family="mmlu",
        version=1,
        language="en",
        protocol=protocol.id,
        num_fewshot=num_fewshot,
        kind="multiple_choice",
        datasets=tuple(dataset(subject, split) for split in splits),
        samples=partial(_samples, name, protocol, num_fewshot, options.seed),
        next_requests=partial(_next_requests, options, protocol.encoding, _description(subject)),
        score=score_accuracy,
        metrics=(ACCURACY,),
        title=_title(subject),
        source="Hendrycks et al. 2021, arXiv 2009.03300",
        licence=_LICENCE,
        means=protocol.means,
        is_sealed=protocol.is_sealed,
    )


def _samples(
    name: str, protocol: Protocol, num_fewshot: int, seed: int, splits: tuple[Rows, ...]
) -> tuple[Sample, ...]:
    test = splits[0]
    dev = splits[1] if num_fewshot else ()
    if num_fewshot > len(dev):
        raise UsageError(f"--num_fewshot {num_fewshot}: {name} has {len(dev)} exemplars.")
    shots = tuple(Shot(input=_question(row), target=LETTERS[row["answer"]]) for row in dev[:num_fewshot])
    order = _protocols.evaluation_order(protocol, seed, len(test))
    return tuple(_sample(f"{name}:test:{index}", test[index], shots) for index in order)


def _sample(sample_id: str, row: Mapping[str, Any], shots: tuple[Shot, ...]) -> Sample:
    return Sample(
        id=sample_id,
        input=_question(row),
        language="en",
        target=LETTERS[row["answer"]],
        choices=LETTERS,
        gold=row["answer"],
        shots=shots,
    )


def _question(row: Mapping[str, Any]) -> str:
    lettered = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, row["choices"], strict=True)]
    return "\n".join([row["question"].strip(), *lettered, "Answer:"])


def _description(subject: str) -> str:
    words = subject.replace("_", " ")
    return f"The following are multiple choice questions (with answers) about {words}.\n\n"


def _next_requests(
    options: TaskOptions, encoding: Encoding, description: str, sample: Sample, replies: Replies
) -> tuple[Request, ...]:
    if replies:
        return ()
    prompt = lm_eval_prompt(sample.input, sample.shots, options, description=description)
    return choice_requests(prompt, sample.choices, "" if options.chat else " ", encoding)


def _title(subject: str) -> str:
    return f"MMLU, {subject.replace('_', ' ')}"


mmlu = Family(
    "mmlu",
    tuple(
        TaskInfo(f"mmlu_{subject}", "mmlu", "en", "multiple_choice", _title(subject), _LICENCE) for subject in SUBJECTS
    ),
    build,
    _protocols.IDS,
)
