"""Ctrl-C and SIGTERM end a run between two batches, a second one at once; the same command goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import command_line
from forked_runs import ENVIRONMENT, ForkServer, Sealed, WhatIf, fork_server, journal, run_path, sealed, wait_for

from evalsuite.errors import EXIT_INTERRUPTED, EXIT_OK

ARGUMENTS = ("--tasks", "mini_choice_en,mini_choice_hi,mini_chat_ar,mini_chat_zh", "--limit", "6")
STOPPING = "evalsuite: stopping after this batch; once more to stop at once."
TO_GO_ON = "run the same command to go on."


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with fork_server() as started:
        yield started


@pytest.fixture(scope="module")
def whole(server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """What a run that nobody interrupts is sealed as."""
    output = tmp_path_factory.mktemp("whole")
    assert server.run(output, scripted()).code == EXIT_OK
    return sealed(output)


def scripted(delay_s: float = 0.0) -> tuple[str, ...]:
    """How long an answer takes is no part of what is run, so the same run can be slow and quick."""
    return ("--model", "scripted", "--model_args", f"delay_s={delay_s}", *ARGUMENTS)


@contextmanager
def command(output: Path, delay_s: float) -> Iterator[subprocess.Popen[str]]:
    """`evalsuite run` as a user starts it."""
    arguments = command_line("run", *scripted(delay_s), "--output_path", output)
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def num_answered(output: Path) -> int:
    return len(journal(output).responses)


def has_wave(output: Path, wave: int) -> bool:
    path = run_path(output)
    return path is not None and (path / "plan" / f"wave-{wave:04d}.jsonl").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("wave", [1, 2])
def test_a_signal_ends_the_run_after_the_batch_and_the_same_command_goes_on(
    server: ForkServer, whole: Sealed, tmp_path: Path, number: signal.Signals, wave: int
) -> None:
    with command(tmp_path, delay_s=0.03) as process:
        wait_for(lambda: num_answered(tmp_path) >= 3 and has_wave(tmp_path, wave))
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert process.returncode == EXIT_INTERRUPTED
    said = [line for line in err.splitlines() if line.startswith("evalsuite: ")]
    assert said[0] == STOPPING
    assert said[1].startswith("evalsuite: stopped with ")
    assert said[1].endswith(f" samples left; {TO_GO_ON}")
    assert len(said) == 2
    path = run_path(tmp_path)
    assert f": {path}" in out
    assert path is not None
    assert not (path / "results.json").exists()
    assert journal(tmp_path).torn_tails == []
    with command(tmp_path, delay_s=0.0) as process:
        process.communicate(timeout=60)
    assert process.returncode == EXIT_OK
    assert sealed(tmp_path) == whole


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_second_signal_ends_the_run_at_once(
    server: ForkServer, whole: Sealed, tmp_path: Path, first: signal.Signals
) -> None:
    with command(tmp_path, delay_s=60.0) as process:
        wait_for(lambda: bool(journal(tmp_path).last_epoch))
        time.sleep(0.5)  # by now the first item is being answered, which takes a minute
        process.send_signal(first)
        assert process.stderr is not None
        while STOPPING not in process.stderr.readline():
            pass
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert time.monotonic() - begun < 5
    assert process.returncode == EXIT_INTERRUPTED
    assert err == f"evalsuite: interrupted; {TO_GO_ON}\n"
    assert server.run(tmp_path, scripted()).code == EXIT_OK
    assert sealed(tmp_path) == whole


def test_an_interrupt_at_any_moment_of_a_run_is_no_traceback(server: ForkServer, whole: Sealed, tmp_path: Path) -> None:
    rng = random.Random(130)
    codes = []
    for number in range(60):
        output = tmp_path / str(number)
        pid = server.start(output, scripted(delay_s=0.001), WhatIf())
        wait_for(lambda output=output: run_path(output) is not None)
        for _ in range(number % 3 + 1):
            time.sleep(rng.uniform(0, 0.08))
            os.kill(pid, signal.SIGINT)
        ended = server.wait()
        codes.append(ended.code)
        assert ended.code in (EXIT_OK, EXIT_INTERRUPTED), ended.text
        assert "Traceback" not in ended.text, ended.text
        assert server.run(output, scripted()).code == EXIT_OK
        assert sealed(output) == whole
    assert codes.count(EXIT_INTERRUPTED) > 10
