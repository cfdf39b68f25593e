"""A leaderboard's numbers, each with all that is needed to read it, and what its columns say of them."""

from __future__ import annotations

from typing import Literal

from evalsuite.types import Record


class Cell(Record, frozen=True, kw_only=True, array_like=True):
    """A number with all that is needed to read it, in this order, as a list.

    `value` is None where a task was asked and nothing of it has a score. `low` to `high` is the 95 % interval, None
    where it cannot be known. `worst` and `best` are what the `num_unscored` samples leave open.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    num_unscored: int = 0
    worst: float | None = None
    best: float | None = None
    chance: float | None = None
    is_chat: bool = False
    notes: tuple[str, ...] = ()


class Column(Record, frozen=True, kw_only=True):
    """What must be equal for two numbers to stand in one column, and how to read them.

    `kind` is empty for a single task. `label` sets a task apart within its family. `scale` times a value is what is
    shown; `chance` the lowest and highest level of guessing among the column's samples; `formula` names how a task's
    value follows from its samples' counts. `is_averaged` columns are what ranks go by. `own_signature` is what of a
    signature the others of its table do not have; `own_parts` are a mean's languages or parts where there is another
    mean like it over others.
    """

    id: str
    family: str
    title: str
    label: str
    kind: Literal["", "macro", "micro", "suite"]
    metric: str
    alias: str
    tasks: tuple[str, ...]
    parts: tuple[str, ...]
    num_tasks: int
    language: str
    provenance: str
    protocol: str
    shots: str
    seed: str
    version: str
    data: str
    signature: str
    own_signature: str = ""
    own_parts: tuple[str, ...] = ()
    formula: str
    scale: float
    higher_is_better: bool
    is_primary: bool
    bounds: tuple[float, float] | None
    chance: tuple[float, float] | None
    is_averaged: bool = False


class Rate(Record, frozen=True, kw_only=True, array_like=True):
    """`count` of `n`, with Wilson's 95 % interval."""

    count: int
    n: int
    low: float | None
    high: float | None
