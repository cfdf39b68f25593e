"""A sweep as one tidy table: a row for every cell and headline, its settings as columns. What is missing is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from evalsuite.records import Aggregate
from evalsuite.sweeps.names import text_of
from evalsuite.sweeps.reading import CellRun, Headline, Part, Sweep, Value, headlines_of, values_of
from evalsuite.tables import csv_text
from evalsuite.types import Record, Scalar

_COLUMNS = (
    ("cell", "string"),
    ("run_id", "string"),
    ("status", "string"),
    ("is_partial", "boolean"),
    ("kind", "string"),
    ("task", "string"),
    ("language", "string"),
    ("metric", "string"),
    ("protocol", "string"),
    ("signature", "string"),
    ("value", "Float64"),
    ("stderr", "Float64"),
    ("low", "Float64"),
    ("high", "Float64"),
    ("n", "Int64"),
    ("num_clusters", "Int64"),
    ("num_unscored", "Int64"),
    ("chance", "Float64"),
    ("scale", "Float64"),
    ("higher_is_better", "boolean"),
)
MEASURED = ("seconds", "tokens_per_second", "weights_bytes", "peak_device_bytes", "peak_resident_bytes")
"""What a run's telemetry may say, and a column of it is called."""

OF_THE_RUN = {"weights_bytes"}
"""Of these what is the same whether a run was answered in one go or not."""

PART = "part_measured"
"""The column that says why what was measured is of a part of the run (see `reading.Part`)."""

_FIXED = {name for name, _ in _COLUMNS} | set(MEASURED) | {PART}


class TidyRow(Record, frozen=True, kw_only=True):
    """One cell's value of one headline; all from `value` on are None where the cell has none.

    `task` is a task's name or that of a mean; `value` times `scale` is what is shown.
    """

    cell: str
    run_id: str
    status: str
    is_partial: bool | None
    settings: Mapping[str, Scalar]
    kind: str
    task: str
    metric: str
    signature: str
    language: str | None = None
    protocol: str | None = None
    value: float | None = None
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    num_clusters: int | None = None
    num_unscored: int | None = None
    chance: float | None = None
    scale: float | None = None
    higher_is_better: bool | None = None
    measured: Mapping[str, float] = {}
    part_measured: Part = ""


def tidy_rows(sweep: Sweep, headlines: Sequence[Headline] | None = None) -> tuple[TidyRow, ...]:
    """A row for every cell and headline (all of them unless given), cells in the plan's order."""
    wanted = headlines_of(sweep.cells) if headlines is None else headlines
    return tuple(_row(cell, headline, values_of(cell).get(headline)) for cell in sweep.cells for headline in wanted)


def _row(cell: CellRun, headline: Headline, value: Value | None) -> TidyRow:
    plain = TidyRow(
        cell=cell.cell.name,
        run_id=cell.cell.run_id,
        status=cell.status,
        is_partial=None if cell.result is None else cell.is_partial,
        settings=dict(cell.cell.settings),
        kind="mean" if headline.is_mean else "task",
        task=headline.name,
        metric=headline.metric,
        signature=headline.signature,
        measured=dict(cell.measured),
        part_measured=cell.part_measured,
        num_unscored=_num_lost(cell, headline),
    )
    if value is None:
        return plain
    return msgspec.structs.replace(
        plain,
        language=None if isinstance(value, Aggregate) else value.language,
        protocol=value.protocol,
        value=value.value,
        stderr=value.stderr,
        low=value.low,
        high=value.high,
        n=value.n,
        num_clusters=value.num_clusters,
        num_unscored=value.num_unscored,
        chance=value.chance,
        scale=value.scale,
        higher_is_better=value.higher_is_better,
    )


def _num_lost(cell: CellRun, headline: Headline) -> int | None:
    """The unscored samples of a task that has no value because all of them are."""
    if cell.result is None or headline.is_mean:
        return None
    return next((task.counts.unscored for task in cell.result.tasks if task.task == headline.name), None)


def frame_of(sweep: Sweep, headlines: Sequence[Headline] | None = None) -> Any:
    """The tidy table as a pandas frame: the same columns for the same keys, missing entries as pandas' own NA.

    A setting stands under its key, and under ``setting.KEY`` where that is the name of a column. Settings that are
    numbers in every cell are numbers, all others text.
    """
    import pandas as pd

    rows = tidy_rows(sweep, headlines)
    columns: dict[str, Any] = {}
    for name, kind in _COLUMNS[:4]:
        columns[name] = pd.array([getattr(row, name) for row in rows], dtype=kind)
    for key in sweep.keys:
        columns[column_name(key)] = _setting_column([row.settings.get(key) for row in rows])
    for name, kind in _COLUMNS[4:]:
        columns[name] = pd.array([getattr(row, name) for row in rows], dtype=kind)
    for name in MEASURED:
        columns[name] = pd.array([row.measured.get(name) for row in rows], dtype="Float64")
    columns[PART] = pd.array([row.part_measured or None for row in rows], dtype="string")
    return pd.DataFrame(columns)


def csv_of(frame: Any) -> str:
    """A frame as CSV: its texts, heads too, one line each and no formula of a spreadsheet; numbers in full."""
    import pandas as pd

    texts = {name: frame[name].map(csv_text, na_action="ignore") for name in frame
             if pd.api.types.is_string_dtype(frame[name])}  # fmt: skip
    return str(frame.assign(**texts).rename(columns=csv_text).to_csv(index=False, lineterminator="\n"))


def column_name(key: str) -> str:
    """The column of a setting."""
    return f"setting.{key}" if key in _FIXED else key


def _setting_column(values: Sequence[Scalar | None]) -> Any:
    import pandas as pd

    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return pd.array(list(values), dtype="boolean")
    if known and all(isinstance(value, int) and not isinstance(value, bool) for value in known):
        return pd.array(list(values), dtype="Int64")
    if known and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return pd.array(list(values), dtype="Float64")
    return pd.array([None if value is None else text_of(value) for value in values], dtype="string")
