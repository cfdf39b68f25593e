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


ALPHA = Metric("jury_alpha", alpha, bounds=(-1.0, 1.0))


def combine(name: str, verdicts: Sequence[Outcome], rule: Rule) -> Scored | Unscored:
    """One case's outcome from its jurors'; `name` is the headline metric.

    Unscored unless more than half of the jurors gave a score: the others' silence is not filled in. What a published
    rule counts for silence is averaged like a score.
    """
    found = [_by_name(one.scores) for one in verdicts if isinstance(one, Scored)]
    silent = [_by_name(one.scores) for one in verdicts if isinstance(one, Unscored) and one.scores]
    if 2 * len(found) <= len(verdicts):
        detail = f"{len(found)} of {len(verdicts)} jurors gave a verdict"
        official = _means([*found, *silent], frozenset(name for scores in silent for name in scores))
        return Unscored(cause=_shared_cause(verdicts), detail=detail, scores=official)
    chosen = _most_frequent(found) if rule == "majority" else None
    merged = _means([chosen] if chosen and not silent else [*found, *silent])
    return Scored(scores=(*merged, *_agreement([scores[name] for scores in found if name in scores])))


def _shared_cause(verdicts: Sequence[Outcome]) -> Cause:
    """The cause that all silent jurors share; where they differ, that a judge was not understood."""
    causes = {one.cause for one in verdicts if isinstance(one, Unscored)}
    return causes.pop() if len(causes) == 1 else Cause.JUDGE_UNPARSED


_Scores = Mapping[str, tuple[float, ...]]


def _by_name(scores: Sequence[Score]) -> _Scores:
    return {score.name: score.counts for score in scores}


def _most_frequent(found: Sequence[_Scores]) -> _Scores | None:
    """The whole verdict that more jurors gave than any other; None where there is none, and the mean is taken."""
    ranked = Counter(tuple(sorted(scores.items())) for scores in found).most_common(2)
    is_clear = len(ranked) == 1 or ranked[0][1] > ranked[1][1]
    return dict(ranked[0][0]) if is_clear else None


def _means(found: Sequence[_Scores], wanted: frozenset[str] | None = None) -> tuple[Score, ...]:
    """The mean of each metric's vectors over the jurors that have it."""
    names = dict.fromkeys(name for scores in found for name in scores if wanted is None or name in wanted)
    vectors = {name: [scores[name] for scores in found if name in scores] for name in names}
    return tuple(
        Score(name=name, counts=tuple(sum(column) / len(rows) for column in zip(*rows, strict=True)))
        for name, rows in vectors.items()
    )


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
