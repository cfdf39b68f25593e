"""Which samples a limited run takes: stratified, seeded, and nested (20 contains 10). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

from evalsuite.types import ITEM, Sample

T = TypeVar("T")


def take_stratified(tasks: Mapping[str, Sequence[Sample]], limit: float, seed: int) -> list[list[Sample]]:
    """`limit` samples of a family's tasks together (a share of them when below 1), each task's in dataset order.

    Tasks (languages, subjects) get shares in proportion to their size, and so do categories within a task; where a
    share is less than one sample, the seed decides. Samples that are the same item in several languages are taken
    together as far as the limit allows, and no others: sentences of one article are taken one by one. The order in
    which tasks are named changes nothing.
    """
    total = sum(len(samples) for samples in tasks.values())
    spread = _interleave({name: _by_category(samples, seed) for name, samples in tasks.items()}, seed)
    chosen = {sample.id for sample in spread[: _wanted(limit, total)]}
    return [[sample for sample in samples if sample.id in chosen] for samples in tasks.values()]


def item_of(sample: Sample) -> str:
    """The item that a sample is, the same in every language: what it says it is, else its cluster."""
    return str(sample.metadata.get(ITEM, sample.cluster_id))


def take_first(tasks: Sequence[Sequence[Sample]], limit: float) -> list[list[Sample]]:
    """The first `limit` samples of every task (a share of each when below 1): lm-eval's meaning of the flag."""
    return [list(samples[: _wanted(limit, len(samples))]) for samples in tasks]


def _wanted(limit: float, total: int) -> int:
    """How many of `total` a limit takes: none at 0, and at least one when it is a share."""
    return max(1, round(limit * total)) if 0 < limit < 1 else int(limit)


def _by_category(samples: Sequence[Sample], seed: int) -> list[Sample]:
    strata: dict[str, list[Sample]] = {}
    for sample in samples:
        strata.setdefault(sample.category, []).append(sample)
    shuffled = {
        name: sorted(members, key=lambda sample: _draw(seed, item_of(sample))) for name, members in strata.items()
    }
    return _interleave(shuffled, seed)


def _interleave(groups: Mapping[str, Sequence[T]], seed: int) -> list[T]:
    """All members of `groups`, each group spread evenly over the whole from a random start of its own.

    The prefix of length k then holds each group in proportion, to within one member, and every member of a small group
    has its fair chance (systematic sampling; Cochran 1977, chapter 8).
    """
    places = [
        ((rank + _share(seed, name)) / len(group), name, rank, member)
        for name, group in groups.items()
        for rank, member in enumerate(group)
    ]
    return [member for _, _, _, member in sorted(places, key=lambda place: place[:3])]


def _share(seed: int, name: str) -> float:
    """A draw in [0, 1) that depends on seed and name alone."""
    return int.from_bytes(_draw(seed, f"start of {name}")[:7], "big") / 2**56


def _draw(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\x00{name}".encode("utf-8", "surrogatepass")).digest()
