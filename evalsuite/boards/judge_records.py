"""What a leaderboard holds of judges: their cards, how each judged, where one is not admissible."""

from __future__ import annotations

from typing import Literal

from evalsuite.boards.cells import Cell, Rate
from evalsuite.judge_cards import CardMeasure
from evalsuite.preference.prediction_powered import Admission
from evalsuite.types import Record


class JudgedRun(Record, frozen=True, kw_only=True):
    """How the judging of one run went: cases whose reply holds no verdict, of those asked about.

    `num_missing` cases could not be asked about, for want of an answer or of a reply.
    """

    run: int
    unparsed: Rate
    num_missing: int


class SelfPreference(Record, frozen=True, kw_only=True):
    """By how much more a judge gives the answers of its own name, in `run`, than `other_judge` gives the same ones.

    Of ratings less what it gives the answers of `others` more, so that a generous judge is not taken for a vain one;
    of preferences against the only other. `value` is in the judge's units, over `n` cases that both have judged.
    """

    run: int
    other_judge: str
    others: tuple[str, ...]
    value: float
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    scale: float


class Judging(Record, frozen=True, kw_only=True):
    """One judge's work on one task: the runs that may stand in one table.

    `model` is who judges, `setup` a hash of what that is, `rival` the other run's model where two are compared. `card`
    is the place in `Board.cards` of the judge's card in the task's language, `people` what its agreement with people
    says there. `length_slope` is what of the judge's scale goes with double the answer's length, runs and questions
    alike: longer answers may also be better, so that it is no bias by itself.
    """

    task: int
    protocol: str
    version: str
    data: str
    judge: str
    model: str
    setup: str
    rival: str
    runs: tuple[JudgedRun, ...]
    card: int | None
    people: Admission | None
    length_slope: Cell | None
    self_preferences: tuple[SelfPreference, ...]


class BoardCard(Record, frozen=True, kw_only=True):
    """A judge card: whether `model` is admissible under `judge` in `language`, and every figure with its limit."""

    judge: str
    protocol: str
    model: str
    language: str
    num_cases: int
    is_admissible: bool
    measures: tuple[CardMeasure, ...]


class Unfit(Record, frozen=True, kw_only=True):
    """A language in which a run's judge is not admissible, by its judge card or by how it agrees with people."""

    language: str
    source: Literal["card", "people"]
