"""AlignBench's judge: each answer is compared with a reference that is worth 8, and rated from 1 to 10.

Paper: Liu et al. 2023, "AlignBench: Benchmarking Chinese Alignment of Large Language Models" (arXiv 2311.18743). Code
read: THUDM/AlignBench at 5b79d4a. Dimensions, scale, extraction and aggregation are the published ones; the request's
wording is our own (``prompts/alignbench.zh.j2``), so its protocol is ``alignbench-own-v1``. It differs from the
published one in form too: texts stand between fences, and a reply without a rating is asked for once more.

The official wording, or any other, comes from ``--judge_prompt FILE``, and the protocol is then ``alignbench-file-``
and the first eight digits of the file's sha256. In the file ``{category}``, ``{question}``, ``{reference}``,
``{answer}`` and ``{dimensions}`` are filled in, where ``{dimensions}`` is one line for each, ``1. name: definition``;
``{{`` and ``}}`` stand for single braces, as in Python's format strings, and other single braces for themselves. The
definitions are ours unless the file says others: after a line ``=== dimensions ===`` it may hold them as a JSON object
by name, and AlignBench's ``config/dimension_definition.json`` is one. There is one user message, nothing is asked
twice, and the texts stand in it as they are.

Aggregation: 中文推理 is the mean of two category means, 中文语言 of the other six, and the total the mean of both.
`alignbench_total` leaves out replies without a rating, `alignbench_total_official` counts each as -1, as the official
script does, which lets ratings off the scale into its means too; here they are none. Temperature 0. The official call
sets no limit of tokens; ours is 2,048.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from evalsuite.contracts import Answered, Judge, JudgeOptions, Rows, Rubric
from evalsuite.errors import DataError, UsageError
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion, GenerateRequest, Message, Sample, Score, Scored
from evalsuite.verdicts import Unparsed, Verdict

from ._aggregates import MeanOfGroups, in_category, mean_rating, rated
from ._alignbench_rules import (
    CATEGORIES,
    DEFINITIONS,
    DIMENSIONS,
    DIMENSIONS_OF,
    LANGUAGE_CATEGORIES,
    REASONING_CATEGORIES,
)
from ._cases import answer_case, carried, refuse_weighting, the_rating
from ._prompts import fence, fenced, render_prompt
from ._replies import ALIGNBENCH_SCALE, OVERALL, alignbench_rating

MAX_TOKENS = 2048
PROTOCOL = "alignbench-own-v1"
OFFICIAL_FAILURE = -1.0
"""What the official script writes for a reply without a rating, and averages in."""

_DEFINITIONS_FOLLOW = "\n=== dimensions ===\n"
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(category|question|reference|answer|dimensions)\}")
_NEEDED = ("{question}", "{answer}")

_TOTAL_WEIGHTS = dict.fromkeys(REASONING_CATEGORIES, 3) | dict.fromkeys(LANGUAGE_CATEGORIES, 1)
"""Each half of the total weighs the same: two categories at 3, six at 1."""
_TOTAL = MeanOfGroups("alignbench_total", _TOTAL_WEIGHTS, ALIGNBENCH_SCALE, alias="总分")
_REASONING = MeanOfGroups(
    "alignbench_reasoning",
    dict.fromkeys(REASONING_CATEGORIES, 1),
    ALIGNBENCH_SCALE,
    alias="中文推理",
    applies=in_category(REASONING_CATEGORIES),
)
_LANGUAGE = MeanOfGroups(
    "alignbench_language",
    dict.fromkeys(LANGUAGE_CATEGORIES, 1),
    ALIGNBENCH_SCALE,
    alias="中文语言",
    applies=in_category(LANGUAGE_CATEGORIES),
)
_OFFICIAL = MeanOfGroups(
    "alignbench_total_official", _TOTAL_WEIGHTS, (OFFICIAL_FAILURE, ALIGNBENCH_SCALE[1]), alias="总分"
)
_BY_CATEGORY = {
    name: mean_rating(f"alignbench_{english}", ALIGNBENCH_SCALE, in_category([name]), alias=name)
    for name, english in CATEGORIES.items()
}


def _has_dimension(name: str, case: Sample) -> bool:
    return name in DIMENSIONS_OF.get(str(case.metadata.get("subcategory")), ())


_BY_DIMENSION = {
    name: mean_rating(f"alignbench_{english}", ALIGNBENCH_SCALE, partial(_has_dimension, name), alias=name)
    for name, english in DIMENSIONS.items()
}


def build(rows: tuple[Rows, ...], options: JudgeOptions) -> Rubric:
    """The rubric. Raises UsageError for a prompt file that cannot be used, and for weighting."""
    refuse_weighting("alignbench", options)
    max_tokens = options.max_tokens or MAX_TOKENS
    wording = _wording(options.prompt) if options.prompt else None
    return Rubric(
        cases=_cases,
        render=partial(_render_file, wording, max_tokens) if wording else partial(_render_own, max_tokens),
        parse=_parse,
        score=_score,
        metrics=(
            *(part.metric for part in (_TOTAL, _REASONING, _LANGUAGE)),
            *_BY_CATEGORY.values(),
            *_BY_DIMENSION.values(),
            _OFFICIAL.metric,
        ),
        ask_again=None if wording else _ask_again,
        score_unparsed=score_unparsed,
    )


# -- cases -------------------------------------------------------------------------------------------------------


def _cases(runs: tuple[tuple[Answered, ...], ...]) -> tuple[Sample, ...]:
    (answers,) = runs
    return tuple(_case(one) for one in answers)


def _case(answered: Answered) -> Sample:
    """The case. Raises DataError for a sample that is not AlignBench's."""
    sample = answered.sample
    subcategory = sample.metadata.get("subcategory", "")
    if sample.category not in CATEGORIES or subcategory not in DIMENSIONS_OF or not sample.target:
        raise DataError(
            f"{sample.id} is no question of AlignBench: category {sample.category!r}, subcategory {subcategory!r}, "
            f"{'a' if sample.target else 'no'} reference. Judge a run of the task alignbench."
        )
    return answer_case(answered, "rating", carried(sample, "subcategory", "question_id"))


def _dimensions(case: Sample) -> tuple[str, ...]:
    return DIMENSIONS_OF[str(case.metadata["subcategory"])]


# -- our own wording ---------------------------------------------------------------------------------------------


def _render_own(max_tokens: int, case: Sample) -> tuple[GenerateRequest, ...]:
    answer = str(case.metadata["answer_1"])
    token = fence(case.id, case.input, case.target, answer)
    text = render_prompt(
        "alignbench.zh",
        category=case.category,
        dimensions=[(name, DEFINITIONS[name]) for name in _dimensions(case)],
        question=fenced("question", case.input, token),
        reference=fenced("reference", case.target, token),
        answer=fenced("answer", answer, token),
        token=token,
        pattern=_pattern(case),
    )
    return (_request(text, max_tokens),)


def _pattern(case: Sample) -> str:
    """The dictionary to fill in; its ``N`` is no number, so that repeating it rates nothing."""
    return "{" + ", ".join(f"'{name}': N" for name in (*_dimensions(case), OVERALL)) + "}"


def _ask_again(case: Sample, request: GenerateRequest, reply: Completion) -> GenerateRequest:
    """A further turn that asks for the ratings alone."""
    told = f"没有找到可以读取的分数。请只写一行字典，N 换成 1 到 10 的整数，不要写别的内容：\n{_pattern(case)}"
    before = request.prompt if isinstance(request.prompt, tuple) else (Message(role="user", content=request.prompt),)
    turns = (Message(role="assistant", content=reply.text), Message(role="user", content=told))
    return GenerateRequest(prompt=(*before, *turns), max_tokens=request.max_tokens, temperature=0.0)


def _request(text: str, max_tokens: int) -> GenerateRequest:
    return GenerateRequest(prompt=(Message(role="user", content=text),), max_tokens=max_tokens, temperature=0.0)


# -- a wording from a file ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Wording:
    """A request's text with placeholders, and what its dimensions mean."""

    text: str
    definitions: Mapping[str, str]


def _wording(prompt: str) -> _Wording:
    """The wording of ``--judge_prompt FILE``. Raises UsageError when a placeholder or a definition is missing."""
    text, follows, definitions = prompt.partition(_DEFINITIONS_FOLLOW)
    missing = [name for name in _NEEDED if name not in text]
    if missing:
        raise UsageError(f"the prompt of --judge_prompt lacks {' and '.join(missing)}; the judge would not see it.")
    if not follows:
        return _Wording(text, DEFINITIONS)
    return _Wording(text + "\n", _definitions(definitions))


def _definitions(text: str) -> Mapping[str, str]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the prompt of --judge_prompt: no JSON after '=== dimensions ===' ({error}).") from error
    lacking = [name for name in DIMENSIONS if not isinstance(found, dict) or not isinstance(found.get(name), str)]
    if lacking:
        raise UsageError(f"the prompt of --judge_prompt: '=== dimensions ===' does not define {lacking[0]} in words.")
    return {name: found[name] for name in DIMENSIONS}


def _render_file(wording: _Wording, max_tokens: int, case: Sample) -> tuple[GenerateRequest, ...]:
    numbered = enumerate(_dimensions(case), start=1)
    values = {
        "{category}": case.category,
        "{question}": case.input,
        "{reference}": case.target,
        "{answer}": str(case.metadata["answer_1"]),
        "{dimensions}": "".join(f"{number}. {name}: {wording.definitions[name]}\n" for number, name in numbered),
        "{{": "{",
        "}}": "}",
    }
    text = _PLACEHOLDER.sub(lambda match: values[match[0]], wording.text)
    return (_request(text, max_tokens),)


# -- replies -----------------------------------------------------------------------------------------------------


def _parse(case: Sample, completion: Completion) -> Verdict | Unparsed:
    reply = without_thinking(completion.text)
    return alignbench_rating(reply, _dimensions(case), is_cut=completion.stop_reason == "length")


def _score(case: Sample, verdicts: tuple[Verdict, ...]) -> Scored:
    verdict = the_rating(verdicts)
    groups = (_TOTAL, _REASONING, _LANGUAGE, _OFFICIAL)
    return Scored(
        scores=(
            *(score for group in groups for score in group.score(case.category, verdict.value)),
            rated(_BY_CATEGORY[case.category].name, verdict.value),
            *(rated(_BY_DIMENSION[name].name, value) for name, value in verdict.parts),
        ),
        answer=f"{verdict.value:g}",
    )


def score_unparsed(case: Sample) -> tuple[Score, ...]:
    """What the official script makes of a reply without a rating: -1 in its total."""
    return _OFFICIAL.score(case.category, OFFICIAL_FAILURE)


alignbench = Judge(
    name="alignbench",
    title="AlignBench: each answer rated from 1 to 10 beside its reference",
    protocol=PROTOCOL,
    version=1,
    build=build,
    families=("alignbench",),
    source="Liu et al. 2023, arXiv 2311.18743; rules of THUDM/AlignBench at 5b79d4a",
    language="zh",
)
