"""The vocabulary: every value that passes between the parts of evalsuite.

One direction::

    RunSpec --> Task.samples --> next_requests --> Engine.run --> Task.score --> Metric --> RunResult
                Sample           Request           Response       Outcome       Estimate

Records are frozen msgspec structs, since they cross disk or wire; what holds functions (`Task`, `Family`, `Metric`) is
in `contracts`. Nothing here does I/O, and arrays stay out.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

SCHEMA_VERSION = 1
"""Version of everything stored; a reader refuses a newer one by name."""

Scalar: TypeAlias = str | int | float | bool
Role: TypeAlias = Literal["system", "user", "assistant"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the stored records: unknown fields are refused. Subclasses repeat what type checkers do not inherit."""


# -- what is asked ---------------------------------------------------------------------------------------------


class Message(Record, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: Role
    content: str


Prompt: TypeAlias = str | tuple[Message, ...]
"""Plain text as the model reads it, or messages that the engine renders with the model's chat template."""


class GenerateRequest(Record, frozen=True, kw_only=True, tag="generate"):
    """Text to be continued. `stop` strings are applied by evalsuite itself and cut from the text."""

    prompt: Prompt
    max_tokens: int
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    @property
    def key(self) -> str:
        """Hash of content and parameters."""
        return content_hash(self)


class LoglikelihoodRequest(Record, frozen=True, kw_only=True, tag="loglikelihood"):
    """A continuation whose log-likelihood after `context` is asked."""

    context: Prompt
    continuation: str

    @property
    def key(self) -> str:
        """Hash of content and parameters."""
        return content_hash(self)


class RollingRequest(Record, frozen=True, kw_only=True, tag="rolling"):
    """A text whose own log-likelihood is asked, window by window."""

    text: str

    @property
    def key(self) -> str:
        """Hash of content and parameters."""
        return content_hash(self)


Request: TypeAlias = GenerateRequest | LoglikelihoodRequest | RollingRequest


class Item(Record, frozen=True, kw_only=True):
    """One request of one sample in one wave: the unit that is planned, answered and journaled."""

    id: str
    sample_id: str
    wave: int
    request: Request


# -- what comes back -------------------------------------------------------------------------------------------


class Cause(enum.StrEnum):
    """Why something has no score. None of these is a fact about the model's quality."""

    NONFINITE_LOGITS = "nonfinite_logits"
    CONTEXT_TOO_LONG = "context_too_long"
    OUT_OF_MEMORY = "out_of_memory"
    MISSING_RESPONSE = "missing_response"
    ENGINE_ERROR = "engine_error"
    HTTP_ERROR = "http_error"
    TIMEOUT = "timeout"
    CONTENT_FILTER = "content_filter"
    JUDGE_UNPARSED = "judge_unparsed"
    TASK_ERROR = "task_error"


StopReason: TypeAlias = Literal["stop", "end", "length"]
"""`stop`: one of our stop strings; `end`: the model's own end token; `length`: the cap on tokens."""


class Completion(Record, frozen=True, kw_only=True, tag="completion"):
    """Generated text, already cut at the first stop string."""

    text: str
    stop_reason: StopReason
    num_prompt_tokens: int
    num_tokens: int
    logprobs_nats: tuple[float, ...] | None = None


class Loglikelihood(Record, frozen=True, kw_only=True, tag="loglikelihood"):
    """Log-likelihood of a continuation: the sum in nats, and what it may be divided by."""

    sum_nats: float
    num_tokens: int
    num_chars: int
    num_bytes: int
    is_greedy: bool


class Failure(Record, frozen=True, kw_only=True, tag="failure"):
    """The request could not be answered. A failure is never text and never a number."""

    cause: Cause
    detail: str = ""
    attempts: int = 1
    retry_causes: tuple[str, ...] = ()
    http_status: int | None = None


Response: TypeAlias = Completion | Loglikelihood | Failure
Replies: TypeAlias = tuple[tuple[Response, ...], ...]
"""Replies of one sample, wave by wave, each in the order of that wave's requests."""


# -- samples and their outcomes --------------------------------------------------------------------------------


class Shot(Record, frozen=True, kw_only=True):
    """A worked exemplar: what is asked and the answer to it."""

    input: str
    target: str


class Sample(Record, frozen=True, kw_only=True):
    """One dataset row.

    `id` is ``<task>:<split>:<row>``; `target` the reference text; `gold` the index of the right choice;
    `cluster` names what the row is correlated with (its source prompt, passage or document), by default itself.
    """

    id: str
    input: str
    language: str
    target: str = ""
    choices: tuple[str, ...] = ()
    gold: int | None = None
    turns: tuple[str, ...] = ()
    shots: tuple[Shot, ...] = ()
    category: str = ""
    cluster: str = ""
    metadata: Mapping[str, Scalar] = {}

    @property
    def cluster_id(self) -> str:
        """The cluster, or the sample's own id when it declares none."""
        return self.cluster or self.id


class Flag(enum.StrEnum):
    """A fact about an answer that is the model's doing; such an answer is scored all the same."""

    UNPARSED = "unparsed"
    CAPPED = "capped"
    EMPTY = "empty"
    REFUSED = "refused"
    WRONG_LANGUAGE = "wrong_language"


class Score(Record, frozen=True, kw_only=True):
    """The row's contribution to one metric: a vector that is summed over rows and then reduced."""

    name: str
    counts: tuple[float, ...]


class Scored(Record, frozen=True, kw_only=True, tag="scored"):
    """The sample has scores, one for each metric of its task that applies to it."""

    scores: tuple[Score, ...]
    answer: str = ""
    explanation: str = ""
    flags: tuple[Flag, ...] = ()


class Unscored(Record, frozen=True, kw_only=True, tag="unscored"):
    """The sample ended without a score, for a cause that is not the model's quality."""

    cause: Cause
    detail: str = ""


class Cancelled(Record, frozen=True, kw_only=True, tag="cancelled"):
    """The sample's request was under way when the run was stopped."""

    reason: str


class NotRun(Record, frozen=True, kw_only=True, tag="not_run"):
    """The sample was never asked: the run was stopped, a budget ended, or an earlier turn failed."""

    reason: str


Outcome: TypeAlias = Scored | Unscored | Cancelled | NotRun


# -- numbers ---------------------------------------------------------------------------------------------------


class Estimate(Record, frozen=True, kw_only=True):
    """One metric of one task, with all that is needed to read it.

    `stderr` and the interval are None where they cannot be known (fewer than two clusters).
    `n` + `num_not_judged` + `num_unscored` are all samples that ended: this metric had something to count in `n`, and
    nothing (an answer too short to tell its language) in `num_not_judged`.
    `best_case` and `worst_case` bound the value had every unscored sample been right or wrong.
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


class Aggregate(Record, frozen=True, kw_only=True):
    """A named mean of estimates, with the error that follows from its parts."""

    name: str
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
    members: tuple[str, ...]
    scale: float = 1.0
    higher_is_better: bool = True
    is_primary: bool = False


class Counts(Record, frozen=True, kw_only=True):
    """How every sample of a run ended."""

    requested: int
    scored: int
    unscored: int = 0
    cancelled: int = 0
    not_run: int = 0
    unscored_by_cause: Mapping[str, int] = {}


# -- runs ------------------------------------------------------------------------------------------------------


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

    `num_samples` of the `num_available` samples are asked; hashes cover their ids and first prompts.
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

    @property
    def is_partial(self) -> bool:
        """Whether the run takes fewer samples than the task has."""
        return self.num_samples < self.num_available


class ModelSpec(Record, frozen=True, kw_only=True):
    """What answers: the engine, the name asked for, and everything that can change an answer."""

    name: str
    engine: str
    identity: Mapping[str, Scalar]


class RunSpec(Record, frozen=True, kw_only=True):
    """All that is needed to repeat a run; `run_id` is its hash, so the same command resumes."""

    schema: int
    model: ModelSpec
    tasks: tuple[TaskSpec, ...]
    limit: float | None
    limit_mode: str
    rows: Mapping[str, tuple[int, ...]]
    seed: int
    system_instruction: str
    multiturn_shots: bool
    generation: Mapping[str, Scalar]

    @property
    def run_id(self) -> str:
        """Sixteen hexadecimal digits."""
        return content_hash(self)[:16]


RunStatus: TypeAlias = Literal["complete", "incomplete", "interrupted"]


class TaskSummary(Record, frozen=True, kw_only=True):
    """A task's row in a result: how its samples ended and what the model's answers were like."""

    task: str
    family: str
    language: str
    protocol: str
    counts: Counts
    flags: Mapping[str, int]
    num_prompt_tokens: int
    num_generated_tokens: int
    title: str = ""
    source: str = ""
    licence: str = ""
    language_provenance: str = ""


class RunResult(Record, frozen=True, kw_only=True):
    """A sealed run: a function of its spec, its journal and the scoring `packages`, without clock or machine.

    `stacks` are the devices and thread counts that answered.
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


class SampleRecord(Record, frozen=True, kw_only=True):
    """One row of `samples.parquet`: the sample, what was sent, what came back, how it was scored."""

    sample: Sample
    task: str
    family: str
    items: tuple[Item, ...]
    responses: tuple[Response, ...]
    outcome: Outcome


# -- bytes -----------------------------------------------------------------------------------------------------


def canonical_json(value: Any) -> str:
    """`value` as one line of JSON with sorted keys, ASCII-escaped; NaN and infinities raise ValueError.

    msgspec's own encoder is not used: it writes NaN as null and refuses lone surrogates.
    """
    return json.dumps(msgspec.to_builtins(value, str_keys=True), allow_nan=False, sort_keys=True, separators=(",", ":"))


def content_hash(value: Any) -> str:
    """sha256 of `value`'s canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()
