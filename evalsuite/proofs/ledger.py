"""The ledger of a published leaderboard: an append-only file in which no entry can be changed without being seen.

A line is framed as a journal's (see `store.frames`) and holds the hash of the entry before it. A correction is a new
entry with its reason, never an edit. Clock and machine stand nowhere: git says when.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import msgspec

from evalsuite.alarms import RedFlag
from evalsuite.canonical import content_hash
from evalsuite.errors import CorruptStore, DataError, SpecMismatch
from evalsuite.proofs.findings import as_read
from evalsuite.proofs.trust import Trust
from evalsuite.store.files import save_failed, sync_directory, write_atomic
from evalsuite.store.frames import NO_END, Fault, frame, read_frames
from evalsuite.types import Record

LEDGER_SCHEMA = 1


class Headline(Record, frozen=True, kw_only=True):
    """One number of a row: of a task, or a mean of tasks, in the metric's own unit; `low` to `high` is 95 %."""

    name: str
    kind: Literal["task", "macro", "micro", "suite"]
    metric: str
    protocol: str
    signature: str
    value: float
    low: float | None
    high: float | None
    n: int
    num_unscored: int
    scale: float = 1.0
    higher_is_better: bool = True


class Entry(Record, frozen=True, kw_only=True):
    """One line: what a row says from now on, or that it is withdrawn.

    `row` is the id of its run, `previous` the hash of the entry before it (empty for the first), `reason` why it
    stands in place of an earlier entry of its row.
    """

    schema: int
    seq: int
    previous: str
    kind: Literal["row", "withdrawn"]
    row: str
    model: str
    reason: str = ""
    engine: str = ""
    status: str = ""
    manifest_sha256: str = ""
    results_sha256: str = ""
    samples_root: str = ""
    headlines: tuple[Headline, ...] = ()
    trust: Trust | None = None
    red_flags: tuple[RedFlag, ...] = ()


@dataclass(frozen=True)
class Ledger:
    """The entries of a ledger and their hashes. `torn` says where a last line was begun and not ended."""

    path: Path
    entries: tuple[Entry, ...] = ()
    hashes: tuple[str, ...] = ()
    torn: Fault | None = None

    @property
    def head(self) -> str:
        """The hash of the last entry, which stands for all; empty of an empty ledger."""
        return self.hashes[-1] if self.hashes else ""

    @property
    def rows(self) -> Mapping[str, Entry]:
        """By row what it says now, in the order in which rows came; without those withdrawn."""
        return standing(self.entries)

    @property
    def withdrawn(self) -> Mapping[str, str]:
        """By row that was withdrawn last the reason."""
        last = {entry.row: entry for entry in self.entries}
        return {row: entry.reason for row, entry in last.items() if entry.kind == "withdrawn"}


def standing(entries: Sequence[Entry]) -> dict[str, Entry]:
    """By row its last entry, withdrawn rows left out."""
    last: dict[str, Entry] = {}
    for entry in entries:
        if entry.kind == "withdrawn":
            last.pop(entry.row, None)
        else:
            last[entry.row] = entry
    return last


# -- reading


def read_ledger(path: Path) -> Ledger:
    """The ledger at `path`. Raises DataError where there is none, CorruptStore naming an entry that was changed.

    A last line without its end is no entry: it is told in `torn`.
    """
    try:
        return _parsed(path, path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; `evalsuite leaderboard add` makes one.") from error


def _parsed(path: Path, blob: bytes) -> Ledger:
    entries: list[Entry] = []
    hashes: list[str] = []
    offset = 0
    for seq, value in enumerate(read_frames(blob)):
        where = f"{path}, entry {seq} (byte {offset})"
        if isinstance(value, Fault):
            if value.is_tail and value.reason == NO_END:
                return Ledger(path, tuple(entries), tuple(hashes), value)
            raise CorruptStore(f"{where} was changed after it was written: {value.reason}.")
        entry = _entry(where, value)
        if not _is_as_written(value, blob, offset):
            raise CorruptStore(f"{where} is not in the form in which entries are written.")
        before = hashes[-1] if hashes else ""
        if (entry.seq, entry.previous) != (seq, before):
            says, follows = (f"entry {number} after {one[:12] or 'none'}" for number, one in (
                (entry.seq, entry.previous), (seq, before)))  # fmt: skip
            raise CorruptStore(f"{where}, row {entry.row}: it says that it is {says}, and is {follows}: history was "
                               "rewritten.")  # fmt: skip
        entries.append(entry)
        hashes.append(content_hash(value))  # of what stands there: later versions may know more fields
        offset += len(frame(value))
    return Ledger(path, tuple(entries), tuple(hashes))


def _is_as_written(value: Any, blob: bytes, offset: int) -> bool:
    try:
        return blob.startswith(frame(value), offset)
    except ValueError:  # a number that is none
        return False


def _entry(where: str, value: Any) -> Entry:
    schema = value.get("schema") if isinstance(value, dict) else None
    if isinstance(schema, int) and schema > LEDGER_SCHEMA:
        raise SpecMismatch(f"{where} has schema {schema}; this evalsuite reads schema {LEDGER_SCHEMA}.")
    try:
        return msgspec.convert(value, Entry)
    except ValueError as error:  # msgspec's complaints, and halves of characters where a word is expected
        raise CorruptStore(f"{where} is no entry: {error}.") from error


def whole(ledger: Ledger) -> Ledger:
    """The ledger itself. Raises CorruptStore where its last line is torn."""
    if ledger.torn is not None:
        raise CorruptStore(
            f"{ledger.path}: the last line is torn at byte {ledger.torn.offset} ({ledger.torn.reason}); the "
            f"{len(ledger.entries)} entries before it are whole. `evalsuite leaderboard verify {ledger.path} --repair` "
            "sets it aside."
        )
    return ledger


# -- writing


def append(path: Path, draft: Callable[[Ledger], Sequence[Entry]]) -> Ledger:
    """Add what `draft` makes of the ledger as it stands; `seq` and `previous` are set here. Gives the new ledger.

    The file is made where there is none. It is locked from reading to the last byte on disk. Raises CorruptStore for a
    ledger that is not whole, SaveFailed where the disk refuses, after which the ledger is as before.
    """
    with _opened(path) as descriptor:
        before = whole(_parsed(path, _content(descriptor)))
        lines, previous = [], before.head
        for seq, entry in enumerate(draft(before), start=len(before.entries)):
            value = msgspec.to_builtins(as_read(msgspec.structs.replace(entry, seq=seq, previous=previous)))
            lines.append(frame(value))
            previous = content_hash(value)
        _write(path, descriptor, b"".join(lines))
        return _parsed(path, _content(descriptor))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    is_new = not path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        if is_new:
            sync_directory(path.parent)
    except OSError as error:
        raise save_failed(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        if is_new and not os.fstat(descriptor).st_size:  # nothing came of it
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _content(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return file.read()


def _write(path: Path, descriptor: int, content: bytes) -> None:
    size = os.fstat(descriptor).st_size
    remaining = memoryview(content)
    try:
        while remaining:
            remaining = remaining[os.write(descriptor, remaining) :]
        os.fsync(descriptor)
    except OSError as error:
        with suppress(OSError):
            os.ftruncate(descriptor, size)
        raise save_failed(path, error) from error


def repair(path: Path) -> Path | None:
    """Set a torn last line aside, in a file beside the ledger, which is given; None where nothing is torn.

    Raises CorruptStore for damage of any other kind: what was changed must be looked at, not repaired.
    """
    with _opened(path) as descriptor:
        blob = _content(descriptor)
        torn = _parsed(path, blob).torn
        if torn is None:
            return None
        names = (path.with_name(f"{path.name}.torn{f'.{number}' if number else ''}") for number in count())
        aside = next(name for name in names if not name.exists())
        write_atomic(aside, blob[torn.offset :])
        os.ftruncate(descriptor, torn.offset)
        os.fsync(descriptor)
        return aside
