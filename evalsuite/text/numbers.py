"""Numbers as people write them in six languages, read as exact decimals.

A mark between digits groups them or parts the decimals off, and which it does depends on the language and on the other
marks. What cannot be told is read by the language's rule and keeps the other reading: ``1,234`` in French. Numbers that
belong to a name (COVID-19, H2O) and exponents are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from functools import cache

from evalsuite.text.announced import MAX_CHARS
from evalsuite.text.chinese_numerals import NUMERAL, numeral_value
from evalsuite.text.grouping import MAX_DIGITS, readings
from evalsuite.text.packs import LanguagePack, pack

_EXACTLY = Context(prec=3 * MAX_DIGITS)
"""Arithmetic without rounding."""
MAX_MAGNITUDES = 3
"""How many magnitude words may follow one another: ``5 mil millones``, ``2 lakh crore``."""
_LOOKBACK = 24
"""How many characters before a number are looked at for what it belongs to."""

_WIDE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WIDE_CHAR = re.compile(f"[{_WIDE}]")
_ALIKE = str.maketrans("．－−﹣–", ".----")
_ARABIC_COMMA = re.compile("(?<=[\u0660-\u0669\u06f0-\u06f9])،(?=[\u0660-\u0669\u06f0-\u06f9])")
_ARABIC_GROUP = re.compile(r"(?<=\d)،(?=\d{3}(?!\d))")
_LIST_MARKER = re.compile(
    r"^[ \t]*+(?:[-*•>#]{1,3}[ \t]*+){0,3}[(（]?(\d{1,2})(?:[)）、]|\.(?!\d))(?=\**[^\S\n]*+[^\s*])", re.MULTILINE
)

_SIGN = re.compile(r"([-负負])[\u200e\u200f\u061c]?(?:\\?[$€£¥₹][ \u00a0]?)?\Z")
_JOINS = re.compile(rf"[^\W{_WIDE}]|[\u064b-\u065f\u0900-\u0963)\]}}%°-]")
_EXPONENT = re.compile(r"\^ ?\{?[-+]?\Z")
_COMMAND = re.compile(r"\\[A-Za-z]+\Z")
_NAME = re.compile(
    rf"([^\W\d_{_WIDE}]|[\u064b-\u065f\u0900-\u0963])-\Z|[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u052f]\Z|_\{{?\Z"
)
_CURRENCY = re.compile(
    r"(?<![^\W\d_])(?:rs|usd|us|eur|gbp|inr|cny|rmb|jpy|chf|aed|sar|egp|mxn|cad|aud|dh)\Z", re.IGNORECASE
)
_BETWEEN_DIGITS = re.compile(r"\d(?:[hxm]|[A-Za-z°%]{1,4}-)\Z")
_SLASHED = re.compile(r"/\d")
_PLACE_BEFORE = re.compile(r"第\s?\Z")
_SCIENTIFIC = re.compile(
    r"\s?(?:[×x*·]|\\times|\\cdot)\s?10\s?\^\s?(?:\{([-+]?\d{1,3})\}|([-+]?\d{1,3})(?!\d))|[eE]([-+]?\d{1,3})(?![\w.])"
)

_LEADING = re.compile(r"[\s*_#:：=≈约約大概是为為]{0,12}[负負]?\Z")
_MEASURE = re.compile(
    r"\s?(?:千米|公里|厘米|毫米|分米|米|公斤|千克|克|吨|斤|毫升|升|个|個|只|隻|本|元|块|美元|岁|天|年|月|日|小时|分钟|秒|人|名|位|张|条|支|枝"
    r"|辆|棵|朵|次|倍|页|颗|头|匹|双|对|套|件|箱|瓶|杯|盒|袋|份|度|层|站|组|种|周|星期|艘|架|台|间|所|道|题|句|段|排|行|列|束|串|艘|座)"
)


@dataclass(frozen=True)
class Number:
    """A number in a text: its value, where it stands, and its other reading where it has one."""

    value: Decimal
    start: int
    end: int
    other: Decimal | None = None

    @property
    def is_ambiguous(self) -> bool:
        """Whether it may be read in two ways, by rule as `value` and by habit as `other`."""
        return self.other is not None


@dataclass(frozen=True)
class _Found:
    """A number, the size of the magnitude word behind it (1 without), and what counts in an answer only."""

    number: Number
    size: Decimal = Decimal(1)
    is_marker: bool = False
    is_weak: bool = False


def ascii_digits(text: str) -> str:
    """`text` with the decimal digits of every script as ASCII, one character for one."""
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char for char in text)


def find_numbers(text: str, language: str, *, is_answer: bool = False) -> tuple[Number, ...]:
    """The numbers in `text` as `language` (BCP-47) writes them, in their order.

    The numbers of list items are left out where there are others. Of what may be none, places in an order (1st),
    fractions (3/4) and lone Chinese numerals, only a text that `is_answer`, such as follows an answer cue, makes one;
    else a fraction is two numbers and the rest are none. Of a text longer than `MAX_CHARS`, the end is read.
    """
    skipped = max(0, len(text) - MAX_CHARS)
    found = _numbers(text[skipped:], pack(language), is_answer)
    return _moved(found, skipped)


def _numbers(text: str, habits: LanguagePack, is_answer: bool) -> tuple[Number, ...]:
    found = _together(list(_scan(_plain(text, habits), habits, is_answer)), text, habits)
    if is_answer:
        return _with_fractions([each.number for each in found], text)
    strong = [each for each in found if not each.is_weak]
    unmarked = [each for each in strong if not each.is_marker]
    return tuple(each.number for each in unmarked or strong)


def _moved(numbers: tuple[Number, ...], offset: int) -> tuple[Number, ...]:
    if not offset:
        return numbers
    return tuple(Number(each.value, each.start + offset, each.end + offset, each.other) for each in numbers)


def _plain(text: str, habits: LanguagePack) -> str:
    """`text` with ASCII digits and marks, one character for one."""
    if text.isascii():
        return text
    if habits.language == "ar":
        text = _ARABIC_COMMA.sub(",", text)
    plain = ascii_digits(text).translate(_ALIKE)
    return _ARABIC_GROUP.sub(",", plain) if habits.language == "ar" else plain


@cache
def _tokens(marks: str, has_numerals: bool) -> re.Pattern[str]:
    """What a number is made of: a leading point, digits parted by spaces and the like, digits and marks, numerals."""
    numerals = rf"|({NUMERAL})" if has_numerals else "|((?!))"
    return re.compile(
        r"(?<![^\s(\[{=<>~$€£¥₹-])[.٫](\d++)(?![.,٫]\d)"
        rf"|(?<!\d[{marks}])(\d{{1,3}}([{marks}])\d{{3}}(?!\d)(?>(?:\3\d{{3}}(?!\d))*))(?:[.,٫](\d++))?"
        rf"|(\d++(?>(?:[.,٫]\d++)*))"
        rf"{numerals}"
    )


def _scan(text: str, habits: LanguagePack, is_answer: bool) -> Iterator[_Found]:
    markers = {match.start(1) for match in _LIST_MARKER.finditer(text)}
    covered = 0
    for token in _tokens(habits.group_marks, habits.has_numerals).finditer(text):
        if token.start() < covered:
            continue
        if token[6]:
            numbers = _numerals(token, text, is_answer)
        elif _is_part_of_name(text, token.start()):
            continue
        else:
            numbers = [_Found(number) for number in _digits(token, habits)]
        for place, found in enumerate(numbers):
            number = found.number
            if place == 0:
                number = _signed(number, text)
            if place == len(numbers) - 1:
                found = _with_suffix(replace(found, number=number), text, habits)
                number = found.number
            covered = number.end
            yield replace(found, number=number, is_marker=number.start in markers)


def _digits(token: re.Match[str], habits: LanguagePack) -> list[Number]:
    point, spaced, _, fraction, run, _ = token.groups()
    if run:
        return [
            Number(found.value, token.start() + found.start, token.start() + found.end, found.other)
            for found in readings(run, habits.decimal)
        ]
    whole = re.sub(r"\D", "", spaced or "0")
    decimals = point or fraction or "0"
    if len(whole) + len(decimals) > MAX_DIGITS:
        return []
    return [Number(Decimal(f"{whole}.{decimals}"), token.start(), token.end())]


def _numerals(token: re.Match[str], text: str, is_answer: bool) -> list[_Found]:
    value = numeral_value(token[0])
    start, end = token.span()
    if value is None and token[0][-1] in "千百" and text[end : end + 1] in ("米", "克", "瓦", "分"):
        value, end = numeral_value(token[0][:-1]), end - 1
    is_share = text.startswith("分之", end) or text.endswith("分之", 0, start)
    if value is None or is_share:
        return []
    number = Number(value, start, end)
    is_weak = end - start < 2 or (end - start == 2 and value < 100 and not set("十拾") & set(token[0]))
    if is_answer and end - start < 2 and not _is_counted(number, text):
        return []
    is_all = len(text) < 20 and text.strip("。.，！!*# \n\t负負") == token[0]
    return [_Found(number, is_weak=is_weak and not is_all)]


def _is_counted(number: Number, text: str) -> bool:
    """Whether a lone numeral in an answer counts something: it opens the answer, or a measure word follows it."""
    is_first = _LEADING.fullmatch(text, endpos=number.start) is not None
    if _MEASURE.match(text, number.end):
        return is_first or number.value != 1
    return is_first and not _WIDE_CHAR.match(text, number.end)


def _is_part_of_name(text: str, start: int) -> bool:
    """Whether the digits at `start` are an exponent or go on a name; a currency, a unit or a command is no name."""
    before = _before(text, start)
    if _EXPONENT.search(before):
        return True
    if not _NAME.search(before):
        return False
    return not (_COMMAND.search(before) or _CURRENCY.search(before) or _BETWEEN_DIGITS.search(before))


def _before(text: str, end: int) -> str:
    return text[max(0, end - _LOOKBACK) : end]


def _signed(number: Number, text: str) -> Number:
    """`number` with the sign before it, unless that joins it to something."""
    sign = _SIGN.search(_before(text, number.start))
    if not sign:
        return number
    place = number.start - len(sign[0])
    if sign[1] == "-" and place and _JOINS.match(text, place - 1):
        return number
    other = None if number.other is None else _EXACTLY.minus(number.other)
    return Number(_EXACTLY.minus(number.value), place, number.end, other)


@cache
def _magnitudes(habits: LanguagePack) -> tuple[re.Pattern[str], tuple[Decimal, ...]]:
    words = "|".join(f"({word})" for word in habits.magnitudes)
    boundary = "" if habits.has_numerals else r"(?![\w\u0610-\u061a\u064b-\u065f\u0900-\u0963])"
    return re.compile(rf"[ \u00a0\u202f-]?(?:{words}){boundary}", re.IGNORECASE), tuple(habits.magnitudes.values())


def _with_suffix(found: _Found, text: str, habits: LanguagePack) -> _Found:
    """`found` with what follows it: a power of ten, magnitude words, or the ending of an ordinal."""
    number = found.number
    if power := _SCIENTIFIC.match(text, number.end):
        exponent = int(next(filter(None, power.groups())))
        return replace(found, number=_times(number, Decimal(f"1e{exponent}"), power.end()))
    pattern, sizes = _magnitudes(habits)
    size, end = Decimal(1), number.end
    for _ in range(MAX_MAGNITUDES):
        word = pattern.match(text, end)
        if not word or word.lastindex is None:
            break
        size, end = size * sizes[word.lastindex - 1], word.end()
    is_place = _ordinal(habits).match(text, end) or _PLACE_BEFORE.search(_before(text, number.start))
    return replace(found, number=_times(number, size, end), size=size, is_weak=found.is_weak or is_place is not None)


@cache
def _ordinal(habits: LanguagePack) -> re.Pattern[str]:
    return re.compile(habits.ordinals, re.IGNORECASE)


def _times(number: Number, size: Decimal, end: int) -> Number:
    other = None if number.other is None else _EXACTLY.multiply(number.other, size)
    return Number(_EXACTLY.multiply(number.value, size), number.start, end, other)


def _together(found: Sequence[_Found], text: str, habits: LanguagePack) -> list[_Found]:
    """`found` with those added up that go on from one magnitude to a smaller one: ``2 लाख 50 हज़ार``, ``3万5千``."""
    gaps = ("",) if habits.has_numerals else (" ", "\u00a0")
    joined: list[_Found] = []
    for each in found:
        last = joined[-1] if joined else None
        if last and _goes_on(last, each) and text[last.number.end : each.number.start] in gaps:
            value = _EXACTLY.add(last.number.value, each.number.value)
            number = Number(value, last.number.start, each.number.end)
            joined[-1] = _Found(number, each.size, last.is_marker, last.is_weak)
        else:
            joined.append(each)
    return joined


def _goes_on(last: _Found, each: _Found) -> bool:
    value = each.number.value
    is_plain = not (last.number.is_ambiguous or each.number.is_ambiguous or each.is_weak)
    return is_plain and 0 < value < last.size and value == int(value) and last.number.value > 0


def _with_fractions(numbers: Sequence[Number], text: str) -> tuple[Number, ...]:
    """`numbers` with every two that a single slash parts made one, unless a third makes a date, or one is unsure."""
    found: list[Number] = []
    for number in numbers:
        above = found[-1] if found else None
        if (
            above
            and number.value
            and not (above.is_ambiguous or number.is_ambiguous)
            and text[above.end : number.start] == "/"
            and text[above.start - 1 : above.start] != "/"
            and not _SLASHED.match(text, number.end)
        ):
            value = above.value / number.value
            found[-1] = Number(value, above.start, number.end)
        else:
            found.append(number)
    return tuple(found)
