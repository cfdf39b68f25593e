"""Ratings of quality as columns, so that many of them are counted at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalsuite.votes import QualityRating, Scale

from .table import Floats, Ints, Mask, coded


@dataclass(frozen=True)
class Ratings:
    """Ratings, one a row: places in the sorted names, and in `level` on the scale."""

    systems: tuple[str, ...]
    languages: tuple[str, ...]
    system: Ints
    language: Ints
    item: Ints
    group: Ints
    rater: Ints
    level: Ints

    def __len__(self) -> int:
        return len(self.level)

    def at(self, places: Mask | Ints) -> Ratings:
        """The rows at `places`, or those of a mask."""
        columns = ("system", "language", "item", "group", "rater", "level")
        return replace(self, **{name: getattr(self, name)[places] for name in columns})

    def by_language(self) -> dict[str, Ratings]:
        """The rows of each language that has any."""
        parts = {name: self.at(self.language == place) for place, name in enumerate(self.languages)}
        return {name: part for name, part in parts.items() if len(part)}


def rows_of(ratings: Sequence[QualityRating], scale: Scale) -> Ratings:
    """`ratings` in their order. Raises ValueError for levels that the scale has not."""
    if scale.acceptable not in scale.levels:
        raise ValueError(f"{scale.name}: the acceptable level {scale.acceptable!r} is not among {scale.levels}")
    unknown = sorted({rating.level for rating in ratings} - set(scale.levels))
    if unknown:
        named = ", ".join(map(repr, unknown))
        raise ValueError(f"not on the scale {scale.name!r}: {named}; expected one of {', '.join(scale.levels)}")
    systems, system = coded([rating.system for rating in ratings])
    languages, language = coded([rating.language for rating in ratings])
    return Ratings(
        systems=systems,
        languages=languages,
        system=system,
        language=language,
        item=coded([rating.item for rating in ratings])[1],
        group=coded([rating.group for rating in ratings])[1],
        rater=coded([rating.rater for rating in ratings])[1],
        level=np.array([scale.levels.index(rating.level) for rating in ratings], dtype=np.int64),
    )


def is_acceptable(rows: Ratings, acceptable: int) -> Floats:
    """One for each row at the level `acceptable` or above, nought for the others."""
    return (rows.level >= acceptable).astype(np.float64)


def num_prompts_of(rows: Ratings) -> int:
    """Prompts, one in two languages being two."""
    return len(np.unique(rows.language * (int(rows.item.max()) + 1) + rows.item))
