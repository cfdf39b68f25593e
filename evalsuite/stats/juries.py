"""Several judges of the same cases: one score a case, and how far the judges agree. Pure.

A case's score under a judge is the vector of counts that the metric sums; jurors' vectors are averaged, or the one that
most of them gave is taken. Agreement metrics are functions of sums too, so that their intervals come like all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from evalsuite.contracts import Metric
from evalsuite.metrics import share
from evalsuite.types import Cause, Outcome, Score, Scored, Unscored

Rule = Literal["mean", "majority"]

AGREEMENT = share("jury_agreement")
"""Share of pairs of jurors that gave a case the same headline score."""


def alpha(counts: tuple[float, ...]) -> float | None:
    """Krippendorff's alpha for interval data; counts are those of `_alpha_counts`, summed.

    1 is perfect agreement, 0 what chance gives, below 0 systematic disagreement. None where all values are equal, since
    nothing is left to be explained then. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section D.
    """
    within, n, total, squares = counts
    if n < 2:
        return None
    expected = 2.0 * (n * squares - total * total) / (n * (n - 1.0))
    return None if expected <= 1e-12 else 1.0 - (within / n) / expected


ALPHA = Metric("jury_alpha", alpha)


def combine(name: str, verdicts: Sequence[Outcome], rule: Rule) -> Scored | Unscored:
    """One case's outcome from its jurors'; `name` is the headline metric.

    Unscored unless more than half of the jurors gave a score: the others' silence is not filled in.
    """
    found = [{score.name: score for score in one.scores} for one in verdicts if isinstance(one, Scored)]
    if 2 * len(found) <= len(verdicts):
        return Unscored(cause=Cause.JUDGE_UNPARSED, detail=f"{len(found)} of {len(verdicts)} jurors gave a verdict")
    names = dict.fromkeys(metric for scores in found for metric in scores)
    merged = tuple(
        Score(name=metric, counts=_merged([scores[metric].counts for scores in found if metric in scores], rule))
        for metric in names
    )
    values = [scores[name].counts for scores in found if name in scores]
    return Scored(scores=(*merged, *_agreement(values)))


def _merged(vectors: Sequence[tuple[float, ...]], rule: Rule) -> tuple[float, ...]:
    """The mean of `vectors`, or the one that more jurors gave than any other; where there is none, the mean."""
    if rule == "majority":
        ranked = Counter(vectors).most_common(2)
        if len(ranked) == 1 or ranked[0][1] > ranked[1][1]:
            return ranked[0][0]
    return tuple(sum(column) / len(vectors) for column in zip(*vectors, strict=True))


def _agreement(values: Sequence[tuple[float, ...]]) -> tuple[Score, ...]:
    if len(values) < 2:
        return ()
    pairs = list(combinations(values, 2))
    equal = sum(a == b for a, b in pairs)
    return (
        Score(name=AGREEMENT.name, counts=(float(equal), float(len(pairs)))),
        Score(name=ALPHA.name, counts=_alpha_counts([value[0] / value[1] for value in values])),
    )


def _alpha_counts(values: Sequence[float]) -> tuple[float, ...]:
    """Of one case: squared differences over all ordered pairs divided by (m - 1), m, the sum and the sum of squares."""
    within = sum(2.0 * (a - b) ** 2 for a, b in combinations(values, 2)) / (len(values) - 1)
    return within, float(len(values)), sum(values), sum(value * value for value in values)


def outcomes_by_case(runs: Sequence[Mapping[str, Outcome]], name: str, rule: Rule) -> dict[str, Scored | Unscored]:
    """Every case's combined outcome. All runs have the same cases."""
    return {case: combine(name, [run[case] for run in runs], rule) for case in runs[0]}
