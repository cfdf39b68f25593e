"""The pipeline, readable from top to bottom: waves of planned requests, answered, journaled, scored, sealed.

A wave's plan is on disk before its first forward pass; each batch is durable before the next begins; results are a pure
function of the journal in plan order. The same command on the same directory goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

import msgspec

from evalsuite.engines.base import Batch, Engine
from evalsuite.errors import SpecMismatch
from evalsuite.outcomes import Answers, Sealed, count_outcomes, seal
from evalsuite.prepare import Prepared, PreparedTask, adjust
from evalsuite.store.journal import Journal, JournalWriter
from evalsuite.store.results import RESULTS, read_results, write_results, write_samples
from evalsuite.store.run_directory import PlannedBatch, RunDirectory
from evalsuite.types import (
    Counts,
    Failure,
    GenerateRequest,
    Item,
    Replies,
    Request,
    Response,
    RunResult,
    Sample,
)


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
    with directory.locked():
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
    sealed = seal(spec, prepared.tasks, state.answers, tuple(state.journal.stacks))
    _store(directory.path, sealed)
    return Finished(directory.path, spec.run_id, sealed.result.counts, sealed.result, warnings)


def _store(path: Path, sealed: Sealed) -> None:
    """Write what is derived, unless the same result is there already."""
    if (path / RESULTS).exists() and read_results(path) == sealed.result:
        return
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
    writer: JournalWriter | None = None
    try:
        for wave in count(1):
            items = list(_wave_items(prepared, state.answers, wave))
            if not items:
                return True
            batches = _planned(directory, prepared.engine, wave, items)
            open_batches = [batch for batch in batches if not _is_done(batch, state.journal)]
            done_tokens = sum(batch.num_tokens for batch in batches) - sum(batch.num_tokens for batch in open_batches)
            progress.start_wave(wave, len(items), sum(batch.num_tokens for batch in batches), done_tokens)
            if open_batches and writer is None:
                writer = directory.open_writer(state.journal, prepared.engine.stack())
                directory.note("opened", run_id=prepared.spec.run_id, writer=writer.path.name)
                _remember_stack(state.journal, prepared.engine)
            for batch in open_batches:
                if should_stop():
                    return False
                assert writer is not None
                _answer_batch(prepared.engine, batch, wave, writer, state.journal)
                progress.advance(len(batch.items), batch.num_tokens)
            _record_replies(state, items)
    finally:
        if writer is not None:
            writer.close()
    raise AssertionError("waves are endless")


def _remember_stack(journal: Journal, engine: Engine) -> None:
    stack = engine.stack()
    if stack not in journal.stacks:
        journal.stacks.append(stack)


def _answer_batch(engine: Engine, batch: Batch, wave: int, writer: JournalWriter, journal: Journal) -> None:
    """Ask a batch and commit it whole. What an engine needs no company for is not asked again."""
    if engine.is_batch_atomic:
        asked = batch
    else:
        missing = tuple(item for item in batch.items if item.id not in journal.responses)
        asked = Batch(batch.index, missing, batch.num_tokens)
    responses = dict(engine.run([asked]))
    expected = {item.id for item in asked.items}
    if set(responses) != expected:
        raise RuntimeError(f"engine {engine.name} answered {sorted(set(responses) ^ expected)[:3]} out of turn")
    ordered = [(item.id, responses[item.id]) for item in asked.items]
    writer.commit(wave, batch.index, ordered)
    journal.responses.update(ordered)


def _is_done(batch: Batch, journal: Journal) -> bool:
    return all(item.id in journal.responses for item in batch.items)


# -- what a wave asks


def _wave_items(prepared: Prepared, answers: Mapping[str, Answers], wave: int) -> Iterator[Item]:
    """The items of a wave in plan order: every task's samples that have something left to ask."""
    for entry in prepared.tasks:
        for sample in entry.samples:
            known = answers.get(sample.id, Answers())
            if known.failure is None and len(known.replies) == wave - 1:
                yield from _sample_items(prepared, entry, sample, known.replies, wave)


def _sample_items(
    prepared: Prepared, entry: PreparedTask, sample: Sample, replies: Replies, wave: int
) -> Iterator[Item]:
    for index, request in enumerate(entry.task.next_requests(sample, replies)):
        item_id = f"{sample.id}#{wave}.{index}"
        asked = _seeded(adjust(request, prepared.spec.generation), prepared.spec.seed, item_id)
        yield Item(id=item_id, sample_id=sample.id, wave=wave, request=asked)


def _seeded(request: Request, seed: int, item_id: str) -> Request:
    """A sampled request with a seed of its own, so that its text depends on nothing but itself."""
    if not isinstance(request, GenerateRequest) or not request.temperature:
        return request
    digest = hashlib.sha256(f"{seed}\x00{item_id}".encode("utf-8", "surrogatepass")).digest()
    return msgspec.structs.replace(request, seed=int.from_bytes(digest[:4], "big"))


def _planned(directory: RunDirectory, engine: Engine, wave: int, items: Sequence[Item]) -> tuple[Batch, ...]:
    """The wave's batches: as stored when it was planned before, else planned now and stored."""
    stored = directory.read_plan(wave)
    if stored is None:
        batches = engine.plan(items)
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
    """Append a sealed wave to what each of its samples knows."""
    by_sample: dict[str, list[tuple[Item, Response]]] = {}
    for item in items:
        by_sample.setdefault(item.sample_id, []).append((item, state.journal.responses[item.id]))
    for sample_id, answered in by_sample.items():
        known = state.answers.get(sample_id, Answers())
        failure = next((response for _, response in answered if isinstance(response, Failure)), None)
        state.answers[sample_id] = Answers(
            items=(*known.items, *(item for item, _ in answered)),
            replies=(*known.replies, tuple(response for _, response in answered)),
            failure=failure,
        )
