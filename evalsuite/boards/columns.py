"""Which numbers may stand in one column, and in what order columns stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.loading import LoadedRun, Measure
from evalsuite.canonical import content_hash
from evalsuite.comparability import data_hash
from evalsuite.records import Aggregate, Estimate, TaskSpec, TaskSummary
from evalsuite.text.language_names import LANGUAGES, UNDETERMINED

_USUAL_SEED = 1234
_PERCENT = 100.0
"""The scale of metrics that lie between 0 and 1."""

OF_LANGUAGE_ALONE = ("language_fidelity", "sentence_fidelity")
"""How far answers keep to a language says nothing of how good they are: no rank and no extreme goes by it."""

_MANY_PARTS = 12
"""Of a mean over more parts a head names none: it would be all head."""


@dataclass(frozen=True)
class Key:
    """What must be equal for two numbers to stand in one column."""

    family: str
    kind: str
    name: str
    metric: str
    tasks: tuple[str, ...]
    protocol: str
    signature: str
    shots: str
    seed: str
    version: str
    data: str


def key_of(run: LoadedRun, measure: Measure) -> Key:
    """The column `measure` belongs in."""
    tasks = tasks_of(measure)
    specs = [run.specs[task] for task in tasks]
    return Key(
        family=measure.family,
        kind=measure.kind if isinstance(measure, Aggregate) else "",
        name=measure.name if isinstance(measure, Aggregate) else measure.task,
        metric=measure.metric,
        tasks=tasks,
        protocol=measure.protocol,
        signature=measure.signature,
        shots=_each(spec.num_fewshot for spec in specs),
        seed=_seeds(specs),
        version=_each(spec.version for spec in specs),
        data=data_hash(specs),
    )


def _seeds(specs: Iterable[TaskSpec]) -> str:
    return ", ".join(sorted({str(spec.seed) for spec in specs if spec.seed not in (None, _USUAL_SEED)}))


def is_asked_alike(specs: Sequence[TaskSpec], column: Column) -> bool:
    """Whether a run's tasks were asked by a column's rules, over its rows."""
    bases = {spec.protocol.partition("+")[0] for spec in specs}
    asked = (_each(spec.num_fewshot for spec in specs), _seeds(specs), _each(spec.version for spec in specs))
    return bases == {column.protocol.partition("+")[0]} and (*asked, data_hash(specs)) == (
        column.shots,
        column.seed,
        column.version,
        column.data,
    )


def tasks_of(measure: Measure) -> tuple[str, ...]:
    """The tasks behind a number, in one order whatever the order they were asked for."""
    return tuple(sorted(measure.members)) if isinstance(measure, Aggregate) else (measure.task,)


def column_id(key: Key) -> str:
    """Twelve digits for a column."""
    return content_hash([getattr(key, name) for name in Key.__dataclass_fields__])[:12]


def column_of(key: Key, measures: Sequence[Measure], summary: TaskSummary) -> Column:
    """The column of `key` over the `measures` that stand in it; `summary` is of its first task."""
    first = measures[0]
    levels = [one.chance for one in measures if one.chance is not None]
    is_single = isinstance(first, Estimate)
    return Column(
        id=column_id(key),
        family=key.family,
        title=key.tasks[0] if is_single else key.family,
        label=suffix_of(summary.task, summary.family, summary.language) if is_single else _mean_label(first),
        kind="" if isinstance(first, Estimate) else first.kind,
        metric=key.metric,
        alias=first.alias if isinstance(first, Estimate) else "",
        tasks=key.tasks,
        parts=() if isinstance(first, Estimate) else _ordered(first),
        num_tasks=1 if isinstance(first, Estimate) else max(_num_tasks(one) for one in measures),
        language=summary.language if is_single else "",
        provenance=summary.language_provenance if is_single else "",
        protocol=key.protocol,
        shots=key.shots,
        seed=key.seed,
        version=key.version,
        data=key.data,
        signature=key.signature,
        formula=first.formula if isinstance(first, Estimate) else "",
        scale=first.scale,
        higher_is_better=first.higher_is_better,
        is_primary=first.is_primary,
        bounds=first.bounds if isinstance(first, Estimate) else (0.0, 1.0) if first.scale == _PERCENT else None,
        chance=(min(levels), max(levels)) if levels else None,
    )


def told_apart(columns: Sequence[Column]) -> list[Column]:
    """`columns`, means that differ in what they are over (and have few parts) saying over what."""
    alike: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for one in columns:
        alike.setdefault(_mean_of(one), set()).add(one.tasks)
    return [
        replace(one, own_parts=tuple(_suffix(part, one.family) for part in one.parts))
        if one.kind in ("macro", "micro") and len(alike[_mean_of(one)]) > 1 and len(one.parts) <= _MANY_PARTS
        else one
        for one in columns
    ]


def _mean_of(column: Column) -> tuple[str, ...]:
    return column.family, column.kind, column.metric


def _suffix(part: str, family: str) -> str:
    return part.removeprefix(family).lstrip("_:") or part


def _mean_label(measure: Measure) -> str:
    return measure.name.removeprefix(measure.family).lstrip(" :") if isinstance(measure, Aggregate) else ""


def _num_tasks(measure: Measure) -> int:
    return measure.num_tasks if isinstance(measure, Aggregate) else 1


def _ordered(mean: Aggregate) -> tuple[str, ...]:
    """What is averaged, tasks by language."""
    return tuple(sorted(mean.parts, key=lambda part: _suffix_rank(_suffix(part, mean.family))))


def cell_of(run: LoadedRun, measure: Measure) -> Cell:
    """The cell of `measure`, with what is doubtful about it."""
    return Cell(
        value=measure.value,
        low=measure.low,
        high=measure.high,
        n=measure.n,
        num_clusters=measure.num_clusters,
        num_unscored=measure.num_unscored,
        worst=measure.worst_case,
        best=measure.best_case,
        chance=measure.chance,
        is_chat=run.is_chat(tasks_of(measure)),
        notes=_left_out(run, measure),
    )


def empty_cell(run: LoadedRun, task: str) -> Cell | None:
    """None for a task that was not run; for one that was and has no score at all, a cell that says so."""
    summary = run.summaries.get(task)
    if summary is None:
        return None
    counts = summary.counts
    notes = ("nothing could be judged",) if counts.scored else tuple(sorted(counts.unscored_by_cause))
    unscored = 0 if counts.scored else counts.unscored
    return Cell(value=None, low=None, high=None, n=0, num_clusters=0, num_unscored=unscored, notes=notes)


def _left_out(run: LoadedRun, measure: Measure) -> tuple[str, ...]:
    """A mean over fewer tasks than were asked is not the family's; say which are missing."""
    if isinstance(measure, Estimate) or measure.kind == "suite":
        return ()
    category = measure.members[0].partition(":")[2]
    of_family = [task for task in run.result.tasks if task.family == measure.family]
    asked = [task for task in of_family if task.task.partition(":")[2] == category]
    missing = [task for task in asked if task.task not in measure.members]
    if not missing:
        return ()
    names = ", ".join(suffix_of(task.task, task.family, task.language) for task in missing)
    return (f"without {names}: no score there",)


# -- order


def in_order(keys: Iterable[Key], summaries: Mapping[str, TaskSummary]) -> list[Key]:
    """Averages of suites, then families by name, means before single tasks, tasks by language."""

    def rank(key: Key) -> tuple[object, ...]:
        first = summaries[key.tasks[0]]
        order = task_rank(first.task, first.family, first.language)
        tail = (key.metric, key.protocol, key.shots, key.seed, key.version, key.data, key.signature, key.tasks)
        return (key.kind != "suite", key.family, -len(key.tasks), order, key.name, *tail)

    return sorted(keys, key=rank)


def language_rank(code: str) -> tuple[int, str]:
    """Where a language stands among the others."""
    known = list(LANGUAGES)
    return (known.index(code) if code in known else len(known), code)


def suffix_of(task: str, family: str, language: str) -> str:
    """The part of a task's name that its family's lacks; of members with other names than their family's (okapi) the
    language, with the category where one was asked for. Where no language is said the task's own name stands for it.
    """
    known = task if language == UNDETERMINED else language
    if task.startswith(family):
        return task.removeprefix(family).lstrip("_:") or known
    category = task.partition(":")[2]
    return f"{known}:{category}" if category else known


def task_rank(task: str, family: str, language: str) -> tuple[tuple[int, str], ...]:
    """Where a task stands within its family: by language, translation pairs by source and then target."""
    return _suffix_rank(suffix_of(task, family, language))


def _suffix_rank(suffix: str) -> tuple[tuple[int, str], ...]:
    return tuple(language_rank(part) for part in suffix.split("-"))


def _each(values: Iterable[int]) -> str:
    return "/".join(str(value) for value in sorted(set(values)))
