"""Numbers from counts alone: without any task the run's own, also after packing, and no changed one is missed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from proven_runs import prepared, run, stopped_and_resumed

from evalsuite.canonical import canonical_json
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.proofs.findings import result_findings
from evalsuite.proofs.recounting import Recheck, Rows, recheck, recount, rows_by_task, wholes_of
from evalsuite.records import RunResult
from evalsuite.store.results import read_results, read_samples

CHECKED = (
    "value", "stderr", "low", "high", "n", "num_clusters", "num_unscored", "num_not_judged", "best_case", "worst_case",
)  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stopped_and_resumed(tmp_path_factory.mktemp("runs") / "run")


def rows(path: Path) -> Rows:
    return rows_by_task(read_results(path), list(read_samples(path)))


def recounted(path: Path) -> RunResult:
    """The result with all that can be recounted of it put in anew, no task being known."""
    result = read_results(path)
    numbers = recount(result, rows(path)).numbers
    return msgspec.structs.replace(
        result, estimates=numbers.estimates, aggregates=numbers.aggregates, parities=numbers.parities
    )


def assert_equal(path: Path) -> None:
    assert list(result_findings(read_results(path), recounted(path), "")) == []
    assert rechecked(path, read_results(path)).findings == ()


def rechecked(path: Path, stated: RunResult) -> Recheck:
    """What is found of `stated` by the counts of the run at `path`."""
    found = rows(path)
    return recheck(stated, found, wholes_of(read_results(path), found), "page")


def test_a_result_says_enough_of_its_metrics_to_be_counted_again(finished: Path) -> None:
    result = read_results(finished)
    assert {"wilson", "jackknife-t"} <= {one.interval for one in result.estimates}
    assert result.parities
    assert any(one.best_case is not None for one in result.estimates)
    assert_equal(finished)
    unknown = recount(result, rows(finished)).unknown
    assert set(unknown) == {"mini_choice_en", "mini_choice_fr"}
    assert "the level of chance of acc" in unknown["mini_choice_en"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tasks": ("mini_choice",), "limit": 7.0},
        {"tasks": ("mini_chat_en",), "limit": 3.0, "gen_kwargs": {"temperature": 0.5}, "repeats": 3},
        {"tasks": ("mini_math", "mini_translation"), "limit": 1.0},
    ],
    ids=["stratified", "repeated", "single"],
)
def test_so_it_is_with_strata_and_clusters_of_every_kind(tmp_path: Path, changes: dict[str, Any]) -> None:
    run(tmp_path, prepared(**changes))
    assert_equal(tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("tasks", ["openllm_v1", "mmlu", "truthfulqa"])
def test_so_it_is_with_suites_and_samples_of_families(tmp_path: Path, mirror: Path, tasks: str) -> None:
    what = prepared(tasks=(tasks,), limit=9.0, model_args={}, data_dir=str(mirror))
    assert isinstance(what.engine, ScriptedEngine)
    run(tmp_path, what)
    if tasks == "openllm_v1":
        assert "suite" in {mean.kind for mean in read_results(tmp_path).aggregates}
    assert_equal(tmp_path)


def changed_numbers(whole: dict[str, Any], chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number that is checked, one at a time, changed by a digit in a copy."""
    for kind in ("estimates", "aggregates"):
        for index, one in enumerate(whole[kind]):
            for name in CHECKED:
                if isinstance(one.get(name), int | float):
                    copy = json.loads(json.dumps(whole))
                    text = repr(one[name])
                    places = [place for place, char in enumerate(text) if char.isdigit()]
                    place = chance.choice(places)
                    digit = chance.choice([each for each in "123456789" if each != text[place]])
                    copy[kind][index][name] = json.loads(text[:place] + digit + text[place + 1 :])
                    if copy[kind][index][name] != one[name]:
                        yield f"{kind}[{index}].{name}", copy


def test_every_changed_number_is_found_without_its_task(finished: Path) -> None:
    whole = json.loads(canonical_json(read_results(finished)))
    changes = list(changed_numbers(whole, random.Random(5)))
    assert len(changes) > 200
    for place, copy in random.Random(7).sample(changes, 120):
        assert rechecked(finished, msgspec.convert(copy, RunResult)).findings, place


def test_changed_flags_and_counts_are_found(finished: Path) -> None:
    result = read_results(finished)
    first, *others = result.tasks
    flagged = msgspec.structs.replace(first, flags={**first.flags, "tied": 99})
    changed = msgspec.structs.replace(result, tasks=(flagged, *others))
    (finding,) = rechecked(finished, changed).findings
    assert (finding.task, finding.field.split(".")[:2]) == (first.task, ["tasks", "flags"])
