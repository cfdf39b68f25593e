"""Sealed results: ``results.json`` and ``samples.parquet``, derived from the journal and rebuildable at any time."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

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
    text = json.dumps(json.loads(canonical_json(result)), indent=1, sort_keys=True, allow_nan=False)
    write_atomic(directory / RESULTS, (text + "\n").encode("ascii"))


def read_results(directory: Path) -> RunResult:
    """The result stored in the run directory. Raises SpecMismatch when none is, or its schema is another."""
    path = directory / RESULTS
    if not directory.exists():
        raise SpecMismatch(f"there is no run at {directory}.")
    if not path.exists():
        raise SpecMismatch(f"{directory} has no sealed results; run the same command again to finish it.")
    try:
        value = json.loads(path.read_bytes())
        if isinstance(value, dict) and value.get("schema", 0) != SCHEMA_VERSION:
            raise SpecMismatch(
                f"{path} has schema {value.get('schema')!r}; this evalsuite reads schema {SCHEMA_VERSION}. "
                "Read it with the version that wrote it."
            )
        return msgspec.convert(value, RunResult)
    except (ValueError, msgspec.ValidationError) as error:
        raise CorruptStore(f"{path} was changed after it was written: {error}") from error


def write_samples(directory: Path, records: Iterable[SampleRecord]) -> None:
    """Store the samples, one row each, in plan order.

    Columns to query by are plain; `record` is the whole record as canonical JSON.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_row(record) for record in records]
    schema = pa.schema([(name, pa.string()) for name in _COLUMNS])
    table = pa.Table.from_pylist(rows, schema=schema)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomic(directory / SAMPLES, buffer.getvalue())


def read_samples(directory: Path) -> Iterator[SampleRecord]:
    """The stored samples in plan order. Raises SpecMismatch or CorruptStore."""
    try:
        records = [msgspec.convert(json.loads(text), SampleRecord) for _, text in read_records(directory)]
    except (ValueError, msgspec.ValidationError) as error:
        raise _unreadable(directory, error) from error
    yield from records


def read_records(directory: Path) -> Iterator[tuple[str, str]]:
    """Task and record, as its canonical JSON, of each stored sample in plan order, for readers that need little of it.

    Raises SpecMismatch or CorruptStore.
    """
    import pyarrow.parquet as pq

    path = directory / SAMPLES
    if not path.exists():
        raise SpecMismatch(f"{directory} has no samples.parquet; run the same command again to finish it.")
    try:
        table = pq.read_table(path, columns=["task", "record"])
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(directory, error) from error
    yield from zip(table.column("task").to_pylist(), table.column("record").to_pylist(), strict=True)


def _unreadable(directory: Path, error: Exception) -> CorruptStore:
    return CorruptStore(f"{directory / SAMPLES} cannot be read ({error}); run the same command again to write it anew.")


_COLUMNS = ("sample_id", "task", "family", "language", "category", "cluster", "status", "cause", "answer", "record")


def _row(record: SampleRecord) -> dict[str, str]:
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
