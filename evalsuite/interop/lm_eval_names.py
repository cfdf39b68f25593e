"""What our tasks and metrics are called in lm-eval's files, and which numbers may stand there under its own names.

A number of another protocol is another number. In lm-eval's files a task's name is all that says which, so that only
numbers made by lm-eval's rules get its names; the others are ``TASK@PROTOCOL``, which no task of lm-eval is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.contracts import LM_EVAL_PROTOCOL
from evalsuite.records import Estimate, TaskSpec
from evalsuite.types import Sample

if TYPE_CHECKING:  # it reads tables, which is much to import for names alone
    from evalsuite.interop.sealed_runs import SealedRun

NO_FILTER = "none"
"""lm-eval's name of what is scored as the model wrote it."""

PREFIX = "lm_eval."
"""Begins the names that lm-eval's tasks have where they are run here."""

IMPORTED_PROTOCOL = "lm-eval@"
"""Begins the protocol of numbers that were read from lm-eval's files; its version follows."""

_SPLIT = {
    "truthfulqa": {"mc1": ("truthfulqa_mc1", "acc"), "mc2": ("truthfulqa_mc2", "acc")},
}
"""Tasks of ours that are several of lm-eval's: by our metric, its task and metric."""

_KEY = re.compile(r"[A-Za-z0-9_+-]+(,[A-Za-z0-9_+-]+)?")
_UNSAFE = re.compile(r'["<>:/|\\?*\[\]]+')


@dataclass(frozen=True)
class LmEvalName:
    """Where one of our metrics stands: lm-eval's task, metric and filter."""

    task: str
    metric: str
    filter: str

    @property
    def key(self) -> str:
        """``acc_norm,none``."""
        return f"{self.metric},{self.filter}"

    @property
    def stderr_key(self) -> str:
        """``acc_norm_stderr,none``."""
        return f"{self.metric}_stderr,{self.filter}"


def own_items(task: str, sample: Sample) -> slice:
    """Which of a sample's requests are about lm-eval's `task`: its share where one task of ours is several of its."""
    if task not in ("truthfulqa_mc1", "truthfulqa_mc2"):
        return slice(None)
    num_mc1 = int(sample.metadata["num_mc1"])
    return slice(num_mc1) if task == "truthfulqa_mc1" else slice(num_mc1, None)


def safe_name(name: str) -> str:
    """`name` as lm-eval writes a model's in a path."""
    return _UNSAFE.sub("__", name)


def folder_name(name: str) -> str:
    """`name` as a folder's, which is never another one's: files of others may hold names such as ``..``."""
    found = safe_name(name)
    return found if found.strip(". ") else "unnamed"


def departures(run: SealedRun, spec: TaskSpec) -> tuple[str, ...]:
    """Why a task's numbers are not those that lm-eval's own rules give; none where they are."""
    return tuple(_departures(run, spec))


def _departures(run: SealedRun, spec: TaskSpec) -> Iterator[str]:
    if spec.protocol != LM_EVAL_PROTOCOL and not spec.protocol.startswith(IMPORTED_PROTOCOL):
        yield f"its protocol is {spec.protocol}"
    if ":" in spec.name:
        yield "it is one category of the task"
    if spec.repeats > 1:
        yield f"every sample was asked {spec.repeats} times"
    if run.result.spec.truncation:
        yield f"prompts that are too long: {run.result.spec.truncation}"
    counts = run.summary_of(spec.name).counts
    if counts.scored < counts.requested:
        yield f"{counts.requested - counts.scored} samples have no score and are left out"


def names_of(run: SealedRun, spec: TaskSpec) -> dict[str, LmEvalName]:
    """The name of each of a task's metrics by our own."""
    is_theirs = not departures(run, spec)
    split: Mapping[str, tuple[str, str]] = _SPLIT.get(spec.family, {}) if is_theirs else {}
    own = spec.name.removeprefix(PREFIX)
    task = safe_name(own if is_theirs else f"{own}@{spec.protocol}")
    estimates = run.estimates_of(spec.name)
    keys = dict(zip((one.metric for one in estimates), _keys(estimates), strict=True))
    found = {}
    for ours, key in keys.items():
        metric, _, filtered = key.partition(",")
        found[ours] = LmEvalName(*split.get(ours, (task, metric)), filter=filtered or NO_FILTER)
    return found


def _keys(estimates: Sequence[Estimate]) -> list[str]:
    """What the protocol calls each metric, where that is a name of lm-eval's form and no other metric has it."""
    aliases = [one.alias if _KEY.fullmatch(one.alias) else "" for one in estimates]
    taken = [alias or one.metric for alias, one in zip(aliases, estimates, strict=True)]
    return [
        alias if alias and taken.count(alias) == 1 else one.metric
        for alias, one in zip(aliases, estimates, strict=True)
    ]  # fmt: skip
