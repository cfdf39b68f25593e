"""Sizes as people write them: ``2M`` examples, ``7B`` parameters, ``0.6M``."""

from __future__ import annotations

import re

_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_SIZE = re.compile(r"[ \t]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)[ \t]*([kKmMbBgGtT]?)[ \t]*")
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def size_of(text: str) -> float | None:
    """The number `text` says, with k, M, B (or G) and T for thousand, million, thousand million and million million.

    None where it says none.
    """
    found = _SIZE.fullmatch(text)
    return float(found[1]) * _UNITS[found[2].lower()] if found else None


def size_text(size: float) -> str:
    """``2M`` for two million; whole and small numbers as they are."""
    for step, unit in _STEPS:
        if abs(size) >= step:
            return f"{size / step:.4g}{unit}"
    return f"{size:.4g}"
