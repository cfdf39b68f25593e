"""How often gates are wrong: false failures, missed regressions, false passes and coverage, by simulation.

Every verdict is the product's own: paired rows go through `differences`, chances through Holm, all through the rule.

    python benchmarks/gate_errors.py --draws 10000
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from scipy.special import ndtri

from evalsuite.metrics import MEAN, mean
from evalsuite.records import Estimate
from evalsuite.stats.differences import Difference, difference_of, mean_difference
from evalsuite.stats.gate_rules import items_to_fail, items_to_pass, verdict_of
from evalsuite.stats.paired_rows import PairedGroup, PairedRows
from evalsuite.stats.paired_tests import Floats, holm

ALPHA = 0.05
_ESTIMATE = Estimate(
    task="task", family="family", model="", language="en", metric="acc", protocol="", signature="v1", value=0.0,
    stderr=None, low=None, high=None, n=0, num_clusters=0, interval="", formula=MEAN, bounds=(0.0, 1.0), scale=100.0,
)  # fmt: skip


def paired(
    baseline: Floats,
    candidate: Floats,
    clusters: Sequence[str],
    task: str = "task",
    bounds: tuple[float, float] | None = (0.0, 1.0),
) -> PairedRows:
    ones = np.ones(len(baseline))
    return PairedRows(
        estimate=msgspec.structs.replace(_ESTIMATE, task=task, bounds=bounds),
        reduce=mean,
        names=tuple(map(str, range(len(baseline)))),
        clusters=tuple(clusters),
        baseline=np.column_stack([baseline, ones]),
        candidate=np.column_stack([candidate, ones]),
        num_left_out=0,
        num_available=len(baseline),
    )


@dataclass
class Independent:
    """Right/wrong items of which shares are gained and lost; a difference depends on the two counts alone."""

    n: int
    gained: float
    lost: float
    known: dict[tuple[int, int], Difference] = field(default_factory=dict)

    @property
    def truth(self) -> float:
        return self.gained - self.lost

    def draw(self, random: np.random.Generator, num_draws: int) -> list[Difference]:
        rest = 1 - self.gained - self.lost
        counts = random.multinomial(self.n, [self.gained, self.lost, rest], size=num_draws)
        return [self._difference(int(gained), int(lost)) for gained, lost, _ in counts]

    def _difference(self, gained: int, lost: int) -> Difference:
        if (gained, lost) not in self.known:
            before, after = np.zeros(self.n), np.zeros(self.n)
            after[:gained] = 1.0
            before[gained : gained + lost] = 1.0
            found = difference_of(paired(before, after, list(map(str, range(self.n)))))
            assert found is not None
            self.known[gained, lost] = found
        return self.known[gained, lost]


@dataclass(frozen=True)
class Clustered:
    """Right/wrong items in groups that are alike: thresholds of normal variables that share a part."""

    num_clusters: int
    size: int
    drop: float
    alike: float = 0.5
    same: float = 0.8
    level: float = 0.6

    @property
    def truth(self) -> float:
        return -self.drop

    def draw(self, random: np.random.Generator, num_draws: int) -> list[Difference]:
        names = [str(index) for index in range(self.num_clusters) for _ in range(self.size)]
        return [self._one(random, names) for _ in range(num_draws)]

    def _one(self, random: np.random.Generator, names: list[str]) -> Difference:
        shape = (self.num_clusters, self.size)

        def field_() -> Floats:
            shared = random.normal(size=(self.num_clusters, 1)) * np.sqrt(self.alike)
            return np.asarray(shared + random.normal(size=shape) * np.sqrt(1 - self.alike))

        first = field_()
        second = self.same * first + np.sqrt(1 - self.same**2) * field_()
        before = (first < ndtri(self.level)).astype(float).ravel()
        after = (second < ndtri(self.level - self.drop)).astype(float).ravel()
        found = difference_of(paired(before, after, names))
        assert found is not None
        return found


@dataclass(frozen=True)
class Ratings:
    """Ratings from 1 to 10 of the same questions by two models, rounded to halves."""

    n: int
    drop: float

    @property
    def truth(self) -> float:
        return -self.drop

    def draw(self, random: np.random.Generator, num_draws: int) -> list[Difference]:
        found = []
        for _ in range(num_draws):
            shared = random.normal(6, 1.5, self.n)
            before = np.round(2 * (shared + random.normal(0, 1, self.n))) / 2
            after = np.round(2 * (shared - self.drop + random.normal(0, 1, self.n))) / 2
            one = difference_of(paired(before, after, list(map(str, range(self.n))), bounds=(-4.0, 16.0)))
            assert one is not None
            found.append(one)
        return found


@dataclass(frozen=True)
class Macro:
    """The mean over languages of one set of translated items: an item is one cluster in all of them."""

    num_items: int
    languages: tuple[str, ...] = ("en", "zh", "fr", "ar", "es", "hi")
    drop: float = 0.0

    @property
    def truth(self) -> float:
        return -self.drop

    def draw(self, random: np.random.Generator, num_draws: int) -> list[Difference]:
        names = list(map(str, range(self.num_items)))
        found = []
        for _ in range(num_draws):
            shape = (len(self.languages), self.num_items)
            shared = random.normal(size=(1, self.num_items)) * np.sqrt(0.5)
            first = shared + random.normal(size=shape) * np.sqrt(0.5)
            moved = random.normal(size=(1, self.num_items)) * np.sqrt(0.5)
            second = 0.8 * first + 0.6 * (moved + random.normal(size=shape) * np.sqrt(0.5))
            parts = tuple(
                paired((a < ndtri(0.6)).astype(float), (b < ndtri(0.6 - self.drop)).astype(float), names, language)
                for language, a, b in zip(self.languages, first, second, strict=True)
            )
            one = mean_difference(PairedGroup("macro", "macro", parts))
            assert one is not None
            found.append(one)
        return found


Draw = Callable[[np.random.Generator, int], list[Difference]]


def coverage(draws: Sequence[Difference], truth: float) -> dict[str, float]:
    """How often the interval holds the truth, and how often the one-sided bound lies below it."""
    held = [one.low is not None and one.high is not None and one.low <= truth <= one.high for one in draws]
    below = [one.least_gain is not None and one.least_gain <= truth for one in draws]
    return {"interval": float(np.mean(held)), "one_sided": float(np.mean(below))}


def verdicts(draws: Sequence[Difference], margin: float) -> dict[str, float]:
    found = [verdict_of(one, margin, one.p_worse, ALPHA) for one in draws]
    return {name: found.count(name) / len(found) for name in ("pass", "fail", "inconclusive")}


def many_gates(gates: Sequence[Independent], margin: float, num_draws: int, seed: int) -> dict[str, float]:
    """Of so many gates at once: how often any fails, and how often the first does."""
    random = np.random.default_rng(seed)
    columns = [gate.draw(random, num_draws) for gate in gates]
    any_fails = first_fails = all_pass = 0
    for row in zip(*columns, strict=True):
        chances = holm([one.p_worse for one in row])
        found = [verdict_of(one, margin, chance, ALPHA) for one, chance in zip(row, chances, strict=True)]
        any_fails += "fail" in found
        first_fails += found[0] == "fail"
        all_pass += all(one == "pass" for one in found)
    return {
        "any_fails": any_fails / num_draws,
        "first_fails": first_fails / num_draws,
        "all_pass": all_pass / num_draws,
    }


def study(num_draws: int, seed: int = 8) -> dict[str, dict[str, float]]:
    """Every figure, by name."""
    random = np.random.default_rng(seed)
    discordance, margin = 0.10, 0.02
    to_pass = items_to_pass(discordance, margin)
    drop = 0.05
    to_fail = items_to_fail(discordance, drop, margin)
    assert to_pass is not None
    assert to_fail is not None
    half = discordance / 2
    found = {
        f"one gate, no change, n={to_pass}": verdicts(Independent(to_pass, half, half).draw(random, num_draws), margin),
        f"one gate, drop of the margin, n={to_pass}": verdicts(
            Independent(to_pass, half - margin / 2, half + margin / 2).draw(random, num_draws), margin
        ),
        f"one gate, planned drop of {drop:g}, n={to_fail}": verdicts(
            Independent(to_fail, half - drop / 2, half + drop / 2).draw(random, num_draws), margin
        ),
        "60 gates, no change, n=500": many_gates([Independent(500, half, half)] * 60, margin, num_draws, seed + 1),
    }
    strict = items_to_fail(discordance, drop, margin, alpha=ALPHA / 60)
    assert strict is not None
    found[f"60 gates, one drops by {drop:g}, n={strict}"] = many_gates(
        [Independent(strict, half - drop / 2, half + drop / 2), *[Independent(strict, half, half)] * 59],
        margin, num_draws, seed + 2,
    )  # fmt: skip
    for n, shares in ((100, (0.05, 0.05)), (300, (0.05, 0.08)), (1000, (0.05, 0.05)), (1000, (0.02, 0.05))):
        gate = Independent(n, *shares)
        found[f"coverage, independent, n={n}, {shares}"] = coverage(gate.draw(random, num_draws), gate.truth)
    for model in (Clustered(30, 6, 0.0), Clustered(30, 6, 0.05), Clustered(100, 4, 0.05), Clustered(30, 3, 0.05, 0.9)):
        name = f"coverage, {model.num_clusters} clusters of {model.size}, drop {model.drop:g}, alike {model.alike:g}"
        draws = model.draw(random, num_draws)
        found[name] = {**coverage(draws, model.truth), "p_below_alpha": _below(draws)}
    for rated in (Ratings(80, 0.0), Ratings(80, 0.3)):
        draws = rated.draw(random, num_draws)
        found[f"coverage, ratings, n={rated.n}, drop {rated.drop:g}"] = {
            **coverage(draws, rated.truth), "p_below_alpha": _below(draws),
        }  # fmt: skip
    for macro in (Macro(40), Macro(100, drop=0.05)):
        draws = macro.draw(random, num_draws)
        found[f"coverage, mean of six languages, {macro.num_items} items, drop {macro.drop:g}"] = {
            **coverage(draws, macro.truth), "p_below_alpha": _below(draws),
        }  # fmt: skip
    return found


def _below(draws: Sequence[Difference]) -> float:
    return float(np.mean([one.p_worse < ALPHA for one in draws]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10_000)
    options = parser.parse_args()
    for name, figures in study(options.draws).items():
        sys.stdout.write(json.dumps({"case": name, **{key: round(value, 4) for key, value in figures.items()}}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
