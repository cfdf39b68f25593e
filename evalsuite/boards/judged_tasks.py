"""A task of a judge run case by case: what the judge gave, and how long the answers were that it was shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from evalsuite.boards.loading import LoadedRun
from evalsuite.boards.sample_views import judged_lengths
from evalsuite.records import JudgedSpec, SampleRecord
from evalsuite.store.results import sample_record
from evalsuite.types import Scored


@dataclass(frozen=True)
class Case:
    """A judged case: what its headline says, and the characters of the answers, one number a run."""

    cluster: str
    value: float
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class JudgedTask:
    """One task of the judge run at `place` in the board."""

    place: int
    run: LoadedRun
    task: str
    judged: JudgedSpec

    @property
    def is_pair(self) -> bool:
        """Whether the answers of two models are held against each other."""
        return len(self.judged.models) > 1

    @cached_property
    def records(self) -> tuple[SampleRecord, ...]:
        """Its cases as they are stored."""
        return tuple(sample_record(text) for text in self.run.side.tasks[self.task].records or ())

    @cached_property
    def cases(self) -> Mapping[str, Case]:
        """The cases that have a verdict, by id; none where the task has no headline."""
        headline = self.run.headline(self.task)
        if headline is None:
            return {}
        found = {record.sample.id: (record.sample, _value(record, headline.metric)) for record in self.records}
        return {
            name: Case(sample.cluster_id, value, judged_lengths(sample, len(self.judged.models)))
            for name, (sample, value) in found.items()
            if value is not None
        }


def _value(record: SampleRecord, metric: str) -> float | None:
    """A case's mean over what it counts; of means of groups those that are not its own hold noughts."""
    if not isinstance(record.outcome, Scored):
        return None
    counts = next((score.counts for score in record.outcome.scores if score.name == metric), ())
    n = math.fsum(counts[1::2])
    return math.fsum(counts[0::2]) / n if n else None
