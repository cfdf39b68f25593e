"""kill -9 of a sweep or its workers at any moment: no worker outlives its sweep, and the same bytes in the end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from sweep_runs import (
    Workplace,
    is_alive,
    journal_sizes,
    make_workplace,
    num_answers,
    sealed_bytes,
    wait_until,
    workers_of,
)

from evalsuite.errors import EXIT_INTERRUPTED, EXIT_OK

SWEEP = """\
output_path: {name}
base: {{model: stranger, limit: 12}}
axes:
  model_args.delay_s: [{delays}]
  tasks: [mini_choice, mini_math, mini_chat]
  num_fewshot: [0, 1]
exclude:
  - {{tasks: mini_chat, num_fewshot: 1}}
"""
NUM_KILLS = 5


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return make_workplace(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a sweep that nobody touches ends as."""
    place = make_workplace(tmp_path_factory.mktemp("whole"))
    place.write(SWEEP.format(name="whole", delays="0.0"))
    ended = place.run("sweep", "run", "sweep.yaml")
    assert ended.code == EXIT_OK, ended.err
    return sealed_bytes(place.folder / "whole")


def wait_for_answers(directory: Path, least: int) -> None:
    wait_until(lambda: num_answers(directory) >= least)


def kill(process: subprocess.Popen[str], target: str) -> None:
    """kill -9 of the sweep, or of a worker of it; then of the sweep too, soon after it saw that."""
    workers = workers_of(process.pid)
    if target == "worker":
        os.kill(workers[0], signal.SIGKILL)
        wait_until(lambda: workers_of(process.pid) not in ([], workers) or process.poll() is not None)
        workers += workers_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not any(is_alive(worker) for worker in workers), timeout_s=10)


def test_a_sweep_killed_five_times_ends_in_the_same_bytes(place: Workplace, whole: dict[str, bytes]) -> None:
    """Slow and quick answers are one run, so the sweep under test can be slow enough to be met at its work."""
    rng = random.Random(5)
    place.write(SWEEP.format(name="killed", delays="0.05"))
    directory = place.folder / "killed"
    num_loads = []
    for turn in range(NUM_KILLS):
        before = num_answers(directory)
        with place.started("sweep", "run", "sweep.yaml") as process:
            wait_for_answers(directory, before + rng.randrange(2, 14))
            time.sleep(rng.uniform(0.0, 0.2))
            kill(process, ("sweep", "worker")[turn % 2])
        num_loads.append(len(place.loads))
        sizes = journal_sizes(directory)
        time.sleep(0.1)
        assert journal_sizes(directory) == sizes, "somebody still writes"
        partly = sealed_bytes(directory)
        assert partly.items() <= whole.items()
    assert len(sealed_bytes(directory)) < len(whole), "the sweep was over before the last kill"
    ended = place.run("sweep", "run", "sweep.yaml")
    assert ended.code == EXIT_OK, ended.err
    assert sealed_bytes(directory) == whole
    assert len(place.loads) == num_loads[-1] + 1, "one load for the last resume"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_a_sweep_after_the_batch(
    place: Workplace, whole: dict[str, bytes], number: signal.Signals
) -> None:
    place.write(SWEEP.format(name="stopped", delays="0.02"))
    directory = place.folder / "stopped"
    with place.started("sweep", "run", "sweep.yaml") as process:
        wait_until(lambda: num_answers(directory) >= 8)
        (worker,) = workers_of(process.pid)
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == EXIT_INTERRUPTED
    assert "stopping after this batch" in err
    assert "the same command goes on" in err
    assert not is_alive(worker)
    assert not (directory / "failures.jsonl").exists()
    assert place.run("sweep", "run", "sweep.yaml").code == EXIT_OK
    assert sealed_bytes(directory) == whole


def test_two_sweeps_in_one_folder_are_refused(place: Workplace) -> None:
    place.write(SWEEP.format(name="busy", delays="0.05"))
    directory = place.folder / "busy"
    with place.started("sweep", "run", "sweep.yaml") as process:
        wait_until(lambda: num_answers(directory) >= 2)
        second = place.run("sweep", "run", "sweep.yaml")
        found = place.run("sweep", "status", "sweep.yaml", "--json")
        process.kill()
    assert second.code == 2
    assert f"is locked by pid {process.pid}" in second.err
    states = [cell["state"] for cell in found.json["cells"]]
    assert states.count("running") == 1
    running = found.json["cells"][states.index("running")]
    assert 0 <= running["num_done"] <= running["num_asked"]


def test_models_side_by_side_are_loaded_once_each(place: Workplace, whole: dict[str, bytes]) -> None:
    text = SWEEP.format(name="both", delays="0.0").replace(
        "  num_fewshot", "  model_args.name: [one, two]\n  num_fewshot"
    )
    place.write(text)
    ended = place.run("sweep", "run", "sweep.yaml", "--jobs", 2)
    assert ended.code == EXIT_OK, ended.err
    assert len(place.loads) == len(set(place.loads)) == 2
    assert len(sealed_bytes(place.folder / "both")) == 2 * len(whole)


def test_cells_of_one_run_are_run_once(place: Workplace, whole: dict[str, bytes]) -> None:
    place.write(SWEEP.format(name="once", delays="0.0, 0.0001"))
    ended = place.run("sweep", "run", "sweep.yaml")
    assert ended.code == EXIT_OK, ended.err
    assert "delay_s=0.0,mini_math,num_fewshot=0 is the same run as delay_s=0.0001,mini_math,num_fewshot=0" in ended.err
    assert "sweep: 10 sealed; once" in ended.out
    assert len(place.loads) == 1
    assert sealed_bytes(place.folder / "once") == whole
