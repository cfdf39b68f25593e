"""The journal: append-only files of framed records, one writer a file, the source of truth of a run.

A file is named by its epoch (``0001.jsonl``); each process that works on the run takes the next epoch by exclusive
creation and never touches an older file. A record holds a whole batch, so a batch is committed entirely or not at all.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from evalsuite.errors import CorruptStore
from evalsuite.records import SERVER_VERSION
from evalsuite.store.files import save_failed, sync_directory
from evalsuite.store.frames import BODY_AT, Fault, frame, read_frames
from evalsuite.types import SCHEMA_VERSION, Failure, Record, Response, Scalar, Spent

JOURNAL = "journal"
"""The folder of the journal's files, in its run's."""

_EPOCH = re.compile(r"(\d{4,})\.jsonl")


class Opened(Record, frozen=True, kw_only=True, tag="opened"):
    """First record of a file: which run and plan it belongs to, and the stack that answered."""

    schema: int
    seq: int
    run_id: str
    epoch: int
    stack: Mapping[str, Scalar]


class Committed(Record, frozen=True, kw_only=True, tag="committed"):
    """One batch: its wave and number, and the response to each of its items.

    `spent` is what this process spent since the commit before, where that is counted; `is_cached` marks answers that
    were taken from the cache; `versions` are names a server gave itself since the commit before, new to this process.
    """

    seq: int
    wave: int
    batch: int
    responses: tuple[tuple[str, Response], ...]
    spent: Spent | None = None
    is_cached: bool = False
    versions: tuple[str, ...] = ()


@dataclass
class Journal:
    """What a run's journal holds in all: responses by item id, what they cost, and the tails that were torn off."""

    responses: dict[str, Response] = field(default_factory=dict)
    stacks: list[Mapping[str, Scalar]] = field(default_factory=list)
    torn_tails: list[str] = field(default_factory=list)
    last_epoch: int = 0
    num_cached: int = 0
    spent: Spent = field(default_factory=Spent)

    def see(self, stack: Mapping[str, Scalar], versions: Sequence[str] = ()) -> None:
        """Note what answers: a stack, and under it the versions of itself that a server names."""
        named = ({**stack, SERVER_VERSION: version} for version in versions)
        self.stacks.extend(one for one in (stack, *named) if one not in self.stacks)

    def reopened(self) -> Journal:
        """The journal without the failures that may be gone by now: what they answered is asked again."""
        kept = {
            item_id: response
            for item_id, response in self.responses.items()
            if not (isinstance(response, Failure) and response.cause.is_transient)
        }
        return replace(self, responses=kept)


def read_journal(directory: Path, run_id: str) -> Journal:
    """All committed responses under `directory`.

    A bad last record is a torn tail, noted and ignored: its batch runs again. Anything else that is not what was
    written raises CorruptStore with file and byte. Equal duplicates merge; different ones are a conflict.
    """
    journal = Journal()
    for epoch, path in epoch_files(directory):
        journal.last_epoch = max(journal.last_epoch, epoch)
        _read_file(path, run_id, epoch, journal)
    return journal


def epoch_files(directory: Path) -> list[tuple[int, Path]]:
    """The journal's files in the order of their epochs; whatever else lies there is none of them."""
    matches = ((_EPOCH.fullmatch(path.name), path) for path in directory.glob("*.jsonl"))
    return sorted((int(match.group(1)), path) for match, path in matches if match)


class HowAnswered(Record, frozen=True, kw_only=True):
    """How many processes answered something of a run, and whether a cache did."""

    num_processes: int
    is_cached: bool


class _Mark(msgspec.Struct):
    """Of a record no more than this, so that long answers are not even decoded."""

    batch: int = -1
    is_cached: bool = False


def how_answered(directory: Path) -> HowAnswered:
    """What the journal under `directory` tells of how its answers came. Never raises: what is damaged says nothing."""
    processes = [[mark for mark in _marks(path) if mark.batch >= 0] for _, path in epoch_files(directory)]
    return HowAnswered(
        num_processes=sum(map(bool, processes)),
        is_cached=any(mark.is_cached for marks in processes for mark in marks),
    )


def _marks(path: Path) -> Iterator[_Mark]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        with suppress(ValueError):
            yield _mark(line[BODY_AT:])


def _mark(body: bytes) -> _Mark:
    try:
        return msgspec.json.decode(body, type=_Mark)
    except msgspec.DecodeError:  # half of a pair of surrogates, which msgspec's own decoder refuses
        return msgspec.convert(json.loads(body), _Mark)


def _read_file(path: Path, run_id: str, epoch: int, journal: Journal) -> None:
    stack: Mapping[str, Scalar] = {}
    for record in read_epoch(path, run_id, epoch):
        if isinstance(record, Fault):
            journal.torn_tails.append(f"{path.name} at byte {record.offset}: {record.reason}")
        elif isinstance(record, Opened):
            stack = record.stack
            journal.see(stack)
        else:
            _merge(path, record, journal.responses)
            journal.num_cached += len(record.responses) if record.is_cached else 0
            journal.spent += record.spent or Spent()
            journal.see(stack, record.versions)


def read_epoch(path: Path, run_id: str, epoch: int) -> Iterator[Opened | Committed | Fault]:
    """The records of one of the journal's files; a torn tail comes last, as a fault. Raises CorruptStore."""
    for seq, value in enumerate(read_frames(path.read_bytes())):
        if isinstance(value, Fault):
            if not value.is_tail:
                raise _corrupt(path, value.offset, value.reason)
            yield value
            return
        if seq == 0:
            check_schema(path, value)
        record = _decode(path, seq, value)
        if record.seq != seq:
            raise _corrupt(path, None, f"record {seq} says it is record {record.seq}")
        if isinstance(record, Opened) != (seq == 0):
            raise _corrupt(path, None, f"record {seq} is out of place")
        if isinstance(record, Opened):
            _check_opened(path, record, run_id, epoch)
        yield record


def _decode(path: Path, seq: int, value: Any) -> Opened | Committed:
    try:
        return msgspec.convert(value, Opened | Committed)
    except ValueError as error:  # msgspec's complaints, and halves of characters where a word is expected
        raise _corrupt(path, None, f"record {seq} is of another shape ({error})") from error


def check_schema(path: Path, value: Any) -> None:
    """Raises CorruptStore when a file's first record is newer; before its shape, which may be another then."""
    schema = value.get("schema") if isinstance(value, dict) else None
    if isinstance(schema, int) and schema > SCHEMA_VERSION:
        raise CorruptStore(
            f"{path}: written by a newer evalsuite (schema {schema}, this one reads up to {SCHEMA_VERSION})."
        )


def _check_opened(path: Path, record: Opened, run_id: str, epoch: int) -> None:
    if record.run_id != run_id or record.epoch != epoch:
        raise _corrupt(path, 0, f"belongs to run {record.run_id}, epoch {record.epoch}")


def _merge(path: Path, record: Committed, responses: dict[str, Response]) -> None:
    for item_id, response in record.responses:
        known = responses.setdefault(item_id, response)
        if isinstance(known, Failure) and known.cause.is_transient:
            responses[item_id] = response  # it was asked again
        elif known != response:
            raise CorruptStore(f"{path}: a second, different response to {item_id}; two writers, or a changed file.")


def _corrupt(path: Path, offset: int | None, reason: str) -> CorruptStore:
    where = f"{path}, byte {offset}" if offset is not None else str(path)
    return CorruptStore(
        f"{where}: {reason}. The file was changed after it was written; "
        f"`evalsuite doctor --repair {path.parent.parent}` sets it aside and keeps every record that is whole."
    )


class JournalWriter:
    """Appends committed batches to a file of its own. Each commit is on disk when `commit` returns."""

    def __init__(self, directory: Path, run_id: str, epoch: int, stack: Mapping[str, Scalar]) -> None:
        """Create the file of `epoch`, which must not exist. Raises SaveFailed."""
        self.path = directory / f"{epoch:04d}.jsonl"
        self._seq = 0
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            sync_directory(directory)
        except OSError as error:
            raise save_failed(self.path, error) from error
        self._append(Opened(schema=SCHEMA_VERSION, seq=0, run_id=run_id, epoch=epoch, stack=stack))

    def commit(
        self,
        wave: int,
        batch: int,
        responses: Sequence[tuple[str, Response]],
        *,
        spent: Spent | None = None,
        is_cached: bool = False,
        versions: Sequence[str] = (),
    ) -> None:
        """Make a batch's responses durable. Raises SaveFailed, after which the writer must not be used."""
        self._append(
            Committed(
                seq=self._seq,
                wave=wave,
                batch=batch,
                responses=tuple(responses),
                spent=spent,
                is_cached=is_cached,
                versions=tuple(versions),
            )
        )

    def _append(self, record: Opened | Committed) -> None:
        remaining = memoryview(frame(record))
        try:
            while remaining:
                remaining = remaining[os.write(self._descriptor, remaining) :]
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise save_failed(self.path, error) from error
        self._seq += 1

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)

    def __enter__(self) -> JournalWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
