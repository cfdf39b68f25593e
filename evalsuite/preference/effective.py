"""The votes that count: of every assignment the last revision, unless it was withdrawn or skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.votes import Choice, Vote


@dataclass(frozen=True)
class Sifted:
    """`votes` count; `skips` are last revisions that choose nothing. All keep the order they came in.

    The votes given are `votes`, `skips`, the `num_superseded` of which a later revision exists, and the
    `num_withdrawn` that nothing came after.
    """

    votes: tuple[Vote, ...]
    skips: tuple[Vote, ...]
    num_superseded: int
    num_withdrawn: int


def effective(votes: Sequence[Vote]) -> tuple[Vote, ...]:
    """The votes that count, in the order they came in. Raises ValueError as `sift` does."""
    return sift(votes).votes


def sift(votes: Sequence[Vote]) -> Sifted:
    """What counts and how much does not. Raises ValueError for a revision that is there twice, as in a doubled file."""
    seen: set[tuple[str, str, int]] = set()
    last: dict[tuple[str, str], int] = {}
    for vote in votes:
        if (vote.study, vote.assignment, vote.revision) in seen:
            raise ValueError(f"assignment {vote.assignment!r} of {vote.study!r} has revision {vote.revision} twice")
        seen.add((vote.study, vote.assignment, vote.revision))
        key = vote.study, vote.assignment
        last[key] = max(vote.revision, last.get(key, vote.revision))
    final = [vote for vote in votes if vote.revision == last[vote.study, vote.assignment]]
    kept = [vote for vote in final if not vote.withdrawn]
    return Sifted(
        votes=tuple(vote for vote in kept if vote.choice is not Choice.SKIP),
        skips=tuple(vote for vote in kept if vote.choice is Choice.SKIP),
        num_superseded=len(votes) - len(final),
        num_withdrawn=len(final) - len(kept),
    )
