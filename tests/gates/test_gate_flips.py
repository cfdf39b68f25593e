"""The samples that flipped, as gate.json lists them: by each gate's own metric, and bounded."""

from __future__ import annotations

from pathlib import Path

import graded_models
import pytest
from gate_reports import Runs, result

from evalsuite.gates.flipping import even_share, gated_flips

BY_TWO_METRICS = """\
defaults: {max_drop: 10pp}
gates:
  - {task: mini_choice_en, metric: acc}
  - {task: mini_choice_en, metric: acc_norm_char}
  - {task: mini_choice_zh, metric: unscored_rate, max: 10%}
"""


def test_each_gates_flips_are_of_its_own_metric(runs: Runs, tmp_path: Path) -> None:
    good, brief = (graded_models.run(name, tmp_path) for name in ("good", "brief"))
    report, pairing = runs.report(brief, good, rules=BY_TWO_METRICS)
    by_metric = {gate.metric: gate for gate in report.gates}
    assert {flip.metric for flip in report.flips} == {"acc", "acc_norm_char"}
    assert {flip.task for flip in report.flips} == {"mini_choice_en"}  # a rate has no samples that flip
    for metric in ("acc", "acc_norm_char"):
        found = by_metric[metric].difference
        assert found is not None
        rows = pairing.tasks["mini_choice_en"].rows[metric]
        moved = {(name, "lost" if gain < 0 else "gained") for name, gain in zip(rows.names, rows.gains, strict=True)
                 if gain}  # fmt: skip
        assert {(flip.sample, flip.way) for flip in report.flips if flip.metric == metric} == moved
        assert len(moved) == (found.num_lost or 0) + (found.num_gained or 0) > 0
    shown = {metric: [flip.sample for flip in report.flips if flip.metric == metric] for metric in by_metric}
    assert shown["acc"] != shown["acc_norm_char"]


def test_a_pair_that_two_gates_are_about_is_listed_once(runs: Runs) -> None:
    rules = BY_TWO_METRICS + "  - {task: mini_choice_en, metric: acc, min: 0.1}\n"
    once, _ = runs.report(runs.forgetful, runs.right, rules=BY_TWO_METRICS)
    twice, _ = runs.report(runs.forgetful, runs.right, rules=rules)
    assert twice.flips == once.flips


def test_of_very_many_some_are_left_out_and_counted(runs: Runs) -> None:
    report, pairing = runs.report(runs.lost, runs.right)
    assert (len(report.flips), report.num_flips_left_out) == (240, 0)
    kept, left_out = gated_flips(report.gates, pairing, most=60)
    assert (len(kept), left_out) == (60, 180)
    assert [flip.task for flip in kept] == [gate.tasks[0] for gate in report.gates for _ in range(10)]


@pytest.mark.parametrize(
    ("sizes", "most", "share"),
    [((3, 4), 9, 4), ((1, 50, 50), 21, 10), ((10, 10, 10), 2, 0), ((), 5, 0), ((0, 9), 4, 4), ((2, 2, 9), 9, 5)],
)
def test_places_are_shared_evenly(sizes: tuple[int, ...], most: int, share: int) -> None:
    assert even_share(sizes, most) == share
    assert sum(min(size, share) for size in sizes) <= most


def test_gains_keep_a_place(runs: Runs) -> None:
    _, pairing = runs.report(runs.forgetful, runs.lost)
    gained = [result("gained", "pass", tasks=("mini_choice_en",), metric="acc")]
    found, left_out = gated_flips(gained, pairing, 4)
    assert [flip.way for flip in found] == ["gained"] * 4
    assert left_out > 0
