"""The study on disk: one SQLite file, in which an acknowledged vote survives a pulled plug.

Every change is one transaction, on disk before it returns (``synchronous=FULL``). Whoever writes, this process or
another, first takes a lock of our own, `_LOCK`: write-ahead logs of SQLite before 3.51.3 can lose a commit when two
connections write and begin the log anew at the same moment, and here no two ever do.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import sqlite3
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import IO

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.errors import CorruptStore, SaveFailed, UsageError
from evalsuite.store.files import sync_directory
from evalsuite.types import Record

from .pairs import Pair, drawn
from .study_file import Rater, StudyFile, check_rater

FILE_NAME = "study.sqlite"
_VERSION = 1
_LOCK = "writing.lock"
_WAIT_SECONDS = 10.0
_FAULTS_OF_THE_DISK = frozenset({
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
_NUM_BITS_BYTES = 16
"""Links, sessions and packets are 128 random bits."""


class SavedRater(Record, frozen=True, kw_only=True):
    """A rater as the study knows them; `cap` is None where nothing bounds what they are asked."""

    id: int
    name: str
    languages: tuple[str, ...]
    interface: str
    cap: int | None
    not_systems: tuple[str, ...]
    has_agreed: bool


class Ledger:
    """One connection to a study. Not to be shared between threads."""

    def __init__(self, path: Path) -> None:
        """Open the study in the folder `path`. Raises UsageError where there is none, CorruptStore for another's."""
        self.path = path
        file = path / FILE_NAME
        if not file.is_file():
            raise UsageError(f"{path} holds no study; `evalsuite annotate new STUDY.yaml` makes one.")
        with reading_errors(path), self._alone():
            self._connection = connect(file)
            found = {row["key"]: row["value"] for row in self.rows("SELECT key, value FROM study")}
            version = int(found.get("version", -1))
            if version != _VERSION:
                raise CorruptStore(f"{file}: a study of version {version}; this evalsuite reads {_VERSION}.")
            self.file = msgspec.json.decode(found["file"], type=StudyFile)
            self.secret = bytes.fromhex(found["secret"])

    def close(self) -> None:
        """Let go of the file."""
        with self._alone():  # the last connection empties the log
            self._connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A change that is on disk when it ends, or not made at all. Raises SaveFailed."""
        try:
            with self._alone():
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:  # a full disk rolls back by itself
                        self._connection.execute("ROLLBACK")
                    raise
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _FAULTS_OF_THE_DISK:
                raise
            raise SaveFailed(f"cannot write {self.path / FILE_NAME}: {error}.") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes meanwhile. Raises SaveFailed where somebody does for too long."""
        with (self.path / _LOCK).open("a") as file:
            deadline = time.monotonic() + _WAIT_SECONDS
            while not _is_locked(file):
                if time.monotonic() > deadline:
                    raise SaveFailed(f"{self.path} is locked: another process writes to it all the time.")
                time.sleep(0.002)
            yield

    def rows(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[sqlite3.Row]:
        """What `statement` selects."""
        return self._connection.execute(statement, values).fetchall()

    # -- the study's state

    @property
    def is_closed(self) -> bool:
        """Whether votes are no longer taken."""
        return bool(self.rows("SELECT 1 FROM study WHERE key = 'closed_at'"))

    def back_up(self, path: Path) -> None:
        """Write a whole copy to the new file `path`, also while votes come in. Raises SaveFailed, CorruptStore."""
        if path.exists():
            raise UsageError(f"{path} exists; a copy never overwrites.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection.execute("VACUUM INTO ?", (str(path),))
            sync_directory(path.parent)
        except (OSError, sqlite3.OperationalError) as error:
            raise SaveFailed(f"cannot write {path}: {error}.") from error
        with reading_errors(path.parent):
            (found,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            raise CorruptStore(f"{path}: the copy is damaged, and so may the study be: {found}.")

    def close_study(self) -> None:
        """Take no more votes."""
        with self.transaction() as write:
            write.execute("INSERT OR IGNORE INTO study VALUES ('closed_at', ?)", (now(),))

    def reopen_study(self) -> None:
        """Take votes again."""
        with self.transaction() as write:
            write.execute("DELETE FROM study WHERE key = 'closed_at'")

    # -- raters

    def raters(self) -> list[SavedRater]:
        """Everybody, in the order of the study's file."""
        return [_rater(row) for row in self.rows("SELECT * FROM rater ORDER BY id")]

    def rater_named(self, name: str) -> SavedRater:
        """The rater of that name, in any case. Raises UsageError."""
        for rater in self.raters():
            if rater.name.casefold() == name.casefold().strip():
                return rater
        raise UsageError(f"there is no rater {name!r}; there are {', '.join(rater.name for rater in self.raters())}.")

    def rater_by_link(self, token: str) -> SavedRater | None:
        """Whose link `token` is."""
        found = self.rows("SELECT * FROM rater WHERE link_hash = ?", (hash_of(token),))
        return _rater(found[0]) if found else None

    def rater_by_session(self, token: str) -> SavedRater | None:
        """Whose session `token` is."""
        found = self.rows(
            "SELECT * FROM rater WHERE id = (SELECT rater FROM session WHERE hash = ?)", (hash_of(token),)
        )
        return _rater(found[0]) if found else None

    def begin_session(self, rater: SavedRater) -> str:
        """A new session's token; whoever begins agrees to take part."""
        token = new_token()
        with self.transaction() as write:
            write.execute("INSERT INTO session VALUES (?, ?, ?)", (hash_of(token), rater.id, now()))
            write.execute("UPDATE rater SET agreed_at = coalesce(agreed_at, ?) WHERE id = ?", (now(), rater.id))
        return token

    def add_rater(self, rater: Rater) -> str:
        """A new rater's link. Raises UsageError for one who cannot be asked."""
        check_rater(rater, self.file)
        if any(known.name.casefold() == rater.name.strip().casefold() for known in self.raters()):
            raise UsageError(f"there is a rater {rater.name!r} already.")
        token = new_token()
        with self.transaction() as write:
            _add_rater(write, rater, self.file, token)
        return token

    def renew_link(self, rater: SavedRater, interface: str | None = None) -> str:
        """Another link in place of the one before, which ends with all its sessions; perhaps other pages behind it."""
        asked = Rater(name=rater.name, languages=rater.languages, interface=interface or rater.interface)
        check_rater(asked, self.file)
        token = new_token()
        with self.transaction() as write:
            write.execute("UPDATE rater SET interface = ? WHERE id = ?", (asked.interface, rater.id))
            write.execute("UPDATE rater SET link_hash = ? WHERE id = ?", (hash_of(token), rater.id))
            write.execute("DELETE FROM session WHERE rater = ?", (rater.id,))
        return token


def _rater(row: sqlite3.Row) -> SavedRater:
    return SavedRater(
        id=row["id"],
        name=row["name"],
        languages=tuple(json.loads(row["languages"])),
        interface=row["interface"],
        cap=row["cap"],
        not_systems=tuple(json.loads(row["not_systems"])),
        has_agreed=row["agreed_at"] is not None,
    )


# -- a new study


def create(path: Path, study: StudyFile, pairs: Sequence[Pair]) -> dict[str, str]:
    """Make the study in the new folder `path` and give every rater's link, which is kept nowhere.

    Raises UsageError where `path` holds a study already, SaveFailed where it cannot be written.
    """
    file = path / FILE_NAME
    if file.exists():
        raise UsageError(f"{path} holds a study already; a study is never overwritten.")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path / f".{FILE_NAME}.{secrets.token_hex(4)}"
        links = {rater.name: new_token() for rater in study.raters}
        connection = connect(unfinished)
        try:
            _fill(connection, study, pairs, links)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nothing may stay beside the file that is renamed
        finally:
            connection.close()
        os.link(unfinished, file)  # unlike a rename this never replaces a study that somebody made meanwhile
        unfinished.unlink()
        sync_directory(path)
    except FileExistsError as error:
        raise UsageError(f"{path} holds a study already; a study is never overwritten.") from error
    except (OSError, sqlite3.OperationalError) as error:
        raise SaveFailed(f"cannot make a study in {path}: {error}.") from error
    return links


def _fill(connection: sqlite3.Connection, study: StudyFile, pairs: Sequence[Pair], links: dict[str, str]) -> None:
    connection.executescript(resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8"))
    connection.execute("BEGIN IMMEDIATE")
    entries = {
        "version": str(_VERSION),
        "file": canonical_json(study),
        "secret": secrets.token_hex(32),
        "made_at": now(),
    }
    connection.executemany("INSERT INTO study VALUES (?, ?)", entries.items())
    items: dict[str, int] = {}
    for pair in pairs:
        key = f"gold {pair.item.id}" if pair.is_gold else pair.item.id
        if key not in items:
            items[key] = _add_item(connection, key, pair)
        connection.execute(
            "INSERT INTO pair (item, system_a, system_b, answer_a, answer_b, is_gold, place)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                items[key],
                pair.system_a,
                pair.system_b,
                canonical_json(pair.answer_a),
                canonical_json(pair.answer_b),
                int(pair.is_gold),
                drawn(study.seed, "place", pair.item.id, pair.system_a, pair.system_b),
            ),
        )
    for rater in study.raters:
        _add_rater(connection, rater, study, links[rater.name])
    connection.execute("COMMIT")


def _add_item(connection: sqlite3.Connection, key: str, pair: Pair) -> int:
    item = pair.item
    found = connection.execute(
        "INSERT INTO item (name, prompt_group, language, turns, category, translator) VALUES (?, ?, ?, ?, ?, ?)",
        (key, item.group, item.language, canonical_json(item.turns), item.category, plain_name(item.translator)),
    )
    assert found.lastrowid is not None
    return found.lastrowid


def _add_rater(connection: sqlite3.Connection, rater: Rater, study: StudyFile, link: str) -> None:
    connection.execute(
        "INSERT INTO rater (name, languages, interface, cap, not_systems, link_hash) VALUES (?, ?, ?, ?, ?, ?)",
        (
            rater.name.strip(),
            canonical_json(rater.languages),
            rater.shown_in,
            rater.cap or study.cap,
            canonical_json(rater.not_systems),
            hash_of(link),
        ),
    )


# -- helpers


def connect(file: Path) -> sqlite3.Connection:
    """A connection whose transactions are ours to begin and on disk when they end."""
    connection = sqlite3.connect(file, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {setting}")
    return connection


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Raises CorruptStore for a file that SQLite cannot read."""
    try:
        yield
    except (sqlite3.DatabaseError, KeyError, ValueError, msgspec.MsgspecError) as error:
        raise CorruptStore(f"{path / FILE_NAME} is not a study that can be read: {error}.") from error


def texts(stored: str) -> tuple[str, ...]:
    """A list of texts as it is stored."""
    return tuple(json.loads(stored))


def _is_locked(file: IO[str]) -> bool:
    """Whether `file` is locked now, until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def plain_name(name: str) -> str:
    """A name as it is compared with others."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def new_token() -> str:
    """128 random bits for an address."""
    return secrets.token_urlsafe(_NUM_BITS_BYTES)


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def now() -> str:
    """The time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
