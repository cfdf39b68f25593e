"""The files of ``evalsuite init ci``, run step by step as GitHub's and GitLab's runners would.

Two things stand in: what is installed here for the step that installs, and scripted models for the one that is named.
Steps that are other people's actions are not run.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_annotations import decode, outputs

from evalsuite.cli.main import main
from evalsuite.config import make_config, read_config
from evalsuite.gates.gate_file import read_gate_file
from evalsuite.prepare import prepare

junitparser = pytest.importorskip("junitparser", reason="junitparser is not installed")

WORKFLOW = ".github/workflows/evalsuite.yml"
PATHS = {"github": {WORKFLOW, "configs/ci.yaml", "configs/gate.yaml"},
         "gitlab": {".gitlab-ci.yml", "configs/ci.yaml", "configs/gate.yaml"}}  # fmt: skip
MODEL = "model: smollm2-135m\n"


@dataclass
class Repository:
    """A folder with the files in it, and the environment that a runner gives its steps."""

    folder: Path
    temporary: Path

    def use_model(self, name: str) -> None:
        """Names the scripted model in the suite's file, in place of the one that stands there."""
        path = self.folder / "configs" / "ci.yaml"
        text = path.read_text(encoding="utf-8")
        scripted = f"model: scripted\nmodel_args: {{function: 'gate_models:{name}', name: {name}}}\n"
        text = re.sub(r"model: .*\n(model_args: .*\n)?", scripted, text, count=1)
        path.write_text(text, encoding="utf-8")

    def shell(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        """One script as GitHub runs ``shell: bash``."""
        path = self.temporary / "step.sh"
        path.write_text(script, encoding="utf-8")
        environment = {
            "PATH": f"{self.temporary}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.temporary), "PYTHONPATH": str(Path(__file__).parent), "CI": "true", **more,
        }  # fmt: skip
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(path)]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def job(self, steps: list[dict[str, Any]]) -> tuple[str, subprocess.CompletedProcess[str]]:
        """The steps that have a script, but the one that installs and those with a condition, until one fails.

        Returns the last one's name and how it ended. Every job begins with neither run nor report.
        """
        for name in ("github_output", "github_summary"):
            (self.temporary / name).write_text("", encoding="utf-8")
        for name in ("runs", "gate-report"):
            assert subprocess.run(["rm", "-rf", str(self.folder / name)], check=True).returncode == 0
        name, ended = "", None
        for step in steps:
            if "run" not in step or "if" in step or step["name"] == "Install":
                continue
            name, ended = step["name"], self.shell(step["run"], **self.github)
            if ended.returncode:
                break
        assert ended is not None
        return name, ended

    @property
    def github(self) -> Mapping[str, str]:
        """What GitHub sets."""
        return {
            "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(self.folder), "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_OUTPUT": str(self.temporary / "github_output"),
            "GITHUB_STEP_SUMMARY": str(self.temporary / "github_summary"),
        }  # fmt: skip

    def written(self, name: str) -> str:
        """A file of the report."""
        return (self.folder / "gate-report" / name).read_text(encoding="utf-8")

    def summary(self) -> str:
        """The step's summary."""
        return (self.temporary / "github_summary").read_text(encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Repository:
    """A repository as ``init ci --output`` leaves it."""
    folder = tmp_path / "repository"
    (tmp_path / "bin").mkdir()
    assert main(["init", "ci", f"--{request.param}", "--output", str(folder)]) == 0
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == PATHS[request.param]
    made = Repository(folder, tmp_path)
    assert MODEL in (folder / "configs" / "ci.yaml").read_text(encoding="utf-8")
    made.use_model("right")
    return made


def steps_of(repository: Repository) -> list[dict[str, Any]]:
    workflow = yaml.safe_load((repository.folder / WORKFLOW).read_text(encoding="utf-8"))
    steps: list[dict[str, Any]] = workflow["jobs"]["gate"]["steps"]
    return steps


def step_named(repository: Repository, name: str) -> dict[str, Any]:
    return next(step for step in steps_of(repository) if step.get("name") == name)


def commands(done: subprocess.CompletedProcess[str]) -> list[tuple[str, dict[str, str], str]]:
    """The annotations that a step printed."""
    return [decode(line) for line in done.stdout.splitlines() if line.startswith("::")]


def junit(repository: Repository) -> dict[str, list[str]]:
    path = repository.folder / "gate-report" / "junit.xml"
    suites = junitparser.JUnitXml.fromfile(str(path))
    return {case.name: [type(one).__name__ for one in case.result] for suite in suites for case in suite}


def every(kinds: list[str]) -> dict[str, list[str]]:
    """The same for each gate."""
    return {f"mini_choice {code}": kinds for code in ("en", "zh", "fr", "ar", "es", "hi")}


@pytest.mark.parametrize("repository", ["github"], indirect=True)
def test_github_from_no_baseline_to_a_regression(repository: Repository) -> None:
    steps = steps_of(repository)

    # a first job: nothing was gated, which is no success, and it offers a baseline
    name, ended = repository.job(steps)
    assert (name, ended.returncode) == ("Gate", 2)
    ((kind, properties, message),) = commands(ended)
    assert (kind, properties["file"]) == ("error", "configs/gate.yaml")
    assert "Commit gate-report/baseline.json" in message
    assert message in repository.summary()
    (repository.folder / "baselines").mkdir()
    (repository.folder / "baselines" / "ci.json").write_text(repository.written("baseline.json"), encoding="utf-8")

    # the same model passes
    name, ended = repository.job(steps)
    assert (name, ended.returncode) == ("Gate", 0), ended.stderr
    assert commands(ended) == []
    assert junit(repository) == every([])
    assert outputs(repository.temporary / "github_output")["verdict"] == "pass"

    # with rules that 40 questions cannot tell it passes all the same, but not under --strict
    rules = repository.folder / "configs" / "gate.yaml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("10pp", "1pp"), encoding="utf-8")
    script = step_named(repository, "Gate")["run"]
    assert repository.shell(script, **repository.github).returncode == 0
    assert junit(repository) == every(["Skipped"])
    strict = script[: script.rindex("evalsuite gate")] + "evalsuite gate --strict --output gate-report\n"
    assert repository.shell(strict, **repository.github).returncode == 5
    assert junit(repository) == every(["Failure"])
    rules.write_text(text, encoding="utf-8")

    # a model that forgets half of it does not
    repository.use_model("forgetful")
    name, ended = repository.job(steps)
    assert (name, ended.returncode) == ("Gate", 1)
    assert junit(repository) == every(["Failure"])
    told = commands(ended)
    line = read_gate_file(repository.folder / "configs" / "gate.yaml").lines[0]
    assert 0 < len(told) <= 9
    assert {(kind, properties["file"], properties["line"]) for kind, properties, _ in told} == {
        ("error", "configs/gate.yaml", str(line))
    }
    assert outputs(repository.temporary / "github_output") == {
        "verdict": "fail", "regressed": "6", "report": "gate-report"
    }  # fmt: skip
    assert "6 fail of 6 gates" in repository.summary()
    assert len(repository.summary().encode()) <= 1_048_576
    assert len(repository.written("gate.md")) <= 65_536

    # until the loss is meant: the baseline is updated as the workflow's comment says
    text = (repository.folder / WORKFLOW).read_text(encoding="utf-8")
    update, differ = (line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   evalsuite "))
    (run,) = (repository.folder / "runs").iterdir()
    assert "--reason" in update
    assert repository.shell(f"{differ}\n{update}\n".replace("NAME", run.name)).returncode == 0
    assert repository.job(steps)[1].returncode == 0


GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$HOME/gh.log"
case "$*" in *--paginate*) {listing} ;; *) exit {code} ;; esac
"""


@pytest.mark.parametrize("repository", ["github"], indirect=True)
@pytest.mark.parametrize(
    ("listing", "code", "last"),
    [
        ("echo 17; echo 18", 0, "--method PATCH repos/owner/name/issues/comments/17"),
        ("true", 0, "--method POST repos/owner/name/issues/5/comments"),
        ("true", 1, "--method POST repos/owner/name/issues/5/comments"),
        ("exit 4", 1, "--paginate repos/owner/name/issues/5/comments"),
    ],
    ids=["found again", "new", "may not write", "may not read"],
)
def test_the_comment_is_one_and_never_fails_the_job(repository: Repository, listing: str, code: int, last: str) -> None:
    """GitHub's own tool is played by a script that notes what it is asked: there is no GitHub here to ask."""
    tool = repository.temporary / "bin" / "gh"
    tool.write_text(GH.format(listing=listing, code=code), encoding="utf-8")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    ended = repository.shell(step_named(repository, "Comment")["run"], **repository.github, GH_TOKEN="x", PULL="5")
    assert ended.returncode == 0, ended.stderr
    assert last in (repository.temporary / "gh.log").read_text(encoding="utf-8").splitlines()[-1]


@pytest.mark.parametrize("repository", ["github"], indirect=True)
def test_the_workflow_is_careful(repository: Repository) -> None:
    text = (repository.folder / WORKFLOW).read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["gate"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert set(workflow[True]) == {"pull_request", "push"}  # YAML reads the key `on` as true
    steps = steps_of(repository)
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    assert not [step for step in steps if "${{" in step.get("run", "")], "a name could be run as a command"
    assert not [step for step in steps if "secrets." in str(step) or "set -x" in step.get("run", "")]
    cache = next(step["with"] for step in steps if "cache@" in step.get("uses", ""))
    config = read_config(repository.folder / "configs" / "ci.yaml")
    assert cache["path"] == config["use_cache"]
    assert "hashFiles('configs/ci.yaml')" in cache["key"]
    (upload,) = (step for step in steps if "upload-artifact" in step.get("uses", ""))
    assert upload["if"] == "always()"
    assert upload["with"]["path"].split() == ["gate-report/", f"{config['output_path']}/"]


@pytest.mark.parametrize("repository", ["gitlab"], indirect=True)
def test_gitlab_from_no_baseline_to_a_regression(repository: Repository) -> None:
    job = yaml.safe_load((repository.folder / ".gitlab-ci.yml").read_text(encoding="utf-8"))["evalsuite"]
    assert all("pip install" in line for line in job["before_script"])
    steps = [{"name": "script", "run": "\n".join(job["script"])}]
    _, ended = repository.job(steps)
    assert ended.returncode == 2
    assert "Commit gate-report/baseline.json" in ended.stdout
    (repository.folder / "baselines").mkdir()
    (repository.folder / "baselines" / "ci.json").write_text(repository.written("baseline.json"), encoding="utf-8")
    repository.use_model("forgetful")
    assert repository.job(steps)[1].returncode == 1
    assert junit(repository) == every(["Failure"])
    for path in job["artifacts"]["reports"].values():
        assert (repository.folder / path).is_file()
    assert job["allow_failure"] == {"exit_codes": [5]}


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_printed_they_are_the_same_files(system: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "ci", f"--{system}"]) == 0
    printed = capsys.readouterr().out
    parts = re.split(r"^# -- (.*)\n", printed, flags=re.MULTILINE)[1:]
    files = dict(zip(parts[::2], parts[1::2], strict=True))
    main(["init", "ci", f"--{system}", "--output", str(tmp_path)])
    assert {name: text.removesuffix("\n") for name, text in files.items()} == {
        str(path.relative_to(tmp_path)): path.read_text(encoding="utf-8")
        for path in tmp_path.rglob("*") if path.is_file()
    }  # fmt: skip


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_the_files_mean_what_they_say(system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are, without data, the suite can be run and every gate finds its tasks in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)
    main(["init", "ci", f"--{system}", "--output", "."])
    located = read_gate_file(Path("configs/gate.yaml"))
    assert located.file.suite == "configs/ci.yaml"
    config = make_config(read_config(Path(located.file.suite)), {"model": "scripted"})
    assert {entry.task.family for entry in prepare(config).tasks} == {str(rule.task) for rule in located.file.gates}


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "gate.yaml").write_text("mine", encoding="utf-8")
    assert main(["init", "ci", "--github", "--output", str(tmp_path)]) == 2
    assert f"{tmp_path}/configs/gate.yaml is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["gate.yaml"]
    assert (tmp_path / "configs" / "gate.yaml").read_text(encoding="utf-8") == "mine"


def test_both_systems_share_what_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "ci", "--github", "--output", str(tmp_path)]) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert main(["init", "ci", "--gitlab", "--output", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"written to {tmp_path}: .gitlab-ci.yml\n" in said
    assert "there already, just as they would be written: configs/ci.yaml, configs/gate.yaml" in said
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after.keys() - before.keys() == {tmp_path / ".gitlab-ci.yml"}
    assert {path: after[path] for path in before} == before


def test_every_file_in_the_way_is_named_and_none_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "ci", "--github", "--output", str(tmp_path)]) == 0
    for name in ("ci", "gate"):
        (tmp_path / "configs" / f"{name}.yaml").write_text("mine", encoding="utf-8")
    capsys.readouterr()
    assert main(["init", "ci", "--gitlab", "--output", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/configs/ci.yaml, {tmp_path}/configs/gate.yaml are there already and differ" in said
    assert not (tmp_path / ".gitlab-ci.yml").exists()
    assert (tmp_path / "configs" / "ci.yaml").read_text(encoding="utf-8") == "mine"


def test_a_file_where_a_folder_would_be_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "configs").write_text("mine", encoding="utf-8")
    assert main(["init", "ci", "--github", "--output", str(tmp_path)]) == 2
    assert f"{tmp_path}/configs is no folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["configs"]


@pytest.mark.parametrize("arguments", [[], ["--github", "--gitlab"]])
def test_one_system_must_be_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["init", "ci", *arguments])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
