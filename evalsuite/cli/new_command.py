"""``evalsuite new``: a package of your own that works as it is: a task, a judge, an engine or a report."""

from __future__ import annotations

import argparse
import re
from importlib.resources import files
from pathlib import Path
from string import Template

import evalsuite
from evalsuite import plugins
from evalsuite.cli.new_files import write_new
from evalsuite.cli.output import print_json, say
from evalsuite.entry_points import described
from evalsuite.errors import EXIT_OK, UsageError

_TEMPLATES = files("evalsuite.cli").joinpath("templates")
_GROUPS = {
    "task": plugins.TASKS, "judge": plugins.JUDGES, "engine": plugins.ENGINES, "report": plugins.REPORTS,
}  # fmt: skip
_OBJECTS = {"task": "FAMILY", "judge": "JUDGE", "engine": "open_engine", "report": "REPORT"}
"""What the entry point of each kind names."""
_COMMANDS = {
    "task": "evalsuite run --model scripted --tasks $name",
    "judge": "evalsuite score runs/RUN --judge $name --model MODEL",
    "engine": "evalsuite run --model $name --tasks mini_choice --limit 6",
    "report": "evalsuite report runs --report $name",
}
"""A first command with each kind."""
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MAX_NAME = 40


def add_options(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of ``new``."""
    actions = parser.add_subparsers(dest="action", metavar="KIND", required=True)
    for kind in _GROUPS:
        article = "an" if kind[0] in "aeiou" else "a"
        action = actions.add_parser(kind, help=f"a package with {article} {kind}, its entry point and tests that pass")
        action.add_argument("name", metavar="NAME", help="what it is called: small letters, digits, single underscores")
        action.add_argument("--output", "-o", type=Path, metavar="DIR", help="the folder to write, which must be new "
            "or empty (default evalsuite-NAME)")  # fmt: skip
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="end with a line of JSON")


def execute(options: argparse.Namespace) -> int:
    """Write the package and say what to do with it."""
    kind, name = options.action, _checked(options.action, options.name)
    texts = package_files(kind, name)
    folder = options.output or Path(_package(name))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; nothing is overwritten. Give --output a new folder.")
    write_new(folder, texts)
    say(f"written to {folder}:")
    for path in texts:
        say(f"  {path}")
    say(f"Install it, then try it:\n  pip install --editable {folder}\n  {_command(kind, name)}")
    if options.json:
        print_json({"folder": str(folder), "files": list(texts)})
    return EXIT_OK


def package_files(kind: str, name: str) -> dict[str, str]:
    """The files of a package with a ``task``, ``judge``, ``engine`` or ``report`` of that name, by their paths."""
    module = f"evalsuite_{name}"
    texts = {
        "pyproject.toml": _text("new.pyproject.toml") + (_text("new.task.package_data.toml") if kind == "task" else ""),
        "README.md": _text("new.readme.md"),
        f"{module}/__init__.py": _text("new.package.py.txt"),
        f"{module}/{kind}.py": _text(f"new.{kind}.py.txt"),
        **({f"{module}/data/en.jsonl": _text("new.task.data.jsonl")} if kind == "task" else {}),
        f"tests/test_{name}.py": _text(f"new.{kind}.test.py.txt"),
    }
    words = {
        "name": name, "kind": kind, "module": module, "package": _package(name), "object": _OBJECTS[kind],
        "needs": _needs(evalsuite.__version__), "command": _command(kind, name),
    }  # fmt: skip
    return {path: Template(text).substitute(words) for path, text in texts.items()}


def _checked(kind: str, name: str) -> str:
    """`name` if it will do. Raises UsageError that says why not."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        likely = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:_MAX_NAME].strip("_")
        guess = f" for example {likely}," if likely else ""
        raise UsageError(
            f"{name!r} is no name for a {kind}: expected,{guess} at most {_MAX_NAME} small letters, digits and single "
            "underscores, beginning with a letter."
        )
    beside = (plugins.SUITES, plugins.CATALOGUES) if kind == "task" else ()  # --tasks names these too
    groups = (_GROUPS[kind], *beside)
    for group in groups:
        if name in plugins.names(group):
            raise UsageError(f"{described(group, name)} is installed already; choose another name.")
    return name


def _package(name: str) -> str:
    """What pip calls the package."""
    return f"evalsuite-{name.replace('_', '-')}"


def _command(kind: str, name: str) -> str:
    return Template(_COMMANDS[kind]).substitute(name=name)


def _needs(version: str) -> str:
    """The versions whose interface is this one's: those that begin with the same two numbers."""
    major, minor = map(int, version.split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}"


def _text(name: str) -> str:
    return _TEMPLATES.joinpath(name).read_text(encoding="utf-8")
