"""What follows from which fault, and the limits: with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.engines.api.budget import Caps, Ledger, Prices
from evalsuite.engines.api.limits import Breaker, Concurrency, Rate
from evalsuite.engines.api.policy import Action, Fault, Policy, fault_of_status, retry_after_s
from evalsuite.engines.api.pool import Answered, Pool, Size, Used
from evalsuite.engines.api.settings import ApiSettings, read_settings
from evalsuite.errors import BudgetExhausted, EndpointDown, UsageError
from evalsuite.types import Cause, Failure, Spent

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


class Hours:
    """Time that passes only when someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("status", "code", "message", "cause", "action"),
    [
        (400, "", "bad", Cause.REJECTED, Action.FAIL),
        (400, "context_length_exceeded", "", Cause.CONTEXT_TOO_LONG, Action.FAIL),
        (400, "", "This model's maximum context length is 4096 tokens", Cause.CONTEXT_TOO_LONG, Action.FAIL),
        (400, "content_filter", "", Cause.CONTENT_FILTER, Action.FAIL),
        (401, "invalid_api_key", "", Cause.REJECTED, Action.REFUSE),
        (402, "", "", Cause.RATE_LIMITED, Action.QUOTA),
        (403, "", "", Cause.REJECTED, Action.REFUSE),
        (404, "model_not_found", "", Cause.REJECTED, Action.REFUSE),
        (307, "", "", Cause.HTTP_ERROR, Action.RETRY),
        (408, "", "", Cause.TIMEOUT, Action.RETRY),
        (409, "", "", Cause.HTTP_ERROR, Action.RETRY),
        (413, "", "", Cause.REJECTED, Action.FAIL),
        (422, "", "", Cause.REJECTED, Action.FAIL),
        (429, "", "", Cause.RATE_LIMITED, Action.THROTTLE),
        (429, "insufficient_quota", "", Cause.RATE_LIMITED, Action.QUOTA),
        (500, "", "", Cause.SERVER_ERROR, Action.RETRY),
        (502, "", "", Cause.SERVER_ERROR, Action.RETRY),
        (503, "", "", Cause.SERVER_ERROR, Action.THROTTLE),
        (504, "", "", Cause.SERVER_ERROR, Action.RETRY),
        (529, "", "", Cause.RATE_LIMITED, Action.THROTTLE),
    ],
)
def test_each_status_has_its_cause_and_action(
    status: int, code: str, message: str, cause: Cause, action: Action
) -> None:
    fault = fault_of_status(status, code, message, {}, NOW)
    assert (fault.cause, fault.action, fault.http_status) == (cause, action, status)
    assert str(status) in fault.detail


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "86400"}, 86400.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after": "Mon, 04 May 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 04 May 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 04 May 2026 14:00:30 +0200"}, 30.0),
        ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == seconds


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_header_breaks_the_reading_of_retry_after(after: str, milliseconds: str) -> None:
    found = retry_after_s({"retry-after": after, "retry-after-ms": milliseconds}, NOW)
    assert found is None or found >= 0.0


def test_backoff_grows_to_its_cap_and_is_drawn_from_zero() -> None:
    policy = Policy(first_backoff_s=1.0, max_backoff_s=60.0)
    assert [policy.backoff_s(attempt, 1.0) for attempt in (1, 2, 3, 7, 8, 5000)] == [1, 2, 4, 60, 60, 60]
    assert policy.backoff_s(3, 0.0) == 0.0
    assert policy.backoff_s(3, 0.25) == 1.0


# -- concurrency, rates, breaker


def test_concurrency_doubles_until_trouble_and_then_grows_by_one() -> None:
    limit = Concurrency(64)
    for expected in (16, 32, 64):
        for _ in range(limit.limit):
            limit.went_well()
        assert limit.limit == expected
    limit.met_trouble()
    assert limit.limit == 32
    limit.met_trouble()
    assert limit.limit == 32, "one cut a window: the faults of one overload are one event"
    for _ in range(32):
        limit.went_well()
    assert limit.limit == 33
    limit.went_well()
    limit.met_trouble()
    assert limit.limit == 16


def test_concurrency_never_leaves_its_bounds() -> None:
    limit = Concurrency(3)
    assert limit.limit == 3
    for _ in range(50):
        limit.met_trouble()
        limit.went_well()
    assert 1 <= limit.limit <= 3


def test_a_rate_lets_five_seconds_worth_pass_and_then_spreads() -> None:
    time = Hours()
    rate = Rate(60, time.clock)
    assert [rate.wait_s(1) for _ in range(5)] == [0.0] * 5
    assert rate.wait_s(1) == pytest.approx(1.0)
    assert rate.wait_s(2) == pytest.approx(3.0)
    time.now += 3.0
    assert rate.wait_s(1) == pytest.approx(1.0)
    time.now += 3600
    assert [rate.wait_s(1) for _ in range(6)][-2:] == [0.0, pytest.approx(1.0)]


@pytest.mark.parametrize("per_minute", [1, 7, 60, 1000])
def test_no_minute_holds_more_than_a_twelfth_too_much(per_minute: int) -> None:
    time = Hours()
    rate = Rate(per_minute, time.clock)
    sent = []
    for _ in range(3 * per_minute):
        time.now += rate.wait_s(1)
        sent.append(time.now)
    most = max(sum(start <= other < start + 60 for other in sent) for start in sent)
    assert most <= per_minute + max(1, per_minute / 12) + 1


def test_a_request_larger_than_the_bucket_passes_and_is_paid_for_afterwards() -> None:
    time = Hours()
    rate = Rate(100, time.clock)
    first = rate.wait_s(500)
    assert first == pytest.approx((500 - 100 / 12) / 100 * 60)
    assert rate.wait_s(1) == pytest.approx(first + 0.6)
    assert Rate(None, time.clock).wait_s(10**9) == 0.0


def test_the_breaker_opens_probes_and_gives_up() -> None:
    time = Hours()
    policy = Policy(breaker_calls=4, breaker_share=0.5, probe_every_s=30, give_up_s=100, breaker_window_s=60)
    breaker = Breaker(policy, time.clock)
    for is_good in (True, False, True):
        breaker.record(is_good=is_good, is_retry=False)
    assert not breaker.is_open
    breaker.record(is_good=False, is_retry=False)
    assert breaker.is_open
    assert breaker.wait_s() == pytest.approx(30)
    time.now += 30
    assert breaker.wait_s() == 0.0
    assert breaker.wait_s() == pytest.approx(30), "one probe at a time"
    breaker.record(is_good=False, is_retry=False)
    assert not breaker.has_given_up()
    time.now += 70
    assert breaker.has_given_up()
    breaker.record(is_good=True, is_retry=False)
    assert breaker.is_open, "what began before it opened says nothing"
    breaker.record(is_good=True, is_retry=False, is_probe=True)
    assert not breaker.is_open
    assert not breaker.has_given_up()


def test_old_failures_are_forgotten() -> None:
    time = Hours()
    breaker = Breaker(Policy(breaker_calls=4, breaker_window_s=60), time.clock)
    for _ in range(3):
        breaker.record(is_good=False, is_retry=False)
    time.now += 61
    breaker.record(is_good=False, is_retry=False)
    assert not breaker.is_open


def test_too_many_retries_open_the_breaker() -> None:
    breaker = Breaker(Policy(breaker_calls=20, max_retry_share=0.2), Hours().clock)
    for number in range(20):
        assert not breaker.is_open
        breaker.record(is_good=True, is_retry=number % 4 == 0)
    assert breaker.is_open


# -- budgets


def test_a_budget_reserves_the_worst_case_and_settles_what_was_used() -> None:
    ledger = Ledger(Caps(tokens=100), None, Hours().clock)
    first = ledger.reserve(10, 50)
    assert first is not None
    assert ledger.reserve(10, 50) is None, "the first may yet turn out smaller"
    ledger.settle(first, 10, 5)
    second = ledger.reserve(10, 50)
    assert second is not None
    ledger.settle(second, None, None)
    assert ledger.take() == Spent(requests=2, tokens=75)
    assert ledger.take() == Spent()
    with pytest.raises(BudgetExhausted, match="100 tokens"):
        ledger.reserve(20, 6)
    assert ledger.reserve(20, 5) is not None


@pytest.mark.parametrize(
    ("caps", "num"), [(Caps(requests=3), 3), (Caps(cost=0.5), 5), (Caps(tokens=14), 7), (Caps(seconds=2.5), 3)]
)
def test_each_cap_ends_a_run_and_what_was_carried_counts(caps: Caps, num: int) -> None:
    def count(carried: Spent) -> int:
        time = Hours()
        ledger = Ledger(caps, Prices(prompt=100_000.0, completion=0.0), time.clock)
        ledger.carry(carried)
        for number in range(100):
            try:
                promised = ledger.reserve(1, 1)
            except BudgetExhausted:
                return number
            assert promised is not None
            time.now += 1.0
            ledger.settle(promised, 1, 1)
        return 100

    assert count(Spent()) == num
    half = Spent(requests=1, tokens=4, cost=0.2, seconds=1.0)
    assert count(half) == num - {"requests": 1, "cost": 2, "tokens": 2, "seconds": 1}[_only(caps)]


def _only(caps: Caps) -> str:
    return next(name for name in ("requests", "tokens", "cost", "seconds") if getattr(caps, name) is not None)


# -- the pool


def pool(time: Hours, policy: Policy | None = None, **limits: object) -> Pool:
    settings: dict[str, object] = {
        "concurrency": 8, "requests_per_minute": None, "tokens_per_minute": None, **limits,
    }  # fmt: skip
    ledger = Ledger(Caps(), None, time.clock)
    return Pool(policy or Policy(), ledger, clock=time.clock, sleep=time.sleep, draw=lambda: 0.5, **settings)  # type: ignore[arg-type]


def attempts(*outcomes: Used[str] | Fault) -> Callable[[], Awaitable[Used[str] | Fault]]:
    left = list(outcomes)

    async def attempt() -> Used[str] | Fault:
        return left.pop(0) if len(left) > 1 else left[0]

    return attempt


GOOD = Used("yes", 1, 1)
SMALL = Size(1, 1, 2)
TIMEOUT = Fault(Cause.TIMEOUT, "late")
ERROR = Fault(Cause.SERVER_ERROR, "HTTP 500", http_status=500)


def ask(time: Hours, policy: Policy, *outcomes: Used[str] | Fault) -> Answered[str]:
    return asyncio.run(pool(time, policy).ask(attempts(*outcomes), SMALL))


def test_faults_are_retried_with_jitter_and_counted() -> None:
    time = Hours()
    assert ask(time, Policy(), TIMEOUT, ERROR, GOOD) == Answered("yes", ("timeout", "server_error"))
    assert time.slept == [0.5, 1.0]


def test_attempts_and_time_end() -> None:
    time = Hours()
    found = ask(time, Policy(max_attempts=3), ERROR)
    assert found.answer == Failure(
        cause=Cause.SERVER_ERROR, detail="HTTP 500", attempts=3, retry_causes=("server_error",) * 2, http_status=500
    )
    found = ask(time, Policy(max_attempts=99, max_request_s=10, first_backoff_s=4, breaker_calls=1000), ERROR)
    assert isinstance(found.answer, Failure)
    assert found.answer.attempts == 4  # after waits of 2, 4 and 8 seconds


@pytest.mark.parametrize("cause", [Cause.CONTEXT_TOO_LONG, Cause.CONTENT_FILTER, Cause.REJECTED])
def test_what_concerns_one_request_is_not_retried(cause: Cause) -> None:
    time = Hours()
    found = ask(time, Policy(), Fault(cause, "no", Action.FAIL))
    assert isinstance(found.answer, Failure)
    assert (found.answer.cause, found.answer.attempts, time.slept) == (cause, 1, [])


def test_what_concerns_all_stops_the_run() -> None:
    with pytest.raises(UsageError, match="HTTP 401"):
        ask(Hours(), Policy(), Fault(Cause.REJECTED, "HTTP 401", Action.REFUSE))
    with pytest.raises(BudgetExhausted, match="quota"):
        ask(Hours(), Policy(), Fault(Cause.RATE_LIMITED, "quota", Action.QUOTA))
    with pytest.raises(EndpointDown, match="1440 minutes"):
        ask(Hours(), Policy(), Fault(Cause.RATE_LIMITED, "later", Action.THROTTLE, 429, 86400.0))


def test_retry_after_pauses_the_whole_pool() -> None:
    time = Hours()
    started: list[float] = []

    async def both() -> list[Answered[str]]:
        shared = pool(time, concurrency=1)

        async def late() -> Used[str] | Fault:
            started.append(time.now)
            return GOOD

        limited = attempts(Fault(Cause.RATE_LIMITED, "slow down", Action.THROTTLE, 429, 200.0), GOOD)
        return list(await asyncio.gather(shared.ask(limited, SMALL), shared.ask(late, SMALL)))

    answers = asyncio.run(both())
    assert [answer.answer for answer in answers] == ["yes", "yes"]
    assert started[0] >= 1200.0


@pytest.mark.parametrize(("seconds", "num_said"), [(9.0, 0), (200.0, 1)])
def test_a_long_pause_is_said(seconds: float, num_said: int, caplog: pytest.LogCaptureFixture) -> None:
    told = Fault(Cause.RATE_LIMITED, "slow down", Action.THROTTLE, 429, seconds)
    asyncio.run(pool(Hours()).ask(attempts(told, GOOD), SMALL))
    said = [record.getMessage() for record in caplog.records if "asks for a pause" in record.getMessage()]
    assert len(said) == num_said
    assert all("pause of 200 s (slow down)" in line for line in said)


def test_a_pause_does_not_count_against_the_time_of_a_request() -> None:
    time = Hours()
    wait = Fault(Cause.RATE_LIMITED, "slow down", Action.THROTTLE, 429, 600.0)
    found = ask(time, Policy(max_request_s=900), wait, wait, wait, GOOD)
    assert found.answer == "yes"
    assert time.now == 1000 + 3 * 600


def test_waiting_for_a_turn_is_no_part_of_a_request_s_time() -> None:
    time = Hours()

    async def slow() -> Used[str] | Fault:
        time.now += 60.0
        return GOOD

    failing = attempts(ERROR, GOOD)

    async def all_of_them() -> Answered[str]:
        shared = pool(time, concurrency=1)
        *_, last = await asyncio.gather(*(shared.ask(slow, SMALL) for _ in range(30)), shared.ask(failing, SMALL))
        return last

    assert asyncio.run(all_of_them()).answer == "yes"


def test_a_budget_is_waited_for_while_others_may_use_less() -> None:
    time = Hours()
    ledger = Ledger(Caps(tokens=1100), None, time.clock)
    large = Size(0, 1000, 1000)

    async def many() -> list[Answered[str]]:
        shared = Pool(Policy(), ledger, concurrency=8, requests_per_minute=None, tokens_per_minute=None,
                      clock=time.clock, sleep=time.sleep, draw=lambda: 0.5)  # fmt: skip

        async def small() -> Used[str] | Fault:
            await asyncio.sleep(0)
            return Used("yes", 0, 5)

        return list(await asyncio.gather(*(shared.ask(small, large) for _ in range(20))))

    assert [found.answer for found in asyncio.run(many())] == ["yes"] * 20
    assert ledger.take().tokens == 100


def test_an_endpoint_that_stays_down_is_given_up() -> None:
    time = Hours()
    policy = Policy(max_attempts=1000, max_request_s=1e9, breaker_calls=5, give_up_s=300, probe_every_s=30)
    with pytest.raises(EndpointDown, match="5 minutes"):
        ask(time, policy, ERROR)
    assert time.now - 1000 < 600


def test_no_more_requests_are_under_way_than_allowed() -> None:
    time = Hours()
    now = most = 0

    async def attempt() -> Used[str] | Fault:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return GOOD

    async def many() -> None:
        shared = pool(time, concurrency=20)
        await asyncio.gather(*(shared.ask(attempt, SMALL) for _ in range(300)))

    asyncio.run(many())
    assert 15 < most <= 20


def test_rates_hold() -> None:
    time = Hours()

    async def many() -> None:
        shared = pool(time, requests_per_minute=60.0)
        await asyncio.gather(*(shared.ask(attempts(GOOD), SMALL) for _ in range(180)))

    asyncio.run(many())
    assert time.now - 1000 >= 115


# -- settings


def test_settings_are_read_and_checked() -> None:
    settings = read_settings(
        {"model": "m", "base_url": "http://127.0.0.1:9/v1/", "rpm": 10, "max_cost": 2, "prompt_price": 1,
         "completion_price": 2, "timeout": 5, "max_attempts": 2, "extra_top_k": 5},
        {"OPENAI_API_KEY": "k"},
    )  # fmt: skip
    assert settings.base_url == "http://127.0.0.1:9/v1"
    assert (settings.api_key, settings.requests_per_minute, settings.caps.cost) == ("k", 10, 2)
    assert (settings.policy.attempt_s, settings.policy.max_attempts, settings.extra) == (5, 2, (("top_k", 5),))
    assert read_settings({"model": "m"}, {"OPENAI_BASE_URL": "http://h/v1"}).base_url == "http://h/v1"
    assert read_settings({"model": "m"}, {}).base_url == "https://api.openai.com/v1"
    assert read_settings({"model": "m"}, {}).policy == ApiSettings(model="m", base_url="x", api_key="").policy


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "needs --model_args model="),
        ({"model": "m", "api_key": "sk-1"}, "OPENAI_API_KEY only"),
        ({"model": "m", "modle": 1}, "unknown 'modle'"),
        ({"model": "m", "endpoint": "embeddings"}, "auto, chat or completions"),
        ({"model": "m", "max_cost": 1}, "price is unknown"),
        ({"model": "m", "rpm": 0}, "above 0"),
        ({"model": "m", "rpm": "many"}, "expected a number"),
        ({"model": "m", "max_attempts": 0}, "1 or more"),
        ({"model": "m", "base_url": "ftp://host/v1"}, "http://HOST"),
        ({"model": "m", "base_url": "http:///v1"}, "http://HOST"),
        ({"model": "m", "base_url": "http://user:pw@host/v1"}, "credentials"),
        ({"model": "m", "base_url": "http://host/v1?key=1"}, "credentials or a query"),
        ({"model": "m", "base_url": "http://169.254.169.254/v1"}, "link-local"),
        ({"model": "m", "base_url": "http://metadata.google.internal/v1"}, "link-local"),
        ({"model": "m", "base_url": "http://[fe80::1]/v1"}, "link-local"),
        ({"model": "m", "base_url": "http://host:99999/v1"}, "no URL"),
    ],
)
def test_bad_settings_are_refused_in_one_line(args: dict[str, str | int], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read_settings(args, {})
    assert "\n" not in str(caught.value)
    assert "sk-1" not in str(caught.value)


def test_a_key_is_stripped_checked_and_never_shown() -> None:
    settings = read_settings({"model": "m"}, {"OPENAI_API_KEY": " sk-1234\r\n"})
    assert settings.api_key == "sk-1234"
    assert "sk-1234" not in repr(settings)
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as caught:
        read_settings({"model": "m"}, {"OPENAI_API_KEY": "sk-\u00e9"})
    assert "sk-" not in str(caught.value)
