"""The last number of an answer, in the scripts and habits of six languages."""

from __future__ import annotations

import string
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evalsuite.text.numbers import ascii_digits, equal_numbers, last_number

ARABIC_INDIC, EXTENDED_ARABIC, DEVANAGARI = "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९"
BENGALI, THAI, FULL_WIDTH = "০১২৩৪৫৬৭৮৯", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９"
SCRIPTS = (string.digits, ARABIC_INDIC, EXTENDED_ARABIC, DEVANAGARI, BENGALI, THAI, FULL_WIDTH)
SENTENCES = (
    "{}",
    "The answer is {}.",
    "3 + 4 = 7, so there are {} left",
    "答案是{}。",
    "所以一共有{}个",
    "الجواب هو {}؟",
    "अतः उत्तर {} है।",
    "**{}**",
    "\\boxed{{{}}}",
    "$ {} $\n\n",
    "La réponse\u202f: {}\u202f€",
    "¿{}?",
)


def in_script(text: str, digits: str) -> str:
    """`text` with its ASCII digits in another script."""
    return text.translate(str.maketrans(string.digits, digits))


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.sampled_from(SCRIPTS), st.sampled_from(SENTENCES))
@example(0, ARABIC_INDIC, "{}")
@example(-5, FULL_WIDTH, "答案是{}。")
def test_an_integer_is_read_back_in_every_script(number: int, digits: str, sentence: str) -> None:
    assert last_number(sentence.format(in_script(str(number), digits))) == number


@given(st.integers(0, 10**15), st.sampled_from(SCRIPTS), st.sampled_from([",", "٬", "\u00a0", "\u202f", "\u2009", "'"]))
def test_thousands_marks_belong_to_the_number(number: int, digits: str, mark: str) -> None:
    assert last_number(in_script(f"{number:,}", digits).replace(",", mark)) == number


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(SCRIPTS), st.sampled_from([".", "٫"]))
def test_a_decimal_is_read_exactly(number: Decimal, digits: str, point: str) -> None:
    assert last_number(in_script(str(number), digits).replace(".", point)) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # digits of other scripts
        ("الناتج ٤٦ كتابًا", "46"),
        ("المجموع ١٬٢٣٤٫٥ درهم", "1234.5"),
        ("कुल ४६ किताबें", "46"),
        ("कुल १२,३४,५६७ रुपये", "1234567"),
        ("一共４６本", "46"),
        ("３．５公里", "3.5"),
        # grouping
        ("1,234 people", "1234"),
        ("₹1,00,000", "100000"),
        ("₹ 12,34,567.50", "1234567.5"),
        ("1\u202f234\u202f567 habitants", "1234567"),
        ("1.234.567 personas", "1234567"),
        ("1.234,50 €", "1234.5"),
        ("1.234 m", "1.234"),
        # decimal comma
        ("2,5 km", "2.5"),
        ("12,75 €", "12.75"),
        (".5 litres", "0.5"),
        # minus, and what only looks like one
        ("x = -5", "-5"),
        ("so −12", "-12"),
        ("结果为-5", "-5"),
        ("答案是－５", "-5"),
        ("-$5", "-5"),
        ("(-3)", "-3"),
        ("pages 3-5", "5"),
        ("pages 3–5", "5"),
        ("第3-5页", "5"),
        ("10 - 4", "4"),
        ("COVID-19", "19"),
        ("कक्षा-5", "5"),
        # punctuation and units around it
        ("It is 46.", "46"),
        ("It is 46...", "46"),
        ("So ...46", "46"),
        ("46。", "46"),
        ("४६।", "46"),
        ("$1,000.50", "1000.5"),
        ("Rs.500", "500"),
        ("रु.५००", "500"),
        ("50%", "50"),
        ("5kg", "5"),
        ("**18**", "18"),
        ("1, 2, 3", "3"),
        ("1,2,3", "3"),
        ("version 1.2.3", "1.2"),
        # more than one
        ("34 + 27 = 61, 61 - 15 = 46", "46"),
        ("46 books\n\nQuestion 2", "2"),
    ],
)
def test_numbers_and_traps(text: str, expected: str) -> None:
    assert last_number(text) == Decimal(expected)


@pytest.mark.parametrize("text", ["", " ", "forty-six", "四十六", "छियालीस", "-", ".", ",", "½", "²", "Ⅻ", "x.y"])
def test_no_number(text: str) -> None:
    assert last_number(text) is None


@given(st.text())
def test_any_text_is_read_without_error(text: str) -> None:
    number = last_number(text)
    assert number is None or number.is_finite()
    assert (number is None) == (not any(char.isdecimal() for char in text))
    assert len(ascii_digits(text)) == len(text)


@given(st.text(alphabet="0123456789.,- '٬٫", max_size=60))
def test_reading_is_idempotent(text: str) -> None:
    number = last_number(text)
    if number is not None:
        assert last_number(f"{number:f}") == number


def test_long_runs_of_digits_take_no_time() -> None:
    """Quadratic work on these would take minutes."""
    for unit in ("1", "1,", "1.", "1,234", "1.234,", ".", "-"):
        last_number(unit * 50_000)


@pytest.mark.parametrize(
    ("found", "expected", "is_equal"),
    [("46", "46", True), ("46.0", "46", True), ("46.5", "46", False), ("-46", "46", False), (None, "46", False)],
)
def test_equality_is_of_values(found: str | None, expected: str, is_equal: bool) -> None:
    assert equal_numbers(None if found is None else Decimal(found), expected) is is_equal
