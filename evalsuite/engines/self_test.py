"""How a model computes: in the fastest way that is proved right on it.

Attention over a packed forest is silently wrong for models whose layers do not all go through transformers' registry
(ALiBi by key index, state-space and hybrid layers), and caches have faults of their own. So every model is tested when
its weights are loaded: made-up rows with shared prefixes, scored in each way and one at a time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.engines import cached_scorer, decoding, encoder_decoder, forest_scorer, plain_scorer
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Loglikelihood, Response

ScoringMode = Literal["forest", "cached", "plain", "encoder-decoder"]
GenerationMode = Literal["rows", "static"]
Scorer = Callable[[LocalModel, Sequence[EncodedPair]], list[Response]]

SCORERS: Mapping[ScoringMode, Scorer] = {
    "forest": forest_scorer.score,
    "cached": cached_scorer.score,
    "plain": plain_scorer.score,
    "encoder-decoder": encoder_decoder.score,
}
"""`forest` computes every distinct prefix once, `cached` every context, `plain` every row."""

_TOLERANCE = 1e-4
"""Difference to one at a time, relative to the sum of log-probabilities, in float32; coarser formats get more."""
_CONTEXT_TOKENS = 48
_MAX_CONTEXT = 640


@dataclass(frozen=True)
class Verdict:
    """The ways to use, and why not the faster ones; empty when they are the fastest."""

    scoring: ScoringMode
    generation: GenerationMode
    reasons: tuple[str, ...] = ()


def examine(model: LocalModel) -> Verdict:
    """The fastest ways that score as one row at a time does."""
    pairs = _made_up(model)
    if model.is_encoder_decoder:
        return Verdict("encoder-decoder", "static")
    expected = [plain_scorer.score(model, [pair])[0] for pair in pairs]
    tolerance = _tolerance(model)
    reasons: list[str] = []
    modes: tuple[ScoringMode, ...] = ("forest", "cached")
    for mode in modes:
        if not (fault := _fault(SCORERS[mode], model, pairs, expected, tolerance)):
            generation, reason = _generation(model, pairs, expected, tolerance) if mode == "forest" else ("static", "")
            return Verdict(mode, generation, (*reasons, *([reason] if reason else [])))
        reasons.append(f"{mode}: {fault}")
    return Verdict("plain", "static", tuple(reasons))


def _generation(
    model: LocalModel, pairs: Sequence[EncodedPair], expected: Sequence[Response], tolerance: float
) -> tuple[GenerationMode, str]:
    fault = _fault(decoding.score_by_steps, model, pairs, expected, tolerance)
    return ("static", f"generation by rows: {fault}") if fault else ("rows", "")


def _fault(
    scorer: Scorer, model: LocalModel, pairs: Sequence[EncodedPair], expected: Sequence[Response], tolerance: float
) -> str:
    """What is wrong with `scorer` on this model, or nothing."""
    try:
        found = scorer(model, pairs)
    except Exception as error:  # a model's own code; whatever it cannot do, another way is used
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
    worst = max(_difference(a, b) for a, b in zip(found, expected, strict=True))
    return "" if worst <= tolerance else f"scores differ by {worst:.1e} from one at a time (allowed {tolerance:.1e})"


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

    precision: float = torch.finfo(model.dtype).eps / torch.finfo(torch.float32).eps
    return float(min(0.02, _TOLERANCE * max(1.0, precision / 256)))
