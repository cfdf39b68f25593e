"""What is retried, what stops the run, and what is a fact about one request: faults and the policy for them. Pure."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from evalsuite.types import Cause


class Action(enum.Enum):
    """What follows from a fault."""

    RETRY = "ask again after a random wait"
    THROTTLE = "ask again, all requests more slowly"
    FAIL = "this request ends with a failure, the others go on"
    REFUSE = "stop the run: it is set up wrongly"
    QUOTA = "stop the run: the account may not go on"


@dataclass(frozen=True)
class Fault:
    """One attempt that brought no answer. `retry_after_s` is what the server asks all requests to wait."""

    cause: Cause
    detail: str
    action: Action = Action.RETRY
    http_status: int | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Policy:
    """Limits of asking again; seconds unless named otherwise.

    A request is tried `max_attempts` times within `max_request_s`, pauses of the whole pool not counted, with waits
    drawn from 0 to ``min(max_backoff_s, first_backoff_s * 2**n)`` (full jitter). The breaker opens when at least
    `breaker_share` of `breaker_calls` or more attempts within `breaker_window_s` failed, or when retries are more than
    `max_retry_share` of all attempts; it lets one attempt through each `probe_every_s` and gives the endpoint up after
    `give_up_s`. A server that asks for a longer pause than that is given up at once.
    """

    max_attempts: int = 8
    max_request_s: float = 900.0
    first_backoff_s: float = 1.0
    max_backoff_s: float = 60.0
    connect_s: float = 10.0
    read_s: float = 60.0
    attempt_s: float = 600.0
    breaker_share: float = 0.5
    breaker_calls: int = 20
    breaker_window_s: float = 60.0
    max_retry_share: float = 0.2
    probe_every_s: float = 30.0
    give_up_s: float = 1800.0
    max_body_bytes: int = 8_000_000

    def backoff_s(self, attempt: int, draw: float) -> float:
        """The wait after the `attempt`-th failed attempt, from 1; `draw` is uniform in [0, 1)."""
        return draw * min(self.max_backoff_s, self.first_backoff_s * 2.0 ** min(attempt - 1, 30))


_CONTEXT_CODES = {"context_length_exceeded", "string_above_max_length"}
_CONTEXT_WORDS = ("context length", "maximum context", "context window", "too many tokens", "prompt is too long")
_FILTER_CODES = {"content_filter", "content_policy_violation"}
_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached"}


def fault_of_status(status: int, code: str, message: str, headers: Mapping[str, str], now: datetime) -> Fault:
    """What an HTTP status other than success means; `code` and `message` are the body's, where it has them."""
    detail = f"HTTP {status}{f' {code}' if code else ''}: {message}".strip().removesuffix(":")
    wait_s = retry_after_s(headers, now)
    if status == 402 or code in _QUOTA_CODES:
        return Fault(Cause.RATE_LIMITED, detail, Action.QUOTA, status)
    if status in (429, 529):
        return Fault(Cause.RATE_LIMITED, detail, Action.THROTTLE, status, wait_s)
    if status == 503:
        return Fault(Cause.SERVER_ERROR, detail, Action.THROTTLE, status, wait_s)
    if status >= 500:
        return Fault(Cause.SERVER_ERROR, detail, Action.RETRY, status, wait_s)
    if status == 408:
        return Fault(Cause.TIMEOUT, detail, Action.RETRY, status, wait_s)
    if status in (401, 403, 404):
        return Fault(Cause.REJECTED, detail, Action.REFUSE, status)
    if status in (400, 413, 422):
        return Fault(_cause_of_refusal(code, message), detail, Action.FAIL, status)
    return Fault(Cause.HTTP_ERROR, detail, Action.RETRY, status, wait_s)  # 409, and redirects, which are not followed


def _cause_of_refusal(code: str, message: str) -> Cause:
    words = message.lower()
    if code in _CONTEXT_CODES or any(phrase in words for phrase in _CONTEXT_WORDS):
        return Cause.CONTEXT_TOO_LONG
    return Cause.CONTENT_FILTER if code in _FILTER_CODES else Cause.REJECTED


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds a server asks to wait: ``retry-after-ms``, or ``Retry-After`` as seconds or as a date; never negative.

    RFC 9110, 10.2.3. None where neither is there or can be read.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            seconds = float(value) * unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        until = parsedate_to_datetime(headers.get("retry-after", "").strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
