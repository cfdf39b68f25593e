"""The ways in which `fault_server` answers a request, and what it then sends: pure functions, but for the date.

Bodies have the shapes that OpenAI's, vLLM's, OpenRouter's and plain FastAPI servers send; the words are our own.
"""

from __future__ import annotations

import enum
import hashlib
import struct
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import cache
from typing import Any, TypeAlias

from toy_answers import Asked, answer_object, as_json, choice_object, usage, utf8


class Mode(enum.StrEnum):
    """How a request is answered. The first 24 are faults of servers and networks, the others what endpoints refuse."""

    THROTTLED = "throttled"
    """429 that does not say when to come back."""
    THROTTLED_SECONDS = "throttled_seconds"
    """429 with ``Retry-After`` in seconds."""
    THROTTLED_MILLISECONDS = "throttled_milliseconds"
    """429 with ``retry-after-ms``."""
    THROTTLED_DATE = "throttled_date"
    """429 with ``Retry-After`` as an HTTP date, which has whole seconds."""
    THROTTLED_HUGE = "throttled_huge"
    """429 with a ``Retry-After`` longer than anybody waits."""
    THROTTLED_NEGATIVE = "throttled_negative"
    """429 with a ``Retry-After`` below zero."""
    SERVER_ERROR = "server_error"
    """500 with an error object."""
    BAD_GATEWAY = "bad_gateway"
    """502 with a page of HTML, as proxies send it."""
    HANG = "hang"
    """The request is read and never answered."""
    RESET = "reset"
    """Half of the body, then a TCP reset."""
    TRUNCATED_JSON = "truncated_json"
    """200 whose whole body is the first half of a JSON text."""
    EMPTY_CHOICES = "empty_choices"
    """200 with ``choices: []``."""
    NULL_CONTENT = "null_content"
    """200 whose text is null, with `stop` as the reason."""
    MISSING_USAGE = "missing_usage"
    """A healthy answer without ``usage``."""
    WRONG_CONTENT_TYPE = "wrong_content_type"
    """A healthy body that is said to be HTML."""
    ERROR_IN_200 = "error_in_200"
    """200 whose body is an error object."""
    SLOW_DRIP = "slow_drip"
    """A healthy answer, one byte after another."""
    BIG_BODY = "big_body"
    """200 with a text of `Settings.big_body_bytes` more than it should have."""
    INVALID_UTF8 = "invalid_utf8"
    """200 whose text ends in bytes that are not UTF-8."""
    DUPLICATE_INDEX = "duplicate_index"
    """Choices in reversed order of which two have the same ``index``; of one choice, another text with index 1."""
    WRONG_NUMBER = "wrong_number"
    """The first of several choices is missing and the others close ranks; before a single one stands another."""
    REDIRECT = "redirect"
    """A redirect to another origin, which answers with another text and notes who came."""
    DROP = "drop"
    """The connection is closed without a byte, as when TLS breaks down."""
    GZIP_BOMB = "gzip_bomb"
    """200 with a gzip body that unpacks to `Settings.bomb_bytes` and more."""

    UNAUTHORISED = "unauthorised"
    """401: the key is wrong."""
    KEY_ECHOED = "key_echoed"
    """401 whose message holds the key that was sent."""
    UNPAID = "unpaid"
    """402 with an error code that is a number."""
    FORBIDDEN = "forbidden"
    """403: the key may not use this model."""
    NO_SUCH_MODEL = "no_such_model"
    """404 with ``model_not_found``."""
    CONTEXT_TOO_LONG = "context_too_long"
    """400 with ``context_length_exceeded``."""
    CONTENT_FILTER = "content_filter"
    """400 with ``content_filter``."""
    UNPROCESSABLE = "unprocessable"
    """422 with a list of details and no error object, as FastAPI sends it."""
    OUT_OF_QUOTA = "out_of_quota"
    """429 with ``insufficient_quota``: waiting does not help."""
    OVERLOADED = "overloaded"
    """503 that does not say when to come back."""
    REFUSAL = "refusal"
    """200 with ``message.refusal`` and no content; of a completion, no text and `content_filter` as the reason."""
    EMPTY_AT_LENGTH = "empty_at_length"
    """200 with an empty text and `length` as the reason: all tokens went into unseen reasoning."""


FAULTS: tuple[Mode, ...] = tuple(Mode)[:24]
"""What servers and networks do to anybody: the modes that a run must survive."""

Script: TypeAlias = Callable[[str, int], Mode | None]
"""What a prompt meets on its n-th attempt, counted from 1; None is a healthy answer."""


def healthy(prompt: str, attempt: int) -> Mode | None:
    """The script without faults."""
    return None


def at_rate(mode: Mode, rate: float, attempts: int | None = 1, *, seed: int = 0) -> Script:
    """A script in which `mode` meets about the share `rate` of all prompts in their first `attempts`; None is always.

    Which prompts those are depends on `mode`, the prompt and `seed` only.
    """

    def script(prompt: str, attempt: int) -> Mode | None:
        is_met = _share(f"{seed}:{mode}:{prompt}") < rate
        return mode if is_met and (attempts is None or attempt <= attempts) else None

    return script


def _share(text: str) -> float:
    """A number from 0 to below 1 that a text is mapped to."""
    return int.from_bytes(hashlib.sha256(utf8(text)).digest()[:6], "big") / 2**48


@dataclass(frozen=True)
class Settings:
    """The figures behind the modes; short waits keep tests quick.

    `retry_after_s` and `retry_after_ms` are what throttled requests are told; `hang_s` is after how long a hanging
    connection is closed, None for never; `delay_s` comes before every answer; `ignores_echo` makes a server that does
    not score prompts; `models_mode` is what ``GET /v1/models`` meets, which the script is not asked about.
    """

    retry_after_s: int = 1
    retry_after_ms: int = 20
    retry_after_huge_s: int = 86_400
    retry_after_negative_s: int = -5
    hang_s: float | None = None
    drip_interval_s: float = 0.05
    big_body_bytes: int = 50_000_000
    bomb_bytes: int = 1 << 30
    redirect_status: int = 307
    delay_s: float = 0.0
    ignores_echo: bool = False
    models: tuple[str, ...] = ("toy",)
    models_mode: Mode | None = None


@dataclass(frozen=True)
class Reply:
    """A whole HTTP response; its length, and whether the connection stays, are added on sending."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


_MARK = "\ue000"
"""Stands where foreign bytes are put into an answer; no answer holds it."""

_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"


def error_reply(status: int, kind: str, message: str, code: str | int | None = None, **headers: str) -> Reply:
    """A reply with OpenAI's error object; underscores in names of `headers` stand for hyphens."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, as_json({"error": error}), headers=named)


def _throttled(**headers: str) -> Reply:
    return error_reply(429, "requests", "Too many requests for this key.", "rate_limit_exceeded", **headers)


def _throttled_by(mode: Mode, settings: Settings) -> Reply | None:
    match mode:
        case Mode.THROTTLED:
            return _throttled()
        case Mode.THROTTLED_SECONDS:
            return _throttled(Retry_After=str(settings.retry_after_s))
        case Mode.THROTTLED_MILLISECONDS:
            return _throttled(retry_after_ms=str(settings.retry_after_ms))
        case Mode.THROTTLED_DATE:
            return _throttled(Retry_After=formatdate(time.time() + settings.retry_after_s, usegmt=True))
        case Mode.THROTTLED_HUGE:
            return _throttled(Retry_After=str(settings.retry_after_huge_s))
        case Mode.THROTTLED_NEGATIVE:
            return _throttled(Retry_After=str(settings.retry_after_negative_s))
        case _:
            return None


def _refused_by(mode: Mode, model: str, authorization: str) -> Reply | None:
    match mode:
        case Mode.SERVER_ERROR:
            return error_reply(500, "server_error", "The server met an error.")
        case Mode.BAD_GATEWAY:
            return Reply(502, _HTML, content_type="text/html")
        case Mode.OVERLOADED:
            return error_reply(503, "service_unavailable", "The model is overloaded.")
        case Mode.UNAUTHORISED:
            return error_reply(401, "invalid_request_error", "The API key is not valid.", "invalid_api_key")
        case Mode.KEY_ECHOED:
            key = authorization.removeprefix("Bearer ")
            return error_reply(401, "invalid_request_error", f"The API key {key} is not valid.", "invalid_api_key")
        case Mode.UNPAID:
            return error_reply(402, "payment_required", "The account holds no credits.", 402)
        case Mode.FORBIDDEN:
            return error_reply(403, "permission_denied", f"This key may not use {model}.", "forbidden")
        case Mode.NO_SUCH_MODEL:
            return error_reply(404, "invalid_request_error", f"There is no model {model}.", "model_not_found")
        case Mode.CONTEXT_TOO_LONG:
            message = "The prompt has 5000 tokens, the context 4096."
            return error_reply(400, "invalid_request_error", message, "context_length_exceeded")
        case Mode.CONTENT_FILTER:
            return error_reply(400, "invalid_request_error", "The prompt was filtered.", "content_filter")
        case Mode.UNPROCESSABLE:
            detail = {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}
            return Reply(422, as_json({"detail": [detail]}))
        case Mode.OUT_OF_QUOTA:
            return error_reply(429, "insufficient_quota", "The quota is used up.", "insufficient_quota")
        case Mode.ERROR_IN_200:
            return replace(error_reply(502, "upstream_error", "The upstream failed.", 502), status=200)
        case _:
            return None


def status_reply(mode: Mode, model: str, authorization: str, settings: Settings) -> Reply | None:
    """The reply of a mode whose whole matter is a status or an error object; None for the others."""
    return _throttled_by(mode, settings) or _refused_by(mode, model, authorization)


def _with_text(choice: Mapping[str, Any], text: str | None, **rest: Any) -> dict[str, Any]:
    """`choice` with another text, and other `rest`."""
    if "message" not in choice:
        return {**choice, "text": text, **rest}
    return {**choice, "message": {**choice["message"], "content": text}, **rest}


def _spoiled(mode: Mode | None, asked: Asked, seed: int) -> dict[str, Any]:
    """The answer's object, spoiled as `mode` says where that is a matter of its fields."""
    sound = answer_object(asked, seed)
    choices = sound["choices"]
    match mode:
        case Mode.EMPTY_CHOICES:
            return sound | {"choices": []}
        case Mode.NULL_CONTENT:
            return sound | {"choices": [_with_text(choice, None, logprobs=None) for choice in choices]}
        case Mode.MISSING_USAGE:
            return {name: value for name, value in sound.items() if name != "usage"}
        case Mode.DUPLICATE_INDEX:
            return sound | {"choices": _with_wrong_indices(choices, asked, seed)}
        case Mode.WRONG_NUMBER:
            return sound | {"choices": _with_wrong_number(choices, asked, seed)}
        case Mode.REFUSAL:
            return sound | {"choices": [_refused(choice) for choice in choices]}
        case Mode.EMPTY_AT_LENGTH:
            empty = [_with_text(choice, "", logprobs=None, finish_reason="length") for choice in choices]
            used = usage(asked.num_prompt_tokens, (asked.max_tokens or 0) * len(choices))
            return sound | {"choices": empty, "usage": used}
        case _:
            return sound


def _with_wrong_indices(choices: Sequence[dict[str, Any]], asked: Asked, seed: int) -> list[dict[str, Any]]:
    if len(choices) == 1:
        return [choice_object(asked, asked.prompts[0], seed, 1)]
    return [choice | {"index": max(1, choice["index"])} for choice in reversed(choices)]


def _with_wrong_number(choices: Sequence[dict[str, Any]], asked: Asked, seed: int) -> list[dict[str, Any]]:
    other = choice_object(asked, asked.prompts[0], seed, 1)
    given = [other, choices[0]] if len(choices) == 1 else choices[1:]
    return [choice | {"index": index} for index, choice in enumerate(given)]


def _refused(choice: Mapping[str, Any]) -> dict[str, Any]:
    if "message" not in choice:
        return _with_text(choice, "", logprobs=None, finish_reason="content_filter")
    message = {**choice["message"], "content": None, "refusal": "I will not say that."}
    return {**choice, "message": message, "logprobs": None}


def parted_body(asked: Asked, seed: int) -> tuple[bytes, bytes]:
    """The healthy body up to the end of the first text, and the rest of it."""
    sound = answer_object(asked, seed)
    first, *others = sound["choices"]
    text = first["message"]["content"] if asked.is_chat else first["text"]
    marked = sound | {"choices": [_with_text(first, text + _MARK), *others]}
    head, _, tail = as_json(marked).partition(_MARK.encode())
    return head, tail


def reply_to(mode: Mode | None, asked: Asked, authorization: str, settings: Settings, seed: int) -> Reply:
    """The response to a request; of a mode that is a matter of connections, the healthy one."""
    if mode is not None and (refused := status_reply(mode, asked.model, authorization, settings)):
        return refused
    body = as_json(_spoiled(mode, asked, seed))
    match mode:
        case Mode.TRUNCATED_JSON:
            return Reply(200, body[: len(body) // 2])
        case Mode.INVALID_UTF8:
            return Reply(200, b"\xff\xc3(".join(parted_body(asked, seed)))
        case Mode.WRONG_CONTENT_TYPE:
            return Reply(200, body, content_type="text/html; charset=utf-8")
        case Mode.GZIP_BOMB:
            return Reply(200, gzip_bomb(settings.bomb_bytes), headers=(("Content-Encoding", "gzip"),))
        case _:
            return Reply(200, body)


@cache
def gzip_bomb(num_bytes: int) -> bytes:
    """A sound gzip stream of a JSON text with at least `num_bytes` of filling, made without packing all of them.

    After a full flush deflate starts anew at a whole byte, so a packed block may be repeated.
    """
    block = b"a" * 2**20
    num_blocks = -(-num_bytes // len(block))
    head, tail = b'{"filling": "', b'"}'
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed_head = deflate.compress(head) + deflate.flush(zlib.Z_FULL_FLUSH)
    packed_block = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    packed_tail = deflate.compress(tail) + deflate.flush()
    checksum = zlib.crc32(head)
    for _ in range(num_blocks):
        checksum = zlib.crc32(block, checksum)
    size = len(head) + num_blocks * len(block) + len(tail)
    trailer = struct.pack("<II", zlib.crc32(tail, checksum), size % 2**32)
    opening = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return opening + packed_head + packed_block * num_blocks + packed_tail + trailer
