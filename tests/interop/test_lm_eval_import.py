"""What lm-eval 0.4.13 itself wrote, read as sealed runs: its numbers again, sample by sample, and nothing made up."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from commands import run_here
from lm_eval_runs import evaluate, write_tasks
from pages import board_in

from evalsuite.cli.main import main
from evalsuite.comparability import data_hash, task_disagreements
from evalsuite.errors import EXIT_USAGE, DataError
from evalsuite.interop.lm_eval_files import find_results, read_lm_eval
from evalsuite.interop.lm_eval_import import import_lm_eval
from evalsuite.interop.sealed_runs import read_sealed
from evalsuite.outcomes import Sealed
from evalsuite.records import RunResult, SampleRecord, TaskSpec
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Completion, Flag, GenerateRequest, Loglikelihood, LoglikelihoodRequest, Scored

pytestmark = pytest.mark.filterwarnings("ignore")

LEAVES = ("tiny_first", "tiny_second", "tiny_math", "tiny_translation", "tiny_text")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("lm_eval") / "tasks")


@pytest.fixture(scope="module")
def results(tasks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evaluate(tasks, tmp_path_factory.mktemp("written"))


@pytest.fixture
def sealed(results: Path) -> Sealed:
    return import_lm_eval(read_lm_eval(results)).sealed


def theirs(results: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(results.read_bytes())
    return value


def lines(results: Path, task: str) -> list[dict[str, Any]]:
    when = results.stem.removeprefix("results_")
    path = results.with_name(f"samples_{task}_{when}.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def key_of(metric: str) -> str:
    return metric if "," in metric else f"{metric},none"


def check_numbers(result: RunResult, found: Mapping[str, Any]) -> int:
    """Every estimate is the file's; how many errors have a formula in lm-eval and were equal."""
    num_equal = 0
    for one in result.estimates:
        numbers = found["results"][one.task]
        metric, _, filtered = key_of(one.metric).partition(",")
        assert one.value == pytest.approx(numbers[f"{metric},{filtered}"], rel=1e-12)
        assert one.n == numbers["sample_len"] == found["n-samples"][one.task]["effective"]
        stderr = numbers[f"{metric}_stderr,{filtered}"]
        assert one.higher_is_better == found["higher_is_better"][one.task][metric]
        if metric in ("acc", "acc_norm", "exact_match") and stderr:
            assert one.stderr == pytest.approx(stderr, rel=1e-9)
            num_equal += 1
    expected = {
        (task, key)
        for task in found["configs"]
        for key in found["results"][task]
        if "," in key and "_stderr," not in key
    }
    assert {(one.task, key_of(one.metric)) for one in result.estimates} == expected
    return num_equal


# -- numbers


def test_values_and_errors_are_lm_evals(sealed: Sealed, results: Path) -> None:
    assert check_numbers(sealed.result, theirs(results)) == 6
    assert sealed.result.status == "complete"
    assert sealed.result.counts.scored == 30 + 13 + 20 + 15 + 8


def test_every_samples_scores_are_lm_evals(sealed: Sealed, results: Path) -> None:
    num_checked = 0
    for task in ("tiny_first", "tiny_second", "tiny_math", "tiny_text"):
        records = [record for record in sealed.records if record.task == task]
        rows = {(row["doc_id"], row["filter"]): row for row in lines(results, task)}
        assert {record.sample.row for record in records} == {doc_id for doc_id, _ in rows}
        for record in records:
            assert isinstance(record.outcome, Scored)
            for score in record.outcome.scores:
                metric, _, filtered = key_of(score.name).partition(",")
                value = rows[record.sample.row, filtered][metric]
                assert score.counts == (tuple(value) if isinstance(value, list) else (value, 1.0))
                num_checked += 1
    assert num_checked == 2 * 30 + 2 * 13 + 2 * 20 + 3 * 8


def test_intervals_and_primary_metrics(sealed: Sealed) -> None:
    headlines = [(one.task, one.metric) for one in sealed.result.estimates if one.is_primary]
    assert headlines == [
        ("tiny_first", "acc"), ("tiny_second", "acc"), ("tiny_math", "exact_match,strict-match"),
        ("tiny_translation", "bleu"), ("tiny_text", "word_perplexity"),
    ]  # fmt: skip
    for one in sealed.result.estimates:
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.value < one.high
    accuracy = sealed.result.estimates[0]
    assert (accuracy.interval, accuracy.scale, accuracy.bounds) == ("wilson", 100.0, (0.0, 1.0))


@pytest.mark.parametrize("weighted", [True, False])
def test_a_groups_number_is_lm_evals(tmp_path: Path, weighted: bool) -> None:
    tasks = write_tasks(tmp_path / "tasks", weighted=weighted)
    results = evaluate(tasks, tmp_path / "out", ["tiny_group"])
    found = import_lm_eval(read_lm_eval(results))
    (mean,) = [one for one in found.sealed.result.aggregates if one.is_primary]
    assert mean.kind == ("micro" if weighted else "macro")
    assert (mean.family, mean.members) == ("tiny_group", ("tiny_first", "tiny_second"))
    assert mean.value == pytest.approx(theirs(results)["groups"]["tiny_group"]["acc,none"])
    assert len({one.value for one in found.sealed.result.aggregates if one.metric == "acc"}) == 2
    assert not any("tiny_group" in note for note in found.notes)


def test_lm_evals_dummy_on_a_part_of_the_samples(tasks: Path, tmp_path: Path) -> None:
    results = evaluate(tasks, tmp_path, ["tiny_group", "tiny_math"], model="dummy", limit=7)
    result = import_lm_eval(read_lm_eval(results)).sealed.result
    check_numbers(result, theirs(results))
    assert result.spec.model.identity["model"] == "dummy"
    assert result.spec.limit == 7
    assert [(spec.num_samples, spec.num_available) for spec in result.spec.tasks] == [(7, 30), (7, 13), (7, 20)]


# -- what is known of the run, and what is not


def test_the_file_says_who_and_how(sealed: Sealed, results: Path) -> None:
    spec = sealed.result.spec
    assert (spec.model.name, spec.model.engine, spec.subject) == ("org/tiny", "imported", "org/tiny")
    identity = spec.model.identity
    assert (identity["format"], identity["lm_eval_version"]) == ("lm-eval", "0.4.13")
    assert json.loads(str(identity["model_args"])) == {"pretrained": "org/tiny"}
    assert identity["evaluated_at"] == theirs(results)["date"]
    by_name = {task.name: task for task in spec.tasks}
    assert {task.protocol for task in spec.tasks} == {"lm-eval@0.4.13"}
    assert (by_name["tiny_math"].num_fewshot, by_name["tiny_math"].version, by_name["tiny_math"].seed) == (2, 3, 1234)
    assert by_name["tiny_second"].version == 0, "1.5 is no version of ours"
    assert (by_name["tiny_first"].datasets[0].path, by_name["tiny_first"].datasets[0].split) == ("json", "test")


def test_what_the_file_does_not_say_is_empty(sealed: Sealed) -> None:
    for task in sealed.result.spec.tasks:
        assert [pin.revision for pin in task.datasets] == [""]
    assert {record.sample.language for record in sealed.records} == {"und"}
    for reply in (reply for record in sealed.records for reply in record.responses):
        assert reply.num_tokens == 0  # type: ignore[union-attr]
        assert not isinstance(reply, Completion) or reply.stop_reason == "unknown"
    assert sealed.result.stacks == ()


def test_other_rows_and_other_prompts_keep_imported_runs_apart(results: Path, tmp_path: Path) -> None:
    def specs(name: str, change: Callable[[dict[str, Any]], None]) -> dict[str, TaskSpec]:
        folder = tmp_path / name
        shutil.copytree(results.parent, folder)
        for file in folder.glob("samples_tiny_math_*.jsonl"):
            lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            for line in lines:
                change(line)
            file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        found = import_lm_eval(read_lm_eval(folder / results.name)).sealed.result.spec
        return {task.name: task for task in found.tasks}

    same = specs("same", lambda line: None)
    rows = specs("rows", lambda line: line["doc"].update(note="another row"))
    prompts = specs("prompts", lambda line: line["arguments"]["gen_args_0"].update(arg_0="Asked otherwise."))
    (reason,) = task_disagreements(same["tiny_math"], rows["tiny_math"])
    assert reason.startswith("rows of json")
    assert data_hash([same["tiny_math"]]) != data_hash([rows["tiny_math"]])
    assert same["tiny_math"].prompts_hash == rows["tiny_math"].prompts_hash != prompts["tiny_math"].prompts_hash
    assert task_disagreements(same["tiny_math"], prompts["tiny_math"]) == ()
    assert rows["tiny_first"] == same["tiny_first"]
    (pin,) = same["tiny_math"].datasets
    unknown = msgspec.structs.replace(same["tiny_math"], datasets=(msgspec.structs.replace(pin, fingerprint=""),))
    (reason,) = task_disagreements(unknown, unknown)
    assert reason.endswith("not known of either side")


def test_samples_hold_what_was_asked_and_answered(sealed: Sealed, results: Path) -> None:
    records: dict[str, list[SampleRecord]] = {}
    for record in sealed.records:
        records.setdefault(record.task, []).append(record)
    for record, row in zip(records["tiny_first"], lines(results, "tiny_first"), strict=True):
        asked = [item.request for item in record.items]
        assert all(isinstance(request, LoglikelihoodRequest) for request in asked)
        assert [(request.context, request.continuation) for request in asked] == [  # type: ignore[union-attr]
            tuple(given.values()) for given in row["arguments"].values()
        ]
        levels = [reply.sum_nats for reply in record.responses if isinstance(reply, Loglikelihood)]
        assert [str(level) for level in levels] == [level for level, _ in row["filtered_resps"]]
        assert record.sample.gold == int(row["target"])
        assert record.sample.choices == tuple(row["doc"]["choices"])
        assert isinstance(record.outcome, Scored)
        assert record.outcome.answer == row["doc"]["choices"][levels.index(max(levels))]
        assert (record.outcome.answer == record.sample.target) == bool(row["acc"])
    (first, *_) = records["tiny_math"]
    request, reply = first.items[0].request, first.responses[0]
    assert isinstance(request, GenerateRequest)
    assert isinstance(reply, Completion)
    row = lines(results, "tiny_math")[0]
    assert (request.prompt, request.stop, request.max_tokens) == (row["arguments"]["gen_args_0"]["arg_0"], ("Q:",), 0)
    assert reply.text == row["resps"][0][0]
    assert records["tiny_translation"][0].items[0].request.max_tokens == 40  # type: ignore[union-attr]
    unparsed = {record.sample.row for record in records["tiny_math"] if _flags(record) == (Flag.UNPARSED,)}
    assert unparsed == {
        row["doc_id"] for row in lines(results, "tiny_math")
        if row["filter"] == "strict-match" and row["filtered_resps"] == ["[invalid]"]
    }  # fmt: skip
    assert unparsed


def _flags(record: SampleRecord) -> tuple[Flag, ...]:
    assert isinstance(record.outcome, Scored)
    return record.outcome.flags


# -- the command, the store, the page


@pytest.fixture
def stored(results: Path, tmp_path: Path) -> Path:
    assert main(["import", "lm-eval", str(results), "--output_path", str(tmp_path / "runs")]) == 0
    (path,) = (tmp_path / "runs").iterdir()
    return path


def test_the_run_is_stored_shown_and_compared(
    stored: Path, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = read_sealed(stored)
    assert sealed.result == read_results(stored)
    assert sealed.began is not None
    assert sealed.began.timestamp() == pytest.approx(theirs(results)["date"], abs=1e-5)
    page = tmp_path / "page.html"
    assert main(["report", str(stored), "--output", str(page)]) == 0
    board = board_in(page)
    assert {(one.protocol, one.shots, one.version) for one in board.columns} >= {("lm-eval@0.4.13", "2", "3")}
    assert "evalsuite import lm-eval FILES" in board.runs[0].command
    assert "und" not in {
        column.label for family in board.families for table in family.tables for column in table.columns
    }
    again = run_here(capsys, "import", "lm-eval", results, "-o", tmp_path / "other", "--name", "again", "--json")
    assert again.code == 0
    assert "left empty, since lm-eval's files do not say it: the rows' revision, languages" in again.err
    compared = run_here(capsys, "compare", stored, again.json["path"], "--json")
    assert compared.code == 0
    differences = {(one["name"], one["metric"]): one for one in compared.json["differences"]}
    assert differences["tiny_math", "exact_match,strict-match"]["difference"] == 0
    assert differences["tiny_math", "exact_match,strict-match"]["n"] == 20


def test_the_same_files_are_the_same_run(stored: Path, results: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in stored.iterdir()}
    assert main(["import", "lm-eval", str(results.parent), "--output_path", str(stored.parent)]) == 0
    assert [path.name for path in stored.parent.iterdir()] == [stored.name]
    after = {path.name: path.read_bytes() for path in stored.iterdir()}
    assert {name: after[name] for name in before if name != "lock"} == {
        name: content for name, content in before.items() if name != "lock"
    }


def test_several_results_are_several_runs(tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for limit in (3, 5):
        evaluate(tasks, tmp_path / "out" / str(limit), ["tiny_first"], limit=limit)
    assert len(find_results(tmp_path / "out")) == 2
    ran = run_here(capsys, "import", "lm-eval", tmp_path / "out", "-o", tmp_path / "runs", "--json")
    assert ran.code == 0
    assert [run["results"][0]["n"] for run in ran.json["runs"]] == [3, 5]
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_out_again_it_is_lm_evals_results(stored: Path, results: Path, tmp_path: Path) -> None:
    assert main(["export", str(stored), "--to", "lm-eval", "--output", str(tmp_path / "back")]) == 0
    (written,) = (tmp_path / "back").rglob("results_*.json")
    before, after = theirs(results), theirs(written)
    assert set(before["results"]) == set(after["results"])
    for task, numbers in before["results"].items():
        for key, value in numbers.items():
            if "," in key and "_stderr," not in key:
                assert after["results"][task][key] == pytest.approx(value, rel=1e-12)
    for task in LEAVES:
        for old, new in zip(lines(results, task), lines(written, task), strict=True):
            for key in ("doc_id", "arguments", "resps", "filter", "metrics", "prompt_hash", *old["metrics"]):
                if key == "arguments" and task in ("tiny_math", "tiny_translation"):
                    assert new[key]["gen_args_0"]["arg_0"] == old[key]["gen_args_0"]["arg_0"]
                else:
                    assert new[key] == old[key], (task, key)


# -- what is not taken over


def test_metrics_without_counts_are_said_to_be_left_out(tmp_path: Path) -> None:
    median = ("acc_norm, aggregation: mean", "acc_norm, aggregation: median")
    tasks = write_tasks(tmp_path / "tasks", changes={"tiny_first": median})
    results = evaluate(tasks, tmp_path / "out", ["tiny_first"])
    found = import_lm_eval(read_lm_eval(results))
    assert [one.metric for one in found.sealed.result.estimates] == ["acc"]
    assert found.notes[0] == ("not taken over: acc_norm,none of tiny_first, since its samples do not give it (median)")


def test_choices_that_are_asked_twice_are_choices_once(tmp_path: Path) -> None:
    mutual = ("metric: acc_norm,", "metric: acc_mutual_info,")
    results = evaluate(
        write_tasks(tmp_path / "tasks", changes={"tiny_first": mutual}), tmp_path / "out", ["tiny_first"]
    )
    sealed = import_lm_eval(read_lm_eval(results)).sealed
    check_numbers(sealed.result, theirs(results))
    assert {len(record.items) for record in sealed.records} == {8}
    for record, row in zip(sealed.records, lines(results, "tiny_first"), strict=True):
        assert record.sample.choices == tuple(row["doc"]["choices"])
        assert isinstance(record.outcome, Scored)
        assert (record.outcome.answer == record.sample.target) == bool(row["acc"])


def test_a_group_that_is_no_mean_is_said_to_be_left_out(results: Path, tmp_path: Path) -> None:
    copy = copied(results, tmp_path, lambda value: value["groups"]["tiny_group"].update({"acc,none": 0.123}))
    found = import_lm_eval(read_lm_eval(copy))
    assert found.notes[0] == "not taken over: the group tiny_group, whose number is not the mean of its tasks"
    assert {one.family for one in found.sealed.result.estimates} >= {"tiny_first", "tiny_second"}
    assert found.sealed.result.aggregates == ()


# -- refusals


def copied(results: Path, folder: Path, change: Callable[[Any], None] = lambda value: None) -> Path:
    """The files in a folder of their own, the results changed."""
    copy = Path(shutil.copytree(results.parent, folder / "copy")) / results.name
    value = theirs(copy)
    change(value)
    copy.write_text(json.dumps(value, indent=2), encoding="utf-8")
    return copy


def with_line(results: Path, folder: Path, task: str, change: Callable[[Any], None]) -> Path:
    """The files with the fourth line of a task's samples changed."""
    copy = copied(results, folder)
    when = copy.stem.removeprefix("results_")
    path = copy.with_name(f"samples_{task}_{when}.jsonl")
    rows = path.read_text(encoding="utf-8").split("\n")
    row = json.loads(rows[3])
    change(row)
    rows[3] = json.dumps(row)
    path.write_text("\n".join(rows), encoding="utf-8")
    return copy


def number(task: str, key: str, value: Any) -> Callable[[Any], None]:
    return lambda found: found["results"][task].update({key: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (number("tiny_first", "acc,none", 0.9), r"tiny_first: acc,none is 0\.9 there, and its samples give 0\.\d+"),
        (number("tiny_math", "exact_match,strict-match", 1.0), "tiny_math: exact_match,strict-match is 1"),
        (number("tiny_first", "acc_stderr,none", 0.001), r"the standard error of acc,none is 0\.001 there"),
        (number("tiny_translation", "bleu,none", 77.7), r"bleu,none is 77\.7 there"),
        (number("tiny_text", "bits_per_byte,none", 0.1), r"bits_per_byte,none is 0\.1 there"),
        (
            number("tiny_first", "acc,none", "half"),
            "'results' has 'half' for acc,none of tiny_first; expected a number",
        ),
        (lambda value: value.pop("configs"), "no results file of lm-eval: it has not both 'results' and 'configs'"),
        (lambda value: value.update(results={}), "it has the results of no task"),
        (lambda value: value.update(evalsuite={"run_id": "abc"}), "evalsuite wrote this from its run abc"),
        (lambda value: value["n-shot"].update(tiny_first="two"), "'n-shot' has 'two' for tiny_first"),
        (lambda value: value.update(group_subtasks={"tiny_group": "all"}), "'group_subtasks' has 'all' for tiny_group"),
    ],
)
def test_changed_results_are_refused(results: Path, tmp_path: Path, change: Callable[[Any], None], said: str) -> None:
    with pytest.raises(DataError, match=said) as refused:
        import_lm_eval(read_lm_eval(copied(results, tmp_path, change)))
    assert results.name in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: row.update(acc=1.0 - row["acc"]), "acc,none is"),
        (lambda row: row.update(doc_id=0), "line 4: document 0 of tiny_first as in .*line 1; keep one of them"),
        (lambda row: row.update(doc_id="x"), "line 4: 'doc_id' is 'x'"),
        (lambda row: row.pop("acc"), "line 4: no 'acc'"),
        (lambda row: row.update(metrics="acc"), "line 4: 'metrics' is 'acc'"),
        (lambda row: row.update(arguments={}), "line 4: 'arguments' is"),
        (lambda row: row.update(resps=[]), "line 4: 4 requests, but 0 answers"),
        (lambda row: row.update(resps=["x"] * 4), "line 4: 'resps' is .* expected a list for each request"),
        (lambda row: row["resps"].__setitem__(0, [["low", "False"]]), "line 4: the log-likelihood 'low' is no number"),
        (lambda row: row["arguments"].update(gen_args_0={"a": 1, "b": 2, "c": 3}), "line 4: a request is"),
    ],
)
def test_changed_samples_are_refused(results: Path, tmp_path: Path, change: Callable[[Any], None], said: str) -> None:
    with pytest.raises(DataError, match=said):
        import_lm_eval(read_lm_eval(with_line(results, tmp_path, "tiny_first", change)))


def test_samples_that_end_too_early_are_refused(results: Path, tmp_path: Path) -> None:
    copy = copied(results, tmp_path)
    (samples,) = copy.parent.glob("samples_tiny_text_*")
    samples.write_text(samples.read_text(encoding="utf-8").partition("\n")[0], encoding="utf-8")
    with pytest.raises(DataError, match=r"tiny_text was evaluated on 8 documents, and samples_.* has 1 of"):
        read_lm_eval(copy)


def test_errors_by_another_rule_are_no_change(results: Path, tmp_path: Path) -> None:
    def by_itself(value: Any) -> None:
        for listed in value["configs"]["tiny_first"]["metric_list"]:
            listed["aggregation"] = "nanmean"
        value["results"]["tiny_first"]["acc_stderr,none"] = 0.0123

    found = import_lm_eval(read_lm_eval(copied(results, tmp_path, by_itself)))
    assert found.sealed.result.estimates[0].metric == "acc", "the mean of what it holds is what it says"
    assert found.sealed.result.estimates[0].stderr != 0.0123


def test_results_without_samples_are_refused(results: Path, tmp_path: Path) -> None:
    copy = copied(results, tmp_path)
    next(copy.parent.glob("samples_tiny_math_*")).unlink()
    with pytest.raises(DataError, match=r"the samples of tiny_math are not beside it .* them with --log_samples"):
        read_lm_eval(copy)
    hostile = copied(results, tmp_path / "up", lambda value: value["configs"].update({"../x": {}}))
    value = theirs(hostile)
    value["results"]["../x"] = {"acc,none": 1.0}
    hostile.write_text(json.dumps(value))
    (hostile.parent.parent / f"x_{hostile.stem.removeprefix('results_')}.jsonl").write_text("{}")
    with pytest.raises(DataError, match=r"the samples of \.\./x are not beside it"):
        read_lm_eval(hostile)


def test_infinite_log_likelihoods_stay_lm_evals_business(results: Path, tmp_path: Path) -> None:
    copy = with_line(results, tmp_path, "tiny_first", lambda row: row["resps"].__setitem__(0, [["-inf", "False"]]))
    sealed = import_lm_eval(read_lm_eval(copy)).sealed
    assert math.isclose(sealed.result.estimates[0].value, theirs(copy)["results"]["tiny_first"]["acc,none"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rule", "fastchat"), "--rule fastchat: the rule of lm-eval needs no name."),
        (("--baseline", "m"), "--baseline: "),
        (("--data_dir", "d"), "--data_dir: "),
    ],
)
def test_options_of_other_formats_are_refused(
    results: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    ran = run_here(capsys, "import", "lm-eval", results, *arguments)
    assert ran.code == EXIT_USAGE
    assert said in ran.err


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no results_\*\.json of lm-eval"):
        find_results(tmp_path)


def test_stored_samples_are_those_of_the_files(stored: Path, sealed: Sealed) -> None:
    assert tuple(read_samples(stored)) == sealed.records
