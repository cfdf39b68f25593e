"""What judges lean to, as far as judged runs show it: longer answers, and answers of their own name.

Both are read from runs as they are, not from trials: judge cards hold trials, in which only the length differs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from evalsuite.boards.cells import Cell
from evalsuite.boards.judge_records import SelfPreference
from evalsuite.boards.judged_tasks import JudgedTask
from evalsuite.jury import ENGINE as JURY
from evalsuite.metrics import mean
from evalsuite.stats import intervals

_NOTHING = 1e-9
_SUMS = 5
_LEAST_SPREAD = 0.1
"""Doublings, root mean square: of answers more alike in length than that nothing can be said of twice the length."""

Point = tuple[int, str, float, float]
"""A run's place in its group, a cluster, doublings of length, and the judge's verdict as a share of its scale."""


# -- length


def length_slope_of(parts: Sequence[JudgedTask]) -> Cell | None:
    """What of the judge's scale goes with a doubling of the answer's length, by least squares.

    Of preferences every pair of runs has its own intercept, so that a better model that is also longer says nothing; of
    ratings every run and every question. None where lengths hardly differ, or the scale has no ends.
    """
    points = _of_pairs(parts) if parts[0].is_pair else _of_ratings(parts)
    if not points:
        return None
    width = len(parts) * _SUMS
    names, totals = intervals.cluster_totals(
        [_sums(point, width) for point in points], [cluster for _, cluster, _, _ in points]
    )
    reduce = partial(_slope, len(parts))
    value = reduce(intervals.column_sums(totals))
    if value is None:
        return None
    low, high = _interval(
        value, intervals.jackknife_stderr(intervals.jackknife_deltas(totals, reduce, value)), len(names)
    )
    return Cell(value=value, low=low, high=high, n=len(points), num_clusters=len(names))


def _of_pairs(parts: Sequence[JudgedTask]) -> list[Point]:
    return [
        (place, case.cluster, math.log2(case.lengths[0] / case.lengths[1]), case.value)
        for place, part in enumerate(parts)
        for case in part.cases.values()
        if min(case.lengths) > 0
    ]


def _of_ratings(parts: Sequence[JudgedTask]) -> list[Point]:
    """Lengths and ratings less their means over the runs, question by question."""
    span = _span(parts)
    if span is None:
        return []
    by_case: dict[str, list[Point]] = {}
    for place, part in enumerate(parts):
        for name, case in part.cases.items():
            if min(case.lengths, default=0) > 0:
                point = (place, case.cluster, math.log2(case.lengths[0]), case.value / span)
                by_case.setdefault(name, []).append(point)
    return [point for found in by_case.values() if len(found) > 1 for point in _centred(found)]


def _span(parts: Sequence[JudgedTask]) -> float | None:
    """How far the scale of ratings reaches."""
    for part in parts:
        headline = part.run.headline(part.task)
        if headline is not None and headline.bounds is not None and math.isfinite(headline.bounds[1]):
            return headline.bounds[1] - headline.bounds[0]
    return None


def _centred(found: Sequence[Point]) -> Iterator[Point]:
    x = math.fsum(point[2] for point in found) / len(found)
    y = math.fsum(point[3] for point in found) / len(found)
    yield from ((place, cluster, length - x, value - y) for place, cluster, length, value in found)


def _sums(point: Point, width: int) -> tuple[float, ...]:
    place, _, x, y = point
    found = [0.0] * width
    found[place * _SUMS : (place + 1) * _SUMS] = [1.0, x, y, x * y, x * x]
    return tuple(found)


def _slope(num_runs: int, sums: tuple[float, ...]) -> float | None:
    n, x, y, xy, xx = np.array(sums).reshape(num_runs, _SUMS).T
    known = n > 0.5
    spread = float((xx[known] - x[known] ** 2 / n[known]).sum())
    if spread <= _LEAST_SPREAD**2 * float(n.sum()):
        return None
    return float((xy[known] - x[known] * y[known] / n[known]).sum()) / spread


def _interval(value: float, stderr: float | None, num_clusters: int) -> tuple[float | None, float | None]:
    """Student's t; none where all clusters are alike, which says nothing of the error."""
    if stderr is None or stderr < _NOTHING:
        return None, None
    return intervals.t_interval(value, stderr, num_clusters, None) or (None, None)


# -- its own name


def self_preferences_of(
    parts: Sequence[JudgedTask], others: Sequence[Sequence[JudgedTask]]
) -> tuple[SelfPreference, ...]:
    """Of every run in `parts` whose model has the judge's name; `others` are other judges of the same task."""
    own = [(part, group) for part in parts if _judge(part) in part.judged.models for group in others]
    found = (_against(part, parts, group) for part, group in own if group[0].run.result.spec.model.engine != JURY)
    return tuple(one for one in found if one is not None)


def _judge(part: JudgedTask) -> str:
    return part.run.result.spec.model.name


def _against(own: JudgedTask, parts: Sequence[JudgedTask], others: Sequence[JudgedTask]) -> SelfPreference | None:
    """One judge against another over the same answers; None where these have no case in common."""
    theirs = {one.judged.runs: one for one in others}
    if not own.judged.runs or own.judged.runs not in theirs:
        return None
    gaps = _gaps(own, theirs[own.judged.runs])
    if own.is_pair:
        is_first = own.judged.models[0] == _judge(own)
        turned = {name: (cluster, gap if is_first else -gap) for name, (cluster, gap) in gaps.items()}
        return _mean_gap(own, theirs[own.judged.runs], turned, (own.judged.models[is_first],))
    rivals = [
        one for one in parts if one is not own and one.judged.runs in theirs and _judge(one) not in one.judged.models
    ]
    if not rivals:
        return None
    usual = [_gaps(one, theirs[one.judged.runs]) for one in rivals]
    more = {
        name: (cluster, gap - math.fsum(found[name][1] for found in usual) / len(usual))
        for name, (cluster, gap) in gaps.items()
        if all(name in found for found in usual)
    }
    return _mean_gap(own, theirs[own.judged.runs], more, tuple(one.judged.models[0] for one in rivals))


def _gaps(one: JudgedTask, other: JudgedTask) -> Mapping[str, tuple[str, float]]:
    """Cluster and difference, case by case, of what two judges give the same answers."""
    return {
        name: (case.cluster, case.value - other.cases[name].value)
        for name, case in one.cases.items()
        if name in other.cases
    }


def _mean_gap(
    own: JudgedTask, other: JudgedTask, gaps: Mapping[str, tuple[str, float]], rivals: tuple[str, ...]
) -> SelfPreference | None:
    headline = own.run.headline(own.task)
    if not gaps or headline is None:
        return None
    names, totals = intervals.cluster_totals(
        [(gap, 1.0) for _, gap in gaps.values()], [cluster for cluster, _ in gaps.values()]
    )
    value = math.fsum(gap for _, gap in gaps.values()) / len(gaps)
    stderr = intervals.jackknife_stderr(intervals.jackknife_deltas(totals, mean, value))
    low, high = _interval(value, stderr, len(names))
    return SelfPreference(
        run=own.place,
        other_judge=_judge(other),
        others=rivals,
        value=value,
        low=low,
        high=high,
        n=len(gaps),
        num_clusters=len(names),
        scale=headline.scale,
    )
