"""Attention over a packed prefix forest.

A micro-batch is one row without padding: the forest's segments one after another, after a past that is computed
already, if there is one. Each token attends to the segments before its own on its path, and to its own up to itself;
positions are logical, so windows and rotations are those of the row read alone. On CUDA devices one fused kernel does
it all; elsewhere, and where that fails, the work is cut into blocks of neighbouring segments, each one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evalsuite.engines.attention import Rules, attend
from evalsuite.engines.flex_kernel import FlexKernel, forest_mask
from evalsuite.engines.forest import Forest

if TYPE_CHECKING:
    import torch
    from torch.nn.attention.flex_attention import BlockMask

BLOCK_TOKENS = 192
"""Subtrees up to this size are one block: masking what they do not share is cheaper than further calls."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Past:
    """`length` tokens that every row begins with and whose keys and values are known, by layer, one row each."""

    length: int
    of_layer: Callable[[int], tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Block:
    """Queries ``[start, end)`` of the packed row, and the spans before them that hold their ancestors.

    With `is_path` each query sees all of the block's before it.
    """

    start: int
    end: int
    before: tuple[Span, ...]
    is_path: bool


@dataclass(frozen=True)
class Packing:
    """What a forest says about its packed row, on no device yet: by key its logical position and subtree end; blocks.

    Keys of the past come first.
    """

    positions: NDArray[np.int64]
    subtree_ends: NDArray[np.int64]
    blocks: tuple[Block, ...]


@dataclass
class PackedLayout:
    """A packed micro-batch: each key's logical position and subtree end, the blocks, and masks as they are needed.

    Keys are counted from the past's first, queries likewise, though the past's are not asked again. With `keeps` the
    keys and values of every layer stay in `kept`. The kernel `flex` computes what it can, the blocks all else.
    """

    positions: torch.Tensor
    subtree_ends: torch.Tensor
    blocks: tuple[Block, ...]
    past: Past | None = None
    keeps: bool = False
    flex: FlexKernel | None = None
    kept: dict[int, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)
    _masks: dict[tuple[int, int | None], torch.Tensor | None] = field(default_factory=dict)
    _flex_masks: dict[int | None, BlockMask] = field(default_factory=dict)

    @property
    def num_past(self) -> int:
        """Tokens of the past."""
        return self.past.length if self.past else 0

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rules: Rules
    ) -> torch.Tensor:
        """See `attention.Layout`. Raises ValueError for more than one row."""
        import torch

        if query.shape[0] != 1:
            raise ValueError("a packed forest is one row")
        if self.keeps:
            self.kept[layer] = (key, value)
        if self.past:
            past_key, past_value = self.past.of_layer(layer)
            key, value = torch.cat([past_key, key], dim=2), torch.cat([past_value, value], dim=2)
        if self.flex and (found := self.flex.attend(query, key, value, self._flex_mask, rules)) is not None:
            return found
        return self._attend_by_blocks(query, key, value, rules)

    def _attend_by_blocks(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rules: Rules
    ) -> torch.Tensor:
        import torch

        out = torch.empty(*query.shape[:3], value.shape[3], dtype=query.dtype, device=query.device)
        for index, block in enumerate(self.blocks):
            spans = (*block.before, (block.start, block.end))
            keys, values = (_joined(tensor, spans) for tensor in (key, value))
            mask = self._mask(index, rules.window, query.dtype)
            own = slice(block.start - self.num_past, block.end - self.num_past)
            out[:, :, own] = attend(query[:, :, own], keys, values, mask, rules)
        return out

    def _flex_mask(self, window: int | None) -> BlockMask:
        """The forest as the fused kernel reads it."""
        if window not in self._flex_masks:
            self._flex_masks[window] = forest_mask(self.positions, self.subtree_ends, self.num_past, window)
        return self._flex_masks[window]

    def _mask(self, index: int, window: int | None, dtype: torch.dtype) -> torch.Tensor | None:
        """What block `index` adds to its scores, shape (queries, keys), or None where it is plainly causal."""
        key = (index, window)
        if key not in self._masks:
            self._masks[key] = self._make_mask(self.blocks[index], window, dtype)
        return self._masks[key]

    def _make_mask(self, block: Block, window: int | None, dtype: torch.dtype) -> torch.Tensor | None:
        import torch

        if block.is_path and not block.before and (window is None or window >= block.end - block.start):
            return None
        device = self.positions.device
        queries = torch.arange(block.start, block.end, device=device)
        keys = torch.cat([torch.arange(a, b, device=device) for a, b in (*block.before, (block.start, block.end))])
        seen = (keys[None, :] <= queries[:, None]) & (self.subtree_ends[keys][None, :] > queries[:, None])
        if window is not None:
            seen &= self.positions[queries][:, None] - self.positions[keys][None, :] < window
        return torch.zeros(seen.shape, dtype=dtype, device=device).masked_fill_(~seen, float("-inf"))


def make_packing(forest: Forest, num_past: int) -> Packing:
    """How `forest` is packed in its own order, after `num_past` tokens of a past."""
    offsets = [num_past]
    for segment in forest.segments:
        offsets.append(offsets[-1] + segment.num_tokens)
    spans = [(0, num_past), *((num_past + segment.start, num_past + segment.end) for segment in forest.segments)]
    ends = [offsets[-1], *(offsets[segment.subtree_end] for segment in forest.segments)]
    return Packing(
        positions=np.concatenate([np.arange(*span) for span in spans]),
        subtree_ends=np.repeat(ends, [end - start for start, end in spans]),
        blocks=tuple(_blocks(forest, offsets, num_past)),
    )


def make_layout(
    packing: Packing, device: str, past: Past | None = None, keeps: bool = False, flex: FlexKernel | None = None
) -> PackedLayout:
    """The layout of a `packing` made for a past as long as this one."""
    import torch

    return PackedLayout(
        positions=torch.tensor(packing.positions, device=device),
        subtree_ends=torch.tensor(packing.subtree_ends, device=device),
        blocks=packing.blocks,
        past=past,
        keeps=keeps,
        flex=flex,
    )


def _blocks(forest: Forest, offsets: Sequence[int], num_past: int) -> Iterator[Block]:
    """Small neighbouring subtrees under one parent together; a larger one's own tokens, then what is below."""
    siblings: list[int] = []
    for index, segment in enumerate(forest.segments):
        size = segment.num_below
        if siblings and index < forest.segments[siblings[-1]].subtree_end:
            continue  # inside a subtree that is taken whole
        first = forest.segments[siblings[0]] if siblings else None
        total = offsets[segment.subtree_end] - offsets[siblings[0]] if siblings else size
        if first is not None and (first.parent != segment.parent or total > BLOCK_TOKENS):
            yield _block(forest, offsets, siblings, num_past)
            siblings = []
        if size <= BLOCK_TOKENS or segment.subtree_end == index + 1:
            siblings.append(index)
        else:
            yield Block(offsets[index], offsets[index + 1], _before(forest, offsets, index, num_past), is_path=True)
    if siblings:
        yield _block(forest, offsets, siblings, num_past)


def _block(forest: Forest, offsets: Sequence[int], siblings: Sequence[int], num_past: int) -> Block:
    end = offsets[forest.segments[siblings[-1]].subtree_end]
    is_path = len(siblings) == 1 and forest.segments[siblings[0]].subtree_end == siblings[0] + 1
    return Block(offsets[siblings[0]], end, _before(forest, offsets, siblings[0], num_past), is_path)


def _before(forest: Forest, offsets: Sequence[int], index: int, num_past: int) -> tuple[Span, ...]:
    """The packed spans of the past and of a segment's ancestors, neighbours joined."""
    spans: list[Span] = [(0, num_past)] if num_past else []
    for part in forest.path(index)[:-1]:
        span = (offsets[part], offsets[part + 1])
        if spans and spans[-1][1] == span[0]:
            span = (spans.pop()[0], span[1])
        spans.append(span)
    return tuple(spans)


def _joined(tensor: torch.Tensor, spans: Sequence[Span]) -> torch.Tensor:
    """The packed `spans` of keys or values, a view where they follow one another."""
    import torch

    if all(left[1] == right[0] for left, right in pairwise(spans)):
        return tensor[:, :, spans[0][0] : spans[-1][1]]
    return torch.cat([tensor[:, :, a:b] for a, b in spans], dim=2)
