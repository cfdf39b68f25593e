"""The prose of an answer, and the sentences in it; what marks the end of one in the scripts of the six languages.

The rules and the abbreviations are ours. They leave two sentences together sooner than they cut one in two, since
half a sentence says less than two of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_CODE_LINE = 300
"""A longer line is prose, whatever signs stand in it."""

# Every alternative ends where its own opening sign comes again, so that hostile text is read once.
_MASKED = re.compile(
    r"```.*?(?:```|\Z)"
    r"|^ {0,3}~~~.*?(?:^ {0,3}~~~|\Z)"
    r"|`[^`\n]*`"
    r"|\$\$[^$]*\$\$"
    # a price is no formula: its dollar is followed by a digit and closed by none, or by one after a space
    r"|(?<![\\$])\$(?=[^\s$])[^$\n]*(?<=[^\s\\$])\$(?![\d$])"
    r"|\\\((?>(?:[^\\]|\\[^()])*)\\\)"
    r"|\\\[(?>(?:[^\\]|\\[^\[\]])*)\\\]"
    r"|\\[A-Za-z]+"
    # only ASCII, because Chinese goes on after an address without a space; the last sign may be the sentence's own
    r"|(?:https?://|ftp://|www\.)[!-~]*[\w/#=&~-](?<=[!-~])"
    r"|(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
    r"|</?[A-Za-z][^<>\n]*>",
    re.DOTALL | re.MULTILINE,
)
_CODE_LINE = re.compile(
    rf"^(?=.{{1,{MAX_CODE_LINE}}}$)(?:"
    r"[ \t]*(?:import [\w.]+(?: as \w+)?(?:, ?[\w.]+)*;?|from [\w.]+ import .+|#include\b.*|using namespace .*)"
    r"|[ \t]*(?:async )?(?:def|function|func|fn) \w+ ?\(.*"
    r"|[ \t]*(?:public |private |export |abstract )*class \w+ ?(?:\([^)]*\) ?)?(?::|\{)"
    r"|[ \t]*(?:var|let|const|int|float|double|char|auto) \w+ ?(?:=.*|;)"
    r"|[ \t]*[A-Za-z_][\w.\[\]'\"]* ?[-+*/|&]?= ?[^\s=].*"
    r"|[ \t]*[\w.]+\([^()]*\);?"
    r"|.*\) ?\{"
    r"|[ \t]*[{}()\[\]]+[;,]?"
    r"|(?: {4,}|\t)[ \t]*(?:return\b.*|(?:if|elif|else|for|while|try|except|with)\b.*:|[\w.]+\(.*\);?|(?://|#).*|.*;)"
    r")[ \t]*$",
    re.MULTILINE,
)
_NO_NEWLINE = re.compile(r"[^\n]+")

_HARD = frozenset("。！？؟۔।॥|")
"""Signs that end a sentence wherever they stand; the others need a space, or a Chinese character, behind them."""
_SIGNS = "[.!?…。！？؟۔।॥]"
_CLOSING = "(?:[\"'”“’»«›)\\]】」』〉》）*_]|[ \u00a0\u2009\u202f][”»])"
# a bar after Devanagari is a danda typed on another keyboard, and spaced signs are one ellipsis
_STOP = re.compile(
    rf"\n\s*|{_SIGNS}+(?>(?:[ \t]+{_SIGNS}+)*)(?>{_CLOSING}*){_SIGNS}*"
    r"|(?<=[\u0900-\u097f])\||(?<=[\u0900-\u097f] )\|"
)
_WORDY = re.compile(r"[^\W_]")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff“「『《（]")
_LEAD = re.compile(r"[ \t]*(?:(?:[-–—*•‣◦▪·+>]|#{1,6}|\(?\d{1,4}[.)]|\(?[A-Za-z]\))[ \t]+|\d{1,4}[、．][ \t]*)*")
_NUMBERING = re.compile(r"[\s*_(\[]*(?:\d{1,4}|[A-Za-z]|[ivxIVX]{1,4})")
_LAST_WORD = re.compile(r"[^\s(\[{\"'“‘«–—-]*\Z")
_DOTTED = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})*")
_LONGEST_ABBREVIATION = 12

_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "jr",
        "sr",
        "vs",
        "cf",
        "ca",
        "mt",
        "gen",
        "col",
        "capt",
        "lt",
        "sgt",
        "gov",
        "sen",
        "rev",
        "hon",
        "maj",
        "mm",
        "mme",
        "mmes",
        "mlle",
        "mlles",
        "mgr",
        "ste",
        "ex",
        "env",
        "sra",
        "sres",
        "srta",
        "dra",
        "dña",
        "ud",
        "uds",
        "vd",
        "vds",
        "lic",
        "ing",
        "gral",
        "avda",
        "ej",
        "bzw",
        "nr",
        "sig",
        "dott",
        "डॉ",
        "डा",
        "प्रो",
        "पं",
    ]
)
_BEFORE_NUMBERS = frozenset(
    [
        "no",
        "nos",
        "nº",
        "núm",
        "num",
        "fig",
        "figs",
        "eq",
        "vol",
        "vols",
        "pp",
        "pág",
        "págs",
        "p",
        "ch",
        "chap",
        "cap",
        "sec",
        "art",
        "tel",
        "approx",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
    ]
)
"""What ends a sentence too, so that it is an abbreviation only where a number follows."""


def prose(text: str) -> str:
    """`text` with blanks for code, formulae, markup and addresses, every character else and every line in its place.

    Code is what stands between backticks or tildes, a fence that never closes going to the end, and lines without a
    fence that only a program holds. Formulae stand between the signs of TeX.
    """
    return _CODE_LINE.sub(_blank, _MASKED.sub(_blank, text))


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of `text`, each as it is written there but for the white space and list marks around it.

    They end at 。！？؟۔।॥, at . ! ? … before a space that no small letter follows, and at the end of a line. Periods in
    numbers, names, addresses and the commonest abbreviations end nothing, and nothing ends inside code or a formula.
    Parts of `text` that hold nothing but code, formulae or signs are left out. Time is linear in the length of `text`.
    """
    plain = prose(text)
    found = []
    for start, end in _spans(plain):
        if _WORDY.search(plain, start, end):
            found.append(text[start:end].strip())
    return tuple(found)


def _spans(plain: str) -> Iterator[tuple[int, int]]:
    start = _after_marks(plain, 0)
    for stop in _STOP.finditer(plain):
        if stop.start() < start:
            continue
        if stop[0][0] == "\n":
            yield start, stop.start()
            start = _after_marks(plain, stop.end())
        elif _ends_sentence(plain, start, stop):
            yield start, stop.end()
            start = stop.end()
    yield start, len(plain)


def _after_marks(plain: str, place: int) -> int:
    lead = _LEAD.match(plain, place)
    return lead.end() if lead else place


def _ends_sentence(plain: str, start: int, stop: re.Match[str]) -> bool:
    signs, end = stop[0], stop.end()
    if not _HARD.isdisjoint(signs):
        return True
    following = plain[end : end + 1]
    if not following.isspace():
        return bool(following and _WIDE.match(following)) and signs[0] in "!?"
    behind = _first_visible(plain, end)
    if behind.islower() and signs.strip("!?"):
        return False
    return signs[0] != "." or len(signs.rstrip(".")) > 0 or not _is_abbreviated(plain, start, stop.start(), behind)


def _first_visible(plain: str, place: int) -> str:
    """The first character from `place` on that is no space, looked for not further than a run of spaces is written."""
    return plain[place : place + _LONGEST_ABBREVIATION].lstrip()[:1]


def _is_abbreviated(plain: str, start: int, end: int, behind: str) -> bool:
    """Whether the period at `end` belongs to the word before it: an abbreviation, an initial or an item's number."""
    if end - start < _LONGEST_ABBREVIATION and _NUMBERING.fullmatch(plain, start, end):
        return True
    found = _LAST_WORD.search(plain[max(start, end - _LONGEST_ABBREVIATION) : end])
    word = found[0].casefold() if found else ""
    if word in _BEFORE_NUMBERS:
        return behind.isdigit()
    return word in _ABBREVIATIONS or bool(_DOTTED.fullmatch(word) and ("." in word or len(word) == 1))


def _blank(match: re.Match[str]) -> str:
    return _NO_NEWLINE.sub(lambda line: " " * len(line[0]), match[0])
