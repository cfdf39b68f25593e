"""The prefix forest of token rows, and its packing into micro-batches. Pure: numpy only.

A row is all that a model reads to score one continuation. Rows that begin alike share segments, so that every distinct
prefix is computed once in a micro-batch. Segments are in depth-first order: a segment's subtree is contiguous, and a
packed micro-batch is the concatenation of its segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]


@dataclass(frozen=True)
class Segment:
    """Tokens ``[start, end)`` of the row `row`, after those of `parent` (an index, -1 for a root).

    `subtree_end` is the index after its last descendant, `num_below` the tokens of the whole subtree.
    """

    parent: int
    row: int
    start: int
    end: int
    subtree_end: int
    num_below: int

    @property
    def num_tokens(self) -> int:
        """Its own tokens."""
        return self.end - self.start


@dataclass(frozen=True)
class Forest:
    """Segments in depth-first order, and for every row the segment in which it ends, or that goes on beyond its end."""

    segments: tuple[Segment, ...]
    last_segment: tuple[int, ...]

    @property
    def num_tokens(self) -> int:
        """Tokens of all segments: what computing every row takes."""
        return sum(segment.num_tokens for segment in self.segments)

    def path(self, segment: int) -> list[int]:
        """The segments from the root to `segment`."""
        found = []
        while segment >= 0:
            found.append(segment)
            segment = self.segments[segment].parent
        return found[::-1]


def build_forest(rows: Sequence[Tokens]) -> Forest:
    """The forest of `rows`, of which none is empty. Equal rows, and rows that begin another, share its segments."""
    order = sorted(range(len(rows)), key=lambda row: sort_key(rows[row]))
    shared = [0, *(common_length(rows[a], rows[b]) for a, b in pairwise(order))]
    leaves, lengths, owner = _without_prefixes(order, shared, rows)
    segments, ends = _segments(leaves, lengths, rows)
    return Forest(tuple(segments), tuple(ends[owner[row]] for row in range(len(rows))))


def pack(forest: Forest, budget: int, first_reads: Sequence[int], max_reads: int) -> list[list[int]]:
    """The rows of `forest` in micro-batches of at most `budget` tokens, depth first; shared prefixes are repeated.

    A subtree that fits into a micro-batch is not split; a row longer than `budget` is one of its own. Logits are wanted
    from each row's position in `first_reads` to its end: at most at `max_reads` distinct prefixes of a micro-batch,
    beyond its first row.
    """
    by_segment: dict[int, list[int]] = {}
    for row, last in enumerate(forest.last_segment):
        by_segment.setdefault(last, []).append(row)
    batches: list[list[int]] = []
    present: set[int] = set()
    read_from: dict[int, int] = {}
    used = num_reads = 0
    for index, segment in enumerate(forest.segments):
        rows = by_segment.get(index, [])
        starts_whole = segment.start + segment.num_below <= budget and (
            segment.parent < 0 or not _fits_whole(forest.segments[segment.parent], budget)
        )
        needed = [part for part in forest.path(index) if part not in present]
        size = sum(forest.segments[part].num_tokens for part in needed)
        if starts_whole:
            size += segment.num_below - segment.num_tokens
        first_read = min((first_reads[row] for row in rows), default=segment.end)
        newly_read = _newly_read(forest, index, first_read, read_from)
        is_full = used + size > budget or num_reads + _num_read(forest, newly_read, read_from) > max_reads
        if not batches or ((starts_whole or rows) and is_full and present):
            batches.append([])
            present, read_from, used, num_reads = set(), {}, 0, 0
            needed = forest.path(index)
            newly_read = _newly_read(forest, index, first_read, read_from)
        if rows:
            present.update(needed)
            used += sum(forest.segments[part].num_tokens for part in needed)
            num_reads += _num_read(forest, newly_read, read_from)
            read_from |= newly_read
            batches[-1].extend(rows)
    return [batch for batch in batches if batch]


def _newly_read(forest: Forest, index: int, first_read: int, read_from: Mapping[int, int]) -> dict[int, int]:
    """Segments on the path to `index` that are read from an earlier position than before, and that position."""
    found: dict[int, int] = {}
    while index >= 0 and (segment := forest.segments[index]).end > first_read:
        start = max(first_read, segment.start)
        if start < read_from.get(index, segment.end):
            found[index] = start
        index = segment.parent
    return found


def _num_read(forest: Forest, newly_read: Mapping[int, int], read_from: Mapping[int, int]) -> int:
    return sum(read_from.get(index, forest.segments[index].end) - start for index, start in newly_read.items())


def _fits_whole(segment: Segment, budget: int) -> bool:
    return segment.start + segment.num_below <= budget


def sort_key(row: Tokens) -> bytes:
    """Bytes whose order is that of the token ids."""
    return row.astype(">i4").tobytes()


def common_length(a: Tokens, b: Tokens) -> int:
    """Tokens that both begin with."""
    size = min(len(a), len(b))
    different = a[:size] != b[:size]
    return int(different.argmax()) if different.any() else size


def _without_prefixes(
    order: Sequence[int], shared: Sequence[int], rows: Sequence[Tokens]
) -> tuple[list[int], list[int], dict[int, int]]:
    """Sorted rows that begin no other, what each shares with the one before, and by row the place of its holder."""
    leaves: list[int] = []
    lengths: list[int] = []
    owner: dict[int, int] = {}
    waiting: list[int] = []
    since_last = -1
    for place, row in enumerate(order):
        since_last = shared[place] if since_last < 0 else min(since_last, shared[place])
        is_prefix = place + 1 < len(order) and shared[place + 1] == len(rows[row])
        waiting.append(row)
        if is_prefix:
            continue
        owner.update(dict.fromkeys(waiting, len(leaves)))
        leaves.append(row)
        lengths.append(since_last)
        waiting, since_last = [], -1
    return leaves, lengths, owner


def _segments(leaves: Sequence[int], lengths: Sequence[int], rows: Sequence[Tokens]) -> tuple[list[Segment], list[int]]:
    """Segments over the sorted `leaves`, and the segment in which each of them ends."""
    shared = np.array(lengths)
    found: list[tuple[int, int, int, int]] = []  # parent, row, start, end
    ends = [0] * len(leaves)
    stack: list[tuple[int, int, int, int]] = [(0, len(leaves), 0, -1)] if leaves else []
    while stack:
        low, high, start, parent = stack.pop()
        if high - low == 1:
            ends[low] = len(found)
            found.append((parent, leaves[low], start, len(rows[leaves[low]])))
            continue
        inner = shared[low + 1 : high]
        depth = int(inner.min())
        if depth > start:
            found.append((parent, leaves[low], start, depth))
            start, parent = depth, len(found) - 1
        borders = [low, *(low + 1 + np.flatnonzero(inner == depth)).tolist(), high]
        stack.extend((a, b, start, parent) for a, b in reversed(list(pairwise(borders))))
    return _with_subtrees(found), ends


def _with_subtrees(found: Sequence[tuple[int, int, int, int]]) -> list[Segment]:
    below = [end - start for _, _, start, end in found]
    after = list(range(1, len(found) + 1))
    for index in range(len(found) - 1, -1, -1):
        parent = found[index][0]
        if parent >= 0:
            below[parent] += below[index]
            after[parent] = max(after[parent], after[index])
    return [Segment(*entry, subtree_end=after[index], num_below=below[index]) for index, entry in enumerate(found)]
