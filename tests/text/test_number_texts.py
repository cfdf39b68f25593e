"""Numbers as every table, report and sentence writes them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from evalsuite.text.number_texts import (
    amount,
    bytes_text,
    chance_clause,
    chance_text,
    decimals_of,
    interval,
    interval_text,
    number,
    signed,
    unit,
    with_interval,
)

ROOT = Path(__file__).parents[2] / "evalsuite"


@pytest.mark.parametrize(
    ("value", "scale", "text", "with_sign"),
    [
        (0.4251, 100.0, "42.5", "+42.5"),
        (-0.0301, 100.0, "-3.0", "-3.0"),
        (-0.0004, 100.0, "0.0", "0.0"),
        (0.0, 1.0, "0.00", "0.00"),
        (0.804, 1.0, "0.80", "+0.80"),
        (35.42, 1.0, "35.4", "+35.4"),
        (-0.001, 1.0, "0.00", "0.00"),
    ],
)
def test_amounts_in_the_unit_that_is_shown(value: float, scale: float, text: str, with_sign: str) -> None:
    assert (amount(value, scale), signed(value, scale)) == (text, with_sign)


def test_intervals_and_units() -> None:
    assert interval(-0.021, 0.0499, 100.0, is_signed=True) == "-2.1 to +5.0"
    assert interval(0.1, 0.25, 100.0) == "10.0 to 25.0"
    assert (unit(100.0), unit(1.0)) == (" points", "")


@pytest.mark.parametrize(
    ("value", "clause"), [(0.0001, "p < .001"), (0.0123, "p = .012"), (0.5, "p = .500"), (1.0, "p = 1.000")]
)
def test_chances_in_sentences(value: float, clause: str) -> None:
    assert chance_clause(value) == clause


@pytest.mark.parametrize(
    ("value", "decimals", "is_signed", "text"),
    [
        (1.25, 1, False, "1.2"), (1.25, 1, True, "+1.2"), (-0.04, 1, False, "0.0"), (-0.04, 1, True, "0.0"),
        (0.0, 2, True, "0.00"), (-3.0, 0, True, "-3"), (None, 2, True, "–"),
    ],
)  # fmt: skip
def test_a_number(value: float | None, decimals: int, is_signed: bool, text: str) -> None:
    assert number(value, decimals, is_signed=is_signed) == text


@pytest.mark.parametrize(
    ("low", "high", "scale", "decimals"),
    [(0.2, 0.4, 100.0, 1), (0.30, 0.312, 100.0, 2), (0.3, 0.3012, 100.0, 3), (0.3, 0.3, 100.0, 2), (1.0, 9.0, 1.0, 1),
     (0.1, 0.1000002, 1.0, 4), (None, 0.5, 100.0, 1), (None, None, 1.0, 3)],
)  # fmt: skip
def test_decimals_follow_the_interval(low: float | None, high: float | None, scale: float, decimals: int) -> None:
    assert decimals_of(low, high, scale) == decimals


def test_intervals() -> None:
    assert interval_text(0.163, 0.561, 100.0) == "16.3 – 56.1"
    assert interval_text(-0.02, 0.04, 100.0, is_signed=True, between=" to ") == "-2.0 to +4.0"
    assert interval_text(0.1, 0.9, 100.0, decimals=0) == "10 – 90"
    assert interval_text(None, 0.5) == "–"
    assert with_interval(0.333, 0.163, 0.561, 100.0) == "33.3 [16.3, 56.1]"
    assert with_interval(-0.01, -0.06, 0.04, 100.0, is_signed=True) == "-1.0 [-6.0, +4.0]"
    assert with_interval(0.333, None, None, 100.0) == "33.3"
    assert with_interval(None, None, None) == "–"


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.500"), (0.001, "0.001"), (0.0009, "< .001"), (0.0, "< .001"),
                                             (1.0, "1.000"), (None, "–")])  # fmt: skip
def test_chances_in_tables(value: float | None, text: str) -> None:
    assert chance_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(1.25e9, "1.25 GB"), (640e6, "640 MB"), (0.0, "0 MB"), (None, "–")])
def test_bytes(value: float | None, text: str) -> None:
    assert bytes_text(value) == text


@pytest.mark.parametrize(
    "name", ["amount", "signed", "unit", "chance_text", "number", "visible", "visible_line", "printable"]
)
def test_gates_and_commands_have_no_other_of_these(name: str) -> None:
    """One definition of each: gates, comparisons and the command line take them from here."""
    defined = [
        str(path.relative_to(ROOT))
        for path in [*(ROOT / "gates").glob("*.py"), *(ROOT / "comparing").glob("*.py"), *(ROOT / "cli").glob("*.py")]
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    assert defined == []
