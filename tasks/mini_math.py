"""mini_math: 20 short arithmetic problems, aligned in six languages; the number that an answer ends up saying counts.

An answer without a number, or with one that can be read in two ways, is wrong and flagged `unparsed`.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.types import ITEM, Sample, Shot

from ._mini import LICENCE, PROTOCOL, SOURCE, check_options, dataset, family, other_rows
from ._number_answers import METRICS, number_requests, score_number
from ._words import WORDS, plain_question, protocol_in, wanted_language

MAX_TOKENS = 160
_FINGERPRINTS = {
    "math_ar": "4d6a1656667024b53d2c349e5cd78ebda9ee00cdbaecb4318806f74469b56f22",
    "math_en": "c2a29bb600421457a55e270cd9431dd616b90e26f32073d60b66a74728bbf2b8",
    "math_es": "51654d1849aecb3ef1c8a29be4e5fc4ca4d5444e73925962ae2fff5dbf12569c",
    "math_fr": "728aa64ae2b0aa75a901edbfd36b667dad6eb47ff401c1155cffcec00907937f",
    "math_hi": "57549ad5e53c59295572a521ba60fd9a1d8138bd043d44db681e0b97e46bb10d",
    "math_zh": "32aee9282d310263675f751287a747b2853499962b27a4fbec8378d5c1dbd933",
}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one language."""
    check_options(name, options, shots=True)
    language = name.rpartition("_")[2]
    prompt_language = wanted_language(name, options, native=language)
    num_fewshot = options.num_fewshot or 0
    return Task(
        name=name,
        family="mini_math",
        version=2,
        language=language,
        protocol=protocol_in(PROTOCOL, prompt_language, language),
        num_fewshot=num_fewshot,
        kind="generate",
        datasets=(dataset(f"math_{language}", _FINGERPRINTS),),
        samples=partial(_samples, name, language, prompt_language, num_fewshot, options.chat),
        next_requests=number_requests(options, prompt_language, MAX_TOKENS),
        score=score_number,
        metrics=METRICS,
        title="Short arithmetic problems",
        source=SOURCE,
        licence=LICENCE,
        prompt_language=prompt_language,
    )


def _samples(
    name: str, language: str, prompt_language: str, num_fewshot: int, chat: bool, splits: tuple[Rows, ...]
) -> tuple[Sample, ...]:
    (rows,) = splits
    questions = [_question(row["question"], prompt_language, chat) for row in rows]
    shots = {row["id"]: Shot(input=q, target=row["solution"]) for q, row in zip(questions, rows, strict=True)}
    return tuple(
        Sample(
            id=f"{name}:test:{index}",
            input=questions[index],
            language=language,
            target=row["answer"],
            shots=tuple(shots[other["id"]] for other in other_rows(rows, index, num_fewshot)),
            category=row["category"],
            cluster=f"mini_math:{row['id']}",
            metadata={ITEM: f"mini_math:{row['id']}"},
        )
        for index, row in enumerate(rows)
    )


def _question(text: str, language: str, chat: bool) -> str:
    return WORDS[language].work_out.format(text=text) if chat else plain_question(text, language)


mini_math = family("mini_math", "generate", "Short arithmetic problems", build)
