"""The answer in a text that begins with the model's thinking."""

from __future__ import annotations

import re

_OPEN = re.compile(r"\s*<think>")
_CLOSE = "</think>"


def without_thinking(text: str) -> str:
    """`text` after the ``<think>...</think>`` blocks it begins with; all of it when it begins with none.

    Templates that open the block in the prompt leave only its end in the answer, so an end without a beginning closes
    one. A block that never ends (the cap fell inside it) leaves nothing, and the white space after a block goes with
    it. Tags further on are the answer's own.
    """
    end = text.find(_CLOSE)
    if end < 0:
        return "" if _OPEN.match(text) else text
    start = text.find("<think>")
    place = end + len(_CLOSE) if not 0 <= start < end else 0
    while block := _OPEN.match(text, place):
        end = text.find(_CLOSE, block.end())
        if end < 0:
            return ""
        place = end + len(_CLOSE)
    return text[place:].lstrip() if place else text
