"""How many prompts and votes a study needs, and what a study of a given size could tell apart.

The variance of a win rate over P prompts with k votes on each is (tau^2 + s^2 / k) / P, plus that of annotators: tau is
how far prompts' true rates lie apart, and s^2 = (1 - t) / 4 - tau^2 what is left of a vote's variance when a share t of
votes are ties. However many votes a prompt gets, tau^2 / P stays. Over languages that share translated prompts only the
part of tau^2 that is a language's own averages out. `simulated_power` asks the same of studies drawn at random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from evalsuite.errors import UsageError
from evalsuite.types import Record

from .simulation import Study
from .table import Floats
from .win_rates import FEWEST_PROMPTS, rates_of_pair


@dataclass(frozen=True)
class Assumptions:
    """What is taken for granted about the votes to come; the defaults are those of the real votes at hand.

    `prompt_sd` is tau, in win rate; `shared` the share of its square that a prompt has in all languages alike;
    `annotator_sd` how far annotators' own rates lie apart; `ties` the share of ties.
    """

    prompt_sd: float = 0.16
    ties: float = 0.25
    shared: float = 0.7
    annotator_sd: float = 0.0
    power: float = 0.8
    alpha: float = 0.05

    def __post_init__(self) -> None:
        for name in ("ties", "shared"):
            if not 0.0 <= getattr(self, name) < 1.0 + (name == "shared") * 1e-9:
                raise UsageError(f"{name} is {getattr(self, name)}; expected a share.")
        if self.within < 0 or self.prompt_sd < 0 or self.annotator_sd < 0:
            raise UsageError(f"prompts cannot lie {self.prompt_sd} apart with {self.ties:.0%} ties.")
        if not 0.0 < self.alpha < 1.0 or not 0.0 < self.power < 1.0:
            raise UsageError("power and alpha lie between 0 and 1.")

    @property
    def within(self) -> float:
        """The variance of a vote on one prompt."""
        return (1.0 - self.ties) / 4.0 - self.prompt_sd**2


class Plan(Record, frozen=True, kw_only=True):
    """A design and what it can tell: `detectable` is the smallest difference from a half that is found with the power.

    `detectable_t` is the same by Student's t, as the intervals are; None where there are too few prompts for any.
    `num_votes` and `votes_each` are all languages' together and those of one annotator.
    """

    num_prompts: int
    votes_per_prompt: int
    num_languages: int
    annotators_per_language: int
    stderr: float
    half_width: float | None
    detectable: float
    detectable_t: float | None
    num_votes: int
    votes_each: int


def variance_of(
    assumptions: Assumptions,
    num_prompts: int,
    votes_per_prompt: int,
    *,
    num_languages: int = 1,
    num_annotators: int = 0,
) -> float:
    """Of the macro win rate over languages that share their prompts; `num_annotators` are those of one language."""
    tau2 = assumptions.prompt_sd**2
    by_prompt = tau2 * (assumptions.shared + (1 - assumptions.shared) / num_languages)
    by_vote = assumptions.within / (votes_per_prompt * num_languages)
    by_annotator = assumptions.annotator_sd**2 / (num_annotators * num_languages) if num_annotators else 0.0
    return (by_prompt + by_vote) / num_prompts + by_annotator


def plan(
    assumptions: Assumptions,
    num_prompts: int,
    votes_per_prompt: int,
    *,
    num_languages: int = 1,
    num_annotators: int = 0,
) -> Plan:
    """What a study of this size could tell. Raises UsageError for one that cannot be."""
    if num_prompts < 1 or votes_per_prompt < 1 or num_languages < 1 or num_annotators < 0:
        raise UsageError("a study has at least one prompt, one vote on it and one language.")
    if 0 < num_annotators < votes_per_prompt:
        raise UsageError(f"{votes_per_prompt} votes on a prompt need as many annotators; there are {num_annotators}.")
    stderr = math.sqrt(
        variance_of(
            assumptions, num_prompts, votes_per_prompt, num_languages=num_languages, num_annotators=num_annotators
        )
    )
    known, found = _normal_sum(assumptions), _t_sum(assumptions, num_prompts, num_annotators * num_languages)
    votes = num_prompts * votes_per_prompt
    return Plan(
        num_prompts=num_prompts,
        votes_per_prompt=votes_per_prompt,
        num_languages=num_languages,
        annotators_per_language=num_annotators,
        stderr=stderr,
        half_width=None if found is None else found[0] * stderr,
        detectable=known * stderr,
        detectable_t=None if found is None else sum(found) * stderr,
        num_votes=votes * num_languages,
        votes_each=math.ceil(votes / num_annotators) if num_annotators else votes,
    )


def prompts_needed(
    assumptions: Assumptions, difference: float, votes_per_prompt: int, *, num_languages: int = 1
) -> int:
    """How many prompts find a win rate that lies `difference` from a half. Raises UsageError for none."""
    if not 0.0 < difference <= 0.5:
        raise UsageError(f"a difference of {difference} from a half; expected more than 0 and at most 0.5.")
    one = variance_of(assumptions, 1, votes_per_prompt, num_languages=num_languages)
    return math.ceil(_normal_sum(assumptions) ** 2 * one / difference**2 - 1e-9)


def _normal_sum(assumptions: Assumptions) -> float:
    from scipy.special import ndtri

    return float(ndtri(1 - assumptions.alpha / 2) + ndtri(assumptions.power))


def _t_sum(assumptions: Assumptions, num_prompts: int, num_annotators: int) -> tuple[float, float] | None:
    """Student's quantiles for interval and power, with the degrees that the interval will have."""
    if num_prompts < FEWEST_PROMPTS:
        return None
    from scipy.special import stdtrit

    clusters = min(num_prompts, num_annotators) if num_annotators > 1 else num_prompts
    return float(stdtrit(clusters - 1, 1 - assumptions.alpha / 2)), float(stdtrit(clusters - 1, assumptions.power))


def study_of(
    assumptions: Assumptions, difference: float, num_prompts: int, votes_per_prompt: int, *,
    languages: tuple[str, ...] = ("en",), num_annotators: int = 200,
) -> Study:  # fmt: skip
    """A study to simulate, whose win rate, spread of prompts and share of ties are those assumed."""
    from scipy.optimize import root

    start = Study(
        languages=languages,
        num_prompts=num_prompts,
        num_votes=votes_per_prompt,
        num_annotators=max(num_annotators, votes_per_prompt),
        annotator_sd=0.0,
    )

    def made(values: Floats) -> Study:
        advantage, log_sd, log_ties = values
        total = math.exp(log_sd)
        return replace(
            start,
            advantage=float(advantage),
            prompt_sd=total * math.sqrt(assumptions.shared),
            language_sd=total * math.sqrt(1 - assumptions.shared),
            tie_weight=math.exp(log_ties),
        )

    def missed(values: Floats) -> list[float]:
        study = made(values)
        return [
            study.truth(languages[0]) - 0.5 - difference,
            study.spread_of_prompts(languages[0]) - assumptions.prompt_sd,
            study.tie_share(languages[0]) - assumptions.ties,
        ]

    found = root(missed, [4 * difference, math.log(4 * assumptions.prompt_sd), math.log(0.6)], tol=1e-9)
    if not found.success:
        raise UsageError("no study has such a spread of prompts and such a share of ties at once.")
    return made(found.x)


def simulated_power(study: Study, num_draws: int, seed: int) -> float:
    """How often the interval of the macro win rate, or of the only language's, leaves out a half."""
    random = np.random.default_rng(seed)
    scope = "macro" if len(study.languages) > 1 else "language"
    found = 0
    for _ in range(num_draws):
        rate = next(rate for rate in rates_of_pair(study.votes(random), "a", "b") if rate.scope == scope)
        found += rate.low is not None and rate.high is not None and not rate.low <= 0.5 <= rate.high
    return found / num_draws
