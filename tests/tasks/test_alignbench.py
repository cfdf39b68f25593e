"""AlignBench 1.1: what is asked, against the raw file read without evalsuite, and how empty answers are repeated."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from chat_tasks import asked, conversation, digest, raw_rows, replies, samples, task

from evalsuite.config import make_config
from evalsuite.engines.scripted import completion
from evalsuite.errors import UnknownName, UsageError
from evalsuite.plugins import family
from evalsuite.prepare import prepare
from evalsuite.run import Quiet, execute
from evalsuite.store.results import read_samples
from evalsuite.types import Flag, GenerateRequest, Request, Response, Sample, Scored

NAME = "alignbench"
SIZES = {
    "专业能力": 124,
    "角色扮演": 116,
    "数学计算": 112,
    "逻辑推理": 92,
    "文本写作": 75,
    "基本任务": 68,
    "中文理解": 58,
    "综合问答": 38,
}
WARM = {"角色扮演", "文本写作", "综合问答"}
QUESTION = Sample(id="alignbench:test:0", input="说出一种水果。", language="zh", category="综合问答")
ALL_PROMPTS = "6b447824879526e642a7efdb091672984132cc6478f42e57774e8e210cf4aaf9"


@pytest.mark.data
def test_samples_are_the_questions_in_order(mirror: Path) -> None:
    rows = raw_rows(mirror / "THUDM__AlignBench" / "data_v1.1_release.jsonl")
    found = samples(mirror, NAME)
    assert [sample.id for sample in found] == [f"alignbench:test:{row}" for row in range(683)]
    assert Counter(sample.category for sample in found) == SIZES
    assert len({sample.metadata["subcategory"] for sample in found}) == 36
    assert [
        (sample.metadata["question_id"], sample.category, sample.metadata["subcategory"], sample.input, sample.target)
        for sample in found
    ] == [
        (str(row["question_id"]), row["category"], row["subcategory"], row["question"], row["reference"])
        for row in rows
    ]
    assert len({sample.cluster_id for sample in found}) == 683


@pytest.mark.data
def test_prompts_are_the_questions_alone(mirror: Path) -> None:
    rows = raw_rows(mirror / "THUDM__AlignBench" / "data_v1.1_release.jsonl")
    chat, plain = task(NAME, chat=True), task(NAME)
    for sample, row in zip(samples(mirror, NAME), rows, strict=True):
        assert digest([conversation(asked(chat, sample))]) == digest([[("user", row["question"])]])
        assert asked(plain, sample).prompt == f"用户：{row['question']}\n助手："
        assert asked(plain, sample).stop == ("\n用户：",)
    assert digest(conversation(asked(chat, sample)) for sample in samples(mirror, NAME)) == ALL_PROMPTS


@pytest.mark.data
def test_answers_are_sampled_as_the_official_file_wants(mirror: Path) -> None:
    official = json.loads((mirror / "THUDM__AlignBench" / "config" / "temperature.json").read_text(encoding="utf-8"))
    for sample in samples(mirror, NAME):
        request = asked(task(NAME, chat=True), sample)
        assert request.temperature == official[sample.category] == (0.7 if sample.category in WARM else 0.1)
        assert (request.max_tokens, request.top_p, request.stop) == (2048, 1.0, ())


# -- empty answers


@pytest.mark.parametrize(
    ("texts", "is_over"),
    [
        ((), False),
        (("苹果",), True),
        (("",), False),
        ((" ",), True),
        (("", "苹果"), True),
        (("", ""), False),
        (("", "", ""), False),
        (("", "", "", ""), True),
        (("", "", "", "苹果"), True),
    ],
)
def test_an_empty_answer_is_asked_for_again_three_times(texts: tuple[str, ...], is_over: bool) -> None:
    requests = task(NAME, chat=True).next_requests(QUESTION, replies(*texts))
    assert (requests == ()) == is_over
    assert is_over or requests == task(NAME, chat=True).next_requests(QUESTION, ())


def test_the_last_text_is_what_counts() -> None:
    outcome = task(NAME).score(QUESTION, replies("", "", "苹果是一种很甜的水果。"))
    assert isinstance(outcome, Scored)
    assert {found.name: found.counts for found in outcome.scores} == {
        "language_fidelity": (1.0, 1.0),
        "sentence_fidelity": (1.0, 1.0),
        "answer_chars": (11.0, 1.0),
    }
    assert (outcome.answer, outcome.flags) == ("苹果是一种很甜的水果。", ())


def test_four_empty_answers_are_one_empty_answer() -> None:
    outcome = task(NAME).score(QUESTION, replies("", "", "", ""))
    assert isinstance(outcome, Scored)
    assert [found.counts for found in outcome.scores] == [(0.0, 1.0), (0.0, 0.0), (0.0, 1.0)]
    assert outcome.flags == (Flag.EMPTY,)


def sometimes_silent(request: Request) -> Response:
    """Says nothing for three seeds of four."""
    assert isinstance(request, GenerateRequest)
    return completion("" if request.seed % 4 else "我喜欢苹果，因为它很甜。")


@pytest.mark.data
def test_a_run_repeats_with_other_seeds(mirror: Path, tmp_path: Path) -> None:
    prepared = prepare(make_config({}, {"model": "scripted", "tasks": (NAME,), "limit": 60.0, "data_dir": str(mirror)}))
    prepared.engine._function = sometimes_silent  # type: ignore[attr-defined]
    finished = execute(prepared, tmp_path / "run", Quiet())
    assert finished.result is not None
    assert finished.result.counts.scored == 60
    waves: Counter[int] = Counter()
    for record in read_samples(tmp_path / "run"):
        texts = [response.text for response in record.responses]  # type: ignore[union-attr]
        seeds = [item.request.seed for item in record.items]  # type: ignore[union-attr]
        assert [bool(text) for text in texts[:-1]] == [False] * (len(texts) - 1)
        assert texts[-1] or len(texts) == 4
        assert len(set(seeds)) == len(seeds)
        assert isinstance(record.outcome, Scored)
        assert (Flag.EMPTY in record.outcome.flags) == (not texts[-1])
        waves[len(texts)] += 1
    assert waves.keys() == {1, 2, 3, 4}


# -- protocols


def test_the_protocol_is_sealed() -> None:
    assert family(NAME).protocols == ("alignbench-v1.1",)
    assert (task(NAME).protocol, task(NAME).is_sealed, task(NAME).language) == ("alignbench-v1.1", True, "zh")
    with pytest.raises(UsageError, match=r"--system_instruction: the protocol alignbench-v1\.1 of alignbench fixes it"):
        task(NAME, system_instruction="请简短回答。")
    with pytest.raises(UnknownName, match=r"did you mean 'alignbench-v1.1'"):
        task(NAME, protocol="alignbench-v1.0")
