"""The preference view's ranking: ranks that the votes leave open, and what the order hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.preference.summary import Number, Ranking

from ._format import Cell, Whisker, number, plural
from ._votes import NO_INTERVAL, shown, signed

_MOST_NAMES = 12
_AXIS, _PAD = 96.0, 4.0
_TIES = {"half": "ties half", "dropped": "ties left out", "davidson": "ties an outcome"}


@dataclass(frozen=True)
class RankRow:
    """A system's ranks and strength."""

    system: str
    ranks: str
    strength: Cell
    by_ties: tuple[str, ...]
    votes: str


@dataclass(frozen=True)
class Ranks:
    """The ranking. Without `fewest` votes, empty where no few were found, or any one of `deciders` another leads."""

    heads: tuple[str, ...]
    rows: tuple[RankRow, ...]
    sensitivity: str
    leader: str
    fewest: str
    deciders: tuple[str, ...]
    num_more: int
    davidson: Cell | None


def build_ranks(ranking: Ranking) -> Ranks:
    """Of all systems, the strongest first."""
    told = [ties for ties in _TIES if ties in ranking.systems[0].ranks]
    ends = [end for row in ranking.systems for end in (row.low, row.high, row.strength) if end is not None]
    reach = max(map(abs, ends)) or 1.0
    frail = ranking.fragility
    return Ranks(
        heads=tuple(_TIES[ties] for ties in told),
        rows=tuple(
            RankRow(
                system=shown(row.system),
                ranks=_range_text(row.rank_low, row.rank_high),
                strength=_strength(row.strength, row.low, row.high, reach),
                by_ties=tuple(str(row.ranks[ties]) for ties in told),
                votes=plural(row.num_votes, "vote"),
            )
            for row in ranking.systems
        ),
        sensitivity=_sensitivity(ranking, told),
        leader=shown(frail.leader),
        fewest="" if frail.num_votes is None else f"{frail.num_votes} of {plural(frail.total, 'vote')}",
        deciders=tuple(map(shown, frail.without_annotator[:_MOST_NAMES])),
        num_more=max(0, len(frail.without_annotator) - _MOST_NAMES),
        davidson=tie_weight_cell(ranking.davidson_nu),
    )


def _range_text(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return NO_INTERVAL
    return str(low) if low == high else f"{low} – {high}"


def _strength(value: float, low: float | None, high: float | None, reach: float) -> Cell:
    """In log-odds, drawn on an axis from -`reach` to `reach`."""

    def place(at: float | None) -> str | None:
        return None if at is None else f"{_PAD + (_AXIS - 2 * _PAD) * (at + reach) / (2 * reach):.1f}"

    bounds = NO_INTERVAL if low is None or high is None else f"{signed(low)} – {signed(high)}"
    return Cell(value=signed(value), interval=bounds, whisker=Whisker(place(value) or "", place(low), place(high)))


def _sensitivity(ranking: Ranking, told: Sequence[str]) -> str:
    ranks = [[row.ranks[ties] for ties in told] for row in ranking.systems]
    moved = [max(places) - min(places) for places in ranks if max(places) > min(places)]
    ways = " or ".join(_TIES[ties] for ties in told)
    if not moved:
        return f"The order is the same with {ways}."
    furthest = plural(max(moved), "place")
    return f"With {ways}, {len(moved)} of {len(ranks)} systems change their rank, by up to {furthest}."


def odds_cell(found: Number | None) -> Cell | None:
    """Log-odds with their sign; None where there are none."""
    if found is None:
        return None
    low, high = found.low, found.high
    bounds = NO_INTERVAL if low is None or high is None else f"{signed(low)} – {signed(high)}"
    return Cell(value=signed(found.value), interval=bounds, n=f"n {found.num_votes}")


def tie_weight_cell(found: Number | None) -> Cell | None:
    """Davidson's nu; None where nobody can know it."""
    if found is None:
        return None
    low, high = found.low, found.high
    bounds = NO_INTERVAL if low is None or high is None else f"{number(low, 2)} – {number(high, 2)}"
    return Cell(value=number(found.value, 2), interval=bounds, n=f"n {found.num_votes}")
