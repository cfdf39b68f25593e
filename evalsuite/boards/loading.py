"""The sealed runs of a leaderboard, each with its samples and what its clock says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from evalsuite.comparing.sides import Side, read_side
from evalsuite.proofs.manifest import manifest_of_run
from evalsuite.records import Aggregate, Estimate, RunResult, SampleRecord, TaskSpec, TaskSummary
from evalsuite.store.results import read_results, sample_record
from evalsuite.store.run_directory import read_taken

Measure = Estimate | Aggregate


@dataclass(frozen=True)
class Hashes:
    """What stands for a sealed run: the hash of its manifest, and the root over its samples (see `proofs.manifest`)."""

    manifest: str
    samples_root: str


@dataclass(frozen=True)
class LoadedRun:
    """A sealed run: its result, its samples, its hashes, and what a clock and the memory said of it.

    `measured` has that, and money spent, as far as the telemetry tells; `started` is the day of the first event, as
    ``2026-11-22``, empty where the telemetry is gone.
    """

    result: RunResult
    side: Side
    hashes: Hashes
    measured: Mapping[str, float]
    started: str

    @property
    def name(self) -> str:
        """The model that the numbers are about, as it was asked for."""
        return self.result.spec.subject

    @cached_property
    def specs(self) -> Mapping[str, TaskSpec]:
        """Task specs by name."""
        return {task.name: task for task in self.result.spec.tasks}

    @cached_property
    def summaries(self) -> Mapping[str, TaskSummary]:
        """Task summaries by name."""
        return {task.task: task for task in self.result.tasks}

    @cached_property
    def estimates(self) -> Mapping[str, tuple[Estimate, ...]]:
        """Estimates by task, headline first; only tasks that have some."""
        found: dict[str, list[Estimate]] = {}
        for one in self.result.estimates:
            found.setdefault(one.task, []).append(one)
        return {task: tuple(sorted(ones, key=lambda one: not one.is_primary)) for task, ones in found.items()}

    @cached_property
    def families(self) -> Mapping[str, tuple[TaskSummary, ...]]:
        """Task summaries by family."""
        found: dict[str, list[TaskSummary]] = {}
        for task in self.result.tasks:
            found.setdefault(task.family, []).append(task)
        return {family: tuple(tasks) for family, tasks in found.items()}

    def headline(self, task: str) -> Estimate | None:
        """The headline estimate of a task; None where it has none."""
        return next((one for one in self.estimates.get(task, ()) if one.is_primary), None)

    @property
    def records(self) -> Iterator[SampleRecord]:
        """The stored samples in plan order."""
        for task in self.side.tasks.values():
            yield from map(sample_record, task.records or ())

    @property
    def is_partial(self) -> bool:
        """Whether some task was asked fewer samples than it has."""
        return any(task.is_partial for task in self.result.spec.tasks)

    def is_chat(self, tasks: Iterable[str]) -> bool:
        """Whether the prompts of all `tasks` were sent as conversations."""
        return all(self.specs[task].chat for task in tasks)


def load_runs(paths: Sequence[Path]) -> tuple[LoadedRun, ...]:
    """The runs at `paths`, by name; a run given twice counts once. Raises SpecMismatch or CorruptStore."""
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(read_results(path).run_id, path)
    return in_order(_load(path) for path in found.values())


def in_order(runs: Iterable[LoadedRun]) -> tuple[LoadedRun, ...]:
    """`runs` in the order of a board's rows."""
    return tuple(sorted(runs, key=lambda run: (run.name.casefold(), run.name, run.result.run_id)))


def _load(path: Path) -> LoadedRun:
    manifest = manifest_of_run(path)
    return LoadedRun(
        result=read_results(path),
        side=read_side(path),
        hashes=Hashes(manifest.hash, manifest.samples_root),
        measured=read_taken(path),
        started=_started(path),
    )


def _started(path: Path) -> str:
    with (
        suppress(OSError, ValueError, KeyError, TypeError, StopIteration, OverflowError),
        (path / "telemetry.jsonl").open(encoding="utf-8") as lines,
    ):
        return datetime.fromtimestamp(float(json.loads(next(lines))["at"]), UTC).date().isoformat()
    return ""


def answers_first(runs: Iterable[LoadedRun]) -> list[LoadedRun]:
    """`runs` in their order, those of judges after those whose answers may be judged."""
    return sorted(runs, key=lambda run: run.result.spec.judged is not None)


def headlines(result: RunResult) -> tuple[Measure, ...]:
    """A family's mean over its tasks where there is one, and the headline estimate of every task in no such mean."""
    means = [mean for mean in result.aggregates if mean.is_primary]
    covered = {(task, mean.metric) for mean in means if mean.kind != "suite" for task in mean.members}
    singles = [one for one in result.estimates if one.is_primary and (one.task, one.metric) not in covered]
    return (*means, *singles)
