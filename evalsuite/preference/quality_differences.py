"""How far the shares of acceptable answers of two systems lie apart.

Only prompts that both have count, so that no difference comes from other questions. A strict rater is strict with both
systems, which takes nothing from their difference where the same people have rated both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np

from evalsuite.stats.intervals import paired_proportions, t_interval
from evalsuite.types import Record
from evalsuite.votes import QualityRating, Scale

from .clustering import Spread, spread_of
from .measures import (
    FEWEST_PROMPTS,
    NO_SPREAD,
    Bounds,
    Measure,
    chance_of,
    macro_of,
    mean_of,
    prompt_weights,
)
from .quality import QualityScope
from .rating_rows import Ratings, is_acceptable, rows_of
from .table import Floats

DifferenceInterval: TypeAlias = Literal["bootstrap-and-t", "bonett-price", ""]

NUM_DRAWS = 2000


class QualityDifference(Record, frozen=True, kw_only=True):
    """`share_a` less `share_b`, the shares acceptable of two systems over the prompts that both have.

    `low` and `high` are its 95 % interval, None with too few prompts; `stderr` is clustered by prompts and annotators,
    `p_value` the chance of such ratings without a difference, by Student's t of that error alone, and `p_adjusted` that
    among all that was asked (`families.adjusted`).
    """

    system_a: str
    system_b: str
    scope: QualityScope
    languages: tuple[str, ...]
    share_a: float
    share_b: float
    difference: float
    low: float | None
    high: float | None
    stderr: float | None
    interval: DifferenceInterval
    num_ratings: int
    num_prompts: int
    num_groups: int
    num_annotators: int
    p_value: float | None = None
    p_adjusted: float | None = None


@dataclass(frozen=True)
class _Contrast:
    """Two systems in one language: all ratings of the items of both, and the share acceptable of either.

    `sums` are the differences of prompts, `weights` the prompts' own, by row so that groups can be drawn anew.
    """

    rows: Ratings
    share_a: Measure
    share_b: Measure
    sums: Floats
    weights: Floats

    @property
    def difference(self) -> Measure:
        return Measure(self.share_a.value - self.share_b.value, self.share_a.influences - self.share_b.influences)


def quality_differences(
    ratings: Sequence[QualityRating], scale: Scale, *, seed: int, num_draws: int = NUM_DRAWS
) -> tuple[QualityDifference, ...]:
    """Every two systems, by name: in each language where both have a prompt, and where these are several their mean.

    Each end of the interval is the farther of two: the middle 95 % over prompt groups drawn anew, the same for both
    systems and all languages, which follows skewed ratings, and Student's t of the error by prompts and annotators.
    Raises ValueError for levels that the scale has not.
    """
    rows = rows_of(ratings, scale)
    acceptable = scale.levels.index(scale.acceptable)
    return tuple(
        found
        for a, b in combinations(range(len(rows.systems)), 2)
        for found in _of_pair(rows, a, b, acceptable, num_draws, seed)
    )


def _of_pair(rows: Ratings, a: int, b: int, acceptable: int, num_draws: int, seed: int) -> Iterator[QualityDifference]:
    """Both systems in each language with items of both, and the mean over these languages."""
    contrasts = {name: made for name, part in rows.by_language().items() if (made := _contrast(part, a, b, acceptable))}
    names = rows.systems[a], rows.systems[b]
    for name, contrast in contrasts.items():
        yield _difference(names, "language", {name: contrast}, num_draws, seed)
    if len(contrasts) > 1:
        yield _difference(names, "macro", contrasts, num_draws, seed)


def _contrast(rows: Ratings, a: int, b: int, acceptable: int) -> _Contrast | None:
    """Of the ratings in one language; None without an item that both have."""
    shared = np.intersect1d(rows.item[rows.system == a], rows.item[rows.system == b])
    if not len(shared):
        return None
    both = rows.at(np.isin(rows.system, (a, b)) & np.isin(rows.item, shared))
    weights_a, weights_b = (_weights_of(both, system) for system in (a, b))
    values = is_acceptable(both, acceptable)
    return _Contrast(
        rows=both,
        share_a=mean_of(weights_a, values),
        share_b=mean_of(weights_b, values),
        sums=(weights_a - weights_b) * values,
        weights=weights_a,
    )


def _weights_of(rows: Ratings, system: int) -> Floats:
    """Of one system's ratings as `prompt_weights` has them; nothing for the others'."""
    is_its = rows.system == system
    weights = np.zeros(len(rows))
    weights[is_its] = prompt_weights(rows.item[is_its])
    return weights


def _difference(
    names: tuple[str, str],
    scope: QualityScope,
    contrasts: Mapping[str, _Contrast],
    num_draws: int,
    seed: int,
) -> QualityDifference:
    """Over the languages of `contrasts`, each of the same weight."""
    made = list(contrasts.values())
    measure = macro_of([contrast.difference for contrast in made])
    groups = np.concatenate([contrast.rows.group for contrast in made])
    raters, languages = (
        np.concatenate([getattr(contrast.rows, name) for contrast in made]) for name in ("rater", "language")
    )
    spread = spread_of(measure.influences, groups, raters, languages)
    bounds, kind = _bounds(measure.value, spread, made, num_draws, seed)
    return QualityDifference(
        system_a=names[0],
        system_b=names[1],
        scope=scope,
        languages=tuple(contrasts),
        share_a=float(np.mean([contrast.share_a.value for contrast in made])),
        share_b=float(np.mean([contrast.share_b.value for contrast in made])),
        difference=measure.value,
        low=bounds.low if bounds else None,
        high=bounds.high if bounds else None,
        stderr=spread.stderr,
        interval=kind,
        num_ratings=len(groups),
        num_prompts=sum(len(np.unique(contrast.rows.item)) for contrast in made),
        num_groups=spread.num_groups,
        num_annotators=spread.num_raters,
        p_value=chance_of(measure.value, spread) if bounds else None,
    )


def _bounds(
    value: float, spread: Spread, contrasts: Sequence[_Contrast], num_draws: int, seed: int
) -> tuple[Bounds | None, DifferenceInterval]:
    """None with too few prompts; where prompts are all alike, each group counts as one trial of two."""
    if spread.fewest_groups < FEWEST_PROMPTS or spread.stderr is None:
        return None, ""
    if spread.stderr < NO_SPREAD:
        gained, lost = max(value, 0.0) * spread.num_groups, max(-value, 0.0) * spread.num_groups
        low, high = paired_proportions(gained, lost, spread.num_groups)
        return Bounds(low=low, high=high), "bonett-price"
    by_t = t_interval(value, spread.stderr, spread.degrees + 1, (-1.0, 1.0))
    assert by_t is not None
    low, high = np.quantile(_drawn(contrasts, num_draws, seed), [0.025, 0.975])
    return Bounds(low=min(by_t[0], float(low)), high=max(by_t[1], float(high))), "bootstrap-and-t"


def _drawn(contrasts: Sequence[_Contrast], num_draws: int, seed: int) -> Floats:
    """The difference in each draw of prompt groups, without the draws that leave a language no prompt."""
    groups = np.unique(np.concatenate([contrast.rows.group for contrast in contrasts]))
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(groups), np.full(len(groups), 1.0 / len(groups)), size=num_draws)
    total = np.zeros(num_draws)
    for contrast in contrasts:
        place = np.searchsorted(groups, contrast.rows.group)
        sums, weights = (
            counts @ np.bincount(place, weights=column, minlength=len(groups))
            for column in (contrast.sums, contrast.weights)
        )
        total += np.divide(sums, weights, out=np.full(num_draws, np.nan), where=weights > 0) / len(contrasts)
    found: Floats = total[~np.isnan(total)]
    return found
