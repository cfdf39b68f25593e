"""Workers as Ray's actors: who is free, who died over what, and the process that each of them is."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evalsuite import __version__
from evalsuite.engines.base import Batch, Engine, EngineOptions, Event, OpenEngine, Reusable
from evalsuite.engines.ray_cluster import Cluster, Crew
from evalsuite.errors import EngineFailed, EvalsuiteError, one_line
from evalsuite.types import Response, Scalar

MOST_DEATHS = 3
"""Workers that may die over the same batch before it is taken to be what kills them."""

_POLL_S = 2.0
_WORTH_SAYING_S = 60.0
_GIVE_UP_S = 600.0
"""How long a cluster may take to give a first worker before that is said, and before it is given up."""

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

    def has_more(self) -> bool:
        """Whether there is a batch to hand out, which is fetched for it."""
        if (batch := self.next_batch()) is not None:
            self.again.append(batch)
        return batch is not None


class Workers:
    """As many workers as the crew has, begun when they are first needed. `tell` hears what happens to them.

    A worker is handed batches once it has said what it computes with, and that is what the others compute with. Until
    one that died is replaced the others go on.
    """

    def __init__(
        self, open_engine: OpenEngine, options: EngineOptions, crew: Crew, tell: Callable[[Event], None]
    ) -> None:
        self._open_engine = open_engine
        self._options = options
        self._crew = crew
        self._cluster = Cluster(crew)
        self._tell = tell
        self._hands: dict[int, _Hand] = {}
        self._arriving: dict[Any, _Hand] = {}
        self._idle: list[_Hand] = []
        self._stack: Mapping[str, Scalar] | None = None
        self._has_room = False
        self._trouble: EvalsuiteError | None = None

    def begin(self) -> None:
        """Call those for whom there is room, who begin while others go on; `stack` raises what goes wrong."""
        if self._hands or self._trouble:
            return
        try:
            self._call_up_to(min(self._crew.num_workers, self._cluster.room(self._num_gpus())))
        except EvalsuiteError as error:
            self._trouble = error

    def stack(self) -> Mapping[str, Scalar]:
        """What all of them compute with. Raises EngineFailed where that differs, or one dies, fails or never begins."""
        self._need()
        while self._arriving:
            self._wait([], lambda: False)
        assert self._stack is not None
        return self._stack

    def answers(self, batches: Iterable[Batch], is_stopping: Callable[[], bool]) -> Iterator[Answers]:
        """The answers to whole batches, as they are done. Raises as `WorkersEngine.run` does."""
        shift = _Shift(iter(batches))
        is_done = False
        try:
            while shift.under_way or (not is_stopping() and shift.has_more()):
                self._hand_out(shift)
                for one in self._wait(list(shift.under_way), is_stopping):
                    found = self._taken(shift, one)
                    self._hand_out(shift)  # nobody idles while these answers are stored
                    if found:
                        yield found
            is_done = True
        finally:
            if not is_done:  # the run is given up: what they compute is wanted by nobody
                self.close()

    def _hand_out(self, shift: _Shift) -> None:
        """A batch to everyone who is free."""
        self._need()
        while self._idle and (batch := shift.next_batch()) is not None:
            hand = self._idle.pop(0)
            shift.under_way[hand.actor.answer.remote(batch)] = (hand, batch)

    def _wait(self, asked: list[Any], is_stopping: Callable[[], bool]) -> list[Any]:
        """Those of `asked` that are done, as soon as one is or a worker has arrived.

        Raises EngineFailed where nothing is asked, since no worker is there, and none comes.
        """
        begun = time.monotonic()
        is_said = False
        while asked or self._arriving:
            ready, _ = self._cluster.ray().wait([*asked, *self._arriving], num_returns=1, timeout=_POLL_S)
            arrived = [one for one in ready if one in self._arriving]
            for one in arrived:
                self._welcome(one)
            if ready or (is_stopping() and not asked):
                return [one for one in ready if one in asked]
            waited = time.monotonic() - begun
            if not asked and waited > _GIVE_UP_S:
                raise EngineFailed(f"no worker has begun for {_GIVE_UP_S / 60:.0f} minutes: the cluster has no room.")
            if not asked and waited > _WORTH_SAYING_S and not is_said:
                _LOG.warning("evalsuite: no worker has begun yet; the cluster may be busy.")
                is_said = True
        return []

    def _welcome(self, one: Any) -> None:
        """A worker that has told what it computes with. Raises EngineFailed where that is not what the others do."""
        ray = self._cluster.ray()
        hand = self._arriving.pop(one)
        try:
            told: Mapping[str, Scalar] = ray.get(one)
        except ray.exceptions.RayTaskError as error:
            raise _own(error) from error
        except ray.exceptions.RayError as error:
            raise EngineFailed(f"worker {hand.number} died before it answered anything: {one_line(error)}") from error
        self._stack = self._stack or told
        if told != self._stack:
            raise EngineFailed(
                f"worker {hand.number} computes with {_pairs(told)}, and others with {_pairs(self._stack)}: the last "
                "bits of what they answer may differ. Let all workers be alike."
            )
        self._idle.append(hand)

    def _taken(self, shift: _Shift, one: Any) -> Answers | None:
        """What a worker has done; None of one that died, or whose answer was lost with its node: its batch is asked
        again."""
        ray = self._cluster.ray()
        hand, batch = shift.under_way.pop(one)
        try:
            found: Answers = ray.get(one)
        except ray.exceptions.RayTaskError as error:
            raise _own(error) from error
        except ray.exceptions.RayError as error:
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
            ray.kill(hand.actor)
            self._call(hand.number)
            return None
        self._idle.append(hand)
        return found

    # -- beginning and ending

    def _need(self) -> None:
        """All workers are called, or there already. Raises UsageError where the cluster is not, or is too small."""
        self.begin()
        if self._trouble:
            raise self._trouble
        if self._has_room:
            return
        self._cluster.check_room(self._num_gpus())
        self._call_up_to(self._crew.num_workers)
        self._has_room = True
        self._tell(Event("workers", {"workers": self._crew.num_workers, "cluster": self._crew.cluster}))

    def _call_up_to(self, last: int) -> None:
        for number in range(len(self._hands) + 1, last + 1):
            self._call(number)

    def _call(self, number: int) -> None:
        """A worker is to begin, and to say what it computes with."""
        threads = {name: value for name in _THREADS if (value := os.environ.get(name)) is not None}
        placed = self._cluster.ray().remote(Worker).options(num_cpus=1, num_gpus=self._num_gpus(), max_restarts=0)
        hand = _Hand(number, placed.remote(self._open_engine, self._options, threads, __version__))
        self._hands[number] = hand
        self._arriving[hand.actor.stack.remote()] = hand

    def _num_gpus(self) -> float:
        """What one worker takes; nothing on a CPU."""
        if (self._options.device or "").startswith("cpu") or not self._cluster.has_gpus():
            return 0.0
        return float(self._options.args.get("tensor_parallel_size", 1))

    def close(self) -> None:
        """End the workers, and the cluster if it was begun for them."""
        if not self._cluster.end():
            for hand in self._hands.values():
                self._cluster.ray().kill(hand.actor)
        self._hands, self._arriving, self._idle, self._stack = {}, {}, [], None
        self._has_room, self._trouble = False, None


class Worker:
    """What runs in a process of Ray's: the engine, answering a batch at a time."""

    def __init__(
        self, open_engine: OpenEngine, options: EngineOptions, environment: Mapping[str, str], version: str
    ) -> None:
        self._open_engine = open_engine
        self._options = options
        self._environment = environment
        self._version = version
        self._opened: Engine | None = None

    def _engine(self) -> Engine:
        """Opened when it is first asked: what it raises then is told as it is, which Ray does of no constructor."""
        if self._opened is not None:
            return self._opened
        if self._version != __version__:
            raise EngineFailed(
                f"a worker has evalsuite {__version__}, and this machine {self._version}: install the same."
            )
        for name in _THREADS:
            os.environ.pop(name, None)
        os.environ.update(self._environment)
        self._opened = self._open_engine(self._options)
        return self._opened

    def stack(self) -> Mapping[str, Scalar]:
        """The machine and how it computes."""
        return dict(self._engine().stack())

    def answer(self, batch: Batch) -> Answers:
        """The responses to a batch, in no company, and what happened meanwhile."""
        engine = self._engine()
        engine = engine.afresh() if isinstance(engine, Reusable) else engine
        found = list(engine.run([batch]))
        return found, list(engine.take_events())


def _own(error: Any) -> BaseException:
    """What an engine itself raised in a worker."""
    cause: BaseException = error.cause if isinstance(error.cause, BaseException) else error
    return cause if isinstance(cause, EvalsuiteError) else EngineFailed(f"a worker failed: {one_line(cause)}")


def _pairs(facts: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(facts.items()))
