"""One task as a run asks for it: built under its protocol, its rows read, its samples made to fit the model."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from evalsuite import plugins
from evalsuite.asking import Settings, first_requests
from evalsuite.config import RunConfig
from evalsuite.contracts import Family, Rows, Task, TaskOptions
from evalsuite.data import DataSource, load_rows
from evalsuite.engines.base import Engine
from evalsuite.entry_points import PluginBroken, blaming, described
from evalsuite.errors import DataError, RowsMissing, UnknownName, UsageError
from evalsuite.records import DatasetPin
from evalsuite.types import GenerateRequest, Sample

T = TypeVar("T", int, str)


@dataclass(frozen=True)
class PreparedTask:
    """A task with the samples this run takes of it; of `num_shortened` some exemplars were dropped to make them fit.

    Each of its rows is `repeats` samples.
    """

    task: Task
    samples: tuple[Sample, ...]
    num_available: int
    pins: tuple[DatasetPin, ...]
    is_chat: bool
    num_shortened: int = 0
    repeats: int = 1
    note: str = ""


def build_task(choice: plugins.TaskChoice, config: RunConfig, engine: Engine, source: DataSource) -> PreparedTask:
    """The task of `choice` with all its samples. Raises UsageError, DataError or PluginBroken.

    Where rows of the protocol are missing and the task knows another protocol that does without them, it is taken, and
    `note` says so.
    """
    options = TaskOptions(
        num_fewshot=_by_task(choice, config.num_fewshot),
        protocol=_by_task(choice, config.protocol) or choice.protocol,
        multiturn_shots=config.fewshot_as_multiturn is not False,
        system_instruction=config.system_instruction,
        prompt_language=_by_task(choice, config.prompt_language) or "",
        seed=config.seed,
    )
    base, _, category = choice.name.partition(":")
    task, is_chat = _build(choice, base, options, config, engine)
    note = ""
    try:
        rows, pins = _load(task, source)
    except RowsMissing as missing:
        if not task.fallback:
            raise
        note = f"{base}: {task.fallback_reason}; its protocol is {task.fallback}."
        task, is_chat = _build(choice, base, replace(options, protocol=task.fallback), config, engine)
        try:
            rows, pins = _load(task, source)
        except RowsMissing:
            raise missing from None
    with blaming(plugins.TASKS, choice.family.name, f"samples() of {task.name}"):
        samples = task.samples(rows)
    if category:
        task, samples = only_category(task, samples, choice.name, category)
    return PreparedTask(task, samples, len(samples), pins, is_chat, note=note or task.note)


def _by_task(choice: plugins.TaskChoice, wanted: T | Mapping[str, T] | None) -> T | None:
    """A setting of a task: by its own name, else by its family's, else for all."""
    if not isinstance(wanted, Mapping):
        return wanted
    names = (choice.name, choice.name.partition(":")[0], choice.family.name)
    return next((wanted[name] for name in names if name in wanted), None)


def _build(
    choice: plugins.TaskChoice, name: str, options: TaskOptions, config: RunConfig, engine: Engine
) -> tuple[Task, bool]:
    """The task, and whether its prompts are conversations."""
    task = _built(choice.family, name, options)
    is_chat = config.apply_chat_template
    if is_chat is None:
        is_chat = task.kind == "chat" and engine.has_chat_template
    if is_chat:
        task = _built(choice.family, name, replace(options, chat=True))
    if options.prompt_language and not task.prompt_language:
        raise UsageError(f"--prompt_language: {name} puts no words of its own around its samples; leave it out.")
    if task.is_sealed:
        _check_unchanged(task, config)
    return task, is_chat


def _built(family: Family, name: str, options: TaskOptions) -> Task:
    """What the family builds. Raises PluginBroken where that is not the task asked for."""
    with blaming(plugins.TASKS, family.name, f"build() of {name}"):
        task = family.build(name, options)
    if not isinstance(task, Task) or task.name != name or not task.metrics:
        found = f"the task {task.name!r}" if isinstance(task, Task) else f"a {type(task).__name__}"
        found += " without metrics" if isinstance(task, Task) and not task.metrics else ""
        raise PluginBroken(f"{described(plugins.TASKS, family.name)}: build() of {name} gave {found}, not that task.")
    return task


def _check_unchanged(task: Task, config: RunConfig) -> None:
    """Refuse settings of the run that would change a sealed protocol's answers under its name."""
    changed = {
        "--gen_kwargs": bool(config.gen_kwargs),
        "--truncation": config.truncation is not None,
        "--fewshot_as_multiturn": config.fewshot_as_multiturn is not None,
        "--model_args max_length": "max_length" in config.model_args,
    }
    for flag, is_changed in changed.items():
        if is_changed:
            raise UsageError(f"{flag}: the protocol {task.protocol} of {task.name} fixes it; leave it out.")


def _load(task: Task, source: DataSource) -> tuple[tuple[Rows, ...], tuple[DatasetPin, ...]]:
    loaded = [load_rows(dataset, source) for dataset in task.datasets]
    return tuple(rows for rows, _ in loaded), tuple(pin for _, pin in loaded)


def only_category(task: Task, samples: tuple[Sample, ...], name: str, category: str) -> tuple[Task, tuple[Sample, ...]]:
    """The part of a task that is one category, under the name ``<task>:<category>``. Raises UnknownName."""
    kept = [sample for sample in samples if sample.category == category]
    if not kept:
        known = sorted({sample.category for sample in samples if sample.category})
        raise UnknownName("category", category, known, f"{task.name} has: {', '.join(known) or 'none'}.")
    renamed = [msgspec.structs.replace(sample, id=name + sample.id.removeprefix(task.name)) for sample in kept]
    return replace(task, name=name), tuple(renamed)


def drop_shots(prepared: PreparedTask, settings: Settings, engine: Engine) -> PreparedTask:
    """The task with exemplars dropped, the first first, from every sample whose prompt does not fit otherwise.

    A sample that does not fit without any keeps none, and its request fails as too long.
    """
    fitted = tuple(_fitted(prepared.task, sample, settings, engine) for sample in prepared.samples)
    num_shortened = sum(after is not before for after, before in zip(fitted, prepared.samples, strict=True))
    return replace(prepared, samples=fitted, num_shortened=num_shortened)


def _fitted(task: Task, sample: Sample, settings: Settings, engine: Engine) -> Sample:
    """The sample with as many of its last exemplars as fit, found by halving."""

    def keeping(number: int) -> Sample:
        return msgspec.structs.replace(sample, shots=sample.shots[len(sample.shots) - number :])

    def fits(number: int) -> bool:
        return not any(engine.overflow(request) for request in first_requests(task, keeping(number), settings))

    if not sample.shots or fits(len(sample.shots)):
        return sample
    return keeping(max(0, bisect_left(range(1, len(sample.shots)), True, key=lambda number: not fits(number))))


def repeat(prepared: PreparedTask, settings: Settings, times: int) -> PreparedTask:
    """The task with every sample asked `times` times, if any of its answers is sampled; the repeats are one cluster."""
    first = (request for sample in prepared.samples for request in first_requests(prepared.task, sample, settings))
    if times == 1 or not any(isinstance(request, GenerateRequest) and request.temperature for request in first):
        return prepared
    samples = (
        msgspec.structs.replace(sample, id=f"{sample.id}+{number}" if number else sample.id, cluster=sample.cluster_id)
        for sample in prepared.samples
        for number in range(times)
    )
    return replace(prepared, samples=tuple(samples), repeats=times)


def check_samples(built: Sequence[PreparedTask]) -> None:
    """Refuse ids that stand twice, and a task together with a part of it."""
    seen: set[str] = set()
    for entry in built:
        whole = entry.task.name.partition(":")[0]
        if whole != entry.task.name and any(other.task.name == whole for other in built):
            raise UsageError(
                f"--tasks: {entry.task.name} is a part of {whole}, which is asked for too; name one of them."
            )
        for sample in entry.samples:
            if sample.id in seen:
                raise DataError(f"task {entry.task.name}: two samples have the id {sample.id}.")
            seen.add(sample.id)
