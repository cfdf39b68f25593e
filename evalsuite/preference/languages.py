"""Win rates over languages: what other languages would say, and how bad the worst of these may be.

The macro mean of `win_rates` is about these very languages. About languages that nobody asked in, only how far these
lie apart tells anything: they are taken as drawn from all there are, by Paule and Mandel's estimate of their variance
with Student's t (Higgins, Thompson and Spiegelhalter 2009). A mean may hide one bad language, so the lowest stands
apart, with a bound that holds for all languages at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalsuite.stats.intervals import lowest
from evalsuite.types import Record

from .win_rates import WinRate

FEWEST_LANGUAGES = 3
"""With two languages nothing can be said about others."""


class OtherLanguages(Record, frozen=True, kw_only=True):
    """What a language drawn from all there are would say of a pair: the mean over such, with its 95 % interval.

    `tau` is the standard deviation between languages, `i_squared` the share of what varies between these that is not
    votes' chance. Languages count as independent, though prompts that were translated make them alike.
    """

    system_a: str
    system_b: str
    value: float
    low: float
    high: float
    tau: float
    i_squared: float
    languages: tuple[str, ...]


class WorstLanguage(Record, frozen=True, kw_only=True):
    """The language in which A does worst, and a bound below which, with 95 % confidence, it lies in none."""

    system_a: str
    system_b: str
    language: str
    value: float
    low: float
    languages: tuple[str, ...]


def other_languages(rates: Sequence[WinRate]) -> OtherLanguages | None:
    """From the rates of one pair by language; None with fewer than three that have an error."""
    known = [(rate, rate.stderr) for rate in rates if rate.scope == "language" and rate.stderr and rate.interval]
    if len(known) < FEWEST_LANGUAGES:
        return None
    from statsmodels.stats.meta_analysis import combine_effects

    effects = np.array([rate.win_half for rate, _ in known])
    found = combine_effects(effects, np.array([error**2 for _, error in known]), method_re="iterated", use_t=True)
    low, high = found.conf_int(use_t=True)[1]
    return OtherLanguages(
        system_a=known[0][0].system_a,
        system_b=known[0][0].system_b,
        value=float(found.mean_effect_re),
        low=max(0.0, float(low)),
        high=min(1.0, float(high)),
        tau=float(np.sqrt(max(0.0, found.tau2))),
        i_squared=max(0.0, float(found.i2)),
        languages=tuple(rate.language for rate, _ in known),
    )


def worst_language(rates: Sequence[WinRate]) -> WorstLanguage | None:
    """From the rates of one pair by language; None with fewer than two languages, or too few prompts in one.

    That no language lies below the bound is claimed of all at once, which the lowest of their one-sided 95 % bounds
    may claim without a correction (Berger 1982, the intersection-union test). Each is Student's or Wilson's, whichever
    is lower: where nearly all prompts agree their spread says little.
    """
    known = [rate for rate in rates if rate.scope == "language"]
    if len(known) < 2 or any(rate.low is None for rate in known):
        return None
    worst = min(known, key=lambda rate: rate.win_half)
    return WorstLanguage(
        system_a=worst.system_a,
        system_b=worst.system_b,
        language=worst.language,
        value=worst.win_half,
        low=min(_lowest(rate) for rate in known),
        languages=tuple(rate.language for rate in known),
    )


def _lowest(rate: WinRate) -> float:
    num_clusters = rate.num_groups if rate.interval == "wilson" else rate.degrees + 1
    return lowest(rate.win_half, rate.stderr, num_clusters)
