"""A table in five forms: for a terminal, Markdown and LaTeX (booktabs), which people read, and CSV and JSON. Pure.

Names in cells are others' words. In every form but JSON, which keeps them as they are, a cell is one line of what can
be seen; none is markup, and none a formula in a spreadsheet.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal
from unicodedata import category, combining, east_asian_width

from evalsuite.text.number_texts import MISSING, number, with_interval
from evalsuite.text.visible import visible_line

Format = Literal["text", "csv", "latex", "markdown", "json"]

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "\u2212": "$-$",
    "\u2191": r"$\uparrow$", "\u2193": r"$\downarrow$",
}  # fmt: skip
_MARKDOWN = frozenset("\\`*_{}[]<>|~$#&")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula."""
_DIGITS = 10
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Shown:
    """A number: `text` is what people read, rounded and with its interval; `value`, `low` and `high` are for programs.

    They are in the unit that is shown. None where there is none: no value, or no interval. `n` is over how many it is,
    for programs, where no column of the table says so.
    """

    text: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None

    @property
    def has_interval(self) -> bool:
        """Whether an end of the interval is known."""
        return self.low is not None or self.high is not None


Cell = str | int | Shown | None
"""Text, a count, a number, or nothing."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under heads, numbers from column `num_labels` on; notes are shown below it.

    In CSV and JSON a number that has an interval takes three columns: HEAD, ``HEAD low`` and ``HEAD high``; one that
    says over how many it is, ``HEAD n``.
    Raises ValueError for a row of another length than the heads.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    num_labels: int = 1

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.heads):
                raise ValueError(f"a row of {len(row)} cells under {len(self.heads)} heads")


def rendered(table: Table, form: Format) -> str:
    """The table in a form, with a line end after the last line."""
    return {"text": _text, "csv": _csv, "latex": _latex, "markdown": _markdown, "json": _json}[form](table)


# -- numbers


def shown(
    value: float | None, low: float | None = None, high: float | None = None, scale: float = 1.0, *,
    is_signed: bool = False,
) -> Shown:  # fmt: skip
    """A value with its interval, as they are stored; they are shown times `scale`."""
    text = with_interval(value, low, high, scale, is_signed=is_signed)
    return Shown(text, _scaled(value, scale), _scaled(low, scale), _scaled(high, scale))


def rounded(value: float | None, decimals: int, scale: float = 1.0) -> Shown:
    """A number without interval, to so many decimals."""
    scaled = _scaled(value, scale)
    return Shown(number(scaled, decimals), scaled)


def _scaled(value: float | None, scale: float) -> float | None:
    """In the unit that is shown, without the digits that multiplying adds: 33.3 and not 33.300000000000004."""
    return value if value is None or scale == 1.0 else round(value * scale, _DIGITS)


# -- for people


def cell_text(cell: Cell) -> str:
    """In one line; controls and what turns the direction of writing are spelt out as ⟨U+202E⟩."""
    if cell is None:
        return MISSING
    return visible_line(cell.text if isinstance(cell, Shown) else str(cell), None)


def rows_of_text(table: Table) -> list[list[str]]:
    """Heads and rows as people read them."""
    return [[cell_text(cell) for cell in row] for row in (table.heads, *table.rows)]


def _text(table: Table) -> str:
    rows = rows_of_text(table)
    widths = [max(_width(row[index]) for row in rows) for index in range(len(table.heads))]
    lines = [
        "  ".join(
            cell + " " * (width - _width(cell)) if index < table.num_labels else " " * (width - _width(cell)) + cell
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, *(["", *map(cell_text, table.notes)] if table.notes else [])]) + "\n"


def _width(text: str) -> int:
    """Cells of a terminal that `text` takes: two for Chinese, none for marks."""
    return sum(
        0 if combining(char) or category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )


def _latex(table: Table) -> str:
    columns = "l" * table.num_labels + "r" * (len(table.heads) - table.num_labels)
    heads, *rows = rows_of_text(table)
    lines = [
        *(f"% {cell_text(note)}" for note in table.notes),
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(heads),
        r"\midrule",
        *map(_latex_row, rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(cells: Sequence[str]) -> str:
    texts = ["".join(_LATEX.get(char, char) for char in cell) for cell in cells]
    if texts[0].lstrip().startswith(("[", "*")):  # LaTeX would take these for the end of the line before
        texts[0] = "{}" + texts[0]
    return " & ".join(texts) + r" \\"


def _markdown(table: Table) -> str:
    rule = ["---"] * table.num_labels + ["---:"] * (len(table.heads) - table.num_labels)
    heads, *rows = rows_of_text(table)
    lines = [_markdown_row(heads), f"| {' | '.join(rule)} |", *map(_markdown_row, rows)]
    notes = ["", *(_markdown_text(cell_text(note)) + "  " for note in table.notes)] if table.notes else []
    return "\n".join([*lines, *notes]) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_markdown_text, cells))} |"


def _markdown_text(line: str) -> str:
    return "".join(f"&#{ord(char)};" if char in "<>&|" else "\\" + char if char in _MARKDOWN else char for char in line)


# -- for programs


def _csv(table: Table) -> str:
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    heads, *rows = _spread(table)
    writer.writerow(map(csv_text, map(str, heads)))
    writer.writerows([csv_text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return content.getvalue()


def csv_text(text: str) -> str:
    """A text for a cell of a CSV: one line, with an apostrophe before what a spreadsheet would take for a formula.

    What is a number is none, and stays.
    """
    line = visible_line(text, None)
    return "'" + line if text.lstrip(" ").startswith(_FORMULA) and not _NUMBER.fullmatch(text) else line


def _json(table: Table) -> str:
    """An object of `rows`, each an object by heads, and `notes`. A number that is none of JSON's stands as null."""
    heads, *rows = _spread(table)
    names = [str(head) for head in heads]
    found = {"rows": [dict(zip(names, row, strict=True)) for row in rows], "notes": list(table.notes)}
    return json.dumps(found, allow_nan=False, indent=1) + "\n"


def _spread(table: Table) -> Iterator[list[str | int | float | None]]:
    """Heads, each a name of its own, and rows, every number in full with its interval in columns of its own."""
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.heads)
    parts = [tuple(_parts(column)) for column in columns]
    heads = [" ".join(filter(None, (head, part))) for head, more in zip(table.heads, parts, strict=True)
             for part in ("", *more)]  # fmt: skip
    yield list(_apart(heads))
    for row in table.rows:
        yield [value for cell, more in zip(row, parts, strict=True) for value in _values(cell, more)]


def _parts(column: Sequence[Cell]) -> Iterator[str]:
    """What stands in columns of its own beside the values of `column`."""
    numbers = [cell for cell in column if isinstance(cell, Shown)]
    if any(one.has_interval for one in numbers):
        yield from ("low", "high")
    if any(one.n is not None for one in numbers):
        yield "n"


def _values(cell: Cell, parts: Sequence[str]) -> tuple[str | int | float | None, ...]:
    if not isinstance(cell, Shown):
        return cell, *(None for _ in parts)
    known = (cell.value, *(getattr(cell, part) for part in parts))
    return tuple(None if isinstance(one, float) and not math.isfinite(one) else one for one in known)


def _apart(names: Sequence[str]) -> Iterator[str]:
    """The names, the second of two that are alike with a number."""
    taken: set[str] = set()
    for name in names:
        found = next(one for number in count(1) if (one := name if number == 1 else f"{name} {number}") not in taken)
        taken.add(found)
        yield found
