"""``evalsuite.load``: every number of a run as pandas has it, in documented columns, with nothing made up."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from exchanged_runs import MINI, copied, damage, faulty_model, judge_of, run_of

import evalsuite
from evalsuite.errors import CorruptStore, SpecMismatch
from evalsuite.querying.columns import DTYPES, TABLES
from evalsuite.records import Aggregate, Estimate
from evalsuite.store.results import read_results, read_rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("loaded"), "--tasks", ",".join(MINI), "--limit", "30")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which one request in eight fails."""
    return run_of(tmp_path_factory.mktemp("faulty"), "--tasks", "mini_choice", code=3, model=faulty_model.__name__)


def test_columns_and_dtypes_are_those_documented(run: Path) -> None:
    loaded = evalsuite.load(run)
    for table, columns in TABLES.items():
        frame = getattr(loaded, table)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
            column.name: DTYPES[column.kind] for column in columns
        }, table
        assert len(frame), table


@pytest.mark.parametrize(("table", "kind"), [("estimates", Estimate), ("aggregates", Aggregate)])
def test_numbers_are_the_results_own(run: Path, faulty: Path, table: str, kind: type) -> None:
    same = {field.name for field in msgspec.structs.fields(kind)} & {column.name for column in TABLES[table]}
    assert {"value", "low", "high", "stderr", "n", "num_unscored", "metric", "protocol"} <= same
    for path in (run, faulty):
        frame = getattr(evalsuite.load(path), table)
        ones = getattr(read_results(path), table)
        assert len(frame) == len(ones)
        for row, one in zip(frame.to_dict("records"), ones, strict=True):
            for name in same - {"unscored", "parts", "members"}:
                stored = getattr(one, name)
                assert pd.isna(row[name]) if stored is None else row[name] == stored, name
    assert json.loads(frame.iloc[0]["unscored" if table == "estimates" else "members"])


def test_tasks_and_runs_say_how_samples_ended(faulty: Path) -> None:
    loaded, result = evalsuite.load(faulty), read_results(faulty)
    assert loaded.run_id == result.run_id
    assert (loaded.model, loaded.status) == ("org/faulty_model", "incomplete")
    for row, task in zip(loaded.tasks.to_dict("records"), result.tasks, strict=True):
        assert (row["task"], row["num_unscored"]) == (task.task, task.counts.unscored)
        assert json.loads(row["unscored"]) == task.counts.unscored_by_cause
    (row,) = loaded.runs.to_dict("records")
    assert row["num_unscored"] == result.counts.unscored > 0
    assert pd.isna(row["judge"])
    assert pd.isna(row["sample_limit"])
    assert row["began"].endswith("+00:00")


def test_what_is_unscored_is_missing_and_no_number(faulty: Path) -> None:
    samples = evalsuite.load(faulty).samples
    lost = samples[samples["status"] == "unscored"]
    assert len(lost) == read_results(faulty).counts.unscored > 0
    assert lost["value"].isna().all()
    assert set(lost["cause"]) == {"content_filter"}
    scored = samples[samples["status"] == "scored"]
    assert scored["value"].notna().all()
    assert not any(map(math.isnan, samples["value"].dropna()))


def test_means_of_samples_are_the_headlines(run: Path, faulty: Path) -> None:
    for path in (run, faulty):
        loaded = evalsuite.load(path)
        means = loaded.samples.groupby("task")["value"].mean()
        headlines = loaded.estimates[loaded.estimates["is_primary"] & (loaded.estimates["formula"] == "mean")]
        assert len(headlines) >= 2
        for row in headlines.to_dict("records"):
            assert means[row["task"]] == pytest.approx(row["value"], abs=1e-12)
    assert evalsuite.load(run).samples.query("family == 'mini_translation'")["value"].isna().all(), "a corpus score"


def test_samples_are_all_that_is_stored(run: Path) -> None:
    rows = evalsuite.load(run).samples.drop(columns=["run", "value"]).to_dict("records")
    assert rows == read_rows(run)


def test_frames_of_several_runs_go_together(run: Path, tmp_path: Path) -> None:
    other = run_of(tmp_path, "--tasks", "mini_choice_en", "--limit", "5", model="kind_choices")
    both = pd.concat([evalsuite.load(path).estimates for path in (run, other)], ignore_index=True)
    assert both["model"].nunique() == both["run"].nunique() == 2
    assert str(both["low"].dtype) == "Float64"


def test_a_judge_run_says_who_judged(tmp_path: Path) -> None:
    judged = judge_of(run_of(tmp_path, "--tasks", "mini_chat_en", "--limit", "4"), "kind_judge")
    (row,) = evalsuite.load(judged).runs.to_dict("records")
    assert (row["model"], row["answering"], row["judge"]) == ("org/plausible_model", "lab/kind_judge", "rating")
    assert evalsuite.load(judged).samples["value"].notna().all()


def test_a_path_may_be_text_and_must_hold_a_run(run: Path, tmp_path: Path) -> None:
    assert evalsuite.load(str(run)).run_id == read_results(run).run_id
    with pytest.raises(SpecMismatch, match="has no sealed results"):
        evalsuite.load(tmp_path)
    with pytest.raises(SpecMismatch, match="is a folder of runs; give one of them"):
        evalsuite.load(run.parent)
    with pytest.raises(SpecMismatch, match=r"results\.json is no run's directory"):
        evalsuite.load(run / "results.json")
    with pytest.raises(SpecMismatch, match="there is no run at"):
        evalsuite.load(tmp_path / "none")
    damaged = copied(run, tmp_path)
    damage(damaged / "samples.parquet")
    with pytest.raises(CorruptStore, match=r"samples\.parquet cannot be read"):
        _ = evalsuite.load(damaged).samples


def test_a_run_says_what_it_is_in_one_line(run: Path) -> None:
    loaded = evalsuite.load(run)
    assert repr(loaded).startswith(f"<run {loaded.run_id}: ")
    assert len(repr(loaded)) < 200 + len(str(run))


def test_the_package_itself_imports_nothing() -> None:
    """``import evalsuite`` must stay free, though it offers pandas frames: no module of ours, no library."""
    probe = "import sys; before = set(sys.modules); import evalsuite; print(*sorted(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) <= {"__future__", "evalsuite"}
