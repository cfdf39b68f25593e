"""OpenAI's wire format: requests to JSON bodies, and bodies to answers, nothing taken on trust. Pure.

Source: OpenAI's API reference, chat completions and (legacy) completions; for scoring the latter's ``echo`` with
``logprobs``, as vLLM serves it too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.engines.api.policy import Action, Fault
from evalsuite.engines.completion import first_stop
from evalsuite.types import Cause, Completion, GenerateRequest, Scalar, StopReason

CHAT = "/chat/completions"
COMPLETIONS = "/completions"
MAX_STOPS = 4
"""OpenAI takes no more; the others are applied here all the same."""

_REASONS: Mapping[str, StopReason] = {"stop": "end", "length": "length", "eos": "end", "stop_sequence": "stop"}


@dataclass(frozen=True)
class Body:
    """A parsed answer and what the server says it used; `fingerprint` names the server's own version of the model."""

    choice: Mapping[str, Any]
    num_prompt_tokens: int | None
    num_tokens: int | None
    fingerprint: str


def chat_payload(model: str, request: GenerateRequest, extra: Mapping[str, Scalar]) -> dict[str, Any]:
    """The body that asks for `request` as a conversation; plain text is one message of the user's."""
    prompt = request.prompt
    turns = [("user", prompt)] if isinstance(prompt, str) else [(turn.role, turn.content) for turn in prompt]
    payload: dict[str, Any] = {
        "model": model,
        "messages": [{"role": role, "content": _sendable(content)} for role, content in turns],
        "max_tokens": request.max_tokens,
        **_sampling(request),
        **extra,
    }
    if request.num_alternatives:
        payload |= {"logprobs": True, "top_logprobs": request.num_alternatives}
    return payload


def completion_payload(
    model: str, prompt: str | Sequence[int], request: GenerateRequest, extra: Mapping[str, Scalar]
) -> dict[str, Any]:
    """The body that asks for `prompt`, text or token ids, to be continued."""
    sent = _sendable(prompt) if isinstance(prompt, str) else list(prompt)
    payload: dict[str, Any] = {
        "model": model, "prompt": sent, "max_tokens": request.max_tokens, **_sampling(request), **extra,
    }  # fmt: skip
    if request.num_alternatives:
        payload["logprobs"] = request.num_alternatives
    return payload


def echo_payload(model: str, prompt: str | Sequence[int], extra: Mapping[str, Scalar]) -> dict[str, Any]:
    """The body that asks for the log-probabilities of `prompt` itself; one token more is made, and ignored."""
    sent = _sendable(prompt) if isinstance(prompt, str) else list(prompt)
    return {
        "model": model, "prompt": sent, "max_tokens": 1, "temperature": 0.0, "echo": True, "logprobs": 1, **extra,
    }  # fmt: skip


def _sampling(request: GenerateRequest) -> dict[str, Any]:
    chosen: dict[str, Any] = {"temperature": request.temperature}
    if request.temperature:
        chosen |= {"top_p": request.top_p, "seed": request.seed}
    if request.stop:
        chosen["stop"] = list(request.stop[:MAX_STOPS])
    return chosen


def _sendable(text: str) -> str:
    """`text` without lone surrogates, which no JSON parser has to take."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


# -- what comes back


def read_body(content: bytes, content_type: str, *, needs_usage: bool) -> Body | Fault:
    """The one choice of a response with status 200, or what is wrong with it."""
    if "json" not in content_type.lower():
        return _bad(f"content type {content_type or 'missing'}, not JSON")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        return _bad(f"not JSON: {str(error)[:200]}")
    if not isinstance(value, dict):
        return _bad(f"JSON {type(value).__name__}, not an object")
    if value.get("error"):
        return _bad(f"status 200 with an error: {value['error']}")
    choices = value.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return _bad(f"{len(choices) if isinstance(choices, list) else 'no'} choices, not 1")
    if choices[0].get("index", 0) != 0:
        return _bad(f"choice with index {choices[0].get('index')!r}, not 0")
    usage = value.get("usage")
    counts = [usage.get(name) if isinstance(usage, dict) else None for name in ("prompt_tokens", "completion_tokens")]
    known = [count if type(count) is int and count >= 0 else None for count in counts]
    if needs_usage and None in known:
        return _bad("no usage, which this server gave before")
    return Body(choices[0], known[0], known[1], str(value.get("system_fingerprint") or ""))


def chat_completion(body: Body, request: GenerateRequest) -> Completion | Fault:
    """A conversation's next turn. No text at all is the model's doing, as is a refusal."""
    message = body.choice.get("message")
    if not isinstance(message, dict):
        return _bad("a choice without a message")
    text, refusal = message.get("content"), message.get("refusal")
    if refusal is not None and not isinstance(refusal, str):
        return _bad("a refusal that is no text")
    if isinstance(text, list):
        text = "".join(str(part.get("text", "")) for part in text if isinstance(part, dict))
    if text is not None and not isinstance(text, str):
        return _bad(f"content is {type(text).__name__}, not text")
    return _completion(body, request, text or refusal or "", is_refusal=bool(refusal and not text))


def text_completion(body: Body, request: GenerateRequest) -> Completion | Fault:
    """A text's continuation."""
    text = body.choice.get("text")
    if text is not None and not isinstance(text, str):
        return _bad(f"text is {type(text).__name__}, not text")
    return _completion(body, request, text or "", is_refusal=False)


def _completion(body: Body, request: GenerateRequest, text: str, *, is_refusal: bool) -> Completion | Fault:
    reason = body.choice.get("finish_reason")
    if reason == "content_filter":
        return Fault(Cause.CONTENT_FILTER, "the server's filter ended the answer", Action.FAIL, 200)
    if not isinstance(reason, str) or reason not in _REASONS:
        return _bad(f"finish_reason {str(reason)[:40]!r}")
    if reason == "length":
        text = text.rstrip("\N{REPLACEMENT CHARACTER}")  # the cap may fall inside a character of several tokens
    stop = first_stop(text, request.stop)
    logprobs = _chosen_logprobs(body.choice) if request.num_alternatives else None
    return Completion(
        text=text if stop is None else text[:stop],
        stop_reason="refusal" if is_refusal else "stop" if stop is not None else _REASONS[reason],
        num_prompt_tokens=body.num_prompt_tokens or 0,
        num_tokens=body.num_tokens or 0,
        logprobs_nats=logprobs[1] if logprobs else None,
        tokens=logprobs[0] if logprobs else (),
        alternatives=logprobs[2] if logprobs else (),
    )


_Chosen = tuple[tuple[str, ...], tuple[float, ...], tuple[tuple[tuple[str, float], ...], ...]]


def _chosen_logprobs(choice: Mapping[str, Any]) -> _Chosen | None:
    """Tokens, log-probabilities and alternatives, in the chat form or the completions form; None where not given."""
    given = choice.get("logprobs")
    if not isinstance(given, dict):
        return None
    try:
        if isinstance(given.get("content"), list):
            places = [
                (
                    entry["token"],
                    entry["logprob"],
                    [(other["token"], other["logprob"]) for other in entry["top_logprobs"]],
                )
                for entry in given["content"]
            ]
        else:
            tops = given["top_logprobs"]
            places = [
                (token, value, list((top or {}).items()))
                for token, value, top in zip(given["tokens"], given["token_logprobs"], tops, strict=True)
            ]
        return (
            tuple(str(token) for token, _, _ in places),
            tuple(_finite(value) for _, value, _ in places),
            tuple(
                tuple(sorted(((str(token), _finite(value)) for token, value in others), key=lambda pair: -pair[1]))
                for _, _, others in places
            ),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        return None


LEAST_NATS = -9999.0
"""What vLLM writes for a probability of 0, JSON having no infinity."""


_ROUNDING_NATS = 0.01
"""How far above 0 rounding may take a log-probability."""


def _finite(value: Any) -> float:
    """A log-probability in nats, no less than `LEAST_NATS`. Raises ValueError for what is none."""
    number = float(value)
    if math.isnan(number) or number > _ROUNDING_NATS:
        raise ValueError(f"{number} is no log-probability")
    return min(0.0, max(number, LEAST_NATS))


@dataclass(frozen=True)
class EchoedToken:
    """One token of what was sent: its text, its log-probability (None for the first), and the likeliest's there."""

    text: str
    nats: float | None
    best_nats: float | None


def echoed_tokens(body: Body) -> tuple[EchoedToken, ...] | Fault:
    """The tokens of a text with their log-probabilities in nats, or what is missing of them."""
    given = body.choice.get("logprobs")
    if not isinstance(given, dict) or not isinstance(given.get("token_logprobs"), list):
        return _bad("no log-probabilities")
    values, texts = given["token_logprobs"], given.get("tokens")
    tops = given.get("top_logprobs") or [None] * len(values)
    if not isinstance(tops, list) or not isinstance(texts, list) or len({len(values), len(tops), len(texts)}) > 1:
        return _bad("tokens, log-probabilities and alternatives of different numbers")
    if not values:
        return _bad("log-probabilities of no token")
    try:
        return tuple(
            EchoedToken(
                str(text),
                None if value is None else _finite(value),
                max((_finite(other) for other in top.values()), default=None) if isinstance(top, dict) else None,
            )
            for text, value, top in zip(texts, values, tops, strict=True)
        )
    except (TypeError, ValueError, OverflowError) as error:
        return _bad(f"log-probabilities that are no numbers ({error})")


def _bad(detail: str) -> Fault:
    return Fault(Cause.BAD_RESPONSE, detail, Action.RETRY, 200)
