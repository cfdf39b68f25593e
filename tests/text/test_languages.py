"""Telling languages: the six, what shares their scripts, and what says nothing."""

from __future__ import annotations

import json
import time
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.text.languages import (
    CANDIDATES,
    ROMANISED_HINDI,
    UNDETERMINED,
    identify,
    is_language,
    letters,
    main_script,
)
from evalsuite.text.romanised_hindi import is_romanised_hindi, may_be_romanised_hindi

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
SENTENCES = [
    json.loads(line)
    for line in (files("evalsuite.tasks") / "mini" / "translation.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_built_in_sentences_are_told(language: str) -> None:
    wrong = [text for row in SENTENCES if identify(text := row[language]) != language]
    assert len(SENTENCES) == 30
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("این یک جمله فارسی است که برای آزمایش نوشته شده است.", "fa"),
        ("یہ ایک اردو جملہ ہے جو آزمائش کے لیے لکھا گیا ہے۔", "ur"),
        ("हे एक मराठी वाक्य आहे आणि ते चाचणीसाठी लिहिले आहे.", "mr"),
        ("これは日本語で書かれた文章です。", "ja"),
        ("カタカナ", "ja"),
        ("이것은 한국어 문장입니다.", "ko"),
        ("Это предложение написано по-русски.", "ru"),
        ("Dies ist ein deutscher Satz, der zur Probe geschrieben wurde.", "de"),
        ("Esta é uma frase em português, escrita para um teste.", "pt"),
    ],
)
def test_neighbours_are_not_taken_for_the_six(text: str, language: str) -> None:
    assert identify(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "42",
        "٤٢",
        "B",
        "(C)",
        "好",
        "Yes.",
        "3 + 4 = 7",
        "```python\nfor item in items:\n    print(item)\n```",
        "`print(item)`",
        "$\\frac{numerator}{denominator}$",
        "https://example.org/some/long/path",
        "👍👍👍",
        "!!!???",
        "A.",
        "E = mc² + αβγ",
        "\\[ x_{one} = \\text{some words in a formula} \\]",
        "\\(sum of everything there is\\) $$\\int everything\\,dx$$",
        "def add(first, second):\n    return first + second",
        "CaCO₃ + 2 HCl → CaCl₂ + CO₂ + H₂O",
        "A6FDDV6Mx3UgU8fF5gCrJu",
        "import numpy as np\nresult = np.zeros(10)",
        "mailto someone.with.a.long.name@example.org",
        "<div class='some long class name'></div>",
        "\ud800\udfff\u202e\u0301\u093e",
        "\u0301" * 100,
    ],
)
def test_what_says_nothing_is_undetermined(text: str) -> None:
    assert identify(text) == UNDETERMINED
    assert is_language(text, "en") is None


@pytest.mark.parametrize(
    ("text", "language"),
    [("你好", "zh"), ("四十六", "zh"), ("نعم", "ar"), ("नहीं", "hi"), ("네 네", "ko"), ("東京タワー", "ja")],
)
def test_a_script_of_its_own_needs_few_letters(text: str, language: str) -> None:
    assert identify(text) == language


def test_code_in_an_answer_does_not_decide_its_language() -> None:
    text = "这段代码打印每一项：\n```python\nfor item in items:\n    print('the quick brown fox', item)\n```"
    assert identify(text) == "zh"


@pytest.mark.parametrize(
    ("text", "wanted", "verdict"),
    [
        ("这是一个简单的句子。", "zh", True),
        ("这是一个简单的句子。", "zh-Hans", True),
        ("这是一个简单的句子。", "en", False),
        ("This is a simple sentence.", "zh", False),
        ("46", "zh", None),
    ],
)
def test_verdict_on_a_wanted_language(text: str, wanted: str, verdict: bool | None) -> None:
    assert is_language(text, wanted) is verdict


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Mera naam Ravi hai aur main Dilli mein rehta hoon.", ROMANISED_HINDI),
        ("Aap kaise hain? Main theek hoon, dhanyavaad.", ROMANISED_HINDI),
        ("Mujhe nahi pata ki woh kahan gaya.", ROMANISED_HINDI),
        ("Ek samay ki baat hai, ek jungle mein ek sher rehta tha.", ROMANISED_HINDI),
        ("Diye gaye numbers ki list mein check karo ki koi do numbers close hain ya nahi.", ROMANISED_HINDI),
        ("MERA NAAM RAVI HAI AUR MAIN DILLI MEIN REHTA HOON.", ROMANISED_HINDI),
        ("Bharat ki rajdhani Nai Dilli hai.", UNDETERMINED),
        ("Suraj purab se nikalta hai.", UNDETERMINED),
        ("Dono bhai shahar ke paas kaam karte hai.", UNDETERMINED),
        ("मेरा नाम रवि है और मैं दिल्ली में रहता हूँ।", "hi"),
    ],
)
def test_hindi_in_latin_letters_is_a_language_of_its_own(text: str, language: str) -> None:
    assert identify(text) == language
    expected = None if language == UNDETERMINED else language == "hi"
    assert is_language(text, "hi") is expected
    assert is_language(text, "hi-Deva") is expected
    assert is_language(text, "hi-Latn") is (None if language == UNDETERMINED else language == ROMANISED_HINDI)
    assert is_language(text, "hi-latn-IN") is is_language(text, "hi-Latn")
    assert is_language(text, "en") is (None if language == UNDETERMINED else False)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("“Aap kaise hain?” means “How are you?” in Hindi.", "en"),
        ("The word kya is used to ask a question in Hindi.", "en"),
        ("The main men of the tab par excellence are here to be of use.", "en"),
        ("Se me ha ido de las manos y ya no sé qué hacer con mi main.", "es"),
        ("Il se tient par la main et me regarde sans rien dire.", "fr"),
        ("Mein Tag war lang, aber wo ist der Hund und wer hat ihn?", "de"),
        ("Hai detto che se vai a casa mi porti il libro di Marco.", "it"),
        ("Saya pergi ke pasar agar bisa membeli baju dan gaya baru.", "id"),
        ("Ben bunu sana söyledim diye bana kızma, ne olur ki sanki?", "tr"),
        ("Ik ben in de stad en hij komt pas later naar huis.", "nl"),
        ("Dwa koty leżą na dachu i nikt nie wie, jak tam weszły.", "pl"),
        ("Hai người bạn đi ra chợ mua cá và rau cho bữa tối.", "vi"),
    ],
)
def test_other_languages_are_not_taken_for_hindi(text: str, language: str) -> None:
    assert identify(text) == language
    assert not is_romanised_hindi(text)
    assert not may_be_romanised_hindi(text)


@pytest.mark.parametrize(
    ("text", "candidates", "language"),
    [
        ("Esta é uma frase em português, escrita para um teste.", LANGUAGES, "es"),
        ("این یک جمله فارسی است که برای آزمایش نوشته شده است.", LANGUAGES, "ar"),
        ("이것은 한국어 문장입니다.", LANGUAGES, "ko"),
        ("これは日本語で書かれた文章です。", LANGUAGES, "ja"),
        ("Αυτή είναι μια πρόταση στα ελληνικά.", LANGUAGES, "el"),
        ("This is a sentence in a language that nobody asks for.", ("zh", "ja"), UNDETERMINED),
        ("Mera naam Ravi hai aur main Dilli mein rehta hoon.", ("hi-Latn",), ROMANISED_HINDI),
        ("This is a sentence in a language that nobody asks for.", ("hi-Latn",), UNDETERMINED),
        ("Detta är en mening på svenska som ingen har bett om.", (*CANDIDATES, "sv"), "sv"),
    ],
)
def test_candidates_are_chosen_among(text: str, candidates: tuple[str, ...], language: str) -> None:
    assert identify(text, candidates) == language


def test_a_wanted_language_is_a_candidate() -> None:
    text = "Detta är en mening på svenska som ingen har bett om."
    assert is_language(text, "sv") is True
    assert is_language(text, "tlh") is False


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("使用Transformers和PyTorch库来训练BERT模型。", "zh"),
        ("翻译以下句子：This book is very interesting.", "zh"),
        ("The Japanese word ありがとう means thank you.", "en"),
        ("请看https://example.org/some/long/path/of/words以了解更多。", "zh"),
        ("The answer costs $5 and not $10, as you were told.", "en"),
    ],
)
def test_a_mixed_text_is_in_the_language_that_holds_it_together(text: str, language: str) -> None:
    assert identify(text) == language


def test_kana_make_the_han_beside_them_japanese() -> None:
    assert letters("東京タワーです abc")["KANA"] == 7
    assert main_script(letters("東京 hello")) == "CJK"
    assert main_script(letters("123")) == ""


@given(st.text(max_size=80))
def test_any_text_has_a_verdict(text: str) -> None:
    found = identify(text)
    assert found in {UNDETERMINED, ROMANISED_HINDI} or len(found) == 2
    assert is_language(text, "en") is (None if found == UNDETERMINED else found == "en")


@pytest.mark.parametrize("unit", ["a", "好", "\ud800", "\u202eab ", "\u0301", "ا", "a\n", "“", "$", "mein hai "])
def test_megabytes_take_no_longer_than_seconds(unit: str) -> None:
    began = time.process_time()
    identify(unit * (5_000_000 // len(unit)))
    assert time.process_time() - began < 5


@given(st.sampled_from(SENTENCES), st.sampled_from(LANGUAGES))
def test_a_sentence_said_twice_stays_in_its_language(row: dict[str, str], language: str) -> None:
    assert identify(f"{row[language]} {row[language]}") == identify(row[language])
