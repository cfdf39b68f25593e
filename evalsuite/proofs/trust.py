"""How far a row of a leaderboard was checked, in three levels: self-reported, re-scored, re-run. Pure.

A level says what was checked, never that a model was run: see docs/proofs.md.
"""

from __future__ import annotations

import enum

from evalsuite.proofs.agreement import Agreement
from evalsuite.proofs.verifying import Verification
from evalsuite.types import Record

_MOST_REASONS = 4


class TrustLevel(enum.StrEnum):
    """What was done to check a row, the least first.

    `self-reported`: numbers that were not, or could not be, made again from answers. `re-scored`: the very numbers
    follow from the stored answers by the tasks' own code. `re-run`: besides, an independent second run agrees.
    """

    SELF_REPORTED = "self-reported"
    RE_SCORED = "re-scored"
    RE_RUN = "re-run"


class Trust(Record, frozen=True, kw_only=True):
    """A row's level, and in words why it is not the next higher one; with the second run, where there is one."""

    level: TrustLevel
    reasons: tuple[str, ...] = ()
    agreement: Agreement | None = None


def numbers_alone(source: str) -> Trust:
    """The trust in numbers that came without answers, from `source`: a table, a paper, another tool's file."""
    return Trust(level=TrustLevel.SELF_REPORTED, reasons=(f"numbers of {source}, without answers",))


def trust_of(found: Verification, agreement: Agreement | None = None) -> Trust:
    """The trust in a run that was verified, and perhaps run again."""
    if not found.is_equal:
        reason = f"{len(found.findings)} places differ from what is stored, the first in {found.findings[0].file}"
        return Trust(level=TrustLevel.SELF_REPORTED, reasons=(reason,))
    if found.level != "re-scored":
        why = [f"{task.task}: {task.why[0]}" for task in found.tasks if task.level != "re-scored" and task.why]
        more = [f"and {len(why) - _MOST_REASONS} tasks more"] if len(why) > _MOST_REASONS else []
        return Trust(level=TrustLevel.SELF_REPORTED, reasons=(*why[:_MOST_REASONS], *more))
    if agreement is None:
        return Trust(level=TrustLevel.RE_SCORED, reasons=("no second run was given",))
    if not agreement.is_repetition:
        return Trust(level=TrustLevel.RE_SCORED, reasons=agreement.reasons, agreement=agreement)
    return Trust(level=TrustLevel.RE_RUN, agreement=agreement)
