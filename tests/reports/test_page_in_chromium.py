"""The whole page in Chromium, from a file: every view, its address, keys, languages, widths, and nothing asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_accessible, watched_pages
from evalsuite.reports.leaderboard import render
from judged_boards import card, rate
from scripted_runs import run
from vote_summaries import summary

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.published import published_table

pytestmark = pytest.mark.browser

VIEWS = (
    *("board", "languages", "task", "preference", "judges", "samples", "sample", "compare", "published", "provenance"),
)
TASK = "mini_choice_ar"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three models on built-in tasks in six languages, a partial run, votes, judge cards, a published table."""
    folder = tmp_path_factory.mktemp("page")
    tasks = ("--tasks", "mini_choice", "mini_math")
    runs = [
        run(folder, "Ant", *tasks),
        run(folder, "Bee", *tasks, function="scripted_runs:stray"),
        run(folder, "Cat", *tasks, function="small_sweeps:changed_many"),
        run(folder, "Dog", "--tasks", "mini_choice", "--limit", 6),
    ]
    (folder / "table.csv").write_text("model,score\nOld,61.5\nOlder,58.25\n", encoding="utf-8")
    options = BoardOptions(
        title="A board",
        preference=summary(),
        published=(published_table(folder / "table.csv"),),
        cards=(card("Ant"), card("Bee", "pairwise", "hi", attacks=rate(0.6))),
    )
    page = folder / "page.html"
    page.write_text(render(runs, options).html, encoding="utf-8")
    return page.as_uri()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Any]:
    with watched_pages(browser, lambda url: url == address or url.startswith(("data:", "blob:"))) as open_one:
        yield open_one


def at(page: Any, address: str, view: str, more: str = "") -> Any:
    """The page at a view, seen."""
    extra = {"task": f"&task={TASK}", "sample": f"&task={TASK}&sample={TASK}:test:0"}.get(view, "")
    page.goto(f"{address}#{view}{extra}{more}")
    page.locator(f"#view-{view}").wait_for()
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    return page


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "en"), ("light", "ar"), ("dark", "ar")])
def test_nobody_is_barred(open_page: Any, address: str, view: str, scheme: str, language: str) -> None:
    page = at(open_page(color_scheme=scheme), address, view, f"&ui={language}")
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    assert page.locator("html").get_attribute("lang") == language
    assert_accessible(page)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("language", ["en", "ar", "hi"])
def test_no_view_scrolls_sideways_on_a_phone(open_page: Any, address: str, view: str, language: str) -> None:
    page = at(open_page(360, 780), address, view, f"&ui={language}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_every_view_is_in_the_navigation_and_back_goes_back(open_page: Any, address: str) -> None:
    page = open_page()
    page.goto(address)
    page.locator("#views").get_by_role("link", name="Languages").wait_for()
    names = [name.strip() for name in page.locator("#views a").all_inner_texts()]
    assert names[:2] == ["Leaderboard", "Languages"]
    for name in names[1:]:
        page.get_by_role("link", name=name, exact=True).click()
        page.locator(f"#views a[aria-current=page]:text-is('{name}')").wait_for()
    page.go_back()
    page.locator(f"#views a[aria-current=page]:text-is('{names[-2]}')").wait_for()


def test_a_sort_is_in_the_address_and_can_be_shared(open_page: Any, address: str) -> None:
    page = open_page()
    page.goto(address)
    page.locator("#standings").get_by_role("button", name="Model").click()
    page.locator("th[aria-sort=ascending]").wait_for()
    rows = page.locator("#standings tbody th bdi").all_inner_texts()
    assert [row for row in rows if row in ("Ant", "Bee", "Cat", "Dog")] == ["Ant", "Bee", "Cat", "Dog"]
    page.locator("#standings").get_by_role("button", name="Model").click()
    page.locator("th[aria-sort=descending]").wait_for()
    shared = page.evaluate("location.href")
    other = open_page()
    other.goto(shared)
    other.locator("th[aria-sort=descending]").wait_for()
    rows = other.locator("#standings tbody th bdi").all_inner_texts()
    assert [row for row in rows if row in ("Ant", "Bee", "Cat", "Dog")] == ["Dog", "Cat", "Bee", "Ant"]
    page.go_back()
    page.locator("th[aria-sort=ascending]").wait_for()


def test_the_keyboard_reaches_and_keeps_a_control(open_page: Any, address: str) -> None:
    page = open_page()
    page.goto(address)
    page.locator("#standings tbody tr").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.evaluate("location.hash") == ""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "sort":
            break
    control = page.evaluate("document.activeElement.id")
    page.keyboard.press("Enter")
    page.locator("th[aria-sort]").wait_for()
    assert page.evaluate("document.activeElement.id") == control


def test_ranked_and_unranked(open_page: Any, address: str) -> None:
    page = open_page()
    page.goto(address)
    row = page.locator("#standings tbody tr", has_text="Dog")
    row.wait_for()
    assert "not ranked: a partial sample" in row.inner_text()
    cells = page.locator("#standings tbody td.cell", has=page.locator(".value")).all_inner_texts()
    assert cells
    assert all("n " in text for text in cells)


def test_a_language_of_the_page_stays(open_page: Any, address: str) -> None:
    page = open_page()
    page.goto(address)
    page.locator("#tongue").select_option("ar")
    page.locator("html[dir=rtl]").wait_for()
    page.locator("#views a").nth(1).click()
    page.locator("#view-languages").wait_for()
    assert page.locator("html").get_attribute("dir") == "rtl"


@pytest.mark.parametrize(
    ("form", "begins"), [("csv", "model,"), ("json", "["), ("md", "**"), ("tex", "\\begin{table}")]
)
def test_a_view_is_saved(open_page: Any, address: str, form: str, begins: str) -> None:
    page = open_page()
    page.goto(address)
    with page.expect_download() as found:
        page.locator(f"#download-{form}").click()
    text = Path(found.value.path()).read_text(encoding="utf-8")
    assert text.startswith(begins)
    assert "Bee" in text


def test_the_page_checks_itself(open_page: Any, address: str) -> None:
    page = at(open_page(), address, "provenance")
    page.locator("#check").click()
    page.locator("#check-result p").first.wait_for()
    assert "✓" in page.locator("#check-result").inner_text()


def test_tables_need_no_script(open_page: Any, address: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(address)
    text = page.locator("main").inner_text()
    assert "Ant" in text
    assert "n 60" in text or "n 6" in text


def test_dark_is_dark(open_page: Any, address: str) -> None:
    page = open_page(color_scheme="dark")
    page.goto(address)
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 150


def test_a_folder_opens_from_a_disk(browser: Any, tmp_path: Path) -> None:
    """Above the largest size the samples are scripts beside the page, loaded when they are looked at."""
    found = render([run(tmp_path, "Ant", "--tasks", "mini_choice")], BoardOptions(), max_bytes=1000)
    page_file = tmp_path / "index.html"
    page_file.write_text(found.html, encoding="utf-8")
    for name, content in found.beside.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    folder = page_file.parent.as_uri()
    with watched_pages(browser, lambda url: url.startswith((folder, "data:"))) as open_one:
        page = at(open_one(), page_file.as_uri(), "sample")
        assert TASK in page.locator("h2").inner_text()
