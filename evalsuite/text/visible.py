"""Untrusted words made safe to look at: what cannot be seen is spelt out. Pure."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset("\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\ufeff\ufff9\ufffa\ufffb")


def visible(text: str) -> str:
    """`text` with controls, bidirectional overrides, lone surrogates and unseen characters spelt out as ⟨U+202E⟩.

    Joiners stay, since Hindi, Arabic and emoji need them, and so do line ends and tabs.
    """
    return "".join(f"⟨U+{ord(char):04X}⟩" if _is_unseen(char) else char for char in text)


def visible_line(text: str, most: int | None = 400) -> str:
    """`text` on one line, as `visible` shows it, line ends and tabs spelt out too; of `most` characters at most, or
    all of them with None.
    """
    cut = text if most is None or len(text) <= most else text[: most - 1] + "…"
    return "".join(f"⟨U+{ord(char):04X}⟩" if char in "\n\t" else char for char in visible(cut))


def _is_unseen(char: str) -> bool:
    if char in "\n\t":
        return False
    category = unicodedata.category(char)
    return (
        category in ("Cc", "Cs")
        or char in _UNSEEN
        or "\u202a" <= char <= "\u202e"
        or "\u2060" <= char <= "\u206f"
        or "\U000e0000" <= char <= "\U000e007f"
    )
