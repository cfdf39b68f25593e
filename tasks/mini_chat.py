"""mini_chat: 12 open prompts of two turns, aligned in six languages; answers are free text.

Scored without a judge: is each answer in the language asked, and how long is it.
"""

from __future__ import annotations

from functools import partial

from evalsuite.metrics import mean_length
from evalsuite.types import (
    Completion,
    GenerateRequest,
    Message,
    Replies,
    Request,
    Rows,
    Sample,
    Score,
    Scored,
    Task,
    TaskOptions,
)

from ._answers import LANGUAGE_FIDELITY, answer_flags, completions, language_score
from ._mini import LICENCE, PROTOCOL, SOURCE, check_options, dataset, family

MAX_TOKENS = 96
_FINGERPRINTS = {
    "chat_ar": "b25b2e4eec06b9123ac4feca3c0f07e8d80666278550dcc46a52cd74f52dcc76",
    "chat_en": "ea7878522a535d2ccce2808a74c70ae23297dbc2b8edca0b2d624fcfd6bc12c0",
    "chat_es": "9a046e1a5a0cce17bb91517b85b7604aed794b7590ec0da92a4d06ce70e2b78f",
    "chat_fr": "e9fa4b2065e36f233f9bc29239728e7265b55933b912e2e85ab36ea98e06bcf7",
    "chat_hi": "d876285b74b80354b6337709b853ef2f956c18fdb69722dccf1d720e1e768c8d",
    "chat_zh": "275e212caf52f3780f096e3ac94a56822d43da787a0087f276c11f28181082f9",
}
_LENGTH = mean_length("answer_chars")
_SPEAKERS = {
    "en": ("User: ", "Assistant:"),
    "zh": ("用户：", "助手："),
    "fr": ("Utilisateur\u202f: ", "Assistant\u202f:"),
    "ar": ("المستخدم: ", "المساعد:"),
    "es": ("Usuario: ", "Asistente:"),
    "hi": ("उपयोगकर्ता: ", "सहायक:"),
}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one language."""
    check_options(name, options, shots=False)
    language = name.rpartition("_")[2]
    return Task(
        name=name,
        family="mini_chat",
        version=1,
        language=language,
        protocol=PROTOCOL,
        num_fewshot=0,
        kind="chat",
        datasets=(dataset(f"chat_{language}", _FINGERPRINTS),),
        samples=partial(_samples, name, language),
        next_requests=partial(_next_requests, options),
        score=_score,
        metrics=(LANGUAGE_FIDELITY, _LENGTH),
        title="Open prompts of two turns",
        source=SOURCE,
        licence=LICENCE,
    )


def _samples(name: str, language: str, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    (rows,) = splits
    return tuple(
        Sample(
            id=f"{name}:test:{index}",
            input=row["turns"][0],
            language=language,
            turns=tuple(row["turns"]),
            category=row["category"],
            cluster=f"mini_chat:{row['id']}",
        )
        for index, row in enumerate(rows)
    )


def _next_requests(options: TaskOptions, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if len(replies) == len(sample.turns):
        return ()
    answers = completions(replies)
    if options.chat:
        messages = _messages(sample, answers, options.system_instruction)
        return (GenerateRequest(prompt=messages, max_tokens=MAX_TOKENS),)
    prompt, stop = _transcript(sample, answers, options.system_instruction)
    return (GenerateRequest(prompt=prompt, max_tokens=MAX_TOKENS, stop=(stop,)),)


def _messages(sample: Sample, answers: list[Completion], system: str) -> tuple[Message, ...]:
    messages = [Message(role="system", content=system)] if system else []
    for turn, answer in zip(sample.turns, answers, strict=False):
        messages.append(Message(role="user", content=turn))
        messages.append(Message(role="assistant", content=answer.text))
    messages.append(Message(role="user", content=sample.turns[len(answers)]))
    return tuple(messages)


def _transcript(sample: Sample, answers: list[Completion], system: str) -> tuple[str, str]:
    user, assistant = _SPEAKERS[sample.language]
    lines = [system] if system else []
    for turn, answer in zip(sample.turns, answers, strict=False):
        lines += [f"{user}{turn}", f"{assistant} {answer.text.strip()}"]
    lines += [f"{user}{sample.turns[len(answers)]}", assistant]
    return "\n".join(lines), "\n" + user.strip()


def _score(sample: Sample, replies: Replies) -> Scored:
    answers = completions(replies)
    fidelity = language_score(answers, sample.language)
    length = sum(len(answer.text) for answer in answers) / len(answers)
    return Scored(
        scores=(fidelity, Score(name=_LENGTH.name, counts=(length, 1.0))),
        answer=answers[-1].text,
        flags=answer_flags(answers, fidelity),
    )


mini_chat = family("mini_chat", "chat", "Open prompts of two turns", build)
