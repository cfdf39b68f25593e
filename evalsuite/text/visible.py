"""Untrusted words made safe to look at: what cannot be seen is spelt out, or on a terminal replaced. Pure."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset("\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\ufeff\ufff9\ufffa\ufffb")
_LINE_ENDS = "\n\t"
_MARKS = "\u200c\u200d\u200e\u200f"
"""Joiners and marks of direction, which scripts are written with."""


def visible(text: str) -> str:
    """`text` with controls, bidirectional overrides, lone surrogates, unseen characters and those that are none spelt
    out as ⟨U+202E⟩.

    Joiners stay, since Hindi, Arabic and emoji need them, and so do line ends and tabs. What comes out may stand in
    XML, escaped as XML asks.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelt(char) if _is_unseen(char) else char for char in text)


def visible_line(text: str, most: int | None = 400) -> str:
    """`text` on one line, as `visible` shows it, line ends and tabs spelt out too; of `most` characters at most.

    With `most` None nothing is cut.
    """
    cut = text if most is None or len(text) <= most else text[: most - 1] + "…"
    return "".join(_spelt(char) if char in _LINE_ENDS else char for char in visible(cut))


def printable(text: str) -> str:
    """`text` for a terminal, each control character, which could rewrite it, replaced by one that says so.

    Unlike `visible` it keeps spaces, joiners and marks of direction of all scripts, so that prompts print as written.
    """
    return "".join(char if _is_shown(char) else "\N{REPLACEMENT CHARACTER}" for char in text)


def _spelt(char: str) -> str:
    return f"⟨U+{ord(char):04X}⟩"


def _is_shown(char: str) -> bool:
    return char.isprintable() or char in _LINE_ENDS or char in _MARKS or unicodedata.category(char) == "Zs"


def _is_unseen(char: str) -> bool:
    if char in _LINE_ENDS:
        return False
    category = unicodedata.category(char)
    return (
        category in ("Cc", "Cs")
        or char in _UNSEEN
        or "\u202a" <= char <= "\u202e"
        or "\u2060" <= char <= "\u206f"
        or "\U000e0000" <= char <= "\U000e007f"
        or ord(char) & 0xFFFE == 0xFFFE  # no characters at all, such as U+FFFF, which XML forbids
        or "\ufdd0" <= char <= "\ufdef"
    )
