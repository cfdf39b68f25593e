"""Log-likelihoods of padded rows: right-padded, one row for requests that share all the model reads."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.scores import NO_TOKENS, score_row
from evalsuite.types import Response


def score(model: LocalModel, pairs: Sequence[EncodedPair]) -> list[Response]:
    """The log-likelihood of each pair's continuation, in order; all pairs go through the model together."""
    import torch

    rows = list(dict.fromkeys(pair.row for pair in pairs))
    longest = max(map(len, rows))
    keep = 1 + longest - min(len(pair.context) for pair in pairs)
    device = model.settings.device
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    mask = (torch.arange(longest, device=device)[None, :] < lengths[:, None]).long()
    with torch.inference_mode():
        logits = model.model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=keep).logits
        place_of = {row: place for place, row in enumerate(rows)}
        not_computed = longest - logits.shape[1]
        return [
            score_row(logits[place_of[pair.row]][len(pair.context) - 1 - not_computed :], pair)
            if pair.continuation
            else NO_TOKENS
            for pair in pairs
        ]
