"""How results are printed for people, and the one line of JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from evalsuite.alarms import alarms
from evalsuite.records import Counts, Estimate, RunResult, TaskSummary
from evalsuite.run import Finished
from evalsuite.text.number_texts import fixed
from evalsuite.text.visible import printable


def print_table(rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Rows of text, the first one the heads, in columns as wide as what is in them: a name is never cut."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        print(indent + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def say(text: str = "", **options: Any) -> None:
    """Print what may hold others' names."""
    print(printable(text), **options)


def print_json(value: dict[str, Any]) -> None:
    """One line on standard output."""
    print(json.dumps(value, allow_nan=False), flush=True)


def run_json(finished: Finished) -> dict[str, Any]:
    """The object that ``run --json`` ends with."""
    return {
        "run": finished.run_id,
        "path": str(finished.path),
        "status": finished.result.status if finished.result else _stopped(finished),
        "num_cached": finished.num_cached,
        "counts": counts_json(finished.counts),
        "tasks": [_task_json(task) for task in finished.result.tasks] if finished.result else [],
        "results": [estimate_json(estimate) for estimate in finished.result.estimates] if finished.result else [],
        "aggregates": [
            {
                "name": mean.name,
                "kind": mean.kind,
                "metric": mean.metric,
                "protocol": mean.protocol,
                "value": mean.value,
                "stderr": mean.stderr,
                "low": mean.low,
                "high": mean.high,
                "n": mean.n,
                "chance": mean.chance,
                "num_unscored": mean.num_unscored,
            }
            for mean in (finished.result.aggregates if finished.result else ())
        ],
        "alarms": {family: list(texts) for family, texts in alarms(finished.result).items()} if finished.result else {},
        "warnings": list(finished.warnings),
    }


def _stopped(finished: Finished) -> str:
    return finished.trouble.reason if finished.trouble else "interrupted"


def _task_json(task: TaskSummary) -> dict[str, Any]:
    """How a task's samples ended, those without any score too."""
    return {
        "task": task.task,
        "family": task.family,
        "protocol": task.protocol,
        "counts": counts_json(task.counts),
        "flags": dict(task.flags),
        "num_truncated": task.num_truncated,
    }


def counts_json(counts: Counts) -> dict[str, Any]:
    """How samples ended."""
    return {
        "requested": counts.requested,
        "scored": counts.scored,
        "unscored": counts.unscored,
        "cancelled": counts.cancelled,
        "not_run": counts.not_run,
        "unscored_by_cause": dict(counts.unscored_by_cause),
    }


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    """One entry of `results`."""
    return {
        "task": estimate.task,
        "protocol": estimate.protocol,
        "metric": estimate.metric,
        "alias": estimate.alias,
        "language": estimate.language,
        "value": estimate.value,
        "stderr": estimate.stderr,
        "low": estimate.low,
        "high": estimate.high,
        "n": estimate.n,
        "chance": estimate.chance,
        "num_not_judged": estimate.num_not_judged,
        "num_unscored": estimate.num_unscored,
        "signature": estimate.signature,
    }


MAX_ROWS = 40


def print_result(result: RunResult) -> None:
    """Metrics with interval and n: all of them, or in a long list the headlines only."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("task", "metric", "value", "95 % interval", "n", "unscored", "protocol"):
        table.add_column(column, overflow="fold")  # two names that begin alike must not be cut alike
    is_long = len(result.estimates) + len(result.aggregates) > MAX_ROWS
    averaged = {mean.family for mean in result.aggregates if mean.is_primary}
    for estimate in result.estimates:
        if is_long and (not estimate.is_primary or estimate.family in averaged):
            continue
        table.add_row(
            estimate.task,
            estimate.metric,
            _number(estimate.value, estimate.scale),
            interval_text(estimate.low, estimate.high, estimate.scale),
            str(estimate.n),
            str(estimate.num_unscored),
            estimate.protocol,
            style="bold" if estimate.is_primary else None,
        )
    for mean in result.aggregates:
        if is_long and not mean.is_primary:
            continue
        table.add_row(
            mean.name if mean.kind == "suite" else f"{mean.family} {mean.kind}",
            mean.metric,
            _number(mean.value, mean.scale),
            interval_text(mean.low, mean.high, mean.scale),
            str(mean.n),
            str(mean.num_unscored),
            mean.protocol,
            style="italic",
        )
    for task in result.tasks:
        if not task.counts.scored:
            causes = ", ".join(f"{cause} {count}" for cause, count in task.counts.unscored_by_cause.items())
            table.add_row(
                task.task, "–", "–", "–", "0", f"{task.counts.unscored} ({causes})", task.protocol, style="red"
            )
    Console().print(table)
    for family, texts in alarms(result).items():
        for text in texts:
            print(f"evalsuite: {family}: {text}", file=sys.stderr)
    if is_long:
        print("Headline metrics only; --json, results.json and the page have all.")


def interval_text(low: float | None, high: float | None, scale: float) -> str:
    """An interval for people; a dash where it cannot be known."""
    return "–" if low is None or high is None else f"{_number(low, scale)} – {_number(high, scale)}"


def _number(value: float, scale: float) -> str:
    return fixed(value * scale, 2 if scale == 1 else 1)
