"""What the choice tasks share whose items are the same in several languages.

An item has one name in all its languages, so that languages can be compared item by item. It is its samples' cluster,
unless it shares a passage with others. Limits take the same items everywhere, as far as each language has them.
Exemplars are in the target language, and the same items in every language that has them: those whose names have the
smallest hashes, which no library's generator can change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.contracts import TaskOptions
from evalsuite.errors import UsageError
from evalsuite.types import ITEM, Replies, Request, Sample, Shot

from ._choices import choice_requests
from ._prompts import build_prompt
from ._words import WORDS, plain_question

LETTERS = ("A", "B", "C", "D", "E")
Form = Literal["texts", "letters"]
"""Whether the choices' texts are scored after the question, or their letters after the question and all choices."""


@dataclass(frozen=True)
class Question:
    """An item in one language.

    `group` is what exemplars should share with it, a subject; `cluster` what it shares with other items, a passage.
    """

    item: str
    text: str
    choices: tuple[str, ...]
    gold: int
    group: str = ""
    context: str = ""
    cluster: str = ""


def aligned_samples(
    name: str,
    split: str,
    language: str,
    prompt_language: str,
    form: Form,
    questions: Sequence[Question],
    pool: Sequence[Question],
    num_fewshot: int,
) -> tuple[Sample, ...]:
    """The samples of `questions`, each with exemplars out of `pool`. Raises UsageError when there are too few."""
    if num_fewshot > len(pool):
        raise UsageError(f"--num_fewshot {num_fewshot}: {name} has {len(pool)} exemplars.")
    ranked = sorted(pool, key=lambda question: hashlib.sha256(question.item.encode()).digest())
    groups = {question.group for question in questions}
    shots = {group: _shots(ranked, group, num_fewshot, prompt_language, form) for group in groups}
    return tuple(
        Sample(
            id=f"{name}:{split}:{index}",
            input=_asked(question, prompt_language, form),
            language=language,
            target=question.choices[question.gold],
            choices=question.choices if form == "texts" else LETTERS[: len(question.choices)],
            gold=question.gold,
            shots=shots[question.group],
            category=question.group,
            cluster=question.cluster or question.item,
            metadata={ITEM: question.item},
        )
        for index, question in enumerate(questions)
    )


def _shots(
    ranked: Sequence[Question], group: str, num_fewshot: int, prompt_language: str, form: Form
) -> tuple[Shot, ...]:
    """Exemplars of the group first, then others: a translation lacks some of a small set."""
    first = sorted(ranked, key=lambda question: question.group != group)[:num_fewshot]
    return tuple(
        Shot(
            input=_asked(question, prompt_language, form),
            target=question.choices[question.gold] if form == "texts" else LETTERS[question.gold],
        )
        for question in first
    )


def _asked(question: Question, language: str, form: Form) -> str:
    text = f"{question.context}\n{question.text}" if question.context else question.text
    if form == "texts":
        return plain_question(text, language)
    lettered = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, question.choices, strict=False)]
    return "\n".join([text, *lettered, WORDS[language].answer])


def ask_aligned(options: TaskOptions, language: str, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    """Every choice after the sample's question, parted as `language` writes."""
    if replies:
        return ()
    delimiter = WORDS[language].delimiter
    prompt = build_prompt(sample.input, sample.shots, options, delimiter=delimiter)
    return choice_requests(prompt, sample.choices, "" if options.chat else delimiter)
