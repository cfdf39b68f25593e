"""The pipeline, readable from top to bottom: waves of planned requests, answered, journaled, scored, sealed.

A wave's plan is on disk before its first forward pass; each batch is durable before the next begins; results are a pure
function of the journal in plan order. The same command on the same directory goes on where it was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from evalsuite.answering import Committer, Progress, answer_batches, is_done
from evalsuite.asking import items_of, settings_of
from evalsuite.engines.base import Batch, Engine, Metered
from evalsuite.errors import EngineFailed, RunStopped, SpecMismatch
from evalsuite.outcomes import Answers, Sealed, count_outcomes, seal
from evalsuite.prepare import Prepared, scoring_packages
from evalsuite.records import Counts, RunResult
from evalsuite.store.journal import Journal, JournalWriter
from evalsuite.store.response_cache import ResponseCache
from evalsuite.store.results import write_results, write_samples
from evalsuite.store.run_directory import PlannedBatch, RunDirectory, locked
from evalsuite.types import (
    Failure,
    Item,
)


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
    """How a run ended: its directory, the counts, and the result unless it was stopped before.

    `num_cached` of its answers were taken from the cache; `trouble` is what stopped it, where that was neither its end
    nor the user.
    """

    path: Path
    run_id: str
    counts: Counts
    result: RunResult | None
    warnings: tuple[str, ...] = ()
    num_cached: int = 0
    trouble: RunStopped | None = None


@dataclass
class _State:
    """What is known so far: responses by item, the items of each sample wave by wave."""

    journal: Journal
    answers: dict[str, Answers] = field(default_factory=dict)


def execute(
    prepared: Prepared,
    path: Path,
    progress: Progress,
    should_stop: Callable[[], bool] = lambda: False,
    cache: ResponseCache | None = None,
    *,
    keeps_engine: bool = False,
) -> Finished:
    """Run, or resume, `prepared` in the directory `path`, and seal the result.

    With `keeps_engine` the engine is left open, for the run after this one; whoever asks for that closes it.
    What failed in an earlier process for a transient cause is asked again. Answers that `cache` holds are not asked.
    Raises RunLocked, SpecMismatch, CorruptStore or SaveFailed; whatever was committed before stays and is used again.
    """
    directory = RunDirectory(path, prepared.spec)
    with locked(path):
        directory.create()
        state = _State(directory.read_journal().reopened())
        if isinstance(prepared.engine, Metered):
            prepared.engine.carry(state.journal.spent)
        trouble: RunStopped | None = None
        try:
            is_whole = _answer_waves(prepared, directory, state, progress, should_stop, cache)
        except RunStopped as stop:
            is_whole, trouble = False, stop
        finally:
            progress.finish()
            if not keeps_engine:
                prepared.engine.close()
        return _conclude(prepared, directory, state, is_whole, trouble, cache)


def _conclude(
    prepared: Prepared,
    directory: RunDirectory,
    state: _State,
    is_whole: bool,
    trouble: RunStopped | None,
    cache: ResponseCache | None,
) -> Finished:
    spec = prepared.spec
    warnings = (
        *(f"torn tail ignored: {tail}" for tail in state.journal.torn_tails),
        *(cache.warnings() if cache else ()),
    )
    if not is_whole:
        reason = trouble.reason if trouble else "interrupted"
        counts = count_outcomes(prepared.tasks, state.answers, reason)
        return Finished(directory.path, spec.run_id, counts, None, warnings, state.journal.num_cached, trouble)
    sealed = seal(prepared, state.answers, scoring_packages(), state.journal.stacks)
    _store(directory.path, sealed)
    return Finished(
        directory.path, spec.run_id, sealed.result.counts, sealed.result, warnings, state.journal.num_cached
    )


def _store(path: Path, sealed: Sealed) -> None:
    """Write what is derived: always, so that a lost or damaged file is made anew."""
    write_samples(path, sealed.records, sealed.result.packages)
    write_results(path, sealed.result)


def store_sealed(sealed: Sealed, path: Path) -> None:
    """Store as a run directory, without plan and journal, what was not asked here: a jury, another tool's results.

    Raises SaveFailed, or SpecMismatch for another run's directory.
    """
    with locked(path):
        RunDirectory(path, sealed.result.spec).create()
        _store(path, sealed)


def _answer_waves(
    prepared: Prepared,
    directory: RunDirectory,
    state: _State,
    progress: Progress,
    should_stop: Callable[[], bool],
    cache: ResponseCache | None,
) -> bool:
    """Ask wave after wave until no sample has anything to ask; False when stopped before that."""
    with ExitStack() as resources:
        writer: JournalWriter | None = None
        for wave in count(1):
            items = list(_wave_items(prepared, state.answers, wave))
            if not items:
                break
            batches = _planned(directory, prepared.engine, wave, items)
            open_batches = [batch for batch in batches if not is_done(batch, state.journal)]
            num_tokens = sum(batch.num_tokens for batch in batches)
            left_tokens = sum(batch.num_tokens for batch in open_batches)
            progress.start_wave(wave, len(items), num_tokens, num_tokens - left_tokens)
            if open_batches:
                writer = writer or resources.enter_context(_open_writer(prepared, directory, state.journal))
                committer = Committer(prepared.engine, wave, writer, state.journal, progress, directory.note, cache)
                try:
                    answer_batches(committer, open_batches, should_stop)
                finally:
                    _record_replies(state, items)
            else:
                _record_replies(state, items)
            if any(not is_done(batch, state.journal) for batch in open_batches):
                return False
    return True


def _open_writer(prepared: Prepared, directory: RunDirectory, journal: Journal) -> JournalWriter:
    stack = prepared.engine.stack()
    writer = directory.open_writer(journal, stack)
    directory.note("opened", run_id=prepared.spec.run_id, writer=writer.path.name)
    journal.see(stack)
    return writer


# -- what a wave asks


def _wave_items(prepared: Prepared, answers: Mapping[str, Answers], wave: int) -> Iterator[Item]:
    """The items of a wave in plan order: every task's samples that have something left to ask."""
    for entry in prepared.tasks:
        for sample in entry.samples:
            known = answers.get(sample.id, Answers())
            if known.failure is None and len(known.replies) == wave - 1:
                yield from items_of(entry.task, sample, known.replies, settings_of(prepared.spec), prepared.spec.seed)


def _planned(directory: RunDirectory, engine: Engine, wave: int, items: Sequence[Item]) -> tuple[Batch, ...]:
    """The wave's batches: as stored when it was planned before, else planned now and stored.

    A later wave's plan grows when samples come to it late: an earlier turn of theirs failed for a transient cause, and
    was answered when the run was resumed.
    """
    stored = directory.read_plan(wave) or ()
    planned = {item_id for batch in stored for item_id, _ in batch.items}
    may_grow = wave > 1 or not stored  # the first wave asks everything at once
    new = [item for item in items if item.id not in planned] if may_grow else []
    known = [item for item in items if item.id in planned] if may_grow else items
    before = _restored(directory.path, engine, stored, known)
    if not new:
        return before
    batches = engine.plan(new)
    if sorted(item.id for batch in batches for item in batch.items) != sorted(item.id for item in new):
        raise EngineFailed(f"engine {engine.name} planned other items than it was given")
    later = tuple(Batch(batch.index + len(stored), batch.items, batch.num_tokens) for batch in batches)
    directory.extend_plan(
        wave,
        [
            PlannedBatch(index=batch.index, items=tuple((item.id, item.request.key) for item in batch.items))
            for batch in later
        ],
    )
    return (*before, *later)


def _restored(path: Path, engine: Engine, stored: Sequence[PlannedBatch], items: Sequence[Item]) -> tuple[Batch, ...]:
    """The batches of a stored plan. Raises SpecMismatch when this evalsuite would ask otherwise."""
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
        batches.append(Batch(batch.index, members, engine.count_tokens([item.request for item in members])))
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
