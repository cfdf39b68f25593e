"""How far a model lies from itself: two runs of it, by two seeds or on two days; no margin may be below that."""

from __future__ import annotations

import itertools

from evalsuite.comparing.baselines import NoiseFloor
from evalsuite.comparing.comparison import group_of
from evalsuite.comparing.pairing import PairedTask, Pairing
from evalsuite.errors import DataError
from evalsuite.stats.differences import mean_difference


def noise_floor(pairing: Pairing) -> NoiseFloor:
    """The larger end of the 95 % interval of each task's headline, and of each family and language's mean.

    The names are those of gates, per task and per language. Raises DataError where nothing could be compared.
    """
    if pairing.refused or not pairing.tasks:
        reasons = "; ".join(pairing.refused[0].reasons) if pairing.refused else "no task in common"
        raise DataError(f"the second run cannot be held against the first: {reasons}.")
    floors: dict[str, float] = {}
    tasks = sorted(pairing.tasks.values(), key=lambda task: (task.family, task.language))
    for task in tasks:
        _add(floors, task.name, [task], pairing)
    for (family, language), group in itertools.groupby(tasks, key=lambda task: (task.family, task.language)):
        _add(floors, f"{family} {language}".strip(), list(group), pairing)
    return NoiseFloor(run_id=pairing.candidate.run_id, floors=floors)


def _add(floors: dict[str, float], name: str, tasks: list[PairedTask], pairing: Pairing) -> None:
    rows = [found for task in tasks for found in task.rows.values() if found.estimate.is_primary]
    if len(rows) < len(tasks) or len({(one.estimate.metric, one.estimate.signature) for one in rows}) > 1:
        return
    found = mean_difference(group_of(name, "macro", rows, pairing, is_thin=False))
    if found is not None and found.low is not None and found.high is not None:
        floors[name] = max(abs(found.low), abs(found.high))
