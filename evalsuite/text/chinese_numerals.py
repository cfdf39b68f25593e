"""Numbers written in Chinese numerals, read as exact decimals."""

from __future__ import annotations

import re
from decimal import Decimal

MAX_LENGTH = 40
"""Longer runs of numerals are no numbers; 亿亿 written out in full needs fewer."""

_PLAIN = str.maketrans("〇○两兩壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億點", "零零两两一二二三三四五六六七八九十百千万亿点")
_VALUES = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_DIGIT, _ANY = "[一二三四五六七八九]", "[一二三四五六七八九两]"
_SECTION = re.compile(
    rf"(零?)(?:({_ANY})千)?(零?)(?:({_ANY})百)?(零?)(?:({_DIGIT}?)(十))?(零?)({_DIGIT}?)"  # up to 9,999
)
_DIGITS = re.compile("[零一二三四五六七八九]{2,}")
_SHORT = re.compile(rf"(.*)([百千万亿])({_DIGIT})")

_CHARS = "零〇○一二三四五六七八九十百千万亿两兩壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億"
NUMERAL = f"[{_CHARS}]++(?:[点點][零〇一二三四五六七八九]++[万亿萬億]{{0,2}})?"
"""A pattern for what may be a numeral, as long as it gets."""


def numeral_value(numeral: str) -> Decimal | None:
    """The value of a string that is a Chinese numeral as a whole, or None where it is none.

    With units (三百二十五), digit by digit (二〇二四), with decimals and units after them (一点二万), the last unit
    left out (三百五 is 350), or a single character. Approximations (三四十), units alone (万) and
    words (万一) are none.
    """
    plain = numeral[: MAX_LENGTH + 1].translate(_PLAIN)
    if not plain or len(plain) > MAX_LENGTH:
        return None
    if "点" in plain:
        return _with_decimals(plain)
    if _DIGITS.fullmatch(plain):
        return Decimal(_as_digits(plain))
    whole = _counted(plain)
    return None if whole is None else Decimal(whole)


def _with_decimals(numeral: str) -> Decimal | None:
    before, _, after = numeral.partition("点")
    digits = after.rstrip("万亿")
    whole = int(_as_digits(before)) if _DIGITS.fullmatch(before) else _whole(before)
    if whole is None or not digits or not set(digits) <= _VALUES.keys() - {"两"}:
        return None
    size = 4 * after.count("万") + 8 * after.count("亿")
    return Decimal(f"{whole}.{_as_digits(digits)}e{size}")


def _as_digits(numeral: str) -> str:
    return "".join(str(_VALUES[char]) for char in numeral)


def _counted(numeral: str) -> int | None:
    """The value of what stands before a unit or alone, where 两 is two."""
    return 2 if numeral == "两" else _whole(numeral)


def _whole(numeral: str) -> int | None:
    """The value of a numeral without decimals; None where it is not well formed."""
    if short := _SHORT.fullmatch(numeral):
        before, unit, last = short.groups()
        whole = _whole(before + unit)
        return (
            None if whole is None else whole + _VALUES[last] * 10 ** ("百千万亿".index(unit) + 1 + (unit == "亿") * 3)
        )
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        if unit in numeral:
            above, _, below = numeral.rpartition(unit)
            high, low = _counted(above), _whole(below) if below else 0
            return high * size + low if high and high < size and low is not None and low < size else None
    return _section(numeral)


def _section(numeral: str) -> int | None:
    match = _SECTION.fullmatch(numeral)
    if not numeral or not match:
        return None
    _, thousands, _, hundreds, _, tens, ten, _, ones = match.groups()
    values = (_VALUES.get(digit or "零", 0) for digit in (thousands, hundreds, (tens or "一") if ten else "", ones))
    return sum(value * size for value, size in zip(values, (1000, 100, 10, 1), strict=True))
