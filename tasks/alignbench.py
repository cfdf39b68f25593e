"""AlignBench 1.1: 683 open questions in Chinese in eight categories, for a judge to rate against a reference.

Paper: Liu et al. 2023, "AlignBench: Benchmarking Chinese Alignment of Large Language Models" (arXiv 2311.18743).
Data: ``THUDM/AlignBench`` at the pinned commit, ``data/data_v1.1_release.jsonl`` of June 2024; no licence is stated.
241 questions and 330 references differ from version 1.0, so numbers of the two do not compare.

Answers are made as the official ``get_answers.py`` makes them: one turn, no instruction, sampled at the temperature of
the category (`TEMPERATURES`), and an empty answer is asked for again up to three times, whose last text counts. The
authors fix nothing else (their repository's issue 3): at most 2,048 new tokens is our choice.

Scored here is what needs no judge: language and length. Some questions ask for text in other languages.
"""

from __future__ import annotations

from functools import partial

from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.types import Replies, Request, Sample, Scored

from ._answers import completions
from ._conversation import ChatProtocol, ask, chat_task, choose_protocol, score_answers

PROTOCOL = ChatProtocol("alignbench-v1.1", max_tokens=2048)
MAX_REPEATS = 3
"""How often an empty answer is asked for again."""
TEMPERATURES = {
    "专业能力": 0.1,
    "中文理解": 0.1,
    "基本任务": 0.1,
    "数学计算": 0.1,
    "逻辑推理": 0.1,
    "文本写作": 0.7,
    "综合问答": 0.7,
    "角色扮演": 0.7,
}
_NAME = "alignbench"
_INFO = TaskInfo(_NAME, _NAME, "zh", "chat", "AlignBench: open questions in Chinese", "none stated")
_REVISION = "5b79d4a84e566db26e755c719935c62a0e1b0527"
QUESTIONS = Dataset(
    "THUDM/AlignBench",
    "",
    "data_v1.1_release",
    _REVISION,
    "3287d4a28bdec8ffabe2c619651b2156e88356aaa809fb19e65891f7b73aebb2",
    url=f"https://raw.githubusercontent.com/THUDM/AlignBench/{_REVISION}/data/data_v1.1_release.jsonl",
)


def build(name: str, options: TaskOptions) -> Task:
    """The task. Raises UnknownName for another protocol, UsageError for what the protocol fixes."""
    protocol = choose_protocol(name, (PROTOCOL,), options)
    return chat_task(
        _INFO,
        protocol,
        datasets=(QUESTIONS,),
        source="Liu et al. 2023, arXiv 2311.18743",
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
            target=row["reference"],
            category=row["category"],
            cluster=f"{_NAME}:{row['question_id']}",
            metadata={"question_id": str(row["question_id"]), "subcategory": row["subcategory"]},
        )
        for index, row in enumerate(rows)
    )


def _next_requests(options: TaskOptions, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    """The question, and again while the answer is empty: its seed, which the run gives, is another each time."""
    answers = completions(replies)
    if answers and (answers[-1].text or len(answers) > MAX_REPEATS):
        return ()
    temperature = TEMPERATURES[sample.category]
    return (ask(sample, (), options, max_tokens=PROTOCOL.max_tokens, temperature=temperature),)


def _score(sample: Sample, replies: Replies) -> Scored:
    return score_answers(sample, completions(replies)[-1:])


alignbench = Family(_NAME, (_INFO,), build, (PROTOCOL.id,))
