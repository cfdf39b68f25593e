"""Which means a run reports: of each family's tasks in the ways the family names, and of the suites it covers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from evalsuite.contracts import Suite
from evalsuite.prepare import Prepared
from evalsuite.records import Aggregate, AggregateKind, Estimate
from evalsuite.stats.aggregates import mean_of_families, mean_of_tasks
from evalsuite.stats.estimates import Measured


def aggregates(prepared: Prepared, measured: Sequence[Measured]) -> tuple[Aggregate, ...]:
    """The means over tasks, then the averages of suites."""
    means = tuple(_family_means(prepared, measured))
    headlines = {mean.family: mean for mean in means if mean.is_primary}
    estimates = [part.estimate for part in measured]
    averages = (_suite_average(suite, prepared, headlines, estimates) for suite in prepared.suites)
    return (*means, *(average for average in averages if average is not None))


def _family_means(prepared: Prepared, measured: Sequence[Measured]) -> Iterator[Aggregate]:
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
                yield msgspec.structs.replace(_mean(prepared, kind, parts), is_primary=is_primary)


def _mean(prepared: Prepared, kind: AggregateKind, parts: Sequence[Measured]) -> Aggregate:
    """The mean of `parts`; of a random sample of a family with tasks too small to be strata, over rows as one."""
    spec = prepared.spec
    is_sample = spec.limit is not None and spec.limit_mode == "stratified" and not spec.rows
    is_thin = parts[0].estimate.family in prepared.left_out or any(len(part.clusters) < 2 for part in parts)
    num_available = {task.name: task.num_available for task in spec.tasks}
    mean = mean_of_tasks(kind, parts, num_available if is_sample and is_thin else None)
    num_left_out = prepared.left_out.get(mean.family, 0) if is_sample else 0
    return msgspec.structs.replace(mean, num_tasks=mean.num_tasks + num_left_out)


def _suite_average(
    suite: Suite, prepared: Prepared, means: dict[str, Aggregate], estimates: Sequence[Estimate]
) -> Aggregate | None:
    """The average of `suite`, or None when a task of it has no score or is run under other rules.

    A family under a variant of the suite's protocol makes the average's protocol that variant.
    """
    tasks = [entry.task for entry in prepared.tasks if entry.task.family in suite.families]
    protocols = {task.protocol.partition("+")[::2] for task in tasks}
    singles = {estimate.family: estimate for estimate in estimates if estimate.is_primary}
    parts = [means.get(family) or singles.get(family) for family in suite.families]
    known = [part for part in parts if part is not None]
    scored = {name for part in known for name in (part.members if isinstance(part, Aggregate) else (part.task,))}
    if {base for base, _ in protocols} != {suite.protocol} or scored != {task.name for task in tasks}:
        return None
    variants = sorted({variant for _, variant in protocols if variant})
    return mean_of_families(suite.average, known, suite.families, "+".join([suite.protocol, *variants]))
