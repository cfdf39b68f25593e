"""Tables of a board: marked, with n and interval, empty where nothing is, and safe in every form."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sealed_runs import Part, choice_record, text_record, write_run
from vote_summaries import summary

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.evidence import PageData, page_data
from evalsuite.boards.published import published_table
from evalsuite.boards.tables import tables_of
from evalsuite.cli.report_tables import VIEWS
from evalsuite.tables import Table, rendered, rows_of_text

EN = Part("qa_en", "qa", "en", value=0.4)
AR = Part("qa_ar", "qa", "ar", value=0.2)
HOLED = Part("qa_en", "qa", "en", value=0.4, n=16, num_unscored=4, case=(0.32, 0.52))
LOST = Part("qa_ar", "qa", "ar", n=0, num_unscored=20)


def table(data: PageData, name: str) -> Table:
    (found,) = [one.table for one in tables_of(data, VIEWS) if one.name == name]
    return found


def rows(data: PageData, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rendered(table(data, name), "json"))["rows"]
    return found


def texts(data: PageData, name: str) -> list[dict[str, str]]:
    heads, *lines = rows_of_text(table(data, name))
    return [dict(zip(heads, line, strict=True)) for line in lines]


def test_the_leaderboard_says_n_once_where_it_is_the_same(tmp_path: Path) -> None:
    data = page_data([write_run(tmp_path, name, [EN]) for name in ("a", "b")], BoardOptions(title="Mine"))
    first, second = texts(data, "leaderboard")
    assert {key: first[key] for key in ("model", "marks")} == {"model": "a", "marks": ""}
    (head,) = [one for one in first if one.startswith("qa_en")]
    assert head == "qa_en acc ↑ (p1, 0-shot), n 20"
    assert first[head] == second[head] == "40.0 [25.0, 75.0]"
    number = {key: value for key, value in rows(data, "leaderboard")[0].items() if key.startswith(head)}
    assert list(number.values()) == [40.0, 25.0, 75.0, 20]


def test_runs_with_holes_and_parts_are_marked_and_say_n_in_each_cell(tmp_path: Path) -> None:
    data = page_data(
        [write_run(tmp_path, "holed", [HOLED, LOST]), write_run(tmp_path, "part", [EN], limit=20)], BoardOptions()
    )
    holed, part = texts(data, "leaderboard")
    assert (holed["marks"], part["marks"]) == ("incomplete", "partial sample")
    assert holed["qa_en acc ↑ (p1, 0-shot)"] == "40.0 [25.0, 75.0], n 16, 4 unscored"
    assert part["qa_en acc ↑ (p1, 0-shot)"] == "40.0 [25.0, 75.0], n 20"
    lines = rows(data, "leaderboard-numbers")
    assert [(one["model"], one["marks"], one["n"], one["unscored"]) for one in lines] == [
        ("holed", "incomplete", 16, 4), ("part", "partial sample", 20, 0),
    ]  # fmt: skip
    for one in rows(data, "languages-numbers"):
        assert one["marks"] == {"holed": "incomplete", "part": "partial sample"}[one["model"]]


def test_what_was_not_run_is_an_empty_cell(tmp_path: Path) -> None:
    data = page_data([write_run(tmp_path, "both", [EN, AR]), write_run(tmp_path, "one", [EN])], BoardOptions())
    name = next(one for one in texts(data, "leaderboard")[1] if one.startswith("qa_ar"))
    both, one = rows(data, "leaderboard")
    assert [both[key] for key in both if key.startswith("qa_ar")] == [20.0, 25.0, 75.0, 20]
    assert {one[key] for key in one if key.startswith("qa_ar")} == {None}
    assert texts(data, "leaderboard")[1][name] == ""
    line = next(line for line in rendered(table(data, "leaderboard"), "csv").splitlines() if line.startswith("one,"))
    assert line.startswith("one,")
    assert ",,,," in line


def test_a_task_without_any_score_says_so(tmp_path: Path) -> None:
    data = page_data([write_run(tmp_path, "a", [EN, AR]), write_run(tmp_path, "b", [EN, LOST])], BoardOptions())
    found = texts(data, "languages-qa-acc")
    assert [next(value for head, value in line.items() if head.startswith("ar")) for line in found] == [
        "20.0 [25.0, 75.0]", "no value, 20 unscored, timeout",
    ]  # fmt: skip


def test_ranks_are_ranges_of_words(tmp_path: Path) -> None:
    """A spreadsheet makes a date of 1-3."""
    data = page_data([write_run(tmp_path, name, [EN]) for name in ("a", "b", "c")], BoardOptions())
    assert data.board.ranking is None or texts(data, "leaderboard")[0]["ranks"] == "1 to 3"


def test_tables_of_others_are_labelled_in_every_form(tmp_path: Path) -> None:
    file = tmp_path / "their table.csv"
    file.write_text("model,score,year\n=A,7.10,n/a\nB,,2020\n", encoding="utf-8")
    data = page_data([], BoardOptions(published=(published_table(file), published_table(file))))
    assert [one.name for one in tables_of(data, VIEWS)] == ["published-their-table", "published-their-table-2"]
    found = table(data, "published-their-table")
    assert list(csv.reader(io.StringIO(rendered(found, "csv")))) == [
        ["published in", "model", "score", "year"],
        ["their table.csv", "'=A", "7.1", "n/a"],
        ["their table.csv", "B", "", "2020.0"],
    ]
    assert rows_of_text(found)[1][2] == "7.10"
    for form in ("json", "markdown", "latex"):
        assert "published by others" in rendered(found, form)  # type: ignore[arg-type]


def test_names_are_those_of_files_and_each_its_own(tmp_path: Path) -> None:
    parts = [
        Part("a/b_en", "a/b", "en", metric="../m"), Part("A B_en", "A B", "en", metric="M"),
        Part("a-b_en", "a-b", "en", metric="m"), Part("问_zh", "问", "zh", metric="准"),
    ]  # fmt: skip
    data = page_data([write_run(tmp_path, "x", parts)], BoardOptions())
    names = [one.name for one in tables_of(data, VIEWS)]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_.+-]+", name) for name in names)
    assert {"languages-A-B-M", "languages-a-b-m-2", "languages-a-b-m-3", "languages"} <= set(names)


HOSTILE = "=cmd|' /C calc'!A0\\input{x}<img>|\u202e\n"


def test_hostile_names_are_texts_everywhere(tmp_path: Path) -> None:
    part = Part("qa_en", "qa", "en", metric=HOSTILE, protocol=HOSTILE, signature=HOSTILE)
    records = [
        choice_record("qa_en:test:0", "en", HOSTILE, (HOSTILE, "b")),
        text_record(f"qa_en:{HOSTILE}:1", "en", HOSTILE, [HOSTILE]),
    ]
    run = write_run(tmp_path, HOSTILE, [part], records, flags={HOSTILE: 1}, identity={"function": HOSTILE})
    other = write_run(tmp_path, "plain", [part], records, identity={"function": HOSTILE})
    found = tables_of(page_data([run, other], BoardOptions(title=HOSTILE)), VIEWS)
    assert len(found) > 8
    for one in found:
        for line in csv.reader(io.StringIO(rendered(one.table, "csv"), newline="")):
            for cell in line:
                assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                assert not cell.startswith("-") or re.fullmatch(r"-[0-9.]+", cell)
                assert "\u202e" not in cell
        latex = rendered(one.table, "latex").splitlines()
        assert not [line for line in latex if "\\input" in line and not line.startswith("% ")]
        assert len(latex) == len(one.table.rows) + 6 + len(one.table.notes)
        assert "<img" not in rendered(one.table, "markdown")
        assert json.loads(rendered(one.table, "json"))["rows"]


def test_every_number_of_votes_stands_with_how_many(tmp_path: Path) -> None:
    votes = summary(("a", "b", "c"), num_languages=3, has_quality=True, has_judge=True)
    data = page_data([], BoardOptions(preference=votes))
    found = tables_of(data, ("preference",))
    for one in found:
        heads = {*one.table.heads}
        assert {head for head in heads if head.startswith("num") or head in ("n", "of", "total")}, one.name
    names = {one.name.removeprefix("preference-") for one in found}
    assert {"win_rates", "strengths", "quality", "quality_differences", "agreement", "languages", "dropped"} <= names
    people = {one.annotator for one in votes.annotators}
    assert not people & {cell for one in found for row in one.table.rows for cell in row if isinstance(cell, str)}
    rate = rows(data, "preference-win_rates")[0]
    assert (rate["win_half"], rate["win low"]) == (votes.rates[0].win_half, votes.rates[0].intervals["win"].low)


def test_a_judge_that_is_unfit_marks_its_runs(tmp_path: Path) -> None:
    from evalsuite.boards.judge_records import Unfit
    from evalsuite.boards.table_parts import marks_of

    (run,) = page_data([write_run(tmp_path, "m", [EN], limit=2)], BoardOptions()).board.runs
    unfit = msgspec.structs.replace(run, unfit=(Unfit(language="en", source="card"),))
    assert marks_of(unfit) == "partial sample, unfit judge"


def test_an_unknown_view_is_no_view(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        tables_of(page_data([write_run(tmp_path, "m", [EN])], BoardOptions()), ("boards",))
