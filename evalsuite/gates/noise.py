"""How far a model lies from itself: two runs of it, by two seeds or on two days; no margin may be below that."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.comparing.baselines import NoiseFloor
from evalsuite.comparing.pairing import PairedTask, Pairing
from evalsuite.errors import DataError
from evalsuite.gates.measuring import floor_name, group_for
from evalsuite.stats.differences import mean_difference


def noise_floor(pairing: Pairing) -> NoiseFloor:
    """The larger end of the 95 % interval of every metric of each task, family in one language, and family.

    Those are what gates are made of. Raises DataError where nothing could be compared.
    """
    if pairing.refused or not pairing.tasks:
        reasons = "; ".join(pairing.refused[0].reasons) if pairing.refused else "no task in common"
        raise DataError(f"the second run cannot be held against the first: {reasons}.")
    floors: dict[str, float] = {}
    for tasks in _groups(pairing):
        names = [task.name for task in tasks]
        for metric in tasks[0].rows:
            if all(metric in task.rows for task in tasks):
                group = group_for(names[0], metric, names, tasks[0].family, pairing)
                found = None if isinstance(group, str) else mean_difference(group)
                if found is not None and found.low is not None and found.high is not None:
                    floors[floor_name(metric, names)] = max(abs(found.low), abs(found.high))
    return NoiseFloor(run_id=pairing.candidate.run_id, floors=floors)


def _groups(pairing: Pairing) -> Iterator[list[PairedTask]]:
    """Tasks as gates group them: each by itself, by family and language, by family; no group twice."""
    groups: dict[tuple[str, ...], list[PairedTask]] = {}
    for task in pairing.tasks.values():
        for key in ((task.name, "", ""), ("", task.family, task.language), ("", task.family, "")):
            groups.setdefault(key, []).append(task)
    yield from {tuple(task.name for task in tasks): tasks for tasks in groups.values()}.values()
