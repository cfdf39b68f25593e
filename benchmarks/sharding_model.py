"""SIMULATION: how long many GPUs would take over a plan, from what its batches hold and what a GPU is taken to cost.

Nothing here was measured on a GPU. `Prices` are assumptions, `Size` is counted from real requests, and `simulate`
repeats the rule by which batches go to workers: to whoever is free, one at a time, by a driver that does one thing at a
time.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from evalsuite.engines.base import Batch
from evalsuite.engines.encoded_requests import EncodedRequests, is_generation
from evalsuite.engines.sharding import strip_of
from evalsuite.types import GenerateRequest


@dataclass(frozen=True)
class Prices:
    """What one GPU is taken to do. All of it is assumed but `token_s`, which is a CPU's and measured.

    `flops` and `bandwidth` are a second's, and `efficiency` is the share of both that is reached. `forward_s` is the
    least that a pass through the model takes, however little it computes; `batch_s` what every batch takes besides.
    """

    body: float
    """Parameters that every token passes through."""
    head: float
    """Parameters of the logits."""
    pair_flops: float
    """Operations of attention for a query and a key, all layers and heads together."""
    weight_bytes: float
    kv_bytes: float
    """Of one token, in all layers."""
    flops: float = 790e12
    bandwidth: float = 4.3e12
    efficiency: float = 0.85
    forward_s: float = 0.0
    batch_s: float = 0.005
    token_s: float = 0.0
    """Of a worker's CPU, for a token of a row to score, shared ones included: encoding and planning."""


@dataclass(frozen=True)
class Size:
    """What a batch takes, counted. `naive_tokens` are those of one row a request, `pairs` of query and key.

    Of generation `steps` go through the model after the prompts, and read the keys and values of `kv_tokens` tokens in
    all; a `forward` is a pass through the model.
    """

    items: int
    tokens: int
    naive_tokens: int
    pairs: int
    reads: int
    forwards: int = 1
    steps: int = 0
    kv_tokens: int = 0

    def seconds(self, prices: Prices) -> float:
        """On one GPU."""
        operations = 2 * prices.body * self.tokens + prices.pair_flops * self.pairs + 2 * prices.head * self.reads
        reading = max(operations / (prices.flops * prices.efficiency), self.forwards * prices.forward_s)
        rate = prices.bandwidth * prices.efficiency
        stepping = max(self.steps * prices.weight_bytes / rate, self.steps * prices.forward_s)
        stepping += self.kv_tokens * prices.kv_bytes / rate
        return reading + stepping + prices.batch_s + self.naive_tokens * prices.token_s


def size_of(batch: Batch, requests: EncodedRequests, lengths: Mapping[str, int], rows: int, held: int) -> Size:
    """What `batch` takes when the answer to each item has the tokens that `lengths` says, with at most `rows` answers
    and the keys and values of `held` tokens under way at once."""
    if is_generation(batch):
        prompts, caps = [], []
        for item in batch.items:
            assert isinstance(item.request, GenerateRequest)
            prompts.append(len(requests.prompt(item.request).ids))
            caps.append(item.request.max_tokens)
        longest = max(prompt + cap for prompt, cap in zip(prompts, caps, strict=True))
        answers = [min(cap, lengths[item.id]) for item, cap in zip(batch.items, caps, strict=True)]
        return generation_size(prompts, answers, min(rows, max(1, held // longest)))
    strip = strip_of(batch, requests)
    ends = strip.shared + strip.added
    first_reads = [len(requests.pair(item.request).context) - 1 for item in strip.items]
    return Size(
        items=len(batch.items),
        tokens=int(strip.added.sum()),
        naive_tokens=int(ends.sum()),
        pairs=int(((ends * (ends + 1)) - strip.shared * (strip.shared + 1)).sum()) // 2,
        reads=int(np.maximum(0, ends - np.maximum(np.array(first_reads), strip.shared)).sum()),
    )


def generation_size(prompts: Sequence[int], answers: Sequence[int], capacity: int) -> Size:
    """Rows that come and go, at most `capacity` at once: new ones join when there is room for an eighth of all."""
    waiting = list(zip(prompts, answers, strict=True))[::-1]
    active: list[list[int]] = []  # tokens held, tokens still to come
    steps = kv_tokens = joins = 0
    while waiting or active:
        room = capacity - len(active)
        if waiting and (not active or room >= max(1, capacity // 8)):
            joining = [waiting.pop() for _ in range(min(room, len(waiting)))]
            active += [[prompt, answer - 1] for prompt, answer in joining]  # its first token comes with the prompt
            joins += 1
        else:
            steps += 1
            kv_tokens += sum(held for held, _ in active)
            active = [[held + 1, left - 1] for held, left in active]
        active = [row for row in active if row[1] > 0]
    generated = sum(answers)
    causal = sum(prompt * (prompt + 1) // 2 for prompt in prompts)
    attended = sum(prompt * answer + answer * answer // 2 for prompt, answer in zip(prompts, answers, strict=True))
    return Size(
        items=len(prompts), tokens=sum(prompts) + generated, naive_tokens=sum(prompts), pairs=causal + attended,
        reads=len(prompts) + generated, forwards=joins, steps=steps, kv_tokens=kv_tokens,
    )  # fmt: skip


@dataclass(frozen=True)
class Driver:
    """The one process that hands batches out and stores answers, in seconds. Measured: it needs no GPU."""

    hand_out_s: float = 0.0
    commit_s: float = 0.0
    item_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a simulated run went: seconds that each worker computed, and until the last answer was stored."""

    busy: tuple[float, ...]
    end: float

    @property
    def imbalance(self) -> float:
        """The longest of the workers' busy times over their mean, less 1."""
        return max(self.busy) / fmean(self.busy) - 1


def simulate(batches: Sequence[tuple[float, int]], num_workers: int, driver: Driver) -> Outcome:
    """Batches in the order given, each of so many seconds and items, to whoever is free.

    As `workers.py` does it: an answer is stored before the worker that gave it gets its next batch.
    """
    busy = [0.0] * num_workers
    feed = iter(batches)
    under_way: list[tuple[float, int, int]] = []
    now = 0.0
    idle = list(range(num_workers))[::-1]
    while True:
        while idle and (batch := next(feed, None)) is not None:
            seconds, items = batch
            now += driver.hand_out_s
            worker = idle.pop()
            busy[worker] += seconds
            heapq.heappush(under_way, (now + seconds, worker, items))
        if not under_way:
            return Outcome(tuple(busy), now)
        end, worker, items = heapq.heappop(under_way)
        now = max(now, end) + driver.commit_s + driver.item_s * items
        idle.append(worker)
