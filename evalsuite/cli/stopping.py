"""Ctrl-C and SIGTERM during a run: the first asks it to stop after its batch, the second stops it at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_RETRY_S = 0.01


@contextmanager
def graceful_stop() -> Iterator[Callable[[], bool]]:
    """A function that turns true after the first SIGINT or SIGTERM; the second interrupts at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        print("evalsuite: stopping after this batch; once more to stop at once.", file=sys.stderr)

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _no_interrupt_swallowed():
            yield lambda: asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _no_interrupt_swallowed() -> Iterator[None]:
    """Send an interrupt again that came inside a destructor, where Python prints exceptions and drops them."""
    previous = sys.unraisablehook
    again: list[threading.Timer] = []

    def hook(dropped: UnraisableHookArgs) -> None:
        if dropped.exc_type is not KeyboardInterrupt:
            previous(dropped)
            return
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(_RETRY_S, signal.pthread_kill, (main, signal.SIGINT))
        timer.daemon = True
        again.append(timer)
        timer.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        for timer in again:
            timer.cancel()
        sys.unraisablehook = previous
