"""AlpacaEval's annotations: a preference from 1, all for the first output, to 2, all for the second.

0 and 1.5 are draws; one that is null has no preference and is dropped. A weighted judge's preference lies between.
"""

from __future__ import annotations

from pathlib import Path

from evalsuite.verdicts import Comparison, Winner

from .reading import Dropped, Imported, Row, given, imported, named, read_rows

_DRAWS = (0.0, 1.5)


def read_alpaca_eval(path: Path) -> Imported:
    """The annotations of one file. Raises DataError."""
    return imported(path, read_rows(path), _comparison)


def _comparison(number: int, row: Row) -> Comparison:
    del number
    if row["preference"] in (None, ""):
        raise Dropped("no preference")
    preference = float(row["preference"])
    if preference not in _DRAWS and not 1.0 <= preference <= 2.0:
        raise ValueError(f"the preference is {preference}; expected 1 to 2, or 0")
    share = 0.5 if preference in _DRAWS else 2.0 - preference
    instruction = named(row, "instruction")
    return Comparison(
        item=instruction,
        group=instruction,
        language="en",
        system_a=named(row, "generator_1"),
        system_b=named(row, "generator_2"),
        winner=Winner.TIE if share == 0.5 else Winner.A if share > 0.5 else Winner.B,
        rater=given(row, "annotator"),
        preference=share,
    )
