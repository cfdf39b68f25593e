"""Whether two expressions are equal: numbers are compared as they stand, all else by math-verify in a worker process.

Model output is hostile input to an algebra system: ``9^9^9^9`` has no end and nothing inside the process can stop it.
So one worker answers at a time, with limited memory, and is killed and replaced where it takes too long. It starts on
first use, which takes seconds, and ends with this process.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib.util import find_spec
from multiprocessing import current_process, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Lock

from evalsuite.text.announced import PLAIN_WIDTH
from evalsuite.text.numbers import ascii_digits

MAX_CHARS = 1000
"""Longer expressions are not compared."""
MAX_MEMORY_BYTES = 2 * 1024**3
START_S = 120.0
"""How long a worker may take to import what it needs, on a busy machine."""
_GRACE_S = 10.0

_NUMBER = re.compile(r"([-+]?)\s?\\?\$?\s?(\d{1,3}(?:(?:,|\{,\})\d{3})+|\d+)?(?:\.(\d+))?")
_EQUAL, _DIFFERENT, _UNKNOWN, _SPENT, _READY = b"1", b"0", b"?", b"!", b"+"


def equal_expressions(found: str, expected: str, *, timeout_s: float = 5.0) -> bool | None:
    """Whether `found`, in LaTeX or plain text, has the value of `expected`; None when it cannot be told.

    It cannot be told of what is no expression, is longer than `MAX_CHARS`, or takes longer than `timeout_s`. Raises
    ModuleNotFoundError where math-verify is wanted and not installed. Callers in several threads wait for one another.
    """
    if max(len(found), len(expected)) > MAX_CHARS:
        return None
    found, expected = _folded(found), _folded(expected)
    numbers = _plain_number(found), _plain_number(expected)
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[0] == numbers[1]
    if not found or not expected:
        return None
    if find_spec("math_verify") is None:
        raise ModuleNotFoundError("comparing expressions needs the package math-verify")
    return _POOL.compare(found, expected, timeout_s)


def _folded(expression: str) -> str:
    return ascii_digits(expression).translate(PLAIN_WIDTH).replace("−", "-").strip().strip("$").strip()


def _plain_number(expression: str) -> Decimal | None:
    match = _NUMBER.fullmatch(expression)
    if not match or not (match[2] or match[3]):
        return None
    return Decimal(f"{match[1]}{re.sub('[{,}]', '', match[2] or '0')}.{match[3] or 0}")


class _Pool:
    """The one worker of this process, started when it is needed and replaced when it is spent."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._owner: int | None = None
        self._is_broken = False

    def compare(self, found: str, expected: str, timeout_s: float) -> bool | None:
        with self._lock:
            connection = None if self._is_broken else self._ready()
            if connection is None:
                self._is_broken = True  # every answer would be wrong, and each would wait for the next worker
                raise RuntimeError("math-verify does not work here; `pip install 'math-verify[antlr4_11_0]'` mends it")
            answer = self._ask(connection, json.dumps([found, expected, timeout_s]).encode(), timeout_s)
            if answer not in (_EQUAL, _DIFFERENT, _UNKNOWN):
                self._end()
            return answer == _EQUAL if answer in (_EQUAL, _DIFFERENT) else None

    def _ready(self) -> Connection | None:
        """The connection to a worker that waits for work; None when none can be started."""
        if self._owner != current_process().pid:  # a fork has no part in its parent's worker
            self._process = self._connection = None
        elif self._process is not None and not self._process.is_alive():
            self._end()
        if self._connection is None:
            self._start()
            if self._connection is None or self._ask(self._connection, None, START_S) != _READY:
                self._end()
        return self._connection

    def _start(self) -> None:
        context = get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other,), daemon=True, name="expressions")
        with _no_main_module():
            self._process.start()
        other.close()
        self._owner = current_process().pid

    def _ask(self, connection: Connection, question: bytes | None, timeout_s: float) -> bytes | None:
        """What the worker says within `timeout_s`; None when it says nothing or is gone."""
        try:
            if question is not None:
                connection.send_bytes(question)
            return connection.recv_bytes(1) if connection.poll(timeout_s) else None
        except (EOFError, OSError):
            return None

    def _end(self) -> None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.join()
            process.close()


_POOL = _Pool()


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Keep a process that is spawned meanwhile from importing the user's script, which may lack a guard."""
    main = vars(sys.modules["__main__"])
    hidden = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update({"__spec__": None} | hidden)


def _work(connection: Connection) -> None:
    """Answer questions until the other end is closed; what runs in the worker."""
    import resource

    sys.stdout = sys.stderr = None  # parsers complain at length about what is no LaTeX
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # what is imported late, and grammars, are there before time is taken; and it is seen whether they work
    connection.send_bytes(_READY if _verdict("1", "1") == _EQUAL else _UNKNOWN)
    while True:
        try:
            found, expected, timeout_s = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        signal.setitimer(signal.ITIMER_REAL, timeout_s + _GRACE_S)  # should nobody be left to kill this process
        answer = _verdict(found, expected)
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send_bytes(answer)


def _verdict(found: str, expected: str) -> bytes:
    from math_verify import verify

    try:
        ours, theirs = _parsed(expected), _parsed(found)
        if not ours or not theirs:
            return _UNKNOWN
        is_equal = verify(ours, theirs, timeout_seconds=None, raise_on_error=True)
    except (MemoryError, RecursionError):
        return _SPENT
    except Exception:  # whatever an algebra system trips over
        return _UNKNOWN
    return _EQUAL if is_equal else _DIFFERENT


def _parsed(expression: str) -> list[object]:
    """What math-verify makes of `expression`, its text left out."""
    from math_verify import parse

    found = parse(f"${expression}$", parsing_timeout=None, raise_on_error=True)
    return [each for each in found if not isinstance(each, str)]
