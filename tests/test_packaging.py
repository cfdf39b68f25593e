"""The wheel holds every source file, works alone, and its entry points are those of pyproject.toml."""

from __future__ import annotations

import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from build_wheel import ROOT, build_wheel, tracked
from environments import fresh_environment

FOLDERS = {
    "evalsuite": "evalsuite",
    "tasks": "evalsuite/tasks",
    "judges": "evalsuite/judges",
    "reports": "evalsuite/reports",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_wheel_holds_exactly_the_tracked_sources(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        FOLDERS[name.split("/")[0]] + "/" + name.split("/", 1)[1] for name in tracked() if name.split("/")[0] in FOLDERS
    }
    assert inside == expected


def test_only_the_name_evalsuite_is_installed(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"evalsuite"}


def test_the_users_packages_are_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = " ".join(project["dependencies"])
    for name in ("lm-eval", "datasets", "sacrebleu", "pandas", "matplotlib", "jinja2", "openai", "scipy"):
        assert name in required
    assert {"torch", "transformers", "gguf"} <= {
        requirement.split(">")[0] for requirement in project["optional-dependencies"]["transformers"]
    }
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


def test_installed_entry_points_are_those_of_pyproject() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    for group, entries in declared.items():
        ours = [entry for entry in entry_points(group=group) if entry.dist and entry.dist.name == "evalsuite"]
        installed = {entry.name: entry.value for entry in ours}  # pytest's group holds others' plugins too
        assert installed == entries, f"{group} differs from what is installed: run `pip install -e .` again"


def test_wheel_alone_runs_the_scripted_demo(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, which sees this one's packages but not this checkout."""
    environment = fresh_environment(tmp_path / "environment", wheel)
    page = tmp_path / "site" / "index.html"
    done = environment.run(
        "evalsuite", "demo", "--scripted", "--output", page, "--output_path", tmp_path / "runs", cwd=tmp_path
    )
    assert done.code == 0, done.err
    assert page.exists()
    assert done.out.strip().endswith(str(page))
