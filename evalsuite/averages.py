"""Which means a run reports: of each family's tasks in the ways the family names, and of the suites it covers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from evalsuite.contracts import Suite
from evalsuite.prepare import Prepared
from evalsuite.records import Aggregate, AggregateKind, Estimate
from evalsuite.stats.aggregates import mean_of_families, mean_of_tasks
from evalsuite.stats.estimates import Measured, Row
from evalsuite.types import Unscored

Rows = Mapping[str, Sequence[Row]]
"""Samples and outcomes by task."""


def aggregates(prepared: Prepared, measured: Sequence[Measured], rows: Rows) -> tuple[Aggregate, ...]:
    """The means over tasks, then the averages of suites."""
    means = (*_family_means(prepared, measured, rows), *_group_means(prepared, measured))
    headlines = {mean.family: mean for mean in means if mean.is_primary}
    estimates = [part.estimate for part in measured]
    averages = (_suite_average(suite, prepared, headlines, estimates) for suite in prepared.suites)
    return (*means, *(average for average in averages if average is not None))


def _family_means(prepared: Prepared, measured: Sequence[Measured], rows: Rows) -> Iterator[Aggregate]:
    """Means for every metric that several tasks of a family share under one signature and protocol."""
    kinds = {entry.task.name: entry.task.means for entry in prepared.tasks}
    groups: dict[tuple[str, str], list[Measured]] = {}
    for part in measured:
        category = part.estimate.task.partition(":")[2]
        whole = f"{part.estimate.family}:{category}" if category else part.estimate.family
        groups.setdefault((whole, part.estimate.metric), []).append(part)
    for parts in groups.values():
        alike = {(part.estimate.signature, part.estimate.protocol) for part in parts}
        if len(parts) > 1 and len(alike) == 1:
            first = parts[0].estimate
            for kind in kinds[first.task]:
                is_primary = first.is_primary and kind == kinds[first.task][0]
                yield msgspec.structs.replace(_mean(prepared, kind, parts, rows), is_primary=is_primary)


def _group_means(prepared: Prepared, measured: Sequence[Measured]) -> Iterator[Aggregate]:
    """Means of the parts of families that are groups of their own, over those of their tasks that are in the run."""
    groups_of = {entry.task.name: entry.task.groups for entry in prepared.tasks}
    found: dict[tuple[str, str, AggregateKind, str], list[Measured]] = {}
    for part in measured:
        for group, kind in groups_of[part.estimate.task]:
            found.setdefault((part.estimate.family, group, kind, part.estimate.metric), []).append(part)
    for (family, group, kind, metric), parts in found.items():
        if len({(part.estimate.signature, part.estimate.protocol) for part in parts}) == 1:
            yield msgspec.structs.replace(mean_of_tasks(kind, parts), name=f"{family}:{group} {kind} {metric}")


def _mean(prepared: Prepared, kind: AggregateKind, parts: Sequence[Measured], rows: Rows) -> Aggregate:
    """The mean of `parts`; of a random sample of a family with tasks too small to be strata, over rows as one.

    Tasks of the family of which no sample has a score are counted with their unscored samples.
    """
    spec = prepared.spec
    first = parts[0].estimate
    is_sample = spec.limit is not None and spec.limit_mode == "stratified"
    is_thin = first.family in prepared.left_out or any(len(part.clusters) < 2 for part in parts)
    num_available = {task.name: task.num_available for task in spec.tasks}
    mean = mean_of_tasks(kind, parts, num_available if is_sample and is_thin else None)
    category = first.task.partition(":")[2]
    scored = {part.estimate.task for part in parts}
    lost = [
        entry.task.name
        for entry in prepared.tasks
        if entry.task.family == first.family
        and entry.task.name.partition(":")[2] == category
        and entry.task.name not in scored
    ]
    num_lost = sum(isinstance(outcome, Unscored) for task in lost for _, outcome in rows[task])
    num_tasks = mean.num_tasks + len(lost) + prepared.left_out.get(first.family, 0)
    if not num_lost:
        return msgspec.structs.replace(mean, num_tasks=num_tasks)
    return msgspec.structs.replace(
        mean, num_tasks=num_tasks, num_unscored=mean.num_unscored + num_lost, best_case=None, worst_case=None
    )


def _suite_average(
    suite: Suite, prepared: Prepared, means: Mapping[str, Aggregate], estimates: Sequence[Estimate]
) -> Aggregate | None:
    """The average of `suite`; None when a family has no headline over all its tasks, or is run under other rules.

    A family under a variant of the suite's protocol makes the average's protocol that variant.
    """
    tasks = [entry.task for entry in prepared.tasks if entry.task.family in suite.families]
    protocols = {task.protocol.partition("+")[::2] for task in tasks}
    singles = {estimate.family: estimate for estimate in estimates if estimate.is_primary}
    parts: list[Estimate | Aggregate] = []
    for family in suite.families:
        is_single = prepared.num_asked.get(family) == 1
        part = singles.get(family) if is_single else means.get(family)
        if part is None:
            return None
        parts.append(part)
    scored = {name for part in parts for name in (part.members if isinstance(part, Aggregate) else (part.task,))}
    is_alike = len({(part.scale, part.higher_is_better) for part in parts}) == 1
    if {base for base, _ in protocols} != {suite.protocol} or scored != {task.name for task in tasks} or not is_alike:
        return None
    variants = sorted({variant for _, variant in protocols if variant})
    return mean_of_families(suite.average, parts, suite.families, "+".join([suite.protocol, *variants]))
