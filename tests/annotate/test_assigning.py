"""Who is shown what: the least voted first, bounds kept, sides balanced, some again, some with a known answer."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import Made, made_from, make_study, write_lines, write_study

from evalsuite.annotate.assigning import REPEAT_AFTER, next_assignment, progress
from evalsuite.annotate.ledger import SavedRater
from evalsuite.annotate.voting import Ballot, Cast, cast
from evalsuite.votes import Choice

GOOD = {"quality_left": "good", "quality_right": "good"}


def people(count: int, languages: tuple[str, ...] = ("en",), **keys: object) -> list[dict[str, object]]:
    return [{"name": f"rater {number}", "languages": list(languages), **keys} for number in range(count)]


def row_of(made: Made, assignment: str) -> sqlite3.Row:
    (row,) = made.ledger.rows(
        "SELECT assignment.*, is_gold, language, item.name AS item, system_a, system_b FROM assignment"
        " JOIN pair ON pair.id = pair JOIN item ON item.id = item WHERE assignment.id = ?",
        (assignment,),
    )
    return row


def answer(made: Made, rater: SavedRater, choice: Choice = Choice.LEFT) -> sqlite3.Row | None:
    """Vote on what comes next; None when nothing does."""
    assignment = next_assignment(made.ledger, rater)
    if assignment is None:
        return None
    skipped = choice is Choice.SKIP
    ballot = Ballot(choice=choice, **({} if skipped else GOOD))  # type: ignore[arg-type]
    revision = len(made.ledger.rows("SELECT 1 FROM vote WHERE assignment = ?", (assignment,))) + 1
    assert cast(made.ledger, rater, assignment, revision, ballot) is Cast.SAVED
    return row_of(made, assignment)


def all_answers(made: Made, rater: SavedRater) -> list[sqlite3.Row]:
    return list(iter(lambda: answer(made, rater), None))


def test_votes_are_spread_before_any_pair_has_one_more(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=5, overlap=3, raters=people(3))
    raters, taken = made.ledger.raters(), Counter({row["id"]: 0 for row in made.ledger.rows("SELECT id FROM pair")})
    seen = {rater.id: set[int]() for rater in raters}
    for turn in range(15):
        rater = raters[turn % 3]
        row = answer(made, rater)
        assert row
        assert taken[row["pair"]] == min(count for pair, count in taken.items() if pair not in seen[rater.id])
        taken[row["pair"]] += 1
        seen[rater.id].add(row["pair"])
    assert set(taken.values()) == {3}
    assert all(next_assignment(made.ledger, rater) is None for rater in raters)


def test_nobody_votes_twice_on_a_pair_and_none_has_more_than_asked(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=6, overlap=2, raters=people(5))
    for rater in made.ledger.raters():
        mine = all_answers(made, rater)
        assert len({row["pair"] for row in mine}) == len(mine)
    counts = made.ledger.rows("SELECT count(*) FROM assignment GROUP BY pair")
    assert [row[0] for row in counts] == [2] * 6


def test_a_skip_frees_the_pair_for_others(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=1, overlap=1, raters=people(2))
    first, second = made.ledger.raters()
    assert answer(made, first, Choice.SKIP)
    assert next_assignment(made.ledger, first) is None
    assert answer(made, second)


def test_caps_are_kept_also_ones_own(tmp_path: Path) -> None:
    raters = [*people(1), {"name": "less", "languages": ["en"], "cap": 2}]
    made = make_study(tmp_path, num_prompts=9, cap=4, raters=raters)
    assert [len(all_answers(made, rater)) for rater in made.ledger.raters()] == [4, 2]
    assert progress(made.ledger, made.rater("less")).total == 2


def test_raters_see_their_languages_only(tmp_path: Path) -> None:
    raters = [*people(1, ("hi",)), {"name": "two", "languages": ["ar", "en"]}]
    made = make_study(tmp_path, languages=("en", "ar", "hi"), raters=raters)
    seen = [{row["language"] for row in all_answers(made, rater)} for rater in made.ledger.raters()]
    assert seen == [{"hi"}, {"ar", "en"}]


def test_translators_do_not_judge_what_they_translated(tmp_path: Path) -> None:
    raters = [{"name": name, "languages": ["ar"]} for name in ("tariq", "Nour")]
    made = make_study(tmp_path, languages=("ar",), raters=raters)
    items = {rater.name: {row["item"] for row in all_answers(made, rater)} for rater in made.ledger.raters()}
    assert items == {"tariq": {"ar-1", "ar-2", "ar-3"}, "Nour": {"ar-0", "ar-1", "ar-2", "ar-3"}}


def test_names_of_translators_are_the_same_in_any_case_and_for_known_answers_too(tmp_path: Path) -> None:
    path = write_study(tmp_path, languages=("en",), num_prompts=3, raters=[{"name": "élodie", "languages": ["en"]}],
                       gold={"each": 3})  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "prompts.jsonl").read_text().splitlines()]
    write_lines(tmp_path / "prompts.jsonl", [{**row, "translator": "Élodie"} for row in rows[:2]] + rows[2:])
    made = made_from(path)
    assert {row["item"] for row in all_answers(made, made.rater("élodie"))} == {"en-2", "gold en-2"}


def test_makers_do_not_judge_what_they_made(tmp_path: Path) -> None:
    raters = [{"name": "maker", "languages": ["en"], "not_systems": ["two"]}]
    made = make_study(tmp_path, systems=("one", "two", "three"), raters=raters)
    seen = all_answers(made, made.rater("maker"))
    assert {(row["system_a"], row["system_b"]) for row in seen} == {("one", "three")}


def test_one_system_against_the_others(tmp_path: Path) -> None:
    made = make_study(tmp_path, systems=("one", "two", "three"), against="two")
    seen = Counter((row["system_a"], row["system_b"]) for row in all_answers(made, made.rater("Ana")))
    assert seen == {("one", "two"): 4, ("two", "three"): 4}


def test_sides_alternate_within_a_pair_and_start_anyhow(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=60, overlap=4, raters=people(4))
    for rater in made.ledger.raters():
        all_answers(made, rater)
    lefts = [row[0] for row in made.ledger.rows("SELECT sum(left_is_a) FROM assignment GROUP BY pair")]
    assert lefts == [2] * 60
    firsts = [row[0] for row in made.ledger.rows(
        "SELECT left_is_a FROM assignment WHERE rater = 1")]  # fmt: skip
    assert 15 <= sum(firsts) <= 45


def test_orders_are_a_raters_own_and_the_same_in_the_same_study(tmp_path: Path) -> None:
    orders = []
    for attempt in ("first", "second"):
        made = make_study(tmp_path / attempt, num_prompts=20, overlap=2, raters=people(2))
        orders.append([[row["item"] for row in all_answers(made, rater)] for rater in made.ledger.raters()])
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]


def test_a_share_is_shown_again_later_with_sides_exchanged(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=40, repeats=0.1)
    mine = all_answers(made, made.rater("Ana"))
    again = [row for row in mine if row["repeat_of"]]
    assert len(again) == 4
    by_id = {row["id"]: row for row in mine}
    for row in again:
        first = by_id[row["repeat_of"]]
        assert row["pair"] == first["pair"]
        assert row["left_is_a"] != first["left_is_a"]
        assert row["place"] - first["place"] > REPEAT_AFTER - 1
    assert len({row["repeat_of"] for row in again}) == 4
    assert progress(made.ledger, made.rater("Ana")).total == 44


def test_what_was_skipped_is_not_shown_again(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=20, repeats=0.5)
    rater = made.rater("Ana")
    while answer(made, rater, Choice.SKIP):
        pass
    assert not made.ledger.rows("SELECT 1 FROM assignment WHERE repeat_of IS NOT NULL")


@pytest.mark.parametrize(("num_prompts", "each"), [(40, 3), (4, 2)])
def test_pairs_with_a_known_answer_are_answers_against_their_first_words(
    tmp_path: Path, num_prompts: int, each: int
) -> None:
    made = make_study(tmp_path, num_prompts=num_prompts, gold={"each": each})
    mine = all_answers(made, made.rater("Ana"))
    gold = [row for row in mine if row["is_gold"]]
    assert len(gold) == each
    assert len(mine) == num_prompts + each == progress(made.ledger, made.rater("Ana")).total
    for row in gold:
        (pair,) = made.ledger.rows("SELECT answer_a, answer_b FROM pair WHERE id = ?", (row["pair"],))
        assert pair["answer_a"][:10] == pair["answer_b"][:10]
        assert len(pair["answer_b"]) < len(pair["answer_a"]) / 4
    places = [row["place"] for row in gold]
    assert places[0] >= 2
    assert num_prompts < 20 or min(b - a for a, b in pairwise(places)) >= 5


def test_what_others_left_open_for_long_is_given_out_again(tmp_path: Path) -> None:
    made = make_study(tmp_path, num_prompts=1, overlap=1, raters=people(2), release_hours=1)
    gone, here = made.ledger.raters()
    left = next_assignment(made.ledger, gone)
    assert left
    assert next_assignment(made.ledger, here) is None
    with made.ledger.transaction() as write:
        write.execute("UPDATE assignment SET shown_at = '2020-01-01T00:00:00.000+00:00'")
    assert answer(made, here)
    assert next_assignment(made.ledger, gone) == left, "who comes back may still answer"
    assert cast(made.ledger, gone, left, 1, Ballot(choice=Choice.LEFT, **GOOD)) is Cast.SAVED  # type: ignore[arg-type]


steps = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["vote", "skip", "withdraw", "change"]), st.sampled_from(list(Choice))
    ),
    max_size=40,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_whatever_raters_do_counts_agree_with_the_votes(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:  # type: ignore[type-arg]
    made = make_study(tmp_path_factory.mktemp("any"), num_prompts=4, overlap=2, raters=people(3), repeats=0.3,
                      gold={"each": 1})  # fmt: skip
    raters = made.ledger.raters()
    last: dict[int, str] = {}
    for who, act, choice in steps:
        rater = raters[who]
        if act in ("vote", "skip"):
            row = answer(made, rater, Choice.SKIP if act == "skip" else choice)
            last[who] = row["id"] if row else last.get(who, "")
        elif last.get(who):
            revision = len(made.ledger.rows("SELECT 1 FROM vote WHERE assignment = ?", (last[who],))) + 1
            levels = {} if choice is Choice.SKIP else GOOD
            ballot = Ballot(choice=choice, is_withdrawn=act == "withdraw", **levels)  # type: ignore[arg-type]
            assert cast(made.ledger, rater, last[who], revision, ballot) is Cast.SAVED
    effective = {
        row["assignment"]: None if row["withdrawn"] else row["choice"]
        for row in made.ledger.rows("SELECT * FROM vote ORDER BY assignment, revision")
    }
    stored = made.ledger.rows("SELECT * FROM assignment")
    assert {row["id"]: row["choice"] for row in stored if row["id"] in effective} == effective
    for pair in made.ledger.rows("SELECT * FROM pair"):
        mine = [row for row in stored if row["pair"] == pair["id"] and row["repeat_of"] is None]
        assert pair["taken"] == sum(row["choice"] != "skip" for row in mine)
        assert pair["is_gold"] or pair["taken"] <= 2 + 1  # a skip that is taken back comes on top
