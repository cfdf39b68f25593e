"""What a translation leaves as it is: placeholders, formulae, code, addresses, and numbers written in digits."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from evalsuite.text.numbers import ascii_digits

# Every alternative ends where its own opening sign comes again, so that hostile text is read once.
_PLACEHOLDER = re.compile(
    r"`[^`\n]+`"
    r"|\$\$[^$]*\$\$"
    # a price is no formula: its dollar is closed by none, or by one after a space or before a digit
    r"|(?<![\\$])\$(?=[^\s$])[^$\n]*(?<=[^\s\\$])\$(?![\d$])"
    r"|\\\((?>(?:[^\\]|\\[^()])*)\\\)"
    r"|\\\[(?>(?:[^\\]|\\[^\[\]])*)\\\]"
    # only ASCII, because Chinese goes on after an address without a space; the last sign may be the sentence's own
    r"|(?:https?://|ftp://|www\.)[!-~]*[\w/#=&~-](?<=[!-~])"
    r"|⟦[^⟦⟧]*⟧"
    r"|<\|[^<>|\n]{1,60}\|>"
    r"|</?[A-Za-z][\w:-]*(?>(?:\s+[\w:-]+=(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+))*)\s*/?>"
    r"|\{\{[^{}\n]{0,200}\}\}"
    r"|\{%[^%\n]{0,200}%\}"
    # words in a formula are translated, and sets are written with other commas
    r"|(?<!\\text)\{[^{}\s,;،、]{0,60}\}"
    r"|(?<![\d%٪])%(?:\(\w{1,60}\))?\.?\d{0,3}[sdifr](?![A-Za-z])"
    r"|_{2,}"
)
_GROUPED = re.compile(r"(?<!\d)(?<!\d[.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)")
_NUMBER = re.compile(r"(?:(?<![\w.,٫])[.٫])?\d+(?>(?:[.,'’·٫٬،]\d+)*)")
_ROMAN = re.compile(r"(?<![A-Za-z])([IVXLC]{2,}|[VX])(?:e|er|è?me|ème)?(?![A-Za-z])")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def placeholders(text: str) -> Counter[str]:
    """What a translation leaves as it is; white space in it, and how long a blank is drawn, make no difference."""
    found = ("".join(match[0].split()) for match in _PLACEHOLDER.finditer(text))
    return Counter("__" if each.startswith("__") else ascii_digits(each) for each in found)


def has_same_numbers(old: str, new: str) -> bool:
    """Whether the numbers in digits are the same; one of them may be a Roman numeral in one of the texts."""
    old, new = _in_ascii(old), _in_ascii(new)
    # what is one number with grouping marks may as well be a list without spaces, which a translator spreads out
    if Counter(re.findall(r"\d+", old)) == Counter(re.findall(r"\d+", new)):
        return True
    ours, theirs = _numbers(old), _numbers(new)
    return not (ours - theirs) - _romans(new) and not (theirs - ours) - _romans(old)


def _in_ascii(text: str) -> str:
    """`text` with decimal digits only, in ASCII; raised, lowered and circled ones are numbers of their own."""
    plain = (f" {unicodedata.digit(char)}" if char.isdigit() and not char.isdecimal() else char for char in text)
    return ascii_digits("".join(plain))


def _numbers(plain: str) -> Counter[str]:
    """The digits of every number without marks; zeros before a whole number, as in dates, make no difference."""
    joined = _GROUPED.sub(lambda match: re.sub(r"\s", "", match[0]), plain)
    found = []
    for number in _NUMBER.findall(joined):
        digits = re.sub(r"\D", "", number)
        found.append(digits.lstrip("0") or "0" if number.isdigit() else "0" * (not number[0].isdigit()) + digits)
    return Counter(found)


def _romans(text: str) -> Counter[str]:
    return Counter(str(_roman_value(numeral)) for numeral in _ROMAN.findall(text))


def _roman_value(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))
