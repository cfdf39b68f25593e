"""The chance of a win rate with few prompts: exact, without trusting the spread of a handful of them.

Without a preference it is chance on which side of a half each prompt group lies, so all ways of flipping their signs
are as likely (Fisher 1935, "The Design of Experiments", section 21). Groups count as independent: an annotator who
favours one system in all of them is not seen.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from evalsuite.stats.paired_tests import MOST_EXACT, all_totals, as_extreme, drawn_totals
from evalsuite.types import Record

from .table import Floats, VoteTable

FEW_GROUPS = 20
"""With fewer prompt groups this is the test to use; with more, Student's t of the win rate says the same."""

NUM_DRAWS = 19_999


class HalfTest(Record, frozen=True, kw_only=True):
    """How far the mean over `num_groups` lies above a half, and the two-sided chance of lying as far from it."""

    difference: float
    p_value: float
    method: Literal["exact", "monte-carlo"]
    num_groups: int


def group_means(votes: VoteTable) -> Floats:
    """What A gets of each prompt group, (groups,) in the order of their names, from votes on one pair seen from A.

    Votes are averaged within each language's prompt, then the prompts of a group.
    """
    prompts, first, place = np.unique(
        votes.item * len(votes.languages) + votes.language, return_index=True, return_inverse=True
    )
    means = np.bincount(place, weights=votes.value, minlength=len(prompts)) / np.bincount(place, minlength=len(prompts))
    _, group, sizes = np.unique(votes.group[first], return_inverse=True, return_counts=True)
    found: Floats = np.bincount(group, weights=means, minlength=len(sizes)) / sizes
    return found


def half_test(means: Floats, *, seed: int, num_draws: int = NUM_DRAWS) -> HalfTest:
    """The test of a half for prompt groups' `means`, (groups,), from 0 to 1; as scipy.stats.permutation_test has it.

    Up to `MOST_EXACT` groups all ways are gone through; of more `num_draws` are drawn, and what was seen counts as one
    of them (Phipson and Smyth 2010). Raises ValueError for no groups, and for a mean that is no share.
    """
    if not len(means):
        raise ValueError("there are no prompt groups to test")
    if not ((means >= 0) & (means <= 1)).all():
        raise ValueError("the mean of a prompt group is not between 0 and 1")
    offsets = means - 0.5
    is_exact = len(offsets) <= MOST_EXACT
    totals = all_totals(offsets) if is_exact else drawn_totals(offsets, num_draws, np.random.default_rng(seed))
    _, num_as_far = as_extreme(totals, offsets)
    return HalfTest(
        difference=float(offsets.mean()),
        p_value=num_as_far / len(totals) if is_exact else (num_as_far + 1) / (num_draws + 1),
        method="exact" if is_exact else "monte-carlo",
        num_groups=len(offsets),
    )
