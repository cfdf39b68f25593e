"""The command that makes a run again, and what has to be given besides."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence

from evalsuite.records import (
    IMPORT_FORMAT,
    IMPORTED,
    TASK_FILE,
    TASK_FILE_SUFFIX,
    JudgedSpec,
    ModelSpec,
    RunSpec,
    TaskSpec,
)
from evalsuite.text.visible import visible
from evalsuite.types import Scalar


def repeat_command(spec: RunSpec) -> str:
    """The command that gives this spec again, quoted for a POSIX shell, an option a line."""
    asked = tuple(_asked(spec))
    words = [_quoted(word) for word in ("evalsuite", *asked)]
    return " ".join(f"\\\n  {word}" if word.startswith("--") else word for word in words)


def _quoted(word: str) -> str:
    """`word` as a shell reads it; what a page would spell out is escaped, as POSIX has it since 2024."""
    if visible(word) == word:
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, word)) + "'"


def _escaped(char: str) -> str:
    if visible(char) != char:
        return f"\\U{ord(char):08X}"
    return "\\" + char if char in "'\\" else char


def _asked(spec: RunSpec) -> Iterator[str]:
    if spec.model.engine == IMPORTED:
        where = ("--output_path", "DIR") if spec.judged else ("--name", spec.model.name)
        yield from ("import", str(spec.model.identity[IMPORT_FORMAT]), "FILES", *where)
    elif spec.judged:
        yield from ("score", *_judge_arguments(spec, spec.judged))
    else:
        yield from ("run", *_arguments(spec))


def command_note(spec: RunSpec) -> str:
    """What stands in the command for something else, or must be given again; empty where nothing."""
    if spec.model.engine == IMPORTED:
        return _command_note(spec.model)
    return " ".join(filter(None, (_judged_note(spec.judged), _files_note(spec), _command_note(spec.model))))


def _judged_note(judged: JudgedSpec | None) -> str:
    if judged is None:
        return ""
    return (
        "RUN-… stands for the directory of the run with that id; give --judge_prompt, --weighted or --max_tokens again."
    )


def _files_note(spec: RunSpec) -> str:
    files = ", ".join(_task_files(spec).values())
    return f"{files}: as `evalsuite translate` wrote it, wherever it lies." if files else ""


def _command_note(model: ModelSpec) -> str:
    match model.engine:
        case "recorded":
            digest = str(model.identity.get("answers_sha256", ""))
            return f"ANSWERS.jsonl stands for the file whose answers hash to {digest}."
        case "scripted":
            return ""
        case engine if engine == IMPORTED:
            digest = str(model.identity.get("samples_sha256", ""))
            return f"Made by another tool. FILES stands for its files, whose samples hash to {digest}."
        case "transformers" | "vllm" | "openai":
            return (
                "Weights and chat template are pinned by the hashes below; give revision= or --chat_template again if "
                "used."
            )
    return f"Give the --model_args of the engine {model.engine} again; what it says of itself stands below."


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
    named = {"name": model.name} if model.name != model.engine else {}
    match model.engine:
        case "scripted":
            yield from ("--model", "scripted", "--model_args", _pairs({"function": identity["function"], **named}))
        case "recorded":
            yield from ("--model", "recorded", "--model_args", _pairs({"path": "ANSWERS.jsonl", **named}))
        case "transformers":
            is_set = identity.get("max_length_from") == "user"
            known = {key: identity[key] for key in ("dtype", *(("max_length",) if is_set else ())) if key in identity}
            yield from ("--model", model.name, "--model_args", _pairs(known), "--device", str(identity["device"]))
        case "vllm":
            yield from (
                "--model",
                "vllm",
                "--model_args",
                _pairs({"pretrained": model.name, **dict(_of_vllm(identity))}),
            )
        case "openai":
            known = {key: value for key, value in identity.items() if value not in ("", "auto")}
            yield from ("--model", "openai", "--model_args", _pairs(known))
        case engine:
            yield from ("--model", engine, *(("--model_args", _pairs(named)) if named else ()))
    if identity.get("batch_size", "auto") not in ("auto", 1):
        yield from ("--batch_size", str(identity["batch_size"]))
    if "planned_for_workers" in identity:
        yield from ("--workers", str(identity["planned_for_workers"]))


def _of_vllm(identity: Mapping[str, Scalar]) -> Iterator[tuple[str, Scalar]]:
    """What the engine takes of that which decides answers or their last bits, where it is not what it does anyway."""
    if "dtype" in identity:
        yield "dtype", identity["dtype"]
    if identity.get("max_length_from") == "user":
        yield "max_length", identity["max_length"]
    if identity.get("tensor_parallel_size", 1) != 1:
        yield "tensor_parallel_size", identity["tensor_parallel_size"]
    if identity.get("enforce_eager"):
        yield "enforce_eager", True


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


def scalar_text(value: Scalar) -> str:
    """A value as the command line takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
