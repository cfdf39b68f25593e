"""mini_choice: 40 four-choice questions of general knowledge and simple reasoning, aligned in six languages.

Scored by the log-likelihood of each choice's text (cloze), so that base models can be compared; chance is 25 %.
"""

from __future__ import annotations

from functools import partial

from evalsuite.types import Replies, Request, Rows, Sample, Shot, Task, TaskOptions

from ._choices import METRICS, choice_requests, score_choices
from ._mini import LICENCE, PROTOCOL, SOURCE, check_options, dataset, family, other_rows
from ._prompts import build_prompt

_FINGERPRINTS = {
    "choice_ar": "750eaabdec3b54c1f52cee944ff66816c98b5523944f92d24d0a134f74aca26b",
    "choice_en": "de0b563ecf2e4931ac1e6d90238acec149864bc009a68e2d37fa71a9f0e904c5",
    "choice_es": "9241aa6fee2758882189b7d428448be4f283425ceb4deef1f792400da3fa9e07",
    "choice_fr": "c9f4f055a6d57406e3c1ada61708838f1568defb68aca3a5527f80eb589c4e24",
    "choice_hi": "ee3c546e1aba2d59169ea952556d4f8169c2e1a1163bb672c5d50d7d0a18ee4b",
    "choice_zh": "2dbfe308e3ba898fcece9ba06b3ff1101f78331a592412becc15a81f2f05ae85",
}
_CUES = {
    "en": ("Question: ", "\nAnswer:", " "),
    "zh": ("问题：", "\n答案：", ""),
    "fr": ("Question\u202f: ", "\nRéponse\u202f:", " "),
    "ar": ("السؤال: ", "\nالإجابة:", " "),
    "es": ("Pregunta: ", "\nRespuesta:", " "),
    "hi": ("प्रश्न: ", "\nउत्तर:", " "),
}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one language."""
    check_options(name, options, shots=True)
    language = name.rpartition("_")[2]
    num_fewshot = options.num_fewshot or 0
    return Task(
        name=name,
        family="mini_choice",
        version=1,
        language=language,
        protocol=PROTOCOL,
        num_fewshot=num_fewshot,
        kind="multiple_choice",
        datasets=(dataset(f"choice_{language}", _FINGERPRINTS),),
        samples=partial(_samples, name, language, num_fewshot),
        next_requests=partial(_next_requests, options),
        score=score_choices,
        metrics=METRICS,
        title="Four-choice questions",
        source=SOURCE,
        licence=LICENCE,
    )


def _samples(name: str, language: str, num_fewshot: int, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    (rows,) = splits
    before, after, _ = _CUES[language]
    questions = [f"{before}{row['question']}{after}" for row in rows]
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
        )
        for index, row in enumerate(rows)
    )


def _next_requests(options: TaskOptions, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    delimiter = _CUES[sample.language][2]
    prompt = build_prompt(sample.input, sample.shots, options, delimiter=delimiter)
    return choice_requests(prompt, sample.choices, "" if options.chat else delimiter)


mini_choice = family("mini_choice", "multiple_choice", "Four-choice questions", build)
