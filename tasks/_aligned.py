"""What the choice tasks share whose items are the same in several languages.

An item has one name in all its languages, so that languages can be compared item by item. It is its samples' cluster,
unless it shares a passage with others. Limits take the same items everywhere, as far as each language has them.
Exemplars are in the target language, and the same items in every language that has them: those whose names have the
smallest hashes, which no library's generator can change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from evalsuite.contracts import TaskOptions
from evalsuite.errors import UsageError
from evalsuite.metrics import right
from evalsuite.text.answers import answer_choice
from evalsuite.types import ITEM, Flag, GenerateRequest, Replies, Request, Sample, Scored, Shot

from ._answers import FIDELITY, answer_flags, completions, fidelity_of
from ._choices import ACCURACY, choice_requests, gold_choice
from ._prompts import build_prompt
from ._words import WORDS, plain_question

LETTERS = ("A", "B", "C", "D", "E")
Form = Literal["texts", "letters", "answered"]
"""Whether the choices' texts are scored after the question, their letters after the question and all choices, or the
letter is read in what the model writes after these: the way for servers that give no log-likelihoods.
"""

MAX_TOKENS = 16
MAX_CHAT_TOKENS = 1024
"""A base model begins with the letter; a chat model may reason first."""


@dataclass(frozen=True)
class Asking:
    """How the questions of a task are asked: in which form, in the words of which language."""

    form: Form
    language: str
    is_chat: bool
    num_fewshot: int


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
    name: str, split: str, language: str, asking: Asking, questions: Sequence[Question], pool: Sequence[Question]
) -> tuple[Sample, ...]:
    """The samples of `questions`, each with exemplars out of `pool`. Raises UsageError when there are too few."""
    if asking.num_fewshot > len(pool):
        raise UsageError(f"--num_fewshot {asking.num_fewshot}: {name} has {len(pool)} exemplars.")
    ranked = sorted(pool, key=lambda question: hashlib.sha256(question.item.encode()).digest())
    shots = {group: _shots(ranked, group, asking) for group in {question.group for question in questions}}
    return tuple(
        Sample(
            id=f"{name}:{split}:{index}",
            input=_asked(question, asking),
            language=language,
            target=question.choices[question.gold],
            choices=question.choices if asking.form == "texts" else LETTERS[: len(question.choices)],
            gold=question.gold,
            shots=shots[question.group],
            category=question.group,
            cluster=question.cluster or question.item,
            metadata={ITEM: question.item},
        )
        for index, question in enumerate(questions)
    )


def _shots(ranked: Sequence[Question], group: str, asking: Asking) -> tuple[Shot, ...]:
    """Exemplars of the group first, then others: a translation lacks some of a small set."""
    first = sorted(ranked, key=lambda question: question.group != group)[: asking.num_fewshot]
    return tuple(
        Shot(
            input=_asked(question, asking),
            target=question.choices[question.gold] if asking.form == "texts" else LETTERS[question.gold],
        )
        for question in first
    )


def _asked(question: Question, asking: Asking) -> str:
    words = WORDS[asking.language]
    text = f"{question.context}\n{question.text}" if question.context else question.text
    if asking.form == "texts":
        return plain_question(text, asking.language)
    lettered = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, question.choices, strict=False)]
    if asking.form == "answered" and asking.is_chat:
        return words.only_letter.format(text="\n".join([text, *lettered]))
    return "\n".join([text, *lettered, words.answer])


def aligned_requests(options: TaskOptions, asking: Asking) -> Callable[[Sample, Replies], tuple[Request, ...]]:
    """What is asked of a sample: every choice after its question, or an answer to it."""
    return partial(_ask_answer if asking.form == "answered" else _ask_choices, options, asking)


def _ask_choices(options: TaskOptions, asking: Asking, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    delimiter = WORDS[asking.language].delimiter
    prompt = build_prompt(sample.input, sample.shots, options, delimiter=delimiter)
    return choice_requests(prompt, sample.choices, "" if options.chat else delimiter)


def _ask_answer(options: TaskOptions, asking: Asking, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    prompt = build_prompt(sample.input, sample.shots, options, delimiter=WORDS[asking.language].delimiter)
    if options.chat:
        return (GenerateRequest(prompt=prompt, max_tokens=MAX_CHAT_TOKENS),)
    return (GenerateRequest(prompt=prompt, max_tokens=MAX_TOKENS, stop=("\n",)),)


ANSWERED_METRICS = (ACCURACY, *FIDELITY)


def score_answered(sample: Sample, replies: Replies) -> Scored:
    """Whether the letter that the answer names is the right one; an answer that names none, or two, is wrong."""
    answers = completions(replies)
    pick = answer_choice(answers[0].text, sample.language, len(sample.choices))
    fidelity = fidelity_of(answers, sample.language)
    return Scored(
        scores=(right(ACCURACY.name, pick == gold_choice(sample)), *fidelity.scores),
        answer="" if pick is None else sample.choices[pick],
        flags=(*((Flag.UNPARSED,) if pick is None else ()), *answer_flags(answers, fidelity)),
    )
