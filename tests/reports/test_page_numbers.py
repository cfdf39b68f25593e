"""Numbers of the page, run in Chromium, are those of the command line."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from evalsuite.reports._pages import resource

from evalsuite.text.number_texts import decimals_of

pytestmark = pytest.mark.browser

Ends = tuple[float | None, float | None, float]

EDGES: tuple[Ends, ...] = (
    *((None, None, scale) for scale in (1.0, 100.0)),
    (None, 0.5, 100.0),
    (0.5, 0.5, 100.0),
    (0.6, 0.5, 1.0),
    *((0.0, 2 * half, 1.0) for half in (1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0, 100.0)),
    *((0.0, 2 * half, 100.0) for half in (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5)),
)


def cases() -> list[Ends]:
    """Intervals of all widths, the same at every run."""
    chance = random.Random(22)
    drawn: list[Ends] = []
    for _ in range(200):
        low = chance.uniform(-1, 1)
        drawn.append((low, low + 10 ** chance.uniform(-7, 2), chance.choice((1.0, 10.0, 100.0))))
    return [*EDGES, *drawn]


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """An empty page that knows the functions."""
    page = browser.new_page()
    page.add_script_tag(content=resource("page/numbers.js"))
    yield page
    page.close()


def test_the_page_shows_the_decimals_of_the_command_line(page: Any) -> None:
    found = page.evaluate("cases => cases.map(([low, high, scale]) => decimalsOf(low, high, scale))", cases())
    expected = [decimals_of(*case) for case in cases()]
    assert {*expected} == {1, 2, 3, 4}
    assert found == expected
