"""The prefix forest, against a trie made of sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.engines.forest import Forest, Tokens, build_forest, pack

few = st.integers(0, 2)


@st.composite
def row_sets(draw: st.DrawFn) -> list[Tokens]:
    """Rows of which many begin as another does, repeats and prefixes of one another among them."""
    rows: list[list[int]] = []
    for _ in range(draw(st.integers(1, 12))):
        start = draw(st.sampled_from(rows)) if rows and draw(st.booleans()) else []
        kept = start[: draw(st.integers(0, len(start)))]
        rows.append([*kept, *draw(st.lists(few, min_size=0 if kept else 1, max_size=20))])
    return [np.array(row, dtype=np.int32) for row in rows]


def num_prefixes(rows: list[Tokens]) -> int:
    """Nodes of the trie."""
    return len({tuple(row[: end + 1].tolist()) for row in rows for end in range(len(row))})


def read_along(forest: Forest, rows: list[Tokens], last: int) -> list[int]:
    found: list[int] = []
    for index in forest.path(last):
        segment = forest.segments[index]
        assert segment.start == len(found)
        found += rows[segment.row][segment.start : segment.end].tolist()
    return found


@given(row_sets())
def test_every_distinct_prefix_stands_once(rows: list[Tokens]) -> None:
    assert build_forest(rows).num_tokens == num_prefixes(rows)


@given(row_sets())
def test_every_row_is_read_along_its_path(rows: list[Tokens]) -> None:
    forest = build_forest(rows)
    for row, last in zip(rows, forest.last_segment, strict=True):
        assert read_along(forest, rows, last)[: len(row)] == row.tolist()


@given(row_sets())
def test_subtrees_are_contiguous_and_counted(rows: list[Tokens]) -> None:
    segments = build_forest(rows).segments
    for index, segment in enumerate(segments):
        inside = range(index, segment.subtree_end)
        assert segment.parent < index
        assert segment.num_tokens > 0
        assert segment.num_below == sum(segments[place].num_tokens for place in inside)
        assert all((segments[place].parent in inside) for place in inside if place != index)


@given(row_sets(), st.integers(1, 60), st.integers(1, 30))
def test_packing_keeps_every_row_and_its_budgets(rows: list[Tokens], budget: int, max_reads: int) -> None:
    forest = build_forest(rows)
    first_reads = [max(0, len(row) - 1 - len(row) % 3) for row in rows]
    batches = pack(forest, budget, first_reads, max_reads)
    assert sorted(row for batch in batches for row in batch) == list(range(len(rows)))
    for batch in batches:
        is_one = len({forest.last_segment[row] for row in batch}) == 1
        assert build_forest([rows[row] for row in batch]).num_tokens <= budget or is_one
        ends = ((rows[row].tolist(), first_reads[row]) for row in batch)
        read = {tuple(row[: place + 1]) for row, first in ends for place in range(first, len(row))}
        assert len(read) <= max_reads or is_one


def test_rows_of_one_document_stay_together_where_they_fit() -> None:
    documents = [np.arange(start, start + 10, dtype=np.int32) for start in (0, 100, 200)]
    rows = [np.append(document, end).astype(np.int32) for document in documents for end in (7, 8, 9)]
    batches = pack(build_forest(rows), 30, [10] * 9, 100)
    assert batches == [[0, 1, 2, 3, 4, 5], [6, 7, 8]]


def test_logits_that_several_rows_want_count_once() -> None:
    """As where two metrics ask for the same answers: 3 prefixes are read of each document, however often."""
    documents = [np.arange(start, start + 10, dtype=np.int32) for start in (0, 100, 200)]
    batches = pack(build_forest([document for document in documents for _ in range(4)]), 1000, [7] * 12, 6)
    assert batches == [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11]]


def test_a_shared_prefix_is_repeated_where_a_subtree_is_split() -> None:
    prefix = np.arange(10, dtype=np.int32)
    rows = [np.concatenate([prefix, np.full(8, 50 + place, dtype=np.int32)]) for place in range(6)]
    batches = pack(build_forest(rows), 30, [17] * 6, 100)
    assert [len(batch) for batch in batches] == [2, 2, 2]
