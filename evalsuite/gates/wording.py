"""What verdicts are in words."""

from __future__ import annotations

from evalsuite.gates.records import Level
from evalsuite.stats.differences import Difference
from evalsuite.text import number_texts
from evalsuite.text.number_texts import amount, chance_clause, signed, unit

NO_INTERVAL = "no interval is known"
MEASURED_ONCE = "measured once, without an interval"


def interval(difference: Difference) -> str:
    """The 95 % interval in a sentence, or that none is known."""
    if difference.low is None or difference.high is None:
        return NO_INTERVAL
    bounds = number_texts.interval(difference.low, difference.high, difference.scale, is_signed=True)
    return f"95 % interval {bounds}"


def passed(difference: Difference, margin: float) -> str:
    """Why a gate passed."""
    scale = difference.scale
    least = difference.least_gain or 0.0
    worst = "no loss at all" if least >= 0 else f"at worst {amount(-least, scale)} lost"
    return f"a loss of {amount(margin, scale)}{unit(scale)} or more is ruled out: {worst}"


def failed(difference: Difference, p_adjusted: float, num_gates: int) -> str:
    """Why a gate failed."""
    scale = difference.scale
    among = f" among {num_gates} gates" if num_gates > 1 else ""
    return (
        f"lost {amount(-difference.gain, scale)}{unit(scale)} of {amount(difference.baseline, scale)} "
        f"({interval(difference)}; {chance_clause(p_adjusted)}{among})"
    )


def undecided(difference: Difference, margin: float, needed: int | None) -> str:
    """Why a gate is inconclusive, and what would tell."""
    scale = difference.scale
    seen = f"{signed(difference.difference, scale)}{unit(scale)} ({interval(difference)})"
    n = f"{difference.n:,}"
    if needed is None:
        return f"{seen}: {n} items cannot rule out a loss of {amount(margin, scale)}{unit(scale)}"
    if needed <= difference.n:
        return f"{seen}: a loss of {amount(margin, scale)}{unit(scale)} is neither shown nor ruled out by {n} items"
    return f"{seen}: about {needed:,} items would tell a loss of {amount(margin, scale)}{unit(scale)}, there are {n}"


def limits(at_least: float | None, at_most: float | None, scale: float) -> str:
    """A floor, a ceiling or both, in the unit that is shown."""
    told = [
        *([] if at_least is None else [f"at least {at_least * scale:g}"]),
        *([] if at_most is None else [f"at most {at_most * scale:g}"]),
    ]
    return " and ".join(told)


def level_text(level: Level, at_least: float | None, at_most: float | None) -> str:
    """A value beside its floor or ceiling, and at a look the bounds that these are held against."""
    scale = level.scale
    bounds = MEASURED_ONCE
    if level.low is not None and level.high is not None:
        bounds = f"95 % interval {number_texts.interval(level.low, level.high, scale)}"
    n = "" if level.n is None else f", n = {level.n:,}"
    at_look = ""
    if level.least is not None and level.most is not None:
        at_look = f"; at this look's own level {number_texts.interval(level.least, level.most, scale)}"
    return f"{amount(level.value, scale)} ({bounds}{n}{at_look}); expected {limits(at_least, at_most, scale)}"
