"""Metrics as count/reduce pairs: a row gives a vector, vectors are summed, the sum is reduced to one number.

Corpus score, interval, aggregate and paired test then share one path. BLEU and chrF are sacrebleu's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from evalsuite.contracts import Metric
from evalsuite.types import Sample, Score


def mean(counts: tuple[float, ...]) -> float | None:
    """The mean of rows whose counts are (value, 1), or the share of parts that hold: the first sum by the second."""
    total, n = counts
    return total / n if n else None


def mean_of_means(weights: tuple[int, ...], counts: tuple[float, ...]) -> float | None:
    """The mean of groups' means, weighted; counts are (sum, number) of each. None while a group is empty."""
    sums, sizes = counts[::2], counts[1::2]
    if not all(sizes):
        return None
    terms = (weight * total / size for weight, total, size in zip(weights, sums, sizes, strict=True))
    return math.fsum(terms) / sum(weights)


def perplexity(counts: tuple[float, ...]) -> float | None:
    """e to the mean of what texts lack in likelihood; counts are (log-likelihood in nats, words or bytes or texts)."""
    total, n = counts
    return math.exp(-total / n) if n and -total / n < _LARGEST_EXPONENT else None


def bits(counts: tuple[float, ...]) -> float | None:
    """Bits that a word, byte or text takes; counts as for `perplexity`."""
    total, n = counts
    return -total / n / math.log(2) if n else None


def f1(counts: tuple[float, ...]) -> float | None:
    """F1 of the label 1; counts are true negatives, false positives, false negatives and true positives."""
    _, false_positive, false_negative, true_positive = counts
    if not sum(counts):
        return None
    wrong = false_positive + false_negative
    return 2 * true_positive / (2 * true_positive + wrong) if true_positive else 0.0


def matthews(counts: tuple[float, ...]) -> float | None:
    """Matthews' correlation of two labels, 0 where one of them never occurs; counts as for `f1`."""
    tn, fp, fn, tp = counts
    if not sum(counts):
        return None
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / math.sqrt(product) if product else 0.0


_LARGEST_EXPONENT = 700.0
"""Beyond this e's power is no number."""

MEAN = "mean"
"""The formula of `mean`."""

PERPLEXITY, BITS = "perplexity", "bits"
"""The formulas of `perplexity` and `bits`."""

F1, MATTHEWS = "f1", "matthews"
"""The formulas of `f1` and `matthews`."""

CORPUS = "corpus"
"""The formula of `corpus_metric`."""

_MEANS = "means:"


def means_formula(weights: tuple[int, ...]) -> str:
    """The formula of `mean_of_means` with these weights."""
    return _MEANS + ",".join(map(str, weights))


_PLAIN = {MEAN: mean, PERPLEXITY: perplexity, BITS: bits, F1: f1, MATTHEWS: matthews}


def reduce_of(formula: str, name: str, language: str, signature: str) -> Callable[[tuple[float, ...]], float | None]:
    """What a metric stored with this formula reduces its counts by. Raises KeyError for one that has no such name."""
    if formula in _PLAIN:
        return _PLAIN[formula]
    if formula.startswith(_MEANS):
        return partial(mean_of_means, tuple(map(int, formula.removeprefix(_MEANS).split(","))))
    if formula == CORPUS and (num_references := _num_references(signature)):
        return partial(_corpus_value, name, language, num_references)
    raise KeyError(formula)


def is_computed_here(formula: str, name: str, language: str, signature: str) -> bool:
    """Whether what is installed computes the very metric that was stored: formula, and for corpus scores signature.

    Another version of sacrebleu has another signature.
    """
    try:
        reduce_of(formula, name, language, signature)
    except KeyError:
        return False
    return formula != CORPUS or _signature(name, language, _num_references(signature)) == signature


def _num_references(signature: str) -> int:
    """The number of references that a signature of sacrebleu names; 0 for another text."""
    found = re.match(r"nrefs:(\d+)\|", signature)
    return int(found[1]) if found else 0


def accuracy(name: str, chance: Callable[[Sample], float] | None = None, alias: str = "") -> Metric:
    """The share of rows that are right; counts are (right, 1). Range [0, 1]."""
    return replace(probability(name, chance), proportion=True, alias=alias)


def probability(name: str, chance: Callable[[Sample], float] | None = None) -> Metric:
    """The mean of a probability that each row has; counts are (probability, 1). Range [0, 1]."""
    return Metric(
        name, mean, bounds=(0.0, 1.0), scale=100.0, best=(1.0, 1.0), worst=(0.0, 1.0), chance=chance, formula=MEAN
    )


def one_in_choices(sample: Sample) -> float:
    """What guessing scores where one of the sample's choices is right."""
    return 1.0 / len(sample.choices)


def share(name: str) -> Metric:
    """The share of judged parts that hold, pooled over rows; counts are (parts that hold, parts judged)."""
    return Metric(name, mean, proportion=True, bounds=(0.0, 1.0), scale=100.0, formula=MEAN)


def mean_length(name: str) -> Metric:
    """The mean of a length per row, which has no better direction; counts are (length, 1)."""
    return Metric(name, mean, bounds=(0.0, math.inf), formula=MEAN)


def right(name: str, is_right: bool) -> Score:
    """One row's counts for `accuracy`."""
    return Score(name=name, counts=(1.0 if is_right else 0.0, 1.0))


CORPUS_METRICS = ("bleu", "spbleu", "chrf", "chrf++", "ter")
"""sacrebleu's metrics by the names they have here (Post 2018; Goyal et al. 2022; Popovic 2015, 2017; Snover et al.
2006). `spbleu` is BLEU over the pieces of the tokenizer of FLORES-200, whose model sacrebleu fetches once.
"""

ALL_REFERENCES = "_all"
"""Ends the name of a metric that counts a match with any of several references."""


def corpus_metric(name: str, language: str, num_references: int = 1) -> Metric:
    """A corpus score by sacrebleu on its scale, for translations into `language`; `name` as in `CORPUS_METRICS`.

    With `ALL_REFERENCES` at its end a name stands for the same metric over several references. BLEU,
    chrF (chrF2) and chrF++ lie in [0, 100]; TER, edits per hundred words of the reference, in [0, inf), and lower is
    better. The signature is sacrebleu's own, so that two tokenizers, two versions or another number of references are
    never compared. Raises KeyError for an unknown name.
    """
    base = name.removesuffix(ALL_REFERENCES)
    if base not in CORPUS_METRICS:
        raise KeyError(name)
    is_error_rate = base == "ter"
    return Metric(
        name,
        partial(_corpus_value, name, language, num_references),
        bounds=(0.0, math.inf if is_error_rate else 100.0),
        higher_is_better=not is_error_rate,
        signature=partial(_signature, name, language, num_references),
        formula=CORPUS,
    )


def corpus_score(name: str, language: str, hypothesis: str, references: Sequence[str]) -> Score:
    """One segment's statistics for the `corpus_metric` of that name and number of references."""
    scorer = sacrebleu_scorer(name, language, len(references))
    statistics = scorer._extract_corpus_statistics([hypothesis], [[reference] for reference in references])
    return Score(name=name, counts=tuple(float(count) for count in statistics[0]))


def _corpus_value(name: str, language: str, num_references: int, counts: tuple[float, ...]) -> float | None:
    scorer = sacrebleu_scorer(name, language, num_references)
    whole = [int(count) if count.is_integer() else count for count in counts]
    return float(scorer._compute_score_from_stats(whole).score)


def _signature(name: str, language: str, num_references: int) -> str:
    """sacrebleu's signature, for example ``nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0``."""
    return str(sacrebleu_scorer(name, language, num_references).get_signature())


@cache
def sacrebleu_scorer(name: str, language: str, num_references: int) -> Any:
    """The one `new_sacrebleu_scorer` of these arguments: making one costs more than a segment's statistics."""
    return new_sacrebleu_scorer(name, language, num_references)


def new_sacrebleu_scorer(name: str, language: str, num_references: int) -> Any:
    """sacrebleu's own object for a metric.

    Chinese is split into characters: by BLEU's tokenizer `zh`, in TER by its Asian support. Elsewhere BLEU's is `13a`.
    """
    from sacrebleu.metrics import BLEU, CHRF, TER

    is_chinese = language.partition("-")[0] == "zh"
    make: Mapping[str, Callable[[], Any]] = {
        "bleu": lambda: BLEU(tokenize="zh" if is_chinese else "13a"),
        "spbleu": lambda: BLEU(tokenize="flores200"),
        "chrf": CHRF,
        "chrf++": lambda: CHRF(word_order=2),
        "ter": lambda: TER(normalized=is_chinese, asian_support=is_chinese),
    }
    scorer = make[name.removesuffix(ALL_REFERENCES)]()
    scorer.num_refs = num_references
    return scorer
