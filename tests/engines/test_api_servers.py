"""Several servers as one: the work is spread, and one that dies costs nothing but its share of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api_runs import PATIENT, TRIAL, prepared, run, turns
from fault_server import FaultServer, Mode, Script

from evalsuite.engines.api.client import Answer
from evalsuite.engines.api.policy import Fault
from evalsuite.engines.api.servers import Rests, Servers
from evalsuite.engines.api.settings import read_settings
from evalsuite.errors import UsageError
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Cause

GONE = "http://127.0.0.1:9/v1"
"""The port of a service that nobody runs any more."""


def broken_after(number: int, mode: Mode = Mode.DROP) -> Script:
    """A server that answers so many prompts and from then on nobody."""
    asked: Counter[str] = Counter()

    def script(prompt: str, attempt: int) -> Mode | None:
        if prompt != TRIAL:
            asked["prompts"] += 1
        return mode if asked["prompts"] > number else None

    return script


def answers(path: Path) -> dict[str, str]:
    return {record.sample.id: repr(record.outcome) for record in read_samples(path)}


def events(path: Path, name: str) -> list[dict[str, Any]]:
    lines = (path / "telemetry.jsonl").read_text(encoding="utf-8").splitlines()
    return [found for line in lines if (found := json.loads(line))["event"] == name]


def test_two_servers_share_the_work_and_give_the_answers_of_one(tmp_path: Path) -> None:
    with FaultServer() as first, FaultServer() as second:
        alone, both = prepared(first), prepared(first, base_url=f"{first.base_url};{second.base_url}")
        assert run(tmp_path / "alone", alone).result is not None
        num_alone = len(first.requests)
        assert run(tmp_path / "both", both).result is not None
        shares = len(first.requests) - num_alone, len(second.requests)
    assert answers(tmp_path / "both") == answers(tmp_path / "alone")
    assert min(shares) > sum(map(len, turns(both).values())) / 4
    assert not events(tmp_path / "both", "server_rests")


@pytest.mark.parametrize("mode", [Mode.DROP, Mode.RESET, Mode.BAD_GATEWAY])
def test_a_server_that_dies_loses_no_answer(tmp_path: Path, mode: Mode) -> None:
    policy = replace(PATIENT, probe_every_s=600.0, max_attempts=1)
    with FaultServer() as first, FaultServer(broken_after(5, mode)) as second:
        run(tmp_path / "alone", prepared(first))
        both = prepared(first, policy, base_url=f"{first.base_url};{second.base_url}")
        finished = run(tmp_path / "both", both)
        num_lost = sum(one.mode is mode for one in second.requests)
    assert finished.result is not None
    assert finished.result.status == "complete"
    assert answers(tmp_path / "both") == answers(tmp_path / "alone")
    (rest,) = events(tmp_path / "both", "server_rests")
    assert rest["server"] == second.base_url
    assert 1 <= num_lost <= 16  # those that were under way: nothing more is asked of it


def test_a_server_that_was_never_there_is_told_and_the_others_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FaultServer() as server:
        finished = run(tmp_path, prepared(server, base_url=f"{GONE};{server.base_url}"))
    assert finished.result is not None
    assert finished.result.status == "complete"
    assert [one["server"] for one in events(tmp_path, "server_rests")] == [GONE]
    assert f"{GONE} does not answer" in caplog.text
    assert read_results(tmp_path).spec.model.identity["base_url"] == ";".join(sorted((GONE, server.base_url)))


def test_where_no_server_is_there_the_run_does_not_begin(tmp_path: Path) -> None:
    with FaultServer() as server:
        what = prepared(server, base_url=f"{GONE};{GONE.replace(':9/', ':10/')}")
        with pytest.raises(UsageError, match="the server cannot be reached"):
            run(tmp_path, what)


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        ("http://a/v1;http://a/v1/", "names http://a/v1 twice"),
        ("http://a/v1;", "expected http://HOST/v1"),
        ("http://a/v1;http://169.254.169.254/v1", "link-local"),
    ],
)
def test_addresses_that_are_refused(urls: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_settings({"model": "m", "base_url": urls}, {})


# -- one attempt


class Scripted:
    """A client that brings what is left in `outcomes`, its last one for ever, and counts."""

    def __init__(self, *outcomes: Answer | Fault) -> None:
        self.outcomes = list(outcomes)
        self.num_asked = 0

    async def post(self, path: str, payload: Mapping[str, Any], key: str) -> Answer | Fault:
        self.num_asked += 1
        await asyncio.sleep(0)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]

    async def close(self) -> None:
        pass


WELL = Answer(b"{}", "application/json")
DEAD = Fault(Cause.CONNECTION_FAILED, "nobody there")
SLOW = Fault(Cause.TIMEOUT, "no answer in time")


class Around:
    """A clock, and who was told to rest."""

    def __init__(self, **clients: Scripted) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.servers = Servers(clients, Rests(clock=lambda: self.now, rest_s=30.0, tell=self.hear))

    def hear(self, name: str, why: str) -> None:
        self.told.append(name)

    def ask(self, times: int = 1) -> list[Answer | Fault]:
        async def all_of_them() -> list[Answer | Fault]:
            return list(await asyncio.gather(*(self.servers.post("/p", {}, "k") for _ in range(times))))

        return asyncio.run(all_of_them())


def test_after_its_rest_one_request_finds_out_whether_a_server_is_there_again() -> None:
    first, second = Scripted(DEAD, DEAD, WELL), Scripted(WELL)
    around = Around(a=first, b=second)
    assert around.ask() == [WELL]
    assert (around.told, first.num_asked, second.num_asked) == (["a"], 1, 1)
    assert around.ask(8) == [WELL] * 8
    assert first.num_asked == 1
    around.now = 31.0
    assert around.ask(8) == [WELL] * 8
    assert first.num_asked == 2
    around.now = 62.0
    assert around.ask(8) == [WELL] * 8
    assert first.num_asked == 3
    around.ask(8)
    assert first.num_asked > 3
    assert around.told == ["a"]


class Slow(Scripted):
    """A client whose answers come when a test says so."""

    def __init__(self, *outcomes: Answer | Fault) -> None:
        super().__init__(*outcomes)
        self.leave = asyncio.Event()

    async def post(self, path: str, payload: Mapping[str, Any], key: str) -> Answer | Fault:
        found = await super().post(path, payload, key)
        await self.leave.wait()
        return found


def test_a_server_that_comes_back_slowly_is_probed_by_one_and_wakes_whoever_finds_it() -> None:
    """Also where several ask it at once since no other server is there."""
    first, second = Slow(DEAD, WELL), Scripted(DEAD)
    around = Around(a=first, b=second)

    async def course() -> list[Answer | Fault]:
        first.leave.set()
        assert await around.servers.post("/p", {}, "k") == DEAD
        first.leave.clear()
        under_way = [asyncio.create_task(around.servers.post("/p", {}, "k")) for _ in range(3)]
        for _ in range(20):
            await asyncio.sleep(0)
        around.now += 100.0
        first.leave.set()
        return list(await asyncio.gather(*under_way))

    assert asyncio.run(course()).count(WELL) >= 1
    assert around.ask(4) == [WELL] * 4


def test_a_probe_that_takes_longer_than_the_rest_is_not_joined_by_others() -> None:
    first, second = Slow(DEAD, WELL), Scripted(WELL)
    around = Around(a=first, b=second)

    async def course() -> None:
        first.leave.set()
        await around.servers.post("/p", {}, "k")
        around.now += 31.0
        first.leave.clear()
        probe = asyncio.create_task(around.servers.post("/p", {}, "k"))
        await asyncio.sleep(0)
        around.now += 300.0
        assert [await around.servers.post("/p", {}, "k") for _ in range(5)] == [WELL] * 5
        assert first.num_asked == 2
        first.leave.set()
        assert await probe == WELL

    asyncio.run(course())


def test_a_fault_is_seen_when_no_server_is_left_and_one_that_is_slow_is_not_gone() -> None:
    around = Around(a=Scripted(DEAD), b=Scripted(DEAD))
    assert around.ask() == [DEAD]
    assert around.told == ["a", "b"]
    slow, other = Scripted(SLOW), Scripted(WELL)
    assert Around(a=slow, b=other).ask() == [SLOW]
    assert other.num_asked == 0
