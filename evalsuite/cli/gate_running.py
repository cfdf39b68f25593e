"""How ``evalsuite gate`` runs what a gate file asks for: with progress, stopping cleanly, and saying what there is."""

from __future__ import annotations

import sys

from evalsuite.cli.run_command import exit_code, run_prepared
from evalsuite.comparing.opening import open_side
from evalsuite.comparing.sides import Side
from evalsuite.config import RunConfig
from evalsuite.gates.running import Runner
from evalsuite.prepare import prepare
from evalsuite.text.visible import printable


class Stopped(Exception):
    """A run was stopped before its end; carries the exit code that it ended with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def runner() -> Runner:
    """Runs as ``evalsuite run`` makes them. They raise Stopped where one did not come to its end."""
    return Runner(run=_run_side, tell=_tell)


def _run_side(config: RunConfig) -> Side:
    prepared = prepare(config)
    for note in prepared.notes:
        _tell(note)
    finished = run_prepared(prepared, config)
    for warning in finished.warnings:
        _tell(warning)
    code = exit_code(finished)
    if finished.result is None:
        raise Stopped(code)
    return open_side(finished.path)


def _tell(line: str) -> None:
    print(f"evalsuite: {printable(line)}", file=sys.stderr)
