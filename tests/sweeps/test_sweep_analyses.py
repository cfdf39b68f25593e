"""``evalsuite sweep table|scaling|quantisation|spread|pareto``: real runs, damaged sweeps, published numbers."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from commands import Run, run_here
from small_sweeps import plan, planned_elsewhere

from evalsuite.comparing.comparison import compare
from evalsuite.comparing.pairing import pair
from evalsuite.comparing.sides import read_side
from evalsuite.errors import CorruptStore, NothingComparable, SpecMismatch, UsageError
from evalsuite.store.run_directory import read_taken
from evalsuite.sweeps.cells import Cell, read_plan
from evalsuite.sweeps.frames import column_name, frame_of, tidy_rows
from evalsuite.sweeps.pareto import pareto_of
from evalsuite.sweeps.quantisation import quantisation_of
from evalsuite.sweeps.reading import Sweep, bounds_of, groups_of, headlines_of, read_sweep, summary_headlines, values_of
from evalsuite.sweeps.scaling import scaling_of
from evalsuite.sweeps.sharing import joint_values
from evalsuite.sweeps.sizes import size_of, size_text
from evalsuite.sweeps.spread import spread_of
from evalsuite.sweeps.standing import is_sealed, standings

CHOICE = "mini_choice macro acc_norm_char"
ANALYSES = (
    ("scaling", "--x", "num_fewshot"), ("spread", "--over", "num_fewshot"), ("pareto", "--against", "num_fewshot"),
    ("quantisation", "--reference", "num_fewshot=0"),
)  # fmt: skip


@pytest.fixture
def sweep(capsys: pytest.CaptureFixture[str]) -> Run:
    return partial(run_here, capsys, "sweep")


@pytest.fixture
def broken(shots: Path, tmp_path: Path) -> Path:
    """The sweep with a cell that was never run, one that is not sealed, and one with unscored samples."""
    cells = list(read_plan(shots).cells)
    missing = Cell(name="8 shots", settings={"model": "scripted", "num_fewshot": 8}, run_id="f" * 16, run="never")
    folder = planned_elsewhere(shots, tmp_path / "broken", "broken", [*cells, missing])
    (folder / cells[1].run / "results.json").unlink()
    path = folder / cells[2].run / "results.json"
    result = json.loads(path.read_text())
    result["status"] = "incomplete"
    path.write_text(json.dumps(result))
    return folder


# -- the tidy frame


def test_the_frame_has_a_row_a_cell_and_number(shots: Path) -> None:
    found = read_sweep(shots)
    frame = frame_of(found)
    assert len(frame) == 3 * len(headlines_of(found.cells)) == 3 * 14
    assert list(frame.columns[:6]) == ["cell", "run_id", "status", "is_partial", "model", "num_fewshot"]
    assert frame["num_fewshot"].dtype == "Int64"
    assert frame["is_partial"].all()
    result = found.cells[1].result
    assert result is not None
    stored = {mean.name: mean for mean in result.aggregates if mean.is_primary}
    rows = frame[(frame["cell"] == "1 shots") & (frame["kind"] == "mean")]
    assert {row.task: (row.value, row.low, row.high, row.n) for row in rows.itertuples()} == {
        name: (mean.value, mean.low, mean.high, mean.n) for name, mean in stored.items()
    }


def test_what_is_missing_is_missing_and_never_nought(broken: Path) -> None:
    frame = frame_of(read_sweep(broken))
    for name, status in (("8 shots", "not run"), ("1 shots", "unfinished")):
        rows = frame[frame["cell"] == name]
        assert len(rows) == 14
        assert set(rows["status"]) == {status}
        numbers = rows[["value", "stderr", "low", "high", "n", "num_unscored", "chance", "seconds"]]
        assert numbers.drop(columns="seconds").isna().all(axis=None)
    assert set(frame[frame["cell"] == "4 shots"]["status"]) == {"incomplete"}
    again = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert again["value"].isna().sum() == 28


def test_a_setting_named_as_a_column_stands_apart() -> None:
    assert column_name("task") == "setting.task"
    assert column_name("seconds") == "setting.seconds"
    assert column_name("num_fewshot") == "num_fewshot"


def test_settings_are_numbers_only_where_all_are(shots: Path, tmp_path: Path) -> None:
    cells = read_plan(shots).cells
    mixed = [
        msgspec.structs.replace(one, settings={"task": value, "x": number, "flag": flag})
        for one, value, number, flag in zip(cells, ("a", 5, True), (1, 2.5, 3), (True, False, True), strict=True)
    ]
    frame = frame_of(read_sweep(planned_elsewhere(shots, tmp_path / "mixed", "mixed", mixed)))
    assert (frame["x"].dtype, frame["flag"].dtype, frame["setting.task"].dtype) == ("Float64", "boolean", "string")
    assert set(frame["setting.task"]) == {"a", "5", "true"}


# -- the table


def test_table_says_what_is_not_complete(sweep: Any, broken: Path) -> None:
    ran = sweep("table", broken)
    assert ran.code == 3
    lines = ran.out.splitlines()
    assert lines[0].split()[:2] == ["cell", "num_fewshot"]
    row = {line.split("  ")[0]: line for line in lines}
    assert row["8 shots*"].split()[-2:] == ["–", "–"]
    assert "* not run: 8 shots." in lines
    assert "* unfinished: 1 shots." in lines
    assert "* incomplete: 4 shots." in lines


def test_table_as_csv_is_the_frame(sweep: Any, shots: Path, tmp_path: Path) -> None:
    ran = sweep("table", shots, "--tasks", "all_tasks", "--format", "csv", "-o", tmp_path / "out" / "table.csv")
    assert ran.code == 0
    written = pd.read_csv(tmp_path / "out" / "table.csv")
    expected = frame_of(read_sweep(shots))
    assert list(written.columns) == list(expected.columns)
    assert written["value"].to_numpy() == pytest.approx(expected["value"].to_numpy(dtype=float))


def test_tables_twice_are_the_same_bytes(sweep: Any, shots: Path) -> None:
    for form in ("text", "csv", "latex", "markdown"):
        assert sweep("table", shots, "--format", form).out == sweep("table", shots, "--format", form).out


HOSTILE = ("a & b_$x$ 100% {#} \\input{x} ~^", "| <b>x</b> | `code`", "evil\u202egnp\x1b[2J\nnext", "مرحبا 模型 हिन्दी")


@pytest.fixture
def hostile(formats: Path, shots: Path, tmp_path: Path) -> Path:
    cells = list(read_plan(formats).cells)
    named = [
        msgspec.structs.replace(one, name=name, settings={"key & |": name, "n": place})
        for place, (one, name) in enumerate(zip(cells, HOSTILE, strict=False))
    ]
    last = Cell(name=HOSTILE[3], settings={"key & |": HOSTILE[3], "n": 3}, run_id="0" * 16, run="never")
    return planned_elsewhere(formats, tmp_path / "hostile", "hostile \\ $name$", [*named, last])


def test_hostile_names_stay_names(sweep: Any, hostile: Path) -> None:
    latex = sweep("table", hostile, "--format", "latex").out
    assert r"a \& b\_\$x\$ 100\% \{\#\} \textbackslash{}input\{x\} \textasciitilde{}\textasciicircum{}" in latex
    body = latex[latex.index(r"\midrule") : latex.index(r"\bottomrule")]
    assert r"\begin{tabular}{lllr}" in latex
    for line in body.splitlines()[1:]:
        assert line.replace(r"\&", "").count("&") == 3
    markdown = sweep("table", hostile, "--format", "markdown").out
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {5}
    assert "<b>" not in markdown
    text = sweep("table", hostile).out
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "⟨U+202E⟩gnp⟨U+001B⟩[2J⟨U+000A⟩next" in text
    assert "مرحبا 模型 हिन्दी" in text
    assert len(text.splitlines()) == len(sweep("table", hostile, "--format", "markdown").out.splitlines()) - 1


def test_long_settings_are_cut_and_still_differ(sweep: Any, formats: Path, tmp_path: Path) -> None:
    prompts = ("be brief " * 300 + "a", "be brief " * 300 + "b", "be\nbrief")
    cells = [
        msgspec.structs.replace(one, settings={"prompt": prompt})
        for one, prompt in zip(read_plan(formats).cells, prompts, strict=True)
    ]
    folder = planned_elsewhere(formats, tmp_path / "long", "long", cells)
    lines = sweep("table", folder).out.splitlines()[1:4]
    assert max(map(len, lines)) < 160
    assert len({line.split("…")[1][:8] for line in lines[:2]}) == 2
    assert "be⟨U+000A⟩brief" in lines[2]
    ran = sweep("spread", folder, "--over", "prompt")
    assert (ran.code, len(ran.out.splitlines()[1]) < 400) == (0, True)
    written = pd.read_csv(io.StringIO(sweep("table", folder, "--format", "csv").out))
    assert [prompts.index(one) for one in written["prompt"][:2]] == [0, 1], "as CSV the whole of it"


def test_a_csv_for_a_spreadsheet_holds_no_formula(sweep: Any, formats: Path, tmp_path: Path) -> None:
    cells = [
        msgspec.structs.replace(one, name=name, settings={"=key": f"={name}", "x": place - 1})
        for place, (one, name) in enumerate(zip(read_plan(formats).cells, ("=1+1", "@a", "-5"), strict=True))
    ]
    folder = planned_elsewhere(formats, tmp_path / "formulas", "formulas", cells)
    for arguments in (("table",), ("pareto", "--against", "x"), ("table", "--tasks", "all_tasks")):
        rows = list(csv.reader(io.StringIO(sweep(arguments[0], folder, *arguments[1:], "--format", "csv").out)))
        texts = {text for row in rows for text in row if text.startswith(("=", "+", "-", "@"))}
        assert all(is_number(text) for text in texts), texts
    assert {row[0] for row in rows[1:]} == {"'=1+1", "'@a", "-5"}
    assert "'=key" in rows[0]
    assert {"-1", "0", "1"} <= {row[rows[0].index("x")] for row in rows[1:]}


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_groups_keep_settings_apart_that_are_equal_numbers(formats: Path, tmp_path: Path) -> None:
    """A limit of 1 and of 1.0 are two settings, of which each has a group of its own, with true a third."""
    cells = [
        msgspec.structs.replace(one, settings={"x": value, "size": place})
        for place, (one, value) in enumerate(zip(read_plan(formats).cells, (1, 1.0, True), strict=True))
    ]
    found = read_sweep(planned_elsewhere(formats, tmp_path / "equal", "equal", cells))
    assert [len(members) for _, members in groups_of(found.cells, "size")] == [1, 1, 1]


def test_two_cells_of_one_name_are_no_plan(formats: Path, tmp_path: Path) -> None:
    cells = [msgspec.structs.replace(one, name="same") for one in read_plan(formats).cells]
    with pytest.raises(CorruptStore, match="two of its cells are called 'same'"):
        read_sweep(planned_elsewhere(formats, tmp_path / "same", "same", cells))


# -- what has a result


@pytest.mark.parametrize("lost", ["results.json", "samples.parquet"])
def test_a_cell_has_a_result_for_all_commands_or_for_none(sweep: Any, shots: Path, tmp_path: Path, lost: str) -> None:
    """A run that lost either derived file is run again, so that until then no analysis has its numbers."""
    cells = read_plan(shots).cells
    folder = planned_elsewhere(shots, tmp_path / "lost", "lost", cells)
    (folder / cells[1].run / lost).unlink()
    assert [is_sealed(folder, one) for one in cells] == [True, False, True]
    assert [one.state for one in standings(folder, cells)] == ["sealed", "waiting", "sealed"]
    found = read_sweep(folder)
    assert [one.status for one in found.cells] == ["complete", "unfinished", "complete"]
    assert [one.cell.name for one in found.sealed] == ["0 shots", "4 shots"]
    assert sweep("spread", folder, "--over", "num_fewshot").code == 3


def test_a_result_that_cannot_be_read_is_none_and_is_said(sweep: Any, shots: Path, tmp_path: Path) -> None:
    cells = read_plan(shots).cells
    folder = planned_elsewhere(shots, tmp_path / "damaged", "damaged", cells)
    (folder / cells[1].run / "results.json").write_text("{", encoding="ascii")
    assert [is_sealed(folder, one) for one in cells] == [True, False, True]
    state = standings(folder, cells)[1]
    assert (state.state, state.exit_code, "was changed after it was written" in state.cause) == ("failed", 3, True)
    ran = sweep("table", folder)
    assert (ran.code, "was changed after it was written" in ran.err) == (3, True)


# -- scaling


def test_scaling_over_shots_follows_items(sweep: Any, shots: Path) -> None:
    found = read_sweep(shots)
    scaling = scaling_of(found, "num_fewshot", headlines_of(found.cells))
    assert not scaling.is_log
    curve = next(one for one in scaling.curves if one.headline == CHOICE)
    assert (curve.basis, curve.not_paired) == ("items", "")
    assert [point.x for point in curve.points] == [0.0, 1.0, 4.0]
    headline = next(one for one in headlines_of(found.cells) if one.label == CHOICE)
    values = [values_of(one)[headline].value for one in found.cells]
    assert curve.items is not None
    assert curve.items.value == pytest.approx(np.polyfit([0, 1, 4], values, 1)[0])
    ran = sweep("scaling", shots, "--x", "num_fewshot", "--json")
    assert ran.code == 0
    assert ran.json["curves"][0]["p_adjusted"] >= ran.json["curves"][0]["p_value"]


def test_scaling_leaves_out_what_has_no_results(sweep: Any, broken: Path) -> None:
    ran = sweep("scaling", broken, "--x", "num_fewshot", "--json")
    assert ran.code == 3
    assert ran.json["left_out"] == {"no results": ["1 shots", "8 shots"]}
    assert [len(one["points"]) for one in ran.json["curves"]] == [2, 2]
    assert "2*" in ran.out


def test_curves_of_other_settings_are_apart(formats: Path, tmp_path: Path) -> None:
    """Two models at two sizes each: two curves, never a line from one model to the other."""
    runs = read_plan(formats).cells
    cells = [
        msgspec.structs.replace(runs[place], name=f"{model} {size}", settings={"model": model, "size": size})
        for place, model, size in ((0, "first", "0.6M"), (1, "first", "4M"), (2, "second", "2M"))
    ]
    found = read_sweep(planned_elsewhere(formats, tmp_path / "sizes", "sizes", cells))
    scaling = scaling_of(found, "size", summary_headlines(found.cells))
    assert scaling.is_log
    assert [(one.series, [p.x for p in one.points]) for one in scaling.curves] == [
        ("model=first", [0.6e6, 4e6]), ("model=second", [2e6]),
    ]  # fmt: skip
    assert (scaling.curves[1].basis, scaling.curves[1].p_value) == ("none", None)
    with pytest.raises(UsageError, match="a curve needs two numbers"):
        scaling_of(found, "model", summary_headlines(found.cells))


def test_other_rows_are_not_paired_but_weighed(sweep: Any, shots: Path, formats: Path, tmp_path: Path) -> None:
    """Runs with no sample in common have no items to follow; their points are compared as independent."""
    from small_sweeps import cell, run

    folder = tmp_path / "apart"
    rows = ['{"mini_choice_en": [0, 1, 2, 3, 4, 5]}', '{"mini_choice_en": [10, 11, 12, 13, 14, 15]}']
    paths = [run(folder, "--tasks", "mini_choice_en", "--samples", chosen) for chosen in rows]
    cells = [cell(path, str(place), {"size": place + 1}) for place, path in enumerate(paths)]
    found = read_sweep(plan(folder, "apart", cells))
    (curve,) = scaling_of(found, "size", summary_headlines(found.cells)).curves
    assert curve.not_paired == "a task has no item with a score in every run"
    assert (curve.items, curve.basis) == (None, "weighted")


# -- quantisation


def test_cells_that_differ_in_more_than_the_setting_are_not_held_together(sweep: Any, formats: Path) -> None:
    ran = sweep("quantisation", formats, "--reference", "format=full")
    assert (ran.code, "differ in format alone" in ran.err) == (3, True)


@pytest.fixture
def only_formats(formats: Path, tmp_path: Path) -> Path:
    cells = [
        msgspec.structs.replace(one, settings={"format": one.settings["format"]}) for one in read_plan(formats).cells
    ]
    return planned_elsewhere(formats, tmp_path / "formats", "formats", cells)


def test_quantisation_is_paired_item_by_item(sweep: Any, only_formats: Path) -> None:
    found = quantisation_of(read_sweep(only_formats), "format=full")
    assert [one.value for one in found.pairs] == ["int8", "int4"]
    paths = [only_formats / one.run for one in read_plan(only_formats).cells]
    for one, path in zip(found.pairs, paths[1:], strict=True):
        comparison = compare(pair(read_side(paths[0]), read_side(path)))
        assert len(one.changes) == len(comparison.differences) == 7
        for changed, difference in zip(one.changes, comparison.differences, strict=True):
            assert msgspec.structs.replace(changed.difference, p_adjusted=None) == msgspec.structs.replace(
                difference, p_adjusted=None
            )
            assert changed.flips is not None
            assert difference.num_gained is not None
            assert difference.num_lost is not None
            assert changed.flips.value == pytest.approx((difference.num_gained + difference.num_lost) / difference.n)
            assert changed.other_answers is not None
            assert changed.other_answers.value >= changed.flips.value
            assert changed.flips.low <= changed.flips.value <= changed.flips.high
    few, many = (one.changes[0].other_answers for one in found.pairs)
    assert few is not None
    assert many is not None
    assert 0 < few.value < many.value
    adjusted = [c.difference.p_adjusted for one in found.pairs for c in one.changes if c.difference.kind == "task"]
    plain = [c.difference.p_value for one in found.pairs for c in one.changes if c.difference.kind == "task"]
    assert min(p for p in adjusted if p is not None) == pytest.approx(min(1.0, min(plain) * 12))
    ran = sweep("quantisation", only_formats, "--reference", "format=full")
    assert ran.code == 0
    assert "int4" in ran.out


def test_a_contrast_of_two_settings_has_the_error_of_a_paired_difference(formats: Path) -> None:
    """`joint_values` and `differences` come to the same by two ways; a mean's error has a least in `differences`."""
    found = read_sweep(formats)
    cells = [found.cells[0], found.cells[2]]
    comparison = compare(pair(cells[0].side, cells[1].side))
    for headline in headlines_of(found.cells):
        joint = joint_values(cells, headline)
        assert not isinstance(joint, str)
        (other,) = (one for one in comparison.differences if one.name == headline.name)
        contrast = joint.contrast([-1.0, 1.0])
        assert contrast.value == pytest.approx(other.difference, abs=1e-12)
        if other.kind == "task":
            assert contrast.stderr == pytest.approx(other.stderr)
        else:
            assert 0.9 * other.stderr < contrast.stderr <= other.stderr + 1e-12


def test_a_random_sample_of_thin_tasks_is_weighed_as_its_mean_is(tmp_path: Path) -> None:
    """One sample a language: the mean's own estimator pools rows, and so does the contrast."""
    from small_sweeps import cell, run

    paths = [
        run(tmp_path, "--tasks", "mini_choice", "--limit", 6, "--model_args", f"function={function}")
        for function in ("evalsuite.engines.scripted:plausible", "small_sweeps:changed_many")
    ]
    cells = [cell(path, path.name, {"format": path.name}) for path in paths]
    found = read_sweep(plan(tmp_path, "thin", cells))
    headline = summary_headlines(found.cells)[0]
    joint = joint_values(found.cells, headline)
    assert not isinstance(joint, str)
    assert joint.values == pytest.approx([values_of(one)[headline].value for one in found.cells])
    (mean,) = (
        one for one in compare(pair(found.cells[0].side, found.cells[1].side)).differences if one.kind == "macro"
    )
    stderr = joint.contrast([-1.0, 1.0]).stderr
    assert (stderr is None) == (mean.stderr is None)
    if stderr is not None:
        assert stderr == pytest.approx(mean.stderr)


@pytest.mark.data
def test_a_suites_average_is_followed_item_by_item(mirror: Path, tmp_path: Path) -> None:
    """Two answering functions on the leaderboard's six: the average's difference is the mean of the families'."""
    from small_sweeps import cell, run

    functions = ("evalsuite.engines.scripted:plausible", "small_sweeps:changed_many")
    paths = [
        run(tmp_path, "--tasks", "openllm_v1", "--limit", 12, "--data_dir", mirror,
            "--model_args", f"function={function}")
        for function in functions
    ]  # fmt: skip
    cells = [cell(path, str(place), {"size": place + 1}) for place, path in enumerate(paths)]
    found = read_sweep(plan(tmp_path, "suite", cells))
    average = next(one for one in summary_headlines(found.cells) if one.name.endswith("_average"))
    joint = joint_values(found.cells, average)
    assert not isinstance(joint, str)
    assert joint.values == pytest.approx([values_of(one)[average].value for one in found.cells])
    (curve,) = scaling_of(found, "size", [average]).curves
    assert curve.basis == "items"


def test_what_a_run_took_is_read(shots: Path, tmp_path: Path) -> None:
    run = next(shots.glob("*/telemetry.jsonl")).parent
    taken = read_taken(run)
    assert taken["seconds"] > 0
    assert taken.get("peak_resident_bytes", 1e7) > 1e6
    assert "weights_bytes" not in taken
    (tmp_path / "telemetry.jsonl").write_text(
        '{"event": "taken", "seconds": 2.5, "weights_bytes": 10}\n'
        '{"event": "taken", "seconds": 1, "weights_bytes": 7}\n'
        '[1]\nnull\n{"event": "taken", "seconds": "x", "weights_bytes": null}\n{"event": "tak'
    )
    assert read_taken(tmp_path) == {"seconds": 3.5, "weights_bytes": 10.0}
    assert read_taken(tmp_path / "none") == {}


# -- spread


def test_spread_over_shots(sweep: Any, shots: Path) -> None:
    found = read_sweep(shots)
    (first, _) = spread_of(found, "num_fewshot", summary_headlines(found.cells)).spreads
    values = np.array([value.value for value in first.values])
    assert first.spread is not None
    assert first.spread.sd == pytest.approx(values.std(ddof=1))
    assert first.spread.range == pytest.approx(values.max() - values.min())
    assert first.spread.range_low is not None
    assert first.spread.range_high is not None
    assert first.spread.range_low <= first.spread.range <= first.spread.range_high
    ran = sweep("spread", shots, "--over", "num_fewshot")
    assert ran.code == 0
    assert CHOICE in ran.out


def test_a_change_of_ranks_is_counted(formats: Path, tmp_path: Path) -> None:
    """Runs stand for two models under two prompts; which leads is read off the values."""
    runs = read_plan(formats).cells
    ours = [("a", 1, 0), ("a", 2, 1), ("b", 1, 1), ("b", 2, 0)]
    cells = [
        msgspec.structs.replace(runs[run], name=f"{model} {prompt}", settings={"model": model, "prompt": prompt})
        for model, prompt, run in ours
    ]
    found = read_sweep(plan_of_copies(formats, tmp_path / "ranks", cells))
    headline = next(
        one
        for one in headlines_of(found.cells)
        if values_of(found.cells[0])[one].value != values_of(found.cells[1])[one].value
    )
    (ranking,) = spread_of(found, "prompt", [headline]).rankings
    assert (ranking.num_settings, ranking.num_changed) == (2, 1)
    assert ranking.reversed_pairs == (("model=a", "model=b"),)


def plan_of_copies(source: Path, target: Path, cells: list[Cell]) -> Path:
    """Cells that share runs, each once on disk."""
    planned_elsewhere(source, target, "ranks", list({one.run: one for one in cells}.values()))
    return plan(target, "ranks", cells)


# -- Pareto


def test_pareto_against_a_setting(sweep: Any, formats: Path) -> None:
    found = read_sweep(formats)
    headlines = summary_headlines(found.cells)
    (one,) = pareto_of(found, "bits", headlines).fronts
    assert [point.cost for point in one.points] == [4.0, 8.0, 16.0]
    values = {point.cell: point.value for point in one.points}
    for point in one.points:
        beaten = any(
            other.cost <= point.cost and other.value >= point.value and other.cell != point.cell for other in one.points
        )
        assert (point.standing == "front") != beaten
        if beaten:
            assert point.gain == pytest.approx(values[point.beaten_by] - point.value)
    assert sweep("pareto", formats, "--against", "bits").code == 0
    assert sweep("pareto", formats, "--against", "seconds").code == 0


def test_pareto_needs_two_costs(formats: Path) -> None:
    found = read_sweep(formats)
    with pytest.raises(NothingComparable, match="0 of the 3 cells"):
        pareto_of(found, "weights_bytes", summary_headlines(found.cells))
    with pytest.raises(UsageError, match="did you mean 'seconds'"):
        pareto_of(found, "second", summary_headlines(found.cells))


# -- what a value can be


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Eight questions, of which a model knows few, half and nearly all: Student's intervals of that are wide."""
    from small_sweeps import cell, run

    ways = ("knows_little", "knows_half", "knows_much")
    paths = [
        run(tmp_path, "--tasks", "mini_choice_en", "--limit", 8, "--model_args", f"function=small_sweeps:{way}")
        for way in ways
    ]
    cells = [
        cell(path, way, {"size": 10.0**place, "cost": 3 - place})
        for place, (path, way) in enumerate(zip(paths, ways, strict=True))
    ]
    return plan(tmp_path, "few", cells)


def of_one_setting(folder: Path, key: str) -> Sweep:
    """The same runs, as a sweep over one of the settings that go together."""
    cells = [
        msgspec.structs.replace(one, settings={key: one.settings[key]}, run=f"../{one.run}")
        for one in read_plan(folder).cells
    ]
    return read_sweep(plan(folder / key, key, cells))


def test_nothing_goes_beyond_what_a_value_can_be(few: Path) -> None:
    found = of_one_setting(few, "size")
    (headline,) = headlines_of(found.cells)
    bounds = bounds_of(found.cells, headline)
    assert bounds == (0.0, 1.0)
    joint = joint_values(found.cells, headline)
    assert not isinstance(joint, str)
    wide, kept = (joint.contrast([-1.0, 0.0, 1.0], ends).high for ends in (None, bounds))
    assert wide is not None
    assert wide > 1.0, "or nothing is tested here"
    assert kept == 1.0
    (curve,) = scaling_of(found, "size", [headline], is_log=True).curves
    assert curve.basis == "items"
    assert curve.slope[2] == curve.line.high == 0.5, "from 0 to 1 over two tenfold steps"
    (spread,) = spread_of(found, "size", [headline]).spreads
    assert spread.spread is not None
    assert spread.spread.range_high == 1.0
    (front,) = pareto_of(of_one_setting(few, "cost"), "cost", [headline]).fronts
    assert [point.standing for point in front.points].count("front") == 1
    assert max(point.gain_high for point in front.points if point.gain_high is not None) == 1.0


def test_a_mean_lies_between_the_ends_of_its_parts(shots: Path) -> None:
    found = read_sweep(shots)
    ends = {headline.name: bounds_of(found.cells, headline) for headline in headlines_of(found.cells)}
    assert set(ends.values()) == {(0.0, 1.0)}
    result = found.cells[0].result
    assert result is not None
    unknown = [
        msgspec.structs.replace(one, bounds=None) if one.task == "mini_choice_en" else one for one in result.estimates
    ]
    other = dataclasses.replace(found.cells[0], result=msgspec.structs.replace(result, estimates=tuple(unknown)))
    ends = {headline.name: bounds_of([other], headline) for headline in headlines_of([other])}
    assert {name for name, one in ends.items() if one is None} == {"mini_choice_en", "mini_choice macro acc_norm_char"}


# -- published numbers


def test_belles_rows_as_published(sweep: Any, reference: Path, tmp_path: Path) -> None:
    source = reference / "belle.csv"
    ran = sweep("table", source, "--format", "csv")
    assert ran.code == 0
    shown = list(csv.reader(io.StringIO(ran.out)))
    published = list(csv.reader(io.StringIO(source.read_text(encoding="utf-8"))))
    assert [[cell.replace("–", "") for cell in row] for row in shown] == published
    assert "no intervals" in sweep("table", source).out


def test_belles_curves(sweep: Any, reference: Path, tmp_path: Path) -> None:
    figure = tmp_path / "belle.svg"
    ran = sweep("scaling", reference / "belle.csv", "--x_from", r"\(([\d.]+M)\)", "--json", "--figure", figure)
    assert ran.code == 0
    assert figure.stat().st_size > 10_000
    found = ran.json
    curves = {(one["headline"], one["series"]): one for one in found["curves"]}
    lora = curves["macro9", "L7B+LoRA(…)"]
    assert [(point["x"], point["value"]) for point in lora["points"]] == [(6e5, 0.589), (2e6, 0.61), (4e6, 0.624)]
    assert (lora["items"], lora["basis"]) == (None, "order")
    assert lora["order"]["p_value"] == pytest.approx(1 / 3)
    assert all(point["low"] is None for one in found["curves"] for point in one["points"])
    assert len(curves["macro9", "L7B+FT(…)"]["points"]) == 2
    pooled = {one["headline"]: one["order"] for one in found["pooled"]}
    assert pooled["macro9"]["p_value"] == pytest.approx(1 / 6)
    assert found["is_log"]
    assert "ChatGPT" in found["left_out"]["no size"]
    assert "macro8_wo_others" not in {one["headline"] for one in found["curves"]}
    assert "cannot show a trend" in ran.out


def test_published_columns_of_sizes(sweep: Any, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("size,kind,score\n1k,a,0.1\n10k,a,0.2\n1M,b,0.3\n2M,b,\n", encoding="utf-8")
    found = sweep("scaling", path, "--x", "size", "--json").json
    assert [(one["series"], [(p["x"], p["value"]) for p in one["points"]]) for one in found["curves"]] == [
        ("a", [(1e3, 0.1), (1e4, 0.2)]), ("b", [(1e6, 0.3)]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "options", "what"),
    [
        ("a,a\n1,2\n", (), "two columns have one name"),
        ("a,b\n1\n", (), "1 cells under 2 heads"),
        ("a,b\n", (), "no rows"),
        ("m,b\nx,1\n", ("--x_from", "("), "no regular expression"),
        ("m,b\nx,1\n", ("--x_from", r"\d+M"), "finds no size"),
        ("m,b\nx,1\n", ("--x", "c"), "no such column"),
        ("m,b\n0,1\n5,2\n", ("--x", "m", "--axis", "log"), "no logarithm"),
    ],
)
def test_bad_tables_are_refused_in_one_line(
    sweep: Any, tmp_path: Path, content: str, options: tuple[str, ...], what: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    ran = sweep("scaling", path, *options)
    assert ran.code == 2
    assert what in ran.err
    assert len(ran.err.splitlines()) == 1


# -- what is wrong


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("scaling",), "needs --x"),
        (("scaling", "--x", "num_fewshots"), "did you mean 'num_fewshot'"),
        (("scaling", "--x", "num_fewshot", "--x_from", "x"), "for published numbers"),
        (("scaling", "--x", "num_fewshot", "--axis", "log"), "no logarithm"),
        (("spread", "--over", "seed"), "sets no 'seed'"),
        (("quantisation", "--reference", "num_fewshot"), "expected KEY=VALUE"),
        (("quantisation", "--reference", "num_fewshot=7"), "num_fewshot is 0, 1, 4"),
        (("table", "--tasks", "mmlu"), "no such number"),
        (("table", "--figure", "x.pdf"), "neither .svg nor .png"),
        (("table", "--formats", "csv"), "did you mean '--format'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(sweep: Any, shots: Path, arguments: tuple[str, ...], what: str) -> None:
    ran = sweep(arguments[0], shots, *arguments[1:])
    assert ran.code == 2
    assert what in ran.err
    assert len(ran.err.splitlines()) == 1


def test_shots_are_not_comparable_as_formats_are(sweep: Any, shots: Path) -> None:
    """Prompts with other exemplars are other prompts: `quantisation` refuses and says so."""
    ran = sweep("quantisation", shots, "--reference", "num_fewshot=0")
    assert ran.code == 3
    assert "Not comparable, 1 shots" in ran.out
    assert "exemplars: 0, 1" in ran.out


def test_one_cell(sweep: Any, shots: Path, tmp_path: Path) -> None:
    folder = planned_elsewhere(shots, tmp_path / "one", "one", read_plan(shots).cells[:1])
    assert sweep("table", folder).code == 0
    for analysis in ANALYSES:
        ran = sweep(analysis[0], folder, *analysis[1:])
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (3, "", 1)


def test_cells_without_a_number_in_common(sweep: Any, tmp_path: Path) -> None:
    """Other tasks in every cell: each analysis has settings to go by and nothing to hold side by side."""
    from small_sweeps import cell, run

    paths = [run(tmp_path / "apart", "--tasks", task, "--limit", 6) for task in ("mini_choice_en", "mini_math_en")]
    cells = [cell(path, str(place), {"num_fewshot": place}) for place, path in enumerate(paths)]
    folder = plan(tmp_path / "apart", "apart", cells)
    assert {analysis[0]: sweep(analysis[0], folder, *analysis[1:]).code for analysis in ANALYSES} == {
        "scaling": 3, "spread": 3, "pareto": 3, "quantisation": 3,
    }  # fmt: skip
    assert sweep("table", folder).code == 0


def test_a_single_published_point_is_no_curve(sweep: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("size,kind,score\n1k,a,0.1\n10k,b,0.2\n2M,b,\n1M,a,\n", encoding="utf-8")
    assert sweep("scaling", path, "--x", "size").code == 3


def test_no_sweep_and_nothing_run(sweep: Any, shots: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecMismatch):
        read_sweep(tmp_path)
    plan(tmp_path / "none", "none", read_plan(shots).cells)
    ran = sweep("table", tmp_path / "none")
    assert (ran.code, "none of the 3 cells" in ran.err) == (6, True)


def test_a_run_of_another_cell_is_noticed(sweep: Any, shots: Path, tmp_path: Path) -> None:
    cells = read_plan(shots).cells
    swapped = msgspec.structs.replace(cells[0], run=cells[1].run)
    folder = planned_elsewhere(shots, tmp_path / "swapped", "swapped", [swapped])
    ran = sweep("table", folder)
    assert (ran.code, "the plan's cell" in ran.err) == (3, True)
    assert not is_sealed(folder, swapped)
    assert "the plan's cell" in standings(folder, [swapped])[0].cause


@pytest.mark.parametrize(
    ("text", "size"),
    [("2M", 2e6), ("0.6M", 6e5), ("7B", 7e9), ("7b", 7e9), ("52k", 52e3), ("1e3", 1e3), ("5", 5.0), (" 1.5 T ", 1.5e12),
     ("", None), ("M", None), ("7BB", None), ("1_000", None), ("nan", None), ("٣M", None), ("2M+", None)],
)  # fmt: skip
def test_sizes(text: str, size: float | None) -> None:
    assert size_of(text) == (None if size is None else pytest.approx(size))


def test_sizes_come_back_from_their_text() -> None:
    for size in (1.0, 52e3, 0.6e6, 2e6, 7e9, 1.5e12):
        assert size_of(size_text(size)) == pytest.approx(size)


def test_rows_without_any_score_keep_their_count(formats: Path) -> None:
    found = read_sweep(formats)
    rows = tidy_rows(found)
    assert all(row.num_unscored == 0 and row.value is not None for row in rows)
