"""A task made up of what a result says of it, for runs whose own task is not here. Pure.

An estimate says enough of its metric (formula, range, kind of interval) for the same functions as in a run to compute
it again from counts. What does not follow from counts is named.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from evalsuite.contracts import Metric, Task
from evalsuite.metrics import MEAN, is_computed_here, mean, reduce_of
from evalsuite.records import Aggregate, AggregateKind, Estimate, RunResult
from evalsuite.stats.estimates import Row
from evalsuite.types import Sample, Scored, Unscored

Wholes = Collection[tuple[str, str]] | None
"""Task and metric of those metrics that are about all samples of their task; None where that is not known."""


@dataclass(frozen=True)
class StatedTask:
    """`uncounted` are metrics that cannot be computed here, `unknown` in words what else is only stated."""

    task: Task
    uncounted: tuple[str, ...]
    unknown: tuple[str, ...]


def stated_task(result: RunResult, name: str, rows: Sequence[Row], wholes: Wholes) -> StatedTask:
    """The task `name` of `result`; `rows` are its samples, which it cannot score."""
    spec = next(task for task in result.spec.tasks if task.name == name)
    summary = next(task for task in result.tasks if task.task == name)
    estimates = [one for one in result.estimates if one.task == name]
    counted = [one for one in estimates if _is_computed_here(one)]
    headline = () if counted and counted[0].is_primary else (_UNMEASURED,)
    task = Task(
        name=name,
        family=spec.family,
        version=spec.version,
        language=summary.language,
        protocol=spec.protocol,
        num_fewshot=spec.num_fewshot,
        kind=_kind(result, name),
        datasets=(),
        samples=lambda _: (),
        next_requests=lambda sample, replies: (),
        score=_no_score,
        metrics=(*headline, *(_metric(one, rows, wholes) for one in counted)),
        title=summary.title,
        source=summary.source,
        licence=summary.licence,
        language_provenance=summary.language_provenance,
        means=_means(result, spec.family),
        show_in_report=summary.show_in_report,
        groups=_groups(result, spec.family, name),
    )
    uncounted = tuple(one.metric for one in estimates if not _is_computed_here(one))
    return StatedTask(task, uncounted, tuple(_unknown(estimates, rows, wholes)))


def amended(found: Estimate, stated: Estimate, rows: Sequence[Row], wholes: Wholes) -> Estimate:
    """An estimate of such a task with what is only stated of it put in."""
    found = msgspec.structs.replace(found, chance=stated.chance)
    if is_about_all(stated, rows, wholes):
        return found
    return msgspec.structs.replace(
        found,
        num_not_judged=stated.num_not_judged,
        num_unscored=stated.num_unscored,
        unscored=stated.unscored,
        best_case=stated.best_case,
        worst_case=stated.worst_case,
    )


_UNMEASURED = Metric("", mean)
"""Stands first where the headline is not computed: no row has counts of that name."""


def _no_score(sample: Sample, replies: object) -> Scored:
    raise NotImplementedError(f"{sample.id} is scored by a task that is not here")


def _is_computed_here(stated: Estimate) -> bool:
    return is_computed_here(stated.formula, stated.metric, stated.language, stated.signature)


def _metric(stated: Estimate, rows: Sequence[Row], wholes: Wholes) -> Metric:
    """The metric behind an estimate, without its level of chance, which needs the task."""
    ends = stated.bounds or (None if stated.least is None else (stated.least, math.inf))
    has_cases = stated.best_case is not None and stated.formula == MEAN and ends is not None
    low, high = ends or (0.0, 0.0)
    worst, best = (low, high) if stated.higher_is_better else (high, low)
    return Metric(
        stated.metric,
        reduce_of(stated.formula, stated.metric, stated.language, stated.signature),
        proportion=stated.interval in ("wilson", "wilson-clustered"),
        bounds=ends,
        higher_is_better=stated.higher_is_better,
        signature=lambda: stated.signature,
        scale=stated.scale,
        best=(best, 1.0) if has_cases else None,
        worst=(worst, 1.0) if has_cases else None,
        alias=stated.alias,
        applies=_scope(stated, rows, wholes),
        formula=stated.formula,
    )


def _scope(stated: Estimate, rows: Sequence[Row], wholes: Wholes) -> Callable[[Sample], bool] | None:
    """Which samples the metric is about: all, or where it is about fewer those with counts of it."""
    if is_about_all(stated, rows, wholes):
        return None
    counted = frozenset(sample.id for sample, outcome in rows if _has_counts(outcome, stated.metric))
    return lambda sample: sample.id in counted


def is_about_all(stated: Estimate, rows: Sequence[Row], wholes: Wholes) -> bool:
    """Whether a metric is about all samples of its task: as `wholes` says, else by the estimate's own numbers."""
    if wholes is not None:
        return (stated.task, stated.metric) in wholes
    num_ended = sum(isinstance(outcome, Scored | Unscored) for _, outcome in rows)
    return stated.n + stated.num_not_judged + stated.num_unscored == num_ended


def _has_counts(outcome: object, metric: str) -> bool:
    return isinstance(outcome, Scored | Unscored) and any(score.name == metric for score in outcome.scores)


def _unknown(estimates: Sequence[Estimate], rows: Sequence[Row], wholes: Wholes) -> Iterator[str]:
    for one in estimates:
        if not _is_computed_here(one):
            yield f"{one.metric}, whose formula is the task's own or another version's of its library"
            continue
        if not is_about_all(one, rows, wholes):
            yield f"which samples without a score {one.metric} is about"
        if one.chance is not None:
            yield f"the level of chance of {one.metric}"


def _kind(result: RunResult, name: str) -> str:
    """The task's kind as far as gaps to English depend on it: those of translations are not computed at all."""
    of_task = [parity for parity in result.parities if name in (parity.task, parity.reference)]
    if not of_task:
        return "translate"
    return "generate" if any(parity.num_answered for parity in of_task) else "multiple_choice"


def _means(result: RunResult, family: str) -> tuple[AggregateKind, ...]:
    means = [one for one in result.aggregates if one.family == family and one.kind != "suite"]
    return tuple(dict.fromkeys(one.kind for one in means if not group_of(one))) or ("macro",)


def group_of(mean: Aggregate) -> str:
    """The part of a family that a mean of tasks is about by itself; empty for all, and for a category of the tasks."""
    group = mean.name.rpartition(f" {mean.kind} ")[0].removeprefix(mean.family).removeprefix(":")
    return "" if any(member.partition(":")[2] == group for member in mean.members) else group


def _groups(result: RunResult, family: str, name: str) -> tuple[tuple[str, AggregateKind], ...]:
    """The groups that a task is in, as the means tell."""
    means = [one for one in result.aggregates if one.family == family and one.kind != "suite" and name in one.members]
    return tuple(dict.fromkeys((group_of(one), one.kind) for one in means if group_of(one)))
