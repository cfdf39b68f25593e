"""What the tasks share whose answers are numbers: how they are asked, which number a text says, whether it is right."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from evalsuite.contracts import TaskOptions
from evalsuite.metrics import accuracy, right
from evalsuite.text.answers import answer_expression, answer_number
from evalsuite.text.expressions import equal_expressions
from evalsuite.text.numbers import Number
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Flag, GenerateRequest, Replies, Request, Sample, Scored

from ._answers import FIDELITY, answer_flags, completions, fidelity_of
from ._prompts import build_prompt
from ._words import WORDS

EXACT_MATCH = accuracy("exact_match")
"""The share of answers whose number is the target; guessing scores nothing."""

METRICS = (EXACT_MATCH, *FIDELITY)


def number_requests(
    options: TaskOptions, language: str, max_tokens: int
) -> Callable[[Sample, Replies], tuple[Request, ...]]:
    """What is asked of a sample: one answer, which in plain text ends where the next question would begin.

    `language` is that of the words around the text.
    """
    return partial(_ask, options, language, max_tokens)


def _ask(options: TaskOptions, language: str, max_tokens: int, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    words = WORDS[language]
    prompt = build_prompt(sample.input, sample.shots, options, delimiter=words.delimiter)
    stop = () if options.chat else ("\n\n", words.question.strip())
    return (GenerateRequest(prompt=prompt, max_tokens=max_tokens, stop=stop),)


def score_number(sample: Sample, replies: Replies) -> Scored:
    """Whether the number of the last answer is the sample's target, and the language of all of them.

    Answers are whole numbers: of one that can be read in two ways (``1,234`` in French) the whole one is meant. Where
    that does not tell either, it is wrong and flagged, since choosing the reading that fits would score a guess.
    """
    answers = completions(replies)
    text = answers[-1].text
    shown, is_right = _judged(text, sample.language, sample.target)
    fidelity = fidelity_of(answers, sample.language)
    flags = () if is_right is not None else (Flag.UNPARSED,)
    return Scored(
        scores=(right(EXACT_MATCH.name, bool(is_right)), *fidelity.scores),
        answer=shown,
        flags=(*flags, *answer_flags(answers, fidelity)),
    )


def _judged(text: str, language: str, target: str) -> tuple[str, bool | None]:
    """What the text answers, and whether that is `target`; None when nothing, or nothing certain, can be read."""
    number = answer_number(text, language)
    if number is not None:
        value = _whole(number)
        if value is None:
            return text[number.start : number.end], None
        return f"{value.normalize():f}", value == Decimal(target)
    expression = answer_expression(without_thinking(text))
    if expression is None or not any(char.isdigit() for char in expression):
        return "", None
    is_right = equal_expressions(expression, target)
    return target if is_right else expression, is_right


def _whole(number: Number) -> Decimal | None:
    """The value of a number, the whole one of two readings; None where neither is whole.

    Where both are (``70.000``) the mark groups thousands: nobody writes three noughts behind a whole number.
    """
    if number.other is None:
        return number.value
    whole = [value for value in (number.value, number.other) if value == value.to_integral_value()]
    return max(whole, key=abs) if whole else None
