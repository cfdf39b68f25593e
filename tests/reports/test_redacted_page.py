"""`evalsuite verify` of a redacted page: its texts are compared as far as they are told, its counts as ever."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evalsuite.reports.leaderboard import render, render_board
from evalsuite.reports.page_check import check
from evalsuite.reports.page_parts import read_page
from scripted_runs import run

from evalsuite.boards.building import BoardOptions
from evalsuite.boards.evidence import PageData
from evalsuite.boards.redacting import MARK
from evalsuite.cli.main import main

Page = tuple[list[Path], PageData]
VOWELS = re.compile("[aeiou]")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("redacted")
    runs = [run(folder, name, "--tasks", "mini_choice_en,mini_math_en", "--limit", "8") for name in ("Ant", "Bee")]
    return runs, render(runs, BoardOptions(title="Redacted", redact=(VOWELS,))).data


def findings(folder: Path, data: PageData, runs: list[Path]) -> list[tuple[str, str]]:
    path = folder / "page.html"
    path.write_text(render_board(data, page_options()).html, encoding="utf-8")
    assert read_page(path).data() == data
    return [(one.file, one.field) for one in check(path, runs).findings]


def page_options() -> Any:
    from evalsuite.reports.page_parts import PageOptions

    return PageOptions()


def test_an_untouched_redacted_page_is_equal_with_and_without_its_runs(page: Page, tmp_path: Path) -> None:
    runs, data = page
    assert data.board.redactions > 1000
    assert not any(VOWELS.search(one.input) for one in data.samples[0].samples)
    assert findings(tmp_path, data, []) == []
    assert findings(tmp_path, data, runs) == []
    (note,) = [note for note in check(tmp_path / "page.html", runs).notes if MARK in note]
    assert note.startswith("redacted")


def with_input(data: PageData, text: str) -> PageData:
    first = data.samples[0]
    told = msgspec.structs.replace(first.samples[0], input=text)
    return replace(
        data, samples=(msgspec.structs.replace(first, samples=(told, *first.samples[1:])), *data.samples[1:])
    )


def test_what_is_told_of_a_text_must_stand_in_the_run(page: Page, tmp_path: Path) -> None:
    runs, data = page
    own = data.samples[0].samples[0].input
    changed = own[:-1] + ("!" if own[-1] != "!" else "?")
    assert changed.count(MARK) == own.count(MARK)
    assert findings(tmp_path, with_input(data, changed), []) == []
    found = findings(tmp_path, with_input(data, changed), runs)
    assert found
    assert set(found) == {("samples", "facts.input")}


def test_texts_of_a_page_that_does_not_say_so_are_not_taken_for_redacted(page: Page, tmp_path: Path) -> None:
    runs, data = page
    silent = replace(data, board=msgspec.structs.replace(data.board, redactions=0))
    assert findings(tmp_path, silent, []) == []
    assert ("samples", "facts.input") in findings(tmp_path, silent, runs)


def test_a_page_has_as_many_marks_as_it_says(page: Page, tmp_path: Path) -> None:
    _, data = page
    fewer = replace(data, board=msgspec.structs.replace(data.board, redactions=data.board.redactions - 1))
    assert findings(tmp_path, fewer, []) == [("board", "redactions")]


def test_a_changed_count_of_a_redacted_page_is_found_without_its_runs(page: Page, tmp_path: Path) -> None:
    _, data = page
    first = data.samples[0]
    answer = first.answers[0][0]
    assert answer is not None
    turned = {name: tuple(1.0 - one if at == 0 else one for at, one in enumerate(counts))
              for name, counts in answer.counts.items()}  # fmt: skip
    rows = ((msgspec.structs.replace(answer, counts=turned), *first.answers[0][1:]), *first.answers[1:])
    changed = replace(data, samples=(msgspec.structs.replace(first, answers=rows), *data.samples[1:]))
    assert findings(tmp_path, changed, [])


def test_a_changed_number_of_a_sample_of_a_redacted_page_is_found_by_its_runs(page: Page, tmp_path: Path) -> None:
    runs, data = page
    first = data.samples[0]
    answer = first.answers[0][0]
    assert answer is not None
    reply = msgspec.structs.replace(answer.replies[0], sums=(-0.5, *answer.replies[0].sums[1:]))
    rows = ((msgspec.structs.replace(answer, replies=(reply,)), *first.answers[0][1:]), *first.answers[1:])
    changed = replace(data, samples=(msgspec.structs.replace(first, answers=rows), *data.samples[1:]))
    assert findings(tmp_path, changed, runs) == [("samples", "answer.replies[0].sums[0]")]


# -- the command


def test_the_command_redacts_and_the_page_can_be_verified(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, _ = page
    out = tmp_path / "index.html"
    told = ["--redact", "(?i)what", "--redact", "Ant"]
    assert main(["report", *map(str, runs), "-o", str(out), *told]) == 0
    said = capsys.readouterr()
    assert "--redact matches" in said.err
    assert "times in runs, which is not redacted" in said.err
    assert "places" in out.read_text(encoding="utf-8")
    assert main(["verify", str(out), *map(str, runs)]) == 0


@pytest.mark.parametrize("expression", ["(", "a{2,1}", "*", "", "(?P<n>a)(?P<n>b)", "a{99999999999}"])
def test_a_bad_expression_is_named(expression: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = ["report", str(tmp_path), "-o", str(tmp_path / "x.html"), "--redact", "fine", "--redact", expression]
    (tmp_path / "results.json").write_text("{}", encoding="utf-8")
    assert main(asked) == 2
    assert f"--redact {expression!r}" in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()
