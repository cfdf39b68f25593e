"""A report as JUnit's XML, which every CI system shows as tests: one test case a gate. Pure.

A failure that blocks is a ``<failure>``; so is an inconclusive gate under --strict, of type ``inconclusive``. A gate
that could not be evaluated is an ``<error>``, since nothing was found out about the model. Otherwise an inconclusive
gate is ``<skipped>``, and so is an error that only warns: neither passed. A failure that only warns or is waived
passes, and its ``<system-out>`` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from evalsuite.gates.records import GateReport, GateResult
from evalsuite.gates.telling import names_of, numbers_of, reason_of, standing_of
from evalsuite.text.visible import visible, visible_line

CLASS = "evalsuite.gates"


def junit_text(report: GateReport) -> str:
    """The XML file. Characters that XML forbids are spelt out as ⟨U+0007⟩; times are left out, as a report has none.

    Names and whatever else is an attribute stand on one line: viewers list tests by them.
    """
    cases = [_case(name, gate, report) for name, gate in zip(names_of(report.gates), report.gates, strict=True)]
    kinds = [case.find(kind) is not None for kind in ("failure", "error", "skipped") for case in cases]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(kinds[: len(cases)])),
        "errors": str(sum(kinds[len(cases) : 2 * len(cases)])),
        "skipped": str(sum(kinds[2 * len(cases) :])),
    }
    root = ElementTree.Element("testsuites", {"name": "evalsuite gate", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _one_line(report.file), **counts})
    _properties(suite, _facts_of_report(report))
    suite.extend(cases)
    ElementTree.indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ElementTree.tostring(root, encoding="unicode") + "\n"


def _facts_of_report(report: GateReport) -> Iterator[tuple[str, str]]:
    yield "verdict", report.verdict
    yield "baseline", f"{report.baseline.label}, run {report.baseline.run_id}"
    yield "candidate", f"{report.candidate.label}, run {report.candidate.run_id}"
    for warning in report.warnings:
        yield "warning", warning


def _case(name: str, gate: GateResult, report: GateReport) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        {"classname": CLASS, "name": _one_line(name), "file": _one_line(report.file), "line": str(gate.line)},
    )
    _properties(case, _facts(gate, report))
    reason = visible(reason_of(gate))
    match standing_of(gate):
        case "failed":
            _say(case, "failure", reason, "regression" if gate.kind in ("drop", "macro") else "limit")
        case "undecided":
            _say(case, "failure", f"inconclusive, and --strict asks for a verdict: {reason}", "inconclusive")
        case "not evaluated":
            _say(case, "error", reason, "not evaluated")
        case "inconclusive":
            _say(case, "skipped", f"inconclusive: {reason}")
        case "warned" if gate.verdict == "error":
            _say(case, "skipped", f"not evaluated, which only warns here: {reason}")
        case "warned":
            ElementTree.SubElement(case, "system-out").text = f"failed, which only warns here: {reason}"
        case "waived":
            ElementTree.SubElement(case, "system-out").text = f"failed, and was waived: {reason}"
        case "passed":
            ElementTree.SubElement(case, "system-out").text = reason
    return case


def _say(case: ElementTree.Element, kind: str, message: str, failure_type: str = "") -> None:
    attributes = {"message": _one_line(message), **({"type": failure_type} if failure_type else {})}
    ElementTree.SubElement(case, kind, attributes).text = None if kind == "skipped" else message


def _facts(gate: GateResult, report: GateReport) -> Iterator[tuple[str, str]]:
    numbers = numbers_of(gate)
    yield "file", report.file
    yield "line", str(gate.line)
    yield "verdict", gate.verdict
    for name, value in (
        ("metric", gate.metric), ("language", gate.language), ("tasks", ", ".join(gate.tasks)),
        ("baseline", numbers.before), ("candidate", numbers.now), ("difference", numbers.moved),
        ("interval_95", numbers.interval), ("allowed", numbers.allowed), ("n", numbers.n), ("samples", numbers.flips),
    ):  # fmt: skip
        if value:
            yield name, value


def _properties(parent: ElementTree.Element, facts: Iterator[tuple[str, str]]) -> None:
    inside = ElementTree.SubElement(parent, "properties")
    for name, value in facts:
        ElementTree.SubElement(inside, "property", {"name": name, "value": _one_line(value)})


def _one_line(text: str) -> str:
    """Nothing is cut: two long names that differ in their end are two tests."""
    return visible_line(text, None)
