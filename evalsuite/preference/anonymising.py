"""Votes without the names of those who gave them: people become rater-1, rater-2 …, the files of votes votes-1 …

Numbers stay as they are. A number follows from what is known of a person and not from the name, so that not even the
order of the names can be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from evalsuite.canonical import canonical_json

from .attentiveness import AttentivenessScreen
from .influence import Fragility
from .screens import AnnotatorScreen
from .summary import PreferenceSummary, VoteFile

Screen = AnnotatorScreen | AttentivenessScreen
AnyScreen = TypeVar("AnyScreen", AnnotatorScreen, AttentivenessScreen)


def anonymous(summary: PreferenceSummary) -> PreferenceSummary:
    """`summary` with numbers for the ids of people, those with most votes first, and for the names of files."""
    called = _numbered(summary)
    ranking = summary.ranking
    if ranking is not None:
        ranking = msgspec.structs.replace(ranking, fragility=_fragility(ranking.fragility, called))
    return msgspec.structs.replace(
        summary,
        files=tuple(_file(number, file) for number, file in enumerate(summary.files, 1)),
        ranking=ranking,
        annotators=_renamed(summary.annotators, called),
        attentiveness=_renamed(summary.attentiveness, called),
    )


def _numbered(summary: PreferenceSummary) -> Mapping[str, str]:
    """New names by id, in the order of the numbers."""
    screens: list[Screen] = [*summary.annotators, *summary.attentiveness]
    deciding = summary.ranking.fragility.without_annotator if summary.ranking else ()

    def known(name: str) -> tuple[int, str]:
        own = [msgspec.structs.replace(one, annotator="") for one in screens if one.annotator == name]
        return -max((one.num_votes for one in own), default=0), canonical_json([own, name in deciding])

    names = sorted({*(one.annotator for one in screens), *deciding}, key=known)
    return {name: f"rater-{number}" for number, name in enumerate(names, 1)}


def _renamed(screens: Sequence[AnyScreen], called: Mapping[str, str]) -> tuple[AnyScreen, ...]:
    places = {name: place for place, name in enumerate(called)}
    ordered = sorted(screens, key=lambda one: places[one.annotator])
    return tuple(msgspec.structs.replace(one, annotator=called[one.annotator]) for one in ordered)


def _fragility(found: Fragility, called: Mapping[str, str]) -> Fragility:
    ordered = tuple(new for name, new in called.items() if name in found.without_annotator)
    return msgspec.structs.replace(found, without_annotator=ordered)


def _file(number: int, file: VoteFile) -> VoteFile:
    """Files of votes are often called by who voted; a run's directory, which has no hash, is called by its model."""
    return msgspec.structs.replace(file, name=f"votes-{number}") if file.sha256 else file
