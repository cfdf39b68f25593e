"""What stands in a leaderboard's columns and cells, and what may not stand together."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import msgspec
import pytest
from sealed_runs import Part, write_run

from evalsuite.boards import judgings
from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.cells import Cell
from evalsuite.boards.commands import command_note, repeat_command
from evalsuite.boards.loading import load_runs
from evalsuite.boards.records import Board
from evalsuite.canonical import canonical_json
from evalsuite.cli.main import main
from evalsuite.records import ModelSpec
from evalsuite.store.results import read_results
from evalsuite.text.visible import visible
from evalsuite.types import Scalar

EN, AR = Part("qa_en", "qa", "en", value=0.4), Part("qa_ar", "qa", "ar", value=0.2)


def built(*runs: Path) -> Board:
    return board_of(load_runs(runs), BoardOptions())


def only_cell(board: Board) -> Cell:
    (row,) = board.cells
    (cell,) = row
    assert cell is not None
    return cell


def test_the_same_runs_are_the_same_board_whatever_their_order(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, name, [EN, AR], means=[[EN, AR]]) for name in ("b", "A", "c")]
    texts = {canonical_json(built(*order)) for order in (runs, runs[::-1], [*runs, runs[0]])}
    assert len(texts) == 1
    assert [run.name for run in built(*runs).runs] == ["A", "b", "c"]


def test_a_family_is_its_mean_or_else_its_tasks(tmp_path: Path) -> None:
    board = built(write_run(tmp_path, "whole", [EN, AR], means=[[EN, AR]]), write_run(tmp_path, "half", [EN]))
    assert [(one.title, one.kind, one.parts) for one in board.columns] == [
        ("qa", "macro", ("qa_en", "qa_ar")), ("qa_en", "", ()),
    ]  # fmt: skip
    half, whole = board.cells
    assert half[0] is None
    assert whole[1] is None
    assert whole[0] is not None
    assert whole[0].value == pytest.approx(0.3)


@pytest.mark.parametrize(
    "other",
    [
        Part("qa_en", "qa", "en", protocol="p2"),
        Part("qa_en", "qa", "en", signature="v2"),
        Part("qa_en", "qa", "en", metric="acc2"),
    ],
)
def test_what_does_not_compare_never_shares_a_column(tmp_path: Path, other: Part) -> None:
    board = built(write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [other]))
    assert len(board.columns) == 2
    assert sorted([cell is not None for cell in row] for row in board.cells) == [[False, True], [True, False]]
    assert board.ranking is None


def test_exemplar_counts_and_data_never_share_a_column(tmp_path: Path) -> None:
    board = built(
        write_run(tmp_path, "a", [EN]),
        write_run(tmp_path, "b", [EN], num_fewshot=5),
        write_run(tmp_path, "c", [EN], fingerprint="e" * 64),
    )
    assert sorted((one.shots, len(one.data)) for one in board.columns) == [("0", 8), ("0", 8), ("5", 8)]
    assert len({one.data for one in board.columns}) == 2
    assert len({one.id for one in board.columns}) == 3


def test_unscored_samples_keep_worst_and_best_case(tmp_path: Path) -> None:
    holed = Part("qa_en", "qa", "en", value=0.4, n=16, num_unscored=4, case=(0.32, 0.52))
    board = built(write_run(tmp_path, "m", [holed, AR], means=[[holed, AR]]))
    assert board.runs[0].status == "incomplete"
    assert board.runs[0].counts.unscored_by_cause == {"timeout": 4}
    cell = only_cell(board)
    assert (cell.num_unscored, cell.worst, cell.best) == (4, pytest.approx(0.26), pytest.approx(0.36))


def test_a_task_without_any_score_is_a_hole_and_not_an_empty_cell(tmp_path: Path) -> None:
    lost = Part("qa_en", "qa", "en", n=0, num_unscored=20)
    board = built(write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [lost]))
    cell = board.cells[1][0]
    assert cell is not None
    assert (cell.value, cell.num_unscored, cell.notes) == (None, 20, ("timeout",))


def test_a_mean_names_the_tasks_it_lacks(tmp_path: Path) -> None:
    lost = Part("qa_hi", "qa", "hi", n=0, num_unscored=20)
    cell = only_cell(built(write_run(tmp_path, "m", [EN, AR, lost], means=[[EN, AR]])))
    assert cell.notes == ("without hi: no score there",)


def test_a_limited_run_is_partial(tmp_path: Path) -> None:
    part, whole = write_run(tmp_path, "m", [EN], limit=20), write_run(tmp_path, "n", [EN])
    assert [(run.is_partial, run.limit) for run in built(part, whole).runs] == [(True, 20), (False, None)]


def test_the_command_of_vllm_says_what_decides_its_answers(tmp_path: Path) -> None:
    (run,) = load_runs([write_run(tmp_path, "a", [EN])])

    def said(**identity: Scalar) -> str:
        model = ModelSpec(name="org/m", engine="vllm", identity={"device": "cuda", **identity})
        command = repeat_command(msgspec.structs.replace(run.result.spec, model=model))
        words = shlex.split(command.replace("\\\n", ""))
        return words[words.index("--model_args") + 1]

    model_set = {"max_length": 4096, "max_length_from": "model", "tensor_parallel_size": 1, "enforce_eager": False}
    assert said(dtype="bfloat16", **model_set) == "pretrained=org/m,dtype=bfloat16"
    user_set = {"max_length": 512, "max_length_from": "user", "tensor_parallel_size": 2, "enforce_eager": True}
    assert said(dtype="float16", **user_set) == (
        "pretrained=org/m,dtype=float16,max_length=512,tensor_parallel_size=2,enforce_eager=true"
    )


def test_the_command_of_a_plan_for_many_workers_has_as_many(tmp_path: Path) -> None:
    """Their batches are others, and so may be the last bits; whose verdicts they are does not depend on it."""
    (run,) = load_runs([write_run(tmp_path, "a", [EN])])
    model = ModelSpec(name="org/m", engine="transformers", identity={"device": "cuda", "planned_for_workers": 16})
    words = shlex.split(repeat_command(msgspec.structs.replace(run.result.spec, model=model)).replace("\\\n", ""))
    assert words[words.index("--workers") + 1] == "16"
    alone = msgspec.structs.replace(model, identity={"device": "cuda"})
    assert judgings._setup(model) == judgings._setup(alone)


def test_the_command_of_a_name_that_cannot_be_seen_can_be_copied(tmp_path: Path) -> None:
    """A page spells such characters out, so that they must not stand in the command as they are."""
    (run,) = load_runs([write_run(tmp_path, "a", [EN])])
    name = "it's\\\u202e\u200b \U000e0041 back"
    command = repeat_command(msgspec.structs.replace(run.result.spec, system_instruction=name))
    assert visible(command) == command
    told = subprocess.run(["bash", "-c", f"evalsuite() {{ printf '%s\\0' \"$@\"; }}; {command}"], capture_output=True,
                          text=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})  # fmt: skip
    words = told.stdout.split("\0")
    assert words[words.index("--system_instruction") + 1] == name


def test_the_command_gives_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["--model", "scripted", "--tasks", "mini_choice_hi", "mini_chat_ar", "--limit", "4", "--seed", "7"]
    asked += ["--gen_kwargs", "temperature=0.5,max_tokens=9", "--system_instruction", "Say 'yes'; $HOME"]
    assert main(["run", *asked, "--output_path", "first"]) == 0
    (first,) = Path("first").iterdir()
    spec = read_results(first).spec
    program, *arguments = shlex.split(repeat_command(spec).replace("\\\n", ""))
    assert program == "evalsuite"
    assert main([*arguments, "--output_path", "second"]) == 0
    assert [path.name for path in Path("second").iterdir()] == [first.name]


@pytest.mark.parametrize(("name", "arguments"), [("letters", ""), ("sharp", " --model_args name=sharp")])
def test_the_command_of_a_strangers_engine_claims_no_arguments_it_cannot_know(
    name: str, arguments: str, tmp_path: Path
) -> None:
    identity = {"text_sha256": "0" * 64, "smoothing": 0.5}
    model = ModelSpec(name=name, engine="letters", identity=identity)
    spec = msgspec.structs.replace(read_results(write_run(tmp_path, "m", [EN])).spec, model=model)
    assert f"--model letters{arguments} --tasks" in " ".join(repeat_command(spec).replace("\\\n", "").split())
    assert command_note(spec).startswith("Give the --model_args of the engine letters again")
