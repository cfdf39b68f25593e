"""Where in a text its answer is announced: the last box, and the line that a cue begins."""

from __future__ import annotations

import re

MAX_CHARS = 40_000
"""The end of a longer text is all that is searched for numbers and answers."""

PLAIN_WIDTH = {
    char + 0xFEE0: char for char in range(0x21, 0x7F) if chr(char) not in ",.-" and not chr(char).isdecimal()
}
"""For `str.translate`: marks and letters of full width, but for those that say something about numbers."""

_BRACE = re.compile(r"\\[{}\\]|(\\boxed\s?)?\{|\}")
_NOTHING = re.compile(r"[\s*_#:：=$>`\"'“”「」-]*+")
_BLANK = re.compile(r"\s*+")


def last_box(text: str) -> tuple[int, int] | None:
    """Start and end of what is in the ``\\boxed{}`` that opens last among those that are closed."""
    opened: list[int | None] = []
    closed: list[tuple[int, int]] = []
    for match in _BRACE.finditer(text):
        if match[0] == "}":
            start = opened.pop() if opened else None
            if start is not None:
                closed.append((start, match.start()))
        elif not match[0].startswith("\\") or match[1]:
            opened.append(match.end() if match[1] else None)
    return max(closed, default=None)


def announced_line(text: str, start: int) -> tuple[int, int]:
    """Where what is announced at `start` begins and ends: on its line, or on the next with text if nothing follows."""
    end = _line_end(text, start)
    if _NOTHING.fullmatch(text, start, end):
        blank = _BLANK.match(text, end)
        start = blank.end() if blank else end
        end = _line_end(text, start)
    return start, end


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
