"""What a task says of showing its texts goes with its results, through judges, juries and translations."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from evalsuite.asking import settings_of
from evalsuite.config import ModelConfig, make_config
from evalsuite.engines.scripted import ScriptedEngine, completion
from evalsuite.judged import JudgedRun, read_run
from evalsuite.judging import Asked, open_bench, prepare_judging
from evalsuite.jury import seal_jury
from evalsuite.prepare import Prepared, prepare, task_spec
from evalsuite.run import Quiet, execute
from evalsuite.store.results import RESULTS, read_results
from evalsuite.translating import translation_of

ASKED = {"model": "scripted", "tasks": ("mini_chat_en", "mini_chat_hi"), "limit": 4.0}


def prepared(*, hidden: str) -> Prepared:
    """The run with the texts of one task not to be shown."""
    found = prepare(make_config({}, ASKED))
    tasks = tuple(
        replace(entry, task=replace(entry.task, show_in_report=entry.task.name != hidden)) for entry in found.tasks
    )
    return replace(found, tasks=tasks)


def sealed(path: Path) -> JudgedRun:
    execute(prepared(hidden="mini_chat_hi"), path, Quiet())
    return read_run(path)


def shown(run: JudgedRun) -> dict[str, bool]:
    return {task.task: task.show_in_report for task in run.result.tasks}


def judged(path: Path, run: JudgedRun, name: str) -> JudgedRun:
    bench = open_bench(Asked("rating", ModelConfig(model="scripted", model_args={"name": name})))
    engine = ScriptedEngine(lambda request: completion("[[4]]"), label=name)
    execute(prepare_judging(replace(bench, opened=replace(bench.opened, engine=engine)), [run]), path, Quiet())
    return read_run(path)


def test_a_result_says_which_tasks_texts_must_not_be_shown(tmp_path: Path) -> None:
    assert shown(sealed(tmp_path)) == {"mini_chat_en": True, "mini_chat_hi": False}


def test_what_judges_a_hidden_text_is_hidden_too(tmp_path: Path) -> None:
    run = sealed(tmp_path / "run")
    judges = [judged(tmp_path / name, run, name) for name in ("one", "two")]
    assert [shown(one) for one in judges] == [shown(run)] * 2
    jury = seal_jury(judges, "mean")
    assert {task.task: task.show_in_report for task in jury.result.tasks} == shown(run)


def test_a_translation_of_a_hidden_text_is_hidden_too() -> None:
    english, hindi = (entry.task for entry in prepared(hidden="mini_chat_hi").tasks)
    assert translation_of(english, "fr", is_chat=False).show_in_report
    assert not translation_of(hindi, "fr", is_chat=False).show_in_report


def test_run_ids_do_not_depend_on_it() -> None:
    hidden = prepared(hidden="mini_chat_hi")
    specs = tuple(task_spec(entry, settings_of(hidden.spec), hidden.spec.seed) for entry in hidden.tasks)
    assert specs == hidden.spec.tasks


def test_results_from_before_there_was_such_a_word_are_read_as_shown(tmp_path: Path) -> None:
    sealed(tmp_path)
    file = tmp_path / RESULTS
    before = json.loads(file.read_bytes())
    for task in before["tasks"]:
        del task["show_in_report"]
    for estimate in before["estimates"]:
        del estimate["least"]
    file.write_text(json.dumps(before), encoding="utf-8")
    assert all(task.show_in_report for task in read_results(tmp_path).tasks)
