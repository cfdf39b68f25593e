"""How long 100,000 votes take: every estimand and interval, rankings over drawn prompts, the model with its sandwich.

    python benchmarks/preference.py                      # 100,000 votes of 60 systems in six languages, and a quarter
    python benchmarks/preference.py --votes 20000

Votes are made up: systems of normal strengths, prompts and annotators that matter. The target is 60 s on two cores.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import measuring
import numpy as np

from evalsuite.preference.agreement import alpha_of, between_people
from evalsuite.preference.rank_ranges import rank_ranges
from evalsuite.preference.rankings import rankings
from evalsuite.preference.strength_model import fit
from evalsuite.preference.table import LOSS, TIE, WIN, VoteTable
from evalsuite.preference.win_rates import rates_of_systems, win_rates

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")


def made_up(num_votes: int, num_systems: int, num_prompts: int, num_annotators: int, seed: int) -> VoteTable:
    """Votes on random pairs of systems, prompts and languages; annotators keep to one language."""
    random = np.random.default_rng(seed)
    a = random.integers(0, num_systems, num_votes)
    b = (a + random.integers(1, num_systems, num_votes)) % num_systems
    language = random.integers(0, len(LANGUAGES), num_votes)
    prompt = random.integers(0, num_prompts, num_votes)
    rater = random.integers(0, num_annotators, num_votes) * len(LANGUAGES) + language
    strength = random.normal(0, 1, num_systems)
    taste = random.normal(0, 0.6, (num_prompts, num_systems))
    first = random.choice([-1, 1], num_votes)
    gap = strength[a] - strength[b] + taste[prompt, a] - taste[prompt, b] + 0.1 * first
    odds = np.stack([np.exp(gap / 2), np.exp(-gap / 2), np.full(num_votes, 0.6)])
    place = random.random(num_votes) * odds.sum(axis=0)
    outcome = np.select([place < odds[0], place < odds[0] + odds[1]], [WIN, LOSS], TIE)
    return VoteTable(
        systems=tuple(f"system {number:02}" for number in range(num_systems)),
        languages=LANGUAGES,
        items=tuple(map(str, range(num_prompts))),
        groups=tuple(map(str, range(num_prompts))),
        raters=tuple(map(str, range(num_annotators * len(LANGUAGES)))),
        a=a,
        b=b,
        language=language,
        item=prompt,
        group=prompt,
        rater=rater,
        value=np.select([outcome == WIN, outcome == LOSS], [1.0, 0.0], 0.5),
        outcome=outcome,
        first=first,
        tells_ties=np.ones(num_votes, dtype=np.bool_),
    )


def parts(table: VoteTable) -> dict[str, Callable[[], object]]:
    """What a report of these votes needs."""
    return {
        "win rates of all pairs": lambda: win_rates(table),
        "win rates of systems": lambda: rates_of_systems(table),
        "agreement": lambda: (between_people(table), alpha_of(table, seed=1)),
        "rankings, 300 draws": lambda: rankings(table, num_draws=300),
        "model and rank ranges": lambda: rank_ranges(fit(table)),
    }


def measured(table: VoteTable) -> dict[str, float]:
    """Seconds of each part."""
    found = {}
    for name, part in parts(table).items():
        start = time.perf_counter()
        part()
        found[name] = time.perf_counter() - start
    return found


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--systems", type=int, default=60)
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--annotators", type=int, default=100, help="of each language")
    return parser.parse_args(arguments)


def main() -> None:
    """Measure and print."""
    options = parse()
    sizes = (options.votes // 4, options.votes)
    tables = [made_up(size, options.systems, options.prompts, options.annotators, seed=1) for size in sizes]
    small, large = (measured(table) for table in tables)
    for found in (small, large):
        found["together"] = sum(found.values())
    rows = [
        {"part": name, f"{sizes[0]:,} votes, s": small[name], f"{sizes[1]:,} votes, s": large[name]} for name in large
    ]
    print(f"{measuring.machine_line(measuring.machine())}\n\n{measuring.table(rows)}")


if __name__ == "__main__":
    main()
