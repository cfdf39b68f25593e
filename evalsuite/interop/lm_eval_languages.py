"""In which language one of lm-eval's tasks is, guessed from names: its files do not say."""

from __future__ import annotations

import re

from evalsuite.text.language_names import UNDETERMINED

_WORDS = {
    "ar": "ar arb ara arabic aradice arabicmmlu alghafa aexams egy lev",
    "bn": "bn ben bengali bangla", "ca": "ca cat catalan", "cs": "cs ces czech", "de": "de deu ger german",
    "en": "en eng english", "es": "es spa spanish", "eu": "eu eus basque", "fa": "fa fas pes persian farsi",
    "fi": "fi fin finnish", "fr": "fr fra fre french", "gl": "gl glg galician", "hi": "hi hin hindi",
    "hu": "hu hun hungarian", "id": "id ind indonesian", "it": "it ita italian", "ja": "ja jpn jp japanese",
    "ko": "ko kor korean kmmlu kobest haerae", "mr": "mr mar marathi", "nl": "nl nld dutch",
    "no": "nob nno nb nn norwegian", "pl": "pl pol polish", "pt": "pt por portuguese", "ro": "ro ron romanian",
    "ru": "ru rus russian", "sv": "sv swe swedish", "sw": "sw swa swh swahili", "ta": "ta tam tamil",
    "te": "te tel telugu", "th": "th tha thai", "tr": "tr tur turkish turkishmmlu", "uk": "uk ukr ukrainian",
    "ur": "ur urd urdu", "vi": "vi vie vietnamese", "zh": "zh zho chinese cmmlu ceval cmn hans hant",
    "am": "amh amharic", "ha": "ha hau hausa", "ig": "ig ibo igbo", "yo": "yo yor yoruba", "zu": "zu zul zulu",
    "xh": "xh xho xhosa", "el": "el ell greek", "he": "he heb hebrew", "et": "et est estonian",
}  # fmt: skip
_BY_WORD = {word: code for code, words in _WORDS.items() for word in words.split()}
_SHORT = 3
"""Letters up to which a word is a code, and says something only at an end of a name."""


def language_of(name: str, data_name: str, folder: str) -> str:
    """A code, or ``und``: by the data's own name, then by the ends of the task's, then by its folder's words."""
    for words in (_parts(data_name), _ends(_parts(name)), _long(_parts(name)), _long(_parts(folder))):
        found = list(dict.fromkeys(_BY_WORD[word] for word in words if word in _BY_WORD))
        if len(found) == 1:
            return found[0]
        if len(found) > 1:  # a pair of languages: what is written is the last
            return found[-1]
    return UNDETERMINED


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[^a-z]+", text.lower()) if part]


def _ends(words: list[str]) -> list[str]:
    """The last words, where codes stand."""
    return words[-2:] if len(words) > 1 else []


def _long(words: list[str]) -> list[str]:
    return [word for word in words if len(word) > _SHORT]
