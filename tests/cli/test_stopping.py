"""Signals during a run: asked once it stops after the batch, asked twice at once, wherever Python is just then."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

import pytest

from evalsuite.cli.stopping import graceful_stop


class Dropped:
    """What is interrupted while it is being dropped, where Python prints exceptions and goes on."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)


def test_the_first_signal_asks() -> None:
    with graceful_stop() as asked:
        assert not asked()
        signal.raise_signal(signal.SIGTERM)
        assert asked()


def interrupt_twice(how: Callable[[], object]) -> None:
    with graceful_stop():
        signal.raise_signal(signal.SIGINT)
        how()
        time.sleep(10)


@pytest.mark.parametrize("how", [lambda: signal.raise_signal(signal.SIGINT), Dropped], ids=["anywhere", "destructor"])
def test_the_second_signal_interrupts(how: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> None:
    hook = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt):
        interrupt_twice(how)
    assert sys.unraisablehook is hook
    assert "Traceback" not in capsys.readouterr().err


def test_other_faults_of_destructors_are_said_as_ever() -> None:
    said = []
    previous, sys.unraisablehook = sys.unraisablehook, said.append

    class Faulty:
        def __del__(self) -> None:
            raise ValueError

    try:
        with graceful_stop():
            Faulty()
    finally:
        sys.unraisablehook = previous
    assert [one.exc_type for one in said] == [ValueError]
