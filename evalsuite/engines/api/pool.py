"""All requests under way: each is tried until it is answered or given up, none faster than the server can bear."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from evalsuite.engines.api.budget import Ledger
from evalsuite.engines.api.limits import Breaker, Clock, Concurrency, Rate
from evalsuite.engines.api.policy import Action, Fault, Policy
from evalsuite.errors import BudgetExhausted, EndpointDown, EvalsuiteError, UsageError
from evalsuite.types import Cause, Failure, Spent

T = TypeVar("T")

_THROTTLES = {Cause.RATE_LIMITED, Cause.TIMEOUT}
_LOG = logging.getLogger(__name__)
_WORTH_SAYING_S = 10.0
"""A pause that people would take for a standstill; shorter ones are ordinary."""
_MINUTE_S = 60.0


@dataclass(frozen=True)
class Size:
    """A request in tokens: at most so many in its prompt and its answer, and about as many as it will have."""

    num_prompt: int
    num_generated: int
    usual: int


@dataclass(frozen=True)
class Used(Generic[T]):
    """An answer, and the tokens it took where the server says so."""

    answer: T
    num_prompt: int | None
    num_generated: int | None


@dataclass(frozen=True)
class Answered(Generic[T]):
    """How a request ended, and the cause of every attempt that failed before."""

    answer: T | Failure
    retries: tuple[str, ...]


class Pool:
    """The way from a request to its answer through every limit. All of it runs in one event loop.

    `draw` gives numbers uniform in [0, 1). `sleep` and `clock` are handed in so that hours can pass in a test.
    """

    def __init__(
        self,
        policy: Policy,
        ledger: Ledger,
        *,
        concurrency: int,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
        draw: Callable[[], float],
    ) -> None:
        self._policy = policy
        self._ledger = ledger
        self._concurrency = Concurrency(concurrency)
        self._requests = Rate(requests_per_minute, clock)
        self._tokens = Rate(tokens_per_minute, clock)
        self._breaker = Breaker(policy, clock)
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._paused_until = clock()
        self._num_under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._unsettled: deque[asyncio.Future[None]] = deque()
        self._end: EvalsuiteError | None = None

    def open(self) -> None:
        """Begin anew after an end; what was learnt of the endpoint's pace stays."""
        self._end = None

    async def ask(
        self, attempt: Callable[[], Awaitable[Used[T] | Fault]], size: Size, max_attempts: int | None = None
    ) -> Answered[T]:
        """Try `attempt` as the policy says, at most `max_attempts` times where that is less.

        Raises EndpointDown, BudgetExhausted or UsageError when nothing more may be asked of the endpoint at all; from
        then on every request ends so.
        """
        try:
            most = self._policy.max_attempts
            return await self._tried(attempt, size, min(max_attempts or most, most))
        except EvalsuiteError as error:
            self._end = self._end or error
            raise

    async def _tried(
        self, attempt: Callable[[], Awaitable[Used[T] | Fault]], size: Size, max_attempts: int
    ) -> Answered[T]:
        """The attempts and the waits between them; waiting for leave to make one is no part of a request's time."""
        causes: list[str] = []
        elapsed_s = 0.0
        while True:
            outcome, seconds = await self._once(attempt, size, is_retry=bool(causes))
            if isinstance(outcome, Used):
                return Answered(outcome.answer, tuple(causes))
            self._raise_if_final(outcome)
            elapsed_s += seconds
            is_last = len(causes) + 1 >= max_attempts or elapsed_s >= self._policy.max_request_s
            if outcome.action is Action.FAIL or is_last:
                return Answered(_failure(outcome, causes), tuple(causes))
            causes.append(str(outcome.cause))
            wait_s = self._policy.backoff_s(len(causes), self._draw())
            elapsed_s += wait_s
            await self._sleep(wait_s)

    async def _once(
        self, attempt: Callable[[], Awaitable[Used[T] | Fault]], size: Size, *, is_retry: bool
    ) -> tuple[Used[T] | Fault, float]:
        """One attempt and the seconds it took, when every limit lets it through."""
        await self._enter()
        try:
            is_probe = await self._wait_for_leave()
            promised = await self._reserve(size)
            used: tuple[int | None, int | None] = (None, None)
            try:
                await self._pause(self._requests.wait_s(1))
                await self._pause(self._tokens.wait_s(size.usual))
                started = self._clock()
                outcome = await attempt()
                seconds = self._clock() - started
                if isinstance(outcome, Used):
                    used = (outcome.num_prompt, outcome.num_generated)
            finally:
                self._ledger.settle(promised, *used)
                self._tell_settled()
            self._learn(outcome, is_retry=is_retry, is_probe=is_probe)
            return outcome, seconds
        finally:
            self._leave()

    async def _reserve(self, size: Size) -> Spent:
        """The budget's promise, waited for while it depends on what others turn out to use."""
        while True:
            if self._end is not None:
                raise self._end
            promised = self._ledger.reserve(size.num_prompt, size.num_generated)
            if promised is not None:
                return promised
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._unsettled.append(place)
            await place

    def _tell_settled(self) -> None:
        while self._unsettled:
            place = self._unsettled.popleft()
            if not place.done():
                place.set_result(None)

    def _learn(self, outcome: Used[T] | Fault, *, is_retry: bool, is_probe: bool) -> None:
        """What an outcome says about the endpoint. A request that is refused for itself says that it is well."""
        is_good = isinstance(outcome, Used) or outcome.action is Action.FAIL
        self._breaker.record(is_good=is_good, is_retry=is_retry, is_probe=is_probe)
        if is_good:
            self._concurrency.went_well()
        elif isinstance(outcome, Fault) and (outcome.action is Action.THROTTLE or outcome.cause in _THROTTLES):
            self._concurrency.met_trouble()
        if isinstance(outcome, Fault) and outcome.retry_after_s:
            self._hold(outcome.retry_after_s, outcome.detail)

    def _hold(self, seconds: float, detail: str) -> None:
        """Let nothing pass for a while. Raises EndpointDown for a longer while than the policy waits."""
        if seconds > self._policy.give_up_s:
            raise EndpointDown(f"the server asks for a pause of {seconds / _MINUTE_S:.0f} minutes ({detail}).")
        until = self._clock() + seconds
        if until - max(self._paused_until, self._clock()) >= _WORTH_SAYING_S:
            _LOG.warning(
                "evalsuite: the server asks for a pause of %.0f s (%s); nothing is asked until then.", seconds, detail
            )
        self._paused_until = max(self._paused_until, until)

    async def _wait_for_leave(self) -> bool:
        """Wait out pauses of the whole pool and an open breaker; whether what follows is its probe.

        Raises EndpointDown when that takes too long.
        """
        while True:
            if self._breaker.has_given_up():
                minutes = self._policy.give_up_s / _MINUTE_S
                raise EndpointDown(f"the endpoint fails for {minutes:.3g} minutes now; nothing more is asked of it.")
            wait_s = self._paused_until - self._clock()
            if wait_s <= 0:
                wait_s = self._breaker.wait_s()
            if wait_s <= 0:
                return self._breaker.is_open
            await self._sleep(wait_s)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)

    def _raise_if_final(self, fault: Fault) -> None:
        if fault.action is Action.REFUSE:
            raise UsageError(f"the server refuses: {fault.detail}")
        if fault.action is Action.QUOTA:
            raise BudgetExhausted(f"the account may not go on: {fault.detail}")

    # -- slots

    async def _enter(self) -> None:
        while self._num_under_way >= self._concurrency.limit:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            await place
        self._num_under_way += 1

    def _leave(self) -> None:
        self._num_under_way -= 1
        num_free = self._concurrency.limit - self._num_under_way
        while self._waiting and num_free > 0:
            place = self._waiting.popleft()
            if not place.done():  # a request that was cancelled while it waited
                place.set_result(None)
                num_free -= 1


def _failure(fault: Fault, causes: list[str]) -> Failure:
    return Failure(
        cause=fault.cause,
        detail=fault.detail,
        attempts=len(causes) + 1,
        retry_causes=tuple(causes),
        http_status=fault.http_status,
    )
