"""FastChat's own numbers, against pandas doing to the same rows what ``show_result.py`` does."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from foreign_files import pair, rows_of, single
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.errors import UsageError
from evalsuite.interop.fastchat_rules import FastChatRating, FastChatWins, fastchat_ratings, fastchat_wins
from evalsuite.interop.mt_bench_files import pair_judgments, single_judgments

SCORES = st.sampled_from([-1, -1.0, 1, 5, 7.5, 8, 10, 9.3, 0, 11, 85.25])
RATED = st.lists(
    st.builds(
        single,
        question=st.integers(81, 84),
        turn=st.sampled_from([1, 2]),
        score=SCORES,
        model=st.sampled_from(["vicuna", "alpaca", "模型"]),
        judge=st.sampled_from([["gpt-4", "single-v1"], ["gpt-4", "single-math-v1"], ["other", "single-v1"]]),
    ),
    min_size=1,
    max_size=40,
)
VERDICTS = st.sampled_from(["model_1", "model_2", "tie", "error"])
PAIRED = st.lists(
    st.builds(
        lambda question, models, first, second: pair(
            question, first=first, second=second, model_1=models[0], model_2=models[1]
        ),
        st.integers(81, 84),
        st.permutations(["a", "b", "c"]),
        VERDICTS,
        VERDICTS,
    ),
    min_size=1,
    max_size=40,
)


def ratings(rows: list[dict[str, Any]]) -> tuple[FastChatRating, ...]:
    return fastchat_ratings(single_judgments(rows_of(rows)))


def wins(rows: list[dict[str, Any]], baseline: str = "") -> tuple[FastChatWins, ...]:
    return fastchat_wins(pair_judgments(rows_of(rows)), baseline)


@given(RATED)
def test_ratings_are_the_means_of_groups(rows: list[dict[str, Any]]) -> None:
    kept = pd.DataFrame(rows)[["model", "score", "turn"]].query("score != -1")
    by_turn = kept.groupby(["model", "turn"])["score"].mean()
    total = kept.groupby("model")["score"].mean()
    found = ratings(rows)
    assert {one.model for one in found} == {row["model"] for row in rows}
    for one in found:
        for value, expected in (
            (one.mt_bench_turn1, by_turn.get((one.model, 1))),
            (one.mt_bench_turn2, by_turn.get((one.model, 2))),
            (one.mt_bench_total, total.get(one.model)),
        ):
            assert (value is None) == (expected is None)
            assert value is None or value == pytest.approx(expected, rel=1e-12)
        own = [row for row in rows if row["model"] == one.model]
        assert one.n + one.dropped == len(own)
        assert one.dropped == sum(row["score"] == -1 for row in own)
    means = [one.mt_bench_total for one in found if one.mt_bench_total is not None]
    assert means == sorted(means, reverse=True)


def test_the_average_is_over_rows_and_not_over_turns() -> None:
    (one,) = ratings([single(81, 1, 10), single(82, 1, 7), single(83, 1, 4), single(81, 2, 1), single(82, 2, -1)])
    assert (one.mt_bench_turn1, one.mt_bench_turn2, one.mt_bench_total) == (7.0, 1.0, 5.5)
    assert (one.n, one.dropped, one.duplicates) == (4, 1, 0)


def test_repeated_rows_count_again_whatever_they_say() -> None:
    (one,) = ratings([single(81, 1, 10), single(81, 1, 10), single(81, 1, 4), single(81, 2, 6), single(81, 2, -1)])
    assert (one.mt_bench_turn1, one.mt_bench_turn2, one.mt_bench_total) == (8.0, 6.0, 7.5)
    assert (one.n, one.dropped, one.duplicates) == (4, 1, 3)


def test_a_model_without_any_rating_has_no_number() -> None:
    first, second = ratings([single(81, 1, -1, "none"), single(81, 1, 3, "some")])
    assert (first.model, first.mt_bench_total) == ("some", 3.0)
    assert second == FastChatRating("none", (("gpt-4", "single-v1"),), None, None, None, 0, 1, 0)


def test_judges_and_templates_are_told() -> None:
    (one,) = ratings([single(101, 2), single(81, 1), single(81, 1, judge=["claude-v1", "single-v1"])])
    assert one.judges == (("claude-v1", "single-v1"), ("gpt-4", "single-math-v1-multi-turn"), ("gpt-4", "single-v1"))
    assert one.duplicates == 0


def expected_wins(rows: list[dict[str, Any]], baseline: str) -> pd.DataFrame:
    """Wins, losses and ties by model: a tie unless both orders name the same model."""
    frame = pd.DataFrame(rows)
    frame = frame[~frame[["g1_winner", "g2_winner"]].eq("error").any(axis=1)]
    if baseline:
        frame = frame[frame[["model_1", "model_2"]].eq(baseline).any(axis=1)]
    agreed = frame["g1_winner"].where(frame["g1_winner"] == frame["g2_winner"], "tie")
    sides = []
    for own, other in (("model_1", "model_2"), ("model_2", "model_1")):
        side = pd.DataFrame(
            {"model": frame[own], "win": agreed == own, "loss": agreed == other, "tie": agreed == "tie"}
        )
        sides.append(side)
    return pd.concat(sides).groupby("model").sum().drop(index=baseline, errors="ignore")


@given(PAIRED, st.sampled_from(["", "a", "b"]))
def test_wins_are_those_of_pandas(rows: list[dict[str, Any]], baseline: str) -> None:
    if baseline and not any(baseline in (row["model_1"], row["model_2"]) for row in rows):
        with pytest.raises(UsageError, match=f"^--baseline: no judgment is of '{baseline}'"):
            wins(rows, baseline)
        return
    expected = expected_wins(rows, baseline)
    counted = [one for one in wins(rows, baseline) if one.n]
    assert {one.model for one in counted} == set(expected.index)
    for one in counted:
        win, loss, tie = (int(expected.loc[one.model, name]) for name in ("win", "loss", "tie"))
        assert (one.win, one.loss, one.tie, one.n) == (win, loss, tie, win + loss + tie)
        assert one.win_rate == win / one.n
        assert one.loss_rate == loss / one.n
        assert one.win_rate_adjusted == (win + 0.5 * tie) / one.n
    rates = [one.win_rate_adjusted for one in counted]
    assert rates == sorted(rates, reverse=True)


def test_wins_by_hand() -> None:
    rows = [
        pair(81, first="model_1"),
        pair(82, first="model_2"),
        pair(83, first="model_1", second="model_2"),
        pair(84, first="tie"),
        pair(85, first="tie", second="model_1"),
        pair(86, first="model_1", second="error"),
        pair(87, first="model_2", model_1="b", model_2="a"),
        pair(87, first="model_2", model_1="b", model_2="a"),
    ]
    judges = (("gpt-4", "pair-v2"),)
    assert wins(rows) == (
        FastChatWins("a", judges, 3, 1, 3, 3 / 7, 1 / 7, 4.5 / 7, 7, 1, 1),
        FastChatWins("b", judges, 1, 3, 3, 1 / 7, 3 / 7, 2.5 / 7, 7, 1, 1),
    )
    assert [one.model for one in wins(rows, "a")] == ["b"]


def test_a_baseline_leaves_other_pairs_out() -> None:
    rows = [pair(81, first="model_1"), pair(81, first="model_1", model_1="b", model_2="c")]
    assert [(one.model, one.win, one.loss) for one in wins(rows, "a")] == [("b", 0, 1)]
    assert [(one.model, one.win, one.loss) for one in wins(rows)] == [("a", 1, 0), ("b", 1, 1), ("c", 0, 1)]


def test_an_unknown_baseline_names_the_nearest() -> None:
    rows = [pair(model_1="gpt-4", model_2="vicuna-13b-v1.3")]
    with pytest.raises(
        UsageError, match=r"^--baseline: no judgment is of 'vicuna-13b'; did you mean 'vicuna-13b-v1.3'\?$"
    ):
        wins(rows, "vicuna-13b")
    with pytest.raises(UsageError, match=r"^--baseline: no judgment is of 'x'; they are of gpt-4, vicuna-13b-v1.3\.$"):
        wins(rows, "x")


def test_comparisons_of_ratings_have_no_turn_and_count_as_they_say() -> None:
    row = pair(81, first="model_1", m1_score=7, m2_score=-1, judge=["gpt-4", "single-v1"])
    del row["turn"]
    assert [(one.model, one.win, one.dropped) for one in wins([row])] == [("a", 1, 0), ("b", 0, 0)]
