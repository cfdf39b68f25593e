"""Stacked bars of the preference view, as coordinates of its inline drawings, and cells of shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ._format import Cell
from ._votes import interval_text, percent

BAR = 220.0
"""How wide bars are drawn."""


@dataclass(frozen=True)
class Segment:
    """A part of a bar, of a kind that the style sheet colours, or in a `colour` of its own."""

    kind: str
    start: str
    width: str
    end: str
    colour: str


@dataclass(frozen=True)
class Bar:
    """A stacked bar with a dot and its interval, and in words what it shows; `has_half` draws the line of no winner."""

    segments: tuple[Segment, ...]
    at: str
    low: str | None
    high: str | None
    words: str
    has_half: bool


def bar_of(
    parts: Iterable[tuple[str, float, str]],
    value: float,
    low: float | None,
    high: float | None,
    *,
    words: str,
    has_half: bool,
) -> Bar:
    """A bar of (kind, share, colour) from the left, with `value` and its interval on it."""
    segments, start = [], 0.0
    for kind, share, colour in parts:
        if share > 0:
            segments.append(Segment(kind, _at(start), _at(share), _at(start + share), colour))
        start += share
    low_at, high_at = (None if bound is None else _at(bound) for bound in (low, high))
    return Bar(tuple(segments), _at(value), low_at, high_at, words, has_half)


def _at(share: float) -> str:
    return f"{BAR * share:.2f}"


def share_cell(value: float, low: float | None, high: float | None, n: str = "") -> Cell:
    """A share in percent with its interval."""
    return Cell(value=percent(value, low, high), interval=interval_text(low, high), n=n)
