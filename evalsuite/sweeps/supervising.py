"""Worker processes on this machine: one for the cells of each model, begun anew when it dies or a cell raises.

A fault costs the cell that met it and no other. A cell whose worker died is tried again when the others of its model
are done; one that raised would raise again, and waits for the user.
"""

from __future__ import annotations

import hashlib
import re
import selectors
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from evalsuite.canonical import canonical_json
from evalsuite.errors import EXIT_INCOMPLETE
from evalsuite.store.files import save_failed
from evalsuite.sweeps.cells import Cell
from evalsuite.sweeps.events import Began, Ended, Event, Failed, Job, Progressed, read_event
from evalsuite.sweeps.failures import note_failure
from evalsuite.sweeps.grid import model_key
from evalsuite.sweeps.worker import EXIT_FRESH, STOP

LOGS = "logs"
"""The folder of what workers print, in the sweep's."""

_POLL_S = 0.2
_COMMAND = (sys.executable, "-m", "evalsuite.sweeps.worker")


class Watcher(Protocol):
    """Told what happens to cells; may show it."""

    def see(self, event: Event) -> None:
        """A cell began, went on, ended or failed."""

    def tick(self) -> None:
        """A moment has passed."""


@dataclass
class _Group:
    """The cells of one model that are left to do, and those to be tried again after them."""

    log: Path
    left: list[Cell]
    again: list[Cell] = field(default_factory=list)

    def next_job(self) -> tuple[Cell, ...]:
        """What a new worker is to do; nothing when all is done."""
        if not self.left:
            self.left, self.again = self.again, []
        return tuple(self.left)


@dataclass
class _Worker:
    """A worker process at its cells. `current` is the one under way, `rest` what was read of an unfinished line."""

    process: subprocess.Popen[bytes]
    group: _Group
    current: Cell | None = None
    rest: bytes = b""
    is_told_to_stop: bool = False

    @property
    def output(self) -> IO[bytes]:
        """Where its events come from."""
        assert self.process.stdout is not None
        return self.process.stdout

    def tell_to_stop(self) -> None:
        """Ask it, once, to end after its batch."""
        if not self.is_told_to_stop:
            self.is_told_to_stop = True
            assert self.process.stdin is not None
            with suppress(OSError):  # it ended a moment ago
                self.process.stdin.write(STOP)
                self.process.stdin.flush()


class Supervisor:
    """Runs cells of the sweep in `directory`, `num_jobs` models at once."""

    def __init__(
        self,
        directory: Path,
        watcher: Watcher,
        *,
        num_jobs: int = 1,
        num_retries: int = 1,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._directory = directory
        self._watcher = watcher
        self._num_jobs = num_jobs
        self._num_retries = num_retries
        self._should_stop = should_stop
        self._deaths: Counter[str] = Counter()
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []

    def run(self, cells: Sequence[Cell]) -> None:
        """Run `cells`; returns when all are done or have failed, or after a stop was asked for. Raises SaveFailed."""
        waiting = [_Group(self._log_path(members[0]), members) for members in by_model(cells)]
        try:
            while True:
                while waiting and len(self._workers) < self._num_jobs and not self._should_stop():
                    self._start(waiting.pop(0))
                if not self._workers:
                    return
                self._attend(waiting)
        finally:
            self._end_all()

    def _attend(self, waiting: list[_Group]) -> None:
        """Take what workers say, and replace those that ended."""
        if self._should_stop():
            for each in self._workers:
                each.tell_to_stop()
        for key, _ in self._selector.select(_POLL_S):
            worker: _Worker = key.data
            chunk = worker.output.read1(1 << 16)  # type: ignore[attr-defined]
            if chunk:
                self._take(worker, chunk)
            elif self._is_to_go_on(worker):
                waiting.insert(0, worker.group)
        self._watcher.tick()

    # -- one worker

    def _start(self, group: _Group) -> None:
        cells = group.next_job()
        if not cells:
            return
        job = Job(directory=str(self._directory), cells=cells)
        try:
            group.log.parent.mkdir(parents=True, exist_ok=True)
            with group.log.open("ab") as log:
                log.write(f"--- {time.strftime('%Y-%m-%dT%H:%M:%S%z')}: {len(cells)} cells\n".encode())
                log.flush()
                process = subprocess.Popen(
                    _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
                )
        except OSError as error:
            raise save_failed(group.log, error) from error
        assert process.stdin is not None
        with suppress(OSError):  # it is dead already, as its end will show
            process.stdin.write(canonical_json(job).encode("ascii") + b"\n")
            process.stdin.flush()
        worker = _Worker(process, group)
        self._workers.append(worker)
        self._selector.register(worker.output, selectors.EVENT_READ, worker)

    def _take(self, worker: _Worker, chunk: bytes) -> None:
        *lines, worker.rest = (worker.rest + chunk).split(b"\n")
        for line in lines:
            if event := read_event(line):
                self._follow(worker, event)

    def _follow(self, worker: _Worker, event: Event) -> None:
        group = worker.group
        cell = next((cell for cell in group.left if cell.name == event.cell), None)
        if cell is None:
            return
        match event:
            case Began():
                worker.current = cell
            case Ended():
                worker.current = None
                group.left.remove(cell)
            case Failed(cause=cause, exit_code=exit_code):
                worker.current = None
                group.left.remove(cell)
                note_failure(self._directory, cell.name, cell.run_id, cause, exit_code)
            case Progressed():
                pass
        self._watcher.see(event)

    def _is_to_go_on(self, worker: _Worker) -> bool:
        """A worker's output has ended: settle what it left, and say whether its group needs another one."""
        self._selector.unregister(worker.output)
        code = worker.process.wait()
        self._close(worker)
        group = worker.group
        if worker.is_told_to_stop:
            return False
        cell = worker.current or (group.left[0] if code != EXIT_FRESH and group.left else None)
        if cell is not None:
            self._bury(group, cell, code)
        return bool(group.left or group.again)

    def _bury(self, group: _Group, cell: Cell, code: int) -> None:
        """A worker died at `cell`: note it, and put the cell last if it may be tried again."""
        self._deaths[cell.run_id] += 1
        group.left.remove(cell)
        if self._deaths[cell.run_id] <= self._num_retries:
            group.again.append(cell)
        cause = f"its worker {_way_to_die(code)}; {group.log} may say more"
        note_failure(self._directory, cell.name, cell.run_id, cause, EXIT_INCOMPLETE)
        self._watcher.see(Failed(cell=cell.name, cause=cause, exit_code=EXIT_INCOMPLETE))

    def _close(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        for stream in (worker.process.stdin, worker.process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()

    def _end_all(self) -> None:
        """What is still at work when this ends by an exception ends at once."""
        for worker in list(self._workers):
            worker.process.kill()
            worker.process.wait()
            self._close(worker)
        self._selector.close()

    def _log_path(self, cell: Cell) -> Path:
        """A log for each model: its name, and a digest of all that it was asked for with."""
        config = cell.config
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(config.model).name).strip("-.")[:40] or "model"
        digest = hashlib.sha256(model_key(config).encode("ascii")).hexdigest()[:8]
        return self._directory / LOGS / f"{name}-{digest}.log"


def by_model(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """The cells that one loaded model answers, together."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(model_key(cell.config), []).append(cell)
    yield from groups.values()


def _way_to_die(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (", as the kernel does when memory is short" if name == "SIGKILL" else "")
