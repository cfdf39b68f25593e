"""Krippendorff's alpha by another route, and how verdicts are merged."""

from __future__ import annotations

from itertools import permutations

import pytest
from evalsuite.judges._aggregates import MeanOfGroups, mean_rating
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.contracts import Metric
from evalsuite.stats.juries import ALPHA, Jury, Rule, Scale, interval_alpha, nominal_alpha
from evalsuite.types import Cause, Outcome, Score, Scored, Unscored

RATINGS = st.lists(st.lists(st.integers(1, 10), min_size=2, max_size=5), min_size=2, max_size=12)


def rated(value: float) -> Scored:
    return Scored(scores=(Score(name="rating", counts=(float(value), 1.0)),))


RATING = mean_rating("rating", (1, 10))


def combine(
    verdicts: list[Outcome], rule: Rule = "mean", metrics: tuple[Metric, ...] = (RATING,), scale: Scale = "interval"
) -> Scored | Unscored:
    return Jury(metrics, rule, scale).combine(verdicts)


def counts_of(outcome: Scored | Unscored) -> dict[str, tuple[float, ...]]:
    return {score.name: score.counts for score in outcome.scores}


SILENT = Unscored(cause=Cause.JUDGE_UNPARSED)


def summed(units: list[list[int]]) -> tuple[float, ...]:
    """The alpha counts of all units, through `combine`."""
    return summed_counts([[rated(value) for value in unit] for unit in units], "interval")


def summed_counts(units: list[list[Scored]], scale: Scale) -> tuple[float, ...]:
    vectors = [counts_of(combine(list(unit), scale=scale))[ALPHA[scale].name] for unit in units]
    return tuple(sum(column) for column in zip(*vectors, strict=True))


def by_coincidences(units: list[list[int]], *, is_nominal: bool = False) -> float | None:
    """Alpha from the coincidence matrix, as Krippendorff 2011 builds it, with the interval or the nominal metric."""

    def distance(a: int, b: int) -> float:
        return float(a != b) if is_nominal else float((a - b) ** 2)

    coincidences: dict[tuple[int, int], float] = {}
    for unit in units:
        for a, b in permutations(range(len(unit)), 2):
            pair = unit[a], unit[b]
            coincidences[pair] = coincidences.get(pair, 0.0) + 1.0 / (len(unit) - 1)
    totals: dict[int, float] = {}
    for (a, _), weight in coincidences.items():
        totals[a] = totals.get(a, 0.0) + weight
    n = sum(totals.values())
    observed = sum(weight * distance(a, b) for (a, b), weight in coincidences.items()) / n
    expected = sum(totals[a] * totals[b] * distance(a, b) for a in totals for b in totals) / (n * (n - 1))
    return 1 - observed / expected if expected else None


@given(RATINGS)
def test_alpha_is_that_of_the_coincidence_matrix(units: list[list[int]]) -> None:
    expected = by_coincidences(units)
    found = interval_alpha(summed(units))
    assert (found is None) == (expected is None)
    if expected is not None:
        assert found == pytest.approx(expected, abs=1e-9)


def test_alpha_of_known_cases() -> None:
    assert interval_alpha(summed([[1, 1], [5, 5], [9, 9]])) == 1.0
    assert interval_alpha(summed([[3, 3], [3, 3]])) is None
    opposite = interval_alpha(summed([[1, 9], [9, 1], [1, 9]]))
    assert opposite is not None
    assert opposite < 0


@given(st.lists(st.lists(st.sampled_from([0, 1, 2]), min_size=2, max_size=5), min_size=2, max_size=12))
def test_alpha_of_preferences_is_nominal(units: list[list[int]]) -> None:
    """Lost, tied and won are kinds: a tie is no nearer to a win than a loss is."""
    found = nominal_alpha(summed_counts([[rated(value / 2) for value in unit] for unit in units], "nominal"))
    expected = by_coincidences(units, is_nominal=True)
    assert (found is None) == (expected is None)
    if expected is not None:
        assert found == pytest.approx(expected, abs=1e-9)


def test_merging() -> None:
    def merged(rule: Rule, *values: float) -> tuple[float, ...]:
        return combine([rated(value) for value in values], rule).scores[0].counts

    assert merged("mean", 2, 4, 9) == (5.0, 1.0)
    assert merged("majority", 2, 4, 4) == (4.0, 1.0)
    assert merged("majority", 2, 4, 4, 2) == (3.0, 1.0)
    assert combine([rated(1), rated(3), SILENT]).scores[0].counts == (2.0, 1.0)


def test_agreement_counts_where_the_case_does_not() -> None:
    """Two of four spoke: too few for a score, enough to tell whether they agree."""
    found = combine([rated(1), rated(3), SILENT, SILENT])
    assert isinstance(found, Unscored)
    assert counts_of(found) == {"jury_agreement": (0.0, 1.0), "jury_alpha_interval": (8.0, 2.0, 4.0, 10.0)}
    assert combine([rated(1), SILENT]) == Unscored(
        cause=Cause.JUDGE_UNPARSED, detail="1 of 2 jurors gave a verdict", scores=()
    )


def preferred(win: float, consistent: float) -> Scored:
    """A verdict in two orders: what it counts for the first run, and whether both orders gave it."""
    return Scored(scores=(Score(name="rating", counts=(win, 1.0)), Score(name="order", counts=(consistent, 1.0))))


def test_a_majority_is_of_verdicts_and_not_of_all_that_is_counted_with_them() -> None:
    """Three ties found in different ways outvote two wins."""
    jurors: list[Outcome] = [preferred(1, 1), preferred(1, 1), preferred(0.5, 1), preferred(0.5, 0), preferred(0.5, 0)]
    found = combine(jurors, "majority", scale="nominal")
    assert counts_of(found)["rating"] == (0.5, 1.0)
    assert counts_of(found)["order"] == (pytest.approx(1 / 3), 1.0)
    assert counts_of(found)["jury_agreement"] == (4.0, 10.0)


def test_a_headline_that_is_a_mean_of_groups() -> None:
    """One case fills one group only, so that the headline has no value in it; its class mean has."""
    total = MeanOfGroups("total", {"a": 1, "b": 1}, (0, 1))
    by_class = mean_rating("b", (0, 1))

    def verdict(value: float) -> Scored:
        return Scored(scores=(*total.score("b", value), Score(name="b", counts=(value, 1.0))))

    jurors: list[Outcome] = [verdict(0.25), verdict(1.0), verdict(1.0)]
    assert counts_of(combine(jurors, "majority", (total.metric, by_class)))["total"] == (0.0, 0.0, 1.0, 1.0)
    assert counts_of(combine(jurors, "mean", (total.metric, by_class)))["total"] == (0.0, 0.0, 0.75, 1.0)


def official(value: float) -> Score:
    return Score(name="official", counts=(value, 1.0))


def spoken(value: float) -> Scored:
    return Scored(scores=(Score(name="rating", counts=(value, 1.0)), official(value)))


def test_what_a_rule_counts_for_silence_is_averaged_too() -> None:
    silent = Unscored(cause=Cause.JUDGE_UNPARSED, scores=(official(-1.0),))
    both = counts_of(combine([spoken(8), spoken(8), silent]))
    assert (both["rating"], both["official"]) == ((8.0, 1.0), (5.0, 1.0))
    none = combine([spoken(8), silent])
    assert isinstance(none, Unscored)
    assert none.scores == (official(3.5),)


def test_a_silent_juror_does_not_undo_a_majority() -> None:
    silent = Unscored(cause=Cause.JUDGE_UNPARSED, scores=(official(-1.0),))
    found = counts_of(combine([spoken(8), spoken(8), spoken(2), silent], "majority"))
    assert (found["rating"], found["official"]) == ((8.0, 1.0), (17 / 4, 1.0))


def test_causes_that_all_share_stay() -> None:
    lost = Unscored(cause=Cause.MISSING_RESPONSE)
    found = combine([lost, lost])
    assert isinstance(found, Unscored)
    assert found.cause is Cause.MISSING_RESPONSE
    mixed = combine([lost, SILENT])
    assert isinstance(mixed, Unscored)
    assert mixed.cause is Cause.JUDGE_UNPARSED
