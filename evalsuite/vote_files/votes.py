"""Votes as our own studies export them: a head with a checksum, then one revision of one vote a line.

Only the last revision of an assignment counts, unless it was taken back; skips, pairs with a known answer and pairs
shown again are no comparisons of systems. All of these are counted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from evalsuite.errors import DataError
from evalsuite.preference.effective import sift
from evalsuite.verdicts import Comparison
from evalsuite.votes import VOTES_VERSION, Form, QualityRating, Scale, Vote, VoteHeader

from .reading import Imported


def read_votes_files(paths: Sequence[Path]) -> Imported:
    """The votes of one or several exports. Raises DataError for what is not as it was exported, or is there twice."""
    parts = [_read(path) for path in paths]
    votes = _told_apart([vote for _, part in parts for vote in part])
    scales = list(dict.fromkeys(header.scale for header, _ in parts if header.scale))
    if len(scales) > 1:
        raise DataError(f"{paths[0]} and others rate quality on different scales; read them one by one.")
    scale = scales[0] if scales else None
    try:
        sifted = sift(votes)
    except ValueError as error:
        raise DataError(f"{', '.join(map(str, paths))}: {error}; was a study exported twice?") from error
    counted = [vote for vote in sifted.votes if not vote.is_gold and not vote.repeat_of]
    dropped = {
        "changed later": sifted.num_superseded,
        "taken back": sifted.num_withdrawn,
        "skipped": len(sifted.skips),
        "with a known answer": sum(vote.is_gold for vote in sifted.votes),
        "shown again": sum(bool(vote.repeat_of) and not vote.is_gold for vote in sifted.votes),
    }
    return Imported(
        comparisons=tuple(map(_comparison, counted)),
        dropped={reason: count for reason, count in dropped.items() if count},
        votes=votes,
        ratings=tuple(rating for vote in counted for rating in _ratings(vote)) if scale else (),
        scale=scale,
        forms=tuple(map(_forms, counted)),
    )


def _told_apart(votes: Sequence[Vote]) -> tuple[Vote, ...]:
    """Every study numbers its raters from one: those of several studies carry the study's name."""
    if len({vote.study for vote in votes}) < 2:
        return tuple(votes)
    return tuple(msgspec.structs.replace(vote, rater=f"{vote.study}/{vote.rater}") for vote in votes)


def _read(path: Path) -> tuple[VoteHeader, tuple[Vote, ...]]:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    header = _header(path, head)
    if hashlib.sha256(body).hexdigest() != header.sha256:
        raise DataError(f"{path} was changed after it was exported, or is not all of it.")
    votes: list[Vote] = []
    for number, line in enumerate(body.splitlines(), 2):
        try:
            votes.append(msgspec.convert(json.loads(line), Vote))
            _check(votes[-1], header.scale)
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}.") from error
    return header, tuple(votes)


def _header(path: Path, head: bytes) -> VoteHeader:
    try:
        value = json.loads(head)
        version = value.get("evalsuite_votes") if isinstance(value, dict) else None
        if not isinstance(version, int):
            raise DataError(f"{path} holds no votes that `evalsuite annotate export` wrote.")
        if version > VOTES_VERSION:
            raise DataError(f"{path}: written by a newer evalsuite ({version}; this one reads {VOTES_VERSION}).")
        return msgspec.convert(value, VoteHeader)
    except ValueError as error:
        raise DataError(f"{path} holds no votes that `evalsuite annotate export` wrote: {str(error)[:200]}.") from error


def _check(vote: Vote, scale: Scale | None) -> None:
    for level in (vote.quality_left, vote.quality_right):
        if level and (scale is None or level not in scale.levels):
            raise ValueError(f"quality {level!r} is no level of the scale")
    if vote.system_left == vote.system_right:
        raise ValueError(f"{vote.system_left!r} is compared with itself")


def _comparison(vote: Vote) -> Comparison:
    winner = vote.choice.winner
    assert winner is not None  # skips are sifted out
    return Comparison(
        item=vote.item,
        group=vote.group,
        language=vote.language,
        system_a=vote.system_left,
        system_b=vote.system_right,
        winner=winner,
        rater=vote.rater,
        shown_first=vote.system_left,
        tells_ties=True,
    )


def _forms(vote: Vote) -> tuple[Form, Form] | None:
    return (vote.form_left, vote.form_right) if vote.form_left and vote.form_right else None


def _ratings(vote: Vote) -> Iterator[QualityRating]:
    for system, level in ((vote.system_left, vote.quality_left), (vote.system_right, vote.quality_right)):
        if level:
            yield QualityRating(
                item=vote.item, group=vote.group, language=vote.language, system=system, rater=vote.rater, level=level
            )
