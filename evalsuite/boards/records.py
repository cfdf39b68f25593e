"""What a leaderboard holds, as one record: numbers unrounded, texts untouched, references by place.

A page rounds and words it, an export tabulates it, `verify` makes it again. Places are indices: of rows, columns
and runs in what `Board` calls so. The same runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from evalsuite.alarms import RedFlag
from evalsuite.boards.cells import Cell, Column
from evalsuite.boards.judge_records import BoardCard, Judging, Unfit
from evalsuite.boards.published_records import PublishedTable
from evalsuite.boards.task_records import Family, Task
from evalsuite.comparing.comparison import Comparison
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.proofs.trust import Trust
from evalsuite.records import Counts, JudgedSpec, ModelSpec
from evalsuite.types import Record, Scalar

BOARD_VERSION = 1
"""Version of the stored record; a reader refuses another."""

SamplesKept = Literal["all", "failures", "none"]
"""Whose texts a page holds: every sample's, those that are not right, or nobody's. Counts are always there."""


class Extreme(Record, frozen=True, kw_only=True):
    """The worst language of a row, or its widest gap to English, with the family in which that is."""

    language: str
    family: str
    metric: str
    scale: float
    value: float
    low: float | None
    high: float | None
    n: int
    num_clusters: int


class Run(Record, frozen=True, kw_only=True):
    """Who answered, how far the run came, and what a clock said of it.

    `measured` has ``seconds``, ``tokens_per_second``, bytes by name and ``cost`` in US dollars, as far as known; it is
    of one machine on one day, and no part of what is verified. `command` makes the run again. `unfit` says where the
    judge of a judged run is known not to be admissible. `manifest_sha256` and `samples_root` stand for the stored run
    (see `proofs.manifest`); `trust` is how far a ledger says that it was checked, `withdrawn` why it was taken from it.
    """

    id: str
    name: str
    model: ModelSpec
    status: str
    is_partial: bool
    limit: float | None
    limit_mode: str
    num_chosen_rows: int
    seed: int
    system_instruction: str
    multiturn_shots: bool | None
    generation: Mapping[str, Scalar]
    truncation: str
    judged: JudgedSpec | None
    counts: Counts
    red_flags: tuple[RedFlag, ...]
    packages: Mapping[str, str]
    stacks: tuple[Mapping[str, Scalar], ...]
    measured: Mapping[str, float]
    started: str
    command: str
    command_note: str
    manifest_sha256: str
    samples_root: str
    unfit: tuple[Unfit, ...] = ()
    trust: Trust | None = None
    withdrawn: str = ""


class Row(Record, frozen=True, kw_only=True):
    """A model under one set of settings: its `runs`, by place, of which no two have a number in the same column.

    `sources` are by column the places of the runs whose numbers those are, None where the row has nothing. `num_scored`
    samples have a score, those that are answered and judged counting once.
    """

    runs: tuple[int, ...]
    sources: tuple[int | None, ...]
    num_scored: int
    worst_language: Extreme | None
    gap_to_english: Extreme | None


class Standing(Record, frozen=True, kw_only=True):
    """A row's mean over the ranked columns, and the ranks that the paired tests leave open, 1 being best.

    `is_band` says that no test sets it apart from the row with the best mean. `normalised` is the mean in which
    guessing scores 0 and all right 1.
    """

    row: int
    mean: Cell
    normalised: Cell | None
    rank_low: int
    rank_high: int
    is_band: bool


class Ranking(Record, frozen=True, kw_only=True):
    """Rows by their mean over `columns`, those all of them have; best first.

    Every two are compared on the items both have, `num_pairs` chances adjusted together (Holm 1979). `unranked` has the
    other rows' reasons, by the id of their first run.
    """

    columns: tuple[int, ...]
    standings: tuple[Standing, ...]
    num_pairs: int
    unranked: Mapping[str, str]


class Compared(Record, frozen=True, kw_only=True):
    """Two runs against each other, by place, and what `compare` finds but for the flipped samples."""

    baseline: int
    candidate: int
    comparison: Comparison


class LedgerHead(Record, frozen=True, kw_only=True):
    """The ledger that trust is taken from: its number of entries, and the hash of the last, which stands for all."""

    num_entries: int
    head: str


class Board(Record, frozen=True, kw_only=True):
    """A leaderboard. `cells` has a list a row; None where a row has nothing in a column.

    `redactions` is how many marks stand in the texts of its samples for what is not told (see `redacting`).
    """

    version: int
    title: str
    evalsuite: str
    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    ranking: Ranking | None
    families: tuple[Family, ...]
    tasks: tuple[Task, ...]
    comparisons: tuple[Compared, ...]
    preference: PreferenceSummary | None
    published: tuple[PublishedTable, ...]
    samples_kept: SamplesKept
    judgings: tuple[Judging, ...] = ()
    cards: tuple[BoardCard, ...] = ()
    ledger: LedgerHead | None = None
    redactions: int = 0
