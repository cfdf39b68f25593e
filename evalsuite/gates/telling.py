"""Gates as every output tells them: in which order, by which name, with which numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.gates import wording
from evalsuite.gates.records import GateReport, GateResult
from evalsuite.text import number_texts
from evalsuite.text.number_texts import amount, signed, unit

Standing = Literal["failed", "not evaluated", "undecided", "warned", "waived", "inconclusive", "passed"]
"""What a gate's verdict comes to. `failed`, `not evaluated` and `undecided` end the command with another exit code than
0: a failure that blocks, an error that blocks, and under --strict an inconclusive gate. `warned` is a failure or an
error that only warns, `waived` a failure that somebody answers for.
"""

ORDER: tuple[Standing, ...] = (
    "failed", "not evaluated", "undecided", "warned", "waived", "inconclusive", "passed",
)  # fmt: skip
"""Worst first."""

BLOCKING: frozenset[Standing] = frozenset(("failed", "not evaluated", "undecided"))


@dataclass(frozen=True)
class Numbers:
    """A gate's numbers as texts, in the unit that is shown; those that do not exist are empty.

    `now` is what was measured, `before` what the baseline has, `moved` the difference and `interval` the 95 % interval
    of the difference, or of the value where that is gated; `allowed` the margin, floor or ceiling.
    """

    before: str = ""
    now: str = ""
    moved: str = ""
    interval: str = ""
    allowed: str = ""
    n: str = ""
    flips: str = ""


def standing_of(gate: GateResult) -> Standing:
    """What the gate's verdict comes to."""
    match gate.verdict:
        case "pass":
            return "passed"
        case "inconclusive":
            return "undecided" if gate.is_strict else "inconclusive"
        case "error":
            return "not evaluated" if gate.blocks else "warned"
        case "fail":
            return "waived" if gate.waiver else "failed" if gate.blocks else "warned"


def worst_first(report: GateReport) -> list[tuple[str, GateResult]]:
    """Every gate under a name of its own, worst first; those of one standing by how much of the margin is lost."""
    named = zip(names_of(report.gates), report.gates, strict=True)
    return sorted(named, key=lambda one: (ORDER.index(standing_of(one[1])), -_share_lost(one[1])))


def _share_lost(gate: GateResult) -> float:
    return 0.0 if gate.difference is None or not gate.margin else -gate.difference.gain / gate.margin


def names_of(gates: Sequence[GateResult]) -> tuple[str, ...]:
    """A name of its own for every gate: its own where that is the only one, else with tasks, metric or a number.

    One rule of a name gives a gate for every language, all of that name.
    """
    names = [gate.name for gate in gates]
    for detail in (_tasks, _metric):
        names = [f"{name} ({detail(gate)})" if count > 1 and detail(gate) else name
                 for name, gate, count in zip(names, gates, _counts(names), strict=True)]  # fmt: skip
    taken: set[str] = set()
    for index, name in enumerate(names):
        number = 1
        while names[index] in taken:
            number += 1
            names[index] = f"{name} #{number}"
        taken.add(names[index])
    return tuple(names)


def _tasks(gate: GateResult) -> str:
    return ", ".join(gate.tasks)


def _metric(gate: GateResult) -> str:
    return gate.metric


def _counts(names: Sequence[str]) -> list[int]:
    counted = Counter(names)
    return [counted[name] for name in names]


def numbers_of(gate: GateResult) -> Numbers:
    """The gate's numbers."""
    if gate.difference is not None:
        return _of_difference(gate)
    if gate.level is not None and gate.level.n != 0:
        return _of_level(gate)
    return Numbers()


def _of_difference(gate: GateResult) -> Numbers:
    found = gate.difference
    assert found is not None
    scale = found.scale
    return Numbers(
        before=amount(found.baseline, scale),
        now=amount(found.candidate, scale),
        moved=signed(found.difference, scale) + unit(scale),
        interval=_interval(found.low, found.high, scale, wording.NO_INTERVAL, is_signed=True),
        allowed="" if gate.margin is None else f"{amount(gate.margin, scale)}{unit(scale)} lost",
        n=f"{found.n:,}",
        flips="" if found.num_lost is None else f"{found.num_lost:,} lost, {found.num_gained or 0:,} gained",
    )  # fmt: skip


def _of_level(gate: GateResult) -> Numbers:
    level = gate.level
    assert level is not None
    return Numbers(
        before="" if level.baseline is None else amount(level.baseline, level.scale),
        now=amount(level.value, level.scale),
        interval=_interval(level.low, level.high, level.scale, wording.MEASURED_ONCE),
        allowed=wording.limits(gate.at_least, gate.at_most, level.scale),
        n="" if level.n is None else f"{level.n:,}",
    )  # fmt: skip


def _interval(low: float | None, high: float | None, scale: float, without: str, *, is_signed: bool = False) -> str:
    """An interval, or the words for where there is none."""
    return without if low is None or high is None else number_texts.interval(low, high, scale, is_signed=is_signed)


def reason_of(gate: GateResult) -> str:
    """Why the verdict is what it is, with what a second run said and who answers for a failure."""
    parts = [gate.reason, gate.confirmation, waiver_text(gate)]
    return "; ".join(part for part in parts if part)


def waiver_text(gate: GateResult) -> str:
    """Who waived a failure, until when and why; empty where nobody did."""
    one = gate.waiver
    return f"waived by {one.by} until {one.expires}: {one.reason}" if one else ""


def headline(report: GateReport) -> str:
    """The verdict in a sentence."""
    counts = ", ".join(f"{number} {name}" for name, number in report.counts.items() if number)
    total = len(report.gates)
    return f"{report.verdict}: {counts} of {total} gate{'' if total == 1 else 's'}"
