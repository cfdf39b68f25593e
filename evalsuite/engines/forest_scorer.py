"""Log-likelihoods of a micro-batch in one forward pass over its prefix forest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evalsuite.engines import tree_attention
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.forest import Forest, build_forest
from evalsuite.engines.forward import NO_TOKENS, NONFINITE
from evalsuite.engines.local_model import LocalModel
from evalsuite.types import Loglikelihood, Response

if TYPE_CHECKING:
    import torch

ROW_CHUNK = 512
"""Rows of logits whose log-sum-exp is taken at once."""


def score(model: LocalModel, pairs: Sequence[EncodedPair]) -> list[Response]:
    """The log-likelihood of each pair's continuation, in order; every distinct prefix goes through the model once."""
    import torch

    rows = [np.array(pair.row, dtype=np.int32) for pair in pairs]
    forest = build_forest(rows)
    device = model.settings.device
    layout = tree_attention.make_layout(forest, device)
    tokens = np.concatenate([rows[segment.row][segment.start : segment.end] for segment in forest.segments])
    places = _places(forest, pairs)
    read, where = np.unique(np.concatenate(places), return_inverse=True)
    targets = np.concatenate([np.array(pair.continuation) for pair in pairs])
    owners = np.repeat(np.arange(len(pairs)), [len(pair.continuation) for pair in pairs])
    with torch.inference_mode():
        logits = model.model(
            input_ids=torch.tensor(tokens, device=device, dtype=torch.long)[None],
            position_ids=layout.positions[None],
            use_cache=False,
            logits_to_keep=torch.tensor(read, device=device),
            layout=layout,
        ).logits[0]
        indices = (torch.tensor(part, device=device) for part in (where, targets, owners))
        sums, greedy = _sums(logits, len(pairs), *indices)
    return [
        _response(pair, total, is_greedy)
        for pair, total, is_greedy in zip(pairs, sums.tolist(), greedy.tolist(), strict=True)
    ]


def _places(forest: Forest, pairs: Sequence[EncodedPair]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """For each pair the packed places of the tokens before those of its continuation."""
    offsets = np.concatenate([[0], np.cumsum([segment.num_tokens for segment in forest.segments])])
    found = []
    for pair, last in zip(pairs, forest.last_segment, strict=True):
        wanted = np.arange(len(pair.context) - 1, len(pair.context) - 1 + len(pair.continuation))
        place = np.empty(len(wanted), dtype=np.int64)
        index = last
        while len(wanted) and index >= 0 and (segment := forest.segments[index]).end > wanted[0]:
            inside = (wanted >= segment.start) & (wanted < segment.end)
            place[inside] = offsets[index] + wanted[inside] - segment.start
            index = segment.parent
        found.append(place)
    return found


def _sums(
    logits: torch.Tensor, num_pairs: int, where: torch.Tensor, targets: torch.Tensor, owners: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums in float64 of float32 log-probabilities by pair, and whether every target was the likeliest token."""
    import torch

    chunks = [logits[start : start + ROW_CHUNK].float() for start in range(0, len(logits), ROW_CHUNK)]
    norms = torch.cat([chunk.logsumexp(dim=-1) for chunk in chunks])
    likeliest = torch.cat([chunk.argmax(dim=-1) for chunk in chunks])
    picked = logits[where, targets].float() - norms[where]
    sums = torch.zeros(num_pairs, dtype=torch.float64, device=logits.device).index_add_(0, owners, picked.double())
    misses = torch.zeros(num_pairs, device=logits.device).index_add_(0, owners, (likeliest[where] != targets).float())
    return sums.cpu(), (misses == 0).cpu()


def _response(pair: EncodedPair, total: float, is_greedy: bool) -> Response:
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
