"""Texts longer than a model's context, scored window by window as lm-eval does. Pure.

``lm_eval.utils.get_rolling_token_windows`` with a context of one token, then ``make_disjoint_window``: every token is
told once; all windows but the last are full of new tokens, the last is filled up with what came before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.scores import response_of
from evalsuite.types import Loglikelihood, Response


def windows(pair: EncodedPair, max_length: int) -> Iterator[EncodedPair]:
    """`pair`, whose context begins a text and whose continuation is all of it, in parts whose rows have `max_length`.

    The first goes on from the context, each other from the tokens before it: one where it is full.
    """
    tokens = pair.continuation
    first = max_length - len(pair.context) + 1
    yield replace(pair, continuation=tokens[:first])
    for start in range(first, len(tokens), max_length):
        end = min(start + max_length, len(tokens))
        yield replace(pair, context=tokens[max(0, end - max_length - 1) : start], continuation=tokens[start:end])


def joined(pair: EncodedPair, parts: Sequence[Response]) -> Response:
    """The answer to the whole `pair`; where a window has none, why."""
    scored = [part for part in parts if isinstance(part, Loglikelihood)]
    if len(scored) < len(parts):
        return next(part for part in parts if not isinstance(part, Loglikelihood))
    return response_of(pair, math.fsum(part.sum_nats for part in scored), all(part.is_greedy for part in scored))
