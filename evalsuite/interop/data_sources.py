"""Where the rows behind a number can be had by others: a dataset of the hub, a file of its own address, or neither."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalsuite import plugins
from evalsuite.contracts import Dataset, TaskOptions
from evalsuite.errors import EvalsuiteError
from evalsuite.interop.sealed_runs import SealedRun
from evalsuite.records import TASK_FILE, Aggregate, DatasetPin, Estimate

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class Source:
    """The scored rows of a task; `hub_id` is empty where they are no dataset of the hub, `url` where there is none."""

    pin: DatasetPin
    hub_id: str
    url: str


def source_of(run: SealedRun, task: str) -> Source | None:
    """Where a task's scored rows are from; None where the run does not say."""
    spec = run.spec_of(task)
    if not spec.datasets:
        return None
    pin = spec.datasets[0]
    declared = _declared(task, pin)
    url = declared.url if declared else ""
    is_hub_id = pin.path != TASK_FILE and _HUB_ID.fullmatch(pin.path)
    return Source(pin, pin.path if is_hub_id and not url else "", url)


def common_source(run: SealedRun, measure: Estimate | Aggregate) -> Source | None:
    """The source that all tasks behind a number share, which may be several configurations of one dataset."""
    tasks = measure.members if isinstance(measure, Aggregate) else (measure.task,)
    found = [source_of(run, task) for task in tasks]
    first = found[0]
    if first is None or any(one is None or (one.pin.path, one.url) != (first.pin.path, first.url) for one in found):
        return None
    return first


def _declared(task: str, pin: DatasetPin) -> Dataset | None:
    """The dataset as the installed task of that name declares it."""
    try:
        (choice,) = plugins.choose_tasks([task])
        datasets = choice.family.build(choice.name.partition(":")[0], TaskOptions()).datasets
    except (EvalsuiteError, ValueError):
        return None
    wanted = (pin.path, pin.config, pin.split)
    return next((one for one in datasets if (one.path, one.config, one.split) == wanted), None)
