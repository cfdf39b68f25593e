"""The page in Chromium, opened from a file: silent, readable in six scripts, and deaf to what models write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import ATTACK, assert_nothing_ran, watched_page
from evalsuite.reports import _format
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


def open_sample(page: Any, sample_id: str) -> None:
    open_view(page, "Samples")
    page.locator("#samples-list a", has_text=sample_id).click()
    shows(page.locator("#sample-title"), sample_id)


def test_views_by_address_and_back(page: Any) -> None:
    at_view(page, "board")
    for name in ("Languages", "Samples", "Provenance"):
        open_view(page, name)
        shows(page.locator("nav a[aria-current=page]"), name)
    page.go_back()
    at_view(page, "samples")
    assert page.evaluate("location.hash") == "#samples"


def test_filters(page: Any) -> None:
    open_view(page, "Samples")
    count, rows = page.locator("#samples-count"), page.locator("#samples-list li")
    assert count.inner_text() == "9 of 9 samples"
    page.get_by_label("Language", exact=True).select_option("ar")
    assert rows.count() == 1
    assert "qa_ar:test:0" in rows.inner_text()
    page.get_by_label("Language", exact=True).select_option("")
    page.get_by_label("Status", exact=True).select_option("unscored")
    assert "qa_en:test:2" in rows.inner_text()
    page.get_by_label("Status", exact=True).select_option("flagged")
    assert "qa_en:test:1" in rows.inner_text()
    page.get_by_label("Status", exact=True).select_option("")
    page.get_by_label("Text", exact=True).fill("عاصمة")
    assert count.inner_text() == "1 of 9 samples"
    rows.locator("a").click()
    at_view(page, "sample")
    page.go_back()
    at_view(page, "samples")
    assert count.inner_text() == "1 of 9 samples"


def test_arabic_sample_reads_from_the_right(page: Any) -> None:
    open_sample(page, "qa_ar:test:0")
    prompt = page.locator("details.prompt .text")
    assert prompt.evaluate("one => [getComputedStyle(one).direction, one.lang, one.dir]") == ["rtl", "ar", "auto"]
    assert prompt.inner_text() == ARABIC
    assert page.locator("tr.gold").inner_text().startswith("✓ right answer")
    assert page.locator("tr.picked .mark.picked").inner_text() == "● picked"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "ltr"


def test_keys_and_back_button(page: Any) -> None:
    open_view(page, "Samples")
    page.get_by_label("Model", exact=True).select_option("1")
    page.locator("#samples-list a").first.click()
    title = page.locator("#sample-title")
    shows(title, "qa_en:test:0")
    for key, sample_id in (("j", "qa_zh:test:0"), ("j", "qa_fr:test:0"), ("k", "qa_zh:test:0")):
        page.keyboard.press(key)
        shows(title, sample_id)
    for sample_id in ("qa_fr:test:0", "qa_zh:test:0", "qa_en:test:0"):
        page.go_back()
        shows(title, sample_id)
    page.go_back()
    at_view(page, "samples")


def test_attack_is_shown_as_text(page: Any) -> None:
    open_sample(page, "qa_en:test:1")
    answer = page.locator(".text.answer").first
    assert answer.inner_text().startswith("<img src=x onerror=")
    assert answer.locator(".unseen").all_inner_texts() == ["⟨U+202E⟩", "⟨U+0007⟩", "⟨U+D83D⟩"]
    assert page.locator("img, iframe, a[href^=javascript]").count() == 0
    assert page.locator("script").count() == 2


def test_escaping_holds_without_the_policy(browser: Any, address: str, tmp_path: Path) -> None:
    source = Path(address.removeprefix("file://")).read_text(encoding="utf-8")
    bare = tmp_path / "bare.html"
    bare.write_text(source.replace("Content-Security-Policy", "X-None"), encoding="utf-8")
    page = browser.new_page()
    page.goto(bare.as_uri() + "#samples")
    page.locator("#samples-list a", has_text="qa_en:test:1").click()
    shows(page.locator("#sample-title"), "qa_en:test:1")
    assert_nothing_ran(page)
    page.close()


def test_unscored_sample_says_why(page: Any) -> None:
    open_sample(page, "qa_en:test:2")
    assert "timeout: 60 s" in page.locator(".verdict").inner_text()
    assert "Not answered" in page.locator("#sample-body").inner_text()


def test_no_view_scrolls_sideways_on_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("Languages", "Provenance", "Samples"):
        open_view(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
    for sample_id in ("qa_ar:test:0", "qa_zh:test:0", "qa_hi:test:0", "qa_en:test:1", "qa_en:test:2"):
        open_sample(page, sample_id)
        page.locator("details.prompt").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, sample_id


def test_a_link_to_a_sample_opens_it_and_a_dead_one_the_list(page: Any, address: str) -> None:
    open_view(page, "Samples")
    link = page.locator("#samples-list a", has_text="qa_hi:test:0").get_attribute("href")
    page.goto("about:blank")
    page.goto(address + link)
    shows(page.locator("#sample-title"), "qa_hi:test:0")
    page.evaluate("location.hash = '#sample=nothing/%E0%A4%A'")
    at_view(page, "samples")


def test_tables_need_no_script(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#board td.cell").first.is_visible()
    assert page.locator("#languages td.cell").first.is_visible()
    assert "scripts are off" in page.locator("noscript").inner_text()
    context.close()


def test_page_and_script_agree_on_unseen_characters(page: Any) -> None:
    found = page.evaluate(
        "Array.from({length: 0xe0100}, (_, code) => code)"
        ".filter(code => String.fromCodePoint(code).match(SampleView.UNSEEN))"
    )
    assert found == [code for code in range(0xE0100) if _format.visible(chr(code)) != chr(code)]


def test_dark_mode_is_dark(browser: Any, address: str) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(address)
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 150
    page.close()
