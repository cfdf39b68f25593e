"""mini_chat: 12 open prompts of two turns, aligned in six languages; answers are free text.

Scored without a judge: is each answer in the language asked, and how long is it.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.types import Replies, Request, Sample, Scored

from ._answers import completions
from ._conversation import METRICS, ask, score_answers
from ._mini import LICENCE, PROTOCOL, SOURCE, check_options, dataset, family
from ._words import protocol_in, wanted_language

MAX_TOKENS = 96
_FINGERPRINTS = {
    "chat_ar": "12d967dedcaeae95f2cefd7fe8dfb98ec647bb4e1c9ff637ea9998383276e2cf",
    "chat_en": "3f13e27d3335a17673608d0e72e0466ea064ea234c33d33b124bfacd2a2b9e93",
    "chat_es": "3a500312cafa89ef534365a1af9c7092030af05d1dc20e00c947c8a0f3bd2774",
    "chat_fr": "4c0e90bcfa8fc38ed9ec0cad5cf42001f18785ba76e5c1348ccba6d6f6bba554",
    "chat_hi": "0268bc3b05483c613b9ba22ded87458110aba05143783933f644642b6acc4b5b",
    "chat_zh": "df3387a8695459ebf38891a5a97ce55f50ae202c80e01831031bb465fa96c9ff",
}


def build(name: str, options: TaskOptions) -> Task:
    """The task of one language."""
    check_options(name, options, shots=False)
    language = name.rpartition("_")[2]
    prompt_language = wanted_language(name, options, native=language)
    return Task(
        name=name,
        family="mini_chat",
        version=1,
        language=language,
        protocol=PROTOCOL if options.chat else protocol_in(PROTOCOL, prompt_language, language),
        num_fewshot=0,
        kind="chat",
        datasets=(dataset(f"chat_{language}", _FINGERPRINTS),),
        samples=partial(_samples, name, language),
        next_requests=partial(_next_requests, prompt_language, options),
        score=_score,
        metrics=METRICS,
        title="Open prompts of two turns",
        source=SOURCE,
        licence=LICENCE,
        prompt_language="" if options.chat else prompt_language,
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


def _next_requests(language: str, options: TaskOptions, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    if len(replies) == len(sample.turns):
        return ()
    answers = [answer.text for answer in completions(replies)]
    return (ask(sample, answers, options, max_tokens=MAX_TOKENS, language=language),)


def _score(sample: Sample, replies: Replies) -> Scored:
    return score_answers(sample, completions(replies))


mini_chat = family("mini_chat", "chat", "Open prompts of two turns", build)
