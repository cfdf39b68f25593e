"""What the marks between digits mean: thousands, decimals or a list. Digits and marks are ASCII here, but for ``٫``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

MAX_DIGITS = 1000
"""Longer runs of digits come from a model in a loop and are no numbers."""

_CLEAR = re.compile(
    r"(\d{1,3}(?:,\d{3}){2,20}|\d{1,2}(?:,\d\d){1,20},\d{3})(?:[.٫](\d+))?"
    r"|(\d{1,3}(?:\.\d{3}){2,20})(?:[,٫](\d+))?"
    r"|(\d{1,3},\d{3})[.٫](\d+)"
    r"|(\d{1,3}\.\d{3})[,٫](\d+)"
)
"""What leaves no choice in any language; the second has groups of two, as lakhs and crores have."""
_SINGLE = re.compile(r"(\d+)([.,٫])(\d+)")


@dataclass(frozen=True)
class Reading:
    """Digits from `start` to `end` of a run, the number they say, and the one that they may say as well."""

    start: int
    end: int
    value: Decimal
    other: Decimal | None = None


def readings(run: str, decimal: str) -> Iterator[Reading]:
    """The numbers of `run`, digits with single marks between them, where `decimal` is the language's decimal mark.

    The run is one number where its marks allow that, and otherwise a list of them, parted by the other mark or, like
    dates and versions (``12.05.2024``), by every mark.
    """
    if len(run) > MAX_DIGITS:
        yield from _whole_numbers(run, 0)
        return
    if (clear := _CLEAR.fullmatch(run)) or run.isdigit():
        yield Reading(0, len(run), _clear_value(clear.groups()) if clear else Decimal(run))
        return
    if single := _SINGLE.fullmatch(run):
        found = _single(single[1], single[2], single[3], decimal)
        if found is not None:
            yield Reading(0, len(run), *found)
            return
    start = 0
    for piece in run.split("," if decimal == "." else "."):
        if (single := _SINGLE.fullmatch(piece)) and single[2] in (decimal, "٫"):
            yield Reading(start, start + len(piece), Decimal(f"{single[1]}.{single[3]}"))
        else:
            yield from _whole_numbers(piece, start)
        start += len(piece) + 1


def _whole_numbers(run: str, offset: int) -> Iterator[Reading]:
    for match in re.finditer(r"\d+", run):
        if len(match[0]) <= MAX_DIGITS:
            yield Reading(offset + match.start(), offset + match.end(), Decimal(match[0]))


def _clear_value(groups: tuple[str | None, ...]) -> Decimal:
    whole, fraction = (next(filter(None, groups[place::2]), "0") for place in (0, 1))
    return Decimal(f"{re.sub('[.,]', '', whole)}.{fraction}")


def _single(before: str, mark: str, after: str, decimal: str) -> tuple[Decimal, Decimal | None] | None:
    """Value and other reading of digits with one mark among them; None where they are two numbers."""
    fraction, grouped = Decimal(f"{before}.{after}"), Decimal(before + after)
    if mark == "٫":
        return fraction, None
    could_be_groups = len(after) == 3 and len(before) <= 3
    starts_with_zero = before.startswith("0")
    if decimal == ",":
        if not could_be_groups or starts_with_zero:
            return fraction, None
        return (fraction, grouped) if mark == "," else (grouped, fraction)
    if mark == ".":
        return fraction, None
    if could_be_groups:
        return (fraction, grouped) if starts_with_zero else (grouped, None)
    return (fraction, None) if len(after) <= 2 else None
