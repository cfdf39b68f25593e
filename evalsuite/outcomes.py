"""From answers to a sealed result: pure, so that the same journal always gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from evalsuite.averages import Rows, aggregates
from evalsuite.building import PreparedTask
from evalsuite.canonical import canonical_json
from evalsuite.contracts import Task
from evalsuite.prepare import Prepared
from evalsuite.records import Aggregate, Counts, Estimate, Parity, RunResult, RunStatus, SampleRecord, TaskSummary
from evalsuite.stats.estimates import Measured, Row, measure
from evalsuite.stats.parity import parities
from evalsuite.types import (
    SCHEMA_VERSION,
    Cause,
    Completion,
    Failure,
    Item,
    Loglikelihood,
    NotRun,
    Outcome,
    Replies,
    Sample,
    Scalar,
    Scored,
    Unscored,
)


@dataclass(frozen=True)
class Answers:
    """What one sample was asked and answered so far; `failure` is the first request that could not be answered."""

    items: tuple[Item, ...] = ()
    replies: Replies = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class Numbers:
    """What is measured over the outcomes of a run."""

    estimates: tuple[Estimate, ...]
    aggregates: tuple[Aggregate, ...]
    parities: tuple[Parity, ...]


@dataclass(frozen=True)
class Sealed:
    """A finished run: the result, and every sample's record in plan order."""

    result: RunResult
    records: tuple[SampleRecord, ...]


def seal(
    prepared: Prepared,
    answers: Mapping[str, Answers],
    packages: Mapping[str, str],
    stacks: Sequence[Mapping[str, Scalar]],
) -> Sealed:
    """Outcomes, estimates, aggregates and counts of a run whose waves are all answered."""
    tasks = prepared.tasks
    rows = outcome_rows(tasks, answers)
    result = msgspec.structs.replace(
        result_from(prepared, rows, answers, numbers_from(prepared, rows, measure_all(prepared, rows))),
        packages=packages,
        stacks=tuple(sorted(stacks, key=canonical_json)),  # servers' versions come in the order of their answers
    )
    records = tuple(
        _record(entry, sample, outcome, answers) for entry in tasks for sample, outcome in rows[entry.task.name]
    )
    return Sealed(result, records)


def result_from(prepared: Prepared, rows: Rows, answers: Mapping[str, Answers], numbers: Numbers) -> RunResult:
    """The result of a run whose samples ended as `rows` say, without what scored and what answered them."""
    spec, tasks = prepared.spec, prepared.tasks
    counts = count_endings(outcome for entry in tasks for _, outcome in rows[entry.task.name])
    return RunResult(
        schema=SCHEMA_VERSION,
        run_id=spec.run_id,
        spec=spec,
        status=status_of(counts),
        counts=counts,
        estimates=numbers.estimates,
        aggregates=numbers.aggregates,
        tasks=tuple(_summary(entry, rows[entry.task.name], answers) for entry in tasks),
        packages={},
        parities=numbers.parities,
    )


def measure_all(prepared: Prepared, rows: Rows) -> list[Measured]:
    """Every metric of every task over `rows`, without those that have nothing to count."""
    return [
        part
        for entry in prepared.tasks
        for metric in entry.task.metrics
        if (part := measure(entry.task, prepared.spec.subject, metric, rows[entry.task.name])) is not None
    ]


def numbers_from(prepared: Prepared, rows: Rows, measured: Sequence[Measured]) -> Numbers:
    """All the numbers of a result; nothing here needs the answers themselves."""
    return Numbers(
        estimates=tuple(part.estimate for part in measured),
        aggregates=aggregates(prepared, measured, rows),
        parities=parities([(entry.task, rows[entry.task.name]) for entry in prepared.tasks], prepared.spec.subject),
    )


def count_outcomes(tasks: Sequence[PreparedTask], answers: Mapping[str, Answers], reason: str) -> Counts:
    """Counts of a run that was stopped for `reason`: samples without all their answers are `not_run`."""
    return count_endings(_outcome(entry, sample, answers, reason) for entry in tasks for sample in entry.samples)


def _outcome(
    entry: PreparedTask, sample: Sample, answers: Mapping[str, Answers], reason: str = "interrupted"
) -> Outcome:
    """How a sample ended. One that asks nothing at all is scored for what it is."""
    known = answers.get(sample.id, Answers())
    if known.failure is not None:
        return Unscored(cause=known.failure.cause, detail=known.failure.detail)
    if entry.task.next_requests(sample, known.replies):
        return NotRun(reason=reason)
    try:
        return _admitted(entry.task, entry.task.score(sample, known.replies))
    except Exception as error:  # a stranger's scorer; one sample it cannot score must not cost the others
        return Unscored(cause=Cause.TASK_ERROR, detail=f"{type(error).__name__}: {error}")


def _admitted(task: Task, outcome: Scored | Unscored) -> Scored | Unscored:
    """`outcome` as it is. Raises TypeError or ValueError where nothing could come of it: counts of no metric."""
    if not isinstance(outcome, Scored | Unscored):
        raise TypeError(f"score() of {task.name} gave a {type(outcome).__name__}, not Scored or Unscored")
    known = [metric.name for metric in task.metrics]
    for score in outcome.scores:
        if score.name not in known:
            raise ValueError(f"score() of {task.name} counts for {score.name!r}; its metrics are {', '.join(known)}")
    return outcome


_ENOUGH_ALONE = 20
"""Samples from which a task is judged by itself: most of a few may be constant by rounding."""


def outcome_rows(tasks: Sequence[PreparedTask], answers: Mapping[str, Answers]) -> dict[str, list[Row]]:
    """Every sample's outcome, by task.

    Where most samples of a family, or of a task that is large enough to tell, got one log-likelihood for all choices,
    those have no score. A model that does not
    tell choices apart measures nothing, and taking the first would score the place of the right one. A few such samples
    are rounding in a coarse number format, and are scored and flagged.
    """
    rows = {
        entry.task.name: [(sample, _outcome(entry, sample, answers)) for sample in entry.samples] for entry in tasks
    }
    families: dict[str, list[str]] = {}
    for entry in tasks:
        families.setdefault(entry.task.family, []).append(entry.task.name)
    groups = [*families.values(), *([name] for name, found in rows.items() if len(found) >= _ENOUGH_ALONE)]
    for names in groups:
        constant = _constant_samples([row for name in names for row in rows[name]], answers)
        for name in names:
            rows[name] = [(sample, constant.get(sample.id, outcome)) for sample, outcome in rows[name]]
    return rows


def _constant_samples(rows: Sequence[Row], answers: Mapping[str, Answers]) -> dict[str, Outcome]:
    """The outcomes of a family's samples without any difference between choices, if they are the most."""
    levels = {
        sample.id: found
        for sample, outcome in rows
        if isinstance(outcome, Scored) and (found := _levels(answers.get(sample.id, Answers())))
    }
    constant = {sample_id: found for sample_id, found in levels.items() if len(set(found)) == 1}
    if 2 * len(constant) <= len(levels):
        return {}
    return {sample_id: _unscored_constant(found) for sample_id, found in constant.items()}


def _levels(known: Answers) -> list[float]:
    """The log-likelihoods of a sample that had at least two different ones to tell apart."""
    replies = [reply for wave in known.replies for reply in wave]
    by_request = {
        item.request: reply.sum_nats
        for item, reply in zip(known.items, replies, strict=True)
        if isinstance(reply, Loglikelihood)
    }
    return list(by_request.values()) if len(by_request) > 1 else []


def _unscored_constant(levels: Sequence[float]) -> Unscored:
    detail = f"all {len(levels)} choices have the log-likelihood {levels[0]}"
    return Unscored(cause=Cause.CONSTANT_LOGITS, detail=detail)


def status_of(counts: Counts) -> RunStatus:
    """Complete where every sample that was asked for has a score."""
    return "complete" if counts.scored == counts.requested else "incomplete"


def count_endings(outcomes: Iterable[Outcome]) -> Counts:
    """How samples ended, by kind and cause."""
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


def count_flags(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How often each flag was raised."""
    flags = Counter(str(flag) for outcome in outcomes if isinstance(outcome, Scored) for flag in outcome.flags)
    return dict(sorted(flags.items()))


def _summary(
    entry: PreparedTask, rows: Sequence[tuple[Sample, Outcome]], answers: Mapping[str, Answers]
) -> TaskSummary:
    completions = [
        reply
        for sample, _ in rows
        for wave in answers.get(sample.id, Answers()).replies
        for reply in wave
        if isinstance(reply, Completion)
    ]
    task = entry.task
    return TaskSummary(
        task=task.name,
        family=task.family,
        language=task.language,
        protocol=task.protocol,
        counts=count_endings(outcome for _, outcome in rows),
        flags=count_flags(outcome for _, outcome in rows),
        num_prompt_tokens=sum(reply.num_prompt_tokens for reply in completions),
        num_generated_tokens=sum(reply.num_tokens for reply in completions),
        num_truncated=sum(_is_truncated(answers.get(sample.id, Answers())) for sample, _ in rows),
        title=task.title,
        source=task.source,
        licence=task.licence,
        language_provenance=task.language_provenance,
        show_in_report=task.show_in_report,
    )


def _is_truncated(known: Answers) -> bool:
    return any(not isinstance(reply, Failure) and reply.num_truncated for wave in known.replies for reply in wave)


def _record(entry: PreparedTask, sample: Sample, outcome: Outcome, answers: Mapping[str, Answers]) -> SampleRecord:
    known = answers.get(sample.id, Answers())
    return SampleRecord(
        sample=sample,
        task=entry.task.name,
        family=entry.task.family,
        items=known.items,
        responses=tuple(reply for wave in known.replies for reply in wave),
        outcome=outcome,
    )
