"""Whether a text has fallen into a loop, the usual way in which a language model's decoding goes wrong.

A loop is looked for in two ways. *At the end*: the text ends in the same passage over and over, since a model that
loops does so until it is cut off. *All over*: most of the text copies what stood before, which also finds loops with a
counter in them or with an ending of their own. The second is the share of a text that lies in n-grams it has had
before (Rae et al. 2021, arXiv 2112.11446, table A1; Welleck et al. 2020, arXiv 1908.04319, count n-grams instead of
text); the limits are ours, set so that refrains, lists, tables and code stay below them. What someone asked to have
repeated is a loop all the same.

Lengths are counted in letters: a character of a script that writes a word with one or two (Han, Kana) counts three.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MIN_TIMES = 5
"""How often a passage stands at the end of a text that ends in a loop."""
MIN_LETTERS = 120
"""The length of all these together, that of a long sentence."""
MIN_LETTERS_ALONE = 60
"""The same, where they are more than half of the text."""
MIN_SIGNS = 300
"""The same in characters for a passage without a letter: rules, empty tables and rows of zeros have their use."""
NGRAM = 8
"""Words, or characters in scripts without spaces, that make a copy when they stood together before."""
MIN_DISTINCT = 5
"""Different ones among these: a table of yes and no repeats itself without being a loop."""
MAX_COPIED = 0.65
"""The share of words that may be copies; three times the same text is just above it."""
MIN_WORDS = 40
"""The number of words below which the share of copies says nothing."""
MAX_CHARS = 100_000
"""The end of a longer text is all that is read."""

_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNSPACED = _WIDE + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0962\u0963"
_WIDE_CHAR = re.compile(f"[{_WIDE}]")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}](?:[^\W_{_UNSPACED}]|[{_MARKS}])*")
_LIST_MARK = re.compile(r"^[ \t]*(?:[-*•]|\(?\d{1,4}[.)、．：:])[ \t]*(?=\D)", re.MULTILINE)
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_SPACE = re.compile(r"\s+")


def is_repetitive(text: str) -> bool:
    """Whether `text` loops. Case, white space and the marks of list items make no difference."""
    plain = _LIST_MARK.sub("", text[-MAX_CHARS:]).rstrip().rstrip("\N{REPLACEMENT CHARACTER}").casefold()
    return _ends_in_loop(_SPACE.sub(" ", plain)) or copied_share(plain) > MAX_COPIED


def _ends_in_loop(text: str) -> bool:
    loop = text[len(text) - looping_length(text, MIN_TIMES) :]
    num_letters = _letters(loop)
    if not num_letters:
        return len(loop) >= MIN_SIGNS
    return num_letters >= MIN_LETTERS or (num_letters >= MIN_LETTERS_ALONE and 2 * num_letters > _letters(text))


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text)) + 2 * len(_WIDE_CHAR.findall(text))


def looping_length(text: str, times: int) -> int:
    """The most characters at the end of `text` that are one passage `times` times or more, the first cut off or not.

    The Z-function of the reversed text gives, for every shift, how far the text's end matches itself there (Gusfield
    1997, section 1.4): in time linear in the length of `text`.
    """
    matches = _self_matches(text[::-1])
    lengths = (shift + same for shift, same in enumerate(matches) if shift and shift + same >= times * shift)
    return max(lengths, default=0)


def _self_matches(text: str) -> list[int]:
    """For every place in `text` but the first, how many characters from there on are those that it begins with."""
    size = len(text)
    matches = [0] * size
    left = right = 0
    for place in range(1, size):
        same = min(right - place, matches[place - left]) if place < right else 0
        while place + same < size and text[same] == text[place + same]:
            same += 1
        matches[place] = same
        if place + same > right:
            left, right = place, place + same
    return matches


def copied_share(text: str) -> float:
    """The share of the words of `text` that are copies, in [0, 1]: they lie in an n-gram that began earlier too.

    Words inside code fences are not counted, and n-grams of few different words copy nothing. Below `MIN_WORDS` words
    the share is 0.
    """
    words = _WORD.findall(_CODE.sub("\n", text))
    if len(words) < MIN_WORDS:
        return 0.0
    return _num_copied(words) / len(words)


def _num_copied(words: Sequence[str]) -> int:
    seen: set[tuple[str, ...]] = set()
    num_copied = covered = 0
    for start in range(len(words) - NGRAM + 1):
        ngram = tuple(words[start : start + NGRAM])
        if ngram in seen and len(set(ngram)) >= MIN_DISTINCT:
            num_copied += start + NGRAM - max(start, covered)
            covered = start + NGRAM
        seen.add(ngram)
    return num_copied
