"""What `--tables` writes is what the page saves: in every view the same rows with the same numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evalsuite.reports.leaderboard import render
from judged_boards import answered, card, judged
from scripted_runs import at, opened, run
from vote_summaries import summary

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.evidence import PageData
from evalsuite.boards.published import published_table
from evalsuite.boards.tables import tables_of
from evalsuite.tables import rendered

pytestmark = pytest.mark.browser

Row = dict[str, Any]
OWN_ENDS = {"value", "win_half", "gap", "strength", "share", "share_acceptable", "difference"}
"""Numbers whose ends the page calls low and high alone, not after them."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PageData:
    folder = tmp_path_factory.mktemp("saved")
    tasks = ("--tasks", "mini_choice_en,mini_choice_ar,mini_math_en,mini_translation_en-fr")
    runs = [
        run(folder, "Ant", *tasks),
        run(folder, "Bee", *tasks, function="scripted_runs:stray"),
        run(folder, "Dog", "--tasks", "mini_choice_en", "--limit", "6"),
        *(answered(folder, name, "--tasks", "mini_chat_en") for name in ("ash", "birch")),
    ]
    runs += [judged(folder, "rating", "fair", one) for one in runs[3:]]
    table = folder / "theirs.csv"
    table.write_text("model,score,note\nA,7.10,new\nB,,\n", encoding="utf-8")
    options = BoardOptions(
        title="Saved",
        preference=summary(("first", "second", "third"), num_languages=3, has_quality=True, has_judge=True),
        published=(published_table(table),),
        cards=(card("fair"), card("fair", language="hi")),
    )
    return render(runs, options).data


@pytest.fixture(scope="module")
def address(data: PageData, tmp_path_factory: pytest.TempPathFactory) -> str:
    from evalsuite.reports.leaderboard import render_board
    from evalsuite.reports.page_parts import PageOptions

    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(render_board(data, PageOptions(language="en")).html, encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page of its own for each test: Chromium lets one page save so many files and no more."""
    with opened(browser, address, accept_downloads=True) as found:
        yield found


def saved(page: Any, hash: str) -> list[list[Row]]:
    at(page, hash)
    with page.expect_download() as download:
        page.locator("#download-json").click()
    tables = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    return [table["rows"] for table in tables]


def written(data: PageData, view: str, *names: str) -> list[list[Row]]:
    """The tables of `view`, of those called `names` the rows as the page calls their fields."""
    found = {one.name: one.table for one in tables_of(data, [view])}
    return [[as_saved(row) for row in json.loads(rendered(found[name], "json"))["rows"]] for name in names]


def as_saved(row: Row) -> Row:
    found = {}
    for key, value in row.items():
        head, _, end = key.rpartition(" ")
        is_end = end in ("low", "high") and head in row
        found[(end if head in OWN_ENDS else f"{head}_{end}") if is_end else key] = value
    return found


def compared(rows: list[Row], own: list[Row], keys: set[str]) -> None:
    """Both have the same rows, as far as `keys` go."""
    assert rows
    missing = keys - {*own[0]}
    assert not missing
    assert counted(rows, keys) == counted(own, keys)


def counted(rows: list[Row], keys: set[str]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(alike(row[key]) for key in sorted(keys)) for row in rows)


def alike(value: Any) -> Any:
    if value in (None, ""):
        return ""
    return f"{value:.7g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


@pytest.mark.parametrize(
    ("hash", "view", "names"),
    [
        ("#board", "leaderboard", ["leaderboard-numbers"]),
        ("#languages", "languages", ["languages-numbers", "languages-flags"]),
        ("#languages&diff=1", "languages", ["languages-gaps"]),
        ("#judges", "judges", ["judges-metrics", "judges-unparsed", "judges-leanings", "judges-cards"]),
    ],
)
def test_a_view_is_saved_as_it_is_written(page: Any, data: PageData, hash: str, view: str, names: list[str]) -> None:
    tables = saved(page, hash)
    own = written(data, view, *names)
    for rows, mine in zip(tables, own, strict=True):
        assert len(rows) == len(mine)
        compared(rows, mine, {*rows[0]} - {"same_low", "same_high"})


def test_gaps_have_how_often_answers_are_the_same(page: Any, data: PageData) -> None:
    (rows,) = saved(page, "#languages&diff=1")
    (own,) = written(data, "languages", "languages-gaps")
    ends = [(row["same_low"], row["same_high"]) for row in rows]
    assert ends == [(row["same_answer_low"], row["same_answer_high"]) for row in own]


def test_tasks_are_saved_as_they_are_written(page: Any, data: PageData) -> None:
    names = [one.name for one in tables_of(data, ["task"])]
    own = dict(zip(names, written(data, "task", *names), strict=True))
    found: list[Row] = []
    for task in data.board.tasks:
        (results, *others) = saved(page, f"#task&task={task.name}")
        found += results
        for rows in others:
            name = next(name for name, lines in own.items() if {*rows[0]} <= {*lines[0]} and name != "task-results")
            compared(rows, [row for row in own[name] if row["task"] == task.name], {*rows[0]})
    compared(found, own["task-results"], {*found[0]})


def test_every_table_of_votes_is_saved_as_it_is_written(page: Any, data: PageData) -> None:
    at(page, "#preference")
    with page.expect_download() as download:
        page.locator("#download-json").click()
    tables = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    own = {one.name.removeprefix("preference-") for one in tables_of(data, ["preference"])}
    assert {table["name"] for table in tables} == own
    for table in tables:
        (mine,) = written(data, "preference", f"preference-{table['name']}")
        keys = {*table["rows"][0]}
        if table["name"] == "worst_languages":  # its lower bound is no end of an interval, and called so here
            mine = [{**row, "low": row["at_least"]} for row in mine]
        assert len(mine) == len(table["rows"])
        compared(table["rows"], mine, keys)


def test_every_pair_of_runs_is_compared_as_it_is_saved(page: Any, data: PageData) -> None:
    (own,) = written(data, "compare", "compare")
    pair = data.board.comparisons[0]
    a, b = (data.board.runs[place].id for place in (pair.baseline, pair.candidate))
    (rows,) = saved(page, f"#compare&a={a}&b={b}")
    compared(rows, [row for row in own if (row["baseline_run"], row["candidate_run"]) == (a, b)], {*rows[0]})


def test_figures_of_others_are_saved_as_they_are_written(page: Any, data: PageData) -> None:
    (rows,) = saved(page, "#published")
    compared(rows, *written(data, "published", "published-theirs"), {*rows[0]})


def test_every_fact_that_is_saved_of_a_run_is_written(page: Any, data: PageData) -> None:
    (own,) = written(data, "provenance", "provenance")
    for one in data.board.runs:
        (rows,) = saved(page, f"#provenance&run={one.id}")
        mine = {(row["kind"], row["task"], row["fact"], row["value"]) for row in own if row["run"] == one.id}
        assert {(row["kind"], row["task"], row["fact"], row["value"]) for row in rows if row["value"]} <= mine
        assert {"command", "manifest_sha256"} <= {fact for kind, _, fact, _ in mine if kind == "run"}


def test_samples_are_saved_as_they_are_written(page: Any, data: PageData) -> None:
    (own,) = written(data, "samples", "samples")
    for task in ("mini_choice_en", "mini_chat_en"):
        (rows,) = saved(page, f"#samples&task={task}")
        compared(rows, [row for row in own if row["task"] == task], {*rows[0]})
