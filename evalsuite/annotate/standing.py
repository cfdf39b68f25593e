"""How far a study is, without a word about who wins."""

from __future__ import annotations

from evalsuite.types import Record

from .ledger import Ledger


class LanguageStanding(Record, frozen=True, kw_only=True):
    """One language: its pairs, those with as many votes as asked, and all votes. `open` are shown and not answered."""

    language: str
    prompts: int
    pairs: int
    complete: int
    votes: int
    skips: int
    open: int


class RaterStanding(Record, frozen=True, kw_only=True):
    """One rater: what they answered, skipped and have open, how they did on pairs with a known answer, how long."""

    rater: str
    name: str
    languages: tuple[str, ...]
    has_begun: bool
    votes: int
    skips: int
    open: int
    gold: int
    gold_right: int
    median_seconds: float | None
    last_vote_at: str


class Standing(Record, frozen=True, kw_only=True):
    """The whole study."""

    study: str
    is_closed: bool
    overlap: int
    languages: tuple[LanguageStanding, ...]
    raters: tuple[RaterStanding, ...]


_LANGUAGES = (
    "WITH counted AS (SELECT pair.id, item, language,"
    " (SELECT count(*) FROM assignment WHERE pair = pair.id AND repeat_of IS NULL AND choice <> 'skip') AS votes,"
    " (SELECT count(*) FROM assignment WHERE pair = pair.id AND choice = 'skip') AS skips,"
    " (SELECT count(*) FROM assignment WHERE pair = pair.id AND choice IS NULL) AS open"
    " FROM pair JOIN item ON item.id = item WHERE NOT is_gold)"
    " SELECT language, count(DISTINCT item) AS prompts, count(*) AS pairs, sum(votes >= ?) AS complete,"
    " sum(votes) AS votes, sum(skips) AS skips, sum(open) AS open FROM counted GROUP BY language ORDER BY language"
)
_RATERS = (
    "SELECT rater, sum(choice IS NOT NULL AND choice <> 'skip') AS votes, sum(choice = 'skip') AS skips,"
    " sum(choice IS NULL) AS open, sum(is_gold AND choice <> 'skip') AS gold,"
    " sum(is_gold AND choice = iif(left_is_a, 'left', 'right')) AS gold_right"
    " FROM assignment JOIN pair ON pair.id = pair GROUP BY rater"
)
_TIMES = (
    "SELECT rater, seconds, received_at FROM vote JOIN assignment ON assignment.id = assignment ORDER BY received_at"
)


def standing(ledger: Ledger) -> Standing:
    """The study as it is now."""
    overlap = ledger.file.overlap
    languages = tuple(LanguageStanding(**dict(row)) for row in ledger.rows(_LANGUAGES, (overlap,)))
    return Standing(
        study=ledger.file.study,
        is_closed=ledger.is_closed,
        overlap=overlap,
        languages=languages,
        raters=_raters(ledger),
    )


def _raters(ledger: Ledger) -> tuple[RaterStanding, ...]:
    import numpy as np

    counts = {row["rater"]: row for row in ledger.rows(_RATERS)}
    seconds: dict[int, list[float]] = {}
    last: dict[int, str] = {}
    for row in ledger.rows(_TIMES):
        last[row["rater"]] = row["received_at"]
        if row["seconds"] is not None:
            seconds.setdefault(row["rater"], []).append(row["seconds"])
    keys = ("votes", "skips", "open", "gold", "gold_right")
    return tuple(
        RaterStanding(
            rater=f"rater-{rater.id}",
            name=rater.name,
            languages=rater.languages,
            has_begun=rater.has_agreed,
            median_seconds=float(np.median(seconds[rater.id])) if rater.id in seconds else None,
            last_vote_at=last.get(rater.id, ""),
            **{key: int(counts[rater.id][key] or 0) if rater.id in counts else 0 for key in keys},
        )
        for rater in ledger.raters()
    )
