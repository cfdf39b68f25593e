"""Numbers as people read them in lines and tables: values with intervals, chances, bytes. Pure.

Values come as they are stored; `scale` is what they are multiplied by to be shown (100 for percentages).
"""

from __future__ import annotations

import math

MISSING = "–"
"""Stands where there is no number."""

PERCENT = 100.0
"""The scale of metrics that are shown as percentages."""

_WHOLE = 10
"""From here on a decimal less says enough."""

_SMALL_CHANCE = 0.001
_MOST_DECIMALS = 4


def decimals_of(low: float | None, high: float | None, scale: float = 1.0) -> int:
    """Decimals that show two digits of the interval's half-width, from one to four; without interval by the scale."""
    if low is None or high is None:
        return 1 if scale == PERCENT else 3
    half = (high - low) / 2 * scale
    return min(_MOST_DECIMALS, max(1, 1 - math.floor(math.log10(half)))) if half > 0 else 2


def number(value: float | None, decimals: int, *, is_signed: bool = False) -> str:
    """A number in the unit it is shown in, a dash where there is none, and no sign before zero."""
    if value is None:
        return MISSING
    text = f"{value:+.{decimals}f}" if is_signed else f"{value:.{decimals}f}"
    return text if float(text) else text.lstrip("+-")


def interval_text(
    low: float | None, high: float | None, scale: float = 1.0, *, decimals: int | None = None, is_signed: bool = False,
    between: str = " – ",
) -> str:  # fmt: skip
    """``16.3 – 56.1``; a dash where an end is not known. `between` is ``" to "`` where ends have signs."""
    if low is None or high is None:
        return MISSING
    places = decimals_of(low, high, scale) if decimals is None else decimals
    return between.join(number(bound * scale, places, is_signed=is_signed) for bound in (low, high))


def with_interval(
    value: float | None, low: float | None, high: float | None, scale: float = 1.0, *, is_signed: bool = False
) -> str:
    """``33.3 [16.3, 56.1]``; without the brackets where no interval is known, a dash where no value is."""
    if value is None:
        return MISSING
    decimals = decimals_of(low, high, scale)
    shown = number(value * scale, decimals, is_signed=is_signed)
    if low is None or high is None:
        return shown
    return f"{shown} [{interval_text(low, high, scale, decimals=decimals, is_signed=is_signed, between=', ')}]"


def chance_text(value: float | None) -> str:
    """A p-value with three decimals, and no more than is known of small ones."""
    return MISSING if value is None else "< .001" if value < _SMALL_CHANCE else f"{value:.3f}"


def chance_clause(value: float) -> str:
    """A p-value in a sentence: ``p = .012``, or ``p < .001``."""
    text = chance_text(value)
    return f"p {text}" if text.startswith("<") else f"p = {text.removeprefix('0')}"


def amount(value: float, scale: float, *, is_signed: bool = False) -> str:
    """A value or a difference in a sentence: one decimal of percentages and of large numbers, else two."""
    shown = value * scale
    return number(shown, 1 if abs(shown) >= _WHOLE or scale == PERCENT else 2, is_signed=is_signed)


def signed(value: float, scale: float) -> str:
    """A difference with its sign, in a sentence."""
    return amount(value, scale, is_signed=True)


def interval(low: float, high: float, scale: float, *, is_signed: bool = False) -> str:
    """An interval in a sentence, as `amount` writes its ends; `is_signed` for one of a difference."""
    return " to ".join(amount(end, scale, is_signed=is_signed) for end in (low, high))


def unit(scale: float) -> str:
    """What a difference of percentages is counted in; empty for other metrics."""
    return " points" if scale == PERCENT else ""


def bytes_text(value: float | None) -> str:
    """``1.25 GB``, ``640 MB``: thousands of thousands, as disks and GPUs are sold."""
    if value is None:
        return MISSING
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"
