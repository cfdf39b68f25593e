"""Stored answers scored again by a run's own tasks, and their prompts made again: all must come out as it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from evalsuite.asking import items_of, settings_of
from evalsuite.building import PreparedTask
from evalsuite.errors import EvalsuiteError
from evalsuite.outcomes import Answers, outcome_rows
from evalsuite.proofs.findings import as_read
from evalsuite.proofs.rebuilt import Rebuilt
from evalsuite.proofs.stored_run import StoredRun
from evalsuite.records import RunSpec, SampleRecord, TaskSpec
from evalsuite.types import Failure, Item, Sample
from evalsuite.verdict_scoring import replies_of


def answers_of(records: Sequence[SampleRecord]) -> dict[str, Answers]:
    """What each sample was asked and answered, by its id, as a run knows it; without records that miss an answer."""
    return {record.sample.id: _answers(record) for record in records if _is_answered(record)}


def _is_answered(record: SampleRecord) -> bool:
    return len(record.responses) == len(record.items)


def _answers(record: SampleRecord) -> Answers:
    failure = next((response for response in record.responses if isinstance(response, Failure)), None)
    return Answers(record.items, replies_of(record), failure)


def check_scores(stored: StoredRun, run: RunSpec, rebuilt: Rebuilt) -> frozenset[str]:
    """Note every sample that its task makes, asks or scores otherwise; the tasks that could be scored again."""
    entries = {name: entry for name, entry in rebuilt.known.tasks.items() if name in rebuilt.scorable}
    rows = outcome_rows(list(entries.values()), answers_of(stored.records))
    outcomes = {sample.id: outcome for of_task in rows.values() for sample, outcome in of_task}
    specs = {task.name: task for task in run.tasks}
    for record in stored.records:
        if record.task in entries and _is_answered(record):
            stored.compare_sample(record, record.outcome, as_read(outcomes[record.sample.id]), "outcome")
            _check_items(stored, record, entries[record.task], run)
        if record.task in rebuilt.samples:
            _check_sample(stored, record, specs[record.task], rebuilt.samples[record.task])
    return frozenset(entries)


def _check_items(stored: StoredRun, record: SampleRecord, entry: PreparedTask, run: RunSpec) -> None:
    """Whether the task asks what is stored, wave by wave."""
    replies, settings = replies_of(record), settings_of(run)
    asked: list[Item] = []
    try:
        for wave in range(len(replies)):
            asked += items_of(entry.task, record.sample, replies[:wave], settings, run.seed)
    except EvalsuiteError as error:
        stored.compare_sample(record, "requests", str(error), "items")
    else:
        stored.compare_sample(record, record.items, list(map(as_read, asked)), "items")


def _check_sample(stored: StoredRun, record: SampleRecord, spec: TaskSpec, made: Mapping[str, Sample]) -> None:
    """Whether the sample is what the task makes of its data."""
    sample = record.sample
    source = made.get(_without_repeat(sample.id) if spec.repeats > 1 else sample.id)
    if source is None:
        stored.compare_sample(record, "a sample", "none in the task's data", "sample")
        return
    if spec.repeats > 1:
        source = msgspec.structs.replace(source, id=sample.id, cluster=source.cluster_id)
    if spec.num_shortened and len(sample.shots) < len(source.shots):
        shots = source.shots[len(source.shots) - len(sample.shots) :]
        source = msgspec.structs.replace(source, shots=shots)
    stored.compare_sample(record, sample, as_read(source), "sample")


def _without_repeat(sample_id: str) -> str:
    """The id of a sample that is asked several times, without the number of the time."""
    head, colon, row = sample_id.rpartition(":")
    return head + colon + row.partition("+")[0]
