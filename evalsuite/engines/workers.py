"""Several workers under one plan, by Ray: processes of this machine or of a cluster, each with the whole model.

A batch goes to whoever is free, so that the work evens out by itself, and is answered by an engine that remembers
nothing of other batches: what it answers depends on the batch alone, not on how many workers there are, which of them
has it, or whether another died over it before.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from evalsuite import __version__
from evalsuite.engines.base import Batch, Cost, Engine, EngineOptions, Event, Reusable, drained
from evalsuite.engines.in_process import InProcess
from evalsuite.errors import EngineFailed, EvalsuiteError, UsageError
from evalsuite.types import Item, Request, Response, Scalar

MOST_DEATHS = 3
"""Workers that may die over the same batch before it is taken to be what kills them."""

LOCAL = "local"
"""The cluster of this machine alone, begun for the run and ended with it."""

_CLIENT = "ray://"
_CONNECT_S = 10.0
_WORTH_SAYING_S = 60.0
"""How long a cluster may take to give its workers before that is said."""

_LOG = logging.getLogger(__name__)

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Ray would set these to 1 in its workers; as many threads as here move no bit."""

Answers = tuple[list[tuple[str, Response]], list[Event]]

Opener = Callable[[EngineOptions], Engine]
"""An engine's plugin: a function of an installed module, which every node has."""


@dataclass(frozen=True)
class Crew:
    """How many workers there are, and where: ``local``, ``auto`` or the address of a Ray cluster, as HOST:PORT."""

    num_workers: int
    cluster: str = LOCAL


class WorkersEngine:
    """Plans as its inner engine does, and has workers answer. The weights are in the workers alone."""

    is_batch_atomic = True

    def __init__(self, inner: Engine, opener: Opener, options: EngineOptions, crew: Crew) -> None:
        self.name = inner.name
        self.is_cacheable = inner.is_cacheable
        self.has_chat_template = inner.has_chat_template
        self._inner = inner
        self._workers = _Workers(opener, options, crew)
        self._num_workers = crew.num_workers
        self._events: list[Event] = []

    def identity(self) -> Mapping[str, Scalar]:
        """The inner engine's: who computes moves nothing."""
        return self._inner.identity()

    def stack(self) -> Mapping[str, Scalar]:
        """What all workers say of their machines and of how they compute. Raises EngineFailed where they differ."""
        return self._workers.stack(self._events)

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """The inner engine's plan, the same for any number of workers."""
        return self._inner.plan(items)

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
        """The response to every item, batches as workers have done them.

        A worker that dies is replaced and its batch asked again whole. Raises EngineFailed when a batch was the last of
        several workers, and whatever an engine raises that concerns the whole run.
        """
        for answers, events in self._workers.answers(batches, self._events):
            self._events += events
            yield from answers

    def take_events(self) -> list[Event]:
        """What happened in the workers, and to them, since the last call."""
        return drained(self._events)

    def close(self) -> None:
        """End the workers, and the cluster if it was begun here."""
        self._workers.close()
        self._inner.close()


@dataclass
class _Worker:
    """One of them, by number, as Ray knows it."""

    number: int
    actor: Any


@dataclass
class _Workers:
    """Ray's actors, begun when they are first needed."""

    opener: Opener
    options: EngineOptions
    crew: Crew
    idle: list[_Worker] = field(default_factory=list)
    is_begun_here: bool = False

    def stack(self, events: list[Event]) -> Mapping[str, Scalar]:
        ray = self._begun(events)
        found: list[Mapping[str, Scalar]] = []
        for worker in self.idle:
            found.append(self._asked(ray, worker))
        for number, one in enumerate(found[1:], start=2):
            if one != found[0]:
                raise EngineFailed(
                    f"worker {number} computes with {_pairs(one)}, and worker 1 with {_pairs(found[0])}: the last bits "
                    "of what they answer may differ. Let all workers be alike."
                )
        return found[0]

    def _asked(self, ray: Any, worker: _Worker) -> Mapping[str, Scalar]:
        asked = worker.actor.stack.remote()
        if not ray.wait([asked], timeout=_WORTH_SAYING_S)[0]:
            _LOG.warning("evalsuite: worker %d has not begun yet; the cluster may be busy.", worker.number)
        try:
            told: Mapping[str, Scalar] = ray.get(asked)
        except ray.exceptions.RayTaskError as error:
            raise _own(error) from error
        except ray.exceptions.RayActorError as error:
            raise EngineFailed(
                f"worker {worker.number} died before it had answered anything: {_line(error)}"
            ) from error
        return told

    def answers(self, batches: Iterable[Batch], events: list[Event]) -> Iterator[Answers]:
        """The answers to whole batches, as they are done."""
        feed, again = iter(batches), list[Batch]()
        under_way: dict[Any, tuple[_Worker, Batch]] = {}
        deaths: dict[int, int] = {}
        try:
            while True:
                self._hand_out(feed, again, under_way, events)
                if not under_way:
                    return
                yield from self._done(under_way, again, deaths, events)
        finally:
            if under_way:  # the run is given up: what they compute is wanted by nobody
                self.close()

    def _hand_out(
        self,
        feed: Iterator[Batch],
        again: list[Batch],
        under_way: dict[Any, tuple[_Worker, Batch]],
        events: list[Event],
    ) -> None:
        """A batch to everyone who is free, those first whose worker died."""
        while again or len(under_way) < self.crew.num_workers:
            batch = again.pop() if again else next(feed, None)
            if batch is None:
                return
            if not batch.items:
                continue
            self._begun(events)
            worker = self.idle.pop(0)
            under_way[worker.actor.answer.remote(batch)] = (worker, batch)

    def _done(
        self,
        under_way: dict[Any, tuple[_Worker, Batch]],
        again: list[Batch],
        deaths: dict[int, int],
        events: list[Event],
    ) -> Iterator[Answers]:
        import ray

        ready, _ = ray.wait(list(under_way), num_returns=1)
        for one in ready:
            worker, batch = under_way.pop(one)
            try:
                found: Answers = ray.get(one)
            except ray.exceptions.RayTaskError as error:
                raise _own(error) from error
            except ray.exceptions.RayActorError as error:
                deaths[batch.index] = deaths.get(batch.index, 0) + 1
                facts: dict[str, Scalar] = {"worker": worker.number, "batch": batch.index, "why": _line(error)}
                events.append(Event("worker_died", facts))
                if deaths[batch.index] >= MOST_DEATHS:
                    raise EngineFailed(
                        f"{MOST_DEATHS} workers died over the same batch, which begins with {batch.items[0].id}: "
                        f"{_line(error)}"
                    ) from error
                self.idle.append(self._new(ray, worker.number))
                again.append(batch)
                continue
            self.idle.append(worker)
            yield found

    # -- beginning and ending

    def _begun(self, events: list[Event]) -> Any:
        """Ray, with all workers there."""
        import ray

        if not ray.is_initialized():
            self._connect(ray)
        if not self.idle:
            self._check_room(ray)
            self.idle = [self._new(ray, number) for number in range(1, self.crew.num_workers + 1)]
            events.append(Event("workers", {"workers": self.crew.num_workers, "cluster": self.crew.cluster}))
        return ray

    def _connect(self, ray: Any) -> None:
        """Raises UsageError where there is no such cluster."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        common = {"log_to_driver": False, "configure_logging": False}
        with _own_signals():
            if self.crew.cluster == LOCAL:
                ray.init(num_cpus=self.crew.num_workers, include_dashboard=False, **common)
                self.is_begun_here = True
                return
            _check_address(self.crew.cluster)
            try:
                ray.init(address=self.crew.cluster, **common)
            except (ConnectionError, ValueError, RuntimeError, OSError) as error:
                raise UsageError(f"--cluster {self.crew.cluster} cannot be reached: {_line(error)}") from error

    def _check_room(self, ray: Any) -> None:
        """Raises UsageError where the cluster could never hold all workers: they would be waited for for ever."""
        has = ray.cluster_resources()
        for kind, each in (("CPU", 1.0), ("GPU", self._num_gpus(ray))):
            needed, there = self.crew.num_workers * each, has.get(kind, 0.0)
            if needed > there:
                raise UsageError(
                    f"--workers {self.crew.num_workers} need {needed:.15g} {kind}s, and the cluster has {there:.15g}."
                )

    def _new(self, ray: Any, number: int) -> _Worker:
        threads = {name: value for name in _THREADS if (value := os.environ.get(name)) is not None}
        actor = ray.remote(Worker).options(num_cpus=1, num_gpus=self._num_gpus(ray), max_restarts=0)
        return _Worker(number, actor.remote(self.opener, self.options, threads, __version__))

    def _num_gpus(self, ray: Any) -> float:
        """What one worker takes; nothing on a CPU."""
        if (self.options.device or "").startswith("cpu") or not ray.cluster_resources().get("GPU"):
            return 0
        return float(self.options.args.get("tensor_parallel_size", 1))

    def close(self) -> None:
        import sys

        ray = sys.modules.get("ray")
        if ray is None or not ray.is_initialized():
            return
        if self.is_begun_here:
            ray.shutdown()
            self.is_begun_here = False
        else:
            for worker in self.idle:
                ray.kill(worker.actor)
        self.idle = []


class Worker:
    """What runs in a process of Ray's: the engine, answering a batch at a time."""

    def __init__(self, opener: Opener, options: EngineOptions, environment: Mapping[str, str], version: str) -> None:
        if version != __version__:
            raise EngineFailed(f"a worker has evalsuite {__version__}, and this machine {version}: install the same.")
        for name in _THREADS:
            os.environ.pop(name, None)
        os.environ.update(environment)
        self._engine = opener(options)

    def stack(self) -> Mapping[str, Scalar]:
        """The machine and how it computes."""
        return dict(self._engine.stack())

    def answer(self, batch: Batch) -> Answers:
        """The responses to a batch, in no company, and what happened meanwhile."""
        engine = self._engine.afresh() if isinstance(self._engine, Reusable) else self._engine
        found = list(engine.run([batch]))
        return found, list(engine.take_events())


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; a run that is asked to stop ends its batch first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _check_address(address: str) -> None:
    """Raises UsageError where nobody listens, for which Ray itself would wait minutes."""
    if address == "auto":
        return
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--cluster {address}: expected auto or HOST:PORT, as `ray start --head` prints it.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"--cluster {address} cannot be reached: {error}.") from error


def _own(error: Any) -> BaseException:
    """What an engine itself raised in a worker."""
    cause: BaseException = error.cause if isinstance(error.cause, BaseException) else error
    return cause if isinstance(cause, EvalsuiteError) else EngineFailed(f"a worker failed: {_line(cause)}")


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"


def _pairs(facts: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(facts.items()))


def spread(engine: Engine, opener: Opener, options: EngineOptions, crew: Crew) -> WorkersEngine:
    """`engine`, which `opener` gave, answered for by workers. Raises UsageError where nothing is computed here, or Ray is missing."""
    from importlib.util import find_spec

    if not isinstance(engine, InProcess):
        raise UsageError(
            f"--workers: the engine {engine.name} computes nothing on these machines; workers are for transformers and "
            "vllm."
        )
    if find_spec("ray") is None:
        raise UsageError("--workers needs Ray: pip install 'evalsuite[ray]'.")
    return WorkersEngine(engine, opener, options, crew)
