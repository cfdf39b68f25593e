"""How far settings that should not matter move a number, and whether they change which model leads."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from evalsuite.errors import NothingComparable
from evalsuite.stats.paired_tests import holm
from evalsuite.stats.setting_spread import SettingSpread, setting_spread
from evalsuite.sweeps.reading import (
    CellRun,
    Headline,
    Sweep,
    bounds_of,
    groups_of,
    number_of,
    settings_text,
    value_of,
    values_of,
    varied_keys,
)
from evalsuite.sweeps.sharing import joint_values
from evalsuite.types import Record


class SettingValue(Record, frozen=True, kw_only=True):
    """The value under one setting, with the run's own interval."""

    setting: str
    cell: str
    value: float
    low: float | None
    high: float | None
    is_marked: bool


class HeadlineSpread(Record, frozen=True, kw_only=True):
    """One headline over the settings, all else equal (`series`).

    `spread` rests on the items that all settings share, so that its mean may differ a little from the values'; None
    where they share none, for the reason `not_paired` says. `p_adjusted` is `spread.p_alike` among all tasks or means.
    """

    headline: str
    series: str
    is_mean: bool
    values: tuple[SettingValue, ...]
    spread: SettingSpread | None
    not_paired: str
    n: int | None
    num_left_out: int | None
    scale: float
    p_adjusted: float | None = None


class RankChanges(Record, frozen=True, kw_only=True):
    """Whether settings change the order of those compared: `ranked`, best first by their means over settings.

    In `num_changed` of the `num_settings` settings that all have, the order is another one; `reversed_pairs` are those
    whose order differs between two settings. Values alike are no change.
    """

    headline: str
    ranked: tuple[str, ...]
    num_settings: int
    num_changed: int
    reversed_pairs: tuple[tuple[str, str], ...]


class Spread(Record, frozen=True, kw_only=True):
    """All headlines over the settings of `key`."""

    key: str
    spreads: tuple[HeadlineSpread, ...]
    rankings: tuple[RankChanges, ...]
    left_out: tuple[str, ...]


def spread_of(sweep: Sweep, key: str, headlines: Sequence[Headline]) -> Spread:
    """The headlines over the values of `key`.

    Raises UsageError for a key that the sweep does not set, NothingComparable unless two cells differ in it alone.
    """
    sweep.check_key(key, "--over")
    varied = varied_keys(sweep)
    groups = [(settings_text(series, varied), cells) for series, cells in groups_of(sweep.sealed, key)]
    found = [
        spread
        for series, cells in groups
        for headline in headlines
        if (spread := _spread(cells, key, headline, series)) is not None
    ]
    if not found:
        raise NothingComparable(f"--over {key}: no two cells with results differ in it alone.")
    return Spread(
        key=key,
        spreads=_adjusted(found),
        rankings=tuple(ranking for headline in headlines if (ranking := _ranking(groups, key, headline)) is not None),
        left_out=tuple(one.cell.name for one in sweep.cells if one.result is None),
    )


def _spread(cells: Sequence[CellRun], key: str, headline: Headline, series: str) -> HeadlineSpread | None:
    having = [one for one in cells if headline in values_of(one)]
    if len(having) < 2:
        return None
    joint = joint_values(having, headline)
    is_known = not isinstance(joint, str)
    return HeadlineSpread(
        headline=headline.label,
        series=series,
        is_mean=headline.is_mean,
        values=tuple(_value(one, key, headline) for one in _in_order(having, key)),
        spread=None if isinstance(joint, str) else setting_spread(joint, bounds_of(having, headline)),
        not_paired="" if is_known else str(joint),
        n=None if isinstance(joint, str) else joint.n,
        num_left_out=None if isinstance(joint, str) else joint.num_left_out,
        scale=values_of(having[0])[headline].scale,
    )


def _in_order(cells: Sequence[CellRun], key: str) -> list[CellRun]:
    """By size where all settings are numbers, else in the plan's order."""
    if any(number_of(one, key) is None for one in cells):
        return list(cells)
    return sorted(cells, key=lambda one: number_of(one, key) or 0.0)


def _value(one: CellRun, key: str, headline: Headline) -> SettingValue:
    value = values_of(one)[headline]
    return SettingValue(
        setting=value_of(one, key), cell=one.cell.name, value=value.value, low=value.low, high=value.high,
        is_marked=one.is_marked,
    )  # fmt: skip


def _ranking(groups: Sequence[tuple[str, list[CellRun]]], key: str, headline: Headline) -> RankChanges | None:
    """Over the groups and settings that are all there; None for fewer than two of either."""
    tables: dict[int, dict[str, float]] = {}
    sign = 1.0
    for place, (_, cells) in enumerate(groups):
        for one in cells:
            if (value := values_of(one).get(headline)) is not None:
                sign = 1.0 if value.higher_is_better else -1.0
                tables.setdefault(place, {})[value_of(one, key)] = sign * value.value
    tables = {place: row for place, row in tables.items() if len(row) > 1}
    settings = [name for name in next(iter(tables.values()), {}) if all(name in row for row in tables.values())]
    if len(tables) < 2 or len(settings) < 2:
        return None
    names = tuple(groups[place][0] for place in tables)
    values = np.array([[row[setting] for setting in settings] for row in tables.values()])
    order = np.argsort(-values.mean(axis=1), kind="stable")
    values, ranked = values[order], tuple(names[place] for place in order)
    signs = np.sign(values[:, None, :] - values[None, :, :])  # (first, second, setting)
    above = np.triu(np.ones((len(ranked), len(ranked)), dtype=bool), 1)
    is_reversed = (signs.min(axis=2) < 0) & (signs.max(axis=2) > 0) & above
    num_changed = int(((signs < 0) & above[:, :, None]).any(axis=(0, 1)).sum())
    pairs = tuple((ranked[first], ranked[second]) for first, second in zip(*np.nonzero(is_reversed), strict=True))
    return RankChanges(
        headline=headline.label, ranked=ranked, num_settings=len(settings), num_changed=num_changed,
        reversed_pairs=pairs,
    )  # fmt: skip


def _adjusted(found: Sequence[HeadlineSpread]) -> tuple[HeadlineSpread, ...]:
    chances: dict[int, float] = {}
    for is_mean in (True, False):
        asked = {
            place: one.spread.p_alike
            for place, one in enumerate(found)
            if one.is_mean == is_mean and one.spread is not None and one.spread.p_alike is not None
        }
        chances |= dict(zip(asked, holm(list(asked.values())), strict=True))
    return tuple(msgspec.structs.replace(one, p_adjusted=chances.get(place)) for place, one in enumerate(found))
