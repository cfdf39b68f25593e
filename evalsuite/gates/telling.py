"""Gates as every output tells them: in which order, by which name, with which numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.gates import wording
from evalsuite.gates.records import GateReport, GateResult

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
    has_interval = found.low is not None and found.high is not None
    return Numbers(
        before=wording.amount(found.baseline, scale),
        now=wording.amount(found.candidate, scale),
        moved=wording.signed(found.difference, scale) + wording.unit(scale),
        interval=_between(wording.signed(found.low or 0.0, scale), wording.signed(found.high or 0.0, scale))
        if has_interval else "no interval is known",
        allowed="" if gate.margin is None else f"{wording.amount(gate.margin, scale)}{wording.unit(scale)} lost",
        n=f"{found.n:,}",
        flips="" if found.num_lost is None else f"{found.num_lost:,} lost, {found.num_gained or 0:,} gained",
    )  # fmt: skip


def _of_level(gate: GateResult) -> Numbers:
    level = gate.level
    assert level is not None
    has_interval = level.low is not None and level.high is not None
    limits = [*([] if gate.at_least is None else [f"at least {gate.at_least * level.scale:g}"]),
              *([] if gate.at_most is None else [f"at most {gate.at_most * level.scale:g}"])]  # fmt: skip
    return Numbers(
        before="" if level.baseline is None else wording.amount(level.baseline, level.scale),
        now=wording.amount(level.value, level.scale),
        interval=_between(wording.amount(level.low or 0.0, level.scale), wording.amount(level.high or 0.0, level.scale))
        if has_interval else "measured once, without an interval",
        allowed=" and ".join(limits),
        n="" if level.n is None else f"{level.n:,}",
    )  # fmt: skip


def _between(low: str, high: str) -> str:
    return f"{low} to {high}"


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
