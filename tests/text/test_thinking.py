"""The answer behind a model's thinking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.text.thinking import without_thinking


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Four.", "Four."),
        (" Four.\n", " Four.\n"),
        ("<think>Two and two.</think>Four.", "Four."),
        ("<think>\nTwo and two.\n</think>\n\nFour.\n", "Four.\n"),
        ("\n <think></think> Four.", "Four."),
        ("<think>a</think>\n<think>b</think>\nFour.", "Four."),
        ("Two and two.\n</think>\n\nFour.", "Four."),
        ("Two and two.</think><think>Again.</think>Four.", "Four."),
        ("<think>Two and", ""),
        ("<think>a</think> <think>b", ""),
        ("<think>Two.</think>", ""),
        ("", ""),
        ("Write <think> before you answer.", "Write <think> before you answer."),
        ("Use <think>notes</think> like this.", "Use <think>notes</think> like this."),
        ("<think>a</think>Close it with </think>.", "Close it with </think>."),
        ("<thinking>aloud</thinking>", "<thinking>aloud</thinking>"),
    ],
)
def test_only_what_stands_before_the_answer_is_thinking(text: str, answer: str) -> None:
    assert without_thinking(text) == answer


@given(st.lists(st.sampled_from(["<think>", "</think>", "a", " ", "\n", "é", "好"]), max_size=12).map("".join))
def test_the_answer_is_the_end_of_the_text(text: str) -> None:
    assert text.endswith(without_thinking(text))


def test_many_blocks_take_no_time() -> None:
    """Cutting block after block off a megabyte would copy it as often."""
    assert without_thinking("<think>a</think>" * 100_000 + "Four.") == "Four."
    assert without_thinking("<think>" * 200_000) == ""
    assert without_thinking("</think>" * 200_000 + "x").endswith("x")
