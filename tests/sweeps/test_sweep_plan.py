"""A sweep's plan: written once, held against what is asked later, and grown only when that is wished."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from evalsuite.errors import CorruptStore, SpecMismatch, UsageError
from evalsuite.sweeps.cells import SWEEP_FILE, SweepPlan, read_plan
from evalsuite.sweeps.grid import setups_of
from evalsuite.sweeps.planning import CellRefused, distinct, plan_of, settle
from evalsuite.sweeps.sweep_file import read_sweep_file


def planned(folder: Path, axes: str, base: str = "{model: scripted, tasks: mini_math_en, limit: 2}") -> SweepPlan:
    path = folder / "sweep.yaml"
    path.write_text(f"base: {base}\naxes:\n{axes}", encoding="utf-8")
    file = read_sweep_file(path)
    return plan_of(file, setups_of(file))[0]


def test_a_plan_is_written_once_and_found_again(tmp_path: Path) -> None:
    plan = planned(tmp_path, "  seed: [1, 2]")
    directory = tmp_path / "sweep"
    assert settle(directory, plan, extends=False) == plan
    before = (directory / SWEEP_FILE).read_bytes()
    assert read_plan(directory) == plan
    assert settle(directory, planned(tmp_path, "  seed: [1, 2]"), extends=False) == plan
    assert (directory / SWEEP_FILE).read_bytes() == before


def test_a_cell_asks_for_the_run_that_the_plan_says(tmp_path: Path) -> None:
    """What is stored of a cell makes the very same run again."""
    from evalsuite.prepare import prepare
    from evalsuite.store.run_directory import directory_name

    axes = "  num_fewshot: [0, {mini_math_en: 2}]\n  limit: [2, 0.5]\n  gen_kwargs.max_gen_toks: [4]\n"
    plan = planned(tmp_path, axes, "{model: scripted, tasks: [mini_math_en], model_args: {name: toy}}")
    settle(tmp_path / "sweep", plan, extends=False)
    for cell in read_plan(tmp_path / "sweep").cells:
        spec = prepare(cell.config).spec
        assert (spec.run_id, f"runs/{directory_name(spec)}") == (cell.run_id, cell.run)


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ("  seed: [1, 2, 3]", "new is seed=3. Give --extend"),
        ("  seed: [1]", "no longer asked for is seed=2. Give --extend"),
        ("  seed: [1, 4, 5]", "new is seed=4, seed=5; no longer asked for is seed=2. Give --extend"),
    ],
)
def test_other_cells_are_refused_unless_the_sweep_is_extended(tmp_path: Path, axes: str, said: str) -> None:
    old = planned(tmp_path, "  seed: [1, 2]")
    directory = tmp_path / "sweep"
    settle(directory, old, extends=False)
    wanted = planned(tmp_path, axes)
    with pytest.raises(SpecMismatch) as caught:
        settle(directory, wanted, extends=False)
    assert said in str(caught.value)
    assert read_plan(directory) == old
    merged = settle(directory, wanted, extends=True)
    assert merged == read_plan(directory)
    assert names(merged) == {**names(wanted), **names(old)}


def names(plan: SweepPlan) -> Mapping[str, str]:
    return {cell.name: cell.run_id for cell in plan.cells}


def test_extended_cells_stand_beside_those_of_their_model(tmp_path: Path) -> None:
    directory = tmp_path / "sweep"
    base = "{tasks: mini_math_en, limit: 2, model: scripted}"
    settle(directory, planned(tmp_path, "  model_args.name: [a, b]\n  seed: [1]", base), extends=False)
    merged = settle(directory, planned(tmp_path, "  model_args.name: [a, b]\n  seed: [1, 2]", base), extends=True)
    assert [cell.name for cell in merged.cells] == [
        "name=a,seed=1", "name=a,seed=2", "name=b,seed=1", "name=b,seed=2",
    ]  # fmt: skip


@pytest.mark.parametrize("extends", [False, True])
def test_a_cell_that_became_another_run_is_refused_in_any_case(tmp_path: Path, extends: bool) -> None:
    directory = tmp_path / "sweep"
    settle(directory, planned(tmp_path, "  seed: [1, 2]"), extends=False)
    wanted = planned(tmp_path, "  seed: [1, 2]", "{model: scripted, tasks: mini_math_en, limit: 3}")
    with pytest.raises(SpecMismatch, match=r"seed=1, seed=2 would be other runs than before \(limit changed\)"):
        settle(directory, wanted, extends=extends)


def test_what_may_change_within_a_run_is_taken_from_the_file(tmp_path: Path) -> None:
    """A budget that is raised, above all: the run is the same, and must not keep the old one."""
    directory = tmp_path / "sweep"
    settle(directory, planned(tmp_path, "  seed: [1, 2]"), extends=False)
    quicker = "{model: scripted, model_args: {delay_s: 0.5}, tasks: mini_math_en, limit: 2}"
    settle(directory, planned(tmp_path, "  seed: [1, 2]", quicker), extends=False)
    assert [cell.config.model_args for cell in read_plan(directory).cells] == [{"delay_s": 0.5}] * 2


def test_cells_that_are_one_run_share_its_directory(tmp_path: Path) -> None:
    """How long a scripted answer takes is no part of a run, as no model's thread count is."""
    plan = planned(tmp_path, "  model_args.delay_s: [0.0, 0.001]\n  seed: [1, 2]")
    members = [[cell.name for cell in same] for same in distinct(plan.cells).values()]
    assert members == [["delay_s=0.0,seed=1", "delay_s=0.001,seed=1"], ["delay_s=0.0,seed=2", "delay_s=0.001,seed=2"]]
    assert len({cell.run for cell in plan.cells}) == 2


def test_a_cell_that_cannot_be_run_is_named_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(
        CellRefused, match=r"cell mini_maths: task 'mini_maths' is not installed; did you mean"
    ) as caught:
        planned(tmp_path, "  tasks: [mini_math_en, mini_maths]", "{model: scripted}")
    assert caught.value.exit_code == UsageError.exit_code


def test_a_plan_that_was_changed_is_no_plan(tmp_path: Path) -> None:
    directory = tmp_path / "sweep"
    plan = planned(tmp_path, "  seed: [1, 2]")
    settle(directory, plan, extends=False)
    (directory / SWEEP_FILE).write_text('{"name": 3}', encoding="ascii")
    with pytest.raises(CorruptStore, match="was changed after it was written"):
        read_plan(directory)
    with pytest.raises(SpecMismatch, match="is no sweep"):
        read_plan(tmp_path / "other")
    newer = msgspec.structs.replace(plan, schema=99)
    (directory / SWEEP_FILE).write_bytes(msgspec.json.encode(newer))
    with pytest.raises(SpecMismatch, match="schema 99"):
        read_plan(directory)
