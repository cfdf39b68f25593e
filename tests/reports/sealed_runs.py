"""Sealed runs built from records, for pages: no engine, no data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.canonical import content_hash
from evalsuite.records import (
    Aggregate,
    Counts,
    DatasetPin,
    Estimate,
    ModelSpec,
    RunResult,
    RunSpec,
    SampleRecord,
    TaskSpec,
    TaskSummary,
)
from evalsuite.store.results import write_results, write_samples
from evalsuite.types import (
    SCHEMA_VERSION,
    Cause,
    Completion,
    Failure,
    Flag,
    GenerateRequest,
    Item,
    Loglikelihood,
    LoglikelihoodRequest,
    Sample,
    Scalar,
    Score,
    Scored,
    Unscored,
)


@dataclass(frozen=True)
class Part:
    """One estimate in few words. `case` is worst and best case."""

    task: str
    family: str
    language: str
    metric: str = "acc"
    protocol: str = "p1"
    signature: str = "v1"
    value: float = 0.5
    interval: tuple[float, float] | None = (0.25, 0.75)
    n: int = 20
    num_unscored: int = 0
    case: tuple[float, float] | None = None
    is_primary: bool = True
    scale: float = 100.0


def estimate(part: Part, model: str) -> Estimate:
    low, high = part.interval or (None, None)
    worst, best = part.case or (None, None)
    return Estimate(
        task=part.task, family=part.family, model=model, language=part.language, metric=part.metric,
        protocol=part.protocol, signature=part.signature, value=part.value, stderr=None, low=low, high=high, n=part.n,
        num_clusters=part.n, interval="wilson", num_unscored=part.num_unscored,
        unscored={"timeout": part.num_unscored} if part.num_unscored else {}, best_case=best, worst_case=worst,
        scale=part.scale, is_primary=part.is_primary,
    )  # fmt: skip


def mean_of(parts: Sequence[Part], model: str) -> Aggregate:
    first = parts[0]
    return Aggregate(
        name=f"{first.family} macro {first.metric}", kind="macro", num_tasks=len(parts),
        parts=tuple(part.task for part in parts),
        interval="wilson", family=first.family, model=model, metric=first.metric,
        protocol=first.protocol, signature=first.signature, value=sum(part.value for part in parts) / len(parts),
        stderr=None, low=0.3, high=0.7, n=sum(part.n for part in parts), num_clusters=first.n,
        num_unscored=sum(part.num_unscored for part in parts), **_mean_case(parts),
        members=tuple(part.task for part in parts),
        scale=first.scale, is_primary=first.is_primary,
    )  # fmt: skip


def _mean_case(parts: Sequence[Part]) -> dict[str, float | None]:
    """Worst and best case of the parts' mean; a part without unscored samples is its own."""
    cases = [part.case if part.num_unscored else (part.value, part.value) for part in parts]
    known = [case for case in cases if case is not None]
    if not any(part.num_unscored for part in parts) or len(known) < len(parts):
        return {"worst_case": None, "best_case": None}
    worst, best = (sum(side) / len(known) for side in zip(*known, strict=True))
    return {"worst_case": worst, "best_case": best}


def task_spec(
    part: Part, num_fewshot: int, fingerprint: str, num_left_out: int, records: Sequence[SampleRecord]
) -> TaskSpec:
    pin = DatasetPin(path="org/data", config="c", split="test", revision="r" * 40, fingerprint=fingerprint, num_rows=50)
    return TaskSpec(
        name=part.task, family=part.family, version=1, protocol=part.protocol, num_fewshot=num_fewshot, chat=False,
        datasets=(pin,),
        sample_ids_hash=content_hash([one.sample.id for one in records if one.task == part.task]),
        prompts_hash="0" * 64, num_samples=part.n + part.num_unscored,
        num_available=part.n + part.num_unscored + num_left_out,
    )  # fmt: skip


def summary(part: Part, flags: Mapping[str, int]) -> TaskSummary:
    counts = Counts(
        requested=part.n + part.num_unscored, scored=part.n, unscored=part.num_unscored,
        unscored_by_cause={"timeout": part.num_unscored} if part.num_unscored else {},
    )  # fmt: skip
    return TaskSummary(
        task=part.task, family=part.family, language=part.language, protocol=part.protocol, counts=counts,
        flags={name: min(count, part.n) for name, count in flags.items()}, num_prompt_tokens=0,
        num_generated_tokens=0, title=f"Title of {part.task}", source="A source", licence="CC0",
    )  # fmt: skip


def write_run(
    folder: Path,
    model: str,
    parts: Sequence[Part],
    records: Sequence[SampleRecord] = (),
    *,
    means: Sequence[Sequence[Part]] = (),
    limit: float | None = None,
    num_fewshot: int = 0,
    fingerprint: str = "f" * 64,
    flags: Mapping[str, int] | None = None,
    identity: Mapping[str, Scalar] | None = None,
) -> Path:
    """A sealed run of `parts` in a folder of its own below `folder`. Parts without samples have no estimate."""
    tasks = {part.task: part for part in parts}
    spec = RunSpec(
        schema=SCHEMA_VERSION, model=ModelSpec(name=model, engine="scripted", identity=identity or {"function": "m:f"}),
        tasks=tuple(task_spec(part, num_fewshot, fingerprint, 30 if limit else 0, records) for part in tasks.values()),
        limit=limit,
        limit_mode="stratified", rows={}, seed=1234, system_instruction="", multiturn_shots=False, generation={},
    )  # fmt: skip
    summaries = tuple(summary(part, flags or {}) for part in tasks.values())
    unscored = sum(entry.counts.unscored for entry in summaries)
    scored = sum(entry.counts.scored for entry in summaries)
    result = RunResult(
        schema=SCHEMA_VERSION, run_id=spec.run_id, spec=spec, status="incomplete" if unscored else "complete",
        counts=Counts(requested=scored + unscored, scored=scored, unscored=unscored,
                      unscored_by_cause={"timeout": unscored} if unscored else {}),
        estimates=tuple(estimate(part, model) for part in parts if part.n),
        aggregates=tuple(mean_of(members, model) for members in means), tasks=summaries,
        packages={"evalsuite": "0.1.0"},
    )  # fmt: skip
    path = folder / spec.run_id
    path.mkdir(parents=True)
    write_results(path, result)
    write_samples(path, records)
    return path


def choice_record(
    sample_id: str, language: str, question: str, choices: Sequence[str], *, gold: int = 0, picked: int = 0
) -> SampleRecord:
    """A sample scored by log-likelihoods, `picked` having the highest."""
    sample = Sample(
        id=sample_id, input=question, language=language, target=choices[gold], choices=tuple(choices), gold=gold
    )
    requests = [LoglikelihoodRequest(context=question, continuation=" " + choice) for choice in choices]
    responses = [
        Loglikelihood(sum_nats=-1.0 if index == picked else -9.5, num_tokens=2, num_chars=len(choice) + 1,
                      num_bytes=len(choice.encode("utf-8", "replace")) + 1, is_greedy=False)
        for index, choice in enumerate(choices)
    ]  # fmt: skip
    score = Score(name="acc", counts=(1.0 if picked == gold else 0.0, 1.0))
    return SampleRecord(
        sample=sample, task=sample_id.partition(":")[0], family="qa",
        items=tuple(Item(id=f"{sample_id}#1.{index}", sample_id=sample_id, wave=1, request=request)
                    for index, request in enumerate(requests)),
        responses=tuple(responses), outcome=Scored(scores=(score,), answer=choices[picked]),
    )  # fmt: skip


def text_record(
    sample_id: str,
    language: str,
    prompt: str,
    answers: Sequence[str | None],
    *,
    counts: tuple[float, ...] = (1.0, 1.0),
    target: str = "",
    flags: Sequence[Flag] = (),
    question: str = "",
) -> SampleRecord:
    """A sample of generated answers, one a turn; None is an answer that never came. `question` is not the prompt's."""
    responses = [
        Failure(cause=Cause.TIMEOUT, detail="60 s") if text is None
        else Completion(text=text, stop_reason="end", num_prompt_tokens=3, num_tokens=7)
        for text in answers
    ]  # fmt: skip
    failed = any(text is None for text in answers)
    scored = Scored(scores=(Score(name="acc", counts=counts),), answer=str(answers[-1]), flags=tuple(flags))
    return SampleRecord(
        sample=Sample(id=sample_id, input=question or prompt, language=language, target=target, category="cat"),
        task=sample_id.partition(":")[0], family="qa",
        items=tuple(Item(id=f"{sample_id}#{wave}.0", sample_id=sample_id, wave=wave,
                         request=GenerateRequest(prompt=prompt, max_tokens=9, stop=("\n",)))
                    for wave in range(1, len(answers) + 1)),
        responses=tuple(responses), outcome=Unscored(cause=Cause.TIMEOUT, detail="60 s") if failed else scored,
    )  # fmt: skip
