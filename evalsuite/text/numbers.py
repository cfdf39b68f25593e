"""Numbers as people write them in six scripts, read as exact decimals."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_THOUSANDS = "[,٬\u00a0\u202f\u2009']"
_GROUPED = rf"\d{{1,3}}(?:{_THOUSANDS}\d{{2,3}}){{0,5}}{_THOUSANDS}\d{{3}}(?!\d)"
_POINTED = r"\d{1,3}(?:\.\d{3}){2,6}(?!\d)|\d{1,3}(?:\.\d{3}){1,6}(?=,\d{1,2}(?!\d))"
"""Points are thousands marks where nothing else is possible: ``1.000.000``, ``1.234,5``."""
_POINT = "[.．٫]"
_SIGN = r"(?:(?<![^\W\u3040-\u30ff\u3400-\u9fff])(?<![\u0900-\u0963\u064b-\u065f])([-−－]))?[$€£¥₹]?"
"""A minus after a letter or digit joins or spans (``COVID-19``, ``3-5``), but Chinese has no space before one."""
_NUMBER = re.compile(
    rf"(?<!\d)(?<!\d{_POINT}){_SIGN}"
    rf"(?:(?:({_POINTED}|{_GROUPED})|(\d{{1,18}}))(?:{_POINT}(\d{{1,18}})|,(\d{{1,2}})(?!\d))?"
    rf"|(?<![^\s(\[{{=<>~$€£¥₹−-]){_POINT}(\d{{1,18}}))"
)


def ascii_digits(text: str) -> str:
    """`text` with the decimal digits of every script as ASCII, one character for one."""
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char for char in text)


def last_number(text: str) -> Decimal | None:
    """The last number written in `text`, or None when there is none.

    Digits of any script. Groups after a thousands mark belong to the number when the last has three digits
    (``1,234``, ``1,00,000``); one or two digits after a comma are decimals (``2,5``). A single point is a decimal
    point (``1.234``), for want of anything that says otherwise.
    """
    found = list(_NUMBER.finditer(ascii_digits(text)))
    if not found:
        return None
    sign, grouped, plain, point, comma, fraction = found[-1].groups()
    whole = re.sub(r"\D", "", grouped) if grouped else plain or 0
    return Decimal(f"{'-' if sign else ''}{whole}.{point or comma or fraction or 0}")


def equal_numbers(found: Decimal | None, expected: str) -> bool:
    """Whether `found` equals the number written in ASCII in `expected`."""
    return found is not None and found == Decimal(expected)
