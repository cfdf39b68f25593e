"""MT-Bench's rating as an expectation over the judge's own token probabilities, beside the rating it wrote.

After the probability-weighted scores of G-Eval (Liu et al. 2023, arXiv 2303.16634). The judge's other ratings are taken
only where they can be told exactly, or nearly: a tokenizer that writes 10 as two tokens hides 10 behind ``1``.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from evalsuite.text.fastchat import rating_span
from evalsuite.text.thinking import without_thinking
from evalsuite.types import Completion

NUM_ALTERNATIVES = 20
"""How many alternatives are asked for at every token; the most that public interfaces give."""

_RATINGS = {str(rating): rating for rating in range(1, 11)}
_MAX_UNTOLD = 0.005
"""The share of ``1`` up to which it may stay open whether 10 is meant; it moves a rating by at most 0.045."""

_Alternatives = Sequence[tuple[str, float]]


def weighted_rating(completion: Completion) -> float | None:
    """The expectation of the rating, 1 to 10, over the alternatives at the token of the rating's number.

    Whole ratings among the alternatives are taken, their probabilities scaled to sum to 1. None without alternatives,
    where the number is not a whole rating or not found in the tokens, and where 1 and 10 cannot be told apart.
    """
    place = _place(completion)
    if place is None:
        return None
    masses = _masses(completion.alternatives[place.index], place)
    total = math.fsum(masses.values())
    if not total:
        return None
    if place.is_digit_wise and 10 not in masses:
        zeros = _share_of_zero(completion.alternatives[place.index + 1 :])
        masses |= {10: masses.get(1, 0.0) * zeros, 1: masses.get(1, 0.0) * (1.0 - zeros)}
    elif 10 not in masses and not place.tail and masses.get(1, 0.0) > _MAX_UNTOLD * total:
        return None
    expected = math.fsum(rating * mass for rating, mass in masses.items()) / math.fsum(masses.values())
    return expected if math.isfinite(expected) else None  # an endpoint may send NaN or infinity


@dataclass(frozen=True)
class _Place:
    """The token at which the rating's number begins, and what that token holds around it.

    `is_digit_wise`: all it holds of the number is a ``1``, after which the next token may add a zero.
    """

    index: int
    lead: str
    tail: str
    is_digit_wise: bool


def _place(completion: Completion) -> _Place | None:
    """Where the number stands; None when the tokens do not spell the text's rating, or split it other than by digit."""
    tokens, joined = completion.tokens, "".join(completion.tokens)
    spelt, read = _written_rating(joined), _written_rating(completion.text)
    if spelt is None or read is None or spelt[1] != read[1] or len(completion.alternatives) != len(tokens):
        return None
    start, written = spelt
    ends = list(accumulate(map(len, tokens)))
    index = bisect_right(ends, start)
    begin = start - (ends[index] - len(tokens[index]))
    lead, rest = tokens[index][:begin], tokens[index][begin:]
    if rest.startswith(written):
        tail = rest[len(written) :]
        return _Place(index, lead, tail, is_digit_wise=written == "1" and not tail)
    return _Place(index, lead, "", is_digit_wise=True) if rest == "1" else None


def _written_rating(text: str) -> tuple[int, str] | None:
    """Where the rating's number begins after the judge's thinking, and its digits; None unless it is a whole rating."""
    reply = without_thinking(text)
    span = rating_span(reply)
    if span is None or reply[slice(*span)] not in _RATINGS:
        return None
    return len(text) - len(reply) + span[0], reply[slice(*span)]


def _masses(alternatives: _Alternatives, place: _Place) -> dict[int, float]:
    """How likely each rating is that could stand where the judge wrote its own, up to a common factor."""
    masses: dict[int, float] = {}
    for token, mass in _relative(alternatives):
        if token.startswith(place.lead) and token.endswith(place.tail):
            rating = _RATINGS.get(token[len(place.lead) : len(token) - len(place.tail)])
            if rating is not None:
                masses[rating] = masses.get(rating, 0.0) + mass
    return masses


def _relative(alternatives: _Alternatives) -> list[tuple[str, float]]:
    """Tokens with their probabilities over that of the likeliest."""
    likeliest = max((logprob_nats for _, logprob_nats in alternatives), default=0.0)
    return [(token, math.exp(logprob_nats - likeliest)) for token, logprob_nats in alternatives]


def _share_of_zero(following: Sequence[_Alternatives]) -> float:
    """How likely the digit after a ``1`` was a zero, by the alternatives of the next token."""
    if not following or not following[0]:
        return 0.0
    masses = _relative(following[0])
    return math.fsum(mass for token, mass in masses if token.startswith("0")) / math.fsum(mass for _, mass in masses)
