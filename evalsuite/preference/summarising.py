"""From votes to their summary: every estimate of this package, asked of one set of votes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from evalsuite.errors import DataError
from evalsuite.stats.intervals import t_interval
from evalsuite.votes import QualityRating, Scale, Vote

from .agreement import SETUPS, alpha_of, between_people, kappa_with_judge, with_judge
from .attentiveness import attentiveness
from .clustering import spread_of
from .families import Correction, adjusted
from .influence import fragility
from .languages import OtherLanguages, WorstLanguage, other_languages, worst_language
from .measures import FEWEST_PROMPTS, bounds_of, mean_of
from .prediction_powered import PoweredRate, admissibility, powered_rate
from .quality import qualities
from .quality_differences import quality_differences
from .rank_ranges import rank_ranges
from .rankings import Strength, rankings, tie_weight, tie_weight_bounds
from .screens import screen
from .strength_model import Features, StrengthModel, fit
from .summary import (
    SUMMARY_VERSION,
    JudgeFindings,
    LanguageVotes,
    Number,
    PoweredFinding,
    PreferenceSummary,
    QualityFindings,
    RankedSystem,
    Ranking,
    VoteCounts,
    VoteFile,
)
from .table import TIE, VoteTable
from .win_rates import WinRate, pairs_of, rates_of_pair, rates_of_systems

_UNBOUND = 10.0
"""Log-odds beyond this are the search's end where every vote says the same, not an estimate."""


@dataclass(frozen=True)
class Gathered:
    """What was read: the votes of `people` and of `judges` in tables of the same names, and what our own files add:
    `features` of what people voted on, `ratings`, and all revisions of `votes`.
    """

    people: VoteTable
    judges: VoteTable
    features: Features | None = None
    ratings: tuple[QualityRating, ...] = ()
    scale: Scale | None = None
    votes: tuple[Vote, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    num_rows: int = 0
    files: tuple[VoteFile, ...] = ()


def summary_of(
    gathered: Gathered, *, seed: int, num_draws: int = 300, correction: Correction = "holm"
) -> PreferenceSummary:
    """What the votes of people say, and how judges compare with them. Raises ValueError where people cast none."""
    people = gathered.people.with_its_systems()
    if not len(people):
        raise ValueError("there are no votes of people")
    ranking, no_ranking = _ranking(people, gathered.features, num_draws, seed)
    against_all = adjusted(rates_of_systems(people), correction)
    systems = tuple(row.system for row in ranking.systems) if ranking else _by_share(against_all)
    pairs = _pairs(people, systems)
    rates = adjusted([rate for pair in pairs for rate in rates_of_pair(people, *pair)], correction)
    languages = languages_of(people)
    return PreferenceSummary(
        version=SUMMARY_VERSION,
        files=gathered.files,
        seed=seed,
        num_draws=num_draws,
        correction=correction,
        counts=_counts(gathered, people),
        languages=tuple(_language(people.in_language(name), name) for name in languages),
        systems=systems,
        rates=rates,
        rates_against_all=against_all,
        other_languages=others_of(rates) if len(languages) > 1 else (),
        worst_languages=worst_of(rates) if len(languages) > 1 else (),
        ranking=ranking,
        no_ranking=no_ranking,
        agreement=tuple(
            found for name in languages for found in between_people(people.in_language(name), language=name)
        ),
        alphas=_known(alpha_of(people.in_language(name), seed=seed, language=name) for name in languages),
        judges=judges_of(gathered.people, gathered.judges, seed),
        quality=quality_of(gathered.ratings, gathered.scale, seed, correction),
        annotators=screen(people),
        attentiveness=attentiveness(gathered.votes),
        powered=powered_of(gathered.people, gathered.judges, systems),
    )


def languages_of(table: VoteTable) -> tuple[str, ...]:
    """The languages that have votes."""
    return tuple(name for name in table.languages if len(table.in_language(name)))


# -- what there is


def _counts(gathered: Gathered, people: VoteTable) -> VoteCounts:
    return VoteCounts(
        num_votes=len(people),
        num_prompts=_num_prompts(people),
        num_groups=len(np.unique(people.group)),
        num_annotators=len(np.unique(people.rater)),
        num_verdicts=len(gathered.judges),
        num_rows=gathered.num_rows or len(gathered.people) + len(gathered.judges) + sum(gathered.dropped.values()),
        dropped=dict(gathered.dropped),
    )


def _language(votes: VoteTable, language: str) -> LanguageVotes:
    return LanguageVotes(
        language=language,
        num_votes=len(votes),
        num_prompts=_num_prompts(votes),
        num_annotators=len(np.unique(votes.rater)),
        left_share=_left_share(votes.where(votes.first != 0)),
    )


def _num_prompts(votes: VoteTable) -> int:
    return len(np.unique(votes.language * len(votes.items) + votes.item))


def _left_share(votes: VoteTable) -> Number | None:
    """Of votes whose sides are known, each counting the same."""
    if not len(votes):
        return None
    found = mean_of(np.full(len(votes), 1.0 / len(votes)), votes.swapped(votes.first < 0).value)
    bounds = bounds_of(found.value, spread_of(found.influences, votes.group, votes.rater))
    low, high = (bounds.low, bounds.high) if bounds else (None, None)
    return Number(value=found.value, low=low, high=high, num_votes=len(votes))


# -- pairs


def _by_share(against_all: Sequence[WinRate]) -> tuple[str, ...]:
    """Systems by what they got of all their comparisons, languages alike."""
    headline = {rate.system_a: rate.win_half for rate in against_all if rate.scope == "language"}
    headline |= {rate.system_a: rate.win_half for rate in against_all if rate.scope == "macro"}
    return tuple(sorted(headline, key=lambda system: (-headline[system], system)))


def _pairs(table: VoteTable, systems: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs that were compared, in the order of `systems`, each seen from the first."""
    place = {system: number for number, system in enumerate(systems)}
    met = [(a, b) if place[a] < place[b] else (b, a) for a, b in pairs_of(table)]
    return sorted(met, key=lambda pair: (place[pair[0]], place[pair[1]]))


def others_of(rates: Sequence[WinRate]) -> tuple[OtherLanguages, ...]:
    """What other languages would say of every pair among `rates` that has enough of them."""
    return _known(map(other_languages, _by_pair(rates)))


def worst_of(rates: Sequence[WinRate]) -> tuple[WorstLanguage, ...]:
    """The language in which the first of every pair among `rates` does worst, where it can be told."""
    return _known(map(worst_language, _by_pair(rates)))


def _by_pair(rates: Sequence[WinRate]) -> list[list[WinRate]]:
    found: dict[tuple[str, str], list[WinRate]] = {}
    for rate in rates:
        found.setdefault((rate.system_a, rate.system_b), []).append(rate)
    return list(found.values())


def _known(found: Any) -> tuple[Any, ...]:
    return tuple(one for one in found if one is not None)


# -- ranks


def ranking_of(table: VoteTable, features: Features | None = None, *, num_draws: int, seed: int) -> Ranking:
    """All systems by strength, and with `features` also as they would be if answers looked alike.

    Raises DataError where they cannot be compared.
    """
    strengths = rankings(table, num_draws=num_draws, seed=seed)
    model = fit(table)
    ranges = rank_ranges(model) if len(np.unique(table.group)) >= FEWEST_PROMPTS else {}
    parts = {name: table.in_language(name) for name in model.languages}
    return Ranking(
        systems=tuple(_ranked(strength, ranges.get(strength.system)) for strength in strengths),
        left={name: found for name, part in parts.items() if (found := _left(model, name, part))},
        tie_weights={name: found for name, part in parts.items() if (found := _tie_weight(model, name, part))},
        davidson_nu=_davidson_nu(table, num_draws, seed),
        pooling=model.pooling if len(parts) > 1 else None,
        fragility=fragility(table),
        **_styled(table, features, model),
    )


def _styled(table: VoteTable, features: Features | None, plain: StrengthModel) -> dict[str, Any]:
    """What form is worth, and how far every system is from the strongest without and with it."""
    if features is None:
        return {}
    model = fit(table, features)
    leader = plain.systems[int(np.argmax(plain.strengths))]
    others = [name for name in plain.systems if name != leader]

    def behind(one: StrengthModel) -> dict[str, Number]:
        found = {name: one.difference(name, leader) for name in others}
        return {name: _with_interval(gap.value, gap.stderr, table) for name, gap in found.items()}

    worth = {name: model.style_of(name) for name in model.features}
    return {
        "style": {name: _with_interval(one.value, one.stderr, table) for name, one in worth.items()},
        "leader": leader,
        "plain": behind(plain),
        "controlled": behind(model),
    }


def _ranking(table: VoteTable, features: Features | None, num_draws: int, seed: int) -> tuple[Ranking | None, str]:
    """The ranking, or why there is none."""
    try:
        return ranking_of(table, features, num_draws=num_draws, seed=seed), ""
    except DataError as reason:
        return None, str(reason)


def _ranked(strength: Strength, ranks: tuple[int, int] | None) -> RankedSystem:
    low, high = ranks or (None, None)
    return RankedSystem(**msgspec.structs.asdict(strength), rank_low=low, rank_high=high)


def _left(model: StrengthModel, language: str, votes: VoteTable) -> Number | None:
    """None where nobody knows the sides, or the votes put no bound on it."""
    seen = votes.where(votes.first != 0)
    found = model.left_of(language)
    return _with_interval(found.value, found.stderr, seen) if len(seen) and abs(found.value) < _UNBOUND else None


def _tie_weight(model: StrengthModel, language: str, votes: VoteTable) -> Number | None:
    """None where nobody or everybody called a tie, or the votes put no bound on it otherwise."""
    log = model.log_tie_weight(language)
    if not _has_some_ties(votes) or abs(log.value) > _UNBOUND:
        return None
    found = _with_interval(log.value, log.stderr, votes)
    low, high = (None if bound is None else math.exp(bound) for bound in (found.low, found.high))
    return Number(value=math.exp(found.value), low=low, high=high, num_votes=len(votes))


def _has_some_ties(votes: VoteTable) -> bool:
    return 0 < int((votes.outcome >= TIE).sum()) < len(votes)


def _davidson_nu(table: VoteTable, num_draws: int, seed: int) -> Number | None:
    if not _has_some_ties(table):
        return None
    bounds = tie_weight_bounds(table, num_draws=num_draws, seed=seed)
    low, high = (bounds.low, bounds.high) if bounds else (None, None)
    return Number(value=tie_weight(table), low=low, high=high, num_votes=len(table))


def _with_interval(value: float, stderr: float, votes: VoteTable) -> Number:
    """By Student's t of the smaller number of prompts and annotators."""
    num_groups, num_raters = len(np.unique(votes.group)), len(np.unique(votes.rater))
    clusters = min(num_groups, num_raters) if num_raters > 1 else num_groups
    bounds = t_interval(value, stderr, clusters, None) if num_groups >= FEWEST_PROMPTS and stderr > 0 else None
    low, high = bounds or (None, None)
    return Number(value=value, low=low, high=high, num_votes=len(votes))


# -- judges and quality


def judges_of(people: VoteTable, judges: VoteTable, seed: int) -> tuple[JudgeFindings, ...]:
    """Every judge beside people, language by language. Both tables have the same names."""
    return tuple(
        _judge(people, judges.where(judges.rater == place), judges.raters[place], seed)
        for place in np.unique(judges.rater).tolist()
    )


def powered_of(people: VoteTable, judges: VoteTable, systems: Sequence[str] = ()) -> tuple[PoweredFinding, ...]:
    """Win rates from people's votes and every judge's verdicts together (PPI++), by pair and language, where there are
    prompts enough of either kind and people judged each group of prompts whole. Both tables have the same names; pairs
    are in the order of `systems`, each seen from the first, or by name.
    """
    return tuple(
        PoweredFinding(judge=judges.raters[judge], rate=rate, admission=admission)
        for judge in np.unique(judges.rater).tolist()
        for language in languages_of(people)
        for mine, its in [(people.in_language(language), judges.where(judges.rater == judge).in_language(language))]
        for admission in [admissibility(mine, its, language=language)]
        for a, b in _pairs(mine, systems or mine.systems)
        if (rate := _powered(mine, its, a, b, language))
    )


def _powered(people: VoteTable, verdicts: VoteTable, a: str, b: str, language: str) -> PoweredRate | None:
    try:
        return powered_rate(people, verdicts, a, b, language=language)
    except DataError:
        return None  # people judged a group of prompts in part


def _judge(people: VoteTable, verdicts: VoteTable, judge: str, seed: int) -> JudgeFindings:
    parts = [(name, people.in_language(name), verdicts.in_language(name)) for name in languages_of(verdicts)]
    return JudgeFindings(
        judge=judge,
        num_verdicts=len(verdicts),
        agreement=tuple(found for name, mine, its in parts for found in with_judge(mine, its, language=name)),
        kappas=_known(
            kappa_with_judge(mine, its, setup=setup, seed=seed, language=name)
            for name, mine, its in parts
            for setup in SETUPS
        ),
        admissibility=_known(admissibility(mine, its, language=name) for name, mine, its in parts),
    )


def quality_of(
    ratings: Sequence[QualityRating], scale: Scale | None, seed: int, correction: Correction
) -> QualityFindings | None:
    """None without ratings."""
    if not ratings or scale is None:
        return None
    differences = adjusted(quality_differences(ratings, scale, seed=seed), correction)
    return QualityFindings(scale=scale, qualities=qualities(ratings, scale), differences=differences)
