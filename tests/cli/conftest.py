"""Commands run in this process, in an empty working directory, with all they printed and all they left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalsuite.cli.main import main


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of standard output, which ``--json`` makes an object."""
        return json.loads(self.out.splitlines()[-1])


Run = Callable[..., Ran]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(workplace: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``evalsuite`` with the given arguments."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse's own way out
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@pytest.fixture
def files(workplace: Path) -> Callable[[], dict[str, bytes]]:
    """Every file below the working directory with its bytes, at the time of the call."""

    def read() -> dict[str, bytes]:
        return {str(path.relative_to(workplace)): path.read_bytes() for path in workplace.rglob("*") if path.is_file()}

    return read
