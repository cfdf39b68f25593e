"""What the tasks share that score each choice by its log-likelihood after the question."""

from __future__ import annotations

from evalsuite.metrics import accuracy, right
from evalsuite.types import (
    Loglikelihood,
    LoglikelihoodRequest,
    Prompt,
    Replies,
    Sample,
    Scored,
)

METRICS = (
    accuracy("acc_norm_char"),
    accuracy("acc"),
    accuracy("acc_norm_byte"),
    accuracy("acc_norm_token"),
)
"""Accuracy of the choice with the highest log-likelihood, raw and divided by characters, bytes or tokens.

The divisor is that of the choice without the delimiter before it, except for tokens, which include it.
"""


def choice_requests(context: Prompt, choices: tuple[str, ...], delimiter: str) -> tuple[LoglikelihoodRequest, ...]:
    """One request a choice, in order."""
    return tuple(LoglikelihoodRequest(context=context, continuation=delimiter + choice) for choice in choices)


def score_choices(sample: Sample, replies: Replies) -> Scored:
    """The sample's four accuracies; equal scores go to the earlier choice."""
    if sample.gold is None:
        raise ValueError(f"{sample.id} has no right choice")
    (answers,) = replies
    loglikelihoods = [answer for answer in answers if isinstance(answer, Loglikelihood)]
    divisors = {
        "acc_norm_char": [float(len(choice)) for choice in sample.choices],
        "acc": [1.0 for _ in sample.choices],
        "acc_norm_byte": [float(len(choice.encode("utf-8"))) for choice in sample.choices],
        "acc_norm_token": [float(answer.num_tokens) for answer in loglikelihoods],
    }
    picks = {name: _best(loglikelihoods, by) for name, by in divisors.items()}
    return Scored(
        scores=tuple(right(name, pick == sample.gold) for name, pick in picks.items()),
        answer=sample.choices[picks[METRICS[0].name]],
    )


def _best(loglikelihoods: list[Loglikelihood], divisors: list[float]) -> int:
    values = [answer.sum_nats / divisor for answer, divisor in zip(loglikelihoods, divisors, strict=True)]
    return values.index(max(values))
