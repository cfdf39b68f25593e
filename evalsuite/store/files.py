"""Durable files: whole or absent, never half."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from evalsuite.errors import SaveFailed


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a crash leaves the old file or the new one. Raises SaveFailed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise save_failed(path, error) from error


def sync_directory(directory: Path) -> None:
    """Make a rename or a new file in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save_failed(path: Path, error: OSError) -> SaveFailed:
    """The one-line error for a write to `path` that the system refused."""
    return SaveFailed(
        f"cannot write {path}: {error.strerror or error}. What was committed before is safe; "
        "free space or choose another place to write to, then run the same command again."
    )
