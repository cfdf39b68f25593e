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
from evalsuite.engines.packed_attention import PackedLayout, Packing, Past, Span

if TYPE_CHECKING:
    import torch

Places = NDArray[np.int64]


@dataclass(frozen=True)
class PassPlan:
    """What one pass reads, on no device yet: all that does not depend on the model.

    `read` are the packed places whose logits are wanted, not counting the past's, and `where` says by row which of them
    are at its wanted positions.
    """

    tokens: NDArray[np.int32]
    packing: Packing
    read: Places
    where: tuple[Places, ...]
    forest: Forest
    lengths: tuple[int, ...]
    """By row."""

    @property
    def spans(self) -> tuple[tuple[Span, ...], ...]:
        """By row the packed places of its tokens, neighbours joined, not counting the past's."""
        offsets = _offsets(self.forest)
        rows = zip(self.forest.last_segment, self.lengths, strict=True)
        return tuple(_spans(self.forest, offsets, last, length) for last, length in rows)


@dataclass(frozen=True)
class PackedPass:
    """What came out: `logits` of shape (positions read, vocabulary), and what led to them."""

    logits: torch.Tensor
    plan: PassPlan
    layout: PackedLayout


def plan_pass(rows: Sequence[Tokens], wanted: Sequence[Places], num_past: int = 0) -> PassPlan:
    """Pack `rows`, which go on after `num_past` tokens, each to be read at its `wanted` positions."""
    forest = build_forest(rows)
    offsets = _offsets(forest)
    places = [_places(forest, offsets, last, want) for last, want in zip(forest.last_segment, wanted, strict=True)]
    read, inverse = np.unique(np.concatenate(places), return_inverse=True)
    return PassPlan(
        tokens=np.concatenate([rows[segment.row][segment.start : segment.end] for segment in forest.segments]),
        packing=packed_attention.make_packing(forest, num_past),
        read=read,
        where=tuple(np.split(inverse, np.cumsum([len(place) for place in places])[:-1])),
        forest=forest,
        lengths=tuple(map(len, rows)),
    )


def run_pass(model: LocalModel, plan: PassPlan, past: Past | None = None, keeps: bool = False) -> PackedPass:
    """Run `model` as planned, after a `past` of the planned length. Every distinct prefix is computed once.

    With `keeps` the layout holds every layer's keys and values.
    """
    import torch

    device = model.settings.device
    layout = packed_attention.make_layout(plan.packing, device, past, keeps, model.flex)
    with torch.inference_mode(), installed(model.model):
        logits = model.model(
            input_ids=torch.tensor(plan.tokens, device=device, dtype=torch.long)[None],
            position_ids=layout.positions[None, layout.num_past :],
            use_cache=False,
            logits_to_keep=torch.tensor(plan.read, device=device),
            layout=layout,
        ).logits[0]
    return PackedPass(logits, plan, layout)


def _offsets(forest: Forest) -> Places:
    """Where each segment begins in the packed row, and where the last one ends."""
    return np.concatenate([[0], np.cumsum([segment.num_tokens for segment in forest.segments])])


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
