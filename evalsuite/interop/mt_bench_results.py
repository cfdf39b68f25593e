"""Numbers from MT-Bench judgments by evalsuite's own rules.

Rows that say the same count once and rows that contradict each other are refused; what was not parsed is unscored; each
number has its interval, clustered by question, since a judge that is kind to one turn may be kind to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from evalsuite.contracts import Metric
from evalsuite.errors import DataError
from evalsuite.interop.judged import Coverage, Judged, Part, grouped
from evalsuite.interop.mt_bench_files import TURNS, PairJudgment, SingleJudgment, merge_equal, with_baseline
from evalsuite.metrics import MEAN, accuracy, mean, mean_of_means, means_formula, probability, right, share
from evalsuite.types import Cause, Sample, Score, Scored, Unscored
from evalsuite.verdicts import Winner

BENCHMARK = "mt_bench"
QUESTIONS = range(81, 161)
CATEGORIES = ("writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem", "humanities")
"""Ten questions each, in the order of their ids."""
SCALE = (1.0, 10.0)
_CATEGORY = {str(question): CATEGORIES[(question - QUESTIONS.start) // 10] for question in QUESTIONS}
_WITH_REFERENCE = {"math", "reasoning", "coding"}
_MATCHES = len(QUESTIONS) * len(TURNS)
Judgment = TypeVar("Judgment", SingleJudgment, PairJudgment)


def category_of(question: str) -> str | None:
    """The category of a question by its id; None for one that is not MT-Bench's."""
    return _CATEGORY.get(question)


# -- ratings


def _rating(name: str) -> Metric:
    """The mean rating; counts are (rating, 1)."""
    return Metric(name, mean, bounds=SCALE, best=(SCALE[1], 1.0), worst=(SCALE[0], 1.0), formula=MEAN)


_BOTH_TURNS = (1, 1)
"""The weights of the turns' means in their mean, which unequal failures do not tilt."""


def _rating_parts() -> tuple[Part, ...]:
    """The metrics of judge ``mt_bench_single``, each with the samples it is about."""
    turns = [(_rating(f"{BENCHMARK}_turn{turn}"), partial(_is_turn, turn)) for turn in TURNS]
    categories = [(_rating(f"{BENCHMARK}_{name}"), partial(_is_category, name)) for name in CATEGORIES]
    balanced = Metric(
        f"{BENCHMARK}_balanced",
        partial(mean_of_means, _BOTH_TURNS),
        bounds=SCALE,
        formula=means_formula(_BOTH_TURNS),
    )
    return (_rating(f"{BENCHMARK}_total"), _is_any), *turns, *categories, (balanced, _is_any)


def _is_any(sample: Sample) -> bool:
    return True


def _is_turn(turn: int, sample: Sample) -> bool:
    return sample.metadata["turn"] == turn


def _is_category(category: str, sample: Sample) -> bool:
    return sample.category == category


def rate(judgments: Sequence[SingleJudgment]) -> tuple[Judged, ...]:
    """Each model under each judge: means with intervals, by turn and category, and what is missing.

    Raises DataError for a question that is not MT-Bench's, a rating outside 1 to 10, and rows that contradict another.
    """
    for judgment in judgments:
        _check_question(judgment)
        if judgment.rating is not None and not SCALE[0] <= judgment.rating <= SCALE[1]:
            raise DataError(
                f"{judgment.where}: 'score' is {judgment.rating:g}, outside MT-Bench's scale of 1 to 10 (-1 stands for "
                "none); correct the row, or take --rule fastchat, which counts it."
            )
    return tuple(map(_rate, grouped(judgments, lambda one: (one.model, one.judge)).values()))


def _rate(rows: Sequence[SingleJudgment]) -> Judged:
    judgments, model = merge_equal(rows), rows[0].model
    outcomes = [(_sample(one), _rating_outcome(one)) for one in judgments]
    return Judged(
        benchmark=BENCHMARK,
        rubric=f"{BENCHMARK}_single",
        model=model,
        judge=rows[0].judge,
        protocol=_protocol("single", judgments),
        templates=_templates(judgments),
        parts=_rating_parts(),
        outcomes=outcomes,
        expected=_expected(judgments),
        num_merged=len(rows) - len(judgments),
        asked=_asked(judgments, ("",)),
    )


def _rating_outcome(judgment: SingleJudgment) -> Scored | Unscored:
    if judgment.rating is None:
        return Unscored(cause=Cause.JUDGE_UNPARSED, detail="FastChat's -1: no rating found in the judge's text")
    counts = (judgment.rating, 1.0)
    names = ("total", f"turn{judgment.turn}", str(category_of(judgment.question)))
    balanced = (*counts, 0.0, 0.0) if judgment.turn == 1 else (0.0, 0.0, *counts)
    scores = [Score(name=f"{BENCHMARK}_{name}", counts=counts) for name in names]
    return Scored(scores=(*scores, Score(name=f"{BENCHMARK}_balanced", counts=balanced)))


# -- comparisons


_ADJUSTED = probability("win_rate_adjusted")
_WIN = accuracy("win_rate")
_LOSS = replace(accuracy("loss_rate"), higher_is_better=False, best=(0.0, 1.0), worst=(1.0, 1.0))
_TIE, _CONSISTENCY = share("tie_rate"), share("consistency")
_PAIR_PARTS: tuple[Part, ...] = tuple((metric, _is_any) for metric in (_ADJUSTED, _WIN, _LOSS, _TIE, _CONSISTENCY))


def compare(judgments: Sequence[PairJudgment], baseline: str = "") -> tuple[Judged, ...]:
    """Each pair of models under each judge, as seen by the first named, or by the one that is not the `baseline`.

    Raises DataError for a question that is not MT-Bench's and for rows that contradict another, UsageError for a
    baseline that no row has.
    """
    judgments = with_baseline(judgments, baseline)
    for judgment in judgments:
        _check_question(judgment)
    pairs = grouped(judgments, lambda one: (frozenset((one.model_1, one.model_2)), one.judge))
    return tuple(_compare(rows, baseline) for rows in pairs.values())


def _compare(rows: Sequence[PairJudgment], baseline: str) -> Judged:
    judgments, first = merge_equal(rows), rows[0]
    is_turned = first.model_1 == baseline
    model, against = (first.model_2, first.model_1) if is_turned else (first.model_1, first.model_2)
    outcomes = [(_sample(one), _pair_outcome(model, one)) for one in judgments]
    return Judged(
        benchmark=BENCHMARK,
        rubric=f"{BENCHMARK}_pair",
        model=model,
        judge=first.judge,
        protocol=_protocol("pair", judgments),
        templates=_templates(judgments),
        parts=_PAIR_PARTS,
        outcomes=outcomes,
        expected=_expected(judgments),
        num_merged=len(rows) - len(judgments),
        against=against,
        asked=_asked(judgments, ("g1_", "g2_")),
    )


def _pair_outcome(model: str, judgment: PairJudgment) -> Scored | Unscored:
    winner = judgment.seen_by(model)
    if winner is None or not judgment.is_rated:
        return Unscored(cause=Cause.JUDGE_UNPARSED, detail="FastChat found no verdict in a judge's text")
    points = {Winner.A: 1.0, Winner.B: 0.0}.get(winner, 0.5)
    scores = [
        Score(name=_ADJUSTED.name, counts=(points, 1.0)),
        right(_WIN.name, winner == Winner.A),
        right(_LOSS.name, winner == Winner.B),
        right(_TIE.name, winner == Winner.TIE),
    ]
    if not judgment.is_by_rating:  # there, one comparison stands for both orders
        scores.append(right(_CONSISTENCY.name, judgment.games[0] == judgment.games[1]))
    return Scored(scores=tuple(scores))


# -- what both share


def _check_question(judgment: SingleJudgment | PairJudgment) -> None:
    if category_of(judgment.question) is None:
        raise DataError(
            f"{judgment.where}: question {judgment.question[:40]} is not one of MT-Bench's, "
            f"{QUESTIONS.start} to {QUESTIONS.stop - 1}; --rule fastchat takes other benchmarks' files too."
        )


def _sample(judgment: SingleJudgment | PairJudgment) -> Sample:
    """The judged turn; both turns of a question are one cluster."""
    cluster = f"{BENCHMARK}:{judgment.question}"
    return Sample(
        id=f"{cluster}/turn{judgment.turn}",
        input="",
        language="en",
        category=str(category_of(judgment.question)),
        cluster=cluster,
        metadata={"turn": judgment.turn},
    )


def _expected(judgments: Sequence[Judgment]) -> Coverage:
    there = {(one.turn, one.question) for one in judgments}
    missing = {
        f"turn{turn}": tuple(question for question in QUESTIONS if (turn, str(question)) not in there) for turn in TURNS
    }
    return Coverage(n=0, expected=_MATCHES, missing=missing)


def _asked(judgments: Sequence[Judgment], games: Sequence[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """The judge's prompts and replies by sample, one a game; FastChat's files hold them, other tools' may not."""
    found = {}
    for one in judgments:
        texts = [(one.content.get(f"{game}user_prompt"), one.content.get(f"{game}judgment")) for game in games]
        told = tuple((prompt, reply) for prompt, reply in texts if isinstance(prompt, str) and isinstance(reply, str))
        if len(told) == len(games):
            found[_sample(one).id] = told
    return found


def _templates(judgments: Sequence[Judgment]) -> tuple[str, ...]:
    return tuple(sorted({one.template for one in judgments}))


def _protocol(mode: str, judgments: Sequence[Judgment]) -> str:
    """The official protocol where every row has the template it prescribes, else the templates that were used."""
    is_official = all(one.template == _official_template(mode, one.question, one.turn) for one in judgments)
    name = f"{BENCHMARK}_{mode}-v1" if is_official else f"{BENCHMARK}_{mode}:{'+'.join(_templates(judgments))}"
    return f"{name}@{judgments[0].judge}"


def _official_template(mode: str, question: str, turn: int) -> str:
    plain = {"single": "single-v1", "pair": "pair-v2"}[mode]
    name = f"{mode}-math-v1" if category_of(question) in _WITH_REFERENCE else plain
    return name if turn == 1 else f"{name}-multi-turn"
