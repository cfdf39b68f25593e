"""Task files: a task's samples in another language, as ``evalsuite translate`` writes and ``--tasks FILE`` reads them.

One JSON object: which task it was made of, who translated it, and the translated texts of each sample by its id. How a
sample is asked and scored stays with the task it was made of, whose rows are read as ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import msgspec

from evalsuite import plugins
from evalsuite.canonical import content_hash
from evalsuite.contracts import Dataset, Family, Rows, Task, TaskInfo, TaskOptions
from evalsuite.errors import DataError, UsageError
from evalsuite.records import TASK_FILE
from evalsuite.store.files import write_atomic
from evalsuite.types import Record, Sample

FORMAT = 1
TRANSLATED = "+translated"
"""Ends the protocols of tasks from such files."""

Texts = Mapping[str, str | tuple[str, ...]]
"""What of a sample is translated: `input`, `turns` and `choices`, those that it has."""


class TranslatedSample(Record, frozen=True, kw_only=True):
    """One sample's texts in the new language; `id` is the sample's own."""

    id: str
    texts: Mapping[str, str | tuple[str, ...]]


class RefusedSample(Record, frozen=True, kw_only=True):
    """A sample that has no translation that could be accepted, and why."""

    id: str
    reason: str


class TaskFile(Record, frozen=True, kw_only=True):
    """A task in another language. `provenance` is how the texts came into it, `translator` and `run_id` by whom.

    `is_chat`: the texts are those of conversations, which say what is wanted where plain prompts only begin to.
    """

    format: int
    task: str
    protocol: str
    language: str
    source_language: str
    provenance: str
    translator: str
    run_id: str
    samples: tuple[TranslatedSample, ...]
    refused: tuple[RefusedSample, ...] = ()
    is_chat: bool = False


def texts_of(sample: Sample) -> dict[str, str | tuple[str, ...]]:
    """The texts of `sample` that a translation replaces; the first of several turns is its input."""
    if sample.turns:
        return {"turns": sample.turns}
    if sample.choices and not _are_letters(sample.choices):
        return {"input": sample.input, "choices": sample.choices}
    return {"input": sample.input}


def _are_letters(choices: tuple[str, ...]) -> bool:
    """Whether the choices are names of choices that stand in the input (A, B), which stay what they are."""
    return "".join(choices) == ascii_uppercase[: len(choices)]


def write_task_file(path: Path, task_file: TaskFile) -> None:
    """Write it whole or not at all. Raises SaveFailed."""
    write_atomic(path, content_of(task_file))


def content_of(task_file: TaskFile) -> bytes:
    """The bytes of its file, made for people to read and correct."""
    text = json.dumps(msgspec.to_builtins(task_file), ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def read_task_file(path: Path) -> TaskFile:
    """The file at `path`. Raises DataError saying what is wrong with it."""
    try:
        content: Any = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"task file {path} cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"task file {path}: its format is not {FORMAT}; `evalsuite translate` writes such files.")
    try:
        found = msgspec.convert(content, TaskFile)
    except msgspec.ValidationError as error:
        raise DataError(f"task file {path}: {error}.") from error
    if len({sample.id for sample in found.samples}) < len(found.samples):
        raise DataError(f"task file {path}: a sample stands there twice.")
    if not found.samples:
        raise DataError(f"task file {path} holds no samples.")
    return found


def choice_of(path: Path) -> plugins.TaskChoice:
    """The task of a file as one to be run. Raises DataError or UnknownName."""
    task_file = read_task_file(path)
    (base,) = plugins.choose_tasks([task_file.task])
    name = f"{task_file.task}@{task_file.language}"
    info = TaskInfo(name, base.family.name, task_file.language, "", name, "")
    build = partial(_build, base.family, path, task_file)
    return plugins.TaskChoice(Family(name, (info,), build, (task_file.protocol,)), name)


def _build(family: Family, path: Path, task_file: TaskFile, name: str, options: TaskOptions) -> Task:
    if options.prompt_language:
        raise UsageError(f"--prompt_language: the words of {name} are those of its file; leave it out.")
    if options.num_fewshot:
        raise UsageError(f"{name}: a translated task has no exemplars; leave --num_fewshot out or at 0.")
    translated = task_file.protocol + TRANSLATED
    if options.protocol not in (None, task_file.protocol, translated):
        raise UsageError(f"{name}: {path} was made under the protocol {task_file.protocol}; leave --protocol out.")
    usual = replace(options, num_fewshot=0, protocol=task_file.protocol)
    task = family.build(task_file.task, usual)
    if task.kind != "chat" and options.chat != task_file.is_chat:
        form = "conversations" if task_file.is_chat else "plain prompts"
        raise UsageError(
            f"{name}: the texts of {path} are those of {form}; set --apply_chat_template {task_file.is_chat}."
        )
    if task.prompt_language:  # where an answer ends is said in the language of the words around it
        task = family.build(task_file.task, replace(usual, prompt_language=task_file.language))
    # the path is no part of what is run: the same file elsewhere is the same task
    pinned = Dataset(TASK_FILE, name, "samples", fingerprint=content_hash(_rows(task_file)), url=str(path))
    return replace(
        task,
        name=name,
        language=task_file.language,
        protocol=translated,
        datasets=(*task.datasets, pinned),
        samples=partial(_samples, task, name, task_file.language),
        title=f"{task.title}, translated into {task_file.language}" if task.title else "",
        language_provenance=f"{task_file.provenance}, by {task_file.translator}",
        is_sealed=False,
    )


def _rows(task_file: TaskFile) -> Rows:
    return tuple(msgspec.to_builtins(sample) for sample in task_file.samples)


def _samples(task: Task, name: str, language: str, splits: tuple[Rows, ...]) -> tuple[Sample, ...]:
    """The translated samples, in the order of the task's own; those without a translation are left out."""
    translated = {row["id"]: row["texts"] for row in splits[-1]}
    own = task.samples(splits[:-1])
    if unknown := sorted(translated.keys() - {sample.id for sample in own}):
        raise DataError(f"{name}: the task file has a sample {unknown[0]} that {task.name} has not.")
    return tuple(
        _translated(sample, task.name, name, language, translated[sample.id])
        for sample in own
        if sample.id in translated
    )


def _translated(sample: Sample, task: str, name: str, language: str, texts: Mapping[str, Any]) -> Sample:
    own = texts_of(sample)
    if own.keys() != texts.keys() or any(isinstance(own[key], str) != isinstance(texts[key], str) for key in own):
        raise DataError(f"{name}: the task file's texts of {sample.id} are {sorted(texts)}, expected {sorted(own)}.")
    if any(len(own[key]) != len(texts[key]) for key in own if not isinstance(own[key], str)):
        raise DataError(f"{name}: the task file has another number of texts for {sample.id} than the task.")
    turns = tuple(texts.get("turns", ()))
    choices = tuple(texts.get("choices", ())) or sample.choices
    return msgspec.structs.replace(
        sample,
        id=name + sample.id.removeprefix(task),
        input=turns[0] if turns else texts["input"],
        turns=turns,
        choices=choices,
        target=choices[sample.gold] if "choices" in texts and sample.gold is not None else sample.target,
        language=language,
    )
