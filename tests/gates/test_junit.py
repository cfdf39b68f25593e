"""JUnit's XML as an independent reader sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_reports import HOSTILE, Runs, every_standing, report_of, result

from evalsuite.gates.junit import junit_text

junitparser = pytest.importorskip("junitparser", reason="junitparser is not installed")


def cases_of(text: str, folder: Path) -> dict[str, object]:
    path = folder / "junit.xml"
    path.write_bytes(text.encode())
    return {case.name: case for suite in junitparser.JUnitXml.fromfile(str(path)) for case in suite}


def kinds(case: object) -> list[tuple[str, str | None]]:
    return [(type(one).__name__, one.type) for one in case.result]  # type: ignore[attr-defined]


def test_every_standing_has_its_element(tmp_path: Path) -> None:
    cases = cases_of(junit_text(every_standing()), tmp_path)
    assert {name: kinds(case) for name, case in cases.items()} == {
        "passes": [],
        "fails": [("Failure", "regression")],
        "waived": [],
        "warns": [],
        "open": [("Skipped", None)],
        "strict": [("Failure", "inconclusive")],
        "broken": [("Error", "not evaluated")],
        "softly broken": [("Skipped", None)],
        "level": [("Failure", "limit")],
        "clock": [],
    }
    assert "waived by someone until 2099-01-01: known" in cases["waived"].system_out
    assert cases["warns"].system_out.startswith("failed, which only warns here: why warns")
    assert cases["open"].result[0].message == "inconclusive: why open"
    assert cases["strict"].result[0].message.startswith("inconclusive, and --strict")
    assert {(case.classname, case._elem.get("line")) for case in cases.values()} == {("evalsuite.gates", "7")}


def test_the_counts_are_those_of_the_elements(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(junit_text(every_standing()), encoding="utf-8")
    whole = junitparser.JUnitXml.fromfile(str(path))
    written = (whole.tests, whole.failures, whole.errors, whole.skipped)
    whole.update_statistics()
    assert written == (whole.tests, whole.failures, whole.errors, whole.skipped) == (10, 3, 1, 2)


def test_numbers_are_properties(tmp_path: Path) -> None:
    case = cases_of(junit_text(every_standing()), tmp_path)["fails"]
    facts = {one.get("name"): one.get("value") for one in case._elem.iter("property")}
    assert facts["difference"] == "-5.0 points"
    assert facts["interval_95"] == "-7.0 to -3.0"
    assert (facts["n"], facts["samples"], facts["allowed"]) == ("200", "12 lost, 2 gained", "2.0 points lost")


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    cases = cases_of(junit_text(every_standing(HOSTILE)), tmp_path)
    assert len(cases) == 10
    name = next(name for name in cases if name.startswith("fails"))
    for spelt in ("⟨U+0007⟩", "⟨U+202E⟩", "⟨U+D83D⟩", "⟨U+FFFE⟩", "<img src=x", "::error file=x::pwned"):
        assert spelt in name, spelt
    assert cases[name].result[0].message.startswith("why failsa|b`c`,d=e%25<img")


def test_names_are_on_one_line_and_whole(tmp_path: Path) -> None:
    long = "x" * 3_000
    gates = [result(f"one\nline\t{long}{end}", "fail", tasks=()) for end in "ab"]
    text = junit_text(report_of(*gates, word="a\nword"))
    assert not [part for part in ("&#10;", "&#09;", "&#9;") if part in text]
    assert list(cases_of(text, tmp_path)) == [f"one⟨U+000A⟩line⟨U+0009⟩{long}{end}" for end in "ab"]


def test_gates_of_one_name_are_told_apart(tmp_path: Path) -> None:
    same = [result("one", "pass", tasks=("t_ar",)), result("one", "fail", tasks=("t_en",)), result("one", "pass"),
            result("one", "pass")]  # fmt: skip
    cases = cases_of(junit_text(report_of(*same)), tmp_path)
    assert list(cases) == ["one (t_ar)", "one (t_en)", "one (task) (acc)", "one (task) (acc) #2"]


def test_real_runs(runs: Runs, tmp_path: Path) -> None:
    good, _ = runs.report(runs.right)
    bad, _ = runs.report(runs.forgetful)
    assert {tuple(kinds(case)) for case in cases_of(junit_text(good), tmp_path).values()} == {()}
    lost = cases_of(junit_text(bad), tmp_path)
    assert list(lost) == [f"mini_choice {code}" for code in ("en", "zh", "fr", "ar", "es", "hi")]
    assert {tuple(kinds(case)) for case in lost.values()} == {(("Failure", "regression"),)}
