"""Rankings: equal to evalica's, to a regression's and to a worked example; mirrored; honest about what is not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_votes import JUDGE, cast_by, mt_bench

from evalsuite.errors import DataError
from evalsuite.preference.rank_ranges import rank_ranges
from evalsuite.preference.rankings import TIES, check_comparable, rankings, strengths, tie_weight
from evalsuite.preference.strength_model import Features, fit
from evalsuite.preference.table import VoteTable, table_of
from evalsuite.verdicts import Comparison, Winner

A, B, TIE = Winner.A, Winner.B, Winner.TIE
WIKIPEDIA = {
    ("A", "B"): 2, ("A", "D"): 1, ("B", "A"): 3, ("B", "C"): 5,
    ("C", "B"): 3, ("C", "D"): 1, ("D", "A"): 4, ("D", "C"): 3,
}  # fmt: skip
"""Wins of the article's worked example (Bradley-Terry model), whose strengths have a geometric mean of one."""

PUBLISHED = {"A": 0.640, "B": 1.043, "C": 0.660, "D": 2.270}


def vote(a: str, b: str, winner: Winner, number: int = 0, *, language: str = "en", rater: str = "r") -> Comparison:
    return Comparison(
        item=str(number), group=str(number), language=language, system_a=a, system_b=b, winner=winner, rater=rater,
        shown_first=a if number % 2 else b,
    )  # fmt: skip


def people(mirror: Path) -> VoteTable:
    table = mt_bench(mirror)
    return table.where(~cast_by(table, JUDGE))


def test_the_worked_example() -> None:
    votes = [vote(a, b, A, number) for (a, b), wins in WIKIPEDIA.items() for number in range(wins)]
    table = table_of(votes)
    found = dict(zip(table.systems, np.exp(strengths(table)), strict=True))
    assert found == pytest.approx(PUBLISHED, abs=5e-4)


def battles(systems: str = "wxyz") -> st.SearchStrategy[VoteTable]:
    """Every system beats and loses to the next, so that all can be compared."""
    ring = [(systems[n], systems[(n + 1) % len(systems)]) for n in range(len(systems))]
    fixed = [vote(a, b, winner, n) for n, (a, b) in enumerate(ring) for winner in (A, B)]
    pair = st.sampled_from([(a, b) for a in systems for b in systems if a != b])
    row = st.builds(
        lambda pair, winner, number, language: vote(*pair, winner, number, language=language),
        pair, st.sampled_from([A, B, TIE]), st.integers(0, 8), st.sampled_from(["en", "hi"]),
    )  # fmt: skip
    return st.lists(row, max_size=60).map(lambda rows: table_of([*fixed, *rows]))


@given(battles())
def test_bradley_terry_is_a_logistic_regression(table: VoteTable) -> None:
    import statsmodels.api as sm

    design = np.zeros((len(table), len(table.systems)))
    design[np.arange(len(table)), table.a] = 1.0
    design[np.arange(len(table)), table.b] = -1.0
    fitted = sm.GLM(table.value, design[:, 1:], family=sm.families.Binomial()).fit(tol=1e-13)
    theirs = np.concatenate([[0.0], fitted.params])
    assert strengths(table) == pytest.approx(theirs - theirs.mean(), abs=1e-6)


@given(battles(), st.sampled_from(TIES))
def test_exchanging_the_sides_changes_nothing(table: VoteTable, ties: str) -> None:
    swapped = table.swapped(np.ones(len(table), dtype=bool))
    assert strengths(table, ties) == pytest.approx(strengths(swapped, ties), abs=1e-7)  # type: ignore[arg-type]


@given(battles())
def test_the_model_is_mirrored_with_its_sides(table: VoteTable) -> None:
    mirrored = replace(table, first=-table.first)
    here, there = fit(table, pooling=0.3), fit(mirrored, pooling=0.3)
    assert here.strengths == pytest.approx(there.strengths, abs=1e-5)
    for language in here.languages:
        assert here.left[language] == pytest.approx(-there.left[language], abs=1e-5)


@pytest.mark.data
def test_the_model_is_evalicas_davidson_where_it_knows_no_more(mirror: Path) -> None:
    table = people(mirror)
    found = fit(replace(table, first=np.zeros_like(table.first)))
    assert found.strengths == pytest.approx(strengths(table, "davidson"), abs=1e-6)
    assert found.tie_weights["en"] == pytest.approx(tie_weight(table), abs=1e-6)
    assert tie_weight(table) == pytest.approx(0.860, abs=5e-4)


@pytest.mark.data
def test_the_ranks_of_mt_bench(mirror: Path) -> None:
    found = rankings(people(mirror), num_draws=100)
    assert [row.system for row in found[:4]] == ["gpt-4", "claude-v1", "gpt-3.5-turbo", "vicuna-13b-v1.2"]
    assert all(row.low is not None and row.high is not None and row.low < row.strength < row.high for row in found)
    assert rank_ranges(fit(people(mirror)))["gpt-4"] == (1, 1)
    assert rank_ranges(fit(people(mirror)))["claude-v1"] == (2, 3)


def test_what_does_not_compare_is_refused() -> None:
    winner = [vote("x", "y", A, n) for n in range(3)] + [vote("y", "z", w, n) for n, w in enumerate([A, B])]
    with pytest.raises(DataError, match=r"1 of 3 systems cannot be ranked with the others.*\(x\)"):
        rankings(table_of(winner))
    islands = [vote(a, b, w, n) for a, b in (("x", "y"), ("v", "w")) for n, w in enumerate([A, B])]
    with pytest.raises(DataError, match="2 of 4 systems"):
        check_comparable(table_of(islands))


def test_a_tie_joins_two_systems() -> None:
    check_comparable(table_of([vote("x", "y", TIE)]))


# -- what the model knows besides


def simulated(random: np.random.Generator, num: int = 6000) -> VoteTable:
    """Three systems in two languages; the left is worth 0.5, and x gains 0.8 in Hindi alone."""
    strength = {"x": 0.6, "y": 0.0, "z": -0.6}
    rows = []
    for number in range(num):
        a, b = random.choice(["x", "y", "z"], 2, replace=False)
        language = ("en", "hi")[number % 2]
        gain = 0.8 * ((a == "x") - (b == "x")) * (language == "hi")
        left = random.choice([a, b])
        difference = strength[a] - strength[b] + gain + 0.5 * (0.5 if left == a else -0.5)
        odds = np.array([np.exp(difference / 2), np.exp(-difference / 2), 0.6])
        winner = random.choice([A, B, TIE], p=odds / odds.sum())
        rows.append(
            Comparison(
                item=str(number % 300), group=str(number % 300), language=language, system_a=str(a), system_b=str(b),
                winner=winner, rater=str(number % 40), shown_first=str(left),
            )
        )  # fmt: skip
    return table_of(rows)


def test_position_ties_and_languages_are_told_apart() -> None:
    model = fit(simulated(np.random.default_rng(2)))
    assert model.difference("x", "y", "en").value == pytest.approx(0.6, abs=0.15)
    assert model.difference("x", "y", "hi").value == pytest.approx(1.4, abs=0.15)
    assert model.difference("y", "z").value == pytest.approx(0.6, abs=0.12)
    for language in ("en", "hi"):
        assert model.left[language] == pytest.approx(0.5, abs=0.12)
        assert model.tie_weights[language] == pytest.approx(0.6, abs=0.08)
    assert 0.15 < model.pooling < 1.2


def test_one_language_has_no_additions() -> None:
    table = simulated(np.random.default_rng(2), 900).in_language("en")
    model = fit(table)
    assert model.languages == ("en",)
    assert model.pooling == 0.0
    assert np.abs(model.additions).max() < 1e-4


def test_the_errors_of_differences_hold() -> None:
    random, hits = np.random.default_rng(9), []
    for _ in range(80):
        found = fit(simulated(random, 700), pooling=0.4).difference("y", "z")
        hits.append(abs(found.value - 0.6) < 2.02 * found.stderr)
    assert 0.88 <= np.mean(hits) <= 1.0


def test_style_is_worth_what_it_is_worth() -> None:
    """Longer answers win here, and nothing else does."""
    random = np.random.default_rng(4)
    rows, lengths = [], []
    for number in range(4000):
        longer = random.normal()
        winner = A if random.random() < 1 / (1 + np.exp(-0.7 * longer)) else B
        rows.append(vote("x", "y", winner, number % 200))
        lengths.append(longer * 55.0)
    table = table_of(rows)
    model = fit(table, Features(("length",), np.array(lengths)[:, None]))
    assert model.style["length"] == pytest.approx(0.7, abs=0.1)
    assert model.difference("x", "y").value == pytest.approx(0.0, abs=0.12)


def test_votes_without_a_prompt_alike_have_the_usual_error() -> None:
    """Every vote a prompt and an annotator of its own: the sandwich is that of independent votes."""
    random = np.random.default_rng(6)
    rows = [vote("x", "y", A if random.random() < 0.6 else B, n, rater=str(n)) for n in range(2000)]
    model = fit(replace(table_of(rows), first=np.zeros(len(rows), dtype=np.int64)))
    share = np.mean([row.winner is A for row in rows])
    assert model.difference("x", "y").value == pytest.approx(np.log(share / (1 - share)), abs=1e-3)
    assert model.difference("x", "y").stderr == pytest.approx(1 / np.sqrt(2000 * share * (1 - share)), rel=0.02)


def test_no_order_is_claimed_by_chance() -> None:
    random = np.random.default_rng(8)
    rows = [
        vote(a, b, A if random.random() < 0.5 else B, n, rater=str(n % 9))
        for n in range(60)
        for place, a in enumerate("vwxyz")
        for b in "vwxyz"[place + 1 :]
    ]
    assert set(rank_ranges(fit(table_of(rows))).values()) == {(1, 5)}
