"""The data beside a page: valid by its schema, the board's own numbers, no text of any sample, the same bytes again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sealed_runs import Part, text_record, write_run

from evalsuite.boards.board_file import board_json, file_beside
from evalsuite.boards.building import BoardOptions
from evalsuite.boards.evidence import page_data
from evalsuite.boards.published import published_table
from evalsuite.boards.records import Board
from evalsuite.canonical import canonical_json
from evalsuite.cli.report_command import write_report

EN = Part("qa_en", "qa", "en", value=0.4)
AR = Part("qa_ar", "qa", "ar", value=0.2, n=16, num_unscored=4, case=(0.16, 0.36))
SCHEMA = Path(__file__).parents[2] / "docs" / "leaderboard.schema.json"


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    records = [text_record("qa_en:test:0", "en", "SECRET prompt", ["SECRET answer"], target="SECRET")]
    return [
        write_run(tmp_path / "runs", "whole", [EN, AR], records, means=[[EN, AR]]),
        write_run(tmp_path / "runs", "part", [EN], limit=20),
        write_run(tmp_path / "runs", "=1+1\ud800", [EN]),
    ]


def published(tmp_path: Path) -> list[str]:
    table = tmp_path / "theirs.csv"
    table.write_text("model,score\nA,7.10\nB,\n", encoding="utf-8")
    return ["--published", str(table)]


def valid(text: str) -> Any:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    found = json.loads(text)
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def board(runs: list[Path]) -> Board:
    return page_data(runs, BoardOptions(title="T")).board


def test_it_is_valid_and_canonical_and_the_same_again(runs: list[Path]) -> None:
    text = board_json(board(runs))
    found = valid(text)
    assert text == canonical_json(found) + "\n" == board_json(board(runs[::-1]))
    assert (found["schema"], found["version"], found["title"]) == ("evalsuite-leaderboard", 1, "T")
    assert "SECRET" not in text


def test_every_cell_of_the_board_is_in_it_and_the_headline_of_every_task(runs: list[Path]) -> None:
    whole = board(runs)
    found = valid(board_json(whole))
    cells = {(one["run"], one["column"]): one for one in found["cells"]}
    assert len(cells) == len(found["cells"])
    for run, row in zip(whole.runs, whole.cells, strict=True):
        for column, cell in zip(whole.columns, row, strict=True):
            if cell is None:
                assert (run.id, column.id) not in cells
                continue
            one = cells[run.id, column.id]
            assert [one[name] for name in ("value", "low", "high", "n", "num_clusters", "num_unscored", "chance")] == [
                *(cell.value, cell.low, cell.high, cell.n, cell.num_clusters, cell.num_unscored, cell.chance)
            ]
    assert [one["title"] for one in found["columns"]] == ["qa", "qa_en"]
    assert [one["title"] for one in found["parts"]] == ["qa_ar"]
    (arabic,) = [one for one in found["cells"] if one["column"] == found["parts"][0]["id"]]
    assert (arabic["value"], arabic["num_unscored"], arabic["worst"]) == (0.2, 4, 0.16)


def test_runs_have_what_they_can_be_held_against(runs: list[Path]) -> None:
    whole = board(runs)
    found = valid(board_json(whole))
    for run, one in zip(whole.runs, found["runs"], strict=True):
        assert (one["id"], one["manifest_sha256"], one["samples_root"]) == (
            run.id,
            run.manifest_sha256,
            run.samples_root,
        )
        assert len(one["manifest_sha256"]) == 64
        assert [flag["kind"] for flag in one["red_flags"]] == [flag.kind for flag in run.red_flags]
        assert one["trust"] is None
    assert [one["is_partial"] for one in found["runs"]] == [run.is_partial for run in whole.runs]


def test_figures_of_others_stand_apart(runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "site" / "index.html"
    _, theirs = published(tmp_path)
    write_report(runs, out, BoardOptions(title="T", published=(published_table(Path(theirs)),)))
    found = valid((out.parent / "leaderboard.json").read_text(encoding="ascii"))
    (table,) = found["published"]
    assert (table["source"], table["cells"]) == ("theirs.csv", [[{**NOTHING, "text": "7.10", "number": 7.1}], [None]])
    assert [one["title"] for one in found["columns"]] == ["qa", "qa_en"]
    assert len(found["runs"]) == 3


NOTHING = {"low": None, "high": None, "n": None}


@pytest.mark.parametrize(
    ("page", "data"),
    [("index.html", "leaderboard.json"), ("board.html", "board.leaderboard.json"), ("x", "x.leaderboard.json")],
)
def test_where_it_lies(page: str, data: str) -> None:
    assert file_beside(Path("site") / page) == Path("site") / data
