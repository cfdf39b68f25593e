"""Figures of votes whose rows are shares of a whole: wins, ties and losses of pairs, and quality of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.preference.quality import Quality
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.preference.win_rates import WinRate

from ._drawing import (
    INK,
    LOSS,
    QUIET,
    TIE,
    WIN,
    beside,
    canvas,
    figure_of,
    heading,
    interval,
    legend,
    percent_axis,
    stack,
    width_of,
)  # fmt: skip
from ._votes import (
    MOST_SYSTEMS,
    chosen_pairs,
    in_order,
    interval_text,
    labels,
    language_label,
    level_colours,
    percent,
    shown,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_ROWS = 66


# -- wins, ties and losses


@dataclass(frozen=True)
class _Row:
    """A line of a figure: a heading of two names, or a rate with what stands on its left and right."""

    left: str
    right: str
    rate: WinRate | None


def win_rates(summary: PreferenceSummary) -> Figure:
    """Of every pair how often it was won, tied and lost, by language and over all of them."""
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


def quality(summary: PreferenceSummary) -> Figure | None:
    """Of every system the shares of its answers at each level; None without ratings."""
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
