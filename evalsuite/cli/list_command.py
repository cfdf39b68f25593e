"""``evalsuite list``: what is installed."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from evalsuite import plugins
from evalsuite.cli.installed_report import MADE_BY
from evalsuite.entry_points import packages
from evalsuite.models import BUILT_IN
from evalsuite.text.visible import printable

_GROUPS = {
    "tasks": (plugins.TASKS,), "suites": (plugins.SUITES,), "judges": (plugins.JUDGES,), "engines": (plugins.ENGINES,),
    "reports": (plugins.REPORTS,),
}  # fmt: skip
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
    """Print a table, and below it the plugins that are broken; with ``--json`` the same as JSON."""
    listers = {
        "tasks": _tasks, "suites": _suites, "judges": _judges, "models": _models, "engines": _engines,
        "reports": _reports,
    }  # fmt: skip
    broken = [plugin for group in _groups(options) for plugin in plugins.broken(group)]
    rows = listers[options.what](options)
    if not rows:
        print("nothing matches")
    for row in rows:
        cells = (f"{value:<{width}}" for value, width in zip(row.values(), _widths(rows), strict=True))
        print(printable("  ".join(cells).rstrip()))
    if options.what == "tasks" and not _is_narrow(options):
        others = ", ".join(plugins.names(plugins.CATALOGUES))
        print(f"and the tasks of {others}: narrow the list down by --search, --lang or --type to see them")
    for plugin in broken:
        print(printable(f"broken: {plugin.reason}"))
    if options.json:
        print(json.dumps({options.what: rows, "broken": [asdict(plugin) for plugin in broken]}))
    return 0


def _tasks(options: argparse.Namespace) -> list[dict[str, str]]:
    languages = set(options.lang.split(",")) if options.lang else None
    return [
        {"name": info.name, "language": info.language, "type": info.kind, "title": info.title, "licence": info.licence}
        for info in (*plugins.all_tasks(), *(plugins.all_catalogue_tasks() if _is_narrow(options) else ()))
        if (languages is None or info.language in languages)
        and options.type in (None, info.kind)
        and _searched(options.search) in f"{info.name} {info.title}".lower()
    ]


def _searched(text: str | None) -> str:
    """As names are listed: those of a catalogue's tasks are asked for with a colon, too."""
    prefix, colon, rest = (text or "").lower().partition(":")
    return f"{prefix}.{rest}" if colon and prefix in plugins.names(plugins.CATALOGUES) else prefix + colon + rest


def _is_narrow(options: argparse.Namespace) -> bool:
    """Whether catalogues' tasks are listed too: there are too many of them for a list of all."""
    return bool(options.lang or options.type or options.search)


def _groups(options: argparse.Namespace) -> tuple[str, ...]:
    """The entry-point groups that the list is of."""
    catalogues = (plugins.CATALOGUES,) if options.what == "tasks" and _is_narrow(options) else ()
    return _GROUPS.get(options.what, ()) + catalogues


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
    return [{"name": name, "package": packages(plugins.ENGINES, name)} for name in _whole(plugins.ENGINES)]


def _reports(_: argparse.Namespace) -> list[dict[str, str]]:
    return [
        {"name": name, "package": packages(plugins.REPORTS, name), "command": _command(name)}
        for name in _whole(plugins.REPORTS)
    ]


def _command(report: str) -> str:
    return MADE_BY.get(report) or f"evalsuite report --report {report}"


def _whole(group: str) -> list[str]:
    """The names that are not broken."""
    broken = {plugin.name for plugin in plugins.broken(group)}
    return [name for name in plugins.names(group) if name not in broken]


def _widths(rows: list[dict[str, str]]) -> list[int]:
    return [max(len(row[key]) for row in rows) for key in rows[0]]
