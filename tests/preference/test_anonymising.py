"""Votes without names: no id is left, no number has moved, and no name decides which number its bearer gets."""

from __future__ import annotations

import msgspec
import pytest

from evalsuite.canonical import canonical_json
from evalsuite.preference.anonymising import anonymous
from evalsuite.preference.attentiveness import AttentivenessScreen
from evalsuite.preference.summarising import Gathered, summary_of
from evalsuite.preference.summary import PreferenceSummary, VoteFile
from evalsuite.preference.table import table_of
from evalsuite.verdicts import Comparison, Winner


def attentive(name: str, num_votes: int) -> AttentivenessScreen:
    return AttentivenessScreen(
        annotator=name, num_votes=num_votes, num_skipped=0, retest=None, gold=None, paces=(), longest_run=1,
        run_chance=None, flags=("slow",) if num_votes > 9 else (),
    )  # fmt: skip


def summary(names: dict[str, str]) -> PreferenceSummary:
    """Votes of a few people, called as `names` says; one screen of each, and of one who never voted."""
    rows = [
        Comparison(item=str(at), group=str(at), language="en", system_a="a", system_b="b", shown_first="a",
                   winner=Winner.A if at % 3 else Winner.B, rater=names[who], tells_ties=True)
        for at in range(24)
        for who in ("p", "q", "r")[: 1 + at % 3]
    ]  # fmt: skip
    table = table_of(rows)
    found = Gathered(
        people=table, judges=table.where(table.rater < 0), dropped={}, num_rows=len(rows),
        files=(VoteFile(name=f"{names['p']}.jsonl", sha256="ab" * 32), VoteFile(name="judge-run", sha256="")),
    )  # fmt: skip
    made = summary_of(found, seed=1, num_draws=20)
    screens = [attentive(names[who], at * 5) for at, who in enumerate(("p", "q", "r", "s"))]
    ranking = made.ranking
    assert ranking is not None
    fragility = msgspec.structs.replace(ranking.fragility, without_annotator=(names["q"], names["t"]))
    return msgspec.structs.replace(
        made,
        attentiveness=tuple(sorted(screens, key=lambda one: one.annotator)),
        ranking=msgspec.structs.replace(ranking, fragility=fragility),
    )


NAMES = {"p": "Zoe Zander", "q": "Adam Alder", "r": "Maja Moor", "s": "Sina Sand", "t": "Tom Thorn"}


def test_no_name_is_left_and_no_number_moves() -> None:
    named = summary(NAMES)
    found = anonymous(named)
    text = canonical_json(found)
    assert not [name for name in NAMES.values() if name in text]
    assert [one.annotator for one in found.annotators] == ["rater-1", "rater-2", "rater-4"]
    assert {one.annotator for one in found.attentiveness} <= {f"rater-{number}" for number in range(1, 6)}
    assert [file.name for file in found.files] == ["votes-1", "judge-run"]
    assert [one.num_votes for one in found.annotators] == sorted(
        (one.num_votes for one in named.annotators), reverse=True
    )
    for field in ("rates", "counts", "languages", "agreement", "alphas", "systems", "quality", "judges"):
        assert getattr(found, field) == getattr(named, field)
    assert found.ranking is not None
    assert named.ranking is not None
    assert len(found.ranking.fragility.without_annotator) == 2
    assert found.ranking.systems == named.ranking.systems


def test_one_person_has_one_number_everywhere() -> None:
    named = summary(NAMES)
    found = anonymous(named)
    by_votes = {one.num_votes: one.annotator for one in named.annotators}
    numbers = {by_votes[one.num_votes]: one.annotator for one in found.annotators}
    attentive_votes = {one.annotator: one.num_votes for one in named.attentiveness}
    again = {one.num_votes: one.annotator for one in found.attentiveness}
    for name, number in numbers.items():
        assert again[attentive_votes[name]] == number
    assert found.ranking is not None
    assert numbers[NAMES["q"]] in found.ranking.fragility.without_annotator


@pytest.mark.parametrize(
    "turned", [dict(zip(NAMES, reversed(NAMES.values()), strict=True)), {one: one for one in NAMES}]
)
def test_names_decide_nothing(turned: dict[str, str]) -> None:
    """The same votes of people with other names are the same summary to the last byte."""
    assert canonical_json(anonymous(summary(turned))) == canonical_json(anonymous(summary(NAMES)))


def test_votes_without_people_stay() -> None:
    bare = msgspec.structs.replace(summary(NAMES), annotators=(), attentiveness=(), ranking=None, files=())
    assert anonymous(bare) == bare
