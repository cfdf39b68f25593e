"""Runs of models of known worth, made once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import graded_models
import pytest


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("graded")
    return {name: graded_models.run(name, folder) for name in ("good", "alike", "bad", "faulty")}
