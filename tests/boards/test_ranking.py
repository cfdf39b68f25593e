"""Ranks: on which columns, of which runs, and no order that the samples do not tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_sweeps import run

from evalsuite.boards.building import BoardOptions, board_of
from evalsuite.boards.loading import load_runs
from evalsuite.comparing.comparison import compare
from evalsuite.comparing.pairing import pair
from evalsuite.stats.joint_values import Joint, SharedRows, joint_of_task, merged
from evalsuite.stats.orderings import ordering_of, unseen_variance
from evalsuite.stats.paired_rows import PairedGroup, part_of_group

PLAUSIBLE, MANY = "evalsuite.engines.scripted:plausible", "small_sweeps:changed_many"


def rows(scores: np.ndarray, task: str = "t", clusters: list[str] | None = None) -> SharedRows:
    """Right and wrong, (settings, rows)."""
    counts = np.stack([scores, np.ones_like(scores)], axis=2).astype(float)
    names = [f"{task}{place}" for place in range(scores.shape[1])]
    return SharedRows(
        task, tuple(names), tuple(clusters or names), counts, lambda sums: sums[0] / sums[1], is_mean=True
    )


def joint_of(*parts: SharedRows) -> Joint:
    found = [joint_of_task(part) for part in parts]
    known = [one for one in found if one is not None]
    return merged(known, [1 / len(known)] * len(known))


def test_models_that_are_alike_share_all_ranks() -> None:
    random = np.random.default_rng(1)
    one = joint_of(rows(random.random((6, 200)) < 0.5))
    found = ordering_of(one)
    assert found.rank_low == (1,) * 6
    assert found.rank_high == (6,) * 6
    assert all(found.is_band)
    assert found.num_pairs == 15


def test_models_far_apart_have_ranks_of_their_own() -> None:
    random = np.random.default_rng(2)
    skills = np.array([0.3, 0.9, 0.6])
    found = ordering_of(joint_of(rows(random.random((3, 800)) < skills[:, None])))
    assert (found.rank_low, found.rank_high) == ((3, 1, 2), (3, 1, 2))
    assert found.is_band == (False, True, False)


@pytest.mark.parametrize("rounds", [400])
def test_no_false_order_among_equals_but_once_in_twenty(rounds: int) -> None:
    random = np.random.default_rng(3)
    false = 0
    for _ in range(rounds):
        part = rows(random.random((5, 60)) < 0.7, clusters=[f"c{place // 2}" for place in range(60)])
        found = ordering_of(joint_of(part), unseen_variance([part], [1.0]))
        false += found.rank_low != (1,) * 5
    assert false / rounds <= 0.05 + 3 * (0.05 * 0.95 / rounds) ** 0.5


def test_a_single_item_tells_nothing() -> None:
    found = ordering_of(joint_of(rows(np.array([[1], [0]]))))
    assert (found.rank_low, found.rank_high) == ((1, 1), (2, 2))


def test_small_tasks_are_not_taken_as_known_exactly() -> None:
    """Two settings that differ nowhere in a small task: the error of their mean is that of `paired_rows`."""
    random = np.random.default_rng(4)
    small = rows(np.ones((2, 6)), "small")
    large = rows(random.random((2, 300)) < 0.6, "large")
    more = unseen_variance([small, large], [0.5, 0.5])
    each_way = 1 / 8  # one imagined item gained and one lost, among six and these two
    assert more[0, 1] == pytest.approx(0.5**2 * (2 * each_way) / 8)
    assert more[0, 0] == 0.0


def test_the_mean_has_the_error_of_the_paired_difference(tmp_path: Path) -> None:
    """What ranks go by is what `compare` finds for the same two runs."""
    paths = [run(tmp_path, "--tasks", "mini_choice", "--model_args", f"function={one}") for one in (PLAUSIBLE, MANY)]
    runs = load_runs(paths)
    board = board_of(runs, BoardOptions())
    assert board.ranking is not None
    first, second = board.ranking.standings
    found = compare(pair(*(runs[board.rows[one.row].runs[0]].side for one in (second, first))))
    (mean,) = (one for one in found.differences if one.kind == "macro")
    assert first.mean.value is not None
    assert second.mean.value is not None
    assert first.mean.value - second.mean.value == pytest.approx(mean.difference)
    assert [board.columns[at].kind for at in board.ranking.columns] == ["macro"]
    group = PairedGroup(
        "m", "macro", tuple(one.rows[mean.metric] for one in pair(runs[0].side, runs[1].side).tasks.values())
    )
    part = part_of_group(group)
    assert part is not None
    assert part.stderr == pytest.approx(mean.stderr)


def test_who_is_ranked_and_why_others_are_not(tmp_path: Path) -> None:
    whole = [
        run(tmp_path, "--tasks", "mini_choice", "mini_math", "--model_args", f"function={one}")
        for one in (PLAUSIBLE, MANY)
    ]
    part = run(tmp_path, "--tasks", "mini_choice", "--limit", 6, "--model_args", f"function={PLAUSIBLE}")
    fewer = run(tmp_path, "--tasks", "mini_math", "--model_args", "function=small_sweeps:changed_some")
    board = board_of(load_runs([*whole, part, fewer]), BoardOptions())
    assert board.ranking is not None
    assert len(board.ranking.standings) == 2
    reasons = {board_run.id: board.ranking.unranked.get(board_run.id) for board_run in board.runs}
    ids = [path.name.rpartition("-")[2] for path in (part, fewer)]
    assert [reasons[one] for one in ids] == ["partial", "too few columns"]
