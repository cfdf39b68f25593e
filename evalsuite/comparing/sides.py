"""One side of a comparison: a sealed run as columns, one row a sample, with what decides whether it may be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from evalsuite.canonical import content_hash
from evalsuite.errors import CorruptStore
from evalsuite.records import Aggregate, Estimate, RunResult, RunSpec, TaskSpec, TaskSummary
from evalsuite.stats.paired_tests import Floats
from evalsuite.store.results import read_records, read_results
from evalsuite.store.run_directory import read_taken
from evalsuite.types import Outcome, Scalar, Scored, Unscored

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """One metric of a task, sample by sample: `counts`, (samples, width), which say something where `has` is true."""

    estimate: Estimate
    counts: Floats
    has: Bools


@dataclass(frozen=True)
class TaskSide:
    """A task as one side has it, its samples in plan order.

    `ids`, `categories` and `records` (canonical JSON) are None where only the counts were kept; then `spec` says
    whether the samples are another side's. `is_unscored` marks samples that ended without a score. `asked` are the
    `prompts`, where records do not hold what was asked.
    """

    spec: TaskSpec
    summary: TaskSummary
    columns: Mapping[str, Column]
    is_unscored: Bools
    ids: tuple[str, ...] | None
    clusters: tuple[str, ...]
    categories: tuple[str, ...] | None
    records: tuple[str, ...] | None
    asked: tuple[str, ...] | None = None

    @cached_property
    def prompts(self) -> tuple[str, ...] | None:
        """A hash of what each sample was first asked, seeds left out."""
        if self.asked is not None or self.records is None:
            return self.asked
        return tuple(map(_prompt_hash, self.records))


@dataclass(frozen=True)
class Side:
    """A run as one side of a comparison; `rates` are what a clock measured, by name."""

    label: str
    run_id: str
    spec: RunSpec
    status: str
    tasks: Mapping[str, TaskSide]
    aggregates: tuple[Aggregate, ...]
    stacks: tuple[Mapping[str, Scalar], ...]
    packages: Mapping[str, str]
    rates: Mapping[str, float]


class _Sample(msgspec.Struct):
    id: str
    cluster: str = ""
    category: str = ""


class _Row(msgspec.Struct):
    """Of a stored sample what a comparison needs, so that long texts are not even decoded."""

    sample: _Sample
    outcome: Outcome


_decode_row = msgspec.json.Decoder(_Row).decode


@dataclass(frozen=True)
class Texts:
    """The stored samples of one task: their records as canonical JSON in plan order; `asked` as in `TaskSide`."""

    records: tuple[str, ...] = ()
    asked: tuple[str, ...] | None = None


def read_side(path: Path, label: str = "") -> Side:
    """The sealed run at `path`. Raises SpecMismatch or CorruptStore."""
    result = read_results(path)
    texts: dict[str, list[str]] = {task.name: [] for task in result.spec.tasks}
    for task, text in read_records(path):
        if task not in texts:
            raise CorruptStore(f"{path}: its samples have a task {task!r} that its spec does not have.")
        texts[task].append(text)
    rates = {name: value for name, value in read_taken(path).items() if name == "tokens_per_second"}
    return side_of(str(path), result, {task: Texts(tuple(found)) for task, found in texts.items()}, rates, label)


def side_of(
    where: str, result: RunResult, texts: Mapping[str, Texts], rates: Mapping[str, float], label: str = ""
) -> Side:
    """A run from its result and its samples' records by task; errors name `where`. Raises CorruptStore."""
    by_task: dict[str, dict[str, Estimate]] = {task.name: {} for task in result.spec.tasks}
    for estimate in result.estimates:
        if estimate.task not in by_task:
            raise CorruptStore(f"{where}: it has a number of {estimate.task!r}, a task that its spec does not have.")
        by_task[estimate.task][estimate.metric] = estimate
    return Side(
        label=label or result.spec.subject,
        run_id=result.run_id,
        spec=result.spec,
        status=result.status,
        tasks={task.name: _task_side(where, result, task, texts[task.name], by_task[task.name])
               for task in result.spec.tasks},
        aggregates=result.aggregates,
        stacks=result.stacks,
        packages=result.packages,
        rates=rates,
    )  # fmt: skip


def _task_side(
    where: str, result: RunResult, spec: TaskSpec, texts: Texts, estimates: Mapping[str, Estimate]
) -> TaskSide:
    rows = [_row(where, text) for text in texts.records]
    ids = tuple(row.sample.id for row in rows)
    if content_hash(ids) != spec.sample_ids_hash:
        raise CorruptStore(
            f"{where}: the samples of {spec.name} are not those of its spec; run the same command again."
        )
    return TaskSide(
        spec=spec,
        summary=next(task for task in result.tasks if task.task == spec.name),
        columns={name: column_of(estimate, [row.outcome for row in rows]) for name, estimate in estimates.items()},
        is_unscored=np.array([not isinstance(row.outcome, Scored) for row in rows], dtype=bool),
        ids=ids,
        clusters=tuple(row.sample.cluster or row.sample.id for row in rows),
        categories=tuple(row.sample.category for row in rows),
        records=texts.records,
        asked=texts.asked,
    )


def _row(where: str, text: str) -> _Row:
    try:
        return _decode_row(text)
    except msgspec.ValidationError as error:
        raise CorruptStore(f"{where}: a sample was changed after it was written: {error}") from error
    except (msgspec.DecodeError, UnicodeError):  # half of a pair of surrogates, which msgspec's own decoder refuses
        return msgspec.convert(json.loads(text), _Row)


def column_of(estimate: Estimate, outcomes: Iterable[Outcome]) -> Column:
    """The metric of `estimate` over `outcomes`; a vector of zeros says nothing, as in `stats.estimates`."""
    found = [_counts(estimate.metric, outcome) for outcome in outcomes]
    width = max((len(counts) for counts in found), default=0)
    table = np.zeros((len(found), width))
    for index, counts in enumerate(found):
        table[index, : len(counts)] = counts
    return Column(estimate, table, np.array([bool(counts) for counts in found], dtype=bool))


def _counts(metric: str, outcome: Outcome) -> tuple[float, ...]:
    if isinstance(outcome, Scored | Unscored):
        for score in outcome.scores:
            if score.name == metric and any(score.counts):
                return score.counts
    return ()


_DIGITS = 16
"""So many of a prompt's hash are kept: no two prompts of a task share them by chance."""


def _prompt_hash(text: str) -> str:
    """What the first wave asked, seeds of sampled answers left out: these differ between runs of two seeds."""
    items: list[dict[str, Any]] = json.loads(text)["items"]
    return content_hash(
        [{**item["request"], "seed": 0} if "seed" in item["request"] else item["request"]
         for item in items if item["wave"] == 1]
    )[:_DIGITS]  # fmt: skip
