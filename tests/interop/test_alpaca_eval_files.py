"""AlpacaEval's files: its own win rates against pandas, and evalsuite's with null unscored and coverage."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from foreign_files import annotation, output, rows_of, single
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from evalsuite.errors import DataError
from evalsuite.interop.alpaca_eval_files import (
    AlpacaEvalWins,
    Kind,
    Outputs,
    alpaca_eval_wins,
    annotations_in,
    describe_outputs,
    kind_of,
    outputs_in,
    prefer,
)
from evalsuite.interop.judged import Judged
from evalsuite.records import Estimate

PREFERENCES = st.lists(
    st.sampled_from([None, 1, 2, 1.5, 0, 1.0, 2.0, 1.4999999, 1.73, 1.2, 0.4, 2.4, 2.5, -1, 3]) | st.floats(1, 2),
    min_size=1,
    max_size=30,
)


def wins(preferences: Sequence[Any]) -> AlpacaEvalWins:
    (found,) = alpaca_eval_wins(annotations_in(rows_of(annotation(*pair) for pair in enumerate(preferences))))
    return found


def judged(rows: Sequence[dict[str, Any]]) -> tuple[Judged, ...]:
    return prefer(annotations_in(rows_of(rows)))


def headline(result: Judged) -> Estimate:
    assert result.estimates[0].metric == "win_rate"
    return result.estimates[0]


# -- AlpacaEval's rules


@given(PREFERENCES)
def test_win_rates_are_those_of_pandas(preferences: list[float | None]) -> None:
    """Null and what is not between 1 and 2 is left out, 0 is a draw; the discrete rate rounds first."""
    series = pd.Series(preferences, dtype=float).replace(0.0, 1.5)
    kept = series[series.between(1, 2)] - 1
    rounded = pd.Series(np.where(series == 1.5, 1.5, series.round())).replace(0.0, 1.5)
    discrete = rounded[rounded.between(1, 2)] - 1
    found = wins(preferences)
    for value, expected in (
        (found.win_rate, kept.mean() * 100),
        (found.standard_error, kept.sem() * 100),
        (found.discrete_win_rate, discrete.mean() * 100),
    ):
        assert (value is None) == math.isnan(expected)
        assert value is None or value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found.n_total == len(kept)
    assert (found.n_wins, found.n_wins_base) == ((kept > 0.5).sum(), (kept < 0.5).sum())
    assert found.n_draws == (series == 1.5).sum()
    assert found.n_total + found.dropped == len(preferences)


def test_win_rate_by_hand() -> None:
    found = wins([2, 2, 1, 1.5, 0, None])
    assert found == AlpacaEvalWins(
        model="m",
        baselines=("baseline",),
        annotators=("judge",),
        win_rate=60.0,
        standard_error=pytest.approx(100 * math.sqrt(0.175 / 5)),
        n_wins=2,
        n_wins_base=1,
        n_draws=2,
        n_total=5,
        discrete_win_rate=60.0,
        dropped=1,
        duplicates=0,
    )


def test_too_few_preferences_have_no_error_and_none_no_rate() -> None:
    assert (wins([2]).win_rate, wins([2]).standard_error) == (100.0, None)
    none = wins([None])
    assert (none.win_rate, none.standard_error, none.discrete_win_rate, none.n_total) == (None, None, None, 0)


def test_repeated_instructions_count_again() -> None:
    rows = [annotation(0, 2), annotation(0, 2), annotation(0, 1), annotation(1, 1, annotator="other"), annotation(1, 2)]
    (found,) = alpaca_eval_wins(annotations_in(rows_of(rows)))
    assert (found.win_rate, found.n_total, found.duplicates) == (60.0, 5, 2)
    assert found.annotators == ("judge", "other")


def test_models_are_the_second_generators_the_best_first() -> None:
    rows = [
        annotation(0, 1, generator_2="worse"),
        annotation(0, 2, generator_2="better"),
        annotation(0, None, generator_2="x"),
    ]
    found = alpaca_eval_wins(annotations_in(rows_of(rows)))
    assert [(one.model, one.win_rate) for one in found] == [("better", 100.0), ("worse", 0.0), ("x", None)]


# -- evalsuite's rules


def test_null_is_unscored_and_the_interval_is_students() -> None:
    preferences = [2, 1.25, 1, None, 1.5, 0, 1.9]
    (result,) = judged([annotation(*pair) for pair in enumerate(preferences)])
    shares = [1.0, 0.25, 0.0, 0.5, 0.5, 0.9]
    estimate = headline(result)
    assert estimate.value == pytest.approx(statistics.fmean(shares))
    half = t.ppf(0.975, 5) * statistics.stdev(shares) / math.sqrt(6)
    assert (estimate.low, estimate.high) == pytest.approx((estimate.value - half, estimate.value + half))
    assert (estimate.n, estimate.num_clusters, estimate.unscored) == (6, 6, {"judge_unparsed": 1})
    assert estimate.best_case == pytest.approx((sum(shares) + 1) / 7)
    assert estimate.worst_case == pytest.approx(sum(shares) / 7)
    assert result.estimates[1].metric == "discrete_win_rate"
    assert result.estimates[1].value == pytest.approx((1 + 0 + 0 + 0.5 + 0.5 + 1) / 6)
    assert (result.coverage.n, result.coverage.expected, dict(result.unscored)) == (6, 805, {"judge_unparsed": 1})
    assert (result.model, result.against, result.judge, result.protocol) == (
        "m",
        "baseline",
        "judge",
        "alpaca_eval@judge",
    )


def test_annotators_and_baselines_are_kept_apart() -> None:
    rows = [annotation(0, 2), annotation(0, 1, annotator="other"), annotation(0, 1.5, generator_1="rival")]
    found = {(one.against, one.judge): headline(one).value for one in judged(rows)}
    assert found == {("baseline", "judge"): 1.0, ("baseline", "other"): 0.0, ("rival", "judge"): 0.5}


@pytest.mark.parametrize("preference", [1, 2, None])
def test_instructions_that_stand_twice_are_refused(preference: float | None) -> None:
    rows = [annotation(0, 2), annotation(1, 2), annotation(0, preference)]
    with pytest.raises(DataError, match=r"^f, line 3: the same instruction for m as in f, line 1; keep one of them\.$"):
        judged(rows)


def test_the_input_belongs_to_the_instruction() -> None:
    (result,) = judged([annotation(0, 2, input="x"), annotation(0, 2, input="y"), annotation(0, 2)])
    assert result.coverage.n == 3


@pytest.mark.parametrize("preference", [0.5, -1, 2.0001, 3, 0.999])
def test_preferences_that_are_none_are_refused(preference: float) -> None:
    with pytest.raises(DataError, match=rf"^f, line 2: 'preference' is {preference:g}; expected null, or 1 to 2, or 0"):
        judged([annotation(0, 1), annotation(1, preference)])


def test_more_instructions_than_there_are() -> None:
    rows = [annotation(number, 1 + number % 2) for number in range(805)]
    (result,) = judged(rows)
    assert (result.coverage.n, headline(result).value) == (805, pytest.approx(402 / 805))
    with pytest.raises(
        DataError, match=r"^f, line 806: 806 instructions for m; AlpacaEval has 805, so these are of anot"
    ):
        judged([*rows, annotation(805)])


# -- outputs


def test_outputs_in_numbers() -> None:
    rows = [output(0, "abcd"), output(1, "é中\N{GRINNING FACE}"), output(2, " \n", dataset="oasst"), output(3, "")]
    assert describe_outputs(outputs_in(rows_of(rows))) == (
        Outputs("m", n=4, expected=805, num_empty=2, avg_length=2, datasets={"koala": 3, "oasst": 1}),
    )
    lengths = pd.Series([row["output"] for row in rows]).str.len()
    assert int(lengths.mean()) == 2


def test_outputs_without_a_generator_have_alpaca_evals_name() -> None:
    row = output()
    del row["generator"], row["dataset"]
    (found,) = describe_outputs(outputs_in(rows_of([row])))
    assert (found.model, found.datasets) == ("Current model", {"": 1})


def test_outputs_to_one_instruction_are_refused() -> None:
    with pytest.raises(DataError, match=r"^f, line 2: the same instruction for m as in f, line 1"):
        describe_outputs(outputs_in(rows_of([output(), output(text="Other.")])))
    assert len(describe_outputs(outputs_in(rows_of([output(), output(generator="n")])))) == 2


# -- rows


def test_kinds_are_told_by_their_keys() -> None:
    assert kind_of(rows_of([annotation(), annotation(1)])) is Kind.ANNOTATIONS
    assert kind_of(rows_of([output()])) is Kind.MODEL_OUTPUTS
    with pytest.raises(
        DataError, match=r"^f, line 2: this is one of model outputs, but f, line 1 is one of annotations"
    ):
        kind_of(rows_of([annotation(), output()]))
    with pytest.raises(
        DataError, match=r"^f, line 1: no AlpacaEval row: neither 'preference' nor 'output', only 'questio"
    ):
        kind_of(rows_of([single()]))


@pytest.mark.parametrize(
    "changes",
    [
        {"instruction": None}, {"instruction": 3}, {"generator_1": ""}, {"generator_2": None}, {"generator_2": 3},
        {"annotator": None}, {"preference": "2"}, {"preference": True}, {"preference": [1]}, {"preference": 10**400},
        {"input": 3},
    ],
)  # fmt: skip
def test_annotations_of_wrong_types_are_refused(changes: dict[str, Any]) -> None:
    (key,) = changes
    with pytest.raises(DataError, match=rf"^f, line 1: '{key}' is "):
        annotations_in(rows_of([annotation(**changes)]))


@pytest.mark.parametrize("key", ["instruction", "generator_1", "generator_2", "preference"])
def test_annotations_need_their_keys(key: str) -> None:
    row = annotation()
    del row[key]
    with pytest.raises(DataError, match=rf"^f, line 1: no '{key}'"):
        annotations_in(rows_of([row]))


@pytest.mark.parametrize("changes", [{"output": None}, {"output": 3}, {"generator": 3}, {"dataset": None}])
def test_outputs_of_wrong_types_are_refused(changes: dict[str, Any]) -> None:
    (key,) = changes
    with pytest.raises(DataError, match=rf"^f, line 1: '{key}' is "):
        outputs_in(rows_of([output(**changes)]))
