"""XCOPA in Chinese: which of two sentences is the cause or the effect of a third.

Paper: Ponti et al. 2020, "XCOPA: A Multilingual Dataset for Causal Commonsense Reasoning" (arXiv 2005.00333).
Data: ``cambridgeltl/xcopa``, translated by people; CC BY 4.0. Scored: test (500 rows); exemplars from validation (100).
Prompts are lm-eval's ``xcopa_zh``: the premise without its full stop, a word for because or so, each sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.types import Sample, Shot

from . import _protocols
from ._choices import ACCURACY, ask_choices, score_accuracy
from ._protocols import LM_EVAL
from ._words import check_protocol

_NAME = "xcopa"
_TITLE = "XCOPA: cause and effect, in Chinese"
_LICENCE = "CC BY 4.0"
_FINGERPRINTS = {
    "test": "78f4dee83081418a4c896fcb1543e38b7888b224c2424d9be040a756faa1df9c",
    "validation": "77ad062671e7ca9721db650eb67acbb021a6bdecd11ab53b265ba1d3990a200c",
}
_CONNECTORS = {"cause": "因为", "effect": "所以"}


def build(name: str, options: TaskOptions) -> Task:
    """The task ``xcopa_zh``. Raises UnknownName for another protocol."""
    check_protocol(name, options, (LM_EVAL.id,))
    num_fewshot = options.num_fewshot or 0
    splits = ("test", "validation") if num_fewshot else ("test",)
    return Task(
        name=name,
        family=_NAME,
        version=1,
        language="zh",
        protocol=LM_EVAL.id,
        num_fewshot=num_fewshot,
        kind="multiple_choice",
        datasets=tuple(
            Dataset("cambridgeltl/xcopa", "zh", split, fingerprint=_FINGERPRINTS[split]) for split in splits
        ),
        samples=partial(_samples, name, num_fewshot, options.seed),
        next_requests=partial(ask_choices, options, LM_EVAL.encoding),
        score=score_accuracy,
        metrics=(ACCURACY,),
        title=_TITLE,
        source="Ponti et al. 2020, arXiv 2005.00333",
        licence=_LICENCE,
        language_provenance="human",
        is_seeded=_protocols.is_seeded(LM_EVAL, num_fewshot),
    )


def _samples(name: str, num_fewshot: int, seed: int, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    test = splits[0]
    pool = [Shot(input=_premise(row), target=_choices(row)[row["label"]]) for row in splits[1]] if num_fewshot else []
    places = _protocols.draw(name, LM_EVAL, seed, len(test), len(pool), num_fewshot)
    return tuple(
        _sample(f"{name}:test:{place.row}", test[place.row], tuple(pool[shot] for shot in place.shots))
        for place in places
    )


def _sample(sample_id: str, row: Mapping[str, Any], shots: tuple[Shot, ...]) -> Sample:
    return Sample(
        id=sample_id,
        input=_premise(row),
        language="zh",
        target=_choices(row)[row["label"]],
        choices=_choices(row),
        gold=row["label"],
        shots=shots,
        category=row["question"],
    )


def _premise(row: Mapping[str, Any]) -> str:
    return f"{row['premise'].strip()[:-1]} {_CONNECTORS[row['question']]}"


def _choices(row: Mapping[str, Any]) -> tuple[str, str]:
    """lm-eval writes the first letter small, which a sentence that begins in Latin script has."""
    first, second = (row[key][0].lower() + row[key][1:] for key in ("choice1", "choice2"))
    return first, second


xcopa = Family(_NAME, (TaskInfo("xcopa_zh", _NAME, "zh", "multiple_choice", _TITLE, _LICENCE),), build, (LM_EVAL.id,))
