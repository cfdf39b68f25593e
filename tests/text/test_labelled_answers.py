"""Answers labelled by hand in six languages, by someone who had not seen the parser."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalsuite.text.answers import answer_choice, answer_number

GOLDEN = Path(__file__).parent / "golden"
ROWS = [
    pytest.param(path.stem.rpartition("_")[2], row, id=row["id"])
    for path in sorted(GOLDEN.glob("answers_*.jsonl"))
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
]


def test_every_language_is_labelled() -> None:
    assert sorted({param.values[0] for param in ROWS}) == ["ar", "en", "es", "fr", "hi", "zh"]  # type: ignore[type-var]


@pytest.mark.parametrize(("language", "row"), ROWS)
def test_the_parser_agrees_with_the_label(language: str, row: dict[str, Any]) -> None:
    if row["kind"] == "choice":
        assert answer_choice(row["text"], language, row["num_choices"]) == row["expect"], row["why"]
        return
    found, expected = answer_number(row["text"], language), row["expect"]
    if found is None or expected is None:
        assert found is expected, row["why"]
    elif expected == "ambiguous":
        assert found.is_ambiguous, row["why"]
    else:
        assert not found.is_ambiguous, row["why"]
        assert found.value == Decimal(expected), row["why"]
