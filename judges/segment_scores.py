"""segment_scores and segment_errors: the numbers that a metric of its own gives each translation, and their mean.

What judges here is no model that converses but a neural metric such as COMET (Rei et al. 2022) or MetricX (Juraska et
al. 2024): the engine ``external`` runs it, or a file of numbers made elsewhere stands for it. A request is one message,
a JSON object of `src`, `mt` and `ref`; a reply is one number. Of a metric whose numbers are errors, lower is better: it
is asked for as segment_errors, so that no reader has to know. Two metrics never share a column, since a number's
protocol ends with the metric's name.
"""

from __future__ import annotations

import json
import math
import re
from functools import partial

from evalsuite.contracts import MISSING, Answered, Judge, JudgeOptions, Metric, Rows, Rubric
from evalsuite.errors import DataError, UsageError
from evalsuite.metrics import MEAN, mean
from evalsuite.types import Completion, GenerateRequest, Message, Sample, Scored
from evalsuite.verdicts import Rated, Unparsed, Verdict

from ._aggregates import rated
from ._cases import refuse_weighting, the_rating
from ._conversations import answers, case_of, numbered, reason_missing

MAX_TOKENS = 32
SUFFIX = "segment"
SOURCE_TEXT = "source_text"
"""Key of a sample's metadata that holds the text to be translated; samples without it are no translations."""

_MAX_QUOTED = 40
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def build(judge: str, metric: Metric, rows: tuple[Rows, ...], options: JudgeOptions) -> Rubric:
    """The rubric whose one metric is `metric`. Raises UsageError for a prompt of the user's own, and for weighting."""
    if options.prompt:
        raise UsageError(f"judge {judge} sends a metric the bare texts; leave --judge_prompt out (rating takes one).")
    refuse_weighting(judge, options)
    return Rubric(
        cases=partial(_cases, judge),
        render=partial(_render, options.max_tokens or MAX_TOKENS),
        parse=_parse,
        score=partial(_score, metric.name),
        metrics=(metric,),
    )


def _cases(judge: str, runs: tuple[tuple[Answered, ...], ...]) -> tuple[Sample, ...]:
    (run,) = runs
    return tuple(_case(judge, answered) for answered in run)


def _case(judge: str, answered: Answered) -> Sample:
    """The case. Raises DataError for a sample that is no translation."""
    source = answered.sample.metadata.get(SOURCE_TEXT)
    if source is None:
        raise DataError(
            f"{answered.sample.id} is no translation (it has no {SOURCE_TEXT}); judge {judge} wants a run of "
            "translation tasks only."
        )
    missing = reason_missing(answered)
    texts = {MISSING: missing} if missing else numbered("answer", answers(answered))
    return case_of(answered, SUFFIX, {SOURCE_TEXT: str(source), **texts})


def _render(max_tokens: int, case: Sample) -> tuple[GenerateRequest, ...]:
    """Source, translation and first reference as the corpus scores see them; a reference that is none is empty."""
    texts = {
        "src": str(case.metadata[SOURCE_TEXT]),
        "mt": str(case.metadata["answer_1"]).strip(),
        "ref": case.target,
    }
    content = json.dumps(texts, ensure_ascii=False, sort_keys=True)
    return (GenerateRequest(prompt=(Message(role="user", content=content),), max_tokens=max_tokens),)


def _parse(case: Sample, reply: Completion) -> Verdict | Unparsed:
    """The reply as one finite decimal number, white space around it allowed, and nothing else."""
    text = reply.text.strip()
    if not _NUMBER.fullmatch(text):
        shown = text if len(text) <= _MAX_QUOTED else text[: _MAX_QUOTED - 1] + "…"
        return Unparsed(reason=f"{shown!r} is not one decimal number")
    if reply.stop_reason == "length":
        return Unparsed(reason="cut off inside the number")
    value = float(text)
    return Rated(value=value) if math.isfinite(value) else Unparsed(reason="the number is not finite")


def _score(name: str, case: Sample, verdicts: tuple[Verdict, ...]) -> Scored:
    verdict = the_rating(verdicts)
    return Scored(scores=(rated(name, verdict.value),), answer=f"{verdict.value:g}")


def _judge(name: str, title: str, metric: Metric) -> Judge:
    return Judge(name=name, title=title, protocol=f"{name}-v1", version=1, build=partial(build, name, metric))


# without bounds: every metric has a scale of its own, and some have none that they keep to
segment_scores = _judge(
    "segment_scores",
    "A metric's number for each translation, higher is better (COMET)",
    Metric("segment_score", mean, formula=MEAN),
)
segment_errors = _judge(
    "segment_errors",
    "A metric's number for each translation, lower is better (MetricX)",
    Metric("segment_error", mean, higher_is_better=False, formula=MEAN),
)
