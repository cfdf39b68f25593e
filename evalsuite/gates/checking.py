"""Gates as single checks, for the pytest plugin: what a test of a gate asks, and how it ends."""

from __future__ import annotations

import re
from contextlib import chdir
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from evalsuite.comparing.opening import open_side
from evalsuite.gates.gate_file import read_gate_file
from evalsuite.gates.gating import baseline_path, circumstances_of, gate
from evalsuite.gates.records import GateReport, GateResult
from evalsuite.gates.telling import names_of, reason_of, standing_of
from evalsuite.text.visible import visible_line


@dataclass
class GateCheck:
    """One gate in a test: `name` is its own among all of the file, `result` what was found, `report` all gates.

    `is_checked` says whether the test asked already; the plugin asks where it did not.
    """

    name: str
    result: GateResult
    report: GateReport
    is_checked: bool = False
    is_evalsuite_gate = True

    @property
    def id(self) -> str:
        """The name as a test's id, which a shell takes without quotes where the name allows it."""
        return re.sub(r"\s+|::", "-", visible_line(self.name, 120))

    @property
    def is_broken(self) -> bool:
        """Whether the gate could not be evaluated, and that blocks."""
        return standing_of(self.result) == "not evaluated"

    @property
    def told(self) -> str:
        """Gate, standing, and why."""
        where = f"{self.report.file}, line {self.result.line}"
        return visible_line(f"{self.name}: {standing_of(self.result)}: {reason_of(self.result)} ({where})", 2_000)

    def check(self) -> None:
        """Return where the gate passes, or fails and only warns or is waived, which is printed.

        Fails the test where the gate failed, could not be evaluated, or is inconclusive under ``strict``; skips it
        where the gate is inconclusive otherwise, or could not be evaluated and only warns.
        """
        import pytest

        self.is_checked = True
        match standing_of(self.result):
            case "failed" | "undecided" | "not evaluated":
                pytest.fail(self.told, pytrace=False)
            case "inconclusive":
                pytest.skip(self.told)
            case "warned" if self.result.verdict == "error":
                pytest.skip(self.told)
            case _:
                print(self.told)


def checks_of(root: Path, file: str, run: str, baseline: str, is_strict: bool) -> list[GateCheck]:
    """A check for each gate of `file` on `run`, held against `baseline` where that is not empty, else the file's own.

    Paths are relative to `root`. Raises EvalsuiteError.
    """
    with chdir(root):
        located = read_gate_file(Path(file))
        known = circumstances_of(located, date.today().isoformat(), is_strict=is_strict)
        against = baseline_path(located, Path(baseline) if baseline else None)
        report, _ = gate(located, against, open_side(Path(run)), known)
    return [GateCheck(name, found, report) for name, found in zip(names_of(report.gates), report.gates, strict=True)]
