"""One implementation in transformers' attention registry that leaves the arrangement of rows to the caller.

A forward pass hands a `Layout` down as the keyword argument ``layout``; each layer's attention asks it which keys every
query sees. Layouts are a packed prefix forest (`packed_attention`) and one step of many rows (`slots`). No
mask is built by transformers for an implementation that its mask registry does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch

NAME = "evalsuite"


@dataclass(frozen=True)
class Rules:
    """What a layer asks of its attention beyond keys and queries: scale, window, score cap, one sink a head."""

    scaling: float | None = None
    window: int | None = None
    softcap: float | None = None
    sinks: torch.Tensor | None = None

    @property
    def is_plain(self) -> bool:
        """Whether scaled-dot-product attention knows all of them, given a mask."""
        return self.softcap is None and self.sinks is None


class Layout(Protocol):
    """Which keys each query of a forward pass sees."""

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rules: Rules
    ) -> torch.Tensor:
        """Attention of `query`, shapes (rows, heads, tokens, width); grouped-query heads are shared."""


@contextmanager
def installed(model: Any) -> Iterator[None]:
    """`model` (transformers') with our implementation, and its own again afterwards."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(NAME, _attention)
    usual = model.config._attn_implementation
    model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(usual)


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    layout: Layout | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Raises ValueError when the model did not hand the layout on."""
    if layout is None:
        raise ValueError("this model does not hand the layout of its rows to its attention")
    rules = Rules(scaling, sliding_window, softcap, s_aux)
    found = layout.attend(module.layer_idx, query, key, value, rules)
    return found.transpose(1, 2).contiguous(), None


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, rules: Rules
) -> torch.Tensor:
    """Attention under `mask`, added to the scores; without one it is causal, queries and keys being the same tokens."""
    import torch

    if rules.is_plain:
        return torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=mask is None, scale=rules.scaling,
            enable_gqa=key.shape[1] != query.shape[1],
        )  # fmt: skip
    return _written_out(query, key, value, mask, rules)


def _written_out(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, rules: Rules
) -> torch.Tensor:
    """For score caps and attention sinks (gpt-oss), which the fused call does not know."""
    import torch

    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scores = query @ key.transpose(2, 3) * (query.shape[-1] ** -0.5 if rules.scaling is None else rules.scaling)
    if rules.softcap is not None:
        scores = torch.tanh(scores / rules.softcap) * rules.softcap
    if mask is None:
        size = query.shape[2]
        mask = torch.full((size, size), float("-inf"), dtype=query.dtype, device=query.device).triu(1)
    scores = scores + mask
    if rules.sinks is not None:
        column = rules.sinks.reshape(1, -1, 1, 1).expand(query.shape[0], -1, query.shape[2], 1).to(scores.dtype)
        scores = torch.cat([scores, column], dim=-1)
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return weights[..., : key.shape[2]] @ value
