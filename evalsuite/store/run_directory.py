"""A run's directory: ``spec.json``, ``plan/``, ``journal/``, ``lock``, and what is derived from them.

::

    <root>/<run id>/
      spec.json             immutable; the run id is its hash
      plan/wave-0001.jsonl  immutable, framed; on disk before the wave's first forward pass
      plan/wave-0002.1.jsonl   what came to a wave later, its earlier turn having failed at first
      journal/0001.jsonl    append-only, framed, one writer a file
      telemetry.jsonl       clock, rates, memory, restarts: never part of a result
      results.json          derived: a pure function of the above, in plan order
      samples.parquet       derived
      lock                  held while a process works here
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.errors import CorruptStore, RunLocked, SpecMismatch
from evalsuite.records import RunSpec
from evalsuite.store.files import save_failed, write_atomic
from evalsuite.store.frames import Fault, frame, read_frames
from evalsuite.store.journal import JOURNAL, Journal, JournalWriter, read_journal
from evalsuite.types import SCHEMA_VERSION, Record, Scalar

SPEC = "spec.json"

TAKEN = "taken"
"""The telemetry's event that says what a wave took, as far as that is known: `seconds` from its first request to its
last answer, loading included; `steady_tokens` in `steady_seconds`, after the first batch; `weights_bytes`;
`peak_device_bytes` (a GPU's, by its allocator); `peak_resident_bytes` (this process, libraries included).
"""


_LOCK_TRIES = 5
_LOCK_WAIT_S = 0.02


class PlanHeader(Record, frozen=True, kw_only=True, tag="plan"):
    """First record of a wave's plan."""

    schema: int
    run_id: str
    wave: int
    num_batches: int


class PlannedBatch(Record, frozen=True, kw_only=True, tag="batch"):
    """The items of one batch in order, with the hash of each request."""

    index: int
    items: tuple[tuple[str, str], ...]


class RunDirectory:
    """Reads and writes one run. Nothing here decides; it keeps."""

    def __init__(self, path: Path, spec: RunSpec) -> None:
        """A view of `path` for `spec`; nothing is written yet."""
        self.path = path
        self.spec = spec

    @classmethod
    def open_existing(cls, path: Path) -> RunDirectory:
        """The run stored at `path`. Raises SpecMismatch when there is none, CorruptStore when it was changed."""
        return cls(path, read_spec(path))

    def create(self) -> None:
        """Write the spec, or check that the directory already holds the same one."""
        spec_path = self.path / SPEC
        if spec_path.exists():
            _check_same(self.path, read_spec(self.path), self.spec)
            return
        write_atomic(spec_path, (canonical_json(self.spec) + "\n").encode("ascii"))

    # -- plans

    def extend_plan(self, wave: int, batches: Sequence[PlannedBatch]) -> None:
        """Store a wave's plan, or what is added to it; must precede these batches' first forward pass."""
        header = PlanHeader(schema=SCHEMA_VERSION, run_id=self.spec.run_id, wave=wave, num_batches=len(batches))
        path = self._plan_path(wave, len(self.plan_files(wave)))
        write_atomic(path, b"".join(frame(record) for record in (header, *batches)))

    def read_plan(self, wave: int) -> tuple[PlannedBatch, ...] | None:
        """A wave's plan with all that was added, or None before it is made. Raises CorruptStore when it was changed."""
        parts = self.plan_files(wave)
        return tuple(batch for path in parts for batch in self._read_part(wave, path)) if parts else None

    def plan_files(self, wave: int) -> list[Path]:
        """The files of a wave's plan, in the order in which they were added; none before it is made."""
        paths = (self._plan_path(wave, part) for part in count())
        return list(takewhile(Path.exists, paths))

    def _read_part(self, wave: int, path: Path) -> tuple[PlannedBatch, ...]:
        values = list(read_frames(path.read_bytes()))
        faults = [value for value in values if isinstance(value, Fault)]
        if faults:
            raise _changed(path, f"byte {faults[0].offset}: {faults[0].reason}")
        schema = values[0].get("schema") if values and isinstance(values[0], dict) else None
        if schema is not None and schema != SCHEMA_VERSION:
            raise SpecMismatch(f"{path} has schema {schema!r}; this evalsuite reads schema {SCHEMA_VERSION}.")
        try:
            header = msgspec.convert(values[0], PlanHeader)
            batches = tuple(msgspec.convert(value, PlannedBatch) for value in values[1:])
        except (IndexError, ValueError) as error:
            raise _changed(path, str(error)) from error
        if (header.run_id, header.wave, header.num_batches) != (self.spec.run_id, wave, len(batches)):
            raise _changed(path, "it belongs to another run, or batches are missing")
        return batches

    def _plan_path(self, wave: int, part: int = 0) -> Path:
        return self.path / "plan" / f"wave-{wave:04d}{f'.{part}' if part else ''}.jsonl"

    # -- journal and telemetry

    def read_journal(self) -> Journal:
        """All committed responses."""
        return read_journal(self.path / JOURNAL, self.spec.run_id)

    def open_writer(self, journal: Journal, stack: Mapping[str, Scalar]) -> JournalWriter:
        """A writer on a fresh file, in the epoch after `journal`'s last."""
        return JournalWriter(self.path / JOURNAL, self.spec.run_id, journal.last_epoch + 1, stack)

    def note(self, event: str, **facts: Scalar) -> None:
        """Add a line to the telemetry, which is for people: no result follows from it."""
        line = json.dumps({"at": time.time(), "event": event, **facts}, sort_keys=True)
        path = self.path / "telemetry.jsonl"
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise save_failed(path, error) from error


def _lock(descriptor: int) -> None:
    """Take the lock, waiting a moment for those who only look whether it is held (`is_locked`). Raises OSError."""
    for _ in range(_LOCK_TRIES - 1):
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_LOCK_WAIT_S)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a run directory for writing. Raises RunLocked naming the process that has it."""
    lock_path = path / "lock"
    try:
        path.mkdir(parents=True, exist_ok=True)
        file = lock_path.open("a+", encoding="utf-8")
    except OSError as error:
        raise save_failed(lock_path, error) from error
    with file:
        try:
            _lock(file.fileno())
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise RunLocked(f"{path} is locked by {holder}; wait for it, or stop it and run again.") from error
        with suppress(OSError):  # unbuffered: what a full disk refuses here must not be tried again on closing
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), f"pid {os.getpid()} on {os.uname().nodename}".encode())
        yield


def directory_name(spec: RunSpec) -> str:
    """The model's name made safe for a file system, the judge's where there is one, and the run id."""
    model = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(spec.subject).name).strip("-.")[:40] or "model"
    judge = f"-{spec.judged.judge}" if spec.judged else ""
    return f"{model}{judge}-{spec.run_id}"


def is_locked(path: Path) -> bool:
    """Whether a process holds the run directory for writing now."""
    try:
        with (path / "lock").open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is no lock file, so nobody was ever here
        return False
    return False


def read_spec(path: Path) -> RunSpec:
    """The spec stored in the run directory `path`. Raises SpecMismatch or CorruptStore."""
    spec_path = path / SPEC
    if not spec_path.exists():
        raise SpecMismatch(f"{path} is not a run directory: it has no spec.json.")
    try:
        value = json.loads(spec_path.read_bytes())
        if isinstance(value, dict) and value.get("schema", 0) != SCHEMA_VERSION:
            raise SpecMismatch(
                f"{spec_path} has schema {value.get('schema')!r}; this evalsuite reads schema {SCHEMA_VERSION}. "
                "Read it with the version that wrote it."
            )
        spec = msgspec.convert(value, RunSpec)
        written = canonical_json(spec).encode() + b"\n"
    except (ValueError, RecursionError) as error:  # msgspec's complaints are ValueErrors too
        raise _changed(spec_path, str(error)) from error
    if written != spec_path.read_bytes():
        raise _changed(spec_path, "it is not the canonical form that was written")
    return spec


def read_taken(path: Path) -> dict[str, float]:
    """What the run at `path` took: ``seconds`` of all waves together, bytes of the largest by the names of `TAKEN`, and
    ``tokens_per_second`` after the first batches.

    A wave that was killed has left no word of its seconds. Never raises.
    """
    sums = {"seconds": 0.0, "steady_seconds": 0.0, "steady_tokens": 0.0}
    found: dict[str, float] = {}
    for event in _events(path, TAKEN):
        for name in ("weights_bytes", "peak_device_bytes", "peak_resident_bytes"):
            with suppress(ValueError, KeyError, TypeError):
                found[name] = max(found.get(name, 0.0), float(event[name]))
        for name in sums:
            with suppress(ValueError, KeyError, TypeError):
                sums[name] += float(event[name])
    if sums["seconds"]:
        found["seconds"] = sums["seconds"]
    if sums["steady_seconds"]:
        found["tokens_per_second"] = sums["steady_tokens"] / sums["steady_seconds"]
    return found


def read_opened_at(path: Path) -> float | None:
    """When a process first worked on the run at `path`, in seconds of Unix time; None where nothing says so."""
    for event in _events(path, "opened"):
        if isinstance(event.get("at"), int | float):
            return float(event["at"])
    return None


def _events(path: Path, name: str) -> Iterator[Mapping[str, Any]]:
    """The telemetry's events of this name; what is torn or no event is passed over, since it is for people."""
    try:
        lines = (path / "telemetry.jsonl").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and event.get("event") == name:
                yield event


def _check_same(path: Path, stored: RunSpec, asked: RunSpec) -> None:
    if stored == asked:
        return
    before, now = msgspec.to_builtins(stored), msgspec.to_builtins(asked)
    differing = sorted(key for key in now if before.get(key) != now[key])
    raise SpecMismatch(
        f"{path} holds run {stored.run_id}, which differs from the one asked for in: {', '.join(differing)}. "
        "Choose another --output_path, or repeat the first command to resume it."
    )


def _changed(path: Path, reason: str) -> CorruptStore:
    return CorruptStore(f"{path} was changed after it was written ({reason}); the run cannot be trusted.")
