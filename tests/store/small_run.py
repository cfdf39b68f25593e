"""A run of a second's fraction in this process, for tests that damage what it stores."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evalsuite.config import make_config
from evalsuite.prepare import Prepared, prepare
from evalsuite.run import Finished, Quiet, execute
from evalsuite.store.results import RESULTS


def prepared(**changes: object) -> Prepared:
    """Two waves over three chats, one item a batch, unless changed."""
    asked = {"model": "scripted", "tasks": ("mini_chat_en", "mini_chat_ar", "mini_chat_zh"), "limit": 3.0, **changes}
    return prepare(make_config({}, asked))


def run(path: Path, what: Prepared | None = None, should_stop: Callable[[], bool] = lambda: False) -> Finished:
    """Run or resume in `path`."""
    return execute(what or prepared(), path, Quiet(), should_stop)


def stop_after(num_batches: int) -> Callable[[], bool]:
    """Becomes true when `num_batches` batches are done."""
    left = [num_batches]

    def should_stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    return should_stop


def results(path: Path) -> bytes:
    """The bytes of the sealed result."""
    return (path / RESULTS).read_bytes()


def rewrite(path: Path, content: bytes) -> None:
    """`content` in place of the file's, with no thought of safety: that is the point."""
    path.write_bytes(content)


def flipped(content: bytes, bit: int) -> bytes:
    """`content` with one bit turned over."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@contextmanager
def no_file_longer_than(num_bytes: int) -> Iterator[None]:
    """Writes past `num_bytes` fail with EFBIG, as ENOSPC would on a full disk. Python ignores SIGXFSZ."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
