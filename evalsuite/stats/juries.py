"""Several judges of the same cases: one score a case, and how far the judges agree. Pure.

A case's score under a judge is the vector of counts that each metric sums. Jurors' vectors are averaged: of all, or of
those who gave the verdict that most gave. Agreement metrics are functions of sums too, so that their intervals come
like all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from evalsuite.contracts import Metric
from evalsuite.metrics import share
from evalsuite.types import Cause, Outcome, Score, Scored, Unscored

Rule = Literal["mean", "majority"]
Scale = Literal["interval", "nominal"]
"""Whether two verdicts differ by how far they are apart (ratings), or merely differ (preferences)."""

AGREEMENT = share("jury_agreement")
"""Share of pairs of jurors that gave a case the same verdict."""

PREFERENCES = (0.0, 0.5, 1.0)
"""What a lost, tied and won case counts; verdicts on the nominal scale are these."""

_Scores = Mapping[str, tuple[float, ...]]


def interval_alpha(counts: tuple[float, ...]) -> float | None:
    """Krippendorff's alpha for interval data; counts are those of `_interval_counts`, summed.

    1 is perfect agreement, 0 what chance gives, below 0 systematic disagreement. None where all values are equal, since
    nothing is left to be explained then. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section D.
    """
    within, n, total, squares = counts
    if n < 2:
        return None
    expected = 2.0 * (n * squares - total * total) / (n * (n - 1.0))
    return _alpha(within / n, expected)


def nominal_alpha(counts: tuple[float, ...]) -> float | None:
    """The same for nominal data (section C); counts are those of `_nominal_counts`, summed."""
    within, *sizes = counts
    n = sum(sizes)
    if n < 2:
        return None
    return _alpha(within / n, 1.0 - sum(size * (size - 1.0) for size in sizes) / (n * (n - 1.0)))


def _alpha(observed: float, expected: float) -> float | None:
    return None if expected <= 1e-12 else 1.0 - observed / expected


ALPHA: Mapping[Scale, Metric] = {
    "interval": Metric("jury_alpha_interval", interval_alpha, bounds=(-1.0, 1.0)),
    "nominal": Metric("jury_alpha_nominal", nominal_alpha, bounds=(-1.0, 1.0)),
}
"""Alphas of two scales do not compare, so each has the scale in its name."""


@dataclass(frozen=True)
class Jury:
    """How the verdicts of several judges on a case become one; `rubric` are the metrics that each of them has."""

    rubric: tuple[Metric, ...]
    rule: Rule
    scale: Scale

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The rubric's, and how far the jurors agree."""
        return (*self.rubric, AGREEMENT, ALPHA[self.scale])

    def combine(self, verdicts: Sequence[Outcome]) -> Scored | Unscored:
        """One case's outcome from its jurors'.

        Unscored unless more than half of the jurors gave a score: the others' silence is not filled in. What a
        published rule counts for silence is averaged like a score. Agreement is that of all who gave one.
        """
        spoken = [_by_name(one.scores) for one in verdicts if isinstance(one, Scored)]
        silent = [_by_name(one.scores) for one in verdicts if isinstance(one, Unscored) and one.scores]
        counted_anyway = {name for scores in silent for name in scores}
        official = [_only(scores, counted_anyway) for scores in (*spoken, *silent)]
        values = [self._value(scores) for scores in spoken]
        agreement = _agreement(self.scale, values)
        if 2 * len(spoken) <= len(verdicts):
            detail = f"{len(spoken)} of {len(verdicts)} jurors gave a verdict"
            scores = (*_means(official), *agreement)
            return Unscored(cause=_shared_cause(verdicts), detail=detail, scores=scores)
        chosen = spoken if self.rule == "mean" else _most_frequent(spoken, values)
        merged = _means([_without(scores, counted_anyway) for scores in chosen])
        return Scored(scores=(*merged, *_means(official), *agreement))

    def _value(self, scores: _Scores) -> float:
        """A verdict as a number: by the first metric that one case has a value in (a mean of groups has none)."""
        found = (metric.reduce(scores[metric.name]) for metric in self.rubric if metric.name in scores)
        return next(value for value in found if value is not None)


def _shared_cause(verdicts: Sequence[Outcome]) -> Cause:
    """The cause that all silent jurors share; where they differ, that a judge was not understood."""
    causes = {one.cause for one in verdicts if isinstance(one, Unscored)}
    return causes.pop() if len(causes) == 1 else Cause.JUDGE_UNPARSED


def _by_name(scores: Sequence[Score]) -> _Scores:
    return {score.name: score.counts for score in scores}


def _only(scores: _Scores, names: set[str]) -> _Scores:
    return {name: counts for name, counts in scores.items() if name in names}


def _without(scores: _Scores, names: set[str]) -> _Scores:
    return {name: counts for name, counts in scores.items() if name not in names}


def _most_frequent(spoken: Sequence[_Scores], values: Sequence[float]) -> Sequence[_Scores]:
    """The scores of the jurors whose verdict more gave than any other; all of them where there is no such."""
    ranked = Counter(values).most_common(2)
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
        return spoken
    return [scores for scores, value in zip(spoken, values, strict=True) if value == ranked[0][0]]


def _means(found: Sequence[_Scores]) -> tuple[Score, ...]:
    """The mean of each metric's vectors over the jurors that have it."""
    names = dict.fromkeys(name for scores in found for name in scores)
    vectors = {name: [scores[name] for scores in found if name in scores] for name in names}
    return tuple(
        Score(name=name, counts=tuple(sum(column) / len(rows) for column in zip(*rows, strict=True)))
        for name, rows in vectors.items()
    )


def _agreement(scale: Scale, values: Sequence[float]) -> tuple[Score, ...]:
    if len(values) < 2:
        return ()
    pairs = list(combinations(values, 2))
    equal = sum(a == b for a, b in pairs)
    counts = _interval_counts(values) if scale == "interval" else _nominal_counts(values)
    return (
        Score(name=AGREEMENT.name, counts=(float(equal), float(len(pairs)))),
        Score(name=ALPHA[scale].name, counts=counts),
    )


def _interval_counts(values: Sequence[float]) -> tuple[float, ...]:
    """Of one case: squared differences over all ordered pairs divided by (m - 1), m, the sum and the sum of squares."""
    within = sum(2.0 * (a - b) ** 2 for a, b in combinations(values, 2)) / (len(values) - 1)
    return within, float(len(values)), sum(values), sum(value * value for value in values)


def _nominal_counts(values: Sequence[float]) -> tuple[float, ...]:
    """Of one case: ordered pairs that differ divided by (m - 1), and how many verdicts there are of each kind."""
    within = sum(2.0 for a, b in combinations(values, 2) if a != b) / (len(values) - 1)
    return within, *(float(sum(value == kind for value in values)) for kind in PREFERENCES)


def outcomes_by_case(jury: Jury, runs: Sequence[Mapping[str, Outcome]]) -> dict[str, Scored | Unscored]:
    """Every case's combined outcome. All runs have the same cases."""
    return {case: jury.combine([run[case] for run in runs]) for case in runs[0]}
