"""What a gate says: one record a gate, and the report of them all, which every output is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from evalsuite.comparing.comparison import Flip, Refusal, SideSummary
from evalsuite.gates.selecting import Gate
from evalsuite.stats.differences import Difference
from evalsuite.stats.gate_rules import Verdict
from evalsuite.types import Record

GATE_SCHEMA = 1

GateKind: TypeAlias = Literal["drop", "level", "rate", "clock", "macro"]
"""A loss against the baseline; a metric's own value; a share of the answers; what a clock says; the mean of losses."""


class Waiver(Record, frozen=True, kw_only=True):
    """A failure that somebody answers for until a day, ``YYYY-MM-DD``."""

    gate: str
    reason: str
    by: str
    expires: str


class Level(Record, frozen=True, kw_only=True):
    """A value that is held against a floor or a ceiling, with its 95 % interval where it has one.

    At a look the verdict is that of `least` and `most`, bounds at the look's own level; elsewhere these are None.
    """

    value: float
    low: float | None
    high: float | None
    n: int | None
    scale: float = 1.0
    baseline: float | None = None
    least: float | None = None
    most: float | None = None


class GateResult(Record, frozen=True, kw_only=True):
    """One gate: what was asked, what was found, what follows.

    `margin` is in the metric's own unit, `p_adjusted` the one-sided chance of such a loss by luck among all gates.
    `needed` items would tell where these could not. `line` is the rule's in the gate file. `blocks` says whether a
    failure here ends the command with exit code 1; `confirmation` what a second run said of it.
    """

    name: str
    kind: GateKind
    line: int
    family: str
    language: str
    metric: str
    tasks: tuple[str, ...]
    verdict: Verdict
    reason: str
    blocks: bool = True
    is_strict: bool = False
    margin: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    difference: Difference | None = None
    p_adjusted: float | None = None
    level: Level | None = None
    needed: int | None = None
    waiver: Waiver | None = None
    confirmation: str = ""

    @property
    def is_failing(self) -> bool:
        """Whether it failed, and nobody answers for it."""
        return self.verdict == "fail" and self.blocks and self.waiver is None


def result_of(gate: Gate, kind: GateKind, verdict: Verdict, reason: str) -> GateResult:
    """The verdict on a gate, before numbers and consequences are added."""
    return GateResult(
        name=gate.name,
        kind=kind,
        line=gate.line,
        family=gate.family,
        language=gate.language,
        metric=gate.metric,
        tasks=gate.tasks,
        verdict=verdict,
        reason=reason,
    )


class GateReport(Record, frozen=True, kw_only=True):
    """All gates of one file on one candidate.

    `flips` are the samples that are right on one side alone, of each task by each metric that it is gated on: those of
    a gate are those of its tasks and its metric. Of very many `num_flips_left_out` are left out.
    Holds neither clock nor machine: the same runs and file give the same bytes.
    """

    schema: int
    file: str
    verdict: Verdict
    exit_code: int
    alpha: float
    correction: str
    baseline: SideSummary
    candidate: SideSummary
    baseline_reason: str
    gates: tuple[GateResult, ...]
    flips: tuple[Flip, ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    num_flips_left_out: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many gates there are of each verdict."""
        verdicts = [gate.verdict for gate in self.gates]
        return {name: verdicts.count(name) for name in ("pass", "fail", "inconclusive", "error")}
