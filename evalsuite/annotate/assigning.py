"""What a rater is shown next: the pair with the fewest votes, at times one again, at times one with a known answer.

A pair that is shown is taken until it is answered; where nothing else is left, pairs are given out again that somebody
has left open for longer than the study allows.
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from evalsuite.canonical import canonical_json

from .ledger import Ledger, SavedRater, now, plain_name
from .pairs import drawn

REPEAT_AFTER = 5
"""A pair is shown again only after so many others."""
_GOLD_FIRST, _GOLD_EVERY = 3, 10
_PRIME = 2**31 - 1


@dataclass(frozen=True)
class Progress:
    """How far a rater is: answered (or skipped) and asked for in all, as far as can be known."""

    done: int
    total: int


@dataclass(frozen=True)
class _Want:
    """What a new assignment shows."""

    pair: int
    repeat_of: str | None = None
    left_is_a: bool = True


def next_assignment(ledger: Ledger, rater: SavedRater) -> str | None:
    """The assignment that `rater` has open, or a new one; None where nothing is left for them."""
    if is_open := _open(ledger, rater):
        return is_open
    if ledger.is_closed:
        return None
    with ledger.transaction() as write:
        return _open(ledger, rater) or _assign(write, ledger, rater, None)


def assign_many(write: sqlite3.Connection, ledger: Ledger, rater: SavedRater, packet: int, count: int) -> list[str]:
    """Up to `count` new assignments for a packet, within the transaction of `write`."""
    found: list[str] = []
    while len(found) < count and (assignment := _assign(write, ledger, rater, packet)):
        found.append(assignment)
    return found


def recount(write: sqlite3.Connection, pair: int) -> None:
    """Write anew how many have taken `pair`: who answered it, and who has it before them."""
    write.execute(
        "UPDATE pair SET taken = (SELECT count(*) FROM assignment WHERE pair = pair.id AND repeat_of IS NULL"
        " AND coalesce(choice, '') <> 'skip' AND (choice IS NOT NULL OR NOT is_released)) WHERE id = ?",
        (pair,),
    )


def progress(ledger: Ledger, rater: SavedRater) -> Progress:
    """What `rater` has done of what they will be asked, if nobody else takes it."""
    counts = _counts(ledger, rater)
    candidate = None if ledger.is_closed else _candidate(ledger, rater)
    first = counts["first"] + (candidate["num_left"] if candidate else 0)
    again = max(counts["again"], int(ledger.file.repeats * first))
    (gold,) = ledger.rows("SELECT count(*) FROM pair WHERE is_gold")
    total = first + again + max(counts["gold"], min(first, ledger.file.gold.each, gold[0]))
    return Progress(counts["done"], total if rater.cap is None else min(total, max(rater.cap, counts["given"])))


def _counts(ledger: Ledger, rater: SavedRater) -> sqlite3.Row:
    """What `rater` was given in all and has answered; and of it first showings, repeats and known answers."""
    (row,) = ledger.rows(
        "SELECT count(*) AS given, count(choice) AS done, count(repeat_of) AS again,"
        " count(*) FILTER (WHERE repeat_of IS NULL AND NOT is_gold) AS first,"
        " count(*) FILTER (WHERE is_gold) AS gold"
        " FROM assignment JOIN pair ON pair.id = pair WHERE rater = ?",
        (rater.id,),
    )
    return row


def _open(ledger: Ledger, rater: SavedRater) -> str | None:
    found = ledger.rows(
        "SELECT id FROM assignment WHERE rater = ? AND choice IS NULL AND packet IS NULL ORDER BY place LIMIT 1",
        (rater.id,),
    )
    return found[0]["id"] if found else None


# -- a new one


def _assign(write: sqlite3.Connection, ledger: Ledger, rater: SavedRater, packet: int | None) -> str | None:
    counts = _counts(ledger, rater)
    if rater.cap is not None and counts["given"] >= rater.cap:
        return None
    want = _wanted(write, ledger, rater, packet, counts)
    if want is None:
        return None
    name = secrets.token_urlsafe(12)
    write.execute(
        "INSERT INTO assignment (id, rater, pair, left_is_a, place, repeat_of, packet, shown_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, rater.id, want.pair, int(want.left_is_a), counts["given"], want.repeat_of, packet, now()),
    )
    recount(write, want.pair)
    return name


def _wanted(
    write: sqlite3.Connection, ledger: Ledger, rater: SavedRater, packet: int | None, counts: sqlite3.Row
) -> _Want | None:
    study = ledger.file
    gold_after = _GOLD_FIRST + drawn(study.seed, "gold", rater.name) % _GOLD_FIRST + _GOLD_EVERY * counts["gold"]
    has_gold = counts["gold"] < study.gold.each
    if has_gold and counts["first"] >= gold_after and (want := _gold(ledger, rater)):
        return want
    if int(study.repeats * counts["first"]) > counts["again"] and (want := _repeat(ledger, rater, packet)):
        return want
    if want := _least_taken(ledger, rater):
        return want
    if _release(write, ledger, rater) and (want := _least_taken(ledger, rater)):
        return want
    return _gold(ledger, rater) if has_gold and counts["first"] else None


_CANDIDATE = (
    "SELECT pair.id, count(*) OVER () AS num_left FROM pair JOIN item ON item.id = item"
    " WHERE NOT is_gold AND taken < :overlap AND translator <> :name"
    " AND language IN (SELECT value FROM json_each(:languages))"
    " AND system_a NOT IN (SELECT value FROM json_each(:not_systems))"
    " AND system_b NOT IN (SELECT value FROM json_each(:not_systems))"
    " AND pair.id NOT IN (SELECT pair FROM assignment WHERE rater = :rater)"
    " ORDER BY taken, (place * :stride) % :prime LIMIT 1"
)
"""Raters meet pairs that are taken equally often in orders of their own."""

_GOLD = (
    "SELECT pair.id FROM pair JOIN item ON item.id = item"
    " WHERE is_gold AND translator <> :name AND language IN (SELECT value FROM json_each(:languages))"
    " AND system_a NOT IN (SELECT value FROM json_each(:not_systems))"
    " AND pair.id NOT IN (SELECT pair FROM assignment WHERE rater = :rater)"
    " ORDER BY (place * :stride) % :prime LIMIT 1"
)


def _values(ledger: Ledger, rater: SavedRater) -> dict[str, object]:
    stride = drawn(ledger.file.seed, "stride", rater.name) | 1
    return {
        "rater": rater.id,
        "name": plain_name(rater.name),
        "languages": canonical_json(rater.languages),
        "not_systems": canonical_json(rater.not_systems),
        "overlap": ledger.file.overlap,
        "stride": stride,
        "prime": _PRIME,
    }


def _candidate(ledger: Ledger, rater: SavedRater) -> sqlite3.Row | None:
    """The least taken pair that `rater` may be shown, with the number of such pairs."""
    return next(iter(ledger.rows(_CANDIDATE, _values(ledger, rater))), None)


def _least_taken(ledger: Ledger, rater: SavedRater) -> _Want | None:
    found = _candidate(ledger, rater)
    return _Want(found["id"], left_is_a=_next_side(ledger, found["id"])) if found else None


def _next_side(ledger: Ledger, pair: int) -> bool:
    """The side that fewer have voted on, or have before them; where they are as many, drawn."""
    (row,) = ledger.rows(
        "SELECT sum(left_is_a) AS on_left, count(*) AS given FROM assignment"
        " WHERE pair = ? AND repeat_of IS NULL AND coalesce(choice, '') <> 'skip'",
        (pair,),
    )
    excess = 2 * (row["on_left"] or 0) - row["given"]
    return excess < 0 or (excess == 0 and drawn(ledger.file.seed, "side", pair, row["given"]) % 2 == 0)


def _gold(ledger: Ledger, rater: SavedRater) -> _Want | None:
    found = ledger.rows(_GOLD, _values(ledger, rater))
    if not found:
        return None
    count = _counts(ledger, rater)["gold"]
    return _Want(found[0]["id"], left_is_a=(drawn(ledger.file.seed, "gold side", rater.name) + count) % 2 == 0)


def _repeat(ledger: Ledger, rater: SavedRater, packet: int | None) -> _Want | None:
    """One that the rater answered a while ago and was not asked about again, with its sides exchanged.

    In a packet nothing is answered yet: there it is one that stands a while before.
    """
    found = ledger.rows(
        "SELECT id, pair, left_is_a FROM assignment AS first WHERE rater = :rater AND repeat_of IS NULL"
        " AND (choice IS NOT NULL OR packet IS NOT NULL) AND coalesce(choice, '') <> 'skip' AND packet IS :packet"
        " AND place <= (SELECT max(place) FROM assignment WHERE rater = :rater) - :after"
        " AND NOT EXISTS (SELECT 1 FROM assignment WHERE repeat_of = first.id)"
        " AND NOT (SELECT is_gold FROM pair WHERE pair.id = first.pair) ORDER BY id LIMIT 1",
        {"rater": rater.id, "packet": packet, "after": REPEAT_AFTER},
    )
    if not found:
        return None
    return _Want(found[0]["pair"], found[0]["id"], left_is_a=not found[0]["left_is_a"])


def _release(write: sqlite3.Connection, ledger: Ledger, rater: SavedRater) -> bool:
    """Give out again what others have left open for too long; whether there was any. They may still answer it."""
    since = datetime.now(UTC) - timedelta(hours=ledger.file.release_hours)
    stale = ledger.rows(
        "SELECT id, pair FROM assignment WHERE choice IS NULL AND packet IS NULL AND NOT is_released"
        " AND rater <> ? AND shown_at < ?",
        (rater.id, since.isoformat(timespec="milliseconds")),
    )
    for row in stale:
        write.execute("UPDATE assignment SET is_released = 1 WHERE id = ?", (row["id"],))
        recount(write, row["pair"])
    return bool(stale)
