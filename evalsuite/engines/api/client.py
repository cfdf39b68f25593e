"""One attempt: a body is posted, and what happened becomes a response's bytes or a fault. No second try is made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from evalsuite.engines.api.policy import Fault, Policy, fault_of_status
from evalsuite.types import Cause

_REDACTED = "[key]"
_MAX_DETAIL = 400
_MAX_BODY = 10_000
_LEAST_SECRET = 8

NO_KEY = "none"
"""What is sent to servers that need no key; the client library insists on one."""


@dataclass(frozen=True)
class Answer:
    """The body of a response with status 200."""

    content: bytes
    content_type: str


class Client(Protocol):
    """Posts a JSON body to a path below the base URL."""

    async def post(self, path: str, payload: Mapping[str, Any], key: str) -> Answer | Fault:
        """The answer, or why there is none; `key` names the logical request over all its attempts."""

    async def close(self) -> None:
        """Let go of the sockets."""


class OpenAIClient:
    """`openai.AsyncOpenAI` with its retries and redirects off: the policy is ours, and a key goes nowhere else."""

    def __init__(self, base_url: str, api_key: str, policy: Policy, max_connections: int) -> None:
        import httpx2
        import openai

        from evalsuite.engines.api.transport import BoundedTransport

        self._policy = policy
        self._secret = api_key.encode() if is_secret(api_key) else b""
        limits = httpx2.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        transport = BoundedTransport(policy.max_body_bytes, limits=limits, proxy=_proxy(base_url))
        timeout = httpx2.Timeout(policy.read_s, connect=policy.connect_s, pool=None)
        self._raw = httpx2.Response
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            default_headers={"Accept-Encoding": "identity"},
            http_client=httpx2.AsyncClient(transport=transport, follow_redirects=False, timeout=timeout),
        )

    async def post(self, path: str, payload: Mapping[str, Any], key: str) -> Answer | Fault:
        """One attempt, at most `Policy.attempt_s` long."""
        import httpx2
        import openai

        from evalsuite.engines.api.transport import BodyTooLarge

        try:
            async with asyncio.timeout(self._policy.attempt_s):
                response = await self._client.post(
                    path, cast_to=self._raw, body=payload, options={"headers": {"Idempotency-Key": key}}
                )
        except openai.APIStatusError as error:
            return _fault_of(error)
        except (openai.APITimeoutError, TimeoutError, httpx2.TimeoutException) as error:
            return Fault(Cause.TIMEOUT, f"no answer in time ({_root(error)})")
        except (openai.APIConnectionError, httpx2.TransportError, httpx2.DecodingError, OSError) as error:
            root = _root(error)
            if _is_unreachable(error):
                return Fault(Cause.CONNECTION_FAILED, f"{UNREACHABLE} ({root})")
            if isinstance(root, BodyTooLarge):
                return Fault(Cause.OUTPUT_TOO_LARGE, str(root))
            if isinstance(root, httpx2.DecodingError):
                return Fault(Cause.BAD_RESPONSE, str(root))
            return Fault(Cause.CONNECTION_FAILED, f"{type(root).__name__}: {root}")
        return Answer(self._without_key(response.content), response.headers.get("content-type", ""))

    def _without_key(self, body: bytes) -> bytes:
        """A body that quotes the key is kept like any other, but not the key."""
        return body.replace(self._secret, _REDACTED.encode()) if self._secret else body

    async def close(self) -> None:
        """Let go of the sockets."""
        await self._client.close()


def is_secret(key: str) -> bool:
    """Whether a key is long enough to be one: servers without keys are given words, which stand in texts by chance."""
    return len(key) >= _LEAST_SECRET


def told(text: str, key: str) -> str:
    """`text` on one line, without the key, and cut."""
    line = " ".join(text.split())
    return (line if key == NO_KEY else line.replace(key, _REDACTED))[:_MAX_DETAIL]


def _fault_of(error: Any) -> Fault:
    code, message = _error_body(error.response.content)
    reason = message or error.response.reason_phrase
    if error.response.is_redirect:
        reason += "; redirects are not followed, base_url must be the address itself"
    return fault_of_status(error.status_code, code, reason, error.response.headers, _now())


def _proxy(base_url: str) -> str | None:
    """The proxy that the environment names for this URL's host."""
    parts = urlsplit(base_url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


UNREACHABLE = "the server cannot be reached"
"""How the detail of a fault begins that no connection was made at."""


def _is_unreachable(error: BaseException | None) -> bool:
    """Whether not even a connection was made: a wrong address, or nobody there."""
    import httpx2

    while error is not None and not isinstance(error, httpx2.ConnectError):
        error = error.__cause__
    return error is not None


def _root(error: BaseException) -> BaseException:
    """What lies behind a client library's wrapping."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _error_body(content: bytes) -> tuple[str, str]:
    """Code and message of an error's body: OpenAI's form, vLLM's, FastAPI's, or its first words."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return "", content[:_MAX_BODY].decode("utf-8", "replace")
    error = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(error, dict):
        return "", str(error)
    code = error.get("code") if isinstance(error.get("code"), str) else error.get("type")
    message = error.get("message", error.get("detail", ""))
    return (code if isinstance(code, str) else ""), str(message)


def _now() -> datetime:
    return datetime.now(UTC)
