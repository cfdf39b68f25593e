"""Offline packets: one file a rater that needs no network, and the file of answers that comes back."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
from markupsafe import Markup

from evalsuite.errors import DataError, NothingSelected, UsageError
from evalsuite.store.files import write_atomic
from evalsuite.types import Record
from evalsuite.votes import Choice

from .assigning import assign_many, recount
from .ledger import Ledger, SavedRater, hash_of, new_token, now
from .pages import page
from .showing import Shown, level_words, shown
from .voting import Cast, ballot_of, cast, is_complete, told_time

MAX_BYTES = 16 * 2**20
_VERSION = 1


class PacketAnswer(msgspec.Struct, frozen=True):
    """One answer as a packet saves it; what a later packet may add is not read."""

    assignment: str
    choice: str
    cast_at: str
    number: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    quality_left: str = ""
    quality_right: str = ""
    reason: str = ""
    seconds: str = ""
    seen_left: str = ""
    seen_right: str = ""
    layout: str = ""


class PacketFile(msgspec.Struct, frozen=True):
    """The file of answers that a packet saves."""

    evalsuite_packet: int
    packet: str
    answers: tuple[PacketAnswer, ...]


class Packet(Record, frozen=True, kw_only=True):
    """A packet that was written."""

    rater: str
    path: str
    num_pairs: int


class PacketImport(Record, frozen=True, kw_only=True):
    """What became of a file of answers: `saved` are new, `known` were there, the rest is left out, by cause."""

    rater: str
    saved: int
    known: int
    left_out: Mapping[str, int]


def write_packet(ledger: Ledger, rater: SavedRater, folder: Path, count: int) -> Packet:
    """A packet of up to `count` pairs for `rater`, who gets them nowhere else.

    Raises NothingSelected where no pair is left for them, UsageError for a closed study, SaveFailed.
    """
    if ledger.is_closed:
        raise UsageError("the study is closed; `evalsuite annotate reopen` takes votes again.")
    key = new_token()
    path = folder / f"packet-{_slug(rater)}-{hash_of(key)[:6]}.html"
    with ledger.transaction() as write:
        row = write.execute(
            "INSERT INTO packet (rater, key_hash, made_at) VALUES (?, ?, ?)", (rater.id, hash_of(key), now())
        )
        assert row.lastrowid is not None
        packet: int = row.lastrowid
        given = assign_many(write, ledger, rater, packet, count)
        if not given:
            raise NothingSelected(f"nothing is left to compare for {rater.name}.")
    try:
        write_atomic(path, _html(ledger, rater, key, given).encode("utf-8"))
    except BaseException:
        _forget(ledger, packet)
        raise
    return Packet(rater=rater.name, path=str(path), num_pairs=len(given))


def _forget(ledger: Ledger, packet: int) -> None:
    """Nobody has seen the packet: its pairs were never given out."""
    with ledger.transaction() as write:
        pairs = [row["pair"] for row in ledger.rows("SELECT pair FROM assignment WHERE packet = ?", (packet,))]
        write.execute("DELETE FROM assignment WHERE packet = ? AND repeat_of IS NOT NULL", (packet,))
        write.execute("DELETE FROM assignment WHERE packet = ?", (packet,))
        write.execute("DELETE FROM packet WHERE id = ?", (packet,))
        for pair in pairs:
            recount(write, pair)


def withdraw_packets(ledger: Ledger, rater: SavedRater) -> int:
    """Show what `rater` has not answered of packets online again, and in time to others; how many.

    A packet that comes back all the same is taken. Raises SaveFailed.
    """
    with ledger.transaction() as write:
        found = write.execute(
            "UPDATE assignment SET packet = NULL WHERE rater = ? AND packet IS NOT NULL AND choice IS NULL", (rater.id,)
        )
    return found.rowcount


def _slug(rater: SavedRater) -> str:
    return f"{rater.id:03d}-{re.sub(r'[^A-Za-z0-9]+', '-', rater.name).strip('-').lower() or 'rater'}"[:48]


def _html(ledger: Ledger, rater: SavedRater, key: str, given: list[str]) -> str:
    pairs: list[Shown] = [pair for name in given if (pair := shown(ledger, rater, name))]
    style, script = _inline()
    public = hash_of(f"packet {key}")[:12]
    return page(
        "packet",
        rater.interface,
        ledger,
        pairs=pairs,
        levels=list(level_words(ledger, rater.interface).items()),
        packet=key,
        store=f"packet-{public}",
        file=f"answers-{public}.json",
        style=Markup(style),  # noqa: S704  our own files
        script=Markup(script),  # noqa: S704
        style_hash=_source_hash(style),
        script_hash=_source_hash(script),
    )


@cache
def _inline() -> tuple[str, str]:
    static = resources.files(__package__).joinpath("static")
    style = static.joinpath("annotate.css").read_text(encoding="utf-8")
    script = "".join(static.joinpath(name).read_text(encoding="utf-8") for name in ("ballot.js", "packet.js"))
    return style, script


def _source_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


# -- what comes back


def import_answers(ledger: Ledger, path: Path) -> PacketImport:
    """Add the answers of a packet's file. The same file twice adds nothing; a later one of the same packet revises.

    Raises DataError for a file that is none of this study's packets, UsageError for a closed study, SaveFailed.
    """
    found = _read(path)
    rows = ledger.rows("SELECT id, rater FROM packet WHERE key_hash = ?", (hash_of(found.packet),))
    if not rows:
        raise DataError(f"{path} is from no packet of this study.")
    if ledger.is_closed:
        raise UsageError("the study is closed; `evalsuite annotate reopen` takes votes again.")
    (rater,) = (rater for rater in ledger.raters() if rater.id == rows[0]["rater"])
    became: Counter[str] = Counter(_add(ledger, rater, answer) for answer in found.answers)
    saved, known = became.pop("saved", 0), became.pop("known", 0)
    return PacketImport(rater=rater.name, saved=saved, known=known, left_out=dict(became))


def _read(path: Path) -> PacketFile:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"{path} is larger than {MAX_BYTES} bytes; no packet saves so much.")
    try:
        value: Any = json.loads(content)
        version = value.get("evalsuite_packet") if isinstance(value, dict) else None
        if version != _VERSION:
            raise DataError(f"{path} is no file of a packet's answers (version {_VERSION}).")
        return msgspec.convert(value, PacketFile)
    except (ValueError, RecursionError) as error:  # msgspec's complaints are ValueErrors too
        raise DataError(f"{path} is no file of a packet's answers: {str(error)[:200]}.") from error


def _add(ledger: Ledger, rater: SavedRater, answer: PacketAnswer) -> str:
    """What became of one answer, for counting.

    A packet numbers the changes of each answer, so that no clock says which came last.
    """
    if answer.choice not in list(Choice):
        return "incomplete"
    told = {name: str(getattr(answer, name)) for name in PacketAnswer.__struct_fields__}
    ballot = ballot_of(Choice(answer.choice), told, rater.interface, told_time(answer.cast_at))
    if not ballot.cast_at or not is_complete(ballot, ledger.file.scale):
        return "incomplete"
    became = cast(ledger, rater, answer.assignment, answer.number, ballot, may_skip=True)
    return _OUTCOMES[became]


_OUTCOMES = {
    Cast.SAVED: "saved",
    Cast.KNOWN: "known",
    Cast.CONFLICT: "changed since, or elsewhere",
    Cast.NOT_FOUND: "not of this packet",
    Cast.CLOSED: "closed",
}
