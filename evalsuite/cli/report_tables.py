"""``evalsuite report --tables``: the tables of a leaderboard's views as files, for papers and scripts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.cli.output import say
from evalsuite.errors import UsageError
from evalsuite.store.files import write_atomic
from evalsuite.tables import Format, rendered

if TYPE_CHECKING:
    from evalsuite.boards.evidence import PageData

FORMATS: dict[str, Format] = {"csv": "csv", "json": "json", "md": "markdown", "tex": "latex"}
"""By the ending of a file the form of its table."""

VIEWS = (
    *("leaderboard", "languages", "task", "preference", "judges"),
    *("compare", "published", "provenance", "samples"),
)


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``report`` that are about tables."""
    add = parser.add_argument
    add("--tables", type=Path, metavar="FOLDER", help="also write the tables of the page's views into this folder, a "
        "file each")  # fmt: skip
    add("--views", metavar="V[,V…]", help=f"of --tables: only these of {', '.join(VIEWS)} (default: all that the page "
        "has but samples, whose table holds answers)")  # fmt: skip
    add("--formats", metavar="F[,F…]", help=f"of --tables: {', '.join(FORMATS)} (default csv)")


def check_table_options(options: argparse.Namespace) -> None:
    """Raises UsageError for a view or form that there is not, and for options without `--tables`."""
    for option, known in (("views", VIEWS), ("formats", tuple(FORMATS))):
        asked = getattr(options, option)
        if asked is None:
            continue
        if options.tables is None:
            raise UsageError(f"--{option} is for tables; give --tables FOLDER too.")
        for name in asked.split(","):
            if name not in known:
                raise UsageError(f"--{option} {name!r}: expected one or more of {', '.join(known)}, with commas.")
    if options.tables is not None and options.tables.exists() and not options.tables.is_dir():
        raise UsageError(f"--tables {options.tables} is a file; give a folder.")


def write_tables(options: argparse.Namespace, data: PageData) -> list[Path]:
    """The files of `--tables`, where it is given, and a line that says how many. Raises SaveFailed."""
    if options.tables is None:
        return []
    from evalsuite.boards.tables import tables_of

    views = options.views.split(",") if options.views else [view for view in VIEWS if view != "samples"]
    found = tables_of(data, views)
    endings = dict.fromkeys(options.formats.split(",") if options.formats else ("csv",))
    files = [(options.tables / f"{one.name}.{ending}", one, FORMATS[ending]) for one in found for ending in endings]
    for path, one, form in files:
        write_atomic(path, rendered(one.table, form).encode("utf-8", "replace"))
    say(f"{len(found)} table{'s' if len(found) != 1 else ''} in {options.tables.resolve()}")
    empty = [view for view in views if options.views and view not in {one.view for one in found}]
    if empty:
        say(f"nothing to tabulate for {', '.join(empty)}")
    return [path.resolve() for path, _, _ in files]
