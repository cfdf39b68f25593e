"""Where a run's numbers come from, and the command that makes them again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evalsuite.records import (
    IMPORT_FORMAT,
    IMPORTED,
    TASK_FILE,
    TASK_FILE_SUFFIX,
    DatasetPin,
    Estimate,
    JudgedSpec,
    ModelSpec,
    RunSpec,
    TaskSpec,
    TaskSummary,
)
from evalsuite.types import Scalar

from ._format import causes_text, chance_text, direction_text, pairs_text, scalar_text, task_rank, visible
from ._runs import Run

Fact = tuple[str, str]
TRUNCATION = {
    "": "as each task's protocol says",
    "error": "left unscored",
    "drop_shots": "exemplars dropped until they fit",
    "truncate_left": "cut at their beginning",
}


@dataclass(frozen=True)
class TaskRow:
    """A task as it was asked, and what its data is."""

    name: str
    title: str
    rules: str
    samples: str
    metrics: tuple[str, ...]
    data: tuple[str, ...]
    source: str
    licence: str


@dataclass(frozen=True)
class RunView:
    """One run's provenance."""

    run: Run
    facts: tuple[Fact, ...]
    model: tuple[Fact, ...]
    tasks: tuple[TaskRow, ...]
    command: str
    command_note: str


def build_provenance(runs: Sequence[Run]) -> tuple[RunView, ...]:
    """The provenance of `runs`, in their order."""
    return tuple(_run_view(run) for run in runs)


def repeat_command(spec: RunSpec) -> str:
    """The command that gives this spec again, quoted for a POSIX shell, an option a line."""
    asked = tuple(_asked(spec))
    words = [shlex.quote(word) for word in ("evalsuite", *asked)]
    return " ".join(f"\\\n  {word}" if word.startswith("--") else word for word in words)


def _asked(spec: RunSpec) -> Iterator[str]:
    if spec.model.engine == IMPORTED:
        where = ("--output_path", "DIR") if spec.judged else ("--name", spec.model.name)
        yield from ("import", str(spec.model.identity[IMPORT_FORMAT]), "FILES", *where)
    elif spec.judged:
        yield from ("score", *_judge_arguments(spec, spec.judged))
    else:
        yield from ("run", *_arguments(spec))


def _run_view(run: Run) -> RunView:
    spec = run.result.spec
    return RunView(
        run=run,
        facts=tuple(_facts(run)),
        model=tuple((visible(key), visible(scalar_text(value))) for key, value in sorted(spec.model.identity.items())),
        tasks=tuple(
            _task_row(run, summary)
            for summary in sorted(
                run.result.tasks, key=lambda task: (task.family, task_rank(task.task, task.family, task.language))
            )
        ),
        command=visible(repeat_command(spec)),
        command_note=" ".join(filter(None, _command_notes(spec))),
    )


def _facts(run: Run) -> Iterator[Fact]:
    result, spec = run.result, run.result.spec
    yield "Run", result.run_id
    yield "Status", result.status
    yield "Engine", visible(spec.model.engine)
    if spec.judged:
        yield "Judge", visible(f"{spec.judged.judge}, version {spec.judged.version}, by {spec.model.name}")
        yield "Judged runs", visible(", ".join(spec.judged.runs))
        yield "Judged models", visible(", ".join(spec.judged.models))
    yield "Samples", _counts_text(run)
    chosen = sum(map(len, spec.rows.values()))
    limit = "none" if spec.limit is None else f"{spec.limit:g}, {spec.limit_mode}"
    yield "Limit", f"{chosen} chosen rows" if chosen else limit
    yield "Seed", str(spec.seed)
    yield "Prompts too long", TRUNCATION[spec.truncation]
    yield "Generation settings", pairs_text(spec.generation) or "as each task sets them"
    yield "System instruction", visible(spec.system_instruction) or "none"
    yield "Exemplars as turns", "no" if spec.multiturn_shots is False else "where prompts are conversations"
    yield (
        "Scored with",
        ", ".join(f"{visible(name)} {visible(found)}" for name, found in sorted(result.packages.items())),
    )
    for stack in result.stacks:
        if stack:
            yield "Computed on", pairs_text(stack)


def _counts_text(run: Run) -> str:
    counts = run.result.counts
    parts = [f"{counts.scored} scored of {counts.requested}"]
    if counts.unscored:
        parts.append(f"{counts.unscored} unscored ({causes_text(counts.unscored_by_cause)})")
    parts += [f"{counts.cancelled} cancelled"] if counts.cancelled else []
    parts += [f"{counts.not_run} not run"] if counts.not_run else []
    return ", ".join(parts)


def _task_row(run: Run, summary: TaskSummary) -> TaskRow:
    spec = run.specs[summary.task]
    rules = [spec.protocol, f"{spec.num_fewshot}-shot", f"version {spec.version}", *(["as chat"] if spec.chat else [])]
    return TaskRow(
        name=visible(spec.name),
        title=visible(summary.title),
        rules=visible(", ".join(rules)),
        samples=_samples_text(spec, summary),
        metrics=tuple(_metric_text(part) for part in run.result.estimates if part.task == spec.name),
        data=tuple(_pin_text(pin) for pin in spec.datasets),
        source=visible(summary.source),
        licence=visible(summary.licence),
    )


def _samples_text(spec: TaskSpec, summary: TaskSummary) -> str:
    truncated = f", {summary.num_truncated} truncated" if summary.num_truncated else ""
    shortened = f", {spec.num_shortened} with fewer exemplars" if spec.num_shortened else ""
    asked = f"{spec.num_samples} asked {spec.repeats} times" if spec.repeats > 1 else f"{spec.num_samples}"
    return f"{summary.counts.scored} of {asked} scored{truncated}{shortened}; {spec.num_available} in all"


def _metric_text(estimate: Estimate) -> str:
    """``acc_norm_char (acc_norm), higher is better, chance 25.0``."""
    alias = f" ({estimate.alias})" if estimate.alias else ""
    facts = (estimate.metric + alias, direction_text(estimate), chance_text([estimate]))
    return visible(", ".join(fact for fact in facts if fact))


def _pin_text(pin: DatasetPin) -> str:
    revision = f" at {pin.revision[:12]}" if pin.revision else ""
    digest = f"sha256 {pin.fingerprint[:16]}" if pin.fingerprint else "not known by a hash"
    return visible(f"{pin.path} {pin.config} {pin.split}{revision}, {pin.num_rows} rows, {digest}")


def _command_notes(spec: RunSpec) -> tuple[str, ...]:
    if spec.model.engine == IMPORTED:
        return (_command_note(spec.model),)
    return _judged_note(spec.judged), _files_note(spec), _command_note(spec.model)


def _judged_note(judged: JudgedSpec | None) -> str:
    if judged is None:
        return ""
    return (
        "RUN-… stands for the directory of the run with that id; give --judge_prompt, --weighted or --max_tokens again."
    )


def _files_note(spec: RunSpec) -> str:
    files = ", ".join(_task_files(spec).values())
    return visible(f"{files}: as `evalsuite translate` wrote it, wherever it lies.") if files else ""


def _command_note(model: ModelSpec) -> str:
    match model.engine:
        case "recorded":
            digest = visible(str(model.identity.get("answers_sha256", "")))
            return f"ANSWERS.jsonl stands for the file whose answers hash to {digest}."
        case "scripted":
            return ""
        case engine if engine == IMPORTED:
            digest = visible(str(model.identity.get("samples_sha256", "")))
            return f"Made by another tool. FILES stands for its files, whose samples hash to {digest}."
    return "Weights and chat template are pinned by the hashes below; give revision= or --chat_template again if used."


def _arguments(spec: RunSpec) -> Iterator[str]:
    yield from _model_arguments(spec.model)
    files = _task_files(spec)
    yield from ("--tasks", *(files.get(name, name) for name in spec.asked or [task.name for task in spec.tasks]))
    yield from _shared_arguments(spec.tasks)
    if spec.limit is not None:
        yield from ("--limit", f"{spec.limit:.15g}")
        if spec.limit_mode != "stratified":
            yield from ("--limit_mode", spec.limit_mode)
    if spec.rows:
        yield from ("--samples", json.dumps({task: list(rows) for task, rows in spec.rows.items()}))
    yield from ("--seed", str(spec.seed))
    if spec.multiturn_shots is not None:
        yield from ("--fewshot_as_multiturn", scalar_text(spec.multiturn_shots))
    if spec.system_instruction:
        yield from ("--system_instruction", spec.system_instruction)
    if spec.generation:
        yield from ("--gen_kwargs", _pairs(spec.generation))
    if spec.truncation:
        yield from ("--truncation", spec.truncation)


def _task_files(spec: RunSpec) -> dict[str, str]:
    """Tasks that came from files, and what `evalsuite translate` calls such a file unless told otherwise."""
    return {
        task.name: task.name.replace("@", ".") + TASK_FILE_SUFFIX
        for task in spec.tasks
        if any(pin.path == TASK_FILE for pin in task.datasets)
    }


def _judge_arguments(spec: RunSpec, judged: JudgedSpec) -> Iterator[str]:
    yield from (f"RUN-{run_id}" for run_id in judged.runs)
    yield from ("--judge", judged.judge)
    yield from _model_arguments(spec.model)
    if spec.limit is not None:
        yield from ("--limit", f"{spec.limit:.15g}")
    yield from ("--seed", str(spec.seed))


def _model_arguments(model: ModelSpec) -> Iterator[str]:
    identity = model.identity
    match model.engine:
        case "scripted":
            yield from ("--model", "scripted", "--model_args", _pairs({"function": identity["function"]}))
        case "recorded":
            yield from ("--model", "recorded", "--model_args", "path=ANSWERS.jsonl")
        case "transformers":
            is_set = identity.get("max_length_from") == "user"
            known = {key: identity[key] for key in ("dtype", *(("max_length",) if is_set else ())) if key in identity}
            yield from ("--model", model.name, "--model_args", _pairs(known), "--device", str(identity["device"]))
        case "openai":
            known = {key: value for key, value in identity.items() if value not in ("", "auto")}
            yield from ("--model", "openai", "--model_args", _pairs(known))
        case engine:
            yield from ("--model", engine, "--model_args", _pairs({"pretrained": model.name}))
    if identity.get("batch_size", "auto") not in ("auto", 1):
        yield from ("--batch_size", str(identity["batch_size"]))


def _shared_arguments(tasks: Sequence[TaskSpec]) -> Iterator[str]:
    """Exemplars and protocol, for all tasks at once or by task, and whether prompts were conversations.

    Where tasks differ in the last, it was each task's own default, since that flag holds for all.
    """
    yield from ("--num_fewshot", _for_all_or_each(tasks, "num_fewshot"))
    yield from ("--protocol", _for_all_or_each(tasks, "protocol"))
    chats = {task.chat for task in tasks}
    if len(chats) == 1:
        yield from ("--apply_chat_template", str(*chats).lower())


def _for_all_or_each(tasks: Sequence[TaskSpec], field: str) -> str:
    """A setting as it is for all tasks, else by family, or by task where a family's tasks differ."""
    values: dict[str, Scalar] = {task.name: getattr(task, field) for task in tasks}
    if len(set(values.values())) == 1:
        return scalar_text(next(iter(values.values())))
    families = {task.family: {values[other.name] for other in tasks if other.family == task.family} for task in tasks}
    return _pairs(
        {(task.family if len(families[task.family]) == 1 else task.name): values[task.name] for task in tasks}
    )


def _pairs(pairs: Mapping[str, Scalar]) -> str:
    """``a=1,b=x``, or JSON where a value holds what separates pairs."""
    texts = {key: scalar_text(value) for key, value in pairs.items()}
    if any("," in text or "=" in text for text in texts.values()):
        return json.dumps(dict(pairs))
    return ",".join(f"{key}={text}" for key, text in texts.items())
