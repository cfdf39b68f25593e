"""How often languages are told, and switches found, on the sentences of FLORES-200 (dev and devtest).

Every number is deterministic; the bounds are what the suite promises, not what was measured, which is better.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalsuite.text.code_switching import in_language
from evalsuite.text.languages import ROMANISED_HINDI, UNDETERMINED, identify

pytestmark = pytest.mark.data

FOLDERS = {
    "en": "eng_Latn",
    "zh": "zho_Hans",
    "fr": "fra_Latn",
    "ar": "arb_Arab",
    "es": "spa_Latn",
    "hi": "hin_Deva",
    "de": "deu_Latn",
}
SIX = ("en", "zh", "fr", "ar", "es", "hi")

_LATIN_OF = """
क k ख kh ग g घ gh ङ n च ch छ chh ज j झ jh ञ n ट t ठ th ड d ढ dh ण n त t थ th द d ध dh न n प p फ ph ब b भ bh म m
य y र r ल l व v श sh ष sh स s ह h
"""
_VOWELS_OF = "अ a आ aa इ i ई i उ u ऊ u ऋ ri ए e ऐ ai ओ o औ au ऑ o"
_SIGNS_OF = "ा aa ि i ी i ु u ू u ृ ri े e ै ai ो o ौ au ॉ o ॅ e"


def pairs_of(table: str) -> dict[str, str]:
    words = table.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_CONSONANTS, _VOWELS, _SIGNS = pairs_of(_LATIN_OF), pairs_of(_VOWELS_OF), pairs_of(_SIGNS_OF)


@pytest.fixture(scope="module")
def flores(mirror: Path) -> dict[str, list[str]]:
    found = {}
    for language, folder in FOLDERS.items():
        files = [mirror / "facebook__flores" / folder / f"{split}.jsonl" for split in ("dev", "devtest")]
        lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
        found[language] = [json.loads(line)["sentence"] for line in lines]
        assert len(found[language]) == 997 + 1012
    return found


def romanised(text: str) -> str:
    """Devanagari letter by letter as people type it: no accents, the inherent vowel left out where it is silent."""
    return re.sub("[\u0900-\u0963]+", lambda word: _romanised_word(word[0]), text.replace("।", "."))


def _romanised_word(word: str) -> str:
    letters = "".join(_romanised_letters(word)).removesuffix("A")
    silent = re.sub(r"([aeiouA])([^aeiouA]{1,2})A(?=[^aeiouA]{1,2}[aeiou])", r"\1\2", letters)
    return silent.replace("A", "a").replace("aa", "a")


def _romanised_letters(word: str) -> Iterator[str]:
    """Latin letters of a word, an inherent vowel as A."""
    for place, letter in enumerate(word):
        is_bare = word[place + 1 : place + 2] not in {*_SIGNS, "्", "\u093c"}
        if letter in _CONSONANTS:
            yield _CONSONANTS[letter]
        elif letter in "ंँ":
            yield "n"
        else:
            yield _SIGNS.get(letter, _VOWELS.get(letter, ""))
        if is_bare and (letter in _CONSONANTS or letter == "\u093c"):
            yield "A"


@pytest.mark.parametrize("language", SIX)
def test_sentences_are_told(flores: dict[str, list[str]], language: str) -> None:
    in_the_open = [identify(sentence) for sentence in flores[language]]
    among_six = [identify(sentence, SIX) for sentence in flores[language]]
    assert in_the_open.count(language) >= 0.995 * len(in_the_open)
    assert among_six.count(language) >= 0.995 * len(among_six)
    assert ROMANISED_HINDI not in in_the_open + among_six


def test_german_is_told_and_is_no_romanised_hindi(flores: dict[str, list[str]]) -> None:
    in_the_open = [identify(sentence) for sentence in flores["de"]]
    assert in_the_open.count("de") >= 0.995 * len(in_the_open)
    assert ROMANISED_HINDI not in in_the_open


def test_romanised_sentences_are_told(flores: dict[str, list[str]]) -> None:
    found = [identify(romanised(sentence)) for sentence in flores["hi"]]
    assert found.count(ROMANISED_HINDI) >= 0.92 * len(found)
    assert found.count(ROMANISED_HINDI) + found.count(UNDETERMINED) >= 0.95 * len(found)
    assert found.count("en") <= 0.005 * len(found)


@pytest.mark.parametrize("language", FOLDERS)
def test_pure_text_has_no_switches(flores: dict[str, list[str]], language: str) -> None:
    """Single sentences, and pairs of them joined: at most one in a hundred sentences is called foreign."""
    between = "" if language == "zh" else " "
    pairs = [between.join(pair) for pair in zip(flores[language][::2], flores[language][1::2], strict=False)]
    for texts in (flores[language][:600], pairs[:300]):
        counts = [in_language(text, language) for text in texts]
        in_wanted, told = (sum(part) for part in zip(*counts, strict=True))
        assert told >= 0.99 * len(texts)
        assert in_wanted >= 0.999 * told
        assert sum(one < all_of_them for one, all_of_them in counts) <= 0.002 * len(texts)


@pytest.mark.parametrize("language", ["en", "fr", "es"])
def test_beginnings_of_sentences_are_seldom_foreign(flores: dict[str, list[str]], language: str) -> None:
    """A quarter of a sentence, some thirty characters: what `MARGIN` is for."""
    quarters = [" ".join(text.split()[: max(1, len(text.split()) // 4)]) for text in flores[language][:800]]
    counts = [in_language(text, language) for text in quarters]
    in_wanted, told = (sum(part) for part in zip(*counts, strict=True))
    assert told >= 0.8 * len(quarters)
    assert in_wanted >= 0.995 * told


@pytest.mark.parametrize("language", SIX)
def test_a_foreign_sentence_in_a_paragraph_is_found(flores: dict[str, list[str]], language: str) -> None:
    """A sentence of another of the six among three; what is missed follows a sentence without a full stop."""
    found = num_texts = 0
    for other in SIX:
        for number in range(0 if other == language else 60):
            paragraph = flores[language][4 * number : 4 * number + 3]
            paragraph.insert(number % 4, flores[other][4 * number + 3])
            in_wanted, told = in_language(" ".join(paragraph), language)
            found += in_wanted < told
            num_texts += 1
    assert num_texts == 300
    assert found >= 0.96 * num_texts
