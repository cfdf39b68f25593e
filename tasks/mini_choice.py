"""mini_choice: 40 four-choice questions of general knowledge and simple reasoning, aligned in six languages.

Scored by the log-likelihood of each choice's text (cloze), so that base models can be compared; chance is 25 %.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.types import ITEM, Replies, Request, Sample, Shot

from ._choices import choice_metrics, choice_requests, score_choices
from ._mini import LICENCE, PROTOCOL, SOURCE, check_options, dataset, family, other_rows
from ._prompts import build_prompt
from ._words import WORDS, plain_question, protocol_in, wanted_language

_FINGERPRINTS = {
    "choice_ar": "68ff70ade161f0812552bf4cbe0e47402f97a2a28a8d6991acb97f6525aabece",
    "choice_en": "1e1c36d26fc4b9a62b81f2373ee329ab692b1ad283dda99aa213f518a001e305",
    "choice_es": "6b3239c92a8834932aa6b96b6bebc94a81576c80e19b35162a8ed6d66175ae67",
    "choice_fr": "b546fe9e5593fb70039630ed07bc1c183a8a3679cb67833840fa6a5e33a63521",
    "choice_hi": "64bc03944c76e9b957e40b7f59eafe108d4f97ea1500246b77b42996642878e4",
    "choice_zh": "c4e515e22583b745a941564c0bb5cf39702adbcaadb15979d911d62f025fde45",
}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one language."""
    check_options(name, options, shots=True)
    language = name.rpartition("_")[2]
    prompt_language = wanted_language(name, options, native=language)
    num_fewshot = options.num_fewshot or 0
    return Task(
        name=name,
        family="mini_choice",
        version=1,
        language=language,
        protocol=protocol_in(PROTOCOL, prompt_language, language),
        num_fewshot=num_fewshot,
        kind="multiple_choice",
        datasets=(dataset(f"choice_{language}", _FINGERPRINTS),),
        samples=partial(_samples, name, language, prompt_language, num_fewshot),
        next_requests=partial(_next_requests, prompt_language, options),
        score=score_choices,
        metrics=choice_metrics(),
        title="Four-choice questions",
        source=SOURCE,
        licence=LICENCE,
        prompt_language=prompt_language,
    )


def _samples(
    name: str, language: str, prompt_language: str, num_fewshot: int, splits: tuple[Rows, ...]
) -> tuple[Sample, ...]:
    (rows,) = splits
    questions = [plain_question(row["question"], prompt_language) for row in rows]
    shots = {
        row["id"]: Shot(input=q, target=row["choices"][row["answer"]]) for q, row in zip(questions, rows, strict=True)
    }
    return tuple(
        Sample(
            id=f"{name}:test:{index}",
            input=questions[index],
            language=language,
            target=row["choices"][row["answer"]],
            choices=tuple(row["choices"]),
            gold=row["answer"],
            shots=tuple(shots[other["id"]] for other in other_rows(rows, index, num_fewshot)),
            category=row["category"],
            cluster=f"mini_choice:{row['id']}",
            metadata={ITEM: f"mini_choice:{row['id']}"},
        )
        for index, row in enumerate(rows)
    )


def _next_requests(language: str, options: TaskOptions, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    delimiter = WORDS[language].delimiter
    prompt = build_prompt(sample.input, sample.shots, options, delimiter=delimiter)
    return choice_requests(prompt, sample.choices, "" if options.chat else delimiter)


mini_choice = family("mini_choice", "multiple_choice", "Four-choice questions", build)
