"""BELLE's judge in its own words: each answer scored from 0 to 1, most of them against a standard answer.

Papers: Ji et al. 2023, "Towards Better Instruction Following Language Models for Chinese" (arXiv 2304.07854), and Sun
et al. 2023, on full-parameter and LoRA-based fine-tuning (arXiv 2304.08109). Prompts: ``eval_prompt.json`` of
LianjiaTech/BELLE at 645084d, read from the data and pinned by hash, put together as its page ``ChatGPT_Score.html``
does. That page looks a prompt up by the exact class name and so finds none for 337 of the 1,000 questions; here case
and no-break spaces do not matter. Temperature 0, at most 3,000 tokens.

How a score is read from a reply is not published; our rule is `belle_score`. Replies without one are left out and
counted. Aggregation as in the papers: the mean of nine class means, math and code together being `others`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from evalsuite.contracts import Answered, Dataset, Judge, JudgeOptions, Rows, Rubric
from evalsuite.errors import DataError
from evalsuite.text.labels import plain_label
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion, GenerateRequest, Message, Sample, Scored
from evalsuite.verdicts import Unparsed, Verdict

from ._aggregates import MeanOfGroups, mean_rating, rated
from ._cases import answer_case, carried, refuse_prompt, refuse_weighting, the_rating
from ._replies import BELLE_SCALE, belle_score

MAX_TOKENS = 3000
OTHERS = "others"
CLASSES = (
    *("rewrite", "classification", "generation", "summarization"),
    *("extract", "open qa", "brainstorming", "closed qa"),
)
"""The classes that are averaged one by one; math and code are averaged together as `OTHERS`."""

_MERGED = {"math": OTHERS, "code": OTHERS}
_WITHOUT_STANDARD = frozenset({"generation", "brainstorming", "rewrite"})
_COMMIT = "645084d36454cdeb4e7f1ce9b2f3426bac39f1f9"
_PROMPTS = Dataset(
    "BelleGroup/BELLE_eval",
    "",
    "eval_prompt",
    _COMMIT,
    "8490d8df80618f7c01b74f2add6c114ee69fa220abc9c9b4b8c96805fe69a84e",
    11,
    f"https://raw.githubusercontent.com/LianjiaTech/BELLE/{_COMMIT}/eval/eval_prompt.json",
)

_MACRO9 = MeanOfGroups("belle_macro9", dict.fromkeys((OTHERS, *CLASSES), 1), BELLE_SCALE)
_MACRO8 = MeanOfGroups(
    "belle_macro8",
    dict.fromkeys(CLASSES, 1),
    BELLE_SCALE,
    alias="score_w/o_others",
    applies=lambda case: _group(case.category) != OTHERS,
)


def _group(category: str) -> str:
    return _MERGED.get(category, category)


def _is_of(group: str, case: Sample) -> bool:
    return _group(case.category) == group


_BY_CLASS = {
    name: mean_rating(f"belle_{name.replace(' ', '_')}", BELLE_SCALE, partial(_is_of, name), alias=name)
    for name in (OTHERS, *CLASSES)
}


def build(rows: tuple[Rows, ...], options: JudgeOptions) -> Rubric:
    """The rubric. Raises UsageError for a prompt of the user's own, and for weighting."""
    refuse_prompt("belle", options)
    refuse_weighting("belle", options)
    prompts = {plain_label(row["class"]): str(row["prompt"]) for row in rows[0]}
    return Rubric(
        cases=_cases,
        render=partial(_render, prompts, options.max_tokens or MAX_TOKENS),
        parse=_parse,
        score=_score,
        metrics=(_MACRO9.metric, _MACRO8.metric, *_BY_CLASS.values()),
    )


def _cases(runs: tuple[tuple[Answered, ...], ...]) -> tuple[Sample, ...]:
    (answers,) = runs
    return tuple(_case(one) for one in answers)


def _case(answered: Answered) -> Sample:
    """The case. Raises DataError for a sample whose class BELLE does not have."""
    sample = answered.sample
    if _group(sample.category) not in _BY_CLASS:
        raise DataError(
            f"{sample.id} is no question of BELLE's: class {sample.category!r}. Judge a run of the task belle."
        )
    return answer_case(answered, "score", carried(sample, "question_id"))


def _render(prompts: Mapping[str, str], max_tokens: int, case: Sample) -> tuple[GenerateRequest, ...]:
    """The page's request; its spaces are not the same with and without a standard answer."""
    answer = case.metadata["answer_1"]
    if case.category in _WITHOUT_STANDARD:
        shown = f"  模型回答： '{answer}'"
    else:
        shown = f" 标准回答:{case.target}  模型回答：' {answer}'"
    text = f"{prompts[case.category]} {case.input}{shown}。请针对模型回答给出得分，顺便给出理由："
    return (GenerateRequest(prompt=(Message(role="user", content=text),), max_tokens=max_tokens, temperature=0.0),)


def _parse(case: Sample, completion: Completion) -> Verdict | Unparsed:
    return belle_score(without_thinking(completion.text), is_cut=completion.stop_reason == "length")


def _score(case: Sample, verdicts: tuple[Verdict, ...]) -> Scored:
    verdict = the_rating(verdicts)
    group = _group(case.category)
    return Scored(
        scores=(
            *_MACRO9.score(group, verdict.value),
            *_MACRO8.score(group, verdict.value),
            rated(_BY_CLASS[group].name, verdict.value),
        ),
        answer=f"{verdict.value:g}",
    )


belle = Judge(
    name="belle",
    title="BELLE: each answer scored from 0 to 1",
    protocol="belle-v1",
    version=1,
    build=build,
    families=("belle",),
    datasets=(_PROMPTS,),
    source="Ji et al. 2023, arXiv 2304.07854; Sun et al. 2023, arXiv 2304.08109; prompts of LianjiaTech/BELLE",
    language="zh",
)
