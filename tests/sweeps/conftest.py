"""One sweep over exemplars and answering functions for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_sweeps import cell, plan, run


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three numbers of exemplars, two tasks' families, complete."""
    folder = tmp_path_factory.mktemp("shots")
    cells = [
        cell(run(folder, "--tasks", "mini_choice", "mini_math", "-f", shots, "--limit", 60), f"{shots} shots",
             {"model": "scripted", "num_fewshot": shots})
        for shots in (0, 1, 4)
    ]  # fmt: skip
    return plan(folder, "shots", cells)


@pytest.fixture(scope="session")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three answering functions that differ in some answers, as number formats do; all samples of one family."""
    folder = tmp_path_factory.mktemp("formats")
    functions = {"full": "evalsuite.engines.scripted:plausible", "int8": "small_sweeps:changed_some",
                 "int4": "small_sweeps:changed_many"}  # fmt: skip
    cells = [
        cell(run(folder, "--tasks", "mini_choice", "--model_args", f"function={function}"), name,
             {"format": name, "bits": {"full": 16, "int8": 8, "int4": 4}[name]})
        for name, function in functions.items()
    ]  # fmt: skip
    return plan(folder, "formats", cells)
