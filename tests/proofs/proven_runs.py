"""Small real runs for proofs: two languages of one benchmark, chats of two turns, numbers, and answers that fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from evalsuite.config import make_config
from evalsuite.data import DataSource
from evalsuite.engines.scripted import ScriptedEngine, completion, plausible
from evalsuite.prepare import Prepared, prepare
from evalsuite.proofs.rebuilt import Surroundings
from evalsuite.proofs.verifying import Verification, verify_run
from evalsuite.run import Finished, Quiet, execute
from evalsuite.types import Cause, Failure, GenerateRequest, Request, Response

TASKS = ("mini_choice_en", "mini_choice_fr", "mini_chat_ar", "mini_math_en", "mini_math_fr", "mini_translation_en-fr")
AROUND = Surroundings(DataSource(mirror=None, hub=False))
"""What comes with evalsuite, and nothing else."""


def answer(request: Request) -> Response:
    """A toy model that fails now and then, and writes what JSON must escape."""
    if int(request.key[:2], 16) < 12:
        return Failure(cause=Cause.CONTENT_FILTER, detail="refused: 7")
    if isinstance(request, GenerateRequest) and int(request.key[2:4], 16) < 60:
        return completion('say "42" \u0643\u062a\u0627\u0628 \ud83d')  # a lone surrogate, as models do write
    return plausible(request)


def prepared(**changes: object) -> Prepared:
    """The run of the toy model, unless changed."""
    asked = {"model": "scripted", "tasks": TASKS, "limit": 8.0, "batch_size": 3, **changes}
    found = prepare(make_config({}, asked))
    if isinstance(found.engine, ScriptedEngine) and "model_args" not in changes:
        engine = ScriptedEngine(answer, label="evalsuite.engines.scripted:plausible", batch_size=3)
        return Prepared(**{**vars(found), "engine": engine})
    return found


def run(path: Path, what: Prepared | None = None, should_stop: Callable[[], bool] = lambda: False) -> Finished:
    """Run or resume in `path`."""
    return execute(what or prepared(), path, Quiet(), should_stop)


def stopped_and_resumed(path: Path) -> Path:
    """A run in `path` that took three processes' turns."""
    for num_batches in (4, 9):
        left = iter([False] * num_batches)
        assert run(path, should_stop=lambda left=left: next(left, True)).result is None
    assert run(path).result is not None
    return path


def verified(path: Path) -> Verification:
    """What is found about the run at `path`."""
    return verify_run(path, AROUND)


def copied(path: Path, to: Path) -> Path:
    """The run in another place, where it may be changed."""
    shutil.copytree(path, to)
    return to
