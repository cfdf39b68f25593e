"""A rating as its expectation over the judge's own token probabilities, beside the rating it wrote.

After the probability-weighted scores of G-Eval (Liu et al. 2023, arXiv 2303.16634). The judge's other ratings are taken
only where they can be told exactly, or nearly: a tokenizer that writes 10 as two tokens hides 10 behind ``1``.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from evalsuite.text.numbers import ascii_digits
from evalsuite.types import Completion

NUM_ALTERNATIVES = 20
"""How many alternatives are asked for at every token; the most that public interfaces give."""

_RATINGS = {str(rating): rating for rating in range(1, 11)}
_MAX_UNTOLD = 0.005
"""The share of ``1`` up to which it may stay open whether 10 is meant; it moves a rating by at most 0.045."""

_Alternatives = Sequence[tuple[str, float]]
Span = tuple[int, int]
Finder = Callable[[str], Span | None]
"""Where in a reply the number of its rating stands, if anywhere."""


def weighted_rating(completion: Completion, written: float, find: Finder) -> float | None:
    """The expectation of the rating, 1 to 10, over the alternatives at the token of the rating's number.

    `written` is the rating that was read, `find` says where. Whole ratings among the alternatives are taken, their
    probabilities scaled to sum to 1. None without alternatives, where the number is not a whole rating or not found in
    the tokens, and where 1 and 10 cannot be told apart.
    """
    place = _place(completion, written, find)
    if place is None:
        return None
    masses = _masses(completion.alternatives[place.index], place)
    total = math.fsum(masses.values())
    if not total:
        return None
    if place.is_digit_wise:
        ones, zeros = masses.get(1, 0.0), _share_of_zero(completion.alternatives[place.index + 1 :])
        masses |= {1: ones * (1.0 - zeros), 10: masses.get(10, 0.0) + ones * zeros}
    elif 10 not in masses and _mass_of_one(completion.alternatives[place.index], place) > _MAX_UNTOLD * total:
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


def _place(completion: Completion, written: float, find: Finder) -> _Place | None:
    """Where the number stands; None when the tokens do not spell what was read, or split it other than by digit."""
    tokens, joined = completion.tokens, ascii_digits("".join(completion.tokens))
    span = find(joined)
    if span is None or len(completion.alternatives) != len(tokens):
        return None
    start, number = span[0], joined[slice(*span)]
    if _RATINGS.get(number) != written:
        return None
    ends = list(accumulate(map(len, tokens)))
    index = bisect_right(ends, start)
    begin = start - (ends[index] - len(tokens[index]))
    token = ascii_digits(tokens[index])
    lead, rest = token[:begin], token[begin:]
    if rest.startswith(number):
        tail = rest[len(number) :]
        return _Place(index, lead, tail, is_digit_wise=number == "1" and not tail)
    return _Place(index, lead, "", is_digit_wise=True) if rest == "1" else None


def _masses(alternatives: _Alternatives, place: _Place) -> dict[int, float]:
    """How likely each rating is that could stand where the judge wrote its own, up to a common factor."""
    masses: dict[int, float] = {}
    for token, mass in _relative(alternatives):
        if token.startswith(place.lead) and token.endswith(place.tail):
            rating = _RATINGS.get(token[len(place.lead) : len(token) - len(place.tail)])
            if rating is not None:
                masses[rating] = masses.get(rating, 0.0) + mass
    return masses


def _mass_of_one(alternatives: _Alternatives, place: _Place) -> float:
    """How likely a token is that ends with a 1, after which a zero may come or not."""
    return math.fsum(mass for token, mass in _relative(alternatives) if token == f"{place.lead}1")


def _relative(alternatives: _Alternatives) -> list[tuple[str, float]]:
    """Tokens, digits as ASCII, with their probabilities over that of the likeliest."""
    likeliest = max((logprob_nats for _, logprob_nats in alternatives), default=0.0)
    return [(ascii_digits(token), math.exp(logprob_nats - likeliest)) for token, logprob_nats in alternatives]


def _share_of_zero(following: Sequence[_Alternatives]) -> float:
    """How likely the digit after a ``1`` was a zero, by the alternatives of the next token."""
    if not following or not following[0]:
        return 0.0
    masses = _relative(following[0])
    return math.fsum(mass for token, mass in masses if token.startswith("0")) / math.fsum(mass for _, mass in masses)
