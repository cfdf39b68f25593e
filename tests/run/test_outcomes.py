"""From hand-made answers to a sealed result: how each sample ends, what is no score, and what is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from evalsuite.building import PreparedTask
from evalsuite.contracts import Task
from evalsuite.engines.scripted import ScriptedEngine, loglikelihood, plausible
from evalsuite.metrics import accuracy, right
from evalsuite.outcomes import Answers, Sealed, count_outcomes, outcome_rows, seal
from evalsuite.prepare import Prepared
from evalsuite.records import Counts
from evalsuite.types import (
    Cause,
    Completion,
    Failure,
    Flag,
    Item,
    LoglikelihoodRequest,
    NotRun,
    Replies,
    Request,
    Response,
    Sample,
    Scored,
    Unscored,
)

LEVEL = -7.5


def request(text: str) -> LoglikelihoodRequest:
    return LoglikelihoodRequest(context="?", continuation=text)


def ask(sample: Sample, replies: Replies) -> tuple[Request, ...]:
    return () if replies else (request("a"),)


def score(sample: Sample, replies: Replies) -> Scored:
    """Right, and flagged as the answers' texts say."""
    texts = [reply.text for wave in replies for reply in wave if isinstance(reply, Completion)]
    if "bad" in texts:
        raise ValueError("bad")
    return Scored(scores=(right("acc", True),), flags=tuple(Flag(text) for text in texts if text))


def answered(*responses: Response, texts: Sequence[str] = "abcdefgh") -> Answers:
    """One wave of answers to requests of their own."""
    items = tuple(Item(id=str(n), sample_id="s", wave=1, request=request(texts[n])) for n, _ in enumerate(responses))
    return Answers(items, (responses,))


def levels(*values: float, **more: Any) -> Answers:
    return answered(*(loglikelihood("a", value) for value in values), **more)


def said(text: str = "", *, num_truncated: int = 0) -> Completion:
    return Completion(text=text, stop_reason="end", num_prompt_tokens=5, num_tokens=2, num_truncated=num_truncated)


@dataclass(frozen=True)
class Quiz:
    """A task whose samples were answered so; None where a sample was not asked."""

    name: str
    answers: tuple[Answers | None, ...]

    def ids(self) -> list[str]:
        return [f"{self.name}:test:{row}" for row in range(len(self.answers))]

    def prepared(self) -> PreparedTask:
        task = Task(
            name=self.name,
            family=self.name.partition("_")[0],
            version=1,
            language="en",
            protocol="quiz-v1",
            num_fewshot=0,
            kind="multiple_choice",
            datasets=(),
            samples=lambda _: (),
            next_requests=ask,
            score=score,
            metrics=(accuracy("acc"),),
        )
        samples = tuple(Sample(id=each, input="?", language="en") for each in self.ids())
        return PreparedTask(task, samples, len(samples), (), is_chat=False)


def answers_of(*quizzes: Quiz) -> Mapping[str, Answers]:
    return {
        each: known
        for quiz in quizzes
        for each, known in zip(quiz.ids(), quiz.answers, strict=True)
        if known is not None
    }


def sealed(*quizzes: Quiz) -> Sealed:
    spec: Any = SimpleNamespace(
        run_id="r", limit=None, limit_mode="first", subject="m",
        tasks=[SimpleNamespace(name=quiz.name, num_available=9) for quiz in quizzes],
    )  # fmt: skip
    prepared = Prepared(spec, tuple(quiz.prepared() for quiz in quizzes), ScriptedEngine(plausible))
    return seal(prepared, answers_of(*quizzes), {}, ())


def outcomes(*quizzes: Quiz) -> list[Any]:
    return [record.outcome for record in sealed(*quizzes).records]


def other(sample: Sample, replies: Replies) -> Any:
    """What a stranger's task may give: counts for a metric it has not, or no outcome at all."""
    (text,) = (reply.text for wave in replies for reply in wave if isinstance(reply, Completion))
    return {"misspelt": Scored(scores=(right("accuracy", True),)), "number": 1.0}.get(text, Scored(scores=()))


# -- how a sample ends


def test_a_score_that_no_metric_counts_is_no_score() -> None:
    quiz = Quiz("quiz", (answered(said("misspelt")), answered(said("number")), answered(said("nothing"))))
    prepared = replace(quiz.prepared(), task=replace(quiz.prepared().task, score=other))
    rows = outcome_rows([prepared], answers_of(quiz))["quiz"]
    misspelt, number, nothing = (outcome for _, outcome in rows)
    assert misspelt == Unscored(
        cause=Cause.TASK_ERROR, detail="ValueError: score() of quiz counts for 'accuracy'; its metrics are acc"
    )
    assert number == Unscored(
        cause=Cause.TASK_ERROR, detail="TypeError: score() of quiz gave a float, not Scored or Unscored"
    )
    assert nothing == Scored(scores=())


FAILED = Answers(failure=Failure(cause=Cause.TIMEOUT, detail="60 s"))


def test_each_sample_ends_as_its_answers_say() -> None:
    scored, failed, unfinished, broken = outcomes(
        Quiz("quiz", (answered(said()), FAILED, Answers(), answered(said("bad"))))
    )
    assert scored == Scored(scores=(right("acc", True),))
    assert failed == Unscored(cause=Cause.TIMEOUT, detail="60 s")
    assert unfinished == NotRun(reason="interrupted")
    assert broken == Unscored(cause=Cause.TASK_ERROR, detail="ValueError: bad")


def test_outcomes_are_counted_by_kind_and_cause() -> None:
    known = (answered(said()), answered(said()), FAILED, FAILED, answered(said("bad")), Answers())
    counts = Counts(requested=6, scored=2, unscored=3, not_run=1, unscored_by_cause={"task_error": 1, "timeout": 2})
    whole = sealed(Quiz("quiz", known), Quiz("riddle", known[:1]))
    assert [task.counts for task in whole.result.tasks] == [counts, Counts(requested=1, scored=1)]
    assert (whole.result.counts.requested, whole.result.counts.scored, whole.result.status) == (7, 3, "incomplete")
    assert list(whole.result.counts.unscored_by_cause) == ["task_error", "timeout"]
    assert sealed(Quiz("quiz", known[:2])).result.status == "complete"


def test_a_stopped_runs_samples_without_answers_were_not_run() -> None:
    quizzes = Quiz("quiz", (None, answered(said()), Answers())), Quiz("riddle", (FAILED, None))
    counts = count_outcomes([quiz.prepared() for quiz in quizzes], answers_of(*quizzes), "interrupted")
    assert (counts.requested, counts.scored, counts.unscored, counts.not_run) == (5, 1, 1, 3)


# -- constants

APART, ALIKE = levels(-1.0, -2.0, -3.0), levels(LEVEL, LEVEL, LEVEL)


def num_constant(*quizzes: Quiz) -> list[int]:
    """How many samples of each task were left without a score for one log-likelihood throughout."""
    return [task.counts.unscored_by_cause.get("constant_logits", 0) for task in sealed(*quizzes).result.tasks]


@pytest.mark.parametrize(
    ("num_alike", "num_apart", "expected"),
    [(1, 0, 1), (0, 1, 0), (1, 1, 0), (2, 1, 2), (2, 2, 0), (3, 2, 3), (1, 4, 0), (30, 0, 30), (30, 30, 0)],
)
def test_constants_are_no_scores_where_they_are_the_most(num_alike: int, num_apart: int, expected: int) -> None:
    assert num_constant(Quiz("quiz", (ALIKE,) * num_alike + (APART,) * num_apart)) == [expected]


def test_a_constant_is_named() -> None:
    apart, alike = outcomes(Quiz("quiz", (APART, ALIKE)))
    assert isinstance(apart, Scored)
    assert isinstance(alike, Scored)
    (alike,) = outcomes(Quiz("quiz", (ALIKE,)))
    detail = "all 3 choices have the log-likelihood -7.5"
    assert alike == Unscored(cause=Cause.CONSTANT_LOGITS, detail=detail)


@pytest.mark.parametrize(
    "known",
    [
        levels(LEVEL),
        levels(LEVEL, LEVEL, texts="aa"),
        levels(LEVEL, LEVEL - 1e-12),
        answered(said(), said()),
        answered(said(), loglikelihood("a", LEVEL)),
        FAILED,
    ],
    ids=["one choice", "one choice twice", "nearly one", "texts", "a text and one choice", "a failure"],
)
def test_what_has_no_two_choices_alike_is_no_constant(known: Answers) -> None:
    assert num_constant(Quiz("quiz", (known, known))) == [0]


@pytest.mark.parametrize(("other", "expected"), [(levels(LEVEL), 2), (FAILED, 2), (answered(said()), 2), (APART, 0)])
def test_what_has_no_two_choices_is_not_counted_against_constants(other: Answers, expected: int) -> None:
    assert num_constant(Quiz("quiz", (other, ALIKE, ALIKE, APART))) == [expected]


def test_each_request_must_have_its_answer() -> None:
    with pytest.raises(ValueError, match=r"zip\(\) argument"):
        sealed(Quiz("quiz", (replace(APART, items=APART.items[:2]),)))


def test_two_choices_among_other_answers_may_be_constant() -> None:
    assert num_constant(Quiz("quiz", (answered(said(), *ALIKE.replies[0][:2]),))) == [1]


@pytest.mark.parametrize(
    ("num_alike", "num_others", "expected"), [(20, 21, 20), (19, 21, 0), (19, 18, 19), (21, 100, 21)]
)
def test_a_large_task_is_judged_by_itself_too(num_alike: int, num_others: int, expected: int) -> None:
    """From twenty samples on; a smaller one only with its family, which is judged first."""
    tasks = Quiz("quiz_a", (ALIKE,) * num_alike), Quiz("quiz_b", (APART,) * num_others)
    assert num_constant(*tasks) == [expected, 0]
    assert num_constant(tasks[0], replace(tasks[1], name="riddle")) == [num_alike, 0]


def test_a_family_is_judged_whole() -> None:
    """So a task with one constant and as many others loses it where its sisters are constant."""
    assert num_constant(Quiz("quiz_a", (ALIKE, APART, APART)), Quiz("quiz_b", (ALIKE, ALIKE))) == [1, 2]


# -- what is told of a task


def test_a_task_tells_of_its_answers() -> None:
    known = (
        answered(said("tied"), said("empty")),
        answered(said("tied", num_truncated=3), said(num_truncated=1)),
        answered(said("bad", num_truncated=1)),
        levels(-1.0, -2.0),
        answered(msgspec.structs.replace(loglikelihood("a", -1.0), num_truncated=2), loglikelihood("b", -2.0)),
        FAILED,
        Answers(replies=((Failure(cause=Cause.TIMEOUT), said()),), failure=FAILED.failure),
    )
    (summary,) = sealed(Quiz("quiz", known)).result.tasks
    assert summary.flags == {"empty": 1, "tied": 2}
    assert list(summary.flags) == ["empty", "tied"]
    assert (summary.num_prompt_tokens, summary.num_generated_tokens, summary.num_truncated) == (30, 12, 3)
    assert (summary.task, summary.family, summary.language, summary.protocol) == ("quiz", "quiz", "en", "quiz-v1")


def test_records_hold_what_was_asked_and_answered_in_order() -> None:
    first, second = said("a"), said("b")
    two_waves = Answers(APART.items, ((first,), (second,)))
    records = sealed(Quiz("quiz_a", (APART, FAILED)), Quiz("quiz_b", (two_waves,))).records
    assert [record.sample.id for record in records] == ["quiz_a:test:0", "quiz_a:test:1", "quiz_b:test:0"]
    assert [(record.task, record.family) for record in records] == [("quiz_a", "quiz")] * 2 + [("quiz_b", "quiz")]
    assert [record.responses for record in records] == [APART.replies[0], (), (first, second)]
    assert [record.items for record in records] == [APART.items, (), APART.items]


def test_estimates_are_those_of_what_has_a_score() -> None:
    result = sealed(Quiz("quiz_a", (APART, FAILED)), Quiz("quiz_b", (FAILED,)), Quiz("riddle", (APART,))).result
    assert [(found.task, found.n, found.num_unscored) for found in result.estimates] == [
        ("quiz_a", 1, 1),
        ("riddle", 1, 0),
    ]
    assert {found.model for found in result.estimates} == {"m"}
