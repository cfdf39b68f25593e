"""Figures of votes for papers and cards, as SVG and PNG: the same summary gives the same bytes.

Colours keep apart for the colour-blind and in grey. Names come from files of votes: none is read as mathematics, what
cannot be seen is spelt out, and long ones lose their middle. Bytes hold for the same matplotlib and fonts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.preference.quality import Quality
from evalsuite.preference.summary import PreferenceSummary, RankedSystem
from evalsuite.preference.win_rates import WinRate

from ._drawing import (
    INK,
    LOSS,
    NEVER,
    QUIET,
    TIE,
    WIN,
    above,
    beside,
    canvas,
    figure_of,
    file_of,
    heading,
    interval,
    legend,
    percent_axis,
    stack,
    style,
    width_of,
)  # fmt: skip
from ._votes import (
    MOST_SYSTEMS,
    chosen_pairs,
    headlines,
    in_order,
    interval_text,
    labels,
    language_label,
    level_colours,
    percent,
    shown,
    signed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_ROWS, _MOST_RANKS = 66, 60


def figures(summary: PreferenceSummary) -> dict[str, bytes]:
    """The files of every figure that the votes allow, by name. The same summary gives the same bytes."""
    found: dict[str, bytes] = {}
    with style():
        for name, draw in _FIGURES.items():
            figure = draw(summary)
            if figure is not None:
                found |= {f"{name}.{kind}": file_of(figure, kind) for kind in ("svg", "png")}
    return found


# -- wins, ties and losses


@dataclass(frozen=True)
class _Row:
    """A line of a figure: a heading of two names, or a rate with what stands on its left and right."""

    left: str
    right: str
    rate: WinRate | None


def _win_rates(summary: PreferenceSummary) -> Figure:
    is_many = len(summary.languages) > 1
    per_pair = max(len(pair.rates) for pair in chosen_pairs(summary, 10**6).pairs) + 1
    chosen = chosen_pairs(summary, max(1, _MOST_ROWS // per_pair))
    names = labels(name for pair in chosen.pairs for name in (pair.system_a, pair.system_b))
    rows: list[_Row] = []
    for pair in chosen.pairs:
        left, right = names[pair.system_a], names[pair.system_b]
        if is_many:
            rows.append(_Row(left, right, None))
            rows += [_Row(_scope(rate), "", rate) for rate in pair.rates]
        else:
            rows.append(_Row(left, right, pair.rates[0]))
    rates = [rate for pair in chosen.pairs for rate in pair.rates]
    notes = ("A tie counts half in the win rate. Bars are of prompts that weigh the same; intervals are 95 %, over "
             "prompts and annotators.", chosen.note, _one_language(summary))  # fmt: skip
    margin = width_of(row.left for row in rows if row.rate) + 0.2
    column = width_of(row.right for row in rows if row.rate) + 0.24
    top = 0.78 + 0.17 * len(list(filter(None, notes[1:])))
    axes = canvas(len(rows), left=margin, width=3.9, right=column + 3.0, top=top)
    for place, row in enumerate(rows):
        _draw_row(axes, place, row, column)
    percent_axis(axes)
    axes.axvline(0.5, color=INK, linewidth=0.8, linestyle=(0, (3, 2)), zorder=3)
    legend(axes, _tie_legend(rates), "win rate, ties half")
    heading(axes, "Wins, ties and losses", notes)
    return figure_of(axes)


def _scope(rate: WinRate) -> str:
    return language_label(rate.language) if rate.scope == "language" else {"macro": "mean", "pooled": "all votes"}.get(
        rate.scope, rate.scope
    )  # fmt: skip


def _one_language(summary: PreferenceSummary) -> str:
    if len(summary.languages) > 1:
        return ""
    return f"Language: {language_label(summary.languages[0].language)}."


def _tie_legend(rates: Sequence[WinRate]) -> list[tuple[str, str, str]]:
    told = any(rate.tie_good is not None for rate in rates)
    untold = any(rate.tie_good is None for rate in rates)
    return [
        ("left wins", WIN, ""),
        *((("both good", TIE, ""), ("both bad", TIE, "/////")) if told else ()),
        *((("tie of either kind", TIE, "....") if told else ("tie", TIE, ""),) if untold else ()),
        ("right wins", LOSS, ""),
    ]


def _draw_row(axes: Axes, place: int, row: _Row, column: float) -> None:
    """A heading over its bars, or a bar with its numbers `column` inches beside it."""
    if row.rate is None:
        axes.text(0.0, place + 0.12, row.left, va="center", ha="left", color=INK, weight="bold", size=8)
        axes.text(1.0, place + 0.12, row.right, va="center", ha="right", color=INK, weight="bold", size=8)
        return
    rate = row.rate
    beside(axes, place, row.left, -0.08, size=8, weight="bold" if rate.scope == "macro" else "normal")
    beside(axes, place, row.right, 0.08, size=8)
    stack(axes, place, _parts(rate))
    interval(axes, place, rate.win_half, rate.low, rate.high)
    value = percent(rate.win_half, rate.low, rate.high)
    beside(axes, place, f"{value}  [{interval_text(rate.low, rate.high)}]", column)
    counts = f"{rate.num_votes} votes, {rate.num_prompts} prompts"
    beside(axes, place, counts, column + 1.35, color=QUIET, size=7.5)


def _parts(rate: WinRate) -> list[tuple[float, str, str]]:
    if rate.tie_good is None or rate.tie_bad is None:
        ties = [(rate.tie, TIE, "")]
    else:
        ties = [(rate.tie_good, TIE, ""), (rate.tie_bad, TIE, "/////")]
    return [(rate.win, WIN, ""), *ties, (rate.loss, LOSS, "")]


# -- quality


def _quality(summary: PreferenceSummary) -> Figure | None:
    if summary.quality is None:
        return None
    scale = summary.quality.scale
    by_system: dict[str, list[Quality]] = {}
    for found in summary.quality.qualities:
        by_system.setdefault(found.system, []).append(found)
    per_system = max(map(len, by_system.values())) + 1
    ordered = [system for system in summary.systems if system in by_system]
    ordered += [system for system in by_system if system not in ordered]
    systems = ordered[: max(1, min(MOST_SYSTEMS, _MOST_ROWS // per_system))]
    names = labels(systems)
    is_all = len(systems) == len(by_system)
    note = "" if is_all else f"{len(systems)} of {len(by_system)} systems, those that stand first."
    told = f"Acceptable is “{shown(scale.acceptable)}” or better. Intervals are 95 %, over prompts and annotators."
    num_rows = sum(len(by_system[system]) + 1 for system in systems)
    axes = canvas(num_rows, left=0.95, width=3.9, right=3.1, top=0.78 + 0.17 * bool(note))
    place = 0
    colours = level_colours(len(scale.levels))
    for system in systems:
        axes.text(0.0, place + 0.12, names[system], va="center", ha="left", color=INK, weight="bold", size=8)
        for number, found in enumerate(_by_language(by_system[system]), 1):
            levels = [(found.levels[level], colour, "") for level, colour in zip(scale.levels, colours, strict=True)]
            _draw_quality(axes, place + number, found, levels[::-1])
        place += len(by_system[system]) + 1
    percent_axis(axes)
    level_names = labels(scale.levels)
    entries = [(level_names[level], colour, "") for level, colour in zip(scale.levels, colours, strict=True)]
    legend(axes, entries[::-1], "share acceptable")
    heading(axes, "Quality of answers", (told, note))
    return figure_of(axes)


def _by_language(found: Sequence[Quality]) -> list[Quality]:
    order = in_order({one.languages[0] for one in found})
    return sorted(found, key=lambda one: (one.scope == "macro", order.index(one.languages[0])))


def _draw_quality(axes: Axes, place: int, found: Quality, levels: Sequence[tuple[float, str, str]]) -> None:
    """The best levels on the left, so that the share acceptable is where they end."""
    is_mean = found.scope == "macro"
    label = "mean" if is_mean else language_label(found.languages[0])
    beside(axes, place, label, -0.08, size=8, weight="bold" if is_mean else "normal")
    stack(axes, place, levels)
    interval(axes, place, found.share_acceptable, found.low, found.high)
    value = percent(found.share_acceptable, found.low, found.high)
    beside(axes, place, f"{value}  [{interval_text(found.low, found.high)}]", 0.12)
    beside(axes, place, f"{found.num_ratings} ratings, {found.num_prompts} prompts", 1.47, color=QUIET, size=7.5)


# -- ranks


_MARKERS = {"half": "o", "dropped": "x", "davidson": "+"}
_MEANINGS = {"half": "ties half", "dropped": "ties left out", "davidson": "ties an outcome (Davidson)"}


def _ranks(summary: PreferenceSummary) -> Figure | None:
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


def _matrix(summary: PreferenceSummary) -> Figure | None:
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


_FIGURES: Mapping[str, Callable[[PreferenceSummary], Figure | None]] = {
    "win-rates": _win_rates,
    "quality": _quality,
    "ranks": _ranks,
    "matrix": _matrix,
}
