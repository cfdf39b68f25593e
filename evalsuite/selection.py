"""Which samples a limited run takes: stratified, seeded, and nested (20 contains 10). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from evalsuite.types import Sample

T = TypeVar("T")


def take_stratified(tasks: Sequence[Sequence[Sample]], limit: float, seed: int) -> list[list[Sample]]:
    """`limit` samples of a family's tasks together (a share of them when below 1), each task's in dataset order.

    Tasks (languages, subjects) get equal shares of their size, and categories within a task too. Samples that are the
    same item in several languages (one cluster) are taken together as far as the limit allows.
    """
    total = sum(len(samples) for samples in tasks)
    ordered = _interleave([_by_category(samples, seed) for samples in tasks])
    chosen = {sample.id for sample in ordered[: _wanted(limit, total)]}
    return [[sample for sample in samples if sample.id in chosen] for samples in tasks]


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
    ordered = [sorted(strata[name], key=lambda sample: _draw(seed, sample.cluster_id)) for name in sorted(strata)]
    return _interleave(sorted(ordered, key=lambda group: _draw(seed, group[0].category)))


def _interleave(groups: Sequence[Sequence[T]]) -> list[T]:
    """All members of `groups`, each group spread evenly over the whole; equal places go by the groups' order."""
    places = [
        ((rank + 0.5) / len(group), index, member)
        for index, group in enumerate(groups)
        for rank, member in enumerate(group)
    ]
    return [member for _, _, member in sorted(places, key=lambda place: place[:2])]


def _draw(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\x00{name}".encode("utf-8", "surrogatepass")).digest()
