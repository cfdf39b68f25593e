"""Whether a judge judges as it did: the same frozen answers judged then and now. Pure.

A judge behind a server may change under one name. What a model seems to have lost is then the judge's doing, and no
gate on judged scores says anything until the baseline is judged anew.
"""

from __future__ import annotations

from evalsuite.comparing.pairing import FindMetric, pair
from evalsuite.comparing.sides import Side
from evalsuite.errors import UsageError
from evalsuite.gates import wording
from evalsuite.records import RunSpec
from evalsuite.stats.differences import difference_of
from evalsuite.stats.paired_tests import holm
from evalsuite.text.number_texts import chance_clause, signed


def other_judge(anchors: RunSpec, candidate: RunSpec) -> str:
    """Says so where the anchors were judged by another judge than the candidate, of whom they say nothing."""
    assert anchors.judged is not None
    assert candidate.judged is not None
    theirs, ours = anchors.judged, candidate.judged
    is_same = (theirs.judge, theirs.version, anchors.model) == (ours.judge, ours.version, candidate.model)
    return "" if is_same else "judge drift cannot be ruled out: the anchors were judged by another judge"


def judge_drift(before: Side, after: Side, alpha: float, find_metric: FindMetric) -> str:
    """How the judge drifted between two runs over the same answers, as a sentence; empty where nothing shows it did.

    Two-sided, adjusted for all tasks (Holm). Raises UsageError for runs that are not of one judge over one set of
    answers.
    """
    if before.spec.judged is None or after.spec.judged is None:
        raise UsageError("anchors: both runs must be a judge's; make them with `evalsuite score` over frozen answers.")
    if before.spec.judged.answers_sha256 != after.spec.judged.answers_sha256:
        raise UsageError("anchors: the two runs judge other answers; anchors are answers that never change.")
    pairing = pair(before, after, find_metric)
    if pairing.refused:
        one = pairing.refused[0]
        return f"judge drift: the anchors cannot be compared: {'; '.join(one.reasons)} (then, now)"
    if pairing.missing or not pairing.tasks:
        return "judge drift cannot be ruled out: the anchors judged now lack answers that were judged then"
    found = [
        difference
        for task in pairing.tasks.values()
        for rows in task.rows.values()
        if rows.estimate.is_primary and (difference := difference_of(rows)) is not None
    ]
    if not found:
        return "judge drift cannot be ruled out: none of the anchors has a score on both days"
    for one_found, chance in zip(found, holm([one.p_value for one in found]), strict=True):
        if chance < alpha:
            moved = signed(one_found.difference, one_found.scale)
            return (
                f"judge drift, not model regression: on the frozen answers of {one_found.name} the judge now gives "
                f"{moved} ({wording.interval(one_found)}; {chance_clause(chance)})"
            )
    return ""
