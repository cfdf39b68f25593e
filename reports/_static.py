"""The tables that a page shows where there are no scripts: the same numbers, in English and in one order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalsuite.boards.records import Board, Cell, Column, Standing
from evalsuite.judge_cards import CardMeasure
from evalsuite.text.visible import visible


@dataclass(frozen=True)
class StaticTable:
    """A heading, heads and rows of text."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def static_tables(board: Board) -> tuple[StaticTable, ...]:
    """The leaderboard, one table for each metric of each family, and the judge cards."""
    found = [_leaderboard(board)] if board.runs else []
    return (*found, *_families(board), *([_cards(board)] if board.cards else []))


def _leaderboard(board: Board) -> StaticTable:
    standings = {one.run: one for one in board.ranking.standings} if board.ranking else {}
    order = [*standings, *(run for run in range(len(board.runs)) if run not in standings)]
    ranked = ("Rank", "Mean") if standings else ()
    return StaticTable(
        title="Leaderboard",
        heads=("Model", *ranked, *map(_head, board.columns)),
        rows=tuple(
            (
                _name(board, run),
                *(_standing(standings.get(run)) if standings else ()),
                *(_cell(cell, column) for cell, column in zip(board.cells[run], board.columns, strict=True)),
            )
            for run in order
        ),
    )


def _families(board: Board) -> Iterator[StaticTable]:
    for family in board.families:
        for table in family.tables:
            rules = f"{table.protocol}, {table.shots}-shot"
            yield StaticTable(
                title=visible(f"{family.name}: {table.metric} ({rules})"),
                heads=("Model", *(visible(column.label) for column in table.columns)),
                rows=tuple(
                    (
                        _name(board, run),
                        *(_cell(cell, column) for cell, column in zip(cells, table.columns, strict=True)),
                    )
                    for run, cells in zip(table.rows, table.cells, strict=True)
                ),
            )


def _cards(board: Board) -> StaticTable:
    """Every card's verdict, and the figures that speak against the judge."""
    return StaticTable(
        title="Judge cards",
        heads=("Judge", "Protocol", "Language", "Verdict", "Out of bounds"),
        rows=tuple(
            (
                visible(card.model),
                visible(card.protocol),
                visible(card.language),
                "admissible" if card.is_admissible else "not admissible",
                "; ".join(_measure(one) for one in card.measures if not one.is_kept),
            )
            for card in board.cards
        ),
    )


def _measure(one: CardMeasure) -> str:
    what = visible(" ".join(filter(None, (one.what.replace("_", " "), one.name))))
    if one.value is None:
        return f"{what}: not known, n {one.n}"
    bounds = "no interval" if one.low is None or one.high is None else f"{100 * one.low:.1f} – {100 * one.high:.1f}"
    return f"{what}: {100 * one.value:.1f} % ({bounds}), n {one.n}".replace("-", "\N{MINUS SIGN}")


def _name(board: Board, run: int) -> str:
    one = board.runs[run]
    marks = [
        *(["partial sample"] if one.is_partial else []),
        *([one.status] if one.status != "complete" else []),
        *(["unfit judge"] if one.unfit else []),
    ]
    return visible(one.name) + (f" ({', '.join(marks)})" if marks else "") + f" {one.id[:8]}"


def _standing(one: Standing | None) -> tuple[str, str]:
    if one is None:
        return "not ranked", ""
    ranks = f"{one.rank_low}" if one.rank_low == one.rank_high else f"{one.rank_low}–{one.rank_high}"
    return ranks, _number(one.mean, 100.0)


def _head(column: Column) -> str:
    arrow = "↑" if column.higher_is_better else "↓"
    return visible(f"{column.title} {column.metric} {arrow} ({column.protocol}, {column.shots}-shot)")


def _cell(cell: Cell | None, column: Column) -> str:
    return "" if cell is None else _number(cell, column.scale)


def _number(cell: Cell, scale: float) -> str:
    if cell.value is None:
        return f"no value, {cell.num_unscored} unscored"
    half = (cell.high - cell.low) / 2 * scale if cell.low is not None and cell.high is not None else None
    decimals = 1 if half is None or half >= 0.5 else 2 if half >= 0.05 or scale == 100.0 else 3
    bounds = "no interval" if cell.low is None or cell.high is None else (
        f"{cell.low * scale:.{decimals}f} – {cell.high * scale:.{decimals}f}"
    )  # fmt: skip
    unscored = f", {cell.num_unscored} unscored" if cell.num_unscored else ""
    return f"{cell.value * scale:.{decimals}f} ({bounds}), n {cell.n}{unscored}".replace("-", "\N{MINUS SIGN}")
