"""The 24 modes in which servers fail, at 5, 30 and 100 per cent: no hang, nothing lost, every cause counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from api_runs import HASTY, LIMIT, PATIENT, Moods, prepared, run, turns
from fault_server import FAULTS, FaultServer, Mode, Settings, at_rate

from evalsuite.alarms import alarms
from evalsuite.cli.main import main
from evalsuite.engines.api.client import Answer, OpenAIClient
from evalsuite.engines.api.policy import Fault, Policy
from evalsuite.engines.api.settings import read_settings
from evalsuite.errors import (
    EXIT_BUDGET,
    EXIT_INCOMPLETE,
    EXIT_OK,
    EXIT_USAGE,
    BudgetExhausted,
    EndpointDown,
    UsageError,
)
from evalsuite.records import SERVER_VERSION
from evalsuite.store.results import RESULTS, read_samples
from evalsuite.types import Cause, Completion, Flag

SETTINGS = Settings(retry_after_s=0, retry_after_ms=5, hang_s=5.0, big_body_bytes=3_000_000, bomb_bytes=1 << 26)
CAUSES = {
    Mode.THROTTLED: Cause.RATE_LIMITED, Mode.THROTTLED_SECONDS: Cause.RATE_LIMITED,
    Mode.THROTTLED_MILLISECONDS: Cause.RATE_LIMITED, Mode.THROTTLED_DATE: Cause.RATE_LIMITED,
    Mode.THROTTLED_NEGATIVE: Cause.RATE_LIMITED, Mode.SERVER_ERROR: Cause.SERVER_ERROR,
    Mode.BAD_GATEWAY: Cause.SERVER_ERROR, Mode.HANG: Cause.TIMEOUT, Mode.RESET: Cause.CONNECTION_FAILED,
    Mode.TRUNCATED_JSON: Cause.BAD_RESPONSE, Mode.EMPTY_CHOICES: Cause.BAD_RESPONSE,
    Mode.MISSING_USAGE: Cause.BAD_RESPONSE, Mode.WRONG_CONTENT_TYPE: Cause.BAD_RESPONSE,
    Mode.ERROR_IN_200: Cause.BAD_RESPONSE, Mode.SLOW_DRIP: Cause.TIMEOUT, Mode.BIG_BODY: Cause.OUTPUT_TOO_LARGE,
    Mode.INVALID_UTF8: Cause.BAD_RESPONSE, Mode.DUPLICATE_INDEX: Cause.BAD_RESPONSE,
    Mode.WRONG_NUMBER: Cause.BAD_RESPONSE, Mode.REDIRECT: Cause.HTTP_ERROR, Mode.DROP: Cause.CONNECTION_FAILED,
    Mode.GZIP_BOMB: Cause.OUTPUT_TOO_LARGE,
}  # fmt: skip
"""What a mode is counted as when it does not go away. A huge pause stops the run, and no text at all is an answer."""

SLOW = {Mode.HANG, Mode.SLOW_DRIP}


def policy_for(mode: Mode, **changes: int) -> Policy:
    return replace(HASTY if mode in SLOW else PATIENT, **changes)


NOT_RETRIED = {Mode.THROTTLED_HUGE, Mode.NULL_CONTENT}
CANARY = "sk-canary-0a1b2c3d4e5f"


def test_every_mode_has_its_place() -> None:
    assert set(CAUSES) | NOT_RETRIED == set(FAULTS)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)


def comparable(path: Path) -> object:
    """What was found, without the server's port, which is part of the run's identity."""
    result = json.loads((path / RESULTS).read_bytes())
    for key in ("run_id", "spec"):
        result.pop(key)
    return result


@pytest.fixture(scope="module")
def fault_free(tmp_path_factory: pytest.TempPathFactory) -> object:
    path = tmp_path_factory.mktemp("free")
    with FaultServer() as server:
        finished = run(path, prepared(server))
    assert finished.counts.scored == LIMIT
    return comparable(path)


@pytest.mark.parametrize("mode", sorted(CAUSES))
@pytest.mark.parametrize(("rate", "attempts"), [(0.05, 1), (0.3, 2)])
def test_faults_that_pass_change_nothing(
    tmp_path: Path, mode: Mode, rate: float, attempts: int, fault_free: object
) -> None:
    with FaultServer(Moods(at_rate(mode, rate, attempts)), settings=SETTINGS) as server:
        started = time.monotonic()
        finished = run(tmp_path, prepared(server, policy_for(mode)))
        elapsed = time.monotonic() - started
    assert finished.counts.scored == LIMIT
    assert comparable(tmp_path) == fault_free
    met = Counter(request.mode for request in server.requests)
    noted = Counter(
        cause
        for line in (tmp_path / "telemetry.jsonl").read_text().splitlines()
        for cause in json.loads(line).get("causes", "").split(",")
        if cause
    )
    if mode in SLOW:
        assert noted.keys() <= {str(CAUSES[mode])}
        assert noted[str(CAUSES[mode])] >= met[mode]
    else:
        assert noted == ({str(CAUSES[mode]): met[mode]} if met[mode] else {})
    assert elapsed < 60  # the deadlines of all requests together would be many minutes


@pytest.mark.parametrize("mode", sorted(CAUSES))
def test_faults_that_stay_are_counted_exactly_and_gone_when_resumed(
    tmp_path: Path, mode: Mode, fault_free: object
) -> None:
    lasting = at_rate(mode, 0.3, None)
    moods = Moods(lasting)
    policy = policy_for(mode, max_attempts=2)
    with FaultServer(moods, settings=SETTINGS) as server:
        first = run(tmp_path, prepared(server, policy))
        hit = [any(lasting(turn, 1) for turn in told) for told in turns(prepared(server)).values()]
        assert 0 < sum(hit) < LIMIT
        assert first.counts.unscored_by_cause == {str(CAUSES[mode]): sum(hit)}
        assert first.counts.scored == LIMIT - sum(hit)
        assert not server.other_requests
        if not CAUSES[mode].is_transient:
            return
        moods.script = None
        before = len(server.requests)
        again = run(tmp_path, prepared(server, policy))
        asked_again = {request.prompt for request in server.requests[before:]}
    assert again.counts.scored == LIMIT
    assert comparable(tmp_path) == fault_free
    assert len(asked_again) <= 2 * sum(hit) + 1


@pytest.mark.parametrize("mode", [Mode.BIG_BODY, Mode.GZIP_BOMB])
def test_a_server_that_only_sends_too_much_is_refused(tmp_path: Path, mode: Mode) -> None:
    with FaultServer(Moods(at_rate(mode, 1.0, None), spares_trial=False), settings=SETTINGS) as server:
        with pytest.raises(UsageError, match="more than 1000000 bytes"):
            run(tmp_path, prepared(server, replace(PATIENT, max_attempts=2)))
        assert len(server.requests) == 2


def test_what_a_server_calls_its_own_version_is_in_the_result(tmp_path: Path) -> None:
    with FaultServer(settings=SETTINGS) as server:
        result = run(tmp_path, prepared(server)).result
    assert result is not None
    assert {stack[SERVER_VERSION] for stack in result.stacks if SERVER_VERSION in stack} == {"toy-1"}
    assert "system_fingerprint" not in str(alarms(result))


def test_a_key_in_an_argument_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    args = {"model": "m", "base_url": "http://127.0.0.1:1/v1", "extra_note": f"for {CANARY}"}
    with pytest.raises(UsageError, match="extra_note holds the key") as refused:
        read_settings(args)
    assert CANARY not in str(refused.value)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    assert read_settings({**args, "extra_note": "none"}).extra == (("note", "none"),)


def test_an_answer_that_quotes_the_key_is_kept_without_it(tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-len"))
        await reader.readexactly(length)
        key = next(line for line in head.splitlines() if line.lower().startswith("authorization")).split()[-1]
        message = {"role": "assistant", "content": f"your key is {key}"}
        usage = {"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = json.dumps({"choices": [choice], "usage": usage}).encode()
        kind = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(kind % len(body) + body)
        await writer.drain()
        writer.close()

    async def ask() -> Answer | Fault:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = OpenAIClient(f"http://127.0.0.1:{port}/v1", CANARY, Policy(), 1)
        try:
            return await client.post("/chat/completions", {"model": "m", "messages": []}, "id")
        finally:
            await client.close()
            server.close()

    found = asyncio.run(ask())
    assert isinstance(found, Answer)
    assert b"your key is [key]" in found.content
    assert CANARY.encode() not in found.content


def test_a_server_that_never_counts_tokens_is_taken_as_it_is(tmp_path: Path) -> None:
    with FaultServer(Moods(at_rate(Mode.MISSING_USAGE, 1.0, None), spares_trial=False), settings=SETTINGS) as server:
        finished = run(tmp_path, prepared(server))
    assert finished.counts.scored == LIMIT
    assert finished.result is not None
    assert {task.num_generated_tokens for task in finished.result.tasks} == {0}


LASTING = sorted(mode for mode, cause in CAUSES.items() if cause.is_transient and mode is not Mode.MISSING_USAGE)


@pytest.mark.parametrize("mode", LASTING)
def test_a_server_that_only_fails_stops_the_run_and_resumes(tmp_path: Path, mode: Mode, fault_free: object) -> None:
    moods = Moods(at_rate(mode, 1.0, None), spares_trial=False)
    policy = policy_for(mode, max_attempts=2)
    with FaultServer(moods, settings=SETTINGS) as server:
        started = time.monotonic()
        stopped = run(tmp_path, prepared(server, policy))
        assert time.monotonic() - started < 60
        assert stopped.result is None
        assert isinstance(stopped.trouble, EndpointDown)
        assert stopped.trouble.exit_code == EXIT_INCOMPLETE
        assert stopped.counts.not_run == LIMIT
        moods.script = None
        assert run(tmp_path, prepared(server, policy)).counts.scored == LIMIT
    assert comparable(tmp_path) == fault_free


def test_an_endpoint_that_goes_down_midway_is_given_up_and_its_run_resumed(tmp_path: Path, fault_free: object) -> None:
    """With the usual breaker: after the trial and some answers everything fails."""
    left = [12]

    def dying(prompt: str, attempt: int) -> Mode | None:
        left[0] -= 1
        return Mode.SERVER_ERROR if left[0] < 0 else None

    moods = Moods(dying)
    policy = replace(
        PATIENT,
        breaker_share=0.5,
        breaker_calls=20,
        probe_every_s=0.05,
        give_up_s=0.4,
        max_attempts=50,
        max_request_s=60,
    )
    with FaultServer(moods, settings=SETTINGS) as server:
        stopped = run(tmp_path, prepared(server, policy))
        assert isinstance(stopped.trouble, EndpointDown)
        assert stopped.counts.not_run == LIMIT
        num_failing = sum(request.mode is Mode.SERVER_ERROR for request in server.requests)
        assert num_failing < 100, "an open breaker lets only probes through"
        moods.script = None
        before = len(server.requests)
        finished = run(tmp_path, prepared(server, policy))
        assert len(server.requests) - before == 2 * LIMIT - 12 + 1
    assert finished.counts.scored == LIMIT
    assert comparable(tmp_path) == fault_free


def test_a_huge_pause_stops_the_run(tmp_path: Path, fault_free: object) -> None:
    moods = Moods(at_rate(Mode.THROTTLED_HUGE, 0.3, None))
    with FaultServer(moods, settings=SETTINGS) as server:
        stopped = run(tmp_path, prepared(server))
        assert isinstance(stopped.trouble, EndpointDown)
        assert "1440 minutes" in str(stopped.trouble)
        moods.script = None
        assert run(tmp_path, prepared(server)).counts.scored == LIMIT
    assert comparable(tmp_path) == fault_free


@pytest.mark.parametrize(
    ("mode", "flag"),
    [(Mode.NULL_CONTENT, Flag.EMPTY), (Mode.EMPTY_AT_LENGTH, Flag.CAPPED), (Mode.REFUSAL, Flag.REFUSED)],
)
def test_what_the_model_does_is_an_answer_and_not_asked_again(tmp_path: Path, mode: Mode, flag: Flag) -> None:
    script = at_rate(mode, 0.3, None)
    with FaultServer(Moods(script), settings=SETTINGS) as server:
        finished = run(tmp_path, prepared(server))
        hit = {
            sample_id for sample_id, told in turns(prepared(server)).items() if any(script(turn, 1) for turn in told)
        }
    assert finished.counts.scored == LIMIT
    flagged = {record.sample.id for record in read_samples(tmp_path) if flag in getattr(record.outcome, "flags", ())}
    assert hit
    assert hit <= flagged
    assert max(request.attempt for request in server.requests) == 1


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        (Mode.CONTEXT_TOO_LONG, Cause.CONTEXT_TOO_LONG),
        (Mode.CONTENT_FILTER, Cause.CONTENT_FILTER),
        (Mode.UNPROCESSABLE, Cause.REJECTED),
    ],
)
def test_what_is_refused_for_one_request_ends_that_one_only(tmp_path: Path, mode: Mode, cause: Cause) -> None:
    script = at_rate(mode, 0.3, None)
    with FaultServer(Moods(script), settings=SETTINGS) as server:
        finished = run(tmp_path, prepared(server))
        hit = [any(script(turn, 1) for turn in told) for told in turns(prepared(server)).values()]
        assert finished.counts.unscored_by_cause == {str(cause): sum(hit)}
        before = len(server.requests)
        assert run(tmp_path, prepared(server)).result == finished.result
        assert len(server.requests) == before, "such a failure is final"
    assert max(request.attempt for request in server.requests) == 1


@pytest.mark.parametrize("spares_trial", [True, False])
@pytest.mark.parametrize(
    "mode", [Mode.UNAUTHORISED, Mode.KEY_ECHOED, Mode.FORBIDDEN, Mode.NO_SUCH_MODEL, Mode.UNPAID, Mode.OUT_OF_QUOTA]
)
def test_what_is_refused_for_good_stops_the_run_at_once(tmp_path: Path, mode: Mode, spares_trial: bool) -> None:
    moods = Moods(at_rate(mode, 1.0, None), spares_trial=spares_trial)
    with FaultServer(moods, settings=SETTINGS) as server:
        if mode in (Mode.UNPAID, Mode.OUT_OF_QUOTA):
            stopped = run(tmp_path, prepared(server))
            assert isinstance(stopped.trouble, BudgetExhausted)
            assert stopped.trouble.exit_code == EXIT_BUDGET
        else:
            with pytest.raises(UsageError, match="server refuses") as caught:
                run(tmp_path, prepared(server))
            assert CANARY not in str(caught.value)
        assert len(server.requests) <= 1 + (16 if spares_trial else 0)
        moods.script = None
        assert run(tmp_path, prepared(server)).counts.scored == LIMIT


def test_a_redirect_is_not_followed_and_the_key_stays_at_home(tmp_path: Path) -> None:
    with FaultServer(Moods(at_rate(Mode.REDIRECT, 1.0, None)), settings=SETTINGS) as server:
        run(tmp_path, prepared(server, replace(PATIENT, max_attempts=2)))
    assert server.requests
    assert server.other_requests == ()


def test_no_key_is_written_anywhere(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("EVALSUITE_DEBUG", "")
    caplog.set_level("DEBUG")
    codes = []
    for mode in (None, Mode.KEY_ECHOED, Mode.SERVER_ERROR):
        moods = Moods(at_rate(mode, 1.0, None) if mode else None, spares_trial=False)
        with FaultServer(moods, settings=SETTINGS) as server:
            arguments = ["run", "--model", "openai", "--tasks", "mini_chat_en", "--limit", "3", "--output_path",
                         str(tmp_path / "runs"), "--use_cache", str(tmp_path / "cache"), "--json", "--model_args",
                         f"model=toy,base_url={server.base_url},max_attempts=1,give_up_after=1"]  # fmt: skip
            codes.append(main(arguments))
            assert server.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    assert main(["report", str(tmp_path / "runs"), "--output", str(tmp_path / "page.html")]) == EXIT_OK
    assert codes == [EXIT_OK, EXIT_USAGE, EXIT_INCOMPLETE]
    printed = capsys.readouterr()
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 10
    for text in (printed.out.encode(), printed.err.encode(), caplog.text.encode(), *written):
        assert CANARY.encode() not in text
    assert "[key]" in printed.err


def test_a_budget_of_requests_stops_with_its_code_and_counts_over_resumes(tmp_path: Path) -> None:
    with FaultServer() as server:
        stopped = run(tmp_path, prepared(server, max_requests=10))
        assert isinstance(stopped.trouble, BudgetExhausted)
        assert stopped.trouble.exit_code == EXIT_BUDGET
        assert len(server.requests) == 10
        again = run(tmp_path, prepared(server, max_requests=10))
        assert isinstance(again.trouble, BudgetExhausted)
        assert len(server.requests) <= 11
        assert run(tmp_path, prepared(server, max_requests=1000)).counts.scored == LIMIT


@pytest.mark.parametrize("args", [{"max_tokens": 3000}, {"max_cost": 0.003, "prompt_price": 1, "completion_price": 1}])
def test_a_budget_of_tokens_or_money_is_never_exceeded(tmp_path: Path, args: dict[str, float]) -> None:
    with FaultServer() as server:
        stopped = run(tmp_path, prepared(server, **args))
        assert isinstance(stopped.trouble, BudgetExhausted)
    spent = [
        reply.num_prompt_tokens + reply.num_tokens
        for line in (tmp_path / "journal" / "0001.jsonl").read_text().splitlines()
        for _, reply in _replies(line)
    ]
    assert 0 < sum(spent) <= 3000


def _replies(line: str) -> list[tuple[str, Completion]]:
    import msgspec

    record = json.loads(line.partition(" ")[2])
    return [(item, msgspec.convert(reply, Completion)) for item, reply in record.get("responses", [])]


def test_the_usual_policy_survives_one_fault_in_twenty(tmp_path: Path, fault_free: object) -> None:
    """No limit relaxed but the waits: at 5 per cent neither the breaker nor the share of retries stops a run."""
    quick = replace(Policy(), first_backoff_s=0.01)
    with FaultServer(Moods(at_rate(Mode.SERVER_ERROR, 0.05, 1)), settings=SETTINGS) as server:
        assert run(tmp_path, prepared(server, quick)).counts.scored == LIMIT
        assert any(request.mode for request in server.requests)
    assert comparable(tmp_path) == fault_free


# -- keys, clients, budgets, scoring by text


def test_a_key_in_an_answer_that_is_an_error_is_not_told() -> None:
    """Status 200 with an error that repeats the key, far enough back to be cut within."""
    from evalsuite.engines.api.asking import Asker, Learnt
    from evalsuite.engines.api.client import Answer
    from evalsuite.engines.api.settings import read_settings
    from evalsuite.types import GenerateRequest

    class Telltale:
        async def post(self, path: str, payload: object, key: str) -> Answer:
            return Answer(json.dumps({"error": f"bad key {'x' * 300} {CANARY}"}).encode(), "application/json")

        async def close(self) -> None:
            pass

    import asyncio

    settings = read_settings({"model": "toy"}, {"OPENAI_API_KEY": CANARY})
    fault = asyncio.run(Asker(settings, Telltale(), Learnt()).attempt(GenerateRequest(prompt="hi", max_tokens=1)))
    assert "[key]" in fault.detail  # type: ignore[union-attr]
    assert CANARY[:12] not in fault.detail  # type: ignore[union-attr]


def test_a_proxy_that_cannot_be_used_is_refused_and_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with FaultServer() as server, pytest.raises(UsageError, match="no client"):
        run(tmp_path, prepared(server))


def test_nobody_there_is_a_wrong_address(tmp_path: Path) -> None:
    with FaultServer() as server:
        ready = prepared(server)
    with pytest.raises(UsageError, match="cannot be reached"):
        run(tmp_path, ready)


def test_requests_that_only_failed_are_spent_too(tmp_path: Path) -> None:
    moods = Moods(at_rate(Mode.SERVER_ERROR, 1.0, None), spares_trial=False)
    with FaultServer(moods, settings=SETTINGS) as server:
        for _ in range(3):
            assert isinstance(run(tmp_path, prepared(server, max_requests=7)).trouble, EndpointDown | BudgetExhausted)
        assert len(server.requests) == 7
        assert isinstance(run(tmp_path, prepared(server, max_requests=7)).trouble, BudgetExhausted)


def test_what_is_paid_for_is_kept_when_a_budget_ends(tmp_path: Path) -> None:
    """Answers of a tenth of their worst case: a cap of three worst cases is enough for many more."""
    with FaultServer(settings=Settings(delay_s=0.05)) as server:
        stopped = run(tmp_path, prepared(server, max_requests=30))
        journal = (tmp_path / "journal" / "0001.jsonl").read_text()
    assert isinstance(stopped.trouble, BudgetExhausted)
    assert len(server.requests) == 30
    assert sum(len(_replies(line)) for line in journal.splitlines()) == 29  # the trial is no sample's


@pytest.mark.parametrize("added", [(), ("<s>",), ("<|begin_of_text|>",), ("<s>", " ")])
def test_scores_by_text_do_not_trust_offsets(added: tuple[str, ...]) -> None:
    """A server that puts tokens before a text shifts its offsets or does not; the tokens' own text decides."""
    from evalsuite.engines.api.asking import tokens_after
    from evalsuite.engines.api.policy import Fault
    from evalsuite.engines.api.wire import EchoedToken
    from evalsuite.types import LoglikelihoodRequest

    texts = (*added, "The", " capital", " is", " Par", "is", " and")
    tokens = [EchoedToken(text, None if not place else -float(place), -1.0) for place, text in enumerate(texts)]
    request = LoglikelihoodRequest(context="The capital is ", continuation="Paris")
    start = len(added) + 3
    assert tokens_after(tokens, request) == [(-float(start), -1.0), (-float(start + 1), -1.0)]
    spanning = LoglikelihoodRequest(context="The capital is P", continuation="aris")
    assert tokens_after(tokens, spanning) == [(-float(start), -1.0), (-float(start + 1), -1.0)]
    for other in ("The capitol is", "The capital is Paris and more"):
        fault = tokens_after(tokens, LoglikelihoodRequest(context=other, continuation=" so"))
        assert isinstance(fault, Fault)
        assert "do not spell" in fault.detail


def test_what_nobody_thought_of_ends_the_run_by_name(tmp_path: Path) -> None:
    """A client that raises what no client should: one error that says so, and no hang."""
    from evalsuite.engines.api.engine import OpenAIEngine
    from evalsuite.errors import EngineFailed

    class Broken:
        async def post(self, path: str, payload: object, key: str) -> Answer:
            raise ZeroDivisionError("nobody thought of it")

        async def close(self) -> None:
            pass

    with FaultServer() as server:
        ready = prepared(server)
        assert isinstance(ready.engine, OpenAIEngine)
        broken = OpenAIEngine(ready.engine.settings, connect=lambda settings: Broken())
        with pytest.raises(EngineFailed, match="ZeroDivisionError: nobody thought of it"):
            run(tmp_path, replace(ready, engine=broken))
        assert run(tmp_path, ready).counts.scored == LIMIT
