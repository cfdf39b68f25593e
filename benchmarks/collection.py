"""A hundred raters voting at once on a server that is killed again and again: what is lost, what is twice, how fast.

    python benchmarks/collection.py                       # 100 raters of 100 votes, kill -9 every 5 s
    python benchmarks/collection.py --raters 20 --votes 20 --every 2

Raters send some forms twice at once, some again after they were acknowledged, and open some pairs in a second window
that disagrees. They try again until a vote is acknowledged. Every acknowledged vote must be one row, and the other way
round. The targets: none lost, none twice, p99 of acknowledged attempts below 500 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np

from evalsuite.annotate.creating import create
from evalsuite.annotate.ledger import FILE_NAME
from evalsuite.annotate.materials import Item
from evalsuite.annotate.pairs import Pair
from evalsuite.annotate.study_file import Rater, StudyFile

_CHOICES = ("left", "right", "tie_good", "tie_bad")
_FIELD = re.compile(r'name="(form_token|revision|then)" value="([^"]*)"')
_ACTION = re.compile(r'action="(/vote/[^"]+)"')
_GIVE_UP_AFTER = 60.0


@dataclass
class Tally:
    """What raters were told: acknowledged choices by assignment, how long acknowledged attempts took, what failed."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    page_seconds: list[float] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)


def make(folder: Path, num_raters: int, num_votes: int) -> dict[str, str]:
    """A study in which each rater finds just so many pairs, each pair asked of ten raters or all."""
    overlap = min(10, num_raters)
    num_pairs = num_raters * num_votes // overlap + num_votes
    draw = random.Random(1)
    words = [("".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9)))) for _ in range(2000)]

    def text(length: int) -> str:
        return " ".join(draw.choices(words, k=length))

    pairs = [
        Pair(item=Item(id=f"i{n}", group=f"g{n}", language="en", turns=(text(20),)), system_a="one", system_b="two",
             answer_a=(text(150),), answer_b=(text(150),))
        for n in range(num_pairs)
    ]  # fmt: skip
    raters = tuple(Rater(name=f"r{n}", languages=("en",), cap=num_votes) for n in range(num_raters))
    study = StudyFile(study="load", systems={"one": "", "two": ""}, raters=raters, overlap=overlap + 1, repeats=0.05)
    return create(folder, study, pairs)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """``evalsuite annotate serve`` as a process that is killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.process: asyncio.subprocess.Process | None = None
        self.num_kills = 0

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "evalsuite.cli.main", "annotate", "serve", str(self.folder),
            "--port", str(self.port), "--votes_per_minute", "1000000", stderr=asyncio.subprocess.DEVNULL)  # fmt: skip

    async def stop(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def be_killed(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            await self.stop()
            self.num_kills += 1
            await self.start()


async def tried(client: httpx2.AsyncClient, tally: Tally, method: str, path: str, form: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
    """One attempt; None where no answer came."""
    started = time.perf_counter()
    try:
        answer = await client.request(method, path, data=form)
    except httpx2.HTTPError:
        tally.events["no answer"] += 1
        await asyncio.sleep(random.uniform(0.05, 0.25))
        return None
    seconds = time.perf_counter() - started
    if answer.status_code == 303 and method == "POST" and path.startswith("/vote/"):
        tally.seconds.append(seconds)
    elif method == "GET":
        tally.page_seconds.append(seconds)
    if answer.status_code >= 500:
        tally.events[f"status {answer.status_code}"] += 1
        return None
    return answer


async def until_answered(client: httpx2.AsyncClient, tally: Tally, method: str, path: str, form=None):  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + _GIVE_UP_AFTER
    while time.monotonic() < deadline:
        answer = await tried(client, tally, method, path, form)
        if answer is not None:
            return answer
    raise RuntimeError(f"{method} {path}: no answer in {_GIVE_UP_AFTER:.0f} s")


async def vote(client: httpx2.AsyncClient, tally: Tally, text: str, draw: random.Random) -> None:
    fields = dict(_FIELD.findall(text[text.index('id="ballot"') :]))
    path = _ACTION.search(text).group(1)  # type: ignore[union-attr]
    levels = {"quality_left": "good", "quality_right": "flawed", "action": "vote", "seconds": "3.5"}
    form = {**fields, **levels, "choice": draw.choice(_CHOICES)}
    twice = draw.random() < 0.1
    sent = [until_answered(client, tally, "POST", path, form) for _ in range(2 if twice else 1)]
    answers = await asyncio.gather(*sent)
    for answer in answers:
        if answer.status_code != 303:
            raise RuntimeError(f"a vote was answered with {answer.status_code}")
    tally.acknowledged[path.removeprefix("/vote/")] = form["choice"]
    tally.events["sent twice at once"] += twice
    if draw.random() < 0.05:
        again = await until_answered(client, tally, "POST", path, form)
        tally.events["sent again"] += 1
        if again.status_code != 303:
            raise RuntimeError(f"a vote sent again was answered with {again.status_code}")
    if draw.random() < 0.05:
        other = {**form, "choice": draw.choice([choice for choice in _CHOICES if choice != form["choice"]])}
        answer = await until_answered(client, tally, "POST", path, other)
        tally.events["second window"] += 1
        if answer.status_code != 409:
            raise RuntimeError(f"a second window was answered with {answer.status_code}")


async def rate(port: int, link: str, tally: Tally, seed: int, pause: float) -> None:
    """One rater, from the link to the page that thanks."""
    draw = random.Random(seed)
    limits = httpx2.Limits(max_connections=4, max_keepalive_connections=2)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, limits=limits) as client:
        await asyncio.sleep(draw.uniform(0, 2))
        while (await until_answered(client, tally, "POST", "/join", {"link": link})).status_code != 303:
            tally.events["not let in"] += 1
        while 'id="ballot"' in (page := (await until_answered(client, tally, "GET", "/")).text):
            await asyncio.sleep(draw.expovariate(1 / pause) if pause else 0)
            await vote(client, tally, page, draw)


def check(folder: Path, tally: Tally, expected: int) -> dict[str, int]:
    """Rows against what was acknowledged."""
    with sqlite3.connect(folder / FILE_NAME) as connection:
        rows = connection.execute("SELECT assignment, revision, choice FROM vote").fetchall()
        intact = connection.execute("PRAGMA integrity_check").fetchone()[0]
        taken = connection.execute(
            "SELECT count(*) FROM pair WHERE taken <> (SELECT count(*) FROM assignment WHERE pair = pair.id"
            " AND repeat_of IS NULL)").fetchone()[0]  # fmt: skip
    stored = {assignment: choice for assignment, _, choice in rows}
    return {
        "expected": expected,
        "acknowledged": len(tally.acknowledged),
        "rows": len(rows),
        "lost": sum(stored.get(name) != choice for name, choice in tally.acknowledged.items()),
        "twice": len(rows) - len(stored),
        "not acknowledged": len(stored.keys() - tally.acknowledged.keys()),
        "wrong counts": taken,
        "damaged": int(intact != "ok"),
    }


async def measured(options: argparse.Namespace, folder: Path) -> tuple[dict[str, int], Tally, int, float]:
    links = make(folder, options.raters, options.votes)
    server, tally = Server(folder), Tally()
    await server.start()
    started = time.perf_counter()
    killer = asyncio.create_task(server.be_killed(options.every)) if options.every else None
    try:
        await asyncio.gather(
            *(rate(server.port, link, tally, seed, options.pause) for seed, link in enumerate(links.values()))
        )
    finally:
        if killer:
            killer.cancel()
        await asyncio.sleep(0.1)
        await server.stop()
    return check(folder, tally, options.raters * options.votes), tally, server.num_kills, time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raters", type=int, default=100)
    parser.add_argument("--votes", type=int, default=100, help="of each")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between kills; 0 for none")
    parser.add_argument("--pause", type=float, default=1.0, help="mean seconds that a rater thinks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found, tally, kills, seconds = asyncio.run(measured(options, Path(folder) / "study"))
    p50, p99 = (1000 * np.quantile(tally.seconds, share) for share in (0.5, 0.99))
    pages = 1000 * np.quantile(tally.page_seconds, 0.99)
    print(f"{found['rows']} rows in {seconds:.0f} s, {kills} kills; acknowledged attempts {len(tally.seconds)}: "
          f"median {p50:.0f} ms, p99 {p99:.0f} ms, longest {1000 * max(tally.seconds):.0f} ms; "
          f"pages p99 {pages:.0f} ms")  # fmt: skip
    print(json.dumps({**found, "kills": kills, "p99_ms": round(p99, 1), **tally.events}))
    wrong = ("lost", "twice", "not acknowledged", "wrong counts", "damaged")
    return int(any(found[name] for name in wrong) or found["rows"] != found["expected"])


if __name__ == "__main__":
    sys.exit(main())
