"""The tables of the five seed documents as a page: digit for digit, labelled published, empty where nothing was."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evalsuite.reports.leaderboard import render
from scripted_runs import opened, words

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.published import published_table

pytestmark = [pytest.mark.browser, pytest.mark.data]

DESCRIPTIONS = sorted((Path(__file__).parents[2] / "configs" / "published").glob("*.yaml"))
FILES = {"AlignBench": "alignbench", "BELLE": "belle", "BLOOMChat": "bloomchat", "MT-Bench": "mt_bench",
         "Open LLM Leaderboard": "openllm_six_tasks"}  # fmt: skip


@pytest.fixture(scope="module")
def page(browser: Any, reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    tables = tuple(published_table(path, reference) for path in DESCRIPTIONS)
    file = tmp_path_factory.mktemp("published") / "page.html"
    file.write_text(render([], BoardOptions(published=tables)).html, encoding="utf-8")
    with opened(browser, file.as_uri() + "#published") as shown:
        yield shown


@pytest.mark.parametrize("title", FILES)
def test_every_figure_of_the_file_is_there_and_no_other(page: Any, reference: Path, title: str) -> None:
    with (reference / f"{FILES[title]}.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    family = page.locator("section.family", has=page.locator("h3", has_text=title))
    table = next(one for one in (published_table(path, reference) for path in DESCRIPTIONS) if title in one.title)
    figures = sorted(row[name] for row in rows for name in table.columns if row.get(name))
    assert sorted(family.locator("td.cell b.value").all_inner_texts()) == figures
    assert family.locator("tbody tr").count() == len(rows)
    assert words(family.locator(".badge")) == "published by others"
    assert family.locator("ul.says li").count() >= 1
    assert all(text.startswith("✓") for text in family.locator("ul.says li").all_inner_texts())


def test_what_was_never_published_is_empty_and_says_so(page: Any) -> None:
    votes = page.locator("section.family", has=page.locator("h3", has_text="BLOOMChat"))
    heads = [head.split("\n") for head in votes.locator("thead th").all_inner_texts()]
    assert [head[-1] for head in heads][-6:] == ["never published"] * 6
    first = votes.locator("tbody tr").first
    assert first.locator("td.none").count() == 6
    assert "not published" in words(first.locator("td.none").first)


def test_no_rank_is_given_to_figures_of_others(page: Any) -> None:
    assert page.locator("nav#views a").all_inner_texts() == ["Published"]
