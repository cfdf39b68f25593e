"""Which means a run reports, on hand-made outcomes: of which tasks, in which ways, and when a suite has an average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from evalsuite.averages import aggregates
from evalsuite.building import PreparedTask
from evalsuite.contracts import Metric, Suite, Task
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.metrics import accuracy, probability
from evalsuite.prepare import Prepared
from evalsuite.records import Aggregate, AggregateKind
from evalsuite.stats.aggregates import mean_of_tasks
from evalsuite.stats.estimates import Measured, Row, measure
from evalsuite.types import Cancelled, Cause, Outcome, Sample, Score, Scored, Unscored

ACCURACY, MASS = accuracy("acc"), probability("mass")
BOARD = Suite("board", "Board", "board-v1", ("quiz", "riddle"), "board_average")


@dataclass(frozen=True)
class Quiz:
    """A task with so many right, wrong and unscored samples."""

    name: str
    num_right: int = 1
    num_wrong: int = 1
    num_unscored: int = 0
    num_cancelled: int = 0
    metrics: tuple[Metric, ...] = (ACCURACY,)
    means: tuple[AggregateKind, ...] = ("macro", "micro")
    protocol: str = "board-v1"

    @property
    def family(self) -> str:
        return self.name.partition("_")[0]

    @property
    def task(self) -> Task:
        return Task(
            name=self.name,
            family=self.family,
            version=1,
            language="en",
            protocol=self.protocol,
            num_fewshot=0,
            kind="multiple_choice",
            datasets=(),
            samples=lambda _: (),
            next_requests=lambda _, __: (),
            score=lambda _, __: Scored(scores=()),
            metrics=self.metrics,
            means=self.means,
        )

    @property
    def rows(self) -> list[Row]:
        outcomes: list[Outcome] = [
            Scored(scores=tuple(Score(name=metric.name, counts=(value, 1.0)) for metric in self.metrics))
            for value in [1.0] * self.num_right + [0.0] * self.num_wrong
        ]
        outcomes += [Unscored(cause=Cause.TIMEOUT)] * self.num_unscored
        outcomes += [Cancelled(reason="stopped")] * self.num_cancelled
        return [
            (Sample(id=f"{self.name}:test:{row}", input="", language="en"), outcome)
            for row, outcome in enumerate(outcomes)
        ]

    @property
    def parts(self) -> list[Measured]:
        found = [measure(self.task, "model", metric, self.rows) for metric in self.metrics]
        return [part for part in found if part is not None]


def means(
    *quizzes: Quiz,
    suites: Sequence[Suite] = (),
    num_asked: Mapping[str, int] | None = None,
    left_out: Mapping[str, int] | None = None,
    num_available: int = 10,
    **spec: Any,
) -> tuple[Aggregate, ...]:
    """The means of a run of these tasks, each of which has as many rows more as tasks stand before it."""
    tasks = [SimpleNamespace(name=quiz.name, num_available=num_available + n) for n, quiz in enumerate(quizzes)]
    families = [quiz.family for quiz in quizzes]
    prepared = Prepared(
        spec=SimpleNamespace(**{"tasks": tasks, "limit": None, "limit_mode": "stratified", **spec}),  # type: ignore[arg-type]
        tasks=tuple(PreparedTask(quiz.task, (), 0, (), is_chat=False) for quiz in quizzes),
        engine=ScriptedEngine(plausible),
        suites=tuple(suites),
        num_asked={family: families.count(family) for family in families} | dict(num_asked or {}),
        left_out=left_out or {},
    )
    measured = [part for quiz in quizzes for part in quiz.parts]
    return aggregates(prepared, measured, {quiz.name: quiz.rows for quiz in quizzes})


A, B, C = Quiz("quiz_a", 1, 3), Quiz("quiz_b", 5, 1), Quiz("quiz_c", 2, 2)
ALONE = Quiz("riddle", 2, 3)


# -- of a family


@pytest.mark.parametrize("kinds", [("macro", "micro"), ("micro", "macro"), ("macro",)])
def test_a_family_has_its_kinds_of_mean_and_the_first_is_its_headline(kinds: tuple[AggregateKind, ...]) -> None:
    both = (ACCURACY, MASS)
    found = means(*(replace(quiz, means=kinds, metrics=both) for quiz in (A, B, C)), ALONE)
    assert [(mean.name, mean.is_primary) for mean in found] == [
        (f"quiz {kind} {metric.name}", metric is ACCURACY and kind == kinds[0]) for metric in both for kind in kinds
    ]
    assert {mean.members for mean in found} == {("quiz_a", "quiz_b", "quiz_c")}


@pytest.mark.parametrize(
    "other",
    [
        replace(B, protocol="board-v2"),
        replace(B, metrics=(accuracy("exact"),)),
        replace(B, metrics=(replace(ACCURACY, signature=lambda: "v2"),)),
        replace(B, name="puzzle_b"),
        replace(B, name="quiz_b:tea"),
    ],
)
def test_unlike_tasks_have_no_mean(other: Quiz) -> None:
    assert means(A, other) == ()
    assert len(means(A, B)) == 2


def test_categories_have_means_of_their_own() -> None:
    found = means(*(replace(quiz, name=f"{quiz.name}:{category}") for quiz in (A, B) for category in ("tea", "ink")))
    assert [(mean.name, mean.members) for mean in found] == [
        (f"quiz:{category} {kind} acc", (f"quiz_a:{category}", f"quiz_b:{category}"))
        for category in ("tea", "ink")
        for kind in ("macro", "micro")
    ]


@pytest.mark.parametrize(
    ("quizzes", "spec", "is_one_stratum"),
    [
        ((A, B), {"limit": 9, "left_out": {"quiz": 3}}, True),
        ((A, Quiz("quiz_b", 1, 0)), {"limit": 9}, True),
        ((Quiz("quiz_a", 0, 1), Quiz("quiz_b", 1, 0)), {"limit": 9}, True),
        ((A, Quiz("quiz_b", 1, 1)), {"limit": 9}, False),
        ((A, B), {"limit": 9}, False),
        ((A, B), {"limit": 9, "left_out": {"riddle": 3}}, False),
        ((A, B), {"limit": 9, "limit_mode": "first", "left_out": {"quiz": 3}}, False),
        ((A, B), {"limit": None, "left_out": {"quiz": 3}}, False),
        ((A, Quiz("quiz_b", 1, 0)), {"limit": None}, False),
    ],
)
def test_the_rows_of_a_sample_are_one_stratum_where_tasks_are_too_small(
    quizzes: tuple[Quiz, ...], spec: dict[str, Any], is_one_stratum: bool
) -> None:
    parts = [part for quiz in quizzes for part in quiz.parts]
    available = {"quiz_a": 10, "quiz_b": 11} if is_one_stratum else None
    for mean in means(*quizzes, **spec):
        expected = mean_of_tasks(mean.kind, parts, available)
        assert (mean.value, mean.stderr, mean.low) == (expected.value, expected.stderr, expected.low)


def test_tasks_without_a_score_are_counted_with_what_they_left_unscored() -> None:
    whole = means(A, replace(B, num_unscored=3))[0]
    assert (whole.num_tasks, whole.num_unscored) == (2, 3)
    assert whole.best_case is not None
    assert whole.worst_case is not None
    lost = Quiz("quiz_d", 0, 0, num_unscored=5, num_cancelled=8)
    found = means(A, replace(B, num_unscored=3), lost, replace(lost, name="quiz_e"))[0]
    assert (found.num_tasks, found.num_unscored, found.members) == (4, 13, ("quiz_a", "quiz_b"))
    assert (found.best_case, found.worst_case, found.value) == (None, None, whole.value)


@pytest.mark.parametrize("name", ["riddle_d", "quiz_d:tea", "puzzle"])
def test_only_the_familys_own_lost_tasks_are_counted(name: str) -> None:
    elsewhere = Quiz(name, 0, 0, num_unscored=4)
    assert means(A, B, elsewhere) == means(A, B)


def test_lost_tasks_of_a_category_are_counted_there() -> None:
    found = means(Quiz("quiz_a:tea"), Quiz("quiz_b:tea"), Quiz("quiz_c:tea", 0, 0, 4), Quiz("quiz_d", 0, 0, 5))
    assert [(mean.num_tasks, mean.num_unscored) for mean in found] == [(3, 4), (3, 4)]


def test_tasks_that_a_limit_leaves_out_are_counted() -> None:
    lost = Quiz("quiz_d", 0, 0, num_cancelled=2)
    assert [mean.num_tasks for mean in means(A, B, left_out={"quiz": 7, "riddle": 100})] == [9, 9]
    assert [mean.num_tasks for mean in means(A, B, lost, left_out={"quiz": 7})] == [10, 10]
    assert [mean.num_tasks for mean in means(A, B, lost, replace(lost, num_unscored=1, name="quiz_e"))] == [4, 4]


# -- of a suite


def average(*quizzes: Quiz, **more: Any) -> Aggregate | None:
    """The average of `BOARD`, if the run has one."""
    found = [mean for mean in means(*quizzes, suites=(BOARD,), **more) if mean.kind == "suite"]
    assert len(found) <= 1
    return found[0] if found else None


def test_a_suites_average_is_that_of_its_families_headlines() -> None:
    other = Quiz("puzzle", 9, 0, protocol="other-v1")
    for alone in (ALONE, replace(ALONE, metrics=(ACCURACY, MASS))):
        found = average(A, alone, other, B)
        assert found is not None
        assert found.value == pytest.approx(((1 / 4 + 5 / 6) / 2 + 2 / 5) / 2)
        assert (found.name, found.parts, found.members) == (
            "board_average",
            ("quiz", "riddle"),
            ("quiz_a", "quiz_b", "riddle"),
        )
        assert (found.protocol, found.num_tasks, found.n) == ("board-v1", 3, 15)
    micro = average(*(replace(quiz, means=("micro", "macro")) for quiz in (A, B, ALONE)))
    assert micro is not None
    assert micro.value == pytest.approx((6 / 10 + 2 / 5) / 2)


@pytest.mark.parametrize(
    ("variants", "protocol"),
    [
        (("", "", ""), "board-v1"),
        (("", "", "+x"), "board-v1+x"),
        (("+x", "+x", ""), "board-v1+x"),
        (("+y", "+y", "+x"), "board-v1+x+y"),
    ],
)
def test_an_average_says_which_variants_are_in_it(variants: tuple[str, ...], protocol: str) -> None:
    quizzes = [
        replace(quiz, protocol=f"board-v1{variant}") for quiz, variant in zip((A, B, ALONE), variants, strict=True)
    ]
    found = average(*quizzes)
    assert found is not None
    assert found.protocol == protocol


NEGATIVE = replace(ACCURACY, higher_is_better=False)


@pytest.mark.parametrize(
    ("quizzes", "num_asked"),
    [
        pytest.param((A, B), {}, id="no riddle"),
        pytest.param((ALONE,), {}, id="no quiz"),
        pytest.param((A, ALONE), {"quiz": 2}, id="one quiz of two asked for"),
        pytest.param((A, B, Quiz("riddle", 0, 0, 3)), {}, id="no riddle scored"),
        pytest.param((A, B, Quiz("quiz_c", 0, 0, 3), ALONE), {}, id="one quiz without a score"),
        pytest.param((A, B, ALONE, replace(ALONE, name="riddle_b")), {"riddle": 1}, id="a riddle not asked for"),
        pytest.param((A, B, replace(ALONE, protocol="board-v2")), {}, id="a riddle by other rules"),
        pytest.param(tuple(replace(quiz, protocol="board-v0") for quiz in (A, B, ALONE)), {}, id="all by older rules"),
        pytest.param(tuple(replace(quiz, protocol="board-v2") for quiz in (A, B, ALONE)), {}, id="all by newer rules"),
        pytest.param((A, B, replace(ALONE, metrics=(replace(ACCURACY, scale=1.0),))), {}, id="other scales"),
        pytest.param((A, B, replace(ALONE, metrics=(NEGATIVE,))), {}, id="other directions"),
    ],
)
def test_what_is_not_the_whole_suite_has_no_average(quizzes: tuple[Quiz, ...], num_asked: dict[str, int]) -> None:
    assert average(*quizzes, num_asked=num_asked) is None


def test_an_average_may_be_of_numbers_where_less_is_better() -> None:
    quizzes = [replace(quiz, metrics=(NEGATIVE,)) for quiz in (A, B, ALONE)]
    assert average(*quizzes) is not None
