"""How numbers and untrusted words are written on the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evalsuite.records import Aggregate, Estimate
from evalsuite.text.language_names import LANGUAGES, UNDETERMINED
from evalsuite.text.visible import visible as visible
from evalsuite.types import Scalar

Measure = Estimate | Aggregate
Bounds = tuple[float, float]
PLAIN_SIGNATURE = "v1"
"""The signature of metrics that need none; it is not shown."""

_WIDTH, _PAD = 96.0, 4.0
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Whisker:
    """An interval drawn on an axis `_WIDTH` wide, as SVG coordinates; the outer pair bounds the unscored samples."""

    at: str
    low: str | None = None
    high: str | None = None
    worst: str | None = None
    best: str | None = None


@dataclass(frozen=True)
class Cell:
    """A number with what is needed to read it. `value` is empty when all samples of a task went without a score."""

    value: str = ""
    interval: str = ""
    n: str = ""
    whisker: Whisker | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def number(value: float, decimals: int) -> str:
    """`value` for people: a real minus sign, and no minus before zero."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0.0:
        return text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")


def decimals_of(measure: Measure) -> int:
    """One decimal, or two where the interval's half-width is below half a shown unit; of small scales one more."""
    if measure.low is None or measure.high is None:
        return 1 if measure.scale == 100.0 else 2
    half = (measure.high - measure.low) / 2 * measure.scale
    return 1 if half >= 0.5 else 2 if half >= 0.05 or measure.scale == 100.0 else 3


def interval_text(measure: Measure) -> str:
    """``21.9 – 61.3``, or why there is none."""
    if measure.low is None or measure.high is None:
        return "no interval"
    decimals = decimals_of(measure)
    low, high = (number(bound * measure.scale, decimals) for bound in (measure.low, measure.high))
    return f"{low} – {high}"


def n_text(measure: Measure) -> str:
    """``n 60``, with the number of clusters where samples are fewer facts than they seem."""
    if measure.num_clusters == measure.n:
        return f"n {measure.n}"
    return f"n {measure.n} in {plural(measure.num_clusters, 'cluster')}"


def plural(count: int, noun: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def axis_of(measures: Iterable[Measure]) -> Bounds:
    """The axis that `measures` share: 0 to 100 for percentages, else from 0 (or below) to a round number."""
    shown = list(measures)
    if all(measure.scale == 100.0 for measure in shown):
        return 0.0, 100.0
    lows = [(measure.value if measure.low is None else measure.low) * measure.scale for measure in shown]
    highs = [(measure.value if measure.high is None else measure.high) * measure.scale for measure in shown]
    return -_round_up(-min(lows)), _round_up(max(highs)) or 1.0


def axis_text(axis: Bounds) -> str:
    """``0 to 100``."""
    low, high = (number(bound, 0 if bound == int(bound) else 2) for bound in axis)
    return f"{low} to {high}"


def _round_up(value: float) -> float:
    if value <= 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(value))
    return next(step * unit for step in _NICE if step * unit >= value * (1 - 1e-9))


def bounds_of(measure: Measure) -> Bounds | None:
    """Worst and best case of `measure`, or None where unknown."""
    if measure.worst_case is None or measure.best_case is None:
        return None
    return measure.worst_case, measure.best_case


def whisker_of(measure: Measure, axis: Bounds) -> Whisker:
    """`measure` on `axis`."""

    def place(value: float | None) -> str | None:
        if value is None:
            return None
        share = (value * measure.scale - axis[0]) / (axis[1] - axis[0])
        return f"{_PAD + (_WIDTH - 2 * _PAD) * min(1.0, max(0.0, share)):.1f}"

    ends = (place(measure.low), place(measure.high), place(measure.worst_case), place(measure.best_case))
    return Whisker(place(measure.value) or "", *ends)


def cell_of(measure: Measure, axis: Bounds, notes: tuple[str, ...], warnings: tuple[str, ...]) -> Cell:
    """The cell of `measure`; unscored samples are a warning with the worst and best case they leave open."""
    unscored = (unscored_text(measure),) if measure.num_unscored else ()
    return Cell(
        value=number(measure.value * measure.scale, decimals_of(measure)),
        interval=interval_text(measure),
        n=n_text(measure),
        whisker=whisker_of(measure, axis),
        notes=notes,
        warnings=(*unscored, *warnings),
    )


def chance_text(measures: Iterable[Measure]) -> str:
    """``chance 25.0``, as a range where runs on other samples have another; empty where it is unknown."""
    levels = sorted({number(m.chance * m.scale, 1) for m in measures if m.chance is not None}, key=float)
    return f"chance {' – '.join(dict.fromkeys((levels[0], levels[-1])))}" if levels else ""


def direction_text(measure: Measure) -> str:
    """Which way is better."""
    return "higher is better" if measure.higher_is_better else "lower is better"


def unscored_text(measure: Measure) -> str:
    """``3 unscored: 12.0 worst, 45.0 best case``."""
    counted = f"{measure.num_unscored} unscored"
    bounds = bounds_of(measure)
    if bounds is None:
        return f"{counted}: worst and best case unknown"
    worst, best = (number(bound * measure.scale, decimals_of(measure)) for bound in bounds)
    return f"{counted}: {worst} worst, {best} best case"


def causes_text(causes: Mapping[str, int]) -> str:
    """``missing_response 3, timeout 1``."""
    return ", ".join(f"{visible(cause)} {count}" for cause, count in sorted(causes.items()))


def pairs_text(pairs: Mapping[str, Scalar]) -> str:
    """``temperature=0.7, top_p=0.9``."""
    return ", ".join(f"{visible(key)}={visible(scalar_text(value))}" for key, value in sorted(pairs.items()))


def scalar_text(value: Scalar) -> str:
    """A value as the command line takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def language_rank(code: str) -> tuple[int, str]:
    """Where a language stands among the others."""
    known = list(LANGUAGES)
    return (known.index(code) if code in known else len(known), code)


def task_label(task: str, family: str, language: str) -> str:
    """What a task is called within its family: its suffix, or its language when it has none."""
    return visible(_suffix(task, family, language))


def _suffix(task: str, family: str, language: str) -> str:
    """The part of a task's name that its family's lacks; of members with other names than their family's (okapi) the
    language, with the category where one was asked for. Where no language is said, the whole name.
    """
    if language == UNDETERMINED:
        return task
    if task.startswith(family):
        return task.removeprefix(family).lstrip("_:") or language
    category = task.partition(":")[2]
    return f"{language}:{category}" if category else language


def task_rank(task: str, family: str, language: str) -> tuple[tuple[int, str], ...]:
    """Where a task stands within its family: by language, translation pairs by source and then target."""
    suffix = _suffix(task, family, language)
    return tuple(language_rank(part) for part in suffix.split("-"))
