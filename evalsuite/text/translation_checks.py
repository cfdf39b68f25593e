"""Whether a machine's translation of a task's prompts may stand: read strictly, then compared with its source.

A model that is asked to translate a prompt may obey or answer it instead, stop half-way or add something of its own.
What tells is what a translation keeps: numbers, placeholders, lines, question marks, slots for an answer, the amount of
text, and that the language changes. The rules and the word lists are ours. An obedient reply of the right length in the
right language, to a short prompt without any of these, cannot be told from a translation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from evalsuite.text.added_parts import adds
from evalsuite.text.code_switching import in_language
from evalsuite.text.kept_parts import has_same_numbers, placeholders
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
from evalsuite.text.refusals import is_refusal
from evalsuite.text.sentences import prose, sentences
from evalsuite.text.translation_reply import Texts, texts_in

MAX_COPIED = 1 / 3
"""The share of the letters of the whole that may stand in sentences that stayed as they were."""
MAX_FOREIGN = 0.3
"""The share of a text's letters that sentences taken for another language may hold; a short one is so at times."""
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
_QUOTING = re.compile('[:：«»“”"\n]')
_COMMA = re.compile("[,;:،؛，；：]")
_COLONS = (":", "：", "﹕", "ः")
_CLOSING = " \t\r\n\u00a0\u202f\"'”’»›)）]】」』*_`"

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


def refusal_of(source: Texts, translated: Texts, *, source_language: str, target_language: str) -> str:
    """Why `translated` is no translation of `source`; empty when it is accepted.

    The reasons, of which the first that holds is given: ``empty``, ``merged`` (two texts became one), ``copied``,
    ``wrong_language``, ``length``, ``placeholders``, ``numbers``, ``lines``, ``question``, ``extra``. Languages are
    BCP-47 tags. Raises `ValueError` when the two do not hold as many texts under the same keys.
    """
    if source.keys() != translated.keys():
        raise ValueError("a translation has the keys of its source")
    pairs = [
        pair
        for key in source
        for pair in zip(texts_in({key: source[key]}), texts_in({key: translated[key]}), strict=True)
    ]
    before, after = code_of(source_language), code_of(target_language)
    fields = [("\n".join(texts_in({key: source[key]})), "\n".join(texts_in({key: translated[key]}))) for key in source]
    whole = ("\n".join(text for text, _ in pairs), "\n".join(text for _, text in pairs))
    checks: dict[str, Callable[[], bool]] = {
        "empty": lambda: any(_has_words(old) and not _has_words(new) for old, new in pairs),
        "merged": lambda: len({new for _, new in pairs}) < len({old for old, _ in pairs}),
        "copied": lambda: any(_copied_share(old, new, before, after) > MAX_COPIED for old, new in (whole, *fields)),
        "wrong_language": lambda: _is_elsewhere(pairs, before, after),
        "length": lambda: _is_out_of_length(pairs),
        "placeholders": lambda: any(placeholders(old) != placeholders(new) for old, new in pairs),
        "numbers": lambda: not all(has_same_numbers(old, new) for old, new in pairs),
        "lines": lambda: any(old.count("\n") != new.count("\n") for old, new in pairs),
        "question": lambda: any(_asks_otherwise(old, new) or _asks_otherwise(new, old) for old, new in pairs),
        "extra": lambda: adds(*whole) or any(_goes_on(old, new) for old, new in pairs),
    }
    return next((reason for reason, holds in checks.items() if holds()), "")


def _has_words(text: str) -> bool:
    return _WORDY.search(text) is not None


def _amount(text: str) -> float:
    """The letters of `text`, in letters of an alphabet."""
    counts = letters(text)
    return sum(weight(counts, script) * (ARABIC_WEIGHT if script == "ARABIC" else 1) for script in counts)


def _segments(text: str) -> list[str]:
    """The sentences of `text`, parted where something is announced or quoted in them."""
    return [part for sentence in sentences(text) for part in _QUOTING.split(sentence) if _has_words(part)]


def _key(sentence: str) -> str:
    """What `sentence` is compared by: no case, accents or signs."""
    return " ".join(_WORDY.findall(unicodedata.normalize("NFKD", sentence).casefold()))


def _copied_share(source: str, translated: str, before: str, after: str) -> float:
    """The share of the letters of `source` that stand in sentences that are to change and did not, in [0, 1]."""
    kept = {_key(segment) for segment in _segments(translated)}
    copied = sum(
        _amount(prose(segment))
        for segment in _segments(source)
        if _key(segment) in kept and _is_to_change(segment, before, after)
    )
    return copied / max(1.0, _amount(prose(source)))


def _is_to_change(segment: str, before: str, after: str) -> bool:
    """Whether `segment` is more than names, titles, code and numbers, and in `before`, as far as can be told."""
    plain = prose(segment)
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
    """Whether too much of `text` stands in sentences, one a line, that are clearly not in `after`."""
    foreign = (segment for segment in text.split("\n") if in_language(segment, after) == (0, 1))
    return "\n" in text and sum(map(_amount, foreign)) > MAX_FOREIGN * _amount(text)


def _without_kept(old: str, new: str, before: str, after: str) -> str:
    """The segments of `new` without those of `old` that may stay, which say nothing about the language around."""
    stays = {_key(segment) for segment in _segments(old) if not _is_to_change(segment, before, after)}
    return "\n".join(segment for segment in _segments(new) if _key(segment) not in stays)


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
