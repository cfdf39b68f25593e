"""Strengths that know languages, positions, ties and style: one penalised Davidson model of all votes.

With difference d the odds of A, B and a tie are as exp(d / 2), exp(-d / 2) and nu, and

    d = theta_a - theta_b + (delta_al - delta_bl) + kappa_l x + beta' z

where theta are strengths, delta what a language l adds to a system's, drawn to zero as far as the votes ask for
(`pooling`), kappa the advantage of the answer on the left, x +1/2 where that is A's and -1/2 where B's, beta what one
standard deviation of a feature's difference is worth, and nu, of each language, how readily its raters call a tie.
Errors are a sandwich with the scores of prompts and of annotators summed (Davidson 1970; Cameron, Gelbach and Miller
2011), and stand on differences between systems: a strength by itself has no error that means anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.sparse import csr_array

from .rankings import check_comparable
from .table import BOTH_BAD, TIE, Floats, Ints, VoteTable

_WEAK = 1e-6
"""The precision with which everything is drawn to zero, so that what the votes leave open has a value."""

_POOLINGS = (0.02, 2.0)
"""Between which standard deviations of languages' additions the likeliest is sought."""


@dataclass(frozen=True)
class Features:
    """What an answer's form may add: by vote, A's less B's; `values` are (votes, names), NaN where nobody knows."""

    names: tuple[str, ...]
    values: Floats


@dataclass(frozen=True)
class Contrast:
    """A difference of strengths, or another combination of the model's numbers, with its error."""

    value: float
    stderr: float


@dataclass(frozen=True)
class StrengthModel:
    """The fitted model of `systems` in `languages`.

    `strengths` have mean zero, `additions` are (systems, languages), `left` and `tie_weights` one a language, `style`
    one a feature; `pooling` is the standard deviation of the additions, 0 where there is one language.
    """

    systems: tuple[str, ...]
    languages: tuple[str, ...]
    features: tuple[str, ...]
    pooling: float
    values: Floats
    covariances: tuple[Floats, Floats, Floats]
    log_likelihood: float
    degrees: int

    @property
    def strengths(self) -> Floats:
        """By system, natural logarithms of odds, over all languages alike."""
        return self.values[: len(self.systems)]

    @cached_property
    def additions(self) -> Floats:
        """What each language adds to each system's strength."""
        size = len(self.systems)
        return self.values[size : size + size * len(self.languages)].reshape(size, len(self.languages))

    @property
    def left(self) -> Mapping[str, float]:
        """By language the log-odds that being on the left is worth."""
        return dict(zip(self.languages, self.values[self._left : self._ties].tolist(), strict=True))

    @property
    def tie_weights(self) -> Mapping[str, float]:
        """By language Davidson's nu."""
        end = self._ties + len(self.languages)
        return dict(zip(self.languages, np.exp(self.values[self._ties : end]).tolist(), strict=True))

    @property
    def style(self) -> Mapping[str, float]:
        """By feature the log-odds of one standard deviation more."""
        return dict(zip(self.features, self.values[self._ties + len(self.languages) :].tolist(), strict=True))

    @property
    def _left(self) -> int:
        return len(self.systems) * (1 + len(self.languages))

    @property
    def _ties(self) -> int:
        return self._left + len(self.languages)

    def difference(self, system_a: str, system_b: str, language: str | None = None) -> Contrast:
        """How far A is ahead of B, in one language or over all alike."""
        weights = np.zeros(len(self.values))
        size = len(self.languages)
        shares = np.full(size, 1.0 / size)
        if language is not None:
            shares = (np.array(self.languages) == language).astype(np.float64)
        for system, sign in ((system_a, 1.0), (system_b, -1.0)):
            place = self.systems.index(system)
            weights[place] += sign
            start = len(self.systems) + place * size
            weights[start : start + size] += sign * shares
        return self.contrast(weights)

    def left_of(self, language: str) -> Contrast:
        """What being on the left is worth in a language, with its error."""
        return self._single(self._left + self.languages.index(language))

    def log_tie_weight(self, language: str) -> Contrast:
        """The logarithm of a language's nu, with its error."""
        return self._single(self._ties + self.languages.index(language))

    def style_of(self, feature: str) -> Contrast:
        """What one standard deviation more of a feature is worth, with its error."""
        return self._single(self._ties + len(self.languages) + self.features.index(feature))

    def _single(self, place: int) -> Contrast:
        weights = np.zeros(len(self.values))
        weights[place] = 1.0
        return self.contrast(weights)

    def contrast(self, weights: Floats) -> Contrast:
        """The value of a combination, with the larger of its two-way error and those of either dimension alone."""
        by_group, by_rater, both = (max(0.0, float(weights @ part @ weights)) for part in self.covariances)
        variance = max(by_group + by_rater - both, by_group, by_rater)
        return Contrast(float(weights @ self.values), math.sqrt(variance))


def fit(table: VoteTable, features: Features | None = None, *, pooling: float | None = None) -> StrengthModel:
    """The model of all votes; `pooling` is estimated unless given. Raises DataError for systems that do not compare."""
    check_comparable(table)
    problem = _Problem(table, features or Features((), np.zeros((len(table), 0))))
    if len(problem.languages) < 2:
        pooling = 0.0
    elif pooling is None:
        pooling = problem.likeliest_pooling()
    values = problem.solve(pooling)
    return StrengthModel(
        systems=table.systems,
        languages=problem.languages,
        features=problem.features.names,
        pooling=pooling,
        values=problem.centred(values),
        covariances=problem.covariances(values, pooling),
        log_likelihood=-problem.loss(values, np.zeros(len(values)))[0],
        degrees=_degrees(table),
    )


def _degrees(table: VoteTable) -> int:
    """Of the smaller number of clusters; a single annotator says nothing of others, and is none."""
    counts = [len(np.unique(table.group)), len(np.unique(table.rater))]
    return min(count for count in counts if count > 1 or count == counts[0]) - 1


class _Problem:
    """The votes as a sparse design, and the likelihood of the model's numbers."""

    def __init__(self, table: VoteTable, features: Features) -> None:
        self.table = table
        used = np.unique(table.language)
        self.languages = tuple(table.languages[place] for place in used)
        self.language: Ints = np.searchsorted(used, table.language)
        self.features = Features(features.names, _standardised(features.values, self.language))
        self.num_etas = len(table.systems) * (1 + len(used)) + len(used) + len(features.names)
        self.design = self._design()
        self.is_tie = np.isin(table.outcome, (TIE, BOTH_BAD)).astype(np.float64)
        self.sign = np.where(self.is_tie > 0, 0.0, 2.0 * table.value - 1.0)

    def _design(self) -> Any:
        """Rows of `d`, with the columns of theta, delta, kappa and beta."""
        table, size, width = self.table, len(self.table.systems), len(self.languages)
        rows = np.arange(len(table))
        entries = [
            (table.a, np.ones(len(table))),
            (table.b, -np.ones(len(table))),
            (size + table.a * width + self.language, np.ones(len(table))),
            (size + table.b * width + self.language, -np.ones(len(table))),
            (size * (1 + width) + self.language, table.first / 2.0),
            *(
                (np.full(len(table), size * (1 + width) + width + number), self.features.values[:, number])
                for number in range(len(self.features.names))
            ),
        ]
        columns = np.concatenate([column for column, _ in entries])
        values = np.concatenate([value for _, value in entries])
        return csr_array((values, (np.tile(rows, len(entries)), columns)), shape=(len(table), self.num_etas))

    def odds(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """The chances that A wins, B wins, and of a tie, by vote."""
        won, lost, tied = np.exp(self._log_odds(values))
        return won, lost, tied

    def _log_odds(self, values: Floats) -> Floats:
        """The logarithms of the chances, (3, votes), which are finite however far a search goes astray."""
        difference = self.design @ self._etas(values)
        log_nu = values[self._tie_places][self.language]
        logs = np.stack([difference / 2, -difference / 2, log_nu])
        logs -= logs.max(axis=0)
        found: Floats = logs - np.log(np.exp(logs).sum(axis=0))
        return found

    def loss(self, values: Floats, precision: Floats) -> tuple[float, Floats]:
        """The negative log-likelihood with its penalty, and its gradient."""
        log_won, log_lost, log_tied = self._log_odds(values)
        upper = (1 + self.sign) / 2 * (1 - self.is_tie)
        lower = (1 - self.sign) / 2 * (1 - self.is_tie)
        logs = upper * log_won + lower * log_lost + self.is_tie * log_tied
        scores = self._eta_scores(np.exp(log_won), np.exp(log_lost)), self._tie_scores(np.exp(log_tied))
        gradient = self._gathered(*scores)
        return float(-logs.sum() + 0.5 * (precision * values**2).sum()), precision * values - gradient

    def _eta_scores(self, won: Floats, lost: Floats) -> Floats:
        return 0.5 * (self.sign - (won - lost))

    def _tie_scores(self, tied: Floats) -> Floats:
        return self.is_tie - tied

    def _gathered(self, eta_scores: Floats, tie_scores: Floats) -> Floats:
        etas = self.design.T @ eta_scores
        ties = np.bincount(self.language, weights=tie_scores, minlength=len(self.languages))
        found: Floats = np.concatenate([etas[: self._split], ties, etas[self._split :]])
        return found

    @property
    def _split(self) -> int:
        """Where the tie weights stand among the columns of `design`: before those of the features."""
        return self.num_etas - len(self.features.names)

    @property
    def _tie_places(self) -> slice:
        return slice(self._split, self._split + len(self.languages))

    def _etas(self, values: Floats) -> Floats:
        return np.concatenate([values[: self._split], values[self._tie_places.stop :]])

    def precision(self, pooling: float) -> Floats:
        """Of each number's penalty."""
        found = np.full(self.num_etas + len(self.languages), _WEAK)
        size = len(self.table.systems)
        found[size : size + size * len(self.languages)] = 1e6 if not pooling else pooling**-2
        return found

    def solve(self, pooling: float) -> Floats:
        precision = self.precision(pooling)
        start = np.zeros(len(precision))
        found = minimize(
            self.loss, start, args=(precision,), method="L-BFGS-B", jac=True,
            options={"maxiter": 5000, "maxfun": 10000, "ftol": 1e-14, "gtol": 1e-7},
        )  # fmt: skip
        values: Floats = found.x
        return self._polished(values, precision)

    def _polished(self, values: Floats, precision: Floats) -> Floats:
        """Two steps of Newton: L-BFGS stops where its line search can do no more."""
        for _ in range(2):
            _, gradient = self.loss(values, precision)
            values = values - np.linalg.solve(self.information(values) + np.diag(precision), gradient)
        return values

    def information(self, values: Floats) -> Floats:
        """The matrix of second derivatives of the negative log-likelihood."""
        won, lost, tied = self.odds(values)
        curvature = 0.25 * ((won + lost) - (won - lost) ** 2)
        cross = -0.5 * (won - lost) * tied
        indicator = csr_array(
            (np.ones(len(self.language)), (np.arange(len(self.language)), self.language)),
            shape=(len(self.language), len(self.languages)),
        )
        etas = (self.design.T @ self.design.multiply(curvature[:, None])).toarray()
        mixed = (self.design.T @ indicator.multiply(cross[:, None])).toarray()
        ties = np.diag(np.bincount(self.language, weights=tied * (1 - tied), minlength=len(self.languages)))
        whole = np.block([[etas, mixed], [mixed.T, ties]])
        ties_at = self.num_etas + np.arange(len(self.languages))
        order = np.concatenate([np.arange(self._split), ties_at, np.arange(self._split, self.num_etas)])
        found: Floats = whole[np.ix_(order, order)]
        return found

    def covariances(self, values: Floats, pooling: float) -> tuple[Floats, Floats, Floats]:
        """The sandwich by prompt, by annotator and by both."""
        won, lost, tied = self.odds(values)
        bread = np.asarray(np.linalg.inv(self.information(values) + np.diag(self.precision(pooling))), dtype=np.float64)
        eta_scores, tie_scores = self._eta_scores(won, lost), self._tie_scores(tied)
        table = self.table
        both = table.group * (int(table.rater.max()) + 1) + table.rater
        by_group, by_rater, by_both = (
            self._sandwich(bread, clusters, eta_scores, tie_scores) for clusters in (table.group, table.rater, both)
        )
        return by_group, by_rater, by_both

    def _sandwich(self, bread: Floats, clusters: Ints, eta_scores: Floats, tie_scores: Floats) -> Floats:
        """Zero for a single cluster, which says nothing of its spread."""
        names, place = np.unique(clusters, return_inverse=True)
        if len(names) < 2:
            return np.zeros_like(bread)
        rows = np.arange(len(place))
        belongs = csr_array((np.ones(len(place)), (place, rows)), shape=(len(names), len(place)))
        etas = (belongs @ self.design.multiply(eta_scores[:, None])).toarray()
        ties = np.zeros((len(names), len(self.languages)))
        np.add.at(ties, (place, self.language), tie_scores)
        scores = np.hstack([etas[:, : self._split], ties, etas[:, self._split :]]) @ bread
        found: Floats = scores.T @ scores * (len(names) / (len(names) - 1))
        return found

    def likeliest_pooling(self) -> float:
        """The standard deviation of additions with the largest marginal likelihood (Laplace's approximation)."""
        low, high = (math.log(bound) for bound in _POOLINGS)
        found = minimize_scalar(
            lambda log: -self._evidence(math.exp(log)), bounds=(low, high), method="bounded", options={"xatol": 0.05}
        )
        return math.exp(float(found.x))

    def _evidence(self, pooling: float) -> float:
        precision = self.precision(pooling)
        values = self.solve(pooling)
        penalised, _ = self.loss(values, precision)
        _, logdet = np.linalg.slogdet(self.information(values) + np.diag(precision))
        return float(-penalised + 0.5 * np.log(precision).sum() - 0.5 * logdet)

    def centred(self, values: Floats) -> Floats:
        """The same model with strengths of mean zero."""
        size = len(self.table.systems)
        moved = values.copy()
        moved[:size] -= moved[:size].mean()
        return moved


def _standardised(values: Floats, language: Ints) -> Floats:
    """Each feature over its standard deviation within a language; what is not known is no difference."""
    found = np.zeros_like(values)
    for place in np.unique(language):
        rows = language == place
        part = values[rows]
        spread = np.sqrt(np.nanmean(part**2, axis=0)) if len(part) else np.ones(values.shape[1])
        found[rows] = np.nan_to_num(part / np.where(spread > 0, spread, 1.0))
    return found
