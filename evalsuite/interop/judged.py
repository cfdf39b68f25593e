"""What the judgments of a file amount to: estimates with intervals, and how much of the benchmark they cover."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias, TypeVar

from evalsuite.contracts import Metric, Task
from evalsuite.records import Estimate
from evalsuite.stats.estimates import measure
from evalsuite.types import Cause, Sample, Scored, Unscored

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

    `rubric` names how it was judged, and `parts` are its metrics. `num_merged` rows said again what another had said.
    `asked` are what the judge was asked and what it said, by sample, where the files hold that.
    """

    benchmark: str
    rubric: str
    model: str
    judge: str
    protocol: str
    templates: tuple[str, ...]
    parts: Sequence[Part]
    outcomes: Outcomes
    expected: Coverage
    num_merged: int = 0
    against: str = ""
    asked: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics, each with the samples that it applies to."""
        return tuple(replace(metric, applies=is_about) for metric, is_about in self.parts)

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """Each metric over its own samples, clustered as these say; none of a metric without any."""
        metrics = self.metrics
        task = Task(
            name=self.benchmark,
            family=self.benchmark,
            version=1,
            language="en",
            protocol=self.protocol,
            num_fewshot=0,
            kind="chat",
            datasets=(),
            samples=lambda _: (),
            next_requests=lambda sample, replies: (),
            score=lambda sample, replies: Unscored(cause=Cause.TASK_ERROR),
            metrics=metrics,
        )
        measured = [measure(task, self.model, metric, self.outcomes) for metric in metrics]
        return tuple(part.estimate for part in measured if part is not None)

    @property
    def coverage(self) -> Coverage:
        """How much of the benchmark is scored."""
        return replace(self.expected, n=sum(isinstance(outcome, Scored) for _, outcome in self.outcomes))

    @property
    def unscored(self) -> Mapping[str, int]:
        """How many samples have no score, by cause."""
        causes = [str(outcome.cause) for _, outcome in self.outcomes if isinstance(outcome, Unscored)]
        return {cause: causes.count(cause) for cause in sorted(set(causes))}


def grouped(records: Sequence[One], key: Callable[[One], Key]) -> dict[Key, list[One]]:
    """The records of each key, in order of first appearance."""
    groups: dict[Key, list[One]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups
