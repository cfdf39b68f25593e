"""Metrics as count/reduce pairs: a row gives a vector, vectors are summed, the sum is reduced to one number.

Corpus score, interval, aggregate and paired test then share one path. BLEU and chrF are sacrebleu's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

from evalsuite.contracts import Metric
from evalsuite.types import Sample, Score


def _mean(counts: tuple[float, ...]) -> float | None:
    total, n = counts
    return total / n if n else None


def accuracy(name: str, chance: Callable[[Sample], float] | None = None, alias: str = "") -> Metric:
    """The share of rows that are right; counts are (right, 1). Range [0, 1]."""
    return replace(probability(name, chance), proportion=True, alias=alias)


def probability(name: str, chance: Callable[[Sample], float] | None = None) -> Metric:
    """The mean of a probability that each row has; counts are (probability, 1). Range [0, 1]."""
    return Metric(name, _mean, bounds=(0.0, 1.0), scale=100.0, best=(1.0, 1.0), worst=(0.0, 1.0), chance=chance)


def one_in_choices(sample: Sample) -> float:
    """What guessing scores where one of the sample's choices is right."""
    return 1.0 / len(sample.choices)


def share(name: str) -> Metric:
    """The share of judged parts that hold, pooled over rows; counts are (parts that hold, parts judged)."""
    return Metric(name, _mean, proportion=True, bounds=(0.0, 1.0), scale=100.0)


def mean_length(name: str) -> Metric:
    """The mean of a length per row, which has no better direction; counts are (length, 1)."""
    return Metric(name, _mean, bounds=(0.0, math.inf))


def right(name: str, is_right: bool) -> Score:
    """One row's counts for `accuracy`."""
    return Score(name=name, counts=(1.0 if is_right else 0.0, 1.0))


def corpus_bleu(language: str) -> Metric:
    """Corpus BLEU in [0, 100] by sacrebleu; tokenizer `zh` for Chinese, `13a` elsewhere (Post 2018).

    The signature is sacrebleu's own, so that two tokenizers are never compared.
    """
    return Metric(
        "bleu",
        partial(_corpus_value, "bleu", language),
        bounds=(0.0, 100.0),
        signature=partial(_signature, "bleu", language),
    )


def corpus_chrf(language: str) -> Metric:
    """Corpus chrF2 in [0, 100] by sacrebleu (Popovic 2015)."""
    return Metric(
        "chrf",
        partial(_corpus_value, "chrf", language),
        bounds=(0.0, 100.0),
        signature=partial(_signature, "chrf", language),
    )


def corpus_score(metric: str, language: str, hypothesis: str, reference: str) -> Score:
    """One segment's statistics for `corpus_bleu` or `corpus_chrf`."""
    statistics = _sacrebleu(metric, language)._extract_corpus_statistics([hypothesis], [[reference]])
    return Score(name=metric, counts=tuple(float(count) for count in statistics[0]))


def _corpus_value(metric: str, language: str, counts: tuple[float, ...]) -> float | None:
    scorer = _sacrebleu(metric, language)
    return float(scorer._compute_score_from_stats([int(count) for count in counts]).score)


def _signature(metric: str, language: str) -> str:
    """sacrebleu's signature, for example ``nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0``."""
    scorer = _sacrebleu(metric, language)
    scorer.num_refs = 1
    return str(scorer.get_signature())


@cache
def _sacrebleu(metric: str, language: str) -> Any:
    from sacrebleu.metrics import BLEU, CHRF

    if metric == "bleu":
        return BLEU(tokenize="zh" if language.startswith("zh") else "13a")
    return CHRF()
