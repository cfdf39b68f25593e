"""The samples of a leaderboard as a page holds them: texts as far as they are kept, counts always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from evalsuite.types import Record, Scalar


class Reply(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What came back: a text, log-likelihoods of choices, one of a whole text, or a failure.

    Of choices `choices` are the texts as sent, `sums` their log-likelihoods in nats (None for a failure), `lengths` the
    characters and tokens of each.
    """

    prompt: int
    kind: Literal["generate", "choices", "rolling", "failure", "none"]
    text: str = ""
    stop_reason: str = ""
    settings: Mapping[str, Scalar] = {}
    stop: tuple[str, ...] = ()
    num_prompt_tokens: int = 0
    num_tokens: int = 0
    choices: tuple[str, ...] = ()
    sums: tuple[float | None, ...] = ()
    num_chars: tuple[int, ...] = ()
    choice_tokens: tuple[int, ...] = ()
    picked: int | None = None
    cause: str = ""
    detail: str = ""
    http_status: int | None = None


class Answer(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How one run did on one sample. `counts` are the vectors that enter each metric, by its name.

    Where replies are not kept, `tokens` are how many were generated in each. Of a judge's verdict `chars` are the
    characters of the answers that were judged, one number a run.
    """

    status: Literal["right", "wrong", "answered", "unscored", "cancelled", "not run"]
    flags: tuple[str, ...] = ()
    cause: str = ""
    detail: str = ""
    answer: str = ""
    explanation: str = ""
    counts: Mapping[str, tuple[float, ...]] = {}
    replies: tuple[Reply, ...] = ()
    tokens: tuple[int, ...] = ()
    chars: tuple[int, ...] = ()


class SampleFacts(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What runs share of a sample; texts are empty where they are not kept.

    Where runs have other items under one id (a judge's case of another model's answer, other data) these are samples of
    their own: the second is `variant` 2, and its `id` ends in ``~2``. One item that was put in other words is one
    sample, `input` being the words of the first run that has texts.
    """

    id: str
    language: str
    prompt_language: str = ""
    category: str = ""
    cluster: str = ""
    input: str = ""
    target: str = ""
    choices: tuple[str, ...] = ()
    gold: int | None = None
    metadata: Mapping[str, str] = {}
    variant: int = 0

    @property
    def sample_id(self) -> str:
        """The id that the runs have."""
        return self.id.removesuffix(f"~{self.variant}") if self.variant else self.id


class TaskSamples(Record, frozen=True, kw_only=True):
    """The samples of one task: facts once, prompts once, and of each run in `Board.runs` an answer a sample, or None.

    A prompt is a text, or pairs of role and text. `headline` is the metric of the first run that has one; each run's
    right and wrong go by its own. `orders` has the places of a run's samples in its own order, where that is not the
    order here. `asked` has a hash of what each of a run's samples was first asked, where runs took different samples.
    """

    task: str
    headline: str
    prompts: tuple[str | tuple[tuple[str, str], ...], ...]
    samples: tuple[SampleFacts, ...]
    runs: tuple[int, ...]
    answers: tuple[tuple[Answer | None, ...], ...]
    orders: Mapping[int, tuple[int, ...]] = {}
    asked: Mapping[int, tuple[str, ...]] = {}
