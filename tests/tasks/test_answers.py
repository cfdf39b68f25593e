"""What generation tasks say of an answer: its language, and whether it was cut off, is empty, declines or loops."""

from __future__ import annotations

import pytest
from evalsuite.tasks._answers import LANGUAGE_FIDELITY, answer_flags, completion_flags, completions, fidelity_of

from evalsuite.types import Completion, Flag, StopReason

ENGLISH = "This is a simple sentence."
CHINESE = "这是一个简单的句子。"
REFUSAL = "I'm sorry, but I can't help with that."
LOOP = "This is a simple sentence. " * 12
THOUGHT = "<think>\nLet me see.\n</think>\n\n"


def answer(text: str, stop_reason: StopReason = "end") -> Completion:
    return Completion(text=text, stop_reason=stop_reason, num_prompt_tokens=1, num_tokens=1)


@pytest.mark.parametrize(
    ("texts", "in_language", "judged", "is_wrong"),
    [
        ([ENGLISH], 1, 1, False),
        ([ENGLISH, ENGLISH], 2, 2, False),
        ([CHINESE], 0, 1, True),
        ([ENGLISH, CHINESE], 1, 2, True),
        (["46"], 0, 0, False),
        ([THOUGHT + CHINESE], 0, 1, True),
        ([THOUGHT + ENGLISH, THOUGHT + "46"], 1, 1, False),
        ([THOUGHT], 0, 1, False),
        ([ENGLISH, "46", "46"], 1, 1, False),
        ([ENGLISH, ENGLISH, ENGLISH, "46"], 3, 3, False),
        ([ENGLISH, CHINESE, "46"], 1, 2, True),
        ([""], 0, 1, False),
        ([" \n"], 0, 1, False),
        (["", CHINESE], 0, 2, True),
    ],
)
def test_answers_in_the_language_are_counted_among_those_that_can_be_told(
    texts: list[str], in_language: int, judged: int, is_wrong: bool
) -> None:
    """A number is in every language, thinking is no part of an answer; an empty one is in none, and not in another."""
    answers = [answer(text) for text in texts]
    fidelity = fidelity_of(answers, "en")
    score = fidelity.scores[0]
    assert (score.name, score.counts) == (LANGUAGE_FIDELITY.name, (in_language, judged))
    assert (Flag.WRONG_LANGUAGE in answer_flags(answers, fidelity)) == is_wrong


@pytest.mark.parametrize(
    ("answers", "flags"),
    [
        ([answer("a", "end")], ()),
        ([answer("a", "stop")], ()),
        ([answer("a", "length")], (Flag.CAPPED,)),
        ([answer("a", "length"), answer("a")], (Flag.CAPPED,)),
        ([answer("a"), answer(" ")], (Flag.EMPTY,)),
        ([answer("", "length")], (Flag.CAPPED, Flag.EMPTY)),
        ([answer("a"), answer(REFUSAL)], (Flag.REFUSED,)),
        ([answer("a", "refusal")], (Flag.REFUSED,)),
        ([answer("抱歉，我无法回答这个问题。")], (Flag.REFUSED,)),
        ([answer(LOOP), answer("a")], (Flag.REPETITIVE,)),
        ([answer(LOOP, "length"), answer(REFUSAL)], (Flag.CAPPED, Flag.REFUSED, Flag.REPETITIVE)),
        ([answer(THOUGHT + "a")], ()),
        ([answer(THOUGHT)], (Flag.EMPTY,)),
        ([answer(THOUGHT + REFUSAL)], (Flag.REFUSED,)),
        ([answer(f"<think>{LOOP}</think>a")], ()),
        ([answer(f"<think>{REFUSAL}", "length")], (Flag.CAPPED, Flag.EMPTY)),
    ],
)
def test_one_answer_of_several_is_enough_for_a_flag(answers: list[Completion], flags: tuple[Flag, ...]) -> None:
    assert completion_flags(answers) == flags


def test_completions_are_those_of_all_turns_in_order() -> None:
    first, second = answer("a"), answer("b")
    assert completions(((first,), (second,))) == [first, second]
