"""How far a candidate lies from a baseline on the same items: difference, error, interval, chance. Pure.

A difference of two statistics over the same rows is itself a statistic, so clusters, means over tasks and random
samples of a family are treated as in `estimates` and `aggregates`. A gain is a difference towards better, whichever
way that is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from evalsuite.records import AggregateKind
from evalsuite.stats import intervals
from evalsuite.stats.paired_rows import PairedGroup, PairedPart, PairedRows, mean_of_parts, part_of_group, part_of_rows
from evalsuite.stats.paired_tests import mcnemar, sign_flips, tango
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


def difference_of(rows: PairedRows, confidence: float = ONE_SIDED) -> Difference | None:
    """The difference on one task; None without a row, or where one side has no value.

    `confidence` is that of the one-sided bounds.
    """
    part = part_of_rows(rows)
    return None if part is None else _difference(rows.estimate.task, "task", [rows], part, confidence)


def mean_difference(group: PairedGroup, confidence: float = ONE_SIDED) -> Difference | None:
    """The difference of the mean over a group; None where a task has no value."""
    if len(group.parts) == 1:
        return difference_of(group.parts[0], confidence)
    part = part_of_group(group)
    return None if part is None else _difference(group.name, group.kind, group.parts, part, confidence)


def mean_of_groups(name: str, groups: Sequence[PairedGroup], confidence: float = ONE_SIDED) -> Difference | None:
    """The difference of the unweighted mean of several groups; clusters that they share enter once."""
    found = [part_of_group(group) for group in groups]
    known = [part for part in found if part is not None]
    if not groups or len(known) < len(groups):
        return None
    whole = mean_of_parts(known, [1.0 / len(known)] * len(known))
    return _difference(name, "suite", [rows for group in groups for rows in group.parts], whole, confidence)


def _difference(
    name: str, kind: Literal["task"] | AggregateKind, rows: Sequence[PairedRows], part: PairedPart, confidence: float
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
        num_clusters=len(part.joint.clusters),
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


def _method(first: PairedRows, part: PairedPart) -> IntervalMethod:
    if part.is_binary:
        return "tango" if part.is_even else "tango-clustered"
    if part.stderr is not None and part.stderr > _NO_SPREAD:
        return "jackknife-t" if part.gained is None else "t-and-tango"
    return "none" if first.span is None or part.stderr is None else "no-spread"


def _interval(
    method: IntervalMethod, first: PairedRows, part: PairedPart, confidence: float
) -> tuple[float | None, float | None]:
    """The two-sided interval of the gain."""
    span = math.inf if first.span is None else first.span
    gain = part.gain
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


def _num_effective(part: PairedPart, span: float) -> float:
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


def _chances(rows: Sequence[PairedRows], part: PairedPart) -> tuple[float, float, Test]:
    """The chance of a gain as low, of one as far from 0, and the test."""
    if len(rows) == 1 and part.is_binary and len(part.joint.clusters) == len(rows[0].names):
        gains = rows[0].gains
        return *mcnemar(int((gains > 0).sum()), int((gains < 0).sum())), "mcnemar-exact"
    if part.sums is not None:
        return *sign_flips(part.sums), "sign-flips"
    gain = part.gain
    if part.stderr is None or not gain:
        return 1.0, 1.0, "none"
    if part.stderr <= _NO_SPREAD:  # every cluster moved the same way: a sign test
        alike = 0.5 ** len(part.joint.clusters)
        return alike if gain < 0 else 1.0, min(1.0, 2 * alike), "sign-flips"
    from scipy.special import stdtr

    ratio = gain / part.stderr
    worse = float(stdtr(part.num_clusters - 1, ratio))
    return worse, min(1.0, 2 * float(stdtr(part.num_clusters - 1, -abs(ratio)))), "jackknife-t"
