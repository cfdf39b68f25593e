"""The page's scripts share one scope and its views one set of words: no name is taken twice, no word is missing."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files

import pytest
from evalsuite.reports.leaderboard import LANGUAGES, SCRIPTS, VIEWS, messages_of

from evalsuite.types import Cause, Flag

PAGE = files("evalsuite.reports") / "page"
SOURCES = {
    name: (PAGE / f"{name}.js").read_text(encoding="utf-8")
    for name in (*SCRIPTS, *(f"views/{view}" for view in VIEWS), "app")
}


def test_no_name_is_declared_twice() -> None:
    declared = Counter(
        name
        for text in SOURCES.values()
        for name in re.findall(r"^(?:async )?(?:function|const|let) (\w+)", text, re.M)
    )
    assert [name for name, times in declared.items() if times > 1] == []


@pytest.mark.parametrize("name", SOURCES)
def test_every_word_that_a_script_says_is_there(name: str) -> None:
    words = messages_of("en")
    said = re.findall(r"\bt\(\s*\"(\w+)\"\s*[,)]", SOURCES[name])
    assert [key for key in said if key not in words] == []


def test_words_stand_in_order_and_once() -> None:
    seen: Counter[str] = Counter()
    for name in ("core", *VIEWS):
        text = (PAGE / "messages" / "en" / f"{name}.json").read_text(encoding="utf-8")
        keys = re.findall(r'^ "(\w+)":', text, re.M)
        assert keys == sorted(keys), name
        seen.update(keys)
    assert [key for key, times in seen.items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_translations_are_of_words_that_there_are(language: str) -> None:
    assert set(messages_of(language)) <= set(messages_of("en"))


@pytest.mark.parametrize("name", SOURCES)
def test_no_text_is_ever_parsed(name: str) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"style"
    assert re.findall(forbidden, SOURCES[name]) == []


def test_every_flag_and_cause_has_words() -> None:
    words = messages_of("en")
    wanted = {f"samples_flag_{flag}" for flag in Flag} | {f"flag_about_{flag}" for flag in Flag}
    assert wanted | {f"samples_cause_{cause}" for cause in Cause} <= set(words)


def code_of(name: str) -> str:
    """A script without its comments."""
    return re.sub(r"/\*.*?\*/|(?<![:\"'`\\])//[^\n]*", "", SOURCES[name], flags=re.S)


@pytest.mark.parametrize("name", SOURCES)
def test_ranges_percentages_and_lists_are_made_in_one_place(name: str) -> None:
    """By hand they would stand turned round in Arabic, or with another language's signs."""
    code = code_of(name)
    if name != "numbers":
        assert re.findall(r"\" ?[–—] ?\"", code) == []
    assert re.findall(r"[\" 0](?:\\u00a0)? ?%\"", code) == re.findall(
        r"\"%\"", code
    )  # alone it is the unit of a column
    if name != "exports":
        assert re.findall(r"join\(\"[,;] \"\)|\? \"[,;] \"", code) == []


@pytest.mark.parametrize("name", SOURCES)
def test_no_sentence_stands_in_a_script(name: str) -> None:
    assert re.findall(r"\"[A-Z][a-z]+(?: [a-z]+){2,}", code_of(name)) == []


def test_no_style_is_of_one_browser_where_a_standard_is() -> None:
    sheets = "\n".join(path.read_text(encoding="utf-8") for path in (PAGE / "style").iterdir())
    assert "match-parent" not in sheets
