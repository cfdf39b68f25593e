"""Evalsuite's own numbers from MT-Bench judgments: values, clustered intervals, what is unscored, missing, refused."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from foreign_files import NAMES, answer, pair, rows_of, single
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from evalsuite.errors import DataError
from evalsuite.interop.judged import Judged
from evalsuite.interop.mt_bench_files import (
    Kind,
    kind_of,
    model_answers,
    pair_judgments,
    single_judgments,
)
from evalsuite.interop.mt_bench_results import category_of, compare, rate
from evalsuite.records import Estimate


def rated(rows: list[dict[str, Any]]) -> tuple[Judged, ...]:
    return rate(single_judgments(rows_of(rows)))


def compared(rows: list[dict[str, Any]], baseline: str = "") -> tuple[Judged, ...]:
    return compare(pair_judgments(rows_of(rows)), baseline)


def whole(score: Callable[[int, int], float]) -> list[dict[str, Any]]:
    """Judgments of all 160 turns."""
    return [single(question, turn, score(question, turn)) for question in range(81, 161) for turn in (1, 2)]


def by_metric(result: Judged) -> dict[str, Estimate]:
    return {estimate.metric: estimate for estimate in result.estimates}


def score_of(question: int, turn: int) -> int:
    """Ratings from 1 to 10 without order."""
    return (question * 37 + turn * 11 + question * question) % 10 + 1


# -- ratings


def test_values_of_a_whole_file() -> None:
    (result,) = rated(whole(score_of))
    found = {name: estimate.value for name, estimate in by_metric(result).items()}
    turns = {turn: [score_of(question, turn) for question in range(81, 161)] for turn in (1, 2)}
    expected = {
        "mt_bench_total": statistics.fmean(turns[1] + turns[2]),
        "mt_bench_turn1": statistics.fmean(turns[1]),
        "mt_bench_turn2": statistics.fmean(turns[2]),
        "mt_bench_balanced": (statistics.fmean(turns[1]) + statistics.fmean(turns[2])) / 2,
    }
    for index, name in enumerate(NAMES):
        part = slice(10 * index, 10 * index + 10)
        expected[f"mt_bench_{name}"] = statistics.fmean(turns[1][part] + turns[2][part])
    assert found == pytest.approx(expected, rel=1e-12)
    assert result.coverage.n == result.coverage.expected == 160
    assert result.coverage.missing == {"turn1": (), "turn2": ()}
    assert (result.model, result.judge, result.protocol) == ("m", "gpt-4", "mt_bench_single-v1@gpt-4")
    assert result.estimates[0].metric == "mt_bench_total"
    assert [estimate.is_primary for estimate in result.estimates] == [True] + 11 * [False]


def test_intervals_are_clustered_by_question() -> None:
    """With two ratings of every question the clustered error is that of the 80 questions' means."""
    (result,) = rated(whole(score_of))
    means = [statistics.fmean([score_of(question, 1), score_of(question, 2)]) for question in range(81, 161)]
    stderr = statistics.stdev(means) / math.sqrt(80)
    total = by_metric(result)["mt_bench_total"]
    assert (total.n, total.num_clusters) == (160, 80)
    assert total.stderr == pytest.approx(stderr, rel=1e-9)
    half = t.ppf(0.975, 79) * stderr
    assert (total.low, total.high) == pytest.approx((total.value - half, total.value + half), rel=1e-9)


def test_turns_that_agree_are_worth_one() -> None:
    """Twice the same rating of each question says no more than once."""
    (result,) = rated(whole(lambda question, turn: score_of(question, 1)))
    found = by_metric(result)
    assert found["mt_bench_total"].stderr == pytest.approx(found["mt_bench_turn1"].stderr, rel=1e-9)


def test_minus_one_is_unscored_and_bounds_the_mean() -> None:
    rows = [single(81, 1, 8), single(82, 1, 6), single(83, 1, -1), single(81, 2, 4)]
    (result,) = rated(rows)
    found = by_metric(result)
    assert found["mt_bench_total"].value == 6.0
    assert dict(result.unscored) == {"judge_unparsed": 1}
    assert found["mt_bench_total"].unscored == {"judge_unparsed": 1}
    assert (found["mt_bench_total"].best_case, found["mt_bench_total"].worst_case) == (7.0, 4.75)
    assert (found["mt_bench_turn1"].num_unscored, found["mt_bench_turn2"].num_unscored) == (1, 0)
    assert (found["mt_bench_turn1"].value, found["mt_bench_turn2"].value) == (7.0, 4.0)
    assert found["mt_bench_balanced"].value == 5.5
    assert "mt_bench_math" not in found


def test_coverage_names_what_is_not_there() -> None:
    rows = [row for row in whole(score_of) if (row["question_id"], row["turn"]) not in {(90, 1), (90, 2), (160, 2)}]
    (result,) = rated([row if row["question_id"] != 81 else {**row, "score": -1} for row in rows])
    assert (result.coverage.n, result.coverage.expected) == (155, 160)
    assert result.coverage.missing == {"turn1": (90,), "turn2": (90, 160)}
    assert dict(result.unscored) == {"judge_unparsed": 2}


def test_nothing_rated_gives_no_number() -> None:
    (result,) = rated([single(81, 1, -1), single(82, 1, -1.0)])
    assert result.estimates == ()
    assert (result.coverage.n, dict(result.unscored)) == (0, {"judge_unparsed": 2})


def test_models_and_judges_are_kept_apart() -> None:
    rows = [single(81, 1, 3), single(81, 1, 9, model="n"), single(81, 1, 5, judge=["claude-v1", "single-v1"])]
    found = {(one.model, one.judge): by_metric(one)["mt_bench_total"].value for one in rated(rows)}
    assert found == {("m", "gpt-4"): 3.0, ("n", "gpt-4"): 9.0, ("m", "claude-v1"): 5.0}


def test_rows_that_say_the_same_count_once() -> None:
    (result,) = rated([single(81, 1, 8), single(82, 1, 2), single(81, 1, 8, tstamp=2.0)])
    assert by_metric(result)["mt_bench_total"].value == 5.0
    assert (result.num_merged, result.coverage.n) == (1, 2)


@pytest.mark.parametrize(
    "changes",
    [{"score": 7}, {"judgment": "Other words. Rating: [[8]]"}, {"judge": ["gpt-4", "single-v2"]}, {"score": -1}],
)
def test_rows_that_contradict_each_other_are_refused_with_both_places(changes: dict[str, Any]) -> None:
    with pytest.raises(DataError) as caught:
        rated([single(81, 1, 8), single(82, 1, 2), {**single(81, 1, 8), **changes}])
    assert str(caught.value) == (
        "f, line 3: differs from f, line 1, which is about the same, question 81, turn 1, of m judged by gpt-4; "
        "keep one of them."
    )


@pytest.mark.parametrize("score", [0, 10.5, 11, 85, -2, 0.5, -1.5])
def test_ratings_off_the_scale_are_refused(score: float) -> None:
    with pytest.raises(DataError, match=rf"^f, line 2: 'score' is {score:g}, outside MT-Bench's scale of 1 to 10"):
        rated([single(81), single(82, score=score)])


@pytest.mark.parametrize("question", [80, 161, 0, -81, "081", "x", "８１"])
def test_questions_of_another_benchmark_are_refused(question: Any) -> None:
    with pytest.raises(
        DataError, match=rf"^f, line 1: question {question} is not one of MT-Bench's, 81 to 160; --rule"
    ):
        rated([single(81, question_id=question)])
    with pytest.raises(DataError, match=rf"^f, line 1: question {question} is not one of MT-Bench's"):
        compared([pair(81, question_id=question)])


@pytest.mark.parametrize(
    ("question", "turn", "name"),
    [(81, 2, "single-v1"), (101, 1, "single-v1"), (81, 1, "single-math-v1"), (81, 1, "own")],
)
def test_other_templates_make_another_protocol(question: int, turn: int, name: str) -> None:
    (result,) = rated([single(question, turn, judge=["gpt-4", name]), single(82)])
    names = "+".join(sorted({name, "single-v1"}))
    assert result.protocol == f"mt_bench_single:{names}@gpt-4"
    assert result.templates == tuple(names.split("+"))


@given(st.lists(st.tuples(st.integers(81, 160), st.sampled_from([1, 2])), min_size=2, unique=True), st.randoms())
def test_order_does_not_matter(turns: list[tuple[int, int]], random: Any) -> None:
    rows = [single(question, turn, score_of(question, turn)) for question, turn in turns]
    (before,) = rated(rows)
    random.shuffle(rows)
    (after,) = rated(rows)
    for one, other in zip(before.estimates, after.estimates, strict=True):
        assert (one.metric, one.n) == (other.metric, other.n)
        assert one.value == other.value
        assert (one.stderr is None) == (other.stderr is None)
        assert one.stderr is None or one.stderr == pytest.approx(other.stderr, abs=1e-9)


@pytest.mark.data
def test_categories_are_those_of_the_questions(mirror: Path) -> None:
    lines = (mirror / "lm-sys__mt_bench" / "question.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    assert {row["question_id"]: category_of(str(row["question_id"])) for row in questions} == {
        row["question_id"]: row["category"] for row in questions
    }
    assert len(questions) == 80


# -- comparisons


def test_comparisons_by_hand() -> None:
    rows = [
        pair(81, 1, "model_1"),
        pair(81, 2, "model_1"),
        pair(82, 1, "model_2"),
        pair(83, 1, "model_1", "model_2"),
        pair(84, 1, "tie"),
        pair(85, 1, "model_1", "error"),
        pair(86, 1, "model_2", model_1="b", model_2="a"),
    ]
    (result,) = compared(rows)
    assert (result.model, result.against, result.protocol) == ("a", "b", "mt_bench_pair-v1@gpt-4")
    found = {name: estimate.value for name, estimate in by_metric(result).items()}
    assert found == pytest.approx(
        {
            "win_rate_adjusted": (3 + 0.5 * 2) / 6,
            "win_rate": 3 / 6,
            "loss_rate": 1 / 6,
            "tie_rate": 2 / 6,
            "consistency": 5 / 6,
        }
    )
    assert (result.coverage.n, result.coverage.expected) == (6, 160)
    assert len(result.coverage.missing["turn1"]) == 74
    assert dict(result.unscored) == {"judge_unparsed": 1}
    headline = by_metric(result)["win_rate_adjusted"]
    assert (headline.best_case, headline.worst_case) == (5 / 7, 4 / 7)
    assert (headline.n, headline.num_clusters) == (6, 5)


def test_a_baseline_is_the_other_side() -> None:
    rows = [pair(81, 1, "model_1"), pair(82, 1, "tie"), pair(81, 1, "model_2", model_1="c", model_2="a")]
    found = {(one.model, one.against): by_metric(one)["win_rate_adjusted"].value for one in compared(rows, "a")}
    assert found == {("b", "a"): 0.25, ("c", "a"): 0.0}
    assert {(one.model, one.against) for one in compared(rows)} == {("a", "b"), ("c", "a")}


VERDICTS = st.sampled_from(["model_1", "model_2", "tie", "error"])


@given(
    st.dictionaries(st.tuples(st.integers(81, 99), st.sampled_from([1, 2])), st.tuples(VERDICTS, VERDICTS), min_size=1)
)
def test_swapping_the_models_mirrors_every_rate(verdicts: dict[tuple[int, int], tuple[str, str]]) -> None:
    rows = [pair(question, turn, *games) for (question, turn), games in verdicts.items()]
    (one,) = compared(rows, "b")
    (other,) = compared(rows, "a")
    found, mirrored = by_metric(one), by_metric(other)
    assert found.keys() == mirrored.keys()
    for name, estimate in found.items():
        other_name = {"win_rate": "loss_rate", "loss_rate": "win_rate"}.get(name, name)
        expected = 1 - mirrored[name].value if name == "win_rate_adjusted" else mirrored[other_name].value
        assert estimate.value == pytest.approx(expected)


def test_a_comparison_with_a_missing_rating_is_unscored() -> None:
    rated_one = pair(81, 1, "model_1", m1_score=8, m2_score=5)
    unrated = pair(82, 1, "model_1", m1_score=8, m2_score=-1)
    for row in (rated_one, unrated):
        del row["turn"]
        row["judge"] = ["gpt-4", "single-v1"]
    (result,) = compared([rated_one, unrated])
    assert result.protocol == "mt_bench_pair:single-v1@gpt-4"
    assert (result.coverage.n, dict(result.unscored)) == (1, {"judge_unparsed": 1})
    assert "consistency" not in by_metric(result)


def test_swapped_copies_of_a_comparison_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"^f, line 2: differs from f, line 1, which is about the same, question 81, turn"
    ):
        compared([pair(81), pair(81, first="model_2", model_1="b", model_2="a")])
    (result,) = compared([pair(81), pair(81, tstamp=1)])
    assert (result.num_merged, result.coverage.n) == (1, 1)


# -- rows


def test_kinds_are_told_by_their_keys() -> None:
    assert kind_of(rows_of([answer(), answer(82)])) is Kind.MODEL_ANSWERS
    assert kind_of(rows_of([single()])) is Kind.SINGLE_JUDGMENTS
    assert kind_of(rows_of([pair()])) is Kind.PAIR_JUDGMENTS
    with pytest.raises(
        DataError, match=r"^f, line 2: this is one of pair judgments, but f, line 1 is one of single judg"
    ):
        kind_of(rows_of([single(), pair()]))
    with pytest.raises(
        DataError, match=r"^f, line 1: no FastChat row: none of the keys .*, only 'question_id', 'turns'\.$"
    ):
        kind_of(rows_of([{"question_id": 81, "turns": []}]))
    with pytest.raises(DataError, match=r"^f, line 1: no FastChat row: .*, only nothing\.$"):
        kind_of(rows_of([{}]))


@pytest.mark.parametrize("key", ["question_id", "model", "judge", "score", "turn"])
def test_single_judgments_need_their_keys(key: str) -> None:
    row = single()
    del row[key]
    with pytest.raises(DataError, match=rf"^f, line 1: no '{key}'"):
        single_judgments(rows_of([row]))


@pytest.mark.parametrize(
    "changes",
    [
        {"question_id": None}, {"question_id": True}, {"question_id": 81.0}, {"question_id": ""},
        {"model": 3}, {"model": ""}, {"model": None},
        {"judge": "gpt-4"}, {"judge": ["gpt-4"]}, {"judge": ["gpt-4", 1]}, {"judge": ["", "v1"]}, {"judge": None},
        {"score": None}, {"score": "8"}, {"score": True}, {"score": [8]}, {"score": 1e300}, {"score": 10**50},
        {"turn": 0}, {"turn": 3}, {"turn": "1"}, {"turn": True}, {"turn": 1.0}, {"turn": None},
    ],
)  # fmt: skip
def test_single_judgments_of_wrong_types_are_refused(changes: dict[str, Any]) -> None:
    (key,) = changes
    with pytest.raises(DataError, match=rf"^f, line 2: '{key}' is .*\.$"):
        single_judgments(rows_of([single(), single(82, **changes)]))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"g1_winner": "A"}, "g1_winner"), ({"g2_winner": None}, "g2_winner"), ({"g2_winner": "Tie"}, "g2_winner"),
        ({"model_1": 1}, "model_1"), ({"model_2": ""}, "model_2"), ({"model_2": "a"}, "model_1"), ({"turn": 3}, "turn"),
        ({"judge": ["gpt-4", "x", "y"]}, "judge"), ({"m1_score": "7", "m2_score": 1}, "m1_score"),
    ],
)  # fmt: skip
def test_pair_judgments_of_wrong_types_are_refused(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(DataError, match=rf"^f, line 1: '{key}' "):
        pair_judgments(rows_of([pair(81, **changes)]))


@pytest.mark.parametrize(
    "choices",
    [[], None, {}, "x", [3], [{}], [{"turns": []}], [{"turns": "text"}], [{"turns": ["a", 3]}], [{"turns": [["a"]]}]],
)
def test_model_answers_of_wrong_types_are_refused(choices: Any) -> None:
    with pytest.raises(DataError, match=r"^f, line 1: (the )?'(choices|turns)' .*; expected a list of "):
        model_answers(rows_of([answer(choices=choices)]))


def test_model_answers_say_which_turns_are_none() -> None:
    (found,) = model_answers(rows_of([answer(turns=["$ERROR$", " ERROR\n"])]))
    assert found.turns == (None, None)
    (found,) = model_answers(rows_of([answer(turns=["An $ERROR$ in a text.", "", None])]))
    assert found.turns == ("An $ERROR$ in a text.", "", None)
    two = [{"index": 0, "turns": ["a", "b"]}, {"index": 1, "turns": ["c", "d"]}]
    (found,) = model_answers(rows_of([answer(choices=two)]))
    assert (found.turns, found.num_other_choices) == (("a", "b"), 1)
