"""Figures of votes that set systems side by side: the ranks that stay open, and the matrix of all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evalsuite.preference.summary import PreferenceSummary, RankedSystem
from evalsuite.preference.win_rates import WinRate

from ._drawing import INK, NEVER, QUIET, above, beside, canvas, figure_of, heading, width_of
from ._votes import MOST_SYSTEMS, headlines, labels, percent, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_RANKS = 60


# -- ranks


_MARKERS = {"half": "o", "dropped": "x", "davidson": "+"}
_MEANINGS = {"half": "ties half", "dropped": "ties left out", "davidson": "ties an outcome (Davidson)"}


def ranks(summary: PreferenceSummary) -> Figure | None:
    """The ranks that the votes leave each system; None without a ranking."""
    if summary.ranking is None:
        return None
    every = summary.ranking.systems
    rows = every[:_MOST_RANKS]
    names = labels(row.system for row in rows)
    note = "" if len(rows) == len(every) else f"The first {len(rows)} of {len(every)} systems."
    told = "Bars: ranks that the votes leave open, all pairs together (95 %, Holm)."
    if rows[0].rank_low is None:
        told = "Too few prompts to say which ranks the votes leave open."
    top = 0.95 + 0.17 * bool(note)
    axes = canvas(len(rows), left=width_of(names.values()) + 0.2, width=4.2, right=2.6, top=top, bottom=0.5)
    for place, row in enumerate(rows):
        _draw_rank(axes, place, row, names[row.system])
    axes.set_xlim(0.4, len(every) + 0.6)
    axes.set_xlabel("rank", color=QUIET, size=8)
    axes.set_xticks(_rank_ticks(len(every)))
    axes.grid(axis="x", color="#ececea", linewidth=0.6)
    axes.set_axisbelow(True)
    beside(axes, -1.0, "strength in log-odds", 0.12, color=QUIET, size=7.5)
    _rank_legend(axes, rows)
    heading(axes, "Ranks", (told, note))
    return figure_of(axes)


def _rank_ticks(num_systems: int) -> list[int]:
    """The first and the last rank, and round ones between that leave these room."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 10**6) if num_systems / step <= 12)
    between = [rank for rank in range(step, num_systems, step) if 1 < rank <= num_systems - max(1, step // 2)]
    return [1, *between, num_systems]


def _draw_rank(axes: Axes, place: int, row: RankedSystem, name: str) -> None:
    beside(axes, place, name, -0.08, size=8)
    if row.rank_low is not None and row.rank_high is not None:
        start, width = row.rank_low - 0.3, row.rank_high - row.rank_low + 0.6
        axes.barh(place, width, left=start, height=0.62, color="#a9c6e2", linewidth=0)
    for ties in _told(row):
        rank, size = row.ranks[ties], 4.5 if ties == "half" else 6
        axes.plot([rank], [place], marker=_MARKERS[ties], color=INK, markersize=size, linewidth=0,
                  markerfacecolor="white", markeredgewidth=1.0)  # fmt: skip
    low, high = row.low, row.high
    bounds = "too few prompts" if low is None or high is None else f"{signed(low)} – {signed(high)}"
    beside(axes, place, f"{signed(row.strength)}  [{bounds}]", 0.12)
    beside(axes, place, f"{row.num_votes} votes", 1.6, color=QUIET, size=7.5)


def _told(row: RankedSystem) -> list[str]:
    """The ways to treat ties that leave a ranking, drawn one over another."""
    return [ties for ties in _MARKERS if ties in row.ranks]


def _rank_legend(axes: Axes, rows: Sequence[RankedSystem]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, marker=_MARKERS[ties], linewidth=0, markerfacecolor="white", label=_MEANINGS[ties])
        for ties in _told(rows[0])
    ]
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), bbox_transform=above(axes), ncols=len(handles),
        frameon=False, fontsize=7.5, handlelength=1.2, columnspacing=1.4, borderaxespad=0.2,
    )  # fmt: skip


# -- the matrix of pairs


def matrix(summary: PreferenceSummary) -> Figure | None:
    """Every system against every other; None of fewer than three, of whom the rates say all."""
    if len(summary.systems) < 3:
        return None
    from matplotlib.figure import Figure

    systems = summary.systems[:MOST_SYSTEMS]
    names = labels(systems)
    size = len(systems)
    cell = 0.78
    longest = width_of(names.values())
    left, top, right, bottom = longest + 0.25, 0.65 * longest + 0.95, 0.77 * longest, 0.2
    width, height = left + cell * size + right, top + cell * size + bottom
    figure = Figure(figsize=(width, height))
    axes: Axes = figure.add_axes((left / width, bottom / height, cell * size / width, cell * size / height))
    for row, column, rate in _cells(systems, headlines(summary)):
        _draw_cell(axes, row, column, rate)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    axes.xaxis.tick_top()
    shown_names = [names[system] for system in systems]
    axes.set_xticks(range(size), shown_names, rotation=40, ha="left", rotation_mode="anchor", size=8)
    axes.set_yticks(range(size), shown_names, size=8)
    is_all = size == len(summary.systems)
    scope = ", the mean of the languages that a pair has" if len(summary.languages) > 1 else ""
    told = f"How often the row's system is preferred to the column's, in %, ties half{scope}; 95 % interval; n votes."
    rest = "" if is_all else f" The first {size} of {len(summary.systems)} systems."
    grey = f"Grey: never compared; without colour: too few prompts for an interval.{rest}"
    heading(axes, "Every two systems", (told, grey))
    return figure


def _cells(
    systems: Sequence[str], found: Mapping[tuple[str, str], WinRate]
) -> Iterator[tuple[int, int, tuple[float, float | None, float | None, int] | None]]:
    """Row, column, and the value with its interval and votes as the row's system sees it; None where never compared."""
    for row, a in enumerate(systems):
        for column, b in enumerate(systems):
            if row == column:
                continue
            if rate := found.get((a, b)):
                yield row, column, (rate.win_half, rate.low, rate.high, rate.num_votes)
            elif rate := found.get((b, a)):
                low, high = (None if bound is None else 1 - bound for bound in (rate.high, rate.low))
                yield row, column, (1 - rate.win_half, low, high, rate.num_votes)
            else:
                yield row, column, None


def _draw_cell(axes: Axes, row: int, column: int, cell: tuple[float, float | None, float | None, int] | None) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    if cell is None:
        axes.add_patch(Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=NEVER, edgecolor="none"))
        return
    value, low, high, num_votes = cell
    is_known = low is not None and high is not None
    colour, edge = (colormaps["cividis"](0.12 + 0.88 * value), "none") if is_known else ("white", NEVER)
    axes.add_patch(Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=colour, edgecolor=edge))
    ink = "white" if is_known and value < 0.5 else INK
    bounds = "no interval" if low is None or high is None else f"{100 * low:.0f} – {100 * high:.0f}"
    axes.text(column, row - 0.2, percent(value, low, high), ha="center", va="center", color=ink, size=9, weight="bold")
    axes.text(column, row + 0.06, bounds, ha="center", va="center", color=ink, size=6.5)
    axes.text(column, row + 0.29, f"n {num_votes}", ha="center", va="center", color=ink, size=6.5)
