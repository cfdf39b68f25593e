"""What judges of other packages may use of the built-in ones: cases, fences around texts, and the reading of verdicts.

These names stay as they are within a minor version (docs/plugins.md); all else in this folder may change.
"""

from __future__ import annotations

from ._aggregates import mean_rating, rated
from ._cases import refuse_prompt, refuse_weighting, the_rating
from ._conversations import (
    answers,
    case_of,
    listed,
    numbered,
    questions,
    reason_missing,
    references,
    shown_answer,
    shown_question,
    shown_reference,
)
from ._markers import HIGH, LOW, preference, rating
from ._prompts import fence, fenced

__all__ = [
    "HIGH",
    "LOW",
    "answers",
    "case_of",
    "fence",
    "fenced",
    "listed",
    "mean_rating",
    "numbered",
    "preference",
    "questions",
    "rated",
    "rating",
    "reason_missing",
    "references",
    "refuse_prompt",
    "refuse_weighting",
    "shown_answer",
    "shown_question",
    "shown_reference",
    "the_rating",
]
