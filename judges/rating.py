"""rating: one run's answers from 1 to 10, asked in six languages.

Our own wording (``prompts/rating.<language>.j2``), so nothing published is reproduced. A rating says less than a
comparison: judges use the scale each in their own way, so values of different judging models do not compare.
"""

from __future__ import annotations

from functools import partial

import msgspec

from evalsuite.contracts import MISSING, Answered, Judge, JudgeOptions, Rows, Rubric
from evalsuite.types import Completion, GenerateRequest, Message, Sample, Scored
from evalsuite.verdicts import Unparsed, Verdict

from ._aggregates import WEIGHTED, mean_rating, rated, score_weighted, weighted_ratings
from ._cases import the_rating
from ._conversations import (
    answers,
    case_of,
    listed,
    numbered,
    prompt_language,
    questions,
    reason_missing,
    references,
    shown_answer,
    shown_question,
    shown_reference,
)
from ._markers import HIGH, LOW, last_rating_span
from ._markers import rating as read_rating
from ._prompts import check_wording, fence, render_prompt, render_wording
from ._weighted import NUM_ALTERNATIVES, weighted_rating
from .pairwise import asked_again

PROTOCOL = "rating-v1"
MAX_TOKENS = 1024
SUFFIX = "rating"
SCALE = (LOW, HIGH)

_RATING = mean_rating("rating", SCALE)
_WEIGHTED_RATINGS = weighted_ratings("rating", SCALE)


def build(rows: tuple[Rows, ...], options: JudgeOptions) -> Rubric:
    """The rubric; weighted, it has two metrics more. Raises UsageError for a wording that will not do.

    A wording of the user's own is a Jinja template of the variables of ours; it must ask for the same marker.
    """
    if options.prompt:
        variables = ("token", "is_conversation", "question", "reference", "answer")
        check_wording(options.prompt, "rating", ("answer",), **dict.fromkeys(variables, "text"))
    return Rubric(
        cases=_cases,
        render=partial(_render, options),
        parse=partial(_parse, options.is_weighted),
        score=_score,
        metrics=(_RATING, *(_WEIGHTED_RATINGS if options.is_weighted else ())),
        ask_again=_ask_again,
    )


def _cases(runs: tuple[tuple[Answered, ...], ...]) -> tuple[Sample, ...]:
    (run,) = runs
    return tuple(_case(answered) for answered in run)


def _case(answered: Answered) -> Sample:
    missing = reason_missing(answered)
    return case_of(answered, SUFFIX, {MISSING: missing} if missing else numbered("answer", answers(answered)))


def _shown(case: Sample) -> tuple[str, ...]:
    """Every text that the judge sees of others."""
    return (*questions(case), *references(case), *listed(case, "answer"))


def _token(case: Sample) -> str:
    return fence(PROTOCOL, case.id, *_shown(case))


def _render(options: JudgeOptions, case: Sample) -> tuple[GenerateRequest, ...]:
    token = _token(case)
    content = render_wording(
        options.prompt,
        f"rating.{prompt_language(case.language)}",
        token=token,
        is_conversation=len(questions(case)) > 1,
        question=shown_question(case, token),
        reference=shown_reference(case, token),
        answer=shown_answer(case, "answer", listed(case, "answer"), token),
    )
    request = GenerateRequest(
        prompt=(Message(role="user", content=content),),
        max_tokens=options.max_tokens or MAX_TOKENS,
        num_alternatives=NUM_ALTERNATIVES if options.is_weighted else 0,
    )
    return (request,)


def _ask_again(case: Sample, request: GenerateRequest, reply: Completion) -> GenerateRequest:
    return asked_again(request, reply, render_prompt(f"rating_again.{prompt_language(case.language)}"))


def _parse(is_weighted: bool, case: Sample, reply: Completion) -> Verdict | Unparsed:
    found = read_rating(reply, _shown(case), _token(case))
    if isinstance(found, Unparsed) or not is_weighted:
        return found
    weighted = weighted_rating(reply, found.value, last_rating_span)
    return found if weighted is None else msgspec.structs.replace(found, parts=((WEIGHTED, weighted),))


def _score(case: Sample, verdicts: tuple[Verdict, ...]) -> Scored:
    verdict = the_rating(verdicts)
    scores = (rated(_RATING.name, verdict.value), *score_weighted(_WEIGHTED_RATINGS, verdict))
    return Scored(scores=scores, answer=f"{verdict.value:g}")


rating = Judge(
    name="rating",
    title="One run's answers rated from 1 to 10, in six languages",
    protocol=PROTOCOL,
    version=1,
    build=build,
)
