"""Sealed runs as a DuckDB database in memory that one SELECT may read: no files, no network, no settings.

The tables are views over Arrow; ``samples`` over the runs' ``samples.parquet``, of which DuckDB reads the columns and
rows that a query needs. Nothing of the runs can be changed, since the engine has no way to any file, and had none when
it was given the runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from evalsuite.errors import CorruptStore, UsageError
from evalsuite.querying.arrow_tables import arrow_table
from evalsuite.querying.columns import SQL_TYPES, STORED_SAMPLES, TABLES, VALUE
from evalsuite.querying.rows import value_reader
from evalsuite.records import RunResult
from evalsuite.store.results import RESULTS, open_samples, read_columns, read_results

_LOCKS = (
    "SET python_enable_replacements = false",  # this program's own variables are no tables
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


@dataclass(frozen=True)
class Answer:
    """What a query gives: the names of its columns, and its rows as Python's values."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def ask(query: str, paths: Sequence[Path]) -> Answer:
    """What the one SELECT in `query` gives on the sealed runs at `paths`.

    Raises UsageError for anything but one SELECT, for SQL that DuckDB refuses, where it is not installed, and for a run
    given twice; SpecMismatch or CorruptStore for a run that cannot be read.
    """
    duckdb = _duckdb()
    statement = _only_select(duckdb, query)
    with duckdb.connect(":memory:") as connection:
        for lock in _LOCKS:  # before anything of a run, which may be of a stranger's making, comes near the engine
            connection.execute(lock)
        _fill(connection, [(path, _result_of(path)) for path in paths])
        try:
            connection.execute(statement)
            return Answer(tuple(column[0] for column in connection.description), tuple(connection.fetchall()))
        except duckdb.InvalidInputException as error:
            for path in paths:
                read_columns(path)  # where a file is damaged, that is what went wrong, and this says which
            raise _refused(error) from error
        except duckdb.Error as error:
            raise _refused(error) from error


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise UsageError("sql: duckdb is not installed; `pip install 'evalsuite[sql]'` brings it.") from error
    return duckdb


def _only_select(duckdb: Any, query: str) -> Any:
    """The parsed query. Only a SELECT changes nothing and names no file."""
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise UsageError(_first_lines(error)) from error
    if len(statements) != 1:
        raise UsageError(f"expected one SELECT, found {len(statements)} statements.")
    (statement,) = statements
    if statement.type != duckdb.StatementType.SELECT:
        raise UsageError(f"expected a SELECT, found {statement.type.name}: the runs can be read and not changed.")
    return statement


def _refused(error: Exception) -> UsageError:
    return UsageError(f"{_first_lines(error)} Tables: {', '.join(TABLES)}; docs/querying.md has their columns.")


def _first_lines(error: Exception) -> str:
    """DuckDB's complaint in one line that ends in a full stop, without its drawing of the place."""
    text = " ".join(str(error).split("\n\nLINE ")[0].split())
    return text if text.endswith((".", "?", "!")) else text + "."


# -- tables


def _result_of(path: Path) -> RunResult:
    """A run's result. Raises CorruptStore for one under another's id, by which rows are told apart."""
    result = read_results(path)
    if result.run_id != result.spec.run_id:
        raise CorruptStore(
            f"{path / RESULTS} was changed after it was written: its run_id is {result.run_id!r}, and that of its spec "
            f"is {result.spec.run_id}."
        )
    return result


def _fill(connection: Any, runs: Sequence[tuple[Path, RunResult]]) -> None:
    """The tables. What a run's files say is put in as values, and no SQL is made of it."""
    _check_different(runs)
    for table in TABLES:
        if table != "samples":
            connection.register(table, arrow_table(table, runs))
    parts = (_samples(connection, number, path, result) for number, (path, result) in enumerate(runs))
    reduce(lambda whole, part: whole.union(part), parts).create_view("samples")


def _check_different(runs: Sequence[tuple[Path, RunResult]]) -> None:
    """Raises UsageError for a run that is there twice, whose samples would count twice."""
    for run_id, times in Counter(result.run_id for _, result in runs).items():
        if times > 1:
            same = " and ".join(str(path) for path, result in runs if result.run_id == run_id)
            raise UsageError(f"{same} are the same run; give one of them.")


def _samples(connection: Any, number: int, path: Path, result: RunResult) -> Any:
    """A run's samples; the function that reads a sample's value is called only where it is asked for."""
    connection.register(f"stored_{number}", open_samples(path))
    connection.create_function(
        f"value_{number}",
        value_reader(result),
        [SQL_TYPES["text"], SQL_TYPES["text"]],
        SQL_TYPES[VALUE.kind],
        null_handling="special",
    )
    duckdb = _duckdb()
    column = duckdb.ColumnExpression
    return connection.table(f"stored_{number}").select(
        duckdb.ConstantExpression(result.run_id).alias("run"),
        *(column(stored.name) for stored in STORED_SAMPLES),
        duckdb.FunctionExpression(f"value_{number}", column("task"), column("record")).alias(VALUE.name),
    )
