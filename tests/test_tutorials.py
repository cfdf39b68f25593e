"""What tutorials and docs/plugins.md say of packages is what `evalsuite new` writes and what can be imported.

``python tests/test_tutorials.py`` writes the packages' files into the tutorials anew. That they work is in
tests/test_plugin_packages.py.
"""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from tutorials import PAGES, ROOT, made_by, package_blocks, refresh

from evalsuite.cli.new_command import package_files

KINDS = ("task", "judge", "engine", "report")
STABLE = re.compile(r"^\| `(evalsuite[\w.]*)` \| (`.*`) \|$", re.MULTILINE)


def stable_interface() -> dict[str, set[str]]:
    """The names of the table in docs/plugins.md, by module."""
    text = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8").partition("## The stable interface")[2]
    return {module: set(re.findall(r"`(\w+)`", names)) for module, names in STABLE.findall(text)}


def test_there_is_a_tutorial_for_every_kind() -> None:
    assert sorted(made_by(page)[0] for page in PAGES) == sorted(KINDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_shows_what_is_written(page: Path) -> None:
    files = package_files(*made_by(page))
    shown = dict(package_blocks(page))
    assert {path for path in files if path.endswith((".py", ".toml", ".jsonl")) and "__init__" not in path} <= set(
        shown
    )
    for path, block in shown.items():
        assert block.text == files.get(path, block.text), f"{path}: run `python tests/test_tutorials.py`"


@pytest.mark.parametrize("module", stable_interface())
def test_every_promised_name_is_there(module: str) -> None:
    imported = import_module(module)
    names = stable_interface()[module]
    assert names
    assert {name for name in names if not hasattr(imported, name)} == set()


def test_what_is_there_for_plugins_is_promised() -> None:
    for module in ("evalsuite", "evalsuite.tasks.parts", "evalsuite.judges.parts"):
        assert set(import_module(module).__all__) == stable_interface()[module]


@pytest.mark.parametrize("kind", KINDS)
def test_packages_import_only_what_is_promised(kind: str) -> None:
    promised = stable_interface()
    for path, text in package_files(kind, "mine").items():
        if path.endswith(".py"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "evalsuite":
                    assert {alias.name for alias in node.names} <= promised[node.module or ""], path


if __name__ == "__main__":
    for tutorial in PAGES:
        refresh(tutorial, package_files(*made_by(tutorial)))
