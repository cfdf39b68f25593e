"""Sealed runs as DVC reads numbers: nested JSON for ``dvc metrics``, and rows of a CSV for ``dvc plots``.

Values, errors and limits are on the scale that is shown, points of a percentage where they are shares, as in what gates
write. JSON holds numbers alone, so that every difference between two revisions is one; what is unknown is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from evalsuite.interop.exporting import ExportOptions, Files, check_complete, json_bytes
from evalsuite.interop.sealed_runs import SealedRun
from evalsuite.records import Aggregate, Estimate, TaskSpec
from evalsuite.tables import Cell, Table, rendered, shown

METRICS, PLOTS = PurePosixPath("metrics.json"), PurePosixPath("plots.csv")
COLUMNS = (
    "model", "run", "name", "kind", "family", "language", "protocol", "metric", "value", "low", "high", "stderr", "n",
    "num_unscored", "num_samples", "num_available",
)  # fmt: skip
_NUMBERS = ("value", "low", "high", "stderr", "n", "num_unscored", "num_samples", "num_available")

Row = dict[str, Any]


def dvc_files(runs: Sequence[SealedRun], options: ExportOptions) -> Files:
    """``metrics.json`` and ``plots.csv``; several runs stand in the JSON under their models' names.

    Raises UsageError for an incomplete run.
    """
    for run in runs:
        check_complete(run, options)
    labels = _labels(runs, options)
    rows = [list(_rows(run, label)) for run, label in zip(runs, labels, strict=True)]
    nested = [_nested(found) for found in rows]
    whole = nested[0] if len(runs) == 1 else dict(sorted(zip(labels, nested, strict=True)))
    return {METRICS: json_bytes(whole), PLOTS: _csv([row for found in rows for row in found])}


def _labels(runs: Sequence[SealedRun], options: ExportOptions) -> list[str]:
    """Models' names; with the run's id where two runs are of one."""
    names = [options.name or run.model for run in runs]
    taken = Counter(names)
    return [
        name if taken[name] == 1 else f"{name} {run.result.run_id}" for name, run in zip(names, runs, strict=True)
    ]  # fmt: skip


def _rows(run: SealedRun, label: str) -> Iterator[Row]:
    for estimate in run.result.estimates:
        specs = [run.spec_of(estimate.task)]
        yield {
            **_row(run, label, estimate, specs),
            "name": estimate.task,
            "kind": "task",
            "language": estimate.language,
        }
    for mean in run.result.aggregates:
        specs = [run.spec_of(task) for task in mean.members]
        yield {**_row(run, label, mean, specs), "name": mean.name, "kind": mean.kind, "language": ""}


def _row(run: SealedRun, label: str, measure: Estimate | Aggregate, specs: Sequence[TaskSpec]) -> Row:
    number = shown(measure.value, measure.low, measure.high, measure.scale)
    return {
        "model": label,
        "run": run.result.run_id,
        "family": measure.family,
        "protocol": measure.protocol,
        "metric": measure.metric,
        "value": number.value,
        "low": number.low,
        "high": number.high,
        "stderr": shown(measure.stderr, scale=measure.scale).value,
        "n": measure.n,
        "num_unscored": measure.num_unscored,
        "num_samples": sum(spec.num_samples for spec in specs),
        "num_available": sum(spec.num_available for spec in specs),
    }


def _nested(rows: Sequence[Row]) -> dict[str, Any]:
    """``{task or mean: {metric: {value, low, ...}}}``, in the order of their names."""
    found: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["name"], row["metric"])):
        found.setdefault(row["name"], {})[row["metric"]] = _numbers(row)
    return found


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    return {key: row[key] for key in _NUMBERS if row[key] is not None}


def _csv(rows: Sequence[Row]) -> bytes:
    cells = [tuple(_cell(row[name]) for name in COLUMNS) for row in rows]
    return rendered(Table(COLUMNS, tuple(cells)), "csv").encode("utf-8", "replace")


def _cell(value: str | int | float | None) -> Cell:
    return shown(value) if isinstance(value, float) else value
