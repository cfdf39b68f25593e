"""Bytes at an address: over https only, within a time and a size, and never somewhere else than asked."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from evalsuite.errors import DataError

if TYPE_CHECKING:
    from http.client import HTTPResponse

MAX_BYTES = 64 * 2**20
"""The largest file that is fetched; those that tasks name are below one MiB."""


class NotFetched(Exception):
    """Why there are no bytes at an address, as a predicate to it."""


def fetch(url: str, timeout_s: float) -> bytes:
    """The bytes behind `url`. Raises NotFetched saying why there are none, DataError for what is refused.

    Redirections are not followed: an address at a pinned commit is the file itself.
    """
    from http.client import HTTPException
    from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler

    is_local = _check_address(url)
    opener = OpenerDirector()
    for handler in (ProxyHandler({} if is_local else None), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    deadline = time.monotonic() + timeout_s
    try:
        with opener.open(url, timeout=timeout_s) as response:
            if response.status != HTTPStatus.OK:
                raise NotFetched(f"answers with the status {response.status}")
            content = b"".join(_chunks(response, url, deadline))
            announced = response.headers.get("Content-Length")
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        is_late = isinstance(cause, TimeoutError)
        reason = f"does not answer within {timeout_s:g} s" if is_late else f"cannot be fetched ({cause})"
        raise NotFetched(reason) from error
    if announced is not None and announced != str(len(content)):
        raise NotFetched(f"broke off after {len(content)} of {announced} bytes")
    return content


def _chunks(response: HTTPResponse, url: str, deadline: float) -> Iterator[bytes]:
    """The body as it comes in, as long as it is neither too large nor, by the monotonic clock, too late."""
    num_bytes = 0
    while chunk := response.read1(1 << 16):
        num_bytes += len(chunk)
        if num_bytes > MAX_BYTES:
            raise DataError(f"{url} is refused: it is larger than {MAX_BYTES >> 20} MiB.")
        if time.monotonic() > deadline:
            raise NotFetched("comes too slowly")
        yield chunk


def _check_address(url: str) -> bool:
    """Whether `url` is of this very machine. Raises DataError for another one that is not https."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not is_local:
        raise DataError(f"{url} is refused: data are fetched by https only.")
    return is_local


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
