"""Every installed benchmark under each protocol is built again from a run's spec: prompts, samples and scores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from proven_runs import answer, prepared, run, verified

from evalsuite import plugins
from evalsuite.config import make_config
from evalsuite.data import DataSource
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.errors import RowsMissing, UsageError
from evalsuite.prepare import Opened, prepare
from evalsuite.proofs.rebuilding import rebuild
from evalsuite.proofs.rebuilt import Surroundings
from evalsuite.proofs.verifying import verify_run
from evalsuite.records import RunResult
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_results, read_samples, write_results


def cases() -> Iterator[tuple[str, str]]:
    """One task of each family, and each protocol that it has."""
    for name in plugins.names(plugins.TASKS):
        family = plugins.family(name)
        for protocol in family.protocols:
            yield family.members[-1].name, protocol


@pytest.mark.data
@pytest.mark.parametrize(("task", "protocol"), list(cases()))
def test_every_benchmark_is_scored_again_from_its_answers(
    tmp_path: Path, mirror: Path, task: str, protocol: str
) -> None:
    opened = Opened("scripted", "toy", ScriptedEngine(answer, batch_size=4))
    asked = {"model": "scripted", "tasks": (task,), "limit": 3.0, "protocol": protocol, "data_dir": str(mirror)}
    try:
        what = prepare(make_config({}, asked), opened)
    except (RowsMissing, UsageError) as error:
        pytest.skip(str(error)[:80])
    execute(what, tmp_path, Quiet())
    found = verify_run(tmp_path, Surroundings(DataSource(mirror=mirror, hub=False)))
    assert found.findings == ()
    assert found.level == "re-scored"
    assert {task.why for task in found.tasks} == {()}


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt_language": "en"},
        {"num_fewshot": 2},
        {"apply_chat_template": True, "system_instruction": "कृपया"},
        {"apply_chat_template": True, "num_fewshot": 2, "fewshot_as_multiturn": False},
        {"tasks": ("mini_math",), "gen_kwargs": {"temperature": 0.7, "max_tokens": 9}, "repeats": 2, "seed": 7},
        {"tasks": ("mini_choice_hi",), "limit": None, "samples": {"mini_choice_hi": (0, 5, 7)}},
        {"tasks": ("mini_choice", "mini_math"), "limit": 3.0},
        {"limit_mode": "first"},
    ],
    ids=["language", "shots", "chat", "one turn", "sampled", "rows", "left out", "first"],
)
def test_every_setting_of_a_run_is_taken_from_its_spec(tmp_path: Path, changes: dict[str, Any]) -> None:
    run(tmp_path, prepared(**{"tasks": ("mini_choice_fr", "mini_math_zh"), **changes}))
    found = verified(tmp_path)
    assert found.findings == ()
    assert (found.level, {task.why for task in found.tasks}) == ("re-scored", {()})


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    run(tmp_path, prepared(tasks=("mini_choice_en", "mini_choice_fr", "mini_math_es")))
    return tmp_path


def as_of(finished: Path, **changes: object) -> RunResult:
    """The result with something else in the spec of its first task."""
    result = read_results(finished)
    first, *rest = result.spec.tasks
    spec = msgspec.structs.replace(result.spec, tasks=(msgspec.structs.replace(first, **changes), *rest))
    return msgspec.structs.replace(result, spec=spec)


def missing(finished: Path, **changes: object) -> dict[str, str]:
    result = as_of(finished, **changes)
    rows = {
        task.name: [(one.sample, one.outcome) for one in read_samples(finished) if one.task == old.name]
        for task, old in zip(result.spec.tasks, read_results(finished).spec.tasks, strict=True)
    }
    summaries = [
        msgspec.structs.replace(summary, task=task.name)
        for task, summary in zip(result.spec.tasks, result.tasks, strict=True)
    ]
    found = rebuild(
        msgspec.structs.replace(result, tasks=tuple(summaries)), rows, Surroundings(DataSource(mirror=None, hub=False))
    )
    assert not set(found.missing) & found.scorable
    return dict(found.missing)


def test_what_is_another_task_here_is_not_taken_for_the_runs(finished: Path) -> None:
    assert missing(finished) == {}
    assert "version 1, in the run 7" in missing(finished, version=7)["mini_choice_en"]
    assert "protocol" in missing(finished, protocol="mini-v9")["mini_choice_en"]
    assert "not installed" in missing(finished, name="maxi_choice_en")["maxi_choice_en"]
    assert "task file" in missing(finished, protocol="mini-v1+translated")["mini_choice_en"]


def test_the_rest_of_a_run_is_scored_all_the_same(finished: Path) -> None:
    """A task of a later version: its family is only counted again, with the reason, and the others are scored."""
    result = as_of(finished, version=7)
    result = msgspec.structs.replace(result, run_id=result.spec.run_id)
    write_results(finished, result)
    found = verified(finished)
    by_task = {task.task: task for task in found.tasks}
    assert found.level == by_task["mini_choice_en"].level == by_task["mini_choice_fr"].level == "recomputed"
    assert by_task["mini_math_es"].level == "re-scored"
    assert "version 1, in the run 7" in by_task["mini_choice_en"].why[0]
    assert by_task["mini_choice_fr"].why == ("not scored again: another task of its family is not here",)
    assert {finding.file for finding in found.findings} == {"spec.json", "plan/wave-0001.jsonl", "journal"}


def test_other_rows_than_the_runs_are_not_taken_for_its_data(finished: Path) -> None:
    pin = read_results(finished).spec.tasks[0].datasets[0]
    result = as_of(finished, datasets=(msgspec.structs.replace(pin, fingerprint="0" * 64),))
    rows = {task.name: [(one.sample, one.outcome) for one in read_samples(finished) if one.task == task.name]
            for task in result.spec.tasks}  # fmt: skip
    found = rebuild(result, rows, Surroundings(DataSource(mirror=None, hub=False)))
    assert found.no_data == {
        "mini_choice_en": "the rows of evalsuite-mini are others here than in the run",
    }
    assert "mini_choice_en" in found.scorable
