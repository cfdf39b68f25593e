"""``evalsuite sweep``: many runs as one plan, and what they show together."""

from __future__ import annotations

import argparse

from evalsuite.cli import sweep_analyses


def add_options(parser: argparse.ArgumentParser) -> None:
    """The subcommands of ``sweep``."""
    sweep_analyses.add_subcommands(parser.add_subparsers(dest="action", metavar="ACTION", required=True))


def execute(options: argparse.Namespace) -> int:
    """Do what the subcommand does, and return its exit code."""
    code: int = options.act(options)
    return code
