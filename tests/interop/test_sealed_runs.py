"""Runs that are read to be exported: whole ones as they are, and every change to one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from exchanged_runs import MINI, changed, copied, faulty_model, judge_of, run_of

from evalsuite.cli.main import main
from evalsuite.errors import CorruptStore, SpecMismatch
from evalsuite.interop.sealed_runs import read_sealed
from evalsuite.store.results import read_results, read_samples, write_samples
from evalsuite.types import Completion, Scored


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("sealed"), "--tasks", ",".join(MINI))


def test_a_whole_run_is_read(run: Path) -> None:
    found = read_sealed(run)
    assert found.result == read_results(run)
    assert [record for records in found.records.values() for record in records] == list(read_samples(run))
    assert found.began is not None
    telemetry = json.loads((run / "telemetry.jsonl").read_text().splitlines()[0])
    assert found.began.timestamp() == pytest.approx(telemetry["at"], abs=1e-5)


@pytest.mark.parametrize("arguments", [
    ("--tasks", "mini_choice", "--limit", "20"),
    ("--tasks", "mini_choice", "--limit", "8"),
    ("--tasks", "mini_math", "--gen_kwargs", "temperature=0.7", "--repeats", "3", "--limit", "12"),
], ids=["stratified", "thin", "repeated"])  # fmt: skip
def test_samples_and_repeats_are_read(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert read_sealed(run_of(tmp_path, *arguments)).result.status == "complete"


def test_incomplete_runs_are_read(tmp_path: Path) -> None:
    path = run_of(tmp_path, "--tasks", "mini_choice,mini_math", code=3, model=faulty_model.__name__)
    assert read_sealed(path).result.status == "incomplete"


def test_judge_runs_and_juries_are_read(tmp_path: Path) -> None:
    run = run_of(tmp_path, "--tasks", "mini_chat_en", "--limit", "6")
    kind, stern = judge_of(run, "kind_judge"), judge_of(run, "stern_judge")
    assert read_sealed(kind).model == "org/plausible_model"
    assert main(["jury", str(kind), str(stern), "--output_path", str(tmp_path / "jury")]) == 0
    (jury,) = (tmp_path / "jury").iterdir()
    assert read_sealed(jury).began is None


def estimate(place: int, **fields: Any) -> Callable[[Any], None]:
    return lambda value: value["estimates"][place].update(fields)


def first_of(metric: str, **fields: Any) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        next(one for one in value["estimates"] if one["metric"] == metric).update(fields)

    return change


def each(key: str, **fields: Any) -> Callable[[Any], None]:
    return lambda value: value[key].update(fields)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (estimate(0, value=0.99), "value of acc_norm_char"),
        (estimate(0, stderr=0.001), "stderr of acc_norm_char"),
        (estimate(0, low=0.5), "low of acc_norm_char"),
        (estimate(0, high=0.99), "high of acc_norm_char"),
        (estimate(0, n=41), "n of acc_norm_char"),
        (estimate(0, num_clusters=39), "num_clusters of acc_norm_char"),
        (estimate(0, interval="jackknife-t"), "acc_norm_char"),
        (first_of("bleu", value=50.0), "value of bleu"),
        (first_of("ter", stderr=0.1), "stderr of ter"),
        (lambda value: value["aggregates"][0].update(value=0.9), "mini_choice macro acc_norm_char"),
        (lambda value: value["aggregates"][0].update(low=0.01), "mini_choice macro acc_norm_char"),
        (each("counts", scored=1), "counts"),
        (lambda value: value.update(status="incomplete"), "status"),
        (lambda value: value["tasks"][0]["counts"].update(requested=99), "counts of mini_choice_en"),
        (each("spec", seed=7), "its spec is not that of spec.json"),
        (lambda value: value.update(run_id="0" * 16), "its spec is not that of spec.json"),
    ],
)
def test_changed_results_are_refused(run: Path, tmp_path: Path, change: Callable[[Any], None], said: str) -> None:
    with pytest.raises(CorruptStore, match="was changed after it was written") as refused:
        read_sealed(changed(copied(run, tmp_path), change))
    assert said in str(refused.value)


def test_changed_samples_are_refused(run: Path, tmp_path: Path) -> None:
    path = copied(run, tmp_path)
    records = list(read_samples(path))
    for index, expected in enumerate(("the samples of mini_choice_en are not those", "its samples give")):
        changed_records = list(records)
        if index == 0:
            changed_records.pop(3)
        else:
            outcome = records[3].outcome
            assert isinstance(outcome, Scored)
            turned = tuple(
                msgspec.structs.replace(score, counts=(1.0 - score.counts[0], 1.0)) for score in outcome.scores
            )
            changed_records[3] = msgspec.structs.replace(
                records[3], outcome=msgspec.structs.replace(outcome, scores=turned)
            )
        write_samples(path, changed_records)
        with pytest.raises(CorruptStore, match=expected):
            read_sealed(path)


def test_changed_answers_are_refused(run: Path, tmp_path: Path) -> None:
    path = copied(run, tmp_path)
    records = list(read_samples(path))
    place = next(index for index, record in enumerate(records) if isinstance(record.responses[0], Completion))
    reply = records[place].responses[0]
    assert isinstance(reply, Completion)
    better = msgspec.structs.replace(reply, text="A better answer.")
    records[place] = msgspec.structs.replace(records[place], responses=(better,))
    write_samples(path, records)
    with pytest.raises(CorruptStore, match="is not the journal's"):
        read_sealed(path)


def test_what_is_no_run_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecMismatch, match="no run"):
        read_sealed(tmp_path / "nothing")
    path = copied(run, tmp_path)
    (path / "spec.json").unlink()
    with pytest.raises(SpecMismatch, match=r"no spec\.json"):
        read_sealed(path)
