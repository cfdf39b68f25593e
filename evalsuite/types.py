"""The vocabulary: every value that passes between the parts of evalsuite.

One direction::

    RunSpec --> Task.samples --> next_requests --> Engine.run --> Task.score --> Metric --> RunResult
                Sample           Request           Response       Outcome       Estimate

Records are frozen msgspec structs, since they cross disk or wire; what holds functions (`Task`, `Family`, `Metric`) is
in `contracts`. Nothing here does I/O, and arrays stay out.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from evalsuite.canonical import content_hash

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


class Encoding(Record, frozen=True, kw_only=True):
    """How text becomes tokens, where protocols differ; only engines that hold a tokenizer can follow it.

    `bos`: `tokenizer`: the special tokens the tokenizer itself puts before plain text, and none before a rendered
    conversation; `unless-present`: those before either, unless the text begins with them; or none.
    `split`: where a token spans the end of the context, `shared` scores that whole token with the continuation, and
    `lm-eval` feeds the context's own tokens and then what the joint encoding has after as many (lm-eval's
    ``_encode_pair``), which leaves the part inside that token unscored.
    `overflow`: what happens to a prompt longer than the model's context. `error`: it is not answered; `left`: its
    oldest tokens are dropped; `left-and-answer`: as many tokens of the answer's beginning are lost too, the defect of
    the leaderboard's harness that its published numbers hold.
    """

    bos: Literal["tokenizer", "unless-present", "none"] = "tokenizer"
    split: Literal["shared", "lm-eval"] = "shared"
    overflow: Literal["error", "left", "left-and-answer"] = "error"


class GenerateRequest(Record, frozen=True, kw_only=True, tag="generate"):
    """Text to be continued. `stop` strings are applied by evalsuite itself and cut from the text.

    `num_alternatives` of the likeliest tokens are wanted at every place, with their log-probabilities, of engines that
    can give them. `max_tokens` is 0 in what another tool asked, where its file does not say it.
    """

    prompt: Prompt
    max_tokens: int
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    num_alternatives: int = 0
    encoding: Encoding = Encoding()

    @property
    def key(self) -> str:
        """Hash of content and parameters."""
        return content_hash(self)


class LoglikelihoodRequest(Record, frozen=True, kw_only=True, tag="loglikelihood"):
    """A continuation whose log-likelihood after `context` is asked."""

    context: Prompt
    continuation: str
    encoding: Encoding = Encoding()

    @property
    def key(self) -> str:
        """Hash of content and parameters."""
        return content_hash(self)


class RollingRequest(Record, frozen=True, kw_only=True, tag="rolling"):
    """A text whose own log-likelihood is asked."""

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
    """Why something has no score. None of these is a fact about the model's quality.

    A transient one may be gone when asked again; the others come back.
    """

    NONFINITE_LOGITS = "nonfinite_logits"
    CONSTANT_LOGITS = "constant_logits"
    CONTEXT_TOO_LONG = "context_too_long"
    OUT_OF_MEMORY = "out_of_memory"
    MISSING_RESPONSE = "missing_response"
    ENGINE_ERROR = "engine_error"
    OUTPUT_TOO_LARGE = "output_too_large"
    REJECTED = "rejected"
    HTTP_ERROR = "http_error"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    BAD_RESPONSE = "bad_response"
    CONNECTION_FAILED = "connection_failed"
    TIMEOUT = "timeout"
    CONTENT_FILTER = "content_filter"
    JUDGE_UNPARSED = "judge_unparsed"
    TASK_ERROR = "task_error"

    @property
    def is_transient(self) -> bool:
        """Whether asking again later may succeed; such a failure is asked again when its run is resumed."""
        return self in _TRANSIENT


_TRANSIENT = {
    Cause.HTTP_ERROR,
    Cause.SERVER_ERROR,
    Cause.RATE_LIMITED,
    Cause.BAD_RESPONSE,
    Cause.CONNECTION_FAILED,
    Cause.TIMEOUT,
}


StopReason: TypeAlias = Literal["stop", "end", "length", "refusal", "unknown"]
"""`stop`: our stop string; `end`: the model's own end token; `length`: the cap on tokens; `refusal`: declined;
`unknown`: another tool's file does not say.
"""


class Completion(Record, frozen=True, kw_only=True, tag="completion"):
    """Generated text, already cut at the first stop string; `num_truncated` tokens of the prompt were dropped.

    Both counts of tokens are 0 where another tool's file does not say them.
    Where log-probabilities are given, `tokens` are the generated ones as text, `logprobs_nats` theirs, and
    `alternatives` the likeliest at each place with their log-probabilities in nats, the likeliest first.
    """

    text: str
    stop_reason: StopReason
    num_prompt_tokens: int
    num_tokens: int
    num_truncated: int = 0
    logprobs_nats: tuple[float, ...] | None = None
    tokens: tuple[str, ...] = ()
    alternatives: tuple[tuple[tuple[str, float], ...], ...] = ()


class Loglikelihood(Record, frozen=True, kw_only=True, tag="loglikelihood"):
    """Log-likelihood of a continuation: the sum in nats, and what it may be divided by.

    `num_truncated` tokens of the context were dropped. `num_tokens` is 0 where another tool's file does not say it.
    """

    sum_nats: float
    num_tokens: int
    num_chars: int
    num_bytes: int
    is_greedy: bool
    num_truncated: int = 0


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


class Spent(Record, frozen=True, kw_only=True):
    """What answering took of a budget: requests sent, tokens and money they cost, seconds of a clock."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            requests=self.requests + other.requests,
            tokens=self.tokens + other.tokens,
            cost=self.cost + other.cost,
            seconds=self.seconds + other.seconds,
        )

    def __sub__(self, other: Spent) -> Spent:
        return Spent(
            requests=self.requests - other.requests,
            tokens=self.tokens - other.tokens,
            cost=self.cost - other.cost,
            seconds=self.seconds - other.seconds,
        )


# -- samples and their outcomes --------------------------------------------------------------------------------


class Shot(Record, frozen=True, kw_only=True):
    """A worked exemplar: what is asked and the answer to it."""

    input: str
    target: str


class Sample(Record, frozen=True, kw_only=True):
    """One dataset row.

    `id` is ``<task>:<split>:<row>``; `target` the reference text; `gold` the index of the right choice;
    `cluster` names what the row is correlated with (its source prompt, passage or document), by default itself.
    Where a row is asked several times, the ids of all but the first end in ``+1``, ``+2`` and so on.
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
    def row(self) -> int:
        """The dataset row's number, from 0, as the id names it; -1 when it names none."""
        number = self.id.rpartition(":")[2].partition("+")[0]
        return int(number) if number.isdecimal() else -1

    @property
    def cluster_id(self) -> str:
        """The cluster, or the sample's own id when it declares none."""
        return self.cluster or self.id

    @property
    def references(self) -> tuple[str, ...]:
        """The target, and further references that the metadata holds under keys that begin with `REFERENCE`."""
        more = (str(text) for key, text in sorted(self.metadata.items()) if key.startswith(REFERENCE))
        return (self.target, *more)


REFERENCE = "reference_"
"""Begins the keys of a sample's metadata that hold further references; the first is its target."""

ITEM = "item"
"""Key of a sample's metadata that names the item it is, the same in every language of its family."""


class Flag(enum.StrEnum):
    """A fact about an answer that is the model's doing; such an answer is scored all the same."""

    UNPARSED = "unparsed"
    CAPPED = "capped"
    EMPTY = "empty"
    REFUSED = "refused"
    WRONG_LANGUAGE = "wrong_language"
    CODE_SWITCHED = "code_switched"
    COPIED = "copied"
    REPETITIVE = "repetitive"
    TIED = "tied"


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
    """The sample ended without a score, for a cause that is not the model's quality.

    `scores` are what a published rule counts for it all the same (AlignBench's -1 for a judge that says nothing), in a
    metric named for that rule.
    """

    cause: Cause
    detail: str = ""
    scores: tuple[Score, ...] = ()


class Cancelled(Record, frozen=True, kw_only=True, tag="cancelled"):
    """The sample's request was under way when the run was stopped."""

    reason: str


class NotRun(Record, frozen=True, kw_only=True, tag="not_run"):
    """The sample was never asked: the run was stopped, a budget ended, or an earlier turn failed."""

    reason: str


Outcome: TypeAlias = Scored | Unscored | Cancelled | NotRun
