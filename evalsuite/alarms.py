"""What makes a result's numbers doubtful though each was scored: ties, cut prompts, a server that changed. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence

from evalsuite.records import SERVER_VERSION, RunResult, TaskSummary
from evalsuite.types import Flag, Record

MAX_TIED = 0.05
"""The share of samples whose best choices may be tied before the order of the choices decides too much."""

MAX_UNPARSED = 0.5
"""The share of answers that may be unreadable before that is what the score is about."""


class Doubt(enum.StrEnum):
    """A reason not to take a number at its word.."""

    TIED = "tied"
    UNPARSED = "unparsed"
    TRUNCATED = "truncated"
    SHORTENED = "shortened"
    SERVER_CHANGED = "server_changed"
    REMOTE_CODE = "remote_code"
    NO_MODEL = "no_model"
    INCOMPLETE = "incomplete"
    INTERRUPTED = "interrupted"
    UNSCORED = "unscored"
    CAPPED = "capped"
    PARTIAL = "partial"
    SAMPLED = "sampled"
    NO_VERSION = "no_version"
    STACK_CHANGED = "stack_changed"
    JUDGE_UNFIT = "judge_unfit"


class RedFlag(Record, frozen=True, kw_only=True):
    """A doubt with its cause in words; `family` is empty where it is about the whole run, `count` is out of `total`."""

    kind: Doubt
    text: str
    family: str = ""
    count: int | None = None
    total: int | None = None


def alarms(result: RunResult) -> dict[str, tuple[str, ...]]:
    """Sentences by family of tasks; families with nothing to say are left out."""
    found = tuple(doubts(result))
    families = dict.fromkeys(task.family for task in result.tasks)
    of_run = [flag.text for flag in found if not flag.family]
    by_family = {family: (*(flag.text for flag in found if flag.family == family), *of_run) for family in families}
    return {family: sentences for family, sentences in by_family.items() if sentences}


def doubts(result: RunResult) -> Iterator[RedFlag]:
    """What a result alone says against its numbers: by family, then of the whole run."""
    families: dict[str, list[TaskSummary]] = {}
    for task in result.tasks:
        families.setdefault(task.family, []).append(task)
    shortened = {task.name: task.num_shortened for task in result.spec.tasks}
    for family, tasks in families.items():
        yield from _of_family(family, tasks, sum(shortened[task.task] for task in tasks))
    yield from _of_run(result)


def _of_run(result: RunResult) -> Iterator[RedFlag]:
    versions = sorted({str(stack[SERVER_VERSION]) for stack in result.stacks if SERVER_VERSION in stack})
    if len(versions) > 1:
        text = f"answers of {len(versions)} versions of the server ({SERVER_VERSION}): {', '.join(versions)}"
        yield RedFlag(kind=Doubt.SERVER_CHANGED, text=text, count=len(versions))


def _of_family(family: str, tasks: Sequence[TaskSummary], dropped: int) -> Iterator[RedFlag]:
    scored = sum(task.counts.scored for task in tasks)
    asked = sum(task.counts.requested for task in tasks)
    tied = sum(task.flags.get(Flag.TIED, 0) for task in tasks)
    unparsed = sum(task.flags.get(Flag.UNPARSED, 0) for task in tasks)
    truncated = sum(task.num_truncated for task in tasks)
    if scored and tied / scored > MAX_TIED:
        text = f"ties on {tied} of {scored} samples: where the best choices tie, the first is taken"
        yield RedFlag(kind=Doubt.TIED, text=text, family=family, count=tied, total=scored)
    if scored and unparsed / scored > MAX_UNPARSED:
        text = f"{unparsed} of {scored} answers unparsed: nothing in them could be read as an answer"
        yield RedFlag(kind=Doubt.UNPARSED, text=text, family=family, count=unparsed, total=scored)
    if truncated:
        text = f"{truncated} of {asked} samples with a truncated prompt: longer than the context in use"
        yield RedFlag(kind=Doubt.TRUNCATED, text=text, family=family, count=truncated, total=asked)
    if dropped:
        text = f"{dropped} of {asked} samples with fewer exemplars: their prompts were longer than the context in use"
        yield RedFlag(kind=Doubt.SHORTENED, text=text, family=family, count=dropped, total=asked)
