"""The tables of a leaderboard's views, for papers and programs: those that its page saves and shows. Pure.

Of the leaderboard and of each family there is a table as people read it, a run a row; all others have a row a number,
with all that sets it apart. Figures are in the unit that is shown: `scale` times what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evalsuite.boards.cells import Cell
from evalsuite.boards.evidence import PageData
from evalsuite.boards.judge_tables import judge_tables
from evalsuite.boards.published_records import PublishedCell, PublishedTable
from evalsuite.boards.ranking import rows_in_rank
from evalsuite.boards.records import Board, Standing
from evalsuite.boards.run_tables import compare_tables, provenance_tables
from evalsuite.boards.sample_records import TaskSamples
from evalsuite.boards.table_parts import (
    EMPTY,
    NUMBER_HEADS,
    RUN_HEADS,
    NamedTable,
    column_head,
    named,
    number_cells,
    row_cells,
    run_cells,
    runs_in_order,
    scale_cell,
    slug,
    told_apart,
    wide_table,
)
from evalsuite.boards.task_tables import family_tables, language_tables, task_tables
from evalsuite.boards.vote_tables import vote_tables
from evalsuite.tables import Cell as TableCell
from evalsuite.tables import Shown

_PERCENT = 100.0


def tables_of(data: PageData, views: Iterable[str]) -> tuple[NamedTable, ...]:
    """The tables of `views`, in their order, those that have rows; each has a name of its own.

    Raises KeyError for a view that there is not.
    """
    return told_apart(one for view in dict.fromkeys(views) for one in _tables(data, view))


def _tables(data: PageData, view: str) -> Iterable[NamedTable]:
    if view == "samples":
        return [sample_table(data.board, data.samples)]
    return {
        "leaderboard": leaderboard_tables,
        "languages": language_tables,
        "task": task_tables,
        "preference": lambda board: vote_tables(board.preference) if board.preference else (),
        "judges": judge_tables,
        "compare": compare_tables,
        "published": published_tables,
        "provenance": provenance_tables,
    }[view](data.board)


def shown_tables(board: Board) -> tuple[NamedTable, ...]:
    """Those that a page shows where there are no scripts, but for votes: as people read them, judge cards in full."""
    cards = (one for one in judge_tables(board) if one.name == "judges-cards")
    found = (leaderboard_table(board), *family_tables(board), *published_tables(board), *cards)
    return tuple(one for one in found if one.table.rows)


# -- the leaderboard


def leaderboard_tables(board: Board) -> Iterator[NamedTable]:
    """The leaderboard as it is read, and its numbers one a row."""
    yield leaderboard_table(board)
    yield named(
        "leaderboard",
        "numbers",
        f"{board.title}: numbers",
        (*RUN_HEADS, "rank_low", "rank_high", "column", "metric", "protocol", "shots", "scale", *NUMBER_HEADS),
        (line for row in rows_in_rank(len(board.rows), board.ranking) for line in _numbers(board, row)),
        num_labels=8,
    )


def leaderboard_table(board: Board) -> NamedTable:
    """A model a row, the best first, a column a headline."""
    order = rows_in_rank(len(board.rows), board.ranking)
    standings = _standings(board)
    means: list[Cell | None] = [standings[row].mean if row in standings else None for row in order]
    labels = (*RUN_HEADS, "ranks") if standings else RUN_HEADS
    mean = [("mean of the ranked columns", means, _PERCENT)] if standings else []
    columns = [
        (column_head(column, board.columns), [board.cells[row][at] for row in order], column.scale)
        for at, column in enumerate(board.columns)
    ]
    rows = [(*row_cells(board, row), *([_ranks(board, row)] if standings else [])) for row in order]
    return wide_table("leaderboard", "", board.title, (labels, rows), [*mean, *columns])


def _standings(board: Board) -> dict[int, Standing]:
    return {one.row: one for one in board.ranking.standings} if board.ranking else {}


def _ranks(board: Board, row: int) -> str:
    """``1 to 3``: a spreadsheet would take 1-3 for a date."""
    one = _standings(board).get(row)
    if one is None:
        first = board.runs[board.rows[row].runs[0]].id
        reason = board.ranking.unranked.get(first, "") if board.ranking else ""
        return f"not ranked: {reason}" if reason else "not ranked"
    return str(one.rank_low) if one.rank_low == one.rank_high else f"{one.rank_low} to {one.rank_high}"


def _numbers(board: Board, row: int) -> Iterator[tuple[TableCell, ...]]:
    standing = _standings(board).get(row)
    ranks = (EMPTY, EMPTY) if standing is None else (standing.rank_low, standing.rank_high)
    if standing is not None:
        front = (*row_cells(board, row), *ranks)
        yield (*front, "mean", "", "", "", int(_PERCENT), *number_cells(standing.mean, _PERCENT))
    for column, cell, run in zip(board.columns, board.cells[row], board.rows[row].sources, strict=True):
        if cell is not None and run is not None:
            rules = (column.title, column.metric, column.protocol, column.shots, scale_cell(column.scale))
            yield (*run_cells(board, run), *ranks, *rules, *number_cells(cell, column.scale))


# -- figures of others


def published_tables(board: Board) -> Iterator[NamedTable]:
    """Each as its authors printed it, every row saying that others published it, and where."""
    for table in board.published:
        yield named(
            "published",
            slug(table.title),
            f"{table.title} (published by others, not ranked with runs)",
            ("published in", *table.labels, *table.columns),
            (
                (" ".join(filter(None, (table.source, table.date))), *labels, *map(_published, cells))
                for labels, cells in zip(table.rows, table.cells, strict=True)
            ),
            num_labels=1 + len(table.labels),
            notes=tuple(_about(table)),
        )


def _about(table: PublishedTable) -> Iterator[str]:
    yield f"source: {table.source}" + (f", {table.date}" if table.date else "")
    if table.unit:
        yield f"unit: {table.unit}"
    yield "higher is better" if table.higher_is_better else "lower is better"
    yield from table.notes


def _published(cell: PublishedCell | None) -> TableCell:
    """Digit for digit as it was printed; for programs the number, where it is one."""
    if cell is None:
        return EMPTY
    if cell.number is None:
        return cell.text
    bounds = f" [{cell.low:g}, {cell.high:g}]" if cell.low is not None and cell.high is not None else ""
    said = cell.text + bounds + (f", n {cell.n}" if cell.n is not None else "")
    return Shown(said, cell.number, cell.low, cell.high, cell.n)


# -- samples


def sample_table(board: Board, samples: Iterable[TaskSamples]) -> NamedTable:
    """How every run did on every sample, with its answer as far as the page holds it."""
    order = runs_in_order(board)
    return named(
        "samples",
        "",
        f"{board.title}: samples",
        ("task", "sample", "language", "category", "run", "model", "status", "flags", "cause", "answer"),
        (
            (found.task, facts.id, facts.language, facts.category, board.runs[run].id, board.runs[run].name,
             answer.status, " ".join(answer.flags), answer.cause, answer.answer)
            for found in samples
            for at, facts in enumerate(found.samples)
            for run in order
            if run in found.runs and (answer := found.answers[found.runs.index(run)][at]) is not None
        ),
        num_labels=10,
    )  # fmt: skip
