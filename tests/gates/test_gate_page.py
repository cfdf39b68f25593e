"""The page of a gate: what it holds, and in Chromium that it is silent, accessible and deaf to what models write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from browsing import assert_accessible, watched_page
from evalsuite.reports.gate import MOST_SAMPLES, render
from gate_reports import HOSTILE, Runs, every_standing, report_of, result

from evalsuite.comparing.pairing import Pairing
from evalsuite.comparing.sides import TaskSide

TASK = "mini_choice_ar"


class Reader(HTMLParser):
    """Tags with their attributes, and the text outside of style sheets."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open != "style":
            self.texts.append(data)


def hostile_pairing(pairing: Pairing) -> Pairing:
    """The same, but every text of the Arabic samples is followed by an attack, on both sides."""

    def spoil(side: TaskSide) -> TaskSide:
        records = []
        for text in side.records or ():
            record = json.loads(text)
            sample, (first, *rest) = record["sample"], record["items"]
            sample["input"] += HOSTILE
            sample["choices"] = [choice + HOSTILE for choice in sample["choices"]]
            record["outcome"]["answer"] += HOSTILE
            first["request"]["context"] += HOSTILE
            for item in (first, *rest):
                item["request"]["context"] = first["request"]["context"]
                item["request"]["continuation"] += HOSTILE
            records.append(json.dumps(record))
        return replace(side, records=tuple(records))

    task = pairing.tasks[TASK]
    spoilt = replace(task, baseline=spoil(task.baseline), candidate=spoil(task.candidate))
    return replace(pairing, tasks={**pairing.tasks, TASK: spoilt})


def changed(page: str) -> int:
    return sum(tag == "details" for tag, _ in Reader(page).tags)


def test_every_change_of_what_did_not_pass_is_shown(runs: Runs) -> None:
    report, pairing = runs.report(runs.forgetful, runs.right)
    page = render(report, pairing)
    num_lost = sum(gate.difference.num_lost or 0 for gate in report.gates if gate.difference)
    assert changed(page) == num_lost == len(report.flips)
    words = " ".join(Reader(page).texts)
    assert all(flip.sample in words for flip in report.flips)
    assert words.count("● picked by the baseline") == words.count("● picked by the candidate") == num_lost
    assert words.count("✓ right answer") == num_lost


def test_a_gate_that_passes_shows_no_samples(runs: Runs) -> None:
    report, pairing = runs.report(runs.right, runs.right)
    page = render(report, pairing)
    assert report.verdict == "pass"
    assert changed(page) == 0
    assert "Every gate passed" in page


def test_at_most_so_many_samples_and_the_counts_said(runs: Runs) -> None:
    report, pairing = runs.report(runs.lost, runs.right)
    page = render(report, pairing)
    assert len(report.flips) == 240
    assert MOST_SAMPLES * 0.9 < changed(page) <= MOST_SAMPLES
    assert page.count("40 lost and 0 gained of 40 samples; 33 shown") == 6


def test_gains_are_shown_where_a_floor_is_missed(runs: Runs) -> None:
    rules = "gates:\n  - task: mini_choice_en\n    min: 0.99\n"
    report, pairing = runs.report(runs.forgetful, runs.lost, rules=rules)
    assert report.verdict == "fail"
    num_right = sum(pairing.tasks["mini_choice_en"].rows["acc_norm_char"].gains > 0)
    page = render(report, pairing)
    assert f"0 lost and {num_right} gained of 40 samples; {num_right} shown" in page
    assert changed(page) == page.count('class="way gained"') == num_right > 0


def test_a_baseline_file_has_no_answers_and_the_page_says_so(runs: Runs) -> None:
    report, pairing = runs.report(runs.forgetful)
    page = render(report, pairing)
    words = " ".join(Reader(page).texts)
    assert words.count("The baseline is a file without answers") == 6
    assert "picked by the baseline" not in words
    assert "● picked by the candidate" in words


def test_drawings_stand_where_the_numbers_are(runs: Runs) -> None:
    """On the axis of a real page the dot, the interval and the margin are in order and to scale."""
    report, pairing = runs.report(runs.forgetful, runs.right)
    (first, *_) = re.findall(r'<svg class="drift".*?</svg>', render(report, pairing), re.DOTALL)
    zero, limit = (float(re.search(rf'class="{name}" x1="([\d.]+)"', first)[1]) for name in ("zero", "limit"))
    low, high = (float(x) for x in re.search(r'class="range" x1="([\d.]+)" y1="9" x2="([\d.]+)"', first).groups())
    dot = float(re.search(r'cx="([\d.]+)"', first)[1])
    worst = min((gate.difference for gate in report.gates if gate.difference), key=lambda one: one.difference)
    assert low < dot < high < limit < zero
    per_unit = (zero - limit) / 0.10
    for place, value in ((dot, worst.difference), (low, worst.low), (high, worst.high)):
        assert zero - place == pytest.approx(-value * per_unit, rel=0.03)


def test_hostile_words_are_text(runs: Runs) -> None:
    _, pairing = runs.report(runs.forgetful, runs.right)
    gates = [result(f"gate {HOSTILE}", "fail", tasks=(TASK,), metric="acc_norm_char"), *every_standing(HOSTILE).gates]
    page = render(report_of(*gates, word=HOSTILE), hostile_pairing(pairing))
    found = Reader(page)
    assert {"script", "img", "iframe", "form", "object"}.isdisjoint(tag for tag, _ in found.tags)
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert {attributes["href"] for tag, attributes in found.tags if tag == "a"} >= {"#main", "#gate-1"}
    assert all(attributes["href"].startswith("#") for tag, attributes in found.tags if tag == "a")
    assert not [char for char in ("\u202e", "\x07", "\x1b", "\ud83d", "\u2028") if char in page]


def test_the_same_report_gives_the_same_page(runs: Runs) -> None:
    assert render(*runs.report(runs.forgetful, runs.right)) == render(*runs.report(runs.forgetful, runs.right))


# -- in Chromium


@pytest.fixture(scope="module")
def address(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of real samples with attacks in them, and gates of every standing."""
    real, pairing = runs.report(runs.forgetful, runs.right)
    report = report_of(*real.gates, *every_standing(HOSTILE).gates, word=HOSTILE)
    page = tmp_path_factory.mktemp("page") / "gate.html"
    page.write_text(render(report, hostile_pairing(pairing)), encoding="utf-8")
    return page.as_uri()


@pytest.fixture(params=["light", "dark"])
def page(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The open page. At the end: nothing said on the console, nothing asked of anyone, nothing executed."""
    with watched_page(browser, address, color_scheme=request.param) as page:
        yield page


def open_all(page: Any) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")


@pytest.mark.browser
def test_axe_finds_nothing(page: Any) -> None:
    page.locator("details").evaluate_all("all => all.slice(0, 12).forEach(one => { one.open = true })")
    assert_accessible(page)


@pytest.mark.browser
def test_on_a_phone_it_does_not_scroll_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.browser
def test_arabic_reads_from_the_right(page: Any) -> None:
    open_all(page)
    styles = page.locator(".text[lang=ar]").evaluate_all("all => all.map(one => getComputedStyle(one).direction)")
    assert styles
    assert set(styles) == {"rtl"}
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "ltr"


@pytest.mark.browser
def test_samples_open_by_keyboard(page: Any) -> None:
    first = page.locator("details.change").first
    assert not first.evaluate("one => one.open")
    page.locator("a[href='#gate-1']").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash === '#gate-1'")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")


@pytest.mark.browser
def test_colours_follow_the_scheme_and_print_is_light(page: Any) -> None:
    read = "getComputedStyle(document.documentElement).backgroundColor"
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    light = [int(part) for part in re.findall(r"\d+", page.evaluate(read))]
    assert (sum(light) < 150) == is_dark
    page.emulate_media(media="print")
    assert page.evaluate(read) == "rgb(255, 255, 255)"
