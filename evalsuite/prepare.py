"""From what a user asks to what will be run: tasks built, rows read, samples chosen, everything pinned in a spec.

Nothing here loads weights or writes; a mistake ends the command before either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

import msgspec

import evalsuite
from evalsuite import plugins
from evalsuite.config import RunConfig
from evalsuite.contracts import Task, TaskOptions
from evalsuite.data import DataSource, load_rows, source_from_environment
from evalsuite.engines.base import Engine, EngineOptions
from evalsuite.errors import DataError, NothingSelected, UnknownName, UsageError
from evalsuite.selection import take_first, take_stratified
from evalsuite.types import (
    SCHEMA_VERSION,
    DatasetPin,
    GenerateRequest,
    ModelSpec,
    Request,
    RunSpec,
    Sample,
    Scalar,
    TaskSpec,
    content_hash,
)

ENGINE_ALIASES = {"hf": "transformers"}
_SCORING_PACKAGES = ("numpy", "scipy", "sacrebleu", "py3langid")


@dataclass(frozen=True)
class PreparedTask:
    """A task with the samples this run takes of it."""

    task: Task
    samples: tuple[Sample, ...]
    num_available: int
    pins: tuple[DatasetPin, ...]
    is_chat: bool


@dataclass(frozen=True)
class Prepared:
    """All that `run` needs: the spec, the tasks with their samples, and an engine that is not loaded yet.

    `left_out` are tasks that were asked for and of which the limit takes no sample.
    """

    spec: RunSpec
    tasks: tuple[PreparedTask, ...]
    engine: Engine
    left_out: tuple[str, ...] = ()


def prepare(config: RunConfig) -> Prepared:
    """Everything `config` asks for, pinned. Raises UsageError, DataError or NothingSelected."""
    choices = plugins.choose_tasks(list(config.tasks))
    engine_name, engine = _open_engine(config)
    source = source_from_environment(config.data_dir)
    built = [_build(choice, config, engine, source) for choice in choices]
    _check_samples(built)
    tasks = tuple(task for task in _select(built, config) if task.samples)
    if not tasks:
        raise NothingSelected("no sample is selected; raise --limit or choose other --tasks.")
    generation = dict(config.gen_kwargs)
    spec = RunSpec(
        schema=SCHEMA_VERSION,
        model=ModelSpec(name=_model_name(config), engine=engine_name, identity=engine.identity()),
        tasks=tuple(_task_spec(task, generation) for task in tasks),
        limit=config.limit,
        limit_mode=config.limit_mode,
        rows=config.samples,
        seed=config.seed,
        system_instruction=config.system_instruction,
        multiturn_shots=config.fewshot_as_multiturn,
        generation=generation,
    )
    # as it is read back from disk: 24 and 24.0 are one number there
    spec = msgspec.convert(msgspec.to_builtins(spec), RunSpec)
    left_out = tuple(entry.task.name for entry in built if not any(entry.task.name == kept.task.name for kept in tasks))
    return Prepared(spec, tasks, engine, left_out)


def _open_engine(config: RunConfig) -> tuple[str, Engine]:
    name = ENGINE_ALIASES.get(config.model, config.model)
    engine_name = name if name in plugins.names(plugins.ENGINES) else "transformers"
    options = EngineOptions(
        model=config.model,
        args=config.model_args,
        batch_size=config.batch_size,
        device=config.device,
        chat_template=config.chat_template,
    )
    engine: Engine = plugins.load(plugins.ENGINES, engine_name)(options)
    if config.apply_chat_template and not engine.has_chat_template:
        raise UsageError(
            f"--apply_chat_template: {_model_name(config)} has no chat template; give --chat_template FILE."
        )
    return engine_name, engine


def _model_name(config: RunConfig) -> str:
    return str(config.model_args.get("name", config.model_args.get("pretrained", config.model)))


def _build(choice: plugins.TaskChoice, config: RunConfig, engine: Engine, source: DataSource) -> PreparedTask:
    base, _, category = choice.name.partition(":")
    options = TaskOptions(
        num_fewshot=config.num_fewshot,
        protocol=config.protocol,
        multiturn_shots=config.fewshot_as_multiturn,
        system_instruction=config.system_instruction,
        seed=config.seed,
    )
    task = choice.family.build(base, options)
    is_chat = config.apply_chat_template
    if is_chat is None:
        is_chat = task.kind == "chat" and engine.has_chat_template
    if is_chat:
        task = choice.family.build(base, replace(options, chat=True))
    loaded = [load_rows(dataset, source) for dataset in task.datasets]
    samples = task.samples(tuple(rows for rows, _ in loaded))
    if category:
        task, samples = _only_category(task, samples, choice.name, category)
    return PreparedTask(task, samples, len(samples), tuple(pin for _, pin in loaded), is_chat)


def _check_samples(built: Sequence[PreparedTask]) -> None:
    """Refuse ids that stand twice, samples that ask nothing, and a task together with a part of it."""
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
            if not entry.task.next_requests(sample, ()):
                raise DataError(f"task {entry.task.name}: {sample.id} asks nothing.")


def _only_category(
    task: Task, samples: tuple[Sample, ...], name: str, category: str
) -> tuple[Task, tuple[Sample, ...]]:
    kept = [sample for sample in samples if sample.category == category]
    if not kept:
        known = sorted({sample.category for sample in samples if sample.category})
        raise UnknownName("category", category, known, f"{task.name} has: {', '.join(known) or 'none'}.")
    renamed = [msgspec.structs.replace(sample, id=name + sample.id.removeprefix(task.name)) for sample in kept]
    return replace(task, name=name), tuple(renamed)


def _select(built: Sequence[PreparedTask], config: RunConfig) -> list[PreparedTask]:
    if config.samples:
        return _select_listed(built, config.samples)
    if config.limit is None:
        return list(built)
    families: dict[str, list[PreparedTask]] = {}
    for entry in built:
        families.setdefault(entry.task.family, []).append(entry)
    chosen: dict[str, tuple[Sample, ...]] = {}
    for members in families.values():
        pools = [member.samples for member in members]
        taken = (
            take_first(pools, config.limit)
            if config.limit_mode == "first"
            else take_stratified({member.task.name: member.samples for member in members}, config.limit, config.seed)
        )
        chosen |= {member.task.name: tuple(samples) for member, samples in zip(members, taken, strict=True)}
    return [replace(entry, samples=chosen[entry.task.name]) for entry in built]


def _select_listed(built: Sequence[PreparedTask], wanted: Mapping[str, tuple[int, ...]]) -> list[PreparedTask]:
    known = [entry.task.name for entry in built]
    for name in wanted:
        if name not in known:
            raise UnknownName("task in --samples", name, known, f"--tasks names: {', '.join(known)}.")
    selected = []
    for entry in built:
        rows = wanted.get(entry.task.name, ())
        last = len(entry.samples) - 1
        if outside := [row for row in rows if not 0 <= row <= last]:
            raise UsageError(f"--samples: {entry.task.name} has rows 0 to {last}, not {outside[0]}.")
        selected.append(replace(entry, samples=tuple(entry.samples[row] for row in sorted(set(rows)))))
    return selected


def _task_spec(prepared: PreparedTask, generation: Mapping[str, Scalar]) -> TaskSpec:
    task, samples = prepared.task, prepared.samples
    first_prompts = [request.key for sample in samples for request in first_requests(task, sample, generation)]
    return TaskSpec(
        name=task.name,
        family=task.family,
        version=task.version,
        protocol=task.protocol,
        num_fewshot=task.num_fewshot,
        chat=prepared.is_chat,
        datasets=prepared.pins,
        sample_ids_hash=content_hash([sample.id for sample in samples]),
        prompts_hash=content_hash(first_prompts),
        num_samples=len(samples),
        num_available=prepared.num_available,
    )


def first_requests(task: Task, sample: Sample, generation: Mapping[str, Scalar]) -> tuple[Request, ...]:
    """What the first wave asks of a sample, before sampled requests get seeds of their own."""
    return tuple(adjust(request, generation) for request in task.next_requests(sample, ()))


def adjust(request: Request, generation: Mapping[str, Scalar]) -> Request:
    """`request` with what ``--gen_kwargs`` changes. Only generation has anything to change."""
    if not isinstance(request, GenerateRequest) or not generation:
        return request
    changes = {key: value for key, value in generation.items() if key != "do_sample"}
    if generation.get("do_sample") is False:
        changes["temperature"] = 0.0
    elif generation.get("do_sample") and not request.temperature:
        changes.setdefault("temperature", 1.0)
    return msgspec.convert({**msgspec.to_builtins(request), **changes}, GenerateRequest)


def scoring_packages() -> dict[str, str]:
    """Versions of what scores: they belong to a result, not to the run id, since scoring again asks nothing again."""
    found = {"evalsuite": evalsuite.__version__}
    for name in _SCORING_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
