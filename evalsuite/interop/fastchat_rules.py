"""Numbers from MT-Bench judgments exactly as FastChat's ``show_result.py`` prints them, and what it does not print.

Source: lm-sys/FastChat, ``fastchat/llm_judge/show_result.py`` at 0e6d3e4b. It leaves out rows that were not
parsed, counts a repeated row again, and takes all judges and templates of a file together; here the rows left out and
repeated are counted beside its numbers. Ratings outside the scale enter, as there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.interop.judged import grouped
from evalsuite.interop.mt_bench_files import PairJudgment, SingleJudgment, count_repeated, with_baseline
from evalsuite.verdicts import Winner


@dataclass(frozen=True)
class FastChatRating:
    """A model's row in the three tables of ``--mode single``: None where FastChat has no row.

    `mt_bench_total` is the mean over all `n` rows with a rating, not that of the two turns' means. `dropped` rows have
    none, and `duplicates` are rows on what an earlier row is on, whatever either says; all that have a rating count.
    """

    model: str
    judges: tuple[tuple[str, str], ...]
    mt_bench_turn1: float | None
    mt_bench_turn2: float | None
    mt_bench_total: float | None
    n: int
    dropped: int
    duplicates: int


@dataclass(frozen=True)
class FastChatWins:
    """A model's row in the table of the pairwise modes: shares of `n` comparisons, None where FastChat has no row.

    `dropped` comparisons lack a verdict in either order, `duplicates` are on what an earlier row is on.
    """

    model: str
    judges: tuple[tuple[str, str], ...]
    win: int
    loss: int
    tie: int
    win_rate: float | None
    loss_rate: float | None
    win_rate_adjusted: float | None
    n: int
    dropped: int
    duplicates: int


def fastchat_ratings(judgments: Sequence[SingleJudgment]) -> tuple[FastChatRating, ...]:
    """One row a model, the best first, over all its judges and templates, as FastChat takes a file."""
    models = grouped(judgments, lambda one: one.model)
    rows = [_rating(model, found) for model, found in models.items()]
    return tuple(sorted(rows, key=lambda row: (_descending(row.mt_bench_total), row.model)))


def _rating(model: str, judgments: Sequence[SingleJudgment]) -> FastChatRating:
    rated = [(one.turn, one.rating) for one in judgments if one.rating is not None]
    return FastChatRating(
        model=model,
        judges=_judges(judgments),
        mt_bench_turn1=_mean([rating for turn, rating in rated if turn == 1]),
        mt_bench_turn2=_mean([rating for turn, rating in rated if turn == 2]),
        mt_bench_total=_mean([rating for _, rating in rated]),
        n=len(rated),
        dropped=len(judgments) - len(rated),
        duplicates=count_repeated(judgments),
    )


def fastchat_wins(judgments: Sequence[PairJudgment], baseline: str = "") -> tuple[FastChatWins, ...]:
    """One row a model, the best first: over all pairs, or with a `baseline` over those with it, without its own row.

    Raises UsageError for a baseline that no row has.
    """
    judgments = with_baseline(judgments, baseline)
    models: dict[str, list[PairJudgment]] = {}
    for one in judgments:
        for model in {one.model_1, one.model_2} - {baseline}:
            models.setdefault(model, []).append(one)
    rows = [_wins(model, found) for model, found in models.items()]
    return tuple(sorted(rows, key=lambda row: (_descending(row.win_rate_adjusted), row.model)))


def _wins(model: str, judgments: Sequence[PairJudgment]) -> FastChatWins:
    counts = Counter(one.seen_by(model) for one in judgments)
    win, loss, tie = counts[Winner.A], counts[Winner.B], counts[Winner.TIE]
    n = win + loss + tie
    return FastChatWins(
        model=model,
        judges=_judges(judgments),
        win=win,
        loss=loss,
        tie=tie,
        win_rate=win / n if n else None,
        loss_rate=loss / n if n else None,
        win_rate_adjusted=(win + 0.5 * tie) / n if n else None,
        n=n,
        dropped=counts[None],
        duplicates=count_repeated(judgments),
    )


def _judges(judgments: Sequence[SingleJudgment] | Sequence[PairJudgment]) -> tuple[tuple[str, str], ...]:
    """Judging models with their templates, as the rows name them."""
    return tuple(sorted({(one.judge, one.template) for one in judgments}))


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _descending(value: float | None) -> float:
    return math.inf if value is None else -value
