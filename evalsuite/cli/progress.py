"""Progress on a terminal: a bar with tokens, rate and ETA; elsewhere one plain line every 30 seconds."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any

EVERY_S = 30.0


class PlainProgress:
    """A line on standard error every `EVERY_S` seconds, and one a wave."""

    def __init__(self) -> None:
        self._items = self._num_items = self._tokens = self._num_tokens = self._fresh = self._wave = 0
        self._begun = self._said = time.monotonic()

    def start_wave(self, wave: int, num_items: int, num_tokens: int, done_tokens: int) -> None:
        """Forget the last wave."""
        self._wave, self._num_items, self._num_tokens = wave, num_items, num_tokens
        self._items, self._tokens, self._fresh = 0, done_tokens, 0
        self._begun = time.monotonic()
        resumed = f", {done_tokens} of them done before" if done_tokens else ""
        _say(f"wave {wave}: {num_items} requests, {num_tokens} tokens{resumed}")

    def advance(self, num_items: int, num_tokens: int) -> None:
        """Count, and speak when it is time."""
        self._items += num_items
        self._tokens += num_tokens
        self._fresh += num_tokens
        now = time.monotonic()
        if now - self._said >= EVERY_S:
            self._said = now
            rate = self._fresh / max(now - self._begun, 1e-9)
            left = (self._num_tokens - self._tokens) / rate if rate else 0
            _say(f"wave {self._wave}: {self._tokens}/{self._num_tokens} tokens, {rate:.0f}/s, {left:.0f} s left")

    def finish(self) -> None:
        """Nothing to clear."""


def _say(line: str) -> None:
    """A line on standard error, if somebody still reads it: a run does not end because its progress has no reader."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


class BarProgress:
    """A bar on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} tokens · {task.fields[rate]} tok/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: Any = None
        self._begun = 0.0
        self._fresh = 0

    def start_wave(self, wave: int, num_items: int, num_tokens: int, done_tokens: int) -> None:
        """A new bar."""
        self._progress.start()
        self._begun, self._fresh = time.monotonic(), 0
        self._task = self._progress.add_task(
            f"wave {wave}, {num_items} requests", total=num_tokens, completed=done_tokens, rate="-"
        )

    def advance(self, num_items: int, num_tokens: int) -> None:
        """Move the bar."""
        self._fresh += num_tokens
        rate = self._fresh / max(time.monotonic() - self._begun, 1e-9)
        self._progress.update(self._task, advance=num_tokens, rate=f"{rate:.0f}")

    def finish(self) -> None:
        """Leave the bar as it is."""
        self._progress.stop()


def open_progress() -> PlainProgress | BarProgress:
    """A bar when standard error is a terminal."""
    return BarProgress() if sys.stderr.isatty() else PlainProgress()
