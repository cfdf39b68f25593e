"""What goes wrong in one cell costs no other: strangers that raise, workers that die, samples that stay unscored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sweep_runs import Workplace, make_workplace, sealed_bytes

from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK

SWEEP = """\
name: toy
output_path: toy
base: {{model: stranger, limit: 3, model_args: {{{args}}}}}
axes:
  tasks: [mini_choice_en, mini_math_en, mini_translation]
  num_fewshot: [0, 1]
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return make_workplace(tmp_path)


def states(place: Workplace) -> dict[str, str]:
    found = place.run("sweep", "status", "sweep.yaml", "--json")
    assert found.code == EXIT_OK
    return {cell["cell"]: cell["state"] for cell in found.json["cells"]}


def failures(place: Workplace) -> list[tuple[str, str]]:
    lines = (place.folder / "toy" / "failures.jsonl").read_text(encoding="ascii").splitlines()
    return [(line["cell"], line["cause"]) for line in map(json.loads, lines)]


def num_workers(place: Workplace) -> int:
    (log,) = (place.folder / "toy" / "logs").iterdir()
    return log.read_text(encoding="utf-8").count("--- ")


def test_a_model_is_loaded_once_for_all_its_cells_and_not_at_all_for_none(place: Workplace) -> None:
    place.write(SWEEP.format(args=""))
    assert place.run("sweep", "run", "sweep.yaml").code == EXIT_OK
    assert len(place.loads) == 1
    before = sealed_bytes(place.folder / "toy")
    assert len(before) == 12
    again = place.run("sweep", "run", "sweep.yaml", "--json")
    assert (again.code, len(place.loads), num_workers(place)) == (EXIT_OK, 1, 1)
    assert again.json["exit_code"] == EXIT_OK
    assert sealed_bytes(place.folder / "toy") == before


def test_a_lost_result_is_made_anew_without_loading(place: Workplace) -> None:
    place.write(SWEEP.format(args=""))
    assert place.run("sweep", "run", "sweep.yaml").code == EXIT_OK
    before = sealed_bytes(place.folder / "toy")
    run = sorted((place.folder / "toy" / "runs").iterdir())[2]
    (run / "results.json").write_text("{}", encoding="ascii")
    (run / "samples.parquet").unlink()
    assert place.run("sweep", "run", "sweep.yaml").code == EXIT_OK
    assert sealed_bytes(place.folder / "toy") == before
    assert len(place.loads) == 1


def test_the_cells_of_a_sweep_are_what_single_runs_are(place: Workplace) -> None:
    place.write(SWEEP.format(args=""))
    assert place.run("sweep", "run", "sweep.yaml").code == EXIT_OK
    for task in ("mini_choice_en", "mini_translation"):
        arguments = ("--model", "stranger", "--limit", 3, "--tasks", task, "--num_fewshot", 1)
        assert place.run("run", *arguments, "--output_path", "alone/runs").code == EXIT_OK
    alone = sealed_bytes(place.folder / "alone")
    assert len(alone) == 4
    assert alone.items() <= sealed_bytes(place.folder / "toy").items()


def test_a_cell_that_raises_costs_itself_alone(place: Workplace) -> None:
    place.write(SWEEP.format(args="raises_on: mini_math"))
    ended = place.run("sweep", "run", "sweep.yaml")
    assert ended.code == EXIT_INCOMPLETE
    told = "KeyError: 'what a stranger forgot'"
    assert failures(place) == [("mini_math_en,num_fewshot=0", told), ("mini_math_en,num_fewshot=1", told)]
    assert f"evalsuite: mini_math_en,num_fewshot=0: failed: {told}" in ended.err
    assert "toy: 4 sealed, 2 failed" in ended.out
    assert set(states(place).values()) == {"sealed", "failed"}
    assert len(place.loads) == num_workers(place) == 3  # a new process after each cell that raised
    (log,) = (place.folder / "toy" / "logs").iterdir()
    assert "in run\n" in log.read_text(encoding="utf-8"), "the traceback is for the stranger"


def test_a_cell_is_retried_by_name(place: Workplace) -> None:
    place.write(SWEEP.format(args="raises_on: mini_math"))
    assert place.run("sweep", "run", "sweep.yaml").code == EXIT_INCOMPLETE
    num_loads = len(place.loads)
    again = place.run("sweep", "run", "sweep.yaml", "--retry", "mini_math_en,num_fewshot=1")
    assert again.code == EXIT_INCOMPLETE
    assert [cell for cell, _ in failures(place)][2:] == ["mini_math_en,num_fewshot=1"]
    assert len(place.loads) == num_loads + 1


def test_a_cell_that_kills_its_worker_is_tried_once_more_and_costs_no_other(place: Workplace) -> None:
    place.write(SWEEP.format(args="dies_on: mini_choice"))
    ended = place.run("sweep", "run", "sweep.yaml")
    assert ended.code == EXIT_INCOMPLETE
    names = ["mini_choice_en,num_fewshot=0", "mini_choice_en,num_fewshot=1"]
    assert [cell for cell, _ in failures(place)] == names * 2
    assert all("was killed by SIGKILL" in cause for _, cause in failures(place))
    found = states(place)
    assert {name for name, state in found.items() if state == "failed"} == set(names)
    assert sum(state == "sealed" for state in found.values()) == 4
    assert len(place.loads) == 5
    assert place.run("sweep", "run", "sweep.yaml", "--retries", 0).code == EXIT_INCOMPLETE
    assert [cell for cell, _ in failures(place)] == names * 3


def test_a_cell_whose_worker_died_once_is_sealed_in_the_end(place: Workplace, tmp_path: Path) -> None:
    place.write(SWEEP.format(args="dies_once_on: mini_choice"))
    ended = place.run("sweep", "run", "sweep.yaml")
    assert ended.code == EXIT_OK, ended.err
    assert [cell for cell, _ in failures(place)] == ["mini_choice_en,num_fewshot=0"]
    assert "SIGSEGV" in failures(place)[0][1]
    assert set(states(place).values()) == {"sealed"}


def test_a_cell_with_unscored_samples_keeps_that_state(place: Workplace) -> None:
    (place.folder / "site" / "answers.py").write_text(
        "from evalsuite.engines.scripted import plausible\n"
        "from evalsuite.types import Cause, Failure, GenerateRequest\n"
        "def answer(request):\n"
        "    if isinstance(request, GenerateRequest):\n"
        "        return Failure(cause=Cause.CONTEXT_TOO_LONG, detail='too long')\n"
        "    return plausible(request)\n",
        encoding="utf-8",
    )
    place.write(SWEEP.format(args="function: 'answers:answer'").replace("stranger", "scripted"))
    ended = place.run("sweep", "run", "sweep.yaml")
    assert ended.code == EXIT_INCOMPLETE
    assert "toy: 2 sealed, 4 incomplete" in ended.out
    assert "mini_math_en,num_fewshot=0: incomplete: unscored: 3 context_too_long" in ended.err
    workers = num_workers(place)
    assert place.run("sweep", "run", "sweep.yaml").code == EXIT_INCOMPLETE
    assert num_workers(place) == workers, "what is sealed is not run again"
    assert place.run("sweep", "run", "sweep.yaml", "--retry", "mini_math_en,num_fewshot=0").code == EXIT_INCOMPLETE
    assert num_workers(place) == workers + 1
