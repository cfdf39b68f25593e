"""MT-Bench: 80 open questions of two turns in eight categories, for a judge to rate.

Paper: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena" (arXiv 2306.05685).
Data: FastChat at the pinned commit, ``fastchat/llm_judge/data/mt_bench``; Apache-2.0. Questions 81 to 160, ten a
category, and GPT-4's answers to 101 to 130 (reasoning, math, coding) as references, some of which are wrong.

Under ``mt-bench`` answers are made as FastChat's ``gen_model_answer.py`` makes them: at most 1,024 new tokens, sampled
at the temperature of their category (`TEMPERATURES`; 0 is greedy), in the model's own chat template, and without white
space around them in the second turn. Sampled texts differ from FastChat's, whose generator was torch's with the seed 0.
``mt-bench-256`` is ours, for small machines: the same with at most 256 tokens. A model without a chat template reads a
transcript, which FastChat does not know.

Scored here is what needs no judge: language and length. A few questions ask for text in other languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.types import Replies, Request, Sample, Scored

from ._answers import completions
from ._conversation import ChatProtocol, ask, chat_task, choose_protocol, score_answers

MT_BENCH = ChatProtocol("mt-bench", max_tokens=1024)
MT_BENCH_256 = ChatProtocol("mt-bench-256", max_tokens=256, is_sealed=False)
PROTOCOLS = (MT_BENCH, MT_BENCH_256)
TEMPERATURES = {
    "writing": 0.7,
    "roleplay": 0.7,
    "extraction": 0.0,
    "math": 0.0,
    "coding": 0.0,
    "reasoning": 0.0,
    "stem": 0.1,
    "humanities": 0.1,
}
_NAME = "mt_bench"
_INFO = TaskInfo(_NAME, _NAME, "en", "chat", "MT-Bench: open questions of two turns", "Apache-2.0")
_REVISION = "0e6d3e4beaab66f4d3f93db72541a4abab8af28d"
_FOLDER = f"https://raw.githubusercontent.com/lm-sys/FastChat/{_REVISION}/fastchat/llm_judge/data/mt_bench"
QUESTIONS = Dataset(
    "lm-sys/mt_bench",
    "",
    "question",
    _REVISION,
    "f10786f04ba58a0cbd64143e3b9bdcf2cb6e0a83dab064376eb1f140b5c22128",
    url=f"{_FOLDER}/question.jsonl",
)
REFERENCES = Dataset(
    "lm-sys/mt_bench",
    "reference_answer",
    "gpt-4",
    _REVISION,
    "286ea4cf65f74475f65292e3f85a27d0ec07176592383d6b8976438ef2a5eef7",
    url=f"{_FOLDER}/reference_answer/gpt-4.jsonl",
)


def build(name: str, options: TaskOptions) -> Task:
    """The task. Raises UnknownName for another protocol, UsageError for what the protocol fixes."""
    protocol = choose_protocol(name, PROTOCOLS, options)
    return chat_task(
        _INFO,
        protocol,
        datasets=(QUESTIONS, REFERENCES),
        source="Zheng et al. 2023, arXiv 2306.05685",
        samples=_samples,
        next_requests=partial(_next_requests, options, protocol),
        score=_score,
    )


def _samples(files: tuple[Rows, ...]) -> tuple[Sample, ...]:
    questions, *references = files
    answers = {row["question_id"]: row["choices"][0]["turns"] for rows in references for row in rows}
    return tuple(
        Sample(
            id=f"{_NAME}:test:{index}",
            input=row["turns"][0],
            language="en",
            turns=tuple(row["turns"]),
            category=row["category"],
            cluster=f"{_NAME}:{row['question_id']}",
            metadata=_metadata(row, answers.get(row["question_id"], ())),
        )
        for index, row in enumerate(questions)
    )


def _metadata(row: Mapping[str, Any], references: Sequence[str]) -> dict[str, str]:
    """The question's id, and the reference of each turn where there is one."""
    texts = {f"reference_{turn}": text for turn, text in enumerate(references, start=1)}
    return {"question_id": str(row["question_id"]), **texts}


def _next_requests(
    options: TaskOptions, protocol: ChatProtocol, sample: Sample, replies: Replies
) -> tuple[Request, ...]:
    if len(replies) == len(sample.turns):
        return ()
    answers = [answer.text.strip() for answer in completions(replies)]
    temperature = TEMPERATURES[sample.category]
    return (ask(sample, answers, options, max_tokens=protocol.max_tokens, temperature=temperature),)


def _score(sample: Sample, replies: Replies) -> Scored:
    return score_answers(sample, completions(replies))


mt_bench = Family(
    _NAME,
    (_INFO,),
    build,
    tuple(protocol.id for protocol in PROTOCOLS),
)
