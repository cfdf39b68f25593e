"""Two scripted models that often answer otherwise."""

from __future__ import annotations

import msgspec

from evalsuite.engines.scripted import plausible
from evalsuite.types import Completion, GenerateRequest, Loglikelihood, Request, Response


def first(request: Request) -> Response:
    return plausible(request)


def second(request: Request) -> Response:
    """Log-likelihoods turned round for every other question, and texts that lose their last word."""
    reply = plausible(request)
    if isinstance(reply, Loglikelihood) and int(request.key[:2], 16) % 2:
        return msgspec.structs.replace(reply, sum_nats=-100.0 - reply.sum_nats)
    if isinstance(reply, Completion) and isinstance(request, GenerateRequest) and int(request.key[:2], 16) % 3:
        return msgspec.structs.replace(reply, text=reply.text.rpartition(" ")[0] or "7")
    return reply
