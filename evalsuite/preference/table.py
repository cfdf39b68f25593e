"""Comparisons as columns, so that a hundred thousand of them are counted at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evalsuite.verdicts import Comparison, Winner

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

OUTCOMES = (Winner.A, Winner.B, Winner.TIE, Winner.BOTH_BAD)
WIN, LOSS, TIE, BOTH_BAD = range(4)
"""Places in `OUTCOMES`, seen from system A."""


_COLUMNS = ("a", "b", "language", "item", "group", "rater", "value", "outcome", "first", "tells_ties")


@dataclass(frozen=True)
class VoteTable:
    """Comparisons, one a row.

    `a`, `b`, `language`, `item`, `group` and `rater` are places in the tuples of names; `value` is what A gets of each
    comparison, from 0 to 1; `outcome` one of `WIN` to `BOTH_BAD`, seen from A; `first` is 1 where A's answer was shown
    first, -1 where B's was, 0 where nobody knows or both were. `tells_ties` says of each whether its rater could call
    both answers bad; where not, a tie may be of either kind.
    """

    systems: tuple[str, ...]
    languages: tuple[str, ...]
    items: tuple[str, ...]
    groups: tuple[str, ...]
    raters: tuple[str, ...]
    a: Ints
    b: Ints
    language: Ints
    item: Ints
    group: Ints
    rater: Ints
    value: Floats
    outcome: Ints
    first: Ints
    tells_ties: Mask

    def __len__(self) -> int:
        return len(self.value)

    def where(self, mask: Mask) -> VoteTable:
        """The rows of `mask`; names stay."""
        return replace(self, **{name: getattr(self, name)[mask] for name in _COLUMNS})

    def with_its_systems(self) -> VoteTable:
        """The same rows, without the names of systems that are in none of them."""
        used = np.unique(np.concatenate([self.a, self.b]))
        names = tuple(self.systems[place] for place in used)
        return replace(self, systems=names, a=np.searchsorted(used, self.a), b=np.searchsorted(used, self.b))

    def in_language(self, language: str) -> VoteTable:
        """The rows of one language, of which there may be none."""
        wanted = self.languages.index(language) if language in self.languages else -1
        return self.where(self.language == wanted)

    def swapped(self, mask: Mask) -> VoteTable:
        """The same comparisons, those of `mask` seen from the other system."""
        exchanged = np.array([LOSS, WIN, TIE, BOTH_BAD])
        return replace(
            self,
            a=np.where(mask, self.b, self.a),
            b=np.where(mask, self.a, self.b),
            value=np.where(mask, 1.0 - self.value, self.value),
            outcome=np.where(mask, exchanged[self.outcome], self.outcome),
            first=np.where(mask, -self.first, self.first),
        )

    def of_pair(self, system_a: str, system_b: str) -> VoteTable:
        """The comparisons of two systems, seen from the first."""
        a, b = self.systems.index(system_a), self.systems.index(system_b)
        rows = self.where(((self.a == a) & (self.b == b)) | ((self.a == b) & (self.b == a)))
        return rows.swapped(rows.a == b)

    def of_system(self, system: str) -> VoteTable:
        """All comparisons of one system, seen from it."""
        a = self.systems.index(system)
        rows = self.where((self.a == a) | (self.b == a))
        return rows.swapped(rows.b == a)

    def by_comparison(self) -> tuple[VoteTable, Ints]:
        """All votes seen from the system whose name is first, and a number for each pair of systems on an item."""
        seen = self.swapped(self.a > self.b)
        size = len(self.systems)
        return seen, (seen.item * len(self.languages) + seen.language) * size * size + seen.a * size + seen.b

    @property
    def is_left(self) -> Mask:
        """The rows whose first answer is known to be A's."""
        found: Mask = self.first == 1
        return found


def table_of(comparisons: Iterable[Comparison]) -> VoteTable:
    """`comparisons` in their order; names are sorted, so that the order says nothing about them.

    Raises ValueError for a system compared with itself, and for a graded preference that is no share.
    """
    rows = list(comparisons)
    for row in rows:
        if row.system_a == row.system_b:
            raise ValueError(f"{row.item}: {row.system_a} is compared with itself")
        if not 0.0 <= row.share_a <= 1.0:
            raise ValueError(f"{row.item}: a preference of {row.share_a} is not between 0 and 1")
    systems = _names(name for row in rows for name in (row.system_a, row.system_b))
    languages, items = _names(row.language for row in rows), _names(row.item for row in rows)
    groups, raters = _names(row.group for row in rows), _names(row.rater for row in rows)
    return VoteTable(
        systems=systems,
        languages=languages,
        items=items,
        groups=groups,
        raters=raters,
        a=_places(systems, [row.system_a for row in rows]),
        b=_places(systems, [row.system_b for row in rows]),
        language=_places(languages, [row.language for row in rows]),
        item=_places(items, [row.item for row in rows]),
        group=_places(groups, [row.group for row in rows]),
        rater=_places(raters, [row.rater for row in rows]),
        value=np.array([row.share_a for row in rows], dtype=np.float64),
        outcome=np.array([OUTCOMES.index(row.winner) for row in rows], dtype=np.int64),
        first=np.array([_first(row) for row in rows], dtype=np.int64),
        tells_ties=np.array([row.tells_ties for row in rows], dtype=np.bool_),
    )


def coded(values: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The names among `values`, sorted, and the place of each value."""
    names = _names(values)
    return names, _places(names, values)


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))


def _places(names: Sequence[str], values: Sequence[str]) -> Ints:
    place = {name: number for number, name in enumerate(names)}
    return np.array([place[value] for value in values], dtype=np.int64)


def _first(row: Comparison) -> int:
    return {row.system_a: 1, row.system_b: -1}.get(row.shown_first, 0)
