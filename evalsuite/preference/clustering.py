"""How far a number that votes add up to may lie from the truth, when votes on one prompt, and of one person, are alike.

A number that is a weighted sum, or near enough, has an influence of every vote: how much that vote moves it away from
what it would be otherwise. Influences are summed within prompts and within annotators; votes that share either are
correlated. Cameron, Gelbach and Miller 2011, "Robust Inference with Multiway Clustering"; the check is the pigeonhole
bootstrap of Owen 2007, which is conservative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .table import Floats, Ints


@dataclass(frozen=True)
class Spread:
    """The error of one number: `stderr`, with Student's t of `degrees`.

    `by_group` and `by_rater` are the errors that prompts alone and annotators alone give, `naive` what independent
    votes would have. A dimension with a single cluster says nothing of its spread and is None. `fewest_groups` are
    those of the language with the fewest.
    """

    stderr: float | None
    degrees: int
    num_groups: int
    fewest_groups: int
    num_raters: int
    by_group: float | None
    by_rater: float | None
    naive: float | None

    @property
    def design_effect(self) -> float | None:
        """How many times the variance is that of independent votes."""
        return None if not self.naive or self.stderr is None else (self.stderr / self.naive) ** 2


def spread_of(influences: Floats, groups: Ints, raters: Ints, strata: Ints | None = None) -> Spread:
    """The two-way clustered error of a number whose `influences` these are, one a vote.

    The variance by prompt plus that by annotator less that by both, each times G / (G - 1), is never taken to be below
    the larger of the first two. Degrees of freedom are those of the smaller number of clusters.

    Of a mean over `strata` (languages), each centred by itself, annotators of one language say nothing of another's:
    G are those of languages that share annotators, and so with prompts. Degrees of freedom are annotators less such
    sets of languages, and the fewest prompts of a language less one: no mean is known better than its least known part.
    """
    if strata is None:
        strata = np.zeros_like(groups)
    group, _ = _squares(influences, groups, strata)
    rater, num_sets = _squares(influences, raters, strata)
    both, _ = _squares(influences, groups * (int(raters.max(initial=0)) + 1) + raters, np.zeros_like(strata))
    num_groups, num_raters = len(np.unique(groups)), len(np.unique(raters))
    fewest = _fewest(groups, strata)
    known = [count for variance, count in ((group, fewest - 1), (rater, num_raters - num_sets)) if variance is not None]
    naive, _ = _squares(influences, np.arange(len(influences)), np.zeros_like(strata))
    total = _two_way(group, rater, both)
    return Spread(
        stderr=None if total is None else math.sqrt(total),
        degrees=min(known, default=0),
        num_groups=num_groups,
        fewest_groups=fewest,
        num_raters=num_raters,
        by_group=None if group is None else math.sqrt(group),
        by_rater=None if rater is None else math.sqrt(rater),
        naive=None if naive is None else math.sqrt(naive),
    )


def _fewest(groups: Ints, strata: Ints) -> int:
    return min((len(np.unique(groups[strata == stratum])) for stratum in np.unique(strata)), default=0)


def _two_way(group: float | None, rater: float | None, both: float | None) -> float | None:
    """A single prompt or annotator leaves the other dimension alone."""
    if group is None or rater is None:
        return rater if group is None else group
    return max(group + rater - (both or 0.0), group, rater)


def _squares(influences: Floats, clusters: Ints, strata: Ints) -> tuple[float | None, int]:
    """Summed squares of clusters' sums, corrected within sets of strata that share clusters; and how many such sets.

    None where a set has one cluster, whose sum is nought and says nothing.
    """
    names, place = np.unique(clusters, return_inverse=True)
    if not len(names):
        return None, 0
    sums = np.bincount(place, weights=influences, minlength=len(names))
    sets = _sets_of(place, np.unique(strata, return_inverse=True)[1], len(names))
    sizes = np.bincount(sets)
    if sizes.min() < 2:
        return None, len(sizes)
    factors = sizes / (sizes - 1)
    return float((factors[sets] * sums**2).sum()), len(sizes)


def _sets_of(clusters: Ints, strata: Ints, num_clusters: int) -> Ints:
    """The set of each cluster, (num_clusters,): clusters that meet in a stratum are of one set."""
    num_strata = int(strata.max(initial=0)) + 1
    if num_strata == 1:
        return np.zeros(num_clusters, dtype=np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = num_clusters + num_strata
    meetings = coo_array((np.ones(len(clusters)), (clusters, num_clusters + strata)), shape=(size, size))
    found = connected_components(meetings, directed=False)[1][:num_clusters]
    sets: Ints = np.unique(found, return_inverse=True)[1]
    return sets


def pigeonhole_draws(groups: Ints, raters: Ints, num_draws: int, seed: int) -> tuple[Floats, Floats]:
    """How often the prompt and the annotator of every vote were drawn, each (draws, votes): each drawn by itself."""
    random = np.random.default_rng(seed)
    return _drawn(groups, num_draws, random), _drawn(raters, num_draws, random)


def _drawn(clusters: Ints, num_draws: int, random: np.random.Generator) -> Floats:
    names, place = np.unique(clusters, return_inverse=True)
    counts = random.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=num_draws)
    return counts[:, place].astype(np.float64)


def drawn_means(by_group: Floats, by_rater: Floats, items: Ints, values: Floats) -> Floats:
    """The mean over prompts of the mean of each one's votes, in each draw, (draws,); NaN in which no vote was drawn.

    A prompt weighs as often as it was drawn, and within it a vote as often as its annotator was. A prompt of which no
    annotator was drawn is left out.
    """
    _, first, place = np.unique(items, return_index=True, return_inverse=True)
    belongs = np.zeros((len(items), len(first)))
    belongs[np.arange(len(items)), place] = 1.0
    totals, sums = by_rater @ belongs, (by_rater * values) @ belongs
    weights = by_group[:, first] * (totals > 0)
    means = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
    total = weights.sum(axis=1)
    found: Floats = np.divide((weights * means).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0)
    return found
