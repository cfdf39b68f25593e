"""Log-likelihoods of encoder-decoder models: every context encoded once, its continuations decoded side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.scores import score_row
from evalsuite.types import Response

if TYPE_CHECKING:
    import torch

_MAX_ROWS = 32
"""Continuations that are decoded together."""


def score(model: LocalModel, pairs: Sequence[EncodedPair]) -> list[Response]:
    """The log-likelihood of each pair's continuation, in order, the context being what the encoder reads."""
    order = sorted(range(len(pairs)), key=lambda place: (len(pairs[place].context), pairs[place].context))
    found: dict[int, Response] = {}
    for start in range(0, len(order), _MAX_ROWS):
        places = order[start : start + _MAX_ROWS]
        found |= zip(places, _score_group(model, [pairs[place] for place in places]), strict=True)
    return [found[place] for place in range(len(pairs))]


def _score_group(model: LocalModel, pairs: Sequence[EncodedPair]) -> list[Response]:
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    device = model.settings.device
    contexts = list(dict.fromkeys(pair.context for pair in pairs))
    place_of = {context: place for place, context in enumerate(contexts)}
    owners = torch.tensor([place_of[pair.context] for pair in pairs], device=device)
    start = model.model.config.decoder_start_token_id
    with torch.inference_mode():
        ids, mask = _padded(contexts, device)
        states = model.model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        read, _ = _padded([(start, *pair.continuation[:-1]) for pair in pairs], device)
        logits = model.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states.index_select(0, owners)),
            attention_mask=mask.index_select(0, owners),
            decoder_input_ids=read,
            use_cache=False,
        ).logits
    return [score_row(row, pair) for row, pair in zip(logits, pairs, strict=True)]


def _padded(rows: Sequence[Sequence[int]], device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows padded on the right, and where they are not padding."""
    import torch

    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return ids, (torch.arange(longest, device=device)[None, :] < lengths[:, None]).long()
