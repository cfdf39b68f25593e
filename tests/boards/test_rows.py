"""Runs of one model share a row where nothing of it would be had twice, and each number says of which run it is."""

from __future__ import annotations

from pathlib import Path

import judged_runs
import pytest
from small_sweeps import run

from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.loading import load_runs
from evalsuite.boards.records import Board
from evalsuite.boards.tables import leaderboard_tables

PLAUSIBLE, MANY = "evalsuite.engines.scripted:plausible", "small_sweeps:changed_many"


def answered(folder: Path, task: str, *arguments: object, model: str = PLAUSIBLE) -> Path:
    return run(folder, "--tasks", task, "--model_args", f"function={model},name={model[-4:]}", *arguments)


def board(*runs: Path) -> Board:
    return board_of(load_runs(runs), BoardOptions())


def grouped(found: Board) -> list[set[str]]:
    return [{found.runs[place].id for place in row.runs} for row in found.rows]


def ids(*runs: Path) -> set[str]:
    return {path.name.rpartition("-")[2] for path in runs}


def test_runs_of_several_benchmarks_are_one_row_and_ranked_as_one(tmp_path: Path) -> None:
    tasks = ("mini_choice", "mini_math")
    apart = [answered(tmp_path / "apart", task, model=model) for task in tasks for model in (PLAUSIBLE, MANY)]
    whole = [
        run(tmp_path / "whole", "--tasks", *tasks, "--model_args", f"function={model},name={model[-4:]}")
        for model in (PLAUSIBLE, MANY)
    ]
    found, same = board(*apart), board(*whole)
    assert sorted(map(sorted, grouped(found))) == sorted([sorted(ids(*apart[::2])), sorted(ids(*apart[1::2]))])
    assert found.ranking is not None
    assert same.ranking is not None
    assert [[cell and cell.value for cell in row] for row in found.cells] == [
        [cell and cell.value for cell in row] for row in same.cells
    ]
    assert found.ranking.standings == same.ranking.standings
    assert [row.num_scored for row in found.rows] == [row.num_scored for row in same.rows]
    assert [row.worst_language for row in found.rows] == [row.worst_language for row in same.rows]
    assert [row.gap_to_english for row in found.rows] == [row.gap_to_english for row in same.rows]
    for row, cells in zip(found.rows, found.cells, strict=True):
        for source, column, cell in zip(row.sources, found.columns, cells, strict=True):
            assert cell is not None
            assert source is not None
            assert {*column.tasks} <= {task.spec.name for task in _tasks_of(found, source)}


def _tasks_of(found: Board, place: int) -> list:  # type: ignore[type-arg]
    return [one for task in found.tasks for one in task.runs if one.run == place]


@pytest.mark.parametrize(
    "other",
    [
        ("--gen_kwargs", "max_gen_toks=9"),
        ("--system_instruction", "Be brief."),
        ("--seed", 7),
        ("--limit", 5),
        ("--batch_size", 3),
    ],
    ids=lambda pair: pair[0],
)
def test_other_settings_are_another_row(tmp_path: Path, other: tuple[object, ...]) -> None:
    runs = [answered(tmp_path, "mini_choice"), answered(tmp_path, "mini_math", *other)]
    assert sorted(map(sorted, grouped(board(*runs)))) == sorted([sorted(ids(one)) for one in runs])


def test_two_sets_of_rules_stand_in_one_row_under_two_columns(tmp_path: Path) -> None:
    runs = [answered(tmp_path, "mini_choice_en", "--num_fewshot", shots) for shots in (0, 2)]
    found = board(*runs)
    assert grouped(found) == [ids(*runs)]
    assert {column.shots for column in found.columns} == {"0", "2"}
    assert all(cell is not None for cell in found.cells[0])


def test_a_column_that_would_be_had_twice_leaves_every_run_to_itself(tmp_path: Path) -> None:
    runs = [
        answered(tmp_path, "mini_choice_en"),
        run(tmp_path, "--tasks", "mini_choice_en", "mini_math_en", "--model_args",
            f"function={PLAUSIBLE},name={PLAUSIBLE[-4:]}"),
        answered(tmp_path, "mini_chat_en"),
    ]  # fmt: skip
    assert sorted(map(len, grouped(board(*runs)))) == [1, 1, 1]


def test_what_judges_say_stands_with_the_answers(tmp_path: Path) -> None:
    answers = judged_runs.answered(tmp_path, "apple")
    rated = judged_runs.judged(tmp_path, "rating", "strict", answers)
    other = judged_runs.answered(tmp_path, "apple", "mini_chat_ar")
    found = board(answers, rated, other)
    assert grouped(found) == [ids(answers, rated, other)]
    assert found.rows[0].num_scored == sum(one.counts.scored for one in found.runs if one.judged is None)
    again = judged_runs.judged(tmp_path, "rating", "moody", answers)
    several = board(answers, rated, again)
    assert ids(answers, rated, again) in grouped(several), "two judges have a column each"
    alone = board(rated)
    assert grouped(alone) == [ids(rated)]


def test_means_over_other_languages_are_told_apart(tmp_path: Path) -> None:
    runs = [
        run(tmp_path, "--tasks", *(f"mini_choice_{code}" for code in codes), "--model_args", f"function={PLAUSIBLE}")
        for codes in (("en", "zh"), ("fr", "ar"))
    ]
    found = board(*runs)
    assert {column.own_parts for column in found.columns} == {("en", "zh"), ("fr", "ar")}
    (table,) = (one.table for one in leaderboard_tables(found) if one.name == "leaderboard")
    assert [head.partition("over ")[2].partition(")")[0] for head in table.heads if "mini_choice" in head] == [
        "en, zh",
        "fr, ar",
    ]
    for family in found.families:
        for one in family.tables:
            assert {column.own_parts for column in one.columns if column.kind} in (set(), {("en", "zh"), ("fr", "ar")})
    assert not any(column.own_parts for column in board(runs[0]).columns)
