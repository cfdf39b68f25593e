"""What GitHub Actions reads of a gate while the job runs: annotations, the step's summary and its outputs.

Names are others' words: a line end or ``::`` in one must neither start a workflow command nor write another output.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from evalsuite.gates.markdown import SUMMARY_BYTES, summary_text
from evalsuite.gates.records import GateReport, GateResult
from evalsuite.gates.telling import BLOCKING, reason_of, standing_of, worst_first
from evalsuite.text.visible import visible_line

MOST_ANNOTATIONS = 9
"""GitHub shows 10 of a kind a step and 50 a job, and drops the rest in silence."""

_STEP_BYTES = 1_048_576
_ROOM = 4_096


def annotations_of(report: GateReport, workspace: str = "") -> list[str]:
    """Workflow commands for what did not pass, worst first, each at its gate's line of the gate file.

    `MOST_ANNOTATIONS` at most: where there are more, the last says how many. `workspace` is the repository's folder,
    which paths are relative to.
    """
    told = [(name, gate) for name, gate in worst_first(report) if standing_of(gate) != "passed"]
    path = _relative(report.file, workspace)
    if len(told) <= MOST_ANNOTATIONS:
        return [_annotation(name, gate, path) for name, gate in told]
    shown, rest = told[: MOST_ANNOTATIONS - 1], told[MOST_ANNOTATIONS - 1 :]
    kind = "error" if any(standing_of(gate) in BLOCKING for _, gate in rest) else "warning"
    more = f"and {len(rest)} more gates that did not pass; the summary and gate.json have them all"
    return [*(_annotation(name, gate, path) for name, gate in shown), _command(kind, more, file=path)]


def _annotation(name: str, gate: GateResult, path: str) -> str:
    standing = standing_of(gate)
    kind = "error" if standing in BLOCKING else "warning"
    title = f"evalsuite gate {visible_line(name, 120)}: {standing}"
    return _command(kind, reason_of(gate), file=path, line=str(gate.line), title=title)


def _command(kind: str, message: str, **properties: str) -> str:
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{kind} {told}::{_data(visible_line(message, 1_000))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible_line(text)).replace(":", "%3A").replace(",", "%2C")


def _relative(file: str, workspace: str) -> str:
    path = Path(file)
    if workspace and path.is_absolute() and path.is_relative_to(workspace):
        return path.relative_to(workspace).as_posix()
    return path.as_posix()


def tell_github(report: GateReport, directory: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Write the step's summary and outputs where `environment` names files for them; yields lines to print.

    The lines are annotations, and notes of what could not be written: a gate's verdict does not hang on its display.
    Outputs are ``verdict``, ``regressed`` (how many gates fail) and ``report`` (the folder of all files).
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        yield from annotations_of(report, environment.get("GITHUB_WORKSPACE", ""))
    try:
        if path := environment.get("GITHUB_STEP_SUMMARY"):
            _append(Path(path), summary_text(report, _room(Path(path))))
        if path := environment.get("GITHUB_OUTPUT"):
            _append(Path(path), _outputs(report, directory))
    except OSError as error:
        yield f"evalsuite: the step's summary or outputs cannot be written: {visible_line(str(error))}"


def _room(path: Path) -> int:
    """How many bytes are left of the step's summary."""
    used = path.stat().st_size if path.exists() else 0
    return max(_ROOM, min(SUMMARY_BYTES, _STEP_BYTES - _ROOM - used))


def _outputs(report: GateReport, directory: Path) -> str:
    regressed = sum(gate.is_failing for gate in report.gates)
    values = {"verdict": report.verdict, "regressed": str(regressed), "report": str(directory)}
    return "".join(_output(name, value) for name, value in values.items())


def _output(name: str, value: str) -> str:
    """An output of several lines ends at a word that nobody can guess, so that no value ends it early."""
    end = f"end_{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{value}\n{end}\n"


def _append(path: Path, text: str) -> None:
    with path.open("ab") as file:
        file.write(text.encode("utf-8", "replace"))
