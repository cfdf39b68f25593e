"""Win rates with a judge's help: right whatever the judge is like; and judges that disagree with people are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from real_votes import cast_by

from evalsuite.errors import DataError
from evalsuite.preference.clustering import spread_of
from evalsuite.preference.prediction_powered import PoweredRate, admissibility, powered_rate
from evalsuite.preference.simulation import Study
from evalsuite.preference.table import VoteTable, table_of
from evalsuite.preference.win_rates import rates_of_pair
from evalsuite.stats.intervals import t_interval
from evalsuite.vote_files.formats import read_votes

PEOPLE = Study(num_prompts=150, num_votes=3, num_annotators=60, advantage=0.3, annotator_sd=0.2)
JUDGE = replace(PEOPLE, num_votes=1, num_annotators=1, annotator_sd=0.0, advantage=1.1, tie_weight=0.2)
"""Sees the same in a prompt that people do, but favours A."""


def drawn(seed: int, num_people: int = 50, judge: Study = JUDGE) -> tuple[VoteTable, VoteTable]:
    """People on some prompts, the judge on all; the same seed gives both the same prompts."""
    people, verdicts = (study.votes(np.random.default_rng(seed)) for study in (PEOPLE, judge))
    chosen = np.random.default_rng(seed + 10_000).permutation(PEOPLE.num_prompts)[:num_people]
    return people.where(np.isin(people.group, chosen)), verdicts


def powered(people: VoteTable, judge: VoteTable) -> PoweredRate:
    found = powered_rate(people, judge, "a", "b")
    assert found is not None
    return found


def judge_alone_covers(judge: VoteTable, truth: float) -> bool:
    (rate,) = rates_of_pair(judge, "a", "b")
    assert rate.low is not None
    assert rate.high is not None
    return rate.low <= truth <= rate.high


def coverage(num_draws: int) -> tuple[float, float, float]:
    """Of ours and of the judge alone, and how our error compares with people's alone."""
    truth = PEOPLE.truth("en")
    ours, theirs, ratios = [], [], []
    for seed in range(num_draws):
        people, judge = drawn(seed)
        found = powered(people, judge)
        assert found.low is not None
        assert found.high is not None
        ours.append(found.low <= truth <= found.high)
        theirs.append(judge_alone_covers(judge, truth))
        ratios.append(found.stderr_ratio or 1.0)
    return float(np.mean(ours)), float(np.mean(theirs)), float(np.mean(ratios))


def test_a_biased_judge_does_no_harm() -> None:
    ours, theirs, ratio = coverage(250)
    assert 0.91 <= ours <= 0.985
    assert theirs < 0.5
    assert ratio < 1.0


@pytest.mark.full
def test_the_interval_holds_over_two_thousand_studies() -> None:
    ours, theirs, ratio = coverage(2000)
    assert 0.93 <= ours <= 0.97
    assert theirs < 0.5
    assert ratio < 1.0


def test_a_judge_of_chance_is_not_listened_to() -> None:
    weights = []
    for seed in range(20):
        people, judge = drawn(seed)
        noise = np.random.default_rng(seed).integers(0, 2, len(judge))
        weights.append(powered(people, replace(judge, outcome=noise, value=1.0 - noise)).weight)
    assert np.median(weights) < 0.2


def test_a_judge_like_people_is() -> None:
    people, judge = drawn(3, judge=replace(JUDGE, num_votes=9, num_annotators=9))
    found = powered(people, judge)
    assert found.weight > 0.3
    assert found.stderr_ratio is not None
    assert found.stderr_ratio < 0.95


def test_seen_from_the_other_side_it_is_mirrored() -> None:
    people, judge = drawn(5)
    here, there = powered(people, judge), powered_rate(people, judge, "b", "a")
    assert there is not None
    assert here.value == pytest.approx(1 - there.value)
    assert here.low == pytest.approx(1 - (there.high or 0))


def test_too_few_prompts_of_either_have_no_rate() -> None:
    assert powered_rate(*drawn(1, num_people=5), "a", "b") is None
    assert powered_rate(*drawn(1, num_people=146), "a", "b") is None


def test_half_a_group_is_refused() -> None:
    people, judge = drawn(1)
    groups = np.arange(150) // 2
    halved = [replace(table, group=groups[table.item]) for table in (people, judge)]
    with pytest.raises(DataError, match="draw whole groups at random"):
        powered_rate(*halved, "a", "b")


def test_a_judge_as_good_as_a_person_is_admissible() -> None:
    people = PEOPLE.votes(np.random.default_rng(1))
    judge = replace(PEOPLE, num_votes=1, num_annotators=1, annotator_sd=0.0).votes(np.random.default_rng(1))
    found = admissibility(people, judge)
    assert found is not None
    assert found.verdict in {"admissible", "undecided"}
    assert abs(found.difference) < 0.1


def test_a_judge_of_chance_is_not_admissible() -> None:
    study = replace(PEOPLE, advantage=3.0)
    people = study.votes(np.random.default_rng(1))
    judge = replace(study, num_votes=1, num_annotators=1).votes(np.random.default_rng(1))
    noise = np.random.default_rng(2).integers(0, 2, len(judge))
    found = admissibility(people, replace(judge, outcome=noise, value=1.0 - noise))
    assert found is not None
    assert found.verdict == "not admissible"
    assert found.judge_agreement < found.people_agreement


@pytest.mark.data
def test_on_llmfao_it_contains_what_all_people_say(mirror: Path) -> None:
    """Of the eight systems with most votes and all 13 prompts, people on seven of them; every prompt counts once."""
    folder = mirror / "dustalov__llmfao"
    paths = [folder / f"{name}-comparisons.csv" for name in ("crowd", "gpt4-crowd")]
    table = table_of(read_votes(paths, "llmfao").comparisons)
    is_judge = cast_by(table, "gpt4-crowd")
    people, judge = table.where(~is_judge), table.where(is_judge)
    whole = [system for system in people.systems if len(np.unique(people.of_system(system).group)) == 13]
    systems = sorted(whole, key=lambda system: -len(people.of_system(system)))[:8]
    truth = {system: by_prompt(people.of_system(system)) for system in systems}
    contained, by_judge = [], sum(judge_only(judge.of_system(system), truth[system]) for system in systems)
    for seed in range(20):
        chosen = np.random.default_rng(seed).permutation(13)[:7]
        part = people.where(np.isin(people.group, chosen))
        found = {system: powered_rate(part, judge, system) for system in systems}
        contained.append(sum(contains(rate, truth[system]) for system, rate in found.items()))
    assert min(contained) >= 7
    assert by_judge <= 6


def contains(rate: PoweredRate | None, truth: float) -> bool:
    return rate is not None and rate.low is not None and rate.high is not None and rate.low <= truth <= rate.high


def by_prompt(votes: VoteTable) -> float:
    return float(np.mean([votes.value[votes.item == item].mean() for item in np.unique(votes.item)]))


def judge_only(votes: VoteTable, truth: float) -> bool:
    value = by_prompt(votes)
    weights = 1.0 / (len(np.unique(votes.item)) * np.bincount(votes.item)[votes.item])
    spread = spread_of(weights * (votes.value - value), votes.group, np.zeros_like(votes.group))
    bounds = t_interval(value, spread.stderr, spread.degrees + 1, (0.0, 1.0))
    assert bounds is not None
    return bounds[0] <= truth <= bounds[1]
