"""The languages view: for every family and metric a table of runs by language or translation pair, and the flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evalsuite.records import Aggregate, Estimate, TaskSummary
from evalsuite.text.language_names import LANGUAGES

from ._format import (
    PLAIN_SIGNATURE,
    Bounds,
    Cell,
    axis_of,
    axis_text,
    cell_of,
    chance_text,
    direction_text,
    task_label,
    task_rank,
    visible,
)
from ._runs import Run
from .board import Column, column_of, empty_cell, rules_of, scope_text
from .judged import is_judged_alone
from .parity import ParityTable, parity_tables


@dataclass(frozen=True)
class LanguageHead:
    """A column: what it is called, and what of its signature differs from its neighbours'."""

    label: str
    title: str
    detail: str = ""
    signature: str = ""
    own_signature: str = ""


@dataclass(frozen=True)
class LanguageRow:
    """A run and its cells; None where it has no number."""

    run: Run
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class LanguageTable:
    """One metric of one family under one protocol."""

    metric: str
    is_primary: bool
    facts: tuple[str, ...]
    signature: str
    heads: tuple[LanguageHead, ...]
    rows: tuple[LanguageRow, ...]


@dataclass(frozen=True)
class FlagRow:
    """How often one flag was raised, per task: ``3 of 40`` and ``7.5 %``, or None when not run."""

    flag: str
    cells: tuple[tuple[str, str] | None, ...]


@dataclass(frozen=True)
class FlagGroup:
    """The flags of one run."""

    run: Run
    rows: tuple[FlagRow, ...]


@dataclass(frozen=True)
class FlagTable:
    """The flags of a family; no groups when none was raised."""

    heads: tuple[LanguageHead, ...]
    groups: tuple[FlagGroup, ...]


@dataclass(frozen=True)
class FamilyView:
    """All tables of one family."""

    family: str
    title: str
    means: LanguageTable | None
    tables: tuple[LanguageTable, ...]
    parities: tuple[ParityTable, ...]
    flags: FlagTable


Found = list[tuple[Run, Column, Estimate]]


def build_languages(runs: Sequence[Run]) -> tuple[FamilyView, ...]:
    """Every family of `runs`, by name; what stands in the judged view is left out."""
    shown = {
        family: [run for run in runs if not is_judged_alone(run, family)]
        for family in sorted({summary.family for run in runs for summary in run.result.tasks})
    }
    return tuple(
        _family(family, members)
        for family, members in shown.items()
        if any(task.family == family for run in members for task in run.result.tasks)
    )


def _family(family: str, runs: Sequence[Run]) -> FamilyView:
    found = [
        (run, column_of(run, estimate), estimate)
        for run in runs
        for estimate in run.result.estimates
        if estimate.family == family
    ]
    summaries = {task.task: task for run in runs for task in run.result.tasks if task.family == family}
    groups: dict[tuple[object, ...], Found] = {}
    for entry in found:
        groups.setdefault(_group(entry[1], entry[2]), []).append(entry)
    return FamilyView(
        family=visible(family),
        title=visible(next(iter(summaries.values())).title) if len(summaries) == 1 else "",
        means=_means_table(family, runs),
        tables=tuple(_table(groups[key], summaries, runs) for key in sorted(groups)),
        parities=parity_tables(family, runs),
        flags=_flag_table(summaries, runs),
    )


def _means_table(family: str, runs: Sequence[Run]) -> LanguageTable | None:
    """Every mean over the family's tasks, headline or not: macro and micro have different names, not places."""
    found = {
        (run.result.run_id, _mean_head(run, mean)): mean
        for run in runs
        for mean in run.result.aggregates
        if mean.family == family
    }
    if not found:
        return None
    axis = axis_of(found.values())
    heads = sorted({head for _, head in found}, key=lambda head: (head.detail, head.label))
    present = {run_id for run_id, _ in found}

    def cell(run: Run, head: LanguageHead) -> Cell | None:
        mean = found.get((run.result.run_id, head))
        return cell_of(mean, axis, run.chat_note(mean.members), run.alarms.get(family, ())) if mean else None

    return LanguageTable(
        metric="means over tasks",
        is_primary=False,
        facts=("macro: tasks weigh alike", "micro: samples weigh alike", f"axis {axis_text(axis)}"),
        signature="",
        heads=tuple(heads),
        rows=tuple(
            LanguageRow(run, tuple(cell(run, head) for head in heads)) for run in runs if run.result.run_id in present
        ),
    )


def _mean_head(run: Run, mean: Aggregate) -> LanguageHead:
    column = column_of(run, mean)
    title = f"{mean.metric} over {', '.join(mean.members)}"
    lower = "" if mean.higher_is_better else "lower is better"
    rules = (*rules_of(column, [column]), scope_text(mean), chance_text([mean]), lower)
    label = mean.name.removeprefix(mean.family).lstrip(" :")
    signature = "" if mean.signature == PLAIN_SIGNATURE else visible(mean.signature)
    return LanguageHead(visible(label), visible(title), visible(", ".join(filter(None, rules))), signature, signature)


def _group(column: Column, estimate: Estimate) -> tuple[object, ...]:
    return not estimate.is_primary, column.metric, column.protocol, column.shots, column.version


def _table(found: Found, summaries: Mapping[str, TaskSummary], runs: Sequence[Run]) -> LanguageTable:
    columns = sorted(
        {column for _, column, _ in found},
        key=lambda column: (_rank(summaries[column.tasks[0]]), column.data, column.signature),
    )
    shared = _shared_signature([column.signature for column in columns])
    axis = axis_of(estimate for _, _, estimate in found)
    numbers = {(run.result.run_id, column): estimate for run, column, estimate in found}
    present = {run.result.run_id for run, _, _ in found}
    first, estimate = found[0][1], found[0][2]
    chance = chance_text(estimate for _, _, estimate in found)
    return LanguageTable(
        metric=visible(first.metric),
        is_primary=estimate.is_primary,
        facts=_facts(first, axis, estimate, chance),
        signature=visible("|".join(shared)),
        heads=tuple(_head(column, columns, summaries, shared) for column in columns),
        rows=tuple(
            LanguageRow(run, tuple(_cell(run, column, numbers, axis) for column in columns))
            for run in runs
            if run.result.run_id in present
        ),
    )


def _facts(column: Column, axis: Bounds, estimate: Estimate, chance: str) -> tuple[str, ...]:
    alias = (f"the protocol's {visible(estimate.alias)}",) if estimate.alias else ()
    known_chance = (chance,) if chance else ()
    return *alias, *rules_of(column, [column]), direction_text(estimate), *known_chance, f"axis {axis_text(axis)}"


def _cell(run: Run, column: Column, numbers: Mapping[tuple[str, Column], Estimate], axis: Bounds) -> Cell | None:
    estimate = numbers.get((run.result.run_id, column))
    if estimate is not None:
        return cell_of(estimate, axis, run.chat_note(column.tasks), ())
    has_another = any(run_id == run.result.run_id and other.tasks == column.tasks for run_id, other in numbers)
    return None if has_another else empty_cell(run, column.tasks[0])


def _rank(summary: TaskSummary) -> tuple[object, ...]:
    return task_rank(summary.task, summary.family, summary.language), summary.task


def _head(
    column: Column, columns: Sequence[Column], summaries: Mapping[str, TaskSummary], shared: Sequence[str]
) -> LanguageHead:
    signature = "" if column.signature == PLAIN_SIGNATURE else visible(column.signature)
    own = [part for part in signature.split("|") if part not in shared]
    summary = summaries[column.tasks[0]]
    plain = _plain_head(summary)
    data = [rule for rule in rules_of(column, columns) if rule.startswith("data ")]
    detail = ", ".join([*([plain.detail] if plain.detail else []), *_provenance(summary), *data])
    return replace(plain, detail=detail, signature=signature, own_signature="|".join(own))


def _provenance(summary: TaskSummary) -> tuple[str, ...]:
    """How a task's text came into its language, where it is not at home in it."""
    if summary.language_provenance in ("", "native"):
        return ()
    return (f"translation: {visible(summary.language_provenance)}",)


def _shared_signature(signatures: Sequence[str]) -> tuple[str, ...]:
    """The parts that all of `signatures` have, in order: sacrebleu's are joined by bars."""
    every = [signature.split("|") for signature in signatures if signature != PLAIN_SIGNATURE]
    return tuple(part for part in every[0] if all(part in parts for parts in every)) if every else ()


def _plain_head(summary: TaskSummary) -> LanguageHead:
    label = task_label(summary.task, summary.family, summary.language)
    source, dash, target = label.partition("-")
    if dash and {source, target} <= set(LANGUAGES):
        return LanguageHead(f"{source} → {target}", f"{LANGUAGES[source]} to {LANGUAGES[target]}")
    return LanguageHead(label, visible(summary.task), LANGUAGES.get(label, ""))


def _flag_table(summaries: Mapping[str, TaskSummary], runs: Sequence[Run]) -> FlagTable:
    tasks = sorted(summaries, key=lambda task: _rank(summaries[task]))
    flags = sorted({flag for run in runs for task in tasks for flag in _flags(run, task)})
    groups = [
        FlagGroup(run, tuple(FlagRow(visible(flag), tuple(_rate(run, task, flag) for task in tasks)) for flag in flags))
        for run in runs
        if flags and any(task in run.summaries for task in tasks)
    ]
    return FlagTable(tuple(_plain_head(summaries[task]) for task in tasks), tuple(groups))


def _flags(run: Run, task: str) -> Mapping[str, int]:
    return run.summaries[task].flags if task in run.summaries else {}


def _rate(run: Run, task: str, flag: str) -> tuple[str, str] | None:
    if task not in run.summaries or not run.summaries[task].counts.scored:
        return None
    scored = run.summaries[task].counts.scored
    count = _flags(run, task).get(flag, 0)
    return f"{count} of {scored}", f"{100 * count / scored:.1f} %"
