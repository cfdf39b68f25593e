"""Real trackers, offline: what each one's own reader finds is what the run holds, to the last bit.

Without a tracker's package its tests are skipped; ``make test-trackers`` has all three.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from commands import Ran, command_line, run_here
from exchanged_runs import MINI, changed, copied, faulty_model, judge_of, run_of

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE, CorruptStore, UsageError
from evalsuite.interop.sealed_runs import read_sealed
from evalsuite.interop.tracker_facts import Facts, Place, facts_of
from evalsuite.interop.trackers import TRACKERS, Sending, _answer, _tracker, log_run
from evalsuite.proofs.manifest import counted_files

SLOW_S = 300


@dataclass(frozen=True)
class Found:
    """A run as a tracker's own reader tells it; `files` are digests by name."""

    name: str
    settings: Mapping[str, Any]
    numbers: Mapping[str, float]
    files: Mapping[str, str]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# -- the trackers' own readers


def python(code: str, **environment: str) -> Any:
    """What `code` prints last, as JSON, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env={**os.environ, **environment},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def records_of(path: Path) -> Iterator[Any]:
    """The records of a ``.wandb`` file, in W&B's own protobuf: the log format of LevelDB after seven bytes."""
    from wandb.proto import wandb_internal_pb2 as protocol

    content, place, whole = path.read_bytes(), 7, b""
    while place < len(content):
        if (left := 32768 - place % 32768) < 7:
            place += left
            continue
        size, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        whole += content[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            record = protocol.Record()
            record.ParseFromString(whole)
            whole = b""
            yield record


def read_wandb(folder: Path, project: str) -> list[Found]:
    """Runs in the order in which they were written; files must lie where ``wandb sync`` takes them from."""
    return [_wandb_run(path, project) for path in sorted(folder.glob("wandb/offline-run-*/*.wandb"))]


def _wandb_run(path: Path, project: str) -> Found:
    name, settings, numbers, files, ended = "", {}, {}, {}, None
    for record in records_of(path):
        if record.HasField("run"):
            assert record.run.run_id == path.stem.removeprefix("run-")
            assert record.run.project == project
            name = record.run.display_name
        for item in (*record.run.config.update, *record.config.update):
            settings[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        for item in record.history.item:
            numbers["/".join(item.nested_key) or item.key] = json.loads(item.value_json)
        for entry in record.artifact.manifest.contents:
            files[entry.path] = digest(Path(entry.local_path))
            md5 = hashlib.md5(Path(entry.local_path).read_bytes()).digest()
            assert entry.digest == base64.b64encode(md5).decode()
        ended = record.exit.exit_code if record.HasField("exit") else ended
    assert ended == 0
    keep = {key: value for key, value in settings.items() if not key.startswith("_")}
    return Found(name, keep, {key: value for key, value in numbers.items() if not key.startswith("_")}, files)


def read_mlflow(folder: Path, project: str, uri: str = "") -> list[Found]:
    """Settings are texts here; they are compared as such."""
    told = python(
        "import json, mlflow\n"
        f"client = mlflow.MlflowClient(tracking_uri={uri or f'sqlite:///{folder}/mlflow.db'!r})\n"
        f"experiment = client.get_experiment_by_name({project!r})\n"
        "def files(run, folder=None):\n"
        "    for one in client.list_artifacts(run.info.run_id, folder):\n"
        "        if one.is_dir: yield from files(run, one.path)\n"
        "        else: yield one.path, mlflow.artifacts.download_artifacts(run_id=run.info.run_id,"
        " artifact_path=one.path, tracking_uri=client.tracking_uri)\n"
        "runs = client.search_runs([experiment.experiment_id], order_by=['attributes.start_time'])\n"
        "assert all(run.info.status == 'FINISHED' for run in runs)\n"
        "print(json.dumps([[run.info.run_name, run.data.params, run.data.metrics, dict(files(run)), run.data.tags]"
        " for run in runs]))",
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_ALLOW_FILE_STORE="true",
    )
    for _, settings, *_, tags in told:
        assert tags["evalsuite.run_id"] == settings["run_id"]
        assert tags["evalsuite.manifest_hash"] == settings["manifest_hash"]
    return [
        Found(name, settings, numbers, {key: digest(Path(path)) for key, path in files.items()})
        for name, settings, numbers, files, _ in told
    ]


def read_trackio(folder: Path, project: str) -> list[Found]:
    told = python(
        "import json, trackio\n"
        "from trackio.sqlite_storage import SQLiteStorage as store\n"
        f"runs = list(trackio.Api().runs({project!r}))\n"
        f"print(json.dumps([[run.name, run.config, store.get_logs({project!r}, run.name, run_id=run.id)]"
        " for run in runs]))",
        TRACKIO_DIR=str(folder),
    )
    blobs = {digest(path) for path in folder.rglob("blobs/sha256/*/*")}
    assert all(len(steps) == 1 for _, _, steps in told)
    return [
        Found(
            name,
            {key: value for key, value in settings.items() if not key.startswith("_")},
            {key: value for key, value in step.items() if key not in ("timestamp", "step")},
            {one: one for one in blobs},
        )
        for name, settings, (step,) in told
    ]


READERS: Mapping[str, Callable[[Path, str], list[Found]]] = {
    "wandb": read_wandb,
    "mlflow": read_mlflow,
    "trackio": read_trackio,
}


# -- what is sent


@pytest.fixture(params=TRACKERS)
def tracker(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, no variable of a tracker, and a folder of its own to stand in."""
    path = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("WANDB_", "MLFLOW_", "TRACKIO_"))]:
        monkeypatch.delenv(name)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.chdir(path)
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    output = tmp_path_factory.mktemp("runs")
    run = run_of(output, "--tasks", ",".join((*MINI, "mini_chat_en")), "--limit", "20")
    return run, judge_of(run, "kind_judge")


def export(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    return run_here(capsys, "export", *arguments, "--json")


def facts(run: Path, tracker: str, **options: Any) -> Facts:
    return facts_of(read_sealed(run), _tracker(tracker).PLAIN, **options)


def check_same(found: Found, expected: Facts) -> None:
    assert dict(found.numbers) == dict(expected.numbers), "to the last bit, and nothing besides"
    assert set(found.settings) == set(expected.settings)
    for key, value in expected.settings.items():  # MLflow has texts, JSON no difference between 20 and 20.0
        assert found.settings[key] == value or found.settings[key] == str(value), key
    assert found.name == expected.name


def test_what_goes_in_comes_out(
    tracker: str, runs: tuple[Path, Path], tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs, one of a judge; sent again, nothing changes, and nothing is written elsewhere."""
    folder = tmp_path / "store"
    call = (*runs, "--to", tracker, "--output", folder, "--project", "chosen")
    ran = export(capsys, *call)
    assert ran.code == EXIT_OK, ran.err
    assert ran.err == ""
    assert len(ran.out.splitlines()) == 3, "a tracker's own words are not our output"
    ids = [read_sealed(run).result.run_id for run in runs]
    assert [(one["run"], one["is_new"]) for one in ran.json["sent"]] == [(one, True) for one in ids]
    expected = {one.name: one for one in (facts(run, tracker) for run in runs)}
    for found in READERS[tracker](folder, "chosen"):
        check_same(found, expected.pop(found.name))
        assert not found.files
    assert not expected

    again = export(capsys, *call)
    assert [one["is_new"] for one in again.json["sent"]] == [False, False]
    assert [one["place"] for one in again.json["sent"]] == [one["place"] for one in ran.json["sent"]]
    assert again.out.count("(there already)") == 2
    assert len(READERS[tracker](folder, "chosen")) == 2
    assert list(home.iterdir()) == []


def test_sealed_files_go_when_they_are_asked_for(tracker: str, runs: tuple[Path, Path], tmp_path: Path) -> None:
    for run in runs:
        assert log_run(run, tracker, folder=tmp_path / "store", has_files=True).is_new
    for run, found in zip(runs, READERS[tracker](tmp_path / "store", "evalsuite"), strict=True):
        sealed = {path.relative_to(run).as_posix(): digest(path) for path in counted_files(run)}
        if tracker == "trackio":  # whose blobs are one store for all runs
            assert set(sealed.values()) <= set(found.files.values())
        else:
            assert found.files == sealed


def test_one_run_is_one_run_until_it_says_something_else(
    tracker: str, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that was finished after it was sent has the same id, and another manifest."""
    folder, run = tmp_path / "store", copied(runs[0], tmp_path)
    before = facts(run, tracker)
    assert log_run(run, tracker, folder=folder).is_new
    (run / "plan" / "wave-0099.jsonl").write_text("", encoding="ascii")
    after = facts(run, tracker)
    assert (before.run_id, before.numbers) == (after.run_id, after.numbers)
    assert before.manifest_hash != after.manifest_hash
    ran = run_here(capsys, "export", run, "--to", tracker, "--output", folder)
    assert ran.code == EXIT_USAGE
    assert "is there already and says something else" in ran.err
    assert [found.settings["manifest_hash"] for found in READERS[tracker](folder, "evalsuite")] == [
        before.manifest_hash
    ]
    assert log_run(run, tracker, folder=folder, is_forced=True).is_new
    hashes = [found.settings["manifest_hash"] for found in READERS[tracker](folder, "evalsuite")]
    if tracker == "wandb":  # two folders of one id, of which the newer one counts
        assert hashes[-1] == after.manifest_hash
        assert len(hashes) == 2
    else:
        assert hashes == [after.manifest_hash]
    assert not log_run(run, tracker, folder=folder).is_new


def test_no_network_is_asked(tracker: str, runs: tuple[Path, Path], tmp_path: Path) -> None:
    """In a network namespace of its own, in which even this machine cannot be reached."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespaces here")
    call = command_line("export", runs[0], "--to", tracker, "--output", tmp_path / "store")
    done = subprocess.run([unshare, "-rn", *call], capture_output=True, text=True, timeout=SLOW_S, check=False)
    assert done.returncode == EXIT_OK, done.stderr
    (found,) = READERS[tracker](tmp_path / "store", "evalsuite")
    check_same(found, facts(runs[0], tracker))


def test_thousands_of_numbers_go(tracker: str, runs: tuple[Path, Path], tmp_path: Path) -> None:
    """As a run of all tasks of MMLU has them; among them the longest and the least of doubles."""
    numbers = {f"task_{index}/acc/value": 1 / (index + 3) for index in range(3000)}
    numbers |= {"edge/a/value": 0.1 + 0.2, "edge/b/value": 5e-324, "edge/c/value": 1.7976931348623157e308}
    many = msgspec.structs.replace(facts(runs[0], tracker), numbers=numbers)
    (tmp_path / "store").mkdir()
    place = Place(project="many", folder=str(tmp_path / "store"))
    sent = _answer(Sending(tracker=tracker, facts=many, place=place), _tracker(tracker).environment(place))
    assert sent.error == ""
    (found,) = READERS[tracker](tmp_path / "store", "many")
    assert dict(found.numbers) == numbers


# -- what is refused, and what goes wrong


def test_incomplete_runs_are_marked(tracker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faulty = run_of(tmp_path / "runs", "--tasks", "mini_choice_en", code=3, model=faulty_model.__name__)
    call = (faulty, "--to", tracker, "--output", tmp_path / "store")
    ran = export(capsys, *call)
    assert (ran.code, "is incomplete" in ran.err) == (EXIT_USAGE, True)
    assert not (tmp_path / "store").exists()
    assert export(capsys, *call, "--incomplete", "--name", "org/other").code == EXIT_OK
    (found,) = READERS[tracker](tmp_path / "store", "evalsuite")
    assert (found.settings["status"], found.settings["model"]) == ("incomplete", "org/other")
    assert found.numbers["samples/unscored_by_cause/content_filter"] == read_sealed(faulty).result.counts.unscored > 0


def test_a_run_that_was_changed_is_refused(
    tracker: str, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole one before it is not sent either."""

    def better(result: dict[str, Any]) -> None:
        result["estimates"][0]["value"] = 1.0

    wrong = changed(copied(runs[0], tmp_path), better)
    ran = export(capsys, runs[1], wrong, "--to", tracker, "--output", tmp_path / "store")
    assert ran.code == EXIT_INCOMPLETE
    assert "cannot be trusted" in ran.err
    with pytest.raises(CorruptStore):
        log_run(wrong, tracker, folder=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_folder_that_cannot_be_is_one_line(
    tracker: str, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ran = export(capsys, runs[0], "--to", tracker, "--output", tmp_path / "file" / "store")
    assert ran.code == EXIT_INCOMPLETE
    assert f"{_tracker(tracker).TITLE} did not take {runs[0]}: " in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_store_that_is_broken_is_one_line_and_the_run_is_whole(
    tracker: str, runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What lies where the tracker would write is no store of its own."""
    store = tmp_path / "store"
    store.mkdir()
    for name in ("mlflow.db", "evalsuite.db", "wandb"):
        (store / name).write_bytes(b"not a store" * 500)
    before = {path: digest(path) for path in counted_files(runs[0])}
    ran = export(capsys, runs[0], "--to", tracker, "--output", store)
    assert ran.code == EXIT_INCOMPLETE
    assert f"{_tracker(tracker).TITLE} did not take {runs[0]}: " in ran.err
    assert len(ran.err.splitlines()) == 1
    assert {path: digest(path) for path in counted_files(runs[0])} == before


@pytest.fixture
def closed() -> str:
    """The address of a server that is down."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("tracker", "environment"),
    [
        ("mlflow", {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}),
        ("wandb", {"WANDB_API_KEY": "a" * 40, "WANDB_INIT_TIMEOUT": "2"}),
    ],
)
def test_a_server_that_is_down_is_one_line(
    tracker: str,
    environment: Mapping[str, str],
    runs: tuple[Path, Path],
    closed: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip(tracker)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = export(capsys, runs[0], "--to", tracker, "--uri", closed)
    assert ran.code == EXIT_INCOMPLETE
    assert f"did not take {runs[0]}: " in ran.err
    assert "refused" in ran.err
    assert len(ran.err.splitlines()) == 1


# -- what only one of them has


@pytest.mark.skipif(find_spec("wandb") is None, reason="needs wandb")
def test_nobody_is_logged_in_to_wandb(
    runs: tuple[Path, Path], closed: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"No API key configured.*With --output nothing is sent"):
        log_run(runs[0], "wandb", uri=closed)
    assert not (home / ".netrc").exists()
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with pytest.raises(UsageError, match="is switched off by its own settings"):
        log_run(runs[0], "wandb")


@pytest.mark.skipif(find_spec("wandb") is None, reason="needs wandb")
def test_wandb_is_told_nothing_of_this_machine(runs: tuple[Path, Path], tmp_path: Path) -> None:
    log_run(runs[0], "wandb", folder=tmp_path)
    records = list(records_of(next(tmp_path.glob("wandb/offline-run-*/*.wandb"))))
    assert {record.run.host for record in records if record.HasField("run")} == {""}
    assert not any(record.HasField("environment") or record.HasField("stats") for record in records)
    assert sum(record.HasField("history") for record in records) == 1


@pytest.mark.skipif(find_spec("wandb") is None, reason="needs wandb")
def test_wandb_offline_by_its_own_variable(
    runs: tuple[Path, Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    first = log_run(runs[0], "wandb", project="team/chosen")
    assert log_run(runs[0], "wandb", project="team/chosen") == msgspec.structs.replace(first, is_new=False)
    (found,) = read_wandb(home, "chosen")
    check_same(found, facts(runs[0], "wandb"))


@pytest.mark.skipif(find_spec("wandb") is None, reason="needs wandb")
def test_a_project_of_wandbs_does_not_hide_another(runs: tuple[Path, Path], tmp_path: Path) -> None:
    first = log_run(runs[0], "wandb", folder=tmp_path)
    other = log_run(runs[0], "wandb", folder=tmp_path, project="other")
    assert other.is_new
    assert other.place != first.place
    assert not log_run(runs[0], "wandb", folder=tmp_path, project="other").is_new
    with pytest.raises(UsageError, match="expected PROJECT or TEAM/PROJECT"):
        log_run(runs[0], "wandb", folder=tmp_path, project="a b/../c")


@pytest.mark.skipif(find_spec("wandb") is None, reason="needs wandb")
def test_a_broken_off_run_of_wandb_is_sent_again(runs: tuple[Path, Path], tmp_path: Path) -> None:
    (Path(log_run(runs[0], "wandb", folder=tmp_path).place) / "evalsuite-manifest").unlink()
    assert log_run(runs[0], "wandb", folder=tmp_path).is_new


@pytest.mark.skipif(find_spec("mlflow") is None, reason="needs mlflow")
@pytest.mark.parametrize("kind", ["sqlite", "file"])
def test_stores_of_mlflow_by_their_uri(kind: str, runs: tuple[Path, Path], tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/own.db" if kind == "sqlite" else (tmp_path / "mlruns").as_uri()
    sent = log_run(runs[0], "mlflow", uri=uri)
    assert sent.place.startswith(f"{uri}#/experiments/")
    assert not log_run(runs[0], "mlflow", uri=uri).is_new
    (found,) = read_mlflow(tmp_path, "evalsuite", uri)
    check_same(found, facts(runs[0], "mlflow"))


@pytest.mark.skipif(find_spec("mlflow") is None or find_spec("psycopg") is not None, reason="needs no driver")
def test_what_is_missing_beside_mlflow_is_named(runs: tuple[Path, Path]) -> None:
    with pytest.raises(
        UsageError, match=r"psycopg.*; `pip install 'evalsuite\[mlflow\]'` brings what mlflow needs"
    ) as no:
        log_run(runs[0], "mlflow", uri="postgresql://me:secret@localhost/x")
    assert "secret" not in str(no.value)


@pytest.mark.skipif(find_spec("mlflow") is None, reason="needs mlflow")
def test_a_broken_off_run_of_mlflow_is_written_anew(runs: tuple[Path, Path], tmp_path: Path) -> None:
    log_run(runs[0], "mlflow", folder=tmp_path)
    python(
        "import mlflow\n"
        f"client = mlflow.MlflowClient(tracking_uri='sqlite:///{tmp_path}/mlflow.db')\n"
        "(run,) = client.search_runs([client.get_experiment_by_name('evalsuite').experiment_id])\n"
        "client.update_run(run.info.run_id, status='RUNNING')\n"
        "print(1)"
    )
    assert log_run(runs[0], "mlflow", folder=tmp_path).is_new
    (found,) = read_mlflow(tmp_path, "evalsuite")
    check_same(found, facts(runs[0], "mlflow"))


@pytest.mark.skipif(find_spec("trackio") is None, reason="needs trackio")
def test_a_broken_off_run_of_trackio_is_written_anew(runs: tuple[Path, Path], tmp_path: Path) -> None:
    """Its config is there, its numbers are not. Trackio's variables for a Space do not lead away from a folder."""
    name = facts(runs[0], "trackio").name
    python(
        "import trackio\n"
        f"trackio.init(project='evalsuite', name={name!r}, config={{'a': 1}}, embed=False)\n"
        "trackio.log({'a': 1}); trackio.finish(); print(1)",
        TRACKIO_DIR=str(tmp_path),
    )
    python("import sqlite3\n"
           f"with sqlite3.connect({str(tmp_path / 'evalsuite.db')!r}) as store: store.execute('DELETE FROM metrics')\n"
           "print(1)")  # fmt: skip
    assert log_run(runs[0], "trackio", folder=tmp_path).is_new
    (found,) = read_trackio(tmp_path, "evalsuite")
    check_same(found, facts(runs[0], "trackio"))


@pytest.mark.skipif(find_spec("trackio") is None, reason="needs trackio")
def test_trackio_writes_to_its_folder_alone(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_SPACE_ID", "somebody/space")
    assert log_run(runs[0], "trackio", folder=tmp_path).is_new
    monkeypatch.delenv("TRACKIO_SPACE_ID")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    assert not log_run(runs[0], "trackio").is_new
