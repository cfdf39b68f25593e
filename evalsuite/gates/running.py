"""How a gate file is carried out: a run as it is, the suite and failing gates once more, or samples look by look.

The rules are here, once, for the command and for pytest. Who calls says how a run is made, which asks a model; nothing
else here does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import msgspec

from evalsuite.comparing.opening import open_side
from evalsuite.comparing.pairing import Pairing
from evalsuite.comparing.sides import Side
from evalsuite.config import RunConfig, make_config, read_config
from evalsuite.errors import UsageError
from evalsuite.gates.confirming import confirmed, to_confirm
from evalsuite.gates.gate_file import Located
from evalsuite.gates.gating import baseline_path, baseline_side, circumstances_of, gate
from evalsuite.gates.measuring import Circumstances
from evalsuite.gates.records import GateReport
from evalsuite.stats import intervals
from evalsuite.stats.group_sequential import nominal_levels

GIVEN = "a run that is given is gated as it is: neither looks nor a second run"

_LEAST_LEVEL = 1e-12
"""The least level to test at: that of a look at next to nothing is 0 but for rounding, which no bound has."""


@dataclass(frozen=True)
class Runner:
    """How runs are made: `run` makes or resumes the one that a config asks for, `tell` is told what comes next."""

    run: Callable[[RunConfig], Side]
    tell: Callable[[str], None]


def carry_out(
    located: Located, run: Path | None, baseline: Path | None, runner: Runner, *, is_strict: bool = False
) -> tuple[GateReport, Pairing]:
    """The report of a gate file today, and the pairing that it comes from.

    A `run` is gated as it is. Without one the file's suite is run: look by look where the file has looks, and else the
    tasks of failing gates once more where it says so. `baseline` stands in for the file's own. Raises EvalsuiteError,
    and whatever `runner` raises.
    """
    known = circumstances_of(located, date.today().isoformat(), is_strict=is_strict)
    against = baseline_path(located, baseline)
    if run is not None:
        report, pairing = gate(located, against, open_side(run), known)
        return _as_it_is(located, report), pairing
    if against is not None:
        baseline_side(against)  # before anything is run
    config = suite_of(located)
    if located.file.looks:
        return look_by_look(located, config, against, known, runner)
    report, pairing = gate(located, against, runner.run(config), known)
    return confirm(located, config, against, report, known, runner), pairing


def _as_it_is(located: Located, report: GateReport) -> GateReport:
    """`report`, which says so where the file has rules that a given run does not come under."""
    if not located.file.looks and not located.file.noise.confirm:
        return report
    return msgspec.structs.replace(report, warnings=(*report.warnings, GIVEN))


def suite_of(located: Located) -> RunConfig:
    """What the gate file runs. Raises UsageError where it names nothing."""
    if located.file.suite is None:
        raise UsageError(f"{located.path} names no suite to run; give a run, or the key 'suite'.")
    return make_config(read_config(Path(located.file.suite)), {})


def confirm(
    located: Located, config: RunConfig, baseline: Path | None, report: GateReport, known: Circumstances, runner: Runner
) -> GateReport:
    """`report` after the tasks of its failing gates were run once more, answers of no cache, by another seed if asked.

    Another seed is taken only where it changes nothing but sampled answers: one that draws exemplars or samples would
    ask other questions.
    """
    names = to_confirm(report)
    if not names or not located.file.noise.confirm:
        return report
    again = msgspec.structs.replace(
        config, tasks=names, output_path=f"{config.output_path}/confirm", use_cache=None, seed=_seed(located, config)
    )
    runner.tell(f"running {', '.join(names)} once more to confirm.")
    second, _ = gate(located, baseline, runner.run(again), known)
    return confirmed(report, second)


def _seed(located: Located, config: RunConfig) -> int:
    is_free = located.file.noise.confirm_seed == "new" and config.limit is None and bool(config.gen_kwargs)
    return config.seed + 1 if is_free else config.seed


def look_by_look(
    located: Located, config: RunConfig, baseline: Path | None, known: Circumstances, runner: Runner
) -> tuple[GateReport, Pairing]:
    """Samples that grow until every gate is decided, each look at its share of alpha. Raises UsageError.

    Floors and ceilings have a share of their own error, that of one end of a 95 % interval. Limits are nested, so that
    a later look asks only what the earlier ones did not, where answers are kept (``use_cache``).
    """
    if baseline is None or not baseline.is_dir():
        raise UsageError(f"looks pair other samples each time; give the baseline's run directory, not {baseline}.")
    if config.limit is not None or config.samples:
        raise UsageError(f"{located.path}: looks choose how many samples are run; take the limit out of its suite.")
    looks = located.file.looks
    levels = levels_of(looks, located.file.defaults.alpha)
    of_limits = levels_of(looks, (1.0 - intervals.CONFIDENCE) / 2)
    for look, level, of_limit in zip(looks, levels, of_limits, strict=True):
        runner.tell(f"a look at {look} samples of each family, at level {level:.4g}.")
        side = runner.run(msgspec.structs.replace(config, limit=float(look)))
        at_look = replace(known, limit_confidence=1.0 - 2 * of_limit)
        report, pairing = gate(_at_level(located, level), baseline, side, at_look)
        if all(one.verdict != "inconclusive" for one in report.gates):
            break
    return report, pairing


def levels_of(looks: tuple[int, ...], alpha: float) -> tuple[float, ...]:
    """The level of each look, so that all together err with `alpha`; never so low that it is none."""
    return tuple(max(_LEAST_LEVEL, level) for level in nominal_levels(looks, alpha))


def _at_level(located: Located, level: float) -> Located:
    defaults = msgspec.structs.replace(located.file.defaults, alpha=level)
    return msgspec.structs.replace(located, file=msgspec.structs.replace(located.file, defaults=defaults))
