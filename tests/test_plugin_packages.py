"""Packages of strangers, installed by pip beside the wheel: the tutorials', command for command, and broken ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from build_wheel import build_wheel
from commands import Ran
from environments import Environment, fresh_environment
from tutorials import PAGES, Block, blocks_of


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return fresh_environment(tmp_path_factory.mktemp("environment") / "venv", wheel)


# -- the tutorials


@pytest.mark.model
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_says(page: Path, environment: Environment, tmp_path: Path) -> None:
    last = Ran(0, "", "")
    for block in blocks_of(page):
        if block.title:
            write(tmp_path / block.title, block.text)
        elif block.language == "bash":
            last = environment.run("bash", "-euo", "pipefail", "-c", block.text, cwd=tmp_path)
            assert last.code == 0, f"{block.text}\n{last.out}\n{last.err}"
        else:
            check_output(block, last)


def write(path: Path, text: str) -> None:
    """Write what a reader would type; what `evalsuite new` has written is just that."""
    if path.exists():
        assert path.read_text(encoding="utf-8") == text, path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def check_output(block: Block, ran: Ran) -> None:
    """Every line that the page shows stands in what the commands before it printed, however wide its columns."""
    assert block.language == "text", f"nothing is done with a block of {block.language}"
    printed = " ".join(ran.out.split())
    for line in block.text.splitlines():
        assert " ".join(line.split()) in printed, line


# -- packages that are broken

NOTES = "import os\nwith open(os.environ['IMPORTED'], 'a') as file:\n    print(__name__, file=file)\n"
"""Begins each module: says that it was imported."""

FAMILY = """
from evalsuite.contracts import Family, TaskInfo

def build(name, options):
    raise KeyError("no such part")

FAMILY = Family("{name}", (TaskInfo("{name}_en", "{name}", "en", "generate", "Title", "CC0-1.0"),), build, ("v1",))
"""
MODULES = {
    "missing": "import no_such_module\n",
    "nameless": "",
    "refusing": "def open_engine(options):\n    raise RuntimeError('no licence file')\n",
    "partial": "class Half:\n    name = 'partial'\n\ndef open_engine(options):\n    return Half()\n",
    "exiting": "raise SystemExit('wrong machine')\n",
    "tomorrow": FAMILY.format(name="tomorrow"),
    "unbuilt": FAMILY.format(name="unbuilt"),
    "twin_a": FAMILY.format(name="twins"),
    "twin_b": FAMILY.format(name="twins"),
    "misnamed": FAMILY.format(name="another"),
    "dictionary": "REPORT = {}\n",
}
ENTRIES = {
    "missing": ("evalsuite.tasks", "missing", "missing:FAMILY"),
    "nameless": ("evalsuite.judges", "nameless", "nameless:JUDGE"),
    "refusing": ("evalsuite.engines", "refusing", "refusing:open_engine"),
    "partial": ("evalsuite.engines", "partial", "partial:open_engine"),
    "exiting": ("evalsuite.engines", "exiting", "exiting:open_engine"),
    "tomorrow": ("evalsuite.tasks", "tomorrow", "tomorrow:FAMILY"),
    "unbuilt": ("evalsuite.tasks", "unbuilt", "unbuilt:FAMILY"),
    "twin_a": ("evalsuite.tasks", "twins", "twin_a:FAMILY"),
    "twin_b": ("evalsuite.tasks", "twins", "twin_b:FAMILY"),
    "misnamed": ("evalsuite.tasks", "misnamed", "misnamed:FAMILY"),
    "dictionary": ("evalsuite.reports", "dictionary", "dictionary:REPORT"),
}
NEEDS = {"tomorrow": "evalsuite>=9"}


def project(name: str, version: str) -> str:
    group, plugin, value = ENTRIES[name]
    needs = json.dumps([NEEDS.get(name, "evalsuite")])
    return (
        '[build-system]\nrequires = ["setuptools>=64"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "stranger-{name}"\nversion = "{version}"\ndependencies = {needs}\n'
        f'[project.entry-points."{group}"]\n{plugin} = "{value}"\n[tool.setuptools]\npy-modules = ["{name}"]\n'
    )


@pytest.fixture(scope="module")
def broken(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment in which nothing but broken packages stand beside evalsuite."""
    folder = tmp_path_factory.mktemp("broken")
    bare = fresh_environment(folder / "venv", wheel)
    for number, (name, text) in enumerate(MODULES.items()):
        write(folder / name / f"{name}.py", NOTES + text)
        write(folder / name / "pyproject.toml", project(name, f"1.{number}"))
    done = bare.run("pip", "install", "-q", *(folder / name for name in MODULES), cwd=folder)
    assert done.code == 0, done.err
    return bare


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    path = tmp_path / "imported"
    path.touch()
    return path


def evalsuite(where: Environment, imported: Path, *arguments: object) -> Ran:
    noting = Environment(where.home, {"IMPORTED": str(imported)})
    return noting.run("evalsuite", *arguments, cwd=imported.parent)


ASKED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "missing": (
        ("run", "--model", "scripted", "--tasks", "missing"),
        "task 'missing' of stranger-missing 1.0 (missing:FAMILY) cannot be loaded: "
        "ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "a member of it": (("show", "--tasks", "missing_en"), "task 'missing' of stranger-missing 1.0 (missing:FAMILY)"),
    "nameless": (
        ("score", "runs/RUN", "--judge", "nameless", "--model", "scripted"),
        "judge 'nameless' of stranger-nameless 1.1 (nameless:JUDGE) cannot be loaded: "
        "AttributeError: module 'nameless' has no attribute 'JUDGE'",
    ),
    "refusing": (
        ("run", "--model", "refusing", "--tasks", "mini_choice"),
        "engine 'refusing' of stranger-refusing 1.2: opening it raised RuntimeError: no licence file",
    ),
    "partial": (
        ("run", "--model", "partial", "--tasks", "mini_choice"),
        "engine 'partial' of stranger-partial 1.3: what it opens has no is_batch_atomic, is_cacheable,",
    ),
    "exiting": (
        ("run", "--model", "exiting", "--tasks", "mini_choice"),
        "engine 'exiting' of stranger-exiting 1.4 (exiting:open_engine) cannot be loaded: SystemExit: wrong machine",
    ),
    "tomorrow": (
        ("run", "--model", "scripted", "--tasks", "tomorrow"),
        "task 'tomorrow' of stranger-tomorrow 1.5 needs evalsuite>=9, and this is 0.1.0; "
        "install that evalsuite, or another version of stranger-tomorrow.",
    ),
    "unbuilt": (
        ("run", "--model", "scripted", "--tasks", "unbuilt"),
        "task 'unbuilt' of stranger-unbuilt 1.6: build() of unbuilt_en raised KeyError: 'no such part'",
    ),
    "twins": (
        ("run", "--model", "scripted", "--tasks", "twins"),
        "task 'twins' is offered by stranger-twin_a 1.7 and stranger-twin_b 1.8; uninstall all but one.",
    ),
    "misnamed": (
        ("run", "--model", "scripted", "--tasks", "misnamed"),
        "task 'misnamed' of stranger-misnamed 1.9: its Family calls itself 'another'",
    ),
    "dictionary": (
        ("report", "runs", "--report", "dictionary"),
        "report 'dictionary' of stranger-dictionary 1.10 is a dict, not an evalsuite Report.",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), ASKED.values(), ids=ASKED.keys())
def test_asked_for_it_says_whose_it_is_and_why(
    arguments: tuple[str, ...], said: str, broken: Environment, imported: Path
) -> None:
    done = evalsuite(broken, imported, *arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1, done.err
    assert "tomorrow" not in imported.read_text(encoding="utf-8")


def test_others_never_notice(broken: Environment, imported: Path) -> None:
    done = evalsuite(broken, imported, "run", "--model", "scripted", "--tasks", "mini_choice_en", "--limit", 2)
    assert done.code == 0, done.err
    (run,) = (imported.parent / "runs").iterdir()
    assert evalsuite(broken, imported, "report", run).code == 0
    assert evalsuite(broken, imported, "verify", run).code == 0
    assert imported.read_text(encoding="utf-8") == ""


LISTED = {
    "tasks": ("misnamed", "missing", "tomorrow", "twins"),
    "suites": (),
    "judges": ("nameless",),
    "engines": ("exiting",),  # what opening one would say is not known before it is opened
    "reports": ("dictionary",),
}


@pytest.mark.parametrize("kind", LISTED)
def test_the_list_shows_what_is_broken_and_imports_its_own_kind_only(
    kind: str, broken: Environment, imported: Path
) -> None:
    done = evalsuite(broken, imported, "list", kind, "--json")
    assert done.code == 0, done.err
    assert tuple(plugin["name"] for plugin in done.json["broken"]) == LISTED[kind]
    for plugin in done.json["broken"]:
        said = next((text for name, (_, text) in ASKED.items() if name == plugin["name"]))
        assert plugin["reason"].startswith(said)
        assert f"broken: {plugin['reason']}" in done.out
        assert all(package in plugin["reason"] for package in plugin["package"].split(" and "))
    assert not {row["name"] for row in done.json[kind]} & set(LISTED[kind])
    modules = set(imported.read_text(encoding="utf-8").split())
    assert modules <= {name for name, (group, *_) in ENTRIES.items() if group == f"evalsuite.{kind}"}
    assert not modules & {"tomorrow", "twin_a", "twin_b"}


def test_what_is_not_broken_is_listed_beside_it(broken: Environment, imported: Path) -> None:
    names = {row["name"] for row in evalsuite(broken, imported, "list", "tasks", "--json").json["tasks"]}
    assert {"mini_choice_en", "unbuilt_en"} <= names
