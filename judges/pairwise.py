"""pairwise: two runs' answers against each other, asked in six languages and in both orders.

Our own wording (``prompts/pairwise.<language>.j2``), so nothing published is reproduced. A case counts as won only if
the judge prefers the same answer in both orders; otherwise it is a tie (Zheng et al. 2023, "Judging LLM-as-a-Judge",
section 3.4), and how often that happens is published beside the win rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from evalsuite.contracts import MISSING, Answered, Judge, JudgeOptions, Rows, Rubric
from evalsuite.errors import DataError, UsageError
from evalsuite.metrics import accuracy, probability, right, share
from evalsuite.types import Completion, GenerateRequest, Message, Sample, Score, Scored
from evalsuite.verdicts import Comparison, Preferred, Unparsed, Verdict, Winner

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
from ._markers import preference
from ._prompts import check_wording, fence, render_prompt, render_wording

PROTOCOL = "pairwise-v1"
MAX_TOKENS = 1024
SUFFIX = "pair"
_ORDERS = (("a", "b"), ("b", "a"))
_POINTS = {Winner.A: 1.0, Winner.B: 0.0}
_HALF = 0.5

METRICS = (
    probability("win_rate"),
    accuracy("wins"),
    replace(accuracy("losses"), higher_is_better=False, best=(0.0, 1.0), worst=(1.0, 1.0)),
    accuracy("ties"),
    accuracy("order_consistency"),
    share("first_position"),
)
"""Of the first run against the second: (wins + ties / 2) / n, and the shares of wins, losses and ties.

`order_consistency` is the share of cases judged alike in both orders; `first_position` the share of single verdicts
for the answer shown first, a tie counting half, which is 0.5 for a judge that does not mind the order.
"""


def build(rows: tuple[Rows, ...], options: JudgeOptions) -> Rubric:
    """The rubric. Raises UsageError for a wording that will not do, and where a weighted rating is asked for.

    A wording of the user's own is a Jinja template of the variables of ours; it must ask for the same markers.
    """
    if options.is_weighted:
        raise UsageError("judge pairwise gives preferences and no ratings to be weighted; judge rating does.")
    if options.prompt:
        names = ("token", "is_conversation", "question", "reference", "first", "second")
        check_wording(options.prompt, "pairwise", ("first", "second"), **dict.fromkeys(names, "text"))
    return Rubric(
        cases=_cases,
        render=partial(_render, options),
        parse=_parse,
        score=_score,
        metrics=METRICS,
        ask_again=_ask_again,
    )


def combined(verdicts: tuple[Preferred, ...]) -> Winner:
    """The preference that both orders share, for the answer shown first in the first of them; else a tie."""
    first, second = verdicts
    return first.winner if first.winner is second.winner.swapped else Winner.TIE


def comparisons(
    judged: Iterable[tuple[Sample, tuple[Preferred, ...]]], rater: str, *, each_order: bool = False
) -> tuple[Comparison, ...]:
    """Judged cases as comparisons of the two systems, which a ranking or an agreement takes like human votes.

    One comparison a case, a tie where the orders disagree; with `each_order` one for each order, naming the system
    that was shown first, from which a model of the judge's position bias can be fitted.
    """
    found: list[Comparison] = []
    for case, verdicts in judged:
        if not each_order:
            found.append(_comparison(case, combined(verdicts), rater))
            continue
        for (shown_first, _), verdict in zip(_ORDERS, verdicts, strict=True):
            winner = verdict.winner if shown_first == "a" else verdict.winner.swapped
            found.append(_comparison(case, winner, rater, str(case.metadata[f"system_{shown_first}"])))
    return tuple(found)


def _comparison(case: Sample, winner: Winner, rater: str, shown_first: str = "") -> Comparison:
    return Comparison(
        item=case.id.removesuffix(f"/{SUFFIX}"),
        group=case.cluster_id,
        language=case.language,
        system_a=str(case.metadata["system_a"]),
        system_b=str(case.metadata["system_b"]),
        winner=winner,
        rater=rater,
        shown_first=shown_first,
    )


# -- cases


def _cases(runs: tuple[tuple[Answered, ...], ...]) -> tuple[Sample, ...]:
    """One case for every sample of either run. Raises DataError where the two were asked different questions."""
    first, second = ({answered.sample.id: answered for answered in run} for run in runs)
    return tuple(_case(first.get(name), second.get(name)) for name in first | second)


def _case(a: Answered | None, b: Answered | None) -> Sample:
    if a is None or b is None:
        present = a or b
        assert present is not None
        number = 1 if a is None else 2
        return case_of(present, SUFFIX, {MISSING: f"run {number} has no such sample"})
    if questions(a.sample) != questions(b.sample):
        raise DataError(f"{a.sample.id}: the two runs were asked different questions; judge runs of the same task.")
    systems = {"system_a": a.model, "system_b": b.model}
    problems = [f"run {number}: {why}" for number, one in ((1, a), (2, b)) if (why := reason_missing(one))]
    if problems:
        return case_of(a, SUFFIX, systems | {MISSING: "; ".join(problems)})
    return case_of(a, SUFFIX, systems | numbered("a", answers(a)) | numbered("b", answers(b)))


def _shown(case: Sample) -> tuple[str, ...]:
    """Every text that the judge sees of others."""
    return (*questions(case), *references(case), *listed(case, "a"), *listed(case, "b"))


def _token(case: Sample) -> str:
    return fence(PROTOCOL, case.id, *_shown(case))


# -- asking and reading


def _render(options: JudgeOptions, case: Sample) -> tuple[GenerateRequest, ...]:
    return tuple(_request(options, case, order) for order in _ORDERS)


def _request(options: JudgeOptions, case: Sample, order: tuple[str, str]) -> GenerateRequest:
    token = _token(case)
    first, second = (
        shown_answer(case, f"answer_{letter}", listed(case, side), token)
        for letter, side in zip("AB", order, strict=True)
    )
    content = render_wording(
        options.prompt,
        f"pairwise.{prompt_language(case.language)}",
        token=token,
        is_conversation=len(questions(case)) > 1,
        question=shown_question(case, token),
        reference=shown_reference(case, token),
        first=first,
        second=second,
    )
    prompt = (Message(role="user", content=content),)
    return GenerateRequest(prompt=prompt, max_tokens=options.max_tokens or MAX_TOKENS)


def _ask_again(case: Sample, request: GenerateRequest, reply: Completion) -> GenerateRequest:
    return asked_again(request, reply, render_prompt(f"pairwise_again.{prompt_language(case.language)}"))


def asked_again(request: GenerateRequest, reply: Completion, words: str) -> GenerateRequest:
    """`request` with the judge's `reply` and a further turn that asks for the verdict only."""
    assert not isinstance(request.prompt, str)
    turns = (Message(role="assistant", content=reply.text), Message(role="user", content=words))
    return GenerateRequest(
        prompt=(*request.prompt, *turns), max_tokens=request.max_tokens, num_alternatives=request.num_alternatives
    )


def _parse(case: Sample, reply: Completion) -> Verdict | Unparsed:
    return preference(reply, _shown(case), _token(case))


# -- scores


def _score(case: Sample, verdicts: tuple[Verdict, ...]) -> Scored:
    preferences = tuple(verdict for verdict in verdicts if isinstance(verdict, Preferred))
    first, second = preferences
    winner = combined(preferences)
    shown_first = sum(_POINTS.get(one.winner, _HALF) for one in preferences)
    return Scored(
        scores=(
            Score(name="win_rate", counts=(_POINTS.get(winner, _HALF), 1.0)),
            right("wins", winner is Winner.A),
            right("losses", winner is Winner.B),
            right("ties", winner is Winner.TIE),
            right("order_consistency", first.winner is second.winner.swapped),
            Score(name="first_position", counts=(shown_first, float(len(preferences)))),
        ),
        answer=str(winner),
        explanation=f"{first.winner} in the first order, {second.winner.swapped} in the other",
    )


pairwise = Judge(
    name="pairwise",
    title="Two runs' answers against each other, in six languages and both orders",
    protocol=PROTOCOL,
    version=1,
    build=build,
    num_runs=2,
)
