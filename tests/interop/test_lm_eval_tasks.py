"""lm-eval's own tasks asked of our engines: the same answers and numbers as lm-eval's own run, in a run of ours."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import run_here
from datasets import Dataset as Rows
from lm_eval_runs import evaluate, write_tasks

from evalsuite import plugins
from evalsuite.config import RunConfig
from evalsuite.data import source_from_environment
from evalsuite.errors import DataError, RowsMissing, UnknownName, UsageError
from evalsuite.interop import lm_eval_catalogue, lm_eval_index
from evalsuite.interop.lm_eval_catalogue import protocol
from evalsuite.interop.lm_eval_languages import language_of
from evalsuite.interop.lm_eval_names import names_of
from evalsuite.interop.lm_eval_requests_out import conversation, generation
from evalsuite.interop.lm_eval_scores import metrics_of
from evalsuite.interop.lm_eval_task import _Tables, _whole
from evalsuite.interop.sealed_runs import read_sealed
from evalsuite.metrics import f1, matthews
from evalsuite.prepare import Prepared, prepare
from evalsuite.proofs.rebuilding import rebuild
from evalsuite.proofs.rebuilt import Surroundings
from evalsuite.proofs.recounting import recount, rows_by_task
from evalsuite.records import RunResult
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_samples
from evalsuite.types import GenerateRequest, LoglikelihoodRequest, RollingRequest

pytestmark = pytest.mark.filterwarnings("ignore")

WEIGHTED_BY_TASK = """
group: tiny_outer
task: [tiny_math, {group: tiny_inner, task: [tiny_first, tiny_second],
       aggregate_metric_list: [{metric: acc, weight_by_size: true}]}]
aggregate_metric_list:
  - {metric: exact_match, weight_by_size: false, filter_list: [strict-match]}
"""
SHUFFLED = """
include: tiny_first.yaml
task: tiny_shuffled
training_split: train
dataset_kwargs: {data_files: {test: FOLDER/choice.json, train: FOLDER/exemplars.json}}
process_docs: !function shuffled.shuffled
"""
SHUFFLING = """
import random
import numpy


def _shuffled(row):
    choices = [f"{numpy.random.randint(1000)} {choice}" for choice in row["choices"]]
    random.shuffle(choices)
    return {"question": row["question"], "choices": choices, "answer": 0}


def shuffled(rows):
    return rows.map(_shuffled)
"""
REFUSED = {
    "tiny_median": ("metric_list:\n  - {metric: acc, aggregation: median, higher_is_better: true}\n", "median"),
    "tiny_code": ("unsafe_code: true\n", "runs the code"),
    "tiny_image": ("doc_to_image: [picture]\n", "pictures"),
    "tiny_fixed": ("num_fewshot: 0\n", ""),
    "tiny_beams": ("generation_kwargs: {until: ['x'], num_beams: 4}\n", "num_beams=4"),
    "tiny_absent": ("dataset_kwargs: {data_files: {test: /nowhere/there.json}}\n", ""),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = write_tasks(tmp_path_factory.mktemp("lm_eval") / "tasks")
    (found / "tiny_outer.yaml").write_text(WEIGHTED_BY_TASK, encoding="utf-8")
    (found / "tiny_shuffled.yaml").write_text(SHUFFLED.replace("FOLDER", str(found)), encoding="utf-8")
    exemplars = json.loads((found / "choice.json").read_text(encoding="utf-8"))[:9]
    (found / "exemplars.json").write_text(json.dumps(exemplars), encoding="utf-8")
    (found / "shuffled.py").write_text(SHUFFLING, encoding="utf-8")
    for name, (change, _) in REFUSED.items():
        base = "tiny_translation" if name == "tiny_beams" else "tiny_first"
        (found / f"{name}.yaml").write_text(f"include: {base}.yaml\ntask: {name}\n{change}", encoding="utf-8")
    return found


@pytest.fixture(autouse=True)
def known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tiny tasks are lm-eval's, for as long as a test lasts."""
    monkeypatch.setenv(lm_eval_index.OWN_FOLDERS, str(folder))
    forget()
    yield
    forget()


def asked(*names: str, **options: Any) -> Prepared:
    """A run of lm-eval's tasks by an engine that needs no model."""
    tasks = tuple(f"lm_eval:{name}" for name in names)
    return prepare(RunConfig(model="scripted", tasks=tasks, **{"limit": 6, "limit_mode": "first", **options}))


def run(prepared: Prepared, path: Path) -> RunResult:
    result = execute(prepared, path, Quiet()).result
    assert result is not None
    return result


def test_requests_are_lm_evals_own(folder: Path) -> None:
    lm_eval_side = pytest.importorskip("lm_eval_side")
    names = ("tiny_first", "tiny_math", "tiny_text")
    from lm_eval.tasks import TaskManager

    theirs = TaskManager(include_defaults=False, include_path=str(folder)).load(list(names))["tasks"]
    for entry in asked(*names).tasks:
        requests = [request for sample in entry.samples for request in entry.task.next_requests(sample, ())]
        instances = lm_eval_side.requests(theirs[entry.task.name.removeprefix("lm_eval.")], 6)
        assert len(requests) == len(instances)
        for request, instance in zip(requests, instances, strict=True):
            if isinstance(request, LoglikelihoodRequest):
                assert (request.context, request.continuation) == instance.args
            elif isinstance(request, RollingRequest):
                assert (request.text,) == instance.args
            else:
                assert (request.prompt, list(request.stop)) == (instance.args[0], instance.args[1]["until"])


def test_a_prompt_depends_on_no_limit() -> None:
    """lm-eval draws exemplars in the order of documents; a row asked by itself has those of the whole run."""
    (whole,) = asked("tiny_math", limit=None).tasks
    (alone,) = asked("tiny_math", limit=None, samples={"lm_eval.tiny_math": (11,)}).tasks
    assert alone.task.next_requests(alone.samples[0], ()) == whole.task.next_requests(whole.samples[11], ())


def test_a_shuffle_is_lm_evals(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `process_docs` draws is drawn as in an lm-eval command of the task alone, and leaves no trace."""
    import datasets
    import numpy

    def texts() -> list[tuple[str, str]]:
        (entry,) = asked("tiny_shuffled").tasks
        requests = [one for sample in entry.samples for one in entry.task.next_requests(sample, ())]
        return [(str(one.context), one.continuation) for one in requests if isinstance(one, LoglikelihoodRequest)]

    random.seed(7)
    expected = random.random()
    random.seed(7)
    numpy.random.seed(7)
    ours = texts()
    assert random.random() == expected
    numpy.random.seed(8)
    assert texts() == ours
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")  # else an earlier shuffle is found
    results = evaluate(folder, tmp_path / "theirs", ["tiny_shuffled"], limit=6)
    (file,) = results.parent.glob("samples_*.jsonl")
    theirs = [json.loads(line)["arguments"] for line in file.read_text(encoding="utf-8").splitlines()]
    assert ours == [(one["arg_0"], one["arg_1"]) for document in theirs for one in document.values()]


def test_a_field_that_the_first_row_lacks_is_there() -> None:
    assert _whole(({"a": 1}, {"a": 2, "hint": "x"})) == [{"a": 1, "hint": None}, {"a": 2, "hint": "x"}]


def test_another_splits_rows_are_not_taken_for_one() -> None:
    tables = _Tables({"test": Rows.from_list([{"a": 1}, {"a": 2}])}, ("test", "train"))
    assert len(tables["train"]) == 1
    with pytest.raises(DataError, match="split 'dev'; its file names test, train"):
        tables["dev"]


def test_conversations_keep_their_messages() -> None:
    (entry,) = asked("tiny_math", apply_chat_template=True, system_instruction="Answer with care.").tasks
    (request,) = entry.task.next_requests(entry.samples[0], ())
    assert isinstance(request, GenerateRequest)
    assert [turn.role for turn in request.prompt if not isinstance(turn, str)] == [
        "system", "user", "assistant", "user", "assistant", "user",
    ]  # fmt: skip


def test_groups_have_lm_evals_means(tmp_path: Path) -> None:
    result = run(asked("tiny_outer", limit=None), tmp_path / "run")
    assert {task.family for task in result.tasks} == {"lm_eval.tiny_outer"}
    assert all(task.protocol.startswith(f"{protocol()}+own-") for task in result.tasks)
    values = {(one.task, one.metric): one for one in result.estimates}
    first, second = values["lm_eval.tiny_first", "acc"], values["lm_eval.tiny_second", "acc"]
    assert (first.n, second.n) == (30, 13)
    inner = next(one for one in result.aggregates if "tiny_inner" in one.name and one.metric == "acc")
    assert inner.kind == "micro"
    assert math.isclose(inner.value, (30 * first.value + 13 * second.value) / 43)
    assert inner.low is not None
    assert inner.high is not None
    assert inner.low < inner.value < inner.high


def test_a_stored_run_is_built_again(tmp_path: Path) -> None:
    """Its tasks are found by the group that was asked for, and their samples are the same."""
    path = tmp_path / "run"
    result = run(asked("tiny_group", "tiny_text"), path)
    rows = rows_by_task(result, list(read_samples(path)))
    rebuilt = rebuild(result, rows, Surroundings(source_from_environment(None)))
    assert not rebuilt.missing
    assert not rebuilt.no_data
    assert rebuilt.scorable == {task.name for task in result.spec.tasks}


def test_means_of_groups_follow_from_the_result_alone(tmp_path: Path) -> None:
    """As on a page, which has no tasks: a group that lacks a metric in one of its tasks, and a group within it."""
    path = tmp_path / "run"
    result = run(asked("tiny_outer", limit=None), path)
    rows = rows_by_task(result, list(read_samples(path)))
    assert recount(result, rows).numbers.aggregates == result.aggregates


def forget() -> None:
    for one in (lm_eval_catalogue._entries, lm_eval_catalogue._leaf, lm_eval_catalogue._group):
        one.cache_clear()


@pytest.mark.parametrize(("file", "before", "after"), [
    ("tiny_math.yaml", "#### (", "=### ("), ("rows.py", "range(13)", "range(12)"),
])  # fmt: skip
def test_an_edited_task_is_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, before: str, after: str
) -> None:
    own = write_tasks(tmp_path / "own")
    monkeypatch.setenv(lm_eval_index.OWN_FOLDERS, str(own))

    def once() -> tuple[str, str]:
        forget()
        prepared = asked("tiny_math" if file == "tiny_math.yaml" else "tiny_second")
        return prepared.tasks[0].task.protocol, prepared.spec.run_id

    earlier = once()
    assert once() == earlier
    text = (own / file).read_text(encoding="utf-8")
    assert before in text
    (own / file).write_text(text.replace(before, after), encoding="utf-8")
    assert all(now != then for now, then in zip(once(), earlier, strict=True))
    assert earlier[0].startswith(f"{protocol()}+own-")


def test_lm_evals_tasks_keep_its_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a group of the user's, unless that changes them."""
    (tmp_path / "same.yaml").write_text("group: same\ntask: [arc_easy, arc_challenge]\n", "utf-8")
    (tmp_path / "mine.yaml").write_text("group: mine\ntask: [{task: arc_easy, num_fewshot: 3}]\n", "utf-8")
    monkeypatch.setenv(lm_eval_index.OWN_FOLDERS, str(tmp_path))
    forget()
    for name in ("arc_easy", "same"):
        assert lm_eval_catalogue.choose(name)[0][0].protocols == (protocol(),)
    (changed,) = lm_eval_catalogue.choose("mine")[0][0].protocols
    assert changed.startswith(f"{protocol()}+own-")


def test_exports_have_lm_evals_names(tmp_path: Path) -> None:
    result = run(asked("tiny_group"), tmp_path / "run")
    sealed = read_sealed(tmp_path / "run")
    names = [name for spec in result.spec.tasks for name in names_of(sealed, spec).values()]
    assert {(name.task, name.key) for name in names} == {
        (task, key) for task in ("tiny_first", "tiny_second") for key in ("acc,none", "acc_norm,none")
    }


def test_the_same_run_resumes(tmp_path: Path) -> None:
    once = run(asked("tiny_group"), tmp_path / "run")
    again = execute(asked("tiny_group"), tmp_path / "run", Quiet())
    assert again.result == once


@pytest.mark.parametrize(("name", "said"), [(name, said) for name, (_, said) in REFUSED.items() if said])
def test_what_cannot_be_run_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        asked(name)
    assert name in str(refused.value)


def test_a_task_of_two_names_is_asked_in_runs_of_their_own() -> None:
    """A run holds it once: the mean of the other name would lack it."""
    for names in (("tiny_first", "tiny_outer"), ("tiny_outer", "tiny_first")):
        with pytest.raises(UsageError, match=r"lm_eval\.tiny_first is in lm_eval\.\w+ and in lm_eval\.\w+; ask"):
            asked(*names)
    assert {task.family for task in asked("tiny_outer", "tiny_outer").spec.tasks} == {"lm_eval.tiny_outer"}


def test_groups_within_a_group_have_their_names(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = run_here(capsys, "run", "--model", "scripted", "--tasks", "lm_eval:tiny_outer", "--limit", 6, "-o", tmp_path)
    assert "::tiny_inner micro" in ran.out


def test_a_file_that_is_no_yaml_is_named(folder: Path) -> None:
    bad = folder / "bad.yaml"
    bad.write_text("task: tiny_bad\nmetric_list: [\n", encoding="utf-8")
    try:
        with pytest.raises(UsageError, match=r"knows no task tiny_bad, and cannot read .*bad\.yaml: .*line 3"):
            asked("tiny_bad")
    finally:
        bad.unlink()


def test_no_code_from_elsewhere_is_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package evaluate takes a metric's code from the present folder, before it asks the hub."""
    import evaluate

    monkeypatch.chdir(tmp_path)
    (tmp_path / "exact_thing").mkdir()
    (tmp_path / "exact_thing" / "exact_thing.py").write_text("open('ran', 'w').close()\n", encoding="utf-8")
    code = "import evaluate\n\nmetric = evaluate.load('exact_thing')\n\n\ndef rows(docs):\n    return docs\n"
    (folder / "loading.py").write_text(code, encoding="utf-8")
    task = "include: tiny_first.yaml\ntask: tiny_loading\nprocess_docs: !function loading.rows\n"
    (folder / "tiny_loading.yaml").write_text(task, encoding="utf-8")
    forget()
    real = evaluate.load
    with pytest.raises(UsageError, match="tiny_loading: it asks the package evaluate for exact_thing, which runs code"):
        asked("tiny_loading")
    assert evaluate.load is real
    assert not (tmp_path / "ran").exists()


def test_a_fixed_number_of_exemplars_stays() -> None:
    """lm-eval ignores the user's number silently; here nobody gets another prompt than was asked for."""
    assert asked("tiny_fixed").tasks[0].task.num_fewshot == 0
    with pytest.raises(UsageError, match="says 0"):
        asked("tiny_fixed", num_fewshot=3)


def test_missing_rows_are_named() -> None:
    with pytest.raises(RowsMissing, match="its own loader has none"):
        asked("tiny_absent")


def test_an_unknown_name_has_a_near_one() -> None:
    with pytest.raises(UnknownName, match="did you mean 'tiny_group'"):
        asked("tiny_grup")


def test_a_metric_without_counts_is_left_out_and_named() -> None:
    config = {
        "output_type": "multiple_choice",
        "metric_list": [
            {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
            {"metric": "own", "aggregation": max, "higher_is_better": True},
        ],
        "process_results": lambda doc, results: {},
    }
    found, left = metrics_of(config)
    assert [one.key for one in found] == ["acc"]
    assert left == ("own (aggregated by its own max)",)


def test_a_mean_of_a_tasks_own_is_found_by_trial() -> None:
    entry = {"metric": "own", "aggregation": lambda values: sum(values) / len(values), "higher_is_better": True}
    found, left = metrics_of({"output_type": "generate_until", "metric_list": [entry], "process_results": len})
    assert [one.counts(0.5) for one in found] == [(0.5, 1.0)]
    assert not left


@pytest.mark.parametrize("labels", [[(0, 0), (0, 1), (1, 1), (1, 0), (1, 1)], [(0, 1), (1, 1)], [(0, 0), (1, 0)]])
def test_label_metrics_are_lm_evals(labels: list[tuple[int, int]]) -> None:
    from lm_eval.api.metrics import f1_score, matthews_corrcoef

    counts = tuple(float(sum(pair == (place // 2, place % 2) for pair in labels)) for place in range(4))
    assert f1(counts) == pytest.approx(f1_score(labels))
    assert matthews(counts) == pytest.approx(matthews_corrcoef(labels))


def test_generation_settings() -> None:
    greedy = generation("x", {"until": "\n", "do_sample": False, "temperature": 0.7, "top_k": 5, "max_gen_toks": 9})
    assert (greedy.temperature, greedy.stop, greedy.max_tokens) == (0.0, ("\n",), 9)
    assert generation("x", {"until": [], "do_sample": True}).temperature == 1.0
    assert generation("x", {"until": [], "temperature": 0.4}).temperature == 0.4
    with pytest.raises(UsageError, match="do_sample=True and temperature=0"):
        generation("x", {"do_sample": True, "temperature": 0})
    assert generation("x", {"until": []}).max_tokens == 256
    with pytest.raises(UsageError, match="top_k=5"):
        generation("x", {"do_sample": True, "top_k": 5})


def test_an_answer_that_is_begun_is_refused() -> None:
    with pytest.raises(UsageError, match="gen_prefix"):
        conversation([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], False)


def test_the_index_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(lm_eval_index, "_root", lambda: folder)
    environ = {"EVALSUITE_CACHE": str(tmp_path)}
    entries = lm_eval_index.read_index(environ)
    assert {"tiny_group", "tiny_math"} <= entries.keys()
    assert entries["tiny_group"].members == ("tiny_first", "tiny_second")

    def never(*_: Any) -> Any:
        raise AssertionError("the files are read again")

    monkeypatch.setattr(lm_eval_index, "_entries_below", never)
    assert lm_eval_index.read_index(environ) == entries


def test_languages_are_guessed_from_names() -> None:
    assert language_of("belebele_arb_Arab", "arb_Arab", "belebele") == "ar"
    assert language_of("hellaswag_fr", "fr", "okapi/hellaswag_multilingual") == "fr"
    assert language_of("kmmlu_law", "Law", "kmmlu") == "ko"
    assert language_of("gsm8k", "main", "gsm8k") == "und"


def test_the_catalogue_is_found_by_its_prefix() -> None:
    (choice,) = plugins.choose_tasks(["lm_eval:tiny_text"])
    assert choice.name == choice.family.name == "lm_eval.tiny_text"
    assert plugins.choose_tasks(["lm_eval.tiny_text"])[0].name == choice.name


@pytest.mark.model
def test_numbers_are_lm_evals() -> None:
    """Five kinds of task, a group and a group within it: every document, every value, from both sides."""
    lm_eval_tasks = pytest.importorskip("lm_eval_tasks")
    for one in lm_eval_tasks.compare(("local_text", "local_words", "local_translation", "local_group"), 3, None):
        assert one.ours.is_whole, one
        assert one.within.is_whole, one
