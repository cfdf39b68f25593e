"""What the tasks share whose answers are numbers: which number a text says, and whether it is the right one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from evalsuite.text.expressions import equal_expressions

from evalsuite.metrics import accuracy, right
from evalsuite.text.answers import answer_expression, answer_number
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion, Flag, Sample, Scored

from ._answers import FIDELITY, answer_flags, fidelity_of

EXACT_MATCH = accuracy("exact_match")
"""The share of answers whose number is the target; guessing scores nothing."""

METRICS = (EXACT_MATCH, *FIDELITY)


def score_number(sample: Sample, answers: Sequence[Completion]) -> Scored:
    """Whether the number of the last answer is the sample's target, and the language of all of them.

    A number that can be read in two ways (``1,234`` in French) is wrong and flagged, since choosing the reading that
    fits would score a guess.
    """
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
    if number is not None and number.is_ambiguous:
        return text[number.start : number.end], None
    if number is not None:
        return f"{number.value.normalize():f}", number.value == Decimal(target)
    expression = answer_expression(without_thinking(text))
    if expression is None:
        return "", None
    return expression, equal_expressions(expression, target)
