"""BELLE's evaluation set: 1,000 instructions in Chinese in ten classes, for a judge to rate.

Paper: Ji et al. 2023, "Towards Better Instruction Following Language Models for Chinese" (arXiv 2304.07854).
Data: ``LianjiaTech/BELLE`` at the pinned commit, ``eval/eval_set.json``, which is JSON lines; the repository's data
licence is ODC-By, its README asks for research use only. 631 rows have an answer to compare with: none of
brainstorming and generation, 39 of 131 of rewrite, all others. Classes are spelt in several ways there (letter case,
no-break spaces) and in one here, see `plain_label`.

One turn, no instruction. The papers sample at temperature 0.001, which is greedy here; at most 1,024 new tokens is our
choice, since no number is published. Scored here is what needs no judge: language and length.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.text.labels import plain_label
from evalsuite.types import Replies, Request, Sample, Scored

from ._answers import completions
from ._conversation import ChatProtocol, ask, chat_task, choose_protocol, score_answers

PROTOCOL = ChatProtocol("belle-1k", max_tokens=1024)
_NAME = "belle"
_INFO = TaskInfo(_NAME, _NAME, "zh", "chat", "BELLE: instructions in Chinese", "ODC-By")
_REVISION = "645084d36454cdeb4e7f1ce9b2f3426bac39f1f9"
QUESTIONS = Dataset(
    "BelleGroup/BELLE_eval",
    "",
    "eval_set",
    _REVISION,
    "38df2e25bf76622162a5e7c2f7ebce142548983306b778fe2dccbc649841e7f0",
    url=f"https://raw.githubusercontent.com/LianjiaTech/BELLE/{_REVISION}/eval/eval_set.json",
)


def build(name: str, options: TaskOptions) -> Task:
    """The task. Raises UnknownName for another protocol, UsageError for what the protocol fixes."""
    protocol = choose_protocol(name, (PROTOCOL,), options)
    return chat_task(
        _INFO,
        protocol,
        datasets=(QUESTIONS,),
        source="Ji et al. 2023, arXiv 2304.07854",
        samples=_samples,
        next_requests=partial(_next_requests, options),
        score=_score,
    )


def _samples(files: tuple[Rows, ...]) -> tuple[Sample, ...]:
    (rows,) = files
    return tuple(
        Sample(
            id=f"{_NAME}:test:{index}",
            input=row["question"],
            language="zh",
            target=row["std_answer"],
            category=plain_label(row["class"]),
        )
        for index, row in enumerate(rows)
    )


def _next_requests(options: TaskOptions, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    return () if replies else (ask(sample, (), options, max_tokens=PROTOCOL.max_tokens),)


def _score(sample: Sample, replies: Replies) -> Scored:
    return score_answers(sample, completions(replies))


belle = Family(_NAME, (_INFO,), build, (PROTOCOL.id,))
