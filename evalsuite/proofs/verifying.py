"""Whether a sealed run is what it says: every number computed again from what is stored, every answer scored again.

Two levels, by task: `recomputed`, the numbers follow from what every sample counts; `re-scored`, what every sample
counts follows from the stored answers by the task's own code. Nothing is asked of any model.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import msgspec

from evalsuite.outcomes import result_from
from evalsuite.prepare import scoring_packages
from evalsuite.proofs.findings import Finding, as_read, differences, num_numbers, result_findings
from evalsuite.proofs.rebuilding import rebuild
from evalsuite.proofs.rebuilt import Rebuilt, Surroundings
from evalsuite.proofs.recounting import Recount, Rows, recount, rows_by_task
from evalsuite.proofs.rescoring import answers_of, check_scores
from evalsuite.proofs.stored_answers import check_answers
from evalsuite.proofs.stored_run import StoredRun, read_stored
from evalsuite.records import RunResult, TaskSpec
from evalsuite.store.results import RESULTS
from evalsuite.types import Record

Level = Literal["recomputed", "re-scored"]

_ROUNDING = 1e-9
"""Relative difference of numbers that other versions of numpy or scipy may make in their last bits."""
_WORDS = ("title", "source", "licence", "language_provenance", "show_in_report", "signature")
"""Fields that say what a task or a metric is, and may say it in other words in another version."""


class TaskVerification(Record, frozen=True, kw_only=True):
    """How far one task could be verified; `why` says in words what could not."""

    task: str
    level: Level
    num_samples: int
    why: tuple[str, ...] = ()


class Verification(Record, frozen=True, kw_only=True):
    """What was found about one run; without `findings` all is equal.

    `level` is the lowest of its tasks. So many answers and numbers were held against what is stored.
    """

    run_id: str
    model: str
    level: Level
    status: str
    num_samples: int
    num_answers: int
    num_numbers: int
    num_epochs: int
    manifest_sha256: str
    samples_root: str
    tasks: tuple[TaskVerification, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not self.findings


def verify_run(path: Path, around: Surroundings) -> Verification:
    """The sealed run at `path`, verified. Raises SpecMismatch where there is none, RunLocked while one works on it."""
    stored = read_stored(path)
    result = stored.result
    if result is None or not _is_whole(stored, result):
        return _unread(stored)
    check_answers(stored, result)
    rows = rows_by_task(result, stored.records)
    rebuilt = rebuild(result, rows, around)
    found = recount(result, rows, rebuilt.known)
    num_compared = _check_numbers(stored, result, rows, found)
    scored = check_scores(stored, result.spec, rebuilt)
    return Verification(
        run_id=result.run_id,
        model=result.spec.subject,
        level="re-scored" if scored == {task.name for task in result.spec.tasks} else "recomputed",
        status=result.status,
        num_samples=len(stored.records),
        num_answers=stored.num_answers,
        num_numbers=num_compared,
        num_epochs=stored.num_epochs,
        manifest_sha256=stored.manifest.hash if stored.manifest else "",
        samples_root=stored.manifest.samples_root if stored.manifest else "",
        tasks=tuple(_of_task(task, scored, rebuilt, found) for task in result.spec.tasks),
        findings=tuple(stored.findings),
        notes=tuple(stored.notes),
    )


def _is_whole(stored: StoredRun, result: RunResult) -> bool:
    """Whether every task has its samples, so that anything can be computed."""
    there = {record.task for record in stored.records}
    return there == {task.name for task in result.spec.tasks} == {task.task for task in result.tasks}


def _unread(stored: StoredRun) -> Verification:
    """A run of which so much is damaged that nothing was computed."""
    result = stored.result
    return Verification(
        run_id=result.run_id if result else "",
        model=result.spec.subject if result else "",
        level="recomputed",
        status=result.status if result else "",
        num_samples=len(stored.records),
        num_answers=0,
        num_numbers=0,
        num_epochs=0,
        manifest_sha256="",
        samples_root="",
        tasks=(),
        findings=tuple(stored.findings),
        notes=(*stored.notes, "too much cannot be read for any number to be computed again"),
    )


def _of_task(spec: TaskSpec, scored: Collection[str], rebuilt: Rebuilt, found: Recount) -> TaskVerification:
    name, why = spec.name, []
    if name not in scored:
        reason = rebuilt.missing.get(name, "another task of its family is not here")
        why.append(f"not scored again: {reason}")
    if name in found.unknown:
        why.append(f"taken as stated: {', '.join(found.unknown[name])}")
    if name in rebuilt.no_data:
        why.append(f"samples taken as stored: {rebuilt.no_data[name]}")
    level: Level = "re-scored" if name in scored else "recomputed"
    return TaskVerification(task=name, level=level, num_samples=spec.num_samples * spec.repeats, why=tuple(why))


# -- numbers


def _check_numbers(stored: StoredRun, result: RunResult, rows: Rows, found: Recount) -> int:
    """Note every number of the result that is not what the samples give; how many were held against it."""
    again = msgspec.structs.replace(
        result_from(found.prepared, rows, answers_of(stored.records), found.numbers),
        packages=result.packages,
        stacks=result.stacks,
    )
    here = scoring_packages()
    differing = list(result_findings(result, as_read(again), RESULTS))
    if dict(result.packages) != here:
        packages = ", ".join(f"{name} {was}, here {now}" for name, was, now in differences(result.packages, here))
        stored.notes.append(f"scored with other packages than are here: {packages}")
        excused = [finding for finding in differing if _is_excused(finding)]
        differing = [finding for finding in differing if finding not in excused]
        if excused:
            stored.notes.append(f"{len(excused)} fields differ in their last bits or in words, as other versions may")
    stored.findings += differing
    return num_numbers(again)


def _is_excused(finding: Finding) -> bool:
    """Whether other versions of the packages explain the difference."""
    if finding.field.rpartition(".")[2] in _WORDS:
        return True
    try:
        return math.isclose(float(finding.stored), float(finding.recomputed), rel_tol=_ROUNDING, abs_tol=0.0)
    except ValueError:
        return False
