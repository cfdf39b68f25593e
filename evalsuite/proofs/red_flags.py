"""What a reader of a leaderboard must know of a run before its numbers: typed, each with its cause in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from evalsuite.alarms import Doubt, RedFlag, doubts
from evalsuite.canonical import canonical_json
from evalsuite.judge_cards import CardVerdict, is_about
from evalsuite.records import SERVER_VERSION, JudgedSpec, RunResult, SampleRecord, TaskSummary
from evalsuite.types import Flag, GenerateRequest, Scalar

MAX_UNSCORED = 0.01
"""The share of samples that may end without a score before what failed may decide."""

MAX_CAPPED = 0.05
"""The share of answers that may end at their cap before the cap may decide."""

_NO_MODEL = {
    "recorded": "its answers were read from a file; nothing shows what gave them",
    "scripted": "a Python function answered, not a model",
}


def red_flags(
    result: RunResult, records: Iterable[SampleRecord], cards: Sequence[CardVerdict] = ()
) -> tuple[RedFlag, ...]:
    """All that speaks against taking the numbers of a run at their word; of a judge run also what its card says."""
    return (
        *_of_model(result),
        *_of_answers(records),
        *_of_ending(result),
        *_of_families(result.tasks),
        *doubts(result),
        *(_of_judge(result, result.spec.judged, cards) if result.spec.judged else ()),
    )


def _of_model(result: RunResult) -> Iterator[RedFlag]:
    model = result.spec.model
    if any("trust_remote_code" in key and value not in (False, "", "false") for key, value in model.identity.items()):
        text = "code that came with the weights was run (trust_remote_code)"
        yield RedFlag(kind=Doubt.REMOTE_CODE, text=text)
    if model.engine in _NO_MODEL:
        yield RedFlag(kind=Doubt.NO_MODEL, text=_NO_MODEL[model.engine])
    named = any(SERVER_VERSION in stack for stack in result.stacks) or model.identity.get("revision")
    if "base_url" in model.identity and not named:
        text = "a server answered that names no version of its model, which may change under its name"
        yield RedFlag(kind=Doubt.NO_VERSION, text=text)
    stacks = {canonical_json(_without_version(stack)) for stack in result.stacks}
    if len(stacks) > 1:
        text = f"{len(stacks)} stacks answered, which may differ in the last bits: {', '.join(sorted(stacks))}"
        yield RedFlag(kind=Doubt.STACK_CHANGED, text=text, count=len(stacks))


def _without_version(stack: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {key: value for key, value in stack.items() if key != SERVER_VERSION}


def _of_answers(records: Iterable[SampleRecord]) -> Iterator[RedFlag]:
    temperatures = [
        item.request.temperature if isinstance(item.request, GenerateRequest) else 0.0
        for record in records
        for item in record.items
    ]
    sampled = [temperature for temperature in temperatures if temperature]
    if sampled:
        text = (
            f"{len(sampled)} of {len(temperatures)} answers were sampled, at temperatures up to {max(sampled):g}: "
            "another seed gives others"
        )
        yield RedFlag(kind=Doubt.SAMPLED, text=text, count=len(sampled), total=len(temperatures))


def _of_ending(result: RunResult) -> Iterator[RedFlag]:
    counts = result.counts
    if result.status != "complete":
        causes = ", ".join(f"{cause} {number}" for cause, number in counts.unscored_by_cause.items())
        text = f"{counts.requested - counts.scored} of {counts.requested} samples have no score ({causes or 'not run'})"
        yield RedFlag(kind=Doubt.INCOMPLETE, text=text, count=counts.requested - counts.scored, total=counts.requested)
    if counts.unscored > MAX_UNSCORED * counts.requested:
        share = counts.unscored / counts.requested
        text = f"{share:.1%} of the samples failed, more than {MAX_UNSCORED:.0%}: what failed may decide"
        yield RedFlag(kind=Doubt.UNSCORED, text=text, count=counts.unscored, total=counts.requested)
    stopped = counts.not_run + counts.cancelled
    if stopped or result.status == "interrupted":
        text = f"{stopped} of {counts.requested} samples were never answered: the run was interrupted"
        yield RedFlag(kind=Doubt.INTERRUPTED, text=text, count=stopped, total=counts.requested)
    partial = [task for task in result.spec.tasks if task.is_partial]
    if partial:
        taken, there = (sum(getattr(task, name) for task in partial) for name in ("num_samples", "num_available"))
        text = f"a partial run: {taken} of {there} samples of {len(partial)} of {len(result.spec.tasks)} tasks"
        yield RedFlag(kind=Doubt.PARTIAL, text=text, count=taken, total=there)


def _of_families(tasks: Sequence[TaskSummary]) -> Iterator[RedFlag]:
    for family in dict.fromkeys(task.family for task in tasks):
        own = [task for task in tasks if task.family == family]
        capped = sum(task.flags.get(Flag.CAPPED, 0) for task in own)
        scored = sum(task.counts.scored for task in own)
        if scored and capped / scored > MAX_CAPPED:
            text = f"{capped} of {scored} answers ended at the cap on their length"
            yield RedFlag(kind=Doubt.CAPPED, text=text, family=family, count=capped, total=scored)


def _of_judge(result: RunResult, judged: JudgedSpec, cards: Sequence[CardVerdict]) -> Iterator[RedFlag]:
    """A flag for each language in which the judge has no card, or one that says it is not admissible."""
    model = result.spec.model.name
    rival = judged.models[1] if len(judged.models) > 1 else ""
    for language in dict.fromkeys(task.language for task in result.tasks):
        rules = {task.protocol for task in result.tasks if task.language == language}
        own = [card for card in cards if (card.judge, card.model, card.language) == (judged.judge, model, language)]
        fitting = [card for card in own if all(is_about(card, rule, rival) for rule in rules)]
        who = f"judge {judged.judge} by {model} in {language}"
        if not fitting:
            yield RedFlag(kind=Doubt.JUDGE_UNFIT, text=f"{who} has no card that shows how far it can be trusted")
        for card in fitting[-1:]:
            if not card.is_admissible:
                faults = "; ".join(card.faults)
                yield RedFlag(kind=Doubt.JUDGE_UNFIT, text=f"{who} is not admissible: {faults}")
