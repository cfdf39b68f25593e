"""What a leaderboard holds, as one record: numbers unrounded, texts untouched, references by place.

A page rounds and words it, an export tabulates it, `verify` makes it again. Places are indices: of rows, columns
and runs in what `Board` calls so. The same runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from evalsuite.alarms import RedFlag
from evalsuite.comparing.comparison import Comparison
from evalsuite.judge_cards import CardMeasure
from evalsuite.preference.prediction_powered import Admission
from evalsuite.preference.summary import PreferenceSummary
from evalsuite.proofs.trust import Trust
from evalsuite.records import Counts, JudgedSpec, ModelSpec, TaskSpec
from evalsuite.types import Record, Scalar

BOARD_VERSION = 1
"""Version of the stored record; a reader refuses another."""

SamplesKept = Literal["all", "failures", "none"]
"""Whose texts a page holds: every sample's, those that are not right, or nobody's. Counts are always there."""


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


class Unfit(Record, frozen=True, kw_only=True):
    """A language in which a run's judge is not admissible, by its judge card or by how it agrees with people."""

    language: str
    source: Literal["card", "people"]


class Run(Record, frozen=True, kw_only=True):
    """Who answered, how far the run came, and what a clock said of it.

    `measured` has ``seconds``, ``tokens_per_second``, bytes by name and ``cost`` in US dollars, as far as known; it is
    of one machine on one day, and no part of what is verified. `command` makes the run again. `unfit` says where the
    judge of a judged run is known not to be admissible. `manifest_sha256` and `samples_root` stand for the stored run
    (see `proofs.manifest`); `trust` is how far a ledger says that it was checked.
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


class Table(Record, frozen=True, kw_only=True):
    """One metric of one family under one set of rules: runs down, tasks or languages across.

    `rows` are places of runs; `cells` one list a row. `signature` is what all columns' signatures share.
    """

    metric: str
    alias: str
    is_primary: bool
    kind: Literal["tasks", "means"]
    protocol: str
    shots: str
    seed: str
    version: str
    signature: str
    columns: tuple[Column, ...]
    rows: tuple[int, ...]
    cells: tuple[tuple[Cell | None, ...], ...]


class Gap(Record, frozen=True, kw_only=True):
    """How far a language lies from English on the items both have, and how often the answers are the same."""

    run: int
    language: str
    data: str
    value: float
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    same: float | None
    same_low: float | None
    same_high: float | None
    num_answered: int


class GapTable(Record, frozen=True, kw_only=True):
    """The gaps of one family's headline under one set of rules."""

    metric: str
    protocol: str
    rules: str
    scale: float
    higher_is_better: bool
    gaps: tuple[Gap, ...]


class Family(Record, frozen=True, kw_only=True):
    """Everything that is measured of one family; its means first. `tasks` are places in `Board.tasks`."""

    name: str
    title: str
    is_judged: bool
    tables: tuple[Table, ...]
    gaps: tuple[GapTable, ...]
    tasks: tuple[int, ...]


class Rate(Record, frozen=True, kw_only=True, array_like=True):
    """`count` of `n`, with Wilson's 95 % interval."""

    count: int
    n: int
    low: float | None
    high: float | None


class CategoryCell(Record, frozen=True, kw_only=True):
    """One category's headline in one run; `column` is the id of that headline's column among the task's metrics."""

    category: str
    column: str
    run: int
    cell: Cell


class TaskRun(Record, frozen=True, kw_only=True):
    """How one task went in one run: how its samples ended, how often each flag was raised, what it took.

    `flags` has those that were raised; `unraised` is the rate of each that was not: none of the scored samples.
    """

    run: int
    spec: TaskSpec
    counts: Counts
    flags: Mapping[str, Rate]
    unraised: Rate
    unscored: Rate | None
    num_prompt_tokens: int
    num_generated_tokens: int
    num_truncated: int
    lengths: tuple[int, ...] = ()


class Task(Record, frozen=True, kw_only=True):
    """A task, its metrics' columns, and every run of it.

    `lengths` of its runs are how many answers had fewer than 1, 2, 4, 8 … generated tokens, each beyond the one before.
    """

    name: str
    family: str
    title: str
    language: str
    provenance: str
    source: str
    licence: str
    is_shown: bool
    metrics: tuple[Column, ...]
    runs: tuple[TaskRun, ...]
    categories: tuple[CategoryCell, ...]


class JudgedRun(Record, frozen=True, kw_only=True):
    """How the judging of one run went: cases whose reply holds no verdict, of those asked about.

    `num_missing` cases could not be asked about, for want of an answer or of a reply.
    """

    run: int
    unparsed: Rate
    num_missing: int


class SelfPreference(Record, frozen=True, kw_only=True):
    """By how much more a judge gives the answers of its own name, in `run`, than `other_judge` gives the same ones.

    Of ratings less what it gives the answers of `others` more, so that a generous judge is not taken for a vain one;
    of preferences against the only other. `value` is in the judge's units, over `n` cases that both have judged.
    """

    run: int
    other_judge: str
    others: tuple[str, ...]
    value: float
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    scale: float


class Judging(Record, frozen=True, kw_only=True):
    """One judge's work on one task: the runs that may stand in one table.

    `model` is who judges, `setup` a hash of what that is, `rival` the other run's model where two are compared. `card`
    is the place in `Board.cards` of the judge's card in the task's language, `people` what its agreement with people
    says there. `length_slope` is what of the judge's scale goes with double the answer's length, runs and questions
    alike: longer answers may also be better, so that it is no bias by itself.
    """

    task: int
    protocol: str
    version: str
    data: str
    judge: str
    model: str
    setup: str
    rival: str
    runs: tuple[JudgedRun, ...]
    card: int | None
    people: Admission | None
    length_slope: Cell | None
    self_preferences: tuple[SelfPreference, ...]


class BoardCard(Record, frozen=True, kw_only=True):
    """A judge card: whether `model` is admissible under `judge` in `language`, and every figure with its limit."""

    judge: str
    protocol: str
    model: str
    language: str
    num_cases: int
    is_admissible: bool
    measures: tuple[CardMeasure, ...]


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
