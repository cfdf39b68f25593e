"""How far a row of a leaderboard was checked, in three levels: self-reported, re-scored, re-run. Pure.

A level says what was checked, never that a model was run: see docs/proofs.md.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from evalsuite.proofs.agreement import Agreement
from evalsuite.proofs.verifying import TaskVerification, Verification
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
    """A row's level, and in words what was not checked; with the second run, where there is one."""

    level: TrustLevel
    reasons: tuple[str, ...] = ()
    agreement: Agreement | None = None


def trust_of(found: Verification, agreement: Agreement | None = None) -> Trust:
    """The trust in a run that was verified, and perhaps run again."""
    if not found.is_equal:
        reason = f"{len(found.findings)} places differ from what is stored, the first in {found.findings[0].file}"
        return Trust(level=TrustLevel.SELF_REPORTED, reasons=(reason,))
    if found.level != "re-scored":
        lower = [task for task in found.tasks if task.level != "re-scored"]
        return Trust(level=TrustLevel.SELF_REPORTED, reasons=_reasons(lower))
    if agreement is None:
        return Trust(level=TrustLevel.RE_SCORED, reasons=(*_reasons(found.tasks), "no second run was given"))
    if not agreement.is_repetition:
        reasons = (*_reasons(found.tasks), *agreement.reasons)
        return Trust(level=TrustLevel.RE_SCORED, reasons=reasons, agreement=agreement)
    return Trust(level=TrustLevel.RE_RUN, reasons=_reasons(found.tasks), agreement=agreement)


def _reasons(tasks: Sequence[TaskVerification]) -> tuple[str, ...]:
    """What could not be checked of `tasks`, of a few by name."""
    why = [f"{task.task}: {task.why[0]}" for task in tasks if task.why]
    more = [f"and {len(why) - _MOST_REASONS} tasks more"] if len(why) > _MOST_REASONS else []
    return (*why[:_MOST_REASONS], *more)
