"""Several judge runs over the same answers as one: a sealed run without a journal, made of theirs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalsuite import plugins
from evalsuite.building import PreparedTask
from evalsuite.contracts import Judge, JudgeOptions, Rubric, Task
from evalsuite.data import load_rows, source_from_environment
from evalsuite.engines.scripted import ScriptedEngine, plausible
from evalsuite.errors import UsageError
from evalsuite.judged import JudgedRun
from evalsuite.outcomes import Sealed, seal
from evalsuite.prepare import Prepared, count_families, scoring_packages
from evalsuite.records import JudgedSpec, ModelSpec, RunSpec, TaskSpec
from evalsuite.stats.juries import Jury, Rule, outcomes_by_case
from evalsuite.types import Outcome

ENGINE = "jury"
"""In place of an engine's name, in the spec of a run that was made of others."""


def seal_jury(runs: Sequence[JudgedRun], rule: Rule, data_dir: str | None = None) -> Sealed:
    """The combined result of judge runs. Raises UsageError where they do not judge the same answers by one rubric."""
    judged = _same_rubric(runs)
    judge = plugins.judge(judged.judge)
    rows = tuple(load_rows(dataset, source_from_environment(data_dir))[0] for dataset in judge.datasets)
    options = JudgeOptions(is_weighted=bool(judged.options.get("is_weighted")))
    jury = jury_of(judge, judge.build(rows, options), rule)
    by_run: list[dict[str, Outcome]] = [{record.sample.id: record.outcome for record in run.records} for run in runs]
    if any(found.keys() != by_run[0].keys() for found in by_run):
        raise UsageError("the judge runs have different cases; give them the same --limit and --seed.")
    combined = outcomes_by_case(jury, by_run)
    jurors = [run.result.spec.model.name for run in runs]
    name = f"jury of {', '.join(jurors)} ({rule})"
    first = runs[0].result
    tasks = []
    for spec in first.spec.tasks:
        cases = tuple(record.sample for record in runs[0].records if record.task == spec.name)
        task = Task(
            name=spec.name,
            family=spec.family,
            version=spec.version,
            language=cases[0].language,
            protocol=spec.protocol.replace(f"@{jurors[0]}", f"@{name}"),
            num_fewshot=0,
            kind="judge",
            datasets=(),
            samples=lambda _: (),
            next_requests=lambda sample, replies: (),
            score=lambda sample, replies: combined[sample.id],
            metrics=jury.metrics,
            title=judge.title,
            source=judge.source,
            show_in_report=all(one.show_in_report for one in first.tasks if one.task == spec.name),
        )
        tasks.append(PreparedTask(task, cases, spec.num_available, spec.datasets, is_chat=True))
    model = ModelSpec(
        name=name,
        engine=ENGINE,
        identity={"rule": rule, "runs": ",".join(run.result.run_id for run in runs)},
    )
    run_spec = msgspec.structs.replace(
        first.spec,
        model=model,
        judged=judged,
        tasks=tuple(_renamed(spec, entry.task.protocol) for spec, entry in zip(first.spec.tasks, tasks, strict=True)),
    )
    return seal(_prepared(run_spec, tasks), {}, scoring_packages(), ())


def jury_of(judge: Judge, rubric: Rubric, rule: Rule) -> Jury:
    """Jurors of one judge: ratings are numbers, preferences are not."""
    return Jury(rubric.metrics, rule, "interval" if judge.num_runs == 1 else "nominal")


def _renamed(spec: TaskSpec, protocol: str) -> TaskSpec:
    return msgspec.structs.replace(spec, protocol=protocol)


def _prepared(spec: RunSpec, tasks: Sequence[PreparedTask]) -> Prepared:
    return Prepared(spec, tuple(tasks), ScriptedEngine(plausible), num_asked=count_families(tasks))


def _same_rubric(runs: Sequence[JudgedRun]) -> JudgedSpec:
    """What all of `runs` judge. Raises UsageError when they differ in more than who judges."""
    if len(runs) < 2:
        raise UsageError("a jury has at least two jurors; give several judge runs.")
    if any(run.result.spec.model.engine == ENGINE for run in runs):
        raise UsageError("one of the runs is a jury itself, whose judges would count twice; name judge runs only.")
    found = [run.result.spec.judged for run in runs]
    first = found[0]
    if first is None or None in found:
        raise UsageError("a jury is made of judge runs; make them with `evalsuite score`.")
    for one in found:
        for field in ("judge", "version", "options", "answers_sha256"):
            if getattr(one, field) != getattr(first, field):
                raise UsageError(
                    f"the judge runs differ in their {field}; a jury judges the same answers by one rubric."
                )
    if len({run.result.spec.model.name for run in runs}) < len(runs):
        raise UsageError("two of the jurors are the same model.")
    return first
