"""Gates and plans of gates as lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.cli.output import print_table, say
from evalsuite.gates.planning import PlannedGate
from evalsuite.gates.records import GateReport, GateResult
from evalsuite.gates.telling import reason_of, standing_of, worst_first
from evalsuite.text.number_texts import amount
from evalsuite.text.visible import visible_line

_LINE = 2_000


def print_report(report: GateReport) -> None:
    """A table of the gates, worst first, and what they say together."""
    reason = visible_line(report.baseline_reason)
    say(f"baseline   {visible_line(report.baseline.label)}  run {report.baseline.run_id}  {reason}".rstrip())
    say(f"candidate  {visible_line(report.candidate.label)}  run {report.candidate.run_id}\n")
    print_table([("verdict", "gate", "metric", "why"), *(_row(name, gate) for name, gate in worst_first(report))])
    for warning in report.warnings:
        say(f"note: {visible_line(warning, _LINE)}")
    counts = ", ".join(f"{number} {name}" for name, number in report.counts.items() if number)
    say(f"\n{report.verdict}: {counts} of {len(report.gates)} gates")


def _row(name: str, gate: GateResult) -> tuple[str, ...]:
    only_warns = " (warning only)" if standing_of(gate) == "warned" else ""
    cells = gate.verdict + only_warns, name, gate.metric, reason_of(gate)
    return tuple(visible_line(cell, _LINE) for cell in cells)  # a line end in a name would begin a line of its own


def print_plan(gates: Sequence[PlannedGate], alpha: float) -> None:
    """What the items there are could tell, and how many would do."""
    heads = ("gate", "metric", "n", "margin", "differing", "n to pass", "n to fail", "least margin", "least drop")
    print_table([heads, *map(_planned, gates)])
    say(f"""
At alpha {alpha:g} and 80 % power. n to pass: items that rule out a loss of the margin when nothing has changed. n to
fail: items that turn a true drop of twice the margin into a failure, alpha shared by all {len(gates)} gates (Holm).
Least margin and least drop: what the items there are can keep and can fail. Differing is the share of items that are
right in one run alone; items of one cluster are taken to rise and fall together.""")


def _planned(one: PlannedGate) -> tuple[str, ...]:
    clusters = f" ({one.num_clusters})" if one.num_clusters < one.n else ""
    return (
        one.name,
        one.metric,
        f"{one.n:,}{clusters}",
        amount(one.margin, one.scale),
        "unknown" if one.discordance is None else f"{one.discordance:.1%}",
        _count(one.to_pass),
        _count(one.to_fail),
        _amount(one.least_margin, one),
        _amount(one.least_drop, one),
    )


def _amount(value: float | None, one: PlannedGate) -> str:
    if value is not None:
        return amount(value, one.scale)
    return "unknown" if one.discordance is None and one.variance is None else "none"


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"
