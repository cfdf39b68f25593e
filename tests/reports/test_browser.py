"""The page in Chromium, opened from a file: silent, readable in six scripts, and deaf to what models write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browsing import ATTACK, watched_page
from evalsuite.reports.leaderboard import render
from sealed_runs import Part, choice_record, text_record, write_run

from evalsuite.types import Flag

pytestmark = pytest.mark.browser

ARABIC = "ما عاصمة فرنسا؟\nالإجابة:"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of two runs: choices in six languages, an attack in every field, an unscored sample."""
    folder = tmp_path_factory.mktemp("page")
    codes = ("en", "zh", "fr", "ar", "es", "hi")
    parts = [Part(f"qa_{code}", "qa", code, n=3, value=0.3) for code in codes]
    questions = dict.fromkeys(codes, "Which?\nAnswer:") | {"ar": ARABIC, "zh": "哪一个？", "hi": "कौन सा?"}
    records = [
        choice_record(f"qa_{code}:test:0", code, questions[code], ("باريس", "B", "C"), gold=0, picked=index % 2)
        for index, code in enumerate(codes)
    ]
    records += [
        text_record("qa_en:test:1", "en", ATTACK, [ATTACK, ATTACK], target=ATTACK, flags=[Flag.CAPPED]),
        text_record("qa_en:test:2", "en", "late", [None], target="x"),
    ]
    first = write_run(folder, "model-one", parts, records, means=[parts], flags={"capped": 1})
    second = write_run(folder, ATTACK, parts[:1], records[:1], limit=5)
    page = folder / "page.html"
    page.write_text(render([first, second], "A page " + ATTACK), encoding="utf-8")
    return page.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The open page. At the end: nothing said on the console, nothing asked of anyone, nothing executed."""
    with watched_page(browser, address) as page:
        yield page


def at_view(page: Any, name: str) -> None:
    """Waits until just the view `name` is seen: hash changes are told to a page a moment later."""
    page.locator(f"#view-{name}").wait_for()
    assert page.locator("section.view:visible").count() == 1


def shows(locator: Any, text: str) -> None:
    """Waits until `locator` holds just `text`."""
    from playwright.sync_api import expect

    expect(locator).to_have_text(text, timeout=3000)


def open_view(page: Any, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    at_view(page, name.lower())


def test_views_by_address_and_back(page: Any) -> None:
    at_view(page, "board")
    for name in ("Languages", "Samples", "Provenance"):
        open_view(page, name)
        shows(page.locator("nav a[aria-current=page]"), name)
    page.go_back()
    at_view(page, "samples")
    assert page.evaluate("location.hash") == "#samples"


def test_no_view_scrolls_sideways_on_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("Languages", "Provenance", "Samples"):
        open_view(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_tables_need_no_script(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#board td.cell").first.is_visible()
    assert page.locator("#languages td.cell").first.is_visible()
    assert "scripts are off" in page.locator("noscript").inner_text()
    context.close()


def test_dark_mode_is_dark(browser: Any, address: str) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(address)
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 150
    page.close()
