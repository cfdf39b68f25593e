"""Sweeps of a few scripted runs on the built-in samples, and the functions that answer in them."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

from evalsuite.cli.main import main
from evalsuite.config import make_config
from evalsuite.engines.scripted import loglikelihood, plausible
from evalsuite.prepare import prepare
from evalsuite.sweeps.cells import SWEEP_SCHEMA, Cell, SweepPlan, write_plan
from evalsuite.types import LoglikelihoodRequest, Request, Response, Scalar


def _changed(request: Request, share: float) -> Response:
    """`plausible`, but for a share of the requests, whose log-likelihoods are drawn anew."""
    if not isinstance(request, LoglikelihoodRequest):
        return plausible(request)
    draws = hashlib.sha256(f"other {request.key}".encode()).digest()
    if draws[0] / 256 >= share:
        return plausible(request)
    return loglikelihood(request.continuation, -(1.0 + 9.0 * draws[1] / 256))


def changed_some(request: Request) -> Response:
    return _changed(request, 0.1)


def changed_many(request: Request) -> Response:
    return _changed(request, 0.6)


@cache
def _right() -> frozenset[tuple[str, str]]:
    """Context and continuation of every right choice of the built-in questions in English."""
    prepared = prepare(make_config({"model": "scripted", "tasks": ["mini_choice_en"]}, {}))
    found = set()
    for entry in prepared.tasks:
        for sample in entry.samples:
            chosen = entry.task.next_requests(sample, ())[sample.gold or 0]
            assert isinstance(chosen, LoglikelihoodRequest)
            found.add((str(chosen.context), chosen.continuation))
    return frozenset(found)


def _knowing(request: Request, share: float) -> Response:
    """The right choice is likeliest for a share of the questions, else least likely; the same ones as it grows."""
    assert isinstance(request, LoglikelihoodRequest)
    context = str(request.context)
    knows = hashlib.sha256(context.encode()).digest()[0] / 256 < share
    is_likely = ((context, request.continuation) in _right()) == knows
    return loglikelihood(request.continuation, (-1.0 if is_likely else -2.0) * len(request.continuation))


def knows_little(request: Request) -> Response:
    return _knowing(request, 0.1)


def knows_half(request: Request) -> Response:
    return _knowing(request, 0.5)


def knows_much(request: Request) -> Response:
    return _knowing(request, 0.9)


def run(folder: Path, *arguments: object) -> Path:
    """A new run's directory below `folder`."""
    before = set(folder.glob("*/results.json"))
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        code = main(["run", "--model", "scripted", "--batch_size", "32", "-o", str(folder), *map(str, arguments)])
    assert code == 0
    (found,) = set(folder.glob("*/results.json")) - before
    return found.parent


def cell(path: Path, name: str, settings: Mapping[str, Scalar]) -> Cell:
    run_id = json.loads((path / "results.json").read_text())["run_id"]
    return Cell(name=name, settings=settings, run_id=run_id, run=path.name)


def plan(folder: Path, name: str, cells: Sequence[Cell]) -> Path:
    folder.mkdir(exist_ok=True)
    write_plan(folder, SweepPlan(schema=SWEEP_SCHEMA, name=name, cells=tuple(cells)))
    return folder


def planned_elsewhere(source: Path, target: Path, name: str, cells: Sequence[Cell]) -> Path:
    """A sweep of the runs below `source` that `cells` name, copied, so that it may be damaged."""
    for one in cells:
        if (source / one.run).exists():
            shutil.copytree(source / one.run, target / one.run)
    return plan(target, name, cells)
