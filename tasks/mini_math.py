"""mini_math: 20 short arithmetic problems, aligned in six languages; the last number of the answer is what counts.

An answer without a number is wrong and flagged `unparsed`.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.metrics import accuracy, right
from evalsuite.text.numbers import equal_numbers, last_number
from evalsuite.types import Flag, GenerateRequest, Replies, Request, Sample, Scored, Shot

from ._answers import LANGUAGE_FIDELITY, answer_flags, completions, language_score
from ._mini import LICENCE, PROTOCOL, SOURCE, check_options, dataset, family, other_rows
from ._prompts import build_prompt

MAX_TOKENS = 160
_FINGERPRINTS = {
    "math_ar": "4d6a1656667024b53d2c349e5cd78ebda9ee00cdbaecb4318806f74469b56f22",
    "math_en": "c2a29bb600421457a55e270cd9431dd616b90e26f32073d60b66a74728bbf2b8",
    "math_es": "51654d1849aecb3ef1c8a29be4e5fc4ca4d5444e73925962ae2fff5dbf12569c",
    "math_fr": "728aa64ae2b0aa75a901edbfd36b667dad6eb47ff401c1155cffcec00907937f",
    "math_hi": "57549ad5e53c59295572a521ba60fd9a1d8138bd043d44db681e0b97e46bb10d",
    "math_zh": "32aee9282d310263675f751287a747b2853499962b27a4fbec8378d5c1dbd933",
}
_EXACT = accuracy("exact_match")
_TEXT = {
    "en": ("Question: {}\nAnswer:", "{}\n\nWork it out briefly and end with the number."),
    "zh": ("问题：{}\n答案：", "{}\n\n请简要写出计算过程，最后写出答案的数字。"),
    "fr": ("Question\u202f: {}\nRéponse\u202f:", "{}\n\nDonne brièvement le calcul et termine par le nombre."),
    "ar": ("السؤال: {}\nالإجابة:", "{}\n\nاكتب خطوات الحل باختصار واختم بالعدد."),
    "es": ("Pregunta: {}\nRespuesta:", "{}\n\nEscribe brevemente el cálculo y termina con el número."),
    "hi": ("प्रश्न: {}\nउत्तर:", "{}\n\nसंक्षेप में हल लिखिए और अंत में संख्या लिखिए।"),
}
_STOPS = {language: ("\n\n", plain.partition("{}")[0].strip()) for language, (plain, _) in _TEXT.items()}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one language."""
    check_options(name, options, shots=True)
    language = name.rpartition("_")[2]
    num_fewshot = options.num_fewshot or 0
    return Task(
        name=name,
        family="mini_math",
        version=1,
        language=language,
        protocol=PROTOCOL,
        num_fewshot=num_fewshot,
        kind="generate",
        datasets=(dataset(f"math_{language}", _FINGERPRINTS),),
        samples=partial(_samples, name, language, num_fewshot, options.chat),
        next_requests=partial(_next_requests, options),
        score=_score,
        metrics=(_EXACT, LANGUAGE_FIDELITY),
        title="Short arithmetic problems",
        source=SOURCE,
        licence=LICENCE,
    )


def _samples(name: str, language: str, num_fewshot: int, chat: bool, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    (rows,) = splits
    template = _TEXT[language][1 if chat else 0]
    questions = [template.replace("{}", row["question"]) for row in rows]
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
        )
        for index, row in enumerate(rows)
    )


def _next_requests(options: TaskOptions, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if replies:
        return ()
    delimiter = "" if sample.language == "zh" else " "
    prompt = build_prompt(sample.input, sample.shots, options, delimiter=delimiter)
    stop = () if options.chat else _STOPS[sample.language]
    return (GenerateRequest(prompt=prompt, max_tokens=MAX_TOKENS, stop=stop),)


def _score(sample: Sample, replies: Replies) -> Scored:
    answers = completions(replies)
    number = last_number(answers[0].text)
    fidelity = language_score(answers, sample.language)
    unparsed = (Flag.UNPARSED,) if number is None else ()
    return Scored(
        scores=(right(_EXACT.name, equal_numbers(number, sample.target)), fidelity),
        answer="" if number is None else f"{number.normalize():f}",
        flags=(*unparsed, *answer_flags(answers, fidelity)),
    )


mini_math = family("mini_math", "generate", "Short arithmetic problems", build)
