"""Imported judgments as sealed judge runs: their numbers, the page, exports, and what their files do not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import run_here
from foreign_files import annotation, pair, rows_of, single, write_lines, write_list
from pages import board_in

from evalsuite.cli.main import main
from evalsuite.interop.alpaca_eval_files import annotations_in, prefer
from evalsuite.interop.mt_bench_files import pair_judgments, single_judgments
from evalsuite.interop.mt_bench_results import compare, rate
from evalsuite.interop.sealed_runs import read_sealed
from evalsuite.store.results import read_results
from evalsuite.types import Completion, GenerateRequest

RATINGS = [single(question, turn, 1 + (question + turn) % 10) for question in range(81, 161) for turn in (1, 2)]
PAIRS = [
    pair(question, turn, ("model_1", "model_2", "tie")[question % 3]) for question in range(81, 161) for turn in (1, 2)
]
PREFERENCES = [annotation(number, 1 + number % 11 / 10) for number in range(805)]


def imported(folder: Path, form: str, path: Path, capsys: pytest.CaptureFixture[str], code: int = 0) -> Any:
    """What ``import --json`` ends with."""
    ran = run_here(capsys, "import", form, path, "--output_path", folder / "runs", "--json")
    assert ran.code == code
    return ran.json


def test_ratings_become_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = imported(tmp_path, "mt-bench", write_lines(tmp_path / "j.jsonl", RATINGS), capsys)
    (row,) = found["results"]
    sealed = read_sealed(Path(row["path"]))
    result = sealed.result
    assert (row["run"], result.status, result.counts.scored) == (result.run_id, "complete", 160)
    (direct,) = rate(single_judgments(rows_of(RATINGS)))
    assert {one.metric: (one.value, one.low, one.high, one.n) for one in result.estimates} == {
        one.metric: (one.value, one.low, one.high, one.n) for one in direct.estimates
    }
    assert len(result.estimates) == 12
    judged = result.spec.judged
    assert judged is not None
    assert (judged.judge, judged.models, judged.runs, judged.answers_sha256) == ("mt_bench_single", ("m",), (), "")
    assert (result.spec.subject, result.spec.model.name, result.spec.model.engine) == ("m", "gpt-4", "imported")
    assert {spec.protocol for spec in result.spec.tasks} == {"mt_bench_single-v1@gpt-4"}
    record = sealed.records["mt_bench"][0]
    request, reply = record.items[0].request, record.responses[0]
    assert isinstance(request, GenerateRequest)
    assert isinstance(reply, Completion)
    assert (request.prompt, reply.text) == ("Rate answer 1 to 81.", "Fair enough. Rating: [[3]]")


def test_pairs_become_a_run_a_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [*PAIRS, *({**row, "model_2": "c"} for row in PAIRS)]
    found = imported(tmp_path, "mt-bench", write_lines(tmp_path / "p.jsonl", rows), capsys)
    direct = {one.against: one for one in compare(pair_judgments(rows_of(rows)))}
    assert [row["against"] for row in found["results"]] == ["b", "c"]
    for row in found["results"]:
        result = read_sealed(Path(row["path"])).result
        assert {one.metric: one.value for one in result.estimates} == {
            one.metric: one.value for one in direct[row["against"]].estimates
        }
        assert result.estimates[0].protocol == f"mt_bench_pair-v1@gpt-4 vs {row['against']}"
        assert result.spec.judged is not None
        assert result.spec.judged.models == ("a", row["against"])


def test_preferences_become_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = imported(tmp_path, "alpaca_eval", write_list(tmp_path / "annotations.json", PREFERENCES), capsys)
    (row,) = found["results"]
    sealed = read_sealed(Path(row["path"]))
    (direct,) = prefer(annotations_in(rows_of(PREFERENCES)))
    one = sealed.result.estimates[0]
    assert (one.metric, one.value, one.low, one.n) == (
        "win_rate", direct.estimates[0].value, direct.estimates[0].low, 805,
    )  # fmt: skip
    assert not any(spec.is_partial for spec in sealed.result.spec.tasks)
    assert sealed.records["alpaca_eval"][0].sample.input == "Instruction 0"
    backwards = write_list(tmp_path / "backwards.json", reversed(PREFERENCES))
    again = read_sealed(Path(imported(tmp_path / "b", "alpaca_eval", backwards, capsys)["results"][0]["path"]))
    ids = [record.sample.id for record in sealed.records["alpaca_eval"]]
    assert ids == [record.sample.id for record in again.records["alpaca_eval"]][::-1], "ids are the instructions'"


def test_parts_and_holes_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [*RATINGS[:9], single(99, 1, -1)]
    found = imported(tmp_path, "mt-bench", write_lines(tmp_path / "j.jsonl", rows), capsys, code=3)
    result = read_sealed(Path(found["results"][0]["path"])).result
    assert (result.status, dict(result.counts.unscored_by_cause)) == ("incomplete", {"judge_unparsed": 1})
    assert [(spec.num_samples, spec.num_available) for spec in result.spec.tasks] == [(10, 160)]
    assert main(["export", found["results"][0]["path"], "--to", "dvc", "-o", str(tmp_path / "out")]) == 2


def test_the_page_and_exports_name_the_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(
        imported(tmp_path, "mt-bench", write_lines(tmp_path / "j.jsonl", RATINGS), capsys)["results"][0]["path"]
    )
    assert main(["report", str(path), "--output", str(tmp_path / "page.html")]) == 0
    board = board_in(tmp_path / "page.html")
    assert [family.is_judged for family in board.families] == [True]
    assert {(one.model, one.judge) for one in board.judgings} == {("gpt-4", "mt_bench_single")}
    assert "evalsuite import mt-bench FILES \\\n  --output_path DIR" in board.runs[0].command
    assert main(["export", str(path), "--to", "eee", "-o", str(tmp_path / "eee")]) == 2
    assert "does not say when it was made" in capsys.readouterr().err
    assert main(["export", str(path), "--to", "eee", "-o", str(tmp_path / "eee"), "--date", "2026-01-01"]) == 0
    (record,) = (json.loads(file.read_bytes()) for file in (tmp_path / "eee").rglob("*.json"))
    assert record["eval_library"]["name"] == "fastchat"
    assert record["model_info"]["id"] == "m"
    (judge,) = record["evaluation_results"][0]["metric_config"]["llm_scoring"]["judges"]
    assert judge["model_info"]["id"] == "gpt-4"


def test_nothing_is_stored_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "j.jsonl", RATINGS)
    assert main(["import", "mt-bench", "j.jsonl"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["j.jsonl"]


def test_the_same_judgments_are_the_same_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lines(tmp_path / "j.jsonl", RATINGS)
    first = imported(tmp_path, "mt-bench", path, capsys)["results"][0]["path"]
    before = (Path(first) / "results.json").read_bytes()
    assert imported(tmp_path, "mt-bench", path, capsys)["results"][0]["path"] == first
    assert (Path(first) / "results.json").read_bytes() == before
    assert read_results(Path(first)).spec.model.identity["format"] == "mt-bench"
