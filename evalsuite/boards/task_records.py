"""What a leaderboard holds of families and tasks: tables, gaps between languages, how each run went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from evalsuite.boards.cells import Cell, Column, Rate
from evalsuite.records import Counts, TaskSpec
from evalsuite.types import Record


class CategoryCell(Record, frozen=True, kw_only=True):
    """One category's headline in one run; `column` is the id of that headline's column among the task's metrics."""

    category: str
    column: str
    run: int
    cell: Cell


class TaskRun(Record, frozen=True, kw_only=True):
    """How one task went in one run: how its samples ended, how often each flag was raised, what it took.

    `flags` has those that were raised; `unraised` is the rate of each that was not: none of the scored samples.
    """

    run: int
    spec: TaskSpec
    counts: Counts
    flags: Mapping[str, Rate]
    unraised: Rate
    unscored: Rate | None
    num_prompt_tokens: int
    num_generated_tokens: int
    num_truncated: int
    lengths: tuple[int, ...] = ()


class Task(Record, frozen=True, kw_only=True):
    """A task, its metrics' columns, and every run of it.

    `lengths` of its runs are how many answers had fewer than 1, 2, 4, 8 … generated tokens, each beyond the one before.
    """

    name: str
    family: str
    title: str
    language: str
    provenance: str
    source: str
    licence: str
    is_shown: bool
    metrics: tuple[Column, ...]
    runs: tuple[TaskRun, ...]
    categories: tuple[CategoryCell, ...]


class Table(Record, frozen=True, kw_only=True):
    """One metric of one family under one set of rules: runs down, tasks or languages across.

    `rows` are places of runs; `cells` one list a row. `signature` is what all columns' signatures share.
    """

    metric: str
    alias: str
    is_primary: bool
    kind: Literal["tasks", "means"]
    protocol: str
    shots: str
    seed: str
    version: str
    signature: str
    columns: tuple[Column, ...]
    rows: tuple[int, ...]
    cells: tuple[tuple[Cell | None, ...], ...]


class Gap(Record, frozen=True, kw_only=True):
    """How far a language lies from English on the items both have, and how often the answers are the same."""

    run: int
    language: str
    data: str
    value: float
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    same: float | None
    same_low: float | None
    same_high: float | None
    num_answered: int


class GapTable(Record, frozen=True, kw_only=True):
    """The gaps of one family's headline under one set of rules."""

    metric: str
    protocol: str
    rules: str
    scale: float
    higher_is_better: bool
    gaps: tuple[Gap, ...]


class Family(Record, frozen=True, kw_only=True):
    """Everything that is measured of one family; its means first. `tasks` are places in `Board.tasks`."""

    name: str
    title: str
    is_judged: bool
    tables: tuple[Table, ...]
    gaps: tuple[GapTable, ...]
    tasks: tuple[int, ...]
