"""Scripted models that know the answers of mini_choice: one is always right, one forgets a share, one is lost."""

from __future__ import annotations

import hashlib
from functools import cache

from evalsuite.config import RunConfig
from evalsuite.engines.scripted import loglikelihood
from evalsuite.prepare import first_items, prepare
from evalsuite.types import LoglikelihoodRequest, Request, Response


@cache
def _right() -> dict[str, bool]:
    """Whether the continuation is the right choice, by the request's key."""
    prepared = prepare(RunConfig(model="scripted", tasks=("mini_choice",)))
    found: dict[str, bool] = {}
    for entry in prepared.tasks:
        gold = {sample.id: sample.choices[sample.gold or 0] for sample in entry.samples}
        for item in first_items(prepared, entry):
            assert isinstance(item.request, LoglikelihoodRequest)
            found[item.request.key] = item.request.continuation.strip() == gold[item.sample_id].strip()
    return found


def _answer(request: Request, is_known: bool) -> Response:
    assert isinstance(request, LoglikelihoodRequest)
    is_right = _right()[request.key]
    return loglikelihood(request.continuation, -float(len(request.continuation)) * (1 if is_right == is_known else 5))


def right(request: Request) -> Response:
    """Always right."""
    return _answer(request, is_known=True)


def forgetful(request: Request) -> Response:
    """Wrong on about half of the questions, in every language."""
    assert isinstance(request, LoglikelihoodRequest)
    draw = hashlib.sha256(str(request.context).encode()).digest()[0] / 256
    return _answer(request, is_known=draw > 0.5)


def lost(request: Request) -> Response:
    """Always wrong."""
    return _answer(request, is_known=False)
