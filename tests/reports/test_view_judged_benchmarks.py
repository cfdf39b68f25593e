"""MT-Bench, AlignBench and BELLE in Chromium, as their tables are published, and MT-Bench in pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_accessible
from judged_boards import answered, judged
from scripted_runs import at, heads, opened, page_of, words

from evalsuite.records import Estimate
from evalsuite.store.results import read_results
from evalsuite.text.number_texts import decimals_of

pytestmark = pytest.mark.browser

MODELS = ("ash", "birch", "larch")
CATEGORIES = ("writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem", "humanities")
ALIGNBENCH = [
    *(
        "总分",
        "中文推理",
        "数学计算",
        "逻辑推理",
        "中文语言",
        "基本任务",
        "中文理解",
        "综合问答",
        "文本写作",
        "角色扮演",
    ),
    *("专业能力", "总分"),
]


@dataclass(frozen=True)
class Official:
    """A page of three judged benchmarks; of MT-Bench eight runs of three models, the last two of few questions."""

    address: str
    mt_bench: tuple[Path, ...]
    alignbench: tuple[Path, ...]
    belle: tuple[Path, ...]


@pytest.fixture(scope="module")
def official(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Official:
    folder = tmp_path_factory.mktemp("official")
    limits = ("24", "25", "3")
    asked = [(name, limit) for limit in limits for name in MODELS][:8]
    answers = [answered(folder, name, "--tasks", "mt_bench", "--limit", limit) for name, limit in asked]
    mt_bench = tuple(judged(folder, "mt_bench_single", "fair", path) for path in answers)
    chinese = [answered(folder, name, "--tasks", "alignbench,belle", "--limit", "40") for name in MODELS[:2]]
    alignbench = tuple(judged(folder, "alignbench", "chinese", path) for path in chinese)
    belle = tuple(judged(folder, "belle", "classes", path) for path in chinese)
    runs = [*mt_bench, *alignbench, *belle]
    return Official(page_of(runs, folder / "page.html", samples="none"), mt_bench, alignbench, belle)


@pytest.fixture
def page(browser: Any, official: Official) -> Iterator[Any]:
    with opened(browser, official.address + "#judges&bench=mt_bench") as page:
        yield page


def estimates(path: Path) -> dict[str, Estimate]:
    return {one.metric: one for one in read_results(path).estimates}


def run_id(path: Path) -> str:
    return read_results(path).run_id[:8]


def row_of(table: Any, path: Path) -> list[str]:
    """The cells of a run's row, by the id that its shared name is shown with."""
    row = table.locator("tbody tr").filter(has_text=run_id(path))
    return [words(cell) for cell in row.locator("td").all()]


def shown(one: Estimate) -> str:
    """A rating as cells begin."""
    if one.low is None or one.high is None:
        return f"{one.value:.3f} no interval"
    decimals = decimals_of(one.low, one.high)
    return f"{one.value:.{decimals}f} {one.low:.{decimals}f} – {one.high:.{decimals}f}"


# -- tables


def test_mt_bench_has_total_turns_and_categories(page: Any, official: Official) -> None:
    table = page.locator("#view-judges table").first
    titles = [words(one) for one in table.locator("thead .title").all()]
    assert titles == [
        "Total", "Turn 1", "Turn 2", "Mean of both turns", "writing", "roleplay", "reasoning", "mathematics", "coding",
        "extraction", "science", "humanities",
    ]  # fmt: skip
    found = estimates(official.mt_bench[0])
    cells = row_of(table, official.mt_bench[0])
    assert cells[0].startswith("0 of 48 0.0 % (0.0 – ")
    metrics = ["total", "turn1", "turn2", "balanced", *CATEGORIES]
    for text, metric in zip(cells[1:], metrics, strict=True):
        one = found["mt_bench_" + metric]
        assert text.startswith(shown(one)), metric
        assert f"n {one.n}" in text
    assert "partial sample" in words(table.locator("tbody th").first)
    assert "axis 1 – 10" in words(table.locator("caption"))


def test_alignbench_stands_as_it_is_published(page: Any, official: Official) -> None:
    at(page, "#judges&bench=alignbench")
    table = page.locator("#view-judges table").first
    titles = table.locator("thead .title").all()
    assert [words(one) for one in titles] == ALIGNBENCH
    assert {one.locator("bdi").get_attribute("lang") for one in titles} == {"zh"}
    below = [words(one) for one in table.locator("thead .metric").all()]
    assert below[:5] == ["Total", "Chinese reasoning", "Mathematics", "Logical reasoning", "Chinese language"]
    found = estimates(official.alignbench[1])
    (row,) = [row for row in table.locator("tbody tr").all() if words(row.locator("th")).startswith("birch")]
    cells = [words(cell) for cell in row.locator("td").all()]
    metrics = ["total", "reasoning", "math", "logic", "language"]
    for text, metric in zip(cells[1:6], metrics, strict=True):
        assert text.startswith(shown(found["alignbench_" + metric])), metric
    page.locator("summary", has_text="Other metrics").click()
    page.locator("table[id$=-others]").wait_for()
    assert "alignbench_factuality" in words(page.locator("table[id$=-others]"))


def test_belle_stands_by_class(page: Any, official: Official) -> None:
    at(page, "#judges&bench=belle")
    table = page.locator("#view-judges table").first
    titles = [words(one) for one in table.locator("thead .title").all()]
    assert titles[:2] == ["Mean of nine classes", "score_w/o_others"]
    assert titles[2:5] == ["others", "rewrite", "classification"]
    assert len(titles) == 11
    found = estimates(official.belle[0])
    (row,) = [row for row in table.locator("tbody tr").all() if words(row.locator("th")).startswith("ash")]
    cells = [words(cell) for cell in row.locator("td").all()]
    assert cells[1].startswith(shown(found["belle_macro9"]))
    assert cells[4].startswith(shown(found["belle_rewrite"]))


def test_ratings_sort_and_stay_sorted(page: Any) -> None:
    page.locator("#view-judges table").first.locator("button.sort", has_text="writing").click()
    page.locator("th[aria-sort=descending]", has_text="writing").wait_for()
    page.reload()
    table = page.locator("#view-judges table").first
    table.locator("th[aria-sort=descending]", has_text="writing").wait_for()
    values = [float(words(cell)) for cell in table.locator("tbody td:nth-of-type(6) .value").all()]
    assert values == sorted(values, reverse=True)


# -- pictures


def test_the_radar_tells_models_apart_without_colour_and_says_what_it_lacks(page: Any) -> None:
    lines = page.locator(".radar .outline")
    assert lines.count() == 6
    styles = lines.evaluate_all("all => all.map((one) => getComputedStyle(one).strokeDasharray)")
    assert len(set(styles)) == 6
    marks = page.locator(".radar .spot").evaluate_all("all => [...new Set(all.map((one) => one.classList[1]))]")
    assert len(marks) == 6
    assert page.locator(".radar .letter").all_text_contents() == list("ABCDEF")
    figure = words(page.locator("figure.judged"))
    assert "The radar has no intervals" in figure
    assert "1 in the middle, 10 at the rim" in figure
    assert "Radar of 6 models" in page.locator(".radar").get_attribute("aria-label")
    assert page.locator(".radar .spoke").count() == 8


def test_a_rating_lies_where_its_value_is(page: Any, official: Official) -> None:
    """The spoke of writing goes up from the middle: of a mark its height is the rating's share of the scale."""
    at(page, f"#judges&bench=mt_bench&models={run_id(official.mt_bench[1])}")
    assert page.locator(".radar .outline").count() == 1
    value = estimates(official.mt_bench[1])["mt_bench_writing"].value
    box = page.locator(".radar .spot").first.evaluate("one => { const b = one.getBBox(); return b.y + b.height / 2; }")
    assert box == pytest.approx(175 - 125 * (value - 1) / 9, abs=0.2)


def test_a_category_without_a_rating_is_a_gap(page: Any, official: Official) -> None:
    """Three questions are of three categories at most."""
    few = official.mt_bench[-1]
    rated = [name for name in CATEGORIES if f"mt_bench_{name}" in estimates(few)]
    assert len(rated) <= 3
    at(page, f"#judges&bench=mt_bench&models={run_id(few)}")
    assert page.locator(".radar .spot").count() == len(rated)
    assert "Z" not in page.locator(".radar .outline").get_attribute("d")
    strips = page.locator(".dots .strip[role=img]").all()
    labels = [one.get_attribute("aria-label") for one in strips]
    assert sum("not run" in label for label in labels) == len(CATEGORIES) - len(rated)


def test_dots_hold_the_same_numbers_with_intervals(page: Any, official: Official) -> None:
    wanted = official.mt_bench[:2]
    at(page, "#judges&bench=mt_bench&models=" + ",".join(map(run_id, wanted)))
    rows = page.locator(".dots tbody tr").all()
    assert [words(row.locator("th")) for row in rows][:4] == ["Total", "Turn 1", "Turn 2", "writing"]
    label = rows[3].locator("svg").get_attribute("aria-label")
    for path in wanted:
        one = estimates(path)["mt_bench_writing"]
        value, low, *_ = shown(one).split()
        assert f"{value} ({low}" in label
    assert rows[3].locator(".line").count() == 2
    assert rows[3].locator(".spot").count() == 2
    assert words(page.locator(".dots caption")).startswith("The same as dots, with 95 % intervals")


def test_six_at_most_are_chosen_by_checkboxes(page: Any) -> None:
    from playwright.sync_api import expect

    boxes = page.locator("fieldset.pictured input")
    assert boxes.count() == 8
    assert page.locator("fieldset.pictured input:checked").count() == 6
    assert page.locator("fieldset.pictured input:disabled").count() == 2
    first = boxes.first.get_attribute("id")
    boxes.first.focus()
    page.keyboard.press("Space")
    expect(page.locator("fieldset.pictured input:checked")).to_have_count(5)
    expect(page.locator(".radar .outline")).to_have_count(5)
    expect(page.locator("fieldset.pictured input:disabled")).to_have_count(0)
    expect(page.locator(f"[id='{first}']")).to_be_focused()
    assert page.evaluate("location.hash").count("%2C") == 4
    page.go_back()
    expect(page.locator("fieldset.pictured input:checked")).to_have_count(6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_barred_from_the_pictures(browser: Any, official: Official, scheme: str) -> None:
    address = official.address + "#judges&bench=mt_bench"
    with opened(browser, address, color_scheme=scheme, bypass_csp=True) as page:
        assert_accessible(page)


@pytest.mark.parametrize("state", ["&bench=mt_bench", "&bench=mt_bench&ui=ar", "&bench=alignbench"])
def test_a_phone_scrolls_tables_and_not_the_page(browser: Any, official: Official, state: str) -> None:
    with opened(browser, official.address + "#judges" + state, viewport={"width": 360, "height": 780}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert heads(page.locator("#view-judges table").first)
