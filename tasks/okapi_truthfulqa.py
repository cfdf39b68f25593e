"""TruthfulQA, multiple choice, in five languages: the Okapi project's machine translation.

Paper: Lai et al. 2023 (arXiv 2307.16039), of Lin et al. 2022. Data: validation at the pinned commit, 773 to 789 rows a
language. Its rows carry no names, so that languages cannot be compared item by item. Prompts and scores are those of
`truthfulqa`, the six English examples first, as in lm-eval's ``truthfulqa_<language>_mc1`` and ``_mc2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from evalsuite.contracts import Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.errors import UsageError
from evalsuite.types import Sample

from . import truthfulqa
from ._choices import TOKENIZERS_OWN
from ._okapi_data import LANGUAGES, LICENCE, SOURCE, dataset
from ._words import WORDS, check_protocol

PROTOCOL = "okapi-v1"
_NAME = "okapi_truthfulqa"


def build(name: str, options: TaskOptions) -> Task:
    """The task of one language, ``truthfulqa_hi``. Raises UsageError for exemplars."""
    check_protocol(name, options, (PROTOCOL,))
    if options.num_fewshot:
        raise UsageError(f"{name} has its own six examples; leave --num_fewshot out or at 0.")
    language = name.rpartition("_")[2]
    info = _info(language)
    return Task(
        name=name,
        family=_NAME,
        version=1,
        language=language,
        protocol=PROTOCOL,
        num_fewshot=0,
        kind=info.kind,
        datasets=(dataset("m_truthfulqa", language, "validation"),),
        samples=partial(_samples, name, language),
        next_requests=partial(truthfulqa.ask, options, TOKENIZERS_OWN),
        score=truthfulqa.score,
        metrics=truthfulqa.METRICS,
        title=info.title,
        source=SOURCE,
        licence=info.licence,
        language_provenance="machine",
    )


def _samples(name: str, language: str, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    (rows,) = splits
    return tuple(_sample(f"{name}:validation:{index}", language, row) for index, row in enumerate(rows))


def _sample(sample_id: str, language: str, row: Mapping[str, Any]) -> Sample:
    truth = [label == 1 for label in row["mc2_targets_labels"]]
    return truthfulqa.sample_of(
        sample_id, language, row["question"].strip(), row["mc1_targets_choices"], row["mc2_targets_choices"], truth
    )


def _info(language: str) -> TaskInfo:
    title = f"TruthfulQA in {WORDS['en'].languages[language]}"
    return TaskInfo(f"truthfulqa_{language}", _NAME, language, "multiple_choice", title, LICENCE)


okapi_truthfulqa = Family(_NAME, tuple(map(_info, LANGUAGES)), build, (PROTOCOL,))
