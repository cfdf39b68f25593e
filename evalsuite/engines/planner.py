"""Which requests go through the model together. Pure: token rows in, groups of their indices out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.engines.forest import Tokens, build_forest, pack

Row = tuple[int, ...]


def scoring_groups(
    rows: Sequence[Tokens], first_reads: Sequence[int], budget: int, max_reads: int, max_rows: int | None = None
) -> Iterator[list[int]]:
    """Micro-batches of neighbours in the prefix forest of `rows`, of at most `budget` tokens.

    Logits are wanted from each row's position in `first_reads` to its end: at most at `max_reads` distinct prefixes of
    a micro-batch, beyond its first row; where `max_rows` is given it has as many different rows.
    """
    if not rows:
        return
    forest = build_forest(rows)
    for group in pack(forest, budget, first_reads, max_reads):
        yield from _of_rows(group, rows, max_rows)


def _of_rows(group: Sequence[int], rows: Sequence[Tokens], max_rows: int | None) -> Iterator[list[int]]:
    """`group` in parts of at most `max_rows` different rows."""
    if max_rows is None:
        yield list(group)
        return
    part: list[int] = []
    seen: set[bytes] = set()
    for index in group:
        row = rows[index].tobytes()
        if row not in seen and len(seen) == max_rows:
            yield part
            part, seen = [], set()
        part.append(index)
        seen.add(row)
    yield part


def num_forest_tokens(rows: Sequence[Tokens]) -> int:
    """Tokens of the distinct prefixes of `rows`: what computing them together takes."""
    return build_forest(rows).num_tokens if rows else 0


def generation_groups(lengths: Sequence[int], caps: Sequence[int], names: Sequence[str], size: int) -> list[list[int]]:
    """Prompts of `lengths` tokens and `caps` on their answers, `size` at a time: the longest answers first.

    Prompts of like length lie together, and equal ones in the order of `names`, so that input order says nothing.
    """
    order = sorted(range(len(lengths)), key=lambda place: (-caps[place], -lengths[place], names[place]))
    return [order[start : start + size] for start in range(0, len(order), size)]


def padded_groups(rows: Sequence[Row], budget: int) -> Iterator[list[int]]:
    """Rows of like length, longest first, in groups of at most `budget` tokens with padding."""
    group: list[int] = []
    for place in sorted(range(len(rows)), key=lambda place: (-len(rows[place]), rows[place])):
        if group and (len(group) + 1) * len(rows[group[0]]) > budget:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def static_groups(sizes: Sequence[int], max_rows: int, budget: int) -> Iterator[list[int]]:
    """Rows of `sizes` tokens, longest first, in groups of at most `max_rows` and of `budget` tokens with padding."""
    group: list[int] = []
    for place in sorted(range(len(sizes)), key=lambda place: (-sizes[place], place)):
        if group and (len(group) == max_rows or (len(group) + 1) * sizes[group[0]] > budget):
            yield group
            group = []
        group.append(place)
    if group:
        yield group
