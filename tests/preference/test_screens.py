"""Annotators worth a second look."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from real_votes import llmfao

from evalsuite.preference.screens import screen
from evalsuite.preference.table import table_of
from evalsuite.verdicts import Comparison, Winner

A, B, TIE = Winner.A, Winner.B, Winner.TIE


def vote(number: int, rater: str, winner: Winner, *, first: str = "x") -> Comparison:
    return Comparison(
        item=str(number), group=str(number), language="hi", system_a="x", system_b="y", winner=winner, rater=rater,
        shown_first=first,
    )  # fmt: skip


def test_who_disagrees_with_everybody_is_named() -> None:
    random = np.random.default_rng(1)
    truth = random.choice([A, B], 60)
    votes = [vote(n, f"r{k}", Winner(truth[n])) for n in range(60) for k in range(12)]
    votes += [vote(n, "contrary", Winner(truth[n]).swapped) for n in range(60)]
    found = {one.annotator: one for one in screen(table_of(votes))}
    assert found["contrary"].agreement == 0.0
    assert "agrees least" in found["contrary"].flags
    assert found["r1"].agreement == 1.0
    assert found["r1"].num_compared == 60


def test_the_own_vote_is_no_majority() -> None:
    alone, pair = screen(table_of([vote(1, "p", A), vote(2, "q", A), vote(2, "p", B)]))
    assert (alone.num_votes, alone.num_compared, alone.agreement) == (2, 1, 0.0)
    assert (pair.num_compared, pair.agreement) == (1, 0.0)


def test_who_takes_a_side_is_named_whatever_stands_there() -> None:
    votes = []
    for number in range(40):
        first = "xy"[number % 2]
        votes.append(vote(number, "left", A if first == "x" else B, first=first))
        votes.append(vote(number, "fair", (A, A, B, B)[number % 4], first=first))
        votes.append(vote(number, "unseen", A, first=""))
    fair, left, unseen = screen(table_of(votes))
    assert (left.left_share, left.flags) == (1.0, ("prefers a side",))
    assert (fair.left_share, fair.flags) == (0.5, ())
    assert (unseen.left_share, unseen.left_chance) == (None, None)


def test_who_never_decides_is_named() -> None:
    (found,) = screen(table_of([vote(number, "r", TIE) for number in range(12)]))
    assert (found.tie_share, found.flags) == (1.0, ("nearly all ties",))


@pytest.mark.data
def test_llmfaos_crowd(mirror: Path) -> None:
    """The median and the lowest tenth of agreement, and five of 124 who prefer a side."""
    found = screen(llmfao(mirror))
    shares = [one.agreement for one in found if one.agreement is not None]
    assert len(found) == 124
    assert round(float(np.median(shares)), 3) == 0.635
    assert round(float(np.quantile(shares, 0.1)), 3) == 0.346
    assert Counter(flag for one in found for flag in one.flags)["prefers a side"] == 5
