"""Workers as Ray's actors: who is free, who died over what, and the process that each of them is."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evalsuite import __version__
from evalsuite.engines.base import Batch, EngineOptions, Event, OpenEngine, Reusable
from evalsuite.engines.ray_cluster import Cluster, Crew
from evalsuite.errors import EngineFailed, EvalsuiteError, one_line
from evalsuite.types import Response, Scalar

MOST_DEATHS = 3
"""Workers that may die over the same batch before it is taken to be what kills them."""

_WORTH_SAYING_S = 60.0
"""How long a cluster may take to give its workers before that is said."""

_LOG = logging.getLogger(__name__)

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Ray would set these to 1 in its workers; as many threads as here move no bit."""

Answers = tuple[list[tuple[str, Response]], list[Event]]


@dataclass
class _Hand:
    """One worker, by number, as Ray knows it."""

    number: int
    actor: Any


@dataclass
class _Shift:
    """What is asked at present, and which batches are to be asked again; deaths by the index of the batch."""

    feed: Iterator[Batch]
    under_way: dict[Any, tuple[_Hand, Batch]] = field(default_factory=dict)
    again: list[Batch] = field(default_factory=list)
    deaths: Counter[int] = field(default_factory=Counter)

    def next_batch(self) -> Batch | None:
        """Those first whose worker died; those without items have no answer."""
        if self.again:
            return self.again.pop()
        return next((batch for batch in self.feed if batch.items), None)


class Workers:
    """As many workers as the crew has, begun when they are first needed. `tell` hears what happens to them."""

    def __init__(
        self, open_engine: OpenEngine, options: EngineOptions, crew: Crew, tell: Callable[[Event], None]
    ) -> None:
        self._open_engine = open_engine
        self._options = options
        self._crew = crew
        self._cluster = Cluster(crew)
        self._tell = tell
        self._idle: list[_Hand] = []
        self._is_begun = False

    def stack(self) -> Mapping[str, Scalar]:
        """What all of them say of their machines. Raises EngineFailed where they differ, or one dies or fails."""
        self._begin()
        found = [self._told(hand) for hand in self._idle]
        for number, one in enumerate(found[1:], start=2):
            if one != found[0]:
                raise EngineFailed(
                    f"worker {number} computes with {_pairs(one)}, and worker 1 with {_pairs(found[0])}: the last bits "
                    "of what they answer may differ. Let all workers be alike."
                )
        return found[0]

    def _told(self, hand: _Hand) -> Mapping[str, Scalar]:
        ray = self._cluster.ray()
        asked = hand.actor.stack.remote()
        if not ray.wait([asked], timeout=_WORTH_SAYING_S)[0]:
            _LOG.warning("evalsuite: worker %d has not begun yet; the cluster may be busy.", hand.number)
        try:
            told: Mapping[str, Scalar] = ray.get(asked)
        except ray.exceptions.RayTaskError as error:
            raise _own(error) from error
        except ray.exceptions.RayActorError as error:
            raise EngineFailed(f"worker {hand.number} died before it answered anything: {one_line(error)}") from error
        return told

    def answers(self, batches: Iterable[Batch]) -> Iterator[Answers]:
        """The answers to whole batches, as they are done. Raises as `WorkersEngine.run` does."""
        shift = _Shift(iter(batches))
        try:
            while True:
                self._hand_out(shift)
                if not shift.under_way:
                    return
                ready, _ = self._cluster.ray().wait(list(shift.under_way), num_returns=1)
                for one in ready:
                    yield from self._taken(shift, one)
        finally:
            if shift.under_way:  # the run is given up: what they compute is wanted by nobody
                self.close()

    def _hand_out(self, shift: _Shift) -> None:
        """A batch to everyone who is free."""
        while len(shift.under_way) < self._crew.num_workers and (batch := shift.next_batch()) is not None:
            self._begin()
            hand = self._idle.pop(0)
            shift.under_way[hand.actor.answer.remote(batch)] = (hand, batch)

    def _taken(self, shift: _Shift, one: Any) -> Iterator[Answers]:
        """What a worker has done. One that died is replaced, and its batch asked again."""
        ray = self._cluster.ray()
        hand, batch = shift.under_way.pop(one)
        try:
            found: Answers = ray.get(one)
        except ray.exceptions.RayTaskError as error:
            raise _own(error) from error
        except ray.exceptions.RayActorError as error:
            why = one_line(error)
            self._tell(Event("worker_died", {"worker": hand.number, "batch": batch.index, "why": why}))
            _LOG.warning("evalsuite: worker %d died (%s); another takes its place.", hand.number, why)
            shift.deaths[batch.index] += 1
            if shift.deaths[batch.index] >= MOST_DEATHS:
                first = batch.items[0].id
                raise EngineFailed(
                    f"{MOST_DEATHS} workers died over the same batch, which begins with {first}: {why}"
                ) from error
            shift.again.append(batch)
            self._idle.append(self._new(hand.number))
        else:
            self._idle.append(hand)
            yield found

    # -- beginning and ending

    def _begin(self) -> None:
        """All workers, if they are not there yet. Raises UsageError where the cluster is not, or is too small."""
        if self._is_begun:
            return
        self._cluster.check_room(self._num_gpus())
        self._idle = [self._new(number) for number in range(1, self._crew.num_workers + 1)]
        self._is_begun = True
        self._tell(Event("workers", {"workers": self._crew.num_workers, "cluster": self._crew.cluster}))

    def _new(self, number: int) -> _Hand:
        threads = {name: value for name in _THREADS if (value := os.environ.get(name)) is not None}
        actor = self._cluster.ray().remote(Worker)
        placed = actor.options(num_cpus=1, num_gpus=self._num_gpus(), max_restarts=0)
        return _Hand(number, placed.remote(self._open_engine, self._options, threads, __version__))

    def _num_gpus(self) -> float:
        """What one worker takes; nothing on a CPU."""
        if (self._options.device or "").startswith("cpu") or not self._cluster.has_gpus():
            return 0.0
        return float(self._options.args.get("tensor_parallel_size", 1))

    def close(self) -> None:
        """End the workers, and the cluster if it was begun for them."""
        if self._is_begun and not self._cluster.end():
            for hand in self._idle:
                self._cluster.ray().kill(hand.actor)
        self._idle, self._is_begun = [], False


class Worker:
    """What runs in a process of Ray's: the engine, answering a batch at a time."""

    def __init__(
        self, open_engine: OpenEngine, options: EngineOptions, environment: Mapping[str, str], version: str
    ) -> None:
        if version != __version__:
            raise EngineFailed(f"a worker has evalsuite {__version__}, and this machine {version}: install the same.")
        for name in _THREADS:
            os.environ.pop(name, None)
        os.environ.update(environment)
        self._engine = open_engine(options)

    def stack(self) -> Mapping[str, Scalar]:
        """The machine and how it computes."""
        return dict(self._engine.stack())

    def answer(self, batch: Batch) -> Answers:
        """The responses to a batch, in no company, and what happened meanwhile."""
        engine = self._engine.afresh() if isinstance(self._engine, Reusable) else self._engine
        found = list(engine.run([batch]))
        return found, list(engine.take_events())


def _own(error: Any) -> BaseException:
    """What an engine itself raised in a worker."""
    cause: BaseException = error.cause if isinstance(error.cause, BaseException) else error
    return cause if isinstance(cause, EvalsuiteError) else EngineFailed(f"a worker failed: {one_line(cause)}")


def _pairs(facts: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(facts.items()))
