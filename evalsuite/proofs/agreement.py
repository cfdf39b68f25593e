"""Whether a second run is an independent repetition of the first that agrees with it sample by sample.

It is one when all of this holds; each reason why it is none is told:

* it asks the same: model, weights, template and precision, rules, rows, prompts, seeds and settings agree; engine,
  device, libraries and batches may differ, and it may ask a part of the samples;
* it has every task of the first, at least `MIN_SHARED` of each task's samples, and all of them or `MIN_SAMPLES`;
* it is no copy: another directory, another manifest, and no journal file in common, whoever is said to have run it;
* it ran on another stack: no stack (device, threads, versions) that answered is the same, or somebody says who ran it;
* of all samples at most `MAX_APART` end otherwise, and of each task's at most `MAX_APART_OF_TASK`, one being allowed.

A sample ends alike in both where both have no score, or the headline's counts are equal up to `TOLERANCE`. This is no
proof that a model was run: who made a run is a claim, which a signature can tie to a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from evalsuite.canonical import canonical_json
from evalsuite.comparing.pairing import Places, pair
from evalsuite.comparing.sides import Bools, Column, Side, TaskSide, read_side
from evalsuite.proofs.manifest import manifest_of_run
from evalsuite.records import RunSpec
from evalsuite.stats.intervals import wilson
from evalsuite.store.journal import JOURNAL
from evalsuite.types import Record, Scalar

TOLERANCE = 1e-3
"""How far apart counts may lie that are no whole numbers: a probability, as other hardware computes it."""

MIN_SHARED = 0.05
MIN_SAMPLES = 20
MAX_APART = 0.02
MAX_APART_OF_TASK = 0.05

_OF_THE_STACK = frozenset({
    "device", "torch", "transformers", "tokenizers", "vllm", "peft", "bitsandbytes", "tensor_parallel_size",
    "enforce_eager", "token_budget", "batch_size", "generation", "compile", "deterministic", "source", "adapter_source",
    "max_length_from", "base_url", "planned_for_workers",
})  # fmt: skip
"""What of a model's identity says where and by what it was computed, and not which model it is."""


class TaskAgreement(Record, frozen=True, kw_only=True):
    """One task: `num_alike` of the `n` samples that both were asked ended alike; the share's 95 % interval (Wilson)."""

    task: str
    metric: str
    n: int
    num_alike: int
    num_samples: int
    low: float
    high: float


class Agreement(Record, frozen=True, kw_only=True):
    """A second run held against a first. `reasons` say why it is no independent repetition; none where it is.

    `by` is who is said to have run it.
    """

    run_id: str
    second_run_id: str
    n: int
    num_alike: int
    tasks: tuple[TaskAgreement, ...]
    reasons: tuple[str, ...]
    by: str = ""

    @property
    def is_repetition(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def agreement_of(first: Path, second: Path, by: str = "") -> Agreement:
    """How far the sealed run at `second` repeats that at `first`. Raises SpecMismatch or CorruptStore."""
    before, after = read_side(first), read_side(second)
    tasks = tuple(_of_tasks(before, after))
    return Agreement(
        run_id=before.run_id,
        second_run_id=after.run_id,
        n=sum(task.n for task in tasks),
        num_alike=sum(task.num_alike for task in tasks),
        tasks=tasks,
        reasons=(
            *_other_questions(before, after),
            *_other_samples(before, after, tasks),
            *(_copied(first, second) or _dependence(before, after, by)),
            *_disagreement(tasks),
        ),
        by=by,
    )


# -- the same question


def _other_questions(before: Side, after: Side) -> Iterator[str]:
    first, second = before.spec, after.spec
    for name in ("seed", "system_instruction", "multiturn_shots", "generation", "truncation", "judged"):
        if canonical_json(getattr(first, name)) != canonical_json(getattr(second, name)):
            yield f"another question: {name} differs"
    ours, theirs = _model(first), _model(second)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield f"another model: {name} is {ours.get(name, 'not stated')}, and {theirs.get(name, 'not stated')}"
    if "base_url" in first.model.identity and not first.model.identity.get("revision"):
        yield "a server's name for a model does not say which weights answered; give the run a revision"
    pairing = pair(before, after)
    for refused in pairing.refused:
        if not refused.metric:
            yield f"{refused.task} is another task: {'; '.join(refused.reasons)}"
    for name in pairing.missing:
        yield f"{name} was not run again"


def _model(spec: RunSpec) -> Mapping[str, Scalar]:
    return {key: value for key, value in spec.model.identity.items() if key not in _OF_THE_STACK}


def _other_samples(before: Side, after: Side, tasks: tuple[TaskAgreement, ...]) -> Iterator[str]:
    for task in tasks:
        if task.n < MIN_SHARED * task.num_samples:
            yield f"{task.task}: only {task.n} of {task.num_samples} samples were run again"
    n = sum(task.n for task in tasks)
    if n < min(MIN_SAMPLES, sum(task.num_samples for task in tasks)):
        yield f"only {n} samples in all were run again, fewer than {MIN_SAMPLES}"


# -- another stack


def _copied(first: Path, second: Path) -> tuple[str, ...]:
    """Why the second run is the first again, or a part of it; nothing that anybody says of it changes that."""
    if first.samefile(second):
        return ("a copy: both are one directory",)
    before, after = manifest_of_run(first), manifest_of_run(second)
    if before.hash == after.hash:
        return (f"a copy: both have the manifest {before.hash[:12]}",)
    ours, theirs = (
        {file.sha256: file.path for file in one.files if file.path.startswith(f"{JOURNAL}/")} for one in (before, after)
    )
    shared = sorted(theirs[digest] for digest in ours.keys() & theirs.keys())
    return (f"a copy: {', '.join(shared)} is byte for byte a journal file of the first run",) if shared else ()


def _dependence(before: Side, after: Side, by: str) -> Iterator[str]:
    shared = set(map(canonical_json, before.stacks)) & set(map(canonical_json, after.stacks))
    if by or (before.stacks and after.stacks and not shared):
        return
    stack = ", ".join(sorted(shared)) or "none that is named"
    yield f"not shown to be independent: the same stack answered ({stack}), as it would in a copy; say who ran it"


# -- sample by sample


def _of_tasks(before: Side, after: Side) -> Iterator[TaskAgreement]:
    for name, task in before.tasks.items():
        if name in after.tasks:
            yield _of_task(task, after.tasks[name])


def _of_task(before: TaskSide, after: TaskSide) -> TaskAgreement:
    metric = next((name for name, column in before.columns.items() if column.estimate.is_primary), "")
    places = {sample: index for index, sample in enumerate(before.ids or ())}
    shared = [(places[sample], index) for index, sample in enumerate(after.ids or ()) if sample in places]
    ours, theirs = (np.array(side, dtype=np.intp) for side in (zip(*shared, strict=True) if shared else ((), ())))
    is_same_ending = before.is_unscored[ours] == after.is_unscored[theirs]
    alike = is_same_ending & _equal(before.columns.get(metric), after.columns.get(metric), ours, theirs)
    n, num_alike = len(shared), int(alike.sum())
    low, high = wilson(num_alike / n, n) if n else (0.0, 1.0)
    return TaskAgreement(
        task=before.spec.name,
        metric=metric,
        n=n,
        num_alike=num_alike,
        num_samples=len(before.is_unscored),
        low=low,
        high=high,
    )


def _equal(before: Column | None, after: Column | None, ours: Places, theirs: Places) -> Bools:
    """Which samples have the same counts on both sides, or none; none are where the metric is another."""
    if before is None or after is None:
        return np.full(len(ours), before is after)
    if before.estimate.signature != after.estimate.signature or before.counts.shape[1] != after.counts.shape[1]:
        return np.zeros(len(ours), dtype=bool)
    apart: Bools = np.any(np.abs(before.counts[ours] - after.counts[theirs]) > TOLERANCE, axis=1)
    alike: Bools = ~apart & (before.has[ours] == after.has[theirs])
    return alike


def _disagreement(tasks: tuple[TaskAgreement, ...]) -> Iterator[str]:
    for task in tasks:
        if task.n - task.num_alike > max(1.0, MAX_APART_OF_TASK * task.n):
            yield f"{task.task}: {task.n - task.num_alike} of {task.n} samples ended otherwise"
    n, num_alike = sum(task.n for task in tasks), sum(task.num_alike for task in tasks)
    if n - num_alike > max(1.0, MAX_APART * n):
        yield f"{n - num_alike} of {n} samples in all ended otherwise, more than {MAX_APART:.0%}"
