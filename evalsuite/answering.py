"""Batches answered and made durable, one whole batch after the other, whatever ends the answering."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.engines import memory
from evalsuite.engines.base import Batch, BatchFeed, Engine, Metered, Weighed
from evalsuite.errors import EngineFailed, SaveFailed
from evalsuite.store.journal import Journal, JournalWriter
from evalsuite.store.response_cache import ResponseCache
from evalsuite.store.run_directory import TAKEN
from evalsuite.types import Cause, Completion, Failure, Loglikelihood, Response, Spent

_NO_BATCH = -1
"""The batch of a record that holds no answers, only what was spent on none."""

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


@dataclass
class Pace:
    """How fast batches came, from the first on: loading, and the first batch itself, are not counted."""

    begun: float | None = None
    seconds: float = 0.0
    num_tokens: int = 0

    def see(self, num_tokens: int) -> None:
        """A batch of so many tokens was answered just now."""
        now = time.monotonic()
        if self.begun is None:
            self.begun = now
            return
        self.seconds = now - self.begun
        self.num_tokens += num_tokens

    def facts(self) -> dict[str, float]:
        """By the names of the telemetry; empty where there was one batch alone."""
        return {"steady_seconds": self.seconds, "steady_tokens": self.num_tokens} if self.seconds else {}


@dataclass
class Committer:
    """Makes whole batches durable, one after the other."""

    engine: Engine
    wave: int
    writer: JournalWriter
    journal: Journal
    progress: Progress
    note: Callable[..., None]
    cache: ResponseCache | None
    pace: Pace = field(default_factory=Pace)

    def from_cache(self, batch: Batch) -> bool:
        """Commit `batch` from the cache, if that has all its answers."""
        found = self.cache.lookup(self.engine, batch) if self.cache else None
        if found is None:
            return False
        self._commit(batch, found, is_cached=True)
        return True

    def commit(self, batch: Batch, responses: Mapping[str, Response]) -> None:
        """Commit what the engine answered, in the batch's order."""
        self._commit(batch, tuple((item.id, responses[item.id]) for item in batch.items), is_cached=False)
        self.pace.see(_num_tokens(batch, responses))
        for event in self.engine.take_events():
            self.note(event.name, **event.facts)
        if self.cache:
            self.cache.keep(self.engine, batch, responses)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Make durable what was spent since the last commit, however the answering inside ends, and note clock and
        memory."""
        begun, is_peak_known = time.monotonic(), memory.restart_peak()
        try:
            yield
        except SaveFailed:
            raise
        except BaseException:
            self._record_spent()
            raise
        self._record_spent()
        held = dict(self.engine.memory_held()) if isinstance(self.engine, Weighed) else {}
        peak = memory.peak_resident_bytes() if is_peak_known else None
        if peak is not None:
            held["peak_resident_bytes"] = peak
        self.note(TAKEN, wave=self.wave, seconds=time.monotonic() - begun, **self.pace.facts(), **held)

    def _record_spent(self) -> None:
        spent = _spent(self.engine)
        if spent is not None and spent.requests:
            self.writer.commit(self.wave, _NO_BATCH, (), spent=spent)
        for event in self.engine.take_events():
            self.note(event.name, **event.facts)

    def _commit(self, batch: Batch, responses: Sequence[tuple[str, Response]], *, is_cached: bool) -> None:
        versions = self.engine.take_versions() if isinstance(self.engine, Metered) else ()
        self.writer.commit(
            self.wave, batch.index, responses, spent=_spent(self.engine), is_cached=is_cached, versions=versions
        )
        if versions:
            self.journal.see(self.engine.stack(), versions)
        self.journal.responses.update(responses)
        self.journal.num_cached += len(responses) if is_cached else 0
        self.progress.advance(len(batch.items), batch.num_tokens)


def _num_tokens(batch: Batch, responses: Mapping[str, Response]) -> int:
    """The tokens that answering a batch took: those generated are counted, where the plan has only their caps."""
    texts = [reply for reply in responses.values() if isinstance(reply, Completion)]
    return sum(text.num_prompt_tokens + text.num_tokens for text in texts) if texts else batch.num_tokens


def answer_batches(committer: Committer, batches: Sequence[Batch], should_stop: Callable[[], bool]) -> None:
    """Hand the batches over as the engine takes them, and commit each once it is whole."""
    engine = committer.engine
    asked = [_without_answered(engine, batch, committer.journal) for batch in batches]
    if committer.cache:
        asked = [batch for batch in asked if not committer.from_cache(batch)]
    batch_of = {item.id: batch for batch in asked for item in batch.items}
    waiting: dict[int, dict[str, Response]] = {batch.index: {} for batch in asked}
    feed = BatchFeed(asked, should_stop)
    with committer.counting(), closing(_answers(engine, feed, is_needed=bool(asked))) as answers:
        for item_id, response in answers:
            batch = batch_of.pop(item_id, None)
            if batch is None:
                raise EngineFailed(
                    f"engine {engine.name} answered {item_id}, which was not asked or is answered already"
                )
            waiting[batch.index][item_id] = _admitted(response)
            if len(waiting[batch.index]) == len(batch.items):
                committer.commit(batch, waiting.pop(batch.index))
    if any(index in waiting for index in feed.taken) and not feed.is_stopping():
        raise EngineFailed(f"engine {engine.name} left {len(batch_of)} requests without an answer")


def _answers(engine: Engine, feed: BatchFeed, *, is_needed: bool) -> Generator[tuple[str, Response], None, None]:
    """The engine's answers; an engine that has nothing to answer is not even loaded."""
    if is_needed:
        yield from engine.run(feed)


def _spent(engine: Engine) -> Spent | None:
    return engine.take_spent() if isinstance(engine, Metered) else None


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


def is_done(batch: Batch, journal: Journal) -> bool:
    """Whether every item of `batch` has its response."""
    return all(item.id in journal.responses for item in batch.items)
