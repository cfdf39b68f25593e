"""A sweep on disk: its cells by name, what is set in each, the run directory each becomes, and what has a result."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.config import RunConfig
from evalsuite.errors import CorruptStore, SpecMismatch
from evalsuite.records import RunResult
from evalsuite.store.files import write_atomic
from evalsuite.store.results import RESULTS, SAMPLES, read_results
from evalsuite.store.run_directory import SPEC
from evalsuite.types import Record, Scalar

SWEEP_SCHEMA = 1
SWEEP_FILE = "sweep.json"


class Cell(Record, frozen=True, kw_only=True):
    """One run of a sweep: `settings` are what the sweep varies, by key of its file (``model``, ``num_fewshot``,
    ``model_args.dtype``, or the name of an axis of bundles); `run` is the run's directory, relative to the sweep's;
    `asked` is the whole run as a file for ``evalsuite run`` would ask for it.
    """

    name: str
    settings: Mapping[str, Scalar]
    run_id: str
    run: str
    asked: Mapping[str, Any] = {}

    @property
    def config(self) -> RunConfig:
        """What is asked, as a run takes it."""
        return msgspec.convert(self.asked, RunConfig)


class SweepPlan(Record, frozen=True, kw_only=True):
    """All cells of a sweep, in the order they are run; cells of one model stand together."""

    schema: int
    name: str
    cells: tuple[Cell, ...]


def sealed_result(directory: Path, cell: Cell) -> RunResult | None:
    """The result of a cell of the sweep in `directory`, complete or not; None where its run is not sealed.

    A run is sealed when both derived files are there: of them the result is written last, and one that has lost its
    samples is made anew by running it again. Raises CorruptStore or SpecMismatch for a result that cannot be read, and
    CorruptStore for one of another run.
    """
    path = directory / cell.run
    if not (path / RESULTS).exists() or not (path / SAMPLES).exists():
        return None
    result = read_results(path)
    if result.run_id != cell.run_id:
        raise CorruptStore(f"{path} holds run {result.run_id}; the plan's cell {cell.name!r} is run {cell.run_id}.")
    return result


def is_begun(directory: Path, cell: Cell) -> bool:
    """Whether a process has been at the cell's run."""
    return (directory / cell.run / SPEC).exists()


def write_plan(directory: Path, plan: SweepPlan) -> None:
    """Store the plan, sorted and indented for people. Raises SaveFailed."""
    text = json.dumps(json.loads(canonical_json(plan)), indent=1, sort_keys=True)
    write_atomic(directory / SWEEP_FILE, (text + "\n").encode("ascii"))


def read_plan(directory: Path) -> SweepPlan:
    """The plan stored in the sweep's directory. Raises SpecMismatch where there is none, CorruptStore if changed."""
    path = directory / SWEEP_FILE
    if not path.exists():
        raise SpecMismatch(f"{directory} is no sweep: it has no {SWEEP_FILE}; `evalsuite sweep run CONFIG` makes one.")
    try:
        plan = msgspec.convert(json.loads(path.read_bytes()), SweepPlan)
    except (ValueError, msgspec.ValidationError) as error:
        raise CorruptStore(f"{path} was changed after it was written: {error}") from error
    if plan.schema != SWEEP_SCHEMA:
        raise SpecMismatch(f"{path} has schema {plan.schema}; this evalsuite reads {SWEEP_SCHEMA}.")
    twice = [name for name, number in Counter(cell.name for cell in plan.cells).items() if number > 1]
    if twice:
        raise CorruptStore(f"{path} was changed after it was written: two of its cells are called {twice[0]!r}.")
    return plan
