"""Real trackers, offline: what each one's own reader finds is what the run holds, to the last digit.

Run by ``make test-trackers``; without a tracker's package its tests are skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from commands import Ran, command_line, run_apart
from exchanged_runs import MINI, faulty_model, judge_of, run_of

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE
from evalsuite.interop.sealed_runs import read_sealed
from evalsuite.trackers.facts import Facts, facts_of
from evalsuite.trackers.log_run import TRACKERS

_PAGE = "<!doctype html><title>A page</title>"
_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONWARNINGS": "ignore"}
_SLOW_S = 300


@dataclass(frozen=True)
class Found:
    """A run as a tracker's own reader tells it: numbers, settings, its name, and its files' digests by their names."""

    numbers: Mapping[str, float]
    settings: Mapping[str, Any]
    name: str
    files: Mapping[str, str]


def python(code: str, **environment: str) -> Any:
    """What `code` prints last, as JSON, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**_ENVIRONMENT, **environment}
    )
    return json.loads(done.stdout.splitlines()[-1])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# -- the trackers' own readers


def read_wandb(folder: Path, project: str) -> list[Found]:
    found = []
    for run in sorted(folder.glob("wandb/offline-run-*")):
        done = subprocess.run(
            [Path(sys.executable).parent / "wandb", "leet", "inspect", "--summary", "--json", run],
            capture_output=True, text=True, check=True, env=_ENVIRONMENT,
        )  # fmt: skip
        told = json.loads(done.stdout)
        assert (told["project"], told["state"]) == (project, "finished")
        numbers = {key: value for key, value in told["summary"].items() if not key.startswith("_")}
        files = {path.name: digest(path) for path in (run / "files").iterdir()}
        found.append(Found(numbers, told["config"], told["name"], files))
    return found


def read_mlflow(folder: Path, project: str, uri: str = "") -> list[Found]:
    """Settings are texts here; they are compared as such."""
    told = python(
        "import json, mlflow\n"
        f"client = mlflow.MlflowClient(tracking_uri={uri or f'sqlite:///{folder}/mlflow.db'!r})\n"
        f"experiment = client.get_experiment_by_name({project!r})\n"
        "runs = client.search_runs([experiment.experiment_id])\n"
        "assert all(run.info.status == 'FINISHED' for run in runs)\n"
        "files = [{file.path: mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=file.path,"
        " tracking_uri=client.tracking_uri) for file in client.list_artifacts(run.info.run_id)} for run in runs]\n"
        "print(json.dumps([[run.data.metrics, run.data.params, run.info.run_name, where]"
        " for run, where in zip(runs, files)]))",
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_ALLOW_FILE_STORE="true",
    )
    return [
        Found(numbers, settings, name, {key: digest(Path(path)) for key, path in files.items()})
        for numbers, settings, name, files in told
    ]


def read_trackio(folder: Path, project: str) -> list[Found]:
    told = python(
        "import json, trackio\n"
        "from trackio.sqlite_storage import SQLiteStorage\n"
        f"runs = list(trackio.Api().runs({project!r}))\n"
        f"print(json.dumps([[SQLiteStorage.get_logs({project!r}, run.name, run_id=run.id), run.config, run.name]"
        " for run in runs]))",
        TRACKIO_DIR=str(folder),
    )
    blobs = {digest(path) for path in folder.rglob("blobs/sha256/*/*")}
    found = []
    for logs, config, name in told:
        (step,) = logs
        numbers = {key: value for key, value in step.items() if key not in ("timestamp", "step")}
        settings = {key: value for key, value in config.items() if not key.startswith("_")}
        found.append(Found(numbers, settings, name, {one: one for one in blobs}))
    return found


READERS: Mapping[str, Callable[[Path, str], list[Found]]] = {
    "wandb": read_wandb,
    "mlflow": read_mlflow,
    "trackio": read_trackio,
}


@pytest.fixture(params=TRACKERS)
def tracker(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    pytest.importorskip(name)
    return name


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    output = tmp_path_factory.mktemp("runs")
    run = run_of(output, "--tasks", ",".join((*MINI, "mini_chat_en")), "--limit", "20")
    return run, judge_of(run, "kind_judge")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "board.html"
    path.write_text(_PAGE, encoding="utf-8")
    return path


def export(*arguments: object, cwd: Path) -> Ran:
    return run_apart("export", *arguments, "--json", cwd=cwd, env=_ENVIRONMENT, timeout_s=_SLOW_S)


def check_same(found: Found, facts: Facts) -> None:
    assert dict(found.numbers) == dict(facts.numbers), "to the last digit, and nothing besides"
    assert set(found.settings) == set(facts.settings)
    for key, value in facts.settings.items():  # MLflow has texts, JSON no difference between 20 and 20.0
        assert found.settings[key] == value or found.settings[key] == str(value), key
    assert found.name == facts.name
    assert {digest(path) for path in facts.files} <= set(found.files.values())


def test_what_goes_in_comes_out(tracker: str, runs: tuple[Path, Path], page: Path, tmp_path: Path) -> None:
    """Two runs, one of a judge, with a page; exported again, nothing changes; forced, there is still one of each."""
    folder = tmp_path / "store"
    call = (*runs, "--to", tracker, "--output", folder, "--project", "chosen", "--page", page)
    ran = export(*call, cwd=tmp_path)
    assert ran.code == EXIT_OK, ran.err
    assert ran.err == ""
    assert [one["is_new"] for one in ran.json["runs"]] == [True, True]
    assert len(ran.out.splitlines()) == 3, "a tracker's own words are not our output"
    expected = {facts.name: facts for facts in (facts_of(read_sealed(run), page=page) for run in runs)}
    for found in READERS[tracker](folder, "chosen"):
        check_same(found, expected.pop(found.name))
    assert not expected
    assert {path.name for path in tmp_path.iterdir()} == {"store"}, "nothing is written elsewhere"

    again = export(*call, cwd=tmp_path)
    assert [one["is_new"] for one in again.json["runs"]] == [False, False]
    assert again.out.count("(there already)") == 2
    assert export(runs[0], *call[2:], "--force", cwd=tmp_path).json["runs"][0]["is_new"]
    names = [found.name for found in READERS[tracker](folder, "chosen")]
    assert len(set(names)) == 2
    if tracker != "wandb":  # which puts two folders of one id together when they are synchronised
        assert len(names) == 2


def test_no_network_is_asked(tracker: str, runs: tuple[Path, Path], tmp_path: Path) -> None:
    """In a network namespace of its own, in which even this machine cannot be reached."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespaces here")
    call = command_line("export", runs[0], "--to", tracker, "--output", tmp_path / "store")
    done = subprocess.run(
        [unshare, "-rn", *call], cwd=tmp_path, env=_ENVIRONMENT, capture_output=True, text=True, timeout=_SLOW_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == EXIT_OK, done.stderr
    (found,) = READERS[tracker](tmp_path / "store", "evalsuite")
    check_same(found, facts_of(read_sealed(runs[0])))


def test_incomplete_runs_are_marked(tracker: str, tmp_path: Path) -> None:
    faulty = run_of(tmp_path / "runs", "--tasks", "mini_choice_en", code=3, model=faulty_model.__name__)
    call = (faulty, "--to", tracker, "--output", tmp_path / "store")
    ran = export(*call, cwd=tmp_path)
    assert ran.code == EXIT_USAGE
    assert "is incomplete" in ran.err
    assert not (tmp_path / "store").exists()
    assert export(*call, "--incomplete", "--name", "org/other", cwd=tmp_path).code == EXIT_OK
    (found,) = READERS[tracker](tmp_path / "store", "evalsuite")
    assert (found.settings["status"], found.settings["model"]) == ("incomplete", "org/other")
    assert found.numbers["samples/unscored"] == read_sealed(faulty).result.counts.unscored > 0


def test_what_a_tracker_refuses_is_one_line(tracker: str, runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ran = export(runs[0], "--to", tracker, "--output", tmp_path / "file" / "store", cwd=tmp_path)
    assert ran.code == EXIT_INCOMPLETE
    assert f"{TRACKERS[tracker].title} did not take {runs[0]}: " in ran.err
    assert len(ran.err.splitlines()) == 1


# -- what only one of them has


@pytest.mark.skipif(find_spec("mlflow") is None, reason="needs mlflow")
def test_a_file_store_of_mlflow(runs: tuple[Path, Path], tmp_path: Path) -> None:
    uri = (tmp_path / "mlruns").as_uri()
    ran = export(runs[0], "--to", "mlflow", "--tracker_args", f"tracking_uri={uri}", cwd=tmp_path)
    assert ran.code == EXIT_OK, ran.err
    (found,) = read_mlflow(tmp_path, "evalsuite", uri)
    check_same(found, facts_of(read_sealed(runs[0])))
    ran = export(runs[0], "--to", "mlflow", "--tracker_args", f"tracking_uri={uri}", "--output", tmp_path, cwd=tmp_path)
    assert ran.code == EXIT_USAGE
    assert "both name a store of MLflow; give one of them." in ran.err


@pytest.mark.skipif(find_spec("mlflow") is None, reason="needs mlflow")
def test_an_export_to_mlflow_that_broke_off_is_finished(runs: tuple[Path, Path], tmp_path: Path) -> None:
    """A run that is there but was never ended is written whole, and is still the one."""
    folder = tmp_path / "store"
    assert export(runs[0], "--to", "mlflow", "--output", folder, cwd=tmp_path).code == EXIT_OK
    python(
        "import mlflow\n"
        f"client = mlflow.MlflowClient(tracking_uri='sqlite:///{folder}/mlflow.db')\n"
        "(run,) = client.search_runs([client.get_experiment_by_name('evalsuite').experiment_id])\n"
        "client.update_run(run.info.run_id, status='RUNNING')\n"
        "print(1)"
    )
    assert export(runs[0], "--to", "mlflow", "--output", folder, cwd=tmp_path).json["runs"][0]["is_new"]
    (found,) = read_mlflow(folder, "evalsuite")
    check_same(found, facts_of(read_sealed(runs[0])))


@pytest.mark.skipif(find_spec("trackio") is None, reason="needs trackio")
def test_trackio_takes_one_folder_a_process(runs: tuple[Path, Path], tmp_path: Path) -> None:
    code = (
        "import json, pathlib\n"
        "from evalsuite.errors import UsageError\nfrom evalsuite.trackers.log_run import log_run\n"
        f"run, folder = pathlib.Path({str(runs[0])!r}), pathlib.Path({str(tmp_path)!r})\n"
        "log_run(run, 'trackio', folder=folder / 'one')\n"
        "try:\n    log_run(run, 'trackio', folder=folder / 'two')\n"
        "except UsageError as error:\n    print(json.dumps(str(error)))\n"
    )
    assert "which it keeps until this program ends" in python(code)
    assert not (tmp_path / "two").exists()
