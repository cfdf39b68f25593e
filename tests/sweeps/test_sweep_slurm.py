"""Jobs by submitit, on its own executor for one machine: there is no Slurm here, but all else is the real thing."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_runs import Workplace, make_workplace, num_answers, sealed_bytes, wait_until

from evalsuite.errors import UsageError
from evalsuite.sweeps.cells import Cell
from evalsuite.sweeps.events import Ended, Event, Failed
from evalsuite.sweeps.grid import setups_of
from evalsuite.sweeps.planning import plan_of, settle
from evalsuite.sweeps.slurm import Cluster, ModelJob
from evalsuite.sweeps.standing import standings
from evalsuite.sweeps.sweep_file import read_sweep_file

submitit = pytest.importorskip("submitit", reason="evalsuite[slurm] is not installed")

# submitit waits for its files, not for its processes
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

SWEEP = """\
output_path: jobs
base: {model: scripted, limit: 4}
axes:
  model_args.name: [one, two]
  tasks: [mini_choice_en, mini_math_en]
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return make_workplace(tmp_path)


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What submitit leaves unclosed is collected here, and not in somebody else's test."""
    yield
    gc.collect()


class Heard:
    """All events, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def see(self, event: Event) -> None:
        self.events.append(event)

    def tick(self) -> None:
        pass


def settled(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str = SWEEP) -> tuple[Path, tuple[Cell, ...]]:
    monkeypatch.chdir(folder)
    (folder / "sweep.yaml").write_text(text, encoding="utf-8")
    file = read_sweep_file(folder / "sweep.yaml")
    plan = settle(file.output, plan_of(file, setups_of(file))[0], extends=False)
    return file.output.absolute(), plan.cells


def test_a_job_for_each_model_ends_as_the_sweep_here_does(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, cells = settled(place.folder, monkeypatch)
    heard = Heard()
    Cluster(directory, {"timeout_min": 5}, kind="local", poll_s=0.1).run(cells, heard, lambda: False)
    assert [one.state for one in standings(directory, cells)] == ["sealed"] * 4
    assert sorted(event.cell for event in heard.events) == sorted(cell.name for cell in cells)
    assert all(isinstance(event, Ended) for event in heard.events)
    assert len({path.name.partition("_")[0] for path in (directory / "slurm").glob("*_submitted.pkl")}) == 2
    (place.folder / "sweep.yaml").write_text(SWEEP.replace("jobs", "here"), encoding="utf-8")
    assert place.run("sweep", "run", "sweep.yaml").code == 0
    assert sealed_bytes(directory) == sealed_bytes(place.folder / "here")


def test_a_job_that_is_killed_is_told_and_the_next_one_goes_on(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SWEEP.replace("name: [one, two]", "delay_s: [0.1]").replace("limit: 4", "limit: 6")
    directory, cells = settled(place.folder, monkeypatch, text)
    before = set(children_of(os.getpid()))

    def kill() -> None:
        wait_until(lambda: num_answers(directory) >= 3)
        for watching in set(children_of(os.getpid())) - before:  # submitit's own process, and below it the job's
            for job in children_of(watching):
                os.kill(job, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    heard = Heard()
    Cluster(directory, {}, kind="local", poll_s=0.1).run(cells, heard, lambda: False)
    killer.join()
    failed = [event for event in heard.events if isinstance(event, Failed)]
    assert failed
    assert all("before it; " in event.cause for event in failed)
    kept = num_answers(directory)
    assert kept >= 3
    Cluster(directory, {}, kind="local", poll_s=0.1).run(cells, heard, lambda: False)
    assert [one.state for one in standings(directory, cells)] == ["sealed"] * len(cells)


def children_of(pid: int) -> list[int]:
    lists = [path.read_text(encoding="ascii").split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for found in lists for child in found]


def test_a_preempted_job_is_the_same_job_again(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, cells = settled(place.folder, monkeypatch)
    job = ModelJob(str(directory), tuple(cell.name for cell in cells[:2]), 1)
    delayed = job.checkpoint()
    assert delayed.function is job
    executor = submitit.LocalExecutor(folder=directory / "slurm")
    assert executor.submit(delayed.function).result() == 2
    assert [one.state for one in standings(directory, cells)] == ["sealed", "sealed", "waiting", "waiting"]


def test_an_unknown_option_is_refused(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, cells = settled(place.folder, monkeypatch)
    with pytest.raises(UsageError, match=r"^slurm: .*partitoin"):
        Cluster(directory, {"partitoin": "gpu"}, kind="local").run(cells, Heard(), lambda: False)
