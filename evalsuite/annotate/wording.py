"""The words of raters' pages in six languages: one file a language, each with every key."""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec
import yaml

from evalsuite.types import Record

INTERFACES = ("en", "zh", "fr", "ar", "es", "hi")
"""The languages that there are pages in."""

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv", "ku-Arab", "ckb"})


class Levels(Record, frozen=True, kw_only=True):
    """The words of the built-in scale."""

    unusable: str
    flawed: str
    acceptable: str
    good: str


class Wording(Record, frozen=True, kw_only=True):
    """Every word of a page. `{done}`, `{total}`, `{count}` and `{number}` are filled in."""

    page_title: str
    welcome_title: str
    welcome: tuple[str, ...]
    privacy: str
    agree: str
    begin: str
    go_on: str
    request: str
    request_number: str
    answer_number: str
    question: str
    left: str
    right: str
    top: str
    bottom: str
    better_left: str
    better_right: str
    better_top: str
    better_bottom: str
    tie_good: str
    tie_bad: str
    skip: str
    skip_now: str
    skipped: str
    skip_reason: str
    quality_question: str
    levels: Levels
    save: str
    undo: str
    history: str
    change: str
    back: str
    progress: str
    saved: str
    keys: str
    keys_choose: str
    keys_rate: str
    keys_save: str
    keys_undo: str
    incomplete: str
    not_saved: str
    conflict: str
    too_fast: str
    refused: str
    not_found: str
    need_link: str
    bad_link: str
    done_title: str
    done: str
    closed_title: str
    closed: str
    packet_help: str
    packet_save: str
    packet_left: str
    packet_all_done: str
    packet_needs_script: str
    packet_last_saved: str
    next: str
    previous: str
    no_answers: str


@cache
def wording_in(language: str) -> Wording:
    """The words of one of `INTERFACES`."""
    text = resources.files(__package__).joinpath("wording", f"{language}.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Wording)


def direction(language: str) -> str:
    """``rtl`` or ``ltr``."""
    return "rtl" if language in RIGHT_TO_LEFT or language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"
