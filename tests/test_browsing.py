"""What watches pages sees each thing that a page must not do, and lets one that does none of them pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import assert_accessible, watched_page, watched_pages

pytestmark = pytest.mark.browser

DEEDS = {
    "console": ("<script>console.log('heard')</script>", "heard"),
    "error": ("<script>throw Error('thrown')</script>", "thrown"),
    "dialog": ("<script>alert(1)</script>", "dialog"),
    "request": ("<script src=other.js></script>", "other.js"),
    "execution": ("<script>window.pwned = 1</script>", "number"),
}


def written(folder: Path, body: str) -> str:
    """The address of a page with `body`, beside which there is a script."""
    (folder / "other.js").touch()
    path = folder / "page.html"
    path.write_text(f"<!doctype html><html lang=en><title>t</title><main><h1>t</h1>{body}</main>", encoding="utf-8")
    return path.as_uri()


def test_a_page_that_does_nothing_passes(browser: Any, tmp_path: Path) -> None:
    with watched_page(browser, written(tmp_path, "<img alt=t src=data:,>")) as page:
        assert page.title() == "t"
        assert_accessible(page)


@pytest.mark.parametrize("deed", DEEDS)
def test_each_deed_is_seen(browser: Any, tmp_path: Path, deed: str) -> None:
    body, trace = DEEDS[deed]
    with pytest.raises(AssertionError, match=trace), watched_page(browser, written(tmp_path, body)):
        pass


@pytest.mark.parametrize("deed", DEEDS)
def test_each_is_seen_in_a_window_beside_the_first(browser: Any, tmp_path: Path, deed: str) -> None:
    body, trace = DEEDS[deed]
    address = written(tmp_path, body)
    with (
        pytest.raises(AssertionError, match=trace),
        watched_pages(browser, lambda url: url == address) as open_page,
    ):
        open_page().context.new_page().goto(address)


def test_what_is_allowed_is_not_held_against_a_page(browser: Any, tmp_path: Path) -> None:
    body = DEEDS["console"][0] + DEEDS["dialog"][0] + DEEDS["request"][0]
    with watched_pages(browser, lambda url: url.startswith("file:"), takes_dialogs=True, may_speak=True) as open_page:
        page = open_page()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(written(tmp_path, body))


def test_what_bars_a_reader_is_found(browser: Any, tmp_path: Path) -> None:
    address = written(tmp_path, "<img src=data:,>")
    with watched_page(browser, address) as page, pytest.raises(AssertionError, match="image-alt"):
        assert_accessible(page)
