"""Engines whose numbers mean nothing: NaN, infinities and constants give no score; a few ties are scored and said."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import Ran, Run, run_here
from pages import board_in

from evalsuite.alarms import MAX_TIED
from evalsuite.boards.records import Board
from evalsuite.config import RunConfig
from evalsuite.engines.scripted import completion, loglikelihood, plausible
from evalsuite.errors import EXIT_INCOMPLETE, EXIT_OK
from evalsuite.prepare import prepare
from evalsuite.records import SampleRecord
from evalsuite.store.results import read_results, read_samples
from evalsuite.types import Flag, LoglikelihoodRequest, Request, Response, Sample, Scored

CHOICE = "mini_choice_en"
NUM_CHOICE = 40
NUM_MATH = 20
FIRST, FIRST_TWO, FIRST_THREE, LAST, ALL = slice(1), slice(2), slice(3), slice(3, 4), slice(4)
"""Which of a sample's four choices."""
METRICS = {"acc", "acc_norm_char", "acc_norm_byte", "acc_norm_token"}
CHOSEN: Mapping[str, Sequence[str]] = {}
"""Where the engines of this module misbehave: texts of choices by the context they follow. A test fills it in."""


# -- engines


def nan(request: Request) -> Response:
    return _always(request, math.nan)


def infinity(request: Request) -> Response:
    return _always(request, math.inf)


def minus_infinity(request: Request) -> Response:
    return _always(request, -math.inf)


def constant(request: Request) -> Response:
    return _always(request, -7.5)


def constant_of_each_sample(request: Request) -> Response:
    return _always(request, -float(len(request.context)) if isinstance(request, LoglikelihoodRequest) else 0.0)


def plausible_here(request: Request) -> Response:
    return plausible(request)


def nan_where_chosen(request: Request) -> Response:
    return _always(request, math.nan) if _is_chosen(request) else plausible(request)


def nan_where_chosen_else_constant(request: Request) -> Response:
    return _always(request, math.nan if _is_chosen(request) else -7.5)


def constant_where_chosen(request: Request) -> Response:
    return _always(request, -7.5) if _is_chosen(request) else plausible(request)


def best_where_chosen(request: Request) -> Response:
    """Above whatever `plausible` answers, which is below -1."""
    return _always(request, -0.5) if _is_chosen(request) else plausible(request)


def _always(request: Request, value: float) -> Response:
    """One value for any log-likelihood, and an empty text where text is asked."""
    return loglikelihood(request.continuation, value) if isinstance(request, LoglikelihoodRequest) else completion("")


def _is_chosen(request: Request) -> bool:
    if not isinstance(request, LoglikelihoodRequest):
        return False
    return request.continuation.strip() in CHOSEN.get(str(request.context), ())


# -- commands


Choose = Callable[..., None]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``evalsuite`` in an empty folder, a run with a function of this module as its engine."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, engine: Callable[[Request], Response] | None = None) -> Ran:
        function = f"function={__name__}:{engine.__name__}" if engine else ""
        model = ["run", "--model", "scripted", "--batch_size", "64", "--model_args", function] if engine else []
        return run_here(capsys, *model, *arguments, "--json")

    return run


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Has the engines misbehave on some `choices` of the first `num_samples` that a run takes."""

    def chosen(num_samples: int, choices: slice = ALL, tasks: str = CHOICE, limit: float | None = None) -> None:
        taken = samples(tasks, limit)[:num_samples]
        assert len(taken) == num_samples
        contexts = {sample.input: sample.choices[choices] for sample in taken}
        assert len(contexts) == num_samples
        monkeypatch.setattr(sys.modules[__name__], "CHOSEN", contexts)

    return chosen


def samples(tasks: str, limit: float | None = None) -> list[Sample]:
    """The samples that a run of `tasks` takes, in order."""
    entries = prepare(RunConfig(model="scripted", tasks=(tasks,), limit=limit)).tasks
    return [sample for entry in entries for sample in entry.samples]


def records(ran: Ran) -> list[SampleRecord]:
    return list(read_samples(Path(ran.json["path"])))


def num_tied(ran: Ran) -> int:
    return sum(Flag.TIED in one.outcome.flags for one in records(ran) if isinstance(one.outcome, Scored))


def shown(command: Run, *runs: str) -> Board:
    """What the page of `runs` shows."""
    ended = command("report", *runs, "--output", "page.html")
    assert ended.code == EXIT_OK, ended.err
    return board_in(Path("page.html"))


# -- no numbers at all


@pytest.mark.parametrize("engine", [nan, infinity, minus_infinity], ids=lambda engine: engine.__name__)
def test_what_is_not_finite_is_no_score(command: Run, engine: Any) -> None:
    """An empty text, on the other hand, is the model's answer, and wrong."""
    ran = command("--tasks", f"{CHOICE},mini_math_en", engine=engine)
    assert (ran.code, ran.json["status"]) == (EXIT_INCOMPLETE, "incomplete")
    assert ran.json["counts"] == {
        "requested": NUM_CHOICE + NUM_MATH,
        "scored": NUM_MATH,
        "unscored": NUM_CHOICE,
        "cancelled": 0,
        "not_run": 0,
        "unscored_by_cause": {"nonfinite_logits": NUM_CHOICE},
    }
    assert {entry["task"] for entry in ran.json["results"]} == {"mini_math_en"}
    assert ran.json["aggregates"] == []
    unparsed = "20 of 20 answers unparsed: nothing in them could be read as an answer"
    assert ran.json["alarms"] == {"mini_math": [unparsed]}
    assert "40 of 60 samples are unscored (nonfinite_logits: 40); the run is incomplete." in ran.err
    again = command("--tasks", f"{CHOICE},mini_math_en", engine=engine)
    assert (again.code, again.json) == (ran.code, ran.json)


@pytest.mark.parametrize("engine", [constant, constant_of_each_sample], ids=lambda engine: engine.__name__)
def test_a_constant_is_no_score(command: Run, engine: Any) -> None:
    """Taking the first choice would score where the right one stands."""
    ran = command("--tasks", CHOICE, engine=engine)
    assert (ran.code, ran.json["status"]) == (EXIT_INCOMPLETE, "incomplete")
    assert (ran.json["results"], ran.json["aggregates"], ran.json["alarms"]) == ([], [], {})
    assert ran.json["counts"]["unscored_by_cause"] == {"constant_logits": NUM_CHOICE}
    assert ran.json["counts"]["scored"] == 0
    assert "40 of 40 samples are unscored (constant_logits: 40); the run is incomplete." in ran.err


def test_in_six_languages_no_mean_is_made_of_constants(command: Run) -> None:
    ran = command("--tasks", "mini_choice", "--limit", 30, engine=constant)
    assert (ran.code, ran.json["results"], ran.json["aggregates"]) == (EXIT_INCOMPLETE, [], [])
    assert ran.json["counts"]["unscored_by_cause"] == {"constant_logits": 30}


def test_a_mean_counts_the_samples_of_tasks_without_a_score(command: Run, choose: Choose) -> None:
    """One of three languages has no number at all: what is left is not the mean that was asked for."""
    choose(5, tasks="mini_choice_es", limit=5)
    ran = command("--tasks", "mini_choice_en,mini_choice_es,mini_choice_fr", "--limit", 15, engine=nan_where_chosen)
    assert ran.json["counts"]["unscored_by_cause"] == {"nonfinite_logits": 5}
    assert ran.json["aggregates"]
    assert {mean["num_unscored"] for mean in ran.json["aggregates"]} == {5}


@pytest.mark.parametrize(
    ("engine", "cause"), [(nan, "nonfinite_logits"), (constant, "constant_logits")], ids=["nan", "constant"]
)
def test_the_page_of_such_a_run_shows_the_cause_and_no_value(command: Run, engine: Any, cause: str) -> None:
    ran = command("--tasks", CHOICE, engine=engine)
    alone = shown(command, ran.json["path"])
    assert alone.cells == ((),)
    ((how,),) = [task.runs for task in alone.tasks]
    assert (how.counts.scored, dict(how.counts.unscored_by_cause)) == (0, {cause: 40})
    assert "incomplete" in {flag.kind for flag in alone.runs[0].red_flags}
    command("--tasks", CHOICE, engine=plausible_here)
    both = shown(command, "runs")
    place = next(
        place for place, run in enumerate(both.runs) if run.id == Path(ran.json["path"]).name.rpartition("-")[2]
    )
    (cell,) = both.cells[place]
    assert cell is not None
    assert (cell.value, cell.low, cell.high, cell.n, cell.num_unscored, cell.notes) == (
        None,
        None,
        None,
        0,
        40,
        (cause,),
    )


def test_empty_texts_are_wrong_and_flagged(command: Run) -> None:
    ran = command("--tasks", "mini_math_en", engine=nan)
    assert (ran.code, ran.json["counts"]["scored"]) == (EXIT_OK, NUM_MATH)
    (exact,) = (entry for entry in ran.json["results"] if entry["metric"] == "exact_match")
    assert (exact["value"], exact["n"]) == (0.0, NUM_MATH)
    (summary,) = read_results(Path(ran.json["path"])).tasks
    assert summary.flags["empty"] == summary.flags["unparsed"] == NUM_MATH


# -- some samples without numbers


@pytest.mark.parametrize("choices", [FIRST, LAST, ALL], ids=["first", "last", "all"])
@pytest.mark.parametrize("num_samples", [1, NUM_CHOICE // 2, NUM_CHOICE - 1])
def test_samples_without_a_number_leave_the_others_as_they_are(
    command: Run, choose: Choose, num_samples: int, choices: slice
) -> None:
    """NaN for one of its choices is enough to make a sample unscored, and it counts as neither right nor wrong."""
    whole = {one.sample.id: one.outcome for one in records(command("--tasks", CHOICE, engine=plausible_here))}
    choose(num_samples, choices)
    ran = command("--tasks", CHOICE, engine=nan_where_chosen)
    assert (ran.code, ran.json["status"]) == (EXIT_INCOMPLETE, "incomplete")
    assert ran.json["counts"]["unscored_by_cause"] == {"nonfinite_logits": num_samples}
    kept = {one.sample.id: one.outcome for one in records(ran) if isinstance(one.outcome, Scored)}
    assert len(kept) == NUM_CHOICE - num_samples
    assert kept.items() <= whole.items()
    assert {entry["metric"] for entry in ran.json["results"]} == METRICS
    for entry in ran.json["results"]:
        right = [score.counts[0] for one in kept.values() for score in one.scores if score.name == entry["metric"]]
        assert (entry["n"], entry["num_unscored"]) == (NUM_CHOICE - num_samples, num_samples)
        assert entry["value"] == pytest.approx(sum(right) / len(right))
    for estimate in read_results(Path(ran.json["path"])).estimates:
        num_right = estimate.value * estimate.n
        assert estimate.worst_case == pytest.approx(num_right / NUM_CHOICE)
        assert estimate.best_case == pytest.approx((num_right + num_samples) / NUM_CHOICE)


def test_nan_for_one_half_and_a_constant_for_the_other(command: Run, choose: Choose) -> None:
    """What is left is all constant, so it measures nothing either."""
    choose(20)
    ran = command("--tasks", CHOICE, engine=nan_where_chosen_else_constant)
    assert (ran.code, ran.json["results"]) == (EXIT_INCOMPLETE, [])
    assert ran.json["counts"]["unscored_by_cause"] == {"constant_logits": 20, "nonfinite_logits": 20}


# -- some samples with a constant


@pytest.mark.parametrize("num_samples", [3, NUM_CHOICE // 3, NUM_CHOICE // 2])
def test_a_constant_on_few_samples_is_scored_flagged_and_said(command: Run, choose: Choose, num_samples: int) -> None:
    choose(num_samples)
    ran = command("--tasks", CHOICE, engine=constant_where_chosen)
    assert (ran.code, ran.json["status"]) == (EXIT_OK, "complete")
    assert ran.json["counts"]["scored"] == NUM_CHOICE
    assert {(entry["metric"], entry["n"]) for entry in ran.json["results"]} == {(name, NUM_CHOICE) for name in METRICS}
    assert num_tied(ran) == num_samples
    sentence = f"ties on {num_samples} of 40 samples: where the best choices tie, the first is taken"
    assert ran.json["alarms"] == {"mini_choice": [sentence]}
    assert f"evalsuite: mini_choice: {sentence}\n" in ran.err
    assert sentence in {flag.text for flag in shown(command, ran.json["path"]).runs[0].red_flags}
    for one in records(ran)[:num_samples]:
        assert isinstance(one.outcome, Scored)
        acc = {score.name: score.counts[0] for score in one.outcome.scores}["acc"]
        assert acc == float(one.sample.gold == 0)


def test_a_constant_on_most_samples_is_no_score_on_those(command: Run, choose: Choose) -> None:
    choose(NUM_CHOICE // 2 + 1)
    ran = command("--tasks", CHOICE, engine=constant_where_chosen)
    assert ran.code == EXIT_INCOMPLETE
    assert ran.json["counts"]["unscored_by_cause"] == {"constant_logits": 21}
    assert {entry["n"] for entry in ran.json["results"]} == {19}
    assert ran.json["alarms"] == {}
    assert num_tied(ran) == 0
    for one in records(ran)[:21]:
        assert getattr(one.outcome, "detail", "") == "all 4 choices have the log-likelihood -7.5"


@pytest.mark.parametrize(("num_samples", "is_scored"), [(2, True), (6, True), (7, False)])
def test_constants_are_counted_by_family(command: Run, choose: Choose, num_samples: int, is_scored: bool) -> None:
    """Of twelve samples in six languages: two are all there is of one language, and rounding all the same."""
    choose(num_samples, tasks="mini_choice", limit=12)
    ran = command("--tasks", "mini_choice", "--limit", 12, engine=constant_where_chosen)
    assert ran.code == (EXIT_OK if is_scored else EXIT_INCOMPLETE)
    assert ran.json["counts"]["unscored_by_cause"] == ({} if is_scored else {"constant_logits": num_samples})
    assert num_tied(ran) == (num_samples if is_scored else 0)
    assert bool(ran.json["alarms"]) == is_scored


@pytest.mark.data
def test_families_are_counted_apart(command: Run, choose: Choose, mirror: Path) -> None:
    """That another family is fine does not make up for a constant."""
    choose(NUM_CHOICE)
    tasks = ("--tasks", f"{CHOICE},truthfulqa", "--limit", 100, "--data_dir", mirror)
    ran = command(*tasks, engine=constant_where_chosen)
    assert ran.json["counts"]["requested"] == NUM_CHOICE + 100
    assert ran.json["counts"]["unscored_by_cause"] == {"constant_logits": NUM_CHOICE}
    assert {entry["task"] for entry in ran.json["results"]} == {"truthfulqa"}


# -- ties


@pytest.mark.parametrize("choices", [FIRST_TWO, FIRST_THREE], ids=["two", "three"])
@pytest.mark.parametrize(("num_samples", "is_said"), [(0, False), (2, False), (3, True)])
def test_ties_are_said_above_five_percent(
    command: Run, choose: Choose, num_samples: int, choices: slice, is_said: bool
) -> None:
    """Of 50 samples of a family: 4 % are rounding, 6 % are not. Its languages are counted together."""
    choose(num_samples, choices, "mini_choice", 50)
    ran = command("--tasks", "mini_choice", "--limit", 50, engine=best_where_chosen)
    assert (num_samples / 50 > MAX_TIED) == is_said
    assert (ran.code, ran.json["counts"]["scored"], num_tied(ran)) == (EXIT_OK, 50, num_samples)
    sentence = f"ties on {num_samples} of 50 samples: where the best choices tie, the first is taken"
    assert ran.json["alarms"] == ({"mini_choice": [sentence]} if is_said else {})
    assert ("ties on" in ran.err) == is_said
    assert (sentence in {flag.text for flag in shown(command, ran.json["path"]).runs[0].red_flags}) == is_said


def test_exactly_five_percent_is_not_said(command: Run, choose: Choose) -> None:
    choose(2, FIRST_TWO)
    ran = command("--tasks", CHOICE, engine=best_where_chosen)
    assert (num_tied(ran), ran.json["alarms"]) == (2, {})


@pytest.mark.parametrize("choices", [FIRST_TWO, FIRST_THREE, slice(1, 4)], ids=["two", "three", "last three"])
def test_ties_on_every_sample_are_not_a_constant(command: Run, choose: Choose, choices: slice) -> None:
    """Something is told apart, so there is a score, if a doubtful one."""
    choose(NUM_CHOICE, choices)
    ran = command("--tasks", CHOICE, engine=best_where_chosen)
    assert (ran.code, ran.json["counts"]["scored"], num_tied(ran)) == (EXIT_OK, NUM_CHOICE, NUM_CHOICE)
    assert "ties on 40 of 40 samples" in ran.json["alarms"]["mini_choice"][0]


def test_a_single_best_choice_is_no_tie(command: Run, choose: Choose) -> None:
    choose(NUM_CHOICE, FIRST)
    ran = command("--tasks", CHOICE, engine=best_where_chosen)
    assert (ran.code, num_tied(ran), ran.json["alarms"]) == (EXIT_OK, 0, {})
    (acc,) = (entry["value"] for entry in ran.json["results"] if entry["metric"] == "acc")
    assert acc == pytest.approx(sum(sample.gold == 0 for sample in samples(CHOICE)) / NUM_CHOICE)
