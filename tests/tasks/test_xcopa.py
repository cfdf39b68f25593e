"""XCOPA in Chinese: prompts and exemplars are those of lm-eval's own ``xcopa_zh``, for all rows."""

from __future__ import annotations

import importlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from evalsuite.contracts import Rows, Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.engines.scripted import loglikelihood
from evalsuite.errors import UnknownName, UsageError
from evalsuite.plugins import choose_tasks
from evalsuite.types import Encoding, LoglikelihoodRequest, Message, Sample, Scored

NAME = "xcopa_zh"
ROWS: Rows = (
    {"premise": " 瓶子空了。 ", "choice1": "他喝完了水。", "choice2": "Ben倒满了它。", "question": "cause", "label": 0},
    {"premise": "雨停了。", "choice1": "我打开了伞。", "choice2": "我收起了伞。", "question": "effect", "label": 1},
)
POOL: Rows = tuple(
    {"premise": f"第{n}天。", "choice1": f"甲{n}。", "choice2": f"乙{n}。", "question": "effect", "label": n % 2}
    for n in range(6)
)


def task(**options: Any) -> Task:
    (choice,) = choose_tasks([NAME])
    return choice.family.build(choice.name, TaskOptions(**options))


def requests(sample: Sample, **options: Any) -> list[LoglikelihoodRequest]:
    asked = task(**options).next_requests(sample, ())
    return [request for request in asked if isinstance(request, LoglikelihoodRequest)]


# -- prompts of hand-made rows


def test_the_full_stop_gives_way_to_because_or_so() -> None:
    first, second = task().samples((ROWS,))
    assert [(request.context, request.continuation) for request in requests(first)] == [
        ("瓶子空了 因为", " 他喝完了水。"),
        ("瓶子空了 因为", " ben倒满了它。"),
    ]
    assert [(request.context, request.continuation) for request in requests(second)] == [
        ("雨停了 所以", " 我打开了伞。"),
        ("雨停了 所以", " 我收起了伞。"),
    ]
    assert {request.encoding for request in requests(first)} == {
        Encoding(bos="unless-present", split="lm-eval", overflow="left")
    }
    assert [(sample.gold, sample.target, sample.category) for sample in (first, second)] == [
        (0, "他喝完了水。", "cause"),
        (1, "我收起了伞。", "effect"),
    ]


def test_exemplars_stand_before_the_premise_or_are_turns() -> None:
    sample = task(num_fewshot=1).samples((ROWS, POOL))[0]
    (shot,) = sample.shots
    assert requests(sample, num_fewshot=1)[0].context == f"{shot.input} {shot.target}\n\n瓶子空了 因为"
    asked = requests(sample, num_fewshot=1, chat=True, multiturn_shots=True)
    assert asked[0].context == (
        Message(role="user", content=shot.input),
        Message(role="assistant", content=shot.target),
        Message(role="user", content="瓶子空了 因为"),
    )
    assert [request.continuation for request in asked] == ["他喝完了水。", "ben倒满了它。"]


def test_a_sample_is_asked_once_and_right_by_its_likelier_choice() -> None:
    first, second = task().samples((ROWS,))
    replies = ((loglikelihood("a", -1.0), loglikelihood("b", -2.0)),)
    assert task().next_requests(first, replies) == ()
    for sample, is_right in ((first, 1.0), (second, 0.0)):
        outcome = task().score(sample, replies)
        assert isinstance(outcome, Scored)
        assert [(score.name, score.counts) for score in outcome.scores] == [("acc", (is_right, 1.0))]


def test_more_exemplars_than_there_are_and_other_protocols_are_refused() -> None:
    assert len(task(num_fewshot=6).samples((ROWS, POOL))[0].shots) == 6
    with pytest.raises(UsageError, match="--num_fewshot 7: xcopa_zh has 6 exemplars"):
        task(num_fewshot=7).samples((ROWS, POOL))
    with pytest.raises(UnknownName, match=r"xcopa_zh has: lm-eval-0\.4"):
        task(protocol="openllm-v1")


def test_the_seed_draws_where_there_is_something_to_draw() -> None:
    assert not task().is_seeded
    assert task(num_fewshot=2).is_seeded
    drawn = [[shot.input for shot in task(num_fewshot=3, seed=seed).samples((ROWS, POOL))[1].shots] for seed in (1, 2)]
    assert drawn[0] != drawn[1]


# -- the real rows, and lm-eval


def rows(mirror: Path) -> tuple[Rows, Rows]:
    source = DataSource(mirror=mirror, hub=False)
    test, validation = (load_rows(dataset, source)[0] for dataset in task(num_fewshot=1).datasets)
    return test, validation


@pytest.mark.data
@pytest.mark.filterwarnings("ignore")
def test_all_600_prompts_are_lm_evals(mirror: Path) -> None:
    pytest.importorskip("lm_eval")
    theirs = importlib.import_module("lm_eval.tasks.xcopa.utils")
    test, validation = rows(mirror)
    assert (len(test), len(validation)) == (500, 100)
    for row, sample in zip((*test, *validation), task().samples(((*test, *validation),)), strict=True):
        assert sample.input == theirs.doc_to_text_zh(row)
        assert list(sample.choices) == theirs.doc_to_choice(row)
        assert (sample.gold, sample.target) == (row["label"], sample.choices[row["label"]])


@pytest.fixture(scope="module")
def lm_eval_task(mirror: Path) -> Any:
    """lm-eval's own task on the mirror's rows."""
    side = pytest.importorskip("lm_eval_side")
    folder = files("lm_eval") / "tasks" / "xcopa"
    manager = side.TaskManager(include_path=str(folder), include_defaults=False)  # all tasks would take half a minute
    with side.reading(mirror):
        return manager.load([NAME])["tasks"][NAME]


@pytest.mark.data
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("num_fewshot", "seed"), [(0, 1234), (1, 1234), (5, 1234), (3, 7)])
def test_requests_and_the_draw_are_lm_evals(mirror: Path, lm_eval_task: Any, num_fewshot: int, seed: int) -> None:
    side = pytest.importorskip("lm_eval_side")
    lm_eval_task.set_config("num_fewshot", num_fewshot)
    instances = side.requests(lm_eval_task, 500, seed=seed)
    splits = rows(mirror) if num_fewshot else rows(mirror)[:1]
    found = task(num_fewshot=num_fewshot, seed=seed).samples(splits)
    asked = [request for sample in found for request in requests(sample, num_fewshot=num_fewshot, seed=seed)]
    assert len(asked) == 1000
    assert [(request.context, request.continuation) for request in asked] == [instance.args for instance in instances]
