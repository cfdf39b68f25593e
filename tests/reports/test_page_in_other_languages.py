"""The page in other languages: nothing of ours is marked or in English, numbers and lists are as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from browsing import watched_page, watched_pages
from evalsuite.reports.leaderboard import messages_of, render, render_board
from evalsuite.reports.page_parts import PageOptions
from judged_boards import card, rate
from scripted_runs import run, words
from sealed_runs import Part, text_record, write_run
from test_messages import NAMES
from vote_summaries import summary

from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.evidence import Evidence, PageData
from evalsuite.boards.loading import load_runs

pytestmark = pytest.mark.browser

VIEWS = (
    *(
        "board",
        "board&norm=1",
        "languages&open=0,0.flags,1,1.flags,2,2.0,2.flags,3",
        "languages&diff=1&open=0,1",
        "task",
    ),
    *("task&task=mini_choice_ar", "task&task=mini_math_fr&open=lengths", "task&task=mini_translation_en-zh"),
    *("preference", "judges&open=card0,card1", "samples&task=mini_math_fr", "compare", "provenance"),
)

WORDS = """
() => {
  const own = "script, style, noscript, bdi, code, pre, kbd, time, option, [lang]:not(html), [dir=ltr], .text, " +
    ".role, .download, .excerpt, .tick, .id";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode())
    if (!texts.currentNode.parentElement.closest(own)) found.push(texts.currentNode.data);
  return found;
}
"""
"""The texts of the page that are words of ours: not names, nor what is in a language of its own."""

TURNED = r"""
() => {
  const turned = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const left = (node, from, to) => {
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, to);
    return range.getBoundingClientRect();
  };
  let seen = 0;
  while (texts.nextNode()) {
    const node = texts.currentNode;
    for (const match of node.data.matchAll(/[\d.,\u200e\u2212+]*\d[ \u00a0]–[ \u00a0][\d.,\u200e\u2212+]*\d/g)) {
      const middle = match.index + match[0].indexOf("–");
      const [first, last] = [left(node, match.index, middle), left(node, middle + 1, match.index + match[0].length)];
      if (!first.width || first.top !== last.top) continue;
      seen += 1;
      if (first.left > last.left) turned.push(match[0]);
    }
  }
  return [seen, turned];
}
"""
"""How many ranges are seen, and those whose first end stands on the right."""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripted models on built-in tasks, one of half of them; one whose answers cannot be read; made-up votes."""
    folder = tmp_path_factory.mktemp("languages")
    tasks = ("--tasks", "mini_choice_en,mini_choice_ar,mini_math_en,mini_math_fr,mini_translation_en-zh")
    odd = [
        Part("qa_en", "qa", "en", n=20, num_unscored=3, case=(0.4, 0.6)),
        Part("qa_ar", "qa", "ar", n=0, num_unscored=4),
    ]
    runs = [
        run(folder, "Ant", *tasks),
        run(folder, "Bee", *tasks, function="scripted_runs:stray"),
        run(folder, "Cat", "--tasks", "mini_choice_en,mini_choice_ar", "--limit", "0.5"),
        write_run(folder, "Dog", odd, flags={"unparsed": 20}),
    ]
    cards = (card("Ant"), card("Bee", "pairwise", "hi", attacks=rate(0.6)))
    options = BoardOptions(title="A board", preference=summary(("one", "two", "three")), cards=cards)
    path = folder / "page.html"
    path.write_text(render(runs, options).html, encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    address = page_file.as_uri()
    with watched_pages(browser, lambda url: url == address or url.startswith("data:")) as open_one:
        page = open_one()
        page.goto(address)
        page.locator("#views a", has_text="Languages").wait_for()
        yield page


def at(page: Any, view: str, language: str) -> Any:
    """The page at a view in a language, seen."""
    page.evaluate(
        "hash => { document.getElementById('title').dataset.old = '1'; location.hash = hash; }", f"{view}&ui={language}"
    )
    page.locator("#title:not([data-old])").wait_for()
    return page


def runs_of(page: Any) -> dict[str, str]:
    """The starts of the runs' ids by name."""
    at(page, "provenance", "en")
    found = page.locator("#provenance-run option").evaluate_all("all => all.map((one) => [one.label, one.value])")
    return {str(label).split(" ")[0]: str(value) for label, value in found}


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_nothing_of_ours_is_marked_as_an_unseen_character(page: Any, language: str) -> None:
    runs = runs_of(page)
    for view in (*VIEWS, *(f"provenance&run={start}" for start in runs.values())):
        at(page, view, language)
        assert "⟨U+" not in page.locator("body").inner_text(), view
        said = page.locator("[aria-label], [title]").evaluate_all("all => all.map((one) => one.ariaLabel + one.title)")
        assert "⟨U+" not in "".join(said) + page.title(), view


def test_words_of_ours_are_in_the_language_of_the_page(page: Any) -> None:
    start = runs_of(page)["Dog"]
    for view in (*VIEWS, f"provenance&run={start}"):
        at(page, view, "ar")
        latin = {
            word
            for text in page.evaluate(WORDS)
            for word in re.findall(r"[A-Za-z]{3,}", re.sub("\u2068[^\u2069]*\u2069", "", text))
        }
        assert latin <= NAMES | {"board"}, view


@pytest.mark.parametrize("view", VIEWS)
def test_no_range_is_turned_round_in_arabic(page: Any, view: str) -> None:
    seen, turned = at(page, view, "ar").evaluate(TURNED)
    assert turned == []
    assert seen or view in ("task", "samples&task=mini_math_fr", "provenance")


def test_ranks_and_lengths_are_among_the_ranges(page: Any) -> None:
    assert "–" in at(page, "board", "ar").locator("td.rank .value").first.inner_text()
    assert "–" in at(page, "preference", "ar").locator("#votes-ranking td.cell .value").first.inner_text()
    at(page, "task&task=mini_math_fr&open=lengths", "ar")
    assert "2 – 3" in words(page.locator("#task-lengths thead"))


def test_texts_that_there_are_in_english_alone_say_so(page: Any) -> None:
    start = runs_of(page)["Dog"]
    texts = at(page, f"provenance&run={start}", "ar").locator(".says bdi")
    texts.first.wait_for()
    assert "unparsed" in " ".join(texts.all_inner_texts())
    assert texts.evaluate_all("all => all.every((one) => one.lang === 'en' && one.dir === 'ltr')")


def test_a_metric_with_signs_keeps_them_behind_its_name(browser: Any, tmp_path: Path) -> None:
    runs = [run(tmp_path, name, "--tasks", "mini_translation_en-ar") for name in ("Ant", "Bee")]
    board = board_of(load_runs(runs), BoardOptions())
    (found,) = board.comparisons
    differences = [msgspec.structs.replace(one, metric="chrf++") for one in found.comparison.differences]
    comparison = msgspec.structs.replace(found.comparison, differences=tuple(differences))
    changed = msgspec.structs.replace(board, comparisons=(msgspec.structs.replace(found, comparison=comparison),))
    data = PageData(changed, (), Evidence(runs=()))
    (tmp_path / "page.html").write_text(render_board(data, PageOptions()).html, encoding="utf-8")
    with watched_page(browser, (tmp_path / "page.html").as_uri()) as page:
        page.locator("#title").wait_for()
        name, signs = places_of_parts(at(page, "compare", "ar").locator("#differences th .detail", has_text="chrf++"))
    assert name < signs


def places_of_parts(line: Any) -> list[float]:
    """Where the name and the signs of ``chrf++`` begin."""
    line.first.wait_for()
    found: list[float] = line.first.evaluate(
        """one => {
          const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
          const node = texts.nextNode();
          return [0, 4].map((from) => {
            const range = document.createRange();
            range.setStart(node, from);
            range.setEnd(node, from + 2);
            return range.getBoundingClientRect().left;
          });
        }"""
    )
    return found


@pytest.mark.parametrize(
    ("language", "form"),
    [
        ("en", r"\d+\.\d\u00a0%"),
        ("fr", r"\d+,\d\u00a0%"),
        ("es", r"\d+,\d\u00a0%"),
        ("ar", r"\d+\.\d%"),
        ("zh", r"\d+\.\d%"),
        ("hi", r"\d+\.\d%"),
    ],
)
def test_the_sign_of_percent_stands_as_the_language_has_it(page: Any, language: str, form: str) -> None:
    at(page, "task&task=mini_math_fr&open=lengths", language)
    for place in ("#task-flags td .value", "#task-lengths td .quiet"):
        texts = page.locator(place).all_inner_texts()
        assert texts
        assert [text for text in texts if not re.fullmatch(form, text)] == []
    share = at(page, "preference", language).locator("#votes-all svg[role=img] title").first.text_content()
    assert re.search("\u2068" + form + "\u2069", share)


@pytest.mark.parametrize(("language", "between"), [("en", ", "), ("zh", "、"), ("ar", "، "), ("fr", ", ")])
def test_lists_are_as_the_language_writes_them(page: Any, language: str, between: str) -> None:
    at(page, "board", language)
    said = page.locator(".legend").first.text_content()
    assert between.join(f"\u2068{name}\u2069" for name in ("mini_choice", "mini_math")) in said
    assert messages_of(language)["join_list"] == "{first}" + between + "{second}"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_damaged_page_says_so_in_its_language(browser: Any, page_file: Path, tmp_path: Path, language: str) -> None:
    html = page_file.read_text(encoding="utf-8")
    damaged = re.sub(r'(id="data-board">)[^<]+', r"\1AAAA", html).replace("<html ", f'<html data-lang="{language}" ')
    path = tmp_path / "page.html"
    path.write_text(damaged, encoding="utf-8")
    with watched_pages(browser, lambda url: url.startswith(("file:", "data:"))) as open_one:
        page = open_one()
        page.goto(path.as_uri())
        said = page.locator("#main [role=alert]").inner_text()
        start = str(messages_of(language)["page_damaged"]).partition("{")[0]
        assert said.startswith(start)
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")


# -- on a phone

CUT = """
() => {
  const found = [];
  for (const one of document.querySelectorAll("#main *, header *")) {
    const box = one.getBoundingClientRect();
    if (!box.width || one.closest("svg, .hidden, .excerpt, .clamped")) continue;
    const isClipped = getComputedStyle(one).overflowX === "hidden";
    if (isClipped && one.scrollWidth > one.clientWidth + 1) found.push(one.innerText);
    const cell = one.parentElement.closest("td, th");
    if (!cell) continue;
    const around = cell.getBoundingClientRect();
    if (box.left < around.left - 1 || box.right > around.right + 1) found.push(cell.className + one.innerText);
  }
  return found;
}
"""
"""Texts that are cut off, or stand across the border of their cell."""


@pytest.mark.parametrize("language", ["en", "ar", "hi"])
def test_no_text_is_cut_off_or_covers_another(browser: Any, page_file: Path, tmp_path: Path, language: str) -> None:
    called = "a_model_with_a_name_of_very_many_letters_and_not_a_space_in_it"
    parts = [Part("qa_en", "qa", "en", n=2)]
    records = [text_record(f"qa_en:test:{row}", "en", "Why?", ["so"]) for row in range(2)]
    runs = [write_run(tmp_path, called + end, parts, records) for end in ("1", "2")]
    (tmp_path / "long.html").write_text(render(runs, BoardOptions(title=called)).html, encoding="utf-8")
    of_long = ("board", "task&task=qa_en", "samples&task=qa_en", "sample&task=qa_en&sample=qa_en:test:0", "compare")
    for file, views in ((page_file, VIEWS), (tmp_path / "long.html", of_long)):
        with watched_pages(browser, lambda url: url.startswith(("file:", "data:"))) as open_one:
            page = open_one(360, 780)
            page.goto(file.as_uri())
            page.locator("#views a").nth(1).wait_for()
            for view in views:
                assert at(page, view, language).evaluate(CUT) == [], view
                assert page.evaluate("document.documentElement.scrollWidth") <= 360, view
