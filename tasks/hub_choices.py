"""Global-MMLU and Belebele: choice tasks in six languages whose rows come from the hub, by name.

Global-MMLU: Singh et al. 2024 (arXiv 2412.03304), ``CohereForAI/Global-MMLU``; Apache-2.0. Scored: test (14,042 rows a
language), exemplars of the subject from dev; letters are scored. Belebele: Bandarkar et al. 2023 (arXiv 2308.16884),
``facebook/belebele``; CC BY-SA 4.0. Scored: test (900 rows a language), questions on 488 passages of FLORES-200; no
exemplars. Neither revision is pinned: what the rows hash to is recorded and sets a number's column apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.errors import UsageError
from evalsuite.text.language_names import LANGUAGES
from evalsuite.types import Sample

from ._aligned import (
    ANSWERED_METRICS,
    LETTERS,
    Asking,
    Question,
    aligned_requests,
    aligned_samples,
    score_answered,
)
from ._choices import ACCURACY, score_accuracy
from ._words import NATIVE, WORDS, check_protocol, protocol_in, wanted_language
from .flores import CODES as FLORES_CODES


@dataclass(frozen=True)
class _Set:
    """One of the two: where it is on the hub, how a row is read, and what is said of it."""

    name: str
    title: str
    protocol: str
    path: str
    config: Callable[[str], str]
    shots: str
    read: Callable[[Mapping[str, Any]], Question]
    source: str
    licence: str
    provenance: str


def _read_mmlu(row: Mapping[str, Any]) -> Question:
    return Question(
        item=f"global_mmlu/{row['sample_id']}",
        text=row["question"].strip(),
        choices=tuple(str(row[f"option_{letter.lower()}"]).strip() for letter in LETTERS[:4]),
        gold=LETTERS.index(row["answer"]),
        group=row["subject"],
    )


def _read_belebele(row: Mapping[str, Any]) -> Question:
    return Question(
        item=f"belebele/{row['link']}/{row['question_number']}",
        text=row["question"].strip(),
        choices=tuple(row[f"mc_answer{number}"].strip() for number in range(1, 5)),
        gold=int(row["correct_answer_num"]) - 1,
        context=row["flores_passage"].strip(),
        cluster=f"belebele/{row['link']}",
    )


_GLOBAL_MMLU = _Set(
    name="global_mmlu",
    title="Global-MMLU",
    protocol="global-mmlu-v1",
    path="CohereForAI/Global-MMLU",
    config=lambda language: language,
    shots="dev",
    read=_read_mmlu,
    source="Singh et al. 2024, arXiv 2412.03304",
    licence="Apache-2.0",
    provenance="machine, in part edited by people",
)
_BELEBELE = _Set(
    name="belebele",
    title="Belebele",
    protocol="belebele-v1",
    path="facebook/belebele",
    config=FLORES_CODES.__getitem__,
    shots="",
    read=_read_belebele,
    source="Bandarkar et al. 2023, arXiv 2308.16884",
    licence="CC BY-SA 4.0",
    provenance="human",
)


def _build(which: _Set, name: str, options: TaskOptions) -> Task:
    protocol = check_protocol(name, options, _protocols(which))
    num_fewshot = options.num_fewshot or 0
    if num_fewshot and not which.shots:
        raise UsageError(f"{name} has no exemplars; leave --num_fewshot out or at 0.")
    language = name.rpartition("_")[2]
    prompt_language = wanted_language(name, options, native=language, usual=NATIVE)
    is_answered = protocol != which.protocol
    asking = Asking("answered" if is_answered else "letters", prompt_language, options.chat, num_fewshot)
    splits = ("test", which.shots) if num_fewshot else ("test",)
    info = _info(which, language)
    return Task(
        name=name,
        family=which.name,
        version=1,
        language=language,
        protocol=protocol_in(protocol, prompt_language, language),
        num_fewshot=num_fewshot,
        kind="generate" if is_answered else info.kind,
        datasets=tuple(Dataset(which.path, which.config(language), split) for split in splits),
        samples=partial(_samples, which, name, language, asking),
        next_requests=aligned_requests(options, asking),
        score=score_answered if is_answered else score_accuracy,
        metrics=ANSWERED_METRICS if is_answered else (ACCURACY,),
        title=info.title,
        source=which.source,
        licence=info.licence,
        language_provenance="native" if language == "en" else which.provenance,
        prompt_language=prompt_language,
    )


def _samples(which: _Set, name: str, language: str, asking: Asking, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    questions, *pools = [[which.read(row) for row in rows] for rows in splits]
    return aligned_samples(name, "test", language, asking, questions, pools[0] if pools else [])


def _protocols(which: _Set) -> tuple[str, str]:
    """Letters scored, and letters read in what the model writes."""
    return which.protocol, which.protocol.replace("-v1", "-answered-v1")


def _info(which: _Set, language: str) -> TaskInfo:
    title = f"{which.title} in {WORDS['en'].languages[language]}"
    return TaskInfo(f"{which.name}_{language}", which.name, language, "multiple_choice", title, which.licence)


def _family(which: _Set) -> Family:
    members = tuple(_info(which, language) for language in LANGUAGES)
    return Family(which.name, members, partial(_build, which), _protocols(which))


global_mmlu = _family(_GLOBAL_MMLU)
belebele = _family(_BELEBELE)
