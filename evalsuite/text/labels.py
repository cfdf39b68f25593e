"""Names of classes that data files spell in several ways."""

from __future__ import annotations


def plain_label(spelling: str) -> str:
    """`spelling` in lower case with single plain spaces: ``closed qa`` for ``Closed\u00a0QA``."""
    return " ".join(spelling.casefold().split())
