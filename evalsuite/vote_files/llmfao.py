"""LLMFAO's crowd votes (Ustalov 2023): ``left`` and ``right`` name the models by the side their answers were shown on.

The files of GPT-4's and GPT-3.5's verdicts on the same pairs have no ``worker``; such rows get the file's name.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from evalsuite.verdicts import Comparison, Winner

from .reading import Imported, Row, given, imported, named, read_rows, winner_of

_MEANINGS = {"left": Winner.A, "right": Winner.B, "tie": Winner.TIE}


def read_llmfao(path: Path) -> Imported:
    """The votes of one file. Raises DataError."""
    return imported(path, read_rows(path), partial(_comparison, path.stem))


def _comparison(judge: str, number: int, row: Row) -> Comparison:
    del number
    prompt, left = named(row, "prompt"), named(row, "left")
    return Comparison(
        item=prompt,
        group=prompt,
        language="en",
        system_a=left,
        system_b=named(row, "right"),
        winner=winner_of(row["winner"], _MEANINGS),
        rater=given(row, "worker") or judge,
        shown_first=left,
    )
