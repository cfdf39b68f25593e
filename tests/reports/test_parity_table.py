"""The gap to English on the page: signs, intervals and shares, who has none, and how a text came into its language."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evalsuite.reports._runs import load_runs
from evalsuite.reports.leaderboard import render
from evalsuite.reports.parity import ParityCell, parity_tables
from sealed_runs import Part, write_run

from evalsuite.cli.main import main
from evalsuite.records import Parity
from evalsuite.store.results import read_results, write_results

HOSTILE = "<img src=x onerror=alert(1)></script><b>\u202e\ud83d&lt;"
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


@dataclass(frozen=True)
class Table:
    """What a reader sees of the table: languages, and of every model its cells' texts."""

    caption: str
    languages: list[str]
    rows: dict[str, list[list[str]]]


def texts(markup: str) -> list[str]:
    """The texts between tags."""
    return [unescape(text).strip() for text in re.split(r"<[^>]*>", markup) if text.strip()]


def tables(page: str) -> list[Table]:
    """The tables of gaps on a page."""
    found = []
    for table in re.findall(r'<table class="numbers parity">(.*?)</table>', page, re.DOTALL):
        caption, _, rest = table.partition("</caption>")
        head, _, body = rest.partition("</thead>")
        rows = {}
        for line in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL):
            name, *cells = re.split(r"(?=<td )", line)
            rows[texts(name)[0]] = [texts(cell) for cell in cells]
        found.append(Table(" ".join(texts(caption)), columns(head)[1:], rows))
    return found


def columns(head: str) -> list[str]:
    return [" ".join(texts(column)) for column in re.findall(r"<th .*?</th>", head, re.DOTALL)]


def heads(page: str) -> list[str]:
    """The columns of every headline of the languages view, but for the models."""
    view = page.partition('<section id="languages"')[2]
    found = [table for table in re.findall(r"<caption.*?</thead>", view, re.DOTALL) if "badge headline" in table]
    return [column for table in found for column in columns(table)[1:]]


# -- the cells


def test_a_page_shows_gap_interval_number_and_share(tmp_path: Path) -> None:
    run = sealed(tmp_path, "m", [parity("m")])
    (table,) = tables(render([run], "t"))
    assert table.languages == ["hi Hindi"]
    assert table.rows == {"m": [["−12.3", "−25.0 – +0.4", "n 40", "same answer 62.5 % (47.0 – 75.8)"]]}
    assert table.caption.startswith(
        "gap to English acc, p1, 0-shot: each language less English on the items that both have"
    )


def cell(tmp_path: Path, **changes: Any) -> ParityCell:
    runs = load_runs([sealed(tmp_path, "m", [parity("m", **changes)])])
    (table,) = parity_tables("qa", runs)
    found = table.rows[0].cells[0]
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("gap", "scale", "shown"),
    [
        (0.1234, 100.0, "+12.3"),
        (-0.1234, 100.0, "−12.3"),
        (0.0, 100.0, "0.0"),
        (0.0004, 100.0, "0.0"),
        (-0.0004, 100.0, "0.0"),
        (0.0006, 100.0, "+0.1"),
        (-1.0, 100.0, "−100.0"),
        (1.0, 100.0, "+100.0"),
        (-3.21, 1.0, "−3.2"),
        (12.0, 1.0, "+12.0"),
    ],
)
def test_a_gap_has_a_sign_unless_it_is_shown_as_nought(tmp_path: Path, gap: float, scale: float, shown: str) -> None:
    assert cell(tmp_path, gap=gap, scale=scale).gap == shown


def test_what_cannot_be_known_is_said(tmp_path: Path) -> None:
    assert cell(tmp_path, low=None, high=None).interval == "no interval"


@pytest.mark.parametrize(("num_clusters", "shown"), [(40, "n 40"), (7, "n 40 in 7 clusters"), (1, "n 40 in 1 cluster")])
def test_clusters_are_counted_where_items_share_them(tmp_path: Path, num_clusters: int, shown: str) -> None:
    assert cell(tmp_path, num_clusters=num_clusters).n == shown


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "same answer 62.5 % (47.0 – 75.8)"),
        ({"num_answered": 8}, "same answer 62.5 % of 8 (47.0 – 75.8)"),
        ({"num_answered": 0, "same_answer": None, "same_low": None, "same_high": None}, ""),
        ({"same_answer": 1.0, "same_low": 0.9124, "same_high": 1.0}, "same answer 100.0 % (91.2 – 100.0)"),
    ],
)
def test_the_share_of_same_answers(tmp_path: Path, changes: Mapping[str, Any], shown: str) -> None:
    assert cell(tmp_path, **changes).same == shown


# -- the table


def test_runs_are_rows_and_languages_columns_in_their_order(tmp_path: Path) -> None:
    runs = [
        sealed(tmp_path, "b", [parity("b", "hi"), parity("b", "zh", gap=0.5)], (EN, HI, ZH)),
        sealed(tmp_path, "a", [parity("a", "zh")], (EN, ZH)),
    ]
    (table,) = tables(render(runs, "t"))
    assert table.languages == ["zh Chinese", "hi Hindi"]
    assert list(table.rows) == ["a", "b"]
    assert [[texts[0] if texts else "" for texts in cells] for cells in table.rows.values()] == [
        ["−12.3", ""],
        ["+50.0", "−12.3"],
    ]
    assert render(runs, "t") == render(runs[::-1], "t")


def test_runs_without_a_gap_have_no_row(tmp_path: Path) -> None:
    runs = [sealed(tmp_path, "with", [parity("with")]), sealed(tmp_path, "without", parts=(HI,))]
    (table,) = tables(render(runs, "t"))
    assert list(table.rows) == ["with"]
    assert parity_tables("other", load_runs(runs)) == ()


def test_a_page_without_gaps_has_no_table(tmp_path: Path) -> None:
    page = render([sealed(tmp_path, "m"), sealed(tmp_path, "n", parts=(HI, ZH))], "t")
    assert tables(page) == []
    assert "gap to English" not in page


def test_every_family_has_its_own_table(tmp_path: Path) -> None:
    other = [Part(f"zz_{code}", "zz", code) for code in ("en", "hi")]
    gaps = [parity("m"), parity("m", family="zz", task="zz_hi", reference="zz_en", gap=0.25, metric="exact")]
    page = render([sealed(tmp_path, "m", gaps, (EN, HI, *other))], "t")
    first, second = tables(page)
    assert [table.rows["m"][0][0] for table in (first, second)] == ["−12.3", "+25.0"]
    assert second.caption.startswith("gap to English exact,")


def test_an_unknown_language_stands_last_under_its_code(tmp_path: Path) -> None:
    run = sealed(tmp_path, "m", [parity("m", "xx"), parity("m", "hi")])
    (table,) = tables(render([run], "t"))
    assert table.languages == ["hi Hindi", "xx"]


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    gaps = [parity(HOSTILE, metric=HOSTILE), parity(HOSTILE, language="<i>\u202exx")]
    page = render([sealed(tmp_path, HOSTILE, gaps, provenance=HOSTILE)], HOSTILE)
    table, other = tables(page)
    assert len(table.rows) == len(other.rows) == 1
    assert "<img" not in page
    assert "<i>xx" not in page
    assert "\u202e" not in page
    assert page.count("<script") == page.count("</script>") == 2
    (name,) = table.rows
    assert name.startswith("<img src=x onerror=alert(1)></script><b>⟨U+202E⟩⟨U+D83D⟩&lt;")
    assert any("<img src=x" in each.caption for each in (table, other))
    page.encode("utf-8")


# -- how a text came into its language


def test_heads_say_what_was_translated_and_how(tmp_path: Path) -> None:
    page = render([sealed(tmp_path, "m", parts=(EN, HI), provenance="machine")], "t")
    english, hindi = heads(page)
    assert english == "en English"
    assert hindi == "hi Hindi, translation: machine"
    assert page.count("translation: machine") == 1


@pytest.mark.parametrize("provenance", ["", "native"])
def test_what_is_at_home_in_its_language_needs_no_word(tmp_path: Path, provenance: str) -> None:
    assert "translation: " not in render([sealed(tmp_path, "m", provenance=provenance)], "t")


# -- from runs to the page


def run(folder: Path, name: str, *tasks: str, options: Sequence[str] = ()) -> Path:
    """A run of the scripted toy model under this name."""
    before = set(folder.glob("*"))
    code = main(
        [
            "run", "--model", "scripted", "--model_args", f"name={name}", "--tasks", ",".join(tasks),
            "--output_path", str(folder), *options,
        ]
    )  # fmt: skip
    assert code == 0
    (path,) = set(folder.glob("*")) - before
    return path


def signed(value: float) -> str:
    """Independent of the page's own spelling: one decimal, a sign before all but nought."""
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def test_two_scripted_runs_on_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One has English and two languages; the other Hindi alone, and so no gap."""
    first = run(tmp_path, "one", "mini_choice_en", "mini_choice_hi", "mini_choice_zh", "mini_math_en", "mini_math_fr")
    second = run(tmp_path, "two", "mini_choice_hi")
    capsys.readouterr()
    result = read_results(first)
    values = {estimate.task: estimate.value for estimate in result.estimates if estimate.is_primary}
    gaps = {found.task: found for found in result.parities}
    assert set(gaps) == {"mini_choice_hi", "mini_choice_zh", "mini_math_fr"}
    for name, found in gaps.items():
        assert found.reference == f"{found.family}_en"
        assert found.gap == pytest.approx(values[name] - values[found.reference])
        assert found.n == found.num_clusters == {"mini_choice": 40, "mini_math": 20}[found.family]
        assert found.model == "one"
    assert read_results(second).parities == ()
    choice, math = tables(render([first, second], "t"))
    assert choice.languages == ["zh Chinese", "hi Hindi"]
    for table, names in ((choice, ["mini_choice_zh", "mini_choice_hi"]), (math, ["mini_math_fr"])):
        assert list(table.rows) == ["one"]
        for shown, name in zip(table.rows["one"], names, strict=True):
            found = gaps[name]
            assert found.low is not None
            assert found.high is not None
            assert shown[:3] == [
                signed(100 * found.gap),
                f"{signed(100 * found.low)} – {signed(100 * found.high)}",
                f"n {found.n}",
            ]
            assert found.same_answer is not None
            assert shown[3].startswith(f"same answer {100 * found.same_answer:.1f} %")


def test_a_machine_translation_is_named_above_its_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    options = ("--data_dir", str(tmp_path / "mirror"))
    path = run(tmp_path / "runs", "m", "global_mmlu_en", "global_mmlu_fr", options=options)
    capsys.readouterr()
    page = render([path], "t")
    (table,) = tables(page)
    assert table.rows["m"][0][2] == "n 11"
    assert page.count("translation: machine, in part edited by people") >= 1
    assert not any("translation" in head for head in heads(page) if head.startswith("en"))


@pytest.mark.data
def test_okapis_translations_are_by_machine(mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--data_dir", str(mirror), "--limit", "24")
    path = run(tmp_path, "m", "arc_challenge_en", "arc_challenge_hi", options=options)
    capsys.readouterr()
    (found,) = read_results(path).parities
    assert (found.task, found.reference, found.family, found.n) == (
        "arc_challenge_hi", "arc_challenge_en", "okapi_arc", 12,
    )  # fmt: skip
    page = render([path], "t")
    english, hindi = (next(head for head in heads(page) if head.startswith(code)) for code in ("en", "hi"))
    assert "translation: machine" in hindi
    assert "translation" not in english
