"""Judging as a run of its own: the answers of sealed runs become cases, a judge's rubric becomes a task.

Nothing here calls a model: a judge run is prepared like any other and goes through the same loop, so that it resumes,
batches and caches, and never asks the judged model again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from pathlib import Path

from evalsuite import plugins
from evalsuite.asking import Settings
from evalsuite.building import PreparedTask, check_samples
from evalsuite.config import ModelConfig
from evalsuite.contracts import MISSING, Answered, Judge, JudgeOptions, Rubric, Task
from evalsuite.data import load_rows, source_from_environment
from evalsuite.errors import NothingSelected, UsageError
from evalsuite.prepare import Opened, Prepared, open_engine, task_spec
from evalsuite.records import DatasetPin, JudgedSpec, ModelSpec, RunResult, RunSpec, SampleRecord
from evalsuite.selection import take_stratified
from evalsuite.store.results import read_results, read_samples
from evalsuite.text.thinking import without_thinking
from evalsuite.types import (
    SCHEMA_VERSION,
    Cause,
    Completion,
    GenerateRequest,
    Replies,
    Response,
    Sample,
    Scalar,
    Scored,
    Unscored,
    content_hash,
)
from evalsuite.verdicts import Unparsed, Verdict


@dataclass(frozen=True)
class JudgedRun:
    """A sealed run whose answers are judged."""

    result: RunResult
    records: tuple[SampleRecord, ...]

    @property
    def model(self) -> str:
        """The name of the model that answered."""
        return self.result.spec.subject


@dataclass(frozen=True)
class Asked:
    """What a user asks for: which judge, which model behind it, how many questions."""

    judge: str
    model: ModelConfig
    options: JudgeOptions = field(default_factory=JudgeOptions)
    limit: float | None = None
    seed: int = 1234
    data_dir: str | None = None


def read_run(path: Path) -> JudgedRun:
    """The sealed run at `path`. Raises SpecMismatch or CorruptStore."""
    return JudgedRun(read_results(path), tuple(read_samples(path)))


@dataclass(frozen=True)
class Bench:
    """A judge ready to work: its rubric over the official data, and the engine of the model behind it."""

    asked: Asked
    judge: Judge
    rubric: Rubric
    pins: tuple[DatasetPin, ...]
    opened: Opened

    @property
    def model(self) -> str:
        """The name of the model that judges."""
        return self.opened.model


def open_bench(asked: Asked) -> Bench:
    """The judge that is asked for. Raises UsageError or DataError."""
    judge = plugins.judge(asked.judge)
    opened = open_engine(asked.model)
    if not opened.engine.has_chat_template:
        raise UsageError(
            f"{opened.model} has no chat template, and judges are asked in conversations; give --chat_template FILE."
        )
    loaded = [load_rows(dataset, source_from_environment(asked.data_dir)) for dataset in judge.datasets]
    rubric = judge.build(tuple(rows for rows, _ in loaded), asked.options)
    return Bench(asked, judge, rubric, tuple(pin for _, pin in loaded), opened)


def prepare_judging(bench: Bench, runs: Sequence[JudgedRun]) -> Prepared:
    """The child run in which the judge's model rates the answers of `runs`. Raises UsageError or NothingSelected."""
    asked, judge = bench.asked, bench.judge
    if len(runs) != judge.num_runs:
        wanted = "one run" if judge.num_runs == 1 else "two runs"
        raise UsageError(f"--judge {judge.name} judges the answers of {wanted}, not of {len(runs)}.")
    every = [_answers(run) for run in runs]
    chosen = _chosen(judge, every, asked.limit, asked.seed)
    tasks = [
        PreparedTask(
            task := _task(bench, tuple(side[name] for side in chosen), [run.model for run in runs]),
            task.samples(()),
            len(bench.rubric.cases(tuple(tuple(side.get(name, ())) for side in every))),
            bench.pins,
            is_chat=True,
        )
        for name in chosen[0]
    ]
    texts = [[one.texts for one in side.values()] for side in map(_by_id, chosen)]
    return prepare_cases(bench, tasks, runs=[run.result.run_id for run in runs],
                         models=[run.model for run in runs], texts=texts)  # fmt: skip


def prepare_cases(
    bench: Bench, tasks: Sequence[PreparedTask], *, runs: Sequence[str], models: Sequence[str], texts: object
) -> Prepared:
    """The run that judges the cases of `tasks`, pinned; `texts` is all that is judged."""
    asked, judge = bench.asked, bench.judge
    check_cases(tasks)
    spec = RunSpec(
        schema=SCHEMA_VERSION,
        model=ModelSpec(name=bench.model, engine=bench.opened.name, identity=bench.opened.engine.identity()),
        asked=tuple(task.task.name for task in tasks),
        tasks=tuple(task_spec(task, Settings(), asked.seed) for task in tasks),
        limit=asked.limit,
        limit_mode="stratified",
        rows={},
        seed=asked.seed,
        system_instruction="",
        multiturn_shots=None,
        generation={},
        judged=JudgedSpec(
            judge=judge.name,
            version=judge.version,
            options=_options(asked.options),
            runs=tuple(runs),
            models=tuple(models),
            answers_sha256=content_hash(texts),
        ),
    )
    return Prepared(spec, tuple(tasks), bench.opened.engine, num_asked=_families(tasks))


def _options(options: JudgeOptions) -> dict[str, Scalar]:
    """What the user chose, a prompt by its hash."""
    chosen: dict[str, Scalar] = {"is_weighted": options.is_weighted} if options.is_weighted else {}
    if options.prompt:
        chosen["prompt_sha256"] = content_hash(options.prompt)
    if options.max_tokens is not None:
        chosen["max_tokens"] = options.max_tokens
    return chosen


# -- answers


def _answers(run: JudgedRun) -> dict[str, list[Answered]]:
    """The answers of a run by task, in plan order."""
    protocols = {task.name: task.protocol for task in run.result.spec.tasks}
    found: dict[str, list[Answered]] = {}
    for record in run.records:
        if not any(isinstance(item.request, GenerateRequest) for item in record.items):
            continue  # what has no texts is not for judges
        texts = _texts_of(record)
        is_whole = all(isinstance(reply, Completion) for reply in record.responses)
        found.setdefault(record.task, []).append(
            Answered(
                model=run.model,
                family=record.family,
                task=record.task,
                protocol=protocols[record.task],
                sample=record.sample,
                texts=texts,
                missing="" if is_whole else _why_missing(record),
            )
        )
    return found


def _texts_of(record: SampleRecord) -> tuple[str, ...]:
    """What a judge sees of a sample's answers, one a turn, up to the first turn that failed.

    A request that was repeated (an empty answer) counts by its last reply, and thinking is not part of an answer.
    """
    replies = list(takewhile(lambda reply: isinstance(reply, Completion), record.responses))
    texts = [without_thinking(reply.text) for reply in replies if isinstance(reply, Completion)]
    num_turns = max(1, len(record.sample.turns))
    return tuple(texts[-num_turns:] if len(replies) == len(record.responses) else texts[:num_turns])


def _why_missing(record: SampleRecord) -> str:
    outcome = record.outcome
    return str(getattr(outcome, "cause", "") or getattr(outcome, "reason", "") or "no text")


def _chosen(
    judge: Judge, sides: Sequence[dict[str, list[Answered]]], limit: float | None, seed: int
) -> list[dict[str, tuple[Answered, ...]]]:
    """What is judged of each run: the tasks that the judge can judge, and of their samples as many as asked.

    A sample that only one of two runs has is taken all the same: that the other lacks it is part of the result. Raises
    NothingSelected, or UsageError for two runs that were asked under different protocols.
    """
    every: dict[str, dict[str, Answered]] = {}
    for side in sides:
        for name, rows in side.items():
            if not judge.families or rows[0].family in judge.families:
                every.setdefault(name, {}).update({row.sample.id: row for row in reversed(rows)})
    if not any(row.texts for rows in every.values() for row in rows.values()):
        families = ", ".join(judge.families) or "tasks whose answers are texts"
        raise NothingSelected(f"--judge {judge.name} judges {families}; the run has no answers to such.")
    for name in every:
        protocols = {row.protocol for side in sides for row in side.get(name, ())}
        if len(protocols) > 1:
            both = " and ".join(sorted(protocols))
            raise UsageError(f"the runs answered {name} under {both}; answers are compared under one protocol only.")
    wanted = {sample_id for rows in every.values() for sample_id in rows}
    if limit is not None:
        pools = {name: [row.sample for _, row in sorted(rows.items())] for name, rows in every.items()}
        wanted = {sample.id for taken in take_stratified(pools, limit, seed) for sample in taken}
    names = [name for name, rows in every.items() if wanted & rows.keys()]
    return [
        {name: tuple(row for row in side.get(name, ()) if row.sample.id in wanted) for name in names} for side in sides
    ]


def _by_id(side: Mapping[str, Sequence[Answered]]) -> dict[str, Answered]:
    return {row.sample.id: row for rows in side.values() for row in rows}


def _families(tasks: Sequence[PreparedTask]) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in tasks:
        found[entry.task.family] = found.get(entry.task.family, 0) + 1
    return found


# -- the task that a judge is


def _task(bench: Bench, sides: tuple[tuple[Answered, ...], ...], models: Sequence[str]) -> Task:
    """One task's answers under the judge as a task of their own."""
    first = next(row for side in sides for row in side)
    rival = f" vs {models[1]}" if len(models) > 1 else ""
    rules = f"{first.protocol}/{protocol_of(bench.judge, bench.asked.options)}@{bench.model}{rival}"
    return task_of_cases(bench, first.task, first.family, first.sample.language, rules, bench.rubric.cases(sides))


def task_of_cases(
    bench: Bench, name: str, family: str, language: str, protocol: str, cases: tuple[Sample, ...]
) -> Task:
    """`cases` as a task that the judge's rubric asks about and scores."""
    judge, rubric = bench.judge, bench.rubric
    return Task(
        name=name,
        family=family,
        version=judge.version,
        language=language,
        protocol=protocol,
        num_fewshot=0,
        kind="judge",
        datasets=judge.datasets,
        samples=lambda rows: cases,
        next_requests=partial(next_requests, rubric),
        score=partial(score, rubric),
        metrics=rubric.metrics,
        title=judge.title,
        source=judge.source,
    )


def protocol_of(judge: Judge, options: JudgeOptions) -> str:
    """The judge's protocol, with what the user's options make of it: a prompt of a file is named by its sha256."""
    rules = judge.protocol
    if options.prompt:
        digest = hashlib.sha256(options.prompt.encode("utf-8", "surrogatepass")).hexdigest()
        rules = f"{judge.name}-file-{digest[:8]}"
    cap = "" if options.max_tokens is None else f"+max_tokens-{options.max_tokens}"
    return f"{rules}{cap}"


def next_requests(rubric: Rubric, case: Sample, replies: Replies) -> tuple[GenerateRequest, ...]:
    """What the judge is asked about `case`: once, and in judges of our own once more where a reply says nothing."""
    if MISSING in case.metadata:
        return ()
    if not replies:
        return rubric.render(case)
    if len(replies) > 1 or rubric.ask_again is None:
        return ()
    asked = zip(rubric.render(case), _texts(replies[0]), strict=True)
    return tuple(
        rubric.ask_again(case, request, reply)
        for request, reply in asked
        if isinstance(rubric.parse(case, reply), Unparsed)
    )


def score(rubric: Rubric, case: Sample, replies: Replies) -> Scored | Unscored:
    """The case's scores; unscored where there was no answer to judge, or a reply holds no verdict."""
    if MISSING in case.metadata:
        return Unscored(cause=Cause.MISSING_RESPONSE, detail=str(case.metadata[MISSING]))
    verdicts = verdicts_of(rubric, case, replies)
    parsed = tuple(found for found in verdicts if not isinstance(found, Unparsed))
    if len(parsed) == len(verdicts):
        return rubric.score(case, parsed)
    reasons = "; ".join(found.reason for found in verdicts if isinstance(found, Unparsed))
    counted = rubric.score_unparsed(case) if rubric.score_unparsed else ()
    return Unscored(cause=Cause.JUDGE_UNPARSED, detail=reasons, scores=counted)


def verdicts_of(rubric: Rubric, case: Sample, replies: Replies) -> tuple[Verdict | Unparsed, ...]:
    """What each request about `case` came to, a second asking in place of a first reply that said nothing.

    Nothing at all where one of the requests failed: what is left could not be told apart.
    """
    if any(not isinstance(reply, Completion) for wave in replies for reply in wave):
        return ()
    again = iter(_texts(replies[1]) if len(replies) > 1 else ())
    first = [rubric.parse(case, reply) for reply in _texts(replies[0])] if replies else []
    return tuple(
        rubric.parse(case, next(again)) if isinstance(found, Unparsed) and len(replies) > 1 else found
        for found in first
    )


def replies_of(record: SampleRecord) -> Replies:
    """A stored sample's replies, wave by wave."""
    waves: dict[int, list[Response]] = {}
    for item, reply in zip(record.items, record.responses, strict=True):
        waves.setdefault(item.wave, []).append(reply)
    return tuple(tuple(waves[wave]) for wave in sorted(waves))


def _texts(wave: Sequence[object]) -> tuple[Completion, ...]:
    return tuple(reply for reply in wave if isinstance(reply, Completion))


def check_cases(tasks: Sequence[PreparedTask]) -> None:
    """Refuse ids that stand twice, and a judge run in which nothing can be judged."""
    asking = [
        replace(entry, samples=tuple(case for case in entry.samples if MISSING not in case.metadata)) for entry in tasks
    ]
    if not any(entry.samples for entry in asking):
        raise NothingSelected("none of the answers can be judged: every one is missing.")
    check_samples(asking)
