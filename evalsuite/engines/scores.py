"""A sum of log-probabilities to the answer that it is, and the failures that stand in place of one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evalsuite.engines.encoding import EncodedPair
from evalsuite.types import Cause, Failure, Loglikelihood, Response

if TYPE_CHECKING:
    import torch

NONFINITE = Failure(cause=Cause.NONFINITE_LOGITS, detail="the model's logits are NaN or infinite")
OUT_OF_MEMORY = Failure(cause=Cause.OUT_OF_MEMORY, detail="alone in its batch")
NO_TOKENS = Failure(cause=Cause.ENGINE_ERROR, detail="the continuation has no token to score")


def score_row(logits: torch.Tensor, pair: EncodedPair) -> Response:
    """Score `pair` by the rows of `logits` that foretell its continuation, one a token; more rows are not read."""
    import torch

    targets = torch.tensor(pair.continuation, device=logits.device, dtype=torch.long)
    rows = logits[: len(targets)].float()
    picked = torch.log_softmax(rows, dim=-1).gather(1, targets[:, None])[:, 0]
    return response_of(pair, float(picked.double().sum()), bool((rows.argmax(dim=-1) == targets).all()))


def response_of(pair: EncodedPair, total: float, is_greedy: bool) -> Response:
    """The answer to `pair`, or the failure that there is in place of one."""
    if not pair.continuation:
        return NO_TOKENS
    if not math.isfinite(total):
        return NONFINITE
    return Loglikelihood(
        sum_nats=total,
        num_tokens=len(pair.continuation),
        num_chars=len(pair.text),
        num_bytes=len(pair.text.encode("utf-8", "replace")),
        is_greedy=is_greedy,
        num_truncated=pair.num_truncated,
    )
