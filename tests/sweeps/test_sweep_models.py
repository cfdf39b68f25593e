"""A real model: loaded once for its cells, which end as runs of their own do, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sweep_runs import make_workplace, sealed_bytes

from evalsuite.errors import EXIT_OK

SWEEP = """\
name: real
base: {model: smollm2-135m, limit: 2, num_fewshot: 0, gen_kwargs: {max_gen_toks: 4}, deterministic: true}
axes:
  tasks: [mini_math_en, mini_choice_fr]
"""


def loads(directory: Path) -> list[str]:
    """The runs whose telemetry says that weights were loaded."""
    return [
        path.parent.name
        for path in directory.glob("runs/*/telemetry.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
        if json.loads(line)["event"] == "loaded"
    ]


@pytest.mark.model
def test_weights_are_loaded_once_and_answers_are_those_of_a_run_of_its_own(tmp_path: Path) -> None:
    """The second cell is answered by an engine that has answered the first."""
    place = make_workplace(tmp_path)
    place.write(SWEEP)
    directory = tmp_path / "sweeps" / "real"
    ended = place.run("sweep", "run", "sweep.yaml")
    assert ended.code == EXIT_OK, ended.err
    assert len(loads(directory)) == 1
    alone = ("--model", "smollm2-135m", "--limit", 2, "--num_fewshot", 0, "--gen_kwargs", "max_gen_toks=4")
    second = ("--tasks", "mini_choice_fr", "--deterministic", "--output_path", "alone/runs")
    assert place.run("run", *alone, *second).code == EXIT_OK
    found = sealed_bytes(tmp_path / "alone")
    assert len(found) == 2
    assert found.items() <= sealed_bytes(directory).items()
