"""What there is here of a stored run's tasks, and why not where there is nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from evalsuite.building import PreparedTask
from evalsuite.contracts import Judge, Rows, Task
from evalsuite.data import DataSource, load_rows
from evalsuite.errors import DataError, EvalsuiteError
from evalsuite.proofs.recounting import Known
from evalsuite.proofs.recounting import Rows as OutcomeRows
from evalsuite.records import DatasetPin, RunResult, TaskSpec, TaskSummary
from evalsuite.store.results import RESULTS
from evalsuite.types import Sample

T = TypeVar("T")


@dataclass(frozen=True)
class Rebuilt:
    """What there is here of a run's tasks.

    Of the tasks that are `known`, those that are `scorable` can score stored answers again; `missing` says by task why
    it cannot. `samples` are by task the samples, by id, that it makes of its data; `no_data` says why there are none.
    """

    known: Known
    scorable: frozenset[str]
    missing: Mapping[str, str]
    samples: Mapping[str, Mapping[str, Sample]] = field(default_factory=dict)
    no_data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings:
    """What a run does not keep and a verification may be given.

    Its data come from `source`; `runs` are other runs by their ids, where those that were judged are looked for;
    `judge_prompt` is the text of the user's own prompt for the judge.
    """

    source: DataSource
    runs: Mapping[str, Path] = field(default_factory=dict)
    judge_prompt: str = ""


_RUN_ID = re.compile(r".*-([0-9a-f]{16})")


def runs_beside(paths: Iterable[Path]) -> dict[str, Path]:
    """The runs at `paths` and those that lie beside them, by the ids that their directories' names end with."""
    found: dict[str, Path] = {}
    for folder in dict.fromkeys(path.resolve().parent for path in paths):
        for entry in sorted(folder.iterdir()):
            match = _RUN_ID.fullmatch(entry.name)
            if match and (entry / RESULTS).exists():
                found.setdefault(match[1], entry)
    return found


def each_task(
    result: RunResult, find: Callable[[TaskSpec], T], among: Mapping[str, object] | None = None
) -> tuple[dict[str, T], dict[str, str]]:
    """By task what `find` gives, and why it gives nothing."""
    found: dict[str, T] = {}
    missing: dict[str, str] = {}
    for spec in result.spec.tasks:
        if among is not None and spec.name not in among:
            continue
        try:
            found[spec.name] = find(spec)
        except EvalsuiteError as error:
            missing[spec.name] = str(error)
        except Exception as error:  # a stranger's plugin may raise anything, and the other tasks are none the worse
            missing[spec.name] = f"{type(error).__name__}: {error}"
    return found, missing


def scorable_tasks(result: RunResult, missing: Mapping[str, str]) -> frozenset[str]:
    """Tasks that are here with their whole family: whether log-likelihoods are constant is asked of a family."""
    broken = {spec.family for spec in result.spec.tasks if spec.name in missing}
    return frozenset(spec.name for spec in result.spec.tasks if spec.family not in broken)


def summary_of(result: RunResult, name: str) -> TaskSummary:
    """The summary of a task."""
    return next(task for task in result.tasks if task.task == name)


def entry_of(spec: TaskSpec, task: Task, rows: OutcomeRows) -> PreparedTask:
    """The task as the run prepared it, with the samples that are stored."""
    return PreparedTask(
        task,
        tuple(sample for sample, _ in rows[spec.name]),
        spec.num_available,
        spec.datasets,
        spec.chat,
        num_shortened=spec.num_shortened,
        repeats=spec.repeats,
    )


def pinned_rows(task: Task | Judge, pins: tuple[DatasetPin, ...], source: DataSource) -> tuple[Rows, ...]:
    """The rows of the datasets. Raises DataError where they are not those that were pinned."""
    loaded = [load_rows(dataset, source) for dataset in task.datasets]
    found = [pin.fingerprint for _, pin in loaded]
    if found != [pin.fingerprint for pin in pins]:
        raise DataError(f"the rows of {', '.join(pin.path for _, pin in loaded)} are others here than in the run")
    return tuple(rows for rows, _ in loaded)
