"""How far a candidate lies from a baseline on the same items: difference, error, interval, chance. Pure.

A difference of two statistics over the same rows is itself a statistic, so clusters, means over tasks and random
samples of a family are treated as in `estimates` and `aggregates`. A gain is a difference towards better, whichever
way that is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.metrics import MEAN
from evalsuite.records import AggregateKind, Estimate
from evalsuite.stats import intervals
from evalsuite.stats.paired_tests import Floats, mcnemar, sign_flips, tango
from evalsuite.types import Record

ONE_SIDED = 0.95
"""The confidence of the bound that a gate asks about."""

_NO_SPREAD = 1e-12

Test = Literal["mcnemar-exact", "sign-flips", "jackknife-t", "none"]
IntervalMethod = Literal["tango", "tango-clustered", "jackknife-t", "no-spread", "none"]


class Difference(Record, frozen=True, kw_only=True):
    """One metric of one task, or its mean over `tasks`, in two runs: `difference` is candidate less baseline.

    `low` and `high` are the 95 % interval of the difference; `least_gain` and `most_gain` are one-sided bounds of the
    gain, at 95 % unless asked otherwise. They are None where no bound is known. `p_worse` is the chance of a gain as
    low were there none, `p_value` that of a difference as far from 0, `p_adjusted` the latter among all that were asked
    (Holm 1979). `num_gained` and `num_lost` count right/wrong items right in the candidate or the baseline alone; None
    for other metrics. `variance` is that of one item's difference, clusters counted in: the squared error times `n`.
    `num_left_out` items have no score on one side or both. `p_segments` is sacrebleu's own two-sided chance for a
    corpus score (see `translation_tests`), which takes segments for independent whatever documents they are of.
    """

    name: str
    kind: Literal["task"] | AggregateKind
    family: str
    language: str
    metric: str
    protocol: str
    signature: str
    tasks: tuple[str, ...]
    baseline: float
    candidate: float
    difference: float
    stderr: float | None
    low: float | None
    high: float | None
    least_gain: float | None
    most_gain: float | None
    interval: IntervalMethod
    p_worse: float
    p_value: float
    test: Test
    n: int
    num_clusters: int
    num_left_out: int
    variance: float | None
    num_gained: int | None = None
    num_lost: int | None = None
    p_adjusted: float | None = None
    p_segments: float | None = None
    higher_is_better: bool = True
    scale: float = 1.0

    @property
    def gain(self) -> float:
        """The difference towards better."""
        return self.difference if self.higher_is_better else -self.difference


@dataclass(frozen=True)
class PairedRows:
    """One metric of one task in two runs, over the samples that both have a count for.

    `estimate` is the candidate's, for what the metric is. `baseline` and `candidate` are summed vectors, (rows, width),
    in the order of `names`, the samples' ids. `num_left_out` samples lack a count on one side or both;
    `num_available` is how many rows the task has.
    """

    estimate: Estimate
    reduce: intervals.Reduce
    names: tuple[str, ...]
    clusters: tuple[str, ...]
    baseline: Floats
    candidate: Floats
    num_left_out: int
    num_available: int

    @property
    def is_linear(self) -> bool:
        """Whether the metric is the mean of one value a row."""
        if self.estimate.formula != MEAN:
            return False
        return bool((self.baseline[:, 1] == 1.0).all() and (self.candidate[:, 1] == 1.0).all())

    @property
    def is_binary(self) -> bool:
        """Whether each row is right or wrong."""
        values = np.concatenate([self.baseline[:, 0], self.candidate[:, 0]])
        return self.is_linear and bool(((values == 0.0) | (values == 1.0)).all())

    @cached_property
    def gains(self) -> Floats:
        """Of a linear metric, what each row gains, (rows,)."""
        found: Floats = (self.candidate[:, 0] - self.baseline[:, 0]) * self.sign
        return found

    @property
    def sign(self) -> float:
        """1 where more is better, else -1."""
        return 1.0 if self.estimate.higher_is_better else -1.0


@dataclass(frozen=True)
class _Part:
    """Something that differs, a task or a family: both values, and what each of its clusters adds to the gain.

    `influence` squared sums to the squared error. `sums` add up to the gain itself; None where that is no sum.
    `gained` and `lost` are shares of items (weighted), None where these are not right or wrong. `trials` and
    `num_clusters` are what items and clusters are worth after weighing.
    """

    baseline: float
    candidate: float
    clusters: tuple[str, ...]
    influence: Floats | None
    sums: Floats | None
    gained: float | None
    lost: float | None
    trials: float
    num_clusters: float


@dataclass(frozen=True)
class PairedGroup:
    """Tasks of one family whose mean is compared: `macro` weighs tasks alike, `micro` their rows.

    `by_row` gives, for a random sample of a family, the weight of one row of each task (see
    `aggregates.mean_of_tasks`); only means of one value a row can be weighed so. A group of one task is that task.
    """

    name: str
    kind: AggregateKind
    parts: tuple[PairedRows, ...]
    by_row: Mapping[str, float] | None = None


def difference_of(rows: PairedRows, confidence: float = ONE_SIDED) -> Difference | None:
    """The difference on one task; None without a row, or where one side has no value.

    `confidence` is that of the one-sided bounds.
    """
    part = _part(rows)
    return None if part is None else _difference(rows.estimate.task, "task", [rows], part, confidence)


def mean_difference(group: PairedGroup, confidence: float = ONE_SIDED) -> Difference | None:
    """The difference of the mean over a group; None where a task has no value."""
    if len(group.parts) == 1:
        return difference_of(group.parts[0], confidence)
    part = _part_of_group(group)
    return None if part is None else _difference(group.name, group.kind, group.parts, part, confidence)


def mean_of_groups(name: str, groups: Sequence[PairedGroup], confidence: float = ONE_SIDED) -> Difference | None:
    """The difference of the unweighted mean of several groups; clusters that they share enter once."""
    found = [_part_of_group(group) for group in groups]
    known = [part for part in found if part is not None]
    if not groups or len(known) < len(groups):
        return None
    whole = _merged(known, [1.0 / len(known)] * len(known))
    return _difference(name, "suite", [rows for group in groups for rows in group.parts], whole, confidence)


def _part_of_group(group: PairedGroup) -> _Part | None:
    parts = group.parts
    if group.by_row is not None and all(rows.is_linear for rows in parts):
        by_row = group.by_row
        return _collapsed(parts, [by_row[rows.estimate.task] for rows in parts])
    found = [_part(rows) for rows in parts]
    known = [part for part in found if part is not None]
    if not parts or len(known) < len(parts):
        return None
    sizes = [float(len(rows.names)) if group.kind == "micro" else 1.0 for rows in parts]
    return known[0] if len(known) == 1 else _merged(known, [size / math.fsum(sizes) for size in sizes])


def _part(rows: PairedRows) -> _Part | None:
    if not rows.names:
        return None
    return _linear(rows, np.ones(len(rows.names))) if rows.is_linear else _jackknifed(rows)


def _linear(rows: PairedRows, weights: Floats) -> _Part:
    """A mean of one value a row, weighed by `weights`, (rows,), whose sum is of no matter."""
    names, place = _places(rows.clusters)
    total = math.fsum(weights)

    def mean(values: Floats | NDArray[np.bool_]) -> float:
        return math.fsum(weights * values) / total

    gain = mean(rows.gains)
    return _Part(
        baseline=mean(rows.baseline[:, 0]),
        candidate=mean(rows.candidate[:, 0]),
        clusters=names,
        influence=_corrected(_sums(place, weights * (rows.gains - gain) / total)),
        sums=_sums(place, weights * rows.gains / total),
        gained=mean(rows.gains > 0) if rows.is_binary else None,
        lost=mean(rows.gains < 0) if rows.is_binary else None,
        trials=len(rows.names),
        num_clusters=len(names),
    )


def _jackknifed(rows: PairedRows) -> _Part | None:
    """Any other statistic of summed vectors: its error by leaving out one cluster at a time."""
    width = rows.baseline.shape[1]
    vectors = [tuple(row) for row in np.hstack([rows.baseline, rows.candidate]).tolist()]
    names, totals = intervals.cluster_totals(vectors, rows.clusters)
    whole = intervals.column_sums(totals)
    before, after = rows.reduce(whole[:width]), rows.reduce(whole[width:])
    if before is None or after is None:
        return None
    gain = (after - before) * rows.sign
    deltas = intervals.jackknife_deltas(totals, _gain_by(rows, width), gain)
    spread = None
    if len(names) > 1 and not np.isnan(deltas).any():
        spread = (deltas - deltas.mean()) * math.sqrt((len(names) - 1) / len(names))
    return _Part(before, after, tuple(names), spread, None, None, None, len(rows.names), len(names))


def _gain_by(rows: PairedRows, width: int) -> Callable[[tuple[float, ...]], float | None]:
    def gain(counts: tuple[float, ...]) -> float | None:
        before, after = rows.reduce(counts[:width]), rows.reduce(counts[width:])
        return None if before is None or after is None else (after - before) * rows.sign

    return gain


def _merged(found: Sequence[_Part], weights: Sequence[float]) -> _Part:
    """The weighted mean of parts that are each a stratum; clusters they share enter once."""
    names = tuple(dict.fromkeys(name for part in found for name in part.clusters))
    place = {name: index for index, name in enumerate(names)}

    def by_cluster(columns: Sequence[Floats | None]) -> Floats | None:
        total = np.zeros(len(names))
        for part, column, weight in zip(found, columns, weights, strict=True):
            if column is None:
                return None
            total[[place[name] for name in part.clusters]] += weight * column
        return total

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return math.fsum(w * v for w, v in zip(weights, known, strict=True)) if len(known) == len(found) else None

    return _Part(
        baseline=math.fsum(w * part.baseline for w, part in zip(weights, found, strict=True)),
        candidate=math.fsum(w * part.candidate for w, part in zip(weights, found, strict=True)),
        clusters=names,
        influence=by_cluster([part.influence for part in found]),
        sums=by_cluster([part.sums for part in found]),
        gained=mean([part.gained for part in found]),
        lost=mean([part.lost for part in found]),
        trials=intervals.num_in_mean([part.trials for part in found], weights),
        num_clusters=min(len(names), intervals.num_in_mean([part.num_clusters for part in found], weights)),
    )


def _collapsed(parts: Sequence[PairedRows], by_row: Sequence[float]) -> _Part:
    """All rows as one stratum, each weighed by its task (Hajek's estimator)."""
    weights = np.concatenate([np.full(len(rows.names), weight) for rows, weight in zip(parts, by_row, strict=True)])
    whole = replace(
        parts[0],
        names=tuple(name for rows in parts for name in rows.names),
        clusters=tuple(name for rows in parts for name in rows.clusters),
        baseline=np.concatenate([rows.baseline for rows in parts]),
        candidate=np.concatenate([rows.candidate for rows in parts]),
    )
    part = _linear(whole, weights)
    trials = math.fsum(weights) ** 2 / math.fsum(weights**2)
    return replace(part, trials=trials, num_clusters=min(len(part.clusters), trials))


def _places(clusters: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Clusters in order of first appearance, and the place of each row's."""
    place: dict[str, int] = {}
    found = [place.setdefault(name, len(place)) for name in clusters]
    return tuple(place), np.array(found, dtype=np.int64)


def _sums(place: NDArray[np.int64], values: Floats) -> Floats:
    found: Floats = np.bincount(place, weights=values).astype(np.float64)
    return found


def _corrected(sums: Floats) -> Floats | None:
    """Residuals' sums by cluster so scaled that their squares add up to the squared error; None for one cluster."""
    return sums * math.sqrt(len(sums) / (len(sums) - 1)) if len(sums) > 1 else None


def _difference(
    name: str, kind: Literal["task"] | AggregateKind, rows: Sequence[PairedRows], part: _Part, confidence: float
) -> Difference:
    first = rows[0]
    estimate, sign = first.estimate, first.sign
    stderr = None if part.influence is None else math.sqrt(math.fsum(part.influence**2))
    method = _method(first, part, stderr)
    low, high = _interval(method, first, part, stderr, intervals.CONFIDENCE)
    least, most = _interval(method, first, part, stderr, 2 * confidence - 1)
    worse, either, test = _chances(rows, part, stderr)
    n = sum(len(one.names) for one in rows)
    is_binary = part.gained is not None
    return Difference(
        name=name,
        kind=kind,
        family=estimate.family,
        language=_shared([one.estimate.language for one in rows]),
        metric=estimate.metric,
        protocol=estimate.protocol,
        signature=" + ".join(sorted({one.estimate.signature for one in rows})),
        tasks=tuple(one.estimate.task for one in rows),
        baseline=part.baseline,
        candidate=part.candidate,
        difference=part.candidate - part.baseline,
        stderr=stderr,
        low=None if low is None or high is None else low if sign > 0 else -high,
        high=None if low is None or high is None else high if sign > 0 else -low,
        least_gain=least,
        most_gain=most,
        interval=method,
        p_worse=worse,
        p_value=either,
        test=test,
        n=n,
        num_clusters=len(part.clusters),
        num_left_out=sum(one.num_left_out for one in rows),
        variance=None if stderr is None else stderr**2 * n,
        num_gained=sum(int((one.gains > 0).sum()) for one in rows) if is_binary else None,
        num_lost=sum(int((one.gains < 0).sum()) for one in rows) if is_binary else None,
        higher_is_better=estimate.higher_is_better,
        scale=estimate.scale,
    )


def _shared(values: Sequence[str]) -> str:
    return values[0] if len(set(values)) == 1 else ""


def _method(first: PairedRows, part: _Part, stderr: float | None) -> IntervalMethod:
    if part.gained is not None:
        trials = _num_effective(part, stderr)
        is_plain = math.isclose(trials, part.trials) and math.isclose(part.trials, len(part.clusters))
        return "tango" if is_plain else "tango-clustered"
    if stderr is not None and stderr > _NO_SPREAD:
        return "jackknife-t"
    return "none" if first.estimate.bounds is None or stderr is None else "no-spread"


def _interval(
    method: IntervalMethod, first: PairedRows, part: _Part, stderr: float | None, confidence: float
) -> tuple[float | None, float | None]:
    """The two-sided interval of the gain."""
    if part.gained is not None and part.lost is not None:
        trials = _num_effective(part, stderr)
        return tango(part.gained * trials, part.lost * trials, trials, confidence)
    bounds = first.estimate.bounds
    span = bounds[1] - bounds[0] if bounds else math.inf
    if method == "jackknife-t":
        gain = (part.candidate - part.baseline) * first.sign
        return intervals.t_interval(gain, stderr, part.num_clusters, (-span, span), confidence) or (None, None)
    if method == "none":
        return None, None
    # nothing differs: as though a share of the items, such as would have shown itself, had lost all there is to lose
    low, high = tango(0.0, 0.0, part.num_clusters, confidence)
    return low * span, high * span


def _num_effective(part: _Part, stderr: float | None) -> float:
    """How many independent items with these gains and losses would have this error, widened by t over z.

    Never more than there are; where clusters are all alike, each counts as one item.
    """
    if math.isclose(part.trials, len(part.clusters)) and math.isclose(part.trials, part.num_clusters):
        return part.trials
    assert part.gained is not None
    assert part.lost is not None
    variance = part.gained + part.lost - (part.gained - part.lost) ** 2
    if stderr is None or stderr <= _NO_SPREAD or variance <= 0:
        return part.num_clusters
    return min(part.trials, intervals.num_items_as_precise(variance, stderr, part.num_clusters))


def _chances(rows: Sequence[PairedRows], part: _Part, stderr: float | None) -> tuple[float, float, Test]:
    """The chance of a gain as low, of one as far from 0, and the test."""
    if len(rows) == 1 and part.gained is not None and len(part.clusters) == len(rows[0].names):
        gains = rows[0].gains
        return *mcnemar(int((gains > 0).sum()), int((gains < 0).sum())), "mcnemar-exact"
    if part.sums is not None:
        return *sign_flips(part.sums), "sign-flips"
    if stderr is None or stderr <= _NO_SPREAD:
        return 1.0, 1.0, "none"
    from scipy.special import stdtr

    ratio = (part.candidate - part.baseline) * rows[0].sign / stderr
    worse = float(stdtr(part.num_clusters - 1, ratio))
    return worse, min(1.0, 2 * float(stdtr(part.num_clusters - 1, -abs(ratio)))), "jackknife-t"
