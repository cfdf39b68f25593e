"""The generators that lm-eval's evaluator seeds once a command, and that its tasks' own code draws from.

Tasks such as GPQA's shuffle their choices with `random`. Seeds and order are those of ``simple_evaluate`` (lm-eval
0.4.13): seeded once, then the task is built, then its requests are made. A second task of an lm-eval command goes on
where the first stopped, and here starts anew: prompts are those of a command with that one task.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_RANDOM_SEED, _OTHER_SEED = 0, 1234
"""lm-eval's for `random`, and for numpy and torch."""


class Draws:
    """The global generators of one task, seeded as lm-eval seeds them; each `going_on` goes on where the last ended."""

    def __init__(self) -> None:
        self._state: tuple[Any, ...] | None = None

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """The generators are the task's as long as this lasts, and afterwards what they were before."""
        before = _state()
        if self._state is None:
            _seed()
        else:
            _set(self._state)
        try:
            yield
        finally:
            self._state = _state()
            _set(before)


def _torch() -> Any:
    """torch where somebody has it already: what was not imported has drawn nothing."""
    return sys.modules.get("torch")


def _seed() -> None:
    random.seed(_RANDOM_SEED)
    np.random.seed(_OTHER_SEED)
    if torch := _torch():
        torch.default_generator.manual_seed(_OTHER_SEED)


def _state() -> tuple[Any, ...]:
    torch = _torch()
    return random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None


def _set(state: tuple[Any, ...]) -> None:
    random.setstate(state[0])
    np.random.set_state(state[1])
    if (torch := _torch()) and state[2] is not None:
        torch.set_rng_state(state[2])
