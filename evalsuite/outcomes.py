"""From answers to a sealed result: pure, so that the same journal always gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evalsuite.prepare import PreparedTask
from evalsuite.stats.estimates import Measured, macro, measure
from evalsuite.types import (
    SCHEMA_VERSION,
    Aggregate,
    Cause,
    Completion,
    Counts,
    Failure,
    Item,
    NotRun,
    Outcome,
    Replies,
    RunResult,
    RunSpec,
    RunStatus,
    Sample,
    SampleRecord,
    Scalar,
    Scored,
    TaskSummary,
    Unscored,
)


@dataclass(frozen=True)
class Answers:
    """What one sample was asked and answered so far; `failure` is the first request that could not be answered."""

    items: tuple[Item, ...] = ()
    replies: Replies = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class Sealed:
    """A finished run: the result, and every sample's record in plan order."""

    result: RunResult
    records: tuple[SampleRecord, ...]


def seal(
    spec: RunSpec,
    tasks: Sequence[PreparedTask],
    answers: Mapping[str, Answers],
    packages: Mapping[str, str],
    stacks: tuple[Mapping[str, Scalar], ...],
) -> Sealed:
    """Outcomes, estimates, aggregates and counts of a run whose waves are all answered."""
    rows = {
        entry.task.name: [(sample, _outcome(entry, sample, answers)) for sample in entry.samples] for entry in tasks
    }
    measured = [
        part
        for entry in tasks
        for metric in entry.task.metrics
        if (part := measure(entry.task, spec.model.name, metric, rows[entry.task.name])) is not None
    ]
    counts = _counts(outcome for entry in tasks for _, outcome in rows[entry.task.name])
    result = RunResult(
        schema=SCHEMA_VERSION,
        run_id=spec.run_id,
        spec=spec,
        status=_status(counts),
        counts=counts,
        estimates=tuple(part.estimate for part in measured),
        aggregates=tuple(_aggregates(measured)),
        tasks=tuple(_summary(entry, rows[entry.task.name], answers) for entry in tasks),
        packages=packages,
        stacks=stacks,
    )
    records = tuple(
        _record(entry, sample, outcome, answers) for entry in tasks for sample, outcome in rows[entry.task.name]
    )
    return Sealed(result, records)


def count_outcomes(tasks: Sequence[PreparedTask], answers: Mapping[str, Answers]) -> Counts:
    """Counts of a run that was stopped: samples without all their answers are `not_run`."""
    return _counts(_outcome(entry, sample, answers) for entry in tasks for sample in entry.samples)


def _outcome(entry: PreparedTask, sample: Sample, answers: Mapping[str, Answers]) -> Outcome:
    known = answers.get(sample.id)
    if known is None:
        return NotRun(reason="interrupted")
    if known.failure is not None:
        return Unscored(cause=known.failure.cause, detail=known.failure.detail)
    if entry.task.next_requests(sample, known.replies):
        return NotRun(reason="interrupted")
    try:
        return entry.task.score(sample, known.replies)
    except Exception as error:  # a stranger's scorer; one sample it cannot score must not cost the others
        return Unscored(cause=Cause.TASK_ERROR, detail=f"{type(error).__name__}: {error}")


def _status(counts: Counts) -> RunStatus:
    return "complete" if counts.scored == counts.requested else "incomplete"


def _counts(outcomes: Iterator[Outcome]) -> Counts:
    kinds: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    for outcome in outcomes:
        kinds[type(outcome).__name__] += 1
        if isinstance(outcome, Unscored):
            causes[str(outcome.cause)] += 1
    return Counts(
        requested=sum(kinds.values()),
        scored=kinds["Scored"],
        unscored=kinds["Unscored"],
        cancelled=kinds["Cancelled"],
        not_run=kinds["NotRun"],
        unscored_by_cause=dict(sorted(causes.items())),
    )


def _aggregates(measured: Sequence[Measured]) -> Iterator[Aggregate]:
    """A macro mean for every metric that several tasks of a family share under one signature and protocol."""
    groups: dict[tuple[str, str], list[Measured]] = {}
    for part in measured:
        category = part.estimate.task.partition(":")[2]
        whole = f"{part.estimate.family}:{category}" if category else part.estimate.family
        groups.setdefault((whole, part.estimate.metric), []).append(part)
    for (family, metric), parts in groups.items():
        alike = {(part.estimate.signature, part.estimate.protocol) for part in parts}
        if len(parts) > 1 and len(alike) == 1:
            yield macro(f"{family} macro {metric}", parts)


def _summary(
    entry: PreparedTask, rows: Sequence[tuple[Sample, Outcome]], answers: Mapping[str, Answers]
) -> TaskSummary:
    flags = Counter(str(flag) for _, outcome in rows if isinstance(outcome, Scored) for flag in outcome.flags)
    completions = [
        reply
        for sample, _ in rows
        for wave in answers[sample.id].replies
        for reply in wave
        if isinstance(reply, Completion)
    ]
    task = entry.task
    return TaskSummary(
        task=task.name,
        family=task.family,
        language=task.language,
        protocol=task.protocol,
        counts=_counts(outcome for _, outcome in rows),
        flags=dict(sorted(flags.items())),
        num_prompt_tokens=sum(reply.num_prompt_tokens for reply in completions),
        num_generated_tokens=sum(reply.num_tokens for reply in completions),
        title=task.title,
        source=task.source,
        licence=task.licence,
        language_provenance=task.language_provenance,
    )


def _record(entry: PreparedTask, sample: Sample, outcome: Outcome, answers: Mapping[str, Answers]) -> SampleRecord:
    known = answers[sample.id]
    return SampleRecord(
        sample=sample,
        task=entry.task.name,
        family=entry.task.family,
        items=known.items,
        responses=tuple(reply for wave in known.replies for reply in wave),
        outcome=outcome,
    )
