"""Sample by sample: which tasks of two sides may be compared, which may not and why, and the paired counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite.comparability import judge_disagreements, task_disagreements
from evalsuite.comparing.sides import Bools, Column, Side, TaskSide
from evalsuite.contracts import Metric
from evalsuite.metrics import reduce_of
from evalsuite.records import Estimate
from evalsuite.stats.intervals import Reduce
from evalsuite.stats.paired_rows import PairedRows

Places = NDArray[np.int64]

FindMetric = Callable[[Side, Estimate], Metric | None]
"""The metric that a task's own code has for an estimate, where that can be had."""


@dataclass(frozen=True)
class NotComparable:
    """A task, or one metric of it, that is kept apart, and why."""

    task: str
    metric: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class PairedTask:
    """A task of both sides over the samples they share; `left_out` of those have no score on one side or both.

    `num_newly_unscored` samples have one in the baseline and none in the candidate. `rows` by metric hold those with
    counts on both sides, the headline first. `only_baseline` and `only_candidate` are
    samples that the other side was not asked.
    """

    name: str
    family: str
    language: str
    baseline: TaskSide
    candidate: TaskSide
    rows: Mapping[str, PairedRows]
    num_shared: int
    num_left_out: int
    num_newly_unscored: int
    only_baseline: int = 0
    only_candidate: int = 0


@dataclass(frozen=True)
class Pairing:
    """All that two sides share; `missing` tasks only the baseline has, `added` only the candidate."""

    baseline: Side
    candidate: Side
    tasks: Mapping[str, PairedTask]
    refused: tuple[NotComparable, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]


def pair(baseline: Side, candidate: Side, find_metric: FindMetric = lambda side, estimate: None) -> Pairing:
    """`baseline` and `candidate` task by task.

    Tasks under different rules, data, prompts or judges are refused, and so is a metric of another signature. Where two
    runs took different samples, those they share are compared if their prompts are the same.
    """
    of_judge = judge_disagreements(baseline.spec, candidate.spec)
    tasks: dict[str, PairedTask] = {}
    refused: list[NotComparable] = []
    for name, before in baseline.tasks.items():
        after = candidate.tasks.get(name)
        if after is None:
            continue
        reasons = (*of_judge, *task_disagreements(before.spec, after.spec))
        places = None if reasons else _places(before, after, is_judged=candidate.spec.judged is not None)
        if isinstance(places, str) or places is None:
            refused.append(NotComparable(name, "", reasons or (str(places),)))
            continue
        tasks[name], apart = _paired(candidate, before, after, places, find_metric)
        refused += apart
    return Pairing(
        baseline=baseline,
        candidate=candidate,
        tasks=tasks,
        refused=tuple(refused),
        missing=tuple(name for name in baseline.tasks if name not in candidate.tasks),
        added=tuple(name for name in candidate.tasks if name not in baseline.tasks),
    )


def _places(before: TaskSide, after: TaskSide, *, is_judged: bool) -> tuple[Places, Places] | str:
    """Where the samples that both were asked stand on either side, or why they cannot be paired.

    What a judge is sent holds the answers, and so differs by right.
    """
    first, second = before.spec, after.spec
    if first.sample_ids_hash == second.sample_ids_hash:
        if not (first.prompts_hash and second.prompts_hash) and not is_judged:
            return "prompts: their hashes are not known"
        if first.prompts_hash != second.prompts_hash and not is_judged:
            return f"prompts: {first.prompts_hash[:12]}, {second.prompts_hash[:12]}"
        everything = np.arange(len(after.is_unscored))
        return everything, everything
    if before.ids is None or after.ids is None:
        return f"samples: {first.num_samples} and {second.num_samples}, not the same ones"
    place = {name: index for index, name in enumerate(before.ids)}
    shared = [(place[name], index) for index, name in enumerate(after.ids) if name in place]
    if not shared:
        return "samples: none in common"
    ours, theirs = (np.array(column) for column in zip(*shared, strict=True))
    if not is_judged and before.prompts is not None and after.prompts is not None:
        num_other = sum(before.prompts[i] != after.prompts[j] for i, j in shared)
        if num_other:
            return f"prompts: {num_other} of {len(shared)} samples in common were asked otherwise"
    return ours, theirs


def _paired(
    candidate: Side, before: TaskSide, after: TaskSide, places: tuple[Places, Places], find_metric: FindMetric
) -> tuple[PairedTask, list[NotComparable]]:
    ours, theirs = places
    unscored = before.is_unscored[ours], after.is_unscored[theirs]
    refused: list[NotComparable] = []
    rows: dict[str, PairedRows] = {}
    for metric in sorted(after.columns, key=lambda name: not after.columns[name].estimate.is_primary):
        if metric not in before.columns:
            continue
        first, second = before.columns[metric], after.columns[metric]
        reduce = _reduce(candidate, first.estimate, second.estimate, find_metric)
        if isinstance(reduce, str):
            refused.append(NotComparable(after.spec.name, metric, (reduce,)))
            continue
        rows[metric] = _rows(before, after, first, second, places, unscored, reduce)
    paired = PairedTask(
        name=after.spec.name,
        family=after.spec.family,
        language=after.summary.language,
        baseline=before,
        candidate=after,
        rows=rows,
        num_shared=len(ours),
        num_left_out=int((unscored[0] | unscored[1]).sum()),
        num_newly_unscored=int((unscored[1] & ~unscored[0]).sum()),
        only_baseline=len(before.is_unscored) - len(ours),
        only_candidate=len(after.is_unscored) - len(theirs),
    )
    return paired, refused


def _reduce(candidate: Side, before: Estimate, after: Estimate, find_metric: FindMetric) -> Reduce | str:
    """How the metric's counts become its value, or why the two cannot be compared."""
    if before.signature != after.signature:
        return f"metric: {before.signature}, {after.signature}"
    if before.formula == after.formula:
        try:
            return reduce_of(after.formula, after.metric, after.language, after.signature)
        except KeyError:
            pass
    metric = find_metric(candidate, after)
    if metric is None or metric.signature() != after.signature:
        return "metric: its formula is the task's own, which is not installed here"
    return metric.reduce


def _rows(
    before: TaskSide, after: TaskSide, first: Column, second: Column, places: tuple[Places, Places],
    unscored: tuple[Bools, Bools], reduce: Reduce,
) -> PairedRows:  # fmt: skip
    ours, theirs = places
    both = first.has[ours] & second.has[theirs]
    known, order = (before, ours) if after.ids is None and before.ids is not None else (after, theirs)
    kept = order[both].tolist()
    ids = known.ids or tuple(f"{after.spec.name}:#{index}" for index in range(len(known.is_unscored)))
    return PairedRows(
        estimate=second.estimate,
        reduce=reduce,
        names=tuple(ids[index] for index in kept),
        clusters=tuple(known.clusters[index] for index in kept),
        baseline=first.counts[ours][both],
        candidate=second.counts[theirs][both],
        num_left_out=int((~both & (unscored[0] | unscored[1])).sum()),
        num_available=after.spec.num_available,
    )
