"""Numbers as people read them: one way to write an amount, a difference, an interval and a chance. Pure.

Amounts come in a metric's own unit together with its `scale`, which makes them the unit that is shown: 100 for a share
that is shown in percent, 1 for a metric that is shown as it is.
"""

from __future__ import annotations

PERCENT = 100.0
"""The scale of metrics that are shown as percentages."""

_WHOLE = 10
"""From here on a decimal less says enough."""


def fixed(value: float, decimals: int, *, is_signed: bool = False) -> str:
    """`value` with so many decimals, a plus before gains if `is_signed`, and no sign before zero."""
    text = f"{value:+.{decimals}f}" if is_signed else f"{value:.{decimals}f}"
    return text if float(text) else text.lstrip("+-")


def amount(value: float, scale: float, *, is_signed: bool = False) -> str:
    """A value or a difference in the unit it is shown in: one decimal of percentages and of large numbers, else two."""
    shown = value * scale
    return fixed(shown, 1 if abs(shown) >= _WHOLE or scale == PERCENT else 2, is_signed=is_signed)


def signed(value: float, scale: float) -> str:
    """A difference with its sign."""
    return amount(value, scale, is_signed=True)


def unit(scale: float) -> str:
    """What a difference of percentages is counted in; empty for other metrics."""
    return " points" if scale == PERCENT else ""


def between(low: str, high: str) -> str:
    """The ends of an interval, as texts."""
    return f"{low} to {high}"


def interval(low: float, high: float, scale: float, *, is_signed: bool = False) -> str:
    """An interval in the unit it is shown in; `is_signed` for one of a difference."""
    return between(amount(low, scale, is_signed=is_signed), amount(high, scale, is_signed=is_signed))


def decimals_for(width: float) -> int:
    """The decimals that an interval `width` wide, in the unit that is shown, is worth, and one more."""
    return 1 if width >= 1 else 2 if width >= 0.1 else 3


def chance(value: float) -> str:
    """A p-value in a table: ``.012``, or ``< .001``."""
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def chance_clause(value: float) -> str:
    """A p-value in a sentence: ``p = .012``, or ``p < .001``."""
    text = chance(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"
