"""The contract between the run loop and whatever answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from evalsuite.types import (
    GenerateRequest,
    Item,
    LoglikelihoodRequest,
    Prompt,
    Request,
    Response,
    RollingRequest,
    Scalar,
    Spent,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """Items that are answered together, in this order, on every attempt. `num_tokens` is what the engine computes."""

    index: int
    items: tuple[Item, ...]
    num_tokens: int


class BatchFeed:
    """Batches one by one as an engine takes them, until the run is to stop; `taken` are the indices of those taken.

    An engine that has much under way at once asks `is_stopping`, so as not to wait for all of it.
    """

    def __init__(self, batches: Iterable[Batch], should_stop: Callable[[], bool] = lambda: False) -> None:
        self._batches = iter(batches)
        self._should_stop = should_stop
        self.taken: list[int] = []

    def is_stopping(self) -> bool:
        """Whether no more batches come although some are left."""
        return self._should_stop()

    def __iter__(self) -> BatchFeed:
        return self

    def __next__(self) -> Batch:
        batch = next(self._batches)
        if self._should_stop():
            raise StopIteration
        self.taken.append(batch.index)
        return batch


@dataclass(frozen=True)
class Cost:
    """What batches will take, as far as it can be known before: seconds of this machine, and bytes of memory."""

    seconds: float
    num_bytes: int


@dataclass(frozen=True)
class Event:
    """Something that happened while answering, for the run's telemetry."""

    name: str
    facts: Mapping[str, Scalar]


class Engine(Protocol):
    """Answers requests. Construction is cheap; weights are loaded by the first `run`.

    `identity` holds everything that can change an answer and goes into the run id; `stack` what is recorded beside it
    (hardware, threads). `plan` is a pure function of the requests and the identity: batches of at least one item,
    numbered from 0. `is_cacheable` where identity and request say all that an answer depends on. With `is_batch_atomic`
    a batch that was not committed whole is run again whole, since its members influence the last bits; otherwise only
    what is missing is asked. `run` takes batches as it has room for them, may answer them in any order and interleaved,
    yields each item's id exactly once, a `Failure` included, and raises only what concerns the whole run. When the
    batches end early, the run is being stopped.
    """

    name: str
    is_batch_atomic: bool
    is_cacheable: bool
    has_chat_template: bool

    def identity(self) -> Mapping[str, Scalar]:
        """Everything that can change an answer."""

    def stack(self) -> Mapping[str, Scalar]:
        """Hardware, threads and the like, recorded but not part of the run id."""

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """The items in batches."""

    def count_tokens(self, requests: Sequence[Request]) -> int:
        """Tokens that this engine computes to answer `requests` together, generated ones at their caps."""

    def count_naive_tokens(self, requests: Sequence[Request]) -> int:
        """Tokens of one row a request, generated ones at their caps."""

    def cost(self, batches: Sequence[Batch]) -> Cost | None:
        """What `batches` will take of time and memory, or None where nothing is computed here."""

    def overflow(self, request: Request) -> int:
        """By how many tokens `request` exceeds the model's context; 0 when it fits or that cannot be known."""

    def render(self, request: Request) -> str:
        """The text exactly as the model reads it."""

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """The response to every item of `batches`."""

    def take_events(self) -> Sequence[Event]:
        """What happened since the last call and belongs to no answer."""

    def close(self) -> None:
        """Let go of weights and sockets."""


def missing_parts(engine: object) -> tuple[str, ...]:
    """The names of the contract of `Engine` that `engine` lacks, in its order."""
    parts = (*Engine.__annotations__, *(name for name in vars(Engine) if not name.startswith("_")))
    return tuple(name for name in parts if not hasattr(engine, name))


@runtime_checkable
class ByRow(Protocol):
    """An engine whose answers go by the rows of one dataset."""

    def check_rows(self, num_rows: Mapping[str, int]) -> None:
        """Raise UsageError unless its answers are those to tasks with so many rows, the left out ones counted."""


@runtime_checkable
class Metered(Protocol):
    """An engine whose answers somebody else computes: they cost something that a user may cap, and who computes may
    change under way."""

    def carry(self, spent: Spent) -> None:
        """Count what earlier processes of this run spent."""

    def take_spent(self) -> Spent:
        """What was spent since the last call."""

    def take_versions(self) -> tuple[str, ...]:
        """Names that the server gave its own version of the model since the last call, each once a process."""


@runtime_checkable
class Reusable(Protocol):
    """An engine over something that takes long to load, which several runs can share one after the other."""

    def afresh(self) -> Engine:
        """An engine over the same weights that remembers nothing of what was asked of this one."""


@runtime_checkable
class Beginning(Protocol):
    """An engine that takes long to begin, which it can do while a run is prepared."""

    def begin(self) -> None:
        """Begin, and return before that is done. What goes wrong is raised when something is asked."""


@runtime_checkable
class Weighed(Protocol):
    """An engine that holds a model in memory of this machine."""

    def memory_held(self) -> Mapping[str, int]:
        """By name: ``weights_bytes`` as loaded, ``peak_device_bytes`` since the last call; empty before loading."""


@dataclass(frozen=True)
class EngineOptions:
    """What the command line says about an engine."""

    model: str
    args: Mapping[str, Scalar]
    batch_size: int | None = None
    device: str | None = None
    chat_template: str | None = None
    is_deterministic: bool = False


def drained(events: list[T]) -> list[T]:
    """What is in `events`, which is empty afterwards."""
    found = list(events)
    events.clear()
    return found


OpenEngine = Callable[[EngineOptions], Engine]
"""What an entry point of the group ``evalsuite.engines`` names."""


def one_by_one(items: Sequence[Item], cost: Callable[[Request], int]) -> tuple[Batch, ...]:
    """A plan for engines whose answers do not depend on company: every item a batch of its own."""
    return tuple(Batch(index, (item,), cost(item.request)) for index, item in enumerate(items))


def prompt_text(request: Request) -> str:
    """A request as text for engines without a template: messages as ``role: content`` lines."""
    match request:
        case GenerateRequest():
            return _plain(request.prompt)
        case LoglikelihoodRequest():
            return _plain(request.context) + request.continuation
        case RollingRequest():
            return request.text


def _plain(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else "\n".join(f"{turn.role}: {turn.content}" for turn in prompt)
