"""Runs that all tests of gates hold against one another."""

from __future__ import annotations

import pytest
from gate_reports import Runs, make_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs of three scripted models."""
    return make_runs(tmp_path_factory.mktemp("gates"))
