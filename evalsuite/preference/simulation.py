"""Studies that never took place, with a known truth: what coverage and plans are tested on, and a planner's second way.

Whether A is preferred depends, on the logit scale, on the systems, on the prompt in whatever language, on the prompt in
this language, and on the annotator. Ties are those of Davidson 1970: with difference d the odds of A, B and a tie are
as exp(d / 2), exp(-d / 2) and a constant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from .table import BOTH_BAD, LOSS, TIE, WIN, Floats, Ints, VoteTable

SYSTEMS = ("a", "b")
_NODES = 80


@dataclass(frozen=True)
class Study:
    """A design: `num_votes` by different annotators on each prompt in each language, and how much what varies.

    `advantage` is A's on the logit scale, `by_language` what a language adds to it. `missing` are prompts, by number,
    that a language lacks. `both_bad` is the share of ties that are between bad answers.
    """

    languages: tuple[str, ...] = ("en",)
    num_prompts: int = 22
    num_votes: int = 3
    num_annotators: int = 10
    advantage: float = 0.0
    by_language: Mapping[str, float] = field(default_factory=dict)
    prompt_sd: float = 0.6
    language_sd: float = 0.4
    annotator_sd: float = 0.3
    tie_weight: float = 0.6
    both_bad: float = 0.3
    missing: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def truth(self, language: str) -> float:
        """The win rate, ties half, over all prompts and annotators there could be."""
        points, weights = _nodes()
        won, lost, tied = self._odds(self._mean(language) + self._spread * points)
        return float(weights @ ((won + tied / 2) / (won + lost + tied)) / weights.sum())

    def tie_share(self, language: str) -> float:
        """The share of ties among all votes there could be."""
        points, weights = _nodes()
        won, lost, tied = self._odds(self._mean(language) + self._spread * points)
        return float(weights @ (tied / (won + lost + tied)) / weights.sum())

    def spread_of_prompts(self, language: str) -> float:
        """The standard deviation of prompts' true win rates."""
        points, weights = _nodes()
        won, lost, tied = self._odds(self._mean(language) + math.hypot(self.prompt_sd, self.language_sd) * points)
        rates = (won + tied / 2) / (won + lost + tied)
        mean = weights @ rates / weights.sum()
        return math.sqrt(float(weights @ (rates - mean) ** 2 / weights.sum()))

    @property
    def macro_truth(self) -> float:
        """The mean of the languages' win rates."""
        return float(np.mean([self.truth(language) for language in self.languages]))

    @property
    def pooled_truth(self) -> float:
        """The win rate over all votes: languages that lack prompts weigh less."""
        sizes = [self.num_prompts - len(self.missing.get(language, ())) for language in self.languages]
        return float(np.average([self.truth(language) for language in self.languages], weights=sizes))

    def votes(self, random: np.random.Generator) -> VoteTable:
        """One run of the study."""
        prompt_effect = random.normal(0, self.prompt_sd, self.num_prompts)
        parts = [self._votes_in(number, name, prompt_effect, random) for number, name in enumerate(self.languages)]
        language, group, rater, outcome = (np.concatenate(column) for column in zip(*parts, strict=True))
        size = len(outcome)
        value = np.select([outcome == WIN, outcome == LOSS], [1.0, 0.0], 0.5)
        return VoteTable(
            systems=SYSTEMS,
            languages=self.languages,
            items=tuple(str(number) for number in range(self.num_prompts)),
            groups=tuple(str(number) for number in range(self.num_prompts)),
            raters=tuple(str(number) for number in range(self.num_annotators * len(self.languages))),
            a=np.zeros(size, dtype=np.int64),
            b=np.ones(size, dtype=np.int64),
            language=language,
            item=group,
            group=group,
            rater=rater,
            value=value,
            outcome=outcome,
            first=random.choice([-1, 1], size),
            tells_ties=np.ones(size, dtype=np.bool_),
        )

    def _votes_in(
        self, number: int, name: str, prompt_effect: Floats, random: np.random.Generator
    ) -> tuple[Ints, Ints, Ints, Ints]:
        prompts = np.setdiff1d(np.arange(self.num_prompts), self.missing.get(name, ()))
        own = random.normal(0, self.language_sd, len(prompts))
        annotators = random.normal(0, self.annotator_sd, self.num_annotators)
        chosen = random.permuted(np.tile(np.arange(self.num_annotators), (len(prompts), 1)), axis=1)[
            :, : self.num_votes
        ]
        logits = self._mean(name) + (prompt_effect[prompts] + own)[:, None] + annotators[chosen]
        won, lost, tied = self._odds(logits)
        place = random.random(logits.shape) * (won + lost + tied)
        is_bad = random.random(logits.shape) < self.both_bad
        outcome = np.select([place < won, place < won + lost], [WIN, LOSS], np.where(is_bad, BOTH_BAD, TIE))
        return (
            np.full(outcome.size, number),
            np.repeat(prompts, self.num_votes),
            (chosen + number * self.num_annotators).ravel(),
            outcome.ravel(),
        )

    @property
    def _spread(self) -> float:
        """How far votes' logits lie apart."""
        return math.hypot(self.prompt_sd, self.language_sd, self.annotator_sd)

    def _mean(self, language: str) -> float:
        return self.advantage + self.by_language.get(language, 0.0)

    def _odds(self, logits: Floats) -> tuple[Floats, Floats, float]:
        return np.exp(logits / 2), np.exp(-logits / 2), self.tie_weight


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Where to evaluate a function of a standard normal variable, and with which weights (Gauss and Hermite)."""
    return np.polynomial.hermite_e.hermegauss(_NODES)
