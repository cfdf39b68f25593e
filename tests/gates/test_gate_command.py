"""``evalsuite gate`` as CI calls it: verdicts, exit codes, messages, waivers, floors, missing and unscored samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import graded_models
import msgspec
import pytest
import yaml
from commands import run_here

from evalsuite.cli.main import main
from evalsuite.comparing.opening import open_side
from evalsuite.gates.confirming import confirmed, to_confirm
from evalsuite.gates.gate_file import read_gate_file
from evalsuite.gates.gating import gate as gate_run
from evalsuite.gates.measuring import Circumstances

Runs = Mapping[str, Path]
Gate = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs of models of known worth."""
    folder = tmp_path_factory.mktemp("graded")
    return {name: graded_models.run(name, folder) for name in ("good", "alike", "bad", "faulty", "silent_in_english")}


@pytest.fixture
def gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Gate:
    def ask(file: dict[str, Any], baseline: Path, run: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
        path = tmp_path / "gate.yaml"
        path.write_text(yaml.safe_dump(file), encoding="utf-8")
        report = tmp_path / "report" / "gate.json"
        done = run_here(
            capsys, "gate", path, "--baseline", baseline, "--run", run, "--output", report.parent, *arguments
        )
        found = json.loads(report.read_text()) if report.exists() else {}
        return done.code, found, done.out + done.err

    return ask


def rules(*gates: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    return {"gates": list(gates), "defaults": {"max_drop": "10pp", **defaults}}


FAMILY = {"task": "mini_choice", "per": "family"}


def test_a_real_loss_fails(gate: Gate, runs: Runs) -> None:
    code, report, said = gate(rules(FAMILY), runs["good"], runs["bad"])
    assert code == 1
    (one,) = report["gates"]
    assert one["verdict"] == report["verdict"] == "fail"
    assert one["difference"]["test"] == "sign-flips"
    assert one["difference"]["n"] == 240
    assert one["difference"]["num_clusters"] == 40
    assert one["difference"]["num_gained"] == 0
    assert "lost 3" in one["reason"]
    assert "fail: 1 fail of 1 gates" in said
    assert {flip["way"] for flip in report["flips"]} == {"lost"}
    assert len(report["flips"]) == one["difference"]["num_lost"]


def test_no_loss_passes_and_little_data_says_nothing(gate: Gate, runs: Runs) -> None:
    code, report, _ = gate(rules(FAMILY), runs["good"], runs["good"])
    assert (code, report["verdict"]) == (0, "pass")
    code, report, said = gate(rules({"task": "mini_choice_en"}, max_drop="2pp"), runs["good"], runs["good"])
    assert (code, report["verdict"]) == (0, "inconclusive")
    assert report["gates"][0]["needed"] == 149
    assert "about 149 items would tell a loss of 2.0 points, there are 40" in said
    code, _, _ = gate(rules({"task": "mini_choice_en"}, max_drop="2pp"), runs["good"], runs["good"], "--strict")
    assert code == 5
    strict = rules({"task": "mini_choice_en", "on_inconclusive": "fail"}, max_drop="2pp")
    assert gate(strict, runs["good"], runs["good"])[0] == 5


def test_the_exit_code_of_a_regression_can_be_chosen(gate: Gate, runs: Runs) -> None:
    assert gate(rules(FAMILY), runs["good"], runs["bad"], "--exit_code_on_regression", "100")[0] == 100
    assert gate(rules(FAMILY), runs["good"], runs["good"], "--exit_code_on_regression", "100")[0] == 0


def test_a_baseline_file_says_what_its_run_says(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    file = tmp_path / "ci.json"
    assert main(["baseline", "set", str(runs["good"]), "--reason", "first", "--output", str(file)]) == 0
    of_run, of_file = (gate(rules(FAMILY, {"task": "*"}), side, runs["bad"])[1] for side in (runs["good"], file))
    assert of_file["baseline_reason"] == "first"
    assert of_file["gates"] == of_run["gates"]
    assert of_file["flips"] == of_run["flips"]


def test_the_first_rule_that_matches_is_taken(gate: Gate, runs: Runs) -> None:
    file = rules({"task": "mini_choice", "lang": "en", "max_drop": "90pp"}, {"task": "*"})
    _, report, _ = gate(file, runs["good"], runs["good"])
    margins = {one["name"]: one["margin"] for one in report["gates"]}
    assert margins == {"mini_choice en": 0.9, **{f"mini_choice {code}": 0.1 for code in ("zh", "fr", "ar", "es", "hi")}}


def test_one_language_that_fails_is_enough(gate: Gate, runs: Runs) -> None:
    file = rules({"task": "*", "per": "language", "max_drop": "15pp"})
    code, report, _ = gate(file, runs["good"], runs["bad"])
    verdicts = [one["verdict"] for one in report["gates"]]
    assert len(verdicts) == 6
    assert "fail" in verdicts
    assert code == 1
    adjusted = [one["p_adjusted"] for one in report["gates"]]
    assert all(a >= one["difference"]["p_worse"] for a, one in zip(adjusted, report["gates"], strict=True))


def test_the_mean_of_all_gates(gate: Gate, runs: Runs) -> None:
    file = {**rules({"task": "*"}, max_drop="60pp"), "aggregate": {"also": {"macro_mean": {"max_drop": "5pp"}}}}
    code, report, _ = gate(file, runs["good"], runs["bad"])
    macro = report["gates"][-1]
    assert (code, macro["kind"], macro["verdict"]) == (1, "macro", "fail")
    singles = [one["difference"]["difference"] for one in report["gates"][:-1]]
    assert macro["difference"]["difference"] == pytest.approx(sum(singles) / 6)
    assert macro["difference"]["num_clusters"] == 40  # an item in six languages is one


def test_a_warning_does_not_fail(gate: Gate, runs: Runs) -> None:
    code, report, said = gate(rules(FAMILY, on_regression="warn"), runs["good"], runs["bad"])
    assert (code, report["gates"][0]["verdict"]) == (0, "fail")
    assert "fail (warning only)" in said


def test_waivers(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    file = {**rules(FAMILY), "waivers": str(waivers)}
    row = {"gate": "mini_*", "reason": "new tokenizer", "by": "Noor", "expires": "2999-01-01"}
    waivers.write_text(yaml.safe_dump({"waivers": [row]}), encoding="utf-8")
    code, _, said = gate(file, runs["good"], runs["bad"])
    assert code == 0
    assert "waived by Noor until 2999-01-01: new tokenizer" in said
    assert "is not needed" in gate(file, runs["good"], runs["good"])[2]
    waivers.write_text(yaml.safe_dump({"waivers": [{**row, "expires": "2001-01-01"}]}), encoding="utf-8")
    code, _, said = gate(file, runs["good"], runs["bad"])
    assert code == 1
    assert "the waiver of mini_* by Noor ran out on 2001-01-01" in said
    waivers.write_text(yaml.safe_dump({"waivers": [{**row, "expires": "soon"}]}), encoding="utf-8")
    code, _, said = gate(file, runs["good"], runs["bad"])
    assert code == 2
    assert "expected YYYY-MM-DD" in said


def test_floors_and_rates(gate: Gate, runs: Runs) -> None:
    file = rules({"task": "mini_choice_en", "metric": "acc", "min": 0.9},
                 {"task": "mini_choice_zh", "metric": "acc", "min": 0.2},
                 {"task": "*", "metric": "unscored_rate", "max": 0.2},
                 {"metric": "tokens_per_second", "min": 1e9})  # fmt: skip
    code, report, said = gate(file, runs["good"], runs["bad"])
    verdicts = {one["name"]: one["verdict"] for one in report["gates"]}
    assert verdicts["mini_choice_en acc"] == "fail"
    assert verdicts["mini_choice_zh acc"] == "pass"
    assert [verdicts[name] for name in verdicts if "unscored" in name] == ["pass"] * 6
    assert code == 1
    assert "expected at least 90" in said
    assert not next(one for one in report["gates"] if one["kind"] == "clock")["blocks"]


def test_samples_that_are_newly_unscored_are_no_pass(gate: Gate, runs: Runs) -> None:
    code, report, said = gate(rules(FAMILY), runs["good"], runs["faulty"])
    assert (code, report["gates"][0]["verdict"]) == (3, "error")
    assert "of 240 samples have no score in the candidate" in said
    code, report, _ = gate(rules(FAMILY, max_unscored=0.5), runs["good"], runs["faulty"])
    assert code == 0
    assert report["gates"][0]["difference"]["num_left_out"] > 0


def test_what_cannot_be_compared_is_an_error(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    other = graded_models.run("good", tmp_path / "other", "--system_instruction", "Answer.")
    code, _, said = gate(rules(FAMILY), runs["good"], other)
    assert code == 3
    assert "not comparable: mini_choice_en: prompts: " in said
    few = graded_models.run("good", tmp_path / "few", "--limit", "60")
    code, report, _ = gate(rules(FAMILY), runs["good"], few)  # two runs are paired on what they share
    assert (code, report["gates"][0]["difference"]["n"]) == (0, 60)
    file = tmp_path / "ci.json"
    assert main(["baseline", "set", str(runs["good"]), "--reason", "first", "--output", str(file)]) == 0
    code, _, said = gate(rules(FAMILY), file, few)  # a file keeps no prompts to see that they are the same
    assert code == 3
    assert "samples: 40 and 10, not the same ones" in said


def test_a_task_that_is_missing_is_an_error_unless_told_otherwise(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    english = tmp_path / "english"
    assert main(["run", "--model", "scripted", "--model_args", "function=graded_models:good", "--tasks",
                 "mini_choice_en", "--output_path", str(english)]) == 0  # fmt: skip
    (run,) = english.iterdir()
    code, _, said = gate(rules({"task": "mini_choice_zh"}), runs["good"], run)
    assert code == 3
    assert "the candidate has no mini_choice_zh" in said
    assert gate(rules({"task": "mini_choice_zh"}, on_missing="warn"), runs["good"], run)[0] == 0


def test_a_rule_without_a_task_is_an_error_and_no_gate_at_all_is_exit_6(gate: Gate, runs: Runs) -> None:
    code, _, said = gate(rules(FAMILY, {"task": "gsm8k"}), runs["good"], runs["good"])
    assert code == 3
    assert "matches no task of either run" in said
    code, _, said = gate(rules({"task": "gsm8k"}), runs["good"], runs["good"])
    assert code == 6
    assert "none of its gates matches a task" in said


def test_a_margin_below_the_noise_of_the_baseline_is_refused(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    file = tmp_path / "ci.json"
    assert main(["baseline", "set", str(runs["good"]), "--reason", "first", "--noise", str(runs["alike"]), "--output",
                 str(file)]) == 0  # fmt: skip
    code, _, said = gate(rules({"task": "mini_choice", "lang": "en", "max_drop": "2pp"}), file, runs["good"])
    assert code == 2
    assert "two runs of its model may lie" in said
    assert gate(rules({"task": "mini_choice", "lang": "en", "max_drop": "40pp"}), file, runs["good"])[0] == 0


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"gates": []}, "there are no gates"),
        ({"gates": [{"tsk": "x"}]}, "line 2: unknown key 'tsk'; did you mean 'task'?"),
        ({"gates": [{"task": "*", "max_drop": "lots"}]}, "max_drop is 'lots'; expected 2.0pp, 10%"),
        ({"gates": [{"task": "*", "max_drop": 0}]}, "max_drop is 0.0; expected"),
        ({"gates": [{"task": "*", "max_drop": "100%"}]}, "which allows everything"),
        ({"gates": [{"task": "*", "max_drop": 1, "min": 2}]}, "either max_drop or min and max"),
        ({"gates": [{"task": "*", "min": 2, "max": 1}]}, "min 2.0 is above max 1.0"),
        ({"gates": [{"task": "*"}], "defaults": {"alpha": 0.7}}, "line 2: defaults.alpha: expected `float`"),
        ({"gates": [{"task": "*"}], "looks": [500, 100]}, "looks are sizes that grow"),
        ({"gates": [{"task": "*", "metric": "acc", "min": 97}]}, "write 97 % as 0.97"),
        ({"gates": [{"task": "*", "metric": "tied_rate", "max_drop": 1}]}, "is a rate of one run"),
        ({"gates": [{"task": "*", "metric": "tied_rate"}]}, "is a rate of one run"),
        ({"gates": [{"task": "*", "metric": "tied_rate", "max": 1}]}, "write 1 % as 0.01"),
        ({"gates": [{"metric": "tokens_per_second"}]}, "tokens_per_second has no limit"),
        ({"gates": [{"task": "*"}], "aggregate": {"also": {"macro_mean": {"max_drop": "x"}}}}, "max_drop is 'x'"),
        ({"gates": [{"task": "*"}], "gate": 1}, "unknown key 'gate'; did you mean 'gates'?"),
    ],
)
def test_bad_files_are_one_line(gate: Gate, runs: Runs, file: dict[str, Any], said: str) -> None:
    code, _, text = gate(file, runs["good"], runs["good"])
    assert code == 2
    assert said.replace("`", "") in text.replace("`", "")
    assert "Traceback" not in text


def test_a_baseline_that_is_missing_or_damaged(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    code, _, said = gate(rules(FAMILY), tmp_path / "none.json", runs["good"])
    assert code == 2
    assert "make one with `evalsuite baseline set" in said
    file = tmp_path / "ci.json"
    assert main(["baseline", "set", str(runs["good"]), "--reason", "first", "--output", str(file)]) == 0
    value = json.loads(file.read_text())
    value["tasks"]["mini_choice_en"]["metrics"]["acc"]["counts"]["data"] = "AAAA"
    file.write_text(json.dumps(value))
    code, _, said = gate(rules(FAMILY), file, runs["good"])
    assert code == 3
    assert "the outcomes of mini_choice_en were changed" in said


def test_a_suite_is_run_and_resumed(
    gate: Gate, runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    suite = {"model": "scripted", "model_args": {"function": "graded_models:bad"}, "tasks": ["mini_choice"]}
    Path("ci.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    file = {**rules(FAMILY), "suite": "ci.yaml", "baseline": str(runs["good"]), "noise": {"confirm": 1}}
    Path("gate.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")
    assert main(["gate", "gate.yaml"]) == 1
    said = capsys.readouterr().out
    assert "a second run gave the same answers, which adds nothing" in said
    assert len(list(Path("runs").glob("scripted-*"))) == 1
    assert len(list(Path("runs/confirm").glob("scripted-*"))) == 1
    assert main(["gate", "gate.yaml"]) == 1


def test_looks_stop_when_all_is_decided(
    runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    suite = {"model": "scripted", "model_args": {"function": "graded_models:bad"}, "tasks": ["mini_choice"]}
    Path("ci.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    file = {**rules(FAMILY), "suite": "ci.yaml", "baseline": str(runs["good"]), "looks": [60, 120, 240]}
    Path("gate.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")
    done = run_here(capsys, "gate", "gate.yaml")
    assert done.code == 1
    assert "a look at 60 samples" in done.err
    assert "a look at 120 samples" in done.err
    assert "a look at 240 samples" not in done.err
    report = json.loads(Path("gate-report/gate.json").read_text())
    assert report["alpha"] < 0.02
    assert report["gates"][0]["difference"]["n"] == 120


def test_a_plan_of_gates(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(yaml.safe_dump(rules(FAMILY)), encoding="utf-8")
    done = run_here(capsys, "gate", "plan", path, "--baseline", runs["good"], "--json")
    assert done.code == 0
    (one,) = done.json["gates"]
    assert (one["n"], one["num_clusters"], one["discordance"]) == (240, 40, 0.1)
    assert one["to_pass"] == 444  # 74 independent items, each in six languages
    done = run_here(capsys, "gate", "plan", path, "--baseline", runs["good"], "--run", runs["bad"], "--json")
    assert done.code == 0
    (one,) = done.json["gates"]
    assert one["discordance"] == pytest.approx(0.3, abs=0.1)


@pytest.mark.parametrize("rule", [{"task": "mini_choice_en"}, {"task": "mini_choice_en", "metric": "acc", "min": 0.1}])
def test_a_task_without_any_score_is_an_error(gate: Gate, runs: Runs, rule: dict[str, Any]) -> None:
    code, report, said = gate(rules(rule, {"task": "*"}), runs["good"], runs["silent_in_english"])
    assert code == 3
    first = report["gates"][0]
    assert (first["verdict"], first["tasks"]) == ("error", ["mini_choice_en"])
    assert "mini_choice_en" in first["reason"]
    assert " error of 7 gates" in said or " error of 6 gates" in said


def test_a_metric_that_no_task_has_is_an_error(gate: Gate, runs: Runs) -> None:
    code, report, said = gate(rules(FAMILY, {"task": "*", "metric": "acuracy"}), runs["good"], runs["good"])
    assert code == 3
    assert [one["verdict"] for one in report["gates"]] == ["pass", "error"]
    assert "matches no task of either run" in said


def test_a_floor_on_a_task_that_the_candidate_lacks_is_an_error(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    only = tmp_path / "zh"
    assert main(["run", "--model", "scripted", "--model_args", "function=graded_models:good", "--tasks",
                 "mini_choice_zh", "--output_path", str(only)]) == 0  # fmt: skip
    (run,) = only.iterdir()
    floor = {"task": "mini_choice", "metric": "acc", "min": 0.2}
    code, report, _ = gate(rules(floor), runs["good"], run)
    assert code == 3
    assert sorted(one["verdict"] for one in report["gates"]) == ["error"] * 5 + ["pass"]


def test_noise_binds_whatever_a_gate_is_called(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    file = tmp_path / "ci.json"
    assert main(["baseline", "set", str(runs["good"]), "--reason", "first", "--noise", str(runs["alike"]), "--output",
                 str(file)]) == 0  # fmt: skip
    narrow = {"max_drop": "2pp", "task": "mini_choice"}
    for rule in ({"lang": "en", "name": "mine"}, {"lang": "en", "metric": "acc"}, {"per": "family"}, {"per": "task"}):
        code, _, said = gate(rules({**narrow, **rule}), file, runs["good"])
        assert (code, "may lie" in said) == (2, True), rule


def test_a_run_that_is_given_is_not_confirmed_by_another_model(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    suite = tmp_path / "ci.yaml"
    suite.write_text(yaml.safe_dump({"model": "scripted", "model_args": {"function": "graded_models:good"},
                                     "tasks": ["mini_choice"], "output_path": str(tmp_path / "runs")}))  # fmt: skip
    file = {**rules(FAMILY), "suite": str(suite), "noise": {"confirm": 1}}
    code, report, said = gate(file, runs["good"], runs["bad"])
    assert (code, report["gates"][0]["confirmation"]) == (1, "")
    assert "note: a run that is given is gated as it is: neither looks nor a second run" in said
    assert len(report["warnings"]) == 1


def test_gates_of_one_name_are_confirmed_each_by_its_own(runs: Runs, tmp_path: Path) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(yaml.safe_dump(rules({"task": "mini_choice", "name": "quality"}, max_drop="5pp")))
    located = read_gate_file(file)
    known = Circumstances(today="2026-11-22")
    first, _ = gate_run(located, runs["good"], open_side(runs["bad"]), known)
    failing = [one for one in first.gates if one.is_failing]
    assert len(failing) > 1
    assert set(to_confirm(first)) == {task for one in failing for task in one.tasks}
    second = msgspec.structs.replace(
        first,
        gates=tuple(
            one if index else msgspec.structs.replace(one, verdict="pass", difference=msgspec.structs.replace(
                one.difference, difference=0.0)) for index, one in enumerate(failing)
        ),
    )  # fmt: skip
    after = {one.tasks: one for one in confirmed(first, second).gates}
    assert after[failing[0].tasks].verdict == "inconclusive"
    assert after[failing[0].tasks].confirmation.startswith("not confirmed by run")
    assert after[failing[1].tasks].verdict == "fail"


def test_looks_and_a_second_run_exclude_each_other(gate: Gate, runs: Runs) -> None:
    code, _, said = gate({**rules(FAMILY), "looks": [60, 120], "noise": {"confirm": 1}}, runs["good"], runs["good"])
    assert code == 2
    assert "take confirm out of noise" in said


def test_the_items_needed_count_clusters(gate: Gate, runs: Runs) -> None:
    _, report, _ = gate(rules(FAMILY, max_drop="5pp"), runs["good"], runs["good"])
    (one,) = report["gates"]
    assert one["verdict"] == "inconclusive"  # 40 clusters leave up to 7.2 points unseen
    assert one["needed"] == 351  # 59 clusters of six


def test_a_rule_that_never_applies_is_an_error(gate: Gate, runs: Runs) -> None:
    code, report, said = gate(rules({"task": "*", "max_drop": "90pp"}, FAMILY), runs["good"], runs["good"])
    assert code == 3
    assert report["gates"][-1]["verdict"] == "error"
    assert "never applies: rules above it take all of its tasks" in said


def test_a_language_without_a_task_is_an_error(gate: Gate, runs: Runs) -> None:
    file = rules({"task": "mini_choice", "lang": ["en", "de"]}, max_drop="90pp")
    code, _, said = gate(file, runs["good"], runs["good"])
    assert code == 3
    assert "names the language de, in which there is no such task" in said


def test_what_only_the_candidate_has_is_said_not_to_be_gated(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    assert main(["run", "--model", "scripted", "--model_args", "function=graded_models:good", "--tasks",
                 "mini_choice_en", "--output_path", str(tmp_path / "en")]) == 0  # fmt: skip
    (english,) = (tmp_path / "en").iterdir()
    code, _, said = gate(rules({"task": "*"}, max_drop="90pp"), english, runs["good"])
    assert code == 0
    assert "not gated, since the baseline has none of it: mini_choice_zh" in said


@pytest.mark.parametrize("code", ["0", "2", "5", "256", "-1"])
def test_exit_codes_with_a_meaning_cannot_be_taken(gate: Gate, runs: Runs, code: str) -> None:
    found, _, said = gate(rules(FAMILY), runs["good"], runs["bad"], f"--exit_code_on_regression={code}")
    assert found == 2
    assert "the others have a meaning" in said


def test_outcomes_that_do_not_give_their_value_are_refused(gate: Gate, runs: Runs, tmp_path: Path) -> None:
    file = tmp_path / "ci.json"
    assert main(["baseline", "set", str(runs["good"]), "--reason", "first", "--output", str(file)]) == 0
    whole = file.read_text()
    value = json.loads(whole)
    counts = value["tasks"]["mini_choice_ar"]["metrics"]["acc"]["counts"]
    counts["data"] = counts["data"][:-4] + ("AAAA" if counts["data"][-4:] != "AAAA" else "////")
    file.write_text(json.dumps(value))
    code, _, said = gate(rules(FAMILY), file, runs["good"])
    assert code == 3
    assert "the outcomes of mini_choice_ar were changed" in said
    value = json.loads(whole)
    value["spec"]["seed"] = 5
    file.write_text(json.dumps(value))
    code, _, said = gate(rules(FAMILY), file, runs["good"])
    assert code == 3
    assert "its spec was changed" in said


def test_a_baseline_overwrites_no_other_file(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    assert main(["baseline", "set", str(runs["good"]), "--reason", "first", "--output", str(file)]) == 3
    assert file.read_text() == "mine"
    capsys.readouterr()
    assert main(["baseline", "set", str(runs["good"]), "--reason", "first", "--noise", str(runs["good"]), "--output",
                 str(tmp_path / "ci.json")]) == 2  # fmt: skip
    assert "of which no noise can be seen" in capsys.readouterr().err


def test_floors_alone_need_no_baseline(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gate.yaml"
    floor = {"task": "mini_choice_en", "metric": "acc", "min": 0.2}
    file.write_text(yaml.safe_dump({"gates": [floor]}))
    gate = ["gate", str(file), "--run", str(runs["good"]), "--output", str(tmp_path / "report")]
    assert main(gate) == 0
    assert main(["gate", "plan", str(file)]) == 2
    file.write_text(yaml.safe_dump({"gates": [floor, {"task": "*"}]}))
    capsys.readouterr()
    assert main(gate) == 2
    assert "no baseline" in capsys.readouterr().err
