"""AlpacaEval's leaderboard.csv: rows as published (one of them changed), with intervals, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import run_here
from scipy.stats import t

from evalsuite.errors import EXIT_OK, EXIT_USAGE, DataError
from evalsuite.interop.alpaca_eval_leaderboard import notes_on, read_leaderboards

SECOND = """\
,win_rate,standard_error,n_wins,n_wins_base,n_draws,n_total,discrete_win_rate,mode,avg_length,\
length_controlled_winrate,lc_standard_error
gemma-2-9b-it-SimPO,65.86422561532919,1.423459922555078,540,264,1,805,67.14285714285714,community,1833,\
72.3508446939842,0.5167873784867067
aligner-2b_gpt-4-turbo-2024-04-09,46.77089325668323,1.3378060774476594,371,417,17,805,40.18633540372671,community,1370,\
58.33130206276722,
aligner-2b_odd,46.77089325668323,1.3378060774476594,371,426,17,805,40.18633540372671,community,1370,58.33130206276722,
gpt4_1106_preview,50.0,0.0,0,0,805,805,50.0,minimal,2049,50.0,
"""
FIRST = """\
,win_rate,standard_error,n_wins,n_wins_base,n_draws,n_total,mode,avg_length
gpt4_turbo,97.69900497512438,0.5104849118311993,783,16,5,804,minimal,2049
gpt4,95.27950311,0.71628144,761,32,12,805,minimal,1365
"""


def board(folder: Path, text: str, name: str = "leaderboard.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_are_as_published_with_intervals(tmp_path: Path) -> None:
    rows = read_leaderboards([board(tmp_path, SECOND)])
    first = rows[0]
    assert (first.model, first.win_rate, first.standard_error) == (
        "gemma-2-9b-it-SimPO", 65.86422561532919, 1.423459922555078,
    )  # fmt: skip
    assert (first.n_wins, first.n_wins_base, first.n_draws, first.n_total, first.avg_length) == (540, 264, 1, 805, 1833)
    half = float(t.ppf(0.975, 804))
    assert (first.low, first.high) == pytest.approx(
        (65.86422561532919 - half * 1.423459922555078, 65.86422561532919 + half * 1.423459922555078)
    )
    assert first.lc_high == pytest.approx(72.3508446939842 + half * 0.5167873784867067)
    assert (rows[1].lc_standard_error, rows[1].lc_low, rows[1].length_controlled_winrate) == (
        None,
        None,
        58.33130206276722,
    )
    assert (rows[3].standard_error, rows[3].low, rows[3].high) == (0.0, None, None), "the baseline against itself"
    assert list(notes_on(rows)) == ["wins, losses and draws do not make n_total: aligner-2b_odd"]


def test_boards_of_the_first_version_lack_columns(tmp_path: Path) -> None:
    rows = read_leaderboards([board(tmp_path, FIRST)])
    assert [(row.model, row.length_controlled_winrate, row.discrete_win_rate) for row in rows] == [
        ("gpt4_turbo", None, None), ("gpt4", None, None),
    ]  # fmt: skip
    assert rows[0].high is not None
    assert rows[0].high <= 100
    assert list(notes_on(rows)) == ["1 of 2 rows are of fewer than 805 instructions"]


def test_the_command_prints_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = board(tmp_path, SECOND)
    ran = run_here(capsys, "import", "alpaca_eval", path, "--json")
    assert (ran.code, ran.err) == (
        EXIT_OK, "evalsuite: wins, losses and draws do not make n_total: aligner-2b_odd.\n",
    )  # fmt: skip
    assert (ran.json["kind"], len(ran.json["results"])) == ("leaderboard rows", 4)
    first = ran.json["results"][0]
    assert first["low"] < first["win_rate"] < first["high"]
    assert "gemma-2-9b-it-SimPO" in ran.out
    refused = run_here(capsys, "import", "alpaca_eval", path, "-o", tmp_path / "x")
    assert refused.code == EXIT_USAGE
    assert "--output_path: " in refused.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model,win_rate\na,1\n", "no leaderboard of AlpacaEval: it has no column 'without a head'"),
        (",win_rate,standard_error\na,1,1\n", "it has no column 'n_total'"),
        (",win_rate,standard_error,n_total\n", "has no rows"),
        (",win_rate,standard_error,n_total\n,1,1,805\n", "row 2: the model has no name"),
        (",win_rate,standard_error,n_total\na,101,1,805\n", "row 2: 'win_rate' is '101'; expected a percentage"),
        (",win_rate,standard_error,n_total\na,,1,805\n", "row 2: 'win_rate' and 'n_total' are '' and '805'"),
        (",win_rate,standard_error,n_total\na,5,1,0\n", "row 2: 'win_rate' and 'n_total' are '5' and '0'"),
        (",win_rate,standard_error,n_total\na,5,x,805\n", "row 2: 'standard_error' is 'x'; expected a number"),
        (",win_rate,standard_error,n_total\na,5,-1,805\n", "row 2: 'standard_error' is '-1'; expected a number"),
        (",win_rate,standard_error,n_total\na,5,1,1.5\n", "row 2: 'n_total' is '1.5'; expected a whole number"),
        (",win_rate,standard_error,n_total\na,5,1,805\na,6,1,805\n", "row 3: a stands in .* row 2 already"),
    ],
)
def test_what_is_no_leaderboard_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_leaderboards([board(tmp_path, text)])
