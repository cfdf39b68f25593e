"""What answers look like, as covariates: found where it matters, nought where it does not, and kept with its votes."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite.preference.strength_model import fit
from evalsuite.preference.style import at, features_of
from evalsuite.preference.table import table_of
from evalsuite.verdicts import Comparison, Winner
from evalsuite.votes import Form


def test_balances_are_of_the_two_answers() -> None:
    forms = [(Form(num_graphemes=300, num_bold=2), Form(num_graphemes=100)), None]
    found = features_of(forms)
    assert found
    assert found.names == ("length", "bold")
    np.testing.assert_allclose(found.values, [[0.5, 1.0], [np.nan, np.nan]])
    kept = at(found, np.array([False, True]))
    assert kept
    assert np.isnan(kept.values).all()


def test_votes_without_forms_have_no_features() -> None:
    assert features_of([None, None]) is None
    assert features_of([]) is None
    assert features_of([(Form(num_graphemes=9), Form(num_graphemes=9))]) is None


def test_raters_who_prefer_length_are_found_and_the_systems_are_alike() -> None:
    """Two systems of the same strength, one of which writes longer: the plain model calls it the stronger."""
    draw = np.random.default_rng(4)
    rows, forms = [], []
    for n in range(400):
        long, short = int(draw.integers(150, 500)), int(draw.integers(80, 300))
        balance = (long - short) / (long + short)
        chance = 1 / (1 + np.exp(-3 * balance))
        rows.append(
            Comparison(item=f"q{n}", group=f"q{n}", language="en", system_a="long", system_b="short",
                       winner=Winner.A if draw.random() < chance else Winner.B, rater=f"r{n % 20}", shown_first="")
        )  # fmt: skip
        forms.append((Form(num_graphemes=long), Form(num_graphemes=short)))
    table = table_of(rows)
    plain, controlled = fit(table), fit(table, features_of(forms))
    worth = controlled.style_of("length")
    assert worth.value - 3 * worth.stderr > 0
    before = plain.difference("long", "short")
    assert before.value > 3 * before.stderr
    after = controlled.difference("long", "short")
    assert abs(after.value) < 3 * after.stderr
    assert worth.value == pytest.approx(controlled.style["length"])
