"""Work is prepared one ahead, in order, and errors come where they are due."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from evalsuite.engines.lookahead import prepared_ahead

PATIENCE_S = 60.0


def test_each_work_comes_with_its_own() -> None:
    assert list(prepared_ahead(range(5), str)) == [(0, "0"), (1, "1"), (2, "2"), (3, "3"), (4, "4")]
    assert list(prepared_ahead([], str)) == []


def test_the_next_is_prepared_while_the_present_is_under_way() -> None:
    prepared = [threading.Event() for _ in range(3)]

    def prepare(place: int) -> int:
        prepared[place].set()
        return threading.get_ident()

    for place, (work, thread) in enumerate(prepared_ahead(range(3), prepare)):
        assert work == place
        assert thread != threading.get_ident()
        assert prepared[min(place + 1, 2)].wait(PATIENCE_S)


def test_no_more_than_one_is_taken_ahead() -> None:
    taken: list[int] = []

    def works() -> Iterator[int]:
        for place in range(5):
            taken.append(place)
            yield place

    for work, _ in prepared_ahead(works(), str):
        assert len(taken) <= work + 2


def test_an_error_comes_with_its_work() -> None:
    run = prepared_ahead([2, 1, 0, 3], lambda work: 1 / work)
    assert [next(run), next(run)] == [(2, 0.5), (1, 1.0)]
    with pytest.raises(ZeroDivisionError):
        next(run)


def test_closed_early_it_leaves_no_thread() -> None:
    run = prepared_ahead(range(5), str)
    next(run)
    run.close()  # type: ignore[attr-defined]
    assert not any(thread.name.startswith("lookahead") for thread in threading.enumerate())
