"""The files of lm-eval 0.4 as records: one ``results_<time>.json``, and beside it ``samples_<task>_<time>.jsonl``.

Source: ``EvaluationTracker`` and ``evaluate`` of lm-eval 0.4.13. A results file alone has no samples: it was made
without ``--log_samples``, and nothing in it can be checked. Values are as written: log-likelihoods are texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.errors import DataError
from evalsuite.interop.json_files import Row, read_object, read_rows, sha256_of, shown

_STDERR = "_stderr"
_LARGEST_SHOTS = 10_000


@dataclass(frozen=True)
class LmEvalLine:
    """One document under one filter: what was asked, answered and scored. `values` are by metric."""

    doc_id: int
    doc: Mapping[str, Any]
    target: str
    arguments: tuple[tuple[Any, ...], ...]
    responses: tuple[tuple[Any, ...], ...]
    filtered: tuple[Any, ...]
    filter: str
    values: Mapping[str, Any]
    where: str


@dataclass(frozen=True)
class LmEvalTask:
    """A task of a results file: `values` and `stderrs` by ``metric,filter``, as text where lm-eval has no number."""

    name: str
    values: Mapping[str, float]
    stderrs: Mapping[str, float]
    higher_is_better: Mapping[str, bool]
    config: Mapping[str, Any]
    version: Any
    num_fewshot: int
    num_available: int | None
    lines: tuple[LmEvalLine, ...]
    where: str


@dataclass(frozen=True)
class LmEvalRun:
    """A results file with its samples. `groups` are means by group, `members` the tasks and groups below each.

    `settings` are its other keys; the hashes are of the files' bytes.
    """

    path: Path
    tasks: tuple[LmEvalTask, ...]
    groups: Mapping[str, Mapping[str, float]]
    members: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, Any]
    results_sha256: str
    samples_sha256: str

    @property
    def version(self) -> str:
        """lm-eval's version as the file says it; empty where it does not."""
        return str(self.settings.get("lm_eval_version") or "")


def find_results(path: Path) -> list[Path]:
    """The results files at `path`: itself, or all below a folder. Raises DataError when there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("results_*.json"))
    if not found:
        raise DataError(f"{path} holds no results_*.json of lm-eval.")
    return found


def read_lm_eval(path: Path) -> LmEvalRun:
    """The results file at `path` with the samples beside it. Raises DataError naming file and place."""
    row = read_object(path)
    if "results" not in row.fields or "configs" not in row.fields:
        row.refuse("no results file of lm-eval: it has not both 'results' and 'configs'.")
    if "evalsuite" in row.fields:
        run_id = row.fields["evalsuite"].get("run_id") if isinstance(row.fields["evalsuite"], dict) else None
        row.refuse(f"evalsuite wrote this from its run {run_id}; use that run, which holds more.")
    groups, configs = _objects(row, "groups"), _objects(row, "configs")
    names = [name for name in _objects(row, "results") if name in configs]
    if not names:
        row.refuse("it has the results of no task.")
    samples = {name: _samples_of(path, name) for name in names}
    return LmEvalRun(
        path=path,
        tasks=tuple(_task(row, name, samples[name]) for name in names),
        groups={name: _numbers(row, name, found)[0] for name, found in groups.items()},
        members={name: _names(row, name, found) for name, found in _mapping(row, "group_subtasks").items()},
        settings={key: value for key, value in row.fields.items() if key not in ("results", "groups", "configs")},
        results_sha256=sha256_of([path]),
        samples_sha256=sha256_of(samples.values()),
    )


def _samples_of(path: Path, task: str) -> Path:
    """The file of a task's samples, of the same moment as the results."""
    when = path.stem.removeprefix("results_")
    samples = path.parent / f"samples_{task}_{when}.jsonl"
    if samples.parent != path.parent or not samples.is_file():
        raise DataError(
            f"{path}: the samples of {task} are not beside it ({samples.name}); lm-eval writes them with --log_samples."
        )
    return samples


# -- results


def _mapping(row: Row, key: str) -> Mapping[str, Any]:
    found = row.fields.get(key) or {}
    if not isinstance(found, dict):
        row.refuse(f"{key!r} is {shown(found)}; expected an object.")
    return found


def _objects(row: Row, key: str) -> Mapping[str, Mapping[str, Any]]:
    found = _mapping(row, key)
    for name, value in found.items():
        if not isinstance(value, dict):
            row.refuse(f"{key!r} has {shown(value)} for {name}; expected an object.")
    return found


def _names(row: Row, group: str, found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        row.refuse(f"'group_subtasks' has {shown(found)} for {group}; expected a list of names.")
    return tuple(found)


def _numbers(row: Row, name: str, found: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """Values and standard errors by ``metric,filter``; what is no number (``N/A``) is left out."""
    values: dict[str, float] = {}
    stderrs: dict[str, float] = {}
    for key, value in found.items():
        metric, comma, filtered = key.partition(",")
        if comma and isinstance(value, int | float) and not isinstance(value, bool):
            is_stderr = metric.endswith(_STDERR)
            (stderrs if is_stderr else values)[f"{metric.removesuffix(_STDERR)},{filtered}"] = float(value)
        elif comma and value != "N/A":
            row.refuse(f"'results' has {shown(value)} for {key} of {name}; expected a number or 'N/A'.")
    return values, stderrs


def _task(row: Row, name: str, samples: Path) -> LmEvalTask:
    values, stderrs = _numbers(row, name, _objects(row, "results")[name])
    directions = _objects(row, "higher_is_better").get(name, {})
    counts = _objects(row, "n-samples").get(name, {})
    shots = _mapping(row, "n-shot").get(name) or 0
    if type(shots) is not int or not 0 <= shots <= _LARGEST_SHOTS:
        row.refuse(f"'n-shot' has {shown(shots)} for {name}; expected a whole number.")
    original, effective = counts.get("original"), counts.get("effective")
    lines = _lines(name, read_rows([samples]))
    num_docs = len({line.doc_id for line in lines})
    if type(effective) is int and num_docs < effective:
        row.refuse(f"{name} was evaluated on {effective} documents, and {samples.name} has {num_docs} of them.")
    return LmEvalTask(
        name=name,
        values=values,
        stderrs=stderrs,
        higher_is_better={key: bool(value) for key, value in directions.items()}
        if isinstance(directions, dict)
        else {},
        config=_objects(row, "configs")[name],
        version=_mapping(row, "versions").get(name),
        num_fewshot=shots,
        num_available=original if type(original) is int else None,
        lines=lines,
        where=f"{row.where}, {name}",
    )


# -- samples


def _lines(task: str, rows: Sequence[Row]) -> tuple[LmEvalLine, ...]:
    lines = tuple(map(_line, rows))
    seen: dict[tuple[int, str], str] = {}
    for line in lines:
        first = seen.setdefault((line.doc_id, line.filter), line.where)
        if first != line.where:
            raise DataError(f"{line.where}: document {line.doc_id} of {task} as in {first}; keep one of them.")
    return lines


def _line(row: Row) -> LmEvalLine:
    doc_id = row.value("doc_id")
    if type(doc_id) is not int or doc_id < 0:
        row.refuse(f"'doc_id' is {shown(doc_id)}; expected a whole number.")
    metrics = row.value("metrics")
    if not isinstance(metrics, list) or not all(isinstance(name, str) for name in metrics):
        row.refuse(f"'metrics' is {shown(metrics)}; expected a list of names.")
    doc = row.value("doc")
    return LmEvalLine(
        doc_id=doc_id,
        doc=doc if isinstance(doc, dict) else {"doc": doc},
        target=row.text("target"),
        arguments=_arguments(row),
        responses=tuple(tuple(one) for one in _lists(row, "resps")),
        filtered=tuple(_list(row, "filtered_resps")),
        filter=row.name("filter"),
        values={name: row.value(name) for name in metrics},
        where=row.where,
    )


def _arguments(row: Row) -> tuple[tuple[Any, ...], ...]:
    """What each request was given, in order: ``{"gen_args_0": {"arg_0": ..., "arg_1": ...}}``."""
    found = row.value("arguments")
    if not isinstance(found, dict) or not found or not all(isinstance(one, dict) and one for one in found.values()):
        row.refuse(f"'arguments' is {shown(found)}; expected objects under gen_args_0 and so on.")
    return tuple(tuple(one.values()) for one in found.values())


def _list(row: Row, key: str) -> list[Any]:
    found = row.value(key)
    if not isinstance(found, list):
        row.refuse(f"{key!r} is {shown(found)}; expected a list.")
    return found


def _lists(row: Row, key: str) -> list[list[Any]]:
    found = _list(row, key)
    if not all(isinstance(one, list) for one in found):
        row.refuse(f"{key!r} is {shown(found)}; expected a list for each request.")
    return found
