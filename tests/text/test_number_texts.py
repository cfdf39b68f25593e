"""Numbers as every table, report and sentence writes them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from evalsuite.text.number_texts import amount, chance, chance_clause, decimals_for, fixed, interval, signed, unit

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


def test_zero_has_no_sign() -> None:
    assert (fixed(-0.04, 1), fixed(-0.04, 1, is_signed=True), fixed(0.04, 1, is_signed=True)) == ("0.0", "0.0", "0.0")
    assert fixed(0.06, 1, is_signed=True) == "+0.1"


def test_intervals_and_units() -> None:
    assert interval(-0.021, 0.0499, 100.0, is_signed=True) == "-2.1 to +5.0"
    assert interval(0.1, 0.25, 100.0) == "10.0 to 25.0"
    assert (unit(100.0), unit(1.0)) == (" points", "")
    assert [decimals_for(width) for width in (5.0, 0.5, 0.05)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("value", "text", "clause"),
    [(0.0001, "< .001", "p < .001"), (0.0123, ".012", "p = .012"), (0.5, ".500", "p = .500"),
     (1.0, "1.000", "p = 1.000")],
)  # fmt: skip
def test_chances(value: float, text: str, clause: str) -> None:
    assert (chance(value), chance_clause(value)) == (text, clause)


@pytest.mark.parametrize(
    "name", ["amount", "signed", "unit", "chance", "number", "visible", "visible_line", "printable"]
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
