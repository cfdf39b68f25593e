"""A worker's day: one model, loaded once, and all cells that it answers, each a run like any other."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from evalsuite.errors import EXIT_INCOMPLETE, EvalsuiteError, RunLocked, SpecMismatch
from evalsuite.prepare import Prepared, prepare
from evalsuite.run import Finished, execute
from evalsuite.store.response_cache import ResponseCache
from evalsuite.sweeps.cells import Cell
from evalsuite.sweeps.engine_keeping import EngineKeeper
from evalsuite.sweeps.events import Began, Ended, Event, Failed, Job, Progressed

_SAY_EVERY_S = 0.5

LOCK_WAIT_S = 10.0
"""How long a worker waits for a run that somebody else holds: one whose sweep was killed ends only a moment later."""


class _Reporting:
    """A run's progress as events, not more often than a table is redrawn."""

    def __init__(self, cell: str, report: Callable[[Event], None]) -> None:
        self._cell = cell
        self._report = report
        self._wave = self._done = self._num_items = self._tokens = self._num_tokens = self._fresh = 0
        self._said = 0.0

    def start_wave(self, wave: int, num_items: int, num_tokens: int, done_tokens: int) -> None:
        """A wave begins; of what was done before only the tokens are told, and requests follow in that share."""
        share = done_tokens / num_tokens if num_tokens else 0.0
        self._wave, self._done, self._num_items = wave, round(share * num_items), num_items
        self._tokens, self._num_tokens, self._fresh = done_tokens, num_tokens, 0
        self._say()

    def advance(self, num_items: int, num_tokens: int) -> None:
        """A batch is committed."""
        self._done = min(self._done + num_items, self._num_items)
        self._tokens += num_tokens
        self._fresh += num_tokens
        if time.monotonic() - self._said >= _SAY_EVERY_S:
            self._say()

    def finish(self) -> None:
        """The end is told by another event."""

    def _say(self) -> None:
        self._said = time.monotonic()
        self._report(
            Progressed(
                cell=self._cell, wave=self._wave, num_done=self._done, num_items=self._num_items,
                num_tokens_done=self._tokens, num_tokens=self._num_tokens, num_fresh=self._fresh,
            )
        )  # fmt: skip


def work(job: Job, report: Callable[[Event], None], should_stop: Callable[[], bool]) -> bool:
    """Run the job's cells one after the other; False when one of them raised, after which nothing more is begun.

    What a fault left behind in this process or on its device is not known, so the cells after it are for a new one.
    """
    with closing(EngineKeeper()) as keeper:
        for cell in job.cells:
            if should_stop():
                break
            report(Began(cell=cell.name))
            try:
                ended = _ended(cell, _run(Path(job.directory), cell, keeper, report, should_stop))
            except Exception as error:  # a stranger's task or engine may raise anything; it costs this cell alone
                traceback.print_exc(file=sys.stderr)
                report(Failed(cell=cell.name, cause=_told(error), exit_code=_exit_code(error)))
                return False
            report(ended)
    return True


def _run(
    directory: Path, cell: Cell, keeper: EngineKeeper, report: Callable[[Event], None], should_stop: Callable[[], bool]
) -> Finished:
    config = cell.config
    prepared = prepare(config, keeper.open(config))
    if prepared.spec.run_id != cell.run_id:
        raise SpecMismatch(
            f"it is run {prepared.spec.run_id} here and {cell.run_id} in the plan: data, code or libraries are not "
            "what they were when it was planned."
        )
    cache = ResponseCache(Path(config.use_cache)) if config.use_cache else None
    return _executed(prepared, directory / cell.run, _Reporting(cell.name, report), should_stop, cache, keeper.keeps)


def _executed(
    prepared: Prepared,
    path: Path,
    progress: _Reporting,
    should_stop: Callable[[], bool],
    cache: ResponseCache | None,
    keeps_engine: bool,
) -> Finished:
    """`execute`, once nobody else holds the run. Raises RunLocked after `LOCK_WAIT_S`."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            return execute(prepared, path, progress, should_stop, cache, keeps_engine=keeps_engine)
        except RunLocked:
            if time.monotonic() > deadline or should_stop():
                raise
            time.sleep(0.05)


def _ended(cell: Cell, finished: Finished) -> Event:
    if finished.trouble is not None:
        return Failed(cell=cell.name, cause=_told(finished.trouble), exit_code=finished.trouble.exit_code)
    counts = finished.counts
    return Ended(
        cell=cell.name,
        status=finished.result.status if finished.result else "interrupted",
        num_done=counts.requested - counts.not_run,
        num_asked=counts.requested,
    )


def _told(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return text if isinstance(error, EvalsuiteError) else f"{type(error).__name__}: {text}"


def _exit_code(error: Exception) -> int:
    return error.exit_code if isinstance(error, EvalsuiteError) else EXIT_INCOMPLETE
