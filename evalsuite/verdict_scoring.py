"""From a judge's replies to scores: what is asked about a case, what the replies say, and what that scores. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.contracts import MISSING, Rubric
from evalsuite.records import SampleRecord
from evalsuite.types import Cause, Completion, GenerateRequest, Replies, Response, Sample, Scored, Unscored
from evalsuite.verdicts import Unparsed, Verdict


def next_requests(rubric: Rubric, case: Sample, replies: Replies) -> tuple[GenerateRequest, ...]:
    """What the judge is asked about `case`: once, and in judges of our own once more where a reply says nothing."""
    if MISSING in case.metadata:
        return ()
    if not replies:
        return rubric.render(case)
    if len(replies) > 1 or rubric.ask_again is None:
        return ()
    asked = zip(rubric.render(case), _texts(replies[0]), strict=True)
    return tuple(
        rubric.ask_again(case, request, reply)
        for request, reply in asked
        if isinstance(rubric.parse(case, reply), Unparsed)
    )


def score(rubric: Rubric, case: Sample, replies: Replies) -> Scored | Unscored:
    """The case's scores; unscored where there was no answer to judge, or a reply holds no verdict."""
    if MISSING in case.metadata:
        return Unscored(cause=Cause.MISSING_RESPONSE, detail=str(case.metadata[MISSING]))
    verdicts = verdicts_of(rubric, case, replies)
    parsed = tuple(found for found in verdicts if not isinstance(found, Unparsed))
    if len(parsed) == len(verdicts):
        return rubric.score(case, parsed)
    reasons = "; ".join(found.reason for found in verdicts if isinstance(found, Unparsed))
    counted = rubric.score_unparsed(case) if rubric.score_unparsed else ()
    return Unscored(cause=Cause.JUDGE_UNPARSED, detail=reasons, scores=counted)


def verdicts_of(rubric: Rubric, case: Sample, replies: Replies) -> tuple[Verdict | Unparsed, ...]:
    """What each request about `case` came to, a second asking in place of a first reply that said nothing.

    Nothing at all where one of the requests failed: what is left could not be told apart.
    """
    if any(not isinstance(reply, Completion) for wave in replies for reply in wave):
        return ()
    again = iter(_texts(replies[1]) if len(replies) > 1 else ())
    first = [rubric.parse(case, reply) for reply in _texts(replies[0])] if replies else []
    return tuple(
        rubric.parse(case, next(again)) if isinstance(found, Unparsed) and len(replies) > 1 else found
        for found in first
    )


def replies_of(record: SampleRecord) -> Replies:
    """A stored sample's replies, wave by wave."""
    waves: dict[int, list[Response]] = {}
    for item, reply in zip(record.items, record.responses, strict=True):
        waves.setdefault(item.wave, []).append(reply)
    return tuple(tuple(waves[wave]) for wave in sorted(waves))


def _texts(wave: Sequence[object]) -> tuple[Completion, ...]:
    return tuple(reply for reply in wave if isinstance(reply, Completion))
