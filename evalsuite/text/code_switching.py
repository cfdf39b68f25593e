"""How many sentences of an answer are in the language that was asked for.

A classifier is often wrong about one short sentence, so the language asked for has a head start. Names, terms and
quotations inside a sentence do not make it foreign.
"""

from __future__ import annotations

import re

from evalsuite.text.languages import (
    CANDIDATES,
    LATIN,
    MAX_CHARS,
    MIN_LETTERS,
    ROMANISED_HINDI,
    UNDETERMINED,
    candidates_with,
    code_of,
    identify,
    letters,
    log_odds,
    main_script,
    says_enough,
    script_of,
    weight,
    words_of,
)
from evalsuite.text.romanised_hindi import is_romanised_hindi, may_be_romanised_hindi
from evalsuite.text.sentences import sentences

MARGIN = 1.0
"""How much more py3langid must be for another language, in the unit of `log_odds`.

Of quarters of FLORES-200 sentences, some thirty characters, 1.2 % are called foreign without it and 0.05 % with it, at
the price of one foreign quarter in four hundred. Twice as much saves little more and loses more.
"""
MIN_OWN_SHARE = 0.25
"""The share of a sentence's letters in the expected script from which on the rest is names, terms and quotations."""
MIN_LEAD = 2.0
"""How much more py3langid must be for a language than for the next where Hindi in Latin letters is expected."""
MIN_SMALL_WORDS = 3
"""The words without a capital that a foreign sentence in Latin letters has; with fewer it may be a name or a title."""

_WORD = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile(
    r"“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»|‹[^‹›]*›|「[^「」]*」|『[^『』]*』|《[^《》]*》|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)"
    r"|‘[^‘’]*’(?!\w)|\*[^*]+\*|(?<!\w)_[^_]+_(?!\w)|\([^()]*\)|（[^（）]*）"
)


def in_language(text: str, wanted: str) -> tuple[int, int]:
    """How many sentences of `text` are in `wanted`, a BCP-47 tag, and how many are in a language that can be told.

    No more than the first `MAX_CHARS` characters are read.
    """
    code = code_of(wanted)
    found = [_language_of(sentence, code) for sentence in sentences(text[:MAX_CHARS])]
    return found.count(code), len(found) - found.count(UNDETERMINED)


def _language_of(sentence: str, expected: str) -> str:
    """The language of one sentence: `expected`, unless another is clearly that of all but its names and quotations."""
    plain = words_of(sentence)
    script = script_of(expected)
    if not _is_written_in(plain, script):
        return _in_another_script(plain)
    if not says_enough(letters(plain), script):
        return UNDETERMINED
    if script == LATIN and (expected == ROMANISED_HINDI or is_romanised_hindi(plain)):
        return _hindi_or_not(plain)
    return _against(plain, expected, script)


def _is_written_in(plain: str, script: str) -> bool:
    """Whether enough of `plain` is written in `script`, of what is not quoted if anything is not."""
    counts = letters(_QUOTED.sub(" ", plain)) or letters(plain)
    return weight(counts, script) > MIN_OWN_SHARE * sum(weight(counts, each) for each in counts)


def _against(plain: str, expected: str, script: str) -> str:
    """`expected`, or the language of its script that leads by `MARGIN` and not by names and quotations alone."""
    scores = log_odds(plain, [code for code in candidates_with(expected) if script_of(code) == script])
    if expected not in scores:
        return identify(plain)
    best = max(scores, key=scores.__getitem__)
    if scores[best] - scores[expected] < MARGIN:
        return expected
    frame = log_odds(_frame(plain), (best, expected))
    if frame and frame[expected] > frame[best]:
        return expected
    return best if script != LATIN or _is_sentence(plain) else UNDETERMINED


def _frame(plain: str) -> str:
    """`plain` without quotations and without words that begin with a capital, unless all of them do."""
    unquoted = _QUOTED.sub(" ", plain)
    return unquoted if unquoted.isupper() else _WORD.sub(lambda word: "" if word[0][0].isupper() else word[0], unquoted)


def _in_another_script(plain: str) -> str:
    """The language of a sentence in a script that is not the expected one's; a few words in it may be names."""
    counts = letters(plain)
    script = main_script(counts)
    if weight(counts, script) < MIN_LETTERS or (script == LATIN and not _is_sentence(plain)):
        return UNDETERMINED
    return identify(plain)


def _hindi_or_not(plain: str) -> str:
    """The language of a sentence in Latin letters that may be Hindi, for which py3langid knows no score.

    It is fond of some language or other for every text, so another one must lead all the rest.
    """
    if may_be_romanised_hindi(plain):
        return ROMANISED_HINDI
    scores = log_odds(plain, [code for code in CANDIDATES if script_of(code) == LATIN])
    best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2] if scores else ("", "")
    is_clear = bool(scores) and scores[best] - scores[second] >= MIN_LEAD
    return best if is_clear and _is_sentence(plain) else UNDETERMINED


def _is_sentence(plain: str) -> bool:
    """Whether there are enough words without a capital in Latin letters for more than a name; all capitals count."""
    words: list[str] = _WORD.findall(plain.lower() if plain.isupper() else plain)
    return sum(word[0].islower() for word in words) >= MIN_SMALL_WORDS
