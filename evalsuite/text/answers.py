"""What a text ends up answering: a number, one of several choices, or the expression in its last box.

An answer stands in the last ``\\boxed{}``; else after the last words that announce one ("the answer is"); else it is
what the text says last. A refusal has none unless it is boxed. Of long texts only the end is searched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from evalsuite.text.announced import MAX_CHARS, PLAIN_WIDTH, announced_line, last_box
from evalsuite.text.choices import answer_choice as answer_choice
from evalsuite.text.numbers import Number, find_numbers
from evalsuite.text.packs import ENGLISH, LanguagePack, pack
from evalsuite.text.refusals import is_refusal
from evalsuite.text.thinking import without_thinking

_EQUALS = re.compile("[=＝]")
_OPERATOR = re.compile(r"\s*[-+−*×·÷/x]\s*")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_LATEX = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox)\s?\{([^{}]{0,40})\}")
_LATEX_UNIT = re.compile(r"\^\s?\{?\\circ\}?|\\(?:,|;|:|!| |quad|degree|%|\$)|\{,\}|\$")
_UNITS = re.compile(r"[\s.。।%٪°€£¥₹$/·²³]*(?:[^\W\d_][^\W\d_\u0300-\u036f]*[\s.。।²³/·]*){0,5}\Z")


def answer_number(text: str, language: str) -> Number | None:
    """The number that `text` ends up answering in `language` (BCP-47), at its place in `text`; None without one.

    The last box decides, alone: where it holds anything but one number and its unit there is none. Else it is the first
    number after the last answer cue on its line (the next line, where the cue ends its own), and where that line has an
    equation, what its last equals sign gives, if that is no calculation again. A bare label ("Answer:") announces the
    number that stands next to it, or the only one that follows: a worked solution may come under such a label. Else it
    is the last number of the text.
    """
    plain = without_thinking(text)
    skipped = len(text) - min(len(plain), MAX_CHARS)
    found = _number(text[skipped:], language, pack(language))
    return found and replace(found, start=found.start + skipped, end=found.end + skipped)


def _number(text: str, language: str, habits: LanguagePack) -> Number | None:
    if span := last_box(text):
        return _boxed_number(text, span, language)
    if is_refusal(text):
        return None
    cues = list(_cues(habits.number_cue).finditer(text.translate(PLAIN_WIDTH)))
    if (
        cues
        and (found := _announced_number(text, cues[-1].end(), language))
        and _is_meant(text, cues[-1], found, habits)
    ):
        return found
    if found := _lone_number(text, language):
        return found
    numbers = find_numbers(text, language)
    return numbers[-1] if numbers else None


def _is_meant(text: str, cue: re.Match[str], number: Number, habits: LanguagePack) -> bool:
    """Whether a cue announces `number`: a bare label only where it stands next, or is the only one that follows."""
    is_bare = habits.is_cue_bare and not cue[0].isascii()
    if not is_bare and not cue[0].rstrip(" *_\n\t").endswith(":"):
        return True
    between = re.sub(rf"\b(?:{habits.copula})\b", "", text[cue.end() : number.start])
    return not _LETTERS.search(between) or len(find_numbers(text[cue.end() :], habits.language)) == 1


@cache
def _cues(own: str) -> re.Pattern[str]:
    return re.compile(f"{own}|{ENGLISH.number_cue}", re.IGNORECASE)


def _announced_number(text: str, start: int, language: str) -> Number | None:
    """The number that the line from `start`, or the line after it, gives."""
    start, end = announced_line(text, start)
    equals = [match.end() for match in _EQUALS.finditer(text, start, end)]
    for begin in (*equals[-1:], start):
        numbers = find_numbers(text[begin:end], language, is_answer=True)
        if numbers and (begin == start or not _is_sum(text[begin:end], numbers)):
            return _moved(numbers[0], begin)
    return None


def _is_sum(text: str, numbers: Sequence[Number]) -> bool:
    """Whether `text` begins with a calculation, as where an answer is taken apart: 12 = 3 * 4."""
    return len(numbers) > 1 and bool(_OPERATOR.fullmatch(text[numbers[0].end : numbers[1].start]))


def _lone_number(text: str, language: str) -> Number | None:
    """The number that is all of `text`, where a fraction or a numeral counts that would not within a sentence."""
    if len(text) > 100:
        return None
    numbers = find_numbers(text, language, is_answer=True)
    if len(numbers) != 1:
        return None
    (number,) = numbers
    rest = text[: number.start] + text[number.end :]
    return None if re.search(r"[^\W_]", rest) else number


def _moved(number: Number, offset: int) -> Number:
    return replace(number, start=number.start + offset, end=number.end + offset)


def answer_expression(text: str) -> str | None:
    """What the last ``\\boxed{}`` of `text` holds, stripped; None when there is no box with balanced braces."""
    span = last_box(text)
    return text[slice(*span)].strip() if span else None


def _boxed_number(text: str, span: tuple[int, int], language: str) -> Number | None:
    content = _LATEX.sub(r" \1 ", text[slice(*span)])
    content = _LATEX_UNIT.sub(lambda match: {"{,}": ",", r"\!": ""}.get(match[0], " "), content)
    numbers = find_numbers(content, language, is_answer=True)
    if len(numbers) != 1:
        return None
    (number,) = numbers
    before, after = content[: number.start].strip(" \n€£¥₹"), content[number.end :]
    if before.lower() not in ("", "rs", "rs.", "usd", "us") or not _is_unit(after):
        return None
    return replace(number, start=span[0], end=span[1])


def _is_unit(after: str) -> bool:
    """Whether what follows a number is its unit: words, not a variable (``5x``) or an operation."""
    return bool(_UNITS.match(after)) and not re.match(r"[a-fh-lnp-rt-z]\b(?!/)", after)
