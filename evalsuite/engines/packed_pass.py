"""One forward pass over the prefix forest of some rows, with logits only where they are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evalsuite.engines import packed_attention
from evalsuite.engines.attention import installed
from evalsuite.engines.forest import Forest, Tokens, build_forest
from evalsuite.engines.local_model import LocalModel
from evalsuite.engines.packed_attention import PackedLayout, Past, Span

if TYPE_CHECKING:
    import torch

Places = NDArray[np.int64]


@dataclass(frozen=True)
class PackedPass:
    """What came out: `logits` of shape (positions read, vocabulary), and by row where its wanted positions are."""

    logits: torch.Tensor
    where: tuple[Places, ...]
    layout: PackedLayout
    spans: tuple[tuple[Span, ...], ...]
    """By row the packed places of its tokens, neighbours joined, not counting the past's."""


def packed_pass(
    model: LocalModel,
    rows: Sequence[Tokens],
    wanted: Sequence[Places],
    past: Past | None = None,
    keeps: bool = False,
) -> PackedPass:
    """Run `model` on `rows`, which go on after `past`, reading each row's logits at its `wanted` positions.

    Every distinct prefix is computed once. With `keeps` the layout holds every layer's keys and values.
    """
    import torch

    forest = build_forest(rows)
    device = model.settings.device
    layout = packed_attention.make_layout(forest, device, past, keeps, model.flex)
    tokens = np.concatenate([rows[segment.row][segment.start : segment.end] for segment in forest.segments])
    offsets = np.concatenate([[0], np.cumsum([segment.num_tokens for segment in forest.segments])])
    places = [_places(forest, offsets, last, want) for last, want in zip(forest.last_segment, wanted, strict=True)]
    read, inverse = np.unique(np.concatenate(places), return_inverse=True)
    with torch.inference_mode(), installed(model.model):
        logits = model.model(
            input_ids=torch.tensor(tokens, device=device, dtype=torch.long)[None],
            position_ids=layout.positions[None, layout.num_past :],
            use_cache=False,
            logits_to_keep=torch.tensor(read, device=device),
            layout=layout,
        ).logits[0]
    where = np.split(inverse, np.cumsum([len(place) for place in places])[:-1])
    spans = (_spans(forest, offsets, last, len(row)) for last, row in zip(forest.last_segment, rows, strict=True))
    return PackedPass(logits, tuple(where), layout, tuple(spans))


def _places(forest: Forest, offsets: Places, last: int, wanted: Places) -> Places:
    """The packed places of a row's `wanted` positions, which ascend; `last` is the segment in which the row ends."""
    place = np.empty(len(wanted), dtype=np.int64)
    index = last
    while len(wanted) and index >= 0 and (segment := forest.segments[index]).end > wanted[0]:
        inside = (wanted >= segment.start) & (wanted < segment.end)
        place[inside] = offsets[index] + wanted[inside] - segment.start
        index = segment.parent
    return place


def _spans(forest: Forest, offsets: Places, last: int, length: int) -> tuple[Span, ...]:
    """The packed spans of the first `length` tokens on the path to the segment `last`."""
    found: list[Span] = []
    for index in forest.path(last):
        segment = forest.segments[index]
        start = int(offsets[index])
        end = start + min(segment.end, length) - segment.start
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return tuple(found)
