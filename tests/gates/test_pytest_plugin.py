"""The plugin in pytest runs of its own: one test a gate, every ending, errors of usage in one line, and no cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from gate_reports import GATES, Runs

from evalsuite.gates.checking import ids_of

pytest_plugins = ["pytester"]

OPTIONS = ("--strict-markers", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest")
TEST = """\
import pytest

@pytest.mark.evalsuite("gate.yaml", run={run!r}, baseline={baseline!r}{more})
def test_quality(gate):
    gate.check()
"""


@pytest.fixture
def ask(pytester: pytest.Pytester, runs: Runs) -> object:
    """Runs the one test over gates of `rules`, and gives pytest's result."""

    def run(candidate: Path, rules: str = GATES, *options: str, more: str = "") -> pytest.RunResult:
        (pytester.path / "gate.yaml").write_text(rules, encoding="utf-8")
        pytester.makepyfile(TEST.format(run=str(candidate), baseline=str(runs.baseline), more=more))
        return pytester.runpytest_inprocess(*OPTIONS, *options)

    return run


def test_one_test_a_gate(ask: object, runs: Runs) -> None:
    done = ask(runs.right, GATES, "-v")
    done.assert_outcomes(passed=6)
    done.stdout.fnmatch_lines(["*test_quality[[]mini_choice-ar[]] PASSED*"])


def test_gates_are_chosen_by_language(ask: object, runs: Runs) -> None:
    ask(runs.right, GATES, "-k", "choice-ar").assert_outcomes(passed=1, deselected=5)


def test_a_loss_fails_with_the_reason_alone(ask: object, runs: Runs) -> None:
    done = ask(runs.forgetful, GATES, "-k", "choice-en")
    done.assert_outcomes(failed=1, deselected=5)
    done.stdout.fnmatch_lines(["mini_choice en: failed: lost 60.0 points of 100.0 (95 % interval*gate.yaml, line 5)"])
    done.stdout.no_fnmatch_line("*Traceback*")
    done.stdout.no_fnmatch_line("*gate.check()*")


def test_a_test_that_forgets_to_check_its_gate_fails_all_the_same(
    ask: object, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "TEST", TEST.replace("gate.check()", "assert gate.name"))
    done = ask(runs.forgetful, GATES, "-k", "choice-en")
    done.assert_outcomes(failed=1, deselected=5)
    done.stdout.fnmatch_lines(["mini_choice en: failed: lost 60.0 points of 100.0*"])
    ask(runs.right, GATES, "-k", "choice-en").assert_outcomes(passed=1, deselected=5)


NAMED = "baseline: x\ndefaults: {max_drop: 10pp}\ngates:\n" + "".join(
    f"  - {{task: mini_choice, lang: {code}, name: '{name}'}}\n"
    for code, name in (("hi", "हिन्दी की गुणवत्ता"), ("ar", "جودة العربية"), ("zh", "中文 质量"), ("en", "a b"),
                       ("fr", "a-b"), ("es", "x" * 300))
)  # fmt: skip
LONG = "x" * 119 + "…"


def test_names_of_other_scripts_are_ids_as_they_are(ask: object, runs: Runs, pytester: pytest.Pytester) -> None:
    done = ask(runs.right, NAMED, "--collect-only", "-q")
    found = [line.partition("test_quality")[2] for line in done.outlines if "::test_quality" in line]
    assert found[:3] == ["[हिन्दी-की-गुणवत्ता]", "[جودة-العربية]", "[中文-质量]"]
    assert found[5] == f"[{LONG}]"
    assert len(set(found)) == 6
    ask(runs.right, NAMED, "-k", "中文").assert_outcomes(passed=1, deselected=5)
    file = next(pytester.path.glob("test_*.py"))
    done = pytester.runpytest_inprocess(*OPTIONS, f"{file.name}::test_quality[हिन्दी-की-गुणवत्ता]", "--junitxml=out.xml")
    done.assert_outcomes(passed=1)
    assert "test_quality[हिन्दी-की-गुणवत्ता]" in (pytester.path / "out.xml").read_text(encoding="utf-8")


def test_a_system_that_lacks_the_letters_has_ids_all_the_same(
    ask: object, runs: Runs, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(runs.right, NAMED, "--collect-only")
    for name, value in (("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")):
        monkeypatch.setenv(name, value)
    pytester.runpytest_subprocess(*OPTIONS).assert_outcomes(passed=6)


def test_names_that_come_to_one_id_are_told_apart_whatever_else_there_is(ask: object, runs: Runs) -> None:
    ids = ids_of(["a b", "c", "a-b"])
    assert ids[1] == "c"
    assert all(one.startswith("a-b-") for one in (ids[0], ids[2]))
    assert len(set(ids)) == 3
    assert ids_of(["a-b", "a b"]) == (ids[2], ids[0])
    assert ids_of([f"{'x' * 200}1", f"{'x' * 200}2"])[0] != ids_of([f"{'x' * 200}1", f"{'x' * 200}2"])[1]


def test_values_of_others_that_mind_being_asked_are_let_be(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import pytest\nclass Touchy:\n    def __getattr__(self, name):\n        if name.startswith('is_'):\n"
        "            raise RuntimeError(name)\n        raise AttributeError(name)\n"
        "@pytest.mark.parametrize('value', [Touchy()])\ndef test_it(value):\n    pass\n"
    )
    pytester.runpytest_inprocess(*OPTIONS).assert_outcomes(passed=1)


NARROW = GATES.replace("10pp", "1pp")


def test_an_inconclusive_gate_is_skipped_and_under_strict_fails(ask: object, runs: Runs) -> None:
    done = ask(runs.right, NARROW, "-rs")
    done.assert_outcomes(skipped=6)
    done.stdout.fnmatch_lines(["*mini_choice en: inconclusive: 0.0 points*about*items would tell*"])
    ask(runs.right, NARROW, more=", strict=True").assert_outcomes(failed=6)


BROKEN = GATES + "  - task: no_such_task\n"


def test_what_could_not_be_evaluated_errs(ask: object, runs: Runs) -> None:
    done = ask(runs.right, BROKEN)
    done.assert_outcomes(passed=6, errors=1)
    done.stdout.fnmatch_lines(["no_such_task: not evaluated: gate.yaml, line 6 matches no task of either run*"])
    softly = BROKEN.replace("{max_drop: 10pp}", "{max_drop: 10pp, on_missing: warn}")
    ask(runs.right, softly).assert_outcomes(passed=6, skipped=1)


def test_a_failure_that_only_warns_passes_and_says_so(ask: object, runs: Runs) -> None:
    done = ask(runs.forgetful, GATES.replace("{max_drop: 10pp}", "{max_drop: 10pp, on_regression: warn}"), "-rP")
    done.assert_outcomes(passed=6)
    done.stdout.fnmatch_lines(["*mini_choice en: warned: lost 60.0 points*"])


@pytest.mark.parametrize(
    ("rules", "more", "expected"),
    [
        ("gates: []\n", "", "*gate.yaml: there are no gates*"),
        ("gates: [{tsk: x}]\n", "", "*gate.yaml, line 1: unknown key 'tsk'; did you mean 'task'?*"),
        (
            GATES,
            ", strct=True",
            "*test_quality: *unexpected keyword argument 'strct'; expected @pytest.mark.evalsuite(*",
        ),
    ],
)
def test_errors_of_usage_are_one_line_at_collection(
    ask: object, runs: Runs, rules: str, more: str, expected: str
) -> None:
    done = ask(runs.right, rules, more=more)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([expected])
    done.stdout.no_fnmatch_line("*Traceback*")


def test_a_missing_run_is_an_error_at_collection(ask: object) -> None:
    done = ask(Path("runs/none"))
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*runs/none*"])


def test_a_test_without_the_argument_is_told(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.evalsuite('gate.yaml', run='x')\ndef test_it():\n    pass\n")
    done = pytester.runpytest_inprocess(*OPTIONS)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*add the argument 'gate'*"])


def test_a_fixture_of_ones_own_by_that_name_is_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import pytest\n@pytest.fixture\ndef gate():\n    return 1\ndef test_it(gate):\n    assert gate == 1\n"
        "@pytest.mark.parametrize('gate', [1, None])\ndef test_more(gate):\n    pass\n"
    )
    pytester.runpytest_inprocess(*OPTIONS).assert_outcomes(passed=3)


PROBE = """
import sys, pytest
code = pytest.main(sys.argv[1:])
print(*sorted(name for name in sys.modules if name.startswith(("numpy", "evalsuite", "msgspec"))), sep=",")
sys.exit(code)
"""


@pytest.mark.parametrize("arguments", [("--version",), ("-q", "test_plain.py")])
def test_unused_it_imports_itself_alone(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_it():\n    pass\n", encoding="utf-8")
    command = [sys.executable, "-c", PROBE, "-p", "no:hypothesispytest", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split(",")) - {""}
    assert loaded <= {"evalsuite", "evalsuite.gates", "evalsuite.gates.pytest_plugin"}


def test_it_is_found_by_its_entry_point(ask: object, pytester: pytest.Pytester, runs: Runs) -> None:
    """In a process of its own, with nothing but what is installed."""
    ask(runs.right)
    done = pytester.runpytest_subprocess("--strict-markers", "-W", "error")
    done.assert_outcomes(passed=6)
    assert "@pytest.mark.evalsuite(file, run" in pytester.runpytest_subprocess("--markers").stdout.str()
