"""Commands run in this process, in an empty working directory, and all they left behind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from commands import Run, run_here


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(workplace: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``evalsuite`` with the given arguments."""
    return partial(run_here, capsys)


@pytest.fixture
def files(workplace: Path) -> Callable[[], dict[str, bytes]]:
    """Every file below the working directory with its bytes, at the time of the call."""

    def read() -> dict[str, bytes]:
        return {str(path.relative_to(workplace)): path.read_bytes() for path in workplace.rglob("*") if path.is_file()}

    return read
