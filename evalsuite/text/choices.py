"""Which of several choices a text answers with, told by the letter that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from evalsuite.text.announced import MAX_CHARS, PLAIN_WIDTH, announced_line, last_box
from evalsuite.text.numbers import ascii_digits
from evalsuite.text.packs import ENGLISH, LanguagePack, pack
from evalsuite.text.refusals import is_refusal
from evalsuite.text.thinking import without_thinking

_LATIN = "ABCDEFGHIJ"
_DIGITS = "123456789"
_MAX_CUES = 50
"""How many of the last cues are tried for one that a letter follows."""
_MAX_ANSWER = 300
"""How far behind a cue its letter is looked for."""
_BEFORE = 60
"""How far before a letter its denial is looked for."""

_WORD = "A-Za-z0-9\u00c0-\u024f\u0620-\u0669\u066e-\u06d3\u0900-\u0963"
"""What a letter that is a choice's must not stand beside."""
_HAN = "\u3400-\u9fff"
_SENTENCE_END = re.compile(r"[!?؟。！？।\n]|\.(?=\s|$)")
_EDGE = " \t\n*_$`\"'“”.,:;!?。،؛।()[]【】「」"
_WRAPPING = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s?\{([^{}]{0,40})\}")
_GAP = r"[\s*_(\[【「\"'“$]{0,6}"
_ARTICLE = re.compile(r"[Aa]\s+[a-zà-ÿ]")


_UNSEEN = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0x061C, 0xFEFF])
"""Marks of direction and of no width, which stand around letters in Arabic above all."""


@dataclass(frozen=True)
class _Habits:
    """What letters look like in a language, as patterns; the group `letter` or `digit` of each is the choice's."""

    pack: LanguagePack
    indices: dict[str, int]
    cue: re.Pattern[str]
    named: re.Pattern[str]
    lower: re.Pattern[str]
    option: re.Pattern[str]
    opening: re.Pattern[str]
    marked: re.Pattern[str]
    denied_before: re.Pattern[str]
    denied_after: re.Pattern[str]
    denied_with: re.Pattern[str]
    or_before: re.Pattern[str]
    goes_on: re.Pattern[str]
    reason: re.Pattern[str]
    name: re.Pattern[str]


@cache
def _habits(own: LanguagePack, num_choices: int) -> _Habits:
    indices = {letter: index for index, letter in enumerate(_LATIN[:num_choices])}
    indices |= {letter.lower(): index for letter, index in indices.items()}
    for index, ways in enumerate(own.letters[:num_choices]):
        indices |= dict.fromkeys(ways, index)
    upper = [letter for letter in indices if not letter.islower()]
    lower = "".join(letter for letter in indices if letter.islower())
    han = re.findall(rf"[{_HAN}]", "".join(upper))
    plain = "|".join(letter for letter in upper if letter not in han)
    letter = (
        rf"(?<![{_WORD}'’°])(?<![A-Z]\.)(?<![A-Za-z][-/])(?P<letter>{plain})(?![{_WORD}'’+#])(?!-[A-Za-z])(?!\.[A-Z]\b)"
    )
    if han:
        letter = rf"(?:{letter}|(?P<han>[{''.join(han)}])(?:(?![{_HAN}])|(?=[项選选和或与及])))"
    packs = (own, ENGLISH)

    def either_pack(field: str) -> str:
        return "|".join(dict.fromkeys(getattr(each, field) for each in packs))

    option, copula, either = either_pack("option_word"), either_pack("copula"), either_pack("either")
    filler = rf"(?:[\s*_,\"'“:=]{{0,4}}(?:{copula}|{option})(?!(?<=[a-zà-ÿ])[a-zà-ÿ])){{0,4}}"
    flags = re.IGNORECASE
    digit = rf"(?:{option}){_GAP}(?P<digit>[{_DIGITS[:num_choices]}])(?![\d.,]\d|\d)"
    return _Habits(
        pack=own,
        indices=indices,
        cue=re.compile(rf"(?:{either_pack('choice_cue')}){filler}", flags),
        named=re.compile(rf"(?i:{digit})|{letter}"),
        lower=re.compile(
            rf"(?:(?i:{filler})[\s:：=]{{0,4}}{_GAP}(?<![{_WORD}'’])(?P<letter>[{lower}])(?![{_WORD}'’-])"
            rf"|[(\[](?P<bracketed>[{lower}])[)\]])"
        ),
        option=re.compile(rf"(?i:{option}){_GAP}{letter}|(?i:{digit})"),
        opening=re.compile(
            rf"[\s*_\[【「\"“$>#-]{{0,8}}(?:[(]\s?(?P<bracketed>[{lower}])\s?[)]|[(]?{letter}"
            r"(?=[*_\s]{0,4}(?:[.):：、।。\]】]|[–—-]\s|\n|$)|[*_)\]】]{0,3}\s[–—-]))"
        ),
        marked=re.compile(
            rf"(?:\*\*|__)[\s(\[\"“]{{0,3}}{letter}(?=[)\]\"”]{{0,2}}(?:[.:)：、]|\s?(?:\*\*|__)|\s[-–—]))"
        ),
        denied_before=re.compile(rf"(?:{either_pack('deny_before')})(?:{filler})[\s*_(\[\"'“]{{0,6}}\Z", flags),
        denied_after=re.compile(rf"[\s*_)\].\"'”]{{0,4}}(?:{either_pack('deny_after')})", flags),
        denied_with=re.compile(rf"[\s*_)\]\"]{{0,4}}(?:{either}){{1,2}}[\s*_(\[\"]{{0,4}}", flags),
        or_before=re.compile(rf"(?:{letter})[\s*_)\]]{{0,4}}(?i:{either})\s?\Z"),
        goes_on=re.compile(rf"\s*(?:{either}|{copula})(?![{_WORD}])", flags),
        reason=re.compile(either_pack("reason"), flags),
        name=re.compile(rf"(?:{either_pack('name')})\s?\Z", flags),
    )


def answer_choice(text: str, language: str, num_choices: int) -> int | None:
    """The index from 0 of the choice, of `num_choices`, that `text` in `language` (BCP-47) answers with, or None.

    The last box decides if it holds a letter; else the letter behind the last cue that has one; else the one that the
    text or its last line is; else the one that the text begins with; else the only one that is bold or in brackets;
    else the only one that is called an option. Where two are named there, or the only one is denied, there is no
    answer, and a refusal has none unless it is boxed.
    """
    habits = _habits(pack(language), num_choices)
    plain = without_thinking(text).translate(_UNSEEN).strip()
    head, tail = (ascii_digits(part).translate(PLAIN_WIDTH) for part in (plain[:MAX_CHARS], plain[-MAX_CHARS:]))
    if span := last_box(tail):
        boxed = _WRAPPING.sub(r"\1", tail[slice(*span)]).strip()
        for names in (_alone(boxed, num_choices, habits), _opening(boxed, habits)):
            if names is not None:
                return _only(names)
    if is_refusal(plain):
        return None
    if (names := _announced(tail, habits)) is not None:
        return _only(names)
    last = tail.rstrip().rpartition("\n")[2]
    for names in (
        *(_alone(part, num_choices, habits) for part in (head, last)),
        _opening(head, habits),
        _marked(tail, habits),
        _optional(tail, habits),
    ):
        if names is not None:
            return _only(names)
    return None


def _only(names: set[int]) -> int | None:
    return next(iter(names)) if len(names) == 1 else None


def _choice(match: re.Match[str], habits: _Habits) -> int:
    """The choice of the one group that has matched, of letters or digits."""
    group = _group(match)
    return int(match[group]) - 1 if group == "digit" else habits.indices[match[group]]


def _group(match: re.Match[str]) -> str:
    assert match.lastgroup  # no pattern matches without a letter or a digit
    return match.lastgroup


def _before(text: str, end: int) -> str:
    return text[max(0, end - _BEFORE) : end]


def _alone(text: str, num_choices: int, habits: _Habits) -> set[int] | None:
    """The choice whose letter or number is all of `text`; None where there is more."""
    if len(text) >= 20:
        return None
    bare = text.strip(_EDGE)
    if bare in habits.indices:
        return {habits.indices[bare]}
    return {int(bare) - 1} if len(bare) == 1 and bare in _DIGITS[:num_choices] else None


def _announced(text: str, habits: _Habits) -> set[int] | None:
    """The choices named behind the last cue that has any, those denied left out; None where none of them has."""
    for cue in reversed(list(habits.cue.finditer(text))[-_MAX_CUES:]):
        start, end = announced_line(text, cue.end())
        end = min(end, start + _MAX_ANSWER)
        named = _named(text, start, _sentence_end(text, start, end, habits), habits)
        if named is not None:
            other = habits.or_before.search(_before(text, cue.start()))
            return named | {_choice(other, habits)} if other else named
    return None


def _sentence_end(text: str, start: int, end: int, habits: _Habits) -> int:
    """Where the sentence at `start` ends, or begins to give reasons."""
    ends = [end]
    for pattern in (_SENTENCE_END, habits.reason):
        if match := pattern.search(text, start, end):
            ends.append(match.start())
    return min(ends)


def _named(text: str, start: int, end: int, habits: _Habits) -> set[int] | None:
    found: dict[tuple[int, int], int] = {}
    if (lower := habits.lower.match(text, start, end)) and not _ARTICLE.match(text, lower.end() - 1):
        found[lower.span(_group(lower))] = _choice(lower, habits)
    for match in habits.named.finditer(text, start, end):
        if not (_is_article(text, match, start, end, habits) or habits.name.search(_before(text, match.start()))):
            found[match.span(_group(match))] = _choice(match, habits)
    if not found:
        return None
    kept: set[int] = set()
    denied_end: int | None = None
    for (begin, stop), choice in sorted(found.items()):
        goes_on = denied_end is not None and habits.denied_with.fullmatch(text, denied_end, begin)
        if goes_on or _is_denied(text, begin, stop, habits):
            denied_end = stop
        else:
            denied_end = None
            kept.add(choice)
    return kept


def _is_article(text: str, match: re.Match[str], start: int, end: int, habits: _Habits) -> bool:
    """Whether an ``A`` begins a sentence that goes on in small letters, and not with "or" or "is"."""
    before = text[start - 1 : match.start()]
    begins = not before[1:].strip(' \u00a0\u202f\n*_"“:') and (":" in before or "\n" in before)
    goes_on = _ARTICLE.match(text, match.start(), end) and not habits.goes_on.match(text, match.end(), end)
    return begins and bool(goes_on)


def _is_denied(text: str, begin: int, end: int, habits: _Habits) -> bool:
    before = habits.denied_before.search(_before(text, begin))
    return bool(before or habits.denied_after.match(text, end))


def _optional(text: str, habits: _Habits) -> set[int] | None:
    """The choices called "option B" or "option 2", those denied left out; None where all are."""
    found = list(habits.option.finditer(text))
    named = {_choice(match, habits) for match in found if not _is_denied(text, match.start(), match.end(), habits)}
    return named or None


def _opening(text: str, habits: _Habits) -> set[int] | None:
    """The choice that `text` begins with, all of them where it goes through them from the first; None without one."""
    first = habits.opening.match(text)
    if not first:
        return None
    choice = _choice(first, habits)
    lines = [habits.opening.match(line) for line in text.split("\n")]
    others = {_choice(match, habits) for match in lines if match}
    return {choice} if choice else {choice} | others


def _marked(text: str, habits: _Habits) -> set[int] | None:
    """The choices whose letters are bold or in brackets; None where none is."""
    bracketed = re.compile(rf"(?<![A-Za-z0-9])[(\[【]\s?\**([{re.escape(''.join(habits.indices))}]|هـ)\**\s?[)\]】]")
    found = {habits.indices[match[1]] for match in bracketed.finditer(text) if match[1] in habits.indices}
    found |= {_choice(match, habits) for match in habits.marked.finditer(text)}
    return found or None
