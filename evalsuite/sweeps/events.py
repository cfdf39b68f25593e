"""What a worker tells the process that started it: one line of JSON each."""

from __future__ import annotations

import json
from typing import TypeAlias

import msgspec

from evalsuite.canonical import canonical_json
from evalsuite.records import RunStatus
from evalsuite.sweeps.cells import Cell
from evalsuite.types import Record


class Job(Record, frozen=True, kw_only=True):
    """What a worker is to do: cells of the sweep in `directory` that one loaded model answers, in this order."""

    directory: str
    cells: tuple[Cell, ...]


class Began(Record, frozen=True, kw_only=True, tag="began"):
    """A cell's turn has come."""

    cell: str


class Progressed(Record, frozen=True, kw_only=True, tag="progressed"):
    """In its present wave so many requests, and tokens with them, are done; `num_fresh` of the tokens in this turn."""

    cell: str
    wave: int
    num_done: int
    num_items: int
    num_tokens_done: int
    num_tokens: int
    num_fresh: int


class Ended(Record, frozen=True, kw_only=True, tag="ended"):
    """A cell's turn is over: its run is sealed, `complete` or not, or was interrupted at the user's wish. `num_done` of
    `num_asked` samples have ended, with a score or without.
    """

    cell: str
    status: RunStatus
    num_done: int
    num_asked: int


class Failed(Record, frozen=True, kw_only=True, tag="failed"):
    """A cell cannot be finished now. Its answers so far are kept; `exit_code` is what a run would have ended with."""

    cell: str
    cause: str
    exit_code: int


Event: TypeAlias = Began | Progressed | Ended | Failed


def event_line(event: Event) -> bytes:
    """An event as a line."""
    return (canonical_json(event) + "\n").encode("ascii")


def read_event(line: bytes) -> Event | None:
    """The event in a line; None for what is none, such as a line torn by a kill."""
    try:
        event: Event = msgspec.convert(json.loads(line), Began | Progressed | Ended | Failed)
    except (ValueError, msgspec.ValidationError):
        return None
    return event
