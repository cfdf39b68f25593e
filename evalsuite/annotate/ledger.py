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
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.errors import CorruptStore, SaveFailed, UsageError
from evalsuite.store.files import sync_directory
from evalsuite.types import Record

from .study_file import Rater, StudyFile, check_rater

FILE_NAME = "study.sqlite"
STUDY_VERSION = 1
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
        self._is_read_only = not os.access(path, os.W_OK)
        with reading_errors(path), self._alone():
            self._connection = connect(file, is_read_only=self._is_read_only)
            found = {row["key"]: row["value"] for row in self.rows("SELECT key, value FROM study")}
            version = int(found.get("version", -1))
            if version != STUDY_VERSION:
                raise CorruptStore(f"{file}: a study of version {version}; this evalsuite reads {STUDY_VERSION}.")
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
        if self._is_read_only:  # on such a disk nobody writes
            yield
            return
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
        with reading_errors(path.parent), closing(sqlite3.connect(path)) as copy:
            (found,) = copy.execute("PRAGMA integrity_check").fetchone()
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
            if plain_name(rater.name) == plain_name(name):
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
        if any(plain_name(known.name) == plain_name(rater.name) for known in self.raters()):
            raise UsageError(f"there is a rater {rater.name!r} already.")
        token = new_token()
        with self.transaction() as write:
            insert_rater(write, rater, self.file, token)
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


def insert_rater(connection: sqlite3.Connection, rater: Rater, study: StudyFile, link: str) -> None:
    """Write a rater whose link this is."""
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


def connect(file: Path, *, is_read_only: bool = False) -> sqlite3.Connection:
    """A connection whose transactions are ours to begin and on disk when they end, or one that only reads."""
    address = f"{file.resolve().as_uri()}{'?mode=ro&immutable=1' if is_read_only else ''}"
    connection = sqlite3.connect(
        address, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )
    connection.row_factory = sqlite3.Row
    for setting in () if is_read_only else ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {setting}")
    for setting in ("foreign_keys=ON", "trusted_schema=OFF"):
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
