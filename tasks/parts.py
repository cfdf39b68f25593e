"""What tasks of other packages may use of the built-in ones: prompts, and choices scored by their log-likelihood.

These names stay as they are within a minor version (docs/plugins.md); all else in this folder may change.
"""

from __future__ import annotations

from ._choices import ACCURACY, ask_choices, choice_metrics, choice_requests, score_accuracy, score_choices
from ._prompts import build_prompt

__all__ = [
    "ACCURACY",
    "ask_choices",
    "build_prompt",
    "choice_metrics",
    "choice_requests",
    "score_accuracy",
    "score_choices",
]
