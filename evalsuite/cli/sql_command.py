"""``evalsuite sql``: one SELECT over sealed runs, by DuckDB."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from evalsuite.cli.output import print_json, say
from evalsuite.cli.report_command import find_runs
from evalsuite.errors import EXIT_OK
from evalsuite.querying.columns import TABLES
from evalsuite.querying.database import Answer, ask
from evalsuite.store.results import RESULTS
from evalsuite.store.run_directory import SPEC
from evalsuite.tables import Cell, Format, Shown, Table, rendered

_FORMATS: Mapping[str, Format] = {"text": "text", "csv": "csv", "json": "json", "md": "markdown"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``sql``."""
    add = parser.add_argument
    add("query", metavar="SELECT", help=f"the query, over the tables {', '.join(TABLES)}; \"DESCRIBE samples\" lists "
        "columns")  # fmt: skip
    add("runs", nargs="+", metavar="RUN", help="run directories, or folders of them; they are read and never changed")
    add("--format", choices=tuple(_FORMATS), default="text", help="of the rows; numbers are in full but in text and md "
        "(default %(default)s)")  # fmt: skip


def execute(options: argparse.Namespace) -> int:
    """Ask and print."""
    folders = [Path(run) for run in options.runs]
    answer = ask(options.query, find_runs(folders))
    runs = (spec.parent for path in folders for spec in path.glob(f"*/{SPEC}"))
    if unfinished := sorted({run.name for run in runs if not (run / RESULTS).exists()}):
        print(f"evalsuite: left out, since they are not finished: {', '.join(unfinished)}", file=sys.stderr)
    say(rendered(_table(answer), _FORMATS[options.format]), end="")
    if options.json:
        rows = [[_finite(_plain(value)) for value in row] for row in answer.rows]
        print_json({"columns": list(answer.columns), "rows": rows})
    return EXIT_OK


def _table(answer: Answer) -> Table:
    """Numbers stand right from the first column on that has one."""
    rows = tuple(tuple(_cell(value) for value in row) for row in answer.rows)
    texts = [all(isinstance(row[place], str) for row in rows) for place in range(len(answer.columns))]
    return Table(answer.columns, rows, num_labels=(*texts, False).index(False))


def _cell(value: Any) -> Cell:
    plain = _plain(value)
    return Shown(f"{plain:.6g}", plain) if isinstance(plain, float) else plain


def _finite(plain: str | int | float | None) -> str | int | float | None:
    """A number that JSON has not, as the infinity that 1/0 is, is nothing there."""
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _plain(value: Any) -> str | int | float | None:
    """As JSON and CSV can have it: exact decimals as numbers, lists and the like as JSON, times as text."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Decimal):
        return float(value)
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict | tuple) else str(value)
