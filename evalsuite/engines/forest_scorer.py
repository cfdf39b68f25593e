"""Log-likelihoods of a micro-batch in one forward pass over its prefix forest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.packed_pass import PassPlan, plan_pass, run_pass
from evalsuite.engines.scores import response_of
from evalsuite.types import Response

if TYPE_CHECKING:
    import torch

ROW_CHUNK = 512
"""Rows of logits whose log-sum-exp is taken at once."""


def plan(pairs: Sequence[EncodedPair]) -> PassPlan:
    """What `score` reads of the model, which is all there is to do before it is at hand."""
    wanted = [np.arange(len(pair.context) - 1, len(pair.context) - 1 + len(pair.continuation)) for pair in pairs]
    return plan_pass([np.array(pair.row, dtype=np.int32) for pair in pairs], wanted)


def score(model: LocalModel, pairs: Sequence[EncodedPair], planned: PassPlan | None = None) -> list[Response]:
    """The log-likelihood of each pair's continuation, in order; every distinct prefix goes through the model once.

    `planned` is the plan of these pairs, if it has been made.
    """
    import torch

    done = run_pass(model, planned or plan(pairs))
    targets = np.concatenate([np.array(pair.continuation, dtype=np.int64) for pair in pairs])
    owners = np.repeat(np.arange(len(pairs)), [len(pair.continuation) for pair in pairs])
    device = model.settings.device
    with torch.inference_mode():
        indices = (torch.tensor(part, device=device) for part in (np.concatenate(done.plan.where), targets, owners))
        sums, greedy = _sums(done.logits, len(pairs), *indices)
    return [
        response_of(pair, total, is_greedy)
        for pair, total, is_greedy in zip(pairs, sums.tolist(), greedy.tolist(), strict=True)
    ]


def _sums(
    logits: torch.Tensor, num_pairs: int, where: torch.Tensor, targets: torch.Tensor, owners: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums in float64 of float32 log-probabilities by pair, and whether every target was the likeliest token."""
    import torch

    norms, likeliest = (torch.cat(parts) for parts in zip(*map(_reduced, logits.split(ROW_CHUNK)), strict=True))
    picked = logits[where, targets].float() - norms[where]
    sums = torch.zeros(num_pairs, dtype=torch.float64, device=logits.device).index_add_(0, owners, picked.double())
    misses = torch.zeros(num_pairs, device=logits.device).index_add_(0, owners, (likeliest[where] != targets).float())
    return sums.cpu(), (misses == 0).cpu()


def _reduced(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each row the log-sum-exp in float32 and the likeliest token; the float32 copy goes when this returns."""
    rows = rows.float()
    return rows.logsumexp(dim=-1), rows.argmax(dim=-1)
