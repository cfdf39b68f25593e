"""What a ranking hangs on: how few votes, and which annotators, would give it another leader.

The votes whose loss moves the leader's lead most are found to first order from the curvature of the Bradley-Terry
likelihood (Broderick, Giordano and Meager 2020, arXiv 2011.14999), and the claim is checked by ranking again without
them.
"""

from __future__ import annotations

import numpy as np

from evalsuite.errors import DataError
from evalsuite.types import Record

from .rankings import strengths
from .table import Floats, Ints, Mask, VoteTable


class Fragility(Record, frozen=True, kw_only=True):
    """How many of `total` votes need be gone for `challenger` to lead; None when no such few were found.

    `without_annotator` are those of whom each alone decides who leads.
    """

    leader: str
    challenger: str
    num_votes: int | None
    total: int
    without_annotator: tuple[str, ...]


def fragility(table: VoteTable) -> Fragility:
    """Of the leader of all votes, ties counting half. Raises DataError where systems cannot be compared."""
    found = strengths(table)
    leader, second = (int(place) for place in np.argsort(-found, kind="stable")[:2])
    support = _support(table, found, leader, second)
    order = np.argsort(-support, kind="stable")
    lead = float(found[leader] - found[second])
    enough = np.flatnonzero(np.cumsum(support[order]) >= lead)
    fewest = _checked(table, order, leader, int(enough[0]) + 1) if len(enough) else None
    return Fragility(
        leader=table.systems[leader],
        challenger=table.systems[second],
        num_votes=fewest,
        total=len(table),
        without_annotator=_deciders(table, leader),
    )


def _support(table: VoteTable, found: Floats, leader: int, second: int) -> Floats:
    """How much of the leader's lead each vote is worth, to first order."""
    size = len(table.systems)
    rows = np.arange(len(table))
    design = np.zeros((len(table), size))
    design[rows, table.a], design[rows, table.b] = 1.0, -1.0
    chance = 1.0 / (1.0 + np.exp(found[table.b] - found[table.a]))
    curvature = (design * (chance * (1 - chance))[:, None]).T @ design
    direction = np.zeros(size)
    direction[leader], direction[second] = 1.0, -1.0
    worth: Floats = (design @ np.linalg.pinv(curvature) @ direction) * (table.value - chance)
    return worth


def _checked(table: VoteTable, order: Ints, leader: int, start: int) -> int | None:
    """The first number from `start` of votes without which another leads, in steps of a twentieth."""
    number = start
    while number < len(table) // 2:
        kept = np.ones(len(table), dtype=np.bool_)
        kept[order[:number]] = False
        if not _leads(table, kept, leader):
            return number
        number += max(1, number // 20)
    return None


def _deciders(table: VoteTable, leader: int) -> tuple[str, ...]:
    rest = [(table.raters[rater], table.rater != rater) for rater in np.unique(table.rater).tolist()]
    return tuple(name for name, kept in rest if kept.any() and not _leads(table, kept, leader))


def _leads(table: VoteTable, kept: Mask, leader: int) -> bool:
    """Whether the leader still leads; where the rest cannot be ranked, it is not said to have lost."""
    try:
        return int(strengths(table.where(kept)).argmax()) == leader
    except DataError:
        return True
