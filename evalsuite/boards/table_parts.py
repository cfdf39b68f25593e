"""What the tables of a leaderboard are made of: a run's name and marks, numbers with intervals and n, heads. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.ranking import runs_in_rank
from evalsuite.boards.records import Board, Run
from evalsuite.boards.task_records import Table as MetricTable
from evalsuite.tables import Cell as TableCell
from evalsuite.tables import Shown, Table, rounded, shown

EMPTY = Shown("", None)
"""Stands where there is nothing: an empty cell in every form."""

RUN_HEADS = ("model", "run", "marks")
NUMBER_HEADS = ("value", "n", "clusters", "unscored")

_MOST_LETTERS = 40


@dataclass(frozen=True)
class NamedTable:
    """A table of a view; `name` is unique among all of a board and may be a file's."""

    view: str
    name: str
    title: str
    table: Table


def named(
    view: str, part: str, title: str, heads: Sequence[str], rows: Iterable[Sequence[TableCell]], *,
    num_labels: int, notes: Sequence[str] = (),
) -> NamedTable:  # fmt: skip
    """A table with its title as first note, so that no form loses it."""
    table = Table(tuple(heads), tuple(map(tuple, rows)), (title, *notes), num_labels)
    return NamedTable(view, "-".join(filter(None, (view, part))), title, table)


def slug(text: str) -> str:
    """`text` as a part of a file's name: letters, digits, dots and hyphens of ASCII."""
    return re.sub(r"[^A-Za-z0-9_.+]+", "-", text).strip("-.")[:_MOST_LETTERS]


def told_apart(tables: Iterable[NamedTable]) -> tuple[NamedTable, ...]:
    """`tables` that have rows, the second of two names that are alike with a number, capitals counting as small."""
    found: dict[str, NamedTable] = {}
    for one in tables:
        if one.table.rows:
            names = (one.name if number == 1 else f"{one.name}-{number}" for number in count(1))
            name = next(name for name in names if name.casefold() not in found)
            found[name.casefold()] = NamedTable(one.view, name, one.title, one.table)
    return tuple(found.values())


# -- runs


def runs_in_order(board: Board) -> list[int]:
    """The places of runs, those of the best row first."""
    return runs_in_rank([row.runs for row in board.rows], board.ranking)


def run_cells(board: Board, place: int) -> tuple[str, str, str]:
    """Model, id and marks of a run."""
    run = board.runs[place]
    return run.name, run.id, marks_of(run)


def row_cells(board: Board, row: int) -> tuple[str, str, str]:
    """Model, ids and marks of a row's runs."""
    runs = [board.runs[place] for place in board.rows[row].runs]
    marks = dict.fromkeys(mark for run in runs for mark in marks_of(run).split(", ") if mark)
    return runs[0].name, " ".join(run.id for run in runs), ", ".join(marks)


def marks_of(run: Run) -> str:
    """What must be known of a whole run before its numbers are read: ``partial sample, incomplete, unfit judge``."""
    marks = [
        *(["partial sample"] if run.is_partial else []),
        *([run.status] if run.status != "complete" else []),
        *(["unfit judge"] if run.unfit else []),
        *(["withdrawn"] if run.withdrawn else []),
    ]
    return ", ".join(marks)


# -- numbers


def number_cells(cell: Cell | None, scale: float) -> tuple[TableCell, ...]:
    """Under `NUMBER_HEADS`: the value with its interval in the unit that is shown, and what it is over."""
    if cell is None:
        return (EMPTY,) * len(NUMBER_HEADS)
    return value_cell(cell.value, cell.low, cell.high, scale), cell.n, cell.num_clusters, cell.num_unscored


def value_cell(
    value: float | None, low: float | None = None, high: float | None = None, scale: float = 1.0, *,
    is_signed: bool = False,
) -> Shown:  # fmt: skip
    """A number in the unit that is shown, empty where there is none."""
    return EMPTY if value is None else shown(value, low, high, scale, is_signed=is_signed)


def scale_cell(scale: float) -> TableCell:
    """What a stored value is multiplied by to be shown."""
    return int(scale) if scale == int(scale) else plain_cell(scale)


def plain_cell(value: object) -> TableCell:
    """A field of a record as it is: a text, a count, a number without interval, ``yes`` or ``no``, or nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return value
    return rounded(value, 3) if isinstance(value, float) else EMPTY


def number_column(head: str, cells: Sequence[Cell | None], scale: float) -> tuple[str, list[Shown]]:
    """A column of numbers that says of each over how many it is: once in its head where that is the same for all."""
    counts = {n_text(cell) for cell in cells if cell is not None and cell.value is not None}
    shared = counts.pop() if len(counts) == 1 else ""
    return f"{head}, {shared}" if shared else head, [_number(cell, scale, has_n=not shared) for cell in cells]


def n_text(cell: Cell) -> str:
    """``n 60``, with the number of clusters where samples are fewer facts than they seem."""
    return f"n {cell.n}" + (f" in {cell.num_clusters} clusters" if cell.num_clusters != cell.n else "")


def _number(cell: Cell | None, scale: float, *, has_n: bool) -> Shown:
    if cell is None:
        return EMPTY
    unscored = [f"{cell.num_unscored} unscored"] if cell.num_unscored else []
    if cell.value is None:
        return Shown(", ".join(["no value", *unscored, *cell.notes]), None, n=cell.n)
    found = shown(cell.value, cell.low, cell.high, scale)
    said = [found.text, *([n_text(cell)] if has_n else []), *unscored, *cell.notes]
    return Shown(", ".join(said), found.value, found.low, found.high, cell.n)


# -- heads


def rules_text(column: Column | MetricTable, likes: Sequence[Column] = ()) -> str:
    """Protocol and exemplars, and what else sets a column apart from those of `likes` that measure the same."""
    parts = [column.protocol, f"{column.shots}-shot"]
    parts += [f"seed {column.seed}"] if column.seed else []
    parts += [f"version {column.version}"] if column.version != "1" else []
    if isinstance(column, Column):
        same = [one for one in likes if (one.metric, one.tasks) == (column.metric, column.tasks)]
        parts += [f"data {column.data}"] if any(one.data != column.data for one in same) else []
        parts += [f"over {', '.join(column.own_parts)}"] if column.own_parts else []
    return ", ".join(parts)


def column_head(column: Column, likes: Sequence[Column]) -> str:
    """What a column is, with the way that is better and the rules."""
    arrow = "↑" if column.higher_is_better else "↓"
    return f"{column.title} {column.metric} {arrow} ({rules_text(column, likes)})"


def wide_table(
    view: str, part: str, title: str, labels: tuple[Sequence[str], Sequence[Sequence[TableCell]]],
    columns: Sequence[tuple[str, Sequence[Cell | None], float]],
) -> NamedTable:  # fmt: skip
    """A row for each of the label rows, whose heads come first, and a column for each head with cells and scale."""
    heads, rows = labels
    found = [number_column(*column) for column in columns]
    return named(
        view,
        part,
        title,
        (*heads, *(head for head, _ in found)),
        ((*row, *(cells[at] for _, cells in found)) for at, row in enumerate(rows)),
        num_labels=len(heads),
    )
