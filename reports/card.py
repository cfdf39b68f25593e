"""The picture that link previews show, 1200 by 630: the best runs with intervals. The same board, the same bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.records import Board
from evalsuite.text.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CARD = "card.png"
_SIZE, _DPI = (12.0, 6.3), 100
_MOST = 8
_INK, _QUIET, _ACCENT, _PAPER = "#1d2126", "#5a626b", "#0b5a9d", "#fcfcfa"

Row = tuple[str, str, Cell]


def draw_card(board: Board) -> bytes:
    """The card as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, scale, subtitle = _rows(board)
    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    figure.text(0.05, 0.9, _cut(visible(board.title), 56), size=30, weight="bold", color=_INK)
    figure.text(0.05, 0.83, subtitle, size=17, color=_QUIET)
    if rows:
        _draw(figure.add_axes((0.36, 0.12, 0.56, 0.66)), rows, scale)
    figure.text(0.05, 0.03, "bars are 95 % intervals · evalsuite", size=14, color=_QUIET)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _rows(board: Board) -> tuple[list[Row], float, str]:
    """The best rows by rank; without ranks those of the first column."""
    if board.ranking:
        standings = board.ranking.standings[:_MOST]
        subtitle = f"mean of {len(board.ranking.columns)} columns, {len(board.rows)} rows"
        return (
            [(_ranks(one.rank_low, one.rank_high), _name(board, one.row), one.mean) for one in standings],
            100,
            subtitle,
        )
    if not board.columns:
        return [], 1.0, f"{len(board.published)} published tables" if board.published else "human preference"
    column = board.columns[0]
    cells = [(_name(board, at), row[0]) for at, row in enumerate(board.cells)]
    found = [("", name, cell) for name, cell in cells if cell is not None and cell.value is not None]
    return found[:_MOST], column.scale, _head(column)


def _name(board: Board, row: int) -> str:
    return board.runs[board.rows[row].runs[0]].name


def _ranks(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low}–{high}"


def _head(column: Column) -> str:
    return _cut(visible(f"{column.title}, {column.metric}"), 70)


def _draw(axes: Axes, rows: list[Row], scale: float) -> None:
    for place, (ranks, name, cell) in enumerate(rows):
        assert cell.value is not None
        value = cell.value * scale
        low, high = (value if end is None else end * scale for end in (cell.low, cell.high))
        axes.plot([low, high], [place, place], color=_ACCENT, linewidth=4, solid_capstyle="butt")
        axes.plot([value], [place], "o", color=_ACCENT, markersize=12, markeredgecolor=_PAPER)
        axes.text(1.01, place, f"{value:.1f}", transform=axes.get_yaxis_transform(), size=16, va="center", color=_INK)
        label = f"{ranks}   {_cut(visible(name), 26)}" if ranks else _cut(visible(name), 30)
        axes.text(
            -0.02, place, label, transform=axes.get_yaxis_transform(), size=16, va="center", ha="right", color=_INK
        )
    axes.set_ylim(max(len(rows), 4) - 0.5, -0.5)
    axes.set_yticks([])
    axes.tick_params(labelsize=14, colors=_QUIET)
    axes.grid(axis="x", color="#d9d9d2")
    axes.set_facecolor(_PAPER)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
