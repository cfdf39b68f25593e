"""From the verdicts on a judge card's cases to its figures: trials, rates with intervals, and the slope over length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalsuite.contracts import Judge, Rubric
from evalsuite.judge_cards import EVEN, CardRate, LengthSlope
from evalsuite.metrics import accuracy
from evalsuite.stats import intervals
from evalsuite.stats.estimates import interval_of
from evalsuite.types import Sample
from evalsuite.verdicts import Preferred, Rated, Unparsed, Verdict, Winner

from ._probes import Place, num_doublings, place_of, shape_of
from .pairwise import combined

_POINTS = {Winner.A: 1.0, Winner.B: 0.0}


@dataclass(frozen=True)
class JudgedCase:
    """A case of the card, and what the replies to it parsed to; none where it could not be asked."""

    case: Sample
    verdicts: tuple[Verdict | Unparsed, ...]


@dataclass(frozen=True)
class Trial:
    """A probe's answer against its baseline: `points` 1, .5 or 0, and the `gap` on the judge's scale; None unjudged."""

    place: Place
    points: float | None
    gap: float | None


def compared(cases: Sequence[JudgedCase]) -> Iterator[Trial]:
    """The trials of a judge of two runs: its one preference, or the one that both orders share."""
    for one in cases:
        preferences = _preferences(one)
        if len(preferences) < max(1, len(one.verdicts)):
            yield Trial(place_of(one.case), None, None)
            continue
        winner = combined(preferences) if len(preferences) > 1 else preferences[0].winner
        points = _POINTS.get(winner, EVEN)
        yield Trial(place_of(one.case), points, points - EVEN)


def rated(cases: Sequence[JudgedCase], rubric: Rubric) -> Iterator[Trial]:
    """The trials of a judge of one run: each probe's rating against its baseline's."""
    low, high = rubric.metrics[0].bounds or (0.0, 1.0)
    ratings = {place_of(one.case): _value(one) for one in cases}
    for place, value in ratings.items():
        if place.probe == "weak":
            continue
        other = ratings.get(place.against)
        if value is None or other is None:
            yield Trial(place, None, None)
            continue
        yield Trial(place, EVEN + EVEN * ((value > other) - (value < other)), (value - other) / (high - low))


def _preferences(one: JudgedCase) -> tuple[Preferred, ...]:
    return tuple(verdict for verdict in one.verdicts if isinstance(verdict, Preferred))


def _value(one: JudgedCase) -> float | None:
    return next((verdict.value for verdict in one.verdicts if isinstance(verdict, Rated)), None)


def win_rate(name: str, trials: Sequence[Trial], probes: str) -> CardRate:
    """Over the trials of the probes whose name begins so."""
    return _rate(name, [(trial.place.row, trial.points) for trial in trials if trial.place.probe.startswith(probes)])


def parse_rate(cases: Sequence[JudgedCase]) -> CardRate:
    """The share of requests that end with a verdict, a second asking included where the judge has one.

    A case whose requests failed counts as one without what could be told.
    """
    rows = [(place_of(one.case).row, parsed) for one in cases for parsed in _parsed(one)]
    return _rate("parse_rate", rows)


def _parsed(one: JudgedCase) -> tuple[float | None, ...]:
    return tuple(float(not isinstance(verdict, Unparsed)) for verdict in one.verdicts) or (None,)


def swap_consistency(cases: Sequence[JudgedCase]) -> CardRate:
    """The share of cases in which both orders give the same preference."""
    return _rate("swap_consistency", [(place_of(one.case).row, _is_consistent(one)) for one in cases])


def _is_consistent(one: JudgedCase) -> float | None:
    match one.verdicts:
        case (Preferred(winner=first), Preferred(winner=second)):
            return float(first is second.swapped)
        case _:
            return None


def first_position(cases: Sequence[JudgedCase]) -> CardRate:
    """The share of verdicts for the answer shown first, a tie counting half: one half for a judge without a bias."""
    rows = [(place_of(one.case).row, _points(verdict)) for one in cases for verdict in one.verdicts]
    return _rate("first_position", rows)


def _points(verdict: Verdict | Unparsed) -> float | None:
    """What a verdict gives the answer shown first."""
    return _POINTS.get(verdict.winner, EVEN) if isinstance(verdict, Preferred) else None


def _rate(name: str, rows: Sequence[tuple[int, float | None]]) -> CardRate:
    """The mean of what is known in `rows` of (question, value)."""
    known = [(row, value) for row, value in rows if value is not None]
    num_unscored = len(rows) - len(known)
    if not known:
        return CardRate(name=name, value=None, low=None, high=None, n=0, num_unscored=num_unscored)
    metric = accuracy(name)
    vectors = [(value, 1.0) for _, value in known]
    value, stderr, num_clusters = _estimate(vectors, [row for row, _ in known], metric.reduce)
    _, low, high, _ = interval_of(metric, value, stderr, len(known), num_clusters)
    return CardRate(name=name, value=value, low=low, high=high, n=len(known), num_unscored=num_unscored)


def length_slope(judge: Judge, language: str, trials: Sequence[Trial]) -> LengthSlope:
    """Over the trials of padded answers; what they gain is regressed on how often padding doubled their length."""
    padded = [trial for trial in trials if trial.place.probe.startswith("padded.")]
    known = [(trial.place, trial.gap) for trial in padded if trial.gap is not None]
    num_unscored = len(padded) - len(known)
    if not known:
        return LengthSlope(per_doubling=None, stderr=None, low=None, high=None, n=0, num_unscored=num_unscored)
    shape = shape_of(judge)
    doublings = [num_doublings(shape, language, place) for place, _ in known]
    vectors = [(times * gap, times * times) for times, (_, gap) in zip(doublings, known, strict=True)]
    slope, stderr, num_clusters = _estimate(vectors, [place.row for place, _ in known], accuracy("slope").reduce)
    is_known = stderr is not None and stderr > 0.0  # of slopes all alike the error is not known to be nothing
    low, high = (intervals.t_interval(slope, stderr, num_clusters, None) if is_known else None) or (None, None)
    return LengthSlope(per_doubling=slope, stderr=stderr, low=low, high=high, n=len(known), num_unscored=num_unscored)


def _estimate(
    vectors: Sequence[tuple[float, ...]], rows: Sequence[int], reduce: intervals.Reduce
) -> tuple[float, float | None, int]:
    """Value and jackknife error of summed vectors, and the number of questions they are from."""
    names, totals = intervals.cluster_totals(vectors, [str(row) for row in rows])
    value = reduce(intervals.column_sums(totals))
    assert value is not None
    return value, intervals.jackknife_stderr(intervals.jackknife_deltas(totals, reduce, value)), len(names)
