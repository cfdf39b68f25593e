"""What a page must not say: another run than was asked for, roles turned round, a check of nothing, all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evalsuite.reports.leaderboard import render, render_board
from evalsuite.reports.page_parts import PageOptions
from scripted_runs import at, opened, run, words

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.evidence import PageData

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Made:
    """A page of two runs, of which one has part of the samples; what it holds, and where it lies."""

    data: PageData
    address: str
    folder: Path

    def again(self, data: PageData, file: str) -> str:
        path = self.folder / file
        path.write_text(render_board(data, PageOptions(language="en")).html, encoding="utf-8")
        return path.as_uri()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("mends")
    runs = [
        run(folder, "Ant", "--tasks", "mini_choice_en"),
        run(folder, "Bee", "--tasks", "mini_choice_en", "--limit", "6", function="scripted_runs:stray"),
    ]
    found = Made(render(runs, BoardOptions(title="t")).data, "", folder)
    return Made(found.data, found.again(found.data, "page.html"), folder)


@pytest.fixture
def page(browser: Any, made: Made) -> Iterator[Any]:
    with opened(browser, made.address) as found:
        yield found


# -- swapped sides


def test_what_else_changed_is_said_of_the_runs_however_they_stand(page: Any, made: Made) -> None:
    pair = made.data.board.comparisons[0]
    assert any("in the baseline" in line for line in pair.comparison.warnings)
    ids = [made.data.board.runs[place].id for place in (pair.baseline, pair.candidate)]
    names = [made.data.board.runs[place].name for place in (pair.baseline, pair.candidate)]
    more = {"Ant": 34, "Bee": 0}
    for a, b in (ids, ids[::-1]):
        at(page, f"#compare&a={a}&b={b}")
        (line,) = [words(one) for one in page.locator("ul.says li").all() if "in common" in words(one)]
        for name in names:
            assert f"only in {name}: {more[name]}" in line
        assert "baseline" not in line
        assert "candidate" not in line


def test_refusals_say_whose_value_is_first(browser: Any, made: Made) -> None:
    pair = made.data.board.comparisons[0]
    refused = ({"task": "mini_math_en", "metric": "", "reasons": ("protocol: p1, p2",)},)
    changed = msgspec.to_builtins(pair.comparison) | {
        "refused": refused,
        "warnings": ("engine: hf in the baseline, scripted in the candidate",),
    }
    comparison = msgspec.convert(changed, type(pair.comparison))
    board = msgspec.structs.replace(
        made.data.board, comparisons=(msgspec.structs.replace(pair, comparison=comparison),)
    )
    ids = [board.runs[place].id for place in (pair.baseline, pair.candidate)]
    first, second = (board.runs[place].name for place in (pair.baseline, pair.candidate))
    with opened(browser, made.again(_with(made.data, board), "refused.html")) as page:
        for a, b in (ids, ids[::-1]):
            at(page, f"#compare&a={a}&b={b}")
            text = words(page.locator("#view-compare"))
            assert f"the first is of {first}, the second of {second}." in text
            assert f"engine: hf in {first}, scripted in {second}" in text


def _with(data: PageData, board: Any) -> PageData:
    return replace(data, board=board)


# -- what is not here


@pytest.mark.parametrize(
    "hash", ["#compare&a=zzz", "#compare&b=zzz", "#provenance&run=zzz", "#samples&run=zzz", "#sample&a=zzz"]
)
def test_a_run_that_is_not_here_is_said_to_be_missing(page: Any, hash: str) -> None:
    at(page, hash)
    assert words(page.locator(".notice")) == "This page has no run zzz."
    assert page.locator("#differences, #run-title, #samples-list, article").count() == 0


@pytest.mark.parametrize("view", ["samples", "sample"])
def test_a_task_that_is_not_here_is_said_to_be_missing(page: Any, view: str) -> None:
    at(page, f"#{view}&task=zzz")
    assert words(page.locator(".notice")) == "This page has no task zzz."
    page.locator("#main p a", has_text="Samples").click()
    page.locator("#samples-list").wait_for()


# -- how runs differ


def test_runs_that_were_asked_otherwise_are_not_the_same(browser: Any, made: Made) -> None:
    one = made.data.board.runs[0]
    twin = msgspec.structs.replace(one, id="f" * len(one.id), name="Twin", limit_mode="first", multiturn_shots=True)
    (task,) = made.data.board.tasks
    (part,) = [found for found in task.runs if found.run == 0]
    pin = msgspec.structs.replace(part.spec.datasets[0], fingerprint="0" * 64) if part.spec.datasets else None
    spec = msgspec.structs.replace(part.spec, repeats=3, datasets=(pin,) if pin else ())
    board = msgspec.structs.replace(
        made.data.board,
        runs=(one, twin),
        tasks=(msgspec.structs.replace(task, runs=(part, msgspec.structs.replace(part, run=1, spec=spec))),),
    )
    with opened(browser, made.again(_with(made.data, board), "twin.html")) as page:
        at(page, f"#compare&a={one.id}&b={twin.id}")
        differing = {words(head).partition(": ")[2] or words(head) for head in page.locator("#manifest tbody th").all()}
        assert {"How the limit chooses", "Exemplars as turns", "Times asked"} | (
            {"Data"} if pin else set()
        ) <= differing
        assert page.locator("text=They are the same").count() == 0


# -- the check


def check(page: Any) -> str:
    at(page, "#provenance")
    page.locator("#check").click()
    page.locator("#check-result p").first.wait_for()
    return words(page.locator("#check-result"))


def test_the_leaderboard_is_checked_too(browser: Any, made: Made) -> None:
    board = made.data.board
    (at_, column) = next(
        (place, one) for place, one in enumerate(board.columns) if not one.kind and one.formula == "mean"
    )
    cell = msgspec.structs.replace(board.cells[0][at_], value=0.123)
    row = (*board.cells[0][:at_], cell, *board.cells[0][at_ + 1 :])
    forged = msgspec.structs.replace(board, cells=(row, *board.cells[1:]))
    with opened(browser, made.again(_with(made.data, forged), "forged.html")) as page:
        said = check(page)
    assert "✗" in said
    assert re.search(rf"{board.runs[0].name}, {column.title}.*12\.3", said)


def test_the_check_says_what_it_does_not_cover(page: Any) -> None:
    said = check(page)
    assert "✓" in said
    assert "Not checked here: intervals, ranks" in said


def test_where_nothing_was_checked_there_is_no_tick(browser: Any, made: Made) -> None:
    bare = msgspec.structs.replace(
        made.data.board,
        cells=tuple(tuple(None for _ in row) for row in made.data.board.cells),
        families=tuple(msgspec.structs.replace(one, tables=()) for one in made.data.board.families),
    )
    with opened(browser, made.again(_with(made.data, bare), "bare.html")) as page:
        said = check(page)
    assert "✓" not in said
    assert said.startswith("Nothing was checked")
