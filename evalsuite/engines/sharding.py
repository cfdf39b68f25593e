"""Planned batches for many workers: cut finer than for one, and handed out longest first. Pure: no clock, no machine.

Work is counted in tokens read: of rows to score every distinct prefix of a batch once; of generation the prompts; and
what else there is to do at the prices of a `Yardstick`.

Up to `ALIKE_UP_TO` workers answer the very batches of one process, and so give its bytes. For more of them the plan is
cut at the places where least has to be repeated: first what hangs together most, into large parts; last what falls
apart by itself (documents that share nothing), into parts so small that all workers end together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evalsuite.engines.base import Batch, BatchFeed
from evalsuite.engines.encoded_requests import EncodedRequests, is_generation
from evalsuite.engines.forest import common_length, sort_key
from evalsuite.types import GenerateRequest, Item, Scalar

ALIKE_UP_TO = 8
"""Workers that answer the batches of one process, to the last bit."""

LEAST_TOKENS = 2**12
"""Work below which nothing is cut: a batch costs something by itself, to a GPU and to the one who hands it out."""

STEP_TOKENS = {"cpu": 16, "cuda": 192}
"""Tokens read in the time of one step of generation, by kind of device: in a step all weights are read from memory.

Constants, so that a plan says nothing of the machine that made it; docs/benchmarks has what a wrong one costs.
"""

ROW_TOKENS = {"cuda": 50}
"""Tokens of rows that a worker's CPU encodes in the time in which one is read, where that is felt: shared prefixes are
read once, but every row is encoded.
"""

_PARTS_LEFT = 2
"""A part is at most this share, one in so many for each worker, of what is left when it is handed out."""

_LIKELY_STEPS = 0.75
"""The share of their cap after which the answers of a batch have ended, on average; the longest may take it all."""

_LONGEST_SHARE = 0.25
"""How much of the longest part of generation is counted for the risk that it ends last."""

_LIKE_THE_LEAST = 32
"""One in so many of a part's tokens may be repeated beyond the least, for the sake of a fuller part."""


@dataclass(frozen=True)
class Yardstick:
    """What other work than reading costs, in tokens read: a step of generation, and encoding one token of a row.

    At most `num_rows` answers are under way at once, with the keys and values of `num_held` tokens in all.
    """

    step_tokens: int
    row_share: float
    num_rows: int
    num_held: int

    @staticmethod
    def on(device_kind: str, num_rows: int, num_held: int) -> Yardstick:
        """That of a kind of device."""
        row_share = 1 / ROW_TOKENS[device_kind] if device_kind in ROW_TOKENS else 0.0
        return Yardstick(STEP_TOKENS.get(device_kind, STEP_TOKENS["cpu"]), row_share, num_rows, num_held)

    def work(self, batch: Batch, requests: EncodedRequests) -> int:
        """What `batch` takes; answers at their caps."""
        if not is_generation(batch):
            naive = requests.count_naive([item.request for item in batch.items]) if self.row_share else 0
            return batch.num_tokens + int(self.row_share * naive)
        caps = _caps(batch.items)
        return self.generation(batch.num_tokens - sum(caps), caps)

    def generation(self, num_prompt_tokens: int, caps: Sequence[int], share: float = 1.0) -> int:
        """What prompts and answers take, the answers at a `share` of their caps."""
        num_tokens = num_prompt_tokens + sum(caps)
        at_once = max(1, min(self.num_rows, len(caps) * self.num_held // num_tokens))
        steps = max(max(caps), sum(caps) / at_once)
        return num_prompt_tokens + int(self.step_tokens * steps * share)


def planned_for(num_workers: int) -> int:
    """The number of workers whose plan is taken: 1 up to `ALIKE_UP_TO`, beyond that the next power of two, so that a
    run goes on when a few are gone."""
    return 1 if num_workers <= ALIKE_UP_TO else 1 << (num_workers - 1).bit_length()


def identity(num_workers: int) -> Mapping[str, Scalar]:
    """What a finer plan adds to an engine's identity: other batches, other last bits. Nothing up to `ALIKE_UP_TO`."""
    wanted = planned_for(num_workers)
    return {"planned_for_workers": wanted} if wanted > 1 else {}


def longest_first(batches: Iterable[Batch], work: Callable[[Batch], float]) -> Iterator[Batch]:
    """`batches` in the order in which workers that become free should take them; equal ones as planned.

    What goes together is not touched. A `BatchFeed` is emptied at once, and asked before each batch whether to stop.
    """
    ordered = sorted(batches, key=lambda batch: (-work(batch), batch.index))
    for batch in ordered:
        if isinstance(batches, BatchFeed) and batches.is_stopping():
            return
        yield batch


def finer(
    batches: Sequence[Batch], num_workers: int, requests: EncodedRequests, yardstick: Yardstick
) -> tuple[Batch, ...]:
    """The plan of so many workers: each part of a batch of `batches`, none of more tokens, numbered anew.

    Up to `ALIKE_UP_TO` workers `batches` themselves. Otherwise the items of a part to score stand in the order of
    their tokens, those to generate as they stood.
    """
    wanted = planned_for(num_workers)
    if wanted == 1:
        return tuple(batches)
    scored = [batch for batch in batches if not is_generation(batch)]
    generated = [batch for batch in batches if is_generation(batch)]
    read = sum(yardstick.work(batch, requests) for batch in scored)
    parts = [
        *_generation_parts(generated, read, wanted, requests, yardstick),
        *_scoring_parts(scored, wanted, requests, yardstick),
    ]
    return tuple(Batch(index, items, num_tokens) for index, (items, num_tokens) in enumerate(parts))


_Part = tuple[tuple[Item, ...], int]
"""Items of a batch, and what they are to compute in tokens."""


# -- rows to score


@dataclass(frozen=True)
class Strip:
    """Rows in the order of their tokens: of each how many it shares with the one before, and how many it adds.

    A run of neighbours reads what its first shares, and what all of them add; `costs` are what each row costs besides,
    in tokens read.
    """

    items: tuple[Item, ...]
    shared: NDArray[np.int64]
    added: NDArray[np.int64]
    costs: NDArray[np.float64]

    def borders(self, most: int, dearest: float = 0.5) -> list[int]:
        """Where runs of some `most` tokens' work begin, the first at 0, and the end of the last.

        A cut goes where least is repeated, in the second half of what fits. Where even that is more than the share
        `dearest` of `most` there is no cut, and the run is longer.
        """
        found = [0]
        while (cut := self._next_cut(found[-1], most, dearest)) < len(self.items):
            found.append(cut)
        return [*found, len(self.items)]

    def num_tokens(self, start: int, end: int) -> int:
        """What the run ``[start, end)`` reads."""
        return int(self.shared[start] + self.added[start:end].sum())

    def glue(self) -> float:
        """What would be read again if it were cut as finely as anything is, as a share of the whole."""
        cuts = self.borders(LEAST_TOKENS, dearest=np.inf)[1:-1]
        return float(self.shared[cuts].sum()) / max(1, self.num_tokens(0, len(self.items)))

    def _next_cut(self, start: int, most: int, dearest: float) -> int:
        sizes = self.shared[start] + (self.added[start:] + self.costs[start:]).cumsum()
        last = max(1, int(sizes.searchsorted(most, side="right")))
        if last == len(sizes):
            return len(self.items)
        first = min(last, 1 + int(sizes.searchsorted(most / 2)))
        window = self.shared[start + first : start + last + 1]
        least = int(window.min())
        if least <= dearest * most:
            return start + first + int(np.flatnonzero(window <= least + most // _LIKE_THE_LEAST)[-1])
        later = np.flatnonzero(self.shared[start + last + 1 :] <= dearest * most)
        return start + last + 1 + int(later[0]) if later.size else len(self.items)


def strip_of(batch: Batch, requests: EncodedRequests, row_share: float = 0.0) -> Strip:
    """A batch to score, laid out to be cut; each token of a row costs `row_share` besides."""
    keyed = sorted(
        ((sort_key(row), item.id, row, item) for item in batch.items for row in (requests.row(item.request),)),
        key=lambda entry: entry[:2],
    )
    rows = [row for _, _, row, _ in keyed]
    shared = np.array([0, *(common_length(a, b) for a, b in pairwise(rows))], dtype=np.int64)
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    costs = (row_share * lengths).astype(np.float64)
    return Strip(tuple(item for *_, item in keyed), shared, lengths - shared, costs)


def _scoring_parts(
    batches: Sequence[Batch], num_workers: int, requests: EncodedRequests, yardstick: Yardstick
) -> Iterator[_Part]:
    """What hangs together most first, in large parts; then smaller and smaller ones, the less there is left."""
    strips = [(batch, strip_of(batch, requests, yardstick.row_share)) for batch in batches]
    strips.sort(key=lambda entry: (-entry[1].glue(), entry[0].index))
    left = sum(yardstick.work(batch, requests) for batch in batches)
    for batch, strip in strips:
        borders = strip.borders(max(LEAST_TOKENS, left // (_PARTS_LEFT * num_workers)))
        left -= yardstick.work(batch, requests)
        if len(borders) == 2:
            yield batch.items, batch.num_tokens
            continue
        yield from ((strip.items[start:end], strip.num_tokens(start, end)) for start, end in pairwise(borders))


# -- requests to generate


def _generation_parts(
    batches: Sequence[Batch], num_read: int, num_workers: int, requests: EncodedRequests, yardstick: Yardstick
) -> Iterator[_Part]:
    """Parts of so many rows as let all workers end soonest, the work of `num_read` tokens being shared out too.

    Every part takes the steps of its longest answer: many small parts are more work, few large ones keep others
    waiting.
    """
    if not batches:
        return
    lengths = [[len(requests.prompt(request).ids) for request in _requests(batch.items)] for batch in batches]
    caps = [_caps(batch.items) for batch in batches]

    def end(size: int) -> tuple[float, int]:
        """When all are through with parts of `size` rows, and what is best at the same time: the largest."""
        longest = total = 0
        for prompt_lengths, most in zip(lengths, caps, strict=True):
            for start, stop in pairwise(_even(len(most), size)):
                read, steps = sum(prompt_lengths[start:stop]), most[start:stop]
                longest = max(longest, yardstick.generation(read, steps))
                total += yardstick.generation(read, steps, _LIKELY_STEPS)
        return max(longest, (num_read + total) / num_workers) + _LONGEST_SHARE * longest, -size

    best = min(_sizes(max(len(batch.items) for batch in batches)), key=end)
    for batch, prompt_lengths, most in zip(batches, lengths, caps, strict=True):
        for start, stop in pairwise(_even(len(batch.items), best)):
            yield batch.items[start:stop], sum(prompt_lengths[start:stop]) + sum(most[start:stop])


def _sizes(largest: int) -> Iterator[int]:
    """1, 2, 3, 4, 6, 8, 12, ... and `largest`."""
    size = 1
    while size < largest:
        yield size
        if size > 1 and 3 * size // 2 < largest:
            yield 3 * size // 2
        size *= 2
    yield largest


def _even(count: int, size: int) -> list[int]:
    """Borders of the fewest parts of `count` things of which none has more than `size`, as alike as can be."""
    parts = -(-count // size)
    return [place * count // parts for place in range(parts + 1)]


def _requests(items: Sequence[Item]) -> list[GenerateRequest]:
    return [item.request for item in items if isinstance(item.request, GenerateRequest)]


def _caps(items: Sequence[Item]) -> list[int]:
    return [request.max_tokens for request in _requests(items)]
