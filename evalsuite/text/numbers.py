"""Numbers as people write them in six scripts, read as exact decimals."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_THOUSANDS = "[,٬\u00a0\u202f\u2009']"
_GROUPED = rf"\d{{1,3}}(?:{_THOUSANDS}\d{{2,3}}){{0,5}}{_THOUSANDS}\d{{3}}(?!\d)"
_NUMBER = re.compile(rf"(?<![\d.])((?<!\w)[-−])?(?:({_GROUPED})|(\d{{1,18}}))(?:[.٫](\d{{1,18}})|,(\d{{1,2}})(?!\d))?")


def ascii_digits(text: str) -> str:
    """`text` with the decimal digits of every script as ASCII, one character for one."""
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char for char in text)


def last_number(text: str) -> Decimal | None:
    """The last number written in `text`, or None when there is none.

    Digits of any script. Groups after a thousands mark belong to the number when the last has three digits
    (``1,234``, ``1,00,000``); one or two digits after a comma are decimals (``2,5``).
    """
    found = list(_NUMBER.finditer(ascii_digits(text)))
    if not found:
        return None
    sign, grouped, plain, point, comma = found[-1].groups()
    whole = re.sub(_THOUSANDS, "", grouped) if grouped else plain
    return Decimal(f"{'-' if sign else ''}{whole}.{point or comma or 0}")


def equal_numbers(found: Decimal | None, expected: str) -> bool:
    """Whether `found` equals the number written in ASCII in `expected`."""
    return found is not None and found == Decimal(expected)
