"""The preference view in Chromium: silent, legible dark and on a phone, and deaf to what systems are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from browsing import ATTACK, watched_page
from evalsuite.reports.leaderboard import render
from sealed_runs import Part, text_record, write_run
from vote_summaries import summary

pytestmark = pytest.mark.browser

SYSTEMS = (
    ATTACK,
    "النموذج العربي",
    "模型一号",
    "an-organisation/with-a-model-of-a-very-long-name-that-has-no-space-in-it",
)


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The votes on a page of their own, and beside a run."""
    folder = tmp_path_factory.mktemp("votes")
    votes = summary(SYSTEMS, votes=12, has_quality=True, has_judge=True, raters=("p", ATTACK, "r"))
    apart = {SYSTEMS[0], SYSTEMS[3]}  # as if these had never met
    votes = msgspec.structs.replace(
        votes, rates=tuple(rate for rate in votes.rates if {rate.system_a, rate.system_b} != apart)
    )
    run = write_run(folder, "model-one", [Part("qa_en", "qa", "en")], [text_record("qa_en:test:0", "en", "?", ["a"])])
    found = {}
    for name, runs in (("alone", []), ("beside", [run])):
        page = folder / f"{name}.html"
        page.write_text(render(runs, "Votes " + ATTACK, votes), encoding="utf-8")
        found[name] = page.as_uri()
    return found


@pytest.fixture(params=["alone", "beside"])
def page(request: pytest.FixtureRequest, browser: Any, addresses: dict[str, str]) -> Iterator[Any]:
    """The open view. At the end: nothing said on the console, nothing asked of anyone, nothing executed."""
    with watched_page(browser, addresses[request.param]) as page:
        if request.param == "beside":
            page.get_by_role("link", name="Preference", exact=True).click()
        page.locator("#view-preference").wait_for()
        yield page


def test_the_view_is_seen_alone_and_every_bar_is_drawn(page: Any) -> None:
    assert page.locator("section.view:visible").count() == 1
    assert page.title().startswith("Preference · Votes ")
    assert page.locator("img, iframe, a[href^=javascript]").count() == 0
    assert page.locator("script").count() == 2
    assert page.locator("#view-preference .two bdi", has_text="<img src=x").first.is_visible()
    assert page.locator("td.never").all_inner_texts() == ["never compared"] * 2
    bars = page.locator("td.bar svg").filter(has=page.locator("rect.win"))
    assert bars.count() > 10
    for bar in (bars.first, bars.nth(5)):
        widths = bar.locator("rect").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
        assert sum(widths) == pytest.approx(220, abs=1)


def test_colours_of_the_parts_differ_light_and_dark(page: Any) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        fills = [
            page.locator(f"td.bar rect.{kind}").first.evaluate("one => getComputedStyle(one).fill")
            for kind in ("win", "tie", "loss")
        ]
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert len({*fills, paper, "rgb(0, 0, 0)"}) == 5, scheme


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_view_never_scrolls_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("#view-preference details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_tables_need_no_script(browser: Any, addresses: dict[str, str]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(addresses["alone"])
    assert page.locator("#preference td.bar").first.is_visible()
    context.close()


def test_an_address_that_leads_nowhere_opens_the_votes(browser: Any, addresses: dict[str, str]) -> None:
    page = browser.new_page()
    page.goto(addresses["alone"] + "#sample=nothing/x")
    page.locator("#view-preference").wait_for()
    page.keyboard.press("j")
    assert page.locator("section.view:visible").count() == 1
    page.close()
