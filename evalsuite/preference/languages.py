"""Win rates over languages: what other languages would say, and how bad the worst of these may be.

The macro mean of `win_rates` is about these very languages. About languages that nobody asked in, only how far these
lie apart tells anything: they are taken as drawn from all there are, by Paule and Mandel's estimate of their variance
with Student's t (Higgins, Thompson and Spiegelhalter 2009). A mean may hide one bad language, so the lowest stands
apart, with a bound that holds for all languages at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalsuite.stats.intervals import wilson
from evalsuite.types import Record

from .clustering import drawn_means, pigeonhole_draws
from .measures import FEWEST_PROMPTS, NO_SPREAD
from .table import VoteTable
from .win_rates import WinRate

FEWEST_LANGUAGES = 3
"""With two languages nothing can be said about others."""

NUM_DRAWS = 2000


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


def worst_language(
    votes: VoteTable, system_a: str, system_b: str, *, seed: int, num_draws: int = NUM_DRAWS
) -> WorstLanguage | None:
    """From the votes on one pair, seen from A; None with fewer than two languages, or too few prompts in one.

    Prompts and annotators are drawn anew (`pigeonhole_draws`), all languages together, and the bounds are as many
    errors below each language's value as the largest exceedance among them reaches in one draw of twenty (max-t). Where
    votes of a language are all alike, each of its prompts counts as one trial (Wilson 1927).
    """
    pair = votes.of_pair(system_a, system_b)
    languages = tuple(name for name in pair.languages if len(pair.in_language(name)))
    num_groups = [len(np.unique(pair.in_language(name).group)) for name in languages]
    if len(languages) < 2 or min(num_groups) < FEWEST_PROMPTS:
        return None
    by_group, by_rater = pigeonhole_draws(pair.group, pair.rater, num_draws, seed)
    drawn, values = [], []
    for name in languages:
        rows = pair.language == pair.languages.index(name)
        asked = pair.item[rows], pair.value[rows]
        drawn.append(drawn_means(by_group[:, rows], by_rater[:, rows], *asked))
        once = np.ones((1, len(asked[0])))
        values.append(drawn_means(once, once, *asked)[0])
    draws, found = np.array(drawn), np.array(values)
    errors = np.nanstd(draws, axis=1, ddof=1)
    excess = (draws - found[:, None]) / np.where(errors > 0, errors, np.inf)[:, None]
    known = excess[:, ~np.isnan(excess).all(axis=0)]  # few votes may all be missing from a draw
    factor = float(np.quantile(np.nanmax(known, axis=0), 0.95))
    alike = [wilson(value, num)[0] for value, num in zip(found.tolist(), num_groups, strict=True)]
    lows = np.where(errors < NO_SPREAD, alike, found - factor * errors)
    worst = int(found.argmin())
    return WorstLanguage(
        system_a=system_a,
        system_b=system_b,
        language=languages[worst],
        value=float(found[worst]),
        low=max(0.0, float(lows.min())),
        languages=languages,
    )
