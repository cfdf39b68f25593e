"""Rows as tables of Arrow, typed as `columns` says: what both pandas and DuckDB are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.querying.columns import SAMPLES, TABLES, Column
from evalsuite.querying.rows import Row, rows_of, value_reader
from evalsuite.records import RunResult
from evalsuite.store.results import read_columns


def arrow_table(table: str, runs: Sequence[tuple[Path, RunResult]]) -> Any:
    """The ``pyarrow.Table`` of any table but ``samples`` over `runs`, in their order."""
    import pyarrow as pa

    rows = [row for path, result in runs for row in rows_of(table, path, result)]
    return pa.Table.from_pylist(
        [_plain(row, TABLES[table]) for row in rows], schema=schema_of(TABLES[table])
    )  # fmt: skip


def arrow_samples(path: Path, result: RunResult) -> Any:
    """The ``pyarrow.Table`` of a run's samples, all of them read. Raises SpecMismatch or CorruptStore."""
    import pyarrow as pa

    stored = read_columns(path)
    read = value_reader(result)
    tasks, records = stored.column("task").to_pylist(), stored.column("record").to_pylist()
    columns = {name: stored.column(name) for name in stored.column_names}
    columns["run"] = pa.array([result.run_id] * len(stored), pa.string())
    columns["value"] = pa.array(list(map(read, tasks, records)), pa.float64())
    schema = schema_of(SAMPLES)
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def schema_of(columns: Sequence[Column]) -> Any:
    """The Arrow schema of a table."""
    import pyarrow as pa

    types = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "truth": pa.bool_()}
    return pa.schema([(column.name, types[column.kind]) for column in columns])


def _plain(row: Row, columns: Sequence[Column]) -> Mapping[str, Any]:
    """The row's cells; half a surrogate pair, which Arrow's UTF-8 has not, becomes a question mark."""
    return {column.name: _cell(row[column.name]) for column in columns}


def _cell(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
