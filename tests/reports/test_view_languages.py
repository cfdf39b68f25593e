"""The languages view in Chromium: every metric by language, flags; nothing is mixed up."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evalsuite.reports.leaderboard import messages_of
from scripted_runs import at, cells, heads, opened, page_of, run, words
from sealed_runs import Part, write_run

from evalsuite.records import JudgedSpec
from evalsuite.store.results import read_results, write_results

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.pwned=1'></script><script>window.pwned=2</script>\u202e\ud83d&lt;"
EN, HI = (Part(f"qa_{code}", "qa", code) for code in ("en", "hi"))
CHOICES = [f"mini_choice_{code}" for code in ("hi", "es", "en", "zh")]
MATHS = [f"mini_math_{code}" for code in ("fr", "en")]


@dataclass(frozen=True)
class Small:
    """A page of two scripted runs, and where these lie."""

    address: str
    runs: tuple[Path, ...]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """One run answers choices in four languages and problems in two; one strays between languages, without Chinese."""
    folder = tmp_path_factory.mktemp("languages")
    straying = [*CHOICES[:-1], *MATHS]
    runs = (
        run(folder, "steady", "--tasks", ",".join([*CHOICES, *MATHS])),
        run(folder, "stray", "--tasks", ",".join(straying), "--limit", "24", function="scripted_runs:stray"),
    )
    return Small(page_of(runs, folder / "page.html"), runs)


@pytest.fixture
def page(browser: Any, small: Small) -> Iterator[Any]:
    with opened(browser, small.address + "#languages") as page:
        yield page


def shown(value: float, decimals: int = 1) -> str:
    """Independent of the page's own spelling: percent without its sign."""
    return f"{100 * value:.{decimals}f}".replace("-", "−")


def wilson(count: int, n: int) -> tuple[float, float]:
    z = 1.959963984540054
    middle, half = (count + z * z / 2) / (n + z * z), z * math.sqrt(count * (n - count) / n + z * z / 4) / (n + z * z)
    return max(0.0, middle - half), min(1.0, middle + half)


# -- the tables


def test_every_number_of_the_headline_stands_with_interval_and_n_means_first(page: Any, small: Small) -> None:
    at(page, "#languages&family=mini_choice")
    table = page.locator("table.numbers").first
    titles = [words(title) for title in table.locator("thead .title").all()]
    assert titles[0].startswith("macro mean of")
    assert titles[-4:] == ["English", "Chinese", "Spanish", "Hindi"]
    for path in small.runs:
        result = read_results(path)
        found = {words(row.locator("th bdi").first): row for row in table.locator("tbody tr").all()}
        texts = [words(cell) for cell in found[result.spec.model.name].locator("td").all()]
        singles = {one.language: one for one in result.estimates if one.is_primary and one.family == "mini_choice"}
        for language, text in zip(("en", "zh", "es", "hi"), texts[-4:], strict=True):
            if language not in singles:
                assert text == "not run"
                continue
            one = singles[language]
            assert one.low is not None
            assert one.high is not None
            assert text == f"{shown(one.value)} {shown(one.low)} – {shown(one.high)} n {one.n}"
        (mean,) = [one for one in result.aggregates if one.is_primary and one.family == "mini_choice"]
        assert any(text.startswith(f"{shown(mean.value)} ") for text in texts[:-4])


def test_tints_follow_the_values_and_can_be_switched_off(page: Any) -> None:
    at(page, "#languages&family=mini_choice")
    tinted = page.locator("table.heats td.heat")
    assert tinted.count() > 6
    for cell in tinted.all():
        value = float(words(cell.locator(".value")))
        assert f"heat-{math.floor(value / 10 + 0.5)}" in (cell.get_attribute("class") or "").split()
    assert page.locator("table .whisker").count() == 0
    page.get_by_role("button", name="Tinted cells").click()
    page.locator("table .whisker").first.wait_for()
    assert page.locator(".heat, .heats").count() == 0
    assert "tint=0" in page.evaluate("location.hash")
    assert page.get_by_role("button", name="Tinted cells").get_attribute("aria-pressed") == "false"
    assert page.evaluate("document.activeElement.id") == "languages-tint"
    page.go_back()
    page.locator("td.heat").first.wait_for()


_RATIOS = """() => [...document.querySelectorAll('td.heat, td.behind-10')].map((cell) => {
  const rgb = (text) => {
    const parts = text.match(/[\\d.]+/g).map(Number);
    const [r, g, b, a = 1] = parts;
    return { channels: text.startsWith('color(') ? [r, g, b].map((x) => 255 * x) : [r, g, b], a };
  };
  const paper = rgb(getComputedStyle(document.documentElement).backgroundColor).channels;
  const light = (channels) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = channels.map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = rgb(getComputedStyle(cell).backgroundColor);
  const mixed = back.channels.map((c, at) => back.a * c + (1 - back.a) * paper[at]);
  return Math.min(...[cell, ...cell.querySelectorAll('*')].map((part) => {
    const [x, y] = [light(rgb(getComputedStyle(part).color).channels), light(mixed)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  }));
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_on_the_deepest_tints_can_be_read(browser: Any, tmp_path: Path, scheme: Any) -> None:
    parts = [
        Part(f"qa_{code}", "qa", code, value=value, num_unscored=2, case=(0.1, 1.0))
        for code, value in (("en", 1.0), ("hi", 0.9), ("zh", 0.5), ("fr", 0.0))
    ]
    address = page_of([write_run(tmp_path, "m", parts, flags={"wrong_language": 20})], tmp_path / "p.html")
    with opened(browser, address + "#languages", color_scheme=scheme) as page:
        ratios = page.evaluate(_RATIOS)
        assert len(ratios) == 8
        assert page.locator(".heat-10").count() == page.locator("td.heat .warning").count() / 4 == 1
        assert page.locator(".behind-10").count() == 4
        assert min(ratios) >= 4.5


def test_other_metrics_are_made_when_they_are_opened_and_stay_open(page: Any, small: Small) -> None:
    at(page, "#languages&family=mini_choice")
    others = page.locator("details.fold")
    assert [words(one.locator("h4")) for one in others.all()][:3] == ["acc", "acc_norm_byte", "acc_norm_token"]
    assert others.locator("table").count() == 0
    others.first.locator("summary").click()
    others.first.locator("table").wait_for()
    assert words(others.first.locator("caption b")) == "acc"
    others.first.locator("button.sort").nth(1).click()
    page.locator("th[aria-sort]").wait_for()
    assert page.locator("details.fold[open] table").count() == 1
    page.reload()
    page.locator("details.fold[open] th[aria-sort]").wait_for()


def test_families_that_are_closed_are_not_made(page: Any) -> None:
    families = page.locator("#view-languages > details.fold")
    assert [words(one.locator("summary h3")) for one in families.all()] == ["mini_choice", "mini_math"]
    assert families.nth(0).locator("table").count() > 0
    assert families.nth(1).locator("table").count() == 0
    families.nth(1).locator("summary").first.click()
    families.nth(1).locator("table").first.wait_for()
    families.nth(0).locator("summary").first.click()
    page.wait_for_url("**/*#languages&open=1")
    page.reload()
    page.locator("#title").wait_for()
    assert [one.get_attribute("open") is not None for one in families.all()] == [False, True]


def test_a_family_is_chosen_in_the_box_or_by_address(page: Any) -> None:
    page.locator("#languages-family").select_option("mini_math")
    page.locator("section.family h3", has_text="mini_math").wait_for()
    assert page.evaluate("location.hash") == "#languages&family=mini_math"
    assert page.locator("section.family").count() == 1
    assert page.locator("#view-languages > details").count() == 0
    page.go_back()
    page.locator("#view-languages > details").first.wait_for()
    at(page, "#languages&family=nothing")
    assert "no family nothing" in words(page.locator(".notice"))


def test_heads_lead_to_tasks(page: Any) -> None:
    at(page, "#languages&family=mini_choice")
    links = page.locator("table.numbers").first.locator("thead a")
    assert [link.get_attribute("href") for link in links.all()] == [
        f"#task&task=mini_choice_{code}" for code in ("en", "zh", "es", "hi")
    ]


def test_the_view_is_saved_as_numbers(page: Any, small: Small) -> None:
    at(page, "#languages&family=mini_choice")
    with page.expect_download() as download:
        page.locator("#download-json").click()
    tables = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    rows = [row for row in tables[0]["rows"] if row["kind"] == "task" and row["headline"] == "yes"]
    known = {
        (result.spec.model.name, one.task): one
        for result in map(read_results, small.runs)
        for one in result.estimates
        if one.family == "mini_choice" and one.is_primary
    }
    assert len(rows) == len(known) == 7
    for row in rows:
        one = known[row["model"], row["column"]]
        assert (row["value"], row["n"]) == (pytest.approx(100 * one.value), one.n)


# -- what may stand together


@pytest.mark.parametrize(
    "other",
    [
        Part("qa_en", "qa", "en", protocol="p2"),
        Part("qa_en", "qa", "en", signature="v2"),
        Part("qa_en", "qa", "en", metric="acc2"),
    ],
)
def test_what_does_not_compare_never_shares_a_column(browser: Any, tmp_path: Path, other: Part) -> None:
    runs = [write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [other])]
    with opened(browser, page_of(runs, tmp_path / "p.html") + "#languages") as page:
        tables = page.locator("table.numbers:not(.flags)").all()
        assert sum(len(heads(table)) for table in tables) == 2
        rows = [texts for table in tables for texts in cells(table).values()]
        assert all(sum(text != "not run" for text in texts) == 1 for texts in rows)


def test_other_data_is_another_column_and_says_so(browser: Any, tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "a", [EN]), write_run(tmp_path, "b", [EN], fingerprint="e" * 64)]
    with opened(browser, page_of(runs, tmp_path / "p.html") + "#languages") as page:
        first, second = heads(page.locator("table.numbers").first)
        assert first != second
        assert all(" data " in head for head in (first, second))


def test_signatures_are_shown_what_is_shared_once(browser: Any, tmp_path: Path) -> None:
    parts = [
        Part("mt_en-zh", "mt", "zh", metric="bleu", signature="nrefs:1|tok:zh|version:2", scale=1.0),
        Part("mt_en-hi", "mt", "hi", metric="bleu", signature="nrefs:1|tok:13a|version:2", scale=1.0),
    ]
    run = write_run(tmp_path, "m", parts)
    with opened(browser, page_of([run], tmp_path / "p.html") + "#languages") as page:
        table = page.locator("table.numbers").first
        assert "nrefs:1 version:2" in words(table.locator("caption"))
        assert [head.partition(" ↕")[0] for head in heads(table)] == ["English → Chinese", "English → Hindi"]
        own = [words(text) for text in table.locator("thead .signature").all()]
        assert own == ["tok:zh", "tok:13a"]


def test_a_mean_says_what_it_is_over_in_the_order_of_its_columns(browser: Any, tmp_path: Path) -> None:
    parts = [Part(f"arc_challenge_{code}", "okapi_arc", code) for code in ("hi", "zh", "en")]
    run = write_run(tmp_path, "m", parts, means=[parts])
    with opened(browser, page_of([run], tmp_path / "p.html") + "#languages") as page:
        mean, *singles = heads(page.locator("table.numbers").first)
        assert mean == "macro mean of 3 tasks ↕ en, zh, hi"
        assert [head.partition(" ↕")[0] for head in singles] == ["English", "Chinese", "Hindi"]


def test_holes_are_said_and_a_mean_names_what_it_lacks(browser: Any, tmp_path: Path) -> None:
    lost = Part("qa_zh", "qa", "zh", n=0, num_unscored=20)
    holed = Part("qa_hi", "qa", "hi", value=0.4, n=16, num_unscored=4, case=(0.32, 0.52))
    run = write_run(tmp_path, "m", [EN, holed, lost], means=[[EN, holed]])
    other = write_run(tmp_path, "n", [EN, Part("qa_zh", "qa", "zh")])
    with opened(browser, page_of([run, other], tmp_path / "p.html") + "#languages") as page:
        table = page.locator("table.numbers").first
        row = cells(table)["m"]
        assert "incomplete" in words(table.locator("tbody tr", has_text="incomplete").locator("th"))
        assert any("without zh: no score there" in text for text in row)
        assert "4 unscored: 32.0 worst, 52.0 best case" in row[-1]
        assert row[-2] == "no value: 20 unscored (timeout)"
        assert page.locator("td.heat").count() == 5


def test_a_judged_task_stands_elsewhere(browser: Any, tmp_path: Path) -> None:
    judged, plain = write_run(tmp_path, "j", [Part("bench", "bench", "en")]), write_run(tmp_path, "m", [EN, HI])
    result = read_results(judged)
    judge = JudgedSpec(judge="rating", version=1, options={}, runs=("r",), models=("m",), answers_sha256="0" * 64)
    spec = msgspec.structs.replace(result.spec, judged=judge)
    write_results(judged, msgspec.structs.replace(result, spec=spec, run_id=spec.run_id))
    with opened(browser, page_of([judged, plain], tmp_path / "p.html") + "#languages") as page:
        assert [words(one) for one in page.locator("#view-languages h3").all()] == ["qa"]


def test_a_family_without_a_score_says_so(browser: Any, tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "m", [Part("solo", "solo", "en", n=0, num_unscored=3), EN])]
    with opened(browser, page_of(runs, tmp_path / "p.html") + "#languages&family=solo") as page:
        assert "No task of this family has a score: solo" in words(page.locator("section.family"))


# -- flags


def test_language_flags_are_rates_with_wilson_intervals(page: Any, small: Small) -> None:
    at(page, "#languages&family=mini_math")
    for flag in ("wrong_language", "code_switched"):
        called = str(messages_of("en")[f"samples_flag_{flag}"])
        table = page.locator("table.flags").filter(has=page.locator("caption b", has_text=called))
        assert [head.partition(" ↕")[0] for head in heads(table)] == ["English", "French"]
        rows = cells(table)
        for path in small.runs:
            result = read_results(path)
            summaries = {task.task: task for task in result.tasks}
            for task, text in zip(("mini_math_en", "mini_math_fr"), rows[result.spec.model.name], strict=True):
                n, hits = summaries[task].counts.scored, summaries[task].flags.get(flag, 0)
                low, high = wilson(hits, n)
                assert text == f"{shown(hits / n)} % {shown(low)} – {shown(high)} {hits} of {n}"
    strays = {task.task: task.flags for task in read_results(small.runs[1]).tasks}
    assert strays["mini_math_fr"]["wrong_language"] > 0


def test_flags_stand_for_what_can_raise_them(page: Any, small: Small) -> None:
    at(page, "#languages&family=mini_choice")
    assert page.locator("h4", has_text="Answered in the asked language?").count() == 0
    assert "No other flags" in words(page.locator("#view-languages"))
    at(page, "#languages&family=mini_math")
    page.locator("summary", has_text="other flags").click()
    page.locator("details table.flags").first.wait_for()
    raised = {flag for path in small.runs for task in read_results(path).tasks for flag in task.flags}
    titles = {words(title) for title in page.locator("details table.flags caption b").all()}
    other = raised - {"wrong_language", "code_switched"}
    assert titles == {messages_of("en")[f"samples_flag_{flag}"] for flag in other}
    assert "unparsed" in titles


# -- hostile words, small screens, other directions


def test_hostile_names_are_inert(browser: Any, tmp_path: Path) -> None:
    part = Part("qa_en", "qa", "en", metric="<b>m" + HOSTILE, protocol="<i>p" + HOSTILE, signature="<s>|" + HOSTILE)
    named = Part("x_en" + HOSTILE, "x" + HOSTILE, "en")
    runs = [
        write_run(tmp_path, HOSTILE, [EN, named]),
        write_run(tmp_path, "other", [part], flags={HOSTILE: 3, "capped": 1}),
    ]
    address = page_of(runs, tmp_path / "p.html")
    with opened(browser, address + "#languages&open=0,0.0,0.1,0.2,0.flags,1") as page:
        view = page.locator("#view-languages")
        assert "<img src=x onerror=" in words(view)
        assert "⟨U+202E⟩⟨U+D83D⟩&lt;" in words(view)
        assert view.locator("img, script, i, s, iframe, [onerror]").count() == 0
        page.locator("#languages-family").select_option(index=2)
        page.locator("section.family").wait_for()
        assert words(page.locator("section.family h3")).startswith("x<img src=x")
        page.locator("section.family thead a").click()
        page.locator("#view-task h3").first.wait_for()
        assert words(page.locator("h2")).startswith("Task x_en<img src=x")
        assert page.locator(".notice").count() == 1  # its texts


@pytest.mark.parametrize("state", ["", "&diff=1", "&family=mini_math&tint=0&open=1.flags", "&ui=ar&family=mini_math"])
def test_a_phone_scrolls_tables_and_not_the_page(browser: Any, small: Small, state: str) -> None:
    with opened(browser, small.address + "#languages" + state, viewport={"width": 360, "height": 780}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        caption = page.locator("table .said").first.bounding_box()
        assert caption is not None
        assert caption["x"] >= 0
        assert caption["x"] + caption["width"] <= 360


def test_headings_go_down_by_one_and_tables_are_named(page: Any) -> None:
    at(page, "#languages&open=0,1,1.flags")
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4, h5')].map((one) => Number(one.tagName[1]))")
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("th:not([scope])").count() == 0
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


def test_the_board_leads_to_its_families(page: Any) -> None:
    at(page, "#board")
    page.locator("thead a", has_text="its tasks and languages").first.click()
    page.locator("#view-languages section.family").wait_for()
    assert page.evaluate("location.hash") == "#languages&family=mini_choice"
