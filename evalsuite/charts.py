"""What a figure shows, as values: panels of points with intervals, which a report of the group draws. Pure.

Numbers are in the unit they are shown in. What is missing is absent; nothing here stands for it.
"""

from __future__ import annotations

from typing import Literal

from evalsuite.types import Record


class ChartPoint(Record, frozen=True, kw_only=True):
    """A value over `x`, with its interval where it has one. `is_marked` points are drawn hollow: partial or incomplete.

    `label` is written beside the point, where there is one.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    label: str = ""
    is_marked: bool = False


class ChartSeries(Record, frozen=True, kw_only=True):
    """Points of one name, joined in the order of `x`.

    `stairs` are what can be had for up to so much, `stairs-back` for so much or more.
    """

    name: str
    points: tuple[ChartPoint, ...]
    join: Literal["line", "stairs", "stairs-back", "none"] = "line"


class Panel(Record, frozen=True, kw_only=True):
    """One pair of axes. `level` is a value drawn across, guessing for example, named `level_name`.

    `rows` name the places 0, 1, ... of a vertical axis of names; then a point's `x` is its value and `y` its place.
    """

    title: str
    series: tuple[ChartSeries, ...]
    x_label: str = ""
    y_label: str = ""
    is_log: bool = False
    level: float | None = None
    level_name: str = ""
    rows: tuple[str, ...] = ()
    note: str = ""


class Chart(Record, frozen=True, kw_only=True):
    """A figure: a heading, notes below it, and panels side by side."""

    title: str
    notes: tuple[str, ...]
    panels: tuple[Panel, ...]
