"""How far raters agree: two people, a judge and people, and all of them beyond chance.

Shares are those of Zheng et al. 2023, "Judging LLM-as-a-Judge", section 4.2: pairs of votes on one comparison that say
the same, with ties (setup 1) or without every pair in which someone called a tie (setup 2). Beyond chance:
Krippendorff's alpha over all votes, Cohen's kappa between a judge and the majority. Intervals are over prompts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from evalsuite.stats.intervals import t_interval
from evalsuite.stats.juries import nominal_alpha
from evalsuite.types import Record

from .clustering import spread_of
from .table import LOSS, OUTCOMES, WIN, Floats, Ints, VoteTable

Setup: TypeAlias = Literal["with-ties", "decided"]
SETUPS: tuple[Setup, ...] = ("with-ties", "decided")

NUM_DRAWS = 2000


class Agreement(Record, frozen=True, kw_only=True):
    """The share of `num_pairs` pairs of votes that say the same, with its 95 % interval over prompts."""

    raters: str
    setup: Setup
    language: str
    num_agree: int
    num_pairs: int
    value: float
    low: float | None
    high: float | None
    num_prompts: int


class Alpha(Record, frozen=True, kw_only=True):
    """Agreement beyond chance on `num_units` comparisons, 1 at best, with its 95 % interval over prompts."""

    raters: str
    measure: Literal["krippendorff-alpha", "cohen-kappa"]
    setup: Setup
    language: str
    value: float
    low: float | None
    high: float | None
    num_units: int
    num_votes: int


@dataclass(frozen=True)
class Units:
    """Comparisons with the votes that each got: `counts`, (units, outcomes), and the prompt group of each."""

    keys: Ints
    counts: Floats
    groups: Ints


def units_of(table: VoteTable) -> Units:
    """Votes by item and pair of systems, all seen from the system whose name is first."""
    seen, keys = table.by_comparison()
    names, first, place = np.unique(keys, return_index=True, return_inverse=True)
    counts = np.zeros((len(names), len(OUTCOMES)))
    np.add.at(counts, (place, seen.outcome), 1.0)
    return Units(names, counts, seen.group[first])


def between_people(table: VoteTable, *, language: str = "") -> tuple[Agreement, ...]:
    """Of every two votes on one comparison, whoever cast them; nothing where no comparison has two."""
    units = units_of(table)
    found = (_agreement("people", setup, language, *_pairs_within(units, setup), units.groups) for setup in SETUPS)
    return tuple(one for one in found if one is not None)


def with_judge(people: VoteTable, judge: VoteTable, *, language: str = "") -> tuple[Agreement, ...]:
    """Of every person's vote and the judge's verdict on the same comparison; nothing where there is none.

    Both tables have the same names.
    """
    humans, verdicts = units_of(people), units_of(judge)
    _, left, right = np.intersect1d(humans.keys, verdicts.keys, return_indices=True)
    found: list[Agreement | None] = []
    for setup in SETUPS:
        mine, theirs = _kept(humans.counts[left], setup), _kept(verdicts.counts[right], setup)
        agree, pairs = (mine * theirs).sum(axis=1), mine.sum(axis=1) * theirs.sum(axis=1)
        found.append(_agreement("judge and people", setup, language, agree, pairs, humans.groups[left]))
    return tuple(one for one in found if one is not None)


def _kept(counts: Floats, setup: Setup) -> Floats:
    return counts if setup == "with-ties" else counts[:, [WIN, LOSS]]


def _pairs_within(units: Units, setup: Setup) -> tuple[Floats, Floats]:
    counts = _kept(units.counts, setup)
    total = counts.sum(axis=1)
    return (counts * (counts - 1) / 2).sum(axis=1), total * (total - 1) / 2


def _agreement(
    raters: str, setup: Setup, language: str, agree: Floats, pairs: Floats, groups: Ints
) -> Agreement | None:
    total = float(pairs.sum())
    if not total:
        return None
    value = float(agree.sum()) / total
    spread = spread_of((agree - value * pairs) / total, groups, np.zeros_like(groups))
    bounds = t_interval(value, spread.stderr, spread.degrees + 1, (0.0, 1.0))
    return Agreement(
        raters=raters,
        setup=setup,
        language=language,
        num_agree=round(float(agree.sum())),
        num_pairs=round(total),
        value=value,
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        num_prompts=spread.num_groups,
    )


def alpha_of(table: VoteTable, *, seed: int, language: str = "", num_draws: int = NUM_DRAWS) -> Alpha | None:
    """Krippendorff's nominal alpha of all votes; None where all say the same, or no comparison has two.

    The interval is of prompts drawn anew, not of pairs of votes: votes on a prompt are no independent trials of it.
    """
    units = units_of(table)
    sums = _sums_by_group(_alpha_parts(units.counts), units.groups)
    value = _alpha(sums.sum(axis=0))
    if value is None:
        return None
    num_votes = units.counts.sum(axis=1)
    low, high = _drawn_bounds(sums, _alpha, seed, num_draws)
    return Alpha(
        raters="people",
        measure="krippendorff-alpha",
        setup="with-ties",
        language=language,
        value=value,
        low=low,
        high=high,
        num_units=int((num_votes > 1).sum()),
        num_votes=int(num_votes[num_votes > 1].sum()),
    )


def _alpha(parts: Floats) -> float | None:
    return nominal_alpha(tuple(map(float, parts)))


def _alpha_parts(counts: Floats) -> Floats:
    """A row for each unit: its disagreement within, and its votes by outcome; nothing of units with one vote."""
    total = counts.sum(axis=1)
    is_shared = total > 1
    within = np.where(is_shared, (total**2 - (counts**2).sum(axis=1)) / np.maximum(total - 1, 1), 0.0)
    return np.column_stack([within, counts * is_shared[:, None]])


def kappa_with_judge(
    people: VoteTable, judge: VoteTable, *, setup: Setup, seed: int, language: str = "", num_draws: int = NUM_DRAWS
) -> Alpha | None:
    """Cohen's kappa of a judge and the majority of people, comparison by comparison; without a majority it is a tie.

    Both tables have the same names. None where either says the same throughout.
    """
    humans, verdicts = units_of(people), units_of(judge)
    _, left, right = np.intersect1d(humans.keys, verdicts.keys, return_indices=True)
    mine, theirs = _majority(humans.counts[left]), _majority(verdicts.counts[right])
    kept = np.ones(len(mine), dtype=bool) if setup == "with-ties" else (mine < _TIED) & (theirs < _TIED)
    tables = np.zeros((int(kept.sum()), _KINDS * _KINDS))
    tables[np.arange(len(tables)), mine[kept] * _KINDS + theirs[kept]] = 1.0
    sums = _sums_by_group(tables, humans.groups[left][kept])
    value = _kappa(sums.sum(axis=0))
    if value is None:
        return None
    low, high = _drawn_bounds(sums, _kappa, seed, num_draws)
    return Alpha(
        raters="judge and majority",
        measure="cohen-kappa",
        setup=setup,
        language=language,
        value=value,
        low=low,
        high=high,
        num_units=len(tables),
        num_votes=2 * len(tables),
    )


_TIED, _KINDS = 2, 3


def _majority(counts: Floats) -> Ints:
    """What more votes say than anything else; a tie of either kind counts as one, and so does a split vote."""
    kinds = np.column_stack([counts[:, WIN], counts[:, LOSS], counts[:, _TIED:].sum(axis=1)])
    is_split = (kinds == kinds.max(axis=1, keepdims=True)).sum(axis=1) > 1
    found: Ints = np.where(is_split, _TIED, kinds.argmax(axis=1))
    return found


def _kappa(cells: Floats) -> float | None:
    """Of a square table, row by row (Cohen 1960)."""
    table = cells.reshape(_KINDS, _KINDS)
    total = table.sum()
    if not total:
        return None
    expected = float(table.sum(axis=0) @ table.sum(axis=1)) / total**2
    return None if expected >= 1.0 else float((np.trace(table) / total - expected) / (1.0 - expected))


def _sums_by_group(parts: Floats, groups: Ints) -> Floats:
    names, place = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), parts.shape[1]))
    np.add.at(sums, place, parts)
    return sums


def _drawn_bounds(
    sums: Floats, function: Callable[[Floats], float | None], seed: int, num_draws: int
) -> tuple[float | None, float | None]:
    """The middle 95 % of `function` over prompts drawn anew, each with its own sums; None of a single prompt."""
    if len(sums) < 2:
        return None, None
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(sums), np.full(len(sums), 1.0 / len(sums)), size=num_draws)
    found = [value for row in weights @ sums if (value := function(row)) is not None]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
