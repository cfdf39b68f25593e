"""Bradley-Terry strengths by evalica, and how far they depend on prompts and on what a tie is taken to be.

Strengths are natural logarithms of odds, with mean zero: a system one ahead wins e to 1 of decided comparisons.
Intervals are of prompts drawn anew, since votes on a prompt are no independent trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np

from evalsuite.errors import DataError
from evalsuite.types import Record

from .measures import FEWEST_PROMPTS, Bounds
from .table import LOSS, TIE, WIN, Floats, Ints, Mask, VoteTable

Ties: TypeAlias = Literal["half", "dropped", "davidson"]
TIES: tuple[Ties, ...] = ("half", "dropped", "davidson")
"""A tie counts half to either side, or nothing, or is an outcome of its own (Davidson 1970)."""

TOLERANCE = 1e-12
_LIMIT = 10_000


class Strength(Record, frozen=True, kw_only=True):
    """A system's strength with its 95 % interval, and its rank under each way to treat ties that leaves one."""

    system: str
    strength: float
    low: float | None
    high: float | None
    ranks: dict[str, int]
    num_votes: int


@dataclass(frozen=True)
class _Cells:
    """Votes by pair of systems and outcome: `counts`, (cells, prompt groups)."""

    a: Ints
    b: Ints
    outcome: Ints
    counts: Floats


def rankings(table: VoteTable, *, num_draws: int = 300, seed: int = 1) -> tuple[Strength, ...]:
    """Every system, the strongest first, ties counting half. Raises DataError where strengths cannot be compared."""
    check_comparable(table)
    cells = _cells(table)
    once = np.ones(cells.counts.shape[1])
    by_ties = {ties: _strengths(table, cells, once, ties) for ties in TIES if _can_rank(table, ties)}
    ranks = {ties: (-found).argsort().argsort() + 1 for ties, found in by_ties.items()}
    low, high = _bounds(table, cells, num_draws, seed)
    votes = np.bincount(np.concatenate([table.a, table.b]), minlength=len(table.systems))
    found = [
        Strength(
            system=system,
            strength=float(by_ties["half"][place]),
            low=None if low is None else float(low[place]),
            high=None if high is None else float(high[place]),
            ranks={ties: int(found[place]) for ties, found in ranks.items()},
            num_votes=int(votes[place]),
        )
        for place, system in enumerate(table.systems)
    ]
    return tuple(sorted(found, key=lambda strength: (-strength.strength, strength.system)))


def strengths(table: VoteTable, ties: Ties = "half") -> Floats:
    """One of each system, in the order of their names. Raises DataError where they cannot be compared."""
    check_comparable(table)
    cells = _cells(table)
    return _strengths(table, cells, np.ones(cells.counts.shape[1]), ties)


def _can_rank(table: VoteTable, ties: Ties) -> bool:
    """Whether systems still compare when ties say nothing."""
    if ties != "dropped":
        return True
    decided = table.where(table.outcome < TIE)
    try:
        check_comparable(decided)
    except DataError:
        return False
    return True


def tie_weight(table: VoteTable) -> float:
    """Davidson's nu: how likely a tie between equals is against either's win, twice evalica's v."""
    cells = _cells(table)
    return _tie_weight(cells, cells.counts.sum(axis=1))


def tie_weight_bounds(table: VoteTable, *, num_draws: int = 300, seed: int = 1) -> Bounds | None:
    """The middle 95 % of `tie_weight` over prompts drawn anew; None with too few prompts to draw from."""
    cells = _cells(table)
    drawn = _drawn(cells.counts.shape[1], num_draws, seed)
    if drawn is None:
        return None
    low, high = np.quantile([_tie_weight(cells, cells.counts @ weights) for weights in drawn], [0.025, 0.975])
    return Bounds(low=float(low), high=float(high))


def _tie_weight(cells: _Cells, totals: Floats) -> float:
    import evalica

    kept: Mask = totals > 0
    part = _Cells(cells.a[kept], cells.b[kept], cells.outcome[kept], cells.counts[kept])
    return 2.0 * float(evalica.newman(**_columns(part, totals[kept]), tolerance=TOLERANCE, limit=_LIMIT).v)


def check_comparable(table: VoteTable) -> None:
    """Raise DataError where systems fall into groups of which one never lost to, or never met, another.

    Then the data put no bound on how far they are apart (Ford 1957).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    won, lost = table.outcome != LOSS, table.outcome != WIN
    start, end = np.concatenate([table.a[won], table.b[lost]]), np.concatenate([table.b[won], table.a[lost]])
    size = len(table.systems)
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(size, size))
    num, place = connected_components(graph, connection="strong")
    if num == 1:
        return
    largest = np.bincount(place).argmax()
    apart = [table.systems[system] for system in range(size) if place[system] != largest]
    raise DataError(
        f"{len(apart)} of {size} systems cannot be ranked with the others: they won or lost everything, or never met "
        f"them ({', '.join(apart[:5])}{', ...' if len(apart) > 5 else ''}). Leave them out, or collect more votes."
    )


def _cells(table: VoteTable) -> _Cells:
    seen = table.swapped(table.a > table.b)
    size = len(table.systems)
    outcome = np.minimum(seen.outcome, TIE)
    names, place = np.unique((seen.a * size + seen.b) * 3 + outcome, return_inverse=True)
    groups, group = np.unique(seen.group, return_inverse=True)
    counts = np.zeros((len(names), len(groups)))
    np.add.at(counts, (place, group), 1.0)
    pairs, outcomes = names // 3, names % 3
    return _Cells(pairs // size, pairs % size, outcomes, counts)


def _strengths(table: VoteTable, cells: _Cells, weights: Floats, ties: Ties) -> Floats:
    """With prompts weighted by `weights`."""
    import evalica

    totals = cells.counts @ weights
    kept: Mask = totals > 0 if ties != "dropped" else (totals > 0) & (cells.outcome != TIE)
    part = _Cells(cells.a[kept], cells.b[kept], cells.outcome[kept], cells.counts[kept])
    columns = _columns(part, totals[kept])
    options = {"index": _index(len(table.systems)), "tolerance": TOLERANCE, "limit": _LIMIT}
    fit = evalica.newman if ties == "davidson" else evalica.bradley_terry
    found = fit(**columns, **options)
    logs = np.log(found.scores.loc[list(range(len(table.systems)))].to_numpy())
    centred: Floats = logs - logs.mean()
    return centred


@cache
def _index(size: int) -> Any:
    import pandas

    return pandas.Index(range(size))


def _columns(cells: _Cells, totals: Floats) -> dict[str, list[Any]]:
    """What evalica takes: the systems of each cell, its outcome, and how many votes it stands for."""
    import evalica

    meanings = {WIN: evalica.Winner.X, LOSS: evalica.Winner.Y, TIE: evalica.Winner.Draw}
    winners = [meanings[int(outcome)] for outcome in cells.outcome]
    return {"xs": cells.a.tolist(), "ys": cells.b.tolist(), "winners": winners, "weights": totals.tolist()}


def _bounds(table: VoteTable, cells: _Cells, num_draws: int, seed: int) -> tuple[Floats, Floats] | tuple[None, None]:
    """The middle 95 % of strengths over prompts drawn anew; None with too few prompts to draw from."""
    drawn = _drawn(cells.counts.shape[1], num_draws, seed)
    if drawn is None:
        return None, None
    found = np.array([_strengths(table, cells, weights, "half") for weights in drawn])
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    return low, high


def _drawn(num_groups: int, num_draws: int, seed: int) -> Floats | None:
    """How often each prompt was drawn, (draws, groups)."""
    if num_groups < FEWEST_PROMPTS or not num_draws:
        return None
    random = np.random.default_rng(seed)
    return random.multinomial(num_groups, np.full(num_groups, 1.0 / num_groups), size=num_draws).astype(np.float64)
