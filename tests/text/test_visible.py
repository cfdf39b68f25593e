"""Untrusted words on pages, on one line, and on a terminal."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.text.visible import printable, visible, visible_line

HINDI = "क्‍षमता की जाँच"
ARABIC = "اختبار النموذج"


@pytest.mark.parametrize("text", [HINDI, ARABIC, "数学", "a b\nc\td", "👩‍🏫"])
def test_scripts_stay_as_they_are(text: str) -> None:
    assert visible(text) == printable(text) == text


@pytest.mark.parametrize(
    ("char", "spelt"),
    [("\x1b", "⟨U+001B⟩"), ("\u202e", "⟨U+202E⟩"), ("\ud83d", "⟨U+D83D⟩"), ("\uffff", "⟨U+FFFF⟩"),
     ("\U0001fffe", "⟨U+1FFFE⟩")],
)  # fmt: skip
def test_what_cannot_be_seen_is_spelt_out(char: str, spelt: str) -> None:
    assert visible(f"a{char}b") == f"a{spelt}b"


def test_one_line_is_cut_only_where_asked() -> None:
    assert visible_line("a\nb\tc") == "a⟨U+000A⟩b⟨U+0009⟩c"
    assert len(visible_line("x" * 900)) == 400
    assert visible_line("x" * 900, None) == "x" * 900


def test_a_terminal_keeps_marks_of_direction_and_no_control() -> None:
    assert printable("\u200fا\u200e \x1b[31m") == "\u200fا\u200e \N{REPLACEMENT CHARACTER}[31m"


@given(st.text())
def test_what_is_visible_may_stand_in_xml(text: str) -> None:
    element = ElementTree.Element("a", {"name": visible_line(text, None)})
    element.text = visible(text)
    read = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert (read.text or "") == visible(text)
    assert read.get("name") == visible_line(text, None)
