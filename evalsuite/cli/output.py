"""How results are printed for people, and the one line of JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from evalsuite.alarms import alarms
from evalsuite.records import Aggregate, Counts, Estimate, RunResult, TaskSummary
from evalsuite.run import Finished
from evalsuite.tables import Table, rendered
from evalsuite.text.number_texts import MISSING, interval_text, number
from evalsuite.text.visible import printable


def print_table(rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Rows of text, the first one the heads, in columns as wide as what is in them: a name is never cut."""
    heads, *others = map(tuple, rows)
    text = rendered(Table(heads, tuple(others), num_labels=len(heads)), "text")
    say("".join(indent + line for line in text.splitlines(keepends=True)), end="")


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
            *_value_and_interval(estimate),
            str(estimate.n),
            str(estimate.num_unscored),
            estimate.protocol,
            style="bold" if estimate.is_primary else None,
        )
    for mean in result.aggregates:
        if is_long and not mean.is_primary:
            continue
        table.add_row(
            mean.name if mean.kind == "suite" else mean.name.removesuffix(f" {mean.metric}"),
            mean.metric,
            *_value_and_interval(mean),
            str(mean.n),
            str(mean.num_unscored),
            mean.protocol,
            style="italic",
        )
    for task in result.tasks:
        if not task.counts.scored:
            causes = ", ".join(f"{cause} {count}" for cause, count in task.counts.unscored_by_cause.items())
            table.add_row(
                task.task,
                MISSING,
                MISSING,
                MISSING,
                "0",
                f"{task.counts.unscored} ({causes})",
                task.protocol,
                style="red",
            )
    Console().print(table)
    for family, texts in alarms(result).items():
        for text in texts:
            print(f"evalsuite: {family}: {text}", file=sys.stderr)
    if is_long:
        print("Headline metrics only; --json, results.json and the page have all.")


def _value_and_interval(one: Estimate | Aggregate) -> tuple[str, str]:
    """Of percentages one decimal, of all else two; a dash where no interval can be known."""
    decimals = 1 if one.scale != 1 else 2
    return number(one.value * one.scale, decimals), interval_text(one.low, one.high, one.scale, decimals=decimals)
