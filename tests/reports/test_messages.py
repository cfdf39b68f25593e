"""The page's words: every language has all of them, in its own plural forms, and the scripts use each of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from evalsuite.reports.leaderboard import LANGUAGES, messages_of

PAGE = Path(__file__).parents[2] / "reports" / "page"
FILES = sorted((PAGE / "messages" / "en").glob("*.json"))
SCRIPT = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PAGE.rglob("*.js")))

CATEGORIES = {
    "en": ("one", "other"),
    "zh": ("other",),
    "fr": ("one", "many", "other"),
    "ar": ("zero", "one", "two", "few", "many", "other"),
    "es": ("one", "many", "other"),
    "hi": ("one", "other"),
}
"""The categories of cardinal numbers that CLDR gives each language."""

OF_ONE_NUMBER = {"en": {"one"}, "zh": set(), "fr": set(), "ar": {"zero", "one", "two"}, "es": {"one"}, "hi": set()}
"""Categories of exactly one whole number, which a form may leave unwritten; French and Hindi have 0 and 1 in "one"."""

NAMES = {
    *("evalsuite", "verify", "sacrebleu", "BLEU", "FLORES", "SHA", "HTTP", "GPU", "PPI", "Markdown"),
    *("Holm", "McNemar", "Cohen", "Krippendorff", "Davidson", "Bradley", "Terry", "Benjamini", "Hochberg"),
}
"""What stays in Latin letters in languages that are written in others."""

COMPUTED = {
    '"flag_about_"': r"flag_about_\w+",
    '"judge_all_" +': r"judge_all_(bench|by)",
    '"judge_is_" +': r"judge_is_\w+",
    '"judge_label_" +': r"judge_label_(bench|by)",
    '"judge_measure_" +': r"judge_measure_\w+",
    '"judge_must_be_" +': r"judge_must_be_\w+",
    '"judge_of_"': r"judge_of_(alignbench|belle|mt_bench)_\w+",
    '"metric_about_"': r"metric_about_\S+",
    '"origin_" +': r"origin_\w+",
    '"pref_" + head': r"pref_tie(_good|_bad|_any)?",
    '"pref_term_" +': r"pref_term_(correction|feature|flag|level|verdict)_\w+",
    '"pref_ties_" +': r"pref_ties_\w+",
    '"red_" +': r"red_(?!counted)\w+",
    '"sample_ended_" +': r"sample_ended_\w+",
    '"sample_verdict_" +': r"sample_verdict_(tie|both_bad)",
    '"samples_cause_"': r"samples_cause_\w+",
    '"samples_flag_"': r"samples_flag_\w+",
    '"samples_model_" +': r"samples_model_[ab]",
    '"samples_state_" +': r"samples_state_\w+",
    '"samples_texts_kept_" +': r"samples_texts_kept_\w+",
    '"status_" +': r"status_\w+",
    '"task_end_" +': r"task_end_\w+",
    '"task_head_" +': r"task_head_\w+",
    '"test_" +': r"test_\w+",
    '"trust_" +': r"trust_(self_reported|re_scored|re_run)",
    '"truncation_" +': r"truncation_(?!label)\w+",
    '"unranked_" +': r"unranked_\w+",
    '"checked_" +': r"checked_\w+",
    'field + "_detail"': r"(gap_to_english|worst_language)_detail",
    'key + (hasFailed ? "_failed"': r"check_(mean|sum)_failed",
}
"""Keys that scripts put together: what stands in a script, and the keys that come of it."""


def read(language: str, file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAGE / "messages" / language / file.name).read_text(encoding="utf-8"))
    return found


def forms(message: Any) -> dict[str, str]:
    return message if isinstance(message, dict) else {"": message}


def slots(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_all_that_english_says(language: str, file: Path) -> None:
    english, other = read("en", file), read(language, file)
    assert list(other) == list(english)
    assert list(other) == sorted(other)
    for key, message in other.items():
        assert isinstance(message, dict) == isinstance(english[key], dict), key
        if isinstance(message, dict):
            assert tuple(message) == CATEGORIES[language], key
        wanted = slots(forms(english[key]).get("other", forms(english[key]).get("", "")))
        for category, text in forms(message).items():
            assert text.strip() == text != "", key
            assert not re.search(r"  |[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text), key
            left_out = {"{n}"} if category in OF_ONE_NUMBER[language] else set()
            assert wanted - left_out <= slots(text) <= wanted, (key, category)


@pytest.mark.parametrize("language", LANGUAGES)
def test_files_of_a_language_are_those_of_english(language: str) -> None:
    folder = PAGE / "messages" / language
    assert sorted(path.name for path in folder.iterdir()) == [file.name for file in FILES]
    assert len(messages_of(language)) == sum(len(read(language, file)) for file in FILES)  # no key stands twice


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_no_message_is_left_in_english(language: str) -> None:
    """What a language says as English does is a word or two that both have; other scripts keep names alone."""
    english = messages_of("en")
    for key, message in messages_of(language).items():
        for text in forms(message).values():
            words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\{\w+\}", "", text))
            if language in ("zh", "ar", "hi"):
                assert set(words) <= NAMES, key
            assert len(words) < 3 or text not in forms(english[key]).values(), key


def test_what_scripts_say_is_known() -> None:
    english = messages_of("en")
    named = set(re.findall(r"\bt\(\s*\"([^\"]+)\"\s*[,)]", SCRIPT)) | set(re.findall(r"\btitle: \"(\w+)\"", SCRIPT))
    for pair in re.findall(r"\bt\([^()]*?\?\s*\"([^\"]+)\"\s*:\s*\"([^\"]+)\"\s*[,)]", SCRIPT):
        named |= set(pair)
    assert len(named) > 300
    assert named - set(english) == set()
    for prefix in re.findall(r"\bt\(\s*\"([^\"]+)\"\s*\+", SCRIPT):
        assert any(put.startswith(f'"{prefix}" +') for put in COMPUTED), prefix


def test_every_message_is_said() -> None:
    english = messages_of("en")
    literal = set(re.findall(r"\"([\w+]+)\"", SCRIPT))
    for put, keys in COMPUTED.items():
        assert put in SCRIPT
        assert any(re.fullmatch(keys, key) for key in english), put
    computed = {key for key in english if any(re.fullmatch(keys, key) for keys in COMPUTED.values())}
    assert set(english) - literal - computed == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_arrows_go_as_the_language_is_read(language: str) -> None:
    message = messages_of(language)["language_pair"]
    assert message == ("{source} ← {target}" if language == "ar" else "{source} → {target}")
