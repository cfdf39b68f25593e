"""What others published about real votes, from these votes: MT-Bench, LLMFAO, WMT24."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from real_votes import JUDGE, cast_by, in_turn, llmfao, mt_bench, wmt24

from evalsuite.preference.agreement import alpha_of, between_people, kappa_with_judge, with_judge
from evalsuite.preference.clustering import spread_of
from evalsuite.preference.languages import other_languages, worst_language
from evalsuite.preference.table import VoteTable
from evalsuite.preference.win_rates import rates_of_pair, rates_of_systems

pytestmark = pytest.mark.data
PAIR = ("Claude-3.5", "GPT-4")


@pytest.mark.parametrize(
    ("people", "turn", "with_ties", "decided", "own_with_ties", "own_decided"),
    [
        ("expert", 1, (886, 1343), (727, 859), (454, 721), (388, 479)),
        ("expert", 2, (871, 1325), (731, 864), (471, 707), (388, 474)),
        ("", 1, (1125, 1689), (911, 1060), (769, 1199), (633, 772)),
        ("", 2, (1095, 1666), (912, 1069), (783, 1169), (649, 778)),
    ],
)
def test_mt_benchs_agreement_ratios(
    mirror: Path, people: str, turn: int, with_ties: object, decided: object, own_with_ties: object, own_decided: object
) -> None:
    """Zheng et al. 2023, tables 5 and 6 (experts), and the same of everybody."""
    table = mt_bench(mirror)
    judged = cast_by(table, JUDGE)
    human = table.where(cast_by(table, people) & ~judged & in_turn(table, turn))
    found = [*with_judge(human, table.where(judged & in_turn(table, turn))), *between_people(human)]
    assert [(part.num_agree, part.num_pairs) for part in found] == [with_ties, decided, own_with_ties, own_decided]
    for part in found:
        assert part.low is not None
        assert part.high is not None
        assert part.low < part.value < part.high


def test_mt_benchs_agreement_beyond_chance(mirror: Path) -> None:
    table = mt_bench(mirror)
    judged = cast_by(table, JUDGE)
    everybody, experts = alpha_of(table.where(~judged), seed=1), alpha_of(table.where(cast_by(table, "expert")), seed=1)
    assert everybody is not None
    assert experts is not None
    assert (round(everybody.value, 3), round(experts.value, 3)) == (0.485, 0.467)
    for setup, value, num in (("with-ties", 0.505, 1814), ("decided", 0.767, 1078)):
        found = kappa_with_judge(table.where(~judged), table.where(judged), setup=setup, seed=1)  # type: ignore[arg-type]
        assert found is not None
        assert (round(found.value, 3), found.num_units) == (value, num)


def test_llmfaos_alpha_and_its_interval_over_prompts(mirror: Path) -> None:
    found = alpha_of(llmfao(mirror), seed=1)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert round(found.value, 2) == 0.29
    assert found.low == pytest.approx(0.215, abs=0.006)
    assert found.high == pytest.approx(0.363, abs=0.006)


@pytest.mark.parametrize(
    ("name", "share", "decided"), [("crowd", 52.0, 53.3), ("gpt4-crowd", 45.6, 45.5), ("gpt3-crowd", 67.7, 69.5)]
)
def test_llmfaos_left_shares(mirror: Path, name: str, share: float, decided: float) -> None:
    table = llmfao(mirror, name)
    assert table.is_left.all()
    assert round(100 * table.value.mean(), 1) == share
    assert round(100 * (table.outcome == 0).sum() / (table.outcome < 2).sum(), 1) == decided


def test_llmfaos_design_effects(mirror: Path) -> None:
    """Of a system's win rate with every vote counted the same, by prompt: what reading only votes would overlook."""
    table = llmfao(mirror)
    effects = {system: by_prompt(table.of_system(system)) for system in table.systems}
    left = np.bincount(table.a, minlength=len(table.systems))
    most = [table.systems[place] for place in np.argsort(-left, kind="stable")[:25]]
    assert round(median(effects.values()), 1) == 3.3
    assert round(median(effects[system] for system in most), 1) == 4.1
    assert len(rates_of_systems(table)) == 59


def by_prompt(votes: VoteTable) -> float:
    spread = spread_of((votes.value - votes.value.mean()) / len(votes), votes.group, votes.rater)
    assert spread.by_group is not None
    assert spread.naive is not None
    return (spread.by_group / spread.naive) ** 2


def test_wmt24s_languages(mirror: Path) -> None:
    rates = {rate.language or rate.scope: rate for rate in rates_of_pair(wmt24(mirror), *PAIR)}
    found = {name: round(rate.win_half, 3) for name, rate in rates.items()}
    assert found == {"ces": 0.561, "hin": 0.618, "jpn": 0.590, "zho": 0.472, "macro": 0.560, "pooled": 0.549}
    assert rates["macro"].by_vote == pytest.approx(0.549, abs=5e-4)


def test_wmt24s_other_languages_by_document(mirror: Path) -> None:
    """The published estimate knows documents and not annotators."""
    table = wmt24(mirror)
    by_document = replace(table, rater=np.zeros_like(table.rater))
    rates = rates_of_pair(by_document, *PAIR)
    effects = [rate.design_effect for rate in rates if rate.scope == "language"]
    assert [round(effect, 1) for effect in effects if effect] == [2.9, 3.4, 4.4, 3.7]
    found = other_languages(rates)
    assert found is not None
    assert [round(value, 3) for value in (found.value, found.low, found.high)] == [0.556, 0.454, 0.658]
    assert found.i_squared == pytest.approx(0.6, abs=0.02)


def test_the_worst_language_lies_below_the_mean(mirror: Path) -> None:
    table = wmt24(mirror)
    worst = worst_language(rates_of_pair(table, *PAIR))
    assert worst is not None
    assert worst.language == "zho"
    chinese = next(rate for rate in rates_of_pair(table, *PAIR) if rate.language == "zho")
    assert chinese.low is not None
    assert chinese.low < worst.low < worst.value == chinese.win_half, "one side alone, and no correction"
