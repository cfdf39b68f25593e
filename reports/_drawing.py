"""What the figures of votes are drawn with: one style, axes with a line for every row, bars, intervals and legends."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIN, TIE, LOSS, INK, QUIET, NEVER = "#0b4f8a", "#d8dce0", "#e8963c", "#1d2126", "#5a626b", "#e4e4e0"
_FONTS = (
    "DejaVu Sans", "Noto Sans", "Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans Devanagari", "Noto Sans CJK SC",
    "Noto Sans CJK JP", "Noto Sans SC", "WenQuanYi Zen Hei", "Noto Sans Bengali", "Noto Sans Thai", "Noto Sans Hebrew",
    "Noto Sans Symbols", "Noto Sans Symbols 2", "Noto Emoji",
)  # fmt: skip
_DPI = 150
_LINE = 0.235
"""Inches of one row."""


@contextmanager
def style() -> Iterator[None]:
    """Settings that no user's own change, and no warning for a character that no font has."""
    import matplotlib
    from matplotlib import font_manager

    known = set(font_manager.get_font_names())
    settings: dict[Any, Any] = {
        "font.family": [name for name in _FONTS if name in known],
        "font.size": 8.5,
        "text.parse_math": False,
        "text.usetex": False,
        "svg.hashsalt": "evalsuite",
        "svg.fonttype": "path",
        "hatch.linewidth": 0.7,
        "axes.unicode_minus": True,
    }
    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def file_of(figure: Figure, kind: str) -> bytes:
    """As ``svg`` or ``png``, without a date or the name of a version."""
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=_DPI, metadata=metadata, facecolor="white")
    return content.getvalue()


def canvas(num_rows: float, *, left: float, width: float, right: float, top: float, bottom: float = 0.35) -> Axes:
    """Axes `width` inches wide with a line for every row, and as many inches round them."""
    from matplotlib.figure import Figure

    height = max(1.0, num_rows) * _LINE
    total_width, total_height = left + width + right, top + height + bottom
    figure = Figure(figsize=(total_width, total_height))
    place = left / total_width, bottom / total_height, width / total_width, height / total_height
    axes: Axes = figure.add_axes(place)
    axes.set_ylim(num_rows - 0.5, -0.5)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.tick_params(left=False, labelsize=7.5, colors=QUIET)
    axes.set_yticks([])
    return axes


def width_of(texts: Iterable[str], size: float = 8.0) -> float:
    """Of the longest text, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(dpi=_DPI)
    renderer: Any = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    extents = [figure.text(0, 0, text, size=size).get_window_extent(renderer).width for text in texts]
    return float(max(extents, default=0.0)) / _DPI


def heading(axes: Axes, title: str, notes: Sequence[str]) -> None:
    """A title above all, at the left edge of the figure, and the notes below it."""
    figure = figure_of(axes)
    width, height = figure.get_size_inches()
    figure.text(0.12 / width, 1 - 0.12 / height, title, size=11, weight="bold", color=INK, va="top")
    for number, note in enumerate(filter(None, notes)):
        figure.text(0.12 / width, 1 - (0.36 + 0.17 * number) / height, note, size=7.5, color=QUIET, va="top")


def figure_of(axes: Axes) -> Figure:
    """The whole figure."""
    from matplotlib.figure import Figure

    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def legend(axes: Axes, parts: Sequence[tuple[str, str, str]], line: str) -> None:
    """Patches of (label, colour, hatch), and the interval, in one row above the axes."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor=QUIET, linewidth=0.4, label=label)
        for label, colour, hatch in parts
    ]
    handles.append(Line2D([], [], color=INK, marker="o", markersize=3.5, linewidth=1.4, label=line))
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), bbox_transform=above(axes), ncols=len(handles),
        frameon=False, fontsize=7.5, handlelength=1.6, columnspacing=1.4, borderaxespad=0.2,
    )  # fmt: skip


def above(axes: Axes) -> Any:
    """Coordinates of the axes moved up by a third of a row, so that a heading row fits below a legend."""
    from matplotlib.transforms import ScaledTranslation

    return axes.transAxes + ScaledTranslation(0, 0.08, figure_of(axes).dpi_scale_trans)


def stack(axes: Axes, row: float, parts: Sequence[tuple[float, str, str]]) -> None:
    """A bar from 0 to 1 of (share, colour, hatch)."""
    start = 0.0
    for share, colour, hatch in parts:
        if share > 0:
            axes.barh(row, share, left=start, height=0.7, color=colour, hatch=hatch, edgecolor="white", linewidth=0.6)
            if hatch:
                axes.barh(row, share, left=start, height=0.7, fill=False, hatch=hatch, edgecolor=QUIET, linewidth=0)
        start += share


def interval(axes: Axes, row: float, value: float, low: float | None, high: float | None) -> None:
    """A dot with its interval, edged in white so that it is seen on every colour."""
    if low is not None and high is not None:
        axes.plot([low, high], [row, row], color="white", linewidth=3.4, solid_capstyle="butt")
        axes.plot([low, high], [row, row], color=INK, linewidth=1.4, solid_capstyle="butt")
        axes.plot([low, high], [row, row], color=INK, linewidth=0, marker="|", markersize=6)
    axes.plot([value], [row], marker="o", markersize=4.2, color=INK, markeredgecolor="white", markeredgewidth=0.7)


def beside(axes: Axes, row: float, text: str, inches: float, **options: Any) -> None:
    """Text at so many inches right of the axes; below nought, left of them and ending there."""
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    edge = 1.0 if inches >= 0 else 0.0
    move = ScaledTranslation(inches, 0, figure_of(axes).dpi_scale_trans)
    transform = blended_transform_factory(axes.transAxes, axes.transData) + move
    side = "left" if inches >= 0 else "right"
    axes.text(edge, row, text, **{"transform": transform, "va": "center", "ha": side, "color": INK, **options})


def percent_axis(axes: Axes) -> None:
    """From 0 to 1, in percent."""
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    axes.set_axisbelow(False)
