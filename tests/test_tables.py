"""A table in five forms: what is read back from each is what was put in, whatever the names."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.tables import Format, Shown, Table, csv_text, rendered, rounded, shown

VALUE = shown(0.333, 0.163, 0.561, 100.0)
TABLE = Table(
    heads=("model", "n", "accuracy", "p"),
    rows=(("a", 12, VALUE, Shown("< .001", 0.0004)), ("b", None, Shown("–", None), None)),
    notes=("One.", "Two | three."),
)
NAMES = st.text(max_size=12)


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_people_read_rounded_numbers_with_intervals() -> None:
    assert rendered(TABLE, "text").splitlines() == [
        "model   n           accuracy       p",
        "a      12  33.3 [16.3, 56.1]  < .001",
        "b       –                  –       –",
        "",
        "One.",
        "Two | three.",
    ]
    assert rendered(TABLE, "markdown").splitlines() == [
        "| model | n | accuracy | p |",
        "| --- | ---: | ---: | ---: |",
        "| a | 12 | 33.3 \\[16.3, 56.1\\] | &#60; .001 |",
        "| b | – | – | – |",
        "",
        "One.  ",
        "Two &#124; three.  ",
    ]
    assert rendered(TABLE, "latex").splitlines() == [
        "% One.",
        "% Two | three.",
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r"model & n & accuracy & p \\",
        r"\midrule",
        r"a & 12 & 33.3 [16.3, 56.1] & \textless{} .001 \\",
        r"b & – & – & – \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_programs_read_numbers_in_full_and_ends_of_intervals_apart() -> None:
    assert rendered(TABLE, "csv").splitlines() == [
        "model,n,accuracy,accuracy low,accuracy high,p",
        "a,12,33.3,16.3,56.1,0.0004",
        "b,,,,,",
    ]
    assert json.loads(rendered(TABLE, "json")) == {
        "rows": [
            {"model": "a", "n": 12, "accuracy": 33.3, "accuracy low": 16.3, "accuracy high": 56.1, "p": 0.0004},
            {"model": "b", "n": None, "accuracy": None, "accuracy low": None, "accuracy high": None, "p": None},
        ],
        "notes": ["One.", "Two | three."],
    }  # fmt: skip
    frame = pd.read_csv(io.StringIO(rendered(TABLE, "csv")))
    assert frame["accuracy"].isna().tolist() == [False, True]
    assert frame["n"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'⟨U+0009⟩=1"),
        ("\r=1", "'⟨U+000D⟩=1"),
        ("  =1", "'  =1"),
        ("-inf", "'-inf"),
        ("+1_0", "'+1_0"),
        ("-0.25", "-0.25"),
        ("+1e-3", "+1e-3"),
        ("– none", "– none"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_no_text_is_a_formula_and_no_number_is_touched(text: str, written: str) -> None:
    assert csv_text(text) == written
    assert read_csv(rendered(Table((text,), ((text,),)), "csv")) == [[written], [written]]


def test_a_negative_number_is_no_formula() -> None:
    table = Table(("x", "d"), (("a", shown(-0.5, -0.75, -0.25, is_signed=True)), ("b", -3)))
    assert rendered(table, "csv").splitlines() == ["x,d,d low,d high", "a,-0.5,-0.75,-0.25", "b,-3,,"]


@given(st.lists(st.tuples(NAMES, NAMES), max_size=4))
def test_any_name_comes_back_from_json_and_takes_one_line_elsewhere(rows: list[tuple[str, str]]) -> None:
    table = Table(("name", "other"), tuple(rows), num_labels=2)
    assert [(row["name"], row["other"]) for row in json.loads(rendered(table, "json"))["rows"]] == rows
    num_lines: dict[Format, int] = {"text": 1, "csv": 1, "markdown": 2, "latex": 6}
    for form, more in num_lines.items():
        text = rendered(table, form)
        assert len(text.splitlines()) == len(rows) + more
        text.encode("utf-8")
    for row in read_csv(rendered(table, "csv"))[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@")) and not re.fullmatch(r"[+-][0-9]+", cell) for cell in row)
    for line in rendered(table, "markdown").splitlines():
        assert line.count("|") == 3
        assert "<" not in line
    for line in rendered(table, "latex").splitlines()[3:-2]:
        assert len(re.findall(r"(?<!\\)&", line)) in (0, 1)
        assert not re.search(r"(?<!\\)[#$%_^~]", line.replace("$-$", ""))


def test_latex_takes_no_cell_for_the_end_of_the_line_before() -> None:
    text = rendered(Table(("x",), (("[1ex]",), ("*",), ("\\",))), "latex")
    assert text.splitlines()[4:7] == [r"{}[1ex] \\", r"{}* \\", r"\textbackslash{} \\"]


def test_heads_that_are_alike_are_told_apart_for_programs() -> None:
    table = Table(("p", "p", "p 2"), ((1, 2, 3),))
    assert rendered(table, "csv").splitlines()[0] == "p,p 2,p 2 2"
    assert json.loads(rendered(table, "json"))["rows"] == [{"p": 1, "p 2": 2, "p 2 2": 3}]
    assert rendered(table, "text").splitlines()[0].split() == ["p", "p", "p", "2"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_stands_for_nothing(value: float) -> None:
    table = Table(("x", "y"), (("a", Shown("?", value)),))
    assert json.loads(rendered(table, "json"))["rows"][0]["y"] is None
    assert rendered(table, "csv").splitlines()[1] == "a,"


def test_a_row_of_another_length_is_refused() -> None:
    row: Any = ("a", "b")
    with pytest.raises(ValueError, match="a row of 2 cells under 1 heads"):
        Table(("x",), (row,))


def test_rounded_and_missing_numbers() -> None:
    assert rounded(0.12345, 2, 100.0) == Shown("12.35", 12.345)
    assert rounded(None, 2) == Shown("–", None)
    assert shown(None, scale=100.0) == Shown("–", None)
