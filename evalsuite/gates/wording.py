"""What verdicts are in words, and numbers as gates show them."""

from __future__ import annotations

from evalsuite.gates.records import Level
from evalsuite.stats.differences import Difference

_PERCENT = 100.0


def amount(value: float, scale: float) -> str:
    """A difference or a value in the unit it is shown in."""
    shown = value * scale
    digits = 1 if abs(shown) >= 10 or scale == _PERCENT else 2
    text = f"{shown:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def signed(value: float, scale: float) -> str:
    """A difference with its sign."""
    text = amount(value, scale)
    return text if text.startswith("-") or float(text) == 0 else f"+{text}"


def unit(scale: float) -> str:
    """What a difference of percentages is counted in."""
    return " points" if scale == _PERCENT else ""


def chance(value: float) -> str:
    """A p-value in a sentence."""
    return "p < .001" if value < 0.001 else f"p = {value:.3f}".replace("0.", ".", 1)


def interval(difference: Difference) -> str:
    """The 95 % interval in a sentence; empty where none is known."""
    if difference.low is None or difference.high is None:
        return "no interval is known"
    scale = difference.scale
    return f"95 % interval {signed(difference.low, scale)} to {signed(difference.high, scale)}"


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
        f"({interval(difference)}; {chance(p_adjusted)}{among})"
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


def level_text(level: Level, at_least: float | None, at_most: float | None) -> str:
    """A value beside its floor or ceiling, which are in the unit that is shown."""
    limits = [
        *([] if at_least is None else [f"at least {at_least * level.scale:g}"]),
        *([] if at_most is None else [f"at most {at_most * level.scale:g}"]),
    ]
    bounds = (
        "measured once, without an interval"
        if level.low is None or level.high is None
        else f"95 % interval {amount(level.low, level.scale)} to {amount(level.high, level.scale)}"
    )
    n = "" if level.n is None else f", n = {level.n:,}"
    return f"{amount(level.value, level.scale)} ({bounds}{n}); expected {' and '.join(limits)}"
