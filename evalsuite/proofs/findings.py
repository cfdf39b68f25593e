"""In what something stored differs from what was computed again, place by place. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.records import RunResult
from evalsuite.types import Record

T = TypeVar("T", bound=Record)

_MISSING = "nothing"
_MOST = 200
_CONTEXT = 40
"""Characters of a long value that are shown, and of them before what differs."""


class Finding(Record, frozen=True, kw_only=True):
    """One place where a run is not what it says.

    `file` is a path below the run's directory; `task`, `sample` and `field` are empty where they say nothing. `stored`
    is what stands there, `recomputed` what should, both as JSON or words.
    """

    file: str
    task: str = ""
    sample: str = ""
    field: str = ""
    stored: str = ""
    recomputed: str = ""


def as_read(value: T) -> T:
    """`value` as it would be read back from a file, where 24 and 24.0 are one number."""
    return msgspec.convert(json.loads(canonical_json(value)), type(value), str_keys=True)


def differences(stored: Any, recomputed: Any, field: str = "") -> Iterator[tuple[str, str, str]]:
    """Field, stored and recomputed value of every leaf in which two values differ.

    Numbers differ when they are written differently: exactly, to the last bit.
    """
    before, after = _plain(stored), _plain(recomputed)
    if _written(before) != _written(after):
        yield from _differences(before, after, field)


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, str_keys=True)


def _differences(stored: Any, recomputed: Any, field: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(stored, dict) and isinstance(recomputed, dict):
        for key in sorted({**stored, **recomputed}):
            yield from _differences(
                stored.get(key, _ABSENT), recomputed.get(key, _ABSENT), f"{field}.{key}".lstrip(".")
            )
    elif isinstance(stored, list | tuple) and isinstance(recomputed, list | tuple):
        for index, (before, after) in enumerate(zip_longest(stored, recomputed, fillvalue=_ABSENT)):
            yield from _differences(before, after, f"{field}[{index}]")
    elif (before := _written(stored)) != (after := _written(recomputed)):
        yield field, *_where_they_part(before, after)


_ABSENT = object()


def _written(value: Any) -> str:
    """Canonical JSON, and infinities too, which only damaged files hold."""
    return _MISSING if value is _ABSENT else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _where_they_part(before: str, after: str) -> tuple[str, str]:
    """Two texts as findings show them: long ones from a little before the first difference."""
    pairs = zip(before, after, strict=False)
    common = next((index for index, (was, now) in enumerate(pairs) if was != now), min(len(before), len(after)))
    return _excerpt(before, common), _excerpt(after, common)


def _excerpt(text: str, place: int) -> str:
    if len(text) <= _MOST:
        return text
    start = max(0, min(place, len(text)) - _CONTEXT)
    cut = text[start : start + _MOST]
    return f"{'…' if start else ''}{cut}{'…' if start + _MOST < len(text) else ''}"


def result_findings(stored: RunResult, recomputed: RunResult, file: str) -> Iterator[Finding]:
    """All differences of two results of one run, each with its task or mean by name."""
    for field in ("schema", "run_id", "spec", "status", "counts", "packages", "stacks"):
        for place, before, after in differences(getattr(stored, field), getattr(recomputed, field), field):
            yield Finding(file=file, field=place, stored=before, recomputed=after)
    yield from _listed(file, "estimates", stored.estimates, recomputed.estimates, lambda one: (one.task, one.metric))
    yield from _listed(file, "aggregates", stored.aggregates, recomputed.aggregates, lambda one: (one.name, ""))
    yield from _listed(file, "parities", stored.parities, recomputed.parities, lambda one: (one.task, one.metric))
    yield from _listed(file, "tasks", stored.tasks, recomputed.tasks, lambda one: (one.task, ""))


def _listed(
    file: str, field: str, stored: Sequence[T], recomputed: Sequence[T], name: Callable[[T], tuple[str, str]]
) -> Iterator[Finding]:
    """Differences of two lists of named records, whose order counts too."""
    names, names_again = ([" ".join(filter(None, name(one))) for one in side] for side in (stored, recomputed))
    for place, was, now in differences(names, names_again, field):
        yield Finding(file=file, field=place, stored=was, recomputed=now)
    again = {name(one): one for one in recomputed}
    for one in stored:
        task, metric = name(one)
        if (task, metric) in again:
            for place, was, now in differences(one, again[task, metric], ".".join(filter(None, (field, metric)))):
                yield Finding(file=file, task=task, field=place, stored=was, recomputed=now)


def num_numbers(value: Any) -> int:
    """How many numbers a record holds."""
    plain = _plain(value)
    if isinstance(plain, dict | list | tuple):
        return sum(num_numbers(one) for one in (plain.values() if isinstance(plain, dict) else plain))
    return int(isinstance(plain, int | float) and not isinstance(plain, bool))
