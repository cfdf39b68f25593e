"""A gate file carried out, by the command and by pytest alike: a suite that is run, a second run, and looks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import graded_models
import numpy as np
import pytest
import yaml

from evalsuite.cli.main import main
from evalsuite.gates.running import levels_of
from evalsuite.stats import intervals

pytest_plugins = ["pytester"]

FAMILY = {"task": "mini_choice", "per": "family", "max_drop": "10pp"}
OPTIONS = ("--strict-markers", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest")
TEST = """\
from pathlib import Path
import msgspec, pytest

@pytest.mark.evalsuite("gate.yaml"{more})
def test_quality(gate):
    Path("report.json").write_bytes(msgspec.json.encode(gate.report))
    gate.check()
"""

Asked = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the good model."""
    return graded_models.run("good", tmp_path_factory.mktemp("carried"))


def write_files(folder: Path, baseline: Path, model: str, file: Mapping[str, Any]) -> None:
    """A suite of the model, and a gate file that runs it."""
    suite = {"model": "scripted", "model_args": {"function": f"graded_models:{model}"}, "tasks": ["mini_choice"]}
    (folder / "ci.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    whole = {"gates": [FAMILY], "suite": "ci.yaml", "baseline": str(baseline), **file}
    (folder / "gate.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    graded_models.ASKED.clear()


@pytest.fixture
def commanded(tmp_path: Path, baseline: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The report of ``evalsuite gate`` on a model's suite."""

    def ask(model: str, **file: Any) -> dict[str, Any]:
        folder = tmp_path / "commanded"
        folder.mkdir(exist_ok=True)
        write_files(folder, baseline, model, file)
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            main(["gate", "gate.yaml"])
        found: dict[str, Any] = json.loads((folder / "gate-report" / "gate.json").read_text(encoding="utf-8"))
        return found

    return ask


@pytest.fixture
def tested(pytester: pytest.Pytester, baseline: Path) -> Callable[..., tuple[pytest.RunResult, dict[str, Any]]]:
    """How pytest ends on the same, and the report that its tests are given."""

    def ask(model: str, more: str = "", **file: Any) -> tuple[pytest.RunResult, dict[str, Any]]:
        write_files(pytester.path, baseline, model, file)
        pytester.makepyfile(TEST.format(more=more))
        done = pytester.runpytest_inprocess(*OPTIONS, "-rs")
        report = pytester.path / "report.json"
        return done, json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}

    return ask


CONFIRM = {"noise": {"confirm": 1}}
LOOKS = {"looks": [60, 120, 240]}


def test_what_fails_once_is_run_again_in_pytest_too(commanded: Asked, tested: Any) -> None:
    by_command = commanded("improving", **CONFIRM)
    (gate,) = by_command["gates"]
    assert gate["verdict"] == "inconclusive"
    assert gate["confirmation"].startswith("not confirmed by run")
    done, by_pytest = tested("improving", **CONFIRM)
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines(["*mini_choice: inconclusive: lost*not confirmed by run*"])
    assert by_pytest["gates"] == by_command["gates"]
    done, _ = tested("improving")
    done.assert_outcomes(failed=1)


def test_a_loss_that_stays_fails_in_pytest_too(tested: Any) -> None:
    done, report = tested("bad", **CONFIRM)
    done.assert_outcomes(failed=1)
    assert report["gates"][0]["confirmation"] == "a second run gave the same answers, which adds nothing"


def test_looks_stop_alike_in_pytest(commanded: Asked, tested: Any) -> None:
    by_command = commanded("bad", **LOOKS)
    done, by_pytest = tested("bad", **LOOKS)
    done.assert_outcomes(failed=1)
    assert by_pytest["gates"] == by_command["gates"]
    assert by_pytest["alpha"] == by_command["alpha"] < 0.02
    assert by_pytest["gates"][0]["difference"]["n"] == 120


def test_a_run_that_is_given_is_gated_as_it_is_and_that_is_said(tested: Any, baseline: Path) -> None:
    done, report = tested("bad", f", run={str(baseline)!r}", **LOOKS)
    done.assert_outcomes(passed=1)
    assert report["alpha"] == 0.05
    done.stdout.fnmatch_lines(["evalsuite: gate.yaml: a run that is given is gated as it is: neither looks*"])
    done, _ = tested("bad", f", run={str(baseline)!r}")
    done.stdout.no_fnmatch_line("*gated as it is*")


def test_processes_that_would_run_one_suite_at_once_are_refused(pytester: pytest.Pytester, baseline: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    write_files(pytester.path, baseline, "good", {})
    pytester.makepyfile(TEST.format(more=""))
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "2")
    done.stdout.fnmatch_lines(["*several processes cannot run one suite at once; give run=RUN.*"])
    assert not (pytester.path / "runs").exists()


def test_a_file_without_a_suite_needs_a_run(tested: Any, baseline: Path) -> None:
    done, _ = tested("bad", suite=None)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*gate.yaml names no suite to run; give a run, or the key 'suite'*"])


def test_an_empty_path_is_not_taken_for_none(tested: Any) -> None:
    done, _ = tested("bad", ", run=''")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*a path is empty; expected @pytest.mark.evalsuite(*"])


# -- floors at looks


def test_a_floor_at_a_look_is_held_to_the_looks_own_level(commanded: Asked) -> None:
    """Of the first ten questions the model knows three: below the floor by 95 %, not by what one look may spend."""
    (gate,) = commanded("bad", gates=[{"task": "mini_choice_en", "metric": "acc", "min": 0.75}], **LOOKS)["gates"]
    level = gate["level"]
    assert intervals.wilson(0.3, 10)[1] < 0.75
    assert (gate["verdict"], level["n"]) == ("fail", 20)
    assert level["least"] < level["low"] < level["high"] < level["most"] < 0.75
    assert "; at this look's own level " in gate["reason"]


def test_a_rate_at_a_look_is_held_to_the_looks_own_level(commanded: Asked) -> None:
    """Ten answers, all scored, keep to a ceiling of 30 % by 95 %, and at the first look's own level do not yet."""
    ceiling = {"task": "mini_choice_en", "metric": "unscored_rate", "max": 0.3}
    (gate,) = commanded("good", gates=[ceiling], **LOOKS)["gates"]
    assert intervals.wilson(0.0, 10)[1] < 0.3
    assert (gate["verdict"], gate["level"]["n"]) == ("pass", 40)
    assert gate["level"]["high"] < gate["level"]["most"] < 0.3


def test_looks_together_fail_a_floor_that_is_met_no_more_often_than_one_interval_does() -> None:
    looks, floor = (50, 100, 200, 400), 0.8
    random = np.random.default_rng(5)
    found = (random.random((10_000, looks[-1])) < floor).cumsum(axis=1)[:, [look - 1 for look in looks]]

    @cache
    def is_below(count: int, look: int, confidence: float) -> bool:
        return confidence < 1 and intervals.wilson(count / look, look, confidence)[1] < floor

    def share_failed(levels: tuple[float, ...]) -> float:
        wrong = [any(is_below(int(count), look, 1 - 2 * level) for count, look, level in
                     zip(row, looks, levels, strict=True)) for row in found]  # fmt: skip
        return float(np.mean(wrong))

    assert share_failed((0.025,) * 4) > 0.07
    assert share_failed(levels_of(looks, 0.025)) == pytest.approx(share_failed((0.0, 0.0, 0.0, 0.025)), abs=0.003)


def test_a_look_at_next_to_nothing_has_bounds_all_the_same(commanded: Asked) -> None:
    """Its share of alpha is 0 but for rounding, and a bound of confidence 1 is none."""
    (gate,) = commanded("good", looks=[6, 6000])["gates"]
    assert gate["verdict"] == "pass"
    assert gate["difference"]["n"] == 240
