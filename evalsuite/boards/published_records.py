"""What a leaderboard holds of tables that others published, and of their arithmetic done again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from evalsuite.types import Record


class PublishedCell(Record, frozen=True, kw_only=True):
    """A figure as its authors printed it; `number` is what it says, without interval or n unless they gave them."""

    text: str
    number: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None


class PublishedCheck(Record, frozen=True, kw_only=True):
    """Arithmetic of a published table that was done again.

    `mean`: `column` against the mean of `parts`, to within `target`; `sum`: the figures of `column` in the rows of
    `group` against `target`. `failed` has by row how far it is off; of `num_checked` rows or groups.
    """

    kind: Literal["mean", "sum"]
    column: str
    parts: tuple[str, ...]
    target: float
    num_checked: int
    failed: Mapping[str, float]
    group: str = ""


class PublishedTable(Record, frozen=True, kw_only=True):
    """Figures that others published: apart from runs, never ranked. A cell is None where nothing was published."""

    title: str
    source: str
    date: str
    unit: str
    higher_is_better: bool
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[PublishedCell | None, ...], ...]
    notes: tuple[str, ...] = ()
    checks: tuple[PublishedCheck, ...] = ()
