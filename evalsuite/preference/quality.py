"""How good each system's answers are found: the share that is acceptable, and how levels of quality are spread.

As with win rates every prompt counts the same: ratings are averaged within a prompt, then prompts, then languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from evalsuite.types import Record
from evalsuite.votes import QualityRating, Scale

from .clustering import spread_of
from .measures import (
    Bounds,
    IntervalKind,
    Measure,
    bounds_of,
    kind_of,
    macro_of,
    mean_of,
    prompt_weights,
)
from .rating_rows import Ratings, is_acceptable, num_prompts_of, rows_of

QualityScope: TypeAlias = Literal["language", "macro"]


class Quality(Record, frozen=True, kw_only=True):
    """What ratings say of one system's answers, in one language or as the mean over `languages`.

    `share_acceptable` are those at the scale's acceptable level or above, with the 95 % interval `low` to `high`;
    `interval` says how it was made as in `WinRate`, and is empty with too few prompts. `levels` has the share of each
    level from the worst to the best, `intervals` theirs. `design_effect` is how many times the variance of
    `share_acceptable` is that of independent ratings. `num_groups` are the source prompts behind `num_prompts`.
    """

    system: str
    scope: QualityScope
    languages: tuple[str, ...]
    share_acceptable: float
    low: float | None
    high: float | None
    stderr: float | None
    interval: IntervalKind
    degrees: int
    levels: Mapping[str, float]
    intervals: Mapping[str, Bounds]
    num_ratings: int
    num_prompts: int
    num_groups: int
    num_annotators: int
    design_effect: float | None = None


def qualities(ratings: Sequence[QualityRating], scale: Scale) -> tuple[Quality, ...]:
    """Every system, by name: in each language that it has, and where these are several their macro mean.

    Raises ValueError for levels that the scale has not.
    """
    rows = rows_of(ratings, scale)
    parts = [(name, rows.at(rows.system == place)) for place, name in enumerate(rows.systems)]
    return tuple(found for name, part in parts for found in _of_system(part, name, scale))


def _of_system(rows: Ratings, system: str, scale: Scale) -> Iterator[Quality]:
    parts = rows.by_language()
    measured = {name: _measures(part, scale) for name, part in parts.items()}
    for name, part in parts.items():
        yield _quality(system, "language", (name,), part, measured[name], scale)
    if len(parts) > 1:
        joined = [macro_of(found) for found in zip(*measured.values(), strict=True)]
        ordered = rows.at(np.argsort(rows.language, kind="stable"))
        yield _quality(system, "macro", tuple(parts), ordered, joined, scale)


def _measures(rows: Ratings, scale: Scale) -> list[Measure]:
    """The share acceptable, then that of each level."""
    weights = prompt_weights(rows.item)
    wanted = [is_acceptable(rows, scale.levels.index(scale.acceptable))]
    wanted += [(rows.level == place).astype(np.float64) for place in range(len(scale.levels))]
    return [mean_of(weights, values) for values in wanted]


def _quality(
    system: str,
    scope: QualityScope,
    languages: tuple[str, ...],
    rows: Ratings,
    measures: list[Measure],
    scale: Scale,
) -> Quality:
    share, *levels = measures
    spread = spread_of(share.influences, rows.group, rows.rater, rows.language)
    bounds = bounds_of(share.value, spread)
    spreads = [spread_of(level.influences, rows.group, rows.rater, rows.language) for level in levels]
    found = [bounds_of(level.value, each) for level, each in zip(levels, spreads, strict=True)]
    return Quality(
        system=system,
        scope=scope,
        languages=languages,
        share_acceptable=share.value,
        low=bounds.low if bounds else None,
        high=bounds.high if bounds else None,
        stderr=spread.stderr,
        interval=kind_of(spread) if bounds else "",
        degrees=spread.degrees,
        levels={name: level.value for name, level in zip(scale.levels, levels, strict=True)},
        intervals={name: made for name, made in zip(scale.levels, found, strict=True) if made},
        num_ratings=len(rows),
        num_prompts=num_prompts_of(rows),
        num_groups=spread.num_groups,
        num_annotators=spread.num_raters,
        design_effect=spread.design_effect,
    )
