"""Pages in Chromium, watched: what they say on the console, throw, pop up, ask for and run against our will."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ATTACK = (
    "<img src=x onerror='window.pwned=1'></script><script>window.pwned=2</script>"
    "<svg onload=window.pwned=3><a href='javascript:window.pwned=4'>x</a>\u202egnp.exe\x07\ud83d"
)
"""A text that a careless page would run or be spoilt by; of a page that did `assert_nothing_ran` fails."""

OpenPage = Callable[..., Any]


@contextmanager
def watched_pages(
    browser: Any,
    may_ask: Callable[[str], bool],
    *,
    timeout_ms: int = 60_000,
    takes_dialogs: bool = False,
    may_speak: bool = False,
) -> Iterator[OpenPage]:
    """Opens pages: of a width and a height, each in a context of its own with the given options.

    At the end nothing was said on any page's console, nothing thrown, nothing popped up, nothing executed, and nothing
    asked for at an address that `may_ask` does not know. With `takes_dialogs` dialogs are the test's own affair; with
    `may_speak` so is the console, where Chromium says what a page's policy kept from running.
    """
    contexts: list[Any] = []
    said: list[str] = []
    asked: list[str] = []

    def open_page(width: int = 1280, height: int = 900, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        # of the context, for that hears windows too that a page or a test opens beside the first
        if not may_speak:
            context.on("console", lambda message: said.append(message.text))
        context.on("weberror", lambda error: said.append(str(error.error)))
        context.on("request", lambda request: asked.append(request.url))
        if not takes_dialogs:
            context.on("dialog", lambda dialog: (said.append("dialog"), dialog.dismiss()))
        page = context.new_page()
        page.set_default_timeout(timeout_ms)
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert_nothing_ran(page)
        context.close()
    assert said == []
    assert [url for url in asked if not may_ask(url)] == []


@contextmanager
def watched_page(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    """A page open at `address`, watched likewise: it may ask for itself and what stands in it."""
    with watched_pages(browser, lambda url: url == address or url.startswith("data:")) as open_page:
        page = open_page(**options)
        page.goto(address)
        yield page


def assert_nothing_ran(page: Any) -> None:
    """No hostile text of the page, all of which set ``window.pwned``, was executed."""
    assert page.evaluate("typeof window.pwned") == "undefined", page.url


def assert_accessible(page: Any) -> None:
    """Nothing that axe knows of bars anyone from the page as it stands. Skips the test where axe is not installed."""
    module = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    page.evaluate((Path(module.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]] == []
