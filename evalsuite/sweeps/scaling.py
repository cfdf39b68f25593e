"""How each headline goes with a numeric setting, from a sweep's cells or from published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from evalsuite.errors import NothingComparable, UsageError
from evalsuite.stats.joint_values import Bounds, Contrast
from evalsuite.stats.paired_tests import holm
from evalsuite.stats.trends import LineFit, OrderTest, is_wide, item_trend, line_fit, on_axis, order_test
from evalsuite.sweeps.published import NO_INTERVALS, Published, number_in, sized_rows
from evalsuite.sweeps.reading import (
    CellRun,
    Headline,
    Sweep,
    bounds_of,
    groups_of,
    number_of,
    settings_text,
    value_of,
    values_of,
    varied_keys,
)
from evalsuite.sweeps.sharing import joint_values
from evalsuite.types import Record

Basis = Literal["items", "weighted", "order", "none"]
"""Which test the p-value is of: the items' own slopes, a line weighted by errors, the order of the points."""

BASES: Mapping[Basis, str] = {
    "items": "items: every item's own slope, averaged, its error from clusters of items that all points share",
    "weighted": "weighted: a line through points taken as independent, each with its own error, since items could not "
    "be followed or all moved alike",
    "order": "order: Kendall's test, whether more comes with a higher value, by all orders of the points",
    "none": "none: too few points for any test",
}


class ScalePoint(Record, frozen=True, kw_only=True):
    """A value at `x`; without interval where the source has none. `is_marked`: the run is not complete."""

    name: str
    x: float
    value: float
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    num_unscored: int | None = None
    run_id: str = ""
    is_marked: bool = False
    is_partial: bool = False


class ScaleCurve(Record, frozen=True, kw_only=True):
    """One headline over `x`, all other settings alike (`series`), with every trend test that can be made.

    Slopes are per tenfold x on a log axis, else per unit. `basis` is the test whose chance `p_value` is, `p_adjusted`
    the same among all tasks or all means (Holm). `not_paired` says why items could not be followed from point to point.
    """

    headline: str
    series: str
    is_mean: bool
    points: tuple[ScalePoint, ...]
    line: LineFit
    order: OrderTest | None
    items: Contrast | None
    num_left_out: int
    not_paired: str
    basis: Basis
    p_value: float | None
    p_adjusted: float | None = None
    scale: float = 1.0
    higher_is_better: bool = True
    chance: float | None = None

    @property
    def slope(self) -> tuple[float | None, float | None, float | None]:
        """The slope of the test that counts, with its interval."""
        if self.basis == "items" and self.items is not None:
            return self.items.value, self.items.low, self.items.high
        return self.line.slope, self.line.low, self.line.high


class Pooled(Record, frozen=True, kw_only=True):
    """Kendall's test of one headline over all series together, each compared within itself."""

    headline: str
    num_series: int
    order: OrderTest
    p_adjusted: float | None = None


class Scaling(Record, frozen=True, kw_only=True):
    """All curves over `x`; `left_out` names cells or rows that are in none, by why."""

    x: str
    is_log: bool
    source: str
    curves: tuple[ScaleCurve, ...]
    pooled: tuple[Pooled, ...]
    left_out: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()


# -- from a sweep


def scaling_of(sweep: Sweep, key: str, headlines: Sequence[Headline], *, is_log: bool | None = None) -> Scaling:
    """The headlines over the setting `key`.

    Raises UsageError where no cell sets it to a number, NothingComparable unless two numbers have results.
    """
    sweep.check_key(key, "--x")
    numbers = {one.cell.name: number_of(one, key) for one in sweep.cells}
    usable = [one for one in sweep.sealed if numbers[one.cell.name] is not None]
    x = [number for one in usable if (number := numbers[one.cell.name]) is not None]
    if len(set(x)) < 2:
        values = ", ".join(dict.fromkeys(value_of(one, key) for one in sweep.cells))
        error = NothingComparable if any(number is not None for number in numbers.values()) else UsageError
        raise error(f"--x {key}: a curve needs two numbers with results; the sweep has {values}.")
    log = is_wide(x) if is_log is None else is_log
    _check_log(key, x, is_log=log)
    curves = [
        curve
        for series, cells in groups_of(usable, key)
        for headline in headlines
        if (curve := _curve(cells, key, headline, settings_text(series, varied_keys(sweep)), is_log=log)) is not None
    ]
    left = {
        "not a number": tuple(one.cell.name for one in sweep.cells if numbers[one.cell.name] is None),
        "no results": tuple(
            one.cell.name for one in sweep.cells if one.result is None and numbers[one.cell.name] is not None
        ),
    }
    return _whole(key, sweep.name, curves, left, is_log=log)


def _check_log(key: str, x: Sequence[float], *, is_log: bool) -> None:
    if is_log and min(x) <= 0:
        raise UsageError(f"--axis log: {key} goes down to {min(x):g}, which has no logarithm; give --axis linear.")


def _curve(cells: Sequence[CellRun], key: str, headline: Headline, series: str, *, is_log: bool) -> ScaleCurve | None:
    order = sorted(cells, key=lambda one: number_of(one, key) or 0.0)
    having = [one for one in order if headline in values_of(one)]
    if not having:
        return None
    points = tuple(_point(one, headline, key) for one in having)
    first = values_of(having[0])[headline]
    xs = on_axis([point.x for point in points], is_log=is_log)
    bounds = bounds_of(having, headline)
    items, why, left = None, "one point", 0
    if len(set(xs.tolist())) > 1:
        joint = joint_values(having, headline)
        why = joint if isinstance(joint, str) else ""
        if not isinstance(joint, str):
            items, left = item_trend(joint, xs, bounds), joint.num_left_out
    found = _tested(points, is_log=is_log, items=items, bounds=bounds)
    return msgspec.structs.replace(
        found, headline=headline.label, series=series, is_mean=headline.is_mean, not_paired=why, num_left_out=left,
        scale=first.scale, higher_is_better=first.higher_is_better, chance=first.chance,
    )  # fmt: skip


def _point(one: CellRun, headline: Headline, key: str) -> ScalePoint:
    value, x = values_of(one)[headline], number_of(one, key)
    assert x is not None
    return ScalePoint(
        name=one.cell.name, x=x, value=value.value, stderr=value.stderr, low=value.low, high=value.high, n=value.n,
        num_unscored=value.num_unscored, run_id=one.cell.run_id, is_marked=one.is_marked, is_partial=one.is_partial,
    )  # fmt: skip


def _tested(
    points: tuple[ScalePoint, ...], *, is_log: bool, items: Contrast | None, bounds: Bounds | None = None
) -> ScaleCurve:
    """Points with their tests; what they are of is filled in by the caller."""
    xs = on_axis([point.x for point in points], is_log=is_log)
    line = line_fit(xs, [point.value for point in points], [point.stderr for point in points], bounds)
    order = order_test([(xs.tolist(), [point.value for point in points])])
    basis: Basis = "none"
    p_value = None
    if items is not None and items.p_value is not None:
        basis, p_value = "items", items.p_value
    elif line.fit == "weighted":
        basis, p_value = "weighted", line.p_value
    elif order is not None:  # without errors a line through a few points takes its own from two or three residuals
        basis, p_value = "order", order.p_value
    return ScaleCurve(
        headline="", series="", is_mean=False, points=points, line=line, order=order, items=items, num_left_out=0,
        not_paired="", basis=basis, p_value=p_value,
    )  # fmt: skip


# -- from published numbers


def published_scaling(
    table: Published, column: str, pattern: str | None, columns: Sequence[str] = (), *, is_log: bool | None = None
) -> Scaling:
    """Every column of numbers over the size that `column` tells (see `sized_rows`). Raises UsageError."""
    rows, left = sized_rows(table, column, pattern)
    sizes = [row.size for row in rows]
    log = is_wide(sizes) if is_log is None else is_log
    _check_log(column, sizes, is_log=log)
    chosen = [name for name in columns or table.numeric if name != column]
    series = tuple(dict.fromkeys(row.series for row in rows))
    curves = []
    for name in chosen:
        place = table.place(name, "--columns")
        for one in series:
            found = [
                (row, number)
                for row in sorted(rows, key=lambda row: row.size)
                if row.series == one and (number := number_in(table.rows[row.place][place])) is not None
            ]
            points = tuple(ScalePoint(name=row.name, x=row.size, value=number) for row, number in found)
            if points:
                curve = _tested(points, is_log=log, items=None)
                curves.append(
                    msgspec.structs.replace(curve, headline=name, series=one, not_paired="published numbers alone")
                )
    label = "size in the name" if pattern else column
    return _whole(label, table.source, curves, {"no size": left}, is_log=log, notes=(NO_INTERVALS,))


def _whole(
    x: str,
    source: str,
    curves: Sequence[ScaleCurve],
    left: Mapping[str, tuple[str, ...]],
    *,
    is_log: bool,
    notes: tuple[str, ...] = (),
) -> Scaling:
    return Scaling(
        x=x,
        is_log=is_log,
        source=source,
        curves=_adjusted(curves),
        pooled=_pooled(curves),
        left_out={why: names for why, names in left.items() if names},
        notes=notes,
    )


def _adjusted(curves: Sequence[ScaleCurve]) -> tuple[ScaleCurve, ...]:
    """Chances adjusted among all tasks, and apart from these among all means, which are made of them."""
    chances: dict[int, float] = {}
    for is_mean in (True, False):
        places = [place for place, one in enumerate(curves) if one.is_mean == is_mean and one.p_value is not None]
        found = holm([p for place in places if (p := curves[place].p_value) is not None])
        chances |= dict(zip(places, found, strict=True))
    return tuple(msgspec.structs.replace(one, p_adjusted=chances.get(place)) for place, one in enumerate(curves))


def _pooled(curves: Sequence[ScaleCurve]) -> tuple[Pooled, ...]:
    """Over all series of a headline, where two or more have points to compare."""
    by_headline: dict[str, list[ScaleCurve]] = {}
    for one in curves:
        if len({point.x for point in one.points}) > 1:
            by_headline.setdefault(one.headline, []).append(one)
    found = []
    for headline, members in by_headline.items():
        test = order_test([([p.x for p in one.points], [p.value for p in one.points]) for one in members])
        if len(members) > 1 and test is not None:
            found.append(Pooled(headline=headline, num_series=len(members), order=test))
    chances = holm([one.order.p_value for one in found])
    return tuple(msgspec.structs.replace(one, p_adjusted=p) for one, p in zip(found, chances, strict=True))
