"""How fast and how much is asked: concurrency, rates, the breaker. State with a clock that is handed in; no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from evalsuite.engines.api.policy import Policy

Clock = Callable[[], float]
"""Seconds, monotonic."""


class Concurrency:
    """How many requests may be under way: doubles a window until the first trouble, then one more a window (AIMD).

    A window is as many good answers as the limit is. Trouble halves the limit, once a window (Jacobson 1988; Chiu and
    Jain 1989).
    """

    def __init__(self, cap: int, start: int = 8) -> None:
        self.cap = cap
        self.limit = min(start, cap)
        self._is_starting = True
        self._num_good = 0
        self._num_since_cut = 0

    def went_well(self) -> None:
        """An answer came."""
        self._num_good += 1
        self._num_since_cut += 1
        if self._num_good >= self.limit:
            self._num_good = 0
            self.limit = min(self.cap, self.limit * 2 if self._is_starting else self.limit + 1)

    def met_trouble(self) -> None:
        """The server asked for less, or did not answer in time."""
        is_first = self._is_starting
        self._is_starting = False
        self._num_good = 0
        if is_first or self._num_since_cut >= self.limit:
            self.limit = max(1, self.limit // 2)
            self._num_since_cut = 0


class Rate:
    """So many units a minute, evenly: at most five seconds' worth may be used at once."""

    def __init__(self, per_minute: float | None, clock: Clock) -> None:
        self._per_s = None if per_minute is None else per_minute / 60.0
        self._capacity = max(1.0, (per_minute or 0.0) / 12.0)
        self._level = self._capacity
        self._clock = clock
        self._at = clock()

    def wait_s(self, amount: float) -> float:
        """Take `amount` and return how long to wait before using it."""
        if self._per_s is None:
            return 0.0
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._at) * self._per_s)
        self._at = now
        self._level -= amount
        return max(0.0, -self._level / self._per_s)


class Breaker:
    """Stops asking an endpoint that fails: closed, open, and one probe at a time while open.

    Only a probe that is answered closes it: what was under way before says nothing about now.
    """

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._recent: deque[tuple[float, bool]] = deque()
        self._num_recent_failed = 0
        self._num_attempts = 0
        self._num_retries = 0
        self._opened_at: float | None = None
        self._probed_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether only probes may pass."""
        return self._opened_at is not None

    def has_given_up(self) -> bool:
        """Whether the endpoint has been down for longer than the policy waits."""
        return self._opened_at is not None and self._clock() - self._opened_at >= self._policy.give_up_s

    def wait_s(self) -> float:
        """How long an attempt has to wait; at 0 it may be made, and while open it is the probe."""
        if self._opened_at is None:
            return 0.0
        left = self._probed_at + self._policy.probe_every_s - self._clock()
        if left > 0:
            return left
        self._probed_at = self._clock()
        return 0.0

    def record(self, *, is_good: bool, is_retry: bool, is_probe: bool = False) -> None:
        """An attempt ended; `is_probe` when it began while the breaker was open."""
        now = self._clock()
        if self._opened_at is not None:
            if is_good and is_probe:
                self._close()
            return
        self._num_attempts += 1
        self._num_retries += is_retry
        self._recent.append((now, is_good))
        self._num_recent_failed += not is_good
        while now - self._recent[0][0] > self._policy.breaker_window_s:
            self._num_recent_failed -= not self._recent.popleft()[1]
        if self._is_failing() or self._retries_too_much():
            self._opened_at = self._probed_at = now

    def _is_failing(self) -> bool:
        num = len(self._recent)
        return num >= self._policy.breaker_calls and self._num_recent_failed >= self._policy.breaker_share * num

    def _retries_too_much(self) -> bool:
        is_enough = self._num_attempts >= self._policy.breaker_calls
        return is_enough and self._num_retries > self._policy.max_retry_share * self._num_attempts

    def _close(self) -> None:
        self._opened_at = None
        self._recent.clear()
        self._num_recent_failed = self._num_attempts = self._num_retries = 0
