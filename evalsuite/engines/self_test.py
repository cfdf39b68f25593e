"""How a model's log-likelihoods are computed: over a prefix forest where that is proved right on it, else plainly.

Attention over a forest is silently wrong for models whose layers do not all go through transformers' registry (ALiBi
by key index, state-space and hybrid layers). So every model is tested when its weights are loaded: made-up rows with
shared prefixes, scored as a forest and one at a time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.engines import forest_scorer, forward, tree_attention
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Loglikelihood, Response

Mode = Literal["forest", "plain"]
_TOLERANCE = 1e-4
"""Difference to one at a time, relative to the sum of log-probabilities, in float32; coarser formats get more."""
_CONTEXT_TOKENS = 48
_MAX_CONTEXT = 640


@dataclass(frozen=True)
class Verdict:
    """The mode to use, and why not the faster one; empty when it is the fastest."""

    mode: Mode
    reason: str = ""


def choose_mode(model: LocalModel) -> Verdict:
    """The fastest mode that scores as one row at a time does."""
    pairs = _made_up(model)
    try:
        found = score(model, pairs, "forest")
    except Exception as error:  # a model's own code; whatever it cannot do, it is scored plainly
        return Verdict("plain", f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}")
    expected = [score(model, [pair], "plain")[0] for pair in pairs]
    worst = max(_difference(a, b) for a, b in zip(found, expected, strict=True))
    tolerance = _tolerance(model)
    if not worst <= tolerance:
        return Verdict("plain", f"a forest's scores differ by {worst:.1e} from one at a time (allowed {tolerance:.1e})")
    return Verdict("forest")


def score(model: LocalModel, pairs: Sequence[EncodedPair], mode: Mode) -> list[Response]:
    """The log-likelihood of each pair in `mode`, in order."""
    usual = model.model.config._attn_implementation
    if mode == "plain":
        return forward.score(model, pairs)
    tree_attention.register()
    model.model.set_attn_implementation(tree_attention.NAME)
    try:
        return forest_scorer.score(model, pairs)
    finally:
        model.model.set_attn_implementation(usual)


def _made_up(model: LocalModel) -> list[EncodedPair]:
    """Two contexts that share a beginning, the first longer than a sliding window, with four continuations each."""
    draw = random.Random(0)
    vocabulary = len(model.encoder.tokenizer)
    window = getattr(model.config.get_text_config(), "sliding_window", None) or 0
    size = min(window + _CONTEXT_TOKENS, _MAX_CONTEXT, model.max_length // 2)

    def tokens(number: int) -> tuple[int, ...]:
        return tuple(draw.randrange(vocabulary) for _ in range(number))

    shared = tokens(max(2, size))
    contexts = (shared, (*shared[: len(shared) // 2], *tokens(7)))
    ends = [tokens(number) for number in (1, 2, 5, 9)]
    return [EncodedPair(context, end, "") for context in contexts for end in ends]


def _difference(found: Response, expected: Response) -> float:
    if not isinstance(found, Loglikelihood) or not isinstance(expected, Loglikelihood):
        return 0.0 if type(found) is type(expected) else float("inf")
    return abs(found.sum_nats - expected.sum_nats) / max(1.0, abs(expected.sum_nats))


def _tolerance(model: LocalModel) -> float:
    import torch

    precision: float = torch.finfo(getattr(torch, model.settings.dtype)).eps / torch.finfo(torch.float32).eps
    return float(min(0.02, _TOLERANCE * max(1.0, precision / 256)))
