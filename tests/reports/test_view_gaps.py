"""Gaps to English in Chromium: signs, intervals and shares, who has none, and how a text came into its language."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from scripted_runs import at, cells, heads, opened, page_of, run, words
from sealed_runs import Part, write_run

from evalsuite.records import Parity
from evalsuite.store.results import read_results, write_results

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.pwned=1'></script><script>window.pwned=2</script>\u202e\ud83d&lt;"
EN, HI, ZH = (Part(f"qa_{code}", "qa", code) for code in ("en", "hi", "zh"))


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


def test_gaps_of_real_runs_are_theirs(browser: Any, tmp_path: Path) -> None:
    """One run has English and two languages; the other Hindi alone, and so no gap."""
    (tmp_path / "runs").mkdir()
    names = "mini_choice_en,mini_choice_hi,mini_choice_zh,mini_math_en,mini_math_fr"
    first = run(tmp_path / "runs", "one", "--tasks", names)
    second = run(tmp_path / "runs", "two", "--tasks", "mini_choice_hi")
    result = read_results(first)
    values = {one.task: one.value for one in result.estimates if one.is_primary}
    found = {gap.task: gap for gap in result.parities}
    assert set(found) == {"mini_choice_hi", "mini_choice_zh", "mini_math_fr"}
    assert read_results(second).parities == ()
    with opened(browser, page_of([first, second], tmp_path / "p.html") + "#languages&diff=1&open=0,1") as page:
        choice, math = gap_tables(page)
        for table, names_of in ((choice, ["mini_choice_zh", "mini_choice_hi"]), (math, ["mini_math_fr"])):
            (texts,) = cells(table).values()
            for text, name in zip(texts, names_of, strict=True):
                gap = found[name]
                assert gap.gap == pytest.approx(values[name] - values[gap.reference])
                assert gap.low is not None
                assert gap.high is not None
                assert gap.same_answer is not None
                start = f"{signed(gap.gap)} {signed(gap.low)} – {signed(gap.high)} n {gap.n} "
                assert text.startswith(f"{start}same answer {100 * gap.same_answer:.1f} %")


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


def test_hostile_names_are_inert(browser: Any, tmp_path: Path) -> None:
    gaps = [parity(HOSTILE, metric=HOSTILE), parity(HOSTILE, language="<i>\u202exx")]
    run = sealed(tmp_path, HOSTILE, gaps, provenance=HOSTILE)
    with opened(browser, page_of([run], tmp_path / "p.html") + "#languages&diff=1") as page:
        view = page.locator("#view-languages")
        assert len(gap_tables(page)) == 2
        assert "<img src=x onerror=" in words(view)
        assert "⟨U+202E⟩⟨U+D83D⟩&lt;" in words(view)
        assert view.locator("img, script, i, iframe, [onerror]").count() == 0
        assert page.locator(".notice").count() == 0
