"""A program of another environment that is asked and answers in lines, whatever it does: hang, die or flood its pipes.

Each pipe has a thread, so that neither side ever waits for the other to read. The program has a session of its own:
Ctrl-C in the terminal reaches us alone, and what it started in turn is ended with it. If we are killed, its standard
input ends, which every worker takes as the end of its work.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread

_KEPT_BYTES = 4096
"""How much of the end of its standard error is kept."""

_MAX_LINE = 2**20
_GRACE_S = 2.0
_POLL_S = 0.25


class WorkerProcess:
    """The running program. Raises OSError when it cannot be started."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._inbox: SimpleQueue[bytes] = SimpleQueue()
        self._errors = b""
        self._threads = [Thread(target=work, daemon=True) for work in (self._write, self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self._process.pid

    def send(self, line: str) -> None:
        """Hand over a line; it is written when the program reads."""
        self._outbox.put(line.encode("ascii") + b"\n")

    def receive(self, timeout_s: float) -> bytes:
        """Its next line, or the empty string when it has ended. Raises TimeoutError after `timeout_s` of silence."""
        deadline = time.monotonic() + timeout_s
        while True:
            has_ended = self._process.poll() is not None
            try:
                return self._inbox.get(timeout=max(0.0, min(_POLL_S, deadline - time.monotonic())))
            except Empty:
                if has_ended:  # and has written nothing since; a child of its own may hold the pipe open
                    return b""
                if time.monotonic() >= deadline:
                    raise TimeoutError from None

    def last_words(self) -> str:
        """The end of what it wrote to its standard error."""
        return self._errors.decode("utf-8", "replace").strip()

    def how_it_ended(self) -> str:
        """``exit code 1``, ``SIGKILL``; or that it runs on but has closed its standard output."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        self._threads[-1].join(_POLL_S)  # its last words may still be on their way
        code = self._process.returncode
        if code is None:
            return "standard output closed"
        if code >= 0:
            return f"exit code {code}"
        return signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"

    def end(self) -> None:
        """Let it go by itself for a moment, then kill it and all it started."""
        self._outbox.put(None)
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._close()

    def _close(self) -> None:
        """Close the pipes, but for one that a stranger still holds open: closing it would wait for its reader."""
        for thread, pipe in zip(self._threads, (None, self._process.stdout, self._process.stderr), strict=True):
            thread.join(_GRACE_S)
            if pipe is not None and not thread.is_alive():
                pipe.close()

    # -- the threads

    def _write(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as pipe:  # that it is gone is what the reader finds out
            while (line := self._outbox.get()) is not None:
                pipe.write(line)
                pipe.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(_MAX_LINE):
            self._inbox.put(line)
        self._inbox.put(b"")

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        while chunk := os.read(self._process.stderr.fileno(), _KEPT_BYTES):
            self._errors = (self._errors + chunk)[-_KEPT_BYTES:]
