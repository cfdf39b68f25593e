"""Published tables: digit for digit, their arithmetic done again, and nothing invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.boards.published import published_table
from evalsuite.errors import ConfigError, DataError

ROOT = Path(__file__).parents[2]
DESCRIPTIONS = sorted((ROOT / "configs" / "published").glob("*.yaml"))


def described(folder: Path, text: str, table: str) -> Path:
    (folder / "t.csv").write_text(table, encoding="utf-8")
    path = folder / "t.yaml"
    path.write_text(f"title: T\nsource: S\nfile: t.csv\n{text}", encoding="utf-8")
    return path


@pytest.mark.data
@pytest.mark.parametrize("path", DESCRIPTIONS, ids=lambda path: path.stem)
def test_every_total_of_the_five_holds(path: Path, reference: Path) -> None:
    table = published_table(path, reference)
    assert table.rows
    assert table.checks
    assert [check.failed for check in table.checks] == [{}] * len(table.checks)
    assert all(check.num_checked for check in table.checks)


@pytest.mark.data
def test_figures_are_digit_for_digit_and_what_was_not_published_is_empty(reference: Path) -> None:
    by_name = {path.stem: published_table(path, reference) for path in DESCRIPTIONS}
    board = by_name["openllm"]
    row = board.rows.index(("blossom-v5-34b",))
    assert [cell and cell.text for cell in board.cells[row]] == [
        "72.65",
        "66.98",
        "84.79",
        "76.00",
        "62.68",
        "83.43",
        "62.02",
    ]
    votes = by_name["bloomchat"]
    assert votes.columns == ("preferred_percent", "en", "zh", "fr", "ar", "es", "hi")
    assert [cell for row in votes.cells for cell in row[1:]] == [None] * 18
    turns = by_name["mt_bench"]
    zephyr = turns.rows.index(("2024-05-06", "zephyr-7b-beta"))
    assert [cell and cell.text for cell in turns.cells[zephyr]] == [None, None, "7.34"]
    assert turns.checks[0].num_checked == 9


def test_what_does_not_add_up_is_told(tmp_path: Path) -> None:
    path = described(
        tmp_path,
        "labels: [model]\nchecks:\n  - {column: mean, mean_of: [a, b], within: 0.01}\n",
        "model,a,b,mean\nx,1,2,1.5\ny,1,2,1.9\nz,1,,1\n",
    )
    (check,) = published_table(path).checks
    assert check.num_checked == 2
    assert check.failed == {"y": pytest.approx(0.4)}


def test_sums_of_rows_of_one_group(tmp_path: Path) -> None:
    table = "who,side,share\nA,x,40\nA,y,60\nB,x,50\nB,y,49\nC,x,10\n"
    checks = published_table(described(tmp_path, "labels: [who, side]\nsum_to: 100\n", table)).checks
    assert {check.group: dict(check.failed) for check in checks} == {"A": {}, "B": {"B": -1.0}}


def test_a_row_that_fails_is_not_hidden_by_a_later_one_of_its_name(tmp_path: Path) -> None:
    text = "labels: [model]\nchecks:\n  - {column: mean, mean_of: [a, b], within: 0.01}\n"
    path = described(tmp_path, text, "model,a,b,mean\nx,1,2,9\ny,1,2,1.5\nx,1,2,1.5\n")
    (check,) = published_table(path).checks
    assert (check.num_checked, dict(check.failed)) == (3, {"x (row 2)": 7.5})


def test_sums_are_held_to_the_decimals_that_are_printed(tmp_path: Path) -> None:
    table = "who,side,share\nA,x,33.33\nA,y,33.33\nA,z,33.33\nB,x,33.3\nB,y,33.3\nB,z,33.1\nC,x,50.1\nC,y,50.0\n"
    checks = published_table(described(tmp_path, "labels: [who, side]\nsum_to: 100\n", table)).checks
    failed = {check.group: dict(check.failed) for check in checks}
    assert failed == {"A": {}, "B": {"B": pytest.approx(-0.3)}, "C": {"C": pytest.approx(0.1)}}


def test_groups_whose_labels_run_together_stay_apart(tmp_path: Path) -> None:
    table = "a,b,side,share\nu v,w,x,40\nu v,w,y,60\nu,v w,x,50\nu,v w,y,50\n"
    checks = published_table(described(tmp_path, "labels: [a, b, side]\nsum_to: 100\n", table)).checks
    assert [check.failed for check in checks] == [{}, {}]


def test_a_bare_table_stands_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("model,score\na,7.10\nb,\n", encoding="utf-8")
    table = published_table(path)
    assert (table.title, table.labels, table.columns) == ("mine", ("model",), ("score",))
    assert [row[0] and row[0].text for row in table.cells] == ["7.10", None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("labels: [modle]\n", "no column 'modle'; did you mean 'model'?"),
        ("labels: [model]\ncolumns: [z]\n", "no column 'z'"),
        (
            "labels: [model]\nchecks:\n  - {column: a, mean_of: [], within: 1}\n",
            r"t\.yaml: the check of 'a' has an empty mean_of",
        ),
        ("labels: [model]\nlables: [x]\n", "lables"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace("?", r"\?")):
        published_table(described(tmp_path, text, "model,a\nx,1\n"))


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = described(tmp_path, "labels: [model]\n", "model,a\nx,1\n")
    (tmp_path / "t.csv").unlink()
    with pytest.raises(DataError, match="--published_dir"):
        published_table(path)
