"""What a sweep and its scaling and spread show, as tables; `cost_tables` has what cells take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.sweeps.names import label_of
from evalsuite.sweeps.reading import Headline, Sweep, Value, settings_text, values_of, varied_keys
from evalsuite.sweeps.scaling import BASES, Pooled, ScaleCurve, ScalePoint, Scaling
from evalsuite.sweeps.sizes import size_text
from evalsuite.sweeps.spread import HeadlineSpread, RankChanges, Spread
from evalsuite.tables import Cell, Shown, Table, rounded, shown
from evalsuite.text.number_texts import MISSING, chance_text, number

_SHOWN = 4


def chance(value: float | None) -> Shown:
    """A p-value."""
    return Shown(chance_text(value), value)


def counted(number: int, *, is_marked: bool) -> Cell:
    """A count, with a star where a run behind it is not complete."""
    return f"{number}*" if is_marked else number


# -- the sweep itself


def sweep_table(sweep: Sweep, headlines: Sequence[Headline]) -> Table:
    """A row a cell, a column for every setting that varies and every headline, each value with its interval."""
    keys = varied_keys(sweep)
    rows: list[tuple[Cell, ...]] = []
    for one in sweep.cells:
        values = values_of(one)
        name = one.cell.name + ("*" if one.is_marked else "") + ("°" if one.is_partial else "")
        settings = [label_of(one.cell.settings[key]) if key in one.cell.settings else None for key in keys]
        rows.append((name, *settings, *(_of_value(values.get(headline)) for headline in headlines)))
    return Table(
        heads=("cell", *keys, *(headline.label for headline in headlines)),
        rows=tuple(rows),
        notes=_sweep_notes(sweep, keys),
        num_labels=1 + len(keys),
    )


def _of_value(value: Value | None) -> Shown | None:
    if value is None:
        return None
    found = shown(value.value, value.low, value.high, value.scale)
    unscored = f" ({value.num_unscored} unscored)" if value.num_unscored else ""
    return Shown(found.text + unscored, found.value, found.low, found.high)


def _sweep_notes(sweep: Sweep, keys: Sequence[str]) -> tuple[str, ...]:
    same = settings_text(
        [(key, value) for key, value in sweep.cells[0].cell.settings.items() if key not in keys],
        [key for key in sweep.keys if key not in keys],
    )
    others: dict[str, list[str]] = {}
    for one in sweep.cells:
        if one.is_marked:
            others.setdefault(one.status, []).append(one.cell.name)
    found = [f"In all cells: {same}." if same else "", "Values with their 95 % intervals."]
    found += [f"* {status}: {', '.join(names)}." for status, names in others.items()]
    if any(one.is_partial for one in sweep.cells):
        found.append("° a sample of the task's items.")
    return tuple(filter(None, found))


# -- scaling


def scaling_table(found: Scaling) -> Table:
    """A row a curve: its first and last value, the slope of the test that counts, and the chances."""
    unit = "tenfold" if found.is_log else "unit"
    return Table(
        heads=("number", "series", "points", "from", "first", "to", "last", f"slope per {unit}", "test", "p", "p adj.",
               "p of order", "p of line"),
        rows=tuple(_curve_row(one) for one in found.curves if len(one.points) > 1),
        notes=tuple(_scaling_notes(found)),
        num_labels=2,
    )  # fmt: skip


def _curve_row(one: ScaleCurve) -> tuple[Cell, ...]:
    first, last = one.points[0], one.points[-1]
    slope, low, high = one.slope
    return (
        one.headline,
        one.series or None,
        counted(len(one.points), is_marked=any(point.is_marked for point in one.points)),
        Shown(size_text(first.x), first.x),
        _of_point(first, one),
        Shown(size_text(last.x), last.x),
        _of_point(last, one),
        _of_slope(slope, low, high, one),
        one.basis,
        chance(one.p_value),
        chance(one.p_adjusted),
        chance(one.order.p_value if one.order else None),
        chance(one.line.p_value),
    )


def _of_point(point: ScalePoint, one: ScaleCurve) -> Shown:
    """With its interval; as the source wrote it where there is none."""
    if point.low is None:
        return Shown(f"{point.value * one.scale:.4g}", point.value * one.scale)
    return shown(point.value, point.low, point.high, one.scale)


def _of_slope(slope: float | None, low: float | None, high: float | None, one: ScaleCurve) -> Shown:
    if slope is not None and (low is None or high is None):
        return Shown(f"{slope * one.scale:+.3g}", slope * one.scale)
    return shown(slope, low, high, one.scale, is_signed=True)


def _scaling_notes(found: Scaling) -> Iterator[str]:
    yield from found.notes
    together = "all rows together" if found.notes else "all tasks, and for all means, together"
    yield f"p is the chance of a trend as strong, either way, were there none, by the test named; p adj. allows for " \
          f"{together} (Holm)."  # fmt: skip
    if alone := list(dict.fromkeys(one.series for one in found.curves if len(one.points) == 1)):
        yield f"One point alone, drawn without a trend: {', '.join(name or MISSING for name in alone)}."
    for basis in dict.fromkeys(one.basis for one in found.curves if len(one.points) > 1):
        yield f"{BASES[basis]}."
    for why in dict.fromkeys(one.not_paired for one in found.curves if one.not_paired and not found.notes):
        yield f"Items were not followed in {', '.join(_named(found, why))}: {why}."
    for one in found.curves:
        if one.line.p_misfit is not None and one.line.p_misfit < 0.05:
            yield f"{one.headline} {one.series}: not straight, points lie further off a line than their errors say " \
                  f"(p {chance_text(one.line.p_misfit)})."  # fmt: skip
        if one.num_left_out:
            yield f"{one.headline} {one.series}: {one.num_left_out} items without a score somewhere are left out."
    least = [one.order.least_p for one in found.curves if one.order]
    if least and min(least) > 0.05:
        yield f"Points alone cannot show a trend here: with so few the order test's p is {min(least):.2f} at least."
    yield from map(_pooled_note, found.pooled)
    for why, names in found.left_out.items():
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"Left out, {why}: {', '.join(names[:_SHOWN])}{more}."
    if any(point.is_marked for one in found.curves for point in one.points):
        yield "* a run that is not complete is among the points."


def _named(found: Scaling, why: str) -> list[str]:
    names = list(dict.fromkeys(f"{one.headline} {one.series}".strip() for one in found.curves if one.not_paired == why))
    return names if len(names) <= _SHOWN else [*names[:_SHOWN], f"{len(names) - _SHOWN} more"]


def _pooled_note(one: Pooled) -> str:
    return (
        f"{one.headline}, all {one.num_series} series together: tau {number(one.order.tau, 2)}, order test p "
        f"{chance_text(one.order.p_value)} (Holm {chance_text(one.p_adjusted)}; at least {one.order.least_p:.3f})."
    )


# -- spread


def spread_table(found: Spread) -> Table:
    """A row for every headline and all else: mean, lowest, highest, spread and its part that is items' luck."""
    heads = ("number", "all else", "settings", "n", "mean", "lowest", "lowest at", "highest",
             "highest at", "range", "sd", "of items",
             "of settings", "p alike", "p adj.")  # fmt: skip
    notes = [
        f"Over {found.key}. sd is the standard deviation over settings as seen; of items is what answering these items "
        "alone would give it were all settings alike; of settings is what is left.",
        "p alike is the chance of a range as wide were all settings alike; p adj. allows for all tasks, and for all "
        "means, together (Holm). The range's 95 % interval comes from drawing clusters of items anew.",
        *(f"{one.headline} {one.series}: items not shared, {one.not_paired}." for one in found.spreads
          if one.not_paired),
        *map(_ranking_note, found.rankings),
        *([f"Left out, no results: {', '.join(found.left_out)}."] if found.left_out else []),
        *(["* a run that is not complete is among them."] if _any_marked(found) else []),
    ]  # fmt: skip
    return Table(heads=heads, rows=tuple(map(_spread_row, found.spreads)), notes=tuple(notes), num_labels=2)


def _any_marked(found: Spread) -> bool:
    return any(value.is_marked for one in found.spreads for value in one.values)


def _spread_row(one: HeadlineSpread) -> tuple[Cell, ...]:
    values = [value.value for value in one.values]
    lowest, highest = (choose(one.values, key=lambda value: value.value) for choose in (min, max))
    spread = one.spread
    decimals = 2 if one.scale == 100.0 else 3

    def of(value: float | None) -> Shown:
        return rounded(value, decimals, one.scale)

    return (
        one.headline,
        one.series or None,
        counted(len(values), is_marked=any(value.is_marked for value in one.values)),
        one.n,
        of(sum(values) / len(values)),
        of(lowest.value),
        lowest.setting,
        of(highest.value),
        highest.setting,
        of(highest.value - lowest.value) if spread is None
        else shown(spread.range, spread.range_low, spread.range_high, one.scale),
        of(spread.sd if spread else None),
        of(spread.sd_sampling if spread else None),
        of(spread.sd_settings if spread else None),
        chance(spread.p_alike if spread else None),
        chance(one.p_adjusted),
    )  # fmt: skip


def _ranking_note(one: RankChanges) -> str:
    text = (
        f"{one.headline}: the order {' > '.join(one.ranked)} changes in {one.num_changed} of {one.num_settings} "
        f"settings"
    )
    pairs = [f"{first} and {second}" for first, second in one.reversed_pairs]
    more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    return f"{text}; {'; '.join(pairs[:_SHOWN])}{more} change places." if pairs else f"{text}."
