"""A file of version 1, written on 2026-11-22 and never again: what studies export today must be read for good."""

from __future__ import annotations

from pathlib import Path

from evalsuite.verdicts import Winner
from evalsuite.vote_files.formats import read_votes
from evalsuite.votes import ACCEPTABILITY

FROZEN = Path(__file__).parent / "golden" / "votes-v1.jsonl"


def test_a_file_of_version_1_is_read_as_it_was_meant() -> None:
    found = read_votes([FROZEN], "votes")
    first, second = found.comparisons
    assert (first.item, first.group, first.language, first.rater) == ("q1", "g1", "ar", "rater-1")
    assert (first.system_a, first.system_b, first.winner, first.shown_first) == ("one", "two", Winner.A, "one")
    assert (second.item, second.winner, second.tells_ties) == ("q3", Winner.BOTH_BAD, True)
    assert found.dropped == {"changed later": 1, "skipped": 1, "shown again": 1, "with a known answer": 1}
    assert [(rating.system, rating.level) for rating in found.ratings] == [
        ("one", "good"), ("two", "flawed"), ("one", "unusable"), ("two", "unusable")]  # fmt: skip
    assert found.scale == ACCEPTABILITY
    assert found.votes[2].reason == "لا أعرف"
    assert found.votes[0].form_right
    assert found.votes[0].form_right.num_list_items == 2
