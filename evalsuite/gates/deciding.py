"""From a pairing and a gate file to a report: every gate's numbers, chances adjusted together, verdicts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import msgspec

from evalsuite.comparability import circumstances
from evalsuite.comparing.comparison import flips_of, group_of, group_of_mean, refusal_of, summary_of
from evalsuite.comparing.pairing import PairedTask, Pairing
from evalsuite.comparing.sides import Side
from evalsuite.errors import (
    EXIT_GATE_FAILED,
    EXIT_INCOMPLETE,
    EXIT_INCONCLUSIVE,
    EXIT_OK,
    ConfigError,
    NothingSelected,
    UsageError,
)
from evalsuite.gates import wording
from evalsuite.gates.gate_file import Located, Rule, margin_of
from evalsuite.gates.records import GATE_SCHEMA, GateKind, GateReport, GateResult, Level, Waiver
from evalsuite.gates.selecting import CLOCKS, RATES, Gate, gates_of
from evalsuite.records import Aggregate
from evalsuite.stats import intervals
from evalsuite.stats.differences import Difference, PairedGroup, mean_difference, mean_of_groups
from evalsuite.stats.gate_rules import Verdict, items_to_pass, verdict_of, verdict_of_bounds
from evalsuite.stats.paired_tests import holm

_SERVED = "openai"
_LOST_BY_SERVERS = 0.01
_AUTO = ((6_000, 0.01), (0, 0.02))
"""Margins where none is given: a point from 6,000 items on, else two."""

_PERCENT = 100.0
MACRO = "mean of all gates"


@dataclass(frozen=True)
class Circumstances:
    """What is known besides the two sides: today's date, waivers, noise floors by gate, why judges cannot be trusted,
    and the baseline's own words for why it is one.
    """

    today: str
    waivers: tuple[Waiver, ...] = ()
    floors: Mapping[str, float] = field(default_factory=dict)
    judge_drift: str = ""
    reason: str = ""
    is_strict: bool = False


@dataclass(frozen=True)
class _Measured:
    """A relative gate with its numbers, before the chances of all are known."""

    gate: Gate
    group: PairedGroup
    difference: Difference
    margin: float
    span: float


def evaluate(located: Located, pairing: Pairing, known: Circumstances) -> GateReport:
    """The report. Raises ConfigError for a rule that cannot be, NothingSelected where no rule finds a task."""
    gates, idle = gates_of(located, pairing)
    if not gates:
        raise NothingSelected(f"{located.path}: none of its gates matches a task of either run.")
    defaults = located.file.defaults
    measured: list[_Measured] = []
    results: dict[int, GateResult] = {}
    for index, gate in enumerate(gates):
        found = _measure(gate, located, pairing, known) if gate.is_relative and gate.metric not in RATES else None
        if isinstance(found, _Measured):
            measured.append(found)
        else:
            results[index] = found or _absolute(gate, located, pairing)
    chances = _adjusted(measured, defaults.correction)
    by_gate = {one.gate: _decided(one, chance, located, len(measured)) for one, chance in
               zip(measured, chances, strict=True)}  # fmt: skip
    every = [(gate.rule, results.get(index) or by_gate[gate]) for index, gate in enumerate(gates)]
    every += [(rule, _idle(rule, line, located)) for rule, line in idle]
    every += [(Rule(), found) for found in _macro(located, measured)]
    return _report(located, pairing, known, [_settled(found, rule, located, known) for rule, found in every])


def _adjusted(measured: Sequence[_Measured], correction: str) -> tuple[float, ...]:
    chances = [one.difference.p_worse for one in measured]
    return holm(chances) if correction == "holm" else tuple(chances)


# -- losses against the baseline


def _measure(gate: Gate, located: Located, pairing: Pairing, known: Circumstances) -> _Measured | GateResult:
    """The gate's difference and margin, or the error that there is none."""
    where = f"{located.path}, line {gate.line}"
    reason = _why_not(gate, located, pairing, known)
    if reason:
        return _result(gate, "drop", "error", reason)
    group = _group(gate, pairing)
    if isinstance(group, str):
        return _result(gate, "drop", "error", group)
    difference = mean_difference(group, 1.0 - located.file.defaults.alpha)
    if difference is None:
        return _result(gate, "drop", "error", "one of the sides has no value")
    if not difference.n:
        return _result(gate, "drop", "error", "no sample has a score on both sides")
    margin = _margin(gate.rule, located, difference, where)
    floor = known.floors.get(gate.name)
    if floor is not None and margin <= floor:
        scale = difference.scale
        raise UsageError(
            f"{where}: {gate.name} allows a loss of {wording.amount(margin, scale)}, but the baseline differs from "
            f"itself by up to {wording.amount(floor, scale)}; give a larger max_drop, or more items."
        )
    bounds = group.parts[0].estimate.bounds
    return _Measured(gate, group, difference, margin, bounds[1] - bounds[0] if bounds else float("inf"))


def _why_not(gate: Gate, located: Located, pairing: Pairing, known: Circumstances) -> str:
    """Why the gate cannot be evaluated at all; empty where it can."""
    missing = [name for name in gate.tasks if name in pairing.missing]
    if missing:
        return f"the candidate has no {', '.join(missing)}"
    for one in pairing.refused:
        if one.task in gate.tasks and one.metric in ("", gate.metric):
            return f"not comparable: {one.task}: {'; '.join(one.reasons)} (baseline, candidate); set a new baseline"
    if pairing.candidate.spec.judged and known.judge_drift:
        return known.judge_drift
    tasks = [pairing.tasks[name] for name in gate.tasks]
    lacking = [task.name for task in tasks if gate.metric not in task.rows]
    if lacking:
        return f"one of the sides has no {gate.metric} of {', '.join(lacking)}"
    return _too_many_unscored(tasks, located, pairing.candidate)


def _too_many_unscored(tasks: Sequence[PairedTask], located: Located, candidate: Side) -> str:
    """Says so where more samples have no score than may, of those that the baseline has one for."""
    allowed = located.file.defaults.max_unscored
    if allowed is None:
        allowed = _LOST_BY_SERVERS if candidate.spec.model.engine == _SERVED else 0.0
    asked = sum(task.num_shared for task in tasks)
    lost = sum(task.num_newly_unscored for task in tasks)
    if lost <= allowed * asked:
        return ""
    return (
        f"{lost} of {asked} samples have no score in the candidate and one in the baseline; at most {allowed:.0%} may"
    )


def _group(gate: Gate, pairing: Pairing) -> PairedGroup | str:
    """The tasks of a gate as one mean: the one that the run itself reports of them, else that of tasks alike."""
    parts = [pairing.tasks[name].rows[gate.metric] for name in gate.tasks]
    if len({(part.estimate.signature, part.estimate.protocol) for part in parts}) > 1:
        return f"{gate.metric} is not averaged over tasks of different rules or signatures; gate them `per: task`"
    mean = _own_mean(gate, pairing)
    if mean is not None:
        found = group_of_mean(pairing, mean)
        if found is not None:
            return replace(found, name=gate.name)
    kinds = (one.kind for one in pairing.candidate.aggregates if one.family == gate.family and one.is_primary)
    return group_of(gate.name, next(kinds, "macro"), parts, pairing, is_thin=False)


def _own_mean(gate: Gate, pairing: Pairing) -> Aggregate | None:
    same = [one for one in pairing.candidate.aggregates
            if one.kind != "suite" and one.metric == gate.metric and set(one.members) == set(gate.tasks)]  # fmt: skip
    return next((one for one in same if one.is_primary), same[0] if same else None)


def _margin(rule: Rule, located: Located, difference: Difference, where: str) -> float:
    """The margin in the metric's own unit. Raises ConfigError where it fits the metric not."""
    asked = rule.max_drop if rule.max_drop is not None else located.file.defaults.max_drop
    is_percentage = difference.scale == _PERCENT
    if asked is None:
        if not is_percentage:
            raise ConfigError(f"{where}: {difference.metric} is no percentage; give its gate a max_drop.")
        return next(margin for least, margin in _AUTO if difference.n >= least)
    margin = margin_of(asked, where)
    if margin.is_relative:
        if difference.baseline <= 0:
            raise ConfigError(f"{where}: the baseline is {difference.baseline:g}, of which {asked} says nothing.")
        return margin.amount * difference.baseline
    if margin.is_points and not is_percentage:
        raise ConfigError(f"{where}: {difference.metric} is no percentage; give max_drop as a number, not {asked!r}.")
    return margin.amount / difference.scale


def _decided(one: _Measured, p_adjusted: float, located: Located, num_gates: int) -> GateResult:
    alpha = located.file.defaults.alpha
    difference, margin = one.difference, one.margin
    verdict = verdict_of(difference, margin, p_adjusted, alpha)
    needed = None
    if verdict == "fail":
        reason = wording.failed(difference, p_adjusted, num_gates)
    elif verdict == "pass":
        reason = wording.passed(difference, margin)
    else:
        needed = items_to_pass(difference.variance or 0.0, margin, alpha=alpha, span=one.span)
        reason = wording.undecided(difference, margin, needed)
    found = _result(one.gate, "drop", verdict, reason)
    return msgspec.structs.replace(found, difference=difference, margin=margin, p_adjusted=p_adjusted, needed=needed)


def _macro(located: Located, measured: Sequence[_Measured]) -> Iterator[GateResult]:
    """The gate on the mean of all gated differences, where the file asks for one."""
    asked = located.file.aggregate.also.macro_mean
    if asked is None or not measured:
        return
    gate = Gate(MACRO, Rule(max_drop=asked.max_drop), 1, "", (), "", "")
    alike = {(one.difference.scale, one.difference.higher_is_better) for one in measured}
    if len(alike) > 1:
        yield _result(gate, "macro", "error", "the gated metrics have different units, and so no mean")
        return
    difference = mean_of_groups(MACRO, [one.group for one in measured], 1.0 - located.file.defaults.alpha)
    assert difference is not None  # every group has a difference of its own
    margin = _margin(gate.rule, located, difference, located.path)
    found = _decided(
        _Measured(gate, measured[0].group, difference, margin, measured[0].span), difference.p_worse, located, 1
    )
    yield msgspec.structs.replace(found, kind="macro")


# -- values of their own


def _absolute(gate: Gate, located: Located, pairing: Pairing) -> GateResult:
    if gate.metric in CLOCKS:
        return _clock(gate, located, pairing)
    task = gate.tasks[0]
    level = _rate(gate, pairing.candidate, task) if gate.metric in RATES else _level(gate, pairing.candidate, task)
    where = f"{located.path}, line {gate.line}"
    if gate.is_relative:
        raise ConfigError(f"{where}: {gate.metric} is a rate of one run; give it a max or a min, not max_drop.")
    for limit in (gate.rule.min, gate.rule.max):
        if limit is not None and level.scale == _PERCENT and abs(limit) > 1:
            raise ConfigError(f"{where}: {gate.metric} lies between 0 and 1; write {limit:g} % as {limit / 100:g}.")
    verdict = verdict_of_bounds(level.low, level.high, gate.rule.min, gate.rule.max)
    found = _result(
        gate, "rate" if gate.metric in RATES else "level", verdict,
        wording.level_text(level, gate.rule.min, gate.rule.max),
    )  # fmt: skip
    return msgspec.structs.replace(found, level=level, at_least=gate.rule.min, at_most=gate.rule.max)


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
        return Level(value=0.0, low=None, high=None, n=0, scale=_PERCENT)
    low, high = intervals.wilson(count / n, n)
    return Level(value=count / n, low=low, high=high, n=n, scale=_PERCENT)


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
        found = _result(gate, "clock", "error", f"the {whose}'s run measured no {gate.metric}")
    else:
        level = Level(value=now, low=None, high=None, n=None, baseline=before)
        is_kept = (at_least is None or now >= at_least) and (rule.max is None or now <= rule.max)
        reason = wording.level_text(level, at_least, rule.max)
        found = _result(gate, "clock", "pass" if is_kept else "fail", reason)
        found = msgspec.structs.replace(found, level=level, at_least=at_least, at_most=rule.max)
    return found


def _idle(rule: Rule, line: int, located: Located) -> GateResult:
    name = rule.name or " ".join((str(rule.task), rule.metric)).strip()
    gate = Gate(name, rule, line, rule.metric, (), "", "")
    return _result(gate, "drop", "error", f"{located.path}, line {line} matches no task of either run")


# -- what follows


def _result(gate: Gate, kind: GateKind, verdict: Verdict, reason: str) -> GateResult:
    return GateResult(
        name=gate.name,
        kind=kind,
        line=gate.line,
        family=gate.family,
        language=gate.language,
        metric=gate.metric,
        tasks=gate.tasks,
        verdict=verdict,
        reason=reason,
    )


def _settled(result: GateResult, rule: Rule, located: Located, known: Circumstances) -> GateResult:
    """The gate with what its rule, the defaults and waivers make of it; a clock only warns unless told otherwise."""
    defaults = located.file.defaults
    waiver = next((one for one in known.waivers if fnmatchcase(result.name, one.gate) and known.today <= one.expires),
                  None)  # fmt: skip
    is_strict = known.is_strict or (rule.on_inconclusive or defaults.on_inconclusive) == "fail"
    blocks = (rule.on_regression or ("warn" if result.kind == "clock" else defaults.on_regression)) == "fail"
    if result.verdict == "error":
        blocks = defaults.on_missing == "fail" and result.kind != "clock"
    return msgspec.structs.replace(
        result, is_strict=is_strict, blocks=blocks, waiver=waiver if result.verdict == "fail" else None
    )


def _report(located: Located, pairing: Pairing, known: Circumstances, gates: Sequence[GateResult]) -> GateReport:
    touched = {task for gate in gates for task in gate.tasks}
    paired = [task for task in pairing.tasks.values() if task.name in touched]
    verdict, code = verdict_of_all(gates)
    return GateReport(
        schema=GATE_SCHEMA,
        file=located.path,
        verdict=verdict,
        exit_code=code,
        alpha=located.file.defaults.alpha,
        correction=located.file.defaults.correction,
        baseline=summary_of(pairing.baseline),
        candidate=summary_of(pairing.candidate),
        baseline_reason=known.reason,
        gates=tuple(gates),
        flips=tuple(flip for task in paired for flip in flips_of(task)),
        refused=tuple(refusal_of(one) for one in pairing.refused if one.task in touched),
        warnings=(*circumstances(pairing.baseline.spec, pairing.candidate.spec), *_expired(known, gates)),
    )


def _expired(known: Circumstances, gates: Sequence[GateResult]) -> Iterator[str]:
    for one in known.waivers:
        if one.expires < known.today:
            yield f"the waiver of {one.gate} by {one.by} ran out on {one.expires}"
        elif not any(fnmatchcase(gate.name, one.gate) and gate.waiver for gate in gates):
            yield f"the waiver of {one.gate} by {one.by} is not needed: nothing that it names failed"


def verdict_of_all(gates: Sequence[GateResult]) -> tuple[Verdict, int]:
    """What the gates say together, and the exit code: all must pass (intersection-union), any failure fails."""
    if any(gate.is_failing for gate in gates):
        return "fail", EXIT_GATE_FAILED
    if any(gate.verdict == "error" and gate.blocks for gate in gates):
        return "error", EXIT_INCOMPLETE
    open_gates = [gate for gate in gates if gate.verdict == "inconclusive"]
    if open_gates:
        return "inconclusive", EXIT_INCONCLUSIVE if any(gate.is_strict for gate in open_gates) else EXIT_OK
    return "pass", EXIT_OK
