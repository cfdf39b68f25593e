"""Annotators whose votes deserve a second look. A flag is a question to a person; nobody's votes are dropped for it.

Each is compared with the majority of the others on the same comparisons, and with a fair coin in choosing sides, an
exact binomial test corrected for asking it of everybody (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalsuite.types import Record

from .table import LOSS, OUTCOMES, TIE, WIN, Floats, Ints, Mask, VoteTable

FALSE_DISCOVERIES = 0.05
FEWEST_VOTES = 10
"""With fewer votes that can be compared, agreement flags nobody."""

LOW_AGREEMENT = 0.1
"""Those of the lowest tenth are flagged."""

MANY_TIES = 0.95


class AnnotatorScreen(Record, frozen=True, kw_only=True):
    """One annotator. `agreement` is with the majority of the others, on `num_compared` votes where they have one.

    `left_share` is of decided votes whose sides are known, `left_chance` the chance of one as far from a half.
    """

    annotator: str
    num_votes: int
    agreement: float | None
    num_compared: int
    left_share: float | None
    left_chance: float | None
    tie_share: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class _Sides:
    share: float | None
    chance: float | None


def screen(table: VoteTable) -> tuple[AnnotatorScreen, ...]:
    """Every annotator, by name."""
    from statsmodels.stats.multitest import multipletests

    raters = np.unique(table.rater).tolist()
    agreed, compared = _agreements(table)
    sides = [_sides(table.where(table.rater == rater)) for rater in raters]
    asked = [place for place, side in enumerate(sides) if side.chance is not None]
    is_biased = np.zeros(len(raters), dtype=bool)
    if asked:
        chances = [sides[place].chance for place in asked]
        is_biased[asked] = multipletests(chances, alpha=FALSE_DISCOVERIES, method="fdr_bh")[0]
    shares = {
        rater: float(agreed[table.rater == rater].sum() / count)
        for rater in raters
        if (count := int(compared[table.rater == rater].sum()))
    }
    known = [share for rater, share in shares.items() if compared[table.rater == rater].sum() >= FEWEST_VOTES]
    low = float(np.quantile(known, LOW_AGREEMENT)) if len(known) >= FEWEST_VOTES else -1.0
    return tuple(
        _screen(table, rater, shares.get(rater), int(compared[table.rater == rater].sum()), side, bool(biased), low)
        for rater, side, biased in zip(raters, sides, is_biased, strict=True)
    )


def _screen(
    table: VoteTable, rater: int, agreement: float | None, num_compared: int, side: _Sides, is_biased: bool, low: float
) -> AnnotatorScreen:
    votes = table.where(table.rater == rater)
    tie_share = float((votes.outcome >= TIE).mean())
    is_low = agreement is not None and num_compared >= FEWEST_VOTES and agreement <= low
    flags = {
        "agrees least": is_low,
        "prefers a side": is_biased,
        "nearly all ties": len(votes) >= FEWEST_VOTES and tie_share >= MANY_TIES,
    }
    return AnnotatorScreen(
        annotator=table.raters[rater],
        num_votes=len(votes),
        agreement=agreement,
        num_compared=num_compared,
        left_share=side.share,
        left_chance=side.chance,
        tie_share=tie_share,
        flags=tuple(name for name, is_set in flags.items() if is_set),
    )


def _sides(votes: VoteTable) -> _Sides:
    from scipy.stats import binomtest

    decided: Mask = (votes.outcome < TIE) & (votes.first != 0)
    total = int(decided.sum())
    if not total:
        return _Sides(None, None)
    left = int((((votes.outcome == WIN) & (votes.first == 1)) | ((votes.outcome == LOSS) & (votes.first == -1))).sum())
    return _Sides(left / total, float(binomtest(left, total).pvalue))


def _agreements(table: VoteTable) -> tuple[Floats, Ints]:
    """Of each vote whether the others' majority says the same, and whether they have one."""
    seen, keys = table.by_comparison()
    _, place = np.unique(keys, return_inverse=True)
    counts = np.zeros((int(place.max(initial=-1)) + 1, len(OUTCOMES)))
    np.add.at(counts, (place, seen.outcome), 1.0)
    others = counts[place]
    others[np.arange(len(seen)), seen.outcome] -= 1.0
    most = others.max(axis=1)
    has_majority = (most > 0) & ((others == most[:, None]).sum(axis=1) == 1)
    agrees = has_majority & (others.argmax(axis=1) == seen.outcome)
    return agrees.astype(np.float64), has_majority.astype(np.int64)
