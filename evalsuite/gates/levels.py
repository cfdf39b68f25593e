"""Gates on a run's own values: floors and ceilings of metrics, shares of answers, and what a clock says. Pure."""

from __future__ import annotations

import msgspec

from evalsuite.comparing.pairing import Pairing
from evalsuite.comparing.sides import Side
from evalsuite.errors import ConfigError
from evalsuite.gates import wording
from evalsuite.gates.gate_file import CLOCKS, RATES, Located, margin_of
from evalsuite.gates.measuring import PERCENT, Circumstances, too_many_unscored
from evalsuite.gates.records import GateResult, Level, result_of
from evalsuite.gates.selecting import Gate
from evalsuite.stats import intervals
from evalsuite.stats.gate_rules import verdict_of_bounds

_ROUNDING = 1e-12


def decide_level(gate: Gate, located: Located, pairing: Pairing, known: Circumstances) -> GateResult:
    """The verdict on a value. Raises ConfigError for a limit that fits the metric not."""
    if gate.metric in CLOCKS:
        return _clock(gate, located, pairing)
    task = gate.tasks[0]
    reason = _why_not(gate, task, located, pairing, known)
    if reason:
        return result_of(gate, "rate" if gate.metric in RATES else "level", "error", reason)
    level = _rate(gate, pairing.candidate, task) if gate.metric in RATES else _level(gate, pairing.candidate, task)
    where = f"{located.path}, line {gate.line}"
    for limit, most in ((gate.rule.min, 1.0), (gate.rule.max, 1.0 - _ROUNDING)):
        if limit is not None and level.scale == PERCENT and limit > most:
            raise ConfigError(f"{where}: {gate.metric} lies between 0 and 1; write {limit:g} % as {limit / 100:g}.")
    verdict = verdict_of_bounds(level.low, level.high, gate.rule.min, gate.rule.max)
    found = result_of(
        gate, "rate" if gate.metric in RATES else "level", verdict,
        wording.level_text(level, gate.rule.min, gate.rule.max),
    )  # fmt: skip
    return msgspec.structs.replace(found, level=level, at_least=gate.rule.min, at_most=gate.rule.max)


def _why_not(gate: Gate, task: str, located: Located, pairing: Pairing, known: Circumstances) -> str:
    """Why there is no value to hold against a limit, or none that could be; empty where there is one."""
    candidate = pairing.candidate
    if task not in candidate.tasks:
        return f"the candidate has no {task}"
    if candidate.spec.judged and known.judge_drift:
        return known.judge_drift
    if gate.metric in RATES:
        return ""
    if gate.metric not in candidate.tasks[task].columns:
        return f"the candidate has no {gate.metric or 'score'} of {task}"
    counts, paired = candidate.tasks[task].summary.counts, pairing.tasks.get(task)
    lost = counts.unscored if paired is None else paired.num_newly_unscored
    return too_many_unscored(lost, counts.requested, located, candidate)


def _level(gate: Gate, side: Side, task: str) -> Level:
    found = side.tasks[task].columns[gate.metric].estimate
    return Level(value=found.value, low=found.low, high=found.high, n=found.n, scale=found.scale)


def _rate(gate: Gate, side: Side, task: str) -> Level:
    """A share of a task's answers, with Wilson's interval."""
    summary = side.tasks[task].summary
    if gate.metric == "unscored_rate":
        count, n = summary.counts.unscored, summary.counts.requested
    else:
        count, n = summary.flags.get(gate.metric.removesuffix("_rate"), 0), summary.counts.scored
    if not n:
        return Level(value=0.0, low=None, high=None, n=0, scale=PERCENT)
    low, high = intervals.wilson(count / n, n)
    return Level(value=count / n, low=low, high=high, n=n, scale=PERCENT)


def _clock(gate: Gate, located: Located, pairing: Pairing) -> GateResult:
    """A speed: measured once, so that it has no interval and by default no more than a warning follows."""
    rule = gate.rule
    now, before = pairing.candidate.rates.get(gate.metric), pairing.baseline.rates.get(gate.metric)
    at_least = rule.min
    if rule.max_drop is not None and before is not None:
        margin = margin_of(rule.max_drop, f"{located.path}, line {gate.line}")
        at_least = before * (1 - margin.amount) if margin.is_relative else before - margin.amount
    if now is None or (at_least is None and rule.max is None):
        whose = "candidate" if now is None else "baseline"
        found = result_of(gate, "clock", "error", f"the {whose}'s run measured no {gate.metric}")
    else:
        level = Level(value=now, low=None, high=None, n=None, baseline=before)
        is_kept = (at_least is None or now >= at_least) and (rule.max is None or now <= rule.max)
        reason = wording.level_text(level, at_least, rule.max)
        found = result_of(gate, "clock", "pass" if is_kept else "fail", reason)
        found = msgspec.structs.replace(found, level=level, at_least=at_least, at_most=rule.max)
    return found
