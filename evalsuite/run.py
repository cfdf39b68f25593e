"""The pipeline, readable from top to bottom: waves of planned requests, answered, journaled, scored, sealed.

A wave's plan is on disk before its first forward pass; each batch is durable before the next begins; results are a pure
function of the journal in plan order. The same command on the same directory goes on where it was stopped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

import msgspec

from evalsuite.asking import items_of, settings_of
from evalsuite.engines.base import Batch, Engine
from evalsuite.errors import EngineFailed, SpecMismatch
from evalsuite.outcomes import Answers, Sealed, count_outcomes, seal
from evalsuite.prepare import Prepared, scoring_packages
from evalsuite.records import Counts, RunResult
from evalsuite.store.journal import Journal, JournalWriter
from evalsuite.store.results import write_results, write_samples
from evalsuite.store.run_directory import PlannedBatch, RunDirectory, locked
from evalsuite.types import (
    Cause,
    Failure,
    Item,
    Loglikelihood,
    Response,
    canonical_json,
)

_ROUNDING_NATS = 0.01
"""How far above 0 rounding may take a log-likelihood."""


class Progress(Protocol):
    """Told what is planned and what is done; may show it."""

    def start_wave(self, wave: int, num_items: int, num_tokens: int, done_tokens: int) -> None:
        """A wave begins, of which `done_tokens` were computed before."""

    def advance(self, num_items: int, num_tokens: int) -> None:
        """A batch is committed."""

    def finish(self) -> None:
        """Nothing more will come."""


class Quiet:
    """Progress that says nothing."""

    def start_wave(self, wave: int, num_items: int, num_tokens: int, done_tokens: int) -> None:
        """Say nothing."""

    def advance(self, num_items: int, num_tokens: int) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Finished:
    """How a run ended: its directory, the counts, and the result unless it was stopped before."""

    path: Path
    run_id: str
    counts: Counts
    result: RunResult | None
    warnings: tuple[str, ...] = ()


@dataclass
class _State:
    """What is known so far: responses by item, the items of each sample wave by wave."""

    journal: Journal
    answers: dict[str, Answers] = field(default_factory=dict)


def execute(
    prepared: Prepared, path: Path, progress: Progress, should_stop: Callable[[], bool] = lambda: False
) -> Finished:
    """Run, or resume, `prepared` in the directory `path`, and seal the result.

    Raises RunLocked, SpecMismatch, CorruptStore or SaveFailed; whatever was committed before stays and is used again.
    """
    directory = RunDirectory(path, prepared.spec)
    with locked(path):
        directory.create()
        state = _State(directory.read_journal())
        try:
            is_whole = _answer_waves(prepared, directory, state, progress, should_stop)
        finally:
            progress.finish()
            prepared.engine.close()
        return _conclude(prepared, directory, state, is_whole)


def _conclude(prepared: Prepared, directory: RunDirectory, state: _State, is_whole: bool) -> Finished:
    spec, warnings = prepared.spec, tuple(f"torn tail ignored: {tail}" for tail in state.journal.torn_tails)
    if not is_whole:
        counts = count_outcomes(prepared.tasks, state.answers)
        return Finished(directory.path, spec.run_id, counts, None, warnings)
    sealed = seal(prepared, state.answers, scoring_packages(), tuple(state.journal.stacks))
    _store(directory.path, sealed)
    return Finished(directory.path, spec.run_id, sealed.result.counts, sealed.result, warnings)


def _store(path: Path, sealed: Sealed) -> None:
    """Write what is derived: always, so that a lost or damaged file is made anew."""
    write_samples(path, sealed.records)
    write_results(path, sealed.result)


def _answer_waves(
    prepared: Prepared,
    directory: RunDirectory,
    state: _State,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> bool:
    """Ask wave after wave until no sample has anything to ask; False when stopped before that."""
    with ExitStack() as resources:
        writer: JournalWriter | None = None
        for wave in count(1):
            items = list(_wave_items(prepared, state.answers, wave))
            if not items:
                break
            batches = _planned(directory, prepared.engine, wave, items)
            open_batches = [batch for batch in batches if not _is_done(batch, state.journal)]
            num_tokens = sum(batch.num_tokens for batch in batches)
            left_tokens = sum(batch.num_tokens for batch in open_batches)
            progress.start_wave(wave, len(items), num_tokens, num_tokens - left_tokens)
            if open_batches:
                writer = writer or resources.enter_context(_open_writer(prepared, directory, state.journal))
                _answer_batches(
                    prepared.engine, open_batches, wave, writer, state.journal, progress, should_stop, directory.note
                )
            _record_replies(state, items)
            if any(not _is_done(batch, state.journal) for batch in open_batches):
                return False
    return True


def _open_writer(prepared: Prepared, directory: RunDirectory, journal: Journal) -> JournalWriter:
    stack = prepared.engine.stack()
    writer = directory.open_writer(journal, stack)
    directory.note("opened", run_id=prepared.spec.run_id, writer=writer.path.name)
    if stack not in journal.stacks:
        journal.stacks.append(stack)
    return writer


def _answer_batches(
    engine: Engine,
    batches: Sequence[Batch],
    wave: int,
    writer: JournalWriter,
    journal: Journal,
    progress: Progress,
    should_stop: Callable[[], bool],
    note: Callable[..., None],
) -> None:
    """Hand the batches over as the engine takes them, and commit each once it is whole."""
    asked = [_without_answered(engine, batch, journal) for batch in batches]
    batch_of = {item.id: batch for batch in asked for item in batch.items}
    waiting: dict[int, dict[str, Response]] = {batch.index: {} for batch in asked}
    taken: list[int] = []
    for item_id, response in engine.run(_until_stopped(asked, should_stop, taken)):
        batch = batch_of.pop(item_id, None)
        if batch is None:
            raise EngineFailed(f"engine {engine.name} answered {item_id}, which was not asked or is answered already")
        waiting[batch.index][item_id] = _admitted(response)
        if len(waiting[batch.index]) == len(batch.items):
            responses = waiting.pop(batch.index)
            ordered = [(item.id, responses[item.id]) for item in batch.items]
            writer.commit(wave, batch.index, ordered)
            for event in engine.take_events():
                note(event.name, **event.facts)
            journal.responses.update(ordered)
            progress.advance(len(batch.items), batch.num_tokens)
    if any(index in waiting for index in taken):
        raise EngineFailed(f"engine {engine.name} left {len(batch_of)} requests without an answer")


def _until_stopped(batches: Sequence[Batch], should_stop: Callable[[], bool], taken: list[int]) -> Iterator[Batch]:
    """The batches one by one as the engine takes them, noted in `taken`, until the run is to stop."""
    for batch in batches:
        if should_stop():
            return
        taken.append(batch.index)
        yield batch


def _admitted(response: Response) -> Response:
    """`response` as it will be read back from the journal, so that a resumed run scores the very same.

    A log-likelihood that is no number becomes a failure: whatever the engine, NaN is no score.
    """
    if isinstance(response, Loglikelihood) and not math.isfinite(response.sum_nats):
        return Failure(cause=Cause.NONFINITE_LOGITS, detail=f"the engine answered {response.sum_nats}")
    if isinstance(response, Loglikelihood) and response.sum_nats > _ROUNDING_NATS:
        return Failure(
            cause=Cause.ENGINE_ERROR, detail=f"a log-likelihood of {response.sum_nats}: a probability above 1"
        )
    return msgspec.convert(json.loads(canonical_json(response)), type(response))


def _without_answered(engine: Engine, batch: Batch, journal: Journal) -> Batch:
    """The batch whole where its members influence one another, else without what is answered already."""
    if engine.is_batch_atomic:
        return batch
    missing = tuple(item for item in batch.items if item.id not in journal.responses)
    return Batch(batch.index, missing, batch.num_tokens)


def _is_done(batch: Batch, journal: Journal) -> bool:
    return all(item.id in journal.responses for item in batch.items)


# -- what a wave asks


def _wave_items(prepared: Prepared, answers: Mapping[str, Answers], wave: int) -> Iterator[Item]:
    """The items of a wave in plan order: every task's samples that have something left to ask."""
    for entry in prepared.tasks:
        for sample in entry.samples:
            known = answers.get(sample.id, Answers())
            if known.failure is None and len(known.replies) == wave - 1:
                yield from items_of(entry.task, sample, known.replies, settings_of(prepared.spec), prepared.spec.seed)


def _planned(directory: RunDirectory, engine: Engine, wave: int, items: Sequence[Item]) -> tuple[Batch, ...]:
    """The wave's batches: as stored when it was planned before, else planned now and stored."""
    stored = directory.read_plan(wave)
    if stored is None:
        batches = engine.plan(items)
        if sorted(item.id for batch in batches for item in batch.items) != sorted(item.id for item in items):
            raise EngineFailed(f"engine {engine.name} planned other items than it was given")
        directory.write_plan(
            wave,
            [
                PlannedBatch(index=batch.index, items=tuple((item.id, item.request.key) for item in batch.items))
                for batch in batches
            ],
        )
        return batches
    return _restored(directory.path, engine, stored, items)


def _restored(path: Path, engine: Engine, stored: Sequence[PlannedBatch], items: Sequence[Item]) -> tuple[Batch, ...]:
    by_id = {item.id: item for item in items}
    planned = {item_id: key for batch in stored for item_id, key in batch.items}
    for item_id in by_id.keys() ^ planned.keys():
        raise SpecMismatch(
            f"{path}: its plan and this evalsuite disagree on whether {item_id} is asked; start a new run."
        )
    for item_id, key in planned.items():
        if by_id[item_id].request.key != key:
            raise SpecMismatch(
                f"{path}: {item_id} was planned with prompt {key[:12]} and now has {by_id[item_id].request.key[:12]}; "
                "its task or template changed. Start a new run with another --output_path."
            )
    batches = []
    for batch in stored:
        members = tuple(by_id[item_id] for item_id, _ in batch.items)
        batches.append(Batch(batch.index, members, engine.count_tokens([item.request for item in members]).planned))
    return tuple(batches)


# -- what came back


def _record_replies(state: _State, items: Sequence[Item]) -> None:
    """Append a wave's responses to what each sample knows, where all of them are in."""
    by_sample: dict[str, list[Item]] = {}
    for item in items:
        by_sample.setdefault(item.sample_id, []).append(item)
    responses = state.journal.responses
    for sample_id, asked in by_sample.items():
        if all(item.id in responses for item in asked):
            known = state.answers.get(sample_id, Answers())
            answered = tuple(responses[item.id] for item in asked)
            state.answers[sample_id] = Answers(
                items=(*known.items, *asked),
                replies=(*known.replies, answered),
                failure=next((response for response in answered if isinstance(response, Failure)), None),
            )
