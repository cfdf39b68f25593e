"""Every exit code of the documentation, reached by a command in a process of its own, with its one line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Ran, command_line, run_apart

from evalsuite import errors

ROOT = Path(__file__).parents[2]
ECHO = ROOT / "benchmarks" / "echo_server.py"
WORSE = """
import msgspec
from evalsuite.engines.scripted import plausible

def answer(request):
    reply = plausible(request)
    return msgspec.structs.replace(reply, sum_nats=-50.0 - reply.sum_nats) if hasattr(reply, "sum_nats") else reply
"""

SILENT = """
from evalsuite.types import Cause, Failure

def answer(request):
    return Failure(cause=Cause.TIMEOUT)
"""


def command(*arguments: object, cwd: Path) -> Ran:
    return run_apart(*arguments, cwd=cwd, env={**os.environ, "PYTHONPATH": str(cwd)})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a worse one, and gate files."""
    folder = tmp_path_factory.mktemp("codes")
    (folder / "worse.py").write_text(WORSE, encoding="utf-8")
    (folder / "gate.yaml").write_text("defaults: {max_drop: 1pp}\ngates: [{task: mini_math_en}]\n", encoding="utf-8")
    (folder / "wide.yaml").write_text(
        "defaults: {max_drop: 1pp}\ngates: [{task: mini_choice, per: family}]\n", encoding="utf-8"
    )
    for output, function in (("a", "evalsuite.engines.scripted:plausible"), ("b", "worse:answer")):
        done = command("run", "--model", "scripted", "--model_args", f"function={function}", "--tasks",
                       "mini_choice,mini_math_en", "--output_path", output, cwd=folder)  # fmt: skip
        assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    arguments = [sys.executable, str(ECHO), "--port", "0", "--delay_ms", "1"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = re.search(r"\d+", process.stdout.readline())
        assert port is not None
        yield f"http://127.0.0.1:{port[0]}/v1"
        process.kill()


def test_the_codes_are_those_of_the_documentation() -> None:
    codes = {name: value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert sorted(codes.values()) == [0, 1, 2, 3, 4, 5, 6, 130]


def test_0_complete(place: Path) -> None:
    done = command("compare", "a", "a", cwd=place)
    assert done.code == 0
    assert done.err == ""


def test_1_a_gate_failed(place: Path) -> None:
    (place / "floor.yaml").write_text("gates: [{task: mini_choice_en, metric: acc, min: 0.99}]\n", encoding="utf-8")
    done = command("gate", "floor.yaml", "--baseline", "a", "--run", "b", cwd=place)
    assert done.code == 1
    assert "fail: 1 fail of 1 gates" in done.out
    assert "expected at least 99" in done.out


def test_2_usage(place: Path) -> None:
    done = command("gate", "gates.yaml", cwd=place)
    assert done.code == 2
    assert done.err.startswith("evalsuite: gates.yaml cannot be read")
    done = command("gate", "gate.yaml", "--baseline", "a", "--ran", "b", cwd=place)
    assert done.code == 2
    assert "did you mean '--run'" in done.err


def test_3_incomplete(place: Path) -> None:
    (place / "silent.py").write_text(SILENT, encoding="utf-8")
    done = command("run", "--model", "scripted", "--model_args", "function=silent:answer", "--tasks", "mini_math_en",
                   "--limit", "3", "--output_path", "c", cwd=place)  # fmt: skip
    assert done.code == 3
    assert "3 of 3 samples are unscored (timeout: 3); the run is incomplete; " in done.err


def test_3_not_comparable(place: Path) -> None:
    shots = command("run", "--model", "scripted", "--tasks", "mini_math_en", "--num_fewshot", "1", "--output_path", "d",
                    cwd=place)  # fmt: skip
    assert shots.code == 0
    done = command("gate", "gate.yaml", "--baseline", "a", "--run", "d", cwd=place)
    assert done.code == 3
    assert "not comparable: mini_math_en: exemplars: 0, 1" in done.out


def test_3_nothing_of_a_sweep_is_comparable(place: Path) -> None:
    """Two cells of one number of exemplars each and of other tasks: nothing to hold side by side in any way."""
    (place / "sweep.yaml").write_text(
        "name: s\nbase: {model: scripted, limit: 2}\n"
        "axes: {tasks: [mini_math_en, mini_choice_en], num_fewshot: [0, 1]}\n"
        "exclude: [{tasks: mini_math_en, num_fewshot: 0}, {tasks: mini_choice_en, num_fewshot: 1}]\n",
        encoding="utf-8",
    )
    assert command("sweep", "run", "sweep.yaml", cwd=place).code == 0
    assert command("sweep", "table", "sweeps/s", cwd=place).code == 0
    for analysis in (("scaling", "--x"), ("spread", "--over"), ("pareto", "--against")):
        done = command("sweep", analysis[0], "sweeps/s", analysis[1], "num_fewshot", cwd=place)
        assert done.code == 3, analysis
    done = command("sweep", "quantisation", "sweeps/s", "--reference", "num_fewshot=0", cwd=place)
    assert done.code == 3
    assert done.err == (
        "evalsuite: --reference num_fewshot=0: no two cells with results differ in num_fewshot alone.\n"
    )


def test_4_the_budget_is_spent(place: Path, server: str) -> None:
    done = command("run", "--model", "openai", "--model_args", f"model=echo,base_url={server},max_requests=3",
                   "--tasks", "mini_math_en", "--output_path", "e", cwd=place)  # fmt: skip
    assert done.code == 4
    assert "samples left; run the same command to go on" in done.err


def test_5_inconclusive_under_strict(place: Path) -> None:
    done = command("gate", "wide.yaml", "--baseline", "a", "--run", "a", cwd=place)
    assert done.code == 0
    done = command("gate", "wide.yaml", "--baseline", "a", "--run", "a", "--strict", cwd=place)
    assert done.code == 5
    assert "items would tell a loss of 1.0 points, there are 240" in done.out


def test_6_nothing_is_selected(place: Path) -> None:
    (place / "none.yaml").write_text("gates: [{task: gsm8k}]\n", encoding="utf-8")
    done = command("gate", "none.yaml", "--baseline", "a", "--run", "a", cwd=place)
    assert done.code == 6
    assert done.err == "evalsuite: none.yaml: none of its gates matches a task of either run.\n"


def test_130_interrupted(place: Path) -> None:
    arguments = command_line(
        "run", "--model", "scripted", "--model_args", "delay_s=0.2", "--tasks", "mini_math_en", "--output_path", "f"
    )
    with subprocess.Popen(arguments, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(place.glob("f/*/journal/*")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command to go on." in said
