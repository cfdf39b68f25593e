"""Votes as Chatbot Arena publishes them, one a row: ``model_a``, ``model_b``, ``winner``; and MT-Bench's, with turns.

``winner`` is ``model_a``, ``model_b``, ``tie`` or ``tie (bothbad)``; a file that has the last nowhere may not have
offered it, so that its ties are of either kind. ``model_a`` is the answer that was shown on the left. Optional columns
are ``language``, ``question_id`` (else each row is a prompt of its own), ``turn``, ``prompt_group`` and ``judge``.
"""

from __future__ import annotations

from pathlib import Path

from evalsuite.verdicts import Comparison, Winner

from .reading import Imported, Row, given, imported, named, read_rows, winner_of

_MEANINGS = {
    "model_a": Winner.A,
    "model_b": Winner.B,
    "a": Winner.A,
    "b": Winner.B,
    "tie": Winner.TIE,
    "tie (bothbad)": Winner.BOTH_BAD,
    "both_bad": Winner.BOTH_BAD,
    "bothbad": Winner.BOTH_BAD,
}
_BOTH_ORDERS = _MEANINGS | {"tie (inconsistent)": Winner.TIE}
"""A judge that was asked in both orders and contradicted itself."""


def read_arena(path: Path) -> Imported:
    """Arena-style votes. Raises DataError."""
    rows = read_rows(path)
    tells = any(winner_of(row["winner"], _MEANINGS) is Winner.BOTH_BAD for row in rows if _is_known(row))
    return imported(path, rows, lambda number, row: _comparison(number, row, tells_ties=tells))


def read_mt_bench(path: Path) -> Imported:
    """MT-Bench's human votes, or the verdicts of its judge, for which the order is nobody's. Raises DataError."""
    return imported(path, read_rows(path), _mt_bench)


def _is_known(row: Row) -> bool:
    return " ".join(str(row.get("winner", "")).split()).casefold() in _MEANINGS


def _comparison(number: int, row: Row, *, tells_ties: bool) -> Comparison:
    item = given(row, "question_id", "question") or f"row {number}"
    turn = given(row, "turn")
    return Comparison(
        item=f"{item}/{turn}" if turn else item,
        group=given(row, "prompt_group") or item,
        language=given(row, "language") or "und",
        system_a=named(row, "model_a"),
        system_b=named(row, "model_b"),
        winner=winner_of(row["winner"], _MEANINGS),
        rater=given(row, "judge"),
        shown_first=named(row, "model_a"),
        tells_ties=tells_ties,
    )


def _mt_bench(number: int, row: Row) -> Comparison:
    del number
    item, first = named(row, "question_id"), named(row, "model_a")
    rater = named(row, "judge")
    return Comparison(
        item=f"{item}/{named(row, 'turn')}",
        group=item,
        language="en",
        system_a=first,
        system_b=named(row, "model_b"),
        winner=winner_of(row["winner"], _BOTH_ORDERS),
        rater=rater,
        shown_first="" if rater.endswith("_pair") else first,
    )
