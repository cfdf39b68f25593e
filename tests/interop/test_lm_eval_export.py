"""Files in lm-eval's form: lm-eval's own readers take them, its own arithmetic gives their numbers again."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from commands import run_here
from exchanged_runs import faulty_model, judge_of, run_of
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.cli.main import main
from evalsuite.errors import EXIT_USAGE
from evalsuite.interop.lm_eval_names import safe_name
from evalsuite.records import RunResult
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Unscored

pytestmark = pytest.mark.filterwarnings("ignore")

MINI = ("mini_choice", "mini_math_en", "mini_translation_zh-en", "mini_translation_fr-en")
SIX = ("arc_challenge", "gsm8k", "truthfulqa", "winogrande", "mmlu_anatomy", "mmlu_astronomy")
Exported = tuple[Path, RunResult, dict[str, Any], dict[str, list[dict[str, Any]]]]


def exported(run: Path, *flags: str) -> Exported:
    """The run, its results, and the files of its export as they are read: the results and each task's lines."""
    output = run.parent.parent / "exported"
    assert main(["export", str(run), "--to", "lm-eval", "--output", str(output), *flags]) == 0
    (folder,) = output.iterdir()
    (results,) = folder.glob("results_*.json")
    when = results.stem.removeprefix("results_")
    samples = {path.name.removeprefix("samples_").removesuffix(f"_{when}.jsonl"): lines(path)
               for path in folder.glob("samples_*.jsonl")}  # fmt: skip
    return run, read_results(run), json.loads(results.read_bytes()), samples


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(run_of(tmp_path_factory.mktemp("mini") / "runs", "--tasks", ",".join(MINI)))


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> Exported:
    tasks = ("--tasks", ",".join(SIX), "--limit", "60", "--limit_mode", "first", "--data_dir", str(mirror))
    return exported(run_of(tmp_path_factory.mktemp("six") / "runs", *tasks))


def ours(name: str, result: RunResult) -> dict[str, tuple[float, float | None]]:
    return {one.metric: (one.value, one.stderr) for one in result.estimates if one.task == name}


# -- names


@pytest.mark.data
def test_numbers_by_lm_evals_rules_have_its_names(six: Exported) -> None:
    _, result, found, samples = six
    assert set(found["results"]) == {
        "arc_challenge", "gsm8k", "truthfulqa_mc1", "truthfulqa_mc2", "winogrande", "mmlu_anatomy", "mmlu_astronomy",
        "mmlu",
    }  # fmt: skip
    assert set(samples) == set(found["results"]) - {"mmlu"}
    named = {
        ("arc_challenge", "acc,none"): ("arc_challenge", "acc"),
        ("arc_challenge", "acc_norm,none"): ("arc_challenge", "acc_norm_char"),
        ("gsm8k", "exact_match,strict-match"): ("gsm8k", "exact_match_strict"),
        ("gsm8k", "exact_match,flexible-extract"): ("gsm8k", "exact_match_flexible"),
        ("truthfulqa_mc1", "acc,none"): ("truthfulqa", "mc1"),
        ("truthfulqa_mc2", "acc,none"): ("truthfulqa", "mc2"),
        ("winogrande", "acc,none"): ("winogrande", "acc"),
    }
    for (task, key), (name, metric) in named.items():
        metric_name, _, filtered = key.partition(",")
        numbers = found["results"][task]
        assert (numbers[key], numbers[f"{metric_name}_stderr,{filtered}"]) == ours(name, result)[metric]
    micro = next(mean for mean in result.aggregates if mean.is_primary)
    assert (micro.kind, found["groups"]["mmlu"]["acc,none"]) == ("micro", micro.value)
    assert found["group_subtasks"] == {"mmlu": ["mmlu_anatomy", "mmlu_astronomy"]}
    assert (found["n-shot"]["mmlu"], found["higher_is_better"]["mmlu"]) == (0, {"acc": True})
    assert all(not told["differs_from_lm_eval"] for told in found["evalsuite"]["tasks"].values())
    assert found["versions"] == {}, "which version of lm-eval's task it would be, we do not know"
    assert "lm_eval_version" not in found


@pytest.mark.data
@pytest.mark.parametrize(
    ("arguments", "name", "why"),
    [
        (("--tasks", "winogrande", "--protocol", "openllm-v1"), "winogrande@openllm-v1", "its protocol is openllm-v1"),
        (("--tasks", "winogrande", "--truncation", "drop_shots"), "winogrande@lm-eval-0.4", "too long: drop_shots"),
    ],
)
def test_other_rules_have_other_names(
    tmp_path: Path, mirror: Path, arguments: tuple[str, ...], name: str, why: str
) -> None:
    run = run_of(tmp_path / "runs", *arguments, "--limit", "5", "--data_dir", mirror)
    _, _, found, samples = exported(run)
    assert (list(found["results"]), list(samples)) == ([name], [name])
    (reason,) = found["evalsuite"]["tasks"][name]["differs_from_lm_eval"]
    assert why in reason
    assert found["versions"] == {name: 1}


def test_our_own_tasks_are_none_of_lm_evals(mini: Exported) -> None:
    _, _, found, samples = mini
    assert all("@mini-v1" in name for name in (*found["results"], *samples))
    assert found["evalsuite"]["tasks"]["mini_math_en@mini-v1"]["differs_from_lm_eval"] == ["its protocol is mini-v1"]


def test_judges_and_models_in_names_make_no_folders(tmp_path: Path) -> None:
    run = run_of(tmp_path / "runs", "--tasks", "mini_chat_en", "--limit", "6")
    _, result, found, samples = exported(judge_of(run, "kind_judge"))
    name = "mini_chat_en@mini-v1__rating-v1@lab__kind_judge"
    assert list(samples) == [name]
    assert found["results"][name]["rating,none"] == result.estimates[0].value
    assert found["model_name"] == "org/plausible_model"


@given(st.text(max_size=20))
def test_names_are_made_safe_as_lm_eval_makes_them(name: str) -> None:
    from lm_eval.utils import sanitize_model_name

    assert safe_name(name) == sanitize_model_name(name)


# -- numbers


def test_every_number_stands_with_its_interval_and_n(mini: Exported) -> None:
    _, result, found, _ = mini
    told = {
        (task["task"], one["metric"]): one
        for task in found["evalsuite"]["tasks"].values()
        for one in task["estimates"].values()
    }
    for one in result.estimates:
        beside = told[one.task, one.metric]
        numbers = found["results"][f"{one.task}@mini-v1"]
        assert numbers[f"{one.metric},none"] == one.value == beside["value"]
        assert numbers[f"{one.metric}_stderr,none"] == ("N/A" if one.stderr is None else one.stderr)
        assert (beside.get("low"), beside.get("high"), beside["n"]) == (one.low, one.high, one.n)
    for name, mean in found["evalsuite"]["groups"].items():
        assert found["groups"][name][f"{mean['metric']},none"] == mean["value"]
        assert {"low", "high", "n"} <= set(mean)


def test_lm_evals_arithmetic_on_the_samples_gives_the_numbers(mini: Exported) -> None:
    from lm_eval.api.metrics import bleu, chrf, chrfpp, mean, mean_stderr, ter

    corpus = {"bleu": bleu, "chrf": chrf, "chrf++": chrfpp, "ter": ter}
    _, _, found, samples = mini
    num_checked = 0
    for task, rows in samples.items():
        for key, value in found["results"][task].items():
            metric = key.partition(",")[0]
            values = [row[metric] for row in rows if metric in row["metrics"]]
            if metric in corpus:
                assert corpus[metric](values) == pytest.approx(value, rel=1e-9), (task, metric)
                num_checked += 1
            elif values and all(isinstance(one, float) for one in values):
                assert mean(values) == pytest.approx(value)
                if 0 < value < 1:
                    stderr = found["results"][task][key.replace(",", "_stderr,")]
                    assert mean_stderr(values) == pytest.approx(stderr)
                num_checked += 1
    assert num_checked > 30


def test_the_lines_are_the_samples(mini: Exported) -> None:
    from lm_eval.utils import hash_string

    run, _, found, samples = mini
    for record in read_samples(run):
        rows = [row for row in samples[f"{record.task}@mini-v1"] if row["doc"]["id"] == record.sample.id]
        assert [row["filter"] for row in rows] == ["none"]
        (row,) = rows
        assert row["doc_id"] == record.sample.row
        assert len(row["arguments"]) == len(row["resps"]) == len(row["filtered_resps"]) == len(record.items)
        assert row["prompt_hash"] == hash_string(row["arguments"]["gen_args_0"]["arg_0"])
        assert row["target_hash"] == hash_string(row["target"])
        assert row["doc_hash"] == hash_string(json.dumps(row["doc"], indent=2, ensure_ascii=False))
    task = "mini_math_en@mini-v1"
    joined = "".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in samples[task])
    assert found["task_hashes"][task] == hash_string(joined)
    choice = samples["mini_choice_en@mini-v1"][0]
    assert choice["target"] == str(choice["doc"]["gold"])
    assert [(type(ll), type(greedy)) for ((ll, greedy),) in choice["resps"]] == [(str, str)] * 4
    assert [float(ll) for ll, _ in choice["filtered_resps"]] == [float(ll) for ((ll, _),) in choice["resps"]]


@pytest.mark.data
def test_filters_have_lines_of_their_own(six: Exported) -> None:
    rows = six[3]["gsm8k"]
    by_filter: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_filter.setdefault(row["filter"], []).append(row)
    assert list(by_filter) == ["strict-match", "flexible-extract", "none"]
    assert len({len(found) for found in by_filter.values()}) == 1
    assert {tuple(row["metrics"]) for row in by_filter["strict-match"]} == {("exact_match",)}
    for filtered in ("strict-match", "flexible-extract"):
        values = [row["exact_match"] for row in by_filter[filtered]]
        assert sum(values) / len(values) == six[2]["results"]["gsm8k"][f"exact_match,{filtered}"]


@pytest.mark.data
def test_truthfulqa_is_two_tasks_with_their_own_choices(six: Exported) -> None:
    run, _, _, samples = six
    records = [record for record in read_samples(run) if record.task == "truthfulqa"]
    for record, one, two in zip(records, samples["truthfulqa_mc1"], samples["truthfulqa_mc2"], strict=True):
        num_mc1 = int(record.sample.metadata["num_mc1"])
        assert (len(one["arguments"]), len(two["arguments"])) == (num_mc1, len(record.items) - num_mc1)
        levels = [float(level) for level, _ in one["filtered_resps"]]
        assert one["acc"] == float(levels.index(max(levels)) == 0)
        truth = str(record.sample.metadata["mc2_truth"])
        weights = [math.exp(float(level)) for level, _ in two["filtered_resps"]]
        right = math.fsum(weight for weight, mark in zip(weights, truth, strict=True) if mark == "1")
        assert two["acc"] == pytest.approx(right / math.fsum(weights))


# -- partial and incomplete runs


@pytest.mark.data
def test_partial_runs_say_of_how_many(six: Exported) -> None:
    _, _, found, _ = six
    assert found["n-samples"]["winogrande"] == {"original": 1267, "effective": 60}
    assert (found["config"]["limit"], found["evalsuite"]["limit_mode"]) == (60, "first")


def test_incomplete_runs_go_out_marked_if_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of(tmp_path / "runs", "--tasks", "mini_choice_en", code=3, model=faulty_model.__name__)
    unscored = sum(isinstance(record.outcome, Unscored) for record in read_samples(run))
    ran = run_here(capsys, "export", run, "--to", "lm-eval", "--output", tmp_path / "refused")
    assert ran.code == EXIT_USAGE
    assert f"is incomplete: {unscored} of 40 samples without a score (content_filter {unscored})" in ran.err
    assert not (tmp_path / "refused").exists()
    _, _, found, samples = exported(run, "--incomplete")
    task = "mini_choice_en@mini-v1"
    assert len(samples[task]) == found["results"][task]["sample_len"] == 40 - unscored
    assert found["evalsuite"]["status"] == "incomplete"
    assert found["evalsuite"]["tasks"][task]["differs_from_lm_eval"][-1] == (
        f"{unscored} samples have no score and are left out"
    )
    estimate = found["evalsuite"]["tasks"][task]["estimates"]["acc,none"]
    assert (estimate["num_unscored"], estimate["unscored"]) == (unscored, {"content_filter": unscored})
    assert estimate["worst_case"] < estimate["value"] < estimate["best_case"]


# -- lm-eval's own readers, and others


def shown(rows: str) -> dict[tuple[str, str, str], list[str]]:
    """The cells of lm-eval's table by task, filter and metric."""
    found, task = {}, ""
    for row in rows.splitlines()[2:]:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        task = cells[0].lstrip("- ") or task
        found[task, cells[2], cells[4]] = cells
    return found


@pytest.mark.parametrize("which", ["mini", pytest.param("six", marks=pytest.mark.data)])
def test_make_table_shows_every_number(which: str, request: pytest.FixtureRequest) -> None:
    from lm_eval.utils import make_table

    exported: Exported = request.getfixturevalue(which)
    found = exported[2]
    table = shown(make_table(found))
    for task, numbers in found["results"].items():
        for key, value in numbers.items():
            metric, _, filtered = key.partition(",")
            if filtered and not metric.endswith("_stderr"):
                cells = table[task, filtered, metric]
                stderr = numbers[f"{metric}_stderr,{filtered}"]
                assert cells[6] == f"{value:.4f}"
                assert cells[8] == ("N/A" if stderr == "N/A" else f"{stderr:.4f}")
    assert make_table(found, "groups")


def test_the_tracker_saves_what_it_is_given(mini: Exported, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from lm_eval.loggers import EvaluationTracker

    found = json.loads(json.dumps(mini[2]))
    tracker = EvaluationTracker(output_path=str(tmp_path))
    tracker.general_config_tracker.log_experiment_args(
        model_source=found["model_source"], model_args=found["config"]["model_args"], system_instruction=None,
        chat_template=None, fewshot_as_multiturn=False,
    )  # fmt: skip
    with caplog.at_level(logging.WARNING):
        tracker.save_results_aggregated(results=found)
    assert not caplog.records
    (saved,) = tmp_path.rglob("results_*.json")
    again = json.loads(saved.read_bytes())
    assert {key: again[key] for key in ("results", "groups", "evalsuite")} == {
        key: mini[2][key] for key in ("results", "groups", "evalsuite")
    }
    assert again["model_name"] == "org/plausible_model"


def test_the_wandb_logger_reads_the_results(mini: Exported) -> None:
    from lm_eval.loggers import WandbLogger

    logger = WandbLogger.__new__(WandbLogger)  # its constructor wants a network; what reads results does not
    logger.post_init(mini[2])
    assert set(logger._get_config()["task_configs"]) == set(logger.task_names) - set(logger.group_names)
    _, numbers = logger._sanitize_results_dict()
    assert numbers["mini_math_en@mini-v1/exact_match"] == mini[2]["results"]["mini_math_en@mini-v1"]["exact_match,none"]
    for name, config in mini[2]["configs"].items():
        assert config["output_type"] in ("multiple_choice", "generate_until")
        listed = {metric["metric"] for metric in config["metric_list"]}
        assert listed == {metric for row in mini[3][name] for metric in row["metrics"]}


def test_lm_evals_names_of_files_are_kept(mini: Exported) -> None:
    from lm_eval.utils import get_file_datetime, get_file_task_name, get_results_filenames, get_sample_results_filenames

    folder = next((mini[0].parent.parent / "exported").iterdir())
    names = sorted(f"{folder.name}/{path.name}" for path in folder.iterdir())
    assert folder.name == "org__plausible_model"
    (results,) = get_results_filenames(names)
    samples = get_sample_results_filenames(names)
    assert len(samples) == len(names) - 1
    assert {get_file_task_name(Path(name).name) for name in samples} == set(mini[3])
    when = {get_file_datetime(Path(name).name) for name in samples}
    assert when == {get_file_datetime(Path(results).name).removesuffix(".json")}


def test_datasets_load_the_samples(mini: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    folder = next((mini[0].parent.parent / "exported").iterdir())
    for task, rows in mini[3].items():
        (path,) = (path for path in folder.iterdir() if path.name.startswith(f"samples_{task}_"))
        loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
        assert len(loaded) == len(rows)
        assert loaded[0]["doc"]["id"] == rows[0]["doc"]["id"]


# -- bytes


def test_the_same_run_gives_the_same_bytes(mini: Exported, tmp_path: Path) -> None:
    def written(folder: Path) -> Mapping[str, bytes]:
        assert main(["export", str(mini[0]), "--to", "lm-eval", "--output", str(folder)]) == 0
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = written(tmp_path / "first")
    assert first == written(tmp_path / "second")
    assert all(b"NaN" not in content for content in first.values())
