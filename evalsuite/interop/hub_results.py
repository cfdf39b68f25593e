"""Sealed runs as the hub's ``.eval_results/*.yaml``, which a model's repository holds and benchmarks' boards collect.

Source: huggingface.co/docs/hub/eval-results and ``huggingface_hub.EvalResultEntry``. An entry is one number of one task
of a benchmark; it has no field for an interval, so that interval, n and protocol stand in its notes. Its ids of tasks
are the benchmark's own (``eval.yaml`` of its repository), which no run knows: the user gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import yaml

from evalsuite.boards.loading import headlines
from evalsuite.errors import UsageError, nearest
from evalsuite.interop.data_sources import Source, common_source
from evalsuite.interop.exporting import ExportOptions, Files, missing_text, partial_text, uncertainty_text
from evalsuite.interop.lm_eval_names import safe_name
from evalsuite.interop.sealed_runs import SealedRun
from evalsuite.records import Aggregate, Estimate
from evalsuite.text.number_texts import PERCENT

FOLDER = ".eval_results"
Measure = Estimate | Aggregate


def hub_result_files(runs: Sequence[SealedRun], options: ExportOptions) -> Files:
    """A file for each family or task of the one run that `task_ids` names.

    Raises UsageError for several runs, a run that is partial or incomplete (a board shows the number alone), and for
    names that the run has not or whose rows are no dataset of the hub.
    """
    if len(runs) != 1:
        raise UsageError("--to hub: one run at a time; a folder of results belongs to one model's repository.")
    (run,) = runs
    _check_whole(run)
    found = {_name(measure): measure for measure in headlines(run.result)}
    if not options.task_ids:
        raise UsageError(
            f"--to hub needs --task_id NAME=ID: the id that the benchmark's eval.yaml gives the task. {_there_is(run)}"
        )
    for name in options.task_ids:
        if name not in found:
            near = nearest(name, found)
            guess = f"did you mean {near!r}? " if near else ""
            raise UsageError(f"--task_id {name}: the run has no such number; {guess}{_there_is(run)}")
    return {
        PurePosixPath(FOLDER, f"{safe_name(name)}.yaml"): _yaml([_entry(run, found[name], task_id, options)])
        for name, task_id in options.task_ids.items()
    }


def _name(measure: Measure) -> str:
    return measure.family if isinstance(measure, Aggregate) else measure.task


def _check_whole(run: SealedRun) -> None:
    result = run.result
    why = partial_text(run, [spec.name for spec in result.spec.tasks])
    if result.status != "complete":
        why = missing_text(result.counts)
    if why:
        raise UsageError(f"{run.path}: {why}. The hub's boards show a number alone; run all of it for --to hub.")


def _there_is(run: SealedRun) -> str:
    names = [f"{_name(measure)} ({source.hub_id})" for measure, source in _on_hub(run)]
    return f"It has: {', '.join(names)}." if names else "None of its numbers is of a dataset of the hub."


def _on_hub(run: SealedRun) -> Iterator[tuple[Measure, Source]]:
    for measure in headlines(run.result):
        source = common_source(run, measure)
        if source is not None and source.hub_id:
            yield measure, source


def _entry(run: SealedRun, measure: Measure, task_id: str, options: ExportOptions) -> dict[str, Any]:
    """One entry; values are on the scale that is shown, as percentages where they are shares."""
    source = common_source(run, measure)
    if source is None or not source.hub_id:
        raise UsageError(f"--task_id {_name(measure)}: its rows are no dataset of the hub. {_there_is(run)}")
    revision = {"revision": source.pin.revision} if source.pin.revision else {}
    when = {"date": run.began.date().isoformat()} if run.began else {}
    link = {"source": {"url": options.source_url}} if options.source_url else {}
    return {
        "dataset": {"id": source.hub_id, "task_id": task_id, **revision},
        "value": round(measure.value * measure.scale, 4),
        **when,
        **link,
        "notes": _notes(run, measure),
    }


def _notes(run: SealedRun, measure: Measure) -> str:
    tasks = measure.members if isinstance(measure, Aggregate) else (measure.task,)
    shots = "/".join(str(count) for count in sorted({run.spec_of(task).num_fewshot for task in tasks}))
    alias = f" ({measure.alias})" if isinstance(measure, Estimate) and measure.alias else ""
    what = f"{measure.kind} mean of {measure.metric}" if isinstance(measure, Aggregate) else f"{measure.metric}{alias}"
    unit = ", percent" if measure.scale == PERCENT else ""
    chat = ", as chat" if any(run.spec_of(task).chat for task in tasks) else ""
    version = run.result.packages.get("evalsuite", "")
    return (
        f"{what}{unit}; {uncertainty_text(measure)}; {shots}-shot{chat}, protocol {measure.protocol}; "
        f"evalsuite {version} run {run.result.run_id}"
    )


def _yaml(entries: list[dict[str, Any]]) -> bytes:
    text: str = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=1000)
    return text.encode("utf-8", "replace")
