"""Reading the verdict of our own judges: the last ``[[...]]`` decides, unless it may be a quotation.

An answer under judgement may contain verdicts, and a judge may repeat them. So there are two rules. Where nothing that
was shown contains a marker, the judge cannot have copied one, and the last marker decides wherever it stands in its
line. Where something shown does contain one, or the reply was cut off, only a marker that makes up the last line by
itself is a verdict. Everything here is linear in the length of the texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from evalsuite.text.numbers import ascii_digits
from evalsuite.types import Completion
from evalsuite.verdicts import Preferred, Rated, Unparsed, Winner

LOW, HIGH = 1, 10
"""The scale of ratings."""

_MARKER = re.compile(r"\[\[([^\[\]\n]{0,24})\]\]")
_PREFERENCES = {"A": Winner.A, "B": Winner.B, "C": Winner.TIE}
_INVISIBLE = (0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
"""Characters without a shape: soft hyphen, joiners, and the marks, embeddings and isolates that Arabic may need."""
_PLAIN = dict.fromkeys(_INVISIBLE, "") | {ord(wide): narrow for wide, narrow in zip("［］", "[]", strict=True)}
_DECORATION = " \t\u00a0\u3000*_`#.。।۔"
_RATING_NUMBER = re.compile(r"\[\[\s*(\d{1,2})\s*\]\]")


def preference(reply: Completion, shown: Sequence[str], token: str) -> Preferred | Unparsed:
    """The preference that a reply ends with: ``[[A]]``, ``[[B]]``, or ``[[C]]`` for neither.

    `shown` is every text of the case, and `token` that of the fences around them.
    """
    content = deciding_marker(reply, shown, token)
    if isinstance(content, Unparsed):
        return content
    if content not in _PREFERENCES:
        return Unparsed(reason=f"the last marker is [[{content}]], not [[A]], [[B]] or [[C]]")
    return Preferred(winner=_PREFERENCES[content])


def rating(reply: Completion, shown: Sequence[str], token: str) -> Rated | Unparsed:
    """The rating that a reply ends with: a whole number of the scale, in the digits of any script, as ``[[7]]``."""
    content = deciding_marker(reply, shown, token)
    if isinstance(content, Unparsed):
        return content
    digits = ascii_digits(content)
    if not re.fullmatch(r"[0-9]{1,2}", digits) or not LOW <= int(digits) <= HIGH:
        return Unparsed(reason=f"the last marker is [[{content}]], not a whole number from {LOW} to {HIGH}")
    return Rated(value=float(digits))


def deciding_marker(reply: Completion, shown: Sequence[str], token: str) -> str | Unparsed:
    """What stands in the marker that decides, in capitals; see the module's text for which one does."""
    if reply.stop_reason == "refusal":
        return Unparsed(reason="the judge declined")
    text = _plain(_own_words(reply.text, token))
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return Unparsed(reason="the reply is empty")
    if reply.stop_reason == "length":
        return _only_marker(lines[-1], "the reply was cut off and its last line is no verdict")
    if any(_MARKER.search(_plain(one)) for one in shown):
        return _only_marker(lines[-1], "an answer contains markers and the reply's last line is no verdict")
    return _last_marker(lines)


def _only_marker(line: str, reason: str) -> str | Unparsed:
    found = _MARKER.fullmatch(line.strip(_DECORATION))
    return _content(found[1]) if found else Unparsed(reason=reason)


def _last_marker(lines: Sequence[str]) -> str | Unparsed:
    for line in reversed(lines):
        contents = {_content(content) for content in _MARKER.findall(line)}
        if len(contents) == 1:
            return contents.pop()
        if contents:
            return Unparsed(reason="the last line with a marker holds different ones")
    return Unparsed(reason="the reply holds no marker")


def _content(marked: str) -> str:
    return marked.strip(_DECORATION).translate(_WIDE_LETTERS).upper()


_WIDE_LETTERS = {ord(wide): narrow for wide, narrow in zip("ＡＢＣａｂｃ", "ABCABC", strict=True)}


def _plain(text: str) -> str:
    return text.translate(_PLAIN)


def _own_words(text: str, token: str) -> str:
    """`text` without the judge's thinking and without what it repeats between our fences."""
    spoken = text.rpartition("</think>")[2].partition("<think>")[0]
    if token not in spoken:
        return spoken
    return re.sub(rf"<(\w{{1,20}})_{token}>.*?(?:</\1_{token}>|\Z)", "\n", spoken, flags=re.DOTALL)


def last_rating_span(text: str) -> tuple[int, int] | None:
    """Where the number of the last ``[[n]]`` stands, if there is one."""
    found = list(_RATING_NUMBER.finditer(text))
    return found[-1].span(1) if found else None
