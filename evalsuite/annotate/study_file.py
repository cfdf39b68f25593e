"""The study as its coordinator writes it: ``STUDY.yaml``, checked before anything is read or written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from evalsuite.errors import ConfigError, UsageError
from evalsuite.types import Record
from evalsuite.votes import ACCEPTABILITY, Scale
from evalsuite.yaml_files import record_of

from .wording import INTERFACES

Share = Annotated[float, msgspec.Meta(ge=0, le=0.5)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

NO_QUALITY = "none"


class Rater(Record, frozen=True, kw_only=True):
    """One person: the languages they read, that of their pages, and what they must not vote on.

    `not_systems` are systems they had a hand in; items that name them as `translator` are kept from them anyway.
    """

    name: str
    languages: tuple[str, ...]
    interface: str = ""
    cap: Count | None = None
    not_systems: tuple[str, ...] = ()

    @property
    def shown_in(self) -> str:
        """The language of their pages: as they wish, else the first of theirs that there are pages in."""
        return self.interface or next((code for code in self.languages if code in INTERFACES), "en")


class Gold(Record, frozen=True, kw_only=True):
    """Pairs with a known answer: so many for each rater, from a file, or answers against their own first words."""

    each: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 0
    path: str = ""


class Level(Record, frozen=True, kw_only=True):
    """A level of a scale of one's own: its name, and its words in each language of pages that raters use."""

    id: str
    words: Mapping[str, str]


class OwnScale(Record, frozen=True, kw_only=True):
    """A scale of quality of one's own, from the worst level to the best."""

    name: str
    acceptable: str
    levels: Annotated[tuple[Level, ...], msgspec.Meta(min_length=2, max_length=9)]


class StudyFile(Record, frozen=True, kw_only=True):
    """All that a study is made from; docs/collecting.md explains every key."""

    study: str
    systems: Mapping[str, str]
    raters: tuple[Rater, ...]
    prompts: str = ""
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    limit: Count | None = None
    against: str = ""
    overlap: Count = 3
    cap: Count | None = None
    repeats: Share = 0.08
    gold: Gold = Gold()
    quality: str | OwnScale = ACCEPTABILITY.name
    quality_order: Literal["after", "random"] = "after"
    mask_names: bool = False
    aliases: Mapping[str, tuple[str, ...]] = {}
    title: Mapping[str, str] = {}
    instructions: Mapping[str, str] = {}
    release_hours: Annotated[float, msgspec.Meta(gt=0, le=87_600)] = 48.0
    seed: int = 1234

    @property
    def scale(self) -> Scale | None:
        """What quality is rated on; None where it is not asked."""
        if isinstance(self.quality, OwnScale):
            levels = tuple(level.id for level in self.quality.levels)
            return Scale(name=self.quality.name, levels=levels, acceptable=self.quality.acceptable)
        return None if self.quality == NO_QUALITY else ACCEPTABILITY

    @property
    def own_words(self) -> tuple[str, ...]:
        """All words of a scale of one's own."""
        own = self.quality if isinstance(self.quality, OwnScale) else None
        return tuple(words for level in (own.levels if own else ()) for words in level.words.values())

    def words_of(self, language: str) -> Mapping[str, str]:
        """The words of the levels of a scale of one's own in a language of pages."""
        if not isinstance(self.quality, OwnScale):
            return {}
        return {level.id: level.words[language] for level in self.quality.levels}


def read_study_file(path: Path) -> StudyFile:
    """The study in `path`. Raises ConfigError for what cannot be meant."""
    found = record_of(StudyFile, path)
    if problem := next(_problems(found), None):
        raise ConfigError(f"{path}: {problem}.")
    return found


def check_rater(rater: Rater, study: StudyFile) -> None:
    """Raises UsageError for a rater that the study could not be shown to."""
    if problem := next(_problems(msgspec.structs.replace(study, raters=(rater,))), None):
        raise UsageError(f"{problem}.")


def _problems(study: StudyFile) -> Iterator[str]:
    if not _NAME.fullmatch(study.study):
        yield f"study: {study.study!r} is no name for a folder; letters, digits, '.', '_' and '-'"
    if len(study.systems) < 2:
        yield "systems: two or more are compared"
    if study.against and study.against not in study.systems:
        yield f"against: {study.against!r} is none of the systems {', '.join(study.systems)}"
    if unknown := set(study.aliases) - set(study.systems):
        yield f"aliases: {sorted(unknown)[0]!r} is none of the systems"
    yield from _rater_problems(study)
    yield from _scale_problems(study)
    for key, words in (("title", study.title), ("instructions", study.instructions)):
        if unknown := set(words) - set(INTERFACES):
            yield f"{key}: there are no pages in {sorted(unknown)[0]!r}, only in {', '.join(INTERFACES)}"


def _rater_problems(study: StudyFile) -> Iterator[str]:
    if not study.raters:
        yield "raters: there is nobody to vote"
    for name, count in Counter(rater.name.casefold().strip() for rater in study.raters).items():
        if count > 1 or not name:
            yield f"raters: {name!r} stands {count} times" if name else "raters: one has no name"
    for rater in study.raters:
        if not rater.name.isprintable() or "," in rater.name:
            yield f"raters: {rater.name!r}: a name has no commas, tabs or line ends"
        if rater.interface and rater.interface not in INTERFACES:
            yield f"raters: {rater.name}: there are no pages in {rater.interface!r}, only in {', '.join(INTERFACES)}"
        if not rater.languages or not all(code == code.strip() and code for code in rater.languages):
            yield f"raters: {rater.name} has no languages, or an empty one"
        if unknown := set(rater.not_systems) - set(study.systems):
            yield f"raters: {rater.name}: {sorted(unknown)[0]!r} is none of the systems"


def _scale_problems(study: StudyFile) -> Iterator[str]:
    quality = study.quality
    if isinstance(quality, str):
        if quality not in (NO_QUALITY, ACCEPTABILITY.name):
            yield f"quality: {quality!r} is no scale; expected {ACCEPTABILITY.name}, {NO_QUALITY} or levels of your own"
        return
    ids = [level.id for level in quality.levels]
    if len(set(ids)) < len(ids) or quality.acceptable not in ids:
        yield f"quality: levels are named once each, and one of them is {quality.acceptable!r}"
    for language in sorted({rater.shown_in for rater in study.raters}):
        if missing := [level.id for level in quality.levels if not level.words.get(language, "").strip()]:
            yield f"quality: level {missing[0]!r} has no words in {language!r}"
