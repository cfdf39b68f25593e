"""Runs that gates ask for: the file's suite, the failing tasks once more, and samples that grow look by look."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from evalsuite.cli.run_command import exit_code, run_prepared
from evalsuite.comparing.opening import open_side
from evalsuite.comparing.pairing import Pairing
from evalsuite.comparing.sides import Side
from evalsuite.config import RunConfig, make_config, read_config
from evalsuite.errors import UsageError
from evalsuite.gates.confirming import confirmed, to_confirm
from evalsuite.gates.gate_file import Located
from evalsuite.gates.gating import gate
from evalsuite.gates.measuring import Circumstances
from evalsuite.gates.records import GateReport
from evalsuite.prepare import prepare
from evalsuite.stats.group_sequential import nominal_levels


class Stopped(Exception):
    """A run was stopped before its end; carries the exit code that it ended with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def suite_of(located: Located) -> RunConfig:
    """What the gate file runs. Raises UsageError where it names nothing."""
    if located.file.suite is None:
        raise UsageError(f"{located.path} names no suite to run; give --run RUN, or the key 'suite'.")
    return make_config(read_config(Path(located.file.suite)), {})


def run_side(config: RunConfig) -> Side:
    """The run that `config` asks for, made or resumed. Raises Stopped when it did not come to its end."""
    prepared = prepare(config)
    for note in prepared.notes:
        print(f"evalsuite: {note}", file=sys.stderr)
    finished = run_prepared(prepared, config)
    for warning in finished.warnings:
        print(f"evalsuite: {warning}", file=sys.stderr)
    code = exit_code(finished)
    if finished.result is None:
        raise Stopped(code)
    return open_side(finished.path)


def confirm(located: Located, baseline: Path | None, report: GateReport, known: Circumstances) -> GateReport:
    """`report` after the tasks of its failing gates were run once more, answers of no cache, by another seed if asked.

    Another seed is taken only where it changes nothing but sampled answers: one that draws exemplars or samples would
    ask other questions.
    """
    names = to_confirm(report)
    if not names or not located.file.noise.confirm:
        return report
    config = suite_of(located)
    again = msgspec.structs.replace(
        config, tasks=names, output_path=f"{config.output_path}/confirm", use_cache=None, seed=_seed(located, config)
    )
    print(f"evalsuite: running {', '.join(names)} once more to confirm.", file=sys.stderr)
    second, _ = gate(located, baseline, run_side(again), known)
    return confirmed(report, second)


def _seed(located: Located, config: RunConfig) -> int:
    is_free = located.file.noise.confirm_seed == "new" and config.limit is None and bool(config.gen_kwargs)
    return config.seed + 1 if is_free else config.seed


def look_by_look(
    located: Located, baseline: Path | None, known: Circumstances, looks: Sequence[int]
) -> tuple[GateReport, Pairing]:
    """Samples that grow until every gate is decided, each look at its share of alpha. Raises UsageError or Stopped.

    Limits are nested, so that a later look asks only what the earlier ones did not, where answers are kept
    (``use_cache``).
    """
    if baseline is None or not baseline.is_dir():
        raise UsageError(f"looks pair other samples each time; give the baseline's run directory, not {baseline}.")
    config = suite_of(located)
    if config.limit is not None or config.samples:
        raise UsageError(f"{located.path}: looks choose how many samples are run; take the limit out of its suite.")
    levels = nominal_levels(looks, located.file.defaults.alpha)
    for look, level in zip(looks, levels, strict=True):
        print(f"evalsuite: a look at {look} samples of each family, at level {level:.4g}.", file=sys.stderr)
        side = run_side(msgspec.structs.replace(config, limit=float(look)))
        defaults = msgspec.structs.replace(located.file.defaults, alpha=level)
        at_level = msgspec.structs.replace(located, file=msgspec.structs.replace(located.file, defaults=defaults))
        report, pairing = gate(at_level, baseline, side, known)
        if all(one.verdict != "inconclusive" for one in report.gates):
            break
    return report, pairing
