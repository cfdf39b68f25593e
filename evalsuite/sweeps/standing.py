"""How far each cell of a sweep is, read from what its run left on disk: nothing else is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from evalsuite.asking import sample_id
from evalsuite.errors import EXIT_INCOMPLETE, EvalsuiteError
from evalsuite.records import RunResult
from evalsuite.store.run_directory import RunDirectory, is_locked
from evalsuite.sweeps.cells import Cell, is_begun, sealed_result
from evalsuite.sweeps.failures import CellFailure, read_failures
from evalsuite.types import Record

State = Literal["sealed", "incomplete", "running", "failed", "waiting"]
"""Sealed with every sample scored or refused on purpose; sealed with samples unscored; a process is at it; the last
attempt failed; none of these, begun or not."""

STATES: tuple[State, ...] = ("sealed", "incomplete", "running", "failed", "waiting")


class Standing(Record, frozen=True, kw_only=True):
    """A cell's state. `num_done` of `num_asked` samples have all answers that were planned for them so far; both are
    None where that is not known yet.
    """

    cell: str
    run_id: str
    run: str
    state: State
    num_done: int | None = None
    num_asked: int | None = None
    cause: str = ""
    exit_code: int = 0


def standings(directory: Path, cells: Sequence[Cell]) -> tuple[Standing, ...]:
    """The state of each cell of the sweep in `directory`."""
    failures = read_failures(directory)
    return tuple(standing(directory, cell, failures) for cell in cells)


def standing(directory: Path, cell: Cell, failures: Mapping[str, CellFailure]) -> Standing:
    """The state of one cell. `failures` are the last ones, by run id."""
    path = directory / cell.run
    blank = Standing(cell=cell.name, run_id=cell.run_id, run=cell.run, state="waiting")
    try:
        if result := sealed_result(directory, cell):
            return _of_result(blank, result)
        num_done, num_asked = _progress(path) if is_begun(directory, cell) else (None, None)
    except EvalsuiteError as error:
        state: State = "running" if is_locked(path) else "failed"  # it may be at work to mend it
        return replace(blank, state=state, cause=str(error), exit_code=error.exit_code)
    begun = replace(blank, num_done=num_done, num_asked=num_asked)
    if is_locked(path):
        return replace(begun, state="running")
    if failure := failures.get(cell.run_id):
        return replace(begun, state="failed", cause=failure.cause, exit_code=failure.exit_code)
    return begun


def is_sealed(directory: Path, cell: Cell) -> bool:
    """Whether the cell has its result, complete or not; one that cannot be read is to be made anew."""
    try:
        return sealed_result(directory, cell) is not None
    except EvalsuiteError:
        return False


def _of_result(blank: Standing, result: RunResult) -> Standing:
    counts = result.counts
    known = replace(blank, num_done=counts.requested - counts.not_run, num_asked=counts.requested)
    if result.status == "complete":
        return replace(known, state="sealed")
    causes = ", ".join(f"{number} {cause}" for cause, number in counts.unscored_by_cause.items())
    return replace(known, state="incomplete", cause=f"unscored: {causes}", exit_code=EXIT_INCOMPLETE)


def _progress(path: Path) -> tuple[int, int]:
    """Samples of which all that is planned is answered, and samples asked. Raises CorruptStore or SpecMismatch."""
    directory = RunDirectory.open_existing(path)
    num_asked = sum(task.num_samples * task.repeats for task in directory.spec.tasks)
    planned: set[str] = set()
    for wave in count(1):
        batches = directory.read_plan(wave)
        if batches is None:
            break
        planned |= {item_id for batch in batches for item_id, _ in batch.items}
    answered = directory.read_journal().reopened().responses.keys()
    samples = {sample_id(item_id) for item_id in planned}
    return len(samples - {sample_id(item_id) for item_id in planned - answered}), num_asked
