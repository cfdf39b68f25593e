"""Several runs of one model as one row, in a browser: its runs behind a fold, its numbers each of their own run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_runs import at, opened, page_of, run, words


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("rows")
    return [
        run(folder, name, "--tasks", task) for name in ("Ant", "Bee") for task in ("mini_choice", "mini_translation")
    ]


@pytest.fixture
def page(browser: Any, runs: list[Path], tmp_path: Path) -> Iterator[Any]:
    with opened(browser, page_of(runs, tmp_path / "page.html")) as found:
        yield found


def ids(runs: list[Path]) -> list[str]:
    return [path.name.rpartition("-")[2][:8] for path in runs]


def test_a_row_has_all_numbers_and_opens_to_its_runs(page: Any, runs: list[Path]) -> None:
    rows = page.locator("#standings tbody tr, table.numbers tbody tr")
    assert rows.count() == 2
    first = rows.filter(has_text="Ant")
    assert "2 of 2" in words(first)
    first.locator("summary").click()
    links = first.locator("ul.runs a")
    links.first.wait_for()
    assert sorted(links.all_inner_texts()) == sorted(ids(runs[:2]))
    links.last.click()
    page.locator("#view-provenance").wait_for()


def test_the_check_button_finds_each_number_in_its_run(page: Any) -> None:
    at(page, "#provenance")
    page.locator("#check").click()
    report = page.locator("#check-result p").first
    report.wait_for()
    found = re.search(r"(\d+) of (\d+) numbers", words(report))
    assert found is not None
    assert found[1] == found[2] != "0"
    assert page.locator("#check-result li").count() == 0


def test_compare_begins_with_two_runs_that_asked_the_same(page: Any, runs: list[Path]) -> None:
    at(page, "#compare")
    chosen = [page.locator(f"#compare-{side}").input_value() for side in "ab"]
    tasks = {one: place % 2 for place, one in enumerate(ids(runs))}
    assert tasks[chosen[0]] == tasks[chosen[1]]
    assert page.locator("#compare-differences tbody tr, table.numbers tbody tr").count() > 0
