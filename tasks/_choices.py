"""What the tasks share that score each choice by its log-likelihood after the question."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.contracts import Metric, TaskOptions
from evalsuite.metrics import accuracy, one_in_choices, right
from evalsuite.types import (
    Encoding,
    Flag,
    Loglikelihood,
    LoglikelihoodRequest,
    Prompt,
    Replies,
    Request,
    Sample,
    Scored,
)

from ._prompts import lm_eval_prompt


def choice_metrics(alias: str = "") -> tuple[Metric, ...]:
    """Accuracy of the choice with the highest log-likelihood, divided by characters, as it is, by bytes, by tokens.

    The divisor is that of the choice without the delimiter before it, except for tokens, which include it. `alias` is
    what the task's protocol calls the one by characters, the headline.
    """
    return (
        accuracy("acc_norm_char", one_in_choices, alias),
        accuracy("acc", one_in_choices),
        accuracy("acc_norm_byte", one_in_choices),
        accuracy("acc_norm_token", one_in_choices),
    )


TOKENIZERS_OWN = Encoding()

ACCURACY = accuracy("acc", one_in_choices)
"""Accuracy of the choice with the highest log-likelihood, for tasks whose choices are equally long or the same text."""


def choice_requests(
    context: Prompt, choices: tuple[str, ...], delimiter: str, encoding: Encoding = TOKENIZERS_OWN
) -> tuple[LoglikelihoodRequest, ...]:
    """One request a choice, in order."""
    return tuple(
        LoglikelihoodRequest(context=context, continuation=delimiter + choice, encoding=encoding) for choice in choices
    )


def score_choices(sample: Sample, replies: Replies) -> Scored:
    """The sample's four accuracies; equal scores go to the earlier choice."""
    found = loglikelihoods(replies)
    divisors = {
        "acc_norm_char": [float(len(choice)) for choice in sample.choices],
        "acc": [1.0 for _ in sample.choices],
        "acc_norm_byte": [float(len(choice.encode("utf-8", "replace"))) for choice in sample.choices],
        "acc_norm_token": [float(answer.num_tokens) for answer in found],
    }
    picks = {name: best_choice(found, by) for name, by in divisors.items()}
    return Scored(
        scores=tuple(right(name, pick == gold_choice(sample)) for name, pick in picks.items()),
        answer=sample.choices[picks["acc_norm_char"]],
        flags=tie_flags(found, divisors["acc_norm_char"], sample.choices),
    )


def score_accuracy(sample: Sample, replies: Replies) -> Scored:
    """The sample's accuracy by log-likelihood alone; equal scores go to the earlier choice."""
    found = loglikelihoods(replies)
    alike = [1.0 for _ in sample.choices]
    pick = best_choice(found, alike)
    return Scored(
        scores=(right(ACCURACY.name, pick == gold_choice(sample)),),
        answer=sample.choices[pick],
        flags=tie_flags(found, alike, sample.choices),
    )


def loglikelihoods(replies: Replies) -> list[Loglikelihood]:
    """The log-likelihoods of a sample that is asked once."""
    (answers,) = replies
    return [answer for answer in answers if isinstance(answer, Loglikelihood)]


def best_choice(found: Sequence[Loglikelihood], divisors: Sequence[float]) -> int:
    """The first choice whose log-likelihood over its divisor is highest."""
    values = _divided(found, divisors)
    return values.index(max(values))


def _divided(found: Sequence[Loglikelihood], divisors: Sequence[float]) -> list[float]:
    return [answer.sum_nats / divisor for answer, divisor in zip(found, divisors, strict=True)]


def gold_choice(sample: Sample) -> int:
    """The index of the right choice. Raises ValueError where the sample has none."""
    if sample.gold is None:
        raise ValueError(f"{sample.id} has no right choice")
    return sample.gold


def tie_flags(found: Sequence[Loglikelihood], divisors: Sequence[float], choices: Sequence[str]) -> tuple[Flag, ...]:
    """`TIED` when choices of different text share the highest log-likelihood, as it is or over its divisor.

    Either is more than chance when it happens often: the first says that the model tells little apart, the second that
    the order of the choices decides.
    """
    for values in ([answer.sum_nats for answer in found], _divided(found, divisors)):
        leaders = {choice for value, choice in zip(values, choices, strict=True) if value == max(values)}
        if len(leaders) > 1:
            return (Flag.TIED,)
    return ()


def ask_choices(options: TaskOptions, encoding: Encoding, sample: Sample, replies: Replies) -> tuple[Request, ...]:
    """lm-eval's form of a choice task: each choice after the question, once."""
    if replies:
        return ()
    prompt = lm_eval_prompt(sample.input, sample.shots, options)
    return choice_requests(prompt, sample.choices, "" if options.chat else " ", encoding)
