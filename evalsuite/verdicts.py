"""What a judge's text parses to, and the comparison that a judge's verdict and a human vote both become."""

from __future__ import annotations

import enum
from typing import TypeAlias

from evalsuite.types import Record


class Winner(enum.StrEnum):
    """Which of two answers is better. `BOTH_BAD` is a tie between answers of which neither will do."""

    A = "a"
    B = "b"
    TIE = "tie"
    BOTH_BAD = "both_bad"

    @property
    def swapped(self) -> Winner:
        """The same preference, seen with the two answers exchanged."""
        return {Winner.A: Winner.B, Winner.B: Winner.A}.get(self, self)


class Rated(Record, frozen=True, kw_only=True, tag="rated"):
    """A number inside the judge's own scale. `parts` are the ratings of its dimensions, where it gives such."""

    value: float
    parts: tuple[tuple[str, float], ...] = ()


class Preferred(Record, frozen=True, kw_only=True, tag="preferred"):
    """A preference between the answer shown first (`Winner.A`) and the one shown second."""

    winner: Winner


Verdict: TypeAlias = Rated | Preferred


class Unparsed(Record, frozen=True, kw_only=True, tag="unparsed"):
    """The judge's text holds no verdict, or one outside its scale; never a number."""

    reason: str


class Comparison(Record, frozen=True, kw_only=True):
    """One rater's preference between two systems' answers to one item.

    `group` is the prompt behind the item in whatever language, `rater` a judge's name or an annotator's id,
    `shown_first` the system whose answer stood first (empty when both orders were judged and agree). `preference` is
    how much of the comparison A gets, from 0 to 1, where it is graded. `tells_ties` says whether the rater could have
    called both answers bad; where not, `Winner.TIE` is a tie of either kind.
    """

    item: str
    group: str
    language: str
    system_a: str
    system_b: str
    winner: Winner
    rater: str
    shown_first: str = ""
    preference: float | None = None
    tells_ties: bool = False

    @property
    def share_a(self) -> float:
        """What A gets: all, nothing or half, unless the preference is graded."""
        if self.preference is not None:
            return self.preference
        return {Winner.A: 1.0, Winner.B: 0.0}.get(self.winner, 0.5)
