"""Keys and values of the rows under way in generation, one slot a row, and the attention of one step.

A slot holds its row's tokens from its own beginning, without padding between rows: a row that ends is replaced by the
last one, and another may begin in its place at any step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evalsuite.engines.attention import Rules, attend
from evalsuite.engines.packed_attention import PackedLayout, Past, Span

if TYPE_CHECKING:
    import torch

KeyValue = tuple["torch.Tensor", "torch.Tensor"]


@dataclass(frozen=True)
class KeptRow:
    """A row's tokens, and by layer their keys and values, shapes (1, heads, tokens, width)."""

    tokens: tuple[int, ...]
    layers: dict[int, KeyValue]

    @property
    def num_bytes(self) -> int:
        """What the keys and values take."""
        return sum(part.numel() * part.element_size() for pair in self.layers.values() for part in pair)

    def past(self, length: int) -> Past:
        """The first `length` tokens as what other rows begin with."""

        def of_layer(layer: int) -> KeyValue:
            key, value = self.layers[layer]
            return key[:, :, :length], value[:, :, :length]

        return Past(length, of_layer)


@dataclass
class Slots:
    """`num_slots` rows of up to `num_tokens` tokens; the rows under way are the first ``len(tokens)`` slots."""

    num_slots: int
    num_tokens: int
    tokens: list[list[int]] = field(default_factory=list)
    """By row the tokens whose keys and values are held."""
    _layers: dict[int, KeyValue] = field(default_factory=dict)

    def admit(self, rows: Sequence[Sequence[int]], layout: PackedLayout, spans: Sequence[Sequence[Span]]) -> None:
        """Take up `rows`, whose keys and values a packed pass left in `layout` at `spans`, after its past."""
        first = len(self.tokens)
        self._reserve(max(map(len, rows)) + 1)
        for layer, kept in layout.kept.items():
            held = self._of_layer(layer, kept)
            past = layout.past.of_layer(layer) if layout.past else None
            for slot, row_spans in enumerate(spans, start=first):
                for side in (0, 1):
                    place = 0
                    if past:
                        held[side][slot, :, : layout.num_past] = past[side][0]
                        place = layout.num_past
                    for start, end in row_spans:
                        held[side][slot, :, place : place + end - start] = kept[side][0, :, start:end]
                        place += end - start
        self.tokens.extend(list(row) for row in rows)

    def release(self, slot: int) -> None:
        """The row in `slot` is done; the last row takes its place."""
        last = len(self.tokens) - 1
        if slot != last:
            size = len(self.tokens[last])
            for pair in self._layers.values():
                for part in pair:
                    part[slot, :, :size] = part[last, :, :size]
        self.tokens[slot] = self.tokens[last]
        self.tokens.pop()

    def wipe(self, slot: int) -> None:
        """Forget numbers that are not finite: even masked they would spoil a later row's sums."""
        for pair in self._layers.values():
            for part in pair:
                part[slot] = 0

    def kept(self, slot: int) -> KeptRow:
        """A copy of the row in `slot`."""
        size = len(self.tokens[slot])
        layers = {
            layer: (key[slot : slot + 1, :, :size].clone(), value[slot : slot + 1, :, :size].clone())
            for layer, (key, value) in self._layers.items()
        }
        return KeptRow(tuple(self.tokens[slot]), layers)

    def step(self, device: str) -> StepLayout:
        """The layout of one further token in every row; whoever computes it adds the tokens to `tokens`."""
        import torch

        self._reserve(max(map(len, self.tokens)) + 1)
        return StepLayout(self, torch.tensor([len(tokens) for tokens in self.tokens], device=device))

    def resize(self, num_slots: int, num_tokens: int) -> None:
        """Have room for `num_slots` rows of `num_tokens` tokens, which hold at least what is held now."""
        if (num_slots, num_tokens) == (self.num_slots, self.num_tokens):
            return
        self.num_slots, self.num_tokens = num_slots, num_tokens
        num_rows, held = len(self.tokens), max(map(len, self.tokens), default=0)
        for layer, pair in self._layers.items():
            resized = tuple(part.new_zeros(num_slots, part.shape[1], num_tokens, part.shape[3]) for part in pair)
            for new, old in zip(resized, pair, strict=True):
                new[:num_rows, :, :held] = old[:num_rows, :, :held]
            self._layers[layer] = (resized[0], resized[1])

    def _reserve(self, num_tokens: int) -> None:
        if num_tokens > self.num_tokens:
            self.resize(self.num_slots, num_tokens)

    def _of_layer(self, layer: int, like: KeyValue) -> KeyValue:
        if layer not in self._layers:
            key, value = (
                part.new_zeros(self.num_slots, part.shape[1], self.num_tokens, part.shape[3]) for part in like
            )
            self._layers[layer] = (key, value)
        return self._layers[layer]

    def write(self, layer: int, places: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> KeyValue:
        """Put one token's key and value of every row at its place; what is held of `layer`."""
        import torch

        held = self._of_layer(layer, (key, value))
        rows = torch.arange(len(places), device=places.device)
        for part, new in zip(held, (key, value), strict=True):
            part[rows, :, places] = new[:, :, 0]
        return held


@dataclass
class StepLayout:
    """One token of every row: it sees all its row holds, and itself. `positions` are those tokens' own."""

    slots: Slots
    positions: torch.Tensor
    _masks: dict[int | None, torch.Tensor] = field(default_factory=dict)

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rules: Rules
    ) -> torch.Tensor:
        """See `attention.Layout`."""
        held = self.slots.write(layer, self.positions, key, value)
        num_rows, num_heads, _, width = query.shape
        longest = self._mask(rules.window, query.dtype).shape[-1]
        keys, values = (part[:num_rows, :, :longest] for part in held)
        mask = self._mask(rules.window, query.dtype)
        if not rules.is_plain:
            return attend(query, keys, values, mask, rules)
        # heads that share keys are as many queries of one head: nothing is copied for them
        grouped = query.reshape(num_rows, keys.shape[1], num_heads // keys.shape[1], width)
        return attend(grouped, keys, values, mask, rules).reshape(num_rows, num_heads, 1, values.shape[3])

    def _mask(self, window: int | None, dtype: torch.dtype) -> torch.Tensor:
        """What is added to the scores, shape (rows, 1, 1, tokens)."""
        import torch

        if window not in self._masks:
            places = torch.arange(int(self.positions.max()) + 1, device=self.positions.device)[None, :]
            own = self.positions[:, None]
            seen = places <= own
            if window is not None:
                seen &= own - places < window
            mask = torch.zeros(seen.shape, dtype=dtype, device=places.device).masked_fill_(~seen, float("-inf"))
            self._masks[window] = mask[:, None, None, :]
        return self._masks[window]
