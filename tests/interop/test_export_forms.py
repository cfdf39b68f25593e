"""Exports to the hub, to Every Eval Ever and to DVC: read back by their own readers where these are installed."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import run_here
from exchanged_runs import MINI, faulty_model, judge_of, run_of

from evalsuite.cli.main import main
from evalsuite.errors import EXIT_USAGE
from evalsuite.interop.data_sources import source_of
from evalsuite.interop.sealed_runs import read_sealed
from evalsuite.records import RunResult
from evalsuite.store.results import read_results


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("exported"), "--tasks", ",".join(MINI))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> Path:
    """All samples of a task whose rows are a dataset of the hub, of one whose rows have an address, and of a family."""
    tasks = "xcopa_zh,mt_bench,mmlu_anatomy,mmlu_astronomy"
    return run_of(tmp_path_factory.mktemp("whole"), "--tasks", tasks, "--data_dir", mirror)


def export(output: Path, form: str, *arguments: object) -> dict[str, bytes]:
    """The files of an export by their place below the output folder."""
    assert main(["export", "--to", form, "--output", str(output), *map(str, arguments)]) == 0
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def refused(capsys: pytest.CaptureFixture[str], output: Path, *arguments: object) -> str:
    """The one line of an export that ends with exit code 2 and writes nothing."""
    ran = run_here(capsys, "export", "--output", output, *arguments)
    assert (ran.code, ran.out) == (EXIT_USAGE, "")
    assert not output.exists()
    (line,) = ran.err.splitlines()
    return line


def record_of(files: dict[str, bytes]) -> dict[str, Any]:
    ((place, content),) = files.items()
    assert re.fullmatch(
        r"data/evalsuite/[^/]+/[^/]+/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]\w{3}-\w{12}\.json", place
    )
    value: dict[str, Any] = json.loads(content)
    return value


def check_schema(record: dict[str, Any]) -> None:
    """The fields that the schema requires and the types that it is strict about; by its own models where installed."""
    assert {"schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata", "model_info", "eval_library",
            "evaluation_results"} <= set(record)  # fmt: skip
    assert {"source_type", "source_organization_name", "evaluator_relationship"} <= set(record["source_metadata"])
    for result in record["evaluation_results"]:
        assert set(result) == {"evaluation_result_id", "evaluation_name", "source_data", "metric_config",
                               "score_details", "generation_config"}  # fmt: skip
        metric = result["metric_config"]
        if metric.get("score_type") == "continuous":
            assert metric["min_score"] <= result["score_details"]["score"] <= metric["max_score"]
        for details in (metric["additional_details"], result["score_details"]["details"],
                        result["generation_config"]["additional_details"],
                        result["source_data"].get("additional_details", {})):  # fmt: skip
            assert all(isinstance(value, str) for value in details.values())
        assert result["source_data"]["source_type"] in ("hf_dataset", "url", "other")
        assert (result["source_data"]["source_type"] == "url") == ("url" in result["source_data"])
    ids = [result["evaluation_result_id"] for result in record["evaluation_results"]]
    assert len(set(ids)) == len(ids)
    models = [record["model_info"]]
    models += [judge["model_info"] for result in record["evaluation_results"]
               for judge in result["metric_config"].get("llm_scoring", {}).get("judges", ())]  # fmt: skip
    for model in models:
        assert {"deployment_type", "model_availability"} <= set(model["additional_details"])
        assert all(isinstance(value, str) for value in model["additional_details"].values())
    _check_by_its_own_package(record)


def _check_by_its_own_package(record: dict[str, Any]) -> None:
    try:
        from every_eval_ever.eval_types import EvaluationLog
    except ImportError:  # it needs a later Python than we do
        return
    EvaluationLog.model_validate(record)


# -- Every Eval Ever


def test_every_number_is_a_result_with_its_interval(run: Path, tmp_path: Path) -> None:
    record = record_of(export(tmp_path, "eee", run, "--organization", "A lab", "--relationship", "third_party"))
    check_schema(record)
    result = read_results(run)
    found = {one["evaluation_result_id"]: one for one in record["evaluation_results"]}
    numbers = {f"{one.task}/{one.metric}": one for one in result.estimates}
    means = {f"{one.name}/{one.metric}": one for one in result.aggregates}
    assert set(found) == set(numbers) | set(means)
    for key, one in (numbers | means).items():
        details = found[key]["score_details"]
        assert (details["score"], details["uncertainty"]["num_samples"]) == (one.value, one.n)
        interval = details["uncertainty"].get("confidence_interval", {})
        assert (interval.get("lower"), interval.get("upper")) == (one.low, one.high)
        assert details["uncertainty"].get("standard_error", {}).get("value") == one.stderr
        assert found[key]["metric_config"]["additional_details"]["protocol"] == "mini-v1"
        assert found[key]["metric_config"]["lower_is_better"] == (one.metric == "ter")
    assert "score_type" not in found["mini_translation_en-fr/ter"]["metric_config"], "TER has no upper end"
    assert found["mini_translation_en-fr/bleu"]["metric_config"]["max_score"] == 100.0
    assert record["source_metadata"]["source_organization_name"] == "A lab"
    assert record["source_metadata"]["evaluator_relationship"] == "third_party"
    began = read_sealed(run).began
    assert began is not None
    assert record["evaluation_timestamp"] == str(int(began.timestamp()))


def test_partial_and_incomplete_runs_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of(tmp_path / "few", "--tasks", "mini_choice_en", "--limit", "7")
    record = record_of(export(tmp_path / "eee", "eee", run))
    assert {one["score_details"]["details"]["partial"] for one in record["evaluation_results"]} == {"7 of 40 samples"}
    faulty = run_of(tmp_path / "faulty", "--tasks", "mini_choice_en", code=3, model=faulty_model.__name__)
    for form in ("eee", "dvc"):
        assert "is incomplete" in refused(capsys, tmp_path / "no", faulty, "--to", form)
    record = record_of(export(tmp_path / "marked", "eee", faulty, "--incomplete"))
    assert "without a score" in record["source_metadata"]["additional_details"]["incomplete"]
    details = record["evaluation_results"][0]["score_details"]["details"]
    assert int(details["num_unscored"]) > 0
    assert float(details["worst_case"]) < float(details["best_case"])


def test_judges_are_named(tmp_path: Path) -> None:
    run = run_of(tmp_path / "runs", "--tasks", "mini_chat_en", "--limit", "6")
    kind, stern = judge_of(run, "kind_judge"), judge_of(run, "stern_judge")
    record = record_of(export(tmp_path / "one", "eee", kind))
    check_schema(record)
    assert record["model_info"]["id"] == "org/plausible_model"
    assert "engine" not in record["model_info"]["additional_details"], "that is the judge's"
    scoring = record["evaluation_results"][0]["metric_config"]["llm_scoring"]
    assert [judge["model_info"]["id"] for judge in scoring["judges"]] == ["lab/kind_judge"]
    assert scoring["input_prompt"] == "evalsuite judge rating, version 1"
    assert "aggregation_method" not in scoring
    assert main(["jury", str(kind), str(stern), "--output_path", str(tmp_path / "jury")]) == 0
    (jury,) = (tmp_path / "jury").iterdir()
    record = record_of(export(tmp_path / "two", "eee", jury, "--date", "2026-11-22T13:00:00Z"))
    check_schema(record)
    scoring = record["evaluation_results"][0]["metric_config"]["llm_scoring"]
    assert [judge["model_info"]["id"] for judge in scoring["judges"]] == ["lab/kind_judge", "lab/stern_judge"]
    assert scoring["aggregation_method"] == "average"
    assert record["evaluation_timestamp"] == "1795352400"


def test_a_record_says_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of(tmp_path / "runs", "--tasks", "mini_choice_en", "--limit", "4")
    (run / "telemetry.jsonl").unlink()
    assert "does not say when it was made, which a record must; give --date" in refused(
        capsys, tmp_path / "no", run, "--to", "eee"
    )
    early, late = (
        record_of(export(tmp_path / when, "eee", run, "--date", when)) for when in ("2026-01-01", "2026-01-02T00:00:00")
    )
    assert int(late["evaluation_timestamp"]) - int(early["evaluation_timestamp"]) == 24 * 3600


@pytest.mark.data
def test_rows_are_where_they_can_be_had(whole: Path, tmp_path: Path) -> None:
    record = record_of(export(tmp_path, "eee", whole))
    check_schema(record)
    data = {one["evaluation_name"]: one["source_data"] for one in record["evaluation_results"]}
    assert data["xcopa_zh"]["hf_repo"] == "cambridgeltl/xcopa"
    assert (data["xcopa_zh"]["samples_number"], data["xcopa_zh"]["additional_details"]["config"]) == (500, "zh")
    assert data["mt_bench"]["source_type"] == "url"
    assert data["mt_bench"]["url"][0].endswith("/question.jsonl")
    assert data["mmlu micro acc"]["hf_repo"] == "cais/mmlu"
    assert "samples_number" not in data["mmlu micro acc"], "that of one of its tasks is not that of all"
    sealed = read_sealed(whole)
    found = source_of(sealed, "mt_bench")
    assert found is not None
    assert found.hub_id == ""


# -- the hub


@pytest.mark.data
def test_entries_of_the_hub(whole: Path, tmp_path: Path) -> None:
    from huggingface_hub import EvalResultEntry
    from huggingface_hub._eval_results import eval_result_entries_to_yaml, parse_eval_result_entries

    url = "https://example.org/report"
    files = export(tmp_path, "hub", whole, "--task_id", "xcopa_zh=zh", "--task_id", "mmlu=all", "--url", url)
    assert set(files) == {".eval_results/xcopa_zh.yaml", ".eval_results/mmlu.yaml"}
    entries = {Path(place).stem: yaml.safe_load(content) for place, content in files.items()}
    result = read_results(whole)
    mean = next(one for one in result.aggregates if one.is_primary)
    xcopa = next(one for one in result.estimates if one.task == "xcopa_zh")
    for name, dataset, task_id, measure in (
        ("xcopa_zh", "cambridgeltl/xcopa", "zh", xcopa),
        ("mmlu", "cais/mmlu", "all", mean),
    ):
        (entry,) = parse_eval_result_entries(entries[name])
        assert isinstance(entry, EvalResultEntry)
        assert (entry.dataset_id, entry.task_id, entry.source_url) == (dataset, task_id, url)
        assert entry.value == pytest.approx(100 * measure.value, abs=1e-4)
        assert eval_result_entries_to_yaml([entry]) == entries[name]
        assert entry.notes is not None
        assert f"n {measure.n};" in entry.notes
        assert f"95 % interval {100 * (measure.low or 0):.1f} to {100 * (measure.high or 0):.1f}, n " in entry.notes
        assert "protocol lm-eval-0.4" in entry.notes
        assert result.run_id in entry.notes
        assert entry.verify_token is None
    began = read_sealed(whole).began
    assert began is not None
    assert entries["mmlu"][0]["date"] == began.date().isoformat()


@pytest.mark.data
def test_what_the_hub_cannot_show_is_refused(
    whole: Path, run: Path, tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "hub"
    there = "It has: mmlu (cais/mmlu), xcopa_zh (cambridgeltl/xcopa)."
    said = refused(capsys, output, whole, "--to", "hub")
    assert "--to hub needs --task_id NAME=ID" in said
    assert there in said
    said = refused(capsys, output, whole, "--to", "hub", "--task_id", "xcopa=zh")
    assert "--task_id xcopa: the run has no such number; did you mean 'xcopa_zh'? " in said
    said = refused(capsys, output, whole, "--to", "hub", "--task_id", "mt_bench=x")
    assert "its rows are no dataset of the hub" in said
    assert "expected NAME=ID" in refused(capsys, output, whole, "--to", "hub", "--task_id", "xcopa_zh")
    assert "one run at a time" in refused(capsys, output, whole, run, "--to", "hub", "--task_id", "mmlu=all")
    said = refused(capsys, output, run, "--to", "hub", "--task_id", "mini_choice=x")
    assert "None of its numbers is of a dataset of the hub." in said
    few = run_of(tmp_path / "few", "--tasks", "xcopa_zh", "--limit", "9", "--data_dir", mirror)
    said = refused(capsys, output, few, "--to", "hub", "--task_id", "xcopa_zh=zh")
    assert "9 of 500 samples. The hub's boards show a number alone" in said
    faulty = run_of(tmp_path / "faulty", "--tasks", "mini_choice_en", code=3, model=faulty_model.__name__)
    for flags in ((), ("--incomplete",)):
        assert "without a score" in refused(capsys, output, faulty, "--to", "hub", "--task_id", "x=y", *flags)


# -- DVC


def leaves(value: Any, way: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(value, dict):
        return {way: value}
    return {place: leaf for key, below in value.items() for place, leaf in leaves(below, (*way, key)).items()}


def shown(result: RunResult) -> dict[tuple[str, ...], float]:
    """Every number that the JSON must hold, by the way to it."""
    found: dict[tuple[str, ...], float] = {}
    for name, one in (*((one.task, one) for one in result.estimates), *((one.name, one) for one in result.aggregates)):
        for key in ("value", "low", "high", "stderr"):
            if (number := getattr(one, key)) is not None:
                found[name, one.metric, key] = number * one.scale
        found[name, one.metric, "n"] = one.n
    return found


def test_metrics_of_dvc_are_numbers_alone(run: Path, tmp_path: Path) -> None:
    files = export(tmp_path, "dvc", run)
    assert set(files) == {"metrics.json", "plots.csv"}
    found = leaves(json.loads(files["metrics.json"]))
    assert all(isinstance(value, int | float) for value in found.values())
    for way, number in shown(read_results(run)).items():
        assert found[way] == pytest.approx(number)
    assert {way[2] for way in found} == {
        "value", "low", "high", "stderr", "n", "num_unscored", "num_samples", "num_available",
    }  # fmt: skip


def test_plots_of_dvc_have_a_row_a_number(run: Path, tmp_path: Path) -> None:
    few = run_of(tmp_path / "few", "--tasks", "mini_choice_en", "--limit", "5", model="kind_choices")
    files = export(tmp_path / "out", "dvc", run, few)
    rows = list(csv.DictReader(io.StringIO(files["plots.csv"].decode())))
    found = {(row["model"], row["name"], row["metric"]): row for row in rows}
    assert len(found) == len(rows)
    for way, number in shown(read_results(run)).items():
        assert float(found["org/plausible_model", way[0], way[1]][way[2]]) == pytest.approx(number)
    row = found["org/kind_choices", "mini_choice_en", "acc"]
    assert (row["num_samples"], row["num_available"], row["protocol"], row["language"]) == ("5", "40", "mini-v1", "en")
    nested = json.loads(files["metrics.json"])
    assert list(nested) == ["org/kind_choices", "org/plausible_model"]
    assert float(row["value"]) == nested["org/kind_choices"]["mini_choice_en"]["acc"]["value"]


def test_two_runs_of_one_model_are_told_apart(run: Path, tmp_path: Path) -> None:
    few = run_of(tmp_path / "few", "--tasks", "mini_choice_en", "--limit", "5")
    nested = json.loads(export(tmp_path / "out", "dvc", run, few)["metrics.json"])
    assert set(nested) == {f"org/plausible_model {read_results(path).run_id}" for path in (run, few)}


def test_names_are_no_formulas_and_no_folders(run: Path, tmp_path: Path) -> None:
    files = export(tmp_path / "dvc", "dvc", run, "--name", "=1+1/../x")
    assert {line.split(",")[0] for line in files["plots.csv"].decode().splitlines()[1:]} == {"'=1+1/../x"}
    (place,) = export(tmp_path / "eee", "eee", run, "--name", "../../x")
    assert Path(place).parts[:4] == ("data", "evalsuite", "unnamed", "..__x")
    for name, folder in (("../x", "..__x"), ("..", "unnamed")):
        places = export(tmp_path / folder, "lm-eval", run, "--name", name)
        assert {Path(place).parts[0] for place in places} == {folder}


@pytest.mark.parametrize("form", ["eee", "dvc"])
def test_the_same_runs_give_the_same_bytes(run: Path, tmp_path: Path, form: str) -> None:
    assert export(tmp_path / "one", form, run) == export(tmp_path / "two", form, run)
