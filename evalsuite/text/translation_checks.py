"""Whether a machine's translation of a task's prompts may stand: read strictly, then compared with its source.

A model that is asked to translate a prompt may obey or answer it instead, stop half-way or add something of its own.
What tells is what a translation keeps: numbers, placeholders, lines, question marks, slots for an answer, the amount of
text, and that the language changes. The rules and the word lists are ours. An obedient reply of the right length in the
right language, to a short prompt without any of these, cannot be told from a translation.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from evalsuite.text.code_switching import in_language
from evalsuite.text.languages import (
    UNDETERMINED,
    candidates_with,
    code_of,
    identify,
    letters,
    log_odds,
    main_script,
    script_of,
    weight,
)
from evalsuite.text.numbers import ascii_digits
from evalsuite.text.refusals import is_refusal
from evalsuite.text.sentences import prose, sentences

Texts = Mapping[str, str | Sequence[str]]

MAX_REPLY_BYTES = 1_000_000
MAX_COPIED = 1 / 3
"""The share of the letters of the whole that may stay as they were, and of a text's sentences that may be foreign."""
MIN_LETTERS = 20
"""Texts with fewer letters may become any shorter, and as long as one with so many."""
SLACK_LETTERS = 10
"""The letters that a text may lose besides, as a short one loses its articles and endings in Chinese."""
TEXT_RATIOS = (0.4, 2.4)
"""How the letters of a text may change in number, weighted by what they stand for.

Of the 1012 sentences of FLORES-200's devtest, in all directions between the six languages, 98 in 100 stay between 0.5
and 2; short and bookish ones leave these bounds first.
"""
WHOLE_RATIOS = (0.5, 2.0)
"""The same for all texts together, where chance evens out, from `MIN_WHOLE_LETTERS` on; `TEXT_RATIOS` before."""
MIN_WHOLE_LETTERS = 100
ARABIC_WEIGHT = 1.3
"""What a letter of a script without short vowels stands for; the other weights are `languages.weight`'s."""
SURE_LETTERS = 40
"""From so many letters on, a single text's language is told from another one's in the same script."""
OPEN_LETTERS = 80
"""From so many letters on, a language is looked for among all; before, between source, target and English."""
LANGUAGE_MARGIN = 1.5
"""How much more py3langid must be for another language of the same script, in the unit of `languages.log_odds`.

Lists of nouns (egg, pupa, caterpillar, adult) mislead it by 1.4; thirty letters in the wrong language say 5 and more.
"""
FEW_LETTERS = 80
"""One sentence with fewer letters is not made into more than it has parts between commas."""

_WORDY = re.compile(r"[^\W_]")
_WORD = re.compile(r"[^\W\d_]+")
_QUESTION = re.compile("[?؟？]")
_COMMA = re.compile("[,;:،؛，；：]")
_COLONS = (":", "：", "﹕", "ः")
_CLOSING = " \t\r\n\u00a0\u202f\"'”’»›)）]】」』*_`"

# Every alternative ends where its own opening sign comes again, so that hostile text is read once.
_PLACEHOLDER = re.compile(
    r"`[^`\n]+`"
    r"|\$\$[^$]*\$\$"
    # a price is no formula: its dollar is closed by none, or by one after a space or before a digit
    r"|(?<![\\$])\$(?=[^\s$])[^$\n]*(?<=[^\s\\$])\$(?![\d$])"
    r"|\\\((?:[^\\]|\\[^()])*+\\\)"
    r"|\\\[(?:[^\\]|\\[^\[\]])*+\\\]"
    # only ASCII, because Chinese goes on after an address without a space; the last sign may be the sentence's own
    r"|(?:https?://|ftp://|www\.)[!-~]*[\w/#=&~-](?<=[!-~])"
    r"|⟦[^⟦⟧]*⟧"
    r"|<\|[^<>|\n]{1,60}\|>"
    r"|</?[A-Za-z][\w:-]*(?:\s+[\w:-]+=(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+))*+\s*/?>"
    r"|\{\{[^{}\n]{0,200}\}\}"
    r"|\{%[^%\n]{0,200}%\}"
    # words in a formula are translated, and sets are written with other commas
    r"|(?<!\\text)\{[^{}\s,;،、]{0,60}\}"
    r"|(?<![\d%٪])%(?:\(\w{1,60}\))?\.?\d{0,3}[sdifr](?![A-Za-z])"
    r"|_{2,}"
)
_GROUPED = re.compile(r"(?<!\d)(?<!\d[.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)")
_NUMBER = re.compile(r"(?:(?<![\w.,٫])[.٫])?\d+(?:[.,'’·٫٬،]\d+)*+")
_ROMAN = re.compile(r"(?<![A-Za-z])([IVXLC]{2,}|[VX])(?:e|er|è?me|ème)?(?![A-Za-z])")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}

_FUNCTION_WORDS = {
    "en": re.compile(
        r"\b(?:an?|the|is|are|was|were|been?|do(?:es)?|did|ha[sd]|have|can|could|will|would|should|may|might|must|what|which"
        r"|who(?:se|m)?|how|why|when|where|th(?:is|at|ese|ose)|its?|s?he|they|you|your|we|i|my|his|her|their|not|and|or|if|of"
        r"|to|for|with|by|from|as|at|on|than|there)\b",
        re.IGNORECASE,
    ),
    "fr": re.compile(
        r"\b(?:une?|les?|la|des?|du|est|sont|étai(?:en)?t|être|a|ont|avait|peut|doit|fait|qu[ei]|quoi|quel(?:le)?s?|comment"
        r"|pourquoi|quand|où|combien|cet?(?:te)?|ces|ils?|elles?|vous|votre|nous|je|mon|s[ao]n?|ses|leur|ne|pas|et|ou|si|à"
        r"|aux?|pour|avec|par|sur|dans|plus)\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(?:una?|el|l[ao]s?|del?|es|son|era[ns]?|ser|están?|han?|había|puede|debe|qu[eé]|quién|cuál(?:es)?|cómo|por|cuándo"
        r"|dónde|cuánt[ao]s?|est[aeo]s?|él|ell[ao]s?|usted|sus?|nosotros|yo|mi|tu|no|y|o|si|al?|para|con|en|se|más)\b",
        re.IGNORECASE,
    ),
}
"""Words that hold a sentence together, by the language of the source."""
_PARTICLE = re.compile(r"of|the|and|de|la|les?|du|des|et|y|e|del|los|las|el|al|van|von|der|den|da|dos?|di")
"""Small words inside names and titles."""
_MIN_PLAIN_WORDS = 4
"""Words without a capital that make a sentence in a language without a list of function words."""

_LABEL = (
    r"(?:^|[.!?。！？؟।])[ \t*_#>-]*(?:[^\s:：.!?。]{{1,15}} ){{0,2}}[\u3400-\u9fff]{{0,4}}"
    r"(?<![^\W_\u3400-\u9fff])(?:{})(?: [^\s:：.!?。]{{1,15}}){{0,2}}[ \t\u00a0\u202f*_]*[:：]"
)
_MENTION = r"(?<![^\W_\u3400-\u9fff])(?:{})(?![a-z])[^.!?。！？؟।\n]{{0,6}}[:：]"
"""What may become a label, since a sentence that ends in a colon is turned round: answer with these words."""
_LABELS = (
    "assistant|user|human|system|ai|bot|helper|助手|助理|用户|用戶|人类|系统|utilisateur|utilisatrice|humain|système"
    "|aide|asistente|usuario|usuaria|humano|sistema|ayudante|(?:ال)?مساعد|(?:ال)?مستخدم|(?:ال)?إنسان|(?:ال)?نظام"
    "|सहायक|असिस्टेंट|उपयोगकर्ता|उपयोक्ता|यूज़र|मानव|इंसान|सिस्टम|प्रणाली",
    "answers?|responses?|reply|solutions?|results?|réponses?|résultats?|respuestas?|soluci(?:ón|ones)|resultados?"
    "|答案|解答|结果|解决方案|(?:ال)?إجاب(?:ة|ات)|(?:ال)?جواب|(?:ال)?حل|(?:ال)?رد|(?:ال)?نتيجة"
    "|उत्तर|जवाब|हल|समाधान|परिणाम|नतीजा|प्रतिक्रिया",
    "translation|translated text|traduction|texte traduit|traducción|texto traducido|翻译|译文|翻譯|(?:ال)?ترجمة|अनुवाद",
    "notes?|explanation|remarks?|comments?|hint|remarques?|explication|commentaires?|indice|notas?|explicación"
    "|observación|comentarios?|pista|注|注意|备注|说明|解释|提示|评论|(?:ال)?ملاحظ(?:ة|ات)|(?:ال)?شرح|(?:ال)?تفسير|تلميح|توضيح"
    "|टिप्पणी|नोट|व्याख्या|स्पष्टीकरण|संकेत",
)
"""Who speaks, answers, translations and notes: what a model adds a part under. Each family has its words alike."""
_OF_TRANSLATING = re.compile(
    r"\bhere(?:'s| is| are)\b[^.\n]{0,40}\btranslat"
    r"|(?:can(?:'t|not| not)|won't|unable to|able to|refuse to)[^.\n]{0,20}\btranslat"
    r"|\bvoici\b[^.\n]{0,40}\btradu|(?:peux pas|saurais|impossible de|incapable de|refuse de)[^.\n]{0,20}\btradui"
    r"|\baquí\b[^.\n]{0,40}\btradu|(?:no puedo|no es posible|me niego a|incapaz de)[^.\n]{0,20}\btraduc"
    r"|(?:以下|下面|这|這)(?:就)?是[^。\n]{0,20}(?:翻译|譯|译)|(?:无法|不能|不会|没法|拒绝)[^。\n]{0,8}翻译"
    r"|(?:إليك|هذه|هذا|فيما يلي|هنا)[^.\n]{0,40}ترجم|(?:لا أستطيع|لا يمكنني|لن|أرفض|أعجز عن)[^.\n]{0,12}ترجم"
    r"|(?:यहाँ|यहां|यह|ये)[^।\n]{0,40}अनुवाद|अनुवाद (?:यह|इस प्रकार|निम्न|नीचे)|अनुवाद[^।\n]{0,12}(?:नहीं|असमर्थ)",
    re.IGNORECASE,
)
"""A translation announced or declined."""
_MACHINERY = re.compile(r"^[ \t]*(?:```|~~~)|\[/?INST\]|^[ \t]*#{2,4} ?(?:instruction|response)", re.I | re.MULTILINE)


def read_translation(reply: str, source: Texts) -> dict[str, str | list[str]] | None:
    """What `reply` says that the texts of `source` become, with their keys in their order; None for anything amiss.

    A reply is one JSON object, alone or in one Markdown code fence, of exactly the keys of `source`, each once, with a
    string for a string and a list of as many for a list. Half of a surrogate pair, which no file can hold, is amiss.
    """
    try:
        if len(reply.encode("utf-8", "surrogatepass")) > MAX_REPLY_BYTES:
            return None
        found = json.loads(_unfenced(reply.strip()), object_pairs_hook=_object)
        if not isinstance(found, dict) or found.keys() != source.keys():
            return None
        if not all(_has_shape(found[key], wanted) for key, wanted in source.items()):
            return None
        "".join(_flat(found)).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return {key: found[key] for key in source}


def _unfenced(reply: str) -> str:
    first, _, rest = reply.partition("\n")
    is_fenced = first.rstrip() in ("```", "```json", "```JSON") and rest.endswith("```")
    return rest[:-3] if is_fenced else reply


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")  # readers take the first or the last as they like
    return found


def _has_shape(value: object, wanted: str | Sequence[str]) -> bool:
    if isinstance(wanted, str):
        return isinstance(value, str)
    return isinstance(value, list) and len(value) == len(wanted) and all(isinstance(each, str) for each in value)


def _flat(texts: Texts) -> Iterator[str]:
    for value in texts.values():
        if isinstance(value, str):
            yield value
        else:
            yield from value


def refusal_of(source: Texts, translated: Texts, *, source_language: str, target_language: str) -> str:
    """Why `translated` is no translation of `source`; empty when it is accepted.

    The reasons, of which the first that holds is given: ``empty``, ``copied``, ``wrong_language``, ``length``,
    ``placeholders``, ``numbers``, ``lines``, ``question``, ``extra``. Languages are BCP-47 tags. Raises `ValueError`
    when the two do not hold as many texts under the same keys.
    """
    if source.keys() != translated.keys():
        raise ValueError("a translation has the keys of its source")
    pairs = [
        pair for key in source for pair in zip(_flat({key: source[key]}), _flat({key: translated[key]}), strict=True)
    ]
    before, after = code_of(source_language), code_of(target_language)
    whole = ("\n".join(text for text, _ in pairs), "\n".join(text for _, text in pairs))
    checks: dict[str, Callable[[], bool]] = {
        "empty": lambda: any(_has_words(old) and not _has_words(new) for old, new in pairs),
        "copied": lambda: _copied_share(*whole, before, after) > MAX_COPIED,
        "wrong_language": lambda: _is_elsewhere(pairs, before, after),
        "length": lambda: _is_out_of_length(pairs),
        "placeholders": lambda: any(_placeholders(old) != _placeholders(new) for old, new in pairs),
        "numbers": lambda: not all(_has_same_numbers(old, new) for old, new in pairs),
        "lines": lambda: any(old.count("\n") != new.count("\n") for old, new in pairs),
        "question": lambda: any(_asks_otherwise(old, new) or _asks_otherwise(new, old) for old, new in pairs),
        "extra": lambda: _adds(*whole) or any(_goes_on(old, new) for old, new in pairs),
    }
    return next((reason for reason, holds in checks.items() if holds()), "")


def _has_words(text: str) -> bool:
    return _WORDY.search(text) is not None


def _amount(text: str) -> float:
    """The letters of `text`, in letters of an alphabet."""
    counts = letters(text)
    return sum(weight(counts, script) * (ARABIC_WEIGHT if script == "ARABIC" else 1) for script in counts)


def _key(sentence: str) -> str:
    """What `sentence` is compared by: no case, accents or signs."""
    return " ".join(_WORDY.findall(unicodedata.normalize("NFKD", sentence).casefold()))


def _copied_share(source: str, translated: str, before: str, after: str) -> float:
    """The share of the letters of `source` that stand in sentences that are to change and did not, in [0, 1]."""
    kept = {_key(sentence) for sentence in sentences(translated)}
    copied = sum(
        _amount(prose(sentence))
        for sentence in sentences(source)
        if _key(sentence) in kept and _is_to_change(sentence, before, after)
    )
    return copied / max(1.0, _amount(prose(source)))


def _is_to_change(sentence: str, before: str, after: str) -> bool:
    """Whether `sentence` is more than names, titles, code and numbers, and in `before`, as far as can be told."""
    plain = prose(sentence)
    script = main_script(letters(plain))
    if script != script_of(before):
        return False
    if plain.lower() == plain.upper():
        # a script without capitals shows no names; they stay as they are only where both languages are written in it
        return script != script_of(after) or _amount(plain) >= MIN_LETTERS
    words = _WORD.findall(plain)
    small = [word for word in words if word.islower() and len(word) > 1 and not _PARTICLE.fullmatch(word)]
    if before in _FUNCTION_WORDS:
        return bool(small) and bool(_FUNCTION_WORDS[before].search(plain))
    return len(small) >= _MIN_PLAIN_WORDS


def _is_elsewhere(pairs: Sequence[tuple[str, str]], before: str, after: str) -> bool:
    """Whether the whole, or a text that is long enough to tell, is in another language than `after`."""
    rests = [_without_kept(old, new, before, after) for old, new in pairs]
    if _is_other("\n".join(rests), before, after) or any(_is_mixed(rest, after) for rest in rests):
        return True
    least = SURE_LETTERS if script_of(before) == script_of(after) else 0
    return any(_amount(rest) >= least and _is_other(rest, before, after) for rest in rests)


def _is_mixed(text: str, after: str) -> bool:
    num_own, num_told = in_language(text, after)
    return num_told > 1 and num_told - num_own > MAX_COPIED * num_told


def _without_kept(old: str, new: str, before: str, after: str) -> str:
    """The sentences of `new` without those of `old` that may stay, which say nothing about the language around."""
    stays = {_key(sentence) for sentence in sentences(old) if not _is_to_change(sentence, before, after)}
    return "\n".join(sentence for sentence in sentences(new) if _key(sentence) not in stays)


def _is_other(text: str, before: str, after: str) -> bool:
    candidates = candidates_with(after) if _amount(text) >= OPEN_LETTERS else (after, before, "en")
    found = identify(text, candidates)
    if after not in candidates_with(after) or found in (after, UNDETERMINED):
        return False
    scores = log_odds(prose(text), (found, after)) if script_of(found) == script_of(after) else {}
    return len(scores) < 2 or scores[found] - scores[after] >= LANGUAGE_MARGIN


def _is_out_of_length(pairs: Sequence[tuple[str, str]]) -> bool:
    amounts = [(_amount(old), _amount(new)) for old, new in pairs]
    whole = (sum(old for old, _ in amounts), sum(new for _, new in amounts))
    ratios = WHOLE_RATIOS if whole[0] >= MIN_WHOLE_LETTERS else TEXT_RATIOS
    return _is_outside(*whole, ratios) or any(_is_outside(*each, TEXT_RATIOS) for each in amounts)


def _is_outside(old: float, new: float, ratios: tuple[float, float]) -> bool:
    low, high = ratios
    return new > high * max(old, MIN_LETTERS) or (old >= MIN_LETTERS and new < low * (old - SLACK_LETTERS))


def _placeholders(text: str) -> Counter[str]:
    """What a translation leaves as it is; white space in it, and how long a blank is drawn, make no difference."""
    found = ("".join(match[0].split()) for match in _PLACEHOLDER.finditer(text))
    return Counter("__" if each.startswith("__") else ascii_digits(each) for each in found)


def _has_same_numbers(old: str, new: str) -> bool:
    """Whether the numbers in digits are the same; one of them may be a Roman numeral in one of the texts."""
    old, new = _in_ascii(old), _in_ascii(new)
    # what is one number with grouping marks may as well be a list without spaces, which a translator spreads out
    if Counter(re.findall(r"\d+", old)) == Counter(re.findall(r"\d+", new)):
        return True
    ours, theirs = _numbers(old), _numbers(new)
    return not (ours - theirs) - _romans(new) and not (theirs - ours) - _romans(old)


def _in_ascii(text: str) -> str:
    """`text` with decimal digits only, in ASCII; raised, lowered and circled ones are numbers of their own."""
    plain = (f" {unicodedata.digit(char)}" if char.isdigit() and not char.isdecimal() else char for char in text)
    return ascii_digits("".join(plain))


def _numbers(plain: str) -> Counter[str]:
    """The digits of every number without marks; zeros before a whole number, as in dates, make no difference."""
    joined = _GROUPED.sub(lambda match: re.sub(r"\s", "", match[0]), plain)
    found = []
    for number in _NUMBER.findall(joined):
        digits = re.sub(r"\D", "", number)
        found.append(digits.lstrip("0") or "0" if number.isdigit() else "0" * (not number[0].isdigit()) + digits)
    return Counter(found)


def _romans(text: str) -> Counter[str]:
    return Counter(str(_roman_value(numeral)) for numeral in _ROMAN.findall(text))


def _roman_value(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))


def _asks_otherwise(one: str, other: str) -> bool:
    """Whether `one` ends in a question and there is none in `other`."""
    return one.rstrip(_CLOSING).endswith(("?", "؟", "？")) and not _QUESTION.search(other)


def _goes_on(old: str, new: str) -> bool:
    """Whether something stands in `new` after what `old` ends with, or in place of nothing, or a refusal does."""
    end = old.rstrip()
    if not end:
        return bool(new.strip())
    if end.endswith(("?", "؟", "？")) and not new.rstrip(_CLOSING).endswith(("?", "؟", "？")):
        return True
    if end.endswith(_COLONS) and not new.rstrip(_CLOSING).endswith(_COLONS):
        return True
    if is_refusal(new) and not is_refusal(old):
        return True
    if len(sentences(old)) > 1 or _amount(old) >= FEW_LETTERS:
        return False
    return len(sentences(new)) > 1 + len(_COMMA.findall(old))


def _adds(source: str, translated: str) -> bool:
    """Whether `translated` has more fences, speakers, answers, notes or announcements than `source`."""
    if any(len(kind.findall(translated)) > len(kind.findall(source)) for kind in (_MACHINERY, _OF_TRANSLATING)):
        return True
    return any(
        len(_labels(_LABEL, words).findall(translated)) > len(_labels(_MENTION, words).findall(source))
        for words in _LABELS
    )


@cache
def _labels(pattern: str, words: str) -> re.Pattern[str]:
    return re.compile(pattern.format(words), re.IGNORECASE | re.MULTILINE)
