"""Sweeps on a cluster: one Slurm job for each model, sent off by submitit, which does what a worker here would do.

A job supervises a worker process of its own, so that a fault costs one cell there too. A job that is preempted, or
sent off a second time, goes on where the runs on disk are: nothing else has to be remembered.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evalsuite.errors import EXIT_INCOMPLETE, UsageError
from evalsuite.records import RunStatus
from evalsuite.sweeps.cells import Cell, read_plan
from evalsuite.sweeps.events import Ended, Event, Failed
from evalsuite.sweeps.failures import note_failure, read_failures
from evalsuite.sweeps.standing import standing
from evalsuite.sweeps.supervising import Supervisor, Watcher, by_model
from evalsuite.types import Scalar

JOBS = "slurm"
"""The folder of what submitit writes, in the sweep's."""

_SHARED = {
    "name", "timeout_min", "mem_gb", "nodes", "cpus_per_task", "gpus_per_node", "tasks_per_node", "stderr_to_stdout",
}  # fmt: skip
"""What submitit calls alike for all clusters; its names for Slurm's own options begin with ``slurm_``."""

_POLL_S = 5.0


def check_slurm() -> None:
    """Raises UsageError where no job can be sent off."""
    if find_spec("submitit") is None:
        raise UsageError("--executor slurm: submitit is not installed; `pip install 'evalsuite[slurm]'` brings it.")
    if shutil.which("sbatch") is None:
        raise UsageError("--executor slurm: there is no sbatch here; run this where Slurm's commands are, or leave it.")


class Silent:
    """A watcher in a job, whose output nobody watches: what there is to know is on disk."""

    def see(self, event: Event) -> None:
        """Say nothing."""

    def tick(self) -> None:
        """Say nothing."""


@dataclass
class ModelJob:
    """What one job does: cells of one model, by name, of the sweep in `directory`."""

    directory: str
    cells: tuple[str, ...]
    num_retries: int

    def __call__(self) -> int:
        """Run them; the number of cells."""
        plan = read_plan(Path(self.directory))
        by_name = {cell.name: cell for cell in plan.cells}
        supervisor = Supervisor(Path(self.directory), Silent(), num_retries=self.num_retries)
        supervisor.run([by_name[name] for name in self.cells])
        return len(self.cells)

    def checkpoint(self) -> Any:
        """The same job again, as submitit asks for when a job is preempted or its time is up."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class Cluster:
    """Sends jobs off and waits for them. `settings` are those of the sweep's file; `kind` is submitit's word."""

    def __init__(
        self, directory: Path, settings: Mapping[str, Scalar], num_retries: int = 1, *, kind: str = "slurm",
        poll_s: float = _POLL_S,
    ) -> None:  # fmt: skip
        self._directory = directory
        self._settings = settings
        self._num_retries = num_retries
        self._kind = kind
        self._poll_s = poll_s

    def run(self, cells: Sequence[Cell], watcher: Watcher, should_stop: Callable[[], bool]) -> None:
        """Run `cells`; returns when all jobs are over, or when stopped, with jobs going on. Raises UsageError."""
        jobs = self._submit(cells)
        open_cells = {cell.name: cell for cell in cells}
        while open_cells and not should_stop():
            is_over = all(job.done() for job, _ in jobs)
            self._tell(open_cells, watcher)
            if is_over:
                break
            watcher.tick()
            time.sleep(self._poll_s)
        if not should_stop():
            self._settle(jobs, watcher)

    def _submit(self, cells: Sequence[Cell]) -> list[tuple[Any, list[Cell]]]:
        import submitit

        executor = submitit.AutoExecutor(folder=self._directory / JOBS, cluster=self._kind)
        try:
            executor.update_parameters(**_named_for_submitit(self._settings))
        except (NameError, AssertionError, TypeError, ValueError) as error:
            raise UsageError(f"slurm: {' '.join(str(error).split())}") from error
        jobs = []
        for members in by_model(cells):
            names = tuple(cell.name for cell in members)
            jobs.append((executor.submit(ModelJob(str(self._directory), names, self._num_retries)), members))
        return jobs

    def _tell(self, open_cells: dict[str, Cell], watcher: Watcher) -> None:
        """What the disk says of cells that were open."""
        failures = read_failures(self._directory)
        for name, cell in list(open_cells.items()):
            found = standing(self._directory, cell, failures)
            if found.state in ("sealed", "incomplete"):
                del open_cells[name]
                status: RunStatus = "complete" if found.state == "sealed" else "incomplete"
                done, asked = found.num_done or 0, found.num_asked or 0
                watcher.see(Ended(cell=name, status=status, num_done=done, num_asked=asked))

    def _settle(self, jobs: Sequence[tuple[Any, list[Cell]]], watcher: Watcher) -> None:
        """Jobs that broke off: their cells without result failed for that cause, where no other is known."""
        failures = read_failures(self._directory)
        for job, members in jobs:
            for cell in members:
                found = standing(self._directory, cell, failures)
                if found.state == "waiting":
                    cause = f"job {job.job_id} ended as {job.state} before it; {job.paths.stderr} may say more"
                    note_failure(self._directory, cell.name, cell.run_id, cause, EXIT_INCOMPLETE)
                    watcher.see(Failed(cell=cell.name, cause=cause, exit_code=EXIT_INCOMPLETE))
                elif found.state == "failed":
                    watcher.see(Failed(cell=cell.name, cause=found.cause, exit_code=found.exit_code))


def _named_for_submitit(settings: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {
        key if key in _SHARED or key.startswith("slurm_") else f"slurm_{key}": value for key, value in settings.items()
    }
