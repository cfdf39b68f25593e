"""lm-eval's metrics as ours: counts a document gives, and how their sum becomes the value that its file says.

Source: ``lm_eval/api/metrics.py`` at 0.4.13. A value is taken over only where it follows from the samples, so that its
interval is about that very number. Aggregations that have no counts (medians, F1, correlations) are not taken over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evalsuite.contracts import Metric
from evalsuite.errors import DataError
from evalsuite.interop.lm_eval_files import LmEvalLine, LmEvalTask
from evalsuite.interop.lm_eval_names import NO_FILTER
from evalsuite.metrics import (
    BITS,
    MEAN,
    PERPLEXITY,
    accuracy,
    corpus_metric,
    corpus_score,
    mean,
    probability,
    reduce_of,
)
from evalsuite.text.language_names import UNDETERMINED

SHARES = {"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "likelihood"}
"""Metrics of lm-eval's own that lie between 0 and 1."""

_USUAL = {
    **dict.fromkeys(SHARES, "mean"), "perplexity": "perplexity", "word_perplexity": "weighted_perplexity",
    "byte_perplexity": "weighted_perplexity", "bits_per_byte": "bits_per_byte", "bleu": "bleu", "chrf": "chrf",
    "chrf++": "chrf++", "ter": "ter",
}  # fmt: skip
"""How lm-eval reduces a metric where a task does not say."""

CORPUS = ("bleu", "chrf", "chrf++", "ter")
"""Metrics of lm-eval's that are sacrebleu's over the corpus."""


@dataclass(frozen=True)
class TakenMetric:
    """One of our metrics, lm-eval's ``metric,filter`` that it is, and what each document gives it."""

    key: str
    metric: Metric
    counts: Mapping[int, tuple[float, ...]]


def taken_metrics(task: LmEvalTask) -> tuple[tuple[TakenMetric, ...], tuple[str, ...]]:
    """A task's metrics in the file's order, and lines on those that are not taken over.

    Raises DataError where the file's value or standard error is not that of its samples.
    """
    taken, left = [], []
    for key in task.values:
        found = _taken(task, key)
        if found is None:
            how = _aggregation(task, key)
            left.append(f"not taken over: {key} of {task.name}, since its samples do not give it ({how})")
        else:
            taken.append(found)
    return tuple(taken), tuple(left)


def _taken(task: LmEvalTask, key: str) -> TakenMetric | None:
    name, _, filtered = key.partition(",")
    lines = [line for line in task.lines if line.filter == filtered and name in line.values]
    declared = _aggregation(task, key)
    made = _made(name, declared, lines)
    if made is None:
        return None
    metric, counts = made
    value = metric.reduce(tuple(map(math.fsum, zip(*counts.values(), strict=True))))
    if value is None or not math.isclose(value, task.values[key], rel_tol=1e-9, abs_tol=1e-9):
        if declared not in _REDUCTIONS and declared not in CORPUS:
            return None  # a mean was a guess
        raise DataError(
            f"{task.where}: {key} is {task.values[key]} there, and its samples give {value}; the files are not of one "
            "evaluation, or one was changed."
        )
    if declared == MEAN:
        _check_stderr(task, key, [count for count, _ in counts.values()])
    ours = name if filtered == NO_FILTER else key
    direction = task.higher_is_better.get(name, metric.higher_is_better)
    return TakenMetric(key, replace(metric, name=ours, higher_is_better=direction), counts)


def _check_stderr(task: LmEvalTask, key: str, values: Sequence[float]) -> None:
    """lm-eval's error of a mean is s / sqrt(n)."""
    stated = task.stderrs.get(key)
    if stated is None or len(values) < 2:
        return
    centre = math.fsum(values) / len(values)
    variance = math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1)
    if not math.isclose(stated, math.sqrt(variance / len(values)), rel_tol=1e-6, abs_tol=1e-9):
        raise DataError(
            f"{task.where}: the standard error of {key} is {stated} there, and its samples give "
            f"{math.sqrt(variance / len(values))}; the files are not of one evaluation, or one was changed."
        )


def _aggregation(task: LmEvalTask, key: str) -> str:
    """How the task's configuration says that the metric is reduced, else as lm-eval does usually."""
    name = key.partition(",")[0]
    listed = task.config.get("metric_list")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and entry.get("metric") == name and entry.get("aggregation"):
            return str(entry["aggregation"])
    return _USUAL.get(name, "not stated")


Made = tuple[Metric, Mapping[int, tuple[float, ...]]]


def _made(name: str, aggregation: str, lines: Sequence[LmEvalLine]) -> Made | None:
    """The metric and its counts, by the shape of what documents have; None for shapes that have no counterpart."""
    if not lines:
        return None
    values = {line.doc_id: line.values[name] for line in lines}
    if aggregation in CORPUS:
        return _corpus(aggregation, values) if name == aggregation and lines[0].filter == NO_FILTER else None
    pairs = {doc: _numbers(value) for doc, value in values.items()}
    counts = {doc: found for doc, found in pairs.items() if found is not None}
    if len(counts) < len(values):
        return None
    is_single = all(not isinstance(value, list) for value in values.values())
    if is_single and aggregation not in _REDUCTIONS:
        aggregation = "mean"
    if aggregation == "mean":
        return (_mean_metric(name, list(values.values())), counts) if is_single else None
    if aggregation not in _REDUCTIONS:
        return None
    formula = _REDUCTIONS[aggregation]
    reduce = reduce_of(formula, name, UNDETERMINED, "")
    return Metric(name, reduce, bounds=(0.0, math.inf), higher_is_better=False, formula=formula), counts


def _numbers(value: Any) -> tuple[float, float] | None:
    """A number as (number, 1), a pair of numbers as it is."""
    pair = value if isinstance(value, list) else [value, 1]
    if len(pair) != 2 or not all(isinstance(part, int | float) for part in pair):
        return None
    return float(pair[0]), float(pair[1])


def _mean_metric(name: str, values: Sequence[Any]) -> Metric:
    """A share of documents that are right, a mean of shares, or a plain mean."""
    is_right_or_wrong = all(value in (0, 1) for value in values)
    if is_right_or_wrong and (name in SHARES or all(isinstance(value, bool) for value in values)):
        return accuracy(name)
    if name in SHARES and all(0 <= value <= 1 for value in values):
        return probability(name)
    return Metric(name, mean, formula=MEAN)


def _corpus(name: str, values: Mapping[int, Any]) -> Made | None:
    """sacrebleu's statistics of one reference and answer a document; its tokenizer is the usual one, as in lm-eval."""
    texts = {doc: reference_and_answer(value) for doc, value in values.items()}
    if any(found is None for found in texts.values()):
        return None
    counts = {
        doc: corpus_score(name, UNDETERMINED, answer, [reference]).counts
        for doc, (reference, answer) in ((doc, found) for doc, found in texts.items() if found is not None)
    }
    return corpus_metric(name, UNDETERMINED), counts


def reference_and_answer(value: Any) -> tuple[str, str] | None:
    """What a document has of a corpus score: its one reference and its answer; None for another shape."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    reference, answer = (part[0] if isinstance(part, list) and len(part) == 1 else part for part in value)
    return (reference, answer) if isinstance(reference, str) and isinstance(answer, str) else None


_REDUCTIONS = {
    "mean": MEAN,
    "perplexity": PERPLEXITY,
    "weighted_perplexity": PERPLEXITY,
    "bits_per_byte": BITS,
}
"""Our formula of each of lm-eval's aggregations; of its weighted ones documents have pairs of numbers."""
