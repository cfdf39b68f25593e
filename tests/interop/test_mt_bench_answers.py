"""FastChat's model answers as runs of the task ``mt_bench``: every text, every failure, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from foreign_files import answer, rows_of, write_lines

from evalsuite.config import RunConfig
from evalsuite.errors import DataError
from evalsuite.interop.json_files import read_rows
from evalsuite.interop.mt_bench_answers import ImportedAnswers, prepare_answers
from evalsuite.interop.mt_bench_files import model_answers
from evalsuite.judged import read_run
from evalsuite.prepare import prepare
from evalsuite.records import SampleRecord
from evalsuite.run import Quiet, execute
from evalsuite.types import Completion, Unscored

pytestmark = pytest.mark.data

NAMES = {"gpt-4": "gpt-4", "gpt-3.5-turbo": "gpt-3.5-turbo", "vicuna-13b-v1.3": "vicuna-13b-hao-0515"}
"""The published files and the model that each names."""


def imported(rows: list[dict[str, Any]], mirror: Path, name: str = "") -> ImportedAnswers:
    return prepare_answers(model_answers(rows_of(rows)), "answers.jsonl", name, str(mirror))


def records(found: ImportedAnswers, path: Path) -> dict[str, SampleRecord]:
    """The stored samples of the executed run, by question id."""
    execute(found.prepared, path, Quiet())
    return {str(record.sample.metadata["question_id"]): record for record in read_run(path).records}


def texts(record: SampleRecord) -> list[str]:
    return [reply.text for reply in record.responses if isinstance(reply, Completion)]


@pytest.mark.parametrize("name", NAMES)
def test_published_answers_become_a_sealed_run(name: str, mirror: Path, tmp_path: Path) -> None:
    file = mirror / "lm-sys__mt_bench" / "model_answer" / f"{name}.jsonl"
    published = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    found = prepare_answers(model_answers(read_rows([file])), file.name, "", str(mirror))
    assert found.prepared.spec.model.name == NAMES[name]
    assert (found.num_failures, found.missing, found.num_merged, found.num_other_choices) == (0, (), 0, 0)
    stored = records(found, tmp_path / "run")
    assert {question: texts(record) for question, record in stored.items()} == {
        str(row["question_id"]): row["choices"][0]["turns"] for row in published
    }
    result = read_run(tmp_path / "run").result
    assert (result.status, result.counts.scored, result.counts.requested) == ("complete", 80, 80)
    assert (result.spec.model.engine, [task.protocol for task in result.spec.tasks]) == ("recorded", ["mt-bench"])


def test_the_run_is_the_one_of_the_recorded_engine(mirror: Path, tmp_path: Path) -> None:
    found = imported([answer(81), answer(160)], mirror, "mine")
    lines = [{"sample_id": f"mt_bench:test:{row}", "texts": ["First.", "Second."]} for row in (0, 79)]
    path = write_lines(tmp_path / "recorded.jsonl", lines)
    config = RunConfig(
        model="recorded", tasks=("mt_bench",), model_args={"path": str(path), "name": "mine"}, data_dir=str(mirror)
    )
    assert found.prepared.spec == prepare(config).spec
    assert found.prepared.spec.model.name == "mine"


def test_failures_are_never_answers(mirror: Path, tmp_path: Path) -> None:
    rows = [
        answer(81, ["$ERROR$", "Never shown."]),
        answer(82, ["First.", "$ERROR$"]),
        answer(83, ["ERROR", "ERROR"]),
        answer(84, ["First."]),
        answer(85, ["An $ERROR$ quoted.", ""]),
        answer(86, ["First.", None]),
    ]
    found = imported(rows, mirror)
    assert found.num_failures == 5
    assert found.missing == tuple(str(question) for question in range(87, 161))
    stored = records(found, tmp_path / "run")
    assert [texts(stored[str(question)]) for question in range(81, 88)] == [
        [], ["First."], [], ["First."], ["An $ERROR$ quoted.", ""], ["First."], [],
    ]  # fmt: skip
    counts = read_run(tmp_path / "run").result.counts
    assert (counts.scored, dict(counts.unscored_by_cause)) == (1, {"missing_response": 79})
    outcome = stored["82"].outcome
    assert isinstance(outcome, Unscored)
    assert outcome.detail == "answers.jsonl has no turn 2 of it"


def test_the_run_does_not_depend_on_order_copies_or_the_clock(mirror: Path) -> None:
    rows = [answer(81), answer(82, ["a", "b"]), answer(83, ["c", "d"])]
    run_id = imported(rows, mirror).prepared.spec.run_id
    again = imported([*reversed(rows), answer(82, ["a", "b"], tstamp=2.0, answer_id="other")], mirror)
    assert again.prepared.spec.run_id == run_id
    assert again.num_merged == 1
    assert imported([*rows[:2], answer(83, ["c", "e"])], mirror).prepared.spec.run_id != run_id
    assert imported([*rows, answer(84, ["$ERROR$", "d"])], mirror).prepared.spec.run_id == run_id


def test_importing_again_asks_nothing_again(mirror: Path, tmp_path: Path) -> None:
    rows = [answer(question) for question in range(81, 161)]
    for _ in range(2):
        execute(imported(rows, mirror).prepared, tmp_path / "run", Quiet())
    assert len(list((tmp_path / "run" / "journal").iterdir())) == 1


def test_only_the_first_choice_counts(mirror: Path) -> None:
    both = [{"index": 0, "turns": ["a", "b"]}, {"index": 1, "turns": ["c", "d"]}]
    found = imported([answer(81, choices=both)], mirror)
    assert found.num_other_choices == 1
    assert found.prepared.spec.model == imported([answer(81, ["a", "b"])], mirror).prepared.spec.model


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([answer(81), answer(81, ["Other.", "Second."])],
         "f, line 2: differs from f, line 1, which is about the same, question 81, answered by m; keep one of them."),
        ([answer(81), answer(161)], "f, line 2: question 161 is not one of MT-Bench's."),
        ([answer("081")], "f, line 1: question 081 is not one of MT-Bench's."),
        ([answer(82, ["a", "b", "c"])], "f, line 1: 3 turns of question 82, which has 2."),
        ([answer(81), answer(82, model_id="n")],
         "f, line 2: an answer of n, but f, line 1 is of m; import the answers of one model at a time."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["", "mine"])
def test_what_is_refused(rows: list[dict[str, Any]], expected: str, name: str, mirror: Path) -> None:
    with pytest.raises(DataError) as caught:
        imported(rows, mirror, name)
    assert str(caught.value) == expected


def test_texts_of_all_scripts_arrive_whole(mirror: Path, tmp_path: Path) -> None:
    hostile = ["مرحبا\u200f\u2028\r\n", 'नमस्ते "{}" \\n \N{GRINNING FACE}\t\u0007']
    stored = records(imported([answer(81, hostile)], mirror), tmp_path / "run")
    assert texts(stored["81"]) == hostile
    assert msgspec.json.decode(msgspec.json.encode(stored["81"]), type=SampleRecord) == stored["81"]
