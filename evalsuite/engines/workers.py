"""Several workers under one plan, by Ray: processes of this machine or of a cluster, each with the whole model.

A batch goes to whoever is free, the longest first, so that the work evens out by itself, and is answered by an engine
that remembers nothing of other batches: what it answers depends on the batch alone, not on how many workers there are,
which of them has it, or whether another died over it before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from evalsuite.engines import sharding
from evalsuite.engines.base import Batch, BatchFeed, Cost, Engine, EngineOptions, Event, OpenEngine, drained
from evalsuite.engines.in_process import InProcess
from evalsuite.engines.ray_cluster import Crew
from evalsuite.engines.ray_workers import Workers
from evalsuite.errors import UsageError
from evalsuite.types import Item, Request, Response, Scalar


class Shardable(Engine, Protocol):
    """An engine whose plan can be cut for many workers (see `sharding`)."""

    def finer(self, batches: Sequence[Batch], num_workers: int) -> tuple[Batch, ...]:
        """Batches for so many workers; up to 8 the very `batches`."""

    def work(self, batch: Batch) -> int:
        """What a batch takes, in tokens read."""


class WorkersEngine:
    """Plans as its inner engine does, and has workers answer. The weights are in the workers alone."""

    is_batch_atomic = True

    def __init__(self, inner: Shardable, open_engine: OpenEngine, options: EngineOptions, crew: Crew) -> None:
        self.name = inner.name
        self.is_cacheable = inner.is_cacheable
        self.has_chat_template = inner.has_chat_template
        self._inner = inner
        self._num_workers = crew.num_workers
        self._events: list[Event] = []
        self._workers = Workers(open_engine, options, crew, self._events.append)

    def identity(self) -> Mapping[str, Scalar]:
        """The inner engine's. Who computes moves nothing; more than 8 workers have batches of their own."""
        return {**self._inner.identity(), **sharding.identity(self._num_workers)}

    def begin(self) -> None:
        """Have the workers begin, and load the weights; what goes wrong is raised when they are needed."""
        self._workers.begin()

    def stack(self) -> Mapping[str, Scalar]:
        """What all workers say of their machines and of how they compute. Raises EngineFailed where they differ."""
        return self._workers.stack()

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """The inner engine's plan, the very same for up to 8 workers, and cut finer for more."""
        return self._inner.finer(self._inner.plan(items), self._num_workers)

    def count_tokens(self, requests: Sequence[Request]) -> int:
        """As the inner engine counts."""
        return self._inner.count_tokens(requests)

    def count_naive_tokens(self, requests: Sequence[Request]) -> int:
        """As the inner engine counts."""
        return self._inner.count_naive_tokens(requests)

    def cost(self, batches: Sequence[Batch]) -> Cost | None:
        """By this machine's rates, shared evenly; the memory is each worker's."""
        whole = self._inner.cost(batches)
        return Cost(whole.seconds / self._num_workers, whole.num_bytes) if whole else None

    def overflow(self, request: Request) -> int:
        """By how many tokens `request` exceeds the model's context."""
        return self._inner.overflow(request)

    def render(self, request: Request) -> str:
        """The text exactly as the tokenizer reads it."""
        return self._inner.render(request)

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """The response to every item, the longest batches first, as workers have done them.

        A worker that dies is replaced and its batch asked again whole. Raises EngineFailed when a batch was the last of
        several workers, and whatever an engine raises that concerns the whole run.
        """
        is_stopping = batches.is_stopping if isinstance(batches, BatchFeed) else lambda: False
        for answers, events in self._workers.answers(sharding.longest_first(batches, self._inner.work), is_stopping):
            self._events += events
            yield from answers

    def take_events(self) -> list[Event]:
        """What happened in the workers, and to them, since the last call."""
        return drained(self._events)

    def close(self) -> None:
        """End the workers, and the cluster if it was begun here."""
        self._workers.close()
        self._inner.close()


def spread(engine: Engine, open_engine: OpenEngine, options: EngineOptions, crew: Crew) -> WorkersEngine:
    """`engine`, which `open_engine` gave, answered for by workers.

    Raises UsageError where nothing is computed here, or Ray is missing.
    """
    from importlib.util import find_spec

    if not isinstance(engine, InProcess):
        raise UsageError(
            f"--workers: the engine {engine.name} computes nothing on these machines; workers are for transformers and "
            "vllm."
        )
    if find_spec("ray") is None:
        raise UsageError("--workers needs Ray: pip install 'evalsuite[ray]'.")
    return WorkersEngine(engine, open_engine, options, crew)
