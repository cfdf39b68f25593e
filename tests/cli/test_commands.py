"""What each command prints, writes and returns: the JSON that programs read, selection, resuming, exit codes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from evalsuite.config import RunConfig
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK
from evalsuite.models import BUILT_IN
from evalsuite.prepare import prepare
from evalsuite.types import Sample

LANGUAGES = ("ar", "en", "es", "fr", "hi", "zh")
RESULT_KEYS = {"task", "protocol", "metric", "language", "value", "stderr", "low", "high", "n", "num_unscored"}
DRY_RUN_KEYS = {"task", "num_samples", "num_requests", "num_tokens_naive", "num_tokens_planned"}

Files = Callable[[], dict[str, bytes]]


def run(*arguments: object) -> tuple[object, ...]:
    """A run of the scripted engine."""
    return ("run", "--model", "scripted", *arguments)


# -- run


def test_run_ends_with_one_json_object(command: Any, workplace: Path) -> None:
    ran = command(*run("--tasks", "mini_choice_en", "mini_math_zh", "--limit", 4, "--json"))
    assert ran.code == EXIT_OK
    assert {"run", "path", "status", "counts", "results"} <= set(ran.json)
    assert ran.json["status"] == "complete"
    assert ran.json["counts"]["requested"] == ran.json["counts"]["scored"] == 8
    assert (workplace / ran.json["path"] / "results.json").is_file()
    assert ran.json["path"].endswith(ran.json["run"])


def test_pairs_that_are_given_again_add_to_those_before(command: Any, workplace: Path) -> None:
    pairs = ("-a", "delay_s=0", "-a", "name=mine", "--gen_kwargs", "temperature=0.5", "--gen_kwargs", "max_gen_toks=9")
    ran = command(*run("--tasks", "mini_chat_en", "--limit", 2, *pairs, "--json"))
    assert ran.code == EXIT_OK
    spec = json.loads((workplace / ran.json["path"] / "spec.json").read_text(encoding="utf-8"))
    assert spec["model"]["name"] == "mine"
    assert spec["generation"] == {"max_tokens": 9, "temperature": 0.5}


def test_every_result_carries_its_uncertainty(command: Any) -> None:
    ran = command(*run("--tasks", "mini_choice_en", "mini_math_zh", "mini_translation_en-hi", "--limit", 4, "--json"))
    results = ran.json["results"]
    assert {entry["task"] for entry in results} == {"mini_choice_en", "mini_math_zh", "mini_translation_en-hi"}
    for entry in results:
        assert set(entry) >= RESULT_KEYS
        if (entry["metric"], entry["value"]) not in {("bleu", 0.0), ("chrf", 0.0), ("chrf++", 0.0), ("ter", 100.0)}:
            assert entry["low"] <= entry["value"] <= entry["high"]
        assert (entry["protocol"], entry["n"] + entry["num_unscored"]) in {("mini-v1", n) for n in range(1, 5)}
    languages = {entry["task"]: entry["language"] for entry in results}
    assert languages == {"mini_choice_en": "en", "mini_math_zh": "zh", "mini_translation_en-hi": "hi"}


def test_table_for_people_comes_before_the_json(command: Any) -> None:
    ran = command(*run("--tasks", "mini_choice_en", "--limit", 4, "--json"))
    *table, last = ran.out.splitlines()
    assert "acc_norm_char" in "\n".join(table)
    assert json.loads(last)["run"] in "\n".join(table)


def test_both_spellings_of_a_flag_mean_the_same_run(command: Any) -> None:
    hyphens = command(
        *run("--tasks", "mini_math_en", "--num-fewshot=2", "--limit-mode", "first", "--limit", 2, "--json")
    )
    lines = command(*run("--tasks", "mini_math_en", "--num_fewshot=2", "--limit_mode", "first", "--limit", 2, "--json"))
    assert hyphens.json["run"] == lines.json["run"]


def test_lists_of_tasks_may_be_spaced_or_joined_by_commas(command: Any) -> None:
    spaced = command(*run("--tasks", "mini_math_en", "mini_math_fr", "--dry_run", "--json"))
    joined = command(*run("--tasks", "mini_math_en,mini_math_fr", "--dry_run", "--json"))
    assert spaced.json == joined.json


def test_flags_win_over_the_file(command: Any, workplace: Path) -> None:
    config = workplace / "a.yaml"
    config.write_text("model: scripted\ntasks: [mini_math_en]\nlimit: 5\nnum-fewshot: 1\n", encoding="utf-8")
    by_file = command("run", config, "--dry_run", "--json")
    by_flag = command("run", config, "--limit", 3, "--dry_run", "--json")
    assert [by_file.json["tasks"][0]["num_samples"], by_flag.json["tasks"][0]["num_samples"]] == [5, 3]
    assert (
        by_flag.json["run"]
        == command(*run("--tasks", "mini_math_en", "--limit", 3, "--num_fewshot", 1, "--dry_run", "--json")).json["run"]
    )


def test_the_same_command_resumes_and_changes_no_byte(command: Any, files: Files) -> None:
    arguments = run("--tasks", "mini_chat", "--limit", 12, "--json")
    first = command(*arguments)
    before = files()
    second = command(*arguments)
    assert second.json == first.json
    assert files() == before
    assert len([name for name in before if "/journal/" in name]) == 1


def test_another_seed_is_another_run(command: Any) -> None:
    runs = {
        command(*run("--tasks", "mini_choice_en", "--limit", 4, "--seed", seed, "--dry_run", "--json")).json["run"]
        for seed in (1, 2, 3)
    }
    assert len(runs) == 3


# -- dry run


def test_dry_run_counts_and_writes_nothing(command: Any, files: Files) -> None:
    ran = command(*run("--tasks", "mini_choice_en", "mini_chat_hi", "--limit", 6, "--dry_run", "--json"))
    assert ran.code == EXIT_OK
    assert files() == {}
    choice, chat = ran.json["tasks"]
    assert set(choice) >= DRY_RUN_KEYS
    assert (choice["task"], choice["num_samples"], choice["num_requests"]) == ("mini_choice_en", 6, 24)
    assert (chat["task"], chat["num_samples"], chat["num_requests"]) == ("mini_chat_hi", 6, 6)
    assert 0 < choice["num_tokens_planned"] <= choice["num_tokens_naive"]


# -- list, show, doctor


def test_list_tasks_by_language_and_type(command: Any) -> None:
    every = command("list", "--json").json["tasks"]
    assert {"mini_choice_hi", "mini_translation_en-zh", "arc_challenge"} <= {row["name"] for row in every}
    assert set(every[0]) == {"name", "language", "type", "title", "licence"}
    some = command("list", "tasks", "--lang", "zh,hi", "--type", "chat", "--json").json["tasks"]
    assert [row["name"] for row in some] == [
        "alignbench", "belle", "mini_chat_hi", "mini_chat_zh", "xoa22_hi", "xoa22_zh",
    ]  # fmt: skip


def test_list_of_what_matches_nothing(command: Any) -> None:
    ran = command("list", "--lang", "xx", "--json")
    assert (ran.code, ran.json) == (EXIT_OK, {"tasks": [], "broken": []})


@pytest.mark.parametrize(
    ("what", "name"), [("models", "smollm2-135m"), ("engines", "openai"), ("reports", "leaderboard")]
)
def test_list_of_other_kinds(command: Any, what: str, name: str) -> None:
    ran = command("list", what, "--json")
    assert name in {row["name"] for row in ran.json[what]}
    assert any(line.split()[0] == name for line in ran.out.splitlines()[:-1])


def test_show_prints_the_prompt_with_its_id(command: Any) -> None:
    arguments = ("show", "--tasks", "mini_choice_fr", "--num_fewshot", 1, "--sample", "mini_choice_fr:test:3", "--json")
    ran = command(*arguments)
    assert ran.code == EXIT_OK
    assert ran.out.startswith("mini_choice_fr:test:3   language fr")
    requests = ran.json["requests"]
    assert (ran.json["sample_id"], len(requests)) == ("mini_choice_fr:test:3", 4)
    for request in requests:
        assert request["kind"] == "loglikelihood"
        assert request["text"].count("Question\u202f: ") == 2
        assert request["text"] in ran.out


def test_show_uses_the_model_of_the_config_file(command: Any, workplace: Path) -> None:
    config = workplace / "a.yaml"
    config.write_text("model: recorded\nmodel_args: path=none.jsonl\ntasks: mini_chat_en\n", encoding="utf-8")
    assert "none.jsonl cannot be read" in command("show", config).err
    assert command("show", config, "--model", "scripted", "--model_args", "{}").code == EXIT_OK


def test_doctor_reports_every_check(command: Any, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    converted = workplace / "cache" / "models" / BUILT_IN["smollm2-135m"].gguf_sha256
    converted.mkdir(parents=True)
    (converted / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("EVALSUITE_CACHE", str(workplace / "cache"))
    ran = command("doctor", "--json")
    assert ran.code == EXIT_OK, ran.out
    checks = {check["name"]: check for check in ran.json["checks"]}
    assert {"python", "numpy", "torch", "device", "built-in model", "data mirror", "hub", "disk"} <= set(checks)
    assert all(set(check) == {"name", "is_well", "found", "fix", "is_needed"} for check in checks.values())
    assert not checks["hub"]["is_well"]


# -- report and demo


def test_report_of_two_runs(command: Any, workplace: Path) -> None:
    for seed in (1, 2):
        command(*run("--tasks", "mini_choice_en", "--limit", 3, "--seed", seed))
    ran = command("report", "runs", "--output", "page.html", "--title", "Two <runs>", "--json")
    assert ran.code == EXIT_OK
    assert ran.json["path"] == str(workplace / "page.html")
    assert len(ran.json["runs"]) == 2
    page = (workplace / "page.html").read_text(encoding="utf-8")
    assert "Two &lt;runs&gt;" in page


def test_demo_ends_with_its_page(command: Any, workplace: Path) -> None:
    ran = command("demo", "--scripted", "--output", "out/index.html", "--output-path", "kept", "--json")
    assert ran.code == EXIT_OK
    page = workplace / "out" / "index.html"
    assert ran.json["page"] == str(page)
    assert ran.out.splitlines()[-2] == str(page)
    assert "mini_choice" in page.read_text(encoding="utf-8")
    assert Path(ran.json["path"]).parent == Path("kept")
    assert {entry["language"] for entry in ran.json["results"]} == set(LANGUAGES)


# -- which samples a limited run takes


def chosen(task: str, **settings: Any) -> dict[str, list[Sample]]:
    """The samples by task that a run of `task` takes."""
    prepared = prepare(RunConfig(model="scripted", tasks=(task,), **settings))
    return {entry.task.name: list(entry.samples) for entry in prepared.tasks}


def ids(samples: dict[str, list[Sample]]) -> set[str]:
    """The ids of all samples."""
    return {sample.id for members in samples.values() for sample in members}


@pytest.mark.parametrize("task", ["mini_choice", "mini_math", "mini_translation", "mini_chat"])
def test_a_larger_limit_contains_the_smaller(task: str) -> None:
    taken = [ids(chosen(task, limit=limit)) for limit in (0.01, 5, 10, 20, 0.5, 10**6)]
    assert [len(some) for some in taken[1:4]] == [5, 10, 20]
    assert all(small < large for small, large in pairwise(taken))


def test_a_limit_is_spread_over_languages_and_categories() -> None:
    taken = chosen("mini_choice", limit=60)
    assert {name: len(samples) for name, samples in taken.items()} == {f"mini_choice_{code}": 10 for code in LANGUAGES}
    for samples in taken.values():
        assert set(Counter(sample.category for sample in samples).values()) == {2}


def test_a_limit_takes_the_same_items_in_every_language() -> None:
    for task in ("mini_choice", "mini_math", "mini_chat"):
        items = [{sample.cluster for sample in samples} for samples in chosen(task, limit=24).values()]
        assert len(items) == 6
        assert all(len(some) == 4 and some == items[0] for some in items)


def test_a_limit_keeps_the_order_of_the_rows() -> None:
    for samples in chosen("mini_choice", limit=60).values():
        rows = [int(sample.id.rpartition(":")[2]) for sample in samples]
        assert rows == sorted(rows)


def test_a_limit_is_drawn_by_the_seed() -> None:
    first, again, other = (ids(chosen("mini_choice", limit=12, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_limit_mode_first_takes_the_first_rows_of_every_task() -> None:
    taken = chosen("mini_choice", limit=3, limit_mode="first")
    assert ids(taken) == {f"mini_choice_{code}:test:{row}" for code in LANGUAGES for row in range(3)}


def test_samples_picks_rows() -> None:
    taken = chosen("mini_math", samples={"mini_math_en": (7, 0, 7), "mini_math_hi": (19,)})
    assert {name: [sample.id for sample in samples] for name, samples in taken.items()} == {
        "mini_math_en": ["mini_math_en:test:0", "mini_math_en:test:7"],
        "mini_math_hi": ["mini_math_hi:test:19"],
    }


def test_tasks_that_samples_does_not_name_are_left_out_and_named() -> None:
    prepared = prepare(
        RunConfig(model="scripted", tasks=("mini_math_en", "mini_math_fr"), samples={"mini_math_en": (7,)})
    )
    assert [entry.task.name for entry in prepared.tasks] == ["mini_math_en"]
    assert prepared.notes == ("--samples takes no sample of mini_math_fr.",)


def test_samples_may_come_from_a_file(command: Any, workplace: Path) -> None:
    (workplace / "rows.json").write_text('{"mini_math_en": [1, 4]}', encoding="utf-8")
    ran = command(*run("--tasks", "mini_math_en", "--samples", "rows.json", "--dry_run", "--json"))
    assert ran.json["tasks"][0]["num_samples"] == 2


def test_a_category_is_a_task_of_its_own() -> None:
    taken = chosen("mini_choice_en:science")
    assert len(taken["mini_choice_en:science"]) == 8
    assert all(sample.id.startswith("mini_choice_en:science:test:") for sample in taken["mini_choice_en:science"])
    assert {sample.category for sample in taken["mini_choice_en:science"]} == {"science"}


# -- recorded answers, and samples without a score


def record(path: Path, texts: dict[int, list[str]]) -> Path:
    """Recorded answers to rows of mini_chat_en."""
    lines = [json.dumps({"sample_id": f"mini_chat_en:test:{row}", "texts": said}) for row, said in texts.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def score_recorded(command: Any, path: Path, task: str = "mini_chat_en") -> Any:
    """A finished run on the answers in `path`."""
    return command("run", "--model", "recorded", "--model_args", f"path={path}", "--tasks", task, "--json")


ENGLISH = "This is a friendly answer that is written in plain English."
FRENCH = "Ceci est une réponse aimable qui est écrite en français."


def test_recorded_answers_of_two_turns_are_scored(command: Any, workplace: Path) -> None:
    answers = record(workplace / "a.jsonl", {row: [ENGLISH, FRENCH if row < 3 else ENGLISH] for row in range(12)})
    ran = score_recorded(command, answers)
    assert (ran.code, ran.json["status"]) == (EXIT_OK, "complete")
    values = {entry["metric"]: entry["value"] for entry in ran.json["results"]}
    assert values["language_fidelity"] == pytest.approx(21 / 24)
    assert values["answer_chars"] == pytest.approx((21 * len(ENGLISH) + 3 * len(FRENCH)) / 24)


def test_missing_recorded_answers_end_unscored(command: Any, workplace: Path) -> None:
    """Row 0 has no answer at all, row 1 none to its second turn; neither counts as an empty or wrong one."""
    answers = record(workplace / "a.jsonl", {row: [ENGLISH, ENGLISH][: 1 if row == 1 else 2] for row in range(1, 12)})
    ran = score_recorded(command, answers)
    assert (ran.code, ran.json["status"]) == (EXIT_INCOMPLETE, "incomplete")
    assert "2 of 12 samples are unscored (missing_response: 2)" in ran.err
    assert ran.json["counts"] == {
        "requested": 12,
        "scored": 10,
        "unscored": 2,
        "cancelled": 0,
        "not_run": 0,
        "unscored_by_cause": {"missing_response": 2},
    }
    for entry in ran.json["results"]:
        assert (entry["n"], entry["num_unscored"]) == (10, 2)
    assert next(entry["value"] for entry in ran.json["results"] if entry["metric"] == "language_fidelity") == 1.0


def test_a_run_in_which_nothing_is_scored_is_not_a_success(command: Any, workplace: Path) -> None:
    nothing = record(workplace / "a.jsonl", {})
    ran = score_recorded(command, nothing)
    assert (ran.code, ran.json["counts"]["scored"], ran.json["results"]) == (EXIT_INCOMPLETE, 0, [])
    texts_for_choices = score_recorded(command, nothing, "mini_choice_en")
    assert texts_for_choices.code == EXIT_INCOMPLETE
    assert texts_for_choices.json["counts"]["unscored_by_cause"] == {"engine_error": 40}
