"""Samples asked several times: seeds of their own, one cluster, one mean."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean, stdev

import pytest

from evalsuite.config import RunConfig
from evalsuite.engines.base import EngineOptions
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.errors import EXIT_USAGE, UsageError
from evalsuite.prepare import Prepared, prepare
from evalsuite.records import RunResult, SampleRecord
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_samples
from evalsuite.types import Completion, GenerateRequest, Request, Response, Scored

TASK = "mini_math_en"
NUM_ROWS = 10


def by_seed(request: Request) -> Response:
    """Right for every third seed."""
    assert isinstance(request, GenerateRequest)
    text = "#### 42" if request.seed % 3 else RIGHT[str(request.prompt)]
    return Completion(text=text, stop_reason="end", num_prompt_tokens=1, num_tokens=1)


RIGHT: dict[str, str] = {}


def open_by_seed(options: EngineOptions) -> ScriptedEngine:
    return ScriptedEngine(by_seed, label="by seed")


def prepared_with(repeats: int, **changes: object) -> Prepared:
    settings = {"tasks": (TASK,), "limit": float(NUM_ROWS), "gen_kwargs": {"temperature": 0.9}, **changes}
    return prepare(RunConfig(model="scripted", repeats=repeats, apply_chat_template=False, **settings))  # type: ignore[arg-type]


def run_with(path: Path, repeats: int) -> tuple[RunResult, list[SampleRecord]]:
    prepared = prepared_with(repeats)
    prepared.engine._function = by_seed  # type: ignore[attr-defined]
    for entry in prepared.tasks:
        for sample in entry.samples:
            (request,) = entry.task.next_requests(sample, ())
            assert isinstance(request, GenerateRequest)
            RIGHT[str(request.prompt)] = f"#### {sample.target}"
    finished = execute(prepared, path, Quiet())
    assert finished.result is not None
    return finished.result, list(read_samples(path))


def is_right(record: SampleRecord) -> float:
    assert isinstance(record.outcome, Scored)
    (score,) = [score for score in record.outcome.scores if score.name == "exact_match"]
    return score.counts[0]


def test_repeats_of_a_row_are_one_cluster(tmp_path: Path) -> None:
    """The value is the mean of the rows' means, its error that of those means."""
    result, records = run_with(tmp_path / "many", 7)
    by_row: dict[int, list[float]] = {}
    for record in records:
        by_row.setdefault(record.sample.row, []).append(is_right(record))
    assert {len(scores) for scores in by_row.values()} == {7}
    means = [fmean(scores) for scores in by_row.values()]
    assert len(set(means)) > 2
    (found,) = [estimate for estimate in result.estimates if estimate.metric == "exact_match"]
    assert found.value == pytest.approx(fmean(means))
    assert (found.n, found.num_clusters) == (7 * NUM_ROWS, NUM_ROWS)
    assert found.stderr is not None
    assert found.stderr == pytest.approx(stdev(means) / math.sqrt(NUM_ROWS), rel=0.2)
    (task,) = result.spec.tasks
    assert (task.num_samples, task.repeats, task.is_partial) == (NUM_ROWS, 7, True)


def test_seeds_differ_and_the_first_is_that_of_a_single_run(tmp_path: Path) -> None:
    _, single = run_with(tmp_path / "one", 1)
    _, many = run_with(tmp_path / "many", 3)
    seeds = {record.sample.id: record.items[0].request.seed for record in many}  # type: ignore[union-attr]
    assert len(set(seeds.values())) == len(many) == 3 * NUM_ROWS
    firsts = {record.sample.id: record for record in many if "+" not in record.sample.id}
    for record in single:
        assert firsts[record.sample.id].responses == record.responses
        assert firsts[record.sample.id].items == record.items


def test_only_what_is_sampled_is_repeated() -> None:
    prepared = prepared_with(3, tasks=(TASK, "mini_choice_en"))
    assert {entry.task.name: entry.repeats for entry in prepared.tasks} == {TASK: 3, "mini_choice_en": 1}
    with pytest.raises(UsageError, match="--repeats: no task samples its answers"):
        prepared_with(3, gen_kwargs={})
    with pytest.raises(UsageError, match="--repeats"):
        prepared_with(2, tasks=("mini_choice_en",))


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5"])
def test_wrong_numbers_are_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    from evalsuite.cli.main import main

    assert main(["run", "--model", "scripted", "--tasks", TASK, "--repeats", number]) == EXIT_USAGE
    assert "--repeats" in capsys.readouterr().err
