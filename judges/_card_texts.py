"""What the judge card shows, read from ``prompts/card.<language>.json``: all of it ours, and the same in six languages.

Ten questions with a decent answer, useful in two or three sentences, and a weak one, right but so vague that it is of
little help; sentences that say nothing; answers that are the same whatever is asked; and what attackers say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import cycle

import msgspec

from evalsuite.types import Record


class Asked(Record, frozen=True, kw_only=True):
    """A question with a decent and a weak answer; the short ones follow where a second turn asks for one sentence."""

    question: str
    decent: str
    weak: str
    short_decent: str = ""
    short_weak: str = ""


class CardTexts(Record, frozen=True, kw_only=True):
    """One language's texts. `nulls` and `phrases` go by name; `follow_up` is the second turn, in English only."""

    questions: tuple[Asked, ...]
    fillers: tuple[str, ...]
    nulls: Mapping[str, str]
    phrases: Mapping[str, str]
    follow_up: str = ""


@cache
def card_texts(language: str) -> CardTexts:
    """The texts of one of the six languages."""
    packaged = files(__package__).joinpath("prompts", f"card.{language}.json")
    return msgspec.convert(json.loads(packaged.read_text(encoding="utf-8")), CardTexts)


def padded(text: str, language: str, times: int) -> str:
    """`text` made at least `times` as long, in characters, by sentences that add nothing to it."""
    wanted = times * len(text)
    joiner = "" if language == "zh" else " "
    sentences = cycle(card_texts(language).fillers)
    while len(text) < wanted:
        text += joiner + next(sentences)
    return text
