"""Preparing the next piece of work while the present one is under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Work = TypeVar("Work")
Prepared = TypeVar("Prepared")


def prepared_ahead(works: Iterable[Work], prepare: Callable[[Work], Prepared]) -> Iterator[tuple[Work, Prepared]]:
    """Each of `works` with what `prepare` makes of it, in a thread, one ahead of what is asked for.

    An error of `prepare` is raised where its work is due, one of `works` at once.
    """
    with ThreadPoolExecutor(1, "lookahead") as pool:
        last: tuple[Work, Future[Prepared]] | None = None
        for work in works:
            upcoming = work, pool.submit(prepare, work)
            if last:
                yield last[0], last[1].result()
            last = upcoming
        if last:
            yield last[0], last[1].result()
