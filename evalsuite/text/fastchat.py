"""Verdicts in a judge's reply exactly as FastChat reads them, its oddities included.

Source: lm-sys/FastChat at 0e6d3e4, ``fastchat/llm_judge/common.py``. Patterns here give up no ground once taken, so a
megabyte of digits costs no more than a megabyte of anything else.
"""

from __future__ import annotations

import math
import re

_NUMBER = r"(\d++(?>(?:\.\d*+)?))"
_DOUBLE = re.compile(rf"\[\[{_NUMBER}\]\]")
_SINGLE = re.compile(rf"\[{_NUMBER}\]")


def rating_span(text: str) -> tuple[int, int] | None:
    """Where the rating's number stands: in the first ``[[n]]``, or without one in the first ``[n]``; None without."""
    match = _DOUBLE.search(text) or _SINGLE.search(text)
    return match.span(1) if match else None


def fastchat_rating(text: str) -> float:
    """The rating that FastChat's ``run_judge_single`` stores, unbounded; -1.0 when there is none.

    Also -1.0 where FastChat breaks off instead: a whole number with a leading zero (``[[05]]``), digits that are not
    ASCII, and numbers too large for a float.
    """
    span = rating_span(text)
    number = _python_number(text[slice(*span)]) if span else None
    return -1.0 if number is None else number


def _python_number(digits: str) -> float | None:
    """What `digits` are in Python's source; None where Python refuses them."""
    has_leading_zero = digits.startswith("0") and "." not in digits and digits.strip("0") != ""
    if has_leading_zero or not digits.isascii():
        return None
    number = float(digits)
    return number if math.isfinite(number) else None


def fastchat_winner(text: str) -> str:
    """The winner that FastChat's ``run_judge_pair`` finds: ``A``, ``B``, ``tie`` or ``error``.

    ``[[A]]`` anywhere comes before ``[[B]]``, and that before ``[[C]]``, whichever stands first or last.
    """
    for marker, winner in (("[[A]]", "A"), ("[[B]]", "B"), ("[[C]]", "tie")):
        if marker in text:
            return winner
    return "error"
