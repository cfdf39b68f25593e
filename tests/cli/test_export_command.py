"""``evalsuite export``: what it says, where files go, and that it overwrites nothing unasked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK, EXIT_USAGE

Files = Callable[[], dict[str, bytes]]


@pytest.fixture
def run(command: Any) -> Path:
    ran = command("run", "--model", "scripted", "--tasks", "mini_choice_en", "--limit", 6, "--json")
    assert ran.code == EXIT_OK
    return Path(ran.json["path"])


def test_files_are_listed_and_written_once(command: Any, run: Path, workplace: Path) -> None:
    first = command("export", run, "--to", "dvc", "--output", "out", "--json")
    assert (first.code, first.err) == (EXIT_OK, "")
    names = ["out/metrics.json", "out/plots.csv"]
    assert first.out.splitlines()[:-1] == names
    assert (first.json["format"], first.json["files"], first.json["written"]) == ("dvc", names, names)
    before = (workplace / "out" / "metrics.json").stat().st_mtime_ns
    second = command("export", run.parent, "--to", "dvc", "--output", "out", "--json")
    assert second.out.splitlines()[:-1] == [f"{name} (there already)" for name in names]
    assert second.json["written"] == []
    assert (workplace / "out" / "metrics.json").stat().st_mtime_ns == before


def test_other_files_stay_unless_forced(command: Any, run: Path, workplace: Path, files: Files) -> None:
    (workplace / "out").mkdir()
    (workplace / "out" / "plots.csv").write_text("mine\n")
    before = files()
    ran = command("export", run, "--to", "dvc", "--output", "out")
    assert ran.code == EXIT_USAGE
    assert ran.err == (
        "evalsuite: out/plots.csv is there already and says something else; give another --output, or --force.\n"
    )
    assert files() == before, "not even the file that is free"
    assert command("export", run, "--to", "dvc", "--output", "out", "--force").code == EXIT_OK
    assert (workplace / "out" / "plots.csv").read_text().startswith("model,run,")
    (workplace / "out" / "metrics.json").unlink()
    (workplace / "out" / "metrics.json").mkdir()
    assert command("export", run, "--to", "dvc", "--output", "out", "--force").code == EXIT_USAGE, "a folder stays"


def test_one_file_may_be_named(command: Any, run: Path, workplace: Path) -> None:
    assert command("export", run, "--to", "dvc", "--output", "sub/numbers.json").code == EXIT_OK
    assert [path.name for path in (workplace / "sub").iterdir()] == ["numbers.json"]
    assert command("export", run, "--to", "lm_eval", "-o", "results.json").code == EXIT_OK, "either spelling"
    assert "results" in json.loads((workplace / "results.json").read_bytes())
    assert command("export", run, "--to", "eee", "-o", "v1.2").code == EXIT_OK
    assert (workplace / "v1.2" / "data").is_dir(), "a dot makes no file"
    both = command("run", "--model", "scripted", "--tasks", "mini_choice_en", "--limit", 5, "--json").json["path"]
    ran = command("export", run, both, "--to", "eee", "-o", "all.json")
    assert ran.code == EXIT_USAGE
    assert ran.err == "evalsuite: --output all.json: the export has 2 files that end in .json; give a folder.\n"


def test_two_runs_of_one_moment_need_two_folders(command: Any, run: Path, workplace: Path) -> None:
    other = command("run", "--model", "scripted", "--tasks", "mini_choice_en", "--limit", 5, "--json").json["path"]
    ran = command("export", run, other, "--to", "lm-eval", "-o", "out", "--date", "2026-01-01")
    assert ran.code == EXIT_USAGE
    assert "another run has scripted/results_2026-01-01T00-00-00.000000.json too; export them to two folders" in ran.err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--to", "hub"), "6 of 40 samples. The hub's boards show a number alone"),
        (("--to", "dvc", "--task_id", "a=b"), "--task_id is for --to hub; leave it out."),
        (("--to", "lm-eval", "--url", "x"), "--url is for --to hub and eee; leave it out."),
        (("--to", "dvc", "--organization", "x"), "--organization is for --to eee"),
        (("--to", "dvc", "--relationship", "other"), "--relationship is for --to eee"),
        (("--to", "csv"), "invalid choice: 'csv'"),
        (("--to", "dvc", "--date", "yesterday"), "'yesterday' is no date; expected one like 2026-11-22T13:00:00Z"),
    ],
)
def test_what_does_not_fit_is_refused(command: Any, run: Path, files: Files, flags: tuple[str, ...], said: str) -> None:
    before = files()
    ran = command("export", run, "--output", "out", *flags)
    assert ran.code == EXIT_USAGE
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert files() == before


def test_changed_and_missing_runs_are_refused(command: Any, run: Path, workplace: Path) -> None:
    ran = command("export", "nowhere", "--to", "dvc", "--output", "out")
    assert ran.code == EXIT_USAGE
    assert "nowhere: there is no such file or folder" in ran.err
    results = run / "results.json"
    results.write_text(results.read_text().replace('"n": 6', '"n": 7', 1))
    ran = command("export", run, "--to", "dvc", "--output", "out")
    assert ran.code == EXIT_INCOMPLETE
    assert "was changed after it was written" in ran.err
    assert not (workplace / "out").exists()
