"""Votes out of a study and into the analysis: every revision kept, systems named, nothing lost or changed."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from statistics import median

import msgspec
import pytest
from studies import SYSTEMS, Made, make_study

from evalsuite.annotate.assigning import next_assignment
from evalsuite.annotate.exporting import votes_of, write_votes
from evalsuite.annotate.standing import standing
from evalsuite.annotate.voting import Ballot, Cast, cast
from evalsuite.errors import DataError
from evalsuite.preference.effective import effective
from evalsuite.verdicts import Winner
from evalsuite.vote_files.formats import read_votes
from evalsuite.votes import ACCEPTABILITY, Choice, Form


@pytest.fixture
def voted(tmp_path: Path) -> Made:
    """Two raters of two languages who prefer the first system, skip one, take one back, change one."""
    raters = [{"name": name, "languages": ["en", "ar"]} for name in ("Ana", "Nour")]
    made = make_study(tmp_path, num_prompts=10, languages=("en", "ar"), raters=raters, repeats=0.1, gold={"each": 2})
    draw = random.Random(5)
    for rater in made.ledger.raters():
        for turn in range(20):
            assignment = next_assignment(made.ledger, rater)
            assert assignment
            (row,) = made.ledger.rows("SELECT left_is_a FROM assignment WHERE id = ?", (assignment,))
            ours = Choice.LEFT if row["left_is_a"] else Choice.RIGHT
            choice = draw.choice([ours, ours, ours.mirrored, Choice.TIE_GOOD, Choice.TIE_BAD])
            levels = ("good", "flawed") if row["left_is_a"] else ("flawed", "good")
            ballot = Ballot(choice=choice, quality_left=levels[0], quality_right=levels[1], seconds=float(turn))
            if turn == 3:
                ballot = Ballot(choice=Choice.SKIP, reason="=1+1")
            assert cast(made.ledger, rater, assignment, 1, ballot) is Cast.SAVED
            if turn == 7:
                changed = Ballot(choice=ours, quality_left=levels[0], quality_right=levels[1])
                assert cast(made.ledger, rater, assignment, 2, changed) is Cast.SAVED
    taken_back = Ballot(choice=ballot.choice, is_withdrawn=True)
    assert cast(made.ledger, rater, assignment, 2, taken_back) is Cast.SAVED
    return made


def test_what_is_written_is_what_is_read(voted: Made, tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    assert write_votes(voted.ledger, path) == 40 + 2 + 1
    found = read_votes([path], "votes")
    assert found.votes == votes_of(voted.ledger)
    assert found.scale == ACCEPTABILITY
    assert found.num_rows == 43
    assert found.dropped["changed later"] == 3
    assert found.dropped["taken back"] == 1
    assert found.dropped["skipped"] == 2
    assert found.dropped["with a known answer"] + found.dropped["shown again"] >= 4


def test_comparisons_say_what_the_database_says(voted: Made, tmp_path: Path) -> None:
    """Counted a second time, from the tables, in another way."""
    write_votes(voted.ledger, tmp_path / "votes.jsonl")
    found = read_votes([tmp_path / "votes.jsonl"], "votes").comparisons
    rows = voted.ledger.rows(
        "SELECT language, sum(choice = iif(left_is_a, 'left', 'right')) AS won,"
        " sum(choice = iif(left_is_a, 'right', 'left')) AS lost, sum(choice = 'tie_good') AS good,"
        " sum(choice = 'tie_bad') AS bad FROM assignment JOIN pair ON pair.id = pair JOIN item ON item.id = item"
        " WHERE repeat_of IS NULL AND NOT is_gold AND choice <> 'skip' GROUP BY language"
    )
    for row in rows:
        mine = [one for one in found if one.language == row["language"]]

        def won_by(system: str, mine: list = mine) -> int:  # type: ignore[type-arg]
            return sum((one.winner is Winner.A and one.system_a == system)
                       or (one.winner is Winner.B and one.system_b == system) for one in mine)  # fmt: skip

        assert (won_by(SYSTEMS[0]), won_by(SYSTEMS[1])) == (row["won"], row["lost"])
        assert sum(one.winner is Winner.TIE for one in mine) == row["good"]
        assert sum(one.winner is Winner.BOTH_BAD for one in mine) == row["bad"]
    assert {one.group for one in found} == {f"p{number}" for number in range(10)}
    assert all(one.shown_first == one.system_a and one.tells_ties for one in found)
    assert {one.rater for one in found} == {"rater-1", "rater-2"}


def test_ratings_follow_the_answer_and_not_the_side(voted: Made, tmp_path: Path) -> None:
    write_votes(voted.ledger, tmp_path / "votes.jsonl")
    found = read_votes([tmp_path / "votes.jsonl"], "votes")
    levels = {(rating.system, rating.level) for rating in found.ratings}
    assert levels == {(SYSTEMS[0], "good"), (SYSTEMS[1], "flawed")}
    assert len(found.ratings) == 2 * len(found.comparisons)


def test_forms_follow_the_answer(voted: Made) -> None:
    vote = next(vote for vote in votes_of(voted.ledger) if not vote.is_gold and vote.item == "en-3")
    expected = Form(num_graphemes=len("The capital of Peru is **Lima**, on the coast.\n\n- founded in 1535\n"
                                      "- ten million people\n\none en-3"), num_bold=1, num_list_items=2)  # fmt: skip
    assert vote.form_left == vote.form_right == expected


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda lines: lines[:-1], "changed after it was exported"),
        (lambda lines: [lines[0], lines[1].replace("rater-1", "rater-2"), *lines[2:]],
         "changed after"),
        (lambda lines: lines[1:], "holds no votes"),
        (lambda lines: [lines[0].replace('"evalsuite_votes":1', '"evalsuite_votes":2'), *lines[1:]], "newer evalsuite"),
        (lambda lines: [], "holds no votes"),
    ],
)  # fmt: skip
def test_files_that_were_changed_are_refused(voted: Made, tmp_path: Path, harm, says: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "votes.jsonl"
    write_votes(voted.ledger, path)
    path.write_text("".join(harm(path.read_text().splitlines(keepends=True))))
    with pytest.raises(DataError, match=says):
        read_votes([path], "votes")


def test_one_study_exported_twice_is_refused(voted: Made, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write_votes(voted.ledger, tmp_path / name)
    with pytest.raises(DataError, match="twice"):
        read_votes([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], "votes")


def test_raters_of_two_studies_are_two_people(voted: Made, tmp_path: Path) -> None:
    write_votes(voted.ledger, tmp_path / "a.jsonl")
    other = make_study(tmp_path / "other", study="another")
    for _ in range(3):
        assignment = next_assignment(other.ledger, other.rater("Ana"))
        assert assignment
        cast(other.ledger, other.rater("Ana"), assignment, 1, Ballot(choice=Choice.LEFT, quality_left="good",
                                                                     quality_right="good"))  # fmt: skip
    write_votes(other.ledger, tmp_path / "b.jsonl")
    found = read_votes([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], "votes")
    assert {one.rater for one in found.comparisons} == {"trial/rater-1", "trial/rater-2", "another/rater-1"}


def test_tables_have_the_same_votes_and_no_formulas(voted: Made, tmp_path: Path) -> None:
    write_votes(voted.ledger, tmp_path / "votes.csv")
    with (tmp_path / "votes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 43
    assert [row["choice"] for row in rows] == [str(vote.choice) for vote in votes_of(voted.ledger)]
    assert {row["reason"] for row in rows} == {"", "'=1+1"}
    assert rows[0]["form_left.num_graphemes"].isdigit()


def test_the_standing_says_how_far_and_not_who_wins(voted: Made) -> None:
    found = standing(voted.ledger)
    text = json.dumps(msgspec.to_builtins(found))
    assert not any(name in text for name in SYSTEMS)
    assert sum(language.skips for language in found.languages) <= 2
    assert [rater.skips for rater in found.raters] == [1, 1]
    assert [rater.votes for rater in found.raters] == [19, 18]
    assert [rater.open for rater in found.raters] == [0, 1]
    counted = [vote for vote in effective(votes_of(voted.ledger)) if vote.is_gold]
    assert [rater.gold for rater in found.raters] == [
        sum(vote.rater == name for vote in counted) for name in ("rater-1", "rater-2")
    ]
    assert all(rater.gold_right <= 2 for rater in found.raters)
    times = [vote.seconds for vote in votes_of(voted.ledger) if vote.rater == "rater-1" and vote.seconds is not None]
    assert found.raters[0].median_seconds == median(times)
