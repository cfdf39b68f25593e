"""One task as a run asks for it: which settings reach it, its category alone, fewer exemplars, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

import pytest

from evalsuite.asking import Settings
from evalsuite.building import PreparedTask, build_task, check_samples, drop_shots
from evalsuite.config import RunConfig
from evalsuite.contracts import Dataset, Family, Task, TaskOptions
from evalsuite.data import DataSource
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.errors import DataError, RowsMissing, UnknownName, UsageError
from evalsuite.metrics import accuracy
from evalsuite.plugins import TaskChoice
from evalsuite.prepare import task_spec
from evalsuite.types import GenerateRequest, Replies, Request, Sample, Scored, Shot

NOWHERE = DataSource(mirror=None, hub=False)
CATEGORIES = ("tea", "ink", "tea", "")


def quiz(asked: list[TaskOptions] | None = None, *, missing_under: Container[str] = (), **task: Any) -> Family:
    """A family whose tasks are built of nothing, or of rows that cannot be had; `asked` takes the options of each."""

    def build_one(name: str, options: TaskOptions) -> Task:
        if asked is not None:
            asked.append(options)
        protocol = options.protocol or ""
        datasets = (Dataset("of", protocol, "train"),) if protocol in missing_under else ()
        return task_of(name, protocol=protocol, datasets=datasets, **task)

    return Family("quiz", (), build_one, ("suite-v1", "spare-v1"))


def samples_of(name: str) -> tuple[Sample, ...]:
    return tuple(
        Sample(id=f"{name}:test:{row}", input="?", language="en", category=category)
        for row, category in enumerate(CATEGORIES)
    )


def task_of(name: str, **more: Any) -> Task:
    plain = {
        "name": name, "family": "quiz", "version": 1, "language": "en", "protocol": "quiz-v1", "num_fewshot": 0,
        "kind": "generate", "datasets": (), "samples": lambda _: samples_of(name), "next_requests": ask,
        "score": lambda _, __: Scored(scores=()), "metrics": (accuracy("acc"),),
    }  # fmt: skip
    return Task(**{**plain, **more})


def ask(sample: Sample, replies: Replies) -> tuple[Request, ...]:
    """The exemplars' inputs and the sample's own, once."""
    prompt = "".join(shot.input for shot in sample.shots) + sample.input
    return () if replies else (GenerateRequest(prompt=prompt, max_tokens=1),)


def config_of(**more: Any) -> RunConfig:
    return RunConfig(model="scripted", tasks=("quiz",), **more)


def build(name: str = "quiz_a", owner: Family | None = None, has_template: bool = True, **config: Any) -> PreparedTask:
    engine = ScriptedEngine(plausible)
    engine.has_chat_template = has_template
    return build_task(TaskChoice(owner or quiz(), name, "suite-v1"), config_of(**config), engine, NOWHERE)


# -- settings


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {}),
        ({"num_fewshot": 0}, {"num_fewshot": 0}),
        ({"num_fewshot": 3}, {"num_fewshot": 3}),
        ({"num_fewshot": {"quiz_a:tea": 4, "quiz_a": 3, "quiz": 2}}, {"num_fewshot": 4}),
        ({"num_fewshot": {"quiz": 2, "quiz_a": 3}}, {"num_fewshot": 3}),
        ({"num_fewshot": {"quiz": 2, "quiz_b": 3}}, {"num_fewshot": 2}),
        ({"num_fewshot": {"quiz_b": 3}}, {}),
        ({"protocol": "mine-v1"}, {"protocol": "mine-v1"}),
        ({"protocol": {"quiz": "mine-v1"}}, {"protocol": "mine-v1"}),
        ({"protocol": {"riddle": "mine-v1"}}, {}),
        ({"fewshot_as_multiturn": False}, {"multiturn_shots": False}),
        ({"fewshot_as_multiturn": True}, {}),
        ({"system_instruction": "Be brief."}, {"system_instruction": "Be brief."}),
        ({"seed": 7}, {"seed": 7}),
    ],
)
def test_what_a_task_is_built_with(config: dict[str, Any], expected: dict[str, Any]) -> None:
    """A setting by the task's own name goes before its family's; exemplars are turns unless that is refused."""
    asked: list[TaskOptions] = []
    build("quiz_a:tea", quiz(asked), **config)
    assert asked == [replace(TaskOptions(protocol="suite-v1", multiturn_shots=True), **expected)]


@pytest.mark.parametrize(
    ("wanted", "kind", "has_template", "is_chat"),
    [
        (None, "chat", True, True),
        (None, "chat", False, False),
        (None, "a kind", True, False),
        (None, "multiple_choice", True, False),
        (False, "chat", True, False),
        (True, "generate", True, True),
        (True, "generate", False, True),
    ],
)
def test_only_chat_tasks_are_conversations_unless_the_user_says(
    wanted: bool | None, kind: str, has_template: bool, is_chat: bool
) -> None:
    asked: list[TaskOptions] = []
    found = build("quiz_a", quiz(asked, kind=kind), has_template, apply_chat_template=wanted)
    assert found.is_chat == is_chat
    assert [options.chat for options in asked] == [False, True][: 1 + is_chat]


@pytest.mark.parametrize(
    ("config", "flag"),
    [
        ({"gen_kwargs": {"temperature": 0.0}}, "--gen_kwargs"),
        ({"truncation": "error"}, "--truncation"),
        ({"fewshot_as_multiturn": False}, "--fewshot_as_multiturn"),
        ({"model_args": {"max_length": 64}}, "--model_args max_length"),
    ],
)
def test_a_sealed_task_refuses_what_would_change_its_answers(config: dict[str, Any], flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag}: the protocol suite-v1 of quiz_a fixes it; leave it out"):
        build("quiz_a", quiz(is_sealed=True), **config)
    assert build(**config).task.name == build("quiz_a", quiz(is_sealed=True)).task.name == "quiz_a"


# -- rows


@pytest.mark.parametrize("fallback", ["", "spare-v1"])
def test_rows_that_cannot_be_had_under_any_protocol_are_missing(fallback: str) -> None:
    """The message names those that were asked for."""
    asked: list[TaskOptions] = []
    with pytest.raises(RowsMissing, match="suite-v1, train"):
        build("quiz_a", quiz(asked, missing_under=("suite-v1", "spare-v1"), fallback=fallback))
    assert [options.protocol for options in asked] == ["suite-v1", fallback][: 2 if fallback else 1]


def test_a_task_may_do_without_rows_under_another_protocol() -> None:
    spared = quiz(missing_under=("suite-v1",), fallback="spare-v1", fallback_reason="its rows are gone")
    found = build("quiz_a", spared)
    assert found.note == "quiz_a: its rows are gone; its protocol is spare-v1."
    assert (found.task.protocol, found.samples, found.num_available) == ("spare-v1", samples_of("quiz_a"), 4)
    assert (build().note, build().pins, build().num_shortened) == ("", (), 0)


# -- categories


def test_a_category_is_a_task_of_its_own() -> None:
    found = build("quiz_a:tea")
    assert found.task.name == "quiz_a:tea"
    assert [sample.id for sample in found.samples] == ["quiz_a:tea:test:0", "quiz_a:tea:test:2"]
    assert {sample.category for sample in found.samples} == {"tea"}
    assert found.num_available == 2
    assert build("quiz_a").samples == samples_of("quiz_a")


def test_an_unknown_category_is_named_with_what_there_is() -> None:
    with pytest.raises(UnknownName, match=r"category 'te' .*did you mean 'tea'\? quiz_a has: ink, tea\.$"):
        build("quiz_a:te")
    bare = quiz(samples=lambda _: (Sample(id="quiz_a:test:0", input="?", language="en"),))
    with pytest.raises(UnknownName, match=r"quiz_a has: none\.$"):
        build("quiz_a:tea", bare)


# -- exemplars that do not fit


class Window(ScriptedEngine):
    """Takes prompts of so many characters."""

    def __init__(self, size: int) -> None:
        super().__init__(plausible)
        self.size = size

    def overflow(self, request: Request) -> int:
        assert isinstance(request, GenerateRequest)
        return max(0, len(request.prompt) - self.size)


@pytest.mark.parametrize("num_shots", range(7))
@pytest.mark.parametrize("size", range(1, 16))
def test_as_many_of_the_last_exemplars_are_kept_as_fit(num_shots: int, size: int) -> None:
    """Two characters each, and one of the question; a question that does not fit has none."""
    shots = tuple(Shot(input=f"{number}:", target="") for number in range(num_shots))
    sample, bare = (Sample(id=f"quiz_a:test:{n}", input="?", language="en", shots=s) for n, s in enumerate((shots, ())))
    before = PreparedTask(task_of("quiz_a"), (sample, bare), 9, (), is_chat=True, note="kept")
    after = drop_shots(before, Settings(truncation="drop_shots"), Window(size))
    num_kept = min(num_shots, (size - 1) // 2)
    kept, untouched = after.samples
    assert kept.shots == shots[num_shots - num_kept :]
    assert untouched == bare
    assert after == replace(before, samples=after.samples, num_shortened=int(num_kept < num_shots))


# -- what is refused

Ask = Callable[[Sample, Replies], tuple[Request, ...]]


def prepared(name: str, *ids: str, ask: Ask = ask) -> PreparedTask:
    samples = tuple(Sample(id=each, input="?", language="en") for each in ids)
    return PreparedTask(task_of(name, next_requests=ask), samples, len(samples), (), is_chat=False)


@pytest.mark.parametrize(
    "tasks",
    [
        [prepared("quiz_a", "a:0", "a:1"), prepared("quiz_b", "b:0")],
        [prepared("quiz_a:tea", "t:0"), prepared("quiz_a:ink", "i:0")],
        [prepared("quiz_a:tea", "t:0"), prepared("quiz_b", "b:0")],
        [prepared("quiz_a", "a:0")],
    ],
)
def test_tasks_apart_are_taken(tasks: list[PreparedTask]) -> None:
    check_samples(tasks)


@pytest.mark.parametrize("ids", [(("a:0", "a:0"), ("b:0",)), (("a:0",), ("b:0", "a:0"))])
def test_an_id_stands_once_in_a_run(ids: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(DataError, match=r"task quiz_[01]: two samples have the id a:0\."):
        check_samples([prepared(f"quiz_{number}", *each) for number, each in enumerate(ids)])


def test_a_sample_must_ask_something() -> None:
    with pytest.raises(DataError, match=r"task quiz_a: a:0 asks nothing\."):
        task_spec(prepared("quiz_a", "a:0", ask=lambda _, __: ()), Settings(), 0)


@pytest.mark.parametrize("whole_is_first", [True, False])
def test_a_task_and_a_part_of_it_are_not_asked_for_together(whole_is_first: bool) -> None:
    tasks = [prepared("quiz_a", "a:0"), prepared("quiz_b", "b:0"), prepared("quiz_a:tea", "t:0")]
    with pytest.raises(UsageError, match="--tasks: quiz_a:tea is a part of quiz_a, which is asked for too"):
        check_samples(tasks if whole_is_first else tasks[::-1])
