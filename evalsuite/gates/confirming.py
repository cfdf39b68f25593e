"""What a second run says of gates that failed: only what fails both times counts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from evalsuite.gates.deciding import verdict_of_all
from evalsuite.gates.records import GateReport, GateResult


def to_confirm(report: GateReport) -> tuple[str, ...]:
    """The tasks of the gates that fail and that a second run could clear."""
    names = {task: None for gate in report.gates if gate.is_failing and gate.kind == "drop" for task in gate.tasks}
    return tuple(names)


def confirmed(report: GateReport, second: GateReport) -> GateReport:
    """`report` with its failures held against those of `second`, a run of the failing gates' tasks alone."""
    again = {_key(gate): gate for gate in second.gates}
    gates = tuple(_confirmed(gate, again, second) for gate in report.gates)
    verdict, code = verdict_of_all(gates)
    return msgspec.structs.replace(report, gates=gates, verdict=verdict, exit_code=code)


def _key(gate: GateResult) -> tuple[int, str, tuple[str, ...]]:
    """What a gate is, since several may have one name."""
    return gate.line, gate.metric, gate.tasks


def _confirmed(
    gate: GateResult, again: Mapping[tuple[int, str, tuple[str, ...]], GateResult], second: GateReport
) -> GateResult:
    if not gate.is_failing:
        return gate
    if gate.kind != "drop":
        return msgspec.structs.replace(gate, confirmation="not looked at again: only losses of tasks are")
    found = again.get(_key(gate))
    if found is None or found.difference is None:
        why = found.reason if found is not None else "the second run has no such gate"
        return msgspec.structs.replace(gate, confirmation=f"not looked at again: {why}")
    if found.difference == gate.difference:
        return msgspec.structs.replace(gate, confirmation="a second run gave the same answers, which adds nothing")
    said = f"run {second.candidate.run_id}: {found.reason}"
    if found.verdict == "fail":
        return msgspec.structs.replace(gate, confirmation=f"confirmed by {said}")
    return msgspec.structs.replace(gate, verdict="inconclusive", confirmation=f"not confirmed by {said}")
