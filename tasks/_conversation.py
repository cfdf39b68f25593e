"""What the chat tasks share: how a conversation is asked, and what is said of its answers without a judge.

A conversation is chat messages, or, for models without a chat template, a transcript whose speakers are named in its
language and which ends where the model is to speak. The model's own earlier answers stand in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evalsuite.contracts import Dataset, Rows, Task, TaskInfo, TaskOptions
from evalsuite.errors import UnknownName, UsageError
from evalsuite.metrics import mean_length
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion, GenerateRequest, Message, Replies, Request, Sample, Score, Scored

from ._answers import FIDELITY, answer_flags, fidelity_of

ANSWER_CHARS = mean_length("answer_chars")
"""Characters of an answer without the thinking before it, as the mean over a sample's turns."""
METRICS = (*FIDELITY, ANSWER_CHARS)
"""What `score_answers` gives a sample; repetition, refusals, empty and capped answers are flags."""

_SPEAKERS = {
    "en": ("User: ", "Assistant:"),
    "zh": ("用户：", "助手："),
    "fr": ("Utilisateur\u202f: ", "Assistant\u202f:"),
    "ar": ("المستخدم: ", "المساعد:"),
    "es": ("Usuario: ", "Asistente:"),
    "hi": ("उपयोगकर्ता: ", "सहायक:"),
}


@dataclass(frozen=True)
class ChatProtocol:
    """How answers are generated under the name `id`; a sealed one leaves nothing of it to the user."""

    id: str
    max_tokens: int
    is_sealed: bool = True


def choose_protocol(name: str, protocols: Sequence[ChatProtocol], options: TaskOptions) -> ChatProtocol:
    """The protocol that `options` name, by default the first.

    Raises UnknownName for another, UsageError for exemplars, which no conversation has, and for an instruction under a
    sealed protocol.
    """
    known = {protocol.id: protocol for protocol in protocols}
    wanted = options.protocol or protocols[0].id
    if wanted not in known:
        raise UnknownName("protocol", wanted, known, f"{name} has: {', '.join(known)}.")
    if options.num_fewshot:
        raise UsageError(f"{name} is asked without exemplars; leave --num_fewshot out or at 0.")
    if options.system_instruction and known[wanted].is_sealed:
        raise UsageError(f"--system_instruction: the protocol {wanted} of {name} fixes it: none; leave it out.")
    return known[wanted]


def chat_task(
    info: TaskInfo,
    protocol: ChatProtocol,
    *,
    datasets: tuple[Dataset, ...],
    source: str,
    samples: Callable[[tuple[Rows, ...]], tuple[Sample, ...]],
    next_requests: Callable[[Sample, Replies], tuple[Request, ...]],
    score: Callable[[Sample, Replies], Scored],
    provenance: str = "native",
) -> Task:
    """The task that `info` shows, version 1, with what all chat tasks are scored for."""
    return Task(
        name=info.name,
        family=info.family,
        version=1,
        language=info.language,
        protocol=protocol.id,
        num_fewshot=0,
        kind=info.kind,
        datasets=datasets,
        samples=samples,
        next_requests=next_requests,
        score=score,
        metrics=METRICS,
        title=info.title,
        source=source,
        licence=info.licence,
        language_provenance=provenance,
        is_sealed=protocol.is_sealed,
    )


def ask(
    sample: Sample,
    answers: Sequence[str],
    options: TaskOptions,
    *,
    max_tokens: int,
    temperature: float = 0.0,
    language: str = "",
) -> GenerateRequest:
    """The request for the turn that follows the `answers` given so far.

    `language` is that of the words around the turns of a transcript, by default the sample's.
    """
    turns = (sample.turns or (sample.input,))[: len(answers) + 1]
    if options.chat:
        prompt = _messages(turns, answers, options.system_instruction)
        return GenerateRequest(prompt=prompt, max_tokens=max_tokens, temperature=temperature)
    text, stop = _transcript(turns, answers, options.system_instruction, language or sample.language)
    return GenerateRequest(prompt=text, max_tokens=max_tokens, temperature=temperature, stop=(stop,))


def _messages(turns: Sequence[str], answers: Sequence[str], system: str) -> tuple[Message, ...]:
    messages = [Message(role="system", content=system)] if system else []
    for turn, answer in zip(turns, answers, strict=False):
        messages.append(Message(role="user", content=turn))
        messages.append(Message(role="assistant", content=answer))
    return (*messages, Message(role="user", content=turns[-1]))


def _transcript(turns: Sequence[str], answers: Sequence[str], system: str, language: str) -> tuple[str, str]:
    """The conversation as plain text, and the string at which the model would speak for the user."""
    user, assistant = _SPEAKERS[language]
    lines = [system] if system else []
    for turn, answer in zip(turns, answers, strict=False):
        lines += [f"{user}{turn}", f"{assistant} {answer.strip()}"]
    lines += [f"{user}{turns[-1]}", assistant]
    return "\n".join(lines), "\n" + user.strip()


def score_answers(sample: Sample, answers: Sequence[Completion]) -> Scored:
    """What is said of a sample's answers, one a turn: language, length, and the flags of every generated answer."""
    fidelity = fidelity_of(answers, sample.language)
    length = sum(len(without_thinking(answer.text)) for answer in answers) / len(answers)
    return Scored(
        scores=(*fidelity.scores, Score(name=ANSWER_CHARS.name, counts=(length, 1.0))),
        answer=answers[-1].text,
        flags=answer_flags(answers, fidelity),
    )
