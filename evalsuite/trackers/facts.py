"""What every tracker is told of a sealed run: the same names and the same numbers, to the last digit.

A headline `NAME/METRIC` stands as it does in `results.json` (a share of 0.25 is 0.25), and beside it what it is worth:
`NAME/METRIC_low`, `_high` and `_stderr` where they are known, `_n` and `_unscored` always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from evalsuite.boards.loading import headlines
from evalsuite.errors import UsageError
from evalsuite.interop.sealed_runs import SealedRun
from evalsuite.records import Aggregate, Estimate, RunSpec
from evalsuite.store.results import RESULTS
from evalsuite.store.run_directory import read_taken
from evalsuite.types import Scalar

Measure = Estimate | Aggregate
Told = TypeVar("Told", bound=Scalar)

_NO_KEY = re.compile(r"[^A-Za-z0-9_\-./: ]")
"""What MLflow takes in no name; the others take all, and get the same names."""


@dataclass(frozen=True)
class Facts:
    """A run as a tracker is told of it.

    `name` is what people see, `run_id` ours. `settings` say what was run, `numbers` what was found. `began` and
    `seconds` are when and how long, where telemetry says so; `files` are kept with the run.
    """

    name: str
    run_id: str
    settings: Mapping[str, Scalar]
    numbers: Mapping[str, int | float]
    files: tuple[Path, ...]
    began: datetime | None
    seconds: float | None


@dataclass(frozen=True)
class Place:
    """Where a tracker puts a run.

    `project` is its project or experiment. With a `folder` it writes there and asks no network; without one it does as
    its own environment says. `settings` are the tracker's own. With `is_forced` a run that is there is written again.
    """

    project: str
    folder: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    is_forced: bool = False


@dataclass(frozen=True)
class Logged:
    """Where a run is now: a folder or an address. `is_new` is False for one that was there and was left as it is."""

    place: str
    is_new: bool = True


def facts_of(run: SealedRun, name: str = "", page: Path | None = None) -> Facts:
    """What there is to tell of `run`, with `page` among its files; `name` is what the model is called elsewhere.

    Raises UsageError for a page that is no file, and for two numbers whose names a tracker could not tell apart.
    """
    if page is not None and not page.is_file():
        raise UsageError(f"--page {page}: there is no such file; `evalsuite report` writes one.")
    return Facts(
        name=f"{name or run.model} {run.result.run_id}",
        run_id=run.result.run_id,
        settings=_unique(_settings(run, name), run),
        numbers=_unique(_numbers(run), run),
        files=(run.path / RESULTS, *([page] if page else [])),
        began=run.began,
        seconds=read_taken(run.path).get("seconds"),
    )


def key_of(text: str) -> str:
    """`text` as a name that every tracker takes: ``chrf++`` is ``chrfpp``."""
    return _NO_KEY.sub("_", text.replace("+", "p"))


def _unique(pairs: Iterator[tuple[str, Told]], run: SealedRun) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for name, value in pairs:
        key = key_of(name)
        if key in found:
            raise UsageError(f"{run.path}: {name!r} would be called {key!r} in a tracker, as another entry is.")
        found[key] = value
    return found


def _numbers(run: SealedRun) -> Iterator[tuple[str, int | float]]:
    for measure in headlines(run.result):
        name = f"{_name(measure)}/{measure.metric}"
        yield name, measure.value
        for part in ("low", "high", "stderr"):
            if (number := getattr(measure, part)) is not None:
                yield f"{name}_{part}", number
        yield f"{name}_n", measure.n
        yield f"{name}_unscored", measure.num_unscored
    counts = run.result.counts
    yield "samples/requested", counts.requested
    yield "samples/scored", counts.scored
    yield "samples/unscored", counts.unscored
    for cause, number in sorted(counts.unscored_by_cause.items()):
        yield f"samples/unscored_{cause}", number


def _name(measure: Measure) -> str:
    return measure.family if isinstance(measure, Aggregate) else measure.task


def _settings(run: SealedRun, name: str) -> Iterator[tuple[str, Scalar]]:
    result, spec = run.result, run.result.spec
    yield "run", result.run_id
    yield "status", result.status
    yield "model", name or run.model
    yield "engine", spec.model.engine
    yield "tasks", ", ".join(_asked(spec))
    yield "seed", spec.seed
    if spec.judged:
        yield "judge", spec.judged.judge
        yield "judging_model", spec.model.name
    if spec.limit is not None:
        yield "limit", spec.limit
        yield "limit_mode", spec.limit_mode
    yield "evalsuite", result.packages.get("evalsuite", "")
    for key, value in spec.model.identity.items():
        yield f"identity/{key}", value
    for measure in headlines(run.result):
        yield from _asked_as(run, measure)


def _asked(spec: RunSpec) -> tuple[str, ...]:
    return spec.asked or tuple(task.name for task in spec.tasks)


def _asked_as(run: SealedRun, measure: Measure) -> Iterator[tuple[str, Scalar]]:
    """Protocol and exemplars of a headline; where its tasks differ, all that there are."""
    members = measure.members if isinstance(measure, Aggregate) else (measure.task,)
    shots = sorted({run.spec_of(task).num_fewshot for task in members})
    yield f"{_name(measure)}/protocol", measure.protocol
    yield f"{_name(measure)}/num_fewshot", shots[0] if len(shots) == 1 else "/".join(map(str, shots))
