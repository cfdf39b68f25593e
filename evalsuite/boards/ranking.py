"""Rows in order of their mean over the columns they share, with the ranks that paired tests leave open."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.columns import OF_LANGUAGE_ALONE
from evalsuite.boards.loading import LoadedRun
from evalsuite.boards.records import Ranking, Standing
from evalsuite.boards.rows import Places, Values
from evalsuite.canonical import content_hash
from evalsuite.comparing.sharing import joint_of_parts, shared_parts
from evalsuite.records import RunSpec
from evalsuite.stats import intervals
from evalsuite.stats.joint_values import Joint, SharedRows, merged
from evalsuite.stats.orderings import Ordering, ordering_of, unseen_variance
from evalsuite.stats.paired_tests import Floats

_PERCENT = 100.0
"""The scale of metrics that lie between 0 and 1, which alone can be averaged."""


def ranking_of(
    runs: Sequence[LoadedRun], rows: Sequence[Places], columns: Sequence[Column], values: Values
) -> Ranking | None:
    """The ranking, or None without two rows that can be ranked.

    Runs that are partial or have holes are not ranked, nor the rows that have no others; where all rows are partial,
    those with the same samples are.
    """
    reasons = {row: reason for row, places in enumerate(rows) if (reason := _not_ranked(runs, places))}
    if len(reasons) == len(rows):
        reasons |= _partial_alike(runs, rows)
        reasons = {row: reason for row, reason in reasons.items() if reason}
    reasons = _asked_as_often(runs, rows, reasons)
    values = {place: held for place, held in values.items() if runs[held.run].result.status == "complete"}
    eligible = [row for row in range(len(rows)) if row not in reasons]
    chosen, members = _common([at for at, one in enumerate(columns) if _is_mean_able(one)], eligible, values)
    reasons |= {row: "too few columns" for row in eligible if row not in members}
    if len(members) < 2:
        return None
    found = {column: parts for column in chosen if (parts := _parts(runs, members, column, values)) is not None}
    if not found:
        return None
    mean, ordering, normalised = _means(members, found, values)
    order = sorted(range(len(members)), key=lambda at: (-mean.joint.values[at], members[at]))
    return Ranking(
        columns=tuple(found),
        standings=tuple(_standing(members[at], at, mean, ordering, normalised) for at in order),
        num_pairs=ordering.num_pairs,
        unranked={runs[rows[row][0]].result.run_id: reason for row, reason in sorted(reasons.items())},
    )


def rows_in_rank(num_rows: int, ranking: Ranking | None) -> list[int]:
    """The places of rows, the best first; those that are not ranked stand behind in their order."""
    ranked = [standing.row for standing in ranking.standings] if ranking else []
    return [*ranked, *(row for row in range(num_rows) if row not in ranked)]


def runs_in_rank(rows: Sequence[Places], ranking: Ranking | None) -> list[int]:
    """The places of runs, those of the best row first."""
    return [place for row in rows_in_rank(len(rows), ranking) for place in rows[row]]


def _partial_alike(runs: Sequence[LoadedRun], rows: Sequence[Places]) -> dict[int, str]:
    """Where all rows are partial those are ranked that took the same samples: of several such groups the largest.

    Ranks go by the items that all have, so that one small sample among larger ones would decide for all.
    """
    groups: dict[str, list[int]] = {}
    for row, places in enumerate(rows):
        whole = [run for place in places if (run := runs[place]).result.status == "complete"]
        if whole and all(run.is_partial for run in whole):
            groups.setdefault(content_hash(sorted({_sample_of(run.result.spec) for run in whole})), []).append(row)
    largest = max((len(group) for group in groups.values()), default=0)
    return next((dict.fromkeys(group, "") for group in groups.values() if len(group) == largest), {})


def _sample_of(spec: RunSpec) -> str:
    """What says which samples a run took."""
    return content_hash([spec.limit, spec.limit_mode, spec.seed, spec.rows])


def _asked_as_often(runs: Sequence[LoadedRun], rows: Sequence[Places], reasons: Mapping[int, str]) -> dict[int, str]:
    """`reasons`, and of the rows that are left those whose samples were asked another number of times than most's."""
    left = {row: max((task.repeats for place in places for task in runs[place].result.spec.tasks), default=1)
            for row, places in enumerate(rows) if row not in reasons}  # fmt: skip
    times = Counter(left.values()).most_common(1)
    others = {row: "repeated" for row, count in left.items() if count != times[0][0]}
    return {**reasons, **others}


def _not_ranked(runs: Sequence[LoadedRun], places: Places) -> str:
    """Why a row cannot be ranked: nothing of it came to its end, or what did is partial."""
    whole = [runs[place] for place in places if runs[place].result.status == "complete"]
    if not whole:
        return runs[places[0]].result.status
    return "partial" if any(run.is_partial for run in whole) else ""


def _is_mean_able(column: Column) -> bool:
    is_percentage = column.scale == _PERCENT and column.higher_is_better
    return is_percentage and column.kind != "suite" and column.metric not in OF_LANGUAGE_ALONE


def _common(columns: Sequence[int], rows: Sequence[int], values: Values) -> tuple[list[int], list[int]]:
    """The columns, and the rows that have all of them, for which there are most numbers; of equals the more rows."""
    order = sorted(columns, key=lambda column: (-sum((row, column) in values for row in rows), column))
    best: tuple[tuple[int, int], list[int], list[int]] = ((0, 0), [], [])
    for count in range(1, len(order) + 1):
        chosen = order[:count]
        members = [row for row in rows if all((row, column) in values for column in chosen)]
        best = max(best, ((count * len(members), len(members)), sorted(chosen), members), key=lambda one: one[0])
    return best[1], best[2]


def _parts(
    runs: Sequence[LoadedRun], members: Sequence[int], column: int, values: Values
) -> tuple[Joint, list[SharedRows]] | None:
    """What all rows share of a column; None where its numbers may not be held side by side, or no item is shared."""
    sides = [runs[values[row, column].run].side for row in members]
    value = values[members[0], column].measure
    parts = shared_parts(sides, value)
    if isinstance(parts, str):
        return None
    joint = joint_of_parts(sides[0], value, parts)
    return None if joint is None else (joint, parts)


@dataclass(frozen=True)
class _Mean:
    """A mean over columns, between 0 and 1, of every row; shown as ``factor * mean - shift``.

    `most` is what its rows would be worth in independent trials, beyond which no clustering lifts its precision.
    """

    joint: Joint
    most: float
    factor: float = 1.0
    shift: float = 0.0


def _means(
    members: Sequence[int], chosen: Mapping[int, tuple[Joint, list[SharedRows]]], values: Values
) -> tuple[_Mean, Ordering, _Mean | None]:
    chances = [values[members[0], column].measure.chance for column in chosen]
    plain = _mean(chosen, [1.0 / len(chosen)] * len(chosen))
    strata = [(part, 1.0 / (len(parts) * len(chosen))) for _, parts in chosen.values() for part in parts]
    more = unseen_variance([part for part, _ in strata], [weight for _, weight in strata])
    return plain, ordering_of(plain.joint, more), _normalised(chosen, chances)


def _mean(chosen: Mapping[int, tuple[Joint, list[SharedRows]]], weights: Sequence[float]) -> _Mean:
    found = list(zip(chosen.values(), weights, strict=True))
    sizes = [(len(part.names), weight / len(parts)) for (_, parts), weight in found for part in parts]
    most = intervals.num_in_mean([size for size, _ in sizes], [weight for _, weight in sizes])
    return _Mean(merged([joint for (joint, _), _ in found], list(weights)), most)


def _normalised(chosen: Mapping[int, tuple[Joint, list[SharedRows]]], chances: Sequence[float | None]) -> _Mean | None:
    """The mean in which guessing scores 0 and all right 1; None where no column knows what guessing scores."""
    if all(chance is None for chance in chances):
        return None
    levels = [chance or 0.0 for chance in chances]
    weights = [1.0 / (1.0 - level) / len(levels) for level in levels]
    total = math.fsum(weights)
    shift = math.fsum(weight * level for weight, level in zip(weights, levels, strict=True))
    return replace(_mean(chosen, [weight / total for weight in weights]), factor=total, shift=shift)


def _standing(row: int, at: int, mean: _Mean, ordering: Ordering, normalised: _Mean | None) -> Standing:
    return Standing(
        row=row,
        mean=_cell(mean, at),
        normalised=None if normalised is None else _cell(normalised, at),
        rank_low=ordering.rank_low[at],
        rank_high=ordering.rank_high[at],
        is_band=ordering.is_band[at],
    )


def _cell(mean: _Mean, at: int) -> Cell:
    """Wilson's interval of the mean between 0 and 1, on the scale that is shown."""
    joint = mean.joint
    one: Floats = np.zeros(len(joint.values))
    one[at] = 1.0
    contrast = joint.contrast(one)
    trials = intervals.num_as_precise(contrast.value, contrast.stderr, joint.num_clusters)
    ends = intervals.wilson(contrast.value, min(trials, mean.most))
    value, low, high = (mean.factor * number - mean.shift for number in (contrast.value, *ends))
    return Cell(value=value, low=low, high=high, n=joint.n, num_clusters=len(joint.clusters))
