"""Sealed results: ``results.json`` and ``samples.parquet``, derived from the journal and rebuildable at any time."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.errors import CorruptStore, SpecMismatch
from evalsuite.records import RunResult, SampleRecord
from evalsuite.store.files import write_atomic
from evalsuite.types import SCHEMA_VERSION

RESULTS = "results.json"
SAMPLES = "samples.parquet"


def write_results(directory: Path, result: RunResult) -> None:
    """Store the result, sorted and indented for people. Same result, same bytes."""
    write_atomic(directory / RESULTS, written_form(result))


def written_form(value: Any) -> bytes:
    """The bytes of a file of `value` that people read too: ASCII, keys sorted, an entry a line."""
    text = json.dumps(json.loads(canonical_json(value)), indent=1, sort_keys=True, allow_nan=False)
    return (text + "\n").encode("ascii")


def read_results(directory: Path) -> RunResult:
    """The result stored in the run directory. Raises SpecMismatch when none is, or its schema is another."""
    path = directory / RESULTS
    if not directory.exists():
        raise SpecMismatch(f"there is no run at {directory}.")
    if not directory.is_dir():
        raise SpecMismatch(f"{directory} is no run's directory.")
    if not path.exists():
        if any(directory.glob(f"*/{RESULTS}")):
            raise SpecMismatch(f"{directory} is a folder of runs; give one of them.")
        raise SpecMismatch(f"{directory} has no sealed results; run the same command again to finish it.")
    try:
        value = json.loads(path.read_bytes())
        if isinstance(value, dict) and value.get("schema", 0) != SCHEMA_VERSION:
            raise SpecMismatch(
                f"{path} has schema {value.get('schema')!r}; this evalsuite reads schema {SCHEMA_VERSION}. "
                "Read it with the version that wrote it."
            )
        return msgspec.convert(value, RunResult)
    except (ValueError, RecursionError) as error:  # msgspec's complaints are ValueErrors too
        raise CorruptStore(f"{path} was changed after it was written: {error}") from error


def write_samples(directory: Path, records: Iterable[SampleRecord], packages: Mapping[str, str] | None = None) -> None:
    """Store the samples, one row each, in plan order.

    Columns to query by are plain; `record` is the whole record as canonical JSON. The versions of the `packages` that
    scored them are noted in the schema's metadata: what a result says of them stands nowhere else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [row_of(record) for record in records]
    noted = {_PACKAGES: canonical_json(packages)} if packages is not None else None
    schema = pa.schema([(name, pa.string()) for name in COLUMNS], metadata=noted)
    table = pa.Table.from_pylist(rows, schema=schema)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomic(directory / SAMPLES, buffer.getvalue())


def read_samples(directory: Path) -> Iterator[SampleRecord]:
    """The stored samples in plan order. Raises SpecMismatch or CorruptStore."""
    try:
        records = [msgspec.convert(json.loads(text), SampleRecord) for _, text in read_records(directory)]
    except (ValueError, RecursionError) as error:
        raise _unreadable(directory, error) from error
    yield from records


def read_records(directory: Path) -> Iterator[tuple[str, str]]:
    """Task and record, as its canonical JSON, of each stored sample in plan order, for readers that need little of it.

    Raises SpecMismatch or CorruptStore.
    """
    table = _read_table(directory, ("task", "record"))
    yield from zip(table.column("task").to_pylist(), table.column("record").to_pylist(), strict=True)


def sample_record(text: str) -> SampleRecord:
    """The stored sample whose canonical JSON `text` is; it may hold half of a pair of surrogates."""
    try:
        return msgspec.json.decode(text, type=SampleRecord)
    except (msgspec.DecodeError, UnicodeError):  # such a half, which msgspec's own decoder refuses
        return msgspec.convert(json.loads(text), SampleRecord)


def read_rows(directory: Path) -> list[dict[str, Any]]:
    """The rows of `samples.parquet` in plan order with all their columns. Raises SpecMismatch or CorruptStore."""
    found: list[dict[str, Any]] = _read_table(directory, COLUMNS).to_pylist()
    return found


def read_columns(directory: Path) -> Any:
    """`samples.parquet` as a ``pyarrow.Table`` of `COLUMNS`, all of it read. Raises SpecMismatch or CorruptStore."""
    return _read_table(directory, COLUMNS).select(list(COLUMNS))


def open_samples(directory: Path) -> Any:
    """`samples.parquet` as a dataset of pyarrow, whose rows and columns are read when they are asked for.

    Raises SpecMismatch or CorruptStore.
    """
    import pyarrow.dataset as ds

    path = _samples_of(directory)
    try:
        found = ds.dataset(path, format="parquet")
    except (OSError, ValueError) as error:
        raise _unreadable(directory, error) from error
    if missing := set(COLUMNS) - set(found.schema.names):
        raise _unreadable(directory, KeyError(*sorted(missing)))
    return found


def read_packages(directory: Path) -> dict[str, str] | None:
    """The versions that scored the samples, as they are noted beside them; None in a file from before they were.

    Raises SpecMismatch or CorruptStore.
    """
    noted = (_read_table(directory, ("task",)).schema.metadata or {}).get(_PACKAGES)
    try:
        return None if noted is None else msgspec.json.decode(noted, type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise _unreadable(directory, error) from error


def _read_table(directory: Path, needed: Sequence[str]) -> Any:
    import pyarrow.parquet as pq

    path = _samples_of(directory)
    try:
        table = pq.read_table(path, columns=None if needed == COLUMNS else list(needed))
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(directory, error) from error
    if missing := set(needed) - set(table.column_names):
        raise _unreadable(directory, KeyError(*sorted(missing)))
    return table


def _samples_of(directory: Path) -> Path:
    path = directory / SAMPLES
    if not path.exists():
        raise SpecMismatch(f"{directory} has no samples.parquet; run the same command again to finish it.")
    return path


def _unreadable(directory: Path, error: Exception) -> CorruptStore:
    return CorruptStore(f"{directory / SAMPLES} cannot be read ({error}); run the same command again to write it anew.")


_PACKAGES = b"packages"

COLUMNS = ("sample_id", "task", "family", "language", "category", "cluster", "status", "cause", "answer", "record")
"""The columns of `samples.parquet`: those to query by, and the whole record as canonical JSON."""


def row_of(record: SampleRecord) -> dict[str, str]:
    """The row that stands for `record` in `samples.parquet`."""
    outcome = msgspec.to_builtins(record.outcome)
    return {
        "sample_id": record.sample.id,
        "task": record.task,
        "family": record.family,
        "language": record.sample.language,
        "category": record.sample.category,
        "cluster": record.sample.cluster_id,
        "status": outcome["type"],
        "cause": outcome.get("cause", outcome.get("reason", "")),
        "answer": outcome.get("answer", "").encode("utf-8", "replace").decode("utf-8"),
        "record": canonical_json(record),
    }
