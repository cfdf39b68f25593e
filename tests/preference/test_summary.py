"""The summary of votes: everything is counted, what nobody can know is absent, and JSON holds all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_votes import JUDGE, cast_by, mt_bench, wmt24

from evalsuite.canonical import canonical_json
from evalsuite.preference.languages import worst_language
from evalsuite.preference.summarising import Gathered, summary_of
from evalsuite.preference.summary import PreferenceSummary, read_summary
from evalsuite.preference.table import VoteTable, table_of
from evalsuite.preference.win_rates import rates_of_pair
from evalsuite.verdicts import Comparison, Winner
from evalsuite.votes import ACCEPTABILITY, QualityRating

A, B, TIE, BAD = Winner.A, Winner.B, Winner.TIE, Winner.BOTH_BAD
MIXED = (A, A, B, TIE, A, BAD, B, A)


def vote(item: int, winner: Winner, rater: str = "r", **more: Any) -> Comparison:
    fields = {"language": "en", "system_a": "x", "system_b": "y", "tells_ties": True, "shown_first": "x", **more}
    return Comparison(item=str(item), group=str(item), winner=winner, rater=rater, **fields)


def gathered(rows: list[Comparison], judge: str = "", **more: Any) -> Gathered:
    table = table_of(rows)
    is_judge = np.array([table.raters[rater] == judge for rater in table.rater])
    return Gathered(people=table.where(~is_judge), judges=table.where(is_judge), **more)


def summarised(rows: list[Comparison], **more: Any) -> PreferenceSummary:
    return summary_of(gathered(rows, **more), seed=1, num_draws=30)


def mixed(**more: Any) -> list[Comparison]:
    """Eight prompts, two raters on each, who do not always agree."""
    return [vote(n, MIXED[(n + r) % 8], f"r{r}", **more) for n in range(8) for r in range(2)]


def test_everything_is_counted() -> None:
    rows = [*mixed(), *mixed(language="hi"), vote(0, A, "machine")]
    found = summarised(rows, judge="machine", dropped={"skipped": 3}, num_rows=36)
    counts = found.counts
    assert (counts.num_votes, counts.num_prompts, counts.num_groups, counts.num_annotators) == (32, 16, 8, 2)
    assert (counts.num_verdicts, counts.num_rows, counts.dropped) == (1, 36, {"skipped": 3})
    assert [(one.language, one.num_votes, one.num_prompts, one.num_annotators) for one in found.languages] == [
        ("en", 16, 8, 2), ("hi", 16, 8, 2),
    ]  # fmt: skip
    assert [rate.scope for rate in found.rates] == ["language", "language", "macro", "pooled"]
    assert [one.annotator for one in found.annotators] == ["r0", "r1"]
    assert (found.seed, found.num_draws, found.correction) == (1, 30, "holm")


def test_pairs_are_seen_from_the_stronger_and_in_order() -> None:
    rows = [vote(n, B, f"r{n % 3}", system_a=a, system_b=b) for n in range(9) for a, b in (("a", "b"), ("b", "c"))]
    rows += [vote(20, A, system_a="a", system_b="b"), vote(21, A, system_a="b", system_b="c")]
    found = summarised(rows)
    assert found.systems == ("c", "b", "a")
    assert [(rate.system_a, rate.system_b) for rate in found.rates] == [("c", "b"), ("b", "a")]
    assert found.rates[0].win_half == pytest.approx(0.9)
    assert found.rates == tuple(
        msgspec.structs.replace(rate, p_adjusted=after.p_adjusted)
        for pair, after in zip((("c", "b"), ("b", "a")), found.rates, strict=True)
        for rate in rates_of_pair(table_of(rows), *pair)
    )
    assert found.rates[0].p_adjusted == pytest.approx(2 * (found.rates[0].p_value or 0))


@pytest.mark.parametrize("winner", [A, B])
def test_who_always_won_is_not_ranked_but_counted(winner: Winner) -> None:
    found = summarised([vote(n, winner, f"r{n % 3}") for n in range(8)])
    assert found.ranking is None
    assert "1 of 2 systems cannot be ranked" in found.no_ranking
    assert found.systems == (("x", "y") if winner is A else ("y", "x"))
    assert (found.rates[0].win_half, found.rates[0].interval) == (1.0, "wilson")
    assert found.rates[0].low is not None
    assert found.rates[0].low < 1.0


def test_who_never_met_is_not_ranked() -> None:
    found = summarised([*mixed(), *mixed(system_a="u", system_b="v", shown_first="u")])
    assert found.ranking is None
    assert "never met" in found.no_ranking
    assert {(rate.system_a, rate.system_b) for rate in found.rates} == {("x", "y"), ("u", "v")}


def test_what_nobody_knows_is_absent() -> None:
    blind = summarised([vote(n, (A, B, A)[n % 3], f"r{n % 2}", shown_first="", tells_ties=False) for n in range(9)])
    assert blind.languages[0].left_share is None
    assert blind.ranking is not None
    assert blind.ranking.left == {}
    assert (blind.ranking.tie_weights, blind.ranking.davidson_nu, blind.ranking.pooling) == ({}, None, None)
    assert (blind.rates[0].tie_good, blind.rates[0].tie_bad) == (None, None)
    assert (blind.alphas, blind.agreement, blind.quality, blind.judges, blind.attentiveness) == ((), (), None, (), ())
    assert (blind.other_languages, blind.worst_languages) == ((), ())


def test_with_few_prompts_nothing_claims_an_interval() -> None:
    few = summarised([row for row in mixed() if int(row.item) < 5])
    assert few.ranking is not None
    assert [(row.low, row.rank_low, row.rank_high) for row in few.ranking.systems] == [(None, None, None)] * 2
    assert few.ranking.davidson_nu is not None
    numbers = [*few.ranking.left.values(), *few.ranking.tie_weights.values(), few.ranking.davidson_nu]
    numbers += [one.left_share for one in few.languages if one.left_share]
    assert [(number.low, number.high) for number in numbers] == [(None, None)] * 4
    assert (few.rates[0].low, few.rates[0].interval) == (None, "")


def test_the_left_share_by_hand() -> None:
    """Of four votes with known sides the left answer gets one, one, a half and nothing."""
    rows = [vote(0, A), vote(1, B, shown_first="y"), vote(2, TIE), vote(3, B), vote(4, A, shown_first="")]
    left = summarised(rows).languages[0].left_share
    assert left is not None
    assert (left.value, left.num_votes, left.low) == (2.5 / 4, 4, None)


def test_sides_that_matter_are_found() -> None:
    """The left answer wins nine times of ten, whichever it is."""
    sides = [("x" if n % 2 else "y", n) for n in range(200)]
    lefts = [(left == "x") == (n // 2 % 10 > 0) for left, n in sides]
    rows = [vote(n, A if is_a else B, f"r{n % 20}", shown_first=sides[n][0]) for n, is_a in enumerate(lefts)]
    found = summarised(rows)
    assert found.ranking is not None
    worth, share = found.ranking.left["en"], found.languages[0].left_share
    assert share is not None
    assert share.value == pytest.approx(0.9)
    assert worth.low is not None
    assert worth.low > 1
    assert worth.value / 2 == pytest.approx(np.log(9), abs=0.3)


def test_a_side_that_always_wins_is_worth_no_number() -> None:
    sides = [("x" if n % 2 else "y", n) for n in range(40)]
    found = summarised([vote(n, A if left == "x" else B, f"r{n % 5}", shown_first=left) for left, n in sides])
    assert found.ranking is not None
    assert found.ranking.left == {}
    assert found.languages[0].left_share is not None
    assert found.languages[0].left_share.value == 1.0


def test_every_judge_stands_alone() -> None:
    rows = [*mixed(), *[vote(n, MIXED[n], "good") for n in range(8)], *[vote(n, B, "bad") for n in range(6)]]
    table = table_of(rows)
    is_judge = np.isin([table.raters[rater] for rater in table.rater], ["good", "bad"])
    found = summary_of(Gathered(people=table.where(~is_judge), judges=table.where(is_judge)), seed=1, num_draws=10)
    assert [(one.judge, one.num_verdicts) for one in found.judges] == [("bad", 6), ("good", 8)]
    bad, good = (one.agreement[0] for one in found.judges)
    assert (bad.num_agree, bad.num_pairs, good.num_pairs) == (2 + 1, 12, 16)
    assert good.num_agree > 8


def test_quality_is_of_ratings() -> None:
    ratings = tuple(
        QualityRating(item=str(n), group=str(n), language="en", system=system, rater="r", level=level)
        for n in range(8)
        for system, level in (("x", ACCEPTABILITY.levels[n % 4]), ("y", "good"))
    )
    found = summarised(mixed(), ratings=ratings, scale=ACCEPTABILITY).quality
    assert found is not None
    assert [(one.system, one.share_acceptable) for one in found.qualities] == [("x", 0.5), ("y", 1.0)]
    assert [(one.system_a, one.system_b, one.difference) for one in found.differences] == [("x", "y", -0.5)]
    assert found.differences[0].p_adjusted == found.differences[0].p_value
    assert summarised(mixed(), scale=ACCEPTABILITY).quality is None


def test_json_holds_all_of_it_and_the_same_votes_the_same_bytes() -> None:
    rows = [*mixed(), *mixed(language="hi"), *mixed(language="ar"), *[vote(n, A, "machine") for n in range(8)]]
    first, second = (canonical_json(summarised(rows, judge="machine")) for _ in range(2))
    assert first == second
    assert read_summary(json.loads(first)) == summarised(rows, judge="machine")
    assert canonical_json(summarised(rows[::-1], judge="machine")).count('"system_a"') == first.count('"system_a"')


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "no summary"),
        ({}, "no summary"),
        ({"version": "1"}, "no summary"),
        ({"version": 99}, "its version is 99"),
        ({"version": 1}, "missing required field"),
    ],
)
def test_other_files_are_refused(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_summary(value)


def test_without_people_there_is_nothing_to_say() -> None:
    with pytest.raises(ValueError, match="no votes of people"):
        summarised([vote(1, A, "machine")], judge="machine")


def test_a_system_that_only_the_judge_saw_keeps_nobody_from_a_rank() -> None:
    found = summarised([*mixed(), vote(0, A, "machine", system_b="z")], judge="machine")
    assert found.ranking is not None
    assert found.systems == tuple(row.system for row in found.ranking.systems)
    assert set(found.systems) == {"x", "y"}


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_any_few_votes_have_a_summary_that_json_holds(seed: int) -> None:
    """Without NaN, which canonical JSON refuses, without a warning, and without a number where nothing was counted."""
    found = summary_of(_random_votes(seed), seed=1, num_draws=10)
    assert read_summary(json.loads(canonical_json(found))) == found
    for rate in found.rates:
        assert rate.num_votes > 0
        assert rate.win + rate.loss + rate.tie == pytest.approx(1.0)
        assert (rate.low is None) == (rate.interval == "")


def _random_votes(seed: int) -> Gathered:
    random = np.random.default_rng(seed)
    num_systems, num_languages, num_prompts = (int(random.integers(*ends)) for ends in ((2, 5), (1, 4), (1, 12)))
    chances = random.dirichlet([0.3] * 4)
    rows = [
        vote(
            int(random.integers(num_prompts)),
            list(Winner)[int(random.choice(4, p=chances))],
            f"r{random.integers(4)}",
            language=f"l{random.integers(num_languages)}",
            system_a=f"s{pair[0]}",
            system_b=f"s{pair[1]}",
            shown_first="" if seed % 3 else f"s{pair[0]}",
            tells_ties=bool(seed % 2),
        )
        for pair in (random.choice(num_systems, 2, replace=False) for _ in range(int(random.integers(1, 50))))
    ]
    return gathered([*rows, vote(0, A, "p", system_a="s0", system_b="s1", shown_first="")], judge="r0")


def test_all_votes_alike_are_no_bound_for_certain() -> None:
    """Where a language's votes are all alike, its prompts count as one trial each (Wilson), not as certainty."""
    rows = [vote(n, A, f"r{n % 3}", language=language) for n in range(8) for language in ("en", "hi")]
    found = worst_language(rates_of_pair(table_of(rows), "x", "y"))
    assert found is not None
    assert found.value == 1.0
    assert found.low == pytest.approx(0.7473, abs=1e-3)


def test_rates_that_a_judge_helps_to_know_are_seen_from_the_stronger() -> None:
    """People on twelve prompts, where the one whose name is last wins more; a judge on forty."""
    rows = [vote(n, B if n % 3 else A, f"r{r}") for n in range(12) for r in range(2)]
    rows += [vote(n, B if n % 2 else A, "machine", shown_first="") for n in range(40)]
    found = summarised(rows, judge="machine")
    assert found.systems == ("y", "x")
    (powered,) = found.powered
    assert (powered.judge, powered.rate.system_a, powered.rate.system_b) == ("machine", "y", "x")
    assert (powered.rate.num_prompts_people, powered.rate.num_prompts_judge) == (12, 28)
    assert powered.rate.people_only == pytest.approx(8 / 12)
    assert powered.admission is not None
    assert read_summary(json.loads(canonical_json(found))) == found


def test_a_summary_from_before_such_rates_were_kept_is_read() -> None:
    stored = json.loads(canonical_json(summarised(mixed())))
    assert stored.pop("powered") == []
    assert read_summary(stored).powered == ()


# -- real votes


@pytest.fixture(scope="module")
def mt_bench_summary(mirror: Path) -> PreferenceSummary:
    table = mt_bench(mirror)
    is_judge = cast_by(table, JUDGE)
    return summary_of(Gathered(people=table.where(~is_judge), judges=table.where(is_judge)), seed=1, num_draws=100)


@pytest.mark.data
def test_mt_benchs_summary_has_the_published_numbers(mt_bench_summary: PreferenceSummary) -> None:
    found = mt_bench_summary
    assert found.systems[0] == "gpt-4"
    assert found.ranking is not None
    assert (found.ranking.systems[0].rank_low, found.ranking.systems[0].rank_high) == (1, 1)
    assert found.ranking.davidson_nu is not None
    assert found.ranking.davidson_nu.value == pytest.approx(0.860, abs=0.001)
    shares = {one.setup: (one.num_agree, one.num_pairs) for one in found.judges[0].agreement}
    assert shares == {"with-ties": (1125 + 1095, 1689 + 1666), "decided": (911 + 912, 1060 + 1069)}
    assert [round(one.value, 3) for one in found.judges[0].kappas] == [0.505, 0.767]
    assert [round(one.value, 3) for one in found.alphas] == [0.485]
    assert found.judges[0].admissibility[0].verdict == "admissible"


@pytest.mark.data
def test_the_languages_of_a_pair_of_wmt24(mirror: Path) -> None:
    """The design's numbers of Claude-3.5 against GPT-4: .56, .62, .59, .47; their mean .560; others .454 to .658."""
    pair: VoteTable = wmt24(mirror).of_pair("Claude-3.5", "GPT-4")
    found = summary_of(Gathered(people=pair, judges=pair.where(pair.value < 0)), seed=1, num_draws=20)
    assert [round(rate.win_half, 3) for rate in found.rates] == [0.561, 0.618, 0.590, 0.472, 0.560, 0.549]
    (others,) = found.other_languages
    assert (round(others.low, 2), round(others.high, 2)) == (0.46, 0.66)
    (worst,) = found.worst_languages
    assert worst.language == "zho"
    assert worst.low < found.rates[3].win_half
    assert found.ranking is not None
    assert found.ranking.left == {}
