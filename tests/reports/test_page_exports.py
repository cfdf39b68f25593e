"""What a page saves, made in Chromium: no formula for a spreadsheet, no command for LaTeX, no column lost."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

import pytest
from evalsuite.reports._pages import resource

from evalsuite.tables import Table, csv_text, rendered

pytestmark = pytest.mark.browser

TEXTS = (
    *("plain", "", "=1+1", "  =1+1", " \t=1", "+x", "-x", "@x", "\t=x", "\r=x", "\n=x", "-1.5", "+2e3", "-1.5x", "--1"),
    *("a\u202eb", "\u202e=x", "a\u200fb", "a\u200db", "a\nb\tc\rd", 'say "so", he said', "\ud83d", "猫,犬", "=\u2066x"),
)
"""What a cell may hold: formulas, blanks before them, numbers, marks of direction, line ends, quotes."""


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """An empty page that knows the functions."""
    page = browser.new_page()
    page.add_script_tag(content="\n".join(resource(f"page/{name}.js") for name in ("text", "exports")))
    yield page
    page.close()


def saved(page: Any, writer: str, head: list[str], rows: list[list[Any]]) -> str:
    found = page.evaluate(f"tables => {writer}(tables)", [{"name": "t", "head": head, "rows": rows}])
    assert isinstance(found, str)
    return found


def test_texts_in_a_csv_are_those_of_the_command_line(page: Any) -> None:
    content = saved(page, "asCsv", ["text", "number"], [[text, -1] for text in TEXTS])
    rows = list(csv.reader(content.splitlines()))
    assert rows == [["text", "number"], *([csv_text(text), "-1"] for text in TEXTS)]
    assert csv_text("  =1+1") == "'  =1+1"


@pytest.mark.parametrize(
    "text", ["[2pt] a", "  [x]", "*", "*[1cm]", "a[b]", '<a> | "b" `c`', "−1 ↑ ↓", "\\input{x} ~^&%$#_"]
)
def test_rows_of_latex_are_those_of_the_command_line(page: Any, text: str) -> None:
    (own,) = [
        line
        for line in rendered(Table(("head", "b"), ((text, "b"),)), "latex").splitlines()
        if line.endswith("b \\\\") and "head" not in line
    ]
    lines = saved(page, "asLatex", ["head", "b"], [[text, "b"]]).splitlines()
    found = lines[lines.index("\\midrule") + 1]
    assert found.split() == own.split()
    assert not found.lstrip().startswith(("[", "*"))


def test_heads_that_are_alike_are_told_apart_in_json(page: Any) -> None:
    heads = ["a", "b", "a", "a 2", "a", "__proto__"]
    (table,) = json.loads(saved(page, "asJson", heads, [[1, 2, 3, 4, 5, 6]]))
    own = json.loads(rendered(Table(tuple(heads), ((1, 2, 3, 4, 5, 6),)), "json"))
    assert table["rows"] == own["rows"]
    assert len(table["rows"][0]) == 6
