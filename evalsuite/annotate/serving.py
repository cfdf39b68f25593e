"""Serving a study over HTTP, to this machine alone unless asked otherwise."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from evalsuite.errors import RunLocked, UsageError

from .app import Rules, application


def rules_for(url: str, rules: Rules) -> Rules:
    """`rules` for the address that raters use. Raises UsageError for what is no address."""
    if not url:
        return rules
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise UsageError(f"--url {url}: expected http:// or https:// and a host, without a path.")
    return replace(rules, url_host=parts.hostname, is_secure=parts.scheme == "https")


def serve(path: Path, port: int, rules: Rules, is_ready: Callable[[], None]) -> None:
    """Serve the study in the folder `path` until interrupted; `is_ready` is called when raters can come.

    Raises UsageError for no study or an address that cannot be had, RunLocked where another process serves it.
    """
    import uvicorn

    app = application(path, rules)
    with _alone(path), _listening(rules.host, port) as listening:
        is_ready()
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # addresses are raters' links
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=10,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise UsageError(f"--port {port}: expected 0 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise UsageError(f"cannot listen at {host}, port {port}: {error}; --port takes another.") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with (path / "serving.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunLocked(f"{path} is being served by another process.") from error
        yield
