"""Runs in real child processes that cost a fork each, and what they leave on disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from evalsuite.store.journal import Journal
from evalsuite.store.results import RESULTS, SAMPLES
from evalsuite.store.run_directory import RunDirectory
from evalsuite.types import Response

HERE = Path(__file__).parent
ENVIRONMENT = {
    **os.environ,
    "HF_HUB_OFFLINE": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")])),
    # a process without threads is safe to fork, and torch's threads cost minutes when others want the cores too
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code, or minus the signal that killed it, and all that it printed."""

    code: int
    text: str

    @property
    def errors(self) -> list[str]:
        """The lines that evalsuite prints about itself."""
        return [line for line in self.text.splitlines() if line.startswith("evalsuite: ")]


@dataclass(frozen=True)
class WhatIf:
    """What a child is to meet.

    `asked`: the file in which `fork_server.answer` notes each request's key; `answer_takes_s`: how long it then takes;
    `max_file_bytes`: no file may be longer, a write there fails or, with `dies_at_limit`, ends the process;
    `stop_at`: the file operation, counted from 1, before which it dies or, with `error`, meets that errno.
    """

    asked: str | None = None
    answer_takes_s: float = 0.0
    max_file_bytes: int | None = None
    dies_at_limit: bool = False
    stop_at: int = 0
    error: int | None = None


NOTHING = WhatIf()


class ForkServer:
    """Starts runs as forks of a process that has imported everything."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, output: Path, arguments: tuple[str, ...], what_if: WhatIf) -> int:
        """The process id of `evalsuite run` with `arguments`. It stays a zombie, its id taken, until `wait`."""
        order = {
            "do": "start",
            "arguments": ["run", *arguments, "--output_path", str(output)],
            "folder": str(output),
            **vars(what_if),
        }
        return int(self._obey(order)["pid"])

    def wait(self) -> Ended:
        """How the started run ended."""
        reply = self._obey({"do": "wait"})
        return Ended(reply["exit"], reply["text"])

    def run(self, output: Path, arguments: tuple[str, ...], what_if: WhatIf = NOTHING) -> Ended:
        """Start and wait."""
        self.start(output, arguments, what_if)
        return self.wait()

    def read_reply(self) -> dict[str, Any]:
        """The server's next word."""
        assert self._process.stdout is not None
        reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        return reply

    def _obey(self, order: Mapping[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self.read_reply()


@contextmanager
def fork_server(*options: str) -> Iterator[ForkServer]:
    """A server while the block lasts; ``--model`` has it import torch too."""
    command = [sys.executable, str(HERE / "fork_server.py"), *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            server = ForkServer(process)
            server.read_reply()
            yield server
        finally:
            assert process.stdin is not None
            process.stdin.close()


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)


def wait_for(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Return when `condition` holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


# -- what is on disk


@dataclass(frozen=True)
class Sealed:
    """The derived files of a run: the bytes of the result, and the columns of the samples."""

    results: bytes
    samples: Mapping[str, list[str]]


def run_path(output: Path) -> Path | None:
    """The one run directory under `output`, if it is there yet."""
    found = list(output.iterdir()) if output.is_dir() else []
    assert len(found) <= 1, found
    return found[0] if found else None


def sealed(output: Path) -> Sealed:
    """What the run under `output` was sealed as."""
    path = run_path(output)
    assert path is not None
    return Sealed((path / RESULTS).read_bytes(), pq.read_table(path / SAMPLES).to_pydict())


def journal(output: Path) -> Journal:
    """The journal of the run under `output`; an empty one before the run has a spec."""
    path = run_path(output)
    if path is None or not (path / "spec.json").exists():
        return Journal()
    return RunDirectory.open_existing(path).read_journal()


def committed(output: Path) -> dict[str, Response]:
    """The journaled responses by the key of the request, which is what `fork_server.answer` notes."""
    responses = journal(output).responses
    if not responses:
        return {}
    path = run_path(output)
    assert path is not None
    directory = RunDirectory.open_existing(path)
    plans = [directory.read_plan(wave) or () for wave in (1, 2)]
    keys = [(key, item_id) for plan in plans for batch in plan for item_id, key in batch.items]
    assert max(Counter(key for key, _ in keys).values()) == 1, "every item must have a request of its own"
    return {key: responses[item_id] for key, item_id in keys if item_id in responses}
