"""Setting damaged journal files aside while keeping every record in them that is whole."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from evalsuite.store.files import write_atomic
from evalsuite.store.frames import Fault, frame, read_frames
from evalsuite.store.journal import JOURNAL, Committed, Opened, check_schema, epoch_files
from evalsuite.store.run_directory import locked, read_spec
from evalsuite.types import SCHEMA_VERSION


@dataclass(frozen=True)
class Repaired:
    """A journal file that was set aside: its copy, records kept, and records lost (their batches run again)."""

    original: Path
    num_kept: int
    num_lost: int


def repair_journal(run_path: Path) -> list[Repaired]:
    """Rewrite the damaged journal files of a run from their whole records. The originals go to ``quarantine/``.

    Raises RunLocked while a process works on the run, CorruptStore when a newer evalsuite wrote it.
    """
    with locked(run_path):
        files = epoch_files(run_path / JOURNAL)
        return [repaired for epoch, path in files if (repaired := _repair_file(run_path, epoch, path))]


def _repair_file(run_path: Path, epoch: int, path: Path) -> Repaired | None:
    values = list(read_frames(path.read_bytes()))
    if not values:
        return None  # a kill between creating the file and its first record; nothing in it is damaged
    for value in values[:1]:
        check_schema(path, value)
    whole = [record for value in values if (record := _record(value)) is not None]
    opened = [record for record in whole if isinstance(record, Opened)][:1] or [_opened_anew(run_path, epoch)]
    kept: list[Opened | Committed] = [*opened, *(record for record in whole if isinstance(record, Committed))]
    is_sound = len(whole) == len(values) and kept == whole
    if is_sound and all(record.seq == place for place, record in enumerate(kept)):
        return None
    copy = _unused(run_path / "quarantine" / path.name)
    write_atomic(copy, path.read_bytes())
    renumbered = [msgspec.structs.replace(record, seq=place) for place, record in enumerate(kept)]
    write_atomic(path, b"".join(frame(record) for record in renumbered))
    return Repaired(copy, len(kept), len(values) - len(whole))


def _unused(path: Path) -> Path:
    """`path`, or with a number behind it: what an earlier repair set aside stays."""
    names = (path if number == 1 else path.with_name(f"{path.name}.{number}") for number in count(1))
    return next(name for name in names if not name.exists())


def _opened_anew(run_path: Path, epoch: int) -> Opened:
    """A first record in place of one that was lost, without the stack that it named."""
    run_id = read_spec(run_path).run_id
    return Opened(schema=SCHEMA_VERSION, seq=0, run_id=run_id, epoch=epoch, stack={})


def _record(value: object) -> Opened | Committed | None:
    if isinstance(value, Fault):
        return None
    try:
        return msgspec.convert(value, Opened | Committed)
    except ValueError:  # msgspec's complaints, and halves of characters where a word is expected
        return None
