"""The wheel holds every source file, works alone, and its entry points are those of pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "evalsuite": "evalsuite",
    "tasks": "evalsuite/tasks",
    "judges": "evalsuite/judges",
    "reports": "evalsuite/reports",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tracked files so that nothing untracked slips in."""
    copy = tmp_path_factory.mktemp("source")
    for name in tracked():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


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
    home = tmp_path / "environment"
    venv.create(home, with_pip=True, system_site_packages=False)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", str(wheel)], check=True, capture_output=True)
    site = next((home / "lib").glob("python*")) / "site-packages"
    (site / "dependencies.pth").write_text("\n".join(dependency_folders(tmp_path)), encoding="utf-8")
    page = tmp_path / "site" / "index.html"
    done = subprocess.run(
        [home / "bin" / "evalsuite", "demo", "--scripted", "--output", page, "--output_path", tmp_path / "runs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert page.exists()
    assert done.stdout.strip().endswith(str(page))


def dependency_folders(tmp_path: Path) -> list[str]:
    """A folder of links to every installed package but evalsuite itself."""
    links = tmp_path / "dependencies"
    links.mkdir()
    for site in (Path(entry) for entry in sys.path if entry.endswith("site-packages")):
        for package in site.iterdir():
            if "evalsuite" not in package.name and package.suffix != ".pth" and not (links / package.name).exists():
                (links / package.name).symlink_to(package)
    return [str(links)]
