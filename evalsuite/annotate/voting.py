"""A rater's answer to an assignment: checked, added, on disk before it is acknowledged; the same one twice is one."""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from evalsuite.votes import Choice, Scale

from .assigning import recount
from .ledger import Ledger, SavedRater, now

MAX_REASON = 2_000
MAX_SECONDS = 24 * 3600.0
LAYOUTS = ("columns", "stacked")
_FLAGS = {"1": True, "0": False}


@dataclass(frozen=True)
class Ballot:
    """What a rater sends: a choice and levels of quality, and what the browser saw. `is_withdrawn` takes one back."""

    choice: Choice
    quality_left: str = ""
    quality_right: str = ""
    reason: str = ""
    is_withdrawn: bool = False
    seconds: float | None = None
    seen_left: bool | None = None
    seen_right: bool | None = None
    layout: str = ""
    ui_language: str = ""
    cast_at: str = ""

    def says_as(self, row: sqlite3.Row) -> bool:
        """Whether the stored revision `row` says the same."""
        told = (self.choice, self.quality_left, self.quality_right, self.reason, int(self.is_withdrawn))
        return told == tuple(row[key] for key in ("choice", "quality_left", "quality_right", "reason", "withdrawn"))


class Cast(enum.StrEnum):
    """What became of a ballot."""

    SAVED = "saved"
    KNOWN = "known"
    CONFLICT = "conflict"
    CLOSED = "closed"
    NOT_FOUND = "not_found"


def is_complete(ballot: Ballot, scale: Scale | None) -> bool:
    """Whether all that is asked is answered, with levels that the scale has."""
    levels = (ballot.quality_left, ballot.quality_right)
    if ballot.choice is Choice.SKIP or scale is None:
        return levels == ("", "")
    return all(level in scale.levels for level in levels)


def cast(
    ledger: Ledger, rater: SavedRater, assignment: str, revision: int, ballot: Ballot, *, may_skip: bool = False
) -> Cast:
    """Add `ballot` as the given revision of an assignment of `rater`.

    The last revision that is there is acknowledged again where it says the same; what says otherwise, or was changed
    since, is a conflict. With `may_skip` numbers between are left out: a packet counts changes that never left it.
    Raises SaveFailed.
    """
    with ledger.transaction() as write:
        found = ledger.rows("SELECT pair FROM assignment WHERE id = ? AND rater = ?", (assignment, rater.id))
        if not found:
            return Cast.NOT_FOUND
        saved = ledger.rows("SELECT * FROM vote WHERE assignment = ? ORDER BY revision", (assignment,))
        last = saved[-1]["revision"] if saved else 0
        if saved and revision == last and ballot.says_as(saved[-1]):
            return Cast.KNOWN
        if revision <= last or (revision > last + 1 and not may_skip):
            return Cast.CONFLICT
        if ledger.is_closed:
            return Cast.CLOSED
        _add(write, assignment, revision, ballot)
        write.execute(
            "UPDATE assignment SET choice = ? WHERE id = ?",
            (None if ballot.is_withdrawn else ballot.choice, assignment),
        )
        recount(write, found[0]["pair"])
    return Cast.SAVED


def _add(write: sqlite3.Connection, assignment: str, revision: int, ballot: Ballot) -> None:
    write.execute(
        "INSERT INTO vote (assignment, revision, withdrawn, choice, quality_left, quality_right, reason, seconds,"
        " seen_left, seen_right, layout, ui_language, cast_at, received_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            assignment,
            revision,
            int(ballot.is_withdrawn),
            ballot.choice,
            ballot.quality_left,
            ballot.quality_right,
            ballot.reason,
            ballot.seconds,
            ballot.seen_left,
            ballot.seen_right,
            ballot.layout,
            ballot.ui_language,
            ballot.cast_at or now(),
            now(),
        ),
    )


def last_cast(ledger: Ledger, rater: SavedRater) -> tuple[str, int] | None:
    """The assignment that `rater` answered last and has not taken back, with its next revision."""
    found = ledger.rows(
        "SELECT vote.assignment, max(vote.id), max(revision) + 1 FROM vote"
        " JOIN assignment ON assignment.id = assignment"
        " WHERE rater = ? AND assignment.choice IS NOT NULL AND packet IS NULL"
        " GROUP BY vote.assignment ORDER BY 2 DESC LIMIT 1",
        (rater.id,),
    )
    return (found[0][0], found[0][2]) if found else None


def ballot_of(choice: Choice, told: Mapping[str, str], ui_language: str, cast_at: str = "") -> Ballot:
    """A ballot from what a browser told under the names of a ballot's fields; what no browser would tell is unknown."""
    is_skip = choice is Choice.SKIP
    return Ballot(
        choice=choice,
        quality_left="" if is_skip else told.get("quality_left", ""),
        quality_right="" if is_skip else told.get("quality_right", ""),
        reason=told.get("reason", "").strip()[:MAX_REASON],
        seconds=_told_seconds(told.get("seconds", "")),
        seen_left=_FLAGS.get(told.get("seen_left", "")),
        seen_right=_FLAGS.get(told.get("seen_right", "")),
        layout=told.get("layout", "") if told.get("layout") in LAYOUTS else "",
        ui_language=ui_language,
        cast_at=cast_at,
    )


def _told_seconds(text: str) -> float | None:
    """How long a page was looked at, as a browser tells it; None for what no browser would."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0.0 <= seconds <= MAX_SECONDS else None


def told_time(text: str) -> str:
    """A time as a browser tells it, in our spelling; empty for what is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError):
        return ""
