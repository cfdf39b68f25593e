"""Which language a text is written in: script counts first, then py3langid among a fixed list, else undetermined."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from evalsuite.text.romanised_hindi import is_romanised_hindi, may_be_romanised_hindi
from evalsuite.text.sentences import prose

UNDETERMINED = "und"
ROMANISED_HINDI = "hi-Latn"
MIN_LETTERS = 12
"""Fewer letters than this say nothing about a Latin-script text."""
MAX_CHARS = 100_000
"""The beginning of a longer text is all that is read."""

CANDIDATES = (
    *("en", "zh", "fr", "ar", "es", "hi"),
    *("de", "pt", "it", "ja", "ko", "ru", "id", "vi", "th", "tr", "fa", "ur", "mr", "nl", "pl", "uk", "bn"),
)
"""The languages told apart in the open; the six and those that answers drift into."""

LATIN = "LATIN"
_HAN, _KANA = "CJK", "KANA"
_WRITTEN_IN = {
    _HAN: ("zh",),
    _KANA: ("ja",),
    "HANGUL": ("ko",),
    "ARABIC": ("ar", "fa", "ur", "ps", "ug"),
    "DEVANAGARI": ("hi", "mr", "ne", "sa"),
    "BENGALI": ("bn", "as"),
    "CYRILLIC": ("ru", "uk", "be", "bg", "mk"),
    "THAI": ("th",),
    "GREEK": ("el",),
    "HEBREW": ("he",),
    "ARMENIAN": ("hy",),
    "GEORGIAN": ("ka",),
    "ETHIOPIC": ("am",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "MALAYALAM": ("ml",),
    "GUJARATI": ("gu",),
    "GURMUKHI": ("pa",),
    "ORIYA": ("or",),
    "SINHALA": ("si",),
    "KHMER": ("km",),
    "LAO": ("lo",),
    "MYANMAR": ("my",),
}
"""Languages by script, the commonest first; a language that is not here is written in Latin letters."""
_SCRIPT_OF = {language: script for script, languages in _WRITTEN_IN.items() for language in languages}
_ALIASES = {"HIRAGANA": _KANA, "KATAKANA": _KANA, "KATAKANA-HIRAGANA": _KANA, "HALFWIDTH": _KANA}
_WEIGHTS = {_HAN: 3, _KANA: 2, "HANGUL": 2, "DEVANAGARI": 2, "BENGALI": 2}
"""How many letters of an alphabet a character stands for; vowel signs are no letters."""
_ALPHABETS = frozenset({LATIN, "GREEK", "CYRILLIC"})
"""Scripts of formulae, codes and marks as well, where a few letters say nothing."""
_MIN_OTHER_LETTERS = 2
_MIN_KANA_SHARE = 0.1
_MIN_SHARE_BESIDE_LATIN = 1 / 3
_NOTHING = -1e30
_WITH_DIGIT = re.compile("(?<![A-Za-z0-9₀-₉])[A-Za-z]*[0-9₀-₉][A-Za-z0-9₀-₉]*")


def identify(text: str, candidates: Sequence[str] = CANDIDATES) -> str:
    """Language code of `text`, or `UNDETERMINED` for short text, code, formulae and numbers.

    The script that most of `text` is written in leaves those of `candidates` that are written in it, and py3langid
    chooses between them. A script that none of them is written in is named by its commonest language, so no text in it
    is taken for one of them. Hindi in Latin letters is `ROMANISED_HINDI`, a candidate where ``hi`` is one; a text with
    a few words of it is undetermined, as is one in Latin letters when no candidate is written in them.
    """
    plain = words_of(text[:MAX_CHARS])
    counts = letters(plain)
    script = main_script(counts)
    if not says_enough(counts, script):
        return UNDETERMINED
    if script == LATIN and {"hi", ROMANISED_HINDI} & set(candidates):
        if is_romanised_hindi(plain):
            return ROMANISED_HINDI
        if may_be_romanised_hindi(plain):
            return UNDETERMINED
    scripts = {script, *_beside_latin(counts)} if script == LATIN else {script}
    rivals = [code for code in candidates if script_of(code) in scripts and code != ROMANISED_HINDI]
    if script in _WRITTEN_IN and (len(rivals) < 2 or counts[script] < MIN_LETTERS):
        return rivals[0] if rivals else _WRITTEN_IN[script][0]
    scores = log_odds(plain, rivals)
    return max(scores, key=scores.__getitem__, default=UNDETERMINED)


def is_language(text: str, wanted: str) -> bool | None:
    """Whether `text` is in `wanted`, a BCP-47 tag; None when it cannot be told.

    The primary subtag of `wanted` counts, and of the others only the script of ``hi-Latn``, which ``hi`` is not.
    """
    code = code_of(wanted)
    found = identify(text, candidates_with(code))
    return None if found == UNDETERMINED else found == code


def words_of(text: str) -> str:
    """`text` without its code, formulae and addresses, and without the words that a digit is in (*H₂O*, *B2*)."""
    return _WITH_DIGIT.sub(" ", prose(text))


def code_of(tag: str) -> str:
    """What `identify` calls the language of a BCP-47 tag."""
    primary, *others = tag.casefold().split("-")
    return ROMANISED_HINDI if primary == "hi" and "latn" in others else primary


def candidates_with(code: str) -> tuple[str, ...]:
    """`CANDIDATES`, and `code` where that is another language that py3langid knows."""
    return CANDIDATES if code in CANDIDATES or code not in _labels() else (*CANDIDATES, code)


def letters(plain: str) -> Counter[str]:
    """How many letters of each script are in `plain`; kana count as one script, and Han beside kana as kana."""
    counts: Counter[str] = Counter()
    for char, times in Counter(plain).items():
        if char.isalpha():
            name = unicodedata.name(char, "").partition(" ")[0]
            counts[_ALIASES.get(name, name)] += times
    if counts[_KANA] > _MIN_KANA_SHARE * (counts[_HAN] + counts[_KANA]):
        counts[_KANA] += counts.pop(_HAN, 0)
    return counts


def weight(counts: Counter[str], script: str) -> int:
    """What the letters of `script` amount to in letters of an alphabet."""
    return counts[script] * _WEIGHTS.get(script, 1)


def main_script(counts: Counter[str]) -> str:
    """The script that most of a text is written in; empty when there are no letters."""
    return max(counts, key=lambda script: weight(counts, script), default="")


def _beside_latin(counts: Counter[str]) -> list[str]:
    """Scripts that may hold a text together of which most is Latin letters: its names, terms and examples."""
    total = sum(weight(counts, each) for each in counts)
    return [each for each in counts if weight(counts, each) > _MIN_SHARE_BESIDE_LATIN * total]


def script_of(code: str) -> str:
    """The script of the language that `identify` calls `code`."""
    return _SCRIPT_OF.get(code, LATIN)


def says_enough(counts: Counter[str], script: str) -> bool:
    """Whether there are enough letters of `script` to tell its language."""
    return counts[script] >= (MIN_LETTERS if script in _ALPHABETS else _MIN_OTHER_LETTERS)


def log_odds(plain: str, candidates: Collection[str]) -> dict[str, float]:
    """How much py3langid is for each of `candidates` that it knows; empty where it finds nothing to go by.

    The differences are log-odds of naive Bayes, too sure of themselves, over the root of the number of bytes, which is
    py3langid's own correction.
    """
    scores = dict(_identifier().rank(plain))
    root = math.sqrt(len(plain.encode("utf-8", "surrogatepass")) or 1)
    return {code: scores[code] / root for code in candidates if scores.get(code, _NOTHING) > _NOTHING}


@cache
def _labels() -> frozenset[str]:
    return frozenset(_identifier().labels)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
