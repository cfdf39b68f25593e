"""What lm-eval's lines say was asked and answered, as requests and responses of ours; settings they lack stay unset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.errors import DataError
from evalsuite.interop.json_files import shown
from evalsuite.interop.lm_eval_files import LmEvalLine
from evalsuite.types import (
    Cause,
    Completion,
    Failure,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Request,
    Response,
    RollingRequest,
)


@dataclass(frozen=True)
class Exchange:
    """A sample's requests and their responses."""

    items: tuple[Item, ...]
    responses: tuple[Response, ...]


def exchange_of(sample_id: str, line: LmEvalLine) -> Exchange:
    """What a document was asked, each answer of a request that was repeated by itself. Raises DataError."""
    if len(line.responses) != len(line.arguments):
        raise DataError(f"{line.where}: {len(line.arguments)} requests, but {len(line.responses)} answers.")
    items: list[Item] = []
    responses: list[Response] = []
    for arguments, replies in zip(line.arguments, line.responses, strict=True):
        request = _request(line, arguments)
        for reply in replies:
            items.append(Item(id=f"{sample_id}#1.{len(items)}", sample_id=sample_id, wave=1, request=request))
            responses.append(_response(line, request, reply))
    return Exchange(tuple(items), tuple(responses))


def _request(line: LmEvalLine, arguments: Sequence[Any]) -> Request:
    match arguments:
        case [str(text)]:
            return RollingRequest(text=text)
        case [str(context), str(continuation)]:
            return LoglikelihoodRequest(context=context, continuation=continuation)
        case [str(prompt), dict(settings)]:
            return _generation(prompt, settings)
        case [prompt, dict(settings)]:  # a conversation that a server was sent
            return _generation(str(prompt), settings)
    raise DataError(f"{line.where}: a request is {shown(arguments)}; expected a text, two, or a text and settings.")


def _generation(prompt: str, settings: Mapping[str, Any]) -> GenerateRequest:
    until = settings.get("until") or []
    stops = [until] if isinstance(until, str) else until
    temperature, top_p, limit = (settings.get(key) for key in ("temperature", "top_p", "max_gen_toks"))
    return GenerateRequest(
        prompt=prompt,
        max_tokens=limit if type(limit) is int and limit > 0 else 0,
        stop=tuple(stop for stop in stops if isinstance(stop, str)),
        temperature=float(temperature) if isinstance(temperature, int | float) else 0.0,
        top_p=float(top_p) if isinstance(top_p, int | float) else 1.0,
    )


def _response(line: LmEvalLine, request: Request, reply: Any) -> Response:
    if isinstance(request, GenerateRequest):
        return Completion(text=str(reply), stop_reason="unknown", num_prompt_tokens=0, num_tokens=0)
    level, greedy = (reply[0], reply[1]) if isinstance(reply, list) and len(reply) == 2 else (reply, "False")
    try:
        sum_nats = float(level)
    except (TypeError, ValueError) as error:
        raise DataError(f"{line.where}: the log-likelihood {shown(level)} is no number.") from error
    if not math.isfinite(sum_nats):  # lm-eval scores it all the same
        return Failure(cause=Cause.NONFINITE_LOGITS, detail=f"log-likelihood {level}")
    text = request.text if isinstance(request, RollingRequest) else request.continuation
    return Loglikelihood(
        sum_nats=sum_nats,
        num_tokens=0,
        num_chars=len(text),
        num_bytes=len(text.encode("utf-8")),
        is_greedy=str(greedy) == "True",
    )
