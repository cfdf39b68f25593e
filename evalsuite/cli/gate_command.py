"""``evalsuite gate``: hold a run against a baseline by the rules of a file, and end with the verdict's exit code."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

import msgspec

from evalsuite.cli.output import print_json, print_table, say
from evalsuite.cli.run_command import exit_code, run_prepared
from evalsuite.comparing.opening import open_side
from evalsuite.comparing.sides import Side
from evalsuite.config import make_config, read_config
from evalsuite.errors import EXIT_GATE_FAILED, UsageError
from evalsuite.gates.annotations import tell_github
from evalsuite.gates.gate_file import Located, read_gate_file
from evalsuite.gates.gating import baseline_path, circumstances_of, gate
from evalsuite.gates.outputs import write_outputs
from evalsuite.gates.records import GateReport, GateResult
from evalsuite.prepare import prepare
from evalsuite.text.visible import visible_line

USUAL_FILE = Path("configs/gate.yaml")
_ORDER = ("fail", "error", "inconclusive", "pass")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``gate``."""
    add = parser.add_argument
    add(
        "config", nargs="?", type=Path, default=USUAL_FILE, metavar="CONFIG", help="the gate file (default %(default)s)"
    )
    add("--run", type=Path, metavar="RUN", help="the run to gate; without it the file's suite is run, or resumed")
    add("--baseline", type=Path, metavar="FILE", help="in place of the file's baseline: a file of `evalsuite baseline "
        "set`, or a run's directory")  # fmt: skip
    add("--strict", action="store_true", help="an inconclusive gate ends with exit code 5")
    add("--exit_code_on_regression", type=int, metavar="N", default=EXIT_GATE_FAILED, help="(default %(default)s)")
    add("--output", "-o", type=Path, default=Path("gate-report"), metavar="DIR", help="where gate.json, junit.xml, "
        "gate.md, gate.html and the metrics go (default %(default)s)")  # fmt: skip


def execute(options: argparse.Namespace) -> int:
    """Gate. Exit code 0 passed, 1 failed, 3 could not be evaluated, 5 inconclusive under --strict."""
    located = read_gate_file(options.config)
    known = circumstances_of(located, date.today().isoformat(), is_strict=options.strict)
    candidate = _candidate(options, located)
    if isinstance(candidate, int):
        return candidate
    report, pairing = gate(located, baseline_path(located, options.baseline), candidate, known)
    print_report(report)
    written = write_outputs(report, pairing, options.output)
    say(f"\nwritten to {options.output}: {', '.join(path.name for path in written)}")
    for line in tell_github(report, options.output, os.environ):
        say(line)
    if options.json:
        print_json(msgspec.to_builtins(report))
    return options.exit_code_on_regression if report.exit_code == EXIT_GATE_FAILED else report.exit_code


def _candidate(options: argparse.Namespace, located: Located) -> Side | int:
    """The run to gate; the exit code of one that could not be finished."""
    if options.run is not None:
        return open_side(options.run)
    if located.file.suite is None:
        raise UsageError(f"{located.path} names no suite to run; give --run RUN, or the key 'suite'.")
    config = make_config(read_config(Path(located.file.suite)), {})
    prepared = prepare(config)
    for note in prepared.notes:
        print(f"evalsuite: {note}", file=sys.stderr)
    finished = run_prepared(prepared, config)
    for warning in finished.warnings:
        print(f"evalsuite: {warning}", file=sys.stderr)
    if finished.result is None:
        return exit_code(finished)
    exit_code(finished)
    return open_side(finished.path)


def print_report(report: GateReport) -> None:
    """A table of the gates, worst first, and what they say together."""
    reason = visible_line(report.baseline_reason)
    say(f"baseline   {visible_line(report.baseline.label)}  run {report.baseline.run_id}  {reason}".rstrip())
    say(f"candidate  {visible_line(report.candidate.label)}  run {report.candidate.run_id}\n")
    gates = sorted(report.gates, key=lambda one: _ORDER.index(one.verdict))
    print_table([("verdict", "gate", "metric", "why"), *map(_row, gates)])
    for warning in report.warnings:
        say(f"note: {visible_line(warning, 2_000)}")
    counts = ", ".join(f"{number} {name}" for name, number in report.counts.items() if number)
    say(f"\n{report.verdict}: {counts} of {len(report.gates)} gates")


def _row(one: GateResult) -> tuple[str, ...]:
    waived = f"; waived by {one.waiver.by} until {one.waiver.expires}: {one.waiver.reason}" if one.waiver else ""
    only_warns = "" if one.blocks or one.verdict not in ("fail", "error") else " (warning only)"
    confirmed = f"; {one.confirmation}" if one.confirmation else ""
    cells = one.verdict + only_warns, one.name, one.metric, one.reason + confirmed + waived
    return tuple(visible_line(cell, 2_000) for cell in cells)  # a line end in a name would begin a line of its own
