"""A headline under the settings of several cells, on the items that all of them share."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.comparing.opening import find_metric
from evalsuite.comparing.pairing import FindMetric
from evalsuite.comparing.sharing import joint_of_value
from evalsuite.records import Aggregate
from evalsuite.stats.joint_values import Joint, mean_of_joints
from evalsuite.sweeps.reading import CellRun, Headline, values_of


def joint_values(cells: Sequence[CellRun], headline: Headline, find: FindMetric = find_metric) -> Joint | str:
    """The headline under every cell's settings on the items all share, or in words why that cannot be had.

    Raises SpecMismatch or CorruptStore for runs that cannot be read.
    """
    values = [values_of(cell).get(headline) for cell in cells]
    if any(value is None for value in values):
        return "a cell has no value"
    value = values[0]
    if isinstance(value, Aggregate) and value.kind == "suite":
        return _averaged(cells, value, find)
    assert value is not None
    return joint_of_value([cell.side for cell in cells], value, find)


def _averaged(cells: Sequence[CellRun], average: Aggregate, find: FindMetric) -> Joint | str:
    """A suite's average: the mean of its families' headlines, which share no items with one another."""
    joints: list[Joint] = []
    headlines = values_of(cells[0])
    for family in average.parts:
        means = [one for one, value in headlines.items() if one.is_mean and value.family == family]
        tasks = [one for one, value in headlines.items() if not one.is_mean and value.family == family]
        found = joint_values(cells, (*means, *tasks)[0], find) if means or tasks else "a cell has no score"
        if isinstance(found, str):
            return f"{family}: {found}"
        joints.append(found)
    return mean_of_joints(joints)
