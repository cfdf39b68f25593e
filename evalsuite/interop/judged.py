"""What the judgments of a file amount to: estimates with intervals, and how much of the benchmark they cover."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from evalsuite.contracts import Metric, Task
from evalsuite.records import Estimate
from evalsuite.stats.estimates import measure
from evalsuite.types import Sample, Scored, Unscored

One = TypeVar("One")
Key = TypeVar("Key", bound=Hashable)
Outcomes: TypeAlias = Sequence[tuple[Sample, Scored | Unscored]]
Part: TypeAlias = tuple[Metric, Callable[[Sample], bool]]
"""A metric, and the samples it is about: what is unscored elsewhere does not concern it."""


@dataclass(frozen=True)
class Coverage:
    """How much is there: `n` scored of `expected`; `missing` are ids that are not in the file, by turn, where known."""

    n: int
    expected: int
    missing: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """One model judged by one judge under evalsuite's rules; for pairs, `against` another model.

    `estimates` are empty when nothing could be scored. `num_merged` rows said again what another had said.
    """

    model: str
    judge: str
    protocol: str
    templates: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    coverage: Coverage
    unscored: Mapping[str, int]
    num_merged: int = 0
    against: str = ""


def estimates(
    benchmark: str, protocol: str, model: str, parts: Sequence[Part], outcomes: Outcomes
) -> tuple[Estimate, ...]:
    """Each metric over its own samples, clustered as the samples say; a metric without any is left out."""
    by_id = {sample.id: outcome for sample, outcome in outcomes}
    task = Task(
        name=benchmark,
        family=benchmark,
        version=1,
        language="en",
        protocol=protocol,
        num_fewshot=0,
        kind="chat",
        datasets=(),
        samples=lambda _: tuple(sample for sample, _ in outcomes),
        next_requests=lambda sample, replies: (),
        score=lambda sample, replies: by_id[sample.id],
        metrics=tuple(metric for metric, _ in parts),
    )
    measured = [
        measure(task, model, metric, [(sample, outcome) for sample, outcome in outcomes if is_about(sample)])
        for metric, is_about in parts
    ]
    return tuple(part.estimate for part in measured if part is not None)


def grouped(records: Sequence[One], key: Callable[[One], Key]) -> dict[Key, list[One]]:
    """The records of each key, in order of first appearance."""
    groups: dict[Key, list[One]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def count_causes(outcomes: Outcomes) -> dict[str, int]:
    """How many samples have no score, by cause."""
    causes = [str(outcome.cause) for _, outcome in outcomes if isinstance(outcome, Unscored)]
    return {cause: causes.count(cause) for cause in sorted(set(causes))}
