"""Samples, answers and replies for the tests of the official judges."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.contracts import Answered, Rubric
from evalsuite.types import Completion, GenerateRequest, Message, Sample, Scored, StopReason
from evalsuite.verdicts import Unparsed, Verdict

GOLDEN = Path(__file__).parent / "golden"
MT_BENCH_TEMPLATES = tuple(
    {"name": name, "system_prompt": f"system of {name}", "prompt_template": f"{name}: {fields}"}
    for name, fields in {
        "single-v1": "{question}|{answer}",
        "single-math-v1": "{question}|{ref_answer_1}|{answer}",
        "single-v1-multi-turn": "{question_1}|{answer_1}|{question_2}|{answer_2}",
        "single-math-v1-multi-turn": (
            "{question_1}|{ref_answer_1}|{question_2}|{ref_answer_2}||{question_1}|{answer_1}|{question_2}|{answer_2}"
        ),
        "pair-v2": "{question}|{answer_a}|{answer_b}",
        "pair-math-v1": "{question}|{ref_answer_1}|{answer_a}|{answer_b}",
        "pair-v2-multi-turn": "{question_1}|{question_2}|{answer_a_1}|{answer_a_2}|{answer_b_1}|{answer_b_2}",
        "pair-math-v1-multi-turn": (
            "{ref_answer_1}|{ref_answer_2}|{answer_a_1}|{answer_a_2}|{answer_b_1}|{answer_b_2}|{question_1}|{question_2}"
        ),
    }.items()
)
"""Templates with FastChat's names and fields, and none of its words."""


def rows(path: Path) -> tuple[dict[str, Any], ...]:
    """A file of JSON lines, read without evalsuite."""
    return tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def answered(sample: Sample, *texts: str, missing: str = "", model: str = "model-1") -> Answered:
    family = sample.id.partition(":")[0]
    return Answered(
        model=model, family=family, task=family, protocol=family, sample=sample, texts=texts, missing=missing
    )


def reply(text: str, stop_reason: StopReason = "end") -> Completion:
    return Completion(text=text, stop_reason=stop_reason, num_prompt_tokens=1, num_tokens=1)


def messages(request: GenerateRequest) -> tuple[Message, ...]:
    assert isinstance(request.prompt, tuple)
    return request.prompt


def judged(rubric: Rubric, case: Sample, *texts: str) -> Scored:
    """The outcome of a case whose judge replied `texts`, all of which must hold a verdict."""
    verdicts: list[Verdict] = []
    for text in texts:
        verdict = rubric.parse(case, reply(text))
        assert not isinstance(verdict, Unparsed)
        verdicts.append(verdict)
    return rubric.score(case, tuple(verdicts))


def counts(outcome: Scored) -> dict[str, tuple[float, ...]]:
    names = [score.name for score in outcome.scores]
    assert len(set(names)) == len(names)
    return {score.name: score.counts for score in outcome.scores}


def values_of(rubric: Rubric, outcomes: Sequence[Scored]) -> Mapping[str, float | None]:
    """Every metric of which there is a score: vectors summed, the sum reduced."""
    values = {}
    for metric in rubric.metrics:
        vectors = [vector for outcome in outcomes if (vector := counts(outcome).get(metric.name))]
        if vectors:
            values[metric.name] = metric.reduce(tuple(map(math.fsum, zip(*vectors, strict=True))))
    return values


def assert_scores_have_metrics(rubric: Rubric, outcomes: Sequence[Scored]) -> None:
    """Scores and metrics belong together, and every value lies within its metric's bounds."""
    names = [metric.name for metric in rubric.metrics]
    assert len(set(names)) == len(names)
    assert {score.name for outcome in outcomes for score in outcome.scores} <= set(names)
    values = values_of(rubric, outcomes)
    for metric in rubric.metrics:
        value = values.get(metric.name)
        assert metric.bounds is not None
        assert value is None or metric.bounds[0] <= value <= metric.bounds[1]


def mt_bench_sample(row: int = 0, category: str = "writing", question_id: int = 81, **metadata: str) -> Sample:
    return Sample(
        id=f"mt_bench:test:{row}",
        input="shown as the task renders it",
        language="en",
        turns=("Write {a}.", "Now shorter."),
        category=category,
        metadata={"question_id": str(question_id), **metadata},
    )
