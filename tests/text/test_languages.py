"""Telling languages: the six, what shares their scripts, and what says nothing."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.text.languages import CANDIDATES, UNDETERMINED, identify, is_language

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


@given(st.text(max_size=80))
def test_any_text_has_a_verdict(text: str) -> None:
    assert identify(text) in {*CANDIDATES, UNDETERMINED}


@given(st.sampled_from(SENTENCES), st.sampled_from(LANGUAGES))
def test_a_sentence_said_twice_stays_in_its_language(row: dict[str, str], language: str) -> None:
    assert identify(f"{row[language]} {row[language]}") == identify(row[language])
