"""A leaderboard as data for programs: one small file beside its page, canonical JSON, of the very records of the board.

`docs/leaderboard.schema.json` describes it; it is made of these records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.published_records import PublishedTable
from evalsuite.boards.records import Board, LedgerHead, Ranking, Row, Run
from evalsuite.canonical import canonical_json
from evalsuite.types import Record


class NamedCell(Cell, frozen=True, kw_only=True, array_like=False):
    """A number of a run, by its id, in a column, by its id, with all that is needed to read it.

    Values, ends and cases times the column's scale are what is shown. Where nothing was run there is no such object.
    """

    run: str
    column: str


class BoardFile(Record, frozen=True, kw_only=True):
    """A leaderboard. `columns` are the page's, in its order; `rows` are models, by places in `runs`;
    `ranking` goes by places in `rows` and `columns`.

    `parts` are the headlines of single tasks, and so of languages, that are no columns of their own. `published` are
    figures of others, as they printed them: no runs, never ranked. `redactions` is how many parts of texts the page
    does not tell; no text is here.
    """

    schema: Literal["evalsuite-leaderboard"]
    version: Literal[1]
    title: str
    evalsuite: str
    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    parts: tuple[Column, ...]
    cells: tuple[NamedCell, ...]
    ranking: Ranking | None
    published: tuple[PublishedTable, ...]
    ledger: LedgerHead | None
    redactions: int


def file_beside(page: Path) -> Path:
    """Where the data of a page lie: ``leaderboard.json`` of ``index.html``, else ``NAME.leaderboard.json``."""
    return page.with_name("leaderboard.json" if page.stem == "index" else f"{page.stem}.leaderboard.json")


def board_json(board: Board) -> str:
    """The content of the file. The same board gives the same bytes."""
    return canonical_json(_file_of(board)) + "\n"


def schema_json() -> str:
    """The JSON Schema (2020-12) of the file, as ``docs/leaderboard.schema.json`` has it."""
    found: dict[str, Any] = msgspec.json.schema(BoardFile)
    for one in found["$defs"].values():
        if "description" in one:
            one["description"] = " ".join(one["description"].split())
    front = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "evalsuite leaderboard, version 1"}
    return json.dumps({**front, **found}, ensure_ascii=True, indent=1, sort_keys=True) + "\n"


def _file_of(board: Board) -> BoardFile:
    parts = {column.id: column for column, _, _ in _singles(board)}
    for column in board.columns:
        parts.pop(column.id, None)
    return BoardFile(
        schema="evalsuite-leaderboard",
        version=1,
        title=board.title,
        evalsuite=board.evalsuite,
        runs=board.runs,
        rows=board.rows,
        columns=board.columns,
        parts=tuple(parts.values()),
        cells=(
            *(
                _named(cell, board.runs[run], column)
                for row, of_row in zip(board.rows, board.cells, strict=True)
                for run, cell, column in zip(row.sources, of_row, board.columns, strict=True)
                if run is not None and cell is not None
            ),
            *(_named(cell, board.runs[run], column) for column, run, cell in _singles(board) if column.id in parts),
        ),
        ranking=board.ranking,
        published=board.published,
        ledger=board.ledger,
        redactions=board.redactions,
    )


def _singles(board: Board) -> Iterator[tuple[Column, int, Cell]]:
    """Column, run and cell of every task's headline."""
    for family in board.families:
        for table in family.tables:
            if table.is_primary and table.kind == "tasks":
                for run, row in zip(table.rows, table.cells, strict=True):
                    yield from ((column, run, cell) for column, cell in zip(table.columns, row, strict=True) if cell)


def _named(cell: Cell, run: Run, column: Column) -> NamedCell:
    return NamedCell(**{name: getattr(cell, name) for name in Cell.__struct_fields__}, run=run.id, column=column.id)
