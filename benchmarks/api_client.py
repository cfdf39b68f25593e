"""What a run costs beside a bare client: 1,000 chat requests of 64 tokens at concurrency 64 to a local echo server.

    python benchmarks/api_client.py

Bare: `openai.AsyncOpenAI`, its retries off, behind a semaphore. Ours: the engine by itself, and a whole run with its
journal, every answer durable before the run ends. In turn (A B C A B C ...), medians; the server is a process of its
own and answers after `--delay_ms`. Exits 1 when the engine takes more than 1.5 times the bare loop.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import measuring

from evalsuite.asking import Settings
from evalsuite.building import PreparedTask
from evalsuite.config import make_config
from evalsuite.contracts import Task
from evalsuite.engines.api.engine import OpenAIEngine
from evalsuite.engines.api.settings import read_settings
from evalsuite.engines.base import one_by_one
from evalsuite.prepare import Prepared, prepare, task_spec
from evalsuite.run import Quiet, execute
from evalsuite.types import Completion, GenerateRequest, Item, Message, Replies, Request, Sample, Scored

TARGET = 1.5
MAX_TOKENS = 64


def request(number: int) -> GenerateRequest:
    """One of the requests, each with words of its own."""
    text = f"Message {number}: say it again in {MAX_TOKENS} words, please."
    return GenerateRequest(prompt=(Message(role="user", content=text),), max_tokens=MAX_TOKENS)


def ask_bare(base_url: str, num: int, concurrency: int) -> int:
    """All requests with the client library alone; returns how many texts came back."""
    import openai

    async def loop() -> int:
        gate = asyncio.Semaphore(concurrency)
        async with openai.AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0) as client:

            async def ask(number: int) -> str | None:
                (message,) = request(number).prompt
                async with gate:
                    answer = await client.chat.completions.create(
                        model="echo",
                        messages=[{"role": "user", "content": message.content}],  # type: ignore[union-attr]
                        max_tokens=MAX_TOKENS,
                        temperature=0.0,
                    )
                return answer.choices[0].message.content

            return sum(bool(text) for text in await asyncio.gather(*(ask(number) for number in range(num))))

    return asyncio.run(loop())


def engine_for(base_url: str, concurrency: int) -> OpenAIEngine:
    """Our engine on the echo server."""
    return OpenAIEngine(read_settings({"model": "echo", "base_url": base_url, "concurrency": concurrency}, {}))


def ask_engine(base_url: str, num: int, concurrency: int) -> int:
    """All requests with our engine, nothing stored."""
    items = [
        Item(id=f"s{number}#1.0", sample_id=f"s{number}", wave=1, request=request(number)) for number in range(num)
    ]
    answers = engine_for(base_url, concurrency).run(one_by_one(items, lambda _: 1))
    return sum(isinstance(answer, Completion) for _, answer in answers)


def run_whole(base_url: str, num: int, concurrency: int) -> int:
    """All requests as a run: planned, journaled, scored, sealed."""
    with tempfile.TemporaryDirectory() as folder:
        finished = execute(_prepared(engine_for(base_url, concurrency), num), Path(folder) / "run", Quiet())
    return finished.counts.scored


def _prepared(engine: OpenAIEngine, num: int) -> Prepared:
    """A run of one task of `num` samples, made from one that is installed."""
    base = prepare(make_config({}, {"model": "scripted", "tasks": ["mini_chat_en"], "limit": 1.0}))
    task: Task = replace(base.tasks[0].task, next_requests=_next_requests, score=_score)
    samples = tuple(Sample(id=f"mini_chat_en:test:{number}", input=str(number), language="en") for number in range(num))
    entry = PreparedTask(task, samples, num, base.tasks[0].pins, is_chat=True)
    import msgspec

    spec = msgspec.structs.replace(base.spec, tasks=(task_spec(entry, Settings(), 1),))
    return replace(base, spec=spec, tasks=(entry,), engine=engine)


def _next_requests(sample: Sample, replies: Replies) -> tuple[Request, ...]:
    return () if replies else (request(int(sample.input)),)


def _score(sample: Sample, replies: Replies) -> Scored:
    return Scored(scores=())


@contextmanager
def echo_server(delay_ms: float) -> Iterator[str]:
    """The base URL of an echo server that runs meanwhile."""
    command = [
        sys.executable,
        str(Path(__file__).with_name("echo_server.py")),
        "--port",
        "0",
        "--delay_ms",
        str(delay_ms),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        finally:
            server.terminate()


def main() -> int:
    """Measure, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--delay_ms", type=float, default=20.0, help="from a request to its answer")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sides = {"bare client": ask_bare, "engine": ask_engine, "whole run": run_whole}
    with echo_server(options.delay_ms) as url:
        found = measuring.interleaved(
            {name: partial(side, url, options.requests, options.concurrency) for name, side in sides.items()},
            options.rounds,
        )
    bare = found["bare client"].times.median
    rows = [
        {"side": name, "time": str(one.times), "requests/s": options.requests / one.times.median,
         "ratio": one.times.median / bare}
        for name, one in found.items()
    ]  # fmt: skip
    if any(one.result != options.requests for one in found.values()):
        print("not every request was answered")
        return 1
    machine = measuring.machine()
    print(f"{measuring.machine_line(machine)}\n\n{measuring.table(rows)}\n")
    ratios = {name: one.times.median / bare for name, one in found.items()}
    print(measuring.json_line({"ratio": ratios, "requests": options.requests, "machine": machine}))
    return 0 if ratios["engine"] <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
