"""Summaries of made-up votes for pages and figures: what systems are called, and what there is, is up to the test."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from evalsuite.preference.summarising import Gathered, summary_of
from evalsuite.preference.summary import PreferenceSummary, VoteFile
from evalsuite.preference.table import table_of
from evalsuite.verdicts import Comparison, Winner
from evalsuite.votes import ACCEPTABILITY, QualityRating

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
OUTCOMES = (Winner.A, Winner.B, Winner.TIE, Winner.BOTH_BAD)
JUDGE = "judge"


@cache
def summary(
    systems: tuple[str, ...] = ("first", "second"),
    *,
    num_languages: int = 2,
    num_prompts: int = 8,
    votes: int = 6,
    tells_ties: bool = True,
    has_sides: bool = True,
    has_quality: bool = False,
    has_judge: bool = False,
    raters: tuple[str, ...] = ("p", "q", "r"),
    seed: int = 1,
) -> PreferenceSummary:
    """`votes` on each prompt in each language, of random pairs; later systems are weaker."""
    random = np.random.default_rng(seed)
    rows: list[Comparison] = []
    for language in LANGUAGES[:num_languages]:
        for prompt in range(num_prompts):
            for _ in range(votes):
                a, b = sorted(random.choice(len(systems), 2, replace=False))
                chances = np.array([0.4, 0.25, 0.2, 0.15])
                winner = OUTCOMES[int(random.choice(4, p=chances))]
                rater = raters[int(random.integers(len(raters)))]
                first = systems[a if random.random() < 0.5 else b] if has_sides else ""
                rows.append(_vote(str(prompt), language, systems[a], systems[b], winner, rater, first, tells_ties))
                if has_judge:
                    rows.append(
                        _vote(str(prompt), language, systems[a], systems[b], OUTCOMES[prompt % 3], JUDGE, "", True)
                    )
    table = table_of(rows)
    is_judge = np.array([table.raters[rater] == JUDGE for rater in table.rater])
    found = Gathered(
        people=table.where(~is_judge), judges=table.where(is_judge), dropped={"skipped": 2}, num_rows=len(rows) + 2,
        ratings=_ratings(systems, LANGUAGES[:num_languages], num_prompts) if has_quality else (),
        scale=ACCEPTABILITY if has_quality else None, files=(VoteFile(name="votes.jsonl", sha256="ab" * 32),),
    )  # fmt: skip
    return summary_of(found, seed=1, num_draws=20)


def _vote(
    item: str, language: str, a: str, b: str, winner: Winner, rater: str, first: str, tells_ties: bool
) -> Comparison:
    return Comparison(
        item=item, group=item, language=language, system_a=a, system_b=b, winner=winner, rater=rater,
        shown_first=first, tells_ties=tells_ties,
    )  # fmt: skip


def _ratings(systems: Sequence[str], languages: Sequence[str], num_prompts: int) -> tuple[QualityRating, ...]:
    return tuple(
        QualityRating(item=str(prompt), group=str(prompt), language=language, system=system, rater=f"r{prompt % 3}",
                      level=ACCEPTABILITY.levels[(prompt * prompt + place) % 4])
        for language in languages
        for place, system in enumerate(systems)
        for prompt in range(num_prompts)
    )  # fmt: skip
