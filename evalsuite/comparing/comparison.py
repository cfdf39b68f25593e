"""What a pairing of two runs finds: differences of headlines and means, chances adjusted together, flipped samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from evalsuite.comparability import circumstances
from evalsuite.comparing.pairing import NotComparable, PairedTask, Pairing
from evalsuite.comparing.sides import Side
from evalsuite.metrics import ALL_REFERENCES, CORPUS
from evalsuite.records import Aggregate, AggregateKind, SampleRecord
from evalsuite.stats.differences import Difference, difference_of, mean_difference
from evalsuite.stats.paired_rows import PairedGroup, PairedRows
from evalsuite.stats.paired_tests import holm
from evalsuite.stats.translation_tests import paired_test
from evalsuite.types import Record, Scored

Way: TypeAlias = Literal["gained", "lost"]


class Flip(Record, frozen=True, kw_only=True):
    """A sample that is right by `metric` on one side alone."""

    task: str
    metric: str
    sample: str
    category: str
    way: Way


class Refusal(Record, frozen=True, kw_only=True):
    """A task, or one metric of it, that is not compared, and in what the sides differ."""

    task: str
    metric: str
    reasons: tuple[str, ...]


class SideSummary(Record, frozen=True, kw_only=True):
    """Which run stands on a side."""

    label: str
    run_id: str
    model: str
    status: str


class Comparison(Record, frozen=True, kw_only=True):
    """Two runs, their differences and what could not be compared.

    `missing` tasks only the baseline has, `added` only the candidate; `left_out` counts by task the samples without a
    score on one side or both; `warnings` are circumstances that may have moved numbers.
    """

    baseline: SideSummary
    candidate: SideSummary
    differences: tuple[Difference, ...]
    flips: tuple[Flip, ...]
    refused: tuple[Refusal, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    warnings: tuple[str, ...]


def compare(pairing: Pairing, *, every_metric: bool = False, by_segments: bool = True) -> Comparison:
    """Differences of every task's headline, or of all its metrics, and of the means that the candidate reports.

    Chances are adjusted (Holm) among the headlines of all tasks and languages that are compared, those of means among
    themselves; other metrics are looked at, not claimed. `by_segments` also asks sacrebleu of corpus scores, a second
    for each.
    """
    rows = [(task, rows) for task in pairing.tasks.values() for rows in task.rows.values()]
    headlines = _singles([one for one in rows if one[1].estimate.is_primary], by_segments=by_segments)
    others = [one for one in rows if not one[1].estimate.is_primary] if every_metric else []
    means = {is_primary: list(_means(pairing, is_primary=is_primary)) for is_primary in (True, False)}
    more_means = means[False] if every_metric else []
    return Comparison(
        baseline=summary_of(pairing.baseline),
        candidate=summary_of(pairing.candidate),
        differences=(
            *adjusted(means[True]),
            *more_means,
            *adjusted(headlines),
            *_singles(others, by_segments=by_segments),
        ),
        flips=tuple(flip for task in pairing.tasks.values() for flip in headline_flips(task)),
        refused=tuple(map(refusal_of, pairing.refused)),
        missing=pairing.missing,
        added=pairing.added,
        warnings=(*circumstances(pairing.baseline.spec, pairing.candidate.spec), *_partly(pairing)),
    )


def summary_of(side: Side) -> SideSummary:
    """The side in words."""
    return SideSummary(label=side.label, run_id=side.run_id, model=side.spec.subject, status=side.status)


def refusal_of(found: NotComparable) -> Refusal:
    """What could not be compared, as a record."""
    return Refusal(task=found.task, metric=found.metric, reasons=found.reasons)


def _partly(pairing: Pairing) -> Iterator[str]:
    for task in pairing.tasks.values():
        if task.only_baseline or task.only_candidate:
            yield (
                f"{task.name}: {task.num_shared} samples in common, {task.only_baseline} only in the baseline, "
                f"{task.only_candidate} only in the candidate"
            )
        if task.num_left_out:
            yield f"{task.name}: {task.num_left_out} of {task.num_shared} samples have no score on one side or both"


def adjusted(found: Sequence[Difference]) -> tuple[Difference, ...]:
    """`found` with chances adjusted for all of them."""
    chances = holm([one.p_value for one in found])
    return tuple(msgspec.structs.replace(one, p_adjusted=chance) for one, chance in zip(found, chances, strict=True))


def headline_flips(task: PairedTask) -> list[Flip]:
    """The samples whose headline is right on one side alone, lost ones first."""
    rows = next(iter(task.rows.values()), None)
    return [] if rows is None or not rows.estimate.is_primary else flips_of(task, rows.estimate.metric)


def flips_of(task: PairedTask, metric: str) -> list[Flip]:
    """The samples that are right by `metric` on one side alone, lost ones first; none unless it is right/wrong."""
    rows = task.rows.get(metric)
    if rows is None or not rows.is_binary:
        return []
    side = task.candidate if task.candidate.ids is not None else task.baseline
    categories = dict(zip(side.ids or (), side.categories or (), strict=True))
    ways: tuple[tuple[Way, float], ...] = (("lost", -1.0), ("gained", 1.0))
    return [
        Flip(task=task.name, metric=metric, sample=name, category=categories.get(name, ""), way=way)
        for way, sign in ways
        for name in (rows.names[index] for index in np.flatnonzero(rows.gains == sign))
    ]


# -- differences


def _singles(rows: Sequence[tuple[PairedTask, PairedRows]], *, by_segments: bool) -> list[Difference]:
    return [found for task, one in rows if (found := _single(task, one, by_segments=by_segments)) is not None]


def _single(task: PairedTask, rows: PairedRows, *, by_segments: bool) -> Difference | None:
    found = difference_of(rows)
    if found is None or not by_segments or rows.estimate.formula != CORPUS:
        return found
    return msgspec.structs.replace(found, p_segments=_by_segments(task, rows))


def _by_segments(task: PairedTask, rows: PairedRows) -> float | None:
    """sacrebleu's chance for a corpus score, from the translations themselves; None where only counts were kept."""
    kept = set(rows.names)
    baseline, candidate = (_translations(side.records, kept) for side in (task.baseline, task.candidate))
    if baseline is None or candidate is None:
        return None
    (before, _), (after, references) = baseline, candidate
    name = rows.estimate.metric
    used = references if name.endswith(ALL_REFERENCES) else references[:1]
    order = list(after)
    columns = [[reference[sample] for sample in order] for reference in used]
    (found,) = paired_test(
        [name], rows.estimate.language, [before[s] for s in order], [after[s] for s in order], columns
    )
    return found.p_value


def _translations(records: Sequence[str] | None, kept: set[str]) -> tuple[dict[str, str], list[dict[str, str]]] | None:
    """Each sample's translation, and its references, one mapping a reference."""
    if records is None:
        return None
    texts: dict[str, str] = {}
    references: list[dict[str, str]] = []
    for text in records:
        record = msgspec.json.decode(text, type=SampleRecord)
        if record.sample.id in kept and isinstance(record.outcome, Scored):
            texts[record.sample.id] = record.outcome.answer
            for index, reference in enumerate(record.sample.references):
                if index == len(references):
                    references.append({})
                references[index][record.sample.id] = reference
    return texts, references


def _means(pairing: Pairing, *, is_primary: bool) -> Iterator[Difference]:
    """The means of headlines, or of other metrics, that both sides report over the same tasks."""
    known = {(mean.name, mean.protocol) for mean in pairing.baseline.aggregates}
    for mean in pairing.candidate.aggregates:
        if mean.kind != "suite" and mean.is_primary == is_primary and (mean.name, mean.protocol) in known:
            found = difference_of_mean(pairing, mean)
            if found is not None:
                yield found


def difference_of_mean(pairing: Pairing, mean: Aggregate) -> Difference | None:
    """The difference of one of the candidate's means; None unless all of its tasks are paired."""
    group = group_of_mean(pairing, mean)
    return None if group is None else mean_difference(group)


def group_of_mean(pairing: Pairing, mean: Aggregate) -> PairedGroup | None:
    """What one of the candidate's means is compared over; None unless all of its tasks are paired."""
    tasks = [pairing.tasks.get(name) for name in mean.members]
    paired = [task for task in tasks if task is not None and mean.metric in task.rows]
    if len(paired) < len(tasks):
        return None
    parts = [task.rows[mean.metric] for task in paired]
    return group_of(mean.name, mean.kind, parts, pairing, is_thin=mean.num_tasks > len(mean.members))


def group_of(
    name: str, kind: AggregateKind, parts: Sequence[PairedRows], pairing: Pairing, *, is_thin: bool
) -> PairedGroup:
    """The mean over `parts`, weighed as `averages` weighs a random sample; `is_thin` if some tasks have no sample."""
    spec = pairing.candidate.spec
    is_sample = spec.limit is not None and spec.limit_mode == "stratified"
    is_thin = is_thin or any(len(set(part.clusters)) < 2 for part in parts)
    by_row = None
    if is_sample and is_thin and all(part.is_binary for part in parts):
        by_row = {part.estimate.task: 1.0 / part.num_available if kind == "macro" else 1.0 for part in parts}
    return PairedGroup(name, kind, tuple(parts), by_row)
