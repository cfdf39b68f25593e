"""The tasks of a stored judge run or jury, built again by the judge's own rubric, and its cases by the judged runs.

The judged runs, and a jury's judge runs, are read where they are at hand; else cases and verdicts are what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evalsuite import plugins
from evalsuite.canonical import content_hash
from evalsuite.cards import card_kit
from evalsuite.contracts import Judge, JudgeOptions, Rubric, Task
from evalsuite.errors import DataError
from evalsuite.judged import JudgedRun, answers_of, by_id, chosen, read_run
from evalsuite.judging import Cases, task_of_cases
from evalsuite.jury import ENGINE as JURY
from evalsuite.jury import jury_of
from evalsuite.prepare import count_families
from evalsuite.proofs.rebuilt import Rebuilt, Surroundings, each_task, entry_of, pinned_rows, scorable_tasks, summary_of
from evalsuite.proofs.recounting import Known, Rows, Shape
from evalsuite.records import JudgedSpec, RunResult, TaskSpec
from evalsuite.stats.juries import Jury, Rule, outcomes_by_case
from evalsuite.types import Outcome, Sample


@dataclass(frozen=True)
class _Bench:
    """A judge with its rubric, as a run had them."""

    judge: Judge
    rubric: Rubric


def rebuild_judged(result: RunResult, judged: JudgedSpec, rows: Rows, around: Surroundings) -> Rebuilt:
    """The tasks of a judge run or of a jury, whose cases are those of `rows`."""
    benches, missing = each_task(result, lambda spec: _bench(judged, spec, around))
    is_jury = result.spec.model.engine == JURY
    tasks = {name: _task(result, name, bench, rows) for name, bench in benches.items()}
    if is_jury:
        tasks, unheard = _heard(result, tasks, benches, around)
        missing |= unheard
    samples, no_data = each_task(result, lambda spec: _cases(result, judged, spec.name, benches, around), benches)
    entries = {spec.name: entry_of(spec, tasks[spec.name], rows) for spec in result.spec.tasks if spec.name in tasks}
    shape = Shape((), count_families(list(entries.values())), {}) if len(entries) == len(rows) else None
    return Rebuilt(Known(entries, shape), scorable_tasks(result, missing), missing, samples, no_data)


def _bench(judged: JudgedSpec, spec: TaskSpec, around: Surroundings) -> _Bench:
    """The judge as it was asked. Raises EvalsuiteError where what is installed is not what ran."""
    judge = plugins.judge(judged.judge)
    if judge.version != judged.version:
        raise DataError(f"the judge is another here: version {judge.version}, in the run {judged.version}")
    wanted = judged.options.get("prompt_sha256")
    if wanted is not None and (not around.judge_prompt or content_hash(around.judge_prompt) != wanted):
        raise DataError("the judge's prompt was a file of the user's, which a run does not keep; give --judge_prompt")
    max_tokens = judged.options.get("max_tokens")
    options = JudgeOptions(
        prompt=around.judge_prompt if wanted is not None else "",
        is_weighted=bool(judged.options.get("is_weighted")),
        max_tokens=max_tokens if isinstance(max_tokens, int) else None,
    )
    return _Bench(judge, judge.build(pinned_rows(judge, spec.datasets, around.source), options))


def _task(result: RunResult, name: str, bench: _Bench, rows: Rows) -> Task:
    spec, summary = next(task for task in result.spec.tasks if task.name == name), summary_of(result, name)
    cases = tuple(sample for sample, _ in rows[name])
    named = Cases(name, spec.family, summary.language, spec.protocol, cases, show_in_report=summary.show_in_report)
    return task_of_cases(bench.judge, bench.rubric, named)


# -- cases, from the judged runs


def _cases(
    result: RunResult, judged: JudgedSpec, name: str, benches: Mapping[str, _Bench], around: Surroundings
) -> Mapping[str, Sample]:
    """The cases that the judged answers, or a judge card, make. Raises DataError where these are not at hand."""
    bench = benches[name]
    if not judged.runs:
        made = card_kit().cases(bench.judge, bench.rubric, summary_of(result, name).language)
        return {case.id: case for case in made}
    every = [answers_of(run) for run in _read(judged.runs, around)]
    sides = chosen(bench.judge, every, result.spec.limit, result.spec.seed)
    if content_hash([[one.texts for one in side.values()] for side in map(by_id, sides)]) != judged.answers_sha256:
        raise DataError(f"the answers of {', '.join(judged.runs)} are others by now than those that were judged")
    return {case.id: case for case in bench.rubric.cases(tuple(side[name] for side in sides))}


def _read(run_ids: Sequence[str], around: Surroundings) -> list[JudgedRun]:
    """The runs of these ids. Raises DataError for one that is not at hand."""
    missing = [run_id for run_id in run_ids if run_id not in around.runs]
    if missing:
        raise DataError(f"run {', '.join(missing)} is not at hand, of whose answers it is made")
    return [read_run(around.runs[run_id]) for run_id in run_ids]


# -- a jury's verdicts, from its judge runs


def _heard(
    result: RunResult, tasks: Mapping[str, Task], benches: Mapping[str, _Bench], around: Surroundings
) -> tuple[dict[str, Task], dict[str, str]]:
    """The tasks as the jury's, and by task why its verdicts cannot be combined again."""
    identity = result.spec.model.identity
    rule: Rule = "majority" if identity.get("rule") == "majority" else "mean"
    juries = {name: jury_of(bench.judge, bench.rubric, rule) for name, bench in benches.items()}
    named = {name: replace(task, metrics=juries[name].metrics, datasets=()) for name, task in tasks.items()}
    run_ids = str(identity.get("runs", "")).split(",")
    combined, missing = each_task(result, lambda spec: _combined(juries[spec.name], run_ids, around), benches)
    heard = {name: _of_jurors(task, combined[name]) if name in combined else task for name, task in named.items()}
    return heard, missing


def _combined(jury: Jury, run_ids: Sequence[str], around: Surroundings) -> Mapping[str, Outcome]:
    by_run: list[dict[str, Outcome]] = [
        {record.sample.id: record.outcome for record in run.records} for run in _read(run_ids, around)
    ]
    return outcomes_by_case(jury, by_run)


def _of_jurors(task: Task, combined: Mapping[str, Outcome]) -> Task:
    def score(sample: Sample, replies: object) -> Outcome:
        return combined[sample.id]

    return replace(task, next_requests=lambda sample, replies: (), score=score)  # type: ignore[arg-type]
