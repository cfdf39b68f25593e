"""The preference view in use: addresses, keys, files to keep, hostile names, phones, and no scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from browsing import ATTACK, assert_accessible
from sealed_runs import Part, write_run
from vote_pages import Opened, opened, page_of, tables_of
from vote_summaries import summary

from evalsuite.preference.summary import PreferenceSummary
from evalsuite.tables import shown

pytestmark = pytest.mark.browser

SYSTEMS = (
    ATTACK,
    "النموذج العربي",
    "模型一号",
    "an-organisation/with-a-model-of-a-very-long-name-that-has-no-space-in-it",
)


@pytest.fixture
def opener(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    with opened(browser, tmp_path, accept_downloads=True) as found:
        yield found


def hostile() -> PreferenceSummary:
    """Attacks wherever a file of votes has names, and two systems that never met."""
    found = summary(SYSTEMS, votes=12, has_quality=True, has_judge=True, raters=("p", ATTACK, "r"))
    apart = {SYSTEMS[0], SYSTEMS[3]}
    return msgspec.structs.replace(
        found,
        rates=tuple(rate for rate in found.rates if {rate.system_a, rate.system_b} != apart),
        annotators=tuple(msgspec.structs.replace(one, flags=("agrees least", ATTACK)) for one in found.annotators),
        files=(msgspec.structs.replace(found.files[0], name=ATTACK),),
        counts=msgspec.structs.replace(found.counts, dropped={ATTACK: 2}),
    )


def sections(page: Any) -> list[str]:
    return [heading.inner_text() for heading in page.locator("#main h3").all()]


# -- the address holds what is seen


def test_a_part_alone_and_the_way_back(opener: Opened) -> None:
    page = opener(page_of(summary(("a", "b", "c"), has_quality=True, has_judge=True)))
    assert sections(page) == [
        "Ranks", "Wins, ties and losses", "Quality", "Sides and ties", "Agreement", "Judges and people", "Annotators",
        "What was read",
    ]  # fmt: skip
    page.get_by_role("link", name="Agreement", exact=True).click()
    page.locator("#votes-ranking").wait_for(state="detached")
    assert sections(page) == ["Agreement"]
    assert page.url.endswith("#preference&section=agreement")
    assert page.locator(".contents [aria-current]").inner_text() == "Agreement"
    assert page.evaluate("document.activeElement.id") == "pref-to-agreement"
    page.go_back()
    page.locator("#votes-ranking").wait_for()


def test_of_two_systems_pairs_come_first(opener: Opened) -> None:
    assert sections(opener(page_of(summary())))[:2] == ["Wins, ties and losses", "Ranks"]


def test_a_pair_and_a_language_are_chosen_and_kept(opener: Opened) -> None:
    found = summary(("a", "b, c", "d"), num_languages=3, has_quality=True)
    page = opener(page_of(found))
    page.locator("#pref-system").focus()
    page.locator("#pref-system").select_option(label="b, c")
    page.locator("#pref-other").wait_for()
    assert page.evaluate("document.activeElement.id") == "pref-system"
    page.locator("#pref-other").select_option(label="d")
    page.locator("#pref-language").select_option(label="Chinese")
    page.wait_for_url("**language=zh")
    for _ in range(2):
        tables = tables_of(page)
        assert len(tables["votes-pairs"]) == 2
        assert {"b, c", "d"} == set(tables["votes-pairs"][1][0].split(" against "))
        (rate,) = [one for one in found.rates if {one.system_a, one.system_b} == {"b, c", "d"} and one.language == "zh"]
        assert tables["votes-pairs"][1][2].startswith(f"{100 * rate.win_half:.1f} ")
        assert [row[0] for row in tables["votes-all"][1:]] == ["b, c Chinese", "d Chinese"]
        assert [row[0] for row in tables["votes-levels"][1:]] in (
            ["b, c", "Chinese zh", "d", "Chinese zh"], ["d", "Chinese zh", "b, c", "Chinese zh"],
        )  # fmt: skip
        assert len(tables["votes-ranking"]) == 4, "ranks are of all systems"
        page.reload()
        page.locator("#votes-pairs").wait_for()


def test_what_an_address_asks_for_and_is_not_there_is_left_out(opener: Opened) -> None:
    page = opener(page_of(summary(("a", "b", "c"))), "#preference&pair=x,y,%25zz&language=xx&section=none&ranks=-none")
    assert len(sections(page)) == 6
    assert len(tables_of(page)["votes-all"]) == 4
    page.goto(page.url.partition("#")[0] + "#sample=nothing/x")
    page.locator("#view-preference").wait_for()
    page.keyboard.press("j")
    assert page.locator("section.view:visible").count() == 1


def test_ranks_are_sorted_by_a_head_and_lead_to_a_systems_pairs(opener: Opened) -> None:
    found = summary(("a", "b", "c"))
    page = opener(page_of(found), "#preference&section=ranks")
    page.get_by_role("button", name="System").click()
    page.locator("th[aria-sort=ascending]").wait_for()
    assert [row[0][0] for row in tables_of(page)["votes-ranking"][1:]] == ["a", "b", "c"]
    page.get_by_role("link", name="its pairs c").click()
    page.locator("#votes-pairs").wait_for()
    assert all("c" in row[0] for row in tables_of(page)["votes-pairs"] if len(row) == 1)
    assert page.locator("#pref-system option:checked").inner_text() == "c"


# -- files to keep


def test_tables_are_saved_unrounded(opener: Opened) -> None:
    found = summary(("a", "b", "c"), has_quality=True, has_judge=True)
    page = opener(page_of(found))
    with page.expect_download() as saved:
        page.locator("#download-json").click()
    tables = {table["name"]: table["rows"] for table in json.loads(Path(saved.value.path()).read_text("utf-8"))}
    assert found.ranking is not None
    assert found.quality is not None
    assert [row["win_half"] for row in tables["win_rates"]] == [
        rate.win_half for rate in (*found.rates, *found.rates_against_all)
    ]
    assert tables["win_rates"][0]["net_low"] == found.rates[0].intervals["net"].low
    assert [(row["system"], row["strength"]) for row in tables["strengths"]] == [
        (row.system, row.strength) for row in found.ranking.systems
    ]
    assert [row["share_acceptable"] for row in tables["quality"]] == [
        one.share_acceptable for one in found.quality.qualities
    ]
    assert tables["quality"][0]["good"] == found.quality.qualities[0].levels["good"]
    (judge,) = found.judges
    assert [row["value"] for row in tables["agreement"] if row["judge"]] == [
        one.value for one in (*judge.agreement, *judge.kappas)
    ]
    assert tables["dropped"] == [{"reason": "skipped", "num": 2}]
    assert set(tables) >= {"worst_languages", "admissibility", "languages", "quality_differences"}


def test_what_is_saved_is_what_was_chosen(opener: Opened) -> None:
    page = opener(page_of(summary(("a", "b", "c"))), "#preference&pair=a,b&language=zh")
    with page.expect_download() as saved:
        page.locator("#download-csv").click()
    text = Path(saved.value.path()).read_text("utf-8")
    first = text.replace("\r\n", "\n").split("\n\n")[0].splitlines()[1:]
    assert {tuple(sorted(line.split(",")[:2])) for line in first} >= {("a", "b")}
    assert all(line.split(",")[3] == "zh" for line in first)
    assert not any("c" in line.split(",")[:2] for line in first if line.split(",")[1])


# -- hostile names


def test_hostile_names_are_inert_and_visible(opener: Opened) -> None:
    page = opener(page_of(hostile(), "Votes " + ATTACK))
    assert page.title().startswith("Preference · Votes ")
    assert page.locator("#main img, #main iframe, #main script, a[href^=javascript]").count() == 0
    assert page.locator("#view-preference .two bdi", has_text="<img src=x").first.is_visible()
    assert page.locator("td.never").all_inner_texts() == ["never compared"] * 2
    text = page.locator("body").inner_text()
    for char in ("\u202e", "\x07", "\ud83d"):
        assert char not in text
    assert text.count("⟨U+202E⟩") > 10
    page.locator("#pref-system").select_option(index=1 + hostile().systems.index(ATTACK))
    page.locator("#pref-other").wait_for()
    assert page.locator("#pref-system option:checked").inner_text().startswith("<img src=x")
    heads = page.locator("#votes-pairs .two").all_inner_texts()
    assert len(heads) == 2, "its pairs, all that it met"
    with page.expect_download() as saved:
        page.locator("#download-md").click()
    assert "\u202e" not in Path(saved.value.path()).read_text("utf-8")


# -- colours, widths, no scripts


def test_parts_of_a_bar_differ_by_colour_and_by_pattern(opener: Opened) -> None:
    page = opener(page_of(summary()))
    bar = page.locator("#votes-pairs td.bar svg").first
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        fills = [
            bar.locator(f"rect.{kind}").evaluate("one => getComputedStyle(one).fill")
            for kind in ("win", "tie", "tie-bad", "loss")
        ]
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert len({*fills, paper, "rgb(0, 0, 0)"}) == 5, scheme
    over = bar.locator("rect.over").evaluate_all("all => all.map(one => one.getAttribute('fill'))")
    assert over == ["url(#pref-tie-bad)", "url(#pref-loss)"]


@pytest.mark.parametrize("width", [1280, 360, 320])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_view_never_scrolls_sideways(opener: Opened, width: int, language: str) -> None:
    page = opener(page_of(hostile(), "Votes " + ATTACK), f"#preference&more=1&ui={language}")
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_it_bars_nobody(opener: Opened, scheme: str, language: str) -> None:
    found = summary(("a", "النموذج", "c"), has_quality=True, has_judge=True)
    page = opener(page_of(found), f"#preference&ui={language}")
    page.emulate_media(color_scheme=scheme)
    assert_accessible(page)


def test_without_scripts_there_are_plain_tables(browser: Any, tmp_path: Path) -> None:
    found = summary(("a", "b", "c"), has_quality=True, has_judge=True)
    file = tmp_path / "plain.html"
    file.write_text(page_of(found), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    text = page.locator("main").inner_text()
    rate = found.rates[0]
    assert shown(rate.win_half, rate.low, rate.high).text in text
    for title in ("win rates", "strengths", "quality", "agreement"):
        assert f"Preference: {title}" in text
    assert page.locator("main table").first.is_visible()
    context.close()


def test_hostile_names_are_inert_without_scripts() -> None:
    html = page_of(hostile(), ATTACK)
    assert "<img" not in html
    assert "\u202e" not in html
    assert html == page_of(hostile(), ATTACK), "the same votes give the same bytes"


def test_beside_runs_it_is_one_of_the_views_and_without_votes_there_is_none(opener: Opened, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", "model-one", [Part("qa_en", "qa", "en")])
    page = opener(page_of(summary(), runs=(run,)))
    assert page.locator("#views a[aria-current]").inner_text() == "Preference"
    assert page.get_by_role("link", name="Leaderboard").count() == 1
    alone = opener(page_of(summary()), "")
    assert alone.locator("#views a").all_inner_texts() == ["Preference"]
