"""Replies of the official judges: what each rule reads from them, and that none reads what is not marked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

import pytest
from evalsuite.judges._replies import (
    OVERALL,
    alignbench_rating,
    alignbench_ratings,
    belle_score,
    mt_bench_rating,
    mt_bench_winner,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.text.fastchat import fastchat_rating, fastchat_winner
from evalsuite.verdicts import Preferred, Rated, Unparsed, Winner

# -- MT-Bench, one answer

RATINGS: list[tuple[str, float | None, float]] = [
    # the reply, what the judge says of it, what FastChat stores
    ("Rating: [[5]]", 5, 5),
    ("A clear answer. Rating: [[10]]", 10, 10),
    ("[[1]]", 1, 1),
    ("Rating: [[7.5]]", 7.5, 7.5),
    ("[[8.]]", 8, 8),
    ("**Rating: [[9]]**", 9, 9),
    ("Rating: [[9]]/10", 9, 9),
    ("评分：[[8]]", 8, 8),
    ("التقييم: [[8]]", 8, 8),
    ("Ｒａｔｉｎｇ： [[6]]", 6, 6),
    ("“[[8]]”", 8, 8),
    ("{'rating': [[8]]}", 8, 8),
    ("{'rating': {'overall': [[3]]}}", 3, 3),
    # several: the first in double brackets, wherever it comes from
    ("Rating: [[8]]. On reflection [[6]]", 8, 8),
    ("[[8]][[3]]", 8, 8),
    ("[[9]] out of [[10]]", 9, 9),
    ('As in "Rating: [[5]]", mine is [[9]]', 5, 5),
    ("The question itself says [[2]]. I rate it [[9]].", 2, 2),
    ("[3] is right. Rating: [[6]]", 6, 6),
    ("[[3], [[8]]", 8, 8),
    # single brackets where there are no double ones
    ("Rating: [8]", 8, 8),
    ("[[7]", 7, 7),
    ("[7]]", 7, 7),
    ("[[8]/10]", 8, 8),
    ("[[8] / [10]]", 8, 8),
    ("As source [2] shows, it deserves an 8.", 2, 2),
    ("[[[7]]]", 7, 7),
    ("[[7]]]]", 7, 7),
    # on no scale
    ("[[0]]", None, 0),
    ("[[0.5]]", None, 0.5),
    ("[[00]]", None, 0),
    ("[[10.5]]", None, 10.5),
    ("[[11]]", None, 11),
    ("[[85]]", None, 85),
    ("[11] and then [8]", None, 11),
    ("[[99999999999999999999]]", None, 1e20),
    # where FastChat breaks off
    ("[[05]]", None, -1),
    ("[[05]] or rather [[6]]", None, -1),
    ("[[７]]", None, -1),
    ("[[٧]]", None, -1),
    ("[[" + "9" * 400 + "]]", None, -1),
    ("[[05.5]]", 5.5, 5.5),
    # no rating
    ("", None, -1),
    (" \n", None, -1),
    ("Rating: 8", None, -1),
    ("8/10", None, -1),
    ("[[8/10]]", None, -1),
    ("[[-5]]", None, -1),
    ("[[+5]]", None, -1),
    ("[[.5]]", None, -1),
    ("[[7,5]]", None, -1),
    ("[[7.5.1]]", None, -1),
    ("[[1e1]]", None, -1),
    ("[[ 7 ]]", None, -1),
    ("[[\n7\n]]", None, -1),
    ("[[10分]]", None, -1),
    ("[10分]", None, -1),
    ("［［7］］", None, -1),
    ("【【7】】", None, -1),
    (r"\[\[9\]\]", None, -1),
    ("[[rating]]", None, -1),
    ("[[rating: 7]]", None, -1),
    ("[[seven]]", None, -1),
    ("$ERROR$", None, -1),
]


@pytest.mark.parametrize(("text", "ours", "theirs"), RATINGS, ids=[repr(text)[:40] for text, _, _ in RATINGS])
def test_mt_bench_ratings(text: str, ours: float | None, theirs: float) -> None:
    assert fastchat_rating(text) == theirs
    verdict = mt_bench_rating(text)
    if ours is None:
        assert isinstance(verdict, Unparsed)
    else:
        assert verdict == Rated(value=ours)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Rating: 8", "no rating in brackets"),
        ("[[85]]", "'85' is not on the scale of 1 to 10"),
        ("[[05]]", "'05' is not on the scale of 1 to 10"),
        ("[[" + "9" * 400 + "]]", f"'{'9' * 23}…' is not on the scale of 1 to 10"),
    ],
)
def test_why_a_rating_is_none(text: str, reason: str) -> None:
    assert mt_bench_rating(text) == Unparsed(reason=reason)


# -- MT-Bench, two answers

WINNERS: list[tuple[str, Winner | None]] = [
    ("[[A]]", Winner.A),
    ("[[B]]", Winner.B),
    ("[[C]]", Winner.TIE),
    ("My final verdict is: [[A]].", Winner.A),
    ("**[[B]]**", Winner.B),
    ("`[[C]]`", Winner.TIE),
    ("[[C]]\n", Winner.TIE),
    ("判定：[[B]]", Winner.B),
    ("الحكم: [[A]]", Winner.A),
    ("निर्णय: [[C]]", Winner.TIE),
    ("“[[B]]”", Winner.B),
    ("{'winner': '[[B]]'}", Winner.B),
    ("{'a': {'winner': '[[C]]'}}", Winner.TIE),
    ("[[[A]]]", Winner.A),
    ("[[A]]]", Winner.A),
    ("[[A]][[A]]", Winner.A),
    ("Verdict:[[B]][[B]]", Winner.B),
    # several: A before B before C, in whatever order
    ("[[A]] first, but then [[B]]", Winner.A),
    ("[[B]] first, but then [[A]]", Winner.A),
    ("[[C]], or perhaps [[B]]", Winner.B),
    ("[[C]], or perhaps [[A]]", Winner.A),
    ('"[[A]]" if assistant A is better, "[[B]]" otherwise: [[B]]', Winner.A),
    ("The answer says [[B]] itself. [[C]]", Winner.B),
    # none
    ("", None),
    ("A is better", None),
    ("(A)", None),
    ("[A]", None),
    ("[[A]", None),
    ("[A]]", None),
    ("[[a]]", None),
    ("[[ A ]]", None),
    ("[[\nA\n]]", None),
    ("[ [A] ]", None),
    ("[[D]]", None),
    ("[[AB]]", None),
    ("[[A/B]]", None),
    ("[[A, B]]", None),
    ("[[A+]]", None),
    ("[[tie]]", None),
    ("[[assistant A]]", None),
    ("[[8]]", None),
    ("[[8,7]]", None),
    ("[[Ａ]]", None),
    ("［［A］］", None),
    ("[[А]]", None),  # a Cyrillic letter
    ("[[Α]]", None),  # a Greek one
    ("[[A\u200b]]", None),
    (r"\[\[A\]\]", None),
    ("$ERROR$", None),
]


@pytest.mark.parametrize(("text", "winner"), WINNERS, ids=[repr(text)[:40] for text, _ in WINNERS])
def test_mt_bench_winners(text: str, winner: Winner | None) -> None:
    verdict = mt_bench_winner(text)
    if winner is None:
        assert verdict == Unparsed(reason="none of [[A]], [[B]] and [[C]]")
        assert fastchat_winner(text) == "error"
    else:
        assert verdict == Preferred(winner=winner)
        assert fastchat_winner(text) == {Winner.A: "A", Winner.B: "B", Winner.TIE: "tie"}[winner]


# -- AlignBench

FACTS, NEEDS, CLEAR, WHOLE = DIMENSIONS = ("事实正确性", "满足用户需求", "清晰度", "完备性")
ALIGNBENCH: list[tuple[str, float | None, Mapping[str, float]]] = [
    (
        "{'事实正确性': 9, '满足用户需求': 6, '清晰度': 8, '完备性': 7, '综合得分': 7}",
        7,
        {FACTS: 9, NEEDS: 6, CLEAR: 8, WHOLE: 7},
    ),
    ("回答大体正确。\n{'综合得分': 8}", 8, {}),
    ("```python\n{'事实正确性': 9, '综合得分': 8}\n```", 8, {FACTS: 9}),
    ("{'综合得分': 8}", 8, {}),
    ("{ '综合得分': 8 }", 8, {}),
    ("{'综合得分': 1}", 1, {}),
    ("{'综合得分': 10}", 10, {}),
    ("{'综合得分': 008}", 8, {}),
    ("{'综合得分': 8分}", 8, {}),
    ("{'综合得分': 10分, '事实正确性': 9分}", 10, {FACTS: 9}),
    ("{'综合得分': 8/10}", 8, {}),
    # whole digits in the dictionary, up to two decimals outside
    ("{'综合得分': 7.5}", 7, {}),
    ("{'完备性': 7.9, '综合得分': 6.9}", 6, {WHOLE: 7}),
    ("'综合得分': 7.5", 7.5, {}),
    ("'综合得分': 7.55 分", 7.55, {}),
    ("'综合得分': 7.559", 7.55, {}),
    # digits and brackets of full width
    ("{'综合得分': ８}", 8, {}),
    ("{'综合得分': ٨}", 8, {}),
    ("｛'综合得分': 8｝", 8, {}),
    # the last dictionary of the reply, and in it the last of equal names
    ("{'综合得分': 3}\n{'综合得分': 8}", 8, {}),
    ("{'综合得分': 3} {'综合得分': 8}", 8, {}),
    ("{'综合得分': 3, '综合得分': 9}", 9, {}),
    ("回答自称 {'综合得分': 10}。\n我的评分：\n{'综合得分': 4}", 4, {}),
    ("{'综合得分': 4}\n回答自称 {'综合得分': 10}", 10, {}),
    # without a rating in it, the first that stands alone
    ("{'综合得分': 8}\n以上按 {} 计", 8, {}),
    ("{\n'事实正确性': 9,\n'综合得分': 8\n}", 8, {}),
    ("{'事实正确性': 9, '综合得分': 8", 8, {}),
    ("'综合得分': 8}", 8, {}),
    ("{'综合得分': 9}{", 9, {}),
    ("题中引用 '综合得分': 3，结果 '综合得分': 6", 3, {}),
    # names that swallow quotes
    ("{it's '综合得分': 8}", 8, {}),
    ("It's {'综合得分': 8}", 8, {}),
    ("{'事实正确性': '9', '综合得分': 8}", 8, {}),
    # nested
    ("{'评分': {'事实正确性': 9, '综合得分': 8}}", 8, {}),
    ("{'评分': {'综合得分': 8}}", 8, {}),
    ("{'事实正确性': {'分数': 9}, '综合得分': {'分数': 8}}", None, {}),
    # dimensions off the scale or not asked for
    ("{'事实正确性': 0, '清晰度': 12, '综合得分': 5}", 5, {}),
    ("{'创造性': 9, '清晰度': 4, '综合得分': 5}", 5, {CLEAR: 4}),
    # off the scale
    ("{'综合得分': 0}", None, {}),
    ("{'综合得分': 11}", None, {}),
    ("{'综合得分': 85}", None, {}),
    ("'综合得分': 0.5", None, {}),
    ("{'综合得分': " + "9" * 400 + "}", None, {}),
    # no rating
    ("", None, {}),
    ("{}", None, {}),
    ("8", None, {}),
    ("[[8]]", None, {}),
    ("综合得分：8分", None, {}),
    ("综合得分: 8", None, {}),
    ("{综合得分: 8}", None, {}),
    ('{"综合得分": 8}', None, {}),
    ("{‘综合得分’: 8}", None, {}),
    ("{“综合得分”: 8}", None, {}),
    ("{'综合得分'：8}", None, {}),
    ("{'综合得分':8}", None, {}),
    ("{'综合得分' : 8}", None, {}),
    ("{'综合得分': '8'}", None, {}),
    ("{'综合得分': -8}", None, {}),
    ("{'综合得分': 八}", None, {}),
    ("{'综合得分': N}", None, {}),
    ("{'最终综合得分': 8}", None, {}),
    ("{'事实正确性': 9, '满足用户需求': 6}", None, {}),
]


@pytest.mark.parametrize(("text", "value", "parts"), ALIGNBENCH, ids=[repr(text)[:40] for text, _, _ in ALIGNBENCH])
def test_alignbench_ratings(text: str, value: float | None, parts: Mapping[str, float]) -> None:
    verdict = alignbench_rating(text, DIMENSIONS)
    if value is None:
        assert isinstance(verdict, Unparsed)
    else:
        assert isinstance(verdict, Rated)
        assert (verdict.value, dict(verdict.parts)) == (value, parts)


def test_names_of_the_last_dictionary() -> None:
    text = "{'a': 1}\nIt's {'事实正确性': 9, 'b': {'c': 70}, 'c': 8}} 'd': 9"
    assert alignbench_ratings(text) == {"事实正确性": "9", "b': {'c": "70"}


def test_parts_are_those_of_the_case_in_its_order() -> None:
    text = "{'完备性': 7, '事实正确性': 9, '综合得分': 7}"
    verdict = alignbench_rating(text, DIMENSIONS)
    assert isinstance(verdict, Rated)
    assert verdict.parts == ((FACTS, 9.0), (WHOLE, 7.0))


@pytest.mark.parametrize(
    ("text", "cut", "whole"),
    [
        ("理由…… '综合得分': 1", None, 1),
        ("理由…… '综合得分': 7.5", None, 7.5),
        ("理由…… '综合得分': 7 ", 7, 7),
        ("{'综合得分': 1}", 1, 1),
        ("{'综合得分': 1", None, 1),
    ],
)
def test_alignbench_takes_no_number_that_the_limit_cut(text: str, cut: float | None, whole: float) -> None:
    """A ``1`` at the very end may be the beginning of ``10``."""
    expected = Unparsed(reason="cut off inside the rating") if cut is None else Rated(value=cut)
    assert alignbench_rating(text, (), is_cut=True) == expected
    assert alignbench_rating(text, ()) == Rated(value=whole)


# -- BELLE

BELLE: list[tuple[str, float | None]] = [
    ("得分: 0.8", 0.8),
    ("得分：0.8", 0.8),
    ("得分:1", 1),
    ("得分: 0", 0),
    ("得分: 1.0", 1),
    ("得分: 0.85。理由：步骤完整。", 0.85),
    ("得分：0.8，理由：得分点齐全。", 0.8),
    ("得分: 0.8理由：步骤完整。", 0.8),
    ("得分: 1.", 1),
    ("得分：0。", 0),
    ("得分: 00.5", 0.5),
    ("得分: +0.5", 0.5),
    ("模型回答得分: 0.7", 0.7),
    ("总得分:0.7", 0.7),
    ("得分 : 0.7", 0.7),
    ("得分:\t0.7", 0.7),
    ("得分：　0.7", 0.7),
    ("得分（0到1）：0.7", 0.7),
    ("得分(满分1分): 0.75", 0.75),
    ("得分: 0.8 points", 0.8),
    ("得分: 0.8<br>", 0.8),
    ("得分: 0.8\n- 1. 语言通顺", 0.8),
    # dressed up
    ("**得分**: 0.8", 0.8),
    ("**得分：** 0.8", 0.8),
    ("**得分: 0.8**", 0.8),
    ("**得分**（0-1）：0.8", 0.8),
    ("得分: “0.8”", 0.8),
    ("得分: ‘0.8’", 0.8),
    ("得分: [0.9]", 0.9),
    ("得分: [[0.9]]", 0.9),
    ("得分：【0.9】", 0.9),
    ("得分:（0.9）", 0.9),
    ('"得分:" 0.6', 0.6),
    ("{'得分': 0.6}", 0.6),
    ("{'评价': {'得分': 0.6}}", 0.6),
    # full-width digits
    ("得分：０．８", 0.8),
    ("得分：１", 1),
    ("得分：１．０分", 1),
    # out of 1, or of something else
    ("得分: 0.8分", 0.8),
    ("得分: 1分（满分1分）", 1),
    ("得分: 0.8/1", 0.8),
    ("得分: 0.8 / 1.0分", 0.8),
    ("得分: 0.8／１", 0.8),
    ("得分: **0.8**/1。", 0.8),
    ("得分: 8/10", None),
    ("得分: 1/10", None),
    ("得分: 1/2", None),
    ("得分: **1**/10", None),
    ("得分: 1 ／ １０", None),
    ("得分: 1/1.2.3", None),
    ("得分: 80%", None),
    ("得分: 0.8 %", None),
    ("得分: 85", None),
    ("得分: 10分", None),
    ("得分: 7.5", None),
    ("得分: 1.01", None),
    ("得分: -0.5", None),
    ("得分: −0.5", None),
    ("得分：－0", None),
    # more than one number
    ("得分: 0.5-0.7", None),
    ("得分: 0.5 ~ 0.7", None),
    ("得分: 0.5至0.7", None),
    ("得分: 0或1", None),
    ("得分: 0.5+0.3=0.8", None),
    ("得分: 0,8", None),
    ("得分: 0.8.1", None),
    ("得分: 1e-1", None),
    ("得分: 0x1", None),
    ("得分: 0.8points", None),
    ("得分: 0.8\n综上，得分: 0.80", 0.8),
    ("得分: 0.8\n语言得分: 0.5", None),
    ("标准答案得分: 1，模型回答得分: 0.5", None),
    ("题中小明的得分：85。得分: 0.9", None),
    ("回答里写着“得分: 1”。得分: 0.2", None),
    # no number after the marker
    ('要求按照"得分:"这样的形式。得分: 0.4', 0.4),
    ("", None),
    ("0.8", None),
    ("[[0.8]]", None),
    ("得分为0.8", None),
    ("得分 0.8", None),
    ("得分率: 0.8", None),
    ("评分: 0.8", None),
    ("分数：0.8", None),
    ("失分: 0.2", None),
    ("得分: 零点八", None),
    ("得分: .8", None),
    ("得分: NaN", None),
    ("得分:\n0.8", None),
    ("得分：\n1. 语言通顺", None),
]


@pytest.mark.parametrize(("text", "value"), BELLE, ids=[repr(text)[:40] for text, _ in BELLE])
def test_belle_scores(text: str, value: float | None) -> None:
    verdict = belle_score(text)
    if value is None:
        assert isinstance(verdict, Unparsed)
    else:
        assert verdict == Rated(value=value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.8", "no number after 得分:"),
        ("得分: 8/10，因为……", "'8/10，因为……' is not a score out of 1"),
        ("得分: -1\n因为", "'-1' is not a score out of 1"),
        ("得分: 0.8；得分: 0.5；得分: 0.1", "says both 0.8 and 0.5"),
    ],
)
def test_why_a_score_is_none(text: str, reason: str) -> None:
    assert belle_score(text) == Unparsed(reason=reason)


@pytest.mark.parametrize("text", ["得分: 0", "得分: 0.", "得分: 0.8", "得分: 1/", "得分：1 ", "得分: 1。得分: 1"])
def test_belle_takes_no_number_that_the_limit_cut(text: str) -> None:
    assert isinstance(belle_score(text, is_cut=True), Unparsed)
    assert isinstance(belle_score(text), Rated)


@pytest.mark.parametrize("text", ["得分: 0.8。", "得分: 0.8\n", "得分: 0.8，因为"])
def test_belle_takes_a_number_that_ended_before_the_limit(text: str) -> None:
    assert belle_score(text, is_cut=True) == Rated(value=0.8)


# -- hostile replies

FRAGMENTS = (
    *("[[", "]]", "[", "]", "[[8]]", "[[A]]", "[[B]]", "[[C]]", "A", "B", "C", "[[1/10]]", "[[11]]", "［［", "］］"),
    *("{", "}", "'", "': ", "''", '"', "{'综合得分': 7}", "'综合得分': ", "{'事实正确性': 9, ", "综合得分", "‘", "’"),
    *("得分", "得分:", "得分：", "得分: 0.5", "分", "/1", "/10", "%", "~", "（", "）", "*", "至"),
    *("0", "1", "5", "7.5", "10", "85", "-", "−", "+", ".", "．", ",", "８", "１．０", "٧", "1e5", "9" * 30),
    *(" ", "\n", "\u3000", "\u200b", "\r", "NaN", "inf", "Rating: ", "\x00", "\ud800"),
)
MARKED = st.tuples(
    st.sampled_from(
        ("[[", "[", "得分:", "得分：", "得分（0-1）：**", "'综合得分': ", "{'事实正确性': 9, '综合得分': ")
    ),
    st.integers(-2, 12).map(str) | st.sampled_from(("0.5", "0.75", "1.0", "7.5", "05", "100", "８", "A", "B", "C")),
    st.sampled_from(("]]", "]", "}", "}}", "分", "/1", "/10", "%", "~1", ".5", "。", " ", "\n", "")),
).map("".join)
"""A marker, a number or letter, and what may follow it."""
HOSTILE = st.lists(st.sampled_from(FRAGMENTS) | MARKED | st.text(max_size=3), max_size=8).map("".join)
many = settings(max_examples=2000, derandomize=True, database=None)
ANY_DIGITS = r"\d+"


@many
@given(HOSTILE)
def test_fuzzed_fastchat_ratings_are_finite_and_bracketed(text: str) -> None:
    rating = fastchat_rating(text)
    assert rating == -1.0 or (0.0 <= rating < float("inf") and re.search(r"\[\d+(\.\d*)?\]", text))


@many
@given(HOSTILE)
def test_fuzzed_mt_bench_ratings_are_marked_and_on_the_scale(text: str) -> None:
    verdict = mt_bench_rating(text)
    if isinstance(verdict, Rated):
        assert 1.0 <= verdict.value <= 10.0
        assert verdict.value == fastchat_rating(text)
        assert verdict.value in {float(found) for found in re.findall(r"\[([0-9]+\.?[0-9]*)\]", text)}


@many
@given(HOSTILE)
def test_fuzzed_winners_are_marked(text: str) -> None:
    verdict = mt_bench_winner(text)
    marked = [marker for marker in ("[[A]]", "[[B]]", "[[C]]") if marker in text]
    assert isinstance(verdict, Preferred) == bool(marked)


@many
@given(HOSTILE)
def test_fuzzed_alignbench_ratings_are_marked_and_on_the_scale(text: str) -> None:
    verdict = alignbench_rating(text, DIMENSIONS)
    if isinstance(verdict, Rated):
        assert 1.0 <= verdict.value <= 10.0
        marked = re.findall(rf"{OVERALL}': ({ANY_DIGITS})(\.\d{{1,2}})?", text)
        assert verdict.value in {float(whole + part) for whole, more in marked for part in ("", more)}
        assert all(1.0 <= value <= 10.0 and f"{name}': " in text for name, value in verdict.parts)
        assert {name for name, _ in verdict.parts} <= set(DIMENSIONS)


@many
@given(HOSTILE)
def test_fuzzed_belle_scores_are_marked_and_on_the_scale(text: str) -> None:
    verdict = belle_score(text)
    if isinstance(verdict, Rated):
        assert 0.0 <= verdict.value <= 1.0
        after = text.replace("．", ".").partition("得分")[2]
        assert verdict.value in {float(found) for found in re.findall(r"[0-9０-９]+(?:\.[0-9０-９]+)?", after)}


MEGABYTES = {
    "open brackets": "[" * 1_000_000,
    "close brackets": "]" * 1_000_000,
    "opened numbers": "[[1" * 333_000,
    "unclosed number": "[[" + "9" * 1_000_000,
    "closed number": "[[" + "9" * 1_000_000 + "]]",
    "unclosed decimals": "[[0." + "9" * 1_000_000,
    "two runs of digits": "[[" + "9" * 500_000 + "." + "9" * 500_000 + "]",
    "open braces": "{" * 1_000_000,
    "pairs of braces": "{}" * 500_000,
    "braces on lines": "{\n" * 500_000,
    "braces, then a close": "{" * 999_999 + "}",
    "quotes": "'" * 1_000_000,
    "quotes in braces": "{" + "'a" * 500_000 + "}",
    "keys without numbers": "{" + "': " * 333_000 + "}",
    "keys and numbers": "{" + "'a': 1" * 166_000 + "}",
    "overall ratings": "'综合得分': " * 110_000,
    "a long overall rating": "'综合得分': " + "9" * 1_000_000,
    "markers": "得分" * 500_000,
    "markers with colons": "得分:" * 333_000,
    "markers with numbers": "得分:1" * 250_000,
    "marker and emphasis": "得分" + "*" * 1_000_000,
    "marker and parentheses": "得分(" * 333_000,
    "marker, colon, parentheses": "得分:" + "(" * 1_000_000,
    "number and spaces": ("得分:1" + " " * 996) * 1_000,
    "number and one run of spaces": "得分:1" + " " * 1_000_000,
    "long score": "得分:0." + "9" * 1_000_000,
    "long fraction": "得分:1/" + "1" * 1_000_000,
    "full-width digits": "得分：" + "９" * 1_000_000,
    "newlines": "\n" * 1_000_000,
}
PARSERS: dict[str, Callable[[str], object]] = {
    "fastchat_rating": fastchat_rating,
    "mt_bench_rating": mt_bench_rating,
    "mt_bench_winner": mt_bench_winner,
    "alignbench_rating": lambda text: alignbench_rating(text, DIMENSIONS),
    "belle_score": lambda text: belle_score(text, is_cut=True),
}


@pytest.mark.parametrize("parser", PARSERS)
def test_a_hostile_megabyte_takes_less_than_a_second(parser: str) -> None:
    for name, text in MEGABYTES.items():
        assert len(text.encode()) >= 900_000, name
        begin = time.process_time()
        PARSERS[parser](text)
        assert time.process_time() - begin < 1.0, name
