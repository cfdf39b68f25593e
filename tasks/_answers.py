"""What the tasks share that read generated text: flags about an answer, and its language.

Thinking that an answer begins with is no part of what is judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.metrics import share
from evalsuite.text.code_switching import in_language
from evalsuite.text.languages import is_language
from evalsuite.text.refusals import is_refusal
from evalsuite.text.repetition import is_repetitive
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion, Flag, Replies, Score

LANGUAGE_FIDELITY = share("language_fidelity")
"""Share of answers written in the asked language, among those whose language can be told; an empty one is in none."""

SENTENCE_FIDELITY = share("sentence_fidelity")
"""Share of sentences in the asked language, among those whose language can be told: what code-switching lowers."""

FIDELITY = (LANGUAGE_FIDELITY, SENTENCE_FIDELITY)
"""What `Fidelity` gives a sample; a part of every task that generates text."""


def completions(replies: Replies) -> list[Completion]:
    """The generated texts of a sample, turn by turn."""
    return [reply for wave in replies for reply in wave if isinstance(reply, Completion)]


@dataclass(frozen=True)
class Fidelity:
    """How far a sample's answers keep to the asked language.

    Of every answer whether it is in it (None when that cannot be told; an empty one is not), and of its sentences how
    many are and how many can be told.
    """

    verdicts: tuple[bool | None, ...]
    sentences: tuple[tuple[int, int], ...]
    num_empty: int = 0

    @property
    def scores(self) -> tuple[Score, Score]:
        """Counts for `FIDELITY`: answers that are in the language and that are judged, then sentences."""
        judged = len(self.verdicts) - self.verdicts.count(None)
        asked, told = (sum(counts) for counts in zip(*self.sentences, strict=True))
        return (
            Score(name=LANGUAGE_FIDELITY.name, counts=(float(self.verdicts.count(True)), float(judged))),
            Score(name=SENTENCE_FIDELITY.name, counts=(float(asked), float(told))),
        )

    @property
    def flags(self) -> tuple[Flag, ...]:
        """Whether an answer is in another language, and whether one changes between the asked one and another."""
        found = {
            Flag.WRONG_LANGUAGE: self.verdicts.count(False) > self.num_empty,
            Flag.CODE_SWITCHED: any(0 < asked < told for asked, told in self.sentences),
        }
        return tuple(flag for flag, holds in found.items() if holds)


def fidelity_of(answers: Sequence[Completion], language: str) -> Fidelity:
    """What is said of the language of `answers`, at least one; thinking before an answer is no part of it."""
    texts = [without_thinking(answer.text) for answer in answers]
    return Fidelity(
        verdicts=tuple(is_language(text, language) if text.strip() else False for text in texts),
        sentences=tuple(in_language(text, language) for text in texts),
        num_empty=sum(not text.strip() for text in texts),
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


def answer_flags(answers: Sequence[Completion], fidelity: Fidelity) -> tuple[Flag, ...]:
    """`completion_flags`, and those of the answers' language."""
    return (*completion_flags(answers), *fidelity.flags)
