"""Numbers in the scripts and habits of six languages."""

from __future__ import annotations

import random
import string
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_chinese_numerals import written

from evalsuite.text.announced import MAX_CHARS
from evalsuite.text.numbers import Number, ascii_digits, find_numbers
from evalsuite.text.packs import pack

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
ARABIC_INDIC, EXTENDED_ARABIC, DEVANAGARI = "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९"
BENGALI, THAI, FULL_WIDTH = "০১২৩৪৫৬৭৮৯", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９"
SCRIPTS = (string.digits, ARABIC_INDIC, EXTENDED_ARABIC, DEVANAGARI, BENGALI, THAI, FULL_WIDTH)
OWN_SCRIPTS = {
    "en": (string.digits, FULL_WIDTH),
    "zh": (string.digits, FULL_WIDTH),
    "fr": (string.digits,),
    "ar": (string.digits, ARABIC_INDIC, EXTENDED_ARABIC),
    "es": (string.digits,),
    "hi": (string.digits, DEVANAGARI),
}
SIZES = {
    "en": {"": 1, " thousand": 10**3, " million": 10**6, " billion": 10**9, " lakh": 10**5, " crore": 10**7},
    "zh": {"": 1, "万": 10**4, "亿": 10**8, "万亿": 10**12, " 亿": 10**8},
    "fr": {"": 1, " mille": 10**3, "\u00a0millions": 10**6, " million": 10**6, " milliards": 10**9},
    "ar": {"": 1, " ألف": 10**3, " آلاف": 10**3, " مليون": 10**6, " ملايين": 10**6, " مليار": 10**9},
    "es": {"": 1, " mil": 10**3, " millón": 10**6, " millones": 10**6, " mil millones": 10**9},
    "hi": {"": 1, " लाख": 10**5, " करोड़": 10**7, " हज़ार": 10**3, " हजार": 10**3, " crore": 10**7},
}
SENTENCES = {
    "en": ("{}", "There are {} left.", "so 3 + 4 = {}", "**{}**", "${}$", "(it is {})"),
    "zh": ("{}", "一共有{}个。", "结果为{}", "**{}**", "得到{}！"),
    "fr": ("{}", "Il en reste {}.", "donc 3 + 4 = {}", "« {} »", "{}\u202f€"),
    "ar": ("{}", "الناتج {}.", "إذن {}؟", "**{}**", "المجموع {}،"),
    "es": ("{}", "Quedan {}.", "¿{}?", "**{}**", "son {} €"),
    "hi": ("{}", "अब {} बचे हैं।", "कुल {}।", "**{}**", "₹ {}"),
}


def in_script(text: str, digits: str) -> str:
    """`text` with its ASCII digits in another script."""
    return text.translate(str.maketrans(string.digits, digits))


def grouped(whole: str, mark: str, *, is_indian: bool) -> str:
    """Digits in threes, or in twos but for the last three."""
    if not is_indian:
        return f"{int(whole):,}".replace(",", mark)
    head, tail = whole[:-3], whole[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
    return mark.join([*pairs, tail])


def written_number(draw: random.Random, language: str) -> tuple[str, Decimal, bool]:
    """A number as `language` has it, its value, and whether it reads in two ways."""
    habits = pack(language)
    whole = str(draw.randrange(10 ** draw.randint(1, 10)))
    fraction = "".join(draw.choices(string.digits, k=draw.choice((0, 0, 1, 2, 3, 4))))
    point = habits.decimal
    marks = {",": [".", *habits.group_marks], ".": [",", *habits.group_marks]}[point]
    digits = draw.choice(OWN_SCRIPTS[language])
    mark = draw.choice(["", *marks])
    if language == "ar" and draw.random() < 0.5:
        point, mark = "٫", draw.choice(["", "٬", "،" if digits != string.digits else "٬"])
    text = grouped(whole, mark, is_indian=mark == "," and language in ("en", "hi") and draw.random() < 0.5)
    num_groups = len(text.split(mark)) - 1 if mark else 0
    is_ambiguous = (point == "," and len(fraction) == 3 and not num_groups and len(whole) <= 3 and whole[0] != "0") or (
        mark == "." and num_groups == 1 and not fraction
    )
    value = Decimal(f"{whole}.{fraction or 0}")
    text += point + fraction if fraction else ""
    sign = draw.choice(("", "", "-", "−", "－", "﹣"))
    word, size = draw.choice(list(SIZES[language].items()))
    return sign + in_script(text, digits) + word, value * size * (-1 if sign else 1), is_ambiguous


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_thousand_numbers_are_read_back(language: str) -> None:
    draw = random.Random(f"numbers in {language}")
    seen = 0
    for _ in range(1000):
        text, value, is_ambiguous = written_number(draw, language)
        (*_, number) = find_numbers(draw.choice(SENTENCES[language]).format(text), language)
        assert number.is_ambiguous == is_ambiguous, text
        assert value in (number.value, number.other), text
        assert is_ambiguous or number.value == value, text
        seen += is_ambiguous
    assert bool(seen) == (language in ("fr", "es"))


def test_a_thousand_chinese_numerals_are_read_back() -> None:
    draw = random.Random("numerals")
    for _ in range(1000):
        value = draw.randrange(11, 10 ** draw.randint(2, 12))
        text = written(value)
        is_minus = draw.random() < 0.3
        if len(text) > 1:
            (number,) = find_numbers(f"共有{'负' if is_minus else ''}{text}个。", "zh")
            assert number.value == (-value if is_minus else value), text


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.sampled_from(SCRIPTS), st.sampled_from(LANGUAGES))
@example(0, ARABIC_INDIC, "ar")
@example(-5, FULL_WIDTH, "zh")
def test_an_integer_is_read_back_in_every_script(number: int, digits: str, language: str) -> None:
    text = in_script(str(number), digits)
    assert find_numbers(f"= {text}.", language) == (Number(Decimal(number), 2, 2 + len(text)),)


def values(text: str, language: str, *, is_answer: bool = False) -> list[str]:
    """The numbers of `text` as plain strings; both readings of those that have two."""
    return [
        f"{each.value.normalize():f}" + (f" or {each.other.normalize():f}" if each.other is not None else "")
        for each in find_numbers(text, language, is_answer=is_answer)
    ]


EVERYWHERE = [
    ("1,234,567", "1234567"),
    ("1.234.567", "1234567"),
    ("1,234,567.89", "1234567.89"),
    ("1.234.567,89", "1234567.89"),
    ("1.234,5", "1234.5"),
    ("1,234.5", "1234.5"),
    ("1.234,567", "1234.567"),
    ("1,234.567", "1234.567"),
    ("1,00,000", "100000"),
    ("1,23,45,678.5", "12345678.5"),
    ("12,34,567", "1234567"),
    ("12\u00a0345", "12345"),
    ("1\u202f234\u202f567,5", "1234567.5"),
    ("1\u2009234", "1234"),
    ("1'234'567.5", "1234567.5"),
    ("1’234", "1234"),
    ("١٬٢٣٤٫٥", "1234.5"),
    ("٣٫١٤", "3.14"),
    ("0٫125", "0.125"),
    ("1,234٫5", "1234.5"),
    ("1.234٫5", "1234.5"),
    ("3,5", "3.5"),
    ("3,75", "3.75"),
    ("3.5", "3.5"),
    ("0.125", "0.125"),
    ("1.2345", "1.2345"),
    ("1234.567", "1234.567"),
    (".5", "0.5"),
    ("(.25)", "0.25"),
    ("= ٫5", "0.5"),
    ("007", "7"),
    ("x = -5", "-5"),
    ("so −12", "-12"),
    ("－５", "-5"),
    ("﹣5", "-5"),
    ("–5", "-5"),
    ("-$5", "-5"),
    ("-€ 5", "-5"),
    ("-\\$5", "-5"),
    ("$-5$", "-5"),
    ("-\u200e5", "-5"),
    ("-0.5", "-0.5"),
    ("-.5", "-0.5"),
    ("(-3)", "-3"),
    ("x=-1,234,567", "-1234567"),
    ("It is 46...", "46"),
    ("So ...46", "46"),
    ("46।", "46"),
    ("Rs.500", "500"),
    ("Rs500", "500"),
    ("USD5", "5"),
    ("US$5", "5"),
    ("रु.५००", "500"),
    ("5kg", "5"),
    ("50%", "50"),
    ("25°C", "25"),
    ("**18**", "18"),
    ("\\boxed{72}", "72"),
    ("{72}", "72"),
    ("\\approx5", "5"),
    ("49 cm^2", "49"),
    ("49 cm^{2}", "49"),
    ("x^2 + 7", "7"),
    ("10^-3", "10"),
    ("10^{-3}", "10"),
    ("25 m²", "25"),
    ("1.5e3", "1500"),
    ("1.5E-3", "0.0015"),
    ("1.5e+3", "1500"),
    ("3 × 10^8", "300000000"),
    ("3\\times10^{-2}", "0.03"),
    ("3 \\cdot 10^{2}", "300"),
    ("2x10^3", "2000"),
    ("4*10^3", "4000"),
    ("1e5x", "1"),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("text", "value"), EVERYWHERE)
def test_what_is_clear_in_every_language(text: str, value: str, language: str) -> None:
    assert values(text, language) == [value]
    (number,) = find_numbers(f"= {text} =", language)
    assert f"{number.value.normalize():f}" == value


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3-5", ["3", "5"]),
        ("pages 3–5", ["3", "5"]),
        ("2020-2021", ["2020", "2021"]),
        ("10 - 4", ["10", "4"]),
        ("10-4", ["10", "4"]),
        ("5km-10km", ["5", "10"]),
        ("5%-10%", ["5", "10"]),
        ("f(2)-1", ["2", "1"]),
        ("3-$5", ["3", "5"]),
        ("x]-1", ["1"]),
        ("--5", ["5"]),
        ("12/05/2024", ["12", "5", "2024"]),
        ("12.05.2024", ["12", "5", "2024"]),
        ("10:30", ["10", "30"]),
        ("10h30", ["10", "30"]),
        ("1m80", ["1", "80"]),
        ("2x3", ["2", "3"]),
        ("8×3÷4", ["8", "3", "4"]),
        ("1, 2, 3", ["1", "2", "3"]),
        ("1,2,3", ["1", "2", "3"]),
        ("1.2.3", ["1", "2", "3"]),
        ("3/4", ["3", "4"]),
        ("3\\times4=12", ["3", "4", "12"]),
        ("2^10=1024", ["2", "1024"]),
        ("5\u00a02020", ["5", "2020"]),
        ("2020\u00a0150", ["2020", "150"]),
        ("1 2", ["1", "2"]),
        ("COVID-19", []),
        ("COVID19", []),
        ("covid-19 and 5", ["5"]),
        ("कोविड-19", []),
        ("كوفيد-19", []),
        ("été-1", []),
        ("é5", []),
        ("H2O", []),
        ("A4", []),
        ("x_1", []),
        ("x_{12}", []),
        ("v2.0", []),
        ("Ж5", []),
        ("½ ² Ⅻ", []),
        ("و5", ["5"]),
        ("कक्षा5", ["5"]),
        ("#5", ["5"]),
        ("", []),
        ("-", []),
        ("., x.y", []),
    ],
)
def test_several_and_none(text: str, found: list[str], language: str) -> None:
    assert values(text, language) == found


POINT = [
    ("1,234", ["1234"]),
    ("1,034", ["1034"]),
    ("999,999", ["999999"]),
    ("1.234", ["1.234"]),
    ("0,125", ["0.125 or 125"]),
    ("-0,125", ["-0.125 or -125"]),
    ("012,345", ["12.345 or 12345"]),
    ("12,34", ["12.34"]),
    ("1,2345", ["1", "2345"]),
    ("2020,2021", ["2020", "2021"]),
    ("1234,567", ["1234", "567"]),
    ("3.5,4.5", ["3.5", "4.5"]),
    ("1,234,5", ["1", "234", "5"]),
    ("10,20.5", ["10", "20.5"]),
    ("1,2.5.3", ["1", "2", "5", "3"]),
]
COMMA = [
    ("1,234", ["1.234 or 1234"]),
    ("1.234", ["1234 or 1.234"]),
    ("-1,234", ["-1.234 or -1234"]),
    ("-1.234", ["-1234 or -1.234"]),
    ("123.456", ["123456 or 123.456"]),
    ("123,456", ["123.456 or 123456"]),
    ("0,125", ["0.125"]),
    ("0.125", ["0.125"]),
    ("1234,567", ["1234.567"]),
    ("12,34", ["12.34"]),
    ("1,2345", ["1.2345"]),
    ("1.5", ["1.5"]),
    ("3,5.4,5", ["3.5", "4.5"]),
    ("1 234", ["1234"]),
    ("12 345 678,9", ["12345678.9"]),
    ("1 234.5", ["1234.5"]),
    ("1 2345", ["1", "2345"]),
    ("1 234 5678", ["1234", "5678"]),
    ("2020 150", ["2020", "150"]),
    ("2020 150 300", ["2020", "150", "300"]),
    ("1.234 1.234", ["1234 or 1.234"] * 2),
]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [(language, *row) for language in ("en", "zh", "ar", "hi") for row in POINT]
    + [(language, *row) for language in ("fr", "es") for row in COMMA],
)
def test_decimal_marks_of_the_language(language: str, text: str, found: list[str]) -> None:
    assert values(text, language) == found


def test_regions_and_unknown_languages() -> None:
    assert values("1,234", "fr-CA") == ["1.234 or 1234"]
    assert values("1,234", "FR") == ["1.234 or 1234"]
    assert values("1,234", "de") == ["1234"]
    assert values("3万", "zh-Hant") == ["30000"]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        # thousands, lakhs, millions
        ("en", "2.5 lakh", ["250000"]),
        ("en", "3 Million people", ["3000000"]),
        ("en", "5-million", ["5000000"]),
        ("en", "2 lakh crore", ["2000000000000"]),
        ("en", "1 thousand million billion trillion", ["1000000000000000000"]),
        ("en", "2 millionaires", ["2"]),
        ("en", "2  million", ["2"]),
        ("en", "-2 million", ["-2000000"]),
        ("en", "2 million 500 thousand", ["2500000"]),
        ("en", "2 thousand 500", ["2500"]),
        ("en", "2 thousand 2.5", ["2000", "2.5"]),
        ("en", "2 thousand -5", ["2000", "-5"]),
        ("en", "-2 thousand 5", ["-2000", "5"]),
        ("en", "2 thousand 0", ["2000", "0"]),
        ("en", "2 thousand 1", ["2001"]),
        ("en", "1 thousand 5", ["1005"]),
        ("en", "0 thousand 5", ["0", "5"]),
        ("en", "7, 2 million 500 thousand", ["7", "2500000"]),
        ("en", "1.5e3 1", ["1500", "1"]),
        ("en", "3.5,4.5 million", ["3.5", "4500000"]),
        ("en", "1,2,3 million", ["1", "2", "3000000"]),
        ("en", "2 thousand 1000", ["2000", "1000"]),
        ("en", "2 thousand, 500", ["2000", "500"]),
        ("en", "2 500", ["2", "500"]),
        ("en", "2 thousand 3 million", ["2000", "3000000"]),
        ("fr", "3 mille", ["3000"]),
        ("fr", "3 milles marins", ["3"]),
        ("fr", "1,5 million", ["1500000"]),
        ("fr", "1,234 million", ["1234000 or 1234000000"]),
        ("fr", "2 millions 1,234", ["2000000", "1.234 or 1234"]),
        ("fr", "1,234 million 5", ["1234000 or 1234000000", "5"]),
        ("fr", "2 millions 1.234", ["2000000", "1234 or 1.234"]),
        ("es", "5 mil millones", ["5000000000"]),
        ("es", "5 miles", ["5"]),
        ("es", "2.500 millones", ["2500000000 or 2500000"]),
        ("es", "3 billones", ["3000000000000"]),
        ("ar", "٣ ملايين", ["3000000"]),
        ("ar", "٥ آلاف شخص", ["5000"]),
        ("ar", "25 ألفًا", ["25000"]),
        ("ar", "25 ألفاظ", ["25"]),
        ("hi", "३ लाख ५० हज़ार", ["350000"]),
        ("hi", "5 कर\u094b\u095c", ["50000000"]),
        ("hi", "5 कर\u094bड\u093c", ["50000000"]),
        ("hi", "5 \u0939\u095bार", ["5000"]),
        ("hi", "5 लाखा", ["5"]),
        ("hi", "2 अरब", ["2000000000"]),
        ("zh", "1.2万", ["12000"]),
        ("zh", "3 亿", ["300000000"]),
        ("zh", "3百", ["300"]),
        ("zh", "3千米", ["3"]),
        ("zh", "3千人", ["3000"]),
        ("zh", "3万5千", ["35000"]),
        ("zh", "1亿2千万", ["120000000"]),
        ("zh", "3万 5千", ["30000", "5000"]),
        ("zh", "2萬", ["20000"]),
        # Arabic commas
        ("ar", "١،٢٣٤", ["1234"]),
        ("ar", "٣،٥", ["3.5"]),
        ("ar", "٣، ٥", ["3", "5"]),
        ("ar", "1،234", ["1234"]),
        ("ar", "3،5", ["3", "5"]),
        ("ar", "1،2345", ["1", "2345"]),
        ("ar", "١،٢٣٤،٥٦٧", ["1234567"]),
        ("en", "١،٢٣٤", ["1", "234"]),
        # Chinese numerals
        ("zh", "三百二十五", ["325"]),
        ("zh", "共二十四千米", ["24"]),
        ("zh", "三十百分点", ["30"]),
        ("zh", "三百", ["300"]),
        ("zh", "三百米", ["300"]),
        ("zh", "二十克", ["20"]),
        ("zh", "负五十", ["-50"]),
        ("zh", "結果負五十", ["-50"]),
        ("zh", "结果为-5", ["-5"]),
        ("zh", "减去-十二", ["-12"]),
        ("zh", "百分之二十五", []),
        ("zh", "二十分之三十", []),
        ("zh", "分之二十", []),
        ("zh", "第3页和第 12 页", []),
        ("zh", "第十二页", []),
        ("zh", "第3-5页", ["5"]),
        ("zh", "一个，一些，唯一，十分，五四，万一", []),
        ("zh", "二〇二四年", ["2024"]),
        ("zh", "二十", ["20"]),
        ("zh", "拾五元", ["15"]),
        ("zh", "五", ["5"]),
        ("zh", " 负五。", ["-5"]),
        ("zh", "**五**", ["5"]),
        ("zh", "五" + "。" * 18, ["5"]),
        ("zh", "五" + "。" * 19, []),
        ("zh", "五" + "。" * 25, []),
        ("zh", "二四", ["24"]),
        ("zh", "共二四", []),
        ("zh", "一共二四", []),
        ("zh", "共九九", []),
        ("zh", "共零零五", ["5"]),
        ("zh", "3负5", ["3", "-5"]),
        ("zh", "共一百", ["100"]),
        ("zh", "五个", []),
        ("zh", "三十四、五十", ["34", "50"]),
        ("en", "三百二十五", []),
        # places in an order
        ("en", "1st 2nd 3rd 4th 5", ["5"]),
        ("en", "1ST", []),
        ("en", "5thin", ["5"]),
        ("en", "2 nd", ["2"]),
        ("fr", "1er 1re 1ère 2e 2ème 2ième 2nd 2nde 3es 4", ["3", "4"]),
        ("fr", "5eau", ["5"]),
        ("es", "1º 1ª 1.º 1er 2do 3ro 4to 5ta 6", ["6"]),
        ("hi", "5वाँ 5वां 5वीं 5वें 6", ["6"]),
        ("hi", "5वींा", ["5"]),
        # items of lists
        ("en", "1. 5 apples\n2. done", ["5"]),
        ("en", "1. apples\n2. pears", ["1", "2"]),
        ("en", "  1) four: 4\n- 2. five", ["4"]),
        ("en", "(1) four: 4", ["4"]),
        ("en", "**1.** 5", ["5"]),
        ("en", "# 3. four 4", ["4"]),
        ("en", "1.5 and 2", ["1.5", "2"]),
        ("en", "a 1. 5", ["1", "5"]),
        ("en", "4\n72.", ["4", "72"]),
        ("en", "4\n72. \nx", ["4", "72"]),
        ("en", "4\n123. x", ["4", "123"]),
        ("zh", "1、先算5\n2．再说", ["5"]),
        ("zh", "（1）先算5", ["5"]),
        ("ar", "١) نبدأ من ٤٠", ["40"]),
    ],
)
def test_habits_of_languages(language: str, text: str, found: list[str]) -> None:
    assert values(text, language) == found


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "3/4", ["0.75"]),
        ("en", "-3/4", ["-0.75"]),
        ("en", "3/0", ["3", "0"]),
        ("en", "12/05/2024", ["12", "5", "2024"]),
        ("en", "1/2 3/4", ["0.5", "0.75"]),
        ("en", "3 / 4", ["3", "4"]),
        ("en", "60 km/5", ["60", "5"]),
        ("en", "/3/4", ["3", "4"]),
        ("en", "a/3/4", ["3", "4"]),
        ("en", "=3/4", ["0.75"]),
        ("en", "3:4", ["3", "4"]),
        ("fr", "1,234/2", ["1.234 or 1234", "2"]),
        ("fr", "2/1,234", ["2", "1.234 or 1234"]),
        ("en", "3/4/", ["0.75"]),
        ("en", "1st", ["1"]),
        ("en", "1. 5", ["1", "5"]),
        ("fr", "2ème", ["2"]),
        ("zh", "第3", ["3"]),
        ("zh", "五个", ["5"]),
        ("zh", "一个", ["1"]),
        ("zh", "五", ["5"]),
        ("zh", "：大约五。", ["5"]),
        ("zh", "五，对", ["5"]),
        ("zh", "**五**", ["5"]),
        ("zh", "负五元", ["-5"]),
        ("zh", "小明有五个", ["5"]),
        ("zh", "小明有五 千米", ["5"]),
        ("zh", "小明有一个", []),
        ("zh", "每一个", []),
        ("zh", "三角形", []),
        ("zh", "四川", []),
        ("zh", "一样", []),
        ("zh", "二四", ["24"]),
        ("zh", "小明的五", []),
        ("zh", "小明的五十", ["50"]),
        ("zh", "小明的五十三", ["53"]),
        ("zh", "小明有零个", ["0"]),
        ("zh", "百分之五", []),
        ("zh", "五分之三", []),
    ],
)
def test_an_answer_may_be_less_than_a_number(language: str, text: str, found: list[str]) -> None:
    assert values(text, language, is_answer=True) == found


def test_a_text_is_no_answer_unless_it_is_said_to_be() -> None:
    assert find_numbers("1st", "en") == ()


@pytest.mark.parametrize(
    ("language", "text", "where"),
    [
        ("en", "so -$1,234.5 left", "-$1,234.5"),
        ("en", "about 2.5 million or", "2.5 million"),
        ("en", "2 million 500 thousand!", "2 million 500 thousand"),
        ("en", "it is 3 × 10^8 m", "3 × 10^8"),
        ("zh", "有负三百个", "负三百"),
        ("zh", "二十四千米", "二十四"),
        ("ar", "هو ١٬٢٣٤٫٥.", "١٬٢٣٤٫٥"),
        ("fr", "soit 12 345,6 km", "12 345,6"),
        ("en", "1,2", "1,2"),
        ("fr", "a 1,5.2,5 b", "2,5"),
        ("en", "x 13.5,14.25", "14.25"),
        ("en", "x 1,2.05.2024", "2024"),
        ("en", "1,2.05.x", "2.05"),
        ("en", "x 1,2.5.67.8", "8"),
    ],
)
def test_where_a_number_stands(language: str, text: str, where: str) -> None:
    number = find_numbers(text, language)[-1]
    assert text[number.start : number.end] == where


def test_where_a_fraction_stands() -> None:
    assert find_numbers("it is -3/4.", "en", is_answer=True) == (Number(Decimal("-0.75"), 6, 10),)


def test_where_the_numbers_of_a_list_stand() -> None:
    assert find_numbers("x 1,20,3", "en") == (
        Number(Decimal(1), 2, 3),
        Number(Decimal(20), 4, 6),
        Number(Decimal(3), 7, 8),
    )


def test_the_numbers_of_a_long_list_stand_where_they_do() -> None:
    numbers = find_numbers("1,20," * 300 + "x", "en")
    assert numbers[:2] == (Number(Decimal(1), 0, 1), Number(Decimal(20), 2, 4))
    assert numbers[-1] == Number(Decimal(20), 1497, 1499)


def test_an_ambiguous_number_has_both_readings() -> None:
    assert find_numbers("-1,234", "es") == (Number(Decimal("-1.234"), 0, 6, Decimal(-1234)),)
    assert find_numbers("-1,234", "es")[0].is_ambiguous
    assert not find_numbers("1,234", "en")[0].is_ambiguous


def test_long_numbers_are_exact_and_endless_ones_none() -> None:
    exact = "123456789" * 20
    assert find_numbers(f"{exact}.{exact}", "en")[0].value == Decimal(f"{exact}.{exact}")
    assert find_numbers(f"-{exact}", "en")[0].value == Decimal(f"-{exact}")
    assert find_numbers(f"{exact} million", "en")[0].value == Decimal(exact + "000000")
    assert len(find_numbers("1" * 1000, "en")) == 1
    assert find_numbers("1" * 1001, "en") == ()
    assert find_numbers("0." + "3" * 1001, "en")[0].value == 0
    assert find_numbers("." + "3" * 1001, "en") == ()
    assert find_numbers("1" * 998 + ".5", "en")[0].value == Decimal("1" * 998 + ".5")
    assert len(find_numbers("1" * 1000 + ",2", "en")) == 2
    assert len(find_numbers("1 234," + "5" * 996, "fr")) == 1
    assert find_numbers("1 234," + "5" * 997, "fr") == ()
    assert find_numbers("9" * 1000 + " million 5", "en")[0].value == Decimal("9" * 1000 + "000005")


def test_only_the_end_of_a_long_text_is_read() -> None:
    text = "7 " + "x" * MAX_CHARS + " 46"
    assert find_numbers(text, "en") == (Number(Decimal(46), MAX_CHARS + 3, MAX_CHARS + 5),)
    assert values("7" + "x" * (MAX_CHARS - 1), "en") == ["7"]
    assert find_numbers("x" * MAX_CHARS + " 46 km", "en") == (Number(Decimal(46), MAX_CHARS + 1, MAX_CHARS + 3),)


def test_how_far_back_the_beginning_of_a_command_is_looked_for() -> None:
    """A command's name ends where digits begin, and a word's digits are its own; 24 characters tell which it is."""
    assert values("\\" + "x" * 23 + "5", "en") == ["5"]
    assert values("\\" + "x" * 24 + "5", "en") == []


def test_a_number_cannot_be_changed() -> None:
    (number,) = find_numbers("5", "en")
    with pytest.raises(FrozenInstanceError):
        number.value = Decimal(6)  # type: ignore[misc]


@given(st.text(), st.sampled_from(LANGUAGES), st.booleans())
def test_any_text_is_read_without_error(text: str, language: str, is_answer: bool) -> None:
    last_end = 0
    for number in find_numbers(text, language, is_answer=is_answer):
        assert number.value.is_finite()
        assert last_end <= number.start < number.end <= len(text)
        last_end = number.end
    assert len(ascii_digits(text)) == len(text)


@given(st.text(alphabet="0123456789.,- '٬٫/千万三五第^e", max_size=60), st.sampled_from(LANGUAGES))
def test_reading_is_idempotent(text: str, language: str) -> None:
    for number in find_numbers(text, language):
        if abs(number.value) < 10**20 and number.value == round(number.value, 2):
            assert find_numbers(f"{number.value:.2f}", language)[0].value == number.value


def test_long_runs_of_digits_take_no_time() -> None:
    """Quadratic work on these would take minutes."""
    for unit in ("1", "1,", "1,234", "-1", "1 234 ", "^1", "三", "1/", "\u00a01"):
        find_numbers(unit * 200_000, "zh" if unit == "三" else "fr")


@pytest.mark.parametrize("digits", SCRIPTS)
def test_digits_of_every_script_become_ascii(digits: str) -> None:
    assert ascii_digits(f"a{digits}é") == "a0123456789é"
