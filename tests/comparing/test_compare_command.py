"""``evalsuite compare`` and ``evalsuite baseline`` on real runs of the scripted engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from commands import run_here
from scipy.stats import binomtest

from evalsuite.cli.main import main
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Scored


def scripted(output: Path, *arguments: str) -> Path:
    code = main(["run", "--model", "scripted", "--output_path", str(output), *arguments])
    assert code == 0
    (path,) = output.iterdir()
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("compared")
    tasks = ("--tasks", "mini_choice,mini_translation,mini_math")
    return {
        "a": scripted(folder / "a", *tasks, "--model_args", "function=contrary:first"),
        "b": scripted(folder / "b", *tasks, "--model_args", "function=contrary:second"),
        "few": scripted(folder / "few", *tasks, "--model_args", "function=contrary:second", "--limit", "60"),
        "shots": scripted(folder / "shots", *tasks, "--model_args", "function=contrary:second", "--num_fewshot", "1"),
        "english": scripted(folder / "english", "--tasks", "mini_choice_en,mini_choice_fr"),
    }


def compared(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any], str]:
    done = run_here(capsys, "compare", *arguments, "--json")
    return done.code, done.json, "\n".join(done.out.splitlines()[:-1])


def test_every_difference_is_that_of_the_two_results(
    runs: Mapping[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, _ = compared(capsys, runs["a"], runs["b"], "--all_metrics")
    assert code == 0
    before, after = (read_results(runs[name]) for name in "ab")
    values = [
        {(one.task, one.metric): one.value for one in result.estimates} |
        {(one.name, one.metric): one.value for one in result.aggregates}
        for result in (before, after)
    ]  # fmt: skip
    assert len(found["differences"]) > 40
    for one in found["differences"]:
        key = (one["name"], one["metric"])
        assert one["baseline"] == pytest.approx(values[0][key], abs=1e-9), key
        assert one["candidate"] == pytest.approx(values[1][key], abs=1e-9), key


def test_right_and_wrong_are_counted_from_the_samples(
    runs: Mapping[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, found, said = compared(capsys, runs["a"], runs["b"], "--flips", "2", "--show")
    one = next(one for one in found["differences"] if one["name"] == "mini_choice_en")
    right = [
        {
            record.sample.id: record.outcome.scores[0].counts[0]
            for record in read_samples(runs[name])
            if record.task == "mini_choice_en" and isinstance(record.outcome, Scored)
        }
        for name in "ab"
    ]
    lost = [name for name in right[0] if right[0][name] > right[1][name]]
    gained = [name for name in right[0] if right[0][name] < right[1][name]]
    assert (one["num_lost"], one["num_gained"]) == (len(lost), len(gained))
    assert lost
    if one["num_clusters"] == one["n"]:
        assert one["p_value"] == pytest.approx(binomtest(len(lost), len(lost) + len(gained)).pvalue)
    flips = {(flip["way"], flip["sample"]) for flip in found["flips"] if flip["task"] == "mini_choice_en"}
    assert flips == {("lost", name) for name in lost} | {("gained", name) for name in gained}
    assert "question" in said


def test_fewer_flips_than_none_are_refused(runs: Mapping[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["compare", str(runs["a"]), str(runs["b"]), "--flips=-1"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (
        "", "evalsuite: --flips is -1; expected how many samples to list, 0 or more.\n"
    )  # fmt: skip
    _, found, said = compared(capsys, runs["a"], runs["b"], "--flips", "0")
    assert found["flips"]
    assert {flip["metric"] for flip in found["flips"] if flip["task"] == "mini_choice_en"} == {"acc_norm_char"}
    assert "mini_choice_en: " in said


def test_corpus_scores_have_sacrebleus_own_chance(runs: Mapping[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, found, _ = compared(capsys, runs["a"], runs["b"])
    translations = [one for one in found["differences"] if one["name"].startswith("mini_translation_")]
    assert translations
    assert all(0 < one["p_segments"] <= 1 for one in translations)


def test_a_run_against_itself(runs: Mapping[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, found, _ = compared(capsys, runs["a"], runs["a"])
    assert code == 0
    assert all(one["difference"] == 0 and one["p_value"] == 1 for one in found["differences"])
    assert all(one["low"] < 0 < one["high"] for one in found["differences"])
    assert found["flips"] == []


def test_what_runs_share_is_compared_when_their_prompts_are_the_same(
    runs: Mapping[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, said = compared(capsys, runs["a"], runs["few"])
    assert code == 0
    assert next(one for one in found["differences"] if one["name"] == "mini_choice_en")["n"] == 10
    assert "mini_choice_en: 10 samples in common, 30 only in the baseline" in said


def test_other_exemplars_are_not_compared(runs: Mapping[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, found, said = compared(capsys, runs["a"], runs["shots"])
    assert code == 3
    assert not [one for one in found["differences"] if one["name"] == "mini_choice_en"]
    assert "not comparable: mini_choice_en" in said
    assert "exemplars: 0, 1" in said


def test_tasks_that_one_side_lacks_are_named(runs: Mapping[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, found, said = compared(capsys, runs["a"], runs["english"])
    assert code == 3
    assert "mini_math_en" in found["missing"]
    assert "only in the baseline: " in said
    assert compared(capsys, runs["english"], runs["a"])[0] == 0


def test_a_baseline_in_git(runs: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, again = tmp_path / "baselines" / "ci.json", tmp_path / "again.json"
    assert main(["baseline", "set", str(runs["a"]), "--reason", "0.1 was released", "--output", str(file)]) == 0
    assert main(["baseline", "set", str(runs["a"]), "--reason", "0.1 was released", "--output", str(again)]) == 0
    assert file.read_bytes() == again.read_bytes()
    _, of_run, _ = compared(capsys, runs["a"], runs["b"])
    _, of_file, _ = compared(capsys, file, runs["b"])
    for one in of_run["differences"]:
        one["p_segments"] = None  # translations themselves are not kept
    assert of_file["differences"] == of_run["differences"]
    assert of_file["flips"] == of_run["flips"]
    done = run_here(capsys, "baseline", "show", file)
    assert done.code == 0
    assert "reason: 0.1 was released" in done.out


def test_a_baseline_is_updated_task_by_task(
    runs: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ci.json"
    assert main(["baseline", "set", str(runs["a"]), "--reason", "first", "--output", str(file)]) == 0
    update = ["baseline", "update", str(file), "--from", str(runs["b"]), "--only"]
    assert main([*update, "mini_math*", "--reason", "counts better"]) == 0
    _, found, _ = compared(capsys, file, runs["b"])
    differ = {one["name"]: one["difference"] for one in found["differences"] if one["kind"] == "task"}
    assert all(value == 0 for name, value in differ.items() if name.startswith("mini_math"))
    assert any(value != 0 for name, value in differ.items() if name.startswith("mini_choice"))
    assert main([*update, "gsm8k", "--reason", "x"]) == 6
    assert main([*update, "mini_math*", "--reason", " "]) == 2
    done = run_here(capsys, "baseline", "show", file)
    assert done.code == 0
    assert "mini_math_en was updated: counts better" in done.out


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 9}', '{"schema": 1}'])
def test_what_is_no_baseline_is_said(
    text: str, runs: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    done = run_here(capsys, "compare", file, runs["a"])
    assert done.code in (2, 3)
    assert done.err.count("\n") == 1
    assert "x.json" in done.err
