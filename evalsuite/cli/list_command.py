"""``evalsuite list``: what is installed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from evalsuite import plugins
from evalsuite.contracts import TaskInfo
from evalsuite.models import BUILT_IN

_KINDS = ("tasks", "suites", "judges", "models", "engines", "reports")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``list``."""
    parser.add_argument("what", nargs="?", choices=_KINDS, default="tasks", help="what to list (default tasks)")
    parser.add_argument("--lang", metavar="CODES", help="only tasks in these languages: en,zh,fr,ar,es,hi")
    parser.add_argument("--search", metavar="TEXT", help="only tasks with this text in their name, title or data")
    parser.add_argument(
        "--type", metavar="KIND", help="only tasks of a kind: multiple_choice, generate, translate, chat"
    )


def execute(options: argparse.Namespace) -> int:
    """Print a table, and with ``--json`` the same as JSON."""
    listers = {
        "tasks": _tasks, "suites": _suites, "judges": _judges, "models": _models, "engines": _engines,
        "reports": _reports,
    }  # fmt: skip
    rows = listers[options.what](options)
    if not rows:
        print("nothing matches")
    for row in rows:
        print("  ".join(f"{value:<{width}}" for value, width in zip(row.values(), _widths(rows), strict=True)).rstrip())
    if options.what == "tasks" and not _is_narrow(options):
        others = ", ".join(plugins.names(plugins.CATALOGUES))
        print(f"and the tasks of {others}: narrow the list down by --search, --lang or --type to see them")
    if options.json:
        print(json.dumps({options.what: rows}))
    return 0


def _tasks(options: argparse.Namespace) -> list[dict[str, str]]:
    languages = set(options.lang.split(",")) if options.lang else None
    return [
        {"name": info.name, "language": info.language, "type": info.kind, "title": info.title, "licence": info.licence}
        for info in (*plugins.all_tasks(), *(_of_catalogues() if _is_narrow(options) else ()))
        if (languages is None or info.language in languages)
        and options.type in (None, info.kind)
        and (options.search or "").lower() in f"{info.name} {info.title}".lower()
    ]


def _is_narrow(options: argparse.Namespace) -> bool:
    return bool(options.lang or options.type or options.search)


def _of_catalogues() -> Iterator[TaskInfo]:
    """Other tools' tasks: thousands, so that they stand only in a list that is narrowed down."""
    for name in plugins.names(plugins.CATALOGUES):
        yield from plugins.catalogue(name).tasks()


def _suites(_: argparse.Namespace) -> list[dict[str, str]]:
    return [
        {"name": suite.name, "protocol": suite.protocol, "families": " ".join(suite.families), "title": suite.title}
        for suite in plugins.suites()
    ]


def _judges(_: argparse.Namespace) -> list[dict[str, str]]:
    return [
        {
            "name": judge.name,
            "protocol": judge.protocol,
            "judges": " ".join(judge.families) or "any task with texts",
            "runs": str(judge.num_runs),
            "title": judge.title,
        }
        for judge in plugins.judges()
    ]


def _models(_: argparse.Namespace) -> list[dict[str, str]]:
    return [
        {"name": name, "hub_name": model.hub_name, "distribution": model.distribution, "licence": model.licence}
        for name, model in BUILT_IN.items()
    ]


def _engines(_: argparse.Namespace) -> list[dict[str, str]]:
    return [{"name": name} for name in plugins.names(plugins.ENGINES)]


def _reports(_: argparse.Namespace) -> list[dict[str, str]]:
    return [{"name": name} for name in plugins.names(plugins.REPORTS)]


def _widths(rows: list[dict[str, str]]) -> list[int]:
    return [max(len(row[key]) for row in rows) for key in rows[0]]
