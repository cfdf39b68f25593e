"""Win rates from few people's votes and many of a judge's verdicts, right whatever the judge is like.

The judge's mean over what only it has seen is corrected by how far it is from people where both have judged; how much
it is listened to, lambda, is chosen so that the error is smallest (PPI++: Angelopoulos, Duchi and Zrnic 2023,
arXiv 2311.01453). People judge whole prompts, drawn at random, so that clusters are on one side or the other. A judge
that disagrees with people more than they do with one another is not admissible, which is found on the same
comparisons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from evalsuite.errors import DataError
from evalsuite.stats.intervals import t_interval
from evalsuite.types import Record

from .agreement import units_of
from .clustering import spread_of
from .table import Floats, Ints, Mask, VoteTable
from .win_rates import FEWEST_PROMPTS

Admission: TypeAlias = Literal["admissible", "not admissible", "undecided"]

MARGIN = 0.05
"""By how much less often than another person the judge may agree with people, and still be admissible."""


class PoweredRate(Record, frozen=True, kw_only=True):
    """The win rate, ties half, with its 95 % interval, and what people alone and the judge alone say.

    `weight` is lambda: 0 leaves the judge out. `stderr_ratio` is the error over that of people's votes alone.
    """

    system_a: str
    system_b: str
    language: str
    value: float
    low: float | None
    high: float | None
    stderr: float | None
    people_only: float
    judge_only: float
    weight: float
    stderr_ratio: float | None
    num_prompts_people: int
    num_prompts_judge: int
    num_votes: int
    num_verdicts: int


class Admissibility(Record, frozen=True, kw_only=True):
    """How often a judge agrees with a person, less how often another person does, on the same comparisons."""

    language: str
    verdict: Admission
    judge_agreement: float
    people_agreement: float
    difference: float
    low: float | None
    high: float | None
    num_units: int
    num_prompts: int


@dataclass(frozen=True)
class _Items:
    """Prompts, each in one language: what A gets from the judge, from people where they voted, and its group."""

    judge: Floats
    people: Floats
    groups: Ints


def powered_rate(
    people: VoteTable, judge: VoteTable, system_a: str, system_b: str = "", *, language: str = ""
) -> PoweredRate | None:
    """The rate of A against B, or against all that it met. Both tables have the same names.

    Only prompts that the judge has seen count. None where people's prompts, or the others, are fewer than six.
    Raises DataError where people have judged a group of prompts, one prompt in several languages, only in part.
    """
    seen = [table.of_pair(system_a, system_b) if system_b else table.of_system(system_a) for table in (people, judge)]
    items = _items(*seen)
    is_labelled = ~np.isnan(items.people)
    _check_whole(people, items.groups, is_labelled)
    labelled, rest = _part(items, is_labelled), _part(items, ~is_labelled)
    num_people, num_judge = len(np.unique(labelled.groups)), len(np.unique(rest.groups))
    if min(num_people, num_judge) < FEWEST_PROMPTS:
        return None
    weight = _weight(labelled, rest)
    corrected = labelled.people - weight * labelled.judge
    value = float(corrected.mean() + weight * rest.judge.mean())
    variance = _variance(corrected, labelled.groups) + weight**2 * _variance(rest.judge, rest.groups)
    alone = math.sqrt(_variance(labelled.people, labelled.groups))
    bounds = t_interval(value, math.sqrt(variance), num_people, (0.0, 1.0))
    assert bounds is not None
    return PoweredRate(
        system_a=system_a,
        system_b=system_b,
        language=language,
        value=min(1.0, max(0.0, value)),
        low=bounds[0],
        high=bounds[1],
        stderr=math.sqrt(variance),
        people_only=float(labelled.people.mean()),
        judge_only=float(items.judge.mean()),
        weight=weight,
        stderr_ratio=math.sqrt(variance) / alone if alone else None,
        num_prompts_people=num_people,
        num_prompts_judge=num_judge,
        num_votes=len(seen[0]),
        num_verdicts=len(seen[1]),
    )


def _items(people: VoteTable, judge: VoteTable) -> _Items:
    """By prompt, as win rates are: whatever number of votes or opponents a prompt has, it counts once."""
    keys, verdicts, groups = _means(judge)
    known, votes, _ = _means(people)
    found = np.full(len(keys), np.nan)
    _, left, right = np.intersect1d(keys, known, return_indices=True)
    found[left] = votes[right]
    return _Items(verdicts, found, groups)


def _means(table: VoteTable) -> tuple[Ints, Floats, Ints]:
    keys = table.item * len(table.languages) + table.language
    names, first, place = np.unique(keys, return_index=True, return_inverse=True)
    values = np.bincount(place, weights=table.value) / np.bincount(place)
    return names, values, table.group[first]


def _part(items: _Items, rows: Mask) -> _Items:
    return _Items(items.judge[rows], items.people[rows], items.groups[rows])


def _check_whole(people: VoteTable, groups: Ints, is_labelled: Mask) -> None:
    split = np.intersect1d(groups[is_labelled], groups[~is_labelled])
    if len(split):
        raise DataError(
            f"people have judged only a part of {people.groups[split[0]]} ({len(split)} such): prompts of one group "
            "are alike, so draw whole groups at random for people."
        )


def _weight(labelled: _Items, rest: _Items) -> float:
    """Lambda with the smallest error, from the spread of prompts, within 0 and 1."""
    shared = _covariance(labelled.people, labelled.judge, labelled.groups)
    total = _variance(labelled.judge, labelled.groups) + _variance(rest.judge, rest.groups)
    return min(1.0, max(0.0, shared / total)) if total > 0 else 0.0


def _variance(values: Floats, groups: Ints) -> float:
    return _covariance(values, values, groups)


def _covariance(first: Floats, second: Floats, groups: Ints) -> float:
    """Of two means over the same prompts, which are alike within groups."""
    names, place = np.unique(groups, return_inverse=True)
    sums = [np.bincount(place, weights=values - values.mean()) / len(values) for values in (first, second)]
    return float(sums[0] @ sums[1]) * len(names) / (len(names) - 1)


def admissibility(
    people: VoteTable, judge: VoteTable, *, language: str = "", margin: float = MARGIN
) -> Admissibility | None:
    """Whether the judge agrees with a person as another person does; None where too few prompts tell.

    Counted on comparisons that two people or more have judged, each weighing the same.
    """
    humans, verdicts = units_of(people), units_of(judge)
    _, left, right = np.intersect1d(humans.keys, verdicts.keys, return_indices=True)
    several = humans.counts[left].sum(axis=1) > 1
    mine, theirs = humans.counts[left][several], verdicts.counts[right][several]
    groups = humans.groups[left][several]
    if len(np.unique(groups)) < FEWEST_PROMPTS:
        return None
    num = mine.sum(axis=1)
    own = (mine * (mine - 1)).sum(axis=1) / (num * (num - 1))
    judged = (mine * theirs).sum(axis=1) / (num * theirs.sum(axis=1))
    gap = judged - own
    spread = spread_of((gap - gap.mean()) / len(gap), groups, np.zeros_like(groups))
    bounds = t_interval(float(gap.mean()), spread.stderr, spread.degrees + 1, (-1.0, 1.0))
    low, high = bounds or (None, None)
    return Admissibility(
        language=language,
        verdict=_verdict(low, high, margin),
        judge_agreement=float(judged.mean()),
        people_agreement=float(own.mean()),
        difference=float(gap.mean()),
        low=low,
        high=high,
        num_units=len(gap),
        num_prompts=spread.num_groups,
    )


def _verdict(low: float | None, high: float | None, margin: float) -> Admission:
    if high is not None and high < 0:
        return "not admissible"
    return "admissible" if low is not None and low > -margin else "undecided"
