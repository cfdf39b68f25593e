"""The judge card's probes: which answer each question gets, what it is compared with, and how a judge sees it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from evalsuite.contracts import Answered, Judge
from evalsuite.types import Sample

from ._attacks import ATTACKS, attack_text
from ._card_texts import Asked, card_texts, padded
from ._conversations import LANGUAGES

PROTOCOL = "card-v1"
DECENT = "decent"
PADDINGS = (2, 4)
"""How many times as long padded answers are, at least."""

_TURN = re.compile(r"turn(\d)")
"""In a case's suffix, the turn that is judged by itself."""

Baseline: TypeAlias = Literal["weak", "decent"]
BASELINES: tuple[Baseline, ...] = ("weak", "decent")


@dataclass(frozen=True)
class Shape:
    """What a judge needs of a sample: the family it judges, and what samples of that family carry."""

    family: str = "judge_card"
    languages: tuple[str, ...] = LANGUAGES
    category: str = ""
    subcategory: str = ""
    has_reference: bool = False
    has_two_turns: bool = False


_SHAPES: Mapping[str, Shape] = {
    "mt_bench": Shape("mt_bench", ("en",), category="writing", has_two_turns=True),
    "alignbench": Shape("alignbench", ("zh",), category="综合问答", subcategory="寻求建议", has_reference=True),
    "belle": Shape("belle", ("zh",), category="open qa"),
}
"""The shapes of samples that the official judges need; every other judge takes plain questions."""


@dataclass(frozen=True)
class Probe:
    """An answer, one text a turn, to the question number `row`, and which answer to that question it is held against.

    `name` is ``decent``, ``attack.<kind>.<name>``, ``null.<name>`` or ``padded.<times>``.
    """

    name: str
    row: int
    texts: tuple[str, ...]
    against: Baseline = "weak"


@dataclass(frozen=True)
class Place:
    """Where a case belongs, as its id says: ``judge_card_<language>:<probe>:<row>/<what the judge's rubric adds>``."""

    probe: str
    row: int
    suffix: str

    @property
    def against(self) -> Place:
        """The case whose answer this one's is held against, where a judge rates each by itself."""
        return Place("decent" if self.probe.startswith("padded.") else "weak", self.row, self.suffix)


def place_of(case: Sample) -> Place:
    """The place of a case of the card."""
    probe, _, tail = case.id.partition(":")[2].rpartition(":")
    row, _, suffix = tail.partition("/")
    return Place(probe, int(row), suffix)


def shape_of(judge: Judge) -> Shape:
    """The shape of the samples that `judge` needs."""
    return next((_SHAPES[family] for family in judge.families if family in _SHAPES), Shape())


def all_probes(shape: Shape, language: str, verdicts: tuple[str, str]) -> Iterator[Probe]:
    """Every probe in one language; attacks aim at `verdicts`, for the answer shown first and for the second.

    Each attack meets one question, and attacks of one kind meet different ones; all others meet every question.
    """
    texts = card_texts(language)
    repeat = 2 if shape.has_two_turns else 1
    rows = range(len(texts.questions))
    for row in rows:
        yield Probe(DECENT, row, baseline(shape, language, "decent", row))
    for number, attack in enumerate(ATTACKS):
        text = attack_text(attack, language, verdicts)
        yield Probe(attack.probe, number % len(rows), (text,) * repeat)
    for name, text in texts.nulls.items():
        for row in rows:
            yield Probe(f"null.{name}", row, (text,) * repeat)
    for times in PADDINGS:
        for row in rows:
            yield Probe(f"padded.{times}", row, padded_answer(shape, language, times, row), "decent")


def baseline(shape: Shape, language: str, name: Baseline, row: int) -> tuple[str, ...]:
    """The weak or the decent answer to a question."""
    asked = card_texts(language).questions[row]
    first, second = (asked.weak, asked.short_weak) if name == "weak" else (asked.decent, asked.short_decent)
    return (first, second) if shape.has_two_turns else (first,)


def padded_answer(shape: Shape, language: str, times: int, row: int) -> tuple[str, ...]:
    """The decent answer with sentences added that say nothing."""
    return tuple(padded(text, language, times) for text in baseline(shape, language, "decent", row))


def num_doublings(shape: Shape, language: str, place: Place) -> float:
    """How many times the padded answer of a place doubles the decent one's length in characters.

    Of two turns that are judged apart, each has its own.
    """
    times = int(place.probe.rpartition(".")[2])
    longer, plain = padded_answer(shape, language, times, place.row), baseline(shape, language, "decent", place.row)
    turn = _TURN.search(place.suffix)
    judged = slice(int(turn[1]) - 1, int(turn[1])) if turn else slice(None)
    return math.log2(sum(map(len, longer[judged])) / sum(map(len, plain[judged])))


def answering(shape: Shape, language: str, model: str) -> Callable[[str, int, tuple[str, ...]], Answered]:
    """How `model` answered the question number `row` with `texts`, under a probe's name."""

    def answered(probe: str, row: int, texts: tuple[str, ...]) -> Answered:
        sample = _sample(shape, language, probe, row)
        return Answered(model, shape.family, f"judge_card_{language}", PROTOCOL, sample, texts)

    return answered


def _sample(shape: Shape, language: str, probe: str, row: int) -> Sample:
    texts = card_texts(language)
    asked: Asked = texts.questions[row]
    return Sample(
        id=f"judge_card_{language}:{probe}:{row}",
        input=asked.question,
        language=language,
        target=asked.decent if shape.has_reference else "",
        turns=(asked.question, texts.follow_up) if shape.has_two_turns else (),
        category=shape.category,
        cluster=f"judge_card:{row}",
        metadata={"question_id": str(row + 1), "subcategory": shape.subcategory},
    )
