"""What a ranking hangs on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_votes import JUDGE, cast_by, mt_bench

from evalsuite.preference.influence import fragility
from evalsuite.preference.rankings import strengths
from evalsuite.preference.table import table_of
from evalsuite.verdicts import Comparison, Winner


def vote(winner: Winner, number: int, rater: str) -> Comparison:
    return Comparison(
        item=str(number), group=str(number), language="en", system_a="x", system_b="y", winner=winner, rater=rater
    )


def test_a_lead_of_three_votes_hangs_on_three() -> None:
    votes = [vote(Winner.A if n < 23 else Winner.B, n, f"r{n % 4}") for n in range(43)]
    found = fragility(table_of(votes))
    assert (found.leader, found.challenger, found.total) == ("x", "y", 43)
    assert found.num_votes == 4
    assert found.without_annotator == ()


def test_one_annotator_may_decide() -> None:
    fair = [vote(Winner.A if n % 2 else Winner.B, n, f"r{n % 3}") for n in range(30)]
    zealous = [vote(Winner.A, 100 + n, "zealot") for n in range(6)]
    found = fragility(table_of([*fair, *zealous, vote(Winner.B, 200, "r0")]))
    assert found.leader == "x"
    assert found.without_annotator == ("zealot",)


@pytest.mark.data
def test_without_these_votes_another_leads_mt_bench(mirror: Path) -> None:
    table = mt_bench(mirror)
    people = table.where(~cast_by(table, JUDGE))
    found = fragility(people)
    assert (found.leader, found.challenger) == ("gpt-4", "claude-v1")
    assert found.num_votes is not None
    assert 50 < found.num_votes < 300
    assert found.without_annotator == ()
    assert people.systems[int(strengths(people).argmax())] == "gpt-4"
    assert np.isfinite(strengths(people)).all()
