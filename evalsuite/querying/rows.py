"""A sealed run as rows of the tables in `columns`. Pure but for reading what is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from evalsuite.metrics import MEAN, mean
from evalsuite.records import IMPORTED, Aggregate, Counts, Estimate, RunResult, TaskSpec, TaskSummary
from evalsuite.store.run_directory import read_opened_at
from evalsuite.types import Score

Row = Mapping[str, Any]


def rows_of(table: str, path: Path, result: RunResult) -> list[Row]:
    """The rows of a run in any table but ``samples``, by names of columns; the run lies at `path`."""
    run = {"run": result.run_id, "model": result.spec.subject}
    return [{**run, **row} for row in _ROWS[table](path, result)]


def _runs(path: Path, result: RunResult) -> list[Row]:
    spec = result.spec
    began = read_opened_at(path)
    return [
        {
            "path": str(path),
            "status": result.status,
            "answering": spec.model.name,
            "engine": spec.model.engine,
            "judge": spec.judged.judge if spec.judged else None,
            "identity": _json(spec.model.identity),
            "began": None if began is None else datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
            "evalsuite": result.packages.get("evalsuite"),
            **_counts(result.counts),
            "seed": spec.seed,
            "sample_limit": spec.limit,
            "limit_mode": spec.limit_mode,
        }
    ]


def _estimates(path: Path, result: RunResult) -> list[Row]:
    return [_estimate(one) for one in result.estimates]


def _estimate(one: Estimate) -> Row:
    lower, upper = one.bounds or (one.least, None)
    return {
        **msgspec.structs.asdict(one),
        "unscored": _json(one.unscored),
        "interval_method": one.interval,
        "lower_bound": lower,
        "upper_bound": upper,
    }


def _aggregates(path: Path, result: RunResult) -> list[Row]:
    return [_aggregate(one) for one in result.aggregates]


def _aggregate(one: Aggregate) -> Row:
    return {
        **msgspec.structs.asdict(one),
        "interval_method": one.interval,
        "parts": _json(one.parts),
        "members": _json(one.members),
    }


def _tasks(path: Path, result: RunResult) -> list[Row]:
    specs = {spec.name: spec for spec in result.spec.tasks}
    is_imported = result.spec.model.engine == IMPORTED
    return [_task(specs[summary.task], summary, is_imported=is_imported) for summary in result.tasks]


def _task(spec: TaskSpec, summary: TaskSummary, *, is_imported: bool) -> Row:
    """Tokens that an imported run does not know are 0 in its results, and missing here."""
    tokens = {"num_prompt_tokens": summary.num_prompt_tokens, "num_generated_tokens": summary.num_generated_tokens}
    if is_imported:
        tokens = {name: number or None for name, number in tokens.items()}  # type: ignore[misc]
    return {
        **msgspec.structs.asdict(spec),
        **msgspec.structs.asdict(summary),
        **_counts(summary.counts),
        **tokens,
        "is_chat": spec.chat,
        "unscored": _json(summary.counts.unscored_by_cause),
        "flags": _json(summary.flags),
    }


def _counts(counts: Counts) -> Row:
    return {
        "num_requested": counts.requested,
        "num_scored": counts.scored,
        "num_unscored": counts.unscored,
        "num_cancelled": counts.cancelled,
        "num_not_run": counts.not_run,
    }


def _json(value: Mapping[str, Any] | Sequence[str]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


_ROWS: Mapping[str, Callable[[Path, RunResult], list[Row]]] = {
    "runs": _runs,
    "estimates": _estimates,
    "aggregates": _aggregates,
    "tasks": _tasks,
}


# -- the value of a sample


class _Outcome(msgspec.Struct):
    """As much of a stored outcome as its value needs."""

    type: str
    scores: tuple[Score, ...] = ()


class _Stored(msgspec.Struct):
    """As much of a stored sample as its value needs."""

    outcome: _Outcome


def value_reader(result: RunResult) -> Callable[[str, str], float | None]:
    """What reads a sample's value off its task's name and its record (see `columns.VALUE`)."""
    headlines = {one.task: one.metric for one in result.estimates if one.is_primary and one.formula == MEAN}

    def read(task: str, record: str) -> float | None:
        metric = headlines.get(task)
        outcome = _outcome(record) if metric else None
        if outcome is None or outcome.type != "scored":
            return None
        found = next((score.counts for score in outcome.scores if score.name == metric), None)
        return None if found is None else mean(found)

    return read


def _outcome(record: str) -> _Outcome:
    try:
        return msgspec.json.decode(record, type=_Stored).outcome
    except (msgspec.DecodeError, UnicodeError):  # half of a surrogate pair, which msgspec's own decoder refuses
        return msgspec.convert(json.loads(record), _Stored).outcome
