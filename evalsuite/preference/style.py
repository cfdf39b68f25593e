"""What answers look like, as covariates of the model of strengths: length and Markdown, the one less the other.

Each is (a - b) / (a + b), as Chatbot Arena's style control has it, so that twice as long is as much at any length, and
0 where neither has any. The model standardises them within a language: graphemes of Chinese and Hindi do not compare.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalsuite.votes import Form

from .strength_model import Features
from .table import Mask

FEATURES = {
    "length": "num_graphemes",
    "headings": "num_headers",
    "bold": "num_bold",
    "list items": "num_list_items",
    "code blocks": "num_code_blocks",
}


def features_of(forms: Sequence[tuple[Form, Form] | None]) -> Features | None:
    """The features of votes whose two answers' `forms` these are, A's first; None for votes without.

    Features that never differ are left out; None where no vote has any that does.
    """
    if not any(forms):
        return None
    values = np.array([_row(pair) for pair in forms])
    differs = np.nanmax(np.abs(values), axis=0, initial=0.0) > 0
    if not differs.any():
        return None
    names = tuple(name for name, kept in zip(FEATURES, differs, strict=True) if kept)
    return Features(names=names, values=values[:, differs])


def _row(pair: tuple[Form, Form] | None) -> list[float]:
    if pair is None:
        return [np.nan] * len(FEATURES)
    return [_balance(getattr(pair[0], field), getattr(pair[1], field)) for field in FEATURES.values()]


def _balance(a: int, b: int) -> float:
    return (a - b) / (a + b) if a + b else 0.0


def at(features: Features | None, rows: Mask) -> Features | None:
    """The features of some votes, by a mask."""
    return None if features is None else Features(names=features.names, values=features.values[rows])
