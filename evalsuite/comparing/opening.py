"""What a user names as a side, a run directory or a baseline file, and the metrics that only a task's code knows."""

from __future__ import annotations

from pathlib import Path

from evalsuite import plugins
from evalsuite.comparing.baselines import read_baseline, side_of
from evalsuite.comparing.sides import Side, read_side
from evalsuite.contracts import JudgeOptions, Metric, TaskOptions
from evalsuite.data import load_rows, source_from_environment
from evalsuite.errors import EvalsuiteError, SpecMismatch
from evalsuite.records import Estimate
from evalsuite.store.results import RESULTS


def open_side(path: Path, label: str = "") -> Side:
    """The run in the directory `path`, the only one below it, or the baseline in the file `path`.

    Raises SpecMismatch, DataError or CorruptStore.
    """
    if path.is_file():
        return side_of(read_baseline(path), path)
    if not (path / RESULTS).exists():
        below = sorted(entry.parent for entry in path.glob(f"*/{RESULTS}"))
        if len(below) > 1:
            names = ", ".join(entry.name for entry in below[:4])
            raise SpecMismatch(f"{path} holds {len(below)} runs ({names}{' …' if len(below) > 4 else ''}); name one.")
        path = below[0] if below else path
    return read_side(path, label)


def find_metric(side: Side, estimate: Estimate) -> Metric | None:
    """The metric behind `estimate` from the task's or the judge's own code; None where that cannot be had here."""
    try:
        metrics = _judge_metrics(side) if side.spec.judged else _task_metrics(side, estimate)
    except EvalsuiteError:
        return None
    return next((metric for metric in metrics if metric.name == estimate.metric), None)


def _task_metrics(side: Side, estimate: Estimate) -> tuple[Metric, ...]:
    spec = side.tasks[estimate.task].spec
    (choice,) = plugins.choose_tasks([estimate.task])
    options = TaskOptions(
        num_fewshot=spec.num_fewshot, protocol=spec.protocol.partition("+")[0], chat=spec.chat, seed=side.spec.seed
    )
    return choice.family.build(choice.name.partition(":")[0], options).metrics


def _judge_metrics(side: Side) -> tuple[Metric, ...]:
    judged = side.spec.judged
    assert judged is not None
    judge = plugins.judge(judged.judge)
    source = source_from_environment(None)
    rows = tuple(load_rows(dataset, source)[0] for dataset in judge.datasets)
    return judge.build(rows, JudgeOptions(is_weighted=bool(judged.options.get("is_weighted")))).metrics
