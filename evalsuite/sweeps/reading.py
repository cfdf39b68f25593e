"""A sweep as it stands on disk: each cell with its run, as far as there is one, and what its clock and memory say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from evalsuite.comparing.sides import Side, read_side
from evalsuite.errors import NothingSelected, UsageError, nearest
from evalsuite.records import Aggregate, Estimate, RunResult
from evalsuite.stats.joint_values import Bounds
from evalsuite.store.journal import JOURNAL, how_answered
from evalsuite.store.run_directory import read_taken
from evalsuite.sweeps.cells import Cell, is_begun, read_plan, sealed_result
from evalsuite.sweeps.names import NOT_SET, label_of
from evalsuite.sweeps.sizes import size_of
from evalsuite.types import Scalar

CellStatus = Literal["complete", "incomplete", "interrupted", "unfinished", "not run"]
"""A sealed run's own status; `unfinished` has begun and is not sealed, `not run` has not begun."""

Part = Literal["", "cached", "resumed", "cached, resumed"]
"""Why a clock, and what else the process that ended a run measured, is of a part of it: a cache gave answers, or an
earlier process did. Empty where it is of the whole run.
"""

_PARTS: Mapping[tuple[bool, bool], Part] = {
    (False, False): "", (True, False): "cached", (False, True): "resumed", (True, True): "cached, resumed",
}  # fmt: skip


@dataclass(frozen=True)
class CellRun:
    """A cell and its run; `result` is None where none is sealed. `measured` are rates and bytes by name."""

    cell: Cell
    path: Path
    status: CellStatus
    result: RunResult | None
    measured: Mapping[str, float]

    @property
    def is_partial(self) -> bool:
        """Whether some task was asked fewer samples than it has."""
        return self.result is not None and any(task.is_partial for task in self.result.spec.tasks)

    @property
    def is_marked(self) -> bool:
        """Whether the cell's numbers rest on less than was asked for."""
        return self.status != "complete"

    @cached_property
    def part_measured(self) -> Part:
        """Whether, and why, what was measured is of a part of the run."""
        if self.result is None:
            return ""
        found = how_answered(self.path / JOURNAL)
        return _PARTS[found.is_cached, found.num_processes > 1]

    @cached_property
    def side(self) -> Side:
        """The run sample by sample. Raises SpecMismatch or CorruptStore."""
        return read_side(self.path, self.cell.name)

    def without(self, *keys: str) -> tuple[tuple[str, Scalar], ...]:
        """The cell's settings but these, sorted: what else is the same in two cells."""
        return tuple(sorted((key, value) for key, value in self.cell.settings.items() if key not in keys))


@dataclass(frozen=True)
class Sweep:
    """All cells of a sweep in the plan's order."""

    name: str
    cells: tuple[CellRun, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The settings' keys, each once, in the order of first appearance."""
        return tuple(dict.fromkeys(key for one in self.cells for key in one.cell.settings))

    @property
    def sealed(self) -> tuple[CellRun, ...]:
        """The cells that have results."""
        return tuple(one for one in self.cells if one.result is not None)

    def check_key(self, key: str, option: str) -> str:
        """`key`, if the sweep sets it. Raises UsageError."""
        if key in self.keys:
            return key
        near = nearest(key, self.keys)
        guess = f"; did you mean {near!r}?" if near else f"; it sets {', '.join(self.keys) or 'nothing'}."
        raise UsageError(f"{option} {key}: the sweep sets no {key!r}{guess}")


def read_sweep(directory: Path) -> Sweep:
    """The sweep in `directory`. Raises SpecMismatch, CorruptStore, or NothingSelected where no cell has results."""
    plan = read_plan(directory)
    sweep = Sweep(plan.name, tuple(_cell_run(directory, cell) for cell in plan.cells))
    if not sweep.sealed:
        raise NothingSelected(f"none of the {len(sweep.cells)} cells of {directory} has results yet; run the sweep.")
    return sweep


def _cell_run(directory: Path, cell: Cell) -> CellRun:
    path = directory / cell.run
    result = sealed_result(directory, cell)
    if result is None:
        return CellRun(cell, path, "unfinished" if is_begun(directory, cell) else "not run", None, {})
    return CellRun(cell, path, result.status, result, read_taken(path))


# -- headlines


@dataclass(frozen=True)
class Headline:
    """A number that cells are compared by: a task's headline metric, or a mean of several tasks."""

    name: str
    metric: str
    signature: str
    is_mean: bool

    @property
    def label(self) -> str:
        """What it is called in tables: a mean's name says its metric."""
        return self.name if self.is_mean else f"{self.name} {self.metric}"


Value = Estimate | Aggregate


def headline_of(value: Value) -> Headline:
    """What `value` is a value of."""
    is_mean = isinstance(value, Aggregate)
    name = value.name if isinstance(value, Aggregate) else value.task
    return Headline(name, value.metric, value.signature, is_mean)


def headlines_of(cells: Sequence[CellRun]) -> tuple[Headline, ...]:
    """Every headline of the cells, means first, in the order of first appearance."""
    found = dict.fromkeys(headline_of(value) for one in cells for value in values_of(one).values())
    return (*(one for one in found if one.is_mean), *(one for one in found if not one.is_mean))


def summary_headlines(cells: Sequence[CellRun]) -> tuple[Headline, ...]:
    """The means, and the tasks that are in none: what a short table shows."""
    averaged = {
        member
        for one in cells
        for value in values_of(one).values()
        if isinstance(value, Aggregate) and not _is_average(value)
        for member in value.members
    }
    return tuple(one for one in headlines_of(cells) if one.is_mean or one.name not in averaged)


def values_of(cell: CellRun) -> dict[Headline, Value]:
    """The headlines of a cell; empty where it has no results."""
    if cell.result is None:
        return {}
    values: tuple[Value, ...] = (*cell.result.aggregates, *cell.result.estimates)
    return {headline_of(value): value for value in values if value.is_primary or _is_average(value)}


def _is_average(value: Value) -> bool:
    """Whether it is a suite's average."""
    return isinstance(value, Aggregate) and value.kind == "suite"


def bounds_of(cells: Sequence[CellRun], headline: Headline) -> Bounds | None:
    """The range that the headline lies in, whatever the answers; None where an end is not known.

    A mean lies between the ends of what it is a mean of.
    """
    ends = [estimate.bounds for cell in cells for estimate in _behind(cell, headline)]
    known = [one for one in ends if one is not None]
    if not known or len(known) < len(ends):
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def _behind(cell: CellRun, headline: Headline) -> list[Estimate]:
    """The estimates of tasks that a cell's value is made of."""
    value = values_of(cell).get(headline)
    if value is None or cell.result is None:
        return []
    if isinstance(value, Estimate):
        return [value]
    is_suite = value.kind == "suite"  # of which each family has its own headline
    return [one for one in cell.result.estimates
            if one.task in value.members and (one.is_primary if is_suite else one.metric == value.metric)]  # fmt: skip


# -- settings


Series = tuple[tuple[str, Scalar], ...]


def groups_of(cells: Sequence[CellRun], *keys: str) -> list[tuple[Series, list[CellRun]]]:
    """Cells by all their settings but `keys`, in the plan's order: within a group nothing else differs.

    1, 1.0 and true are three settings.
    """
    found: dict[str, tuple[Series, list[CellRun]]] = {}
    for one in cells:
        series = one.without(*keys)
        kind = "\n".join(f"{key!r} {_marked(value)}" for key, value in series)
        found.setdefault(kind, (series, []))[1].append(one)
    return list(found.values())


def settings_text(settings: Sequence[tuple[str, Scalar]], varied: Sequence[str]) -> str:
    """Settings in words, of those that vary; empty where none does."""
    return ", ".join(f"{key}={label_of(value)}" for key, value in settings if key in varied)


def varied_keys(sweep: Sweep) -> tuple[str, ...]:
    """The keys with more than one value, a key that some cells lack included."""
    return tuple(key for key in sweep.keys if len({_marked(one.cell.settings.get(key)) for one in sweep.cells}) > 1)


def _marked(value: Scalar | None) -> str:
    return f"{type(value).__name__} {value!r}"


def value_of(cell: CellRun, key: str) -> str:
    """A setting as it is shown, or that the cell lacks the key."""
    return label_of(cell.cell.settings[key]) if key in cell.cell.settings else NOT_SET


def number_of(cell: CellRun, key: str) -> float | None:
    """A setting as a number, ``2M`` for two million included; None where it is none or not set."""
    value = cell.cell.settings.get(key)
    if isinstance(value, bool) or value is None:
        return None
    number = size_of(value) if isinstance(value, str) else float(value)
    return number if number is not None and math.isfinite(number) else None
