"""Figures of sweeps, as SVG or PNG: panels of curves, of rows, of fronts. The same chart gives the same bytes.

Series differ in colour, in the shape of their points and in their line, so that grey and any eye keep them apart.
Names come from users' files: none is read as mathematics, and what cannot be seen is spelt out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.charts import Chart, ChartPoint, ChartSeries, Panel

from ._drawing import INK, QUIET, figure_of, file_of, style, width_of
from ._votes import labels, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#0b4f8a", "#c4560a", "#12a37f", "#e8963c", "#2f9bd6", "#3a3f45", "#c65fa6", "#8a6d00")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LINES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (5, 1.4, 1.2, 1.4)))
_MOST_PANELS, _MOST_ROWS, _MOST_SERIES = 24, 60, 16
_STAIRS = {"stairs": "steps-post", "stairs-back": "steps-pre"}
_ROW = 0.24
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MARGIN = 0.12
_BOLD = 1.16
"""How much wider bold letters are, with room to spare."""


@dataclass(frozen=True)
class _Look:
    """How a series is told apart."""

    colour: str
    marker: str
    line: Any


@dataclass(frozen=True)
class _Grid:
    """Where panels stand, in inches: `left` and `below` are what the axes' own labels take."""

    columns: int
    rows: int
    width: float
    height: float
    left: float
    below: float
    above: float
    top: float

    @property
    def size(self) -> tuple[float, float]:
        """Of the figure."""
        return (
            self.columns * (self.left + self.width) + 2 * _MARGIN + 0.1,
            self.top + self.rows * (self.above + self.height + self.below) + _MARGIN,
        )

    def place(self, number: int) -> tuple[float, float, float, float]:
        """Of a panel's axes, as shares of the figure."""
        width, height = self.size
        row, column = divmod(number, self.columns)
        x = _MARGIN + column * (self.left + self.width) + self.left
        y = height - self.top - (row + 1) * (self.above + self.height) - row * self.below
        return x / width, y / height, self.width / width, self.height / height


def draw(chart: Chart, kind: Literal["svg", "png"]) -> bytes:
    """The chart as a file. A chart without panels says so in words."""
    with style():
        return file_of(_figure(chart), kind)


def _figure(chart: Chart) -> Figure:
    from matplotlib.figure import Figure

    panels = chart.panels[:_MOST_PANELS]
    series = list(dict.fromkeys(one.name for panel in panels for one in panel.series if one.name))
    joined = {one.name for panel in panels for one in panel.series if one.join != "none"}
    looks = {name: _look(place, is_joined=name in joined) for place, name in enumerate(series)}
    names = labels(series)
    notes = [*chart.notes, *_cuts(chart, series), *([] if panels else ["There is nothing to draw."])]
    legend_names = series[:_MOST_SERIES] if len(series) > 1 else []
    per_line = _per_line([names[name] for name in legend_names])
    num_lines = math.ceil(len(legend_names) / per_line)
    has_level = any(panel.level is not None and panel.level_name for panel in panels)
    lines = _wrapped(notes, 95)
    top = 0.48 + 0.17 * len(lines) + 0.2 * (num_lines + has_level) + 0.05
    grid = _grid(panels, top)
    needed = width_of([shown(chart.title)], 11), width_of(lines, 7.5), _legend_width(names, legend_names, per_line)
    width = max(grid.size[0], *(one + 0.3 for one in needed))
    figure = Figure(figsize=(width, grid.size[1]))
    _head(figure, shown(chart.title), lines)
    _legend(figure, names, looks, legend_names, per_line, 0.48 + 0.17 * len(lines), panels if has_level else ())
    for number, panel in enumerate(panels):
        x, y, wide, high = grid.place(number)
        share = grid.size[0] / width
        axes: Axes = figure.add_axes((x * share, y, wide * share, high))
        _draw_panel(axes, panel, looks)
    return figure


def _cuts(chart: Chart, series: Sequence[str]) -> list[str]:
    """What is not drawn for want of room, in words."""
    found = []
    if len(chart.panels) > _MOST_PANELS:
        found.append(f"The first {_MOST_PANELS} of {len(chart.panels)} panels.")
    if len(series) > _MOST_SERIES:
        found.append(f"The legend names the first {_MOST_SERIES} of {len(series)} series.")
    most = max((len(panel.rows) for panel in chart.panels), default=0)
    if most > _MOST_ROWS:
        found.append(f"The first {_MOST_ROWS} rows of {most}.")
    return found


def _look(place: int, *, is_joined: bool = True) -> _Look:
    return _Look(
        _COLOURS[place % len(_COLOURS)],
        _MARKERS[(place + place // len(_COLOURS)) % len(_MARKERS)],
        _LINES[place % len(_LINES)] if is_joined else "none",
    )


def _wrapped(notes: Sequence[str], width: int) -> list[str]:
    from textwrap import wrap

    return [line for note in notes for line in wrap(shown(note), width)]


def _grid(panels: Sequence[Panel], top: float) -> _Grid:
    """Row panels are as high as their rows need; curves have one size."""
    rows = max((min(len(panel.rows), _MOST_ROWS) for panel in panels), default=0)
    columns = max(1, min(len(panels), 3))
    num_rows = math.ceil(len(panels) / columns) if panels else 0
    titles = width_of([_title(panel) for panel in panels], 8.5) * _BOLD
    if rows:
        left = min(3.2, max(width_of(_row_labels(panel), 7.5) for panel in panels)) + 0.22
        return _Grid(columns, num_rows, max(2.1, titles), max(3, rows) * _ROW, left, 0.5, 0.44, top)
    return _Grid(columns, num_rows, max(2.45, titles), 1.75, 0.62, 0.55, 0.42, top)


def _title(panel: Panel) -> str:
    return _short(panel.title)


def _short(name: str) -> str:
    return next(iter(labels([name]).values()))


def _row_labels(panel: Panel) -> list[str]:
    rows = panel.rows[:_MOST_ROWS]
    names = labels(dict.fromkeys(rows))
    return [names[row] for row in rows]


# -- what stands above


def _head(figure: Figure, title: str, lines: Sequence[str]) -> None:
    width, height = figure.get_size_inches()
    figure.text(_MARGIN / width, 1 - 0.12 / height, title, size=11, weight="bold", color=INK, va="top")
    for number, line in enumerate(lines):
        figure.text(_MARGIN / width, 1 - (0.38 + 0.17 * number) / height, line, size=7.5, color=QUIET, va="top")


def _per_line(names: Sequence[str]) -> int:
    widest = max((width_of([name], 7.5) for name in names), default=1.0) + 0.55
    return max(1, min(len(names) or 1, int(7.6 / widest)))


def _legend_width(names: Mapping[str, str], chosen: Sequence[str], per_line: int) -> float:
    widest = width_of([names[name] for name in chosen], 7.5) if chosen else 0.0
    return per_line * (widest + 0.55)


def _legend(
    figure: Figure, names: Mapping[str, str], looks: Mapping[str, _Look], chosen: Sequence[str], per_line: int,
    top: float, with_level: Sequence[Panel],
) -> None:  # fmt: skip
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    step = width_of([names[name] for name in chosen], 7.5) + 0.55 if chosen else 0.0
    entries: list[tuple[float, int, str, dict[str, Any]]] = []
    for number, name in enumerate(chosen):
        line, place = divmod(number, per_line)
        look = looks[name]
        entries.append((_MARGIN + place * step, line, names[name],
                            {"color": look.colour, "marker": look.marker, "linestyle": look.line}))  # fmt: skip
    level_names = dict.fromkeys(panel.level_name for panel in with_level if panel.level_name)
    if level_names:
        text = ", ".join(map(shown, level_names))
        entries.append(
            (
                _MARGIN,
                math.ceil(len(chosen) / per_line),
                text,
                {"color": QUIET, "linestyle": (0, (2, 2)), "linewidth": 0.9},
            )
        )
    for x, line, text, options in entries:
        y = 1 - (top + 0.09 + 0.2 * line) / height
        ends = [x / width, (x + 0.15) / width, (x + 0.3) / width]
        markers = {"markersize": 4.5, "markevery": [1], "linewidth": 1.3, **options}
        figure.add_artist(Line2D(ends, [y] * 3, **markers))
        figure.text((x + 0.37) / width, y, text, size=7.5, color=INK, va="center")


# -- panels


def _draw_panel(axes: Axes, panel: Panel, looks: Mapping[str, _Look]) -> None:
    axes.spines[["right", "top"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b8bcc0")
    axes.tick_params(labelsize=7, colors=QUIET, length=2.5, width=0.6)
    axes.set_axisbelow(True)
    axes.annotate(_title(panel), (0, 1), xytext=(0, 15), textcoords="offset points", xycoords="axes fraction", size=8.5,
                  weight="bold", color=INK, va="bottom")  # fmt: skip
    if panel.note:
        axes.annotate(shown(panel.note), (0, 1), xytext=(0, 4), textcoords="offset points", xycoords="axes fraction",
                      size=7, color=QUIET, va="bottom")  # fmt: skip
    axes.set_xlabel(_fitting(axes, panel.x_label), size=7.5, color=QUIET, labelpad=2)
    if panel.rows:
        _draw_rows(axes, panel, looks)
    else:
        _draw_curves(axes, panel, looks)


def _fitting(axes: Axes, label: str) -> str:
    """The label, without its middle where it is wider than the axes and what stands left of them."""
    room = axes.get_position().width * figure_of(axes).get_size_inches()[0] + 0.5
    return shown(label) if width_of([shown(label)], 7.5) <= room else _short(label)


def _draw_rows(axes: Axes, panel: Panel, looks: Mapping[str, _Look]) -> None:
    names = _row_labels(panel)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, size=7.5, color=INK)
    axes.grid(color="#ececea", linewidth=0.6)
    axes.locator_params(axis="x", nbins=5)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if panel.level is not None:
        axes.axvline(panel.level, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    for one in panel.series:
        look = looks.get(one.name, _look(0))
        for point in one.points:
            if point.y >= len(names):
                continue
            if point.low is not None and point.high is not None:
                axes.plot([point.low, point.high], [point.y] * 2, color=look.colour, linewidth=1.3)
            axes.plot([point.x], [point.y], linewidth=0, **_dot(point, look))
    axes.margins(x=0.06)


def _draw_curves(axes: Axes, panel: Panel, looks: Mapping[str, _Look]) -> None:
    from matplotlib.ticker import NullLocator

    axes.grid(color="#ececea", linewidth=0.6)
    axes.set_ylabel(shown(panel.y_label), size=7.5, color=QUIET, labelpad=2)
    if panel.level is not None:
        axes.axhline(panel.level, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    xs = sorted({point.x for one in panel.series for point in one.points})
    middle = math.sqrt(xs[0] * xs[-1]) if xs and panel.is_log else (xs[0] + xs[-1]) / 2 if xs else 0.0
    for one in panel.series:
        _draw_series(axes, one, looks.get(one.name, _look(0)), middle)
    if panel.is_log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    if panel.is_log or (len(xs) <= 6 and any(one.join == "line" for one in panel.series)):
        ticks = _spaced(xs, is_log=panel.is_log)
        axes.set_xticks(ticks, [_size(x) for x in ticks])
    axes.margins(x=0.1, y=0.12)


def _spaced(xs: Sequence[float], *, is_log: bool) -> list[float]:
    """Of the points' own places those that leave room for a label between them."""
    if not xs:
        return []
    at = [math.log(x) if is_log else x for x in xs]
    room = (at[-1] - at[0]) / 6.5
    chosen = [0]
    for place in range(1, len(xs)):
        if at[place] - at[chosen[-1]] >= room:
            chosen.append(place)
    return [xs[place] for place in chosen]


def _draw_series(axes: Axes, one: ChartSeries, look: _Look, middle: float) -> None:
    points = sorted(one.points, key=lambda point: point.x)
    xs, ys = [point.x for point in points], [point.y for point in points]
    if one.join != "none":
        steps: dict[str, Any] = {} if one.join == "line" else {"drawstyle": _STAIRS[one.join]}
        axes.plot(xs, ys, color=look.colour, linestyle=look.line, linewidth=1.2, alpha=0.85, **steps)
    for point in points:
        if point.low is not None and point.high is not None:
            axes.plot([point.x] * 2, [point.low, point.high], color=look.colour, linewidth=1.0, alpha=0.75)
        axes.plot([point.x], [point.y], linewidth=0, **_dot(point, look))
        if point.label:
            is_right = point.x > middle
            place = (-4, 3) if is_right else (4, 3)
            axes.annotate(_short(point.label), (point.x, point.y), xytext=place, textcoords="offset points", size=6,
                          color=QUIET, ha="right" if is_right else "left")  # fmt: skip


def _dot(point: ChartPoint, look: _Look) -> dict[str, Any]:
    """Hollow where the run is not complete."""
    face = "white" if point.is_marked else look.colour
    edge = look.colour if point.is_marked else "white"
    return {"marker": look.marker, "markersize": 5.0, "markerfacecolor": face, "markeredgecolor": edge,
            "markeredgewidth": 1.1 if point.is_marked else 0.6}  # fmt: skip


def _size(value: float) -> str:
    for step, unit in _STEPS:
        if abs(value) >= step:
            return f"{value / step:.4g}{unit}"
    return f"{value:.4g}"
