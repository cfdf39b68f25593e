"""What the tasks share that read generated text: flags about an answer, and its language.

Thinking that an answer begins with is no part of what is judged here.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.metrics import share
from evalsuite.text.languages import is_language
from evalsuite.text.refusals import is_refusal
from evalsuite.text.repetition import is_repetitive
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion, Flag, Replies, Score

LANGUAGE_FIDELITY = share("language_fidelity")
"""Share of answers written in the asked language, among those whose language can be told; an empty one is in none."""


def completions(replies: Replies) -> list[Completion]:
    """The generated texts of a sample, turn by turn."""
    return [reply for wave in replies for reply in wave if isinstance(reply, Completion)]


def language_score(answers: Sequence[Completion], language: str) -> Score:
    """Counts for `LANGUAGE_FIDELITY`: answers in `language`, answers whose language can be told."""
    texts = [without_thinking(answer.text) for answer in answers]
    verdicts = [is_language(text, language) if text.strip() else False for text in texts]
    return Score(
        name=LANGUAGE_FIDELITY.name,
        counts=(float(verdicts.count(True)), float(len(verdicts) - verdicts.count(None))),
    )


def completion_flags(answers: Sequence[Completion]) -> tuple[Flag, ...]:
    """The facts about a sample's answers that every generation task counts."""
    texts = [without_thinking(answer.text) for answer in answers]
    reasons = [answer.stop_reason for answer in answers]
    found = {
        Flag.CAPPED: "length" in reasons,
        Flag.EMPTY: not all(text.strip() for text in texts),
        Flag.REFUSED: "refusal" in reasons or any(map(is_refusal, texts)),
        Flag.REPETITIVE: any(map(is_repetitive, texts)),
    }
    return tuple(flag for flag, holds in found.items() if holds)


def answer_flags(answers: Sequence[Completion], fidelity: Score) -> tuple[Flag, ...]:
    """`completion_flags`, and whether an answer is in another language than the asked one."""
    in_language, judged = fidelity.counts
    wrong = (Flag.WRONG_LANGUAGE,) if in_language < judged else ()
    return (*completion_flags(answers), *wrong)
