"""Tables of published numbers, as CSV: names of models in a column, one number a cell, no intervals."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

from evalsuite.errors import DataError, UsageError, nearest
from evalsuite.sweeps.sizes import size_of
from evalsuite.tables import Table

NO_INTERVALS = "Published numbers: the source gives no intervals and no items."
"""Said wherever such numbers are shown."""


@dataclass(frozen=True)
class Published:
    """A table as published: `rows` are texts by column; `numeric` the columns in which every entry is a number."""

    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def numeric(self) -> tuple[str, ...]:
        """Columns of numbers and of nothing else, in order."""
        return tuple(
            name
            for index, name in enumerate(self.columns)
            if any(row[index] for row in self.rows)
            and all(not row[index] or number_in(row[index]) is not None for row in self.rows)
        )

    def place(self, column: str, option: str) -> int:
        """Where a column stands. Raises UsageError."""
        if column in self.columns:
            return self.columns.index(column)
        near = nearest(column, self.columns)
        guess = f"; did you mean {near!r}?" if near else f"; it has {', '.join(self.columns)}."
        raise UsageError(f"{option} {column}: {self.source} has no such column{guess}")


def read_published(path: Path) -> Published:
    """The CSV at `path`, its first line the heads. Raises DataError for one that is no table."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text), strict=True) if line]
    except csv.Error as error:
        raise DataError(f"{path} is no CSV: {error}.") from error
    if len(lines) < 2:
        raise DataError(f"{path} has no rows below its heads.")
    heads, *rows = lines
    if len(set(heads)) < len(heads):
        raise DataError(f"{path}: two columns have one name; rename one of {', '.join(heads)}.")
    for index, row in enumerate(rows, 2):
        if len(row) != len(heads):
            raise DataError(f"{path}, row {index}: {len(row)} cells under {len(heads)} heads.")
    return Published(path.name, tuple(heads), tuple(map(tuple, rows)))


def number_in(text: str) -> float | None:
    """The finite number a cell holds; None for an empty cell or other text."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def published_table(table: Published, columns: tuple[str, ...] = ()) -> Table:
    """The rows as they were published, digit for digit; the named columns of numbers, or all."""
    chosen = columns or table.numeric
    labels = tuple(name for name in table.columns if name not in table.numeric)
    places = [table.place(name, "--columns") for name in (*labels, *chosen)]
    return Table(
        heads=(*labels, *chosen),
        rows=tuple(tuple(row[place] or None for place in places) for row in table.rows),
        notes=(NO_INTERVALS,),
        num_labels=len(labels),
    )


@dataclass(frozen=True)
class SizedRow:
    """A row with the size its name or a column tells; `series` is the name with the size left out."""

    name: str
    series: str
    size: float
    place: int


def sized_rows(table: Published, column: str, pattern: str | None) -> tuple[tuple[SizedRow, ...], tuple[str, ...]]:
    """Rows by the size in `column`, or in the part of it that `pattern` finds (its first group, or all of it).

    With a pattern, rows that are alike but for that part are one series; without, rows whose other texts are alike, or
    all rows where each has texts of its own. Also the names of the rows that tell no size. Raises UsageError for a
    pattern that is none, or finds none.
    """
    place = table.place(column, "--x")
    found = _by_column(table, place) if pattern is None else _by_pattern(table, place, _compiled(pattern))
    sized = tuple(row for row in found if isinstance(row, SizedRow))
    if not sized:
        what = f"{pattern!r} finds no size such as 2M in the column {column}" if pattern else f"{column} holds no size"
        raise UsageError(f"{table.source}: {what}; the first row has {table.rows[0][place]!r}.")
    return sized, tuple(row for row in found if isinstance(row, str))


def _by_pattern(table: Published, place: int, pattern: re.Pattern[str]) -> list[SizedRow | str]:
    """Every row with its size, or the name of one without."""
    rows: list[SizedRow | str] = []
    group = 1 if pattern.groups else 0
    for index, row in enumerate(table.rows):
        name = row[place]
        found = pattern.search(name)
        size = size_of(found[group] or "") if found else None
        if found is None or size is None:
            rows.append(name)
            continue
        start, end = found.span(group)
        rows.append(SizedRow(name, f"{name[:start]}…{name[end:]}", size, index))
    return rows


def _by_column(table: Published, place: int) -> list[SizedRow | str]:
    """The same for a column of sizes."""
    texts = [index for index, name in enumerate(table.columns) if name not in table.numeric and index != place]
    names = [" ".join(row[index] for index in texts) for row in table.rows]
    is_shared = len(set(names)) < len(names)
    sizes = [size_of(row[place]) for row in table.rows]
    return [
        name or row[0] if size is None else SizedRow(name or row[place], name if is_shared else "", size, index)
        for index, (row, name, size) in enumerate(zip(table.rows, names, sizes, strict=True))
    ]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--x_from {pattern!r} is no regular expression: {error}.") from error
