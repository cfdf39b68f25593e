"""A report as numbers for machines: OpenMetrics for Prometheus, and one flat JSON object for DVC and dashboards. Pure.

A number that does not exist is left out; it is never 0 or NaN.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalsuite.gates.records import GateReport, GateResult
from evalsuite.gates.telling import names_of
from evalsuite.text.number_texts import PERCENT
from evalsuite.text.visible import visible_line

_VERDICTS = ("pass", "fail", "inconclusive", "error")


@dataclass(frozen=True)
class _Family:
    """A metric family. With a `unit` it holds the gates whose metric is a percentage, as ratios of 1."""

    name: str
    unit: str
    help: str


_NUMBERS = {
    "baseline": "what the baseline has",
    "candidate": "what the candidate has",
    "difference": "candidate less baseline",
    "low": "lower end of the 95 percent interval of the difference, or of the value where that is gated",
    "high": "upper end of the 95 percent interval of the difference, or of the value where that is gated",
    "margin": "the loss that is allowed",
    "at_least": "the floor of the value",
    "at_most": "the ceiling of the value",
}
"""What a gate measures, in the metric's own unit."""

_COUNTS = {
    "items": "samples paired, or asked",
    "clusters": "independent clusters among the samples",
    "lost": "samples right in the baseline alone",
    "gained": "samples right in the candidate alone",
    "left_out": "samples without a score on one side or both",
    "needed": "samples that would tell where these could not",
    "p_adjusted": "chance of such a loss by luck, one-sided, adjusted among all gates",
}
"""What a gate counts; pure numbers."""


def _measured(gate: GateResult) -> dict[str, float | None]:
    """By the keys of `_NUMBERS`, in the metric's own unit."""
    found, level = gate.difference, gate.level
    limits = {"margin": gate.margin, "at_least": gate.at_least, "at_most": gate.at_most}
    if found is not None:
        return {
            "baseline": found.baseline, "candidate": found.candidate, "difference": found.difference,
            "low": found.low, "high": found.high, **limits,
        }  # fmt: skip
    if level is not None and level.n != 0:
        return {"baseline": level.baseline, "candidate": level.value, "low": level.low, "high": level.high, **limits}
    return limits


def _counted(gate: GateResult) -> dict[str, float | None]:
    """By the keys of `_COUNTS`."""
    found, level = gate.difference, gate.level
    if found is not None:
        return {
            "items": found.n, "clusters": found.num_clusters, "lost": found.num_lost, "gained": found.num_gained,
            "left_out": found.num_left_out, "needed": gate.needed, "p_adjusted": gate.p_adjusted,
        }  # fmt: skip
    return {"items": level.n if level else None}


def _scale(gate: GateResult) -> float:
    return gate.difference.scale if gate.difference else gate.level.scale if gate.level else 1.0


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


# -- JSON


def metrics_json(report: GateReport) -> str:
    """One object of numbers by ``GATE/NAME``, in the unit that is shown: points of a percentage, BLEU points."""
    found: dict[str, float] = {f"gates/{verdict}": number for verdict, number in report.counts.items()}
    found["exit_code"] = report.exit_code
    for name, gate in zip(names_of(report.gates), report.gates, strict=True):
        scale = _scale(gate)
        numbers = {key: value * scale for key, value in _measured(gate).items() if value is not None}
        for key, value in {**numbers, **_counted(gate)}.items():
            if value is not None and _is_known(value):
                found[f"{visible_line(name)}/{key}"] = value
    return json.dumps(found, indent=1, sort_keys=True, allow_nan=False) + "\n"


# -- OpenMetrics


def open_metrics(report: GateReport) -> str:
    """The exposition, ending in ``# EOF``; without times, so that the same report gives the same bytes."""
    return "\n".join((*_lines(report), "# EOF")) + "\n"


def _lines(report: GateReport) -> Iterator[str]:
    names = names_of(report.gates)
    labels = [_labels(name, gate) for name, gate in zip(names, report.gates, strict=True)]
    yield from _head(_Family("evalsuite_gates", "", "gates by verdict"), "gauge")
    yield from (f'evalsuite_gates{{verdict="{name}"}} {number}' for name, number in report.counts.items())
    yield from _head(_Family("evalsuite_gate_exit_code", "", "exit code of the command"), "gauge")
    yield f"evalsuite_gate_exit_code {report.exit_code}"
    yield from _head(_Family("evalsuite_gate_verdict", "", "verdict of a gate"), "stateset")
    for gate, told in zip(report.gates, labels, strict=True):
        for verdict in _VERDICTS:
            yield f'evalsuite_gate_verdict{{{told},evalsuite_gate_verdict="{verdict}"}} {int(gate.verdict == verdict)}'
    for key, help_text in _NUMBERS.items():
        values = [_measured(gate).get(key) for gate in report.gates]
        ratios = [value if _scale(gate) == PERCENT else None for gate, value in zip(report.gates, values, strict=True)]
        others = [value if _scale(gate) != PERCENT else None for gate, value in zip(report.gates, values, strict=True)]
        yield from _family(_Family(f"evalsuite_gate_{key}_ratio", "ratio", help_text), labels, ratios)
        yield from _family(_Family(f"evalsuite_gate_{key}", "", f"{help_text}, in the metric's own unit"), labels,
                           others)  # fmt: skip
    for key, help_text in _COUNTS.items():
        values = [_counted(gate).get(key) for gate in report.gates]
        yield from _family(_Family(f"evalsuite_gate_{key}", "", help_text), labels, values)


def _family(family: _Family, labels: Sequence[str], values: Sequence[float | None]) -> Iterator[str]:
    """A family with its samples, or nothing where no gate has such a number."""
    known = [(told, value) for told, value in zip(labels, values, strict=True) if _is_known(value)]
    if known:
        yield from _head(family, "gauge")
        yield from (f"{family.name}{{{told}}} {value!r}" for told, value in known)


def _head(family: _Family, kind: str) -> Iterator[str]:
    yield f"# TYPE {family.name} {kind}"
    if family.unit:
        yield f"# UNIT {family.name} {family.unit}"
    yield f"# HELP {family.name} {_escaped(family.help)}"


def _labels(name: str, gate: GateResult) -> str:
    values = {"gate": name, "metric": gate.metric, "language": gate.language, "family": gate.family}
    return ",".join(f'{key}="{_escaped(visible_line(value))}"' for key, value in values.items())


def _escaped(text: str) -> str:
    """Backslash, quote and line end, as the exposition's grammar has them."""
    return re.sub(r'[\\"\n]', lambda found: {"\\": "\\\\", '"': '\\"', "\n": "\\n"}[found[0]], text)
