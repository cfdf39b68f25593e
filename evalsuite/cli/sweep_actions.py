"""How an action of ``evalsuite sweep`` is added to its parser."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

Action = Callable[[argparse.Namespace], int]


def new_action(actions: Any, name: str, summary: str, act: Action) -> argparse.ArgumentParser:
    """A parser for one action, which ends with the exit code that `act` returns. `actions` are the parser's own."""
    from rich_argparse import RichHelpFormatter

    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=RichHelpFormatter,
    )
    parser.set_defaults(act=act, parser=parser)
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="end standard output with one line of JSON"
    )
    return parser
