"""``evalsuite sweep``: models by tasks by settings from one file; what it does is said by the word after it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.cli import sweep_analyses, sweep_run
from evalsuite.cli.output import print_json, print_table, say
from evalsuite.cli.sweep_actions import Action, new_action
from evalsuite.cli.sweep_tables import standing_rows, summary_line
from evalsuite.errors import EXIT_OK
from evalsuite.sweeps.cells import read_plan
from evalsuite.sweeps.standing import standings
from evalsuite.sweeps.sweep_file import read_sweep_file


def add_options(parser: argparse.ArgumentParser) -> None:
    """The actions of ``sweep``, each a parser of its own with a function `act` that returns the exit code."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    sweep_run.add_action(actions)
    _add_status(actions)
    sweep_analyses.add_subcommands(actions)


def execute(options: argparse.Namespace) -> int:
    """Do what was asked. Exit codes are those of the action."""
    act: Action = options.act
    return act(options)


def _add_status(actions: Any) -> None:
    parser = new_action(actions, "status", "how far each cell is, read from the disk", _status)
    parser.add_argument("sweep", type=Path, metavar="CONFIG|DIR", help="the sweep's file or its folder")


def _status(options: argparse.Namespace) -> int:
    path: Path = options.sweep
    directory = path if path.is_dir() else read_sweep_file(path).output
    plan = read_plan(directory)
    found = standings(directory, plan.cells)
    print_table(standing_rows(found))
    say(f"\n{plan.name}: {summary_line(found)}; {directory}")
    if options.json:
        print_json({"sweep": plan.name, "path": str(directory), "cells": [msgspec.to_builtins(one) for one in found]})
    return EXIT_OK
