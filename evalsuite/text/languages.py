"""Which language a text is written in: script counts first, then py3langid among a fixed list, else undetermined."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

UNDETERMINED = "und"
MIN_LETTERS = 12
"""Fewer letters than this say nothing about a Latin-script text."""

CANDIDATES = (
    *("en", "zh", "fr", "ar", "es", "hi"),
    *("de", "pt", "it", "ja", "ko", "ru", "id", "vi", "th", "tr", "fa", "ur", "mr", "nl", "pl", "uk", "bn"),
)
"""The languages told apart in the open; the six and those that answers drift into."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\$[^$\n]+\$|https?://\S+", re.DOTALL)
_SCRIPTS = {"CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "ARABIC": "ar", "DEVANAGARI": "hi"}
_MIN_WIDE_LETTERS = 2


def identify(text: str) -> str:
    """Language code of `text`, or `UNDETERMINED` for short text, code, formulae and numbers.

    Han, Arabic and Devanagari letters decide between scripts; py3langid then separates the languages that share one
    (Persian and Urdu from Arabic, Marathi from Hindi, and all that is written in Latin letters).
    """
    plain = _CODE.sub(" ", text)
    counts = _script_counts(plain)
    num_letters = sum(counts.values())
    if not num_letters:
        return UNDETERMINED
    script, most = max(counts.items(), key=lambda entry: entry[1])
    if counts.get("HIRAGANA", 0) + counts.get("KATAKANA", 0) > 0.1 * num_letters:
        return "ja"
    if script == "CJK" and most >= _MIN_WIDE_LETTERS:
        return "zh"
    if script == "HANGUL" and most >= _MIN_WIDE_LETTERS:
        return "ko"
    if script in _SCRIPTS:
        return _within_script(plain, _SCRIPTS[script], most)
    return _classify(plain) if num_letters >= MIN_LETTERS else UNDETERMINED


def is_language(text: str, wanted: str) -> bool | None:
    """Whether `text` is in `wanted` (BCP-47, the primary subtag counts); None when it cannot be told."""
    found = identify(text)
    return None if found == UNDETERMINED else found == wanted.partition("-")[0]


def _within_script(text: str, default: str, num_letters: int) -> str:
    if num_letters < MIN_LETTERS:
        return default if num_letters >= _MIN_WIDE_LETTERS else UNDETERMINED
    rivals = {"ar": ("ar", "fa", "ur"), "hi": ("hi", "mr")}.get(default, (default,))
    return _classify(text, rivals)


def _script_counts(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for char in text:
        if char.isalpha():
            script = unicodedata.name(char, "").partition(" ")[0]
            counts[script] = counts.get(script, 0) + 1
    return counts


def _classify(text: str, candidates: tuple[str, ...] = CANDIDATES) -> str:
    language, score = _identifier(candidates).classify(text)
    return str(language) if score > -1e30 else UNDETERMINED


@cache
def _identifier(candidates: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(candidates))
    return identifier
