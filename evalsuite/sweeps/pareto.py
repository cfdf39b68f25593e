"""Which cells give the most quality for what they take: the front, and who cannot be told from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from evalsuite.errors import NothingComparable, UsageError, nearest
from evalsuite.stats.fronts import dominates, front
from evalsuite.stats.joint_values import Bounds
from evalsuite.stats.paired_tests import holm
from evalsuite.sweeps.frames import MEASURED, OF_THE_RUN
from evalsuite.sweeps.reading import CellRun, Headline, Part, Sweep, bounds_of, number_of, values_of
from evalsuite.sweeps.sharing import joint_values
from evalsuite.types import Record

Standing = Literal["front", "not told from the front", "behind", "not compared"]
"""`not compared` are cells whose cost was measured over a part of their run alone."""

_SURE = 0.05

MORE_IS_BETTER = {"tokens_per_second"}
"""Of what can be measured; of all else less is better."""


PART_NOTE = (
    "Measured over a part of the run, since a cache gave answers or an earlier process did, and so not compared."
)
"""Said wherever such cells are shown."""


class ParetoPoint(Record, frozen=True, kw_only=True):
    """A cell's quality and its cost, which was measured over a part of its run alone where `part` says why.

    Off the front `beaten_by` is the cell of the front that is surest to be better and costs no more, `gain` its lead
    item by item with the 95 % interval, and `p_adjusted` the chance of such a lead among all that beat it (Holm); None
    where the two share no items.
    """

    cell: str
    cost: float
    value: float
    low: float | None
    high: float | None
    is_marked: bool
    standing: Standing
    part: Part = ""
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

    What was measured over a part of a run (a cache gave answers, or an earlier process did) is shown and compared with
    nothing. Raises UsageError for a name that is neither, NothingComparable where fewer than two cells have it whole,
    or no two of them a number in common.
    """
    known = (*MEASURED, *sweep.keys)
    if against not in known:
        near = nearest(against, known)
        guess = f"; did you mean {near!r}?" if near else f"; there are {', '.join(known)}."
        raise UsageError(f"--against {against}: neither a measurement nor a setting of the sweep{guess}")
    costs = {one.cell.name: _cost(one, against) for one in sweep.sealed}
    usable = [one for one in sweep.sealed if costs[one.cell.name] is not None]
    whole = {one.cell.name for one in usable if not _part(one, against)}
    if len(whole) < 2:
        part = len(usable) - len(whole)
        raise NothingComparable(
            f"--against {against}: {len(usable)} of the {len(sweep.sealed)} cells with results have it"
            + (f", {part} of a part of their run (answers from a cache, or resumed)" if part else "")
            + "; two are needed."
        )
    fronts = [
        _front([one for one in usable if headline in values_of(one)], costs, against, headline)
        for headline in headlines
        if sum(headline in values_of(one) and one.cell.name in whole for one in usable) > 1
    ]
    if not fronts:
        raise NothingComparable(f"--against {against}: no two cells that have it have a number in common.")
    used = {one.cell.name for one in usable}
    return Pareto(
        against=against,
        fronts=tuple(fronts),
        left_out=tuple(one.cell.name for one in sweep.cells if one.cell.name not in used),
    )


def _cost(one: CellRun, against: str) -> float | None:
    return one.measured.get(against) if against in MEASURED else number_of(one, against)


def _part(one: CellRun, against: str) -> Part:
    return one.part_measured if against in MEASURED and against not in OF_THE_RUN else ""


def _front(
    cells: Sequence[CellRun], costs: Mapping[str, float | None], against: str, headline: Headline
) -> ParetoFront:
    first = values_of(cells[0])[headline]
    quality_sign = 1.0 if first.higher_is_better else -1.0
    cost_sign = 1.0 if against in MORE_IS_BETTER else -1.0
    whole = [one for one in cells if not _part(one, against)]
    points = [
        (quality_sign * values_of(one)[headline].value, cost_sign * (costs[one.cell.name] or 0.0)) for one in whole
    ]
    on_front = set(front(points))
    bounds = bounds_of(cells, headline)
    found = [_plain(one, costs[one.cell.name] or 0.0, headline, part) for one in cells if (part := _part(one, against))]
    for place, one in enumerate(whole):
        better = [whole[other] for other in sorted(on_front) if dominates(points[other], points[place])]
        found.append(_held_against(_plain(one, costs[one.cell.name] or 0.0, headline), one, better, headline, bounds))
    return ParetoFront(
        headline=headline.label, against=against, less_is_better=against not in MORE_IS_BETTER, scale=first.scale,
        higher_is_better=first.higher_is_better, points=tuple(sorted(found, key=lambda point: point.cost)),
    )  # fmt: skip


def _plain(one: CellRun, cost: float, headline: Headline, part: Part = "") -> ParetoPoint:
    value = values_of(one)[headline]
    return ParetoPoint(
        cell=one.cell.name, cost=cost, value=value.value, low=value.low, high=value.high, is_marked=one.is_marked,
        standing="not compared" if part else "front", part=part,
    )  # fmt: skip


def _held_against(
    plain: ParetoPoint, one: CellRun, better: Sequence[CellRun], headline: Headline, bounds: Bounds | None
) -> ParetoPoint:
    """The cell's point, `plain`, as far as those of the front that beat it are surely better."""
    if not better:
        return plain
    sign = 1.0 if values_of(one)[headline].higher_is_better else -1.0
    tested = []
    for other in better:
        joint = joint_values([one, other], headline)
        if not isinstance(joint, str):
            lead = joint.contrast([-sign, sign], bounds)
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
