"""How far a task lies from its English counterpart, item by item, and how often both give the same answer. Pure.

Only items that are scored in both languages count, so that a gap never comes from other questions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evalsuite.contracts import Metric, Task
from evalsuite.records import Parity
from evalsuite.stats import intervals
from evalsuite.stats.estimates import Row
from evalsuite.types import ITEM, Flag, Sample, Scored

REFERENCE_LANGUAGE = "en"
_ENOUGH_ITEMS = 2
_OF_LANGUAGE = re.compile(r"\+(?:prompt-\w+|translated)")
_NO_SPREAD = 1e-12


@dataclass(frozen=True)
class _Item:
    """One item in one language: what its row counts, its cluster, and its answer in a form that has no language."""

    counts: tuple[float, ...]
    cluster: str
    answer: str


def parities(tasks: Sequence[tuple[Task, Sequence[Row]]], model: str) -> tuple[Parity, ...]:
    """The gap to English of each task's headline metric, in families with one English task, the reference.

    Tasks of other items than English's, or under another protocol, have none; nor have samples that stand there twice
    (``--repeats``). Text answers are not compared with each other, choices and numbers are.
    """
    families: dict[str, list[tuple[Task, Sequence[Row]]]] = {}
    for task, rows in tasks:
        families.setdefault(task.family, []).append((task, rows))
    return tuple(parity for members in families.values() for parity in _of_family(members, model))


def _of_family(members: Sequence[tuple[Task, Sequence[Row]]], model: str) -> Iterator[Parity]:
    english = [(task, rows) for task, rows in members if task.language == REFERENCE_LANGUAGE]
    if len(english) != 1 or any(task.kind == "translate" for task, _ in members):
        return
    reference, reference_rows = english[0]
    items = _items(reference, reference_rows)
    for task, rows in members:
        is_alike = (task.version, task.num_fewshot, _base(task)) == (
            reference.version,
            reference.num_fewshot,
            _base(reference),
        )
        if task.language != REFERENCE_LANGUAGE and is_alike:
            found = _parity(task, reference, _items(task, rows), items, model)
            if found is not None:
                yield found


def _base(task: Task) -> str:
    """The protocol but for what may differ between the languages of one set."""
    return _OF_LANGUAGE.sub("", task.protocol)


def _items(task: Task, rows: Sequence[Row]) -> Mapping[str, _Item]:
    """The scored rows of `task` by item; one that stands there twice (repeats) is left out."""
    found: dict[str, _Item] = {}
    twice: set[str] = set()
    metric = task.metrics[0]
    for sample, outcome in rows:
        if not isinstance(outcome, Scored):
            continue
        counts = next((score.counts for score in outcome.scores if score.name == metric.name), ())
        if any(counts) and ITEM in sample.metadata:
            name = str(sample.metadata[ITEM])
            twice |= {name} & set(found)
            found[name] = _Item(counts, sample.cluster_id, _neutral(task, sample, outcome))
    return {name: item for name, item in found.items() if name not in twice}


def _neutral(task: Task, sample: Sample, outcome: Scored) -> str:
    """The answer without its language: the number of the choice, or a number. Empty where it cannot be told."""
    if sample.choices:
        return str(sample.choices.index(outcome.answer)) if sample.choices.count(outcome.answer) == 1 else ""
    return outcome.answer if task.kind == "generate" and Flag.UNPARSED not in outcome.flags else ""


def _parity(
    task: Task, reference: Task, found: Mapping[str, _Item], english: Mapping[str, _Item], model: str
) -> Parity | None:
    metric = task.metrics[0]
    both = [name for name in found if name in english]
    if len(both) < _ENOUGH_ITEMS or metric.signature() != reference.metrics[0].signature():
        return None
    pairs = [(found[name], english[name]) for name in both]
    gap = _gap(metric, pairs)
    if gap is None:
        return None
    value, stderr, low, high, method, num_clusters = gap
    answered = [(ours.answer, theirs.answer) for ours, theirs in pairs if ours.answer and theirs.answer]
    num_same = sum(ours == theirs for ours, theirs in answered)
    same = intervals.wilson(num_same / len(answered), len(answered)) if answered else (None, None)
    return Parity(
        task=task.name,
        reference=reference.name,
        family=task.family,
        model=model,
        language=task.language,
        metric=metric.name,
        protocol=task.protocol,
        gap=value,
        stderr=stderr,
        low=low,
        high=high,
        interval=method,
        n=len(both),
        num_clusters=num_clusters,
        num_answered=len(answered),
        same_answer=num_same / len(answered) if answered else None,
        same_low=same[0],
        same_high=same[1],
        scale=metric.scale,
        higher_is_better=metric.higher_is_better,
    )


def _gap(
    metric: Metric, pairs: Sequence[tuple[_Item, _Item]]
) -> tuple[float, float | None, float | None, float | None, str, int] | None:
    """The difference of the two statistics over the same items, with its error, interval, method and clusters."""
    width = len(pairs[0][0].counts)
    vectors = [ours.counts + theirs.counts for ours, theirs in pairs]
    names, totals = intervals.cluster_totals(vectors, [ours.cluster for ours, _ in pairs])
    reduce = _difference(metric, width)
    value = reduce(intervals.column_sums(totals))
    if value is None:
        return None
    stderr = intervals.jackknife_stderr(intervals.jackknife_deltas(totals, reduce, value))
    has_spread = stderr is not None and stderr >= _NO_SPREAD
    is_counted = metric.proportion and all(item.counts[-1] == 1.0 for pair in pairs for item in pair)
    if is_counted and len(names) > 1 and (len(names) == len(pairs) or not has_spread):
        # clusters that are all alike are as many facts as there are clusters, not certainty
        share = len(names) / len(pairs)
        gained = share * sum(ours.counts[0] > theirs.counts[0] for ours, theirs in pairs)
        lost = share * sum(ours.counts[0] < theirs.counts[0] for ours, theirs in pairs)
        bounds = intervals.paired_proportions(gained, lost, len(names))
        return value, stderr if has_spread else intervals.normal_stderr(bounds), *bounds, "bonett-price", len(names)
    limits = (-1.0, 1.0) if metric.bounds == (0.0, 1.0) else None
    interval = intervals.t_interval(value, stderr if has_spread else None, len(names), limits)
    if interval is None:
        return value, None, None, None, "none", len(names)
    return value, stderr, *interval, "jackknife-t", len(names)


def _difference(metric: Metric, width: int) -> Callable[[tuple[float, ...]], float | None]:
    def reduce(counts: tuple[float, ...]) -> float | None:
        ours, theirs = metric.reduce(counts[:width]), metric.reduce(counts[width:])
        return None if ours is None or theirs is None else ours - theirs

    return reduce
