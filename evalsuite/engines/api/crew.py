"""The thread in which servers are asked: items go in, their ends come out of a queue, the event loop stays inside."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from evalsuite.engines.api.asking import Asker
from evalsuite.engines.api.client import UNREACHABLE
from evalsuite.engines.api.pool import Answered, Pool, Size
from evalsuite.errors import EndpointDown, EngineFailed, EvalsuiteError, UsageError
from evalsuite.types import (
    Cause,
    Failure,
    GenerateRequest,
    Item,
    LoglikelihoodRequest,
    Message,
    Prompt,
    Request,
    Response,
)

_TRIAL_ATTEMPTS = 3


@dataclass(frozen=True)
class Ended:
    """An item's end: an answer with its retries, or what stops the run."""

    item: Item
    outcome: Answered[Response] | Exception


class Crew:
    """A thread with an event loop in which requests are asked; items go in by `take`, messages come out of `line`."""

    def __init__(self, asker: Asker, pool: Pool, size: Callable[[Request], Size], line: queue.Queue[Ended]) -> None:
        self._asker = asker
        self._pool = pool
        self._size = size
        self._line = line
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="evalsuite-api", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._checks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def take(self, item: Item) -> None:
        """Ask `item`; its message will come."""
        self._loop.call_soon_threadsafe(self._begin, item)

    def stop(self) -> None:
        """Give up what is under way and wait until the sockets are closed."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            left = [*self._tasks, *self._checks.values()]
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._asker.client.close())
            self._loop.close()

    def _begin(self, item: Item) -> None:
        task = self._loop.create_task(self._answer(item))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, item: Item) -> None:
        outcome: Answered[Response] | Exception
        try:
            await self._checked(item.request)
            outcome = await self._ask(item.request)
        except EvalsuiteError as error:
            outcome = error
        except Exception as error:  # a fault of ours, or a server nobody thought of: it must end the run, not hang it
            outcome = EngineFailed(f"engine openai fails on {item.id}: {type(error).__name__}: {error}")
        self._line.put(Ended(item, outcome))

    async def _ask(self, request: Request, max_attempts: int | None = None) -> Answered[Response]:
        return await self._pool.ask(lambda: self._asker.attempt(request), self._size(request), max_attempts)

    async def _checked(self, request: Request) -> None:
        """Wait until one small request of this kind was answered: the first of a kind sends it."""
        kind = self._asker.kind_of(request)
        if kind in self._asker.learnt.kinds:
            return
        if kind not in self._checks:
            self._checks[kind] = self._loop.create_task(self._check(kind, trial(request)))
        await asyncio.shield(self._checks[kind])

    async def _check(self, kind: str, request: Request) -> None:
        """Raises UsageError where the endpoint cannot be asked so, EndpointDown where it does not answer."""
        answer = (await self._ask(request, _TRIAL_ATTEMPTS)).answer
        if not isinstance(answer, Failure):
            self._asker.learnt.kinds.add(kind)
            return
        where = f"{self._asker.settings.base_url}: the first request"
        if isinstance(request, LoglikelihoodRequest) and answer.cause in (Cause.BAD_RESPONSE, Cause.ENGINE_ERROR):
            raise UsageError(
                f"{where} for log-likelihoods brought {answer.detail}. They need a completions endpoint with echo and "
                "log-probabilities, as vLLM's server has; ask tasks that generate instead."
            )
        if not answer.cause.is_transient or answer.detail.startswith(UNREACHABLE):
            raise UsageError(f"{where} ({kind}) failed: {answer.detail}")
        raise EndpointDown(f"{where} ({kind}) was not answered in {answer.attempts} attempts: {answer.detail}")


def trial(request: Request) -> Request:
    """The smallest request of the same kind, sent before work begins."""
    if isinstance(request, LoglikelihoodRequest):
        is_text = isinstance(request.context, str)
        context: Prompt = "One, two, three," if is_text else (Message(role="user", content="Count to four."),)
        return LoglikelihoodRequest(context=context, continuation=" four", encoding=request.encoding)
    if isinstance(request, GenerateRequest):
        is_text = isinstance(request.prompt, str)
        prompt: Prompt = "One, two, three," if is_text else (Message(role="user", content="Count to four."),)
        return GenerateRequest(
            prompt=prompt, max_tokens=1, num_alternatives=request.num_alternatives, encoding=request.encoding
        )
    return request
