"""Expressions compared by value, in a worker that may be killed."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from evalsuite.text import expressions
from evalsuite.text.expressions import MAX_CHARS, equal_expressions


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers alone: starting a worker fails the test."""
    monkeypatch.setattr(expressions, "_POOL", None)


def workers() -> list[multiprocessing.process.BaseProcess]:
    return [child for child in multiprocessing.active_children() if child.name == "expressions"]


@pytest.mark.parametrize(
    ("found", "expected", "is_equal"),
    [
        ("72", "72", True),
        ("72", "72.0", True),
        ("72", "73", False),
        ("-72", "72", False),
        ("+72", "72", True),
        ("−5", "-5", True),
        ("1,234", "1234", True),
        ("1{,}234{,}567", "1234567", True),
        ("1234", "1,234", True),
        ("0.5", ".5", True),
        ("$ 5 $", "5", True),
        ("\\$5", "5", True),
        ("- 5", "-5", True),
        ("٧٢", "72", True),
        ("７２", "72", True),
        ("5.25", "5.250", True),
        ("5.25", "5.2", False),
        ("1,234.5", "1234.5", True),
        ("0", "-0", True),
    ],
)
@pytest.mark.usefixtures("no_worker")
def test_plain_numbers_need_no_worker(found: str, expected: str, is_equal: bool) -> None:
    assert equal_expressions(found, expected) is is_equal


@pytest.mark.parametrize(
    ("found", "expected"),
    [("", "5"), ("5", ""), (" $$ ", "5"), ("x" * (MAX_CHARS + 1), "5"), ("5", "1" * (MAX_CHARS + 1))],
)
@pytest.mark.usefixtures("no_worker")
def test_nothing_and_too_much_is_not_compared(found: str, expected: str) -> None:
    assert equal_expressions(found, expected) is None


@pytest.mark.usefixtures("no_worker")
def test_the_longest_numbers_are_compared() -> None:
    assert equal_expressions("1" * MAX_CHARS, "1" * MAX_CHARS) is True


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize(
    ("found", "expected"), [("x", "5"), ("5", "x"), ("1,23", "5"), ("-", "5"), (".", "5"), ("5.", "5")]
)
def test_what_is_no_plain_number_needs_math_verify(monkeypatch: pytest.MonkeyPatch, found: str, expected: str) -> None:
    monkeypatch.setattr("evalsuite.text.expressions.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="math-verify"):
        equal_expressions(found, expected)


@pytest.mark.parametrize(
    ("found", "expected", "is_equal"),
    [
        ("\\frac{3}{4}", "0.75", True),
        ("3/4", "\\frac{6}{8}", True),
        ("\\dfrac{1}{3}", "0.5", False),
        ("٣/٤", "0.75", True),
        ("2\\sqrt{2}", "\\sqrt{8}", True),
        ("x + 1", "1 + x", True),
        ("x + 1", "x + 2", False),
        ("x = 5", "5", True),
        ("(1, 2)", "(1, 2)", True),
        ("(1, 2)", "(2, 1)", False),
        ("\\frac", "3", None),
    ],
)
def test_expressions_are_compared_by_value(found: str, expected: str, is_equal: bool | None) -> None:
    assert equal_expressions(found, expected, timeout_s=60) is is_equal
    assert len(workers()) <= 1


def test_the_worker_is_used_again() -> None:
    assert equal_expressions("\\frac{1}{2}", "0.5", timeout_s=60) is True
    before = [worker.pid for worker in workers()]
    assert equal_expressions("\\frac{1}{4}", "0.25", timeout_s=60) is True
    assert [worker.pid for worker in workers()] == before


@pytest.mark.parametrize("hostile", ["10^{10^{10}}", "{" * MAX_CHARS, "10000000!!"])
def test_what_takes_too_long_is_given_up_and_its_worker_replaced(hostile: str) -> None:
    assert equal_expressions("\\frac{1}{2}", "0.5", timeout_s=60) is True
    (worker,) = workers()
    pid = worker.pid or 0
    start = time.monotonic()
    assert equal_expressions(hostile, "1", timeout_s=0.5) is None
    assert time.monotonic() - start < 30
    with pytest.raises(ProcessLookupError):  # gone, and no zombie
        os.kill(pid, 0)
    assert equal_expressions("\\frac{1}{2}", "0.5", timeout_s=60) is True
    assert len(workers()) == 1


@pytest.mark.parametrize(
    "hostile", ["9^9^9^9", "9**9**9**9", "\\frac{1}{0}", "\\boxed{\\boxed{", "\x00", "\\text{" * 50]
)
def test_hostile_expressions_do_no_harm(hostile: str) -> None:
    assert equal_expressions(hostile, "1", timeout_s=20) in (None, False)
    assert equal_expressions("\\frac{1}{2}", "0.5", timeout_s=60) is True


def test_a_worker_that_died_is_replaced() -> None:
    assert equal_expressions("\\frac{1}{2}", "0.5", timeout_s=60) is True
    (worker,) = workers()
    worker.kill()
    worker.join()
    assert equal_expressions("\\frac{1}{2}", "0.5", timeout_s=60) is True


def test_threads_take_turns() -> None:
    found: list[bool | None] = []

    def compare(number: int) -> None:
        found.append(equal_expressions(f"\\frac{{{number}}}{{4}}", f"{number / 4}", timeout_s=60))

    threads = [threading.Thread(target=compare, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6
    assert len(workers()) == 1


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    """Spawned processes import the main module; this one would start workers without end, and leave none behind."""
    script = tmp_path / "script.py"
    script.write_text(
        "from evalsuite.text.expressions import equal_expressions\n"
        "print('here', __file__ is not None)\n"
        "print(equal_expressions('x + 1', '1 + x', timeout_s=60), __spec__, __file__ is not None)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "here True\nTrue None True\n"
    assert done.stderr == ""


def test_what_is_answered_in_the_worker() -> None:
    assert expressions._verdict("x", "x") == b"1"
    assert expressions._verdict("x", "y") == b"0"
    assert expressions._verdict("\\frac", "3") == b"?"
    assert expressions._verdict("3", "") == b"?"
