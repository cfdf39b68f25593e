"""From what a user asks to what will be run: tasks built, rows read, samples chosen, everything pinned in a spec.

Nothing here loads weights or writes; a mistake ends the command before either. Workers may load theirs meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

import evalsuite
from evalsuite import plugins, task_files
from evalsuite.asking import Settings, first_requests, items_of, settings_of
from evalsuite.building import PreparedTask, build_task, check_samples, drop_shots, repeat
from evalsuite.canonical import content_hash
from evalsuite.config import ModelConfig, RunConfig
from evalsuite.contracts import MISSING, Suite
from evalsuite.data import source_from_environment
from evalsuite.engines.base import Beginning, ByRow, Engine, EngineOptions, missing_parts
from evalsuite.engines.ray_cluster import LOCAL, Crew
from evalsuite.engines.workers import spread
from evalsuite.entry_points import PluginBroken, blaming, described
from evalsuite.errors import DataError, NothingSelected, UnknownName, UsageError, nearest
from evalsuite.records import TASK_FILE_SUFFIX, ModelSpec, RunSpec, TaskSpec
from evalsuite.selection import take_first, take_stratified
from evalsuite.types import SCHEMA_VERSION, Item, Sample

ENGINE_ALIASES = {"hf": "transformers"}
_SCORING_PACKAGES = ("numpy", "scipy", "sacrebleu", "py3langid", "math-verify")


@dataclass(frozen=True)
class Prepared:
    """All that `run` needs: the spec, the tasks with their samples, and an engine that is not loaded yet.

    `suites` are those of which every task is asked for; `num_asked` is how many tasks of each family were asked for,
    and `left_out` of how many of them the limit takes no sample; `notes` are lines for the user.
    """

    spec: RunSpec
    tasks: tuple[PreparedTask, ...]
    engine: Engine
    suites: tuple[Suite, ...] = ()
    num_asked: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """An engine that is not loaded yet, by its name, and the name of the model that answers through it."""

    name: str
    model: str
    engine: Engine


def prepare(config: RunConfig, opened: Opened | None = None, *, is_to_begin: bool = False) -> Prepared:
    """Everything `config` asks for, pinned; answered by the engine it names, or by one that is `opened` already.

    With `is_to_begin` an engine that takes long to begin does so while rows are read and prompts are made; it then has
    to be closed, or end with this process, also where this raises.
    Raises UsageError, DataError or NothingSelected.
    """
    choices = _choices(config)
    _check_names(choices, config)
    if config.samples and config.limit is not None:
        raise UsageError("--limit and --samples both choose samples; give one of them.")
    opened = opened or open_engine(config)
    engine = opened.engine
    if config.apply_chat_template and not engine.has_chat_template:
        raise UsageError(f"--apply_chat_template: {opened.model} has no chat template; give --chat_template FILE.")
    if is_to_begin and isinstance(engine, Beginning):
        engine.begin()
    source = source_from_environment(config.data_dir)
    built = [build_task(choice, config, engine, source) for choice in choices]
    check_samples(built)
    if isinstance(engine, ByRow):
        engine.check_rows({entry.task.name: entry.pins[0].num_rows for entry in built})
    tasks = tuple(task for task in _select(built, config) if task.samples)
    if not tasks:
        raise NothingSelected("no sample is selected; raise --limit or choose other --tasks.")
    settings = Settings(dict(config.gen_kwargs), config.truncation or "")
    if config.truncation == "drop_shots":
        tasks = tuple(drop_shots(task, settings, engine) for task in tasks)
    tasks = tuple(repeat(task, settings, config.repeats) for task in tasks)
    if config.repeats > 1 and all(task.repeats == 1 for task in tasks):
        raise UsageError("--repeats: no task samples its answers; add --gen_kwargs temperature=0.7, say.")
    spec = RunSpec(
        schema=SCHEMA_VERSION,
        model=ModelSpec(name=opened.model, engine=opened.name, identity=engine.identity()),
        asked=_asked(choices),
        tasks=tuple(task_spec(task, settings, config.seed) for task in tasks),
        limit=config.limit,
        limit_mode=config.limit_mode,
        rows=config.samples,
        seed=config.seed,
        system_instruction=config.system_instruction,
        multiturn_shots=config.fewshot_as_multiturn,
        generation=settings.generation,
        truncation=settings.truncation,
    )
    # as it is read back from disk: 24 and 24.0 are one number there
    spec = msgspec.convert(msgspec.to_builtins(spec), RunSpec)
    kept = {task.task.name for task in tasks}
    missing = [entry for entry in built if entry.task.name not in kept]
    return Prepared(
        spec,
        tasks,
        engine,
        suites=whole_suites({choice.name for choice in choices}),
        num_asked=count_families(built),
        left_out=count_families([] if config.samples else missing),
        notes=(*_protocol_notes(choices, config), *_notes(tasks), *_left_out_notes(missing, config)),
    )


def _choices(config: RunConfig) -> tuple[plugins.TaskChoice, ...]:
    """The tasks behind ``--tasks``: names, and task files by their paths."""
    files = [name for name in config.tasks if name.endswith(TASK_FILE_SUFFIX)]
    names = [name for name in config.tasks if name not in files]
    known = plugins.choose_tasks(names, is_protocol_given=isinstance(config.protocol, str))
    return (*known, *(task_files.choice_of(Path(name)) for name in dict.fromkeys(files)))


def first_items(prepared: Prepared, entry: PreparedTask) -> list[Item]:
    """What the first wave asks for one of the tasks."""
    settings = settings_of(prepared.spec)
    return [item for sample in entry.samples for item in items_of(entry.task, sample, (), settings, prepared.spec.seed)]


def _asked(choices: Sequence[plugins.TaskChoice]) -> tuple[str, ...]:
    """The names of `choices`, a whole family by its own: what was asked, however it was written."""
    asked = {choice.name for choice in choices}
    whole = {
        choice.family.name for choice in choices if asked.issuperset(member.name for member in choice.family.members)
    }
    names = (
        choice.family.name if choice.family.name in whole and ":" not in choice.name else choice.name
        for choice in choices
    )
    return tuple(dict.fromkeys(names))


def whole_suites(asked: Collection[str]) -> tuple[Suite, ...]:
    """The suites of which every task is among the names of those `asked` for."""
    return tuple(suite for suite in plugins.suites() if _tasks_of(suite) <= set(asked))


def _tasks_of(suite: Suite) -> set[str]:
    """The names of a suite's tasks; one that no run has when a family of it is not installed, or broken."""
    try:
        return {choice.name for choice in plugins.choose_tasks(list(suite.families))}
    except (UnknownName, PluginBroken):
        return {""}


def count_families(entries: Sequence[PreparedTask]) -> dict[str, int]:
    """How many of the tasks are of each family."""
    families = [entry.task.family for entry in entries]
    return {family: families.count(family) for family in families}


def _protocol_notes(choices: Sequence[plugins.TaskChoice], config: RunConfig) -> Iterator[str]:
    """Says that a suite asked for under other rules has no average."""
    own = {choice.protocol for choice in choices if choice.protocol is not None}
    if config.protocol is not None and own and own != {config.protocol}:
        yield f"the suite's own protocol is {', '.join(sorted(own))}; under another it has no average."


def _notes(tasks: Sequence[PreparedTask]) -> Iterator[str]:
    """What a user must know before the run: other protocols than asked, shortened prompts."""
    for entry in tasks:
        if entry.note:
            yield entry.note
        if entry.num_shortened:
            yield f"{entry.task.name}: exemplars dropped from {entry.num_shortened} of {len(entry.samples)} samples."


def _left_out_notes(left_out: Sequence[PreparedTask], config: RunConfig) -> Iterator[str]:
    """Which tasks have no sample in the run."""
    names = [entry.task.name for entry in left_out]
    more = f" and {len(names) - 8} more" if len(names) > 9 else ""
    flag = "--samples" if config.samples else "--limit"
    if names:
        yield f"{flag} takes no sample of {', '.join(names[: 8 if more else 9])}{more}."


def _check_names(choices: Sequence[plugins.TaskChoice], config: RunConfig) -> None:
    """Refuse settings by task for tasks that are not asked for."""
    known = {name for choice in choices for name in (choice.name, choice.name.partition(":")[0], choice.family.name)}
    by_task = {
        "num_fewshot": config.num_fewshot,
        "protocol": config.protocol,
        "prompt_language": config.prompt_language,
    }
    for flag, value in by_task.items():
        for name in value if isinstance(value, Mapping) else ():
            if name not in known:
                near = nearest(name, known)
                guess = f"; did you mean {near!r}?" if near else "."
                raise UsageError(f"--{flag}: {name} is not among the tasks that --tasks asks for{guess}")


def open_engine(config: ModelConfig) -> Opened:
    """The engine that `config` names. Raises UsageError, ModelUnreadable or PluginBroken."""
    name = ENGINE_ALIASES.get(config.model, config.model)
    engine_name = name if name in plugins.names(plugins.ENGINES) else "transformers"
    options = EngineOptions(
        model=config.model,
        args=config.model_args,
        batch_size=config.batch_size,
        device=config.device,
        chat_template=config.chat_template,
        is_deterministic=config.deterministic,
    )
    open_it = plugins.open_engine_of(engine_name)
    with blaming(plugins.ENGINES, engine_name, "opening it"):
        engine: Engine = open_it(options)
    if missing := missing_parts(engine):
        raise PluginBroken(f"{described(plugins.ENGINES, engine_name)}: what it opens has no {', '.join(missing)}.")
    if config.workers > 1 or config.cluster:
        engine = spread(engine, open_it, options, Crew(config.workers, config.cluster or LOCAL))
    return Opened(engine_name, _model_name(config), engine)


def _model_name(config: ModelConfig) -> str:
    """The name given, or that of the weights; with an adapter merged into them they are another model."""
    args = config.model_args
    adapter = f"+{args['peft']}" if "peft" in args else ""
    given = args.get("pretrained", args.get("model", config.model))
    return str(args.get("name", f"{given}{adapter}"))


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
    """The samples of the wanted dataset rows, in order of evaluation."""
    known = [entry.task.name for entry in built]
    for name in wanted:
        if name not in known:
            raise UnknownName("task in --samples", name, known, f"--tasks names: {', '.join(known)}.")
    selected = []
    for entry in built:
        rows = set(wanted.get(entry.task.name, ()))
        taken = tuple(sample for sample in entry.samples if sample.row in rows)
        if outside := sorted(rows - {sample.row for sample in taken}):
            last = max(sample.row for sample in entry.samples)
            raise UsageError(f"--samples: {entry.task.name} has rows 0 to {last}, not {outside[0]}.")
        selected.append(replace(entry, samples=taken))
    return selected


def task_spec(prepared: PreparedTask, settings: Settings, seed: int) -> TaskSpec:
    """A task as it is asked, pinned. Raises DataError for a sample that asks nothing without saying why."""
    task, samples = prepared.task, prepared.samples
    first_prompts = []
    for sample in samples:
        requests = first_requests(task, sample, settings)
        if not requests and MISSING not in sample.metadata:
            raise DataError(f"task {task.name}: {sample.id} asks nothing.")
        first_prompts += [request.key for request in requests]
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
        num_samples=len(samples) // prepared.repeats,
        num_available=prepared.num_available,
        num_shortened=prepared.num_shortened,
        repeats=prepared.repeats,
        seed=seed if task.is_seeded else None,
    )


def scoring_packages() -> dict[str, str]:
    """Versions of what scores: they belong to a result, not to the run id, since scoring again asks nothing again."""
    found = {"evalsuite": evalsuite.__version__}
    for name in _SCORING_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
