"""Serving a study over HTTP, to this machine alone unless asked otherwise."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
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


def serve(path: Path, port: int, rules: Rules) -> None:
    """Serve the study in the folder `path` until interrupted. Raises RunLocked where another process serves it."""
    import uvicorn

    with _alone(path):
        uvicorn.run(
            application(path, rules),
            host=rules.host,
            port=port,
            log_level="warning",
            access_log=False,  # addresses are raters' links
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=10,
        )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with (path / "serving.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunLocked(f"{path} is being served by another process.") from error
        yield
