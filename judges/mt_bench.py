"""MT-Bench's judges in FastChat's own words: one answer rated from 1 to 10, or two answers compared.

Paper: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena" (arXiv 2306.05685). Prompts:
``judge_prompts.jsonl`` of lm-sys/FastChat at 0e6d3e4, Apache-2.0, read from the data and pinned by hash. Every question
gives two cases, one a turn; the second shows the whole conversation. Math, reasoning and coding are judged beside the
reference answers; those of 13 questions are listed as wrong in FastChat's pull request 3158, and their cases say so
(`reference_doubtful`). Temperature 0, at most 2,048 tokens.

`mt_bench_single`: FastChat's total is the mean over all rated cases, so it differs from the mean of its two turns where
more of one turn than of the other could not be rated; `mt_bench_balanced` is that mean of means. Replies are read as
FastChat reads them, but a rating off the scale is no rating, and what a judge thinks before it answers is no reply.

`mt_bench_pair`: both orders are asked; winners that differ make a tie. A case with an order that gives no verdict is
dropped. `win_rate_adjusted` counts a tie as half a win.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from evalsuite.contracts import MISSING, Answered, Dataset, Judge, JudgeOptions, Rows, Rubric
from evalsuite.errors import DataError
from evalsuite.metrics import accuracy, probability, share
from evalsuite.text.fastchat import rating_span
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion, GenerateRequest, Message, Sample, Score, Scored
from evalsuite.verdicts import Preferred, Rated, Unparsed, Verdict, Winner

from ._aggregates import WEIGHTED, MeanOfGroups, in_category, mean_rating, rated, score_weighted, weighted_ratings
from ._cases import carried, refuse_prompt, refuse_weighting, the_rating
from ._replies import MT_BENCH_SCALE, mt_bench_rating, mt_bench_winner
from ._weighted import NUM_ALTERNATIVES, weighted_rating

MAX_TOKENS = 2048
CATEGORIES = ("writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem", "humanities")
WITH_REFERENCE = frozenset({"reasoning", "math", "coding"})
DOUBTFUL_REFERENCES = frozenset({104, 105, 109, 111, 113, 114, 120, 122, 124, 125, 126, 128, 130})
"""Questions whose reference answers FastChat's pull request 3158 lists as wrong."""

_SOURCE = "Zheng et al. 2023, arXiv 2306.05685; prompts of lm-sys/FastChat at 0e6d3e4"
_COMMIT = "0e6d3e4beaab66f4d3f93db72541a4abab8af28d"
_PROMPTS = Dataset(
    "lm-sys/mt_bench",
    "",
    "judge_prompts",
    _COMMIT,
    "aa1fcf3e51c6791aaea925ba8aa541af9d7d6a447dec693b7d6fd3f03d98295b",
    8,
    f"https://raw.githubusercontent.com/lm-sys/FastChat/{_COMMIT}/fastchat/llm_judge/data/judge_prompts.jsonl",
)


def _is_turn(turn: str, case: Sample) -> bool:
    return case.id.endswith(f"/turn{turn}")


_TOTAL = mean_rating("mt_bench_total", MT_BENCH_SCALE)
_TURNS = {turn: mean_rating(f"mt_bench_turn{turn}", MT_BENCH_SCALE, partial(_is_turn, turn)) for turn in ("1", "2")}
_BALANCED = MeanOfGroups("mt_bench_balanced", {"1": 1, "2": 1}, MT_BENCH_SCALE)
_BY_CATEGORY = {name: mean_rating(f"mt_bench_{name}", MT_BENCH_SCALE, in_category([name])) for name in CATEGORIES}
_TOTAL_WEIGHTED = weighted_ratings("mt_bench_total", MT_BENCH_SCALE)

_WIN_ADJUSTED = probability("win_rate_adjusted")
_WIN = accuracy("win_rate")
_LOSS = replace(accuracy("loss_rate"), higher_is_better=False, best=(0.0, 1.0), worst=(1.0, 1.0))
_TIE = share("tie_rate")
_CONSISTENCY = share("consistency")


# -- what both judges share --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asking:
    """FastChat's templates by name, and how a judge is asked."""

    templates: Mapping[str, Mapping[str, Any]]
    max_tokens: int
    num_alternatives: int = 0

    def request(self, general: str, case: Sample, answers: Mapping[str, str]) -> GenerateRequest:
        """The template for the case's turn, filled in; `general` is the name of the one without references."""
        turn = int(str(case.metadata["turn"]))
        base = f"{general.partition('-')[0]}-math-v1" if case.category in WITH_REFERENCE else general
        template = self.templates[f"{base}-multi-turn" if turn > 1 else base]
        values = {
            "question": case.turns[0],
            **{f"question_{number}": text for number, text in enumerate(case.turns, start=1)},
            **{f"ref_{name.replace('reference', 'answer')}": text for name, text in _references(case, turn).items()},
            **answers,
        }
        messages = (
            Message(role="system", content=template["system_prompt"]),
            Message(role="user", content=template["prompt_template"].format(**values)),
        )
        return GenerateRequest(
            prompt=messages, max_tokens=self.max_tokens, temperature=0.0, num_alternatives=self.num_alternatives
        )


def _asking(rows: Rows, options: JudgeOptions) -> _Asking:
    return _Asking(
        templates={row["name"]: row for row in rows},
        max_tokens=options.max_tokens or MAX_TOKENS,
        num_alternatives=NUM_ALTERNATIVES if options.is_weighted else 0,
    )


def _references(sample: Sample, turn: int) -> dict[str, str]:
    """The references of the turns up to `turn`; none where the category is judged without."""
    names = [f"reference_{number}" for number in range(1, turn + 1)]
    return carried(sample, *names) if sample.category in WITH_REFERENCE else {}


def _case(sample: Sample, turn: int, answers: Mapping[str, str], missing: str) -> Sample:
    """The case of one turn. Raises DataError for a sample that is not MT-Bench's or lacks a reference it needs."""
    references = _references(sample, turn)
    if sample.category not in CATEGORIES or len(sample.turns) != 2:
        raise DataError(
            f"{sample.id} is no question of MT-Bench: {len(sample.turns)} turns, category {sample.category!r}. "
            "Judge a run of the task mt_bench."
        )
    if sample.category in WITH_REFERENCE and len(references) < turn:
        raise DataError(
            f"{sample.id} is of category {sample.category} but has no reference answer to turn {turn} in its metadata "
            f"(reference_{turn}). Judge a run of the task mt_bench."
        )
    is_doubtful = bool(references) and str(sample.metadata.get("question_id")) in map(str, DOUBTFUL_REFERENCES)
    return Sample(
        id=f"{sample.id}/turn{turn}",
        input=sample.turns[turn - 1],
        language=sample.language,
        turns=sample.turns,
        category=sample.category,
        cluster=sample.cluster_id,
        metadata={
            "turn": str(turn),
            **carried(sample, "question_id"),
            **references,
            **({"reference_doubtful": "lm-sys/FastChat#3158"} if is_doubtful else {}),
            **answers,
            **({MISSING: missing} if missing else {}),
        },
    )


def _answers(answered: Answered, prefix: str, turn: int) -> dict[str, str]:
    """The answers to the turns up to `turn`, as ``<prefix>_1`` and so on; fewer where some are missing."""
    return {f"{prefix}_{number}": text for number, text in enumerate(answered.texts[:turn], start=1)}


def _why_missing(answered: Answered, turn: int) -> str:
    """Why there is no answer to judge in `turn`; empty where there is one."""
    num_answers = len(answered.texts)
    return "" if num_answers >= turn else answered.missing or f"no answer to turn {num_answers + 1}"


# -- one answer rated --------------------------------------------------------------------------------------------


def build_single(rows: tuple[Rows, ...], options: JudgeOptions) -> Rubric:
    """The rubric of `mt_bench_single`. Raises UsageError for a prompt of the user's own."""
    refuse_prompt("mt_bench_single", options)
    weighted = _TOTAL_WEIGHTED if options.is_weighted else ()
    return Rubric(
        cases=_single_cases,
        render=partial(_render_single, _asking(rows[0], options)),
        parse=partial(_parse_single, options.is_weighted),
        score=_score_single,
        metrics=(_TOTAL, *_TURNS.values(), _BALANCED.metric, *_BY_CATEGORY.values(), *weighted),
    )


def _single_cases(runs: tuple[tuple[Answered, ...], ...]) -> tuple[Sample, ...]:
    (answers,) = runs
    return tuple(
        _case(one.sample, turn, _answers(one, "answer", turn), _why_missing(one, turn))
        for one in answers
        for turn in (1, 2)
    )


def _render_single(asking: _Asking, case: Sample) -> tuple[GenerateRequest, ...]:
    answers = carried(case, "answer_1", "answer_2")
    return (asking.request("single-v1", case, {"answer": answers["answer_1"], **answers}),)


def _parse_single(is_weighted: bool, case: Sample, completion: Completion) -> Verdict | Unparsed:
    verdict = mt_bench_rating(without_thinking(completion.text))
    if isinstance(verdict, Unparsed) or not is_weighted:
        return verdict
    expected = weighted_rating(completion, verdict.value, _rating_span)
    return verdict if expected is None else Rated(value=verdict.value, parts=((WEIGHTED, expected),))


def _rating_span(text: str) -> tuple[int, int] | None:
    """Where FastChat finds the rating after the judge's thinking."""
    reply = without_thinking(text)
    span = rating_span(reply)
    start = len(text) - len(reply)
    return (start + span[0], start + span[1]) if span else None


def _score_single(case: Sample, verdicts: tuple[Verdict, ...]) -> Scored:
    verdict = the_rating(verdicts)
    turn = str(case.metadata["turn"])
    return Scored(
        scores=(
            rated(_TOTAL.name, verdict.value),
            rated(_TURNS[turn].name, verdict.value),
            *_BALANCED.score(turn, verdict.value),
            rated(_BY_CATEGORY[case.category].name, verdict.value),
            *score_weighted(_TOTAL_WEIGHTED, verdict),
        ),
        answer=f"{verdict.value:g}",
    )


mt_bench_single = Judge(
    name="mt_bench_single",
    title="MT-Bench: each answer rated from 1 to 10",
    protocol="mt_bench_single-v1",
    version=1,
    build=build_single,
    families=("mt_bench",),
    datasets=(_PROMPTS,),
    source=_SOURCE,
    language="en",
)


# -- two answers compared ----------------------------------------------------------------------------------------


def build_pair(rows: tuple[Rows, ...], options: JudgeOptions) -> Rubric:
    """The rubric of `mt_bench_pair`. Raises UsageError for a prompt of the user's own, and for weighting."""
    refuse_prompt("mt_bench_pair", options)
    refuse_weighting("mt_bench_pair", options)
    return Rubric(
        cases=_pair_cases,
        render=partial(_render_pair, _asking(rows[0], options)),
        parse=_parse_pair,
        score=_score_pair,
        metrics=(_WIN_ADJUSTED, _WIN, _LOSS, _TIE, _CONSISTENCY),
    )


def _pair_cases(runs: tuple[tuple[Answered, ...], ...]) -> tuple[Sample, ...]:
    """Cases of both turns for every question of either run. Raises DataError where the runs asked different things."""
    run_a, run_b = ({one.sample.id: one for one in run} for run in runs)
    return tuple(
        case for name in dict.fromkeys([*run_a, *run_b]) for case in _pair_of_turns(run_a.get(name), run_b.get(name))
    )


def _pair_of_turns(a: Answered | None, b: Answered | None) -> Iterator[Sample]:
    known = [one for one in (a, b) if one is not None]
    sample = known[0].sample
    if sample.turns != known[-1].sample.turns:
        raise DataError(f"{sample.id} is another question in the second run; compare runs of the same data.")
    for turn in (1, 2):
        answers: dict[str, str] = {}
        reasons = []
        for prefix, one in (("a", a), ("b", b)):
            answers |= {f"system_{prefix}": one.model, **_answers(one, prefix, turn)} if one else {}
            why = _why_missing(one, turn) if one else "the run does not hold this question"
            reasons += [f"{prefix}: {why}"] if why else []
        yield _case(sample, turn, answers, "; ".join(reasons))


def _render_pair(asking: _Asking, case: Sample) -> tuple[GenerateRequest, ...]:
    """The first run's answers as A, then as B."""
    return tuple(asking.request("pair-v2", case, _shown(case, first, second)) for first, second in ("ab", "ba"))


def _shown(case: Sample, first: str, second: str) -> dict[str, str]:
    """The template's values when the answers of `first` are shown as assistant A's."""
    values = {}
    for shown_as, letter in (("a", first), ("b", second)):
        answers = carried(case, f"{letter}_1", f"{letter}_2")
        values[f"answer_{shown_as}"] = answers[f"{letter}_1"]
        values |= {f"answer_{shown_as}_{name[-1]}": text for name, text in answers.items()}
    return values


def _parse_pair(case: Sample, completion: Completion) -> Verdict | Unparsed:
    return mt_bench_winner(without_thinking(completion.text))


def _score_pair(case: Sample, verdicts: tuple[Verdict, ...]) -> Scored:
    """FastChat's rule: winners that differ between the orders make a tie."""
    in_order, exchanged = (_winner(verdict) for verdict in verdicts)
    is_consistent = in_order == exchanged.swapped
    winner = in_order if is_consistent else Winner.TIE
    shares = {
        _WIN_ADJUSTED.name: {Winner.A: 1.0, Winner.B: 0.0}.get(winner, 0.5),
        _WIN.name: float(winner == Winner.A),
        _LOSS.name: float(winner == Winner.B),
        _TIE.name: float(winner == Winner.TIE),
        _CONSISTENCY.name: float(is_consistent),
    }
    return Scored(
        scores=tuple(Score(name=name, counts=(value, 1.0)) for name, value in shares.items()), answer=str(winner)
    )


def _winner(verdict: Verdict) -> Winner:
    if not isinstance(verdict, Preferred):
        raise TypeError(f"a preference expected, found {verdict!r}")
    return verdict.winner


mt_bench_pair = Judge(
    name="mt_bench_pair",
    title="MT-Bench: the answers of two runs compared in both orders",
    protocol="mt_bench_pair-v1",
    version=1,
    build=build_pair,
    num_runs=2,
    families=("mt_bench",),
    datasets=(_PROMPTS,),
    source=_SOURCE,
    language="en",
)
