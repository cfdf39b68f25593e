"""Scripted models that know the built-in choice questions, each to its own degree, and runs of them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from evalsuite.cli.main import main
from evalsuite.config import make_config
from evalsuite.prepare import prepare
from evalsuite.types import Cause, Failure, Loglikelihood, LoglikelihoodRequest, Request, Response

TASKS = "mini_choice"


@cache
def _right() -> frozenset[tuple[str, str]]:
    """Context and continuation of every right choice."""
    prepared = prepare(make_config({"model": "scripted", "tasks": [TASKS]}, {}))
    found = []
    for entry in prepared.tasks:
        for sample in entry.samples:
            requests = entry.task.next_requests(sample, ())
            assert sample.gold is not None
            chosen = requests[sample.gold]
            assert isinstance(chosen, LoglikelihoodRequest)
            found.append((str(chosen.context), chosen.continuation))
    return frozenset(found)


def _luck(text: str, salt: str) -> float:
    return int.from_bytes(hashlib.sha256(f"{salt}{text}".encode()).digest()[:4], "big") / 2**32


def _answer(request: Request, share: float) -> Response:
    """The right choice is likeliest on this share of the questions, nested as it grows; else the least likely."""
    assert isinstance(request, LoglikelihoodRequest)
    context = str(request.context)
    is_right = (context, request.continuation) in _right()
    knows = _luck(context, "knows") < share
    size = len(request.continuation)
    level = -1.0 if is_right == knows else -2.0 - _luck(request.continuation, context)
    return Loglikelihood(sum_nats=level * size, num_tokens=size, num_chars=size, num_bytes=size, is_greedy=False)


def good(request: Request) -> Response:
    return _answer(request, 0.8)


def alike(request: Request) -> Response:
    return _answer(request, 0.79)


def bad(request: Request) -> Response:
    return _answer(request, 0.5)


def faulty(request: Request) -> Response:
    """As good, but for one question in ten that it cannot answer."""
    if _luck(str(getattr(request, "context", "")), "fails") < 0.1:
        return Failure(cause=Cause.CONTEXT_TOO_LONG)
    return good(request)


def silent_in_english(request: Request) -> Response:
    """As good, but without any answer in English."""
    if str(getattr(request, "context", "")).isascii():
        return Failure(cause=Cause.CONTEXT_TOO_LONG)
    return good(request)


def brief(request: Request) -> Response:
    """As bad for each character, but so near to it that short choices have the largest sums."""
    found = bad(request)
    assert isinstance(found, Loglikelihood)
    size = found.num_chars
    return msgspec.structs.replace(found, sum_nats=-float(size) if found.sum_nats == -size else -1.01 * size)


ASKED: set[tuple[str, str]] = set()
"""What `improving` was asked before; a test clears it."""


def improving(request: Request) -> Response:
    """Bad at what it is asked for the first time in this process, and good at it from then on."""
    assert isinstance(request, LoglikelihoodRequest)
    question = (str(request.context), request.continuation)
    is_first = question not in ASKED
    ASKED.add(question)
    return bad(request) if is_first else good(request)


def run(model: str, output: Path, *arguments: str) -> Path:
    """The directory of a run of one of the models above."""
    code = main(["run", "--model", "scripted", "--model_args", f"function=graded_models:{model},name={model}",
                 "--tasks", TASKS, "--output_path", str(output), *arguments])  # fmt: skip
    assert code in (0, 3)
    (path,) = output.glob(f"{model}-*")
    return path
