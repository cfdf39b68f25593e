"""``evalsuite new``: names, folders and what is in them; that the packages work is in tests/test_plugin_packages.py."""

from __future__ import annotations

import compileall
import tomllib
from pathlib import Path

import pytest
from commands import run_here

from evalsuite.cli.new_command import package_files

KINDS = ("task", "judge", "engine", "report")


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_is_written_whole(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine"
    ran = run_here(capsys, "new", kind, "my_own", "--output", folder, "--json")
    assert ran.code == 0, ran.err
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert written == set(ran.json["files"]) == set(package_files(kind, "my_own"))
    assert f"pip install --editable {folder}" in ran.out
    assert compileall.compile_dir(folder, quiet=1)
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in {".py", ".toml", ".md"}:
            assert "$" not in path.read_text(encoding="utf-8").replace("$ ", ""), path


@pytest.mark.parametrize("kind", KINDS)
def test_its_entry_point_names_what_is_in_it(kind: str) -> None:
    files = package_files(kind, "my_own")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["name"] == "evalsuite-my-own"
    assert project["dependencies"] == ["evalsuite>=0.1,<0.2"]
    ((group, entries),) = project["entry-points"].items()
    assert group == f"evalsuite.{kind}s"
    ((name, value),) = entries.items()
    module, _, found = value.partition(":")
    assert name == "my_own"
    text = files[module.replace(".", "/") + ".py"]
    assert f"\n{found} = " in text or f"\ndef {found}(" in text


def test_where_it_goes_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_here(capsys, "new", "task", "my_own").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["evalsuite-my-own"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My-Task", "for example my_task, at most 40"),
        ("1st", "for example st, at most 40"),
        ("a__b", "for example a_b, at most 40"),
        ("_a", "for example a, at most 40"),
        ("a_", "for example a, at most 40"),
        ("مهمة", "expected, at most 40"),
        ("a/../b", "for example a_b, at most 40"),
        ("a\n", "for example a, at most 40"),
        ("a" * 41, "at most 40"),
        ("", "expected, at most 40"),
    ],
)
def test_names_are_checked(name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_here(capsys, "new", "task", name, "--output", tmp_path / "x")
    assert ran.code == 2
    assert said in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name"), [("task", "arc_easy"), ("task", "openllm_v1"), ("task", "lm_eval"), ("judge", "rating"),
                       ("engine", "vllm"), ("report", "gate")]
)  # fmt: skip
def test_a_name_that_is_taken_is_refused(
    kind: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run_here(capsys, "new", kind, name, "--output", tmp_path / "x")
    assert ran.code == 2
    assert f"{name!r} of evalsuite 0.1.0 is installed already" in ran.err


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for name in ("full", "file"):
        ran = run_here(capsys, "new", "task", "my_own", "--output", tmp_path / name)
        assert ran.code == 2
        assert f"{tmp_path / name} is there already; nothing is overwritten" in ran.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "mine.txt"]
    (tmp_path / "empty").mkdir()
    assert run_here(capsys, "new", "task", "my_own", "--output", tmp_path / "empty").code == 0
