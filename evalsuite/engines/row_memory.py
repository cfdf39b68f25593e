"""Rows computed lately, whose keys and values later prompts that begin alike go on from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from evalsuite.engines.slots import KeptRow

_MIN_SHARED = 32
"""Shared beginnings shorter than this are computed again: looking them up costs more."""


@dataclass
class RowMemory:
    """Rows up to `num_bytes` of keys and values; the one unused for longest goes first."""

    num_bytes: int
    _rows: OrderedDict[tuple[int, ...], KeptRow] = field(default_factory=OrderedDict)
    _used: int = 0

    def keep(self, row: KeptRow) -> None:
        """Remember `row`."""
        if row.tokens in self._rows or row.num_bytes > self.num_bytes:
            return
        self._rows[row.tokens] = row
        self._used += row.num_bytes
        while self._used > self.num_bytes:
            self._used -= self._rows.popitem(last=False)[1].num_bytes

    def take_over(self, other: RowMemory) -> None:
        """Remember what `other` does."""
        for row in other._rows.values():
            self.keep(row)

    def longest_shared(self, ids: Sequence[int]) -> tuple[KeptRow | None, int]:
        """The row that shares most of its beginning with `ids`, of whose last token nothing is taken, and how much."""
        best, size = None, 0
        for row in self._rows.values():
            shared = _num_shared(row.tokens, ids[:-1])
            if shared > size:
                best, size = row, shared
        if best is None or size < _MIN_SHARED:
            return None, 0
        self._rows.move_to_end(best.tokens)
        return best, size

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()
        self._used = 0


def longest_shared(memories: Sequence[RowMemory], ids: Sequence[int]) -> tuple[KeptRow | None, int]:
    """The best of what each of `memories` shares with `ids`."""
    return max((memory.longest_shared(ids) for memory in memories), key=lambda found: found[1])


def _num_shared(a: Sequence[int], b: Sequence[int]) -> int:
    size = min(len(a), len(b))
    different = np.array(a[:size]) != np.array(b[:size])
    return int(different.argmax()) if different.any() else size
