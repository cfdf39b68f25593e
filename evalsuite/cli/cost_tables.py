"""What cells take and what that buys, as tables: number formats against a reference, quality against a cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from evalsuite.cli.analysis_tables import chance
from evalsuite.sweeps.names import label_of
from evalsuite.sweeps.pareto import PART_NOTE, Pareto, ParetoFront, ParetoPoint
from evalsuite.sweeps.quantisation import Against, Changed, Footprint, Quantisation, Share
from evalsuite.tables import Cell, Shown, Table, rounded, shown
from evalsuite.text.number_texts import bytes_text, decimals_of


def quantisation_table(found: Quantisation) -> Table:
    """A row for every cell and number: both values, difference, flips, other answers, memory and speed."""
    heads = (found.key, "number", "all else", "n", label_of(found.reference), "here", "difference", "p", "p adj.",
             "flips", "other answers", "weights", "peak memory", "time", "tokens/s")  # fmt: skip
    is_part = any(_is_part(one) for one in found.pairs)
    rows = [row for one in found.pairs for row in _against_rows(one)]
    notes = [
        f"Differences are from {found.key}={label_of(found.reference)}, item by item, with 95 % intervals; p adj. "
        "allows for all tasks, and for all means, together (Holm).",
        "flips: share of right/wrong items right in one of the two alone; other answers: share whose stored answers "
        "differ at all.",
        "Memory, time and speed: here, and in brackets as a share of the reference's; measured once. Peak memory is a "
        "GPU's allocator's, or the whole process's on a CPU; time includes loading.",
        *(f"Not comparable, {one.cell}: {refusal.task} {refusal.metric}: {'; '.join(refusal.reasons)}."
          for one in found.pairs for refusal in one.refused),
        *(f"Only in the reference of {one.cell}: {', '.join(one.missing)}." for one in found.pairs if one.missing),
        *([f"Left out, no results or no reference: {', '.join(found.left_out)}."] if found.left_out else []),
        *(["* one of the two runs is not complete."] if any(one.is_marked for one in found.pairs) else []),
        *(["† time, speed and peak memory of one of the two runs were measured over a part of it, since a cache gave "
           "answers or an earlier process did; they are not held against the reference's."] if is_part else []),
    ]  # fmt: skip
    return Table(heads=heads, rows=tuple(rows), notes=tuple(notes), num_labels=3)


def _is_part(one: Against) -> bool:
    return bool(one.footprint.part or one.reference_footprint.part)


def _against_rows(one: Against) -> Iterator[tuple[Cell, ...]]:
    here, there = one.footprint, one.reference_footprint
    is_part = _is_part(one)
    costs: tuple[Cell, ...] = (
        _cost(here.weights_bytes, there.weights_bytes, bytes_text),
        _cost(_peak(here), None if is_part else _peak(there), bytes_text),
        _cost(here.seconds, None if is_part else there.seconds, lambda value: f"{value:.1f} s"),
        _cost(here.tokens_per_second, None if is_part else there.tokens_per_second, lambda value: f"{value:.0f}"),
    )
    for place, changed in enumerate(one.changes):
        yield (
            one.value + ("*" if one.is_marked else "") + ("†" if is_part else ""),
            changed.difference.name if changed.difference.kind != "task" else _task_name(changed),
            one.series or None,
            *_changed_cells(changed),
            *(costs if place == 0 else (Shown("", None),) * len(costs)),
        )


def _task_name(changed: Changed) -> str:
    return f"{changed.difference.name} {changed.difference.metric}"


def _changed_cells(changed: Changed) -> tuple[Cell, ...]:
    one = changed.difference
    decimals = decimals_of(one.low, one.high, one.scale)
    return (
        one.n,
        rounded(one.baseline, decimals, one.scale),
        rounded(one.candidate, decimals, one.scale),
        shown(one.difference, one.low, one.high, one.scale, is_signed=True),
        chance(one.p_value),
        chance(one.p_adjusted),
        _share(changed.flips),
        _share(changed.other_answers),
    )


def _share(found: Share | None) -> Shown | None:
    if found is None:
        return None
    one = shown(found.value, found.low, found.high, 100.0)
    return Shown(f"{one.text} %", one.value, one.low, one.high)


def _peak(footprint: Footprint) -> float | None:
    """A GPU's where there is one, else the process's."""
    on_gpu = footprint.peak_device_bytes
    return footprint.peak_resident_bytes if on_gpu is None else on_gpu


def _cost(here: float | None, there: float | None, text: Callable[[float], str]) -> Shown | None:
    """With the share of the reference's where that is known."""
    if here is None:
        return None
    return Shown(f"{text(here)} ({here / there:.0%})" if there else text(here), here)


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
        *_part_notes(found),
    ]  # fmt: skip
    return Table(heads=heads, rows=tuple(rows), notes=tuple(notes), num_labels=2)


def _part_notes(found: Pareto) -> list[str]:
    cells = {point.cell: point.part for one in found.fronts for point in one.points if point.part}
    return [f"† {PART_NOTE} {', '.join(f'{cell}: {part}' for cell, part in cells.items())}."] if cells else []


def _pareto_row(one: ParetoFront, point: ParetoPoint) -> tuple[Cell, ...]:
    cost = bytes_text(point.cost) if one.against.endswith("_bytes") else f"{point.cost:.4g}"
    return (
        one.headline,
        point.cell + ("*" if point.is_marked else "") + ("†" if point.part else ""),
        Shown(cost, point.cost),
        shown(point.value, point.low, point.high, one.scale),
        point.standing,
        point.beaten_by or None,
        shown(point.gain, point.gain_low, point.gain_high, one.scale, is_signed=True),
        chance(point.p_adjusted),
    )
