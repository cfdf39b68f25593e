"""Tables of judges: what they say of each run, replies without a verdict, what they lean to, and their cards. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.judge_records import Judging
from evalsuite.boards.records import Board
from evalsuite.boards.table_parts import (
    EMPTY,
    NUMBER_HEADS,
    RUN_HEADS,
    NamedTable,
    named,
    number_cells,
    run_cells,
    scale_cell,
    value_cell,
)
from evalsuite.boards.task_tables import family_tables
from evalsuite.tables import Cell as TableCell

Line = tuple[TableCell, ...]
_FRONT = ("benchmark", "judge", "judging_model", "protocol", "against", "task", "language")
_PERCENT = 100.0


def judge_tables(board: Board) -> Iterator[NamedTable]:
    """Benchmarks that judges alone score as they are read; metrics, replies and leanings by judge; judge cards."""
    yield from (one for one in family_tables(board) if one.view == "judges")
    found: tuple[tuple[str, str, tuple[str, ...], Callable[[Board, Judging], Iterator[Line]]], ...] = (
        ("metrics", "what judges say", (*RUN_HEADS, "metric", "scale", *NUMBER_HEADS), _metrics),
        ("unparsed", "replies without a verdict", (*RUN_HEADS, "unparsed", "asked", "share", "missing"), _unparsed),
        ("leanings", "what judges lean to",
         ("leaning", "model", "other_judge", "scale", "value", "n", "clusters"), _leanings),
    )  # fmt: skip
    for part, title, heads, lines in found:
        rows = ((*_front(board, one), *line) for one in board.judgings for line in lines(board, one))
        yield named("judges", part, f"{board.title}: {title}", (*_FRONT, *heads), rows, num_labels=len(_FRONT) + 3)
    yield _cards(board)


def _front(board: Board, one: Judging) -> Line:
    task = board.tasks[one.task]
    return task.family, one.judge, one.model, one.protocol, one.rival, task.name, task.language


def _metrics(board: Board, one: Judging) -> Iterator[Line]:
    """Every metric of the judge's runs of this task, headline first."""
    runs = {part.run for part in one.runs}
    for column, cells in sorted(_columns(board, one), key=lambda found: not found[0].is_primary):
        for run, cell in cells:
            if run in runs and cell is not None:
                head = (column.metric, scale_cell(column.scale))
                yield (*run_cells(board, run), *head, *number_cells(cell, column.scale))


def _columns(board: Board, one: Judging) -> Iterator[tuple[Column, list[tuple[int, Cell | None]]]]:
    task = board.tasks[one.task]
    for family in board.families:
        for table in family.tables if family.name == task.family else ():
            for at, column in enumerate(table.columns):
                rules = (column.protocol, column.version, column.data) == (one.protocol, one.version, one.data)
                if not column.kind and column.tasks == (task.name,) and rules:
                    yield column, [(run, row[at]) for run, row in zip(table.rows, table.cells, strict=True)]


def _unparsed(board: Board, one: Judging) -> Iterator[Line]:
    for part in one.runs:
        rate = part.unparsed
        share = value_cell(rate.count / rate.n, rate.low, rate.high) if rate.n else EMPTY
        yield (*run_cells(board, part.run), rate.count, rate.n, share, part.num_missing)


def _leanings(board: Board, one: Judging) -> Iterator[Line]:
    slope = one.length_slope
    if slope is not None:
        value = value_cell(slope.value, slope.low, slope.high, is_signed=True)
        yield "length", "", "", 1, value, slope.n, slope.num_clusters
    for own in one.self_preferences:
        value = value_cell(own.value, own.low, own.high, own.scale, is_signed=True)
        front = ("self", board.runs[own.run].name, own.other_judge, scale_cell(own.scale))
        yield (*front, value, own.n, own.num_clusters)


def _cards(board: Board) -> NamedTable:
    """Every figure of every card with its limit, in percent."""
    return named(
        "judges",
        "cards",
        f"{board.title}: judge cards",
        (
            *("judge", "judging_model", "protocol", "language", "verdict", "measure", "name"),
            *("value", "n", "without_verdict", "must_be", "limit", "kept"),
        ),
        (
            (
                *(card.judge, card.model, card.protocol, card.language),
                "admissible" if card.is_admissible else "not admissible",
                *(one.what, one.name),
                value_cell(one.value, one.low, one.high, _PERCENT),
                *(one.n, one.num_unscored, one.bound),
                value_cell(one.limit, scale=_PERCENT),
                "yes" if one.is_kept else "no",
            )
            for card in board.cards
            for one in card.measures
        ),
        num_labels=7,
    )
