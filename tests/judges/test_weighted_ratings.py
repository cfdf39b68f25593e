"""The rating as an expectation over the judge's token probabilities, derived by hand for every way tokens may fall."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from evalsuite.judges.mt_bench import mt_bench_single
from official_cases import MT_BENCH_TEMPLATES, answered, counts, mt_bench_sample, values_of

from evalsuite.contracts import JudgeOptions
from evalsuite.types import Completion
from evalsuite.verdicts import Rated

Chances = dict[str, float]


def spoken(tokens: Sequence[str], chances: dict[int, Chances], text: str | None = None) -> Completion:
    """A reply of `tokens`; the alternatives at the places named have these probabilities, other tokens 1."""
    alternatives = []
    for place, token in enumerate(tokens):
        here = chances.get(place, {token: 1.0})
        alternatives.append(tuple((alternative, math.log(chance)) for alternative, chance in here.items()))
    return Completion(
        text="".join(tokens) if text is None else text,
        stop_reason="end",
        num_prompt_tokens=1,
        num_tokens=len(tokens),
        tokens=tuple(tokens),
        alternatives=tuple(alternatives),
    )


def expectation(reply: Completion) -> float | None:
    """What the official judge finds in `reply` beside the rating it wrote, where it finds that."""
    rubric = mt_bench_single.build((MT_BENCH_TEMPLATES,), JudgeOptions(is_weighted=True))
    case = rubric.cases(((answered(mt_bench_sample(), "x", "y"),),))[0]
    verdict = rubric.parse(case, reply)
    return dict(verdict.parts).get("weighted") if isinstance(verdict, Rated) else None


@pytest.mark.parametrize(
    ("tokens", "chances", "expected"),
    [
        # tokens that are the number: .5 * 8 + .3 * 7 + .2 * 9
        (["Rating: ", "[[", "8", "]]"], {2: {"8": 0.5, "7": 0.3, "9": 0.2}}, 7.9),
        (["[[", "8", "]]"], {1: {"8": 1.0}}, 8.0),
        # what is no rating is left out, and the rest scaled to 1: (.4 * 8 + .4 * 6) / .8
        (["[[", "8", "]]"], {1: {"8": 0.4, "6": 0.4, "eight": 0.1, "0": 0.05, "11": 0.05}}, 7.0),
        # ten as one token
        (["[[", "10", "]]"], {1: {"10": 0.5, "9": 0.5}}, 9.5),
        (["[[", "9", "]]"], {1: {"9": 0.5, "10": 0.25, "1": 0.25}}, 7.25),
        (["[[", "1", "]]"], {1: {"1": 0.5, "10": 0.5}}, 5.5),
        # tokens that hold brackets too
        (["[[8", "]]"], {0: {"[[8": 0.5, "[[6": 0.5, "[8": 0.3}}, 7.0),
        (["[[", "8]]"], {1: {"8]]": 0.5, "6]]": 0.25, "10]]": 0.25, "4": 0.9}}, 8.0),
        (["[[", "8]]"], {1: {"8]]": 0.75, "1]]": 0.25}}, 6.25),
        # a bare 1 may begin a 10 here too
        (["[[", "9]]"], {1: {"9]]": 0.5, "1": 0.3, "8]]": 0.2}}, None),
        (["[[", "9]]"], {1: {"9]]": 0.6, "1": 0.002, "8]]": 0.4}}, 8.6),
        (["R: [[8]]."], {0: {"R: [[8]].": 0.5, "R: [[2]].": 0.5}}, 5.0),
        # ten as two tokens: after the 1, the next place tells 10 (.75) from 1 (.25)
        (["[[", "1", "0", "]]"], {1: {"1": 0.8, "9": 0.2}, 2: {"0": 0.75, "]]": 0.25}}, 0.2 * 9 + 0.6 * 10 + 0.2 * 1),
        (["[[", "1", "]]"], {1: {"1": 1.0}, 2: {"]]": 0.5, "0": 0.5}}, 5.5),
        (["[[", "1", "]]"], {1: {"1": 0.5, "3": 0.5}}, 2.0),
        # where another digit was written, a rare 1 moves little and is taken for itself, a frequent one says nothing
        (["[[", "9", "]]"], {1: {"9": 0.996, "1": 0.004}}, 0.996 * 9 + 0.004),
        (["[[", "9", "]]"], {1: {"9": 0.9, "1": 0.1}}, None),
        # thinking before the reply holds another rating
        (["<think>", "[[", "2", "]]", "</think>", "[[", "8", "]]"], {2: {"2": 1.0}, 6: {"8": 0.5, "6": 0.5}}, 7.0),
        # single brackets where there are no double ones
        (["[", "8", "]"], {1: {"8": 0.5, "6": 0.5}}, 7.0),
        # no whole rating, or none
        (["[[", "7", ".", "5", "]]"], {1: {"7": 1.0}}, None),
        (["[[", "7.5", "]]"], {1: {"7.5": 1.0}}, None),
        (["[[", "11", "]]"], {1: {"11": 1.0}}, None),
        (["eight"], {}, None),
        (["[[", "8", "]]"], {1: {"eight": 1.0}}, None),
        (["[[", "8", "]]"], {1: {}}, None),
    ],
)
def test_expectations(tokens: Sequence[str], chances: dict[int, Chances], expected: float | None) -> None:
    found = expectation(spoken(tokens, chances))
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_the_text_may_be_cut_at_a_stop_string() -> None:
    tokens = ["[[", "8", "]]", "\n###"]
    assert expectation(spoken(tokens, {1: {"8": 0.5, "6": 0.5}}, text="[[8]]")) == pytest.approx(7.0)


def test_tokens_that_spell_another_rating_tell_nothing() -> None:
    assert expectation(spoken(["[[", "8", "]]"], {1: {"8": 1.0}}, text="[[7]]")) is None


def test_replies_without_alternatives_tell_nothing() -> None:
    plain = Completion(text="[[8]]", stop_reason="end", num_prompt_tokens=1, num_tokens=3)
    assert expectation(plain) is None
    tokens = Completion(text="[[8]]", stop_reason="end", num_prompt_tokens=1, num_tokens=1, tokens=("[[8]]",))
    assert expectation(tokens) is None


@pytest.mark.parametrize("logprob", [math.nan, math.inf, -math.inf])
def test_what_is_no_probability_tells_nothing(logprob: float) -> None:
    reply = Completion(
        text="[[8]]",
        stop_reason="end",
        num_prompt_tokens=1,
        num_tokens=1,
        tokens=("[[8]]",),
        alternatives=((("[[8]]", logprob),),),
    )
    assert expectation(reply) is None


@pytest.mark.parametrize(
    ("alternatives", "expected"),
    [
        ((("8", -2000.0), ("6", -2000.0)), 7.0),  # far below the smallest float: only the ratio matters
        ((("8", math.log(0.2)), ("4", math.log(0.4)), ("8", math.log(0.2))), 6.0),  # two tokens of one text add up
    ],
)
def test_probabilities_count_by_proportion(alternatives: tuple[tuple[str, float], ...], expected: float) -> None:
    reply = Completion(
        text="[8]",
        stop_reason="end",
        num_prompt_tokens=1,
        num_tokens=3,
        tokens=("[", "8", "]"),
        alternatives=((("[", 0.0),), alternatives, (("]", 0.0),)),
    )
    assert expectation(reply) == pytest.approx(expected)


def test_the_weighted_total_is_of_the_replies_that_have_one() -> None:
    rubric = mt_bench_single.build((MT_BENCH_TEMPLATES,), JudgeOptions(is_weighted=True))
    first, second = rubric.cases(((answered(mt_bench_sample(), "x", "y"),),))
    weighted = spoken(["[[", "8", "]]"], {1: {"8": 0.5, "6": 0.5}})
    verdict = rubric.parse(first, weighted)
    assert isinstance(verdict, Rated)
    assert verdict.value == 8.0
    assert dict(verdict.parts) == {"weighted": pytest.approx(7.0)}
    plain = Completion(text="[[4]]", stop_reason="end", num_prompt_tokens=1, num_tokens=3)
    outcomes = [rubric.score(first, (verdict,)), rubric.score(second, (Rated(value=4.0),))]
    assert rubric.parse(second, plain) == Rated(value=4.0)
    assert "mt_bench_total_weighted" not in counts(outcomes[1])
    values = values_of(rubric, outcomes)
    assert values["mt_bench_total"] == 6.0
    assert values["mt_bench_total_weighted"] == pytest.approx(7.0)
    assert values["mt_bench_total_where_weighted"] == 8.0


def test_without_the_option_alternatives_change_nothing() -> None:
    rubric = mt_bench_single.build((MT_BENCH_TEMPLATES,), JudgeOptions())
    (case, _) = rubric.cases(((answered(mt_bench_sample(), "x", "y"),),))
    assert rubric.parse(case, spoken(["[[", "8", "]]"], {1: {"8": 0.5, "6": 0.5}})) == Rated(value=8.0)
