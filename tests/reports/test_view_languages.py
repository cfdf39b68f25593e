"""The languages view in Chromium: every metric by language, gaps to English, flags; nothing is mixed up."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evalsuite.reports.leaderboard import render
from scripted_runs import at, cells, heads, opened, run, words
from sealed_runs import Part, write_run

from evalsuite.boards.building import BoardOptions
from evalsuite.records import JudgedSpec, Parity
from evalsuite.store.results import read_results, write_results

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.pwned=1'></script><script>window.pwned=2</script>\u202e\ud83d&lt;"
EN, HI, ZH = (Part(f"qa_{code}", "qa", code) for code in ("en", "hi", "zh"))
CHOICES = [f"mini_choice_{code}" for code in ("hi", "es", "en", "zh")]
MATHS = [f"mini_math_{code}" for code in ("fr", "en")]


def page_of(runs: Sequence[Path], file: Path) -> str:
    """The address of a page over `runs`."""
    file.write_text(render(runs, BoardOptions(title="t")).html, encoding="utf-8")
    return file.as_uri()


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


# -- gaps to English


def parity(model: str, language: str = "hi", **changes: Any) -> Parity:
    """A gap as a run would hold it."""
    found = Parity(
        task=f"qa_{language}", reference="qa_en", family="qa", model=model, language=language, metric="acc",
        protocol="p1", gap=-0.123, stderr=0.05, low=-0.25, high=0.0041, interval="bonett-price", n=40, num_clusters=40,
        num_answered=40, same_answer=0.625, same_low=0.47, same_high=0.7578, scale=100.0,
    )  # fmt: skip
    return msgspec.structs.replace(found, **changes)


def sealed(
    folder: Path, model: str, parities: Sequence[Parity] = (), parts: Sequence[Part] = (EN, HI), provenance: str = ""
) -> Path:
    """A sealed run with these gaps; all tasks but English ones are of this provenance."""
    path = write_run(folder, model, parts)
    result = read_results(path)
    tasks = tuple(
        msgspec.structs.replace(task, language_provenance="native" if task.language == "en" else provenance)
        for task in result.tasks
    )
    write_results(path, msgspec.structs.replace(result, parities=tuple(parities), tasks=tasks))
    return path


GAPS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "as it is": ({}, "−12.3 −25.0 – +0.4 n 40 same answer 62.5 % (47.0 – 75.8)"),
    "above": ({"gap": 0.1234}, "+12.3 "),
    "nought": ({"gap": 0.0}, "0.0 "),
    "almost nought": ({"gap": 0.0004}, "0.0 "),
    "almost nought below": ({"gap": -0.0004}, "0.0 "),
    "just above": ({"gap": 0.0006}, "+0.1 "),
    "all": ({"gap": -1.0}, "−100.0 "),
    "narrow": ({"gap": 0.0123, "low": 0.0101, "high": 0.0145}, "+1.23 +1.01 – +1.45 "),
    "unknown": ({"low": None, "high": None}, "−12.3 no interval n 40 same answer 62.5 % (47.0 – 75.8)"),
    "clusters": ({"num_clusters": 7}, "−12.3 −25.0 – +0.4 n 40 in 7 clusters same answer 62.5 % (47.0 – 75.8)"),
    "some answered": ({"num_answered": 8}, "−12.3 −25.0 – +0.4 n 40 same answer 62.5 % of 8 (47.0 – 75.8)"),
    "all the same": (
        {"same_answer": 1.0, "same_low": 0.9124, "same_high": 1.0},
        "−12.3 −25.0 – +0.4 n 40 same answer 100.0 % (91.2 – 100.0)",
    ),
    "texts": (
        {"num_answered": 0, "same_answer": None, "same_low": None, "same_high": None},
        "−12.3 −25.0 – +0.4 n 40",
    ),
}


def gap_tables(page: Any) -> list[Any]:
    return list(page.locator("table.gaps").all())


def test_a_gap_has_its_sign_interval_n_and_share(browser: Any, tmp_path: Path) -> None:
    runs = [sealed(tmp_path, name, [parity(name, **changes)]) for name, (changes, _) in GAPS.items()]
    with opened(browser, page_of(runs, tmp_path / "p.html") + "#languages&diff=1") as page:
        (table,) = gap_tables(page)
        rows = cells(table)
        assert set(rows) == set(GAPS)
        for name, (_, expected) in GAPS.items():
            (text,) = rows[name]
            assert text.startswith(expected) if expected.endswith(" ") else text == expected, name
        caption = words(table.locator("caption"))
        assert caption.startswith("gap to English acc")
        assert "p1, 0-shot; each language less English on the items that both have" in caption
        assert "below zero English is ahead" in caption


def test_a_gap_is_tinted_where_its_interval_leaves_out_nought(browser: Any, tmp_path: Path) -> None:
    gaps = {
        "behind": {"gap": -0.2, "low": -0.3, "high": -0.1},
        "ahead": {"gap": 0.1, "low": 0.05, "high": 0.15},
        "open": {"gap": -0.2, "low": -0.4, "high": 0.0},
        "unknown": {"gap": -0.2, "low": None, "high": None},
    }
    runs = [sealed(tmp_path, name, [parity(name, **changes)]) for name, changes in gaps.items()]
    with opened(browser, page_of(runs, tmp_path / "p.html") + "#languages&diff=1") as page:
        (table,) = gap_tables(page)
        kinds = {
            words(row.locator("th bdi")): row.locator("td").get_attribute("class")
            for row in table.locator("tbody tr").all()
        }
        assert kinds == {
            "ahead": "cell heat heat-5",
            "behind": "cell heat behind-10",
            "open": "cell",
            "unknown": "cell",
        }
        at(page, "#languages&diff=1&tint=0")
        assert page.locator(".heat").count() == 0


def test_lower_is_better_turns_the_sides_round(browser: Any, tmp_path: Path) -> None:
    gap = parity("m", gap=3.0, low=1.0, high=5.0, scale=1.0, higher_is_better=False, metric="ter")
    with opened(browser, page_of([sealed(tmp_path, "m", [gap])], tmp_path / "p.html") + "#languages&diff=1") as page:
        assert "above zero English is ahead" in words(page.locator("table.gaps caption"))
        assert words(page.locator("table.gaps td")).startswith("+3.0 +1.0 – +5.0")
        assert "behind-6" in (page.locator("table.gaps td").get_attribute("class") or "")


def test_gaps_by_run_and_language_in_their_order(browser: Any, tmp_path: Path) -> None:
    xx = Part("qa_xx", "qa", "xx")
    runs = [
        sealed(tmp_path, "b", [parity("b", "xx"), parity("b", "hi"), parity("b", "zh", gap=0.5)], (EN, HI, ZH, xx)),
        sealed(tmp_path, "a", [parity("a", "zh")], (EN, ZH)),
        sealed(tmp_path, "without", parts=(HI,)),
    ]
    with opened(browser, page_of(runs, tmp_path / "p.html") + "#languages") as page:
        page.get_by_role("button", name="Difference to English").click()
        (table,) = gap_tables(page) or [page.locator("table.gaps")]
        table.wait_for()
        assert [head.partition(" ↕")[0] for head in heads(table)] == ["Chinese", "Hindi", "xx"]
        rows = cells(table)
        assert list(rows) == ["a", "b"]
        starts = {name: [text.partition(" ")[0] for text in texts] for name, texts in rows.items()}
        assert starts == {"a": ["−12.3", "not", "not"], "b": ["+50.0", "−12.3", "−12.3"]}
        assert page.get_by_role("button", name="Difference to English").get_attribute("aria-pressed") == "true"


def test_a_page_without_gaps_has_no_toggle_and_says_why(browser: Any, tmp_path: Path) -> None:
    address = page_of([sealed(tmp_path, "m"), sealed(tmp_path, "n", parts=(HI, ZH))], tmp_path / "p.html")
    with opened(browser, address + "#languages") as page:
        assert page.locator("#languages-diff").count() == 0
        at(page, "#languages&diff=1")
        assert page.locator("table.gaps").count() == 0
        assert "No gap to English" in words(page.locator("#view-languages"))


def test_every_family_has_its_own_gaps(browser: Any, tmp_path: Path) -> None:
    other = [Part(f"zz_{code}", "zz", code) for code in ("en", "hi")]
    gaps = [parity("m"), parity("m", family="zz", task="zz_hi", reference="zz_en", gap=0.25, metric="exact")]
    run = sealed(tmp_path, "m", gaps, (EN, HI, *other))
    with opened(browser, page_of([run], tmp_path / "p.html") + "#languages&diff=1&open=0,1") as page:
        first, second = gap_tables(page)
        assert [cells(table)["m"][0].partition(" ")[0] for table in (first, second)] == ["−12.3", "+25.0"]
        assert words(second.locator("caption")).startswith("gap to English exact")


def test_gaps_of_real_runs_are_theirs(page: Any, small: Small) -> None:
    at(page, "#languages&diff=1&open=0,1")
    result = read_results(small.runs[0])
    found = {words(table.locator("thead .title").first): table for table in gap_tables(page)}
    assert set(found) == {"Chinese", "French"}
    for gap in result.parities:
        table = found["French" if gap.family == "mini_math" else "Chinese"]
        column = ["fr"] if gap.family == "mini_math" else ["zh", "es", "hi"]
        text = cells(table)["steady"][column.index(gap.language)]
        assert gap.low is not None
        assert gap.high is not None
        assert gap.same_answer is not None
        assert text.startswith(f"{signed(gap.gap)} {signed(gap.low)} – {signed(gap.high)} n {gap.n} same answer ")
        assert f"same answer {shown(gap.same_answer)} %" in text


def signed(value: float) -> str:
    """Independent of the page's own spelling: one decimal, a sign before all but nought."""
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


# -- how a text came into its language


@pytest.mark.parametrize(
    ("provenance", "told"),
    [
        ("", ""),
        ("native", "native text"),
        ("human", "translated by people"),
        ("machine", "translated by machine"),
        ("machine, in part edited by people", "translation: machine, in part edited by people"),
        ("machine, by gpt-x", "translation: machine, by gpt-x"),
    ],
)
def test_heads_say_how_texts_came_into_their_language(browser: Any, tmp_path: Path, provenance: str, told: str) -> None:
    run = sealed(tmp_path, "m", [parity("m")], provenance=provenance)
    with opened(browser, page_of([run], tmp_path / "p.html") + "#languages") as page:
        english, hindi = heads(page.locator("table.numbers").first)
        assert english == "English ↕ en native text qa_en"
        assert hindi == " ".join(filter(None, ["Hindi ↕ hi", told, "qa_hi"]))
        at(page, "#languages&diff=1")
        (head,) = heads(page.locator("table.gaps"))
        assert head == " ".join(filter(None, ["Hindi ↕ hi", told]))


def test_a_machine_translation_is_named_above_its_numbers(browser: Any, tmp_path: Path) -> None:
    """Self-written rows in a mirror: French lacks an item, which then counts in neither language."""
    for code in ("en", "fr"):
        rows = [
            {
                "sample_id": f"anatomy/test/{number}", "subject": "anatomy", "question": f"{code} {number}?",
                "option_a": "1", "option_b": "2", "option_c": "3", "option_d": "4", "answer": "ABCD"[number % 4],
            }
            for number in range(12)
            if code == "en" or number
        ]  # fmt: skip
        file = tmp_path / "mirror" / "CohereForAI__Global-MMLU" / code / "test.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "runs").mkdir()
    tasks = ("--tasks", "global_mmlu_en,global_mmlu_fr", "--data_dir", tmp_path / "mirror")
    path = run(tmp_path / "runs", "m", *tasks)
    with opened(browser, page_of([path], tmp_path / "p.html") + "#languages&diff=1") as page:
        assert " n 11 " in cells(page.locator("table.gaps"))["m"][0]
        (head,) = heads(page.locator("table.gaps"))
        assert head.endswith("fr translation: machine, in part edited by people")


@pytest.mark.data
def test_okapis_translations_are_by_machine(browser: Any, mirror: Path, tmp_path: Path) -> None:
    tasks = ("--tasks", "arc_challenge_en,arc_challenge_hi", "--data_dir", mirror, "--limit", "24")
    path = run(tmp_path, "m", *tasks)
    (found,) = read_results(path).parities
    assert (found.task, found.reference, found.family, found.n) == (
        "arc_challenge_hi", "arc_challenge_en", "okapi_arc", 12,
    )  # fmt: skip
    with opened(browser, page_of([path], tmp_path / "p.html") + "#languages") as page:
        english, hindi = heads(page.locator("table.numbers").first)[-2:]
        assert "native text" in english
        assert "translated by machine" in hindi


# -- flags


def test_language_flags_are_rates_with_wilson_intervals(page: Any, small: Small) -> None:
    at(page, "#languages&family=mini_math")
    for flag in ("wrong_language", "code_switched"):
        table = page.locator("table.flags").filter(has=page.locator("caption b", has_text=flag.replace("_", " ")))
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
    raised = {flag for path in small.runs for task in read_results(path).tasks for flag in task.flags}
    titles = {words(title) for title in page.locator("details table.flags caption b").all()}
    assert titles == {flag.replace("_", " ") for flag in raised} - {"wrong language", "code switched"}
    assert "unparsed" in titles


# -- hostile words, small screens, other directions


def test_hostile_names_are_inert(browser: Any, tmp_path: Path) -> None:
    part = Part("qa_en", "qa", "en", metric="<b>m" + HOSTILE, protocol="<i>p" + HOSTILE, signature="<s>|" + HOSTILE)
    gaps = [parity(HOSTILE, metric=HOSTILE), parity(HOSTILE, language="<i>\u202exx")]
    first = sealed(tmp_path, HOSTILE, gaps, provenance=HOSTILE)
    second = write_run(tmp_path, "other", [part], flags={HOSTILE: 3, "capped": 1})
    address = page_of([first, second], tmp_path / "p.html")
    for state in ("&open=0,0.0,0.1,0.2,0.3,0.flags", "&diff=1"):
        with opened(browser, address + "#languages" + state) as page:
            view = page.locator("#view-languages")
            assert "<img src=x onerror=" in words(view)
            assert "⟨U+202E⟩⟨U+D83D⟩&lt;" in words(view)
            assert view.locator("img, script, i, s, iframe, [onerror]").count() == 0
            assert page.locator(".notice").count() == 0


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
