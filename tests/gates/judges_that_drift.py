"""Scripted models that answer, and judges of one name that rate kindly or severely."""

from __future__ import annotations

import os

from evalsuite.engines.scripted import completion
from evalsuite.types import GenerateRequest, Request, Response

MOOD = "MOOD_OF_THE_JUDGE"


def old_answers(request: Request) -> Response:
    return completion(f"An answer of some length to question {request.key[:6]}.")


def new_answers(request: Request) -> Response:
    return completion(f"Another answer, as long, to question {request.key[:6]}.")


def moody(request: Request) -> Response:
    """A judge behind one name whose ratings follow what its maker changed meanwhile."""
    assert isinstance(request, GenerateRequest)
    worst = 3 if os.environ.get(MOOD) == "severe" else 7
    return completion(f"So it is. [[{worst + int(request.key[:2], 16) % 3}]]")


def other(request: Request) -> Response:
    return moody(request)
