"""Two runs on the same items, and what of their gain each cluster of items carries. Pure.

A gain is a difference towards better, whichever way that is. Values and errors are those of `joint_values` for two
settings, the baseline and the candidate; here come what right and wrong say besides, and the least a mean leaves open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evalsuite.metrics import MEAN
from evalsuite.records import AggregateKind, Estimate
from evalsuite.stats import intervals
from evalsuite.stats.joint_values import Joint, SharedRows, joint_of_task, merged, pooled
from evalsuite.stats.paired_tests import Floats


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
        return self.shared.is_linear

    @property
    def is_binary(self) -> bool:
        """Whether each row is right or wrong."""
        return self.estimate.bounds in (None, (0.0, 1.0)) and self.shared.is_binary

    @property
    def span(self) -> float | None:
        """The most that one row can lose; None without an end."""
        if self.estimate.bounds is None:
            return 1.0 if self.is_binary else None
        return self.estimate.bounds[1] - self.estimate.bounds[0]

    @cached_property
    def shared(self) -> SharedRows:
        """Baseline and candidate as two settings on the same rows."""
        counts = np.stack([self.baseline, self.candidate])
        return SharedRows(
            self.estimate.task, self.names, self.clusters, counts, self.reduce, is_mean=self.estimate.formula == MEAN
        )

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
class PairedGroup:
    """Tasks of one family whose mean is compared: `macro` weighs tasks alike, `micro` their rows.

    `by_row` gives, for a random sample of a family, the weight of one row of each task (see
    `aggregates.mean_of_tasks`); only means of one value a row can be weighed so. A group of one task is that task.
    """

    name: str
    kind: AggregateKind
    parts: tuple[PairedRows, ...]
    by_row: Mapping[str, float] | None = None


@dataclass(frozen=True)
class PairedPart:
    """Something that differs, a task or a family: `joint` has both values, and what each cluster adds to them.

    `sums` add up to the gain, cluster by cluster; None where that is no sum. `gained` and `lost` are what items gained
    and lost, as shares of all that they could; None where a metric is no mean of bounded values. `trials` are what
    items are worth after weighing; `is_binary` says that they are right or wrong. `more_variance` is what the squared
    error lacks of what is not known.
    """

    joint: Joint
    sign: float
    sums: Floats | None
    gained: float | None
    lost: float | None
    is_binary: bool
    trials: float
    more_variance: float = 0.0

    @property
    def baseline(self) -> float:
        """The value of the baseline."""
        return float(self.joint.values[0])

    @property
    def candidate(self) -> float:
        """The value of the candidate."""
        return float(self.joint.values[1])

    @property
    def gain(self) -> float:
        """The difference towards better."""
        return (self.candidate - self.baseline) * self.sign

    @property
    def num_clusters(self) -> float:
        """As many clusters of one size as vary as much as these, after weighing."""
        return self.joint.num_clusters

    @cached_property
    def stderr(self) -> float | None:
        """The error of the gain; None where it cannot be known."""
        if self.joint.influence is None:
            return None
        influence = self.joint.influence[:, 1] - self.joint.influence[:, 0]
        return math.sqrt(math.fsum(influence**2) + self.more_variance)

    @property
    def is_even(self) -> bool:
        """Whether items are independent and weigh alike, so that they can be counted."""
        return math.isclose(self.trials, len(self.joint.clusters)) and math.isclose(self.trials, self.num_clusters)


def part_of_rows(rows: PairedRows) -> PairedPart | None:
    """One task; None without a row, or where one side has no value."""
    if not rows.names:
        return None
    joint = joint_of_task(rows.shared)
    if joint is None:
        return None
    if not rows.is_linear:
        return PairedPart(joint, rows.sign, None, None, None, is_binary=False, trials=len(rows.names))
    return _linear([rows], joint, np.ones(len(rows.names)))


def part_of_group(group: PairedGroup) -> PairedPart | None:
    """The mean over a group; None where a task has no value."""
    parts = group.parts
    if not any(rows.names for rows in parts):
        return None
    if group.by_row is not None and all(rows.is_linear for rows in parts):
        weights = [group.by_row[rows.estimate.task] for rows in parts]
        joint = pooled([rows.shared for rows in parts], weights)
        by_row = np.repeat(weights, [len(rows.names) for rows in parts])
        return _linear(parts, joint, by_row)
    found = [part_of_rows(rows) for rows in parts]
    known = [part for part in found if part is not None]
    if len(known) < len(parts):
        return None
    sizes = [float(len(rows.names)) if group.kind == "micro" else 1.0 for rows in parts]
    return known[0] if len(known) == 1 else mean_of_parts(known, [size / math.fsum(sizes) for size in sizes])


def mean_of_parts(parts: Sequence[PairedPart], weights: Sequence[float]) -> PairedPart:
    """The mean, by weights whose sum is 1, of parts that are each a stratum; clusters they share enter once."""

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return math.fsum(w * v for w, v in zip(weights, known, strict=True)) if len(known) == len(parts) else None

    joint = merged([part.joint for part in parts], weights)
    return PairedPart(
        joint=joint,
        sign=parts[0].sign,
        sums=_merged_sums(parts, weights, joint.clusters),
        gained=mean([part.gained for part in parts]),
        lost=mean([part.lost for part in parts]),
        is_binary=all(part.is_binary for part in parts),
        trials=intervals.num_in_mean([part.trials for part in parts], weights),
        more_variance=math.fsum(w**2 * _unseen(part) for w, part in zip(weights, parts, strict=True)),
    )


def _linear(parts: Sequence[PairedRows], joint: Joint, weights: Floats) -> PairedPart:
    """A mean of one value a row over all rows of `parts`, weighed by `weights`, whose sum is of no matter."""
    gains = np.concatenate([rows.gains for rows in parts])
    total, span = math.fsum(weights), parts[0].span

    def share(values: Floats) -> float | None:
        return None if span is None else math.fsum(weights * values) / total / span

    place = {name: index for index, name in enumerate(joint.clusters)}
    places = [place[name] for rows in parts for name in rows.clusters]
    return PairedPart(
        joint=joint,
        sign=parts[0].sign,
        sums=np.bincount(places, weights=weights * gains / total).astype(np.float64),
        gained=share(np.maximum(gains, 0.0)),
        lost=share(np.maximum(-gains, 0.0)),
        is_binary=all(rows.is_binary for rows in parts),
        trials=total**2 / math.fsum(weights**2),
    )


def _merged_sums(parts: Sequence[PairedPart], weights: Sequence[float], clusters: Sequence[str]) -> Floats | None:
    place = {name: index for index, name in enumerate(clusters)}
    total = np.zeros(len(clusters))
    for part, weight in zip(parts, weights, strict=True):
        if part.sums is None:
            return None
        total[[place[name] for name in part.joint.clusters]] += weight * part.sums
    return total


def _unseen(part: PairedPart) -> float:
    """What a part's squared error lacks of the least that right and wrong leave open (Agresti and Min 2005).

    A small task in which nothing happens to differ is not known exactly, and a mean over tasks must not take it so.
    """
    if part.gained is None or part.lost is None or part.stderr is None or not part.is_binary:
        return part.more_variance
    gained, lost = ((share * part.trials + 1) / (part.trials + 2) for share in (part.gained, part.lost))
    least = (gained + lost - (gained - lost) ** 2) / (part.trials + 2)
    return part.more_variance + max(0.0, least - part.stderr**2)
