"""Chinese numerals, against a writer of our own and word by word."""

from __future__ import annotations

import random
import re
from decimal import Decimal

import pytest

from evalsuite.text.chinese_numerals import MAX_LENGTH, NUMERAL, numeral_value

DIGITS = "零一二三四五六七八九"
FORMAL = str.maketrans("一二三四五六七八九十百千万亿", "壹贰叁肆伍陆柒捌玖拾佰仟萬億")


def section(number: int) -> str:
    """A number below 10,000, with 零 for skipped places between others."""
    text, is_skipping = "", False
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // size % 10
        if digit:
            text += ("零" if is_skipping else "") + DIGITS[digit] + unit
        is_skipping = bool(text) and not digit
    return text


def written(number: int) -> str:
    """A number below 10^16 as a careful writer has it."""
    text, is_skipping = "", False
    for size, unit in ((10**12, "万"), (10**8, "亿"), (10**4, "万"), (1, "")):
        part = number // size % 10**4
        if part:
            text += ("零" if text and (is_skipping or part < 1000) else "") + section(part) + unit
        elif unit == "亿" and number >= 10**12:
            text += unit
        is_skipping = not part
    return text or "零"


def test_a_thousand_numbers_are_read_back() -> None:
    draw = random.Random(1)
    for _ in range(1000):
        number = draw.randrange(10 ** draw.randint(1, 13))
        text = written(number)
        assert numeral_value(text) == number, text
        assert numeral_value(text.translate(FORMAL)) == number, text
        assert numeral_value(text.removeprefix("一") if text.startswith("一十") else text) == number, text


def test_every_small_number_is_read_back() -> None:
    for number in range(10_000):
        assert numeral_value(written(number)) == number


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("五", "5"),
        ("十", "10"),
        ("零", "0"),
        ("两", "2"),
        ("十二", "12"),
        ("二十", "20"),
        ("一百一十二", "112"),
        ("一百十二", "112"),
        ("一百零五", "105"),
        ("两千", "2000"),
        ("两百五十", "250"),
        ("两万两千两百", "22200"),
        ("三万五千", "35000"),
        ("四万零六十", "40060"),
        ("十万", "100000"),
        ("一千二百万", "12000000"),
        ("三万亿", "3000000000000"),
        ("一万二千亿", "1200000000000"),
        ("九千九百九十九万九千九百九十九亿", "9999999900000000"),
        ("一亿零五十", "100000050"),
        # the last unit left out
        ("三百五", "350"),
        ("两千三", "2300"),
        ("三万五", "35000"),
        ("一亿五", "150000000"),
        ("一万五千五", "15500"),
        # digit by digit
        ("二〇二四", "2024"),
        ("二零二四", "2024"),
        ("一九四九", "1949"),
        ("零五", "5"),
        ("○七", "7"),
        # decimals
        ("三点一四", "3.14"),
        ("三點五", "3.5"),
        ("零点零五", "0.05"),
        ("二十点五", "20.5"),
        ("一二点五", "12.5"),
        ("一点二万", "12000"),
        ("三点五亿", "350000000"),
        ("一点五万亿", "1500000000000"),
        # other forms of the characters
        ("參佰貳拾", "320"),
        ("伍陆", "56"),
        ("兩萬", "20000"),
    ],
)
def test_values(numeral: str, value: str) -> None:
    assert numeral_value(numeral) == Decimal(value)


@pytest.mark.parametrize(
    "numeral",
    [
        *("", "百", "千", "万", "亿", "千万", "百万", "万一", "点", "三点", "点五", "三点十", "三点两", "百点五"),
        *(
            "三四十",
            "七八百",
            "五六千",
            "三三两两",
            "十两",
            "二十两",
            "一百两",
            "两十",
            "一五一十",
            "七上",
            "5",
            "a",
            "一a",
        ),
        *("十十", "一百百", "一千一千", "万万", "一万万", "一亿亿", "十百", "一二三四五六七八九十", "三百点", "一点万"),
        *("一万三万", "五万六亿七亿", "百五", "万五", "一百五六", "零万", "一万两", "一百两十", "一万万亿"),
    ],
)
def test_what_is_no_numeral(numeral: str) -> None:
    assert numeral_value(numeral) is None


def test_length_is_limited() -> None:
    assert numeral_value("一" * MAX_LENGTH) == Decimal("1" * MAX_LENGTH)
    assert numeral_value("一" * (MAX_LENGTH + 1)) is None
    assert numeral_value("万" * 1_000_000) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("一共三百二十五个", ["一", "三百二十五"]),
        ("三点十分", ["三", "十"]),
        ("三点一四米", ["三点一四"]),
        ("一点二万亿元", ["一点二万亿"]),
        ("两點五萬", ["两點五萬"]),
        ("七点。", ["七"]),
    ],
)
def test_numerals_are_found_as_long_as_they_get(text: str, found: list[str]) -> None:
    assert re.findall(NUMERAL, text) == found
