"""Chances of families of questions: asked together, some look answered by luck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypeVar

import msgspec

from .quality_differences import QualityDifference
from .win_rates import WinRate

Asked = TypeVar("Asked", WinRate, QualityDifference)

Correction: TypeAlias = Literal["holm", "fdr"]
CORRECTIONS: tuple[Correction, ...] = ("holm", "fdr")
"""Holm 1979, for claims: no false one among all, but once in twenty times. Benjamini and Hochberg 1995, for looking
around: one in twenty of what is found is false."""

_METHODS = {"holm": "holm", "fdr": "fdr_bh"}


def adjusted(rates: Sequence[Asked], correction: Correction) -> tuple[Asked, ...]:
    """`rates` with the chance of no preference or difference adjusted for all that are asked about pairs of one scope.

    What languages say and what their mean says are two questions, each a family of its own.
    """
    from statsmodels.stats.multitest import multipletests

    found: dict[int, float] = {}
    for scope in dict.fromkeys(rate.scope for rate in rates):
        known = [place for place, rate in enumerate(rates) if rate.scope == scope and rate.p_value is not None]
        if known:
            chances = [rates[place].p_value for place in known]
            found.update(zip(known, multipletests(chances, method=_METHODS[correction])[1], strict=True))
    return tuple(
        msgspec.structs.replace(rate, p_adjusted=float(found[place])) if place in found else rate
        for place, rate in enumerate(rates)
    )
