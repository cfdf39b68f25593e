"""Tables that others published, as their authors printed them, with their own arithmetic done again.

A description, in YAML, names a CSV file and says what its figures are; a CSV file alone is shown under its own name.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from evalsuite.boards.published_records import PublishedCell, PublishedCheck, PublishedTable
from evalsuite.errors import ConfigError, DataError, nearest
from evalsuite.sweeps.published import Published, number_in, read_published
from evalsuite.types import Record
from evalsuite.yaml_files import record_of

_ROUNDING = 1e-9


class Check(Record, frozen=True, kw_only=True):
    """A column that must be the mean of others in every row that has them all, within `within`."""

    column: str
    mean_of: tuple[str, ...]
    within: float


class Description(Record, frozen=True, kw_only=True):
    """What a table's figures are.

    `labels` are the columns that say whose figures a row has; `columns` those with figures (all others by default),
    `unpublished` such as readers would look for and were never published, shown empty. `sum_to` says what the figures
    of rows that share all labels but the last add up to, up to the rounding of the decimals that are printed.
    """

    title: str
    file: str
    source: str
    labels: tuple[str, ...]
    date: str = ""
    unit: str = ""
    higher_is_better: bool = True
    columns: tuple[str, ...] = ()
    unpublished: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    sum_to: float | None = None


def published_table(path: Path, folder: Path | None = None) -> PublishedTable:
    """The table at `path`: a CSV file, or the description of one that lies in `folder`, or else beside it.

    Raises ConfigError for a description that does not fit, DataError for a file that is no table.
    """
    if path.suffix not in (".yaml", ".yml"):
        table = read_published(path)
        plain = Description(title=path.stem, file=path.name, source=path.name, labels=table.columns[:1])
        return _table(plain, table, path)
    found = record_of(Description, path)
    file = (folder or path.parent) / found.file
    if not file.is_file():
        raise DataError(f"{path} describes {found.file}, which is not in {file.parent}; give --published_dir FOLDER.")
    return _table(found, read_published(file), path)


def _table(found: Description, table: Published, path: Path) -> PublishedTable:
    for name in (
        *found.labels,
        *found.columns,
        *(one for check in found.checks for one in (check.column, *check.mean_of)),
    ):
        if name not in table.columns:
            raise ConfigError(f"{path}: {found.file} has no column {name!r}{_guess(name, table.columns)}")
    for check in found.checks:
        if not check.mean_of:
            raise ConfigError(
                f"{path}: the check of {check.column!r} has an empty mean_of; name columns of {found.file}."
            )
    columns = found.columns or tuple(name for name in table.columns if name not in found.labels)
    shown = (*columns, *found.unpublished)
    places = {name: at for at, name in enumerate(table.columns)}
    return PublishedTable(
        title=found.title,
        source=found.source,
        date=found.date,
        unit=found.unit,
        higher_is_better=found.higher_is_better,
        labels=found.labels,
        columns=shown,
        rows=tuple(tuple(row[places[name]] for name in found.labels) for row in table.rows),
        cells=tuple(
            tuple(_cell(row[places[name]]) if name in places else None for name in shown) for row in table.rows
        ),
        notes=found.notes,
        checks=tuple(_checks(found, table, places)),
    )


def _guess(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else f"; it has {', '.join(known)}."


def _cell(text: str) -> PublishedCell | None:
    return PublishedCell(text=text, number=number_in(text)) if text else None


def _checks(found: Description, table: Published, places: Mapping[str, int]) -> Iterator[PublishedCheck]:
    for check in found.checks:
        yield _mean(check, found, table, places)
    if found.sum_to is not None:
        for column in found.columns or tuple(name for name in table.columns if name not in found.labels):
            yield from _sums(found, found.sum_to, column, table, places)


def _mean(check: Check, found: Description, table: Published, places: Mapping[str, int]) -> PublishedCheck:
    gaps: dict[str, float] = {}
    for name, row in zip(_row_names(found, table, places), table.rows, strict=True):
        values = [number_in(row[places[column]]) for column in (check.column, *check.mean_of)]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            gaps[name] = known[0] - math.fsum(known[1:]) / len(known[1:])
    return PublishedCheck(
        kind="mean",
        column=check.column,
        parts=check.mean_of,
        target=check.within,
        num_checked=len(gaps),
        failed={name: gap for name, gap in gaps.items() if abs(gap) > check.within + _ROUNDING},
    )


def _row_names(found: Description, table: Published, places: Mapping[str, int]) -> list[str]:
    """Each row by its labels, and by its number in the file too (the heads are row 1) where others have the same."""
    labels = [" ".join(row[places[name]] for name in found.labels) for row in table.rows]
    often = Counter(labels)
    return [f"{label} (row {at})".strip() if often[label] > 1 else label for at, label in enumerate(labels, 2)]


def _sums(
    found: Description, total: float, column: str, table: Published, places: Mapping[str, int]
) -> Iterator[PublishedCheck]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for row in table.rows:
        text = row[places[column]]
        if number_in(text) is not None:
            groups.setdefault(tuple(row[places[name]] for name in found.labels[:-1]), []).append(text)
    for labels, texts in groups.items():
        group = " ".join(labels)
        gap = math.fsum(map(float, texts)) - total
        if len(texts) > 1:
            off = abs(gap) > _ROUNDING and abs(gap) > math.fsum(map(_half_a_digit, texts)) - _ROUNDING
            failed = {group: gap} if off else {}
            yield PublishedCheck(
                kind="sum", column=column, parts=(), target=total, num_checked=1, failed=failed, group=group
            )


def _half_a_digit(text: str) -> float:
    """How far a printed number may lie, by rounding, from the one it stands for: half a unit of its last decimal."""
    exponent = Decimal(text).as_tuple().exponent
    return 0.5 * 10.0 ** min(int(exponent), 0)
