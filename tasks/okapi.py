"""Okapi: ARC-Challenge and MMLU in Chinese, French, Arabic, Spanish and Hindi, beside the English originals.

Paper: Lai et al. 2023, "Okapi: Instruction-tuned Large Language Models in Multiple Languages" (arXiv 2307.16039).
Data: translations by ChatGPT at the pinned commit, of ARC's test and of MMLU's validation split (exemplars: ARC's
validation, MMLU's dev); their licence is stated in two ways. The English members are the original rows, so that each
language is compared with English item by item. Translations that failed were dropped, other ones in each language.

Words around the text are the sample's language's own. With ``--prompt_language en`` ARC's zero-shot prompts are those
of lm-eval's ``arc_<language>``, which also drops text in square brackets and one of two spaces (at most five rows a
language). Under ``okapi-answered-v1`` the model writes the letter of a choice, which any server can do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Metric, Rows, Task, TaskInfo, TaskOptions
from evalsuite.types import Replies, Sample, Scored

from . import arc, mmlu
from ._aligned import (
    ANSWERED_METRICS,
    LETTERS,
    Asking,
    Form,
    Question,
    aligned_requests,
    aligned_samples,
    score_answered,
)
from ._choices import ACCURACY, choice_metrics, score_accuracy, score_choices
from ._okapi_data import LANGUAGES, LICENCE, SOURCE, dataset
from ._words import NATIVE, WORDS, check_protocol, protocol_in, wanted_language

PROTOCOL = "okapi-v1"
ANSWERED = "okapi-answered-v1"
_OPTIONS = ("option_a", "option_b", "option_c", "option_d", "option_e")


@dataclass(frozen=True)
class _Set:
    """One of the translated sets: its config and splits, where the originals are, and how it is scored."""

    family: str
    stem: str
    title: str
    config: str
    scored: str
    shots: str
    english: Callable[[str], tuple[Dataset, ...]]
    read_english: Callable[[str, tuple[Rows, ...]], list[Question]]
    form: Form
    score: Callable[[Sample, Replies], Scored]
    metrics: tuple[Metric, ...]
    licence: str


def _english_arc(split: str) -> tuple[Dataset, ...]:
    return (arc.dataset("ARC-Challenge", split),)


def _read_english_arc(split: str, parts: tuple[Rows, ...]) -> list[Question]:
    (rows,) = parts
    return [
        Question(
            item=f"ARC-Challenge/{split}/{row['id']}",
            text=row["question"].strip(),
            choices=tuple(text.strip() for text in row["choices"]["text"]),
            gold=row["choices"]["label"].index(row["answerKey"]),
        )
        for row in rows
    ]


def _english_mmlu(split: str) -> tuple[Dataset, ...]:
    return tuple(mmlu.dataset(subject, "validation" if split == "val" else split) for subject in mmlu.SUBJECTS)


def _read_english_mmlu(split: str, parts: tuple[Rows, ...]) -> list[Question]:
    return [
        Question(
            item=f"{subject}/{split}/{number}",
            text=row["question"].strip(),
            choices=tuple(str(choice).strip() for choice in row["choices"]),
            gold=row["answer"],
            group=subject,
        )
        for subject, rows in zip(mmlu.SUBJECTS, parts, strict=True)
        for number, row in enumerate(rows)
    ]


def _read_translated(rows: Sequence[Mapping[str, Any]], *, has_groups: bool) -> list[Question]:
    return [
        Question(
            item=row["id"],
            text=row["instruction"].strip(),
            choices=tuple(str(row[key]).strip() for key in _OPTIONS if row.get(key)),
            gold=LETTERS.index(row["answer"]),
            group=row["id"].partition("/")[0] if has_groups else "",
        )
        for row in rows
    ]


_ARC = _Set(
    family="okapi_arc",
    stem="arc_challenge",
    title="ARC Challenge",
    config="m_arc",
    scored="test",
    shots="validation",
    english=_english_arc,
    read_english=_read_english_arc,
    form="texts",
    score=score_choices,
    metrics=choice_metrics(),
    licence="CC BY-SA 4.0",
)
_MMLU = _Set(
    family="okapi_mmlu",
    stem="mmlu",
    title="MMLU",
    config="m_mmlu",
    scored="val",
    shots="dev",
    english=_english_mmlu,
    read_english=_read_english_mmlu,
    form="letters",
    score=score_accuracy,
    metrics=(ACCURACY,),
    licence="MIT",
)


def _build(which: _Set, name: str, options: TaskOptions) -> Task:
    protocol = check_protocol(name, options, (PROTOCOL, ANSWERED))
    language = name.rpartition("_")[2]
    prompt_language = wanted_language(name, options, native=language, usual=NATIVE)
    num_fewshot = options.num_fewshot or 0
    is_answered = protocol == ANSWERED
    asking = Asking("answered" if is_answered else which.form, prompt_language, options.chat, num_fewshot)
    splits = (which.scored, which.shots) if num_fewshot else (which.scored,)
    info = _info(which, language)
    return Task(
        name=name,
        family=which.family,
        version=1,
        language=language,
        protocol=protocol_in(protocol, prompt_language, language),
        num_fewshot=num_fewshot,
        kind="generate" if is_answered else info.kind,
        datasets=tuple(part for split in splits for part in _datasets(which, language, split)),
        samples=partial(_samples, which, name, language, asking, splits),
        next_requests=aligned_requests(options, asking),
        score=score_answered if is_answered else which.score,
        metrics=ANSWERED_METRICS if is_answered else which.metrics,
        title=info.title,
        source=SOURCE,
        licence=info.licence,
        language_provenance="native" if language == "en" else "machine",
        prompt_language=prompt_language,
    )


def _datasets(which: _Set, language: str, split: str) -> tuple[Dataset, ...]:
    return which.english(split) if language == "en" else (dataset(which.config, language, split),)


def _samples(
    which: _Set,
    name: str,
    language: str,
    asking: Asking,
    splits: Sequence[str],
    parts: tuple[Rows, ...],
) -> tuple[Sample, ...]:
    size = len(parts) // len(splits)
    found = [
        _read(which, language, split, parts[place * size : (place + 1) * size]) for place, split in enumerate(splits)
    ]
    return aligned_samples(name, splits[0], language, asking, found[0], found[1] if len(found) > 1 else [])


def _read(which: _Set, language: str, split: str, parts: tuple[Rows, ...]) -> list[Question]:
    if language == "en":
        return which.read_english(split, parts)
    (rows,) = parts
    return _read_translated(rows, has_groups=which is _MMLU)


def _info(which: _Set, language: str) -> TaskInfo:
    title = f"{which.title} in {WORDS['en'].languages[language]}"
    licence = which.licence if language == "en" else LICENCE
    return TaskInfo(f"{which.stem}_{language}", which.family, language, "multiple_choice", title, licence)


def _family(which: _Set) -> Family:
    members = tuple(_info(which, language) for language in ("en", *LANGUAGES))
    return Family(which.family, members, partial(_build, which), (PROTOCOL, ANSWERED))


okapi_arc = _family(_ARC)
okapi_mmlu = _family(_MMLU)
