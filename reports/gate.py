"""The page of a gate: one HTML file without a script, which opens by double-click and asks nothing of any network.

Every gate with its interval against what is allowed, and of those that did not pass the samples that changed. All words
are escaped text; a content security policy allows the one style sheet by its hash, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from evalsuite.comparing.pairing import PairedTask, Pairing
from evalsuite.gates.records import GateReport, GateResult
from evalsuite.gates.telling import Numbers, headline, numbers_of, reason_of, standing_of, worst_first
from evalsuite.text.number_texts import PERCENT, number
from evalsuite.text.visible import visible

from ._changed import Change, changes_of
from ._pages import content_policy, environment, resource

MOST_SAMPLES = 200
"""Of all gates together."""

_WIDTH, _PAD = 200.0, 6.0
_LEADS = {
    "pass": "Every gate passed: a loss as large as is minded can be ruled out, and values keep to their limits.",
    "fail": "At least one gate failed: a loss that is real and as large as is minded, or a value beyond its limit.",
    "inconclusive": "No gate failed, but for some such a loss cannot be ruled out: the samples are too few.",
    "error": "At least one gate could not be evaluated; nothing is known about it.",
}
_PARTLY = "No gate fails that blocks; those that only warn or are waived are marked."


@dataclass(frozen=True)
class Drawing:
    """An interval on an axis as SVG coordinates; `zero` is where nothing changed, `limits` what is allowed.

    `words` say the axis, whose ends are in the unit that is shown.
    """

    at: str
    low: str | None
    high: str | None
    zero: str | None
    limits: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class GateView:
    """A gate's row, and what follows it: its changed samples. `anchor` is the id of the latter's heading."""

    name: str
    standing: str
    kind: str
    metric: str
    tasks: str
    line: int
    language: str
    numbers: Numbers
    drawing: Drawing | None
    why: str
    anchor: str
    changes: Changes | None


@dataclass(frozen=True)
class Changes:
    """The samples of a gate that changed: how many were lost and gained, and those that are shown, lost ones first."""

    counted: str
    shown: tuple[Change, ...]
    notes: tuple[str, ...]


def render(report: GateReport, pairing: Pairing) -> str:
    """The page of `report` on `pairing`; the same of these give the same text."""
    from markupsafe import Markup

    style = resource("page/style/core.css") + resource("gate.css")
    gates = _views(report, pairing)
    return (
        environment()
        .get_template("gate.html.j2")
        .render(
            title=f"evalsuite gate: {report.verdict}",
            policy=content_policy(style),
            style=Markup(style),  # noqa: S704  our own file
            headline=visible(headline(report)),
            lead=_lead(report),
            verdict=report.verdict,
            facts=_facts(report),
            gates=gates,
            changed=[gate for gate in gates if gate.changes],
            refused=[(visible(f"{one.task} {one.metric}".strip()), visible("; ".join(one.reasons)))
                     for one in report.refused],
            warnings=[visible(warning) for warning in report.warnings],
            most=MOST_SAMPLES,
        )
    )  # fmt: skip


def _lead(report: GateReport) -> str:
    is_partly = report.verdict == "pass" and any(standing_of(gate) != "passed" for gate in report.gates)
    return _PARTLY if is_partly else _LEADS[report.verdict]


def _facts(report: GateReport) -> list[tuple[str, str]]:
    sides = (("Baseline", report.baseline), ("Candidate", report.candidate))
    facts = [(title, visible(f"{side.label}, run {side.run_id}, {side.status}")) for title, side in sides]
    reason = [("The baseline's reason", visible(report.baseline_reason))] if report.baseline_reason else []
    corrected = f"{report.alpha:g}, adjusted by {report.correction.title()}" if report.correction != "none" else (
        f"{report.alpha:g} for each gate by itself")  # fmt: skip
    return [*facts, *reason, ("Rules", visible(report.file)), ("Error rate", corrected)]


def _views(report: GateReport, pairing: Pairing) -> list[GateView]:
    ordered = worst_first(report)
    axis = _axis([gate for _, gate in ordered])
    changing = [gate for _, gate in ordered if standing_of(gate) != "passed" and _paired(gate, pairing)]
    quota = MOST_SAMPLES // max(1, len(changing))
    return [
        GateView(
            name=visible(name),
            standing=standing_of(gate),
            kind=standing_of(gate).replace(" ", "-"),
            metric=visible(gate.metric),
            tasks=visible(", ".join(gate.tasks[:6]) + (f" and {len(gate.tasks) - 6} more" if gate.tasks[6:] else "")),
            line=gate.line,
            language=gate.language,
            numbers=numbers_of(gate),
            drawing=_drawing(gate, axis),
            why=visible(reason_of(gate)),
            anchor=f"gate-{index}",
            changes=_changes(gate, pairing, max(1, quota)) if gate in changing[:MOST_SAMPLES] else None,
        )
        for index, (name, gate) in enumerate(ordered, 1)
    ]


# -- drawings


def _axis(gates: Iterable[GateResult]) -> float:
    """How far the one axis of all differences of percentages reaches to either side of zero."""
    ends = [end for gate in gates if gate.difference and gate.difference.scale == PERCENT for end in _ends(gate)]
    return max([*ends, 0.01]) * 1.08


def _ends(gate: GateResult) -> list[float]:
    found = gate.difference
    assert found is not None
    return [abs(end) for end in (found.difference, found.low, found.high, gate.margin) if end is not None]


def _drawing(gate: GateResult, axis: float) -> Drawing | None:
    found, level = gate.difference, gate.level
    if found is not None:
        reach = axis if found.scale == PERCENT else max([*_ends(gate), 1e-9]) * 1.08
        margin = () if gate.margin is None else (-gate.margin if found.higher_is_better else gate.margin,)
        return _drawn(found.difference, found.low, found.high, margin, (-reach, reach), found.scale, has_zero=True)
    if level is not None and level.n != 0 and level.low is not None and level.high is not None:
        limits = tuple(limit for limit in (gate.at_least, gate.at_most) if limit is not None)
        ends = (level.low, level.high, *limits)
        room = max(max(ends) - min(ends), 1e-9) * 0.15
        span = (0.0, 1.0) if level.scale == PERCENT else (min(ends) - room, max(ends) + room)
        return _drawn(level.value, level.low, level.high, limits, span, level.scale, has_zero=False)
    return None


def _drawn(
    value: float, low: float | None, high: float | None, limits: Sequence[float], span: tuple[float, float],
    scale: float, *, has_zero: bool,
) -> Drawing:  # fmt: skip
    def place(at: float) -> str:
        share = min(1.0, max(0.0, (at - span[0]) / (span[1] - span[0])))
        return f"{_PAD + (_WIDTH - 2 * _PAD) * share:.1f}"

    ends = " to ".join(number(end * scale, 0 if abs(end * scale) >= 10 else 1) for end in span)
    return Drawing(
        at=place(value),
        low=None if low is None or not math.isfinite(low) else place(low),
        high=None if high is None or not math.isfinite(high) else place(high),
        zero=place(0.0) if has_zero else None,
        limits=tuple(place(limit) for limit in limits),
        words=f"axis {ends}",
    )


# -- samples


def _paired(gate: GateResult, pairing: Pairing) -> list[PairedTask]:
    """The gate's tasks whose samples can be told apart by its metric."""
    tasks = (pairing.tasks.get(name) for name in gate.tasks)
    return [task for task in tasks if task is not None and gate.metric in task.rows]


def _changes(gate: GateResult, pairing: Pairing, most: int) -> Changes:
    tasks = _paired(gate, pairing)
    linear = [task for task in tasks if task.rows[gate.metric].is_linear]
    found = list(changes_of(linear, gate.metric, most))
    return Changes(_counted(linear, gate.metric, len(found)), tuple(found), tuple(_notes(gate, tasks, linear)))


def _counted(tasks: Sequence[PairedTask], metric: str, num_shown: int) -> str:
    """How many samples changed to the worse and to the better, and how many of them are shown."""
    gains = [gain for task in tasks for gain in task.rows[metric].gains.tolist()]
    num_lost, num_gained = sum(gain < 0 for gain in gains), sum(gain > 0 for gain in gains)
    is_binary = all(task.rows[metric].is_binary for task in tasks)
    words = ("lost", "gained") if is_binary else ("worse", "better")
    whole = f"{len(gains)} sample{'s' if len(gains) != 1 else ''}"
    return f"{num_lost:,} {words[0]} and {num_gained:,} {words[1]} of {whole}; {num_shown:,} shown"


def _notes(gate: GateResult, tasks: Sequence[PairedTask], linear: Sequence[PairedTask]) -> Iterator[str]:
    if len(linear) < len(tasks):
        yield f"{visible(gate.metric)} is a score of a whole corpus, which no single sample gains or loses."
    if any(task.baseline.records is None for task in linear):
        yield "The baseline is a file without answers; give --baseline a run's directory to see both."
