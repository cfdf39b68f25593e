"""Which votes count, and annotators who may not have looked: by hand, and with the innocent left alone."""

from __future__ import annotations

from itertools import product

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.preference.attentiveness import (
    AttentivenessScreen,
    attentiveness,
    chance_of_run,
    gold_of,
    retest_of,
)
from evalsuite.preference.effective import effective, sift
from evalsuite.votes import Choice, Form, Vote

LEFT, RIGHT, GOOD, BAD, SKIP = Choice
CHOICES = (LEFT, RIGHT, GOOD, BAD)


def vote(number: int, choice: Choice = LEFT, rater: str = "r", **more: object) -> Vote:
    fields = {
        "study": "s", "assignment": f"{rater}-{number}", "revision": 1, "item": str(number), "group": str(number),
        "language": "en", "system_left": "x", "system_right": "y", "shown_at": f"2026-01-01T00:{number:04d}",
        "cast_at": "", **more,
    }  # fmt: skip
    return Vote(choice=choice, rater=rater, **fields)  # type: ignore[arg-type]


def timed(number: int, seconds: float | None, rater: str, length: int = 100, **more: object) -> Vote:
    forms = {"form_left": Form(num_graphemes=length), "form_right": Form(num_graphemes=length)}
    return vote(number, CHOICES[number % 4], rater, seconds=seconds, **{**forms, **more})


def again(number: int, choice: Choice, rater: str = "r", **more: object) -> Vote:
    """Shown again with the sides exchanged."""
    fields = {"system_left": "y", "system_right": "x", "repeat_of": f"{rater}-{number}", **more}
    return vote(1000 + number, choice, rater, **fields)


def gold(number: int, is_right: bool, rater: str = "r") -> Vote:
    return vote(number, LEFT if is_right else GOOD, rater, is_gold=True, expected=LEFT)


def mirrored(one: Vote) -> Vote:
    """The same vote with the answers on each other's side."""
    return msgspec.structs.replace(
        one,
        system_left=one.system_right,
        system_right=one.system_left,
        choice=one.choice.mirrored,
        expected=one.expected and one.expected.mirrored,
        form_left=one.form_right,
        form_right=one.form_left,
    )


def only(votes: list[Vote]) -> AttentivenessScreen:
    (found,) = attentiveness(votes)
    return found


def flags(votes: list[Vote]) -> dict[str, tuple[str, ...]]:
    return {one.annotator: one.flags for one in attentiveness(votes)}


# -- which votes count


def test_the_last_revision_counts_unless_it_is_withdrawn() -> None:
    votes = [
        vote(1, LEFT, revision=2),
        vote(1, RIGHT, revision=10),
        vote(1, GOOD, revision=1),
        vote(2, LEFT),
        vote(2, LEFT, revision=2, withdrawn=True),
        vote(3, LEFT, withdrawn=True),
        vote(3, BAD, revision=2),
        vote(4, SKIP, revision=5),
        vote(4, LEFT, revision=4),
        vote(5, SKIP, withdrawn=True),
    ]
    found = sift(votes)
    assert found.votes == effective(votes) == (votes[1], votes[6])
    assert found.skips == (votes[7],)
    assert (found.num_superseded, found.num_withdrawn) == (5, 2)


def test_assignments_of_two_studies_are_two() -> None:
    assert len(effective([vote(1), vote(1, study="t", revision=2)])) == 2


def test_a_doubled_file_is_refused() -> None:
    with pytest.raises(ValueError, match="assignment 'r-1' of 's' has revision 1 twice"):
        effective([vote(1), vote(2), vote(1)])


def test_no_votes() -> None:
    assert (effective([]), attentiveness([]), retest_of([]), gold_of([])) == ((), (), None, None)


# -- pairs shown again


def test_a_repeat_says_the_same_of_the_systems_not_of_the_sides() -> None:
    votes = [vote(n, choice) for n, choice in enumerate([LEFT, LEFT, RIGHT, GOOD, GOOD])]
    votes += [again(n, choice) for n, choice in enumerate([RIGHT, LEFT, LEFT, GOOD, BAD])]
    found = retest_of(votes)
    assert found is not None
    assert (found.num_repeats, found.agreement, found.kappa) == (5, pytest.approx(3 / 5), None)


def test_kappa_by_hand() -> None:
    """Ten pairs: x five times and y five before, x six and y four after, seven the same; chance has half."""
    before = [LEFT] * 5 + [RIGHT] * 5
    after = [LEFT] * 4 + [RIGHT] + [LEFT] * 2 + [RIGHT] * 3
    votes = [vote(n, choice) for n, choice in enumerate(before)]
    found = retest_of(votes + [again(n, choice.mirrored) for n, choice in enumerate(after)])
    assert found is not None
    assert (found.agreement, found.kappa) == pytest.approx((0.7, (0.7 - 0.5) / 0.5))


def test_one_who_always_says_the_same_has_no_kappa() -> None:
    votes = [one for n in range(12) for one in (vote(n, GOOD), again(n, GOOD))]
    found = only(votes)
    assert found.retest is not None
    assert (found.retest.agreement, found.retest.kappa) == (1.0, None)
    assert found.flags == ("one choice only",)


def test_repeats_count_where_both_do_and_of_one_annotator() -> None:
    votes = [vote(1), again(1, RIGHT), vote(2, withdrawn=True), again(2, RIGHT), vote(3, SKIP), again(3, RIGHT)]
    votes += [again(4, RIGHT), vote(5), again(5, LEFT, repeat_of="q-5"), vote(5, LEFT, "q")]
    found = retest_of(votes)
    assert found is not None
    assert (found.num_repeats, found.agreement) == (1, 1.0)


def test_a_repeat_of_other_systems_is_refused() -> None:
    with pytest.raises(ValueError, match="'r-1001' repeats 'r-1' but shows other systems"):
        retest_of([vote(1), again(1, RIGHT, system_left="z")])
    with pytest.raises(ValueError, match="'r-1' does not say which system"):
        retest_of([one(1, LEFT, system_left="", system_right="") for one in (vote, again)])


def test_who_takes_a_side_contradicts_repeats() -> None:
    votes = [one for n in range(12) for one in (vote(n, LEFT, "left"), again(n, LEFT, "left"))]
    votes[-1] = msgspec.structs.replace(votes[-1], choice=RIGHT)
    votes += [one for n in range(12) for one in (vote(n, CHOICES[n % 2], "fair"), again(n, CHOICES[1 - n % 2], "fair"))]
    found = {one.annotator: one for one in attentiveness(votes)}
    assert found["left"].retest is not None
    assert found["left"].retest.agreement == pytest.approx(1 / 12)
    assert "contradicts repeats" in found["left"].flags
    assert found["fair"].retest is not None
    assert (found["fair"].retest.agreement, found["fair"].retest.kappa) == (1.0, 1.0)
    assert "contradicts repeats" not in found["fair"].flags


# -- known answers


def test_known_answers_with_the_exact_interval() -> None:
    """Clopper and Pearson's of 9 in 10; as few as 6 of 10 get 12.1 % of those who get four in five."""
    found = gold_of([gold(n, n > 0) for n in range(10)])
    assert found is not None
    assert (found.num_votes, found.num_right, found.share) == (10, 9, 0.9)
    assert (found.low, found.high) == pytest.approx((0.554984, 0.997471), abs=1e-6)
    assert found.chance == pytest.approx(1 - 0.8**10)
    fewer = gold_of([gold(n, n > 3) for n in range(10)])
    assert fewer is not None
    assert fewer.chance == pytest.approx(0.120874, abs=1e-6)


def test_what_has_no_known_answer_or_was_skipped_is_neither() -> None:
    votes = [gold(1, True), vote(2, is_gold=True), vote(3), vote(4, SKIP, is_gold=True, expected=LEFT)]
    found = gold_of(votes)
    assert found is not None
    assert (found.num_votes, found.num_right) == (1, 1)
    assert only(votes).num_skipped == 1


@pytest.mark.parametrize(
    ("num_right", "num_gold", "is_flagged"),
    [
        (3, 3, False),
        (0, 3, True),
        (1, 3, False),
        (1, 2, False),
        (1, 4, True),
        (2, 4, False),
        (2, 5, False),
        (2, 6, True),
    ],
)
def test_who_fails_known_answers_is_named(num_right: int, num_gold: int, is_flagged: bool) -> None:
    """None of three happens to one in 125 who are attentive, and most of six or more is enough whatever chance says:
    one in ten gets one of three, one in seventeen two of five, one in sixty two of six."""
    found = only([gold(n, n < num_right) for n in range(num_gold)])
    assert ("fails known answers" in found.flags) == is_flagged


def test_many_are_tested_so_a_little_below_is_not_enough() -> None:
    """Alone, 11 of 20 are too few to be luck; among forty of whom all others do well they are not."""
    unlucky = [gold(n, n < 11, "unlucky") for n in range(20)]
    others = [gold(n, True, f"r{k}") for k in range(40) for n in range(4)]
    assert "fails known answers" in flags(unlucky)["unlucky"]
    assert "fails known answers" not in flags(unlucky + others)["unlucky"]
    assert "fails known answers" in flags([gold(n, n < 2, "most") for n in range(6)] + others)["most"]


# -- time


def readers(num: int = 5, language: str = "en") -> list[Vote]:
    """Of twenty votes each, at 1 to 20 seconds for 200 graphemes."""
    return [timed(n, 1.0 + n, f"{language}{k}", language=language) for k in range(num) for n in range(20)]


def test_who_is_faster_than_nearly_all_votes_of_others_is_named() -> None:
    fast = [timed(n, 1.0, "fast") for n in range(10)]
    found = {one.annotator: one for one in attentiveness(readers() + fast)}
    (pace,) = found["fast"].paces
    assert (pace.language, pace.num_votes, pace.seconds_per_grapheme) == ("en", 10, pytest.approx(1 / 200))
    assert pace.limit == pytest.approx(np.quantile(np.repeat(np.arange(1, 21), 5) / 200, 0.05))
    assert found["fast"].flags == ("faster than reading",)
    assert all(found[f"en{k}"].flags == () for k in range(5))


def test_the_own_votes_set_no_limit() -> None:
    """Of one who casts half of all votes, a twentieth of all would never lie below."""
    fast = [timed(n, 0.5 + n / 1e4, "fast") for n in range(100)]
    assert flags(readers() + fast)["fast"] == ("faster than reading",)


def test_long_answers_take_longer() -> None:
    """Ten seconds are fast for 4,000 graphemes and not for 200; short answers hurry nobody."""
    assert "faster than reading" in flags(readers() + [timed(n, 10.0, "r", length=2000) for n in range(10)])["r"]
    assert "faster than reading" not in flags(readers() + [timed(n, 1.0, "r", length=20) for n in range(10)])["r"]


def test_every_language_has_its_own_limit() -> None:
    """What is slow in English may be fast in Hindi; who reads both is named for either."""
    hindi = [
        msgspec.structs.replace(one, seconds=(one.seconds or 0) * 10, language="hi") for one in readers(language="hi")
    ]
    two = [timed(n, 3.0, "two", language="en" if n < 10 else "hi") for n in range(20)]
    found = {one.annotator: one for one in attentiveness(readers() + hindi + two)}
    assert [(pace.language, pace.is_fast) for pace in found["two"].paces] == [("en", False), ("hi", True)]
    assert found["two"].flags == ("faster than reading",)
    assert all(found[f"hi{k}"].flags == () for k in range(5))


@pytest.mark.parametrize(
    "unknown", [{"seconds": None}, {"form_left": None}, {"form_right": None}, {"length": 0}], ids=str
)
def test_unknown_times_and_lengths_accuse_nobody(unknown: dict[str, object]) -> None:
    votes = [timed(n, **{"seconds": 0.0, "rater": "r", **unknown}) for n in range(30)]  # type: ignore[arg-type]
    found = {one.annotator: one for one in attentiveness(readers() + votes)}
    assert (found["r"].paces, found["r"].flags) == ((), ())


def test_few_votes_accuse_nobody() -> None:
    assert "faster than reading" not in flags(readers() + [timed(n, 0.1, "r") for n in range(9)])["r"]
    fast = [timed(n, 0.1, "r") for n in range(10)]
    assert "faster than reading" in flags(readers(1) + fast)["r"]
    _, found = attentiveness(readers(1)[:19] + fast)
    assert [(pace.limit, pace.is_fast) for pace in found.paces] == [(None, True)], (
        "nobody reads 2,000 graphemes a second"
    )
    _, found = attentiveness(readers(1)[:19] + [timed(n, 2.1, "r") for n in range(10)])
    assert [(pace.limit, pace.is_fast) for pace in found.paces] == [(None, False)]


def test_many_who_are_fast_together_do_not_hide_one_another() -> None:
    bots = [timed(n, 0.5, f"bot{k}") for k in range(6) for n in range(20)]
    found = flags(readers(4) + bots)
    assert all("faster than reading" in found[f"bot{k}"] for k in range(6))
    assert all(found[f"en{k}"] == () for k in range(4))


# -- runs


@pytest.mark.parametrize(
    ("num", "shares", "length", "expected"),
    [
        (4, [0.5, 0.5], 1, 1.0),
        (4, [0.5, 0.5], 2, 14 / 16),
        (4, [0.5, 0.5], 3, 6 / 16),
        (4, [0.5, 0.5], 4, 2 / 16),
        (4, [0.5, 0.5], 5, 0.0),
        (3, [0.8, 0.2], 3, 0.52),
        (3, [1.0], 3, 1.0),
        (1, [1.0], 1, 1.0),
    ],
)
def test_the_chance_of_a_run_by_hand(num: int, shares: list[float], length: int, expected: float) -> None:
    assert chance_of_run(num, shares, length) == pytest.approx(expected)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 6])
def test_the_chance_of_a_run_by_going_through_all(length: int) -> None:
    shares = [0.5, 0.3, 0.2]
    total = 0.0
    for choices in product(range(3), repeat=6):
        ends = np.flatnonzero(np.diff([-1, *choices, -1]))
        if np.diff(ends).max() >= length:
            total += float(np.prod([shares[choice] for choice in choices]))
    assert chance_of_run(6, shares, length) == pytest.approx(total)


def test_a_long_run_is_named_in_the_order_of_showing() -> None:
    """Thirty left after one another of sixty; the same votes in turns are nothing."""
    run = [LEFT] * 30 + [CHOICES[n % 4] for n in range(30)]
    turns = [CHOICES[n // 2 % 4] if n % 2 else LEFT for n in range(60)]
    votes = [vote(n, choice, "run") for n, choice in enumerate(run)]
    votes += [vote(n, choice, "turns") for n, choice in enumerate(turns)]
    votes = [votes[place] for place in np.random.default_rng(3).permutation(len(votes))]
    found = {one.annotator: one for one in attentiveness(votes)}
    assert found["run"].longest_run == 31  # the first of the others is left too
    assert found["run"].run_chance == pytest.approx(chance_of_run(60, [38 / 60, 8 / 60, 7 / 60, 7 / 60], 31))
    assert found["run"].flags == ("long run",)
    assert (found["turns"].longest_run, found["turns"].flags) == (3, ())


def test_one_choice_only_is_named_where_votes_are_enough() -> None:
    assert only([vote(n) for n in range(9)]).flags == ()
    found = only([vote(n) for n in range(10)])
    assert (found.longest_run, found.run_chance, found.flags) == (10, 1.0, ("one choice only",))


def test_skips_are_no_votes() -> None:
    found = only([vote(1), vote(2, SKIP), vote(3), vote(4, SKIP)])
    assert (found.num_votes, found.num_skipped, found.longest_run) == (2, 2, 2)
    alone = only([vote(1, SKIP), vote(2, withdrawn=True)])
    assert (alone.num_votes, alone.num_skipped, alone.longest_run, alone.run_chance, alone.flags) == (0, 1, 0, None, ())


# -- the innocent


def honest(random: np.random.Generator) -> list[Vote]:
    """Thirty annotators of sixty votes, with ten repeats and eight known answers among them, who take care."""
    votes = []
    for k in range(30):
        for n in range(60):
            choice = CHOICES[random.choice(4, p=[0.35, 0.35, 0.2, 0.1])]
            seconds = float(random.lognormal(3, 0.5))
            votes.append(msgspec.structs.replace(timed(n, seconds, f"r{k}"), choice=choice))
            if n < 10:
                second = choice.mirrored if random.random() < 0.8 else CHOICES[random.integers(4)]
                votes.append(again(n, second, f"r{k}"))
        votes += [gold(100 + n, bool(random.random() < 0.9), f"r{k}") for n in range(8)]
    return [msgspec.structs.replace(one, shown_at=f"2026-01-01T{random.integers(10**6):06d}") for one in votes]


def test_who_takes_care_is_left_alone() -> None:
    """At most one in fifty has any flag."""
    random = np.random.default_rng(8)
    found = [one for _ in range(10) for one in attentiveness(honest(random))]
    assert len(found) == 300
    assert np.mean([bool(one.flags) for one in found]) <= 0.02


# -- what says nothing


def records() -> st.SearchStrategy[list[Vote]]:
    """Up to forty votes of three annotators, with revisions, repeats, known answers and times."""
    kinds = st.tuples(
        st.integers(0, 12), st.sampled_from(list(Choice)), st.sampled_from("pq"), st.integers(1, 3), st.booleans(),
        st.sampled_from(["xy", "yx"]), st.sampled_from([None, LEFT, GOOD]), st.sampled_from([None, 1.0, 7.5]),
        st.sampled_from(["", "p-1", "q-2"]),
    )  # fmt: skip

    def made(rows: list[tuple[int, Choice, str, int, bool, str, Choice | None, float | None, str]]) -> list[Vote]:
        return [
            vote(
                number, choice, rater, revision=revision, withdrawn=withdrawn, system_left=sides[0],
                system_right=sides[1], expected=expected, is_gold=expected is not None, seconds=seconds,
                repeat_of=first, form_left=Form(num_graphemes=10), form_right=Form(num_graphemes=20),
            )
            for number, choice, rater, revision, withdrawn, sides, expected, seconds, first in rows
        ]  # fmt: skip

    return st.lists(kinds, max_size=40, unique_by=lambda row: (row[0], row[2], row[3])).map(made)


@given(records(), st.randoms())
def test_the_order_of_votes_says_nothing(votes: list[Vote], random: object) -> None:
    shuffled = list(votes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(map(msgspec.json.encode, effective(votes))) == set(map(msgspec.json.encode, effective(shuffled)))
    for here, there in zip(attentiveness(votes), attentiveness(shuffled), strict=True):
        same = {"run_chance": None, "retest": None}
        assert msgspec.structs.replace(here, **same) == msgspec.structs.replace(there, **same)
        assert here.run_chance == pytest.approx(there.run_chance)
        assert here.retest == there.retest


@given(records())
def test_the_sides_say_nothing(votes: list[Vote]) -> None:
    for here, there in zip(attentiveness(votes), attentiveness([mirrored(one) for one in votes]), strict=True):
        assert here == there


@given(records())
def test_every_vote_is_somewhere(votes: list[Vote]) -> None:
    found = sift(votes)
    assert len(votes) == len(found.votes) + len(found.skips) + found.num_superseded + found.num_withdrawn
    assert effective(found.votes) == found.votes
    assert sum(one.num_votes + one.num_skipped for one in attentiveness(votes)) == len(found.votes) + len(found.skips)
