"""Figures of votes for papers and cards, as SVG and PNG: the same summary gives the same bytes.

Colours keep apart for the colour-blind and in grey. Names come from files of votes: none is read as mathematics, what
cannot be seen is spelt out, and long ones lose their middle. Bytes hold for the same matplotlib and fonts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from evalsuite.preference.summary import PreferenceSummary

from ._drawing import file_of, style
from ._share_figures import quality, win_rates
from ._system_figures import matrix, ranks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIGURES: Mapping[str, Callable[[PreferenceSummary], Figure | None]] = {
    "win-rates": win_rates,
    "quality": quality,
    "ranks": ranks,
    "matrix": matrix,
}


def figures(summary: PreferenceSummary) -> dict[str, bytes]:
    """The files of every figure that the votes allow, by name. The same summary gives the same bytes."""
    found: dict[str, bytes] = {}
    with style():
        for name, draw in _FIGURES.items():
            figure = draw(summary)
            if figure is not None:
                found |= {f"{name}.{kind}": file_of(figure, kind) for kind in ("svg", "png")}
    return found
