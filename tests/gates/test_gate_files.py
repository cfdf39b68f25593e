"""What a gate file may say, and how it is told where it says something else: the line, and what could stand there."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_reports import Runs

from evalsuite.cli.main import main
from evalsuite.errors import ConfigError
from evalsuite.gates.gate_file import read_gate_file
from evalsuite.gates.waivers import read_waivers


def test_limits_in_percent_and_in_the_metrics_own_unit_are_the_same(runs: Runs) -> None:
    rules = """\
gates:
  - {task: mini_choice_en, metric: acc, min: %s, max: %s}
  - {task: mini_choice_en, metric: unscored_rate, max: %s}
"""
    own, _ = runs.report(runs.forgetful, runs.right, rules=rules % (0.07, 0.9, 0.2))
    percent, _ = runs.report(runs.forgetful, runs.right, rules=rules % ("7%", "90 %", "'20%'"))
    assert own.gates == percent.gates
    assert [(gate.at_least, gate.at_most) for gate in percent.gates] == [(0.07, 0.9), (None, 0.2)]
    assert "expected at least 7 and at most 90" in percent.gates[0].reason


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("metric: acc, min: 20pp", "min is '20pp'; expected a number in the metric's own unit such as 0.97, or"),
        ("metric: acc, min: '0.2'", "min is '0.2'; expected a number in the metric's own unit"),
        ("metric: acc, max: 120%", "max is '120%'; expected a number in the metric's own unit such as 0.97, or, where"),
        ("metric: acc, min: .nan", "min is nan; expected a finite number"),
        ("metric: acc, max: .inf", "max is inf; expected a finite number"),
        ("metric: acc, min: 30%, max: 0.2", "min 30% is above max 0.2"),
        ("metric: tokens_per_second, min: 20%", "tokens_per_second is no percentage; give min as a number in its own"),
        ("metric: acc, min: 97", "acc lies between 0 and 1; write 97 % as 0.97 or 97%"),
        ("metric: acc, min: [1]", "line 2: min: expected float | str | null, got array"),
    ],
)
def test_limits_that_cannot_be_meant(runs: Runs, rule: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        runs.report(runs.right, runs.right, rules=f"gates:\n  - {{task: mini_choice_en, {rule}}}\n")
    assert "gate.yaml, line 2" in str(refused.value)
    assert said in str(refused.value)


def test_a_metric_that_is_no_percentage_has_no_limit_in_percent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", "--model", "scripted", "--tasks", "mini_translation", "--limit", "40"]
    assert main([*run, "--output_path", str(tmp_path / "runs")]) == 0
    (path,) = (tmp_path / "runs").iterdir()
    file = tmp_path / "gate.yaml"
    file.write_text("gates: [{task: mini_translation, metric: chrf, max: 20%}]\n", encoding="utf-8")
    gate = ["gate", str(file), "--run", str(path), "--output", str(tmp_path / "report")]
    assert main(gate) == 2
    assert "chrf is no percentage; give max as a number in its own unit, not '20%'." in capsys.readouterr().err
    file.write_text("gates: [{task: mini_translation, metric: chrf, max: 101}]\n", encoding="utf-8")
    assert main(gate) == 0


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("gates: [{task: '*'}]\ndefaults:\n  per: langage\n", 3,
         "defaults.per is 'langage'; did you mean 'language'? Expected one of language, task, family."),
        ("gates:\n  - task: '*'\n    on_regression: ignore\n", 3,
         "on_regression is 'ignore'; expected one of fail, warn."),
        ("gates: [{task: '*'}]\ndefaults:\n  correction: bonferroni\n", 3,
         "defaults.correction is 'bonferroni'; expected one of holm, none."),
        ("gates: [{task: '*'}]\nnoise: {confirm: 3}\n", 2, "noise.confirm is 3; expected one of 0, 1."),
        ("gates: [{task: '*'}]\ndefaults:\n  alpha: .05\n  alhpa: .01\n", 4,
         "unknown key 'alhpa'; did you mean 'alpha'? Expected one of test, alpha, correction, max_drop, per,"),
        ("gates: [{task: '*'}]\nnois: {}\n", 2, "unknown key 'nois'; did you mean 'noise'? Expected one of suite,"),
        ("gates:\n  - frobnicate: 1\n", 2,
         "unknown key 'frobnicate'; expected one of task, lang, metric, max_drop, min, max, per,"),
        ("gates: [{task: '*'}]\naggregate:\n  also:\n    macro_men: {max_drop: 1}\n", 4,
         "unknown key 'macro_men'; did you mean 'macro_mean'? Expected one of macro_mean."),
        ("gates: [{task: '*'}]\naggregate: {also: {macro_mean: {}}}\n", 2, "there is no 'max_drop'."),
        ("gates: [{task: '*'}]\nlooks: [ten]\n", 2, "looks: expected int, got str."),
        ("gates: [everything]\n", 1, "gates: expected object, got str."),
        ("gates:\n  - task: [a, 5]\n", 2, "task: expected str, got int."),
    ],
)  # fmt: skip
def test_wrong_keys_and_values_are_named_with_their_line_and_what_could_stand_there(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_gate_file(path)
    assert str(refused.value).startswith(f"{path}, line {line}: {said}")


def test_waivers_are_read_as_strictly(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text("waivers:\n  - {gate: a, reason: b, by: c, expires: 2099-01-01}\n  - gate: a\n    resaon: b\n")
    with pytest.raises(ConfigError) as refused:
        read_waivers(path)
    said = "unknown key 'resaon'; did you mean 'reason'? Expected one of gate, reason, by, expires."
    assert str(refused.value) == f"{path}, line 4: {said}"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("task: mini_choise", "matches no task of either run; did you mean 'mini_choice'? There are mini_choice,"),
        ("task: other", "matches no task of either run; there are mini_choice, mini_choice_en,"),
        ("task: mini_choice, lang: de", "matches no task of either run in that language; there are en, zh,"),
        ("task: mini_choice, lang: [en, de]", "names the language de, in which there is no such task; there are en"),
        ("task: mini_choice, metric: ac", "matches no task of either run with the metric 'ac'; did you mean 'acc'?"),
        ("task: mini_choice, metric: unparsd_rate, max: 1%",
         "matches no task of either run with the metric 'unparsd_rate'; did you mean 'unparsed_rate'?"),
    ],
)  # fmt: skip
def test_a_rule_that_names_nothing_is_told_what_there_is(runs: Runs, rule: str, said: str) -> None:
    report, _ = runs.report(runs.right, rules=f"gates:\n  - {{task: mini_choice_fr}}\n  - {{{rule}}}\n")
    found = next(gate for gate in report.gates if gate.verdict == "error")
    assert said in found.reason
