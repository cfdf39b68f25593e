"""An engine that is a function from Request to Response: for tests, yours included, and for trying things out.

From Python: ``ScriptedEngine(lambda request: completion("Paris"))``. From the command line:
``--model scripted --model_args function=my_module:answer``; without a function it answers `plausible`.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from evalsuite.canonical import content_hash
from evalsuite.engines.base import Batch, EngineOptions, prompt_text
from evalsuite.errors import EngineFailed, UsageError
from evalsuite.types import (
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Request,
    Response,
    RollingRequest,
    Scalar,
)

Answer = Callable[[Request], Response]


class ScriptedEngine:
    """Answers with `function`; `batch_size` items a batch, `delay_s` seconds each."""

    name = "scripted"
    is_cacheable = False  # a function may depend on anything
    has_chat_template = True

    def __init__(self, function: Answer, *, label: str = "scripted", batch_size: int = 1, delay_s: float = 0.0) -> None:
        self._function = function
        self._label = label
        self._batch_size = batch_size
        self._delay_s = delay_s
        self.is_batch_atomic = batch_size > 1

    def identity(self) -> Mapping[str, Scalar]:
        """The function's label and source, and the batch size."""
        return {"function": self._label, "source_sha256": _source_hash(self._function), "batch_size": self._batch_size}

    def stack(self) -> Mapping[str, Scalar]:
        """Nothing: a function has no hardware."""
        return {}

    def plan(self, items: Sequence[Item]) -> tuple[Batch, ...]:
        """The items in order, `batch_size` at a time."""
        size = self._batch_size
        groups = [tuple(items[start : start + size]) for start in range(0, len(items), size)]
        return tuple(
            Batch(index, group, sum(_num_words(item.request) for item in group)) for index, group in enumerate(groups)
        )

    def count_tokens(self, requests: Sequence[Request]) -> int:
        """Words stand for tokens."""
        return sum(_num_words(request) for request in requests)

    def count_naive_tokens(self, requests: Sequence[Request]) -> int:
        """The same: nothing is shared here."""
        return self.count_tokens(requests)

    def overflow(self, request: Request) -> int:
        """Nothing is ever too long."""
        return 0

    def render(self, request: Request) -> str:
        """The request as plain text."""
        return prompt_text(request)

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[str, Response]]:
        """`function` of every item's request."""
        for batch in batches:
            for item in batch.items:
                if self._delay_s:
                    time.sleep(self._delay_s)
                yield item.id, self._answer(item)

    def _answer(self, item: Item) -> Response:
        try:
            response = self._function(item.request)
        except Exception as error:  # the user's own function may raise anything
            raise EngineFailed(f"{self._label} fails on {item.id}: {type(error).__name__}: {error}") from error
        if not isinstance(response, Completion | Loglikelihood | Failure):
            raise EngineFailed(f"{self._label} returned {type(response).__name__} for {item.id}, not a Response.")
        return response

    def cost(self, batches: Sequence[Batch]) -> None:
        """Nothing is computed."""

    def take_events(self) -> tuple[()]:
        """Nothing happens here that belongs to no answer."""
        return ()

    def close(self) -> None:
        """Nothing to let go of."""


def completion(text: str, *, stop_reason: str = "end") -> Completion:
    """A completion of `text`, its words counted as tokens."""
    return Completion(text=text, stop_reason=stop_reason, num_prompt_tokens=0, num_tokens=len(text.split()))  # type: ignore[arg-type]


def loglikelihood(continuation: str, sum_nats: float, *, is_greedy: bool = False) -> Loglikelihood:
    """A log-likelihood of `continuation`, its words counted as tokens."""
    text = continuation.strip()
    return Loglikelihood(
        sum_nats=sum_nats,
        num_tokens=max(1, len(text.split())),
        num_chars=len(text),
        num_bytes=len(text.encode("utf-8", "replace")),
        is_greedy=is_greedy,
    )


def plausible(request: Request) -> Response:
    """A toy model: log-likelihoods drawn from the request's hash, and answers that repeat part of the prompt."""
    draw = int.from_bytes(hashlib.sha256(request.key.encode("ascii")).digest()[:4], "big") / 2**32
    match request:
        case LoglikelihoodRequest():
            return loglikelihood(request.continuation, -(1.0 + 9.0 * draw))
        case GenerateRequest():
            words = prompt_text(request).split()[-12:]
            return completion(" ".join([*words[: 4 + int(8 * draw)], str(int(60 * draw))]))
        case RollingRequest():
            return loglikelihood(request.text, -2.0 * len(request.text.split()))


def _source_hash(function: Answer) -> str:
    """What the function's source hashes to; empty where there is none to read."""
    try:
        return content_hash(inspect.getsource(function))
    except (OSError, TypeError):
        return ""


def _num_words(request: Request) -> int:
    return len(prompt_text(request).split())


def open_engine(options: EngineOptions) -> ScriptedEngine:
    """The engine of ``--model scripted``. Raises UsageError when the function cannot be found."""
    args = dict(options.args)
    args.pop("name", None)  # what its answers are shown under; no business of the engine's
    label = str(args.pop("function", "evalsuite.engines.scripted:plausible"))
    delay_s = args.pop("delay_s", 0.0)
    if isinstance(delay_s, bool | str) or delay_s < 0:
        raise UsageError(f"--model_args delay_s={delay_s}: expected seconds, 0 or more.")
    if args:
        unknown = ", ".join(sorted(args))
        raise UsageError(f"--model_args of scripted: unknown {unknown}; it takes function, delay_s, name.")
    return ScriptedEngine(_function(label), label=label, batch_size=options.batch_size or 1, delay_s=delay_s)


def _function(label: str) -> Answer:
    module, _, attribute = label.partition(":")
    try:
        function: Answer = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"--model_args function={label}: {error}; expected an importable module:function.") from error
    return function
