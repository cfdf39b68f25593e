"""A gate on a loss, as far as its numbers: tasks paired, mean formed, margin read; or why there are none. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from evalsuite.comparing.comparison import group_of, group_of_mean
from evalsuite.comparing.pairing import Pairing
from evalsuite.comparing.sides import Side
from evalsuite.errors import ConfigError, NothingSelected, UsageError
from evalsuite.gates.gate_file import RATES, Located, Rule, margin_of
from evalsuite.gates.records import Waiver
from evalsuite.gates.selecting import Gate, gates_of, is_relative
from evalsuite.records import Aggregate, RunSpec
from evalsuite.stats import intervals
from evalsuite.stats.differences import Difference, mean_difference
from evalsuite.stats.paired_rows import PairedGroup
from evalsuite.text.number_texts import PERCENT, amount

_SERVED = "openai"
_LOST_BY_SERVERS = 0.01
_AUTO = ((6_000, 0.01), (0, 0.02))
"""Margins where none is given: a point from 6,000 items on, else two."""


@dataclass(frozen=True)
class Circumstances:
    """What is known besides the two sides: today's date, waivers, noise floors by gate, why judges cannot be trusted
    (of `anchors`, the spec of their newer run), and the baseline's own words for why it is one. `limit_confidence` is
    that of the interval which floors and ceilings are held against, a look's own where samples grow.
    """

    today: str
    waivers: tuple[Waiver, ...] = ()
    floors: Mapping[str, float] = field(default_factory=dict)
    judge_drift: str = ""
    anchors: RunSpec | None = None
    reason: str = ""
    is_strict: bool = False
    limit_confidence: float = intervals.CONFIDENCE


@dataclass(frozen=True)
class Measured:
    """A relative gate with its numbers, before the chances of all are known."""

    gate: Gate
    group: PairedGroup
    difference: Difference
    margin: float
    span: float


def measured_gates(located: Located, pairing: Pairing) -> list[Measured]:
    """The gates on losses that have numbers. Raises ConfigError, or NothingSelected where there are none."""
    gates, _ = gates_of(located, pairing)
    found = [measure(gate, located, pairing, Circumstances(today="")) for gate in gates if is_on_loss(gate)]
    measured = [one for one in found if isinstance(one, Measured)]
    if not measured:
        why = next((f" ({one})" for one in found if isinstance(one, str)), "")
        raise NothingSelected(f"{located.path}: none of its gates on losses has items to plan with{why}.")
    return measured


def is_on_loss(gate: Gate) -> bool:
    """Whether a gate holds a metric against the baseline's."""
    return is_relative(gate.rule) and gate.metric not in RATES


def measure(gate: Gate, located: Located, pairing: Pairing, known: Circumstances) -> Measured | str:
    """The gate's difference and margin, or why there is none. Raises ConfigError for a margin that fits it not."""
    where = f"{located.path}, line {gate.line}"
    reason = _why_not(gate, located, pairing, known)
    if reason:
        return reason
    group = group_for(gate.name, gate.metric, gate.tasks, gate.family, pairing)
    if isinstance(group, str):
        return group
    difference = mean_difference(group, 1.0 - located.file.defaults.alpha)
    if difference is None:
        return "one of the sides has no value"
    if not difference.n:
        return "no sample has a score on both sides"
    margin = margin_for(gate.rule, located, difference, where)
    if isinstance(margin, str):
        return margin
    floor = known.floors.get(floor_name(gate.metric, gate.tasks))
    if floor is not None and margin <= floor:
        scale = difference.scale
        raise UsageError(
            f"{where}: {gate.name} allows a loss of {amount(margin, scale)}, but two runs of its "
            f"model may lie {amount(floor, scale)} apart (95 %); give a larger max_drop, or more items."
        )
    bounds = group.parts[0].estimate.bounds
    return Measured(gate, group, difference, margin, bounds[1] - bounds[0] if bounds else math.inf)


def floor_name(metric: str, tasks: Sequence[str]) -> str:
    """What a noise floor is filed under: the metric and the tasks of a gate, whatever it is called."""
    return f"{metric}: {', '.join(sorted(tasks))}"


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
    if not gate.metric:
        return f"no sample of {', '.join(gate.tasks)} has a score on either side"
    lacking = [task.name for task in tasks if gate.metric not in task.rows]
    if lacking:
        return f"one of the sides has no {gate.metric} of {', '.join(lacking)}"
    asked = sum(task.num_shared for task in tasks)
    return too_many_unscored(sum(task.num_newly_unscored for task in tasks), asked, located, pairing.candidate)


def too_many_unscored(lost: int, asked: int, located: Located, candidate: Side) -> str:
    """Says so where more of the samples have lost their score than may."""
    allowed = located.file.defaults.max_unscored
    if allowed is None:
        allowed = _LOST_BY_SERVERS if candidate.spec.model.engine == _SERVED else 0.0
    if lost <= allowed * asked:
        return ""
    return f"{lost} of {asked} samples have no score in the candidate that had one before; at most {allowed:.0%} may"


def group_for(name: str, metric: str, tasks: Sequence[str], family: str, pairing: Pairing) -> PairedGroup | str:
    """Tasks as one mean, the one that the run itself reports of them or else of its family's kind; or why not."""
    parts = [pairing.tasks[task].rows[metric] for task in tasks]
    if len({(part.estimate.signature, part.estimate.protocol) for part in parts}) > 1:
        return f"{metric} is not averaged over tasks of different rules or signatures; gate them `per: task`"
    mean = _own_mean(metric, tasks, pairing)
    if mean is not None:
        found = group_of_mean(pairing, mean)
        if found is not None:
            return replace(found, name=name)
    kinds = (one.kind for one in pairing.candidate.aggregates if one.family == family and one.is_primary)
    return group_of(name, next(kinds, "macro"), parts, pairing, is_thin=False)


def _own_mean(metric: str, tasks: Sequence[str], pairing: Pairing) -> Aggregate | None:
    same = [one for one in pairing.candidate.aggregates
            if one.kind != "suite" and one.metric == metric and set(one.members) == set(tasks)]  # fmt: skip
    return next((one for one in same if one.is_primary), same[0] if same else None)


def margin_for(rule: Rule, located: Located, difference: Difference, where: str) -> float | str:
    """The margin in the metric's own unit, or why there is none. Raises ConfigError where it fits the metric not."""
    asked = rule.max_drop if rule.max_drop is not None else located.file.defaults.max_drop
    is_percentage = difference.scale == PERCENT
    if asked is None:
        if not is_percentage:
            raise ConfigError(f"{where}: {difference.metric} is no percentage; give its gate a max_drop.")
        return next(margin for least, margin in _AUTO if difference.n >= least)
    margin = margin_of(asked, where)
    if margin.is_relative:
        if difference.baseline <= 0:
            return f"the baseline is {difference.baseline:g}, of which {asked} is nothing"
        return margin.amount * difference.baseline
    if margin.is_points and not is_percentage:
        raise ConfigError(f"{where}: {difference.metric} is no percentage; give max_drop as a number, not {asked!r}.")
    return margin.amount / difference.scale
