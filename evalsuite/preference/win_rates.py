"""How often one system is preferred to another: several numbers that are never folded into one, each with its interval.

Every prompt counts the same however many votes it has: votes are averaged within a prompt, then prompts. A tie counts
half in `win_half` and nothing in `win_decisive`; ties between good and between bad answers stand apart, since a
language in which both systems fail looks like a draw. Across languages the macro mean gives each language the same
weight; its error knows that a prompt translated six times is one prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from evalsuite.types import Record

from .clustering import spread_of
from .measures import FEWEST_PROMPTS as FEWEST_PROMPTS
from .measures import Bounds, IntervalKind, Measure, bounds_of, chance_of, kind_of, macro_of, mean_of, prompt_weights
from .table import BOTH_BAD, LOSS, TIE, WIN, Floats, VoteTable

Scope: TypeAlias = Literal["language", "macro", "pooled", "random-language"]


class WinRate(Record, frozen=True, kw_only=True):
    """What the votes on one pair of systems say, in one language or over several.

    `win`, `loss` and `tie` are shares that add up to one; `win_half` counts a tie half, and what is graded as it is.
    `tie_good` and `tie_bad` are None where some raters could not tell ties apart; `tie` is both together.

    `low` and `high` are those of `win_half`; `intervals` has those of the others. `interval` says how they were made,
    and is empty where there are too few prompts for one. `by_vote` is `win_half` with every vote counted the same.
    `design_effect` is how many times the variance is that of independent votes, `p_value` the chance of such votes
    without a preference, and `p_adjusted` that among all that was asked. `num_groups` are the source prompts behind
    `num_prompts`: one translated into six languages is six prompts of one group.
    """

    system_a: str
    system_b: str
    language: str
    scope: Scope
    win: float
    loss: float
    win_half: float
    win_decisive: float | None
    net: float
    tie: float
    tie_good: float | None
    tie_bad: float | None
    by_vote: float
    low: float | None
    high: float | None
    stderr: float | None
    interval: IntervalKind
    degrees: int
    intervals: Mapping[str, Bounds]
    num_votes: int
    num_prompts: int
    num_groups: int
    num_annotators: int
    num_languages: int
    design_effect: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None


@dataclass(frozen=True)
class _Measures:
    """The numbers of some votes: `others` by name, without those that cannot be known."""

    half: Measure
    others: Mapping[str, Measure]


def win_rates(table: VoteTable) -> tuple[WinRate, ...]:
    """Every pair that was compared: by language, and where there are several their macro mean and all votes pooled."""
    return tuple(rate for pair in pairs_of(table) for rate in rates_of_pair(table, *pair))


def pairs_of(table: VoteTable) -> list[tuple[str, str]]:
    """The pairs of systems with comparisons, each once, in the order of their names."""
    low, high = np.minimum(table.a, table.b), np.maximum(table.a, table.b)
    found = np.unique(low * len(table.systems) + high)
    return [(table.systems[key // len(table.systems)], table.systems[key % len(table.systems)]) for key in found]


def rates_of_pair(table: VoteTable, system_a: str, system_b: str) -> tuple[WinRate, ...]:
    """What is known of one pair, seen from `system_a`."""
    return tuple(_rates(table.of_pair(system_a, system_b), system_a, system_b))


def rates_of_systems(table: VoteTable) -> tuple[WinRate, ...]:
    """Every system against all that it was compared with, as the votes have it."""
    return tuple(rate for system in table.systems for rate in _rates(table.of_system(system), system, ""))


def _rates(votes: VoteTable, system_a: str, system_b: str) -> Iterator[WinRate]:
    parts = {name: part for name in votes.languages if len(part := votes.in_language(name))}
    measured = {name: _by_prompt(part) for name, part in parts.items()}
    for name, part in parts.items():
        yield _rate(system_a, system_b, name, "language", part, measured[name])
    if len(parts) < 2:
        return
    every = _joined(list(measured.values()))
    ordered = votes.where(np.concatenate([np.flatnonzero(votes.language == votes.languages.index(n)) for n in parts]))
    yield _rate(system_a, system_b, "", "macro", ordered, every)
    yield _rate(system_a, system_b, "", "pooled", votes, _measures(votes, np.full(len(votes), 1.0 / len(votes))))


def _by_prompt(votes: VoteTable) -> _Measures:
    """Votes averaged within prompts, then prompts."""
    return _measures(votes, prompt_weights(votes.item))


def _measures(votes: VoteTable, weights: Floats) -> _Measures:
    """The four numbers of votes whose `weights` add up to one."""
    won, lost, tie, both_bad = ((votes.outcome == outcome).astype(np.float64) for outcome in (WIN, LOSS, TIE, BOTH_BAD))
    others = {"win": mean_of(weights, won), "loss": mean_of(weights, lost), "tie": mean_of(weights, tie + both_bad)}
    if decisive := _ratio(weights, won, won + lost):
        others["win_decisive"] = decisive
    if votes.tells_ties.all():
        others |= {"tie_good": mean_of(weights, tie), "tie_bad": mean_of(weights, both_bad)}
    return _Measures(mean_of(weights, votes.value), others)


def _ratio(weights: Floats, parts: Floats, wholes: Floats) -> Measure | None:
    """The ratio of two means, with its influences to first order (the delta method)."""
    whole = float(weights @ wholes)
    if not whole:
        return None
    value = float(weights @ parts) / whole
    return Measure(value, weights * (parts - value * wholes) / whole)


def _joined(measured: Sequence[_Measures]) -> _Measures:
    """The means over languages, each of the same weight; votes stand in the order of the languages.

    What one language lacks is left out: a mean over fewer languages would be another number.
    """
    names = [name for name in measured[0].others if all(name in found.others for found in measured)]
    return _Measures(
        macro_of([found.half for found in measured]),
        {name: macro_of([found.others[name] for found in measured]) for name in names},
    )


def _rate(system_a: str, system_b: str, language: str, scope: Scope, votes: VoteTable, found: _Measures) -> WinRate:
    half = found.half.value
    strata = votes.language if scope == "macro" else None
    spread = spread_of(found.half.influences, votes.group, votes.rater, strata)
    bounds = bounds_of(half, spread)
    values = {name: measure.value for name, measure in found.others.items()}
    intervals = {
        name: made
        for name, measure in found.others.items()
        if (made := bounds_of(measure.value, spread_of(measure.influences, votes.group, votes.rater, strata)))
    }
    if bounds:
        intervals["net"] = Bounds(low=2 * bounds.low - 1, high=2 * bounds.high - 1)
    return WinRate(
        system_a=system_a,
        system_b=system_b,
        language=language,
        scope=scope,
        win=values["win"],
        loss=values["loss"],
        win_half=half,
        win_decisive=values.get("win_decisive"),
        net=2 * half - 1,
        tie=values["tie"],
        tie_good=values.get("tie_good"),
        tie_bad=values.get("tie_bad"),
        by_vote=float(votes.value.mean()),
        low=bounds.low if bounds else None,
        high=bounds.high if bounds else None,
        stderr=spread.stderr,
        interval=kind_of(spread) if bounds else "",
        degrees=spread.degrees,
        intervals=intervals,
        num_votes=len(votes),
        num_prompts=len(np.unique(votes.language * len(votes.items) + votes.item)),
        num_groups=spread.num_groups,
        num_annotators=spread.num_raters,
        num_languages=len(np.unique(votes.language)),
        design_effect=spread.design_effect,
        p_value=chance_of(half - 0.5, spread) if bounds else None,
    )
