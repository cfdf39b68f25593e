"""The files that the page is put together from: one scope, one list of words."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files

import pytest
from evalsuite.reports.leaderboard import LANGUAGES, VIEWS, messages_of, page_script


def test_no_name_stands_twice_in_the_one_scope() -> None:
    names = re.findall(r"^(?:async )?(?:function\*?|const|let) (\w+)", page_script(), re.MULTILINE)
    assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_stands_in_two_files_and_none_is_unknown(language: str) -> None:
    folder = files("evalsuite.reports").joinpath("page", "messages", language)
    keys = [
        key
        for name in ("core", *VIEWS)
        for key in json.loads(folder.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    ]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert set(keys) <= set(messages_of("en"))


def test_every_word_that_a_script_asks_for_is_there() -> None:
    asked = set(re.findall(r"\bt\(\s*\"(\w+)\"(?! \+)", page_script()))
    assert asked - set(messages_of("en")) == set()


def test_every_flag_and_cause_has_words() -> None:
    from evalsuite.types import Cause, Flag

    words = messages_of("en")
    wanted = {f"samples_flag_{flag}" for flag in Flag} | {f"flag_about_{flag}" for flag in Flag}
    assert wanted | {f"samples_cause_{cause}" for cause in Cause} <= set(words)
