"""Judging as a run of its own: the answers of sealed runs become cases, a judge's rubric becomes a task.

Nothing here calls a model: a judge run is prepared like any other and goes through the same loop, so that it resumes,
batches and caches, and never asks the judged model again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from evalsuite import plugins, verdict_scoring
from evalsuite.asking import Settings
from evalsuite.building import PreparedTask, check_samples
from evalsuite.canonical import content_hash
from evalsuite.config import ModelConfig
from evalsuite.contracts import MISSING, Answered, Judge, JudgeOptions, Rubric, Task
from evalsuite.data import load_rows, source_from_environment
from evalsuite.engines.base import ByRow
from evalsuite.entry_points import blaming
from evalsuite.errors import NothingSelected, UsageError
from evalsuite.judged import JudgedRun, answers_of, by_id, chosen
from evalsuite.prepare import Opened, Prepared, count_families, open_engine, task_spec
from evalsuite.records import DatasetPin, JudgedSpec, ModelSpec, RunSpec
from evalsuite.types import SCHEMA_VERSION, Sample, Scalar


@dataclass(frozen=True)
class Asked:
    """What a user asks for: which judge, which model behind it, how many questions."""

    judge: str
    model: ModelConfig
    options: JudgeOptions = field(default_factory=JudgeOptions)
    limit: float | None = None
    seed: int = 1234
    data_dir: str | None = None


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


@dataclass(frozen=True)
class Cases:
    """The cases of one task, and what the task is called."""

    task: str
    family: str
    language: str
    protocol: str
    cases: tuple[Sample, ...]
    show_in_report: bool = True


def open_bench(asked: Asked, opened: Opened | None = None) -> Bench:
    """The judge that is asked for, over the model that is asked for, or one that is `opened` already.

    Raises UsageError, DataError or PluginBroken.
    """
    judge = plugins.judge(asked.judge)
    opened = opened or open_engine(asked.model)
    if not opened.engine.has_chat_template:
        raise UsageError(
            f"{opened.model} has no chat template, and judges are asked in conversations; give --chat_template FILE."
        )
    if isinstance(opened.engine, ByRow):
        opened.engine.check_rows({})
    loaded = [load_rows(dataset, source_from_environment(asked.data_dir)) for dataset in judge.datasets]
    with blaming(plugins.JUDGES, judge.name, "build()"):
        rubric = judge.build(tuple(rows for rows, _ in loaded), asked.options)
    return Bench(asked, judge, rubric, tuple(pin for _, pin in loaded), opened)


def prepare_judging(bench: Bench, runs: Sequence[JudgedRun]) -> Prepared:
    """The child run in which the judge's model rates the answers of `runs`. Raises UsageError or NothingSelected."""
    asked, judge = bench.asked, bench.judge
    if len(runs) != judge.num_runs:
        wanted = "one run" if judge.num_runs == 1 else "two runs"
        raise UsageError(f"--judge {judge.name} judges the answers of {wanted}, not of {len(runs)}.")
    if len({run.result.run_id for run in runs}) < len(runs):
        raise UsageError(f"--judge {judge.name}: run {runs[0].result.run_id} is named twice; name two.")
    every = [answers_of(run) for run in runs]
    sides = chosen(judge, every, asked.limit, asked.seed)
    with blaming(plugins.JUDGES, judge.name, "cases()"):
        tasks = _tasks(bench, every, sides, runs)
    texts = [[one.texts for one in side.values()] for side in map(by_id, sides)]
    return prepare_cases(bench, tasks, runs=[run.result.run_id for run in runs],
                         models=[run.model for run in runs], texts=texts)  # fmt: skip


def _tasks(
    bench: Bench,
    every: Sequence[Mapping[str, Sequence[Answered]]],
    sides: Sequence[Mapping[str, tuple[Answered, ...]]],
    runs: Sequence[JudgedRun],
) -> list[PreparedTask]:
    """The cases of each task that is judged."""
    return [
        PreparedTask(
            task := _task(bench, tuple(side[name] for side in sides), runs),
            task.samples(()),
            _num_available(len(bench.rubric.cases(tuple(tuple(side.get(name, ())) for side in every))), name, runs),
            bench.pins,
            is_chat=True,
        )
        for name in sides[0]
    ]


def _num_available(num_cases: int, name: str, runs: Sequence[JudgedRun]) -> int:
    """How many cases all of the task would make, where its answers are those of a part."""
    taken = [
        task.num_samples / task.num_available
        for run in runs
        for task in run.result.spec.tasks
        if task.name == name and task.num_available
    ]
    return round(num_cases / min(taken, default=1.0))


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
    return Prepared(spec, tuple(tasks), bench.opened.engine, num_asked=count_families(tasks))


def _options(options: JudgeOptions) -> dict[str, Scalar]:
    """What the user chose, a prompt by its hash."""
    chosen: dict[str, Scalar] = {"is_weighted": options.is_weighted} if options.is_weighted else {}
    if options.prompt:
        chosen["prompt_sha256"] = content_hash(options.prompt)
    if options.max_tokens is not None:
        chosen["max_tokens"] = options.max_tokens
    return chosen


def _task(bench: Bench, sides: tuple[tuple[Answered, ...], ...], runs: Sequence[JudgedRun]) -> Task:
    """One task's answers under the judge as a task of their own."""
    first = next(row for side in sides for row in side)
    rival = f" vs {runs[1].model}" if len(runs) > 1 else ""
    rules = f"{first.protocol}/{protocol_of(bench.judge, bench.asked.options)}@{bench.model}{rival}"
    named = Cases(first.task, first.family, first.sample.language, rules, bench.rubric.cases(sides))
    return task_of_cases(bench.judge, bench.rubric, replace(named, show_in_report=_may_show(first.task, runs)))


def _may_show(name: str, runs: Sequence[JudgedRun]) -> bool:
    """Whether the judged task's texts, which stand in what the judge is asked, may be shown."""
    return all(task.show_in_report for run in runs for task in run.result.tasks if task.task == name)


def task_of_cases(judge: Judge, rubric: Rubric, named: Cases) -> Task:
    """The cases as a task that the judge's rubric asks about and scores."""
    return Task(
        name=named.task,
        family=named.family,
        version=judge.version,
        language=named.language,
        protocol=named.protocol,
        num_fewshot=0,
        kind="judge",
        datasets=judge.datasets,
        samples=lambda rows: named.cases,
        next_requests=partial(verdict_scoring.next_requests, rubric),
        score=partial(verdict_scoring.score, rubric),
        metrics=rubric.metrics,
        title=judge.title,
        source=judge.source,
        show_in_report=named.show_in_report,
    )


def protocol_of(judge: Judge, options: JudgeOptions) -> str:
    """The judge's protocol, with what the user's options make of it: a prompt of a file is named by its sha256."""
    rules = judge.protocol
    if options.prompt:
        digest = hashlib.sha256(options.prompt.encode("utf-8", "surrogatepass")).hexdigest()
        rules = f"{judge.name}-file-{digest[:8]}"
    cap = "" if options.max_tokens is None else f"+max_tokens-{options.max_tokens}"
    return f"{rules}{cap}"


def check_cases(tasks: Sequence[PreparedTask]) -> None:
    """Refuse ids that stand twice, and a judge run in which nothing can be judged."""
    if all(MISSING in case.metadata for entry in tasks for case in entry.samples):
        raise NothingSelected("none of the answers can be judged: every one is missing.")
    check_samples(tasks)
