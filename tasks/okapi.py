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

from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.contracts import Dataset, Rows

from . import arc, mmlu
from ._aligned import LETTERS, Question
from ._aligned_family import AlignedSet, aligned_family
from ._okapi_data import LANGUAGES, LICENCE, SOURCE, dataset

PROTOCOL = "okapi-v1"
ANSWERED = "okapi-answered-v1"
_OPTIONS = ("option_a", "option_b", "option_c", "option_d", "option_e")


def _arc_datasets(language: str, split: str) -> tuple[Dataset, ...]:
    if language == "en":
        return (arc.dataset("ARC-Challenge", split),)
    return (dataset("m_arc", language, split),)


def _read_arc(language: str, split: str, parts: Sequence[Rows]) -> list[Question]:
    (rows,) = parts
    if language != "en":
        return [_translated(row) for row in rows]
    return [
        Question(
            item=f"ARC-Challenge/{split}/{row['id']}",
            text=row["question"].strip(),
            choices=tuple(text.strip() for text in row["choices"]["text"]),
            gold=row["choices"]["label"].index(row["answerKey"]),
        )
        for row in rows
    ]


def _mmlu_datasets(language: str, split: str) -> tuple[Dataset, ...]:
    """The originals are in one part a subject."""
    if language == "en":
        return tuple(mmlu.dataset(subject, "validation" if split == "val" else split) for subject in mmlu.SUBJECTS)
    return (dataset("m_mmlu", language, split),)


def _read_mmlu(language: str, split: str, parts: Sequence[Rows]) -> list[Question]:
    if language != "en":
        (translated,) = parts
        return [_translated(row, subject=row["id"].partition("/")[0]) for row in translated]
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


def _translated(row: Mapping[str, Any], subject: str = "") -> Question:
    return Question(
        item=row["id"],
        text=row["instruction"].strip(),
        choices=tuple(str(row[key]).strip() for key in _OPTIONS if row.get(key)),
        gold=LETTERS.index(row["answer"]),
        group=subject,
    )


okapi_arc = aligned_family(
    AlignedSet(
        family="okapi_arc",
        stem="arc_challenge",
        title="ARC Challenge",
        languages=("en", *LANGUAGES),
        protocol=PROTOCOL,
        answered=ANSWERED,
        form="texts",
        scored="test",
        shots="validation",
        datasets=_arc_datasets,
        read=_read_arc,
        source=SOURCE,
        licence=LICENCE,
        provenance="machine",
        english_licence="CC BY-SA 4.0",
    )
)
okapi_mmlu = aligned_family(
    AlignedSet(
        family="okapi_mmlu",
        stem="mmlu",
        title="MMLU",
        languages=("en", *LANGUAGES),
        protocol=PROTOCOL,
        answered=ANSWERED,
        form="letters",
        scored="val",
        shots="dev",
        datasets=_mmlu_datasets,
        read=_read_mmlu,
        source=SOURCE,
        licence=LICENCE,
        provenance="machine",
        english_licence="MIT",
    )
)
