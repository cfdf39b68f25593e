"""What a page says of how far its rows were checked, and of what speaks against them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from pages import board_in
from scripted_runs import at, opened, run, words

from evalsuite.cli.main import main
from evalsuite.proofs.ledger import read_ledger
from evalsuite.proofs.manifest import manifest_of_run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path], Path]:
    """A page of two runs, of which the first stands in a ledger; the ledger."""
    folder = tmp_path_factory.mktemp("trusted")
    runs = [run(folder, name, "--tasks", "mini_choice_en", *more) for name, *more in (("Ant",), ("Bee", "--limit", 6))]
    ledger = folder / "ledger.jsonl"
    assert main(["leaderboard", "add", str(ledger), str(runs[0])]) == 0
    file = folder / "page.html"
    assert main(["report", *map(str, runs), "--ledger", str(ledger), "-o", str(file)]) == 0
    return file, runs, ledger


def test_rows_have_the_trust_and_the_hashes_of_their_runs(page: tuple[Path, list[Path], Path]) -> None:
    file, runs, ledger = page
    board = board_in(file)
    assert [run.trust.level if run.trust else None for run in board.runs] == ["re-scored", None]
    assert [run.manifest_sha256 for run in board.runs] == [manifest_of_run(path).hash for path in runs]
    assert board.ledger is not None
    assert (board.ledger.num_entries, board.ledger.head) == (1, read_ledger(ledger).head)
    assert [{flag.kind for flag in run.red_flags} for run in board.runs] == [{"no_model"}, {"no_model", "partial"}]
    assert main(["verify", str(file), str(runs[0])]) == 0


def test_a_row_whose_files_were_changed_loses_its_trust(page: tuple[Path, list[Path], Path], tmp_path: Path) -> None:
    _, _, ledger = page
    other = run(tmp_path, "Ant", "--tasks", "mini_choice_en", function="scripted_runs:stray")
    file = tmp_path / "page.html"
    assert main(["report", str(other), "--ledger", str(ledger), "-o", str(file)]) == 0
    assert board_in(file).runs[0].trust is None


@pytest.mark.browser
def test_the_reader_sees_them(browser: Any, page: tuple[Path, list[Path], Path]) -> None:
    file, runs, ledger = page
    board = board_in(file)
    with opened(browser, file.as_uri() + "#provenance") as shown:
        said = words(shown.locator("#facts-run"))
        assert "re-scored: the numbers follow from the stored answers" in said
        assert manifest_of_run(runs[0]).hash in said
        assert board.runs[0].samples_root in said
        assert read_ledger(ledger).head in words(shown.locator("#footer"))
        seal = shown.locator('meta[name="evalsuite-seal"]').get_attribute("content")
        assert seal in words(shown.locator(".check"))
        at(shown, f"#provenance&run={board.runs[1].id[:8]}")
        shown.locator("#facts-run", has_text="not in the ledger with these files").wait_for()
        assert "Only part of the samples: 6 of 40" in words(shown.locator("#view-provenance"))
        at(shown, "#board")
        shown.locator("#view-board", has_text="Answers from a file or a function, not from a model").wait_for()


def test_a_row_that_was_withdrawn_is_marked_with_the_reason(
    page: tuple[Path, list[Path], Path], tmp_path: Path
) -> None:
    _, runs, before = page
    ledger, file = tmp_path / "ledger.jsonl", tmp_path / "page.html"
    ledger.write_bytes(before.read_bytes())
    withdraw = [
        "leaderboard",
        "withdraw",
        str(ledger),
        runs[0].name.removeprefix("Ant-"),
        "--reason",
        "the wrong weights",
    ]
    assert main(withdraw) == 0
    tables = ["--tables", str(tmp_path)]
    assert main(["report", *map(str, runs), "--ledger", str(ledger), "-o", str(file), *tables]) == 0
    first, second = board_in(file).runs
    assert (first.trust, first.withdrawn, second.withdrawn) == (None, "the wrong weights", "")
    assert ",withdrawn," in (tmp_path / "leaderboard.csv").read_text(encoding="utf-8")
    assert main(["verify", str(file), str(runs[0])]) == 0
    assert main(["leaderboard", "add", str(ledger), str(runs[0]), "--reason", "they were right"]) == 0
    assert main(["report", *map(str, runs), "--ledger", str(ledger), "-o", str(file)]) == 0
    assert board_in(file).runs[0].withdrawn == ""


@pytest.mark.browser
def test_the_leaderboard_says_how_far_its_rows_were_checked(
    browser: Any, page: tuple[Path, list[Path], Path], tmp_path: Path
) -> None:
    file, runs, before = page
    with opened(browser, file.as_uri()) as shown:
        told = {words(row) for row in shown.locator("tbody th.model").all()}
        assert {"re-scored" in one for one in told} == {"not in the ledger" in one for one in told} == {True, False}
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_bytes(before.read_bytes())
    withdraw = ["leaderboard", "withdraw", str(ledger), runs[0].name.removeprefix("Ant-")]
    assert main([*withdraw, "--reason", "the wrong weights"]) == 0
    assert main(["report", *map(str, runs), "--ledger", str(ledger), "-o", str(tmp_path / "page.html")]) == 0
    with opened(browser, (tmp_path / "page.html").as_uri()) as shown:
        badge = shown.locator("tbody th.model .badge", has_text="withdrawn")
        assert "the wrong weights" in badge.get_attribute("title")
        at(shown, "#board&q=nobody")
        said = shown.locator("#view-board [role=status]", has_text="No model here has")
        assert "nobody" in words(said)


def test_the_command_of_a_row_makes_the_same_run(page: tuple[Path, list[Path], Path], tmp_path: Path) -> None:
    """Under the name that its model was given, too."""
    file, runs, _ = page
    command = shlex.split(board_in(file).runs[0].command.replace("\\\n", " "))
    assert main([*command[1:], "-o", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [runs[0].name]
