"""The word diff of the page, run in Chromium: it loses nothing, is as short as can be, and never takes long."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from evalsuite.reports._pages import resource
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.browser

SCRIPTS = ("text", "long_text", "word_diff")
WORDS = st.lists(
    st.sampled_from(["the", "cat", "sat", " ", "\n", ".", "猫", "坐在", "قطة", "बिल्ली", "😀", "e\u0301", "\ud83d"]),
    max_size=30,
)


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """An empty page that knows the functions."""
    page = browser.new_page()
    page.add_script_tag(content="\n".join(resource(f"page/{name}.js") for name in SCRIPTS))
    yield page
    page.close()


def parts(page: Any, before: str, after: str, language: str = "en") -> Any:
    return page.evaluate("([a, b, language]) => diffWords(a, b, language)", [before, after, language])


def shares(page: Any, before: str, after: str, language: str = "en") -> list[tuple[str, str]]:
    return [(part["kind"], part["text"]) for part in parts(page, before, after, language)["parts"]]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=WORDS.map("".join), after=WORDS.map("".join))
def test_both_texts_can_be_read_off_the_parts(page: Any, before: str, after: str) -> None:
    found = page.evaluate(
        """([a, b]) => {
          const { parts } = diffWords(a, b, "en");
          const side = (other) => parts.filter(({ kind }) => kind !== other).map(({ text }) => text).join("");
          const isJoined = parts.every((part, at) => !at || part.kind !== parts[at - 1].kind);
          return [side("ins") === a, side("del") === b, isJoined];
        }""",
        [before, after],
    )
    assert found == [True, True, True]


@pytest.mark.parametrize(
    ("before", "after", "language", "expected"),
    [
        ("", "", "en", []),
        ("same", "same", "en", [("same", "same")]),
        ("", "new", "en", [("ins", "new")]),
        ("The cat sat.", "The dog sat.", "en", [("same", "The "), ("del", "cat"), ("ins", "dog"), ("same", " sat.")]),
        ("one two three", "four five six", "en", [("del", "one two three"), ("ins", "four five six")]),
        ("我喜欢猫", "我喜欢狗", "zh", [("same", "我喜欢"), ("del", "猫"), ("ins", "狗")]),
        ("a b", "a c", "no such language", [("same", "a "), ("del", "b"), ("ins", "c")]),
    ],
)
def test_words_that_differ(page: Any, before: str, after: str, language: str, expected: list[tuple[str, str]]) -> None:
    assert shares(page, before, after, language) == expected


def test_no_shorter_way_is_missed(page: Any) -> None:
    """As many words stay as the longest common subsequence has, found here by the book."""
    rng = random.Random(7)
    for _ in range(30):
        a, b = ([rng.choice("abcd") for _ in range(rng.randrange(12))] for _ in range(2))
        steps = page.evaluate("([a, b]) => shortestSteps(a, b)", [a, b])
        assert sum(step["kind"] == "same" for step in steps) == _common(a, b)


def _common(a: list[str], b: list[str]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def test_long_and_unlike_texts_take_no_longer_than_a_blink(page: Any) -> None:
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    rng = random.Random(1)
    texts = [" ".join(rng.choice("abcdefgh") * rng.randint(1, 4) for _ in range(200_000)) for _ in range(2)]
    before = _cpu(cdp)
    found = page.evaluate(
        "([a, b]) => { const { isCut, isCoarse } = diffWords(a, b, 'en'); return [isCut, isCoarse] }", texts
    )
    assert found == [True, True]
    assert _cpu(cdp) - before < 0.5


def _cpu(cdp: Any) -> float:
    """Seconds that the page's thread has worked, whatever else the machine did."""
    (found,) = [one["value"] for one in cdp.send("Performance.getMetrics")["metrics"] if one["name"] == "TaskDuration"]
    return float(found)


def test_texts_are_never_cut_within_a_character(page: Any) -> None:
    cut = "([text, at]) => cutPlace(text, at)"
    assert page.evaluate(cut, ["a😀b" * 100, 6]) == 5
    assert page.evaluate(cut, ["e\u0301" * 500, 301]) == 300
    assert page.evaluate(cut, ["👩\u200d👩\u200d👧" * 100, 803]) == 800
    assert page.evaluate(cut, ["one two three", 11]) == 8
    assert page.evaluate(cut, ["one\ntwo three", 11]) == 4
    assert page.evaluate(cut, ["short", 11]) == 5


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("17 and 7", "7", 7), ("7, 17", "7", 0), ("it is 7.", "7", 6), ("7.5 or 2.7", "7", None), ("7", "7", None),
        ("cats and cat.", "cat", 9), ("答案是北京。", "北京", 3), ("no", "yes", None), ("anything", "", None),
        ("x7 or 7", "7", 6), ("(B) because B", "B", 12), ("٧ أو ١٧", "٧", 0),
    ],
)  # fmt: skip
def test_the_answer_that_was_read_is_found_as_a_word(page: Any, text: str, answer: str, expected: int | None) -> None:
    found = page.evaluate("([text, answer]) => placeOfAnswer(text, answer)", [text, answer])
    assert (found and found["from"]) == expected
