"""What a gate file could tell with the items there are: sizes that pass, drops that fail, margins to keep. Pure.

How often two versions of a model differ on an item is not known before both are run. It is assumed for right and wrong
(10 % unless asked otherwise), or measured where a second run is at hand; other metrics need that run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from evalsuite.comparing.pairing import Pairing
from evalsuite.gates.gate_file import Located
from evalsuite.gates.measuring import Measured, measured_gates
from evalsuite.stats.differences import Difference
from evalsuite.stats.gate_rules import (
    items_to_fail,
    items_to_pass,
    right_or_wrong_to_pass,
    smallest_drop,
    smallest_margin,
)
from evalsuite.types import Record

USUAL_DISCORDANCE = 0.10
_DROP = 2.0
"""A drop to plan for: so many times the margin."""


class PlannedGate(Record, frozen=True, kw_only=True):
    """One gate before it is asked, in the metric's own unit; None where nothing is known to plan with.

    `n` items are there, `num_clusters` of them independent. `to_pass` items rule out a loss of `margin` with 80 % power
    when nothing has changed, `to_fail` turn a true drop of twice the margin into a failure (alpha shared by all gates,
    as Holm's first step does). `least_margin` is what `n` items can keep, `least_drop` what they can fail.
    """

    name: str
    metric: str
    n: int
    num_clusters: int
    margin: float
    scale: float
    discordance: float | None
    variance: float | None
    to_pass: int | None
    to_fail: int | None
    least_margin: float | None
    least_drop: float | None


@dataclass(frozen=True)
class Assumed:
    """The share of right/wrong items on which two versions differ; None where it is measured from two runs."""

    discordance: float | None = USUAL_DISCORDANCE


def plan(located: Located, pairing: Pairing, assumed: Assumed) -> tuple[PlannedGate, ...]:
    """The gates of `located` on the items of `pairing`: of a baseline and itself, or and a second run."""
    measured = measured_gates(located, pairing)
    alpha = located.file.defaults.alpha
    shared = alpha / len(measured) if measured and located.file.defaults.correction == "holm" else alpha
    return tuple(_planned(one, alpha, shared, assumed) for one in measured)


def _planned(one: Measured, alpha: float, shared: float, assumed: Assumed) -> PlannedGate:
    found, margin = one.difference, one.margin
    design = found.n / found.num_clusters  # items of a cluster are taken to rise and fall together
    discordance, variance = _spread(found, assumed)
    to_fail = None if not discordance else items_to_fail(discordance, _DROP * margin, margin, alpha=shared)
    to_pass = least_margin = None
    if variance is not None:
        if discordance is not None and margin < one.span:
            to_pass = math.ceil(right_or_wrong_to_pass(discordance, margin, alpha=alpha) * design)
        else:
            to_pass = items_to_pass(variance, margin, alpha=alpha, span=one.span, design=design)
        least_margin = smallest_margin(variance, found.n, alpha=alpha, span=one.span, design=design)
    return PlannedGate(
        name=one.gate.name,
        metric=found.metric,
        n=found.n,
        num_clusters=found.num_clusters,
        margin=margin,
        scale=found.scale,
        discordance=discordance,
        variance=variance,
        to_pass=to_pass,
        to_fail=None if to_fail is None else math.ceil(to_fail * design),
        least_margin=least_margin,
        least_drop=None if not discordance else smallest_drop(discordance, found.num_clusters, margin, alpha=shared),
    )


def _spread(found: Difference, assumed: Assumed) -> tuple[float | None, float | None]:
    """The share of items that differ and the variance of one item's difference, assumed or measured."""
    is_binary = found.num_gained is not None and found.num_lost is not None
    if assumed.discordance is None:
        share = (found.num_gained or 0) + (found.num_lost or 0)
        return share / found.n if is_binary else None, found.variance
    if not is_binary:
        return None, None
    return assumed.discordance, assumed.discordance * found.n / found.num_clusters
