"""xOA22: the prompts of BLOOMChat's human evaluation, in six languages; answers are free text.

Data: ``sambanovasystems/xOA22``, one split a language; Apache-2.0. The English ones are the 22 of the paper on
OpenAssistant Conversations (Koepf et al. 2023, arXiv 2304.07327, appendix E), translated by volunteers. Arabic, French
and Spanish follow them one by one, and are aligned with them; Chinese and Hindi have other numbers of prompts (a
Hindi one is missing, others have variants) and are not. Its revision is not pinned.

How BLOOMChat's answers were sampled is not published; here they are greedy, of at most 512 tokens: a re-creation.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.text.language_names import LANGUAGES
from evalsuite.types import Replies, Request, Sample, Scored

from ._answers import completions
from ._conversation import ChatProtocol, ask, chat_task, choose_protocol, score_answers
from ._words import WORDS

ALIGNED = ("en", "fr", "ar", "es")
_NAME = "xoa22"
_PROTOCOLS = (ChatProtocol("xoa22-recreation", 512),)


def build(name: str, options: TaskOptions) -> Task:
    """The task of one language, ``xoa22_hi``. Raises UnknownName for another protocol, UsageError for exemplars."""
    protocol = choose_protocol(name, _PROTOCOLS, options)
    language = name.rpartition("_")[2]
    return chat_task(
        _info(language),
        protocol,
        datasets=(Dataset("sambanovasystems/xOA22", "default", language),),
        source="Koepf et al. 2023, arXiv 2304.07327; translated for BLOOMChat",
        samples=partial(_samples, name, language),
        next_requests=partial(_next_requests, options, protocol.max_tokens),
        score=_score,
        provenance="native" if language == "en" else "human",
    )


def _samples(name: str, language: str, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    (rows,) = splits
    family = _NAME if language in ALIGNED else name
    return tuple(
        Sample(
            id=f"{name}:{language}:{index}",
            input=row["prompt"].strip(),
            language=language,
            cluster=f"{family}:{index}",
        )
        for index, row in enumerate(rows)
    )


def _next_requests(options: TaskOptions, max_tokens: int, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    return () if replies else (ask(sample, (), options, max_tokens=max_tokens),)


def _score(sample: Sample, replies: Replies) -> Scored:
    return score_answers(sample, completions(replies))


def _info(language: str) -> TaskInfo:
    title = f"xOA22, prompts in {WORDS['en'].languages[language]}"
    return TaskInfo(f"{_NAME}_{language}", _NAME, language, "chat", title, "Apache-2.0")


xoa22 = Family(_NAME, tuple(map(_info, LANGUAGES)), build, tuple(protocol.id for protocol in _PROTOCOLS))
