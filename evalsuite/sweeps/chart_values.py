"""What analyses of sweeps find, as charts. Numbers in the unit they are shown in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from evalsuite.charts import Chart, ChartPoint, ChartSeries, Panel
from evalsuite.sweeps.names import label_of
from evalsuite.sweeps.pareto import MORE_IS_BETTER, PART_NOTE, Pareto, ParetoFront, ParetoPoint, Standing
from evalsuite.sweeps.published import NO_INTERVALS, Published, number_in
from evalsuite.sweeps.quantisation import Quantisation
from evalsuite.sweeps.reading import CellRun, Headline, Sweep, values_of
from evalsuite.sweeps.scaling import ScaleCurve, Scaling
from evalsuite.sweeps.spread import HeadlineSpread, Spread
from evalsuite.tables import Table, cell_text
from evalsuite.text.number_texts import chance_text

_MARKED = "Hollow: the run is not complete."
_OWN_SCALES = "Each panel has a scale of its own."
_INTERVALS = "Bars are 95 % intervals."


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _unit(scale: float) -> str:
    return "percent" if scale == 100.0 else ""


def of_sweep(sweep: Sweep, headlines: Sequence[Headline]) -> Chart:
    """Every cell's value of every headline, a panel a headline, a row a cell."""
    rows = tuple(one.cell.name for one in sweep.cells)
    panels = [_cells_panel(sweep.cells, headline, rows) for headline in headlines]
    missing = sum(headline not in values_of(one) for one in sweep.cells for headline in headlines)
    notes = [_INTERVALS]
    if any(one.is_marked and one.result is not None for one in sweep.cells):
        notes.append(_MARKED)
    if missing:
        notes.append(f"{missing} values are missing and not drawn.")
    return Chart(title=sweep.name, notes=tuple(notes), panels=tuple(panels))


def _cells_panel(cells: Sequence[CellRun], headline: Headline, rows: tuple[str, ...]) -> Panel:
    points = []
    scale, level = 1.0, None
    for place, one in enumerate(cells):
        value = values_of(one).get(headline)
        if value is None:
            continue
        scale, level = value.scale, value.chance
        points.append(
            ChartPoint(
                x=value.value * scale, y=float(place), low=_scaled(value.low, scale), high=_scaled(value.high, scale),
                is_marked=one.is_marked,
            )
        )  # fmt: skip
    return Panel(
        title=headline.label, series=(ChartSeries(name="", points=tuple(points), join="none"),), rows=rows,
        x_label=_unit(scale), level=_scaled(level, scale), level_name="guessing",
    )  # fmt: skip


def of_published(table: Published, shown: Table) -> Chart:
    """Published numbers, a panel a column, a row a model."""
    rows = tuple(" ".join(map(cell_text, row[: shown.num_labels])) for row in shown.rows)
    panels = []
    for column in shown.heads[shown.num_labels :]:
        place = table.place(column, "--columns")
        numbers = [number_in(row[place]) for row in table.rows]
        points = [ChartPoint(x=x, y=float(row)) for row, x in enumerate(numbers) if x is not None]
        panels.append(Panel(title=column, series=(ChartSeries(name="", points=tuple(points), join="none"),), rows=rows))
    missing = sum(len(rows) - len(panel.series[0].points) for panel in panels)
    notes = (NO_INTERVALS, *([f"{missing} values are missing and not drawn."] if missing else []), _OWN_SCALES)
    return Chart(title=table.source, notes=notes, panels=tuple(panels))


def of_scaling(found: Scaling) -> Chart:
    """A panel a headline, a line for every series."""
    by_headline: dict[str, list[ScaleCurve]] = {}
    for one in found.curves:
        by_headline.setdefault(one.headline, []).append(one)
    curves = [one for members in by_headline.values() for one in members]
    has_intervals = any(point.low is not None for one in curves for point in one.points)
    is_marked = any(point.is_marked for one in curves for point in one.points)
    notes = [*found.notes, *([_INTERVALS] if has_intervals else []), *([_MARKED] if is_marked else []), _OWN_SCALES]
    return Chart(
        title=f"{found.source}: over {found.x}",
        notes=tuple(notes),
        panels=tuple(_scaling_panel(found, headline, members) for headline, members in by_headline.items()),
    )


def _scaling_panel(found: Scaling, headline: str, members: Sequence[ScaleCurve]) -> Panel:
    first = members[0]
    tests = [f"trend: p {chance_text(one.p_value)}" for one in members if one.p_value is not None]
    pooled = next((one.order.p_value for one in found.pooled if one.headline == headline), None)
    note = tests[0] if len(tests) == 1 else "" if pooled is None else f"order, all series: p {chance_text(pooled)}"
    series = [
        ChartSeries(
            name=one.series,
            points=tuple(
                ChartPoint(
                    x=point.x, y=point.value * one.scale, low=_scaled(point.low, one.scale),
                    high=_scaled(point.high, one.scale), is_marked=point.is_marked,
                )
                for point in one.points
            ),
        )
        for one in members
    ]  # fmt: skip
    return Panel(
        title=headline, series=tuple(series), x_label=found.x, y_label=_unit(first.scale), is_log=found.is_log,
        level=_scaled(first.chance, first.scale), level_name="guessing", note=note,
    )  # fmt: skip


def of_quantisation(found: Quantisation) -> Chart:
    """A panel a headline, a row for every cell: its difference from the reference."""
    by_headline: dict[str, list[tuple[str, ChartPoint]]] = {}
    for one in found.pairs:
        for changed in one.changes:
            difference = changed.difference
            name = difference.name if difference.kind != "task" else f"{difference.name} {difference.metric}"
            members = by_headline.setdefault(name, [])
            point = ChartPoint(
                x=difference.difference * difference.scale, y=float(len(members)),
                low=_scaled(difference.low, difference.scale), high=_scaled(difference.high, difference.scale),
                is_marked=one.is_marked,
            )  # fmt: skip
            members.append((f"{one.value} {one.series}".strip(), point))
    panels = [
        Panel(
            title=name, rows=tuple(label for label, _ in members), x_label="difference", level=0.0, level_name="",
            series=(ChartSeries(name="", points=tuple(point for _, point in members), join="none"),),
        )
        for name, members in by_headline.items()
    ]  # fmt: skip
    notes = ["Item by item on the same items, in the units of each number; bars are 95 % intervals."]
    notes += [_MARKED] if any(one.is_marked for one in found.pairs) else []
    title = f"Difference from {found.key}={label_of(found.reference)}"
    return Chart(title=title, notes=tuple(notes), panels=tuple(panels))


def of_spread(found: Spread) -> Chart:
    """A panel for every headline and all else, a row a setting."""
    notes = [_INTERVALS + " They hold for one setting each; the settings share their items, so that differences are "
             "surer than they look."]  # fmt: skip
    notes += [_MARKED] if any(value.is_marked for one in found.spreads for value in one.values) else []
    panels = tuple(map(_spread_panel, found.spreads))
    return Chart(title=f"Spread over {found.key}", notes=tuple(notes), panels=panels)


def _spread_panel(one: HeadlineSpread) -> Panel:
    points = [
        ChartPoint(
            x=value.value * one.scale, y=float(place), low=_scaled(value.low, one.scale),
            high=_scaled(value.high, one.scale), is_marked=value.is_marked,
        )
        for place, value in enumerate(one.values)
    ]  # fmt: skip
    mean = sum(value.value for value in one.values) / len(one.values)
    chance = one.spread.p_alike if one.spread else None
    return Panel(
        title=one.headline, rows=tuple(value.setting for value in one.values), x_label=_unit(one.scale),
        series=(ChartSeries(name=one.series, points=tuple(points), join="none"),), level=mean * one.scale,
        level_name="mean", note="" if chance is None else f"all alike: p {chance_text(chance)}",
    )  # fmt: skip


_LEGEND: Mapping[Standing, str] = {
    "front": "front",
    "not told from the front": "not told from the front",
    "behind": "behind",
    "not compared": "not compared: cached or resumed",
}
_PER_UNIT = {"weights_bytes": (1e9, "weights in GB"), "peak_device_bytes": (1e9, "peak GPU memory in GB"),
             "peak_resident_bytes": (1e9, "peak memory of the process in GB"), "seconds": (1.0, "seconds"),
             "tokens_per_second": (1.0, "tokens a second")}  # fmt: skip


def of_pareto(found: Pareto) -> Chart:
    """A panel a headline: all cells, the front joined by stairs, and apart from them those that are not compared."""
    points = [point for one in found.fronts for point in one.points]
    notes = [_INTERVALS + " The line is what the front reaches."]
    notes += [_MARKED] if any(point.is_marked for point in points) else []
    notes += [PART_NOTE] if any(point.part for point in points) else []
    title = f"Quality against {found.against}"
    return Chart(title=title, notes=tuple(notes), panels=tuple(map(_pareto_panel, found.fronts)))


def _pareto_panel(one: ParetoFront) -> Panel:
    unit, label = _PER_UNIT.get(one.against, (1.0, one.against))
    stairs: Literal["stairs", "stairs-back"] = "stairs" if one.less_is_better else "stairs-back"
    series = []
    for standing, name in _LEGEND.items():
        points = [point for point in one.points if point.standing == standing]
        if points:
            series.append(
                ChartSeries(
                    name=name,
                    points=tuple(_pareto_point(point, one.scale, unit) for point in points),
                    join=stairs if standing == "front" else "none",
                )
            )
    direction = "more is better" if one.against in MORE_IS_BETTER else "less is better"
    return Panel(
        title=one.headline, series=tuple(series), x_label=f"{label}, {direction}", y_label=_unit(one.scale),
    )  # fmt: skip


def _pareto_point(point: ParetoPoint, scale: float, unit: float) -> ChartPoint:
    return ChartPoint(
        x=point.cost / unit, y=point.value * scale, low=_scaled(point.low, scale), high=_scaled(point.high, scale),
        label=point.cell, is_marked=point.is_marked,
    )  # fmt: skip
