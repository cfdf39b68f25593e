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

DOUBT = 0.25
"""How much of the doubt that few clusters leave about their own error widens an interval; chosen by simulation."""

_NO_SPREAD = 1e-12

Test = Literal["mcnemar-exact", "sign-flips", "jackknife-t", "none"]
IntervalMethod = Literal["tango", "tango-clustered", "t-and-tango", "jackknife-t", "no-spread", "none"]


class Difference(Record, frozen=True, kw_only=True):
    """One metric of one task, or its mean over `tasks`, in two runs: `difference` is candidate less baseline.

    `low` and `high` are the 95 % interval of the difference; `least_gain` and `most_gain` are one-sided bounds of the
    gain, at 95 % unless asked otherwise. They are None where no bound is known. `p_worse` is the chance of a gain as
    low were there none, `p_value` that of a difference as far from 0, `p_adjusted` the latter among all that were asked
    (Holm 1979). `num_gained` and `num_lost` count right/wrong items right in the candidate or the baseline alone; None
    for other metrics. `variance` is that of one item's difference, clusters counted in: the squared error times `n`.
    `num_even_clusters` are as many clusters of one size as vary as much as these. `num_left_out` items have no score on
    one side or both. `p_segments` is sacrebleu's own two-sided chance for a corpus score (see `translation_tests`),
    which takes segments for independent whatever documents they are of.
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
    num_even_clusters: float
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
        return (
            self.is_linear
            and self.estimate.bounds in (None, (0.0, 1.0))
            and bool(((values == 0.0) | (values == 1.0)).all())
        )

    @property
    def span(self) -> float | None:
        """The most that one row can lose; None without an end."""
        if self.estimate.bounds is None:
            return 1.0 if self.is_binary else None
        return self.estimate.bounds[1] - self.estimate.bounds[0]

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

    `influence` squared, and `more_variance`, sum to the squared error. `sums` add up to the gain itself; None where
    that is no sum. `gained` and `lost` are what items gained and lost, as shares of all that they could; None where a
    metric is no mean of bounded values. `trials` and `num_clusters` are what items and clusters are worth after
    weighing; `is_binary` says that items are right or wrong.
    """

    baseline: float
    candidate: float
    clusters: tuple[str, ...]
    influence: Floats | None
    sums: Floats | None
    gained: float | None
    lost: float | None
    is_binary: bool
    trials: float
    num_clusters: float
    more_variance: float = 0.0

    @property
    def stderr(self) -> float | None:
        """The error of the gain; None where it cannot be known."""
        if self.influence is None:
            return None
        return math.sqrt(math.fsum(self.influence**2) + self.more_variance)

    @property
    def is_even(self) -> bool:
        """Whether items are independent and weigh alike, so that they can be counted."""
        return math.isclose(self.trials, len(self.clusters)) and math.isclose(self.trials, self.num_clusters)


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

    gain, span = mean(rows.gains), rows.span
    sizes = _sums(place, weights)
    return _Part(
        baseline=mean(rows.baseline[:, 0]),
        candidate=mean(rows.candidate[:, 0]),
        clusters=names,
        influence=intervals.cluster_influence(_sums(place, weights * (rows.gains - gain) / total), sizes / total),
        sums=_sums(place, weights * rows.gains / total),
        gained=None if span is None else mean(np.maximum(rows.gains, 0.0)) / span,
        lost=None if span is None else mean(np.maximum(-rows.gains, 0.0)) / span,
        is_binary=rows.is_binary,
        trials=len(rows.names),
        num_clusters=intervals.num_even(sizes),
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
    sizes = np.unique(rows.clusters, return_counts=True)[1].astype(np.float64)
    num_clusters = intervals.num_even(sizes)
    return _Part(before, after, tuple(names), spread, None, None, None, False, len(rows.names), num_clusters)


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
        is_binary=all(part.is_binary for part in found),
        trials=intervals.num_in_mean([part.trials for part in found], weights),
        num_clusters=min(len(names), intervals.num_in_mean([part.num_clusters for part in found], weights)),
        more_variance=math.fsum(w**2 * _unseen(part) for w, part in zip(weights, found, strict=True)),
    )


def _unseen(part: _Part) -> float:
    """What a part's squared error lacks of the least that right and wrong leave open (Agresti and Min 2005).

    A small task in which nothing happens to differ is not known exactly, and a mean over tasks must not take it so.
    """
    if part.gained is None or part.lost is None or part.stderr is None or not part.is_binary:
        return part.more_variance
    gained, lost = ((share * part.trials + 1) / (part.trials + 2) for share in (part.gained, part.lost))
    least = (gained + lost - (gained - lost) ** 2) / (part.trials + 2)
    return part.more_variance + max(0.0, least - part.stderr**2)


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


def _difference(
    name: str, kind: Literal["task"] | AggregateKind, rows: Sequence[PairedRows], part: _Part, confidence: float
) -> Difference:
    first = rows[0]
    estimate, sign = first.estimate, first.sign
    stderr = part.stderr
    method = _method(first, part)
    low, high = _interval(method, first, part, intervals.CONFIDENCE)
    least, most = _interval(method, first, part, 2 * confidence - 1)
    worse, either, test = _chances(rows, part)
    n = sum(len(one.names) for one in rows)
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
        num_even_clusters=part.num_clusters,
        num_left_out=sum(one.num_left_out for one in rows),
        variance=None if stderr is None else stderr**2 * n,
        num_gained=sum(int((one.gains > 0).sum()) for one in rows) if part.is_binary else None,
        num_lost=sum(int((one.gains < 0).sum()) for one in rows) if part.is_binary else None,
        higher_is_better=estimate.higher_is_better,
        scale=estimate.scale,
    )


def _shared(values: Sequence[str]) -> str:
    return values[0] if len(set(values)) == 1 else ""


def _method(first: PairedRows, part: _Part) -> IntervalMethod:
    if part.is_binary:
        return "tango" if part.is_even else "tango-clustered"
    if part.stderr is not None and part.stderr > _NO_SPREAD:
        return "jackknife-t" if part.gained is None else "t-and-tango"
    return "none" if first.span is None or part.stderr is None else "no-spread"


def _interval(
    method: IntervalMethod, first: PairedRows, part: _Part, confidence: float
) -> tuple[float | None, float | None]:
    """The two-sided interval of the gain."""
    span = math.inf if first.span is None else first.span
    gain = (part.candidate - part.baseline) * first.sign
    if method == "none":
        return None, None
    if method == "no-spread":
        # all moved alike, or not at all: as though a share of the items, such as would have shown itself, had moved by
        # all there is
        low, high = tango(0.0, 0.0, part.num_clusters, confidence)
        return max(-span, gain + low * span), min(span, gain + high * span)
    if method == "jackknife-t":
        return intervals.t_interval(gain, part.stderr, part.num_clusters, (-span, span), confidence) or (None, None)
    assert part.gained is not None
    assert part.lost is not None
    trials = _num_effective(part, span)
    low, high = (span * bound for bound in tango(part.gained * trials, part.lost * trials, trials, confidence))
    if method == "t-and-tango":
        # near the end of a scale Student's, symmetric about the value, is too short on the far side
        by_t = intervals.t_interval(gain, part.stderr, part.num_clusters, (-span, span), confidence)
        assert by_t is not None
        return min(low, by_t[0]), max(high, by_t[1])
    return low, high


def _num_effective(part: _Part, span: float) -> float:
    """How many independent items with these gains and losses would have this error, widened by t over z.

    Of right and wrong never more than there are; where clusters are all alike, each counts as one item. The error that
    few clusters have of themselves is itself uncertain, by about the square root of two over their number.
    """
    assert part.gained is not None
    assert part.lost is not None
    if part.is_binary and part.is_even:
        return part.trials
    variance = part.gained + part.lost - (part.gained - part.lost) ** 2
    stderr = part.stderr
    if stderr is None or stderr <= _NO_SPREAD or variance <= 0:
        return part.num_clusters
    if not part.is_binary:
        return intervals.num_items_as_precise(variance, stderr / span, part.num_clusters)
    doubt = 1.0 + DOUBT * math.sqrt(2.0 / max(1.0, part.num_clusters - 1))
    return min(part.trials, intervals.num_items_as_precise(variance, stderr, part.num_clusters) / doubt)


def _chances(rows: Sequence[PairedRows], part: _Part) -> tuple[float, float, Test]:
    """The chance of a gain as low, of one as far from 0, and the test."""
    if len(rows) == 1 and part.is_binary and len(part.clusters) == len(rows[0].names):
        gains = rows[0].gains
        return *mcnemar(int((gains > 0).sum()), int((gains < 0).sum())), "mcnemar-exact"
    if part.sums is not None:
        return *sign_flips(part.sums), "sign-flips"
    gain = (part.candidate - part.baseline) * rows[0].sign
    if part.stderr is None or not gain:
        return 1.0, 1.0, "none"
    if part.stderr <= _NO_SPREAD:  # every cluster moved the same way: a sign test
        alike = 0.5 ** len(part.clusters)
        return alike if gain < 0 else 1.0, min(1.0, 2 * alike), "sign-flips"
    from scipy.special import stdtr

    ratio = gain / part.stderr
    worse = float(stdtr(part.num_clusters - 1, ratio))
    return worse, min(1.0, 2 * float(stdtr(part.num_clusters - 1, -abs(ratio)))), "jackknife-t"
