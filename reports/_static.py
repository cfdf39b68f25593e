"""The tables that a page shows where there are no scripts: the same numbers, in English and in one order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from evalsuite.boards.records import Board
from evalsuite.boards.table_parts import NamedTable
from evalsuite.boards.tables import shown_tables
from evalsuite.boards.vote_tables import vote_tables
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.tables import rows_of_text
from evalsuite.text.visible import visible

from ._votes import chosen_pairs

_MOST_PAIRS = 66
_WIN_RATES = (
    *("system_a", "system_b", "scope", "language", "win_half", "win", "tie", "loss"),
    *("num_votes", "num_prompts", "num_annotators"),
)
_OF_VOTES = ("win_rates", "strengths", "quality", "agreement")


@dataclass(frozen=True)
class StaticTable:
    """A heading, heads and rows of text."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def static_tables(board: Board) -> Iterator[StaticTable]:
    """The leaderboard, one table for each metric of each family, published figures, judge cards, and votes."""
    yield from map(_static, shown_tables(board))
    if board.preference is not None:
        yield from _votes(board.preference)


def _votes(summary: PreferenceSummary) -> Iterator[StaticTable]:
    """Of many pairs those of the strongest systems."""
    chosen = chosen_pairs(summary, _MOST_PAIRS)
    rates = [rate for pair in chosen.pairs for rate in pair.rates]
    tables = {one.name.removeprefix("preference-"): one for one in vote_tables(summary, rates)}
    for name in _OF_VOTES:
        if name in tables and tables[name].table.rows:
            one = _static(tables[name])
            is_rates = name == "win_rates"
            yield replace(_only(one, _WIN_RATES), title=f"{one.title}. {chosen.note}".strip()) if is_rates else one


def _static(one: NamedTable) -> StaticTable:
    heads, *rows = map(tuple, rows_of_text(one.table))
    return StaticTable(visible(one.title), heads, tuple(rows))


def _only(table: StaticTable, heads: tuple[str, ...]) -> StaticTable:
    places = [table.heads.index(head) for head in heads]
    return StaticTable(table.title, heads, tuple(tuple(row[at] for at in places) for row in table.rows))
