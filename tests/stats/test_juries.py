"""Krippendorff's alpha by another route, and how verdicts are merged."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.stats.juries import ALPHA, alpha, combine
from evalsuite.types import Cause, Score, Scored, Unscored

RATINGS = st.lists(st.lists(st.integers(1, 10), min_size=2, max_size=5), min_size=2, max_size=12)


def rated(value: float) -> Scored:
    return Scored(scores=(Score(name="rating", counts=(float(value), 1.0)),))


SILENT = Unscored(cause=Cause.JUDGE_UNPARSED)


def summed(units: list[list[int]]) -> tuple[float, ...]:
    """The alpha counts of all units, through `combine`."""
    vectors = [
        next(
            score.counts
            for score in combine("rating", [rated(v) for v in unit], "mean").scores
            if score.name == ALPHA.name
        )
        for unit in units
    ]
    return tuple(sum(column) for column in zip(*vectors, strict=True))


def by_coincidences(units: list[list[int]]) -> float | None:
    """Alpha from the coincidence matrix, as Krippendorff 2011 builds it, with the interval metric."""
    coincidences: dict[tuple[int, int], float] = {}
    for unit in units:
        for a, b in permutations(range(len(unit)), 2):
            pair = unit[a], unit[b]
            coincidences[pair] = coincidences.get(pair, 0.0) + 1.0 / (len(unit) - 1)
    totals: dict[int, float] = {}
    for (a, _), weight in coincidences.items():
        totals[a] = totals.get(a, 0.0) + weight
    n = sum(totals.values())
    observed = sum(weight * (a - b) ** 2 for (a, b), weight in coincidences.items()) / n
    expected = sum(totals[a] * totals[b] * (a - b) ** 2 for a in totals for b in totals) / (n * (n - 1))
    return 1 - observed / expected if expected else None


@given(RATINGS)
def test_alpha_is_that_of_the_coincidence_matrix(units: list[list[int]]) -> None:
    expected = by_coincidences(units)
    found = alpha(summed(units))
    assert (found is None) == (expected is None)
    if expected is not None:
        assert found == pytest.approx(expected, abs=1e-9)


def test_alpha_of_known_cases() -> None:
    assert alpha(summed([[1, 1], [5, 5], [9, 9]])) == 1.0
    assert alpha(summed([[3, 3], [3, 3]])) is None
    opposite = alpha(summed([[1, 9], [9, 1], [1, 9]]))
    assert opposite is not None
    assert opposite < 0


def test_merging() -> None:
    def merged(rule: str, *values: float) -> tuple[float, ...]:
        outcome = combine("rating", [rated(value) for value in values], rule)  # type: ignore[arg-type]
        return outcome.scores[0].counts

    assert merged("mean", 2, 4, 9) == (5.0, 1.0)
    assert merged("majority", 2, 4, 4) == (4.0, 1.0)
    assert merged("majority", 2, 4, 4, 2) == (3.0, 1.0)
    assert isinstance(combine("rating", [rated(1), SILENT], "mean"), Unscored)
    assert combine("rating", [rated(1), rated(3), SILENT], "mean").scores[0].counts == (2.0, 1.0)


def test_what_a_rule_counts_for_silence_is_averaged_too() -> None:
    def official(value: float) -> Score:
        return Score(name="official", counts=(value, 1.0))

    spoken = Scored(scores=(Score(name="rating", counts=(8.0, 1.0)), official(8.0)))
    silent = Unscored(cause=Cause.JUDGE_UNPARSED, scores=(official(-1.0),))
    both = combine("rating", [spoken, spoken, silent], "mean")
    assert {score.name: score.counts for score in both.scores if score.name in ("rating", "official")} == {
        "rating": (8.0, 1.0), "official": (5.0, 1.0),
    }  # fmt: skip
    none = combine("rating", [spoken, silent], "mean")
    assert isinstance(none, Unscored)
    assert none.scores == (official(3.5),)


def test_causes_that_all_share_stay() -> None:
    lost = Unscored(cause=Cause.MISSING_RESPONSE)
    found = combine("rating", [lost, lost], "mean")
    assert isinstance(found, Unscored)
    assert found.cause is Cause.MISSING_RESPONSE
    mixed = combine("rating", [lost, SILENT], "mean")
    assert isinstance(mixed, Unscored)
    assert mixed.cause is Cause.JUDGE_UNPARSED
