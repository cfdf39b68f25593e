"""The preference view's ratings of quality: how the levels are spread, and how far systems lie apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalsuite.preference.quality import Quality
from evalsuite.preference.quality_differences import QualityDifference
from evalsuite.preference.summary import PreferenceSummary, QualityFindings

from ._bars import Bar, bar_of, share_cell
from ._format import Cell
from ._votes import (
    MOST_SYSTEMS,
    chance_text,
    counts_of,
    in_order,
    language_detail,
    language_label,
    level_colours,
    percent,
    points,
    points_text,
    shown,
)


@dataclass(frozen=True)
class QualityRow:
    """One system in one language, or over several."""

    label: str
    detail: str
    is_total: bool
    bar: Bar
    share: Cell
    levels: tuple[Cell, ...]
    counts: tuple[str, ...]


@dataclass(frozen=True)
class DifferenceRow:
    """How far the shares acceptable of two systems lie apart."""

    system_a: str
    system_b: str
    label: str
    difference: Cell
    p: str
    counts: tuple[str, ...]


@dataclass(frozen=True)
class QualityView:
    """All ratings on one scale."""

    levels: tuple[tuple[str, str], ...]
    acceptable: str
    systems: tuple[tuple[str, tuple[QualityRow, ...]], ...]
    differences: tuple[DifferenceRow, ...]


def build_quality(findings: QualityFindings, summary: PreferenceSummary) -> QualityView:
    """Of every system, in the summary's order."""
    scale = findings.scale
    colours = dict(zip(scale.levels, level_colours(len(scale.levels)), strict=True))
    by_system: dict[str, list[Quality]] = {}
    for found in findings.qualities:
        by_system.setdefault(found.system, []).append(found)
    order = [name for name in summary.systems if name in by_system]
    order += [name for name in by_system if name not in order]
    return QualityView(
        levels=tuple((shown(level), colours[level]) for level in reversed(scale.levels)),
        acceptable=shown(scale.acceptable),
        systems=tuple((shown(name), _quality_rows(by_system[name], colours)) for name in order),
        differences=tuple(map(_difference, _headlines(findings.differences, summary.systems[:MOST_SYSTEMS]))),
    )


def _headlines(differences: Sequence[QualityDifference], top: Sequence[str]) -> list[QualityDifference]:
    """Of each pair among `top`, the mean over its languages, or its one language."""
    found: dict[tuple[str, str], QualityDifference] = {}
    for one in differences:
        if one.scope == "macro" or (one.system_a, one.system_b) not in found:
            found[one.system_a, one.system_b] = one
    return [one for names, one in found.items() if set(names) <= set(top)]


def _quality_rows(found: Sequence[Quality], colours: Mapping[str, str]) -> tuple[QualityRow, ...]:
    order = in_order({one.languages[0] for one in found})
    ranked = sorted(found, key=lambda one: (one.scope == "macro", order.index(one.languages[0])))
    return tuple(_quality_row(one, colours) for one in ranked)


def _quality_row(found: Quality, colours: Mapping[str, str]) -> QualityRow:
    """The best levels on the left, so that the share acceptable is where they end."""
    is_mean = found.scope == "macro"
    levels = list(colours)[::-1]
    parts = [("level", found.levels[level], colours[level]) for level in levels]
    words = ", ".join(f"{shown(level)} {percent(found.levels[level])} %" for level in levels)
    return QualityRow(
        label="mean" if is_mean else language_label(found.languages[0]),
        detail=f"of {len(found.languages)} languages alike" if is_mean else language_detail(found.languages[0]),
        is_total=is_mean,
        bar=bar_of(parts, found.share_acceptable, found.low, found.high, words=words, has_half=False),
        share=share_cell(found.share_acceptable, found.low, found.high),
        levels=tuple(_level(found, level) for level in levels),
        counts=counts_of(found.num_ratings, "rating", found.num_prompts, found.num_groups, found.num_annotators),
    )


def _level(found: Quality, level: str) -> Cell:
    bounds = found.intervals.get(level)
    return share_cell(found.levels[level], bounds.low if bounds else None, bounds.high if bounds else None)


def _difference(found: QualityDifference) -> DifferenceRow:
    value, bounds = points(found.difference, found.low, found.high), points_text(found.low, found.high)
    is_mean = found.scope == "macro"
    return DifferenceRow(
        system_a=shown(found.system_a),
        system_b=shown(found.system_b),
        label=f"mean of {len(found.languages)} languages" if is_mean else language_label(found.languages[0]),
        difference=Cell(value=value, interval=bounds),
        p=chance_text(found.p_adjusted),
        counts=counts_of(found.num_ratings, "rating", found.num_prompts, found.num_groups, found.num_annotators),
    )
