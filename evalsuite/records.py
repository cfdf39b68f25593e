"""What a run is and what it found: estimates with their uncertainty, and the specs and summaries stored with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from evalsuite.canonical import content_hash
from evalsuite.types import Item, Outcome, Record, Response, Sample, Scalar


class Estimate(Record, frozen=True, kw_only=True):
    """One metric of one task, with all that is needed to read it.

    `stderr` and the interval are None where they cannot be known (fewer than two clusters).
    `n` + `num_not_judged` + `num_unscored` are all samples that ended: this metric had something to count in `n`, and
    nothing (an answer too short to tell its language) in `num_not_judged`.
    `best_case` and `worst_case` bound the value had every unscored sample been right or wrong. `chance` is what
    guessing would score on these samples, where that is known; `alias` what the protocol itself calls the metric.
    `formula` names how the value follows from the samples' counts (see `metrics.reduce_of`), `bounds` the range it lies
    in, None for one without end; `least` is the lower end of a range that has only that one.
    """

    task: str
    family: str
    model: str
    language: str
    metric: str
    protocol: str
    signature: str
    value: float
    stderr: float | None
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    interval: str
    num_not_judged: int = 0
    num_unscored: int = 0
    unscored: Mapping[str, int] = {}
    best_case: float | None = None
    worst_case: float | None = None
    higher_is_better: bool = True
    scale: float = 1.0
    is_primary: bool = False
    chance: float | None = None
    alias: str = ""
    formula: str = ""
    bounds: tuple[float, float] | None = None
    least: float | None = None


AggregateKind: TypeAlias = Literal["macro", "micro", "suite"]


class Aggregate(Record, frozen=True, kw_only=True):
    """A named mean of estimates, with the error that follows from its parts.

    `macro` weighs tasks alike, `micro` weighs samples alike, `suite` is the mean of several families' headlines.
    `parts` are the names of what is averaged, `members` all tasks behind them; for a suite `family` is its average's
    name. `num_tasks` is larger than the number of members when a random sample took no row of some tasks, or some have
    no score.
    """

    name: str
    kind: AggregateKind
    family: str
    model: str
    metric: str
    protocol: str
    signature: str
    value: float
    stderr: float | None
    low: float | None
    high: float | None
    n: int
    num_clusters: int
    num_unscored: int
    parts: tuple[str, ...]
    members: tuple[str, ...]
    num_tasks: int
    interval: str
    best_case: float | None = None
    worst_case: float | None = None
    higher_is_better: bool = True
    scale: float = 1.0
    is_primary: bool = False
    chance: float | None = None


class Parity(Record, frozen=True, kw_only=True):
    """How far a task lies from its English counterpart (`reference`) on the `n` items that both have scores for.

    `gap` is the headline's value here less that in English; below zero, where higher is better, English is ahead.
    `same_answer` is the share of the `num_answered` items answered in both languages whose answers are the same choice
    or number, right or wrong; None where answers are texts.
    """

    task: str
    reference: str
    family: str
    model: str
    language: str
    metric: str
    protocol: str
    gap: float
    stderr: float | None
    low: float | None
    high: float | None
    interval: str
    n: int
    num_clusters: int
    num_answered: int = 0
    same_answer: float | None = None
    same_low: float | None = None
    same_high: float | None = None
    scale: float = 1.0
    higher_is_better: bool = True


class Counts(Record, frozen=True, kw_only=True):
    """How every sample of a run ended."""

    requested: int
    scored: int
    unscored: int = 0
    cancelled: int = 0
    not_run: int = 0
    unscored_by_cause: Mapping[str, int] = {}


# -- runs ------------------------------------------------------------------------------------------------------


TASK_FILE = "task-file"
"""The `DatasetPin.path` of rows that a task file holds (see `task_files`), wherever that lies."""

TASK_FILE_SUFFIX = ".task.json"
"""Ends the names of task files."""


IMPORTED = "imported"
"""In place of an engine's name, in the spec of a run that another tool made and `interop` read."""

IMPORT_FORMAT = "format"
"""In the identity of an imported run's model: the format that ``evalsuite import`` read it in."""


class DatasetPin(Record, frozen=True, kw_only=True):
    """The rows a task used: where from, at which revision, and what they hash to."""

    path: str
    config: str
    split: str
    revision: str
    fingerprint: str
    num_rows: int


class TaskSpec(Record, frozen=True, kw_only=True):
    """A task as it was asked: name, version, protocol, the settings that shape prompts, and its data.

    `num_samples` of the `num_available` samples are asked, each `repeats` times; hashes cover their ids and first
    prompts. `num_shortened` samples lost exemplars because their prompts did not fit (``--truncation drop_shots``).
    `seed` drew the exemplars, where the run's seed does that.
    """

    name: str
    family: str
    version: int
    protocol: str
    num_fewshot: int
    chat: bool
    datasets: tuple[DatasetPin, ...]
    sample_ids_hash: str
    prompts_hash: str
    num_samples: int
    num_available: int
    num_shortened: int = 0
    repeats: int = 1
    seed: int | None = None

    @property
    def is_partial(self) -> bool:
        """Whether the run takes fewer samples than the task has."""
        return self.num_samples < self.num_available


class ModelSpec(Record, frozen=True, kw_only=True):
    """What answers: the engine, the name asked for, and everything that can change an answer."""

    name: str
    engine: str
    identity: Mapping[str, Scalar]


class JudgedSpec(Record, frozen=True, kw_only=True):
    """Whose answers a judge run judges, and by which judge: one run, or two against each other."""

    judge: str
    version: int
    options: Mapping[str, Scalar]
    runs: tuple[str, ...]
    models: tuple[str, ...]
    answers_sha256: str


class RunSpec(Record, frozen=True, kw_only=True):
    """All that is needed to repeat a run; `run_id` is its hash, so the same command resumes.

    In a judge run `model` is the judge's, and `judged` whose answers it judges. `asked` are the families and tasks
    asked for, of which a limit may leave tasks without a sample.
    """

    schema: int
    model: ModelSpec
    asked: tuple[str, ...] = ()
    tasks: tuple[TaskSpec, ...]
    limit: float | None
    limit_mode: str
    rows: Mapping[str, tuple[int, ...]]
    seed: int
    system_instruction: str
    multiturn_shots: bool | None
    generation: Mapping[str, Scalar]
    truncation: str = ""
    judged: JudgedSpec | None = None

    @property
    def subject(self) -> str:
        """The model that the numbers are about: what answers, or in a judge run what is judged (first)."""
        return self.judged.models[0] if self.judged else self.model.name

    @property
    def run_id(self) -> str:
        """Sixteen hexadecimal digits."""
        return content_hash(self)[:16]


RunStatus: TypeAlias = Literal["complete", "incomplete", "interrupted"]


class TaskSummary(Record, frozen=True, kw_only=True):
    """A task's row in a result: how its samples ended and what the model's answers were like.

    `num_truncated` samples had a prompt of which the engine dropped the oldest tokens. With `show_in_report` False no
    page may show the task's texts.
    """

    task: str
    family: str
    language: str
    protocol: str
    counts: Counts
    flags: Mapping[str, int]
    num_prompt_tokens: int
    num_generated_tokens: int
    num_truncated: int = 0
    title: str = ""
    source: str = ""
    licence: str = ""
    language_provenance: str = ""
    show_in_report: bool = True


SERVER_VERSION = "system_fingerprint"
"""In a stack, the name that a server gave its own version of the model."""


class RunResult(Record, frozen=True, kw_only=True):
    """A sealed run: a function of its spec, its journal and the scoring `packages`, without clock or machine.

    `stacks` are the devices and thread counts that answered, and of servers the versions they named.
    """

    schema: int
    run_id: str
    spec: RunSpec
    status: RunStatus
    counts: Counts
    estimates: tuple[Estimate, ...]
    aggregates: tuple[Aggregate, ...]
    tasks: tuple[TaskSummary, ...]
    packages: Mapping[str, str]
    stacks: tuple[Mapping[str, Scalar], ...] = ()
    parities: tuple[Parity, ...] = ()


class SampleRecord(Record, frozen=True, kw_only=True):
    """One row of `samples.parquet`: the sample, what was sent, what came back, how it was scored."""

    sample: Sample
    task: str
    family: str
    items: tuple[Item, ...]
    responses: tuple[Response, ...]
    outcome: Outcome
