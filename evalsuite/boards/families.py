"""What is measured of each family: a table for every metric and set of rules, its means, and gaps to English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.columns import Key, cell_of, column_of, empty_cell, in_order, key_of, language_rank, told_apart
from evalsuite.boards.loading import LoadedRun, Measure
from evalsuite.boards.task_records import Family, Gap, GapTable, Table
from evalsuite.records import Parity, TaskSummary

Entry = tuple[int, Key, Measure]
_PLAIN_SIGNATURE = "v1"


def families_of(runs: Sequence[LoadedRun], task_places: Mapping[str, int]) -> tuple[Family, ...]:
    """Every family of `runs`, by name."""
    names = sorted({family for run in runs for family in run.families})
    return tuple(_family(name, runs, task_places) for name in names)


def _family(name: str, runs: Sequence[LoadedRun], task_places: Mapping[str, int]) -> Family:
    summaries = {task.task: task for run in runs for task in run.families.get(name, ())}
    titles = {summary.title for summary in summaries.values()}
    return Family(
        name=name,
        title=titles.pop() if len(titles) == 1 else "",
        is_judged=any(run.result.spec.judged is not None and name in run.families for run in runs),
        tables=(*_means(name, runs, summaries), *_singles(name, runs, summaries)),
        gaps=_gap_tables(name, runs),
        tasks=tuple(sorted(task_places[task] for task in summaries)),
    )


def _means(name: str, runs: Sequence[LoadedRun], summaries: Mapping[str, TaskSummary]) -> list[Table]:
    """Every mean over the family's tasks, headline or not: macro and micro have different names, not places."""
    found = [
        (place, key_of(run, mean), mean)
        for place, run in enumerate(runs)
        for mean in run.result.aggregates
        if mean.family == name
    ]
    return _tables(found, runs, "means", summaries)


def _singles(name: str, runs: Sequence[LoadedRun], summaries: Mapping[str, TaskSummary]) -> list[Table]:
    found = [
        (place, key_of(run, estimate), estimate)
        for place, run in enumerate(runs)
        for summary in run.families.get(name, ())
        for estimate in run.estimates.get(summary.task, ())
    ]
    return _tables(found, runs, "tasks", summaries)


def _by_metric(entry: Entry) -> tuple[object, ...]:
    _, key, measure = entry
    return not measure.is_primary, key.metric, key.protocol, key.shots, key.seed, key.version


def _tables(
    found: Sequence[Entry], runs: Sequence[LoadedRun], kind: str, summaries: Mapping[str, TaskSummary]
) -> list[Table]:
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in found:
        groups.setdefault(_by_metric(entry), []).append(entry)
    return [_table(groups[key], runs, kind, summaries) for key in sorted(groups, key=repr)]


def _table(found: Sequence[Entry], runs: Sequence[LoadedRun], kind: str, summaries: Mapping[str, TaskSummary]) -> Table:
    numbers = {(place, key): measure for place, key, measure in found}
    keys = in_order({key for _, key, _ in found}, summaries)
    columns = told_apart(
        [column_of(key, [numbers[at] for at in numbers if at[1] == key], summaries[key.tasks[0]]) for key in keys]
    )
    shared = _shared_signature([key.signature for key in keys])
    rows = sorted({place for place, _, _ in found})
    first, measure = found[0][1], found[0][2]
    return Table(
        metric=first.metric,
        alias=columns[0].alias,
        is_primary=measure.is_primary,
        kind="means" if kind == "means" else "tasks",
        protocol=first.protocol,
        shots=first.shots,
        seed=first.seed,
        version=first.version,
        signature="|".join(shared),
        columns=tuple(_with_own(column, shared) for column in columns),
        rows=tuple(rows),
        cells=tuple(tuple(_cell(runs[row], row, key, numbers) for key in keys) for row in rows),
    )


def _cell(run: LoadedRun, row: int, key: Key, numbers: Mapping[tuple[int, Key], Measure]) -> Cell | None:
    measure = numbers.get((row, key))
    if measure is not None:
        return cell_of(run, measure)
    has_another = any(place == row and other.tasks == key.tasks for place, other in numbers)
    return None if has_another or key.kind else empty_cell(run, key.tasks[0])


def _shared_signature(signatures: Sequence[str]) -> tuple[str, ...]:
    """The parts that all of `signatures` have, in order: sacrebleu's are joined by bars."""
    every = [signature.split("|") for signature in signatures if signature != _PLAIN_SIGNATURE]
    return tuple(part for part in every[0] if all(part in parts for parts in every)) if every else ()


def _with_own(column: Column, shared: Sequence[str]) -> Column:
    if column.signature == _PLAIN_SIGNATURE:
        return column
    own = [part for part in column.signature.split("|") if part not in shared]
    return msgspec.structs.replace(column, own_signature="|".join(own))


# -- gaps to English


def _gap_tables(family: str, runs: Sequence[LoadedRun]) -> tuple[GapTable, ...]:
    """The gaps of `family`, a table for each metric, protocol and number of exemplars."""
    groups: dict[tuple[str, str, str], list[tuple[Parity, Gap]]] = {}
    for place, run in enumerate(runs):
        for parity in run.result.parities:
            if parity.family == family:
                rules, data = _rules(run, parity)
                groups.setdefault((parity.metric, parity.protocol, rules), []).append(
                    (parity, _gap(place, parity, data))
                )
    return tuple(_gap_table(key, groups[key]) for key in sorted(groups))


def _gap_table(key: tuple[str, str, str], found: Sequence[tuple[Parity, Gap]]) -> GapTable:
    ordered: Iterable[Gap] = sorted(
        (gap for _, gap in found), key=lambda gap: (gap.run, language_rank(gap.language), gap.data)
    )
    parity = found[0][0]
    return GapTable(
        metric=key[0],
        protocol=key[1],
        rules=key[2],
        scale=parity.scale,
        higher_is_better=parity.higher_is_better,
        gaps=tuple(ordered),
    )


def _rules(run: LoadedRun, parity: Parity) -> tuple[str, str]:
    """What must be equal for two gaps to share a table, and the hash of the data that this one is over.

    A task that has lost its estimate goes by the rules of English.
    """
    known = {estimate.task: estimate for estimate in run.result.estimates if estimate.metric == parity.metric}
    for task in (parity.task, parity.reference):
        if task in known:
            key = key_of(run, known[task])
            parts = (f"{key.shots}-shot", f"seed {key.seed}" if key.seed else "", _version(key.version))
            return ", ".join(filter(None, parts)), key.data if task == parity.task else ""
    return "", ""


def _version(version: str) -> str:
    return "" if version == "1" else f"version {version}"


def _gap(place: int, parity: Parity, data: str) -> Gap:
    return Gap(
        run=place,
        language=parity.language,
        data=data,
        value=parity.gap,
        low=parity.low,
        high=parity.high,
        n=parity.n,
        num_clusters=parity.num_clusters,
        same=parity.same_answer,
        same_low=parity.same_low,
        same_high=parity.same_high,
        num_answered=parity.num_answered,
    )
