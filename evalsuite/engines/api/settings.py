"""What ``--model openai --model_args`` may say, checked."""

from __future__ import annotations

import ipaddress
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args
from urllib.parse import urlsplit

from evalsuite.engines.api.budget import Caps, Prices
from evalsuite.engines.api.client import NO_KEY, is_secret
from evalsuite.engines.api.policy import Policy
from evalsuite.errors import UsageError
from evalsuite.types import Scalar

DEFAULT_URL = "https://api.openai.com/v1"
Endpoint = Literal["auto", "chat", "completions"]

_POLICY_ARGS = {"max_attempts": "max_attempts", "timeout": "attempt_s", "max_retry_share": "max_retry_share",
                "give_up_after": "give_up_s"}  # fmt: skip
_ARGS = {
    "model", "name", "base_url", "endpoint", "tokenizer", "concurrency", "rpm", "tpm", "max_requests", "max_tokens",
    "max_cost", "max_seconds", "prompt_price", "completion_price", "max_length", "cap_name", "revision",
    *_POLICY_ARGS,
}  # fmt: skip
_EXTRA = "extra_"
_PARTS = ";"
_METADATA_HOSTS = {"metadata.google.internal", "metadata", "instance-data"}


@dataclass(frozen=True)
class ApiSettings:
    """A model behind an API, and how it may be asked.

    `base_url` may be several servers with the same model, parted by semicolons.
    `extra` goes into every body as it is; `cap_name` is what the server calls the cap on generated tokens. `tokenizer`
    names a local model whose tokenizer is the server's: then prompts are sent as token ids, and log-likelihoods of
    conversations can be asked. `max_length` is the server's context, `revision` the user's own name for what it serves,
    without which answers are not kept across runs.
    """

    model: str
    base_url: str
    api_key: str = field(repr=False)
    endpoint: Endpoint = "auto"
    tokenizer: str = ""
    concurrency: int = 64
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    caps: Caps = field(default_factory=Caps)
    prices: Prices | None = None
    max_length: int | None = None
    cap_name: str = "max_tokens"
    revision: str = ""
    extra: tuple[tuple[str, Scalar], ...] = ()
    policy: Policy = field(default_factory=Policy)

    @property
    def base_urls(self) -> tuple[str, ...]:
        """The address of every server."""
        return tuple(self.base_url.split(_PARTS))


def read_settings(args: Mapping[str, Scalar], environ: Mapping[str, str] = os.environ) -> ApiSettings:
    """The settings behind the arguments and the environment. Raises UsageError."""
    for key in args:
        if key in ("api_key", "key", "token"):
            raise UsageError(f"--model_args {key}: keys are read from OPENAI_API_KEY only, so that none is stored.")
        if key not in _ARGS and not key.startswith(_EXTRA):
            raise UsageError(
                f"--model_args: unknown {key!r}; openai takes {', '.join(sorted(_ARGS))}, and {_EXTRA}NAME for what "
                "is to stand in every request."
            )
        if is_secret(secret := environ.get("OPENAI_API_KEY", "").strip()) and secret in str(args[key]):
            raise UsageError(f"--model_args {key} holds the key, which is read from OPENAI_API_KEY and stored nowhere.")
    if not args.get("model"):
        raise UsageError("--model openai needs --model_args model=NAME, the server's name for the model.")
    endpoint = next((one for one in get_args(Endpoint) if one == args.get("endpoint", "auto")), None)
    if endpoint is None:
        raise UsageError(f"--model_args endpoint={args['endpoint']}: expected auto, chat or completions.")
    max_length = _positive(args, "max_length")
    return ApiSettings(
        model=str(args["model"]),
        base_url=_checked_urls(str(args.get("base_url") or environ.get("OPENAI_BASE_URL") or DEFAULT_URL)),
        api_key=_checked_key(environ.get("OPENAI_API_KEY", "")),
        endpoint=endpoint,
        tokenizer=str(args.get("tokenizer", "")),
        concurrency=int(_positive(args, "concurrency") or ApiSettings.concurrency),
        requests_per_minute=_positive(args, "rpm"),
        tokens_per_minute=_positive(args, "tpm"),
        caps=_caps(args),
        prices=_prices(args),
        max_length=None if max_length is None else int(max_length),
        revision=str(args.get("revision", "")),
        cap_name=str(args.get("cap_name", "max_tokens")),
        extra=tuple(sorted((key.removeprefix(_EXTRA), args[key]) for key in args if key.startswith(_EXTRA))),
        policy=_policy(args),
    )


def _caps(args: Mapping[str, Scalar]) -> Caps:
    requests, tokens = _positive(args, "max_requests"), _positive(args, "max_tokens")
    cost = _positive(args, "max_cost")
    if cost is not None and not {"prompt_price", "completion_price"} <= set(args):
        raise UsageError(
            "--model_args max_cost: the price is unknown; give prompt_price and completion_price, money for a million "
            "tokens."
        )
    return Caps(
        requests=None if requests is None else int(requests),
        tokens=None if tokens is None else int(tokens),
        cost=cost,
        seconds=_positive(args, "max_seconds"),
    )


def _prices(args: Mapping[str, Scalar]) -> Prices | None:
    if not {"prompt_price", "completion_price"} <= set(args):
        return None
    return Prices(*(_number(args, name, least=0.0) for name in ("prompt_price", "completion_price")))


def _policy(args: Mapping[str, Scalar]) -> Policy:
    chosen = {field: _number(args, name, least=0.0) for name, field in _POLICY_ARGS.items() if name in args}
    if "max_attempts" in chosen:
        if chosen["max_attempts"] < 1:
            raise UsageError("--model_args max_attempts: expected 1 or more.")
        return replace(Policy(), **{**chosen, "max_attempts": int(chosen["max_attempts"])})  # type: ignore[arg-type]
    return replace(Policy(), **chosen)  # type: ignore[arg-type]


def _positive(args: Mapping[str, Scalar], name: str) -> float | None:
    return _number(args, name, least=1e-9) if name in args else None


def _number(args: Mapping[str, Scalar], name: str, *, least: float) -> float:
    value = args[name]
    if isinstance(value, bool | str) or not math.isfinite(value) or value < least:
        raise UsageError(f"--model_args {name}={value}: expected a number{' above' if least else ', at least'} 0.")
    return float(value)


def _checked_key(key: str) -> str:
    """The key as it is sent. Raises UsageError, which does not tell it, for one that cannot stand in a header."""
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise UsageError("OPENAI_API_KEY holds characters that no key has; set it anew.")
    return key or NO_KEY


def _checked_urls(urls: str) -> str:
    """The addresses of all servers. Raises UsageError for one that is not to be asked, or stands there twice."""
    found = [_checked_url(url.strip()) for url in urls.split(_PARTS)]
    for url in found:
        if found.count(url) > 1:
            raise UsageError(f"base_url names {url} twice.")
    return _PARTS.join(sorted(found))  # their order says nothing


def _checked_url(url: str) -> str:
    """An http(s) URL without credentials that leads to no cloud machine's metadata. Raises UsageError."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"base_url is no URL ({error}).") from error
    if parts.scheme not in ("http", "https") or not host or any(map(str.isspace, url)):
        raise UsageError(f"base_url {url}: expected http://HOST/v1 or https://HOST/v1, several parted by ;.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("base_url holds credentials or a query; keys are read from OPENAI_API_KEY only.")
    try:
        is_link_local = ipaddress.ip_address(host).is_link_local
    except ValueError:
        is_link_local = host.lower() in _METADATA_HOSTS
    if is_link_local:
        raise UsageError(f"base_url {host}: link-local and metadata addresses are not asked.")
    return url.rstrip("/")
