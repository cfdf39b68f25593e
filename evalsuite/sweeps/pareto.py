"""Which cells give the most quality for what they take: the front, and who cannot be told from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from evalsuite.errors import NothingSelected, UsageError, nearest
from evalsuite.stats.fronts import dominates, front
from evalsuite.stats.paired_tests import holm
from evalsuite.sweeps.frames import MEASURED
from evalsuite.sweeps.reading import CellRun, Headline, Sweep, number_of, values_of
from evalsuite.sweeps.sharing import joint_values
from evalsuite.types import Record

Standing = Literal["front", "not told from the front", "behind"]

_SURE = 0.05

MORE_IS_BETTER = {"tokens_per_second"}
"""Of what can be measured; of all else less is better."""


class ParetoPoint(Record, frozen=True, kw_only=True):
    """A cell's quality and its cost. Off the front `beaten_by` is the cell of the front that is surest to be better
    and costs no more, `gain` its lead item by item with the 95 % interval, and `p_adjusted` the chance of such a lead
    among all that beat it (Holm); None where the two share no items.
    """

    cell: str
    cost: float
    value: float
    low: float | None
    high: float | None
    is_marked: bool
    standing: Standing
    beaten_by: str = ""
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    p_adjusted: float | None = None


class ParetoFront(Record, frozen=True, kw_only=True):
    """One headline against one cost."""

    headline: str
    against: str
    less_is_better: bool
    scale: float
    higher_is_better: bool
    points: tuple[ParetoPoint, ...]


class Pareto(Record, frozen=True, kw_only=True):
    """The fronts of all headlines; `left_out` cells have no results, or no cost."""

    against: str
    fronts: tuple[ParetoFront, ...]
    left_out: tuple[str, ...]


def pareto_of(sweep: Sweep, against: str, headlines: Sequence[Headline]) -> Pareto:
    """Each headline against a setting or a measurement.

    Raises UsageError for a name that is neither, NothingSelected where fewer than two cells have it.
    """
    known = (*MEASURED, *sweep.keys)
    if against not in known:
        near = nearest(against, known)
        guess = f"; did you mean {near!r}?" if near else f"; there are {', '.join(known)}."
        raise UsageError(f"--against {against}: neither a measurement nor a setting of the sweep{guess}")
    costs = {one.cell.name: _cost(one, against) for one in sweep.sealed}
    usable = [one for one in sweep.sealed if costs[one.cell.name] is not None]
    if len(usable) < 2:
        raise NothingSelected(
            f"--against {against}: {len(usable)} of the {len(sweep.sealed)} cells with results have it; two are needed."
        )
    fronts = [
        _front([one for one in usable if headline in values_of(one)], costs, against, headline)
        for headline in headlines
        if sum(headline in values_of(one) for one in usable) > 1
    ]
    used = {one.cell.name for one in usable}
    return Pareto(
        against=against,
        fronts=tuple(fronts),
        left_out=tuple(one.cell.name for one in sweep.cells if one.cell.name not in used),
    )


def _cost(one: CellRun, against: str) -> float | None:
    return one.measured.get(against) if against in MEASURED else number_of(one, against)


def _front(
    cells: Sequence[CellRun], costs: Mapping[str, float | None], against: str, headline: Headline
) -> ParetoFront:
    first = values_of(cells[0])[headline]
    quality_sign = 1.0 if first.higher_is_better else -1.0
    cost_sign = 1.0 if against in MORE_IS_BETTER else -1.0
    points = [
        (quality_sign * values_of(one)[headline].value, cost_sign * (costs[one.cell.name] or 0.0)) for one in cells
    ]
    on_front = set(front(points))
    found = []
    for place, one in enumerate(cells):
        better = [other for other in sorted(on_front) if dominates(points[other], points[place])]
        found.append(_point(one, [cells[other] for other in better], costs[one.cell.name] or 0.0, headline))
    return ParetoFront(
        headline=headline.label, against=against, less_is_better=against not in MORE_IS_BETTER, scale=first.scale,
        higher_is_better=first.higher_is_better, points=tuple(sorted(found, key=lambda point: point.cost)),
    )  # fmt: skip


def _point(one: CellRun, better: Sequence[CellRun], cost: float, headline: Headline) -> ParetoPoint:
    value = values_of(one)[headline]
    plain = ParetoPoint(
        cell=one.cell.name, cost=cost, value=value.value, low=value.low, high=value.high, is_marked=one.is_marked,
        standing="front",
    )  # fmt: skip
    if not better:
        return plain
    sign = 1.0 if value.higher_is_better else -1.0
    tested = []
    for other in better:
        joint = joint_values([one, other], headline)
        if not isinstance(joint, str):
            lead = joint.contrast([-sign, sign])
            tested += [(other, lead, lead.p_value)] if lead.p_value is not None else []
    if not tested:
        return msgspec.structs.replace(plain, standing="not told from the front", beaten_by=better[0].cell.name)
    chances = holm([p for _, _, p in tested])
    surest = min(range(len(tested)), key=lambda place: chances[place])
    other, lead, _ = tested[surest]
    return msgspec.structs.replace(
        plain,
        standing="behind" if chances[surest] < _SURE and lead.value > 0 else "not told from the front",
        beaten_by=other.cell.name,
        gain=lead.value,
        gain_low=lead.low,
        gain_high=lead.high,
        p_adjusted=chances[surest],
    )
