"""People's votes as our own collection keeps and exports them: one record for every revision of every answer.

A vote says what was seen (an answer on the left, one on the right) and what was chosen. Raters never see the systems
that the export names.
"""

from __future__ import annotations

import enum

from evalsuite.types import Record
from evalsuite.verdicts import Winner

VOTES_VERSION = 1
"""Version of the exported file; a reader refuses a newer one."""


class Choice(enum.StrEnum):
    """What a rater may say of two answers."""

    LEFT = "left"
    RIGHT = "right"
    TIE_GOOD = "tie_good"
    TIE_BAD = "tie_bad"
    SKIP = "skip"

    @property
    def mirrored(self) -> Choice:
        """The same choice with the answers on each other's side."""
        return {Choice.LEFT: Choice.RIGHT, Choice.RIGHT: Choice.LEFT}.get(self, self)

    @property
    def winner(self) -> Winner | None:
        """The choice as a comparison of the left answer (A) with the right one; None for a skip."""
        return {
            Choice.LEFT: Winner.A,
            Choice.RIGHT: Winner.B,
            Choice.TIE_GOOD: Winner.TIE,
            Choice.TIE_BAD: Winner.BOTH_BAD,
        }.get(self)


class Scale(Record, frozen=True, kw_only=True):
    """A named scale of quality: its levels from the worst to the best, and the lowest one that is acceptable."""

    name: str
    levels: tuple[str, ...]
    acceptable: str


ACCEPTABILITY = Scale(
    name="acceptability-4",
    levels=("unusable", "flawed", "acceptable", "good"),
    acceptable="acceptable",
)
"""Four levels in the manner of BLOOMChat's study of answers' quality; the wording is ours."""


class Form(Record, frozen=True, kw_only=True):
    """What an answer looks like: its length in graphemes, and how much Markdown it has."""

    num_graphemes: int
    num_headers: int = 0
    num_bold: int = 0
    num_list_items: int = 0
    num_code_blocks: int = 0


class Vote(Record, frozen=True, kw_only=True):
    """One revision of what one rater said of one pair of answers.

    Within an `assignment` the highest `revision` counts, unless it is `withdrawn`; all are kept. `repeat_of` is the
    assignment that this one shows again with the sides exchanged. Of a pair with a known answer (`is_gold`),
    `expected` is what an attentive rater chooses. `place` counts what the rater was given, from 0. Times are UTC in
    ISO 8601; `seconds` is how long the page was looked at, where the browser said so. `layout` is `columns` or
    `stacked`, the left answer above the right one.
    """

    study: str
    assignment: str
    revision: int
    item: str
    group: str
    language: str
    system_left: str
    system_right: str
    choice: Choice
    rater: str
    shown_at: str
    cast_at: str
    place: int = 0
    category: str = ""
    withdrawn: bool = False
    quality_left: str = ""
    quality_right: str = ""
    reason: str = ""
    repeat_of: str = ""
    is_gold: bool = False
    expected: Choice | None = None
    seconds: float | None = None
    seen_left: bool | None = None
    seen_right: bool | None = None
    layout: str = ""
    ui_language: str = ""
    form_left: Form | None = None
    form_right: Form | None = None


class VoteHeader(Record, frozen=True, kw_only=True):
    """First line of an exported file. `sha256` is of all bytes after this line."""

    evalsuite_votes: int
    study: str
    exported_at: str
    num_votes: int
    scale: Scale | None
    sha256: str


class QualityRating(Record, frozen=True, kw_only=True):
    """One rater's level for one answer, on a named scale."""

    item: str
    group: str
    language: str
    system: str
    rater: str
    level: str
