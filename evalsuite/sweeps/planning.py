"""From combinations to a plan: which run each cell is, what is run already under another name, what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.config import RunConfig
from evalsuite.errors import EvalsuiteError, SpecMismatch
from evalsuite.prepare import Prepared, prepare
from evalsuite.store.run_directory import directory_name
from evalsuite.sweeps.cells import SWEEP_FILE, SWEEP_SCHEMA, Cell, SweepPlan, read_plan, write_plan
from evalsuite.sweeps.engine_keeping import EngineKeeper
from evalsuite.sweeps.grid import Setup, model_key
from evalsuite.sweeps.sweep_file import SweepFile

RUNS = "runs"
"""The folder of a sweep's run directories, in its own."""

_NAMED = 5


class CellRefused(EvalsuiteError):
    """A cell that cannot be run as it is asked for; carries the exit code of what refused it."""

    def __init__(self, name: str, error: Exception) -> None:
        text = str(error) if isinstance(error, EvalsuiteError) else f"{type(error).__name__}: {error}"
        super().__init__(f"cell {name}: {text}")
        if isinstance(error, EvalsuiteError):
            self.exit_code = error.exit_code


def prepared(setups: Sequence[Setup]) -> Iterator[tuple[Setup, Prepared]]:
    """Each cell as a run ready to begin; no weights are loaded. Raises CellRefused."""
    with closing(EngineKeeper()) as keeper:
        for setup in setups:
            try:
                yield setup, prepare(setup.config, keeper.open(setup.config))
            except Exception as error:  # a stranger's task may raise anything; the message says in which cell
                raise CellRefused(setup.name, error) from error


def cell_of(setup: Setup, ready: Prepared) -> Cell:
    """The cell as it stands in the plan."""
    return Cell(
        name=setup.name,
        settings=setup.settings,
        run_id=ready.spec.run_id,
        run=f"{RUNS}/{directory_name(ready.spec)}",
        asked=_asked(setup.config),
    )


def _asked(config: RunConfig) -> Mapping[str, Any]:
    """What differs from the defaults, as it is read back; where it is stored is the sweep's to say."""
    found: dict[str, Any] = json.loads(canonical_json(config))
    defaults = json.loads(canonical_json(RunConfig(model="", tasks=())))
    return {key: value for key, value in found.items() if value != defaults[key] and key != "output_path"}


def plan_of(file: SweepFile, setups: Sequence[Setup]) -> tuple[SweepPlan, tuple[str, ...]]:
    """The plan that the file asks for, and lines for the user, each once. Raises CellRefused."""
    cells: list[Cell] = []
    notes: dict[str, None] = {}
    for setup, ready in prepared(setups):
        cells.append(cell_of(setup, ready))
        notes |= dict.fromkeys(ready.notes)
    return SweepPlan(schema=SWEEP_SCHEMA, name=file.name, cells=tuple(cells)), tuple(notes)


def settle(directory: Path, wanted: SweepPlan, *, extends: bool) -> SweepPlan:
    """Store `wanted` as the plan of the sweep in `directory`, or hold it against the one that is stored.

    Raises SpecMismatch when that has other cells, unless the sweep `extends`: then new cells are added and old ones
    stay. A cell that has become another run is refused in any case.
    """
    if not (directory / SWEEP_FILE).exists():
        write_plan(directory, wanted)
        return wanted
    stored = read_plan(directory)
    old = {cell.name: cell for cell in stored.cells}
    new = [cell for cell in wanted.cells if cell.name not in old]
    gone = sorted(old.keys() - {cell.name for cell in wanted.cells})
    changed = [cell for cell in wanted.cells if cell.name in old and cell.run_id != old[cell.name].run_id]
    if changed:
        raise SpecMismatch(
            f"{directory}: {_listed([cell.name for cell in changed])} would be other runs than before "
            f"({', '.join(_differences(old[changed[0].name], changed[0]))} changed); give the sweep another name or "
            "output_path."
        )
    if (new or gone) and not extends:
        raise SpecMismatch(
            f"{directory} holds a sweep of other cells: "
            + "; ".join(
                f"{what} {_listed(names)}"
                for what, names in (("new is", [cell.name for cell in new]), ("no longer asked for is", gone))
                if names
            )
            + ". Give --extend to add what is new and keep what is there, or another output_path."
        )
    return _stored(directory, stored, wanted, new)


def _stored(directory: Path, stored: SweepPlan, wanted: SweepPlan, new: Sequence[Cell]) -> SweepPlan:
    """The stored plan with `new` cells, and with what may change within a run: a budget, say."""
    now = {cell.name: cell for cell in wanted.cells}
    kept = (msgspec.structs.replace(cell, asked=now.get(cell.name, cell).asked) for cell in stored.cells)
    merged = msgspec.structs.replace(stored, cells=_side_by_side((*kept, *new)))
    if merged != stored:
        write_plan(directory, merged)
    return merged


def _side_by_side(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    keys = list(dict.fromkeys(model_key(cell.config) for cell in cells))
    return tuple(sorted(cells, key=lambda cell: keys.index(model_key(cell.config))))


def _differences(before: Cell, now: Cell) -> list[str]:
    keys = sorted(before.asked.keys() | now.asked.keys())
    found = [key for key in keys if before.asked.get(key) != now.asked.get(key)]
    return found or ["data, code or libraries"]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def distinct(cells: Sequence[Cell]) -> dict[str, tuple[Cell, ...]]:
    """The cells by run id: several are one run where what they differ in changes nothing of it."""
    found: dict[str, tuple[Cell, ...]] = {}
    for cell in cells:
        found[cell.run_id] = (*found.get(cell.run_id, ()), cell)
    return found
