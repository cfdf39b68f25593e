"""What settings are called where people read them: one line, not long, and no two of an axis alike."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.canonical import content_hash
from evalsuite.text.visible import visible_line
from evalsuite.types import Scalar

MOST = 60
"""The letters of a setting that are shown; of a longer one the beginning and a digest of the whole."""

NOT_SET = "not set"
"""Stands for the setting of a cell that lacks the key."""

_DIGEST = 8


def text_of(value: Scalar) -> str:
    """A setting as its file would spell it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def label_of(value: Scalar) -> str:
    """A setting on one line of at most `MOST` letters; long ones that differ are called otherwise."""
    return _cut(visible_line(text_of(value), None), value)


def labels_apart(texts: Sequence[str], values: Sequence[Scalar]) -> list[str]:
    """A label for each of `values`, which read as `texts`: as `label_of`, without a comma, and no two alike.

    A later one that reads as an earlier has a digest of its value behind it, so that what is added to an axis renames
    nothing.
    """
    found: list[str] = []
    for text, value in zip(texts, values, strict=True):
        label = _cut(visible_line(text, None).replace(",", "+"), value)
        sizes = iter(range(_DIGEST, 64))
        plain = label
        while label in found:
            label = f"{plain}~{content_hash(value)[: next(sizes)]}"
        found.append(label)
    return found


def _cut(line: str, value: Scalar) -> str:
    if len(line) <= MOST:
        return line
    return f"{line[: MOST - _DIGEST - 1]}…{content_hash(value)[:_DIGEST]}"
