"""Gates as single checks, for the pytest plugin: what a test of a gate asks, and how it ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from evalsuite.canonical import content_hash
from evalsuite.comparing.opening import open_side
from evalsuite.comparing.sides import Side
from evalsuite.config import RunConfig
from evalsuite.gates.gate_file import read_gate_file
from evalsuite.gates.records import GateReport, GateResult
from evalsuite.gates.running import Runner, carry_out
from evalsuite.gates.telling import names_of, reason_of, standing_of
from evalsuite.prepare import prepare
from evalsuite.run import Quiet, execute
from evalsuite.store.response_cache import ResponseCache
from evalsuite.store.run_directory import directory_name
from evalsuite.text.visible import visible_line

_BREAKS = re.compile(r"\s+|::")
_MOST_OF_ID = 120
_HASH = 8


@dataclass
class GateCheck:
    """One gate in a test: `name` is its own among all of the file, `result` what was found, `report` all gates.

    `id` is the name as a test's id, which is its own too.
    `is_checked` says whether the test asked already; the plugin asks where it did not.
    """

    name: str
    id: str
    result: GateResult
    report: GateReport
    is_checked: bool = False
    is_evalsuite_gate = True

    @property
    def is_broken(self) -> bool:
        """Whether the gate could not be evaluated, and that blocks."""
        return standing_of(self.result) == "not evaluated"

    @property
    def told(self) -> str:
        """Gate, standing, and why."""
        where = f"{self.report.file}, line {self.result.line}"
        return visible_line(f"{self.name}: {standing_of(self.result)}: {reason_of(self.result)} ({where})", 2_000)

    def noted(self, warning: str) -> str:
        """A note of the report on one line."""
        return visible_line(f"evalsuite: {self.report.file}: {warning}", 1_000)

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


def ids_of(names: Sequence[str]) -> tuple[str, ...]:
    """Each name as a test's id, in its own script and in as few characters that a shell minds as it allows.

    Names that differ in no more than spaces, or beyond what fits, are told apart by a hash of the whole name, so that
    an id does not hang on which other gates there are before it.
    """
    short = [_BREAKS.sub("-", visible_line(name, _MOST_OF_ID)) for name in names]
    counted = Counter(short)
    return tuple(
        f"{one}-{content_hash(name)[:_HASH]}" if counted[one] > 1 else one
        for one, name in zip(short, names, strict=True)
    )


def checks_of(root: Path, file: str, run: str, baseline: str, is_strict: bool) -> list[GateCheck]:
    """A check for each gate of `file` on `run`, held against `baseline` where that is not empty, else the file's own.

    Where `run` is empty the file's suite is run by the rules of `gates.running`, as ``evalsuite gate`` does. Paths are
    relative to `root`. Raises EvalsuiteError.
    """
    with chdir(root):
        located = read_gate_file(Path(file))
        report, _ = carry_out(
            located, Path(run) if run else None, Path(baseline) if baseline else None, QUIET, is_strict=is_strict
        )
    names = names_of(report.gates)
    return [
        GateCheck(name, short, found, report)
        for name, short, found in zip(names, ids_of(names), report.gates, strict=True)
    ]


def _run_quietly(config: RunConfig) -> Side:
    """The run that `config` asks for. Raises EngineFailed, RunStopped or another EvalsuiteError."""
    prepared = prepare(config)
    cache = ResponseCache(Path(config.use_cache)) if config.use_cache else None
    path = Path(config.output_path) / directory_name(prepared.spec)
    finished = execute(prepared, path, Quiet(), cache=cache)
    if finished.trouble is not None:
        raise finished.trouble
    return open_side(finished.path)


QUIET = Runner(run=_run_quietly, tell=lambda line: None)
"""Runs that say nothing: pytest shows what a test prints, and nothing is a test's before tests are collected."""
