"""Gates on a run's own values: floors and ceilings of metrics, shares of answers, and what a clock says. Pure."""

from __future__ import annotations

import msgspec

from evalsuite.comparing.pairing import Pairing
from evalsuite.comparing.sides import Side
from evalsuite.errors import ConfigError
from evalsuite.gates import wording
from evalsuite.gates.gate_file import CLOCKS, RATES, Located, limit_of, margin_of, not_in_percent
from evalsuite.gates.measuring import Circumstances, too_many_unscored
from evalsuite.gates.records import GateResult, Level, result_of
from evalsuite.gates.selecting import Gate
from evalsuite.stats import intervals
from evalsuite.stats.estimates import bounds_at
from evalsuite.stats.gate_rules import verdict_of_bounds
from evalsuite.text.number_texts import PERCENT

_ROUNDING = 1e-12


def decide_level(gate: Gate, located: Located, pairing: Pairing, known: Circumstances) -> GateResult:
    """The verdict on a value. Raises ConfigError for a limit that fits the metric not."""
    if gate.metric in CLOCKS:
        return _clock(gate, located, pairing)
    task = gate.tasks[0]
    reason = _why_not(gate, task, located, pairing, known)
    if reason:
        return result_of(gate, "rate" if gate.metric in RATES else "level", "error", reason)
    measured = _rate if gate.metric in RATES else _level
    level = measured(gate, pairing.candidate, task, known.limit_confidence)
    at_least, at_most = _limits(gate, level.scale, f"{located.path}, line {gate.line}")
    is_look = level.least is not None
    low, high = (level.least, level.most) if is_look else (level.low, level.high)
    verdict = verdict_of_bounds(low, high, at_least, at_most)
    reason = wording.level_text(level, at_least, at_most)
    found = result_of(gate, "rate" if gate.metric in RATES else "level", verdict, reason)
    return msgspec.structs.replace(found, level=level, at_least=at_least, at_most=at_most)


def _limits(gate: Gate, scale: float, where: str) -> tuple[float | None, float | None]:
    """Floor and ceiling in the metric's own unit. Raises ConfigError for one that fits the metric not."""
    found = []
    for asked, key, most in ((gate.rule.min, "min", 1.0), (gate.rule.max, "max", 1.0 - _ROUNDING)):
        limit = limit_of(asked, key, where)
        if limit is not None and limit.is_percent and scale != PERCENT:
            raise ConfigError(not_in_percent(gate.metric, limit, where))
        if limit is not None and not limit.is_percent and scale == PERCENT and limit.value > most:
            meant = f"write {limit.value:g} % as {limit.value / 100:g} or {limit.value:g}%"
            raise ConfigError(f"{where}: {gate.metric} lies between 0 and 1; {meant}.")
        found.append(None if limit is None else limit.value)
    return found[0], found[1]


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


def _level(gate: Gate, side: Side, task: str, confidence: float) -> Level:
    found = side.tasks[task].columns[gate.metric].estimate
    level = Level(value=found.value, low=found.low, high=found.high, n=found.n, scale=found.scale)
    return _at(level, bounds_at(found, confidence), confidence)


def _rate(gate: Gate, side: Side, task: str, confidence: float) -> Level:
    """A share of a task's answers, with Wilson's interval."""
    summary = side.tasks[task].summary
    if gate.metric == "unscored_rate":
        count, n = summary.counts.unscored, summary.counts.requested
    else:
        count, n = summary.flags.get(gate.metric.removesuffix("_rate"), 0), summary.counts.scored
    if not n:
        return Level(value=0.0, low=None, high=None, n=0, scale=PERCENT)
    low, high = intervals.wilson(count / n, n)
    level = Level(value=count / n, low=low, high=high, n=n, scale=PERCENT)
    return _at(level, intervals.wilson(count / n, n, confidence), confidence)


def _at(level: Level, bounds: tuple[float, float] | None, confidence: float) -> Level:
    """`level` with its bounds at a look's own level, where that is another than the interval's."""
    if bounds is None or confidence == intervals.CONFIDENCE:
        return level
    return msgspec.structs.replace(level, least=bounds[0], most=bounds[1])


def _clock(gate: Gate, located: Located, pairing: Pairing) -> GateResult:
    """A speed: measured once, so that it has no interval and by default no more than a warning follows."""
    rule, where = gate.rule, f"{located.path}, line {gate.line}"
    now, before = pairing.candidate.rates.get(gate.metric), pairing.baseline.rates.get(gate.metric)
    at_least, at_most = _limits(gate, 1.0, where)
    if rule.max_drop is not None and before is not None:
        margin = margin_of(rule.max_drop, where)
        at_least = before * (1 - margin.amount) if margin.is_relative else before - margin.amount
    if now is None or (at_least is None and at_most is None):
        whose = "candidate" if now is None else "baseline"
        found = result_of(gate, "clock", "error", f"the {whose}'s run measured no {gate.metric}")
    else:
        level = Level(value=now, low=None, high=None, n=None, baseline=before)
        is_kept = (at_least is None or now >= at_least) and (at_most is None or now <= at_most)
        reason = wording.level_text(level, at_least, at_most)
        found = result_of(gate, "clock", "pass" if is_kept else "fail", reason)
        found = msgspec.structs.replace(found, level=level, at_least=at_least, at_most=at_most)
    return found
