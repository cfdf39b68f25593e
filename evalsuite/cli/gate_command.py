"""``evalsuite gate``: hold a run against a baseline by the rules of a file, and end with the verdict's exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from evalsuite.cli.gate_running import Stopped, runner
from evalsuite.cli.gate_tables import print_plan, print_report
from evalsuite.cli.output import print_json, say
from evalsuite.cli.streams import silence
from evalsuite.comparing.opening import find_metric, open_side
from evalsuite.comparing.pairing import pair
from evalsuite.errors import EXIT_GATE_FAILED, EXIT_OK, UsageError
from evalsuite.gates.annotations import tell_github
from evalsuite.gates.gate_file import Located, read_gate_file
from evalsuite.gates.gating import baseline_path, baseline_side
from evalsuite.gates.outputs import write_outputs
from evalsuite.gates.planning import USUAL_DISCORDANCE, Assumed, plan
from evalsuite.gates.records import GateReport
from evalsuite.gates.running import carry_out

USUAL_FILE = "configs/gate.yaml"
_PLAN = "plan"
_MEANT = range(2, 7)
_MOST = 125
"""Shells use what lies above."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``gate``."""
    add = parser.add_argument
    add("words", nargs="*", metavar="[plan] [CONFIG]", help="the gate file (default configs/gate.yaml); after `plan` "
        "nothing is gated, and it says what the items there are could tell")  # fmt: skip
    add("--run", type=Path, metavar="RUN", help="the run to gate; without it the file's suite is run, or resumed; for "
        "a plan a second run that shows how often two differ")  # fmt: skip
    add("--baseline", type=Path, metavar="FILE", help="in place of the file's baseline: a file of `evalsuite baseline "
        "set`, or a run's directory")  # fmt: skip
    add("--strict", action="store_true", help="an inconclusive gate ends with exit code 5")
    add("--exit_code_on_regression", type=int, metavar="N", default=EXIT_GATE_FAILED, help="(default %(default)s)")
    add("--output", "-o", type=Path, default=Path("gate-report"), metavar="DIR", help="where gate.json, junit.xml, "
        "gate.md, gate.html and the metrics go (default %(default)s)")  # fmt: skip
    add("--discordance", type=float, metavar="SHARE", help="for a plan: the share of right/wrong items on which two "
        f"versions differ (default {USUAL_DISCORDANCE}, or as in --run)")  # fmt: skip


def execute(options: argparse.Namespace) -> int:
    """Gate, or plan. Exit code 0 passed, 1 failed, 3 could not be evaluated, 5 inconclusive under --strict."""
    code = options.exit_code_on_regression
    if code != EXIT_GATE_FAILED and (code in _MEANT or not 0 < code <= _MOST):
        raise UsageError(f"--exit_code_on_regression {code}: expected 1, or 7 to {_MOST}; the others have a meaning.")
    words = list(options.words)
    is_plan = words[:1] == [_PLAN]
    files = words[1:] if is_plan else words
    if len(files) > 1:
        raise UsageError(f"gate: one gate file at a time, not {' and '.join(files)}.")
    located = read_gate_file(Path(files[0] if files else USUAL_FILE))
    return _plan(options, located) if is_plan else _gate(options, located)


def _gate(options: argparse.Namespace, located: Located) -> int:
    try:
        report, pairing = carry_out(located, options.run, options.baseline, runner(), is_strict=options.strict)
    except Stopped as stopped:
        return stopped.code
    written = write_outputs(report, pairing, options.output)  # first, for nobody may be there to read the table
    with suppress(BrokenPipeError):  # whoever closed the pipe still reads the exit code
        _tell(options, report, written)
        sys.stdout.flush()
        return _code(options, report)
    silence()
    return _code(options, report)


def _code(options: argparse.Namespace, report: GateReport) -> int:
    return options.exit_code_on_regression if report.exit_code == EXIT_GATE_FAILED else report.exit_code


def _tell(options: argparse.Namespace, report: GateReport, written: Sequence[Path]) -> None:
    print_report(report)
    say(f"\nwritten to {options.output}: {', '.join(path.name for path in written)}")
    for line in tell_github(report, options.output, os.environ):
        say(line)
    if options.json:
        print_json(msgspec.to_builtins(report))


def _plan(options: argparse.Namespace, located: Located) -> int:
    baseline = baseline_path(located, options.baseline)
    if baseline is None:
        raise UsageError(f"{located.path}: its gates hold values against limits, which needs no plan.")
    if options.discordance is not None and not 0 < options.discordance <= 1:
        raise UsageError(f"--discordance is {options.discordance:g}; expected a share of the items.")
    before, _ = baseline_side(baseline)
    after = open_side(options.run) if options.run is not None else before
    usual = None if options.run is not None else USUAL_DISCORDANCE
    found = plan(located, pair(before, after, find_metric), Assumed(options.discordance or usual))
    print_plan(found, located.file.defaults.alpha)
    if options.json:
        print_json({"gates": msgspec.to_builtins(found)})
    return EXIT_OK
