"""Addresses that can be read, and the way back: what a sort is called, and where the reader is after each step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import watched_pages
from scripted_runs import at, opened, page_of, run, words
from sealed_runs import Part, text_record, write_run

pytestmark = pytest.mark.browser

VIEWS = ("board", "languages", "task", "samples", "sample", "compare", "provenance")
ODD = "-a b&c=\ud83d"
WIDE = 60
"""Columns of a table of which only those in sight are made."""
SAMPLES = 150


def sort_by(page: Any, title: str, rules: str = "") -> str:
    """The address after a click on a head of the leaderboard that has these words."""
    column = re.compile(f"{title}.*{rules}", re.DOTALL)
    head = page.locator("#standings thead th", has_text=column).locator("button")
    head.click()
    page.locator("#standings thead th[aria-sort]", has_text=column).wait_for()
    assert head.evaluate("one => one === document.activeElement")
    return str(page.evaluate("location.hash"))


def order(page: Any) -> list[str]:
    return [words(one) for one in page.locator("#standings tbody th bdi").all()]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Four models; a task under two protocols, one whose name could be read as a direction, one called as a column."""
    folder = tmp_path_factory.mktemp("addresses")

    def parts(protocol: str, value: float) -> list[Part]:
        again = Part("twice", "twice", "en", protocol=protocol, value=1 - value)
        return [Part("once", "once", "en", value=value), again, Part(ODD, ODD, "en", value=value / 2)]

    runs = [
        write_run(folder, "a", parts("p1", 0.5)),
        write_run(folder, "b", parts("p1", 0.7)),
        write_run(folder, "c", [*parts("p2", 0.3), Part("model", "model", "en", value=0.9)]),
        write_run(folder, "d", parts("p2", 0.6)),
    ]
    return page_of(runs, folder / "page.html")


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, address) as page:
        page.locator("#views a", has_text="Provenance").wait_for()
        yield page


def test_a_sort_is_called_as_its_column(page: Any) -> None:
    assert sort_by(page, "once") == "#board&sort=-once"
    assert order(page) == ["b", "d", "a", "c"]
    assert sort_by(page, "once") == "#board&sort=once"
    assert order(page) == ["c", "a", "d", "b"]
    assert sort_by(page, "Coverage") == "#board&sort=-coverage"


def test_columns_called_alike_are_told_apart_by_what_differs(page: Any) -> None:
    assert sort_by(page, "twice", "p2") == "#board&sort=-twice.acc.p2"
    assert order(page)[:2] == ["c", "d"]
    assert sort_by(page, "twice", "p1") == "#board&sort=-twice.acc.p1"
    assert order(page)[:2] == ["a", "b"]


@pytest.mark.parametrize("called", ["-a b", "model"])
def test_names_that_would_be_misread_are_told_apart_too(page: Any, called: str) -> None:
    title = page.locator(".title bdi", has_text=called)
    page.locator("#standings thead th", has=title).locator("button").click()
    page.locator("#standings thead th[aria-sort=descending]").wait_for()
    sort = page.evaluate("decodeURIComponent(location.hash.split('sort=')[1])")
    assert sort.startswith("-")
    assert sort[1:] not in ("model", ODD)
    assert page.locator("#standings thead th[aria-sort]").count() == 1
    first = {"-a b": "b", "model": "c"}[called]
    assert order(page)[0] == first
    shared = page.evaluate("location.href")
    page.goto("about:blank")
    page.goto(shared)
    page.locator("#standings thead th[aria-sort=descending]").wait_for()
    assert order(page)[0] == first


@pytest.mark.parametrize("sort", ["nothing", "-nothing", "-c3f2d0a1b4e5", "-", "%E0%A4%A", "constructor"])
def test_a_sort_by_what_is_not_there_leaves_the_usual_order(page: Any, sort: str) -> None:
    usual = order(page)
    head = page.locator("#standings thead th[aria-sort]").count()
    at(page, f"#board&sort={sort}")
    assert order(page) == usual
    assert page.locator("#standings thead th[aria-sort]").count() == head
    assert page.locator("[role=alert]").count() == 0


def test_other_tables_too_are_sorted_by_names(page: Any) -> None:
    at(page, "#task&task=once")
    page.locator("#task-results thead button", has_text="acc").click()
    page.locator("#task-results thead th[aria-sort]").wait_for()
    assert page.evaluate("location.hash") == "#task&task=once&sort-task-results=-acc"


@pytest.mark.parametrize("view", VIEWS)
def test_no_element_has_the_name_of_a_view(page: Any, view: str) -> None:
    """Else browsers would jump to it wherever an address names the view."""
    at(page, f"#{view}")
    assert page.evaluate("names => names.filter((one) => document.getElementById(one))", list(VIEWS)) == []


# -- where the reader is


@pytest.fixture(scope="module")
def long_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two models on a task of many samples and on many tasks."""
    folder = tmp_path_factory.mktemp("long")
    records = [text_record(f"long:test:{row}", "en", f"question {row}", ["yes"]) for row in range(SAMPLES)]
    parts = [Part("long", "long", "en", n=SAMPLES), *(Part(f"t{at:02}", f"t{at:02}", "en") for at in range(WIDE))]
    return page_of([write_run(folder, name, parts, records) for name in ("a", "b")], folder / "page.html")


@pytest.fixture
def long_page(browser: Any, long_address: str) -> Iterator[Any]:
    with watched_pages(browser, lambda url: url.startswith((long_address, "data:"))) as open_one:
        page = open_one(900, 500)
        page.goto(long_address)
        page.locator("#views a", has_text="Provenance").wait_for()
        yield page


def test_back_in_a_long_list_one_is_where_one_was(long_page: Any) -> None:
    at(long_page, "#samples&task=long")
    line = long_page.locator("#samples-list li").nth(SAMPLES - 20)
    line.wait_for()
    line.scroll_into_view_if_needed()
    down = long_page.evaluate("window.scrollY")
    assert down > 2000
    line.locator("a").click()
    long_page.locator("#view-sample").wait_for()
    assert long_page.evaluate("window.scrollY") == 0
    long_page.go_back()
    long_page.wait_for_function("down => Math.abs(window.scrollY - down) < 3", arg=down)


def test_back_the_link_that_was_followed_has_the_focus(long_page: Any) -> None:
    at(long_page, "#samples&task=long")
    long_page.locator("#samples-list a").nth(3).click()
    long_page.locator("#view-sample").wait_for()
    assert long_page.evaluate("document.activeElement.id") == "title"
    long_page.go_back()
    long_page.locator("#view-samples").wait_for()
    long_page.wait_for_function("document.activeElement.id === 'sample-3'")


def test_a_view_that_is_opened_anew_begins_at_its_top(long_page: Any) -> None:
    at(long_page, "#samples&task=long")
    long_page.locator("#samples-list li").nth(60).scroll_into_view_if_needed()
    assert long_page.evaluate("window.scrollY") > 1000
    at(long_page, "#compare")
    at(long_page, "#samples&task=long")
    assert long_page.evaluate("window.scrollY") == 0
    assert long_page.evaluate("document.activeElement.id") == "title"


def test_a_table_that_is_sorted_stays_where_it_is(browser: Any, tmp_path: Path) -> None:
    path = run(tmp_path, "Ant", "--tasks", "mini_math_en,mini_math_fr")
    with opened(browser, page_of([path], tmp_path / "p.html"), viewport={"width": 900, "height": 400}) as page:
        at(page, "#task&task=mini_math_fr")
        button = page.locator("#task-endings thead button", has_text=re.compile("^Scored"))
        button.scroll_into_view_if_needed()
        top = button.bounding_box()["y"]
        assert page.evaluate("window.scrollY") > 300
        button.click()
        page.locator("#task-endings thead th[aria-sort]").wait_for()
        assert abs(button.bounding_box()["y"] - top) < 2
        assert button.evaluate("one => one === document.activeElement")


def test_of_a_wide_table_the_columns_in_sight_stay_in_sight(long_page: Any) -> None:
    region = long_page.locator(".scroll", has=long_page.locator("#standings"))
    assert long_page.locator("#standings thead th").count() < WIDE
    region.evaluate("one => { one.scrollLeft = 5000 }")
    head = long_page.locator("#standings thead th", has_text="t31").locator("button")
    head.wait_for()
    left = region.evaluate("one => one.scrollLeft")
    head.click()
    long_page.locator("#standings thead th[aria-sort]", has_text="t31").wait_for()
    assert region.evaluate("one => one.scrollLeft") == left
    assert head.evaluate("one => one === document.activeElement")
