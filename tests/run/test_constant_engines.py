"""Engines whose numbers mean nothing: NaN, infinities and constants give no score; a few ties are scored and said."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalsuite.cli.main import main
from evalsuite.config import RunConfig
from evalsuite.engines.scripted import completion, loglikelihood, plausible
from evalsuite.errors import EXIT_INCOMPLETE
from evalsuite.prepare import prepare
from evalsuite.types import LoglikelihoodRequest, Request, Response, Sample

CHOICES = 40
"""Samples of mini_choice_en; each has four choices."""
CHOSEN: set[str] = set()
"""The contexts on which an engine of this module misbehaves; a test fills it in."""


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


Run = Callable[..., Ran]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``evalsuite`` in an empty folder; `engine` is a function of this module."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, engine: str = "") -> Ran:
        model = ["--model", "scripted", "--batch_size", "64", "--model_args", f"function={__name__}:{engine}"]
        capsys.readouterr()
        code = main([str(argument) for argument in [*arguments, *(model if engine else [])]])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


def samples(tasks: Iterable[str], limit: float | None = None) -> list[Sample]:
    """The samples that a run of `tasks` asks, in order."""
    prepared = prepare(RunConfig(model="scripted", tasks=tuple(tasks), limit=limit))
    return [sample for entry in prepared.tasks for sample in entry.samples]


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterable[Sample]], None]:
    """Makes the engines of this module misbehave on the given samples."""

    def chosen(some: Iterable[Sample]) -> None:
        contexts = {sample.input for sample in some}
        monkeypatch.setitem(globals(), "CHOSEN", contexts)

    return chosen


# -- engines


def answers_nan(request: Request) -> Response:
    return _everywhere(request, math.nan)


def answers_infinity(request: Request) -> Response:
    return _everywhere(request, math.inf)


def answers_minus_infinity(request: Request) -> Response:
    return _everywhere(request, -math.inf)


def answers_a_constant(request: Request) -> Response:
    return _everywhere(request, -7.5)


def answers_a_constant_for_each_sample(request: Request) -> Response:
    assert isinstance(request, LoglikelihoodRequest)
    return loglikelihood(request.continuation, -float(len(request.context)))


def _everywhere(request: Request, value: float) -> Response:
    """One value for whatever log-likelihood is asked, and no text."""
    if isinstance(request, LoglikelihoodRequest):
        return loglikelihood(request.continuation, value)
    return completion("")


def nan_where_chosen(request: Request) -> Response:
    """NaN for one choice of a chosen sample is enough."""
    assert isinstance(request, LoglikelihoodRequest)
    is_nan = request.context in CHOSEN and "e" in request.continuation
    return loglikelihood(request.continuation, math.nan) if is_nan else plausible(request)


def constant_where_chosen(request: Request) -> Response:
    assert isinstance(request, LoglikelihoodRequest)
    return loglikelihood(request.continuation, -3.25) if request.context in CHOSEN else plausible(request)


def nan_where_chosen_else_constant(request: Request) -> Response:
    assert isinstance(request, LoglikelihoodRequest)
    return loglikelihood(request.continuation, math.nan if request.context in CHOSEN else -3.25)


def two_best_where_chosen(request: Request) -> Response:
    """On a chosen sample the even and the odd choices, by length of text, share a value each."""
    assert isinstance(request, LoglikelihoodRequest)
    if request.context not in CHOSEN:
        return plausible(request)
    return loglikelihood(request.continuation, -1.0 if request.continuation in BEST[str(request.context)] else -2.0)


BEST: dict[str, set[str]] = {}


# -- numbers that are none


@pytest.mark.parametrize("engine", ["answers_nan", "answers_infinity", "answers_minus_infinity"])
def test_what_is_no_number_is_no_score(command: Run, engine: str) -> None:
    ran = command("run", "--tasks", "mini_choice_en,mini_math_en", "--json", engine=engine)
    assert ran.code == EXIT_INCOMPLETE
    assert (ran.json["status"], ran.json["alarms"]) == ("incomplete", {"mini_math": []} and {})
    assert ran.json["counts"] == {
        "requested": 60,
        "scored": 20,
        "unscored": 40,
        "cancelled": 0,
        "not_run": 0,
        "unscored_by_cause": {"nonfinite_logits": 40},
    }
    assert {entry["task"] for entry in ran.json["results"]} == {"mini_math_en"}
    assert "40 of 60 samples are unscored (nonfinite_logits: 40); the run is incomplete." in ran.err
