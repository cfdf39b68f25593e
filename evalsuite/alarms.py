"""What makes a result's numbers doubtful though each was scored: ties, cut prompts, a server that changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.records import SERVER_VERSION, RunResult, TaskSummary
from evalsuite.types import Flag

MAX_TIED = 0.05
"""The share of samples whose best choices may be tied before the order of the choices decides too much."""

MAX_UNPARSED = 0.5
"""The share of answers that may be unreadable before that is what the score is about."""


def alarms(result: RunResult) -> dict[str, tuple[str, ...]]:
    """Sentences by family of tasks; families with nothing to say are left out."""
    families: dict[str, list[TaskSummary]] = {}
    for task in result.tasks:
        families.setdefault(task.family, []).append(task)
    shortened = {task.name: task.num_shortened for task in result.spec.tasks}
    of_run = tuple(_of_run(result))
    found = {family: (*_of_family(tasks, shortened), *of_run) for family, tasks in families.items()}
    return {family: sentences for family, sentences in found.items() if sentences}


def _of_run(result: RunResult) -> Iterator[str]:
    versions = sorted({str(stack[SERVER_VERSION]) for stack in result.stacks if SERVER_VERSION in stack})
    if len(versions) > 1:
        yield f"answers of {len(versions)} versions of the server ({SERVER_VERSION}): {', '.join(versions)}"


def _of_family(tasks: Sequence[TaskSummary], shortened: dict[str, int]) -> Iterator[str]:
    scored = sum(task.counts.scored for task in tasks)
    asked = sum(task.counts.requested for task in tasks)
    tied = sum(task.flags.get(Flag.TIED, 0) for task in tasks)
    truncated = sum(task.num_truncated for task in tasks)
    dropped = sum(shortened[task.task] for task in tasks)
    if scored and tied / scored > MAX_TIED:
        yield f"ties on {tied} of {scored} samples: where the best choices tie, the first is taken"
    unparsed = sum(task.flags.get(Flag.UNPARSED, 0) for task in tasks)
    if scored and unparsed / scored > MAX_UNPARSED:
        yield f"{unparsed} of {scored} answers unparsed: nothing in them could be read as an answer"
    if truncated:
        yield f"{truncated} of {asked} samples with a truncated prompt: longer than the context in use"
    if dropped:
        yield f"{dropped} of {asked} samples with fewer exemplars: their prompts were longer than the context in use"
