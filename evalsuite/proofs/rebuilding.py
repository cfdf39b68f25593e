"""The tasks of a stored run built again from its spec, by their own plugins, so that its answers can be scored again.

Nothing here asks a model. What cannot be had here (a plugin, another version of it, a prompt of the user's own) is said
in words, and its task is then only what the result states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from evalsuite import plugins
from evalsuite.building import only_category
from evalsuite.contracts import Task, TaskOptions
from evalsuite.data import DataSource
from evalsuite.errors import DataError, EvalsuiteError, UnknownName
from evalsuite.prepare import whole_suites
from evalsuite.proofs.rebuilding_judges import rebuild_judged
from evalsuite.proofs.rebuilt import (
    Rebuilt,
    Surroundings,
    each_task,
    entry_of,
    pinned_rows,
    scorable_tasks,
    summary_of,
)
from evalsuite.proofs.recounting import Known, Rows, Shape
from evalsuite.records import RunResult, RunSpec, TaskSpec, TaskSummary
from evalsuite.task_files import TRANSLATED
from evalsuite.translating import PROTOCOL as TRANSLATION
from evalsuite.translating import translation_of
from evalsuite.types import Sample

_PROMPTED = "+prompt-"
"""Stands in a protocol before the language of the words around its samples, where that is not the usual one."""


def rebuild(result: RunResult, rows: Rows, around: Surroundings) -> Rebuilt:
    """The tasks of `result`, whose samples are those of `rows`."""
    if result.spec.judged is not None:
        return rebuild_judged(result, result.spec.judged, rows, around)
    tasks, missing = each_task(result, lambda spec: _task(result.spec, spec, summary_of(result, spec.name)))
    samples, no_data = each_task(result, lambda spec: _samples(tasks[spec.name], spec, around.source), tasks)
    entries = {spec.name: entry_of(spec, tasks[spec.name], rows) for spec in result.spec.tasks if spec.name in tasks}
    return Rebuilt(Known(entries, _shape(result.spec)), scorable_tasks(result, missing), missing, samples, no_data)


# -- ordinary runs


def _task(run: RunSpec, spec: TaskSpec, summary: TaskSummary) -> Task:
    """The task of `spec`. Raises EvalsuiteError where what is installed is not what ran."""
    if spec.protocol.endswith(TRANSLATED):
        raise DataError("it came from a task file, which a run does not keep")
    base, _, rules = spec.protocol.rpartition("/")
    if rules == TRANSLATION:
        name, _, language = spec.name.rpartition("@")
        source = _installed(run, msgspec.structs.replace(spec, name=name, protocol=base, chat=False))
        task = translation_of(source, language, spec.chat)
    else:
        task = _installed(run, spec)
    for what, ours, theirs in (
        ("version", task.version, spec.version),
        ("protocol", task.protocol, spec.protocol),
        ("exemplars", task.num_fewshot, spec.num_fewshot),
        ("family", task.family, spec.family),
        ("language", task.language, summary.language),
    ):
        if ours != theirs:
            raise DataError(f"it is another task here: {what} {ours}, in the run {theirs}")
    return task


def _installed(run: RunSpec, spec: TaskSpec) -> Task:
    """The task as its plugin builds it under the run's options."""
    choices = {choice.name: choice for choice in plugins.choose_tasks([spec.name])}
    if spec.name not in choices:
        raise UnknownName("task", spec.name, choices, "`evalsuite list tasks` shows all.")
    if choices[spec.name].family.name != spec.family:  # a catalogue's task is of the group that was asked for
        choices |= {choice.name: choice for choice in plugins.choose_tasks([spec.family])}
    protocol, _, language = spec.protocol.partition(_PROMPTED)
    options = TaskOptions(
        num_fewshot=spec.num_fewshot,
        protocol=protocol,
        chat=spec.chat,
        multiturn_shots=run.multiturn_shots is not False,
        system_instruction=run.system_instruction,
        prompt_language=language,
        seed=run.seed,
    )
    task = choices[spec.name].family.build(spec.name.partition(":")[0], options)
    return replace(task, name=spec.name)


def _samples(task: Task, spec: TaskSpec, source: DataSource) -> Mapping[str, Sample]:
    """The task's samples, made of its data. Raises EvalsuiteError where these are not here."""
    if spec.protocol.endswith(f"/{TRANSLATION}"):
        raise DataError("whether its texts were those of conversations is not kept")
    samples = task.samples(pinned_rows(task, spec.datasets, source))
    category = spec.name.partition(":")[2]
    if category:
        whole = replace(task, name=spec.name.partition(":")[0])
        _, samples = only_category(whole, samples, spec.name, category)
    return {sample.id: sample for sample in samples}


def _shape(run: RunSpec) -> Shape | None:
    """The run's shape by what was asked for; None where one of these names is not installed."""
    families = {task.name: task.family for task in run.tasks}
    asked: dict[str, str] = {}
    try:
        for name in run.asked:
            if name in families:
                asked[name] = families[name]
            else:
                asked |= {choice.name: choice.family.name for choice in plugins.choose_tasks([name])}
    except EvalsuiteError:
        return None
    if not asked:  # the run is from before specs said it
        return None
    lost = [family for name, family in asked.items() if name not in families]
    return Shape(whole_suites(asked), _counted(list(asked.values())), {} if run.rows else _counted(lost))


def _counted(families: list[str]) -> dict[str, int]:
    return {family: families.count(family) for family in families}
