"""What went wrong in a sweep, one line of JSON a failure, appended and never changed: for people and `status`."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from evalsuite.store.files import save_failed
from evalsuite.types import Record

FAILURES = "failures.jsonl"


class CellFailure(Record, frozen=True, kw_only=True):
    """An attempt at a cell that came to nothing: when (seconds since 1970), which run, and why. `exit_code` is what
    ``evalsuite run`` would have ended with.
    """

    at: float
    cell: str
    run_id: str
    cause: str
    exit_code: int


def note_failure(directory: Path, cell: str, run_id: str, cause: str, exit_code: int) -> CellFailure:
    """Append a failure, in one write, so that two writers do not mix. Raises SaveFailed."""
    failure = CellFailure(at=round(time.time(), 3), cell=cell, run_id=run_id, cause=cause, exit_code=exit_code)
    line = json.dumps(msgspec.to_builtins(failure), sort_keys=True) + "\n"
    path = directory / FAILURES
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(descriptor, line.encode("ascii"))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise save_failed(path, error) from error
    return failure


def read_failures(directory: Path) -> dict[str, CellFailure]:
    """The last failure of each run, by run id. A line that was torn by a kill is passed over."""
    found: dict[str, CellFailure] = {}
    try:
        lines = (directory / FAILURES).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    for line in lines:
        with suppress(ValueError, msgspec.ValidationError):
            failure = msgspec.convert(json.loads(line), CellFailure)
            found[failure.run_id] = failure
    return found
