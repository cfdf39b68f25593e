"""mini_math: 20 short arithmetic problems, aligned in six languages; the last number of the answer is what counts.

An answer without a number is wrong and flagged `unparsed`.
"""

from __future__ import annotations

from functools import partial

from evalsuite.metrics import accuracy, right
from evalsuite.text.numbers import equal_numbers, last_number
from evalsuite.types import Flag, GenerateRequest, Replies, Request, Rows, Sample, Scored, Shot, Task, TaskOptions

from ._answers import LANGUAGE_FIDELITY, answer_flags, completions, language_score
from ._mini import LICENCE, PROTOCOL, SOURCE, check_options, dataset, family, other_rows
from ._prompts import build_prompt

MAX_TOKENS = 160
_FINGERPRINTS = {
    "math_ar": "2f7169f267095e98c4ec5522c9555159981f7b24d4ee823939e643669b7b9fe5",
    "math_en": "90dc569929ddbc9995f17b397b5f30aafd3e41db31331d3bde943b22299812fa",
    "math_es": "e64f079cbf9b1d56e0086ba4a57cb1eaae903e2945e0c8bc512b6363793f3231",
    "math_fr": "71d84f93155853ae3c82fe948b9b95f69eaa57029aff7d04291cf3b05a36dab2",
    "math_hi": "afa77949c955fc2c7e91a8326ad32b2be33a0258c70666b4656d1af6d5566429",
    "math_zh": "a11ef4191e3ded3ea67075fe189d593bc5ef398a26fb62d14c6667dbd1b6ac5c",
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
