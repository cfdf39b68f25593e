"""What a sweep looks like: its cells in a table that is redrawn, in lines, and in a forecast."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from evalsuite.cli.forecasts import time_text
from evalsuite.sweeps.events import Began, Ended, Event, Failed, Progressed
from evalsuite.sweeps.standing import STATES, Standing
from evalsuite.text.number_texts import MISSING, bytes_text, number
from evalsuite.text.visible import visible_line
from evalsuite.types import Record

SAY_EVERY_S = 30.0
_REDRAWS_A_SECOND = 4
_ROOM_AROUND = 6
"""Lines of a terminal that the table's head and its surroundings need."""

_STATE_OF = {"complete": "sealed", "incomplete": "incomplete", "interrupted": "waiting"}


class CellForecast(Record, frozen=True, kw_only=True):
    """What a cell will take in its first waves. `cost` is in the currency of the prices, None where none are known."""

    cell: str
    run_id: str
    is_sealed: bool
    num_samples: int
    num_requests: int
    num_tokens_naive: int
    num_tokens_planned: int
    seconds: float | None
    num_bytes: int | None
    cost: float | None


def standing_rows(found: Sequence[Standing]) -> list[tuple[str, ...]]:
    """Cells with their state, samples done of asked, and why."""
    rows = [(one.cell, one.state, _of(one.num_done, one.num_asked), one.cause) for one in found]
    return [("cell", "state", "samples", "cause"), *rows]


def summary_line(found: Sequence[Standing]) -> str:
    """How many cells are in which state."""
    counts = Counter(one.state for one in found)
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


def forecast_rows(found: Sequence[CellForecast]) -> list[tuple[str, ...]]:
    """What each cell takes, the sum, and where some are sealed the sum of the others."""
    rows = [_forecast_row(one.cell + (" (sealed)" if one.is_sealed else ""), [one]) for one in found]
    left = [one for one in found if not one.is_sealed]
    sums = [_forecast_row("all", found), *([_forecast_row("left to do", left)] if 0 < len(left) < len(found) else [])]
    return [("cell", "samples", "requests", "tokens, naive", "planned", "time", "memory", "cost"), *rows, *sums]


def _forecast_row(name: str, members: Sequence[CellForecast]) -> tuple[str, ...]:
    return (
        name,
        str(sum(one.num_samples for one in members)),
        str(sum(one.num_requests for one in members)),
        str(sum(one.num_tokens_naive for one in members)),
        str(sum(one.num_tokens_planned for one in members)),
        time_text(known_sum([one.seconds for one in members])),
        bytes_text(max((one.num_bytes for one in members if one.num_bytes is not None), default=None)),
        _money(known_sum([one.cost for one in members])),
    )


def known_sum(values: Sequence[float | None]) -> float | None:
    """The sum of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _money(cost: float | None) -> str:
    return number(cost, 4 if cost is not None and cost < 1 else 2)


def _of(num_done: int | None, num_asked: int | None) -> str:
    return MISSING if num_asked is None else f"{num_done}/{num_asked}"


# -- while it runs


@dataclass
class _Row:
    """A cell as it is shown."""

    state: str
    done: str
    left: str = ""
    note: str = ""
    begun: float | None = None

    @property
    def seconds(self) -> float | None:
        """Since its turn came; None for one whose turn did not come."""
        return None if self.begun is None else time.monotonic() - self.begun


class _Rows:
    """All cells, kept up to date by events."""

    def __init__(self, found: Sequence[Standing]) -> None:
        self.rows = {one.cell: _Row(one.state, _of(one.num_done, one.num_asked), note=one.cause) for one in found}

    def see(self, event: Event) -> _Row:
        """Take in an event; the row that it changed."""
        row = self.rows[event.cell]
        match event:
            case Began():
                row.state, row.left, row.note, row.begun = "running", "", "", time.monotonic()
            case Progressed():
                row.done, row.left = (
                    f"{event.num_done}/{event.num_items} requests, wave {event.wave}",
                    _left(event, row.seconds),
                )
            case Ended():
                row.state, row.left = _STATE_OF[event.status], ""
                row.done = _of(event.num_done, event.num_asked)
            case Failed():
                row.state, row.left, row.note = "failed", "", event.cause
        return row

    @property
    def num_sealed(self) -> int:
        """Cells that are over."""
        return sum(row.state in ("sealed", "incomplete") for row in self.rows.values())


def _left(event: Progressed, seconds: float | None) -> str:
    """How long the wave still takes at the pace of this turn; empty where nothing was computed in it yet."""
    if not event.num_fresh or seconds is None:
        return ""
    return time_text(seconds * (event.num_tokens - event.num_tokens_done) / event.num_fresh)


class Lines:
    """A line on standard error for each cell that is over, and for a long one now and then."""

    def __init__(self, found: Sequence[Standing]) -> None:
        self._rows = _Rows(found)
        self._said = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to clear."""

    def see(self, event: Event) -> None:
        """Say what is over."""
        row = self._rows.see(event)
        where = f"[{self._rows.num_sealed}/{len(self._rows.rows)}] {event.cell}"
        if isinstance(event, Ended | Failed):
            note = f": {row.note}" if row.note else ""
            took = "" if row.seconds is None else f" ({time_text(row.seconds)})"
            self._say(f"{where}: {row.state}{note}{took}")
        elif isinstance(event, Progressed) and time.monotonic() - self._said >= SAY_EVERY_S:
            self._say(f"{where}: {row.done}" + (f", {row.left} left" if row.left else ""))

    def tick(self) -> None:
        """Nothing moves."""

    def _say(self, line: str) -> None:
        self._said = time.monotonic()
        with suppress(OSError):  # a sweep does not end because nobody reads its progress
            print(visible_line(line, None), file=sys.stderr, flush=True)


class LiveTable:
    """A row a cell on a terminal, redrawn; where there is no room for all, those under way and those that failed."""

    def __init__(self, found: Sequence[Standing]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._rows = _Rows(found)
        self._console = Console(stderr=True)
        self._live = Live(
            console=self._console, auto_refresh=False, get_renderable=self._table, vertical_overflow="ellipsis"
        )
        self._drawn = 0.0

    def __enter__(self) -> LiveTable:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.refresh()
        self._live.stop()

    def see(self, event: Event) -> None:
        """Take it in; it is shown with the next tick."""
        self._rows.see(event)

    def tick(self) -> None:
        """Draw again when it is time."""
        if time.monotonic() - self._drawn >= 1 / _REDRAWS_A_SECOND:
            self._drawn = time.monotonic()
            self._live.refresh()

    def _table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        rows = list(self._rows.rows.items())
        if len(rows) > self._console.height - _ROOM_AROUND:
            rows = [(name, row) for name, row in rows if row.state in ("running", "failed")]
        table = Table(box=None, pad_edge=False, caption_justify="left")
        table.caption = f"{self._rows.num_sealed} of {len(self._rows.rows)} cells are over"
        for column in ("cell", "state", "samples", "time left", "cause"):
            table.add_column(column, overflow="fold")
        for name, row in rows:
            table.add_row(*(Text(visible_line(cell, None)) for cell in (name, row.state, row.done, row.left, row.note)))
        return table


def open_watcher(found: Sequence[Standing]) -> Lines | LiveTable:
    """A table when standard error is a terminal."""
    return LiveTable(found) if sys.stderr.isatty() else Lines(found)
