"""What analyses of sweeps find, as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from evalsuite.sweeps.pareto import Pareto, ParetoFront, ParetoPoint
from evalsuite.sweeps.quantisation import Against, Changed, Footprint, Quantisation, Share
from evalsuite.sweeps.scaling import BASES, Pooled, ScaleCurve, ScalePoint, Scaling
from evalsuite.sweeps.sizes import size_text
from evalsuite.sweeps.spread import HeadlineSpread, RankChanges, Spread
from evalsuite.sweeps.tables import MISSING, Table, chance_text, decimals_of, number, with_interval

_SHOWN = 4


def scaling_table(found: Scaling) -> Table:
    """A row a curve: its first and last value, the slope of the test that counts, and the chances."""
    unit = "tenfold" if found.is_log else "unit"
    return Table(
        heads=("number", "series", "points", "first", "last", f"slope per {unit}", "test", "p", "p adj.",
               "p of order", "p of line"),
        rows=tuple(_curve_row(one) for one in found.curves if len(one.points) > 1),
        notes=tuple(_scaling_notes(found)),
        num_labels=2,
    )  # fmt: skip


def _curve_row(one: ScaleCurve) -> tuple[str, ...]:
    first, last = one.points[0], one.points[-1]
    slope, low, high = one.slope
    return (
        one.headline,
        one.series or MISSING,
        f"{len(one.points)}{'*' if any(point.is_marked for point in one.points) else ''}",
        *(f"{_point_text(point, one)} at {size_text(point.x)}" for point in (first, last)),
        _slope_text(slope, low, high, one),
        one.basis,
        chance_text(one.p_value),
        chance_text(one.p_adjusted),
        chance_text(one.order.p_value if one.order else None),
        chance_text(one.line.p_value),
    )


def _point_text(point: ScalePoint, one: ScaleCurve) -> str:
    """With its interval; as the source wrote it where there is none."""
    if point.low is None:
        return f"{point.value * one.scale:.4g}"
    return with_interval(point.value, point.low, point.high, one.scale)


def _slope_text(slope: float | None, low: float | None, high: float | None, one: ScaleCurve) -> str:
    if slope is None:
        return MISSING
    if low is None or high is None:
        return f"{slope * one.scale:+.3g}"
    return with_interval(slope, low, high, one.scale, is_signed=True)


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


def quantisation_table(found: Quantisation) -> Table:
    """A row for every cell and number: both values, difference, flips, other answers, memory and speed."""
    heads = (found.key, "number", "all else", "n", f"{found.reference}", "here", "difference", "p", "p adj.",
             "flips", "other answers", "weights", "peak memory", "time", "tokens/s")  # fmt: skip
    rows = [row for one in found.pairs for row in _against_rows(one)]
    notes = [
        f"Differences are from {found.key}={found.reference}, item by item, with 95 % intervals; p adj. allows for all "
        "tasks, and for all means, together (Holm).",
        "flips: share of right/wrong items right in one of the two alone; other answers: share whose stored answers "
        "differ at all.",
        "Memory, time and speed: here, and in brackets as a share of the reference's; measured once. Peak memory is a "
        "GPU's allocator's, or the whole process's on a CPU; time includes loading.",
        *(f"Not comparable, {one.cell}: {refusal.task} {refusal.metric}: {'; '.join(refusal.reasons)}."
          for one in found.pairs for refusal in one.refused),
        *([f"Left out, no results or no reference: {', '.join(found.left_out)}."] if found.left_out else []),
        *(["* one of the two runs is not complete."] if any(one.is_marked for one in found.pairs) else []),
    ]  # fmt: skip
    return Table(heads=heads, rows=tuple(rows), notes=tuple(notes), num_labels=3)


def _against_rows(one: Against) -> Iterator[tuple[str, ...]]:
    here, there = one.footprint, one.reference_footprint
    costs = (
        _cost(here.weights_bytes, there.weights_bytes, _bytes),
        _cost(_peak(here), _peak(there), _bytes),
        _cost(here.seconds, there.seconds, lambda value: f"{value:.1f} s"),
        _cost(here.tokens_per_second, there.tokens_per_second, lambda value: f"{value:.0f}"),
    )
    for place, changed in enumerate(one.changes):
        yield (
            one.value + ("*" if one.is_marked else ""),
            changed.difference.name if changed.difference.kind != "task" else _task_name(changed),
            one.series or MISSING,
            *_changed_cells(changed),
            *(costs if place == 0 else ("",) * len(costs)),
        )


def _task_name(changed: Changed) -> str:
    return f"{changed.difference.name} {changed.difference.metric}"


def _changed_cells(changed: Changed) -> tuple[str, ...]:
    one = changed.difference
    decimals = decimals_of(one.low, one.high, one.scale)
    return (
        str(one.n),
        number(one.baseline * one.scale, decimals),
        number(one.candidate * one.scale, decimals),
        with_interval(one.difference, one.low, one.high, one.scale, is_signed=True),
        chance_text(one.p_value),
        chance_text(one.p_adjusted),
        _share(changed.flips),
        _share(changed.other_answers),
    )


def _share(found: Share | None) -> str:
    return MISSING if found is None else with_interval(found.value, found.low, found.high, 100.0) + " %"


def _peak(footprint: Footprint) -> float | None:
    """A GPU's where there is one, else the process's."""
    on_gpu = footprint.peak_device_bytes
    return footprint.peak_resident_bytes if on_gpu is None else on_gpu


def _bytes(value: float) -> str:
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def _cost(here: float | None, there: float | None, text: Callable[[float], str]) -> str:
    if here is None:
        return MISSING
    return f"{text(here)} ({here / there:.0%})" if there else text(here)


def spread_table(found: Spread) -> Table:
    """A row for every headline and all else: mean, lowest, highest, spread and its part that is items' luck."""
    heads = ("number", "all else", "settings", "n", "mean", "lowest", "highest", "range [95 %]", "sd", "of items",
             "of settings", "p alike", "p adj.")  # fmt: skip
    notes = [
        f"Over {found.key}. sd is the standard deviation over settings as seen; of items is what answering these items "
        "alone would give it were all settings alike; of settings is what is left.",
        "p alike is the chance of a range as wide were all settings alike; p adj. allows for all tasks, and for all "
        "means, together (Holm). The range's interval comes from drawing clusters of items anew.",
        *(f"{one.headline} {one.series}: items not shared, {one.not_paired}." for one in found.spreads
          if one.not_paired),
        *map(_ranking_note, found.rankings),
        *([f"Left out, no results: {', '.join(found.left_out)}."] if found.left_out else []),
        *(["* a run that is not complete is among them."] if _any_marked(found) else []),
    ]  # fmt: skip
    return Table(heads=heads, rows=tuple(map(_spread_row, found.spreads)), notes=tuple(notes), num_labels=2)


def _any_marked(found: Spread) -> bool:
    return any(value.is_marked for one in found.spreads for value in one.values)


def _spread_row(one: HeadlineSpread) -> tuple[str, ...]:
    values = [value.value for value in one.values]
    lowest, highest = (choose(one.values, key=lambda value: value.value) for choose in (min, max))
    marked = "*" if any(value.is_marked for value in one.values) else ""
    spread = one.spread
    decimals = 2 if one.scale == 100.0 else 3

    def shown(value: float | None) -> str:
        return MISSING if value is None else number(value * one.scale, decimals)

    return (
        one.headline,
        one.series or MISSING,
        f"{len(values)}{marked}",
        MISSING if one.n is None else str(one.n),
        shown(sum(values) / len(values)),
        f"{shown(lowest.value)} at {lowest.setting}",
        f"{shown(highest.value)} at {highest.setting}",
        shown(highest.value - lowest.value) if spread is None else with_interval(
            spread.range, spread.range_low, spread.range_high, one.scale),
        MISSING if spread is None else shown(spread.sd),
        MISSING if spread is None else shown(spread.sd_sampling),
        MISSING if spread is None else shown(spread.sd_settings),
        chance_text(None if spread is None else spread.p_alike),
        chance_text(one.p_adjusted),
    )  # fmt: skip


def _ranking_note(one: RankChanges) -> str:
    text = (
        f"{one.headline}: the order {' > '.join(one.ranked)} changes in {one.num_changed} of {one.num_settings} "
        f"settings"
    )
    pairs = [f"{first} and {second}" for first, second in one.reversed_pairs]
    more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    return f"{text}; {'; '.join(pairs[:_SHOWN])}{more} change places." if pairs else f"{text}."


def pareto_table(found: Pareto) -> Table:
    """A row for every headline and cell, by what the cell takes."""
    heads = ("number", "cell", found.against, "quality", "standing", "beaten by", "lead", "p adj.")
    rows = [_pareto_row(one, point) for one in found.fronts for point in one.points]
    better = "less" if found.fronts and found.fronts[0].less_is_better else "more"
    notes = [
        f"The front by the values as seen: no other cell has {better} {found.against} and as much quality. Behind: a "
        "cell of the front that takes no more is better item by item (p adj. below .05, Holm).",
        "What a cell takes was measured once, without an interval.",
        *([f"Left out, no results or no {found.against}: {', '.join(found.left_out)}."] if found.left_out else []),
        *(["* the run is not complete."] if any(p.is_marked for one in found.fronts for p in one.points) else []),
    ]  # fmt: skip
    return Table(heads=heads, rows=tuple(rows), notes=tuple(notes), num_labels=2)


def _pareto_row(one: ParetoFront, point: ParetoPoint) -> tuple[str, ...]:
    return (
        one.headline,
        point.cell + ("*" if point.is_marked else ""),
        _bytes(point.cost) if one.against.endswith("_bytes") else f"{point.cost:.4g}",
        with_interval(point.value, point.low, point.high, one.scale),
        point.standing,
        point.beaten_by or MISSING,
        with_interval(point.gain, point.gain_low, point.gain_high, one.scale, is_signed=True),
        chance_text(point.p_adjusted),
    )
