"""What lm-eval's tasks measure, as metrics of ours: known before anything is answered, from the task's configuration.

A document's values are lm-eval's own (`process_results`). Where lm-eval's aggregation is a function of sums they become
counts, and the value follows from these with our interval; other aggregations (medians, F1 over many labels, functions
of a task's own that are no mean) are left out and named. Source: ``lm_eval/api/metrics.py`` and ``api/task.py`` at
0.4.13.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evalsuite.contracts import Metric
from evalsuite.errors import UsageError
from evalsuite.interop.lm_eval_metrics import CORPUS, SHARES, reference_and_answer
from evalsuite.interop.lm_eval_names import NO_FILTER
from evalsuite.metrics import (
    BITS,
    F1,
    MATTHEWS,
    MEAN,
    PERPLEXITY,
    accuracy,
    corpus_metric,
    corpus_score,
    mean,
    probability,
    reduce_of,
)  # fmt: skip
from evalsuite.text.language_names import UNDETERMINED

Counts = tuple[float, ...]


@dataclass(frozen=True)
class TheirMetric:
    """One of lm-eval's metrics after one of its filters, and how a document's value becomes counts.

    `counts` gives an empty vector for a value that lm-eval leaves out, and raises ValueError for one it cannot take.
    """

    key: str
    filter: str
    metric: Metric
    counts: Callable[[Any], Counts]


def metrics_of(config: Mapping[str, Any]) -> tuple[tuple[TheirMetric, ...], tuple[str, ...]]:
    """A task's metrics, the first filter's first, and those that are left out with the reason. Raises UsageError."""
    found: list[TheirMetric] = []
    left: list[str] = []
    filters = [str(one["name"]) for one in config.get("filter_list") or ()] or [NO_FILTER]
    listed = list(_listed(config))
    for filtered in filters:
        for name, aggregation, direction in listed:
            made = _made(
                name, aggregation, is_own="process_results" in config and config["process_results"] is not None
            )
            if made is None:
                left.append(f"{name} (aggregated by {_called(aggregation)})")
                continue
            metric, counts = made
            ours = name if filtered == NO_FILTER else f"{name},{filtered}"
            if direction is not None:
                metric = replace(metric, higher_is_better=direction)
            found.append(TheirMetric(name, filtered, replace(metric, name=ours), counts))
    if not found:
        raise UsageError(
            f"none of its metrics has an interval here: {', '.join(dict.fromkeys(left)) or 'it has none'}."
        )
    return tuple(found), tuple(dict.fromkeys(left))


def _listed(config: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool | None]]:
    """Name, aggregation (a name or a function) and direction of each metric, as `ConfigurableTask` finds them."""
    from lm_eval.api.registry import (
        AGGREGATION_REGISTRY,
        DEFAULT_METRIC_REGISTRY,
        get_metric_aggregation,
        is_higher_better,
    )  # fmt: skip

    names = {function: name for name, function in AGGREGATION_REGISTRY.items()}
    entries = config.get("metric_list")
    if entries is None:
        entries = [{"metric": name} for name in DEFAULT_METRIC_REGISTRY[config.get("output_type", "generate_until")]]
    for entry in entries:
        metric = entry["metric"]
        name = metric if isinstance(metric, str) else metric.__name__
        aggregation = entry.get("aggregation")
        if aggregation is None:
            function = get_metric_aggregation(name)
            aggregation = names.get(function, function)
        direction = entry.get("higher_is_better")
        yield name, aggregation, direction if isinstance(direction, bool) else is_higher_better(name)


def _made(name: str, aggregation: Any, *, is_own: bool) -> tuple[Metric, Callable[[Any], Counts]] | None:
    """The metric and its counts; `is_own` where the task's own code computes the values."""
    if callable(aggregation):
        aggregation = "mean" if _is_mean(aggregation) else ""
    if aggregation in ("mean", "nanmean"):
        if name in SHARES:
            metric = accuracy(name) if not is_own and name not in ("likelihood",) else probability(name)
            return metric, _share if aggregation == "mean" else _share_or_none
        return Metric(name, mean, formula=MEAN), _number if aggregation == "mean" else _number_or_none
    if aggregation == "brier_score":
        return Metric(name, mean, bounds=(0.0, 2.0), higher_is_better=False, formula=MEAN), _brier
    if aggregation in CORPUS and aggregation == name:
        return corpus_metric(name, UNDETERMINED), lambda value: _corpus(name, value)
    if aggregation in _FORMULAS:
        formula, counts, bounds = _FORMULAS[aggregation]
        is_up = formula in (F1, MATTHEWS)
        reduce = reduce_of(formula, name, UNDETERMINED, "")
        return Metric(name, reduce, bounds=bounds, higher_is_better=is_up, formula=formula), counts
    return None


def _called(aggregation: Any) -> str:
    return aggregation if isinstance(aggregation, str) else f"its own {getattr(aggregation, '__name__', 'function')}"


_TRIALS = ([0.25, 1.0, 0.5, 0.0], [1.0], [0.0, 3.5, -2.0])


def _is_mean(function: Callable[[Sequence[float]], Any]) -> bool:
    """Whether a task's own aggregation is the mean, by trial."""
    try:
        found = [float(function(list(values))) for values in _TRIALS]
    except Exception:  # it takes other values than numbers, so that it is no mean of them
        return False
    return all(math.isclose(one, math.fsum(v) / len(v), rel_tol=1e-12) for one, v in zip(found, _TRIALS, strict=True))


# -- a document's value as counts


def _number(value: Any) -> Counts:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"the value is {number}")
    return (number, 1.0)


def _number_or_none(value: Any) -> Counts:
    return () if math.isnan(float(value)) else _number(value)


def _share(value: Any) -> Counts:
    number, one = _number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"the value is {number}, and a share is expected")
    return (number, one)


def _share_or_none(value: Any) -> Counts:
    return () if math.isnan(float(value)) else _share(value)


def _level(value: Any) -> Counts:
    """A log-likelihood and one text."""
    return _number(value)


def _weighted(value: Any) -> Counts:
    level, weight = value
    return (float(level), float(weight))


def _brier(value: Any) -> Counts:
    gold, shares = value
    if not 0 <= int(gold) < len(shares):
        raise ValueError(f"the right choice is {gold} of {len(shares)}")
    return (math.fsum((float(p) - (place == int(gold))) ** 2 for place, p in enumerate(shares)), 1.0)


def _confusion(value: Any) -> Counts:
    """Which of right and given label, 0 or 1, the document has: true negatives, false positives and negatives, true."""
    gold, given = (int(label) for label in value)
    if gold not in (0, 1) or given not in (0, 1):
        raise ValueError(f"the labels are {gold} and {given}; only 0 and 1 are counted here")
    return tuple(float(place == 2 * gold + given) for place in range(4))


def _corpus(name: str, value: Any) -> Counts:
    found = reference_and_answer(value)
    if found is None:
        raise ValueError("expected one reference and one answer")
    reference, answer = found
    return corpus_score(name, UNDETERMINED, answer, [reference]).counts


_FORMULAS: Mapping[str, tuple[str, Callable[[Any], Counts], tuple[float, float]]] = {
    "perplexity": (PERPLEXITY, _level, (0.0, math.inf)),
    "weighted_perplexity": (PERPLEXITY, _weighted, (0.0, math.inf)),
    "bits_per_byte": (BITS, _weighted, (0.0, math.inf)),
    "f1": (F1, _confusion, (0.0, 1.0)),
    "matthews_corrcoef": (MATTHEWS, _confusion, (-1.0, 1.0)),
}
