"""``evalsuite list``: what is installed."""

from __future__ import annotations

import argparse
import json

from evalsuite import plugins
from evalsuite.models import BUILT_IN

_KINDS = ("tasks", "suites", "judges", "models", "engines", "reports")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``list``."""
    parser.add_argument("what", nargs="?", choices=_KINDS, default="tasks", help="what to list (default tasks)")
    parser.add_argument("--lang", metavar="CODES", help="only tasks in these languages: en,zh,fr,ar,es,hi")
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
    if options.json:
        print(json.dumps({options.what: rows}))
    return 0


def _tasks(options: argparse.Namespace) -> list[dict[str, str]]:
    languages = set(options.lang.split(",")) if options.lang else None
    return [
        {"name": info.name, "language": info.language, "type": info.kind, "title": info.title, "licence": info.licence}
        for info in plugins.all_tasks()
        if (languages is None or info.language in languages) and options.type in (None, info.kind)
    ]


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
