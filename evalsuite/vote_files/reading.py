"""Files of rows, and what every format of votes does with them: keep, drop for a reason that is counted, or refuse.

Spreadsheets and people's own scripts write these files, so a byte order mark, NaN and an empty file are read as they
are meant; `evalsuite.interop.json_files`, which answers for numbers that others publish, refuses all three.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from evalsuite.errors import DataError
from evalsuite.verdicts import Comparison, Winner
from evalsuite.votes import Form, QualityRating, Scale, Vote

Row: TypeAlias = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Imported:
    """The comparisons of a file, and how many of its rows became none, by reason.

    Exports of our own studies hold more: all revisions of all `votes`, ratings of quality on `scale`, and of each
    comparison what its two answers look like, where known.
    """

    comparisons: tuple[Comparison, ...]
    dropped: Mapping[str, int]
    votes: tuple[Vote, ...] = ()
    ratings: tuple[QualityRating, ...] = ()
    scale: Scale | None = None
    forms: tuple[tuple[Form, Form] | None, ...] = ()

    @property
    def num_rows(self) -> int:
        """Rows of the file."""
        return len(self.comparisons) + sum(self.dropped.values())


class Dropped(Exception):
    """Raised for a row that is no comparison, with the reason that it is counted under."""


def imported(path: Path, rows: Iterable[T], convert: Callable[[int, T], Comparison]) -> Imported:
    """`convert` of every row, with its number from 1. Raises DataError naming file and row where one makes no sense."""
    comparisons: list[Comparison] = []
    dropped: Counter[str] = Counter()
    for number, row in enumerate(rows, 1):
        try:
            comparisons.append(convert(number, row))
        except Dropped as reason:
            dropped[str(reason)] += 1
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise DataError(f"{path}, row {number}: {_why(error)}") from error
    return Imported(tuple(comparisons), dict(dropped))


def _why(error: Exception) -> str:
    return f"there is no {error.args[0]!r}" if isinstance(error, KeyError) else str(error)


def joined(parts: Sequence[Imported]) -> Imported:
    """Several files as one."""
    dropped: Counter[str] = Counter()
    for part in parts:
        dropped.update(part.dropped)
    return Imported(tuple(row for part in parts for row in part.comparisons), dict(dropped))


def read_rows(path: Path) -> list[Row]:
    """The rows of a .csv, .tsv, .jsonl or .json file (a list of objects). Raises DataError."""
    text = read_text(path)
    try:
        match path.suffix.lower():
            case ".csv" | ".tsv":
                return _table(text, "\t" if path.suffix.lower() == ".tsv" else ",")
            case ".jsonl":
                rows: Any = json_lines(text)
            case ".json":
                rows = json_value(text)
            case suffix:
                raise DataError(f"{path}: rows are in .csv, .tsv, .jsonl or .json, not in {suffix or 'this'}.")
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: expected a list of objects.")
    return rows


def read_text(path: Path) -> str:
    """A file's text, in UTF-8. Raises DataError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def json_value(text: str) -> Any:
    """The value that a JSON text holds. Raises ValueError, also for one nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def json_lines(text: str) -> list[Any]:
    """The values of JSON lines, blank ones left out. Raises ValueError likewise.

    Only ``\\n`` ends a line, since strings may hold the other separators of Unicode.
    """
    return [json_value(line) for line in text.split("\n") if line.strip()]


def _table(text: str, delimiter: str) -> list[Row]:
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise ValueError(f"row {number} has another number of cells than the head")
    return list(rows)


def named(row: Row, *keys: str) -> str:
    """The first of `keys` that the row has, as text. Raises KeyError, naming the first, when it has none."""
    if found := given(row, *keys):
        return found
    raise KeyError(keys[0])


def given(row: Row, *keys: str) -> str:
    """The first of `keys` that the row has, as text; empty when it has none. A nought is something."""
    return next((str(row[key]) for key in keys if row.get(key) not in (None, "")), "")


def winner_of(text: object, meanings: Mapping[str, Winner]) -> Winner:
    """What `text` says, without regard to case and spaces. Raises ValueError for what is not in `meanings`."""
    said = " ".join(str(text).split()).casefold()
    if said not in meanings:
        raise ValueError(f"the winner is {text!r}; expected one of {', '.join(meanings)}")
    return meanings[said]
