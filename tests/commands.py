"""``evalsuite`` as tests run it, in this process or in one of its own, and what a finished command leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalsuite.cli.main import main


@dataclass(frozen=True)
class Ran:
    """A finished command: its exit code, and all it printed to standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of standard output, which ``--json`` makes an object."""
        return json.loads(self.out.splitlines()[-1])


Run = Callable[..., Ran]
"""What most fixtures of commands are: arguments, to which the fixture may add its own, to a finished command."""


def run_here(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    """``evalsuite`` with `arguments`, run in this process; what was printed before is left out."""
    capsys.readouterr()
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse's own way out
        code = int(stop.code or 0)
    printed = capsys.readouterr()
    return Ran(code, printed.out, printed.err)


def command_line(*arguments: object) -> list[str]:
    """What starts ``evalsuite`` with `arguments` as a process of its own."""
    return [sys.executable, "-m", "evalsuite.cli.main", *map(str, arguments)]


def run_apart(
    *arguments: object,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = 120,
) -> Ran:
    """``evalsuite`` with `arguments`, run in a process of its own to its end."""
    done = subprocess.run(
        command_line(*arguments), cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)
