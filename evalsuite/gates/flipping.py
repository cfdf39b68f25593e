"""The samples that flipped in what was gated, by the metric of their gate, no more than a report can hold. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from evalsuite.comparing.comparison import Flip, flips_of
from evalsuite.comparing.pairing import Pairing
from evalsuite.gates.records import GateResult

MOST_FLIPS = 5_000
"""Of all gates together."""

_SHARE_GAINED = 4
"""At least one place in so many is left to gains, where there are any."""


def gated_flips(gates: Sequence[GateResult], pairing: Pairing, most: int = MOST_FLIPS) -> tuple[tuple[Flip, ...], int]:
    """The flips of every task by every metric that it is gated on, once each, and how many more there are.

    At most `most`, shared evenly by those pairs; of one pair lost samples come first.
    """
    asked = dict.fromkeys((task, gate.metric) for gate in gates for task in gate.tasks if task in pairing.tasks)
    found = [flips_of(pairing.tasks[task], metric) for task, metric in asked]
    each = even_share([len(flips) for flips in found], most)
    kept = [flip for flips in found for flip in _cut(flips, each)]
    return tuple(kept), sum(map(len, found)) - len(kept)


def even_share(sizes: Sequence[int], most: int) -> int:
    """The largest number such that lists cut to it hold `most` entries together at most."""
    if sum(sizes) <= most:
        return max(sizes, default=0)
    room = most
    for place, size in enumerate(sorted(sizes)):
        share = room // (len(sizes) - place)
        if size > share:
            return share
        room -= size
    raise AssertionError("lists that fit were cut")


def _cut(flips: Sequence[Flip], most: int) -> list[Flip]:
    num_lost = sum(1 for _ in takewhile(lambda flip: flip.way == "lost", flips))
    num_gained = min(len(flips) - num_lost, max(most - num_lost, most // _SHARE_GAINED))
    return [*flips[: min(num_lost, most - num_gained)], *flips[num_lost : num_lost + num_gained]]
