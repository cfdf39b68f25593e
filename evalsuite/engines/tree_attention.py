"""Attention over a packed prefix forest, as an implementation in transformers' registry.

A micro-batch is one row without padding: the forest's segments one after another. Each token attends to the segments
before its own on its path, and to its own up to itself; positions are logical, so windows and rotations are those of
the row read alone. The work is cut into blocks of neighbouring segments, each one call of scaled-dot-product attention.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from evalsuite.engines.forest import Forest

if TYPE_CHECKING:
    import torch

NAME = "evalsuite_tree"
BLOCK_TOKENS = 192
"""Subtrees up to this size are one block: masking what they do not share is cheaper than further calls."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """Queries ``[start, end)`` of the packed row, and the spans before them that hold their ancestors."""

    start: int
    end: int
    before: tuple[Span, ...]


@dataclass
class Layout:
    """A packed micro-batch: each token's logical position and subtree end, the blocks, and masks as they are needed."""

    positions: torch.Tensor
    subtree_ends: torch.Tensor
    blocks: tuple[Block, ...]
    _masks: dict[tuple[int, int | None], torch.Tensor | None] = field(default_factory=dict)

    def mask(self, index: int, window: int | None, dtype: torch.dtype) -> torch.Tensor | None:
        """What block `index` adds to its scores, shape (queries, keys), or None where it is plainly causal."""
        key = (index, window)
        if key not in self._masks:
            self._masks[key] = self._make_mask(self.blocks[index], window, dtype)
        return self._masks[key]

    def _make_mask(self, block: Block, window: int | None, dtype: torch.dtype) -> torch.Tensor | None:
        import torch

        device = self.positions.device
        queries = torch.arange(block.start, block.end, device=device)
        keys = torch.cat([torch.arange(a, b, device=device) for a, b in (*block.before, (block.start, block.end))])
        seen = (keys[None, :] <= queries[:, None]) & (self.subtree_ends[keys][None, :] > queries[:, None])
        if window is not None:
            seen &= self.positions[queries][:, None] - self.positions[keys][None, :] < window
        is_causal = not block.before and bool((seen == (keys[None, :] <= queries[:, None])).all())
        if is_causal:
            return None
        return torch.zeros(seen.shape, dtype=dtype, device=device).masked_fill_(~seen, float("-inf"))


def make_layout(forest: Forest, device: str) -> Layout:
    """The layout of `forest` packed in its own order."""
    import torch

    offsets = [0]
    for segment in forest.segments:
        offsets.append(offsets[-1] + segment.num_tokens)
    positions = torch.cat([torch.arange(segment.start, segment.end) for segment in forest.segments])
    ends = torch.tensor([offsets[segment.subtree_end] for segment in forest.segments])
    lengths = torch.tensor([segment.num_tokens for segment in forest.segments])
    return Layout(
        positions=positions.to(device),
        subtree_ends=torch.repeat_interleave(ends, lengths).to(device),
        blocks=tuple(_blocks(forest, offsets)),
    )


def _blocks(forest: Forest, offsets: list[int]) -> Iterator[Block]:
    """Small neighbouring subtrees under one parent together; a larger one's own tokens, then what is below."""
    siblings: list[int] = []
    for index, segment in enumerate(forest.segments):
        size = segment.num_below
        if siblings and index < forest.segments[siblings[-1]].subtree_end:
            continue  # inside a subtree that is taken whole
        first = forest.segments[siblings[0]] if siblings else None
        total = offsets[segment.subtree_end] - offsets[siblings[0]] if siblings else size
        if first is not None and (first.parent != segment.parent or total > BLOCK_TOKENS):
            yield _block(forest, offsets, siblings)
            siblings = []
        if size <= BLOCK_TOKENS or segment.subtree_end == index + 1:
            siblings.append(index)
        else:
            yield Block(offsets[index], offsets[index + 1], _before(forest, offsets, index))
    if siblings:
        yield _block(forest, offsets, siblings)


def _block(forest: Forest, offsets: list[int], siblings: list[int]) -> Block:
    end = offsets[forest.segments[siblings[-1]].subtree_end]
    return Block(offsets[siblings[0]], end, _before(forest, offsets, siblings[0]))


def _before(forest: Forest, offsets: list[int], index: int) -> tuple[Span, ...]:
    """The packed spans of a segment's ancestors, neighbours joined."""
    spans: list[Span] = []
    for part in forest.path(index)[:-1]:
        span = (offsets[part], offsets[part + 1])
        if spans and spans[-1][1] == span[0]:
            span = (spans.pop()[0], span[1])
        spans.append(span)
    return tuple(spans)


def register() -> None:
    """Make the implementation known to transformers, under `NAME`. No mask is built for it."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(NAME, tree_attention)


def tree_attention(
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
    """Attention of one packed row, shapes (1, heads, tokens, width); grouped-query heads are shared.

    Raises ValueError when the model did not hand the layout on.
    """
    import torch

    if layout is None or query.shape[0] != 1:
        raise ValueError("this model does not hand a packed row's layout to its attention")
    out = torch.empty_like(query)
    for index, block in enumerate(layout.blocks):
        spans = (*block.before, (block.start, block.end))
        keys, values = (_joined(tensor, spans) for tensor in (key, value))
        mask = layout.mask(index, sliding_window, query.dtype)
        queries = query[:, :, block.start : block.end]
        if softcap is None and s_aux is None:
            part = torch.nn.functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=mask, is_causal=mask is None, scale=scaling,
                enable_gqa=key.shape[1] != query.shape[1],
            )  # fmt: skip
        else:
            part = _eager(queries, keys, values, mask, scaling, softcap, s_aux)
        out[:, :, block.start : block.end] = part
    return out.transpose(1, 2).contiguous(), None


def _joined(tensor: torch.Tensor, spans: tuple[Span, ...]) -> torch.Tensor:
    """The packed `spans` of keys or values, a view where they follow one another."""
    import torch

    if all(left[1] == right[0] for left, right in pairwise(spans)):
        return tensor[:, :, spans[0][0] : spans[-1][1]]
    return torch.cat([tensor[:, :, a:b] for a, b in spans], dim=2)


def _eager(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    softcap: float | None,
    sinks: torch.Tensor | None,
) -> torch.Tensor:
    """Attention written out, for score caps and attention sinks (gpt-oss), which the fused call does not know."""
    import torch

    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scores = query @ key.transpose(2, 3) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if mask is None:
        size = query.shape[2]
        mask = torch.full((size, size), float("-inf"), dtype=query.dtype, device=query.device).triu(1)
    scores = scores + mask
    if sinks is not None:
        column = sinks.reshape(1, -1, 1, 1).expand(query.shape[0], -1, query.shape[2], 1).to(scores.dtype)
        scores = torch.cat([scores, column], dim=-1)
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return weights[..., : key.shape[2]] @ value
