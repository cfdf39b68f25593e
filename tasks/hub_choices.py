"""Global-MMLU and Belebele: choice tasks in six languages whose rows come from the hub, by name.

Global-MMLU: Singh et al. 2024 (arXiv 2412.03304), ``CohereForAI/Global-MMLU``; Apache-2.0. Scored: test (14,042 rows a
language), exemplars of the subject from dev; letters are scored. Belebele: Bandarkar et al. 2023 (arXiv 2308.16884),
``facebook/belebele``; CC BY-SA 4.0. Scored: test (900 rows a language), questions on 488 passages of FLORES-200; no
exemplars. Neither revision is pinned: what the rows hash to is recorded and sets a number's column apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.contracts import Dataset, Rows
from evalsuite.text.language_names import LANGUAGES

from ._aligned import LETTERS, Question
from ._aligned_family import AlignedSet, aligned_family
from .flores import CODES as FLORES_CODES


def _mmlu_datasets(language: str, split: str) -> tuple[Dataset, ...]:
    return (Dataset("CohereForAI/Global-MMLU", language, split),)


def _read_mmlu(language: str, split: str, parts: Sequence[Rows]) -> list[Question]:
    (rows,) = parts
    return [_subject_question(row) for row in rows]


def _subject_question(row: Mapping[str, Any]) -> Question:
    return Question(
        item=f"global_mmlu/{row['sample_id']}",
        text=row["question"].strip(),
        choices=tuple(str(row[f"option_{letter.lower()}"]).strip() for letter in LETTERS[:4]),
        gold=LETTERS.index(row["answer"]),
        group=row["subject"],
    )


def _belebele_datasets(language: str, split: str) -> tuple[Dataset, ...]:
    return (Dataset("facebook/belebele", FLORES_CODES[language], split),)


def _read_belebele(language: str, split: str, parts: Sequence[Rows]) -> list[Question]:
    (rows,) = parts
    return [_passage_question(row) for row in rows]


def _passage_question(row: Mapping[str, Any]) -> Question:
    return Question(
        item=f"belebele/{row['link']}/{row['question_number']}",
        text=row["question"].strip(),
        choices=tuple(row[f"mc_answer{number}"].strip() for number in range(1, 5)),
        gold=int(row["correct_answer_num"]) - 1,
        context=row["flores_passage"].strip(),
        cluster=f"belebele/{row['link']}",
    )


global_mmlu = aligned_family(
    AlignedSet(
        family="global_mmlu",
        stem="global_mmlu",
        title="Global-MMLU",
        languages=tuple(LANGUAGES),
        protocol="global-mmlu-v1",
        answered="global-mmlu-answered-v1",
        form="letters",
        scored="test",
        shots="dev",
        datasets=_mmlu_datasets,
        read=_read_mmlu,
        source="Singh et al. 2024, arXiv 2412.03304",
        licence="Apache-2.0",
        provenance="machine, in part edited by people",
    )
)
belebele = aligned_family(
    AlignedSet(
        family="belebele",
        stem="belebele",
        title="Belebele",
        languages=tuple(LANGUAGES),
        protocol="belebele-v1",
        answered="belebele-answered-v1",
        form="letters",
        scored="test",
        shots="",
        datasets=_belebele_datasets,
        read=_read_belebele,
        source="Bandarkar et al. 2023, arXiv 2308.16884",
        licence="CC BY-SA 4.0",
        provenance="human",
    )
)
