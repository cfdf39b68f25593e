"""Runs in order of their mean over the columns they share, with the ranks that paired tests leave open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from evalsuite.boards.loading import LoadedRun, Measure
from evalsuite.boards.records import Cell, Column, Ranking, Standing
from evalsuite.comparing.sharing import joint_of_parts, shared_parts
from evalsuite.stats import intervals
from evalsuite.stats.joint_values import Joint, SharedRows, merged
from evalsuite.stats.orderings import Ordering, ordering_of, unseen_variance
from evalsuite.stats.paired_tests import Floats

_PERCENT = 100.0
"""The scale of metrics that lie between 0 and 1, which alone can be averaged."""

Values = Mapping[tuple[int, int], Measure]
"""Measures by the places of run and column."""


def ranking_of(runs: Sequence[LoadedRun], columns: Sequence[Column], values: Values) -> Ranking | None:
    """The ranking, or None without two runs that can be ranked.

    Runs that are partial or have holes are not ranked, unless all are partial alike.
    """
    reasons = {place: reason for place, run in enumerate(runs) if (reason := _not_ranked(run))}
    if len(reasons) == len(runs) and all(run.is_partial and run.result.status == "complete" for run in runs):
        reasons = {}
    eligible = [place for place in range(len(runs)) if place not in reasons]
    chosen, members = _common([at for at, one in enumerate(columns) if _is_mean_able(one)], eligible, values)
    reasons |= {place: "too few columns" for place in eligible if place not in members}
    if len(members) < 2:
        return None
    found = _joints(runs, members, chosen, values)
    if isinstance(found, str):
        return None
    joint, ordering, normalised = found
    order = sorted(range(len(members)), key=lambda at: (-joint.values[at], members[at]))
    return Ranking(
        columns=tuple(chosen),
        standings=tuple(_standing(members[at], at, joint, ordering, normalised) for at in order),
        num_pairs=ordering.num_pairs,
        unranked={runs[place].result.run_id: reason for place, reason in sorted(reasons.items())},
    )


def in_rank(num_runs: int, ranking: Ranking | None) -> list[int]:
    """The places of runs, the best first; those that are not ranked stand behind in their order."""
    ranked = [standing.run for standing in ranking.standings] if ranking else []
    return [*ranked, *(run for run in range(num_runs) if run not in ranked)]


def _not_ranked(run: LoadedRun) -> str:
    if run.result.status != "complete":
        return run.result.status
    return "partial" if run.is_partial else ""


def _is_mean_able(column: Column) -> bool:
    return column.kind != "suite" and column.scale == _PERCENT and column.higher_is_better


def _common(columns: Sequence[int], runs: Sequence[int], values: Values) -> tuple[list[int], list[int]]:
    """The columns, and the runs that have all of them, for which there are most numbers; of equals the more runs."""
    order = sorted(columns, key=lambda column: (-sum((run, column) in values for run in runs), column))
    best: tuple[tuple[int, int], list[int], list[int]] = ((0, 0), [], [])
    for count in range(1, len(order) + 1):
        chosen = order[:count]
        members = [run for run in runs if all((run, column) in values for column in chosen)]
        best = max(best, ((count * len(members), len(members)), sorted(chosen), members), key=lambda one: one[0])
    return best[1], best[2]


def _joints(
    runs: Sequence[LoadedRun], members: Sequence[int], chosen: Sequence[int], values: Values
) -> tuple[Joint, Ordering, Joint | None] | str:
    sides = [runs[place].side for place in members]
    joints: list[Joint] = []
    strata: list[tuple[SharedRows, float]] = []
    chances: list[float | None] = []
    for column in chosen:
        value = values[members[0], column]
        parts = shared_parts(sides, value)
        if isinstance(parts, str):
            return parts
        joint = joint_of_parts(sides[0], value, parts)
        if joint is None:
            return "a task has no item with a score in every run"
        joints.append(joint)
        strata += [(part, 1.0 / (len(parts) * len(chosen))) for part in parts]
        chances.append(value.chance)
    whole = merged(joints, [1.0 / len(joints)] * len(joints))
    more = unseen_variance([part for part, _ in strata], [weight for _, weight in strata])
    return whole, ordering_of(whole, more), _normalised(joints, chances)


def _normalised(joints: Sequence[Joint], chances: Sequence[float | None]) -> Joint | None:
    """The mean in which guessing scores 0 and all right 1; None where no column knows what guessing scores."""
    if all(chance is None for chance in chances):
        return None
    levels = [chance or 0.0 for chance in chances]
    weights = [1.0 / (1.0 - level) / len(levels) for level in levels]
    total = math.fsum(weights)
    whole = merged(joints, [weight / total for weight in weights])
    shift = math.fsum(weight * level for weight, level in zip(weights, levels, strict=True))
    return Joint(
        values=whole.values * total - shift,
        clusters=whole.clusters,
        influence=None if whole.influence is None else whole.influence * total,
        num_clusters=whole.num_clusters,
        n=whole.n,
        num_left_out=whole.num_left_out,
    )


def _standing(run: int, at: int, joint: Joint, ordering: Ordering, normalised: Joint | None) -> Standing:
    return Standing(
        run=run,
        mean=_cell(joint, at, (0.0, 1.0)),
        normalised=None if normalised is None else _cell(normalised, at, None),
        rank_low=ordering.rank_low[at],
        rank_high=ordering.rank_high[at],
        is_band=ordering.is_band[at],
    )


def _cell(joint: Joint, at: int, bounds: tuple[float, float] | None) -> Cell:
    one: Floats = np.zeros(len(joint.values))
    one[at] = 1.0
    contrast = joint.contrast(one)
    low, high = contrast.low, contrast.high
    if bounds is not None:
        trials = intervals.num_as_precise(contrast.value, contrast.stderr, joint.num_clusters)
        low, high = intervals.wilson(contrast.value, trials)
    return Cell(value=contrast.value, low=low, high=high, n=joint.n, num_clusters=len(joint.clusters), notes=())
